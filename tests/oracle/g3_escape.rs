//! The literal forms of G3 in which a value of an inner derivative leaves it: a derivative of a
//! function-valued function, a closure over the inner variable. They must not give a number but the
//! located error: the line that made the value and the line that uses it.

use crate::nest::{ALL, Diff, d};
use crate::report::Report;
use evolute::ir::{IrError, SourceLoc};
use evolute::prelude::*;
use evolute::{Error, TraceError};
use std::cell::{Cell, RefCell};
use std::fmt::Debug;
use std::rc::Rc;

/// The lines that make and use the value. The inner variable is made by the line of its operator.
type Lines = Cell<(u32, u32)>;

/// A form as a function of the outer variable.
type Form = for<'t> fn(Diff, Scalar<'t>, &Lines) -> Scalar<'t>;

fn forms(name: &str) -> &'static [Form] {
    match name {
        "SP_ADD" => &[kept_in_cell, returned, used_by_sibling, used_by_enclosed],
        "AMAZING_BUG_EXP" => &[|diff, p, lines| amazing_bug(diff, &|x| x.exp(), p, lines)],
        "AMAZING_BUG_CUBE" => &[|diff, p, lines| amazing_bug(diff, &|x| x.powi(3), p, lines)],
        "AMAZING_BUG_TANH" => &[|diff, p, lines| amazing_bug(diff, &|x| x.tanh(), p, lines)],
        "CLOSURE_RESULT" => &[closure_result],
        "CLOSURE_STORED" => &[closure_stored],
        _ => &[],
    }
}

/// Checks the escaping forms of a case with every operator, and counts them.
pub(crate) fn check(report: &mut Report, name: &str) -> usize {
    for (i, form) in forms(name).iter().enumerate() {
        for diff in ALL {
            let lines = Lines::new((0, line!() + 1));
            let traced = Function::scalar(1, |x| form(diff, x[0], &lines));
            let (made, used) = lines.get();
            report.check(located(&traced, made, used), || {
                format!("{name}, escaping form {i} of {diff:?}, lines {made} and {used}: {traced:?}")
            });
        }
    }
    forms(name).len()
}

fn located<T: Debug>(result: &Result<T, Error>, made: u32, used: u32) -> bool {
    let here = |loc: &SourceLoc, line: u32| &*loc.file == file!() && loc.line == line;
    match result {
        Err(Error::Trace(TraceError::At { source: IrError::Escaped { defined: Some(defined), .. }, at })) => {
            here(defined, made) && here(at, used)
        }
        _ => false,
    }
}

/// A value computed inside, used outside.
fn kept_in_cell<'t>(diff: Diff, x: Scalar<'t>, lines: &Lines) -> Scalar<'t> {
    let kept = Cell::new(x);
    let made = line!() + 2;
    let inside = |y: Scalar<'t>| {
        kept.set(x + y);
        y * y
    };
    let slope = d(diff, inside, Scalar::from(1.0));
    lines.set((made, line!() + 1));
    slope * kept.get()
}

/// The inner variable as the result of the outer function.
fn returned<'t>(diff: Diff, x: Scalar<'t>, lines: &Lines) -> Scalar<'t> {
    let kept = Cell::new(x);
    lines.set((line!() + 1, lines.get().1));
    d(diff, |y| kept.replace(y) * y, x);
    kept.get()
}

/// The variable of one derivative in the next.
fn used_by_sibling<'t>(diff: Diff, x: Scalar<'t>, lines: &Lines) -> Scalar<'t> {
    let kept = Cell::new(x);
    lines.set((line!() + 1, line!() + 2));
    let first = d(diff, |y| kept.replace(y) * y, x);
    first + d(diff, |z| z * kept.get(), x)
}

/// The variable of a derivative inside the enclosing one.
fn used_by_enclosed<'t>(diff: Diff, x: Scalar<'t>, lines: &Lines) -> Scalar<'t> {
    let kept = Cell::new(x);
    let outside = |y: Scalar<'t>| {
        lines.set((line!() + 1, line!() + 2));
        let inner = d(diff, |z| kept.replace(z) * y * z, y);
        inner * kept.get()
    };
    d(diff, outside, x)
}

type Closure<'t> = Box<dyn Fn(Scalar<'t>) -> Scalar<'t> + 't>;
type Operator<'t> = Box<dyn Fn(&dyn Fn(Scalar<'t>) -> Scalar<'t>, Scalar<'t>) -> Scalar<'t> + 't>;

/// `D̂ = D(s, 0)` of the function-valued `s(u) = f ↦ x ↦ f(x + u)`, applied after the derivative is taken.
fn amazing_bug<'t>(
    diff: Diff,
    h: &dyn Fn(Scalar<'t>) -> Scalar<'t>,
    p: Scalar<'t>,
    lines: &Lines,
) -> Scalar<'t> {
    let stored: Rc<RefCell<Option<Operator<'t>>>> = Rc::default();
    let used = line!() + 2;
    let s = |u: Scalar<'t>| {
        let shift = move |x| x + u;
        *stored.borrow_mut() = Some(Box::new(move |f, x| f(shift(x))));
        u
    };
    lines.set((line!() + 1, used));
    d(diff, s, Scalar::from(0.0));
    let operator = stored.take().expect("s has run");
    operator(h, p)
}

/// `G(x) = D(y ↦ (z ↦ x·y·z), 2)`, whose result is a closure over `y`.
fn closure_result<'t>(diff: Diff, x: Scalar<'t>, lines: &Lines) -> Scalar<'t> {
    let result: RefCell<Option<Closure<'t>>> = RefCell::default();
    let used = line!() + 2;
    let body = |y: Scalar<'t>| {
        let closure = move |z| x * y * z;
        *result.borrow_mut() = Some(Box::new(closure));
        y
    };
    lines.set((line!() + 1, used));
    d(diff, body, Scalar::from(2.0));
    let closure = result.take().expect("the body has run");
    closure(x)
}

/// Closures over the inner variables, collected in a list and called after the derivatives are taken.
fn closure_stored<'t>(diff: Diff, x0: Scalar<'t>, lines: &Lines) -> Scalar<'t> {
    let fs: RefCell<Vec<Closure<'t>>> = RefCell::default();
    let used = line!() + 2;
    let body = |x: Scalar<'t>, y: Scalar<'t>| {
        let closure = move |z| y * z;
        fs.borrow_mut().push(Box::new(closure));
        x * y
    };
    lines.set((line!() + 1, used));
    let slopes = [x0, 2.0 * x0].map(|x| d(diff, |y| body(x, y), x0));
    slopes[0] + fs.borrow().iter().map(|f| f(x0)).sum::<Scalar<'t>>()
}
