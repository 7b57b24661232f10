//! Traced values outside of every trace, and those that leave theirs: right numbers or an error, never a NaN.

use evolute::ir::{FailureKind, SourceLoc};
use evolute::prelude::*;
use evolute::{Error, Int, Leaf, Leaves, RealKind, RealTree, Scalar32, TraceError, Traced, Tree, nested};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

fn number(x: Scalar) -> f64 {
    x.as_constant().unwrap_or_else(|| panic!("{x:?}"))
}

// ── numbers ─────────────────────────────────────────────────────────────────────────────────────

#[test]
fn inner_derivatives_of_constants_are_numbers() {
    let (two, three) = (Scalar::from(2.0), Scalar::from(3.0));
    let cube = |x: Scalar<'static>| x * x * x;
    assert_eq!(number(grad(cube, two)), 12.0);
    let (value, slope) = nested::value_and_grad(cube, two);
    assert_eq!((number(value), number(slope)), (8.0, 12.0));
    let (value, along) = jvp(cube, two, three);
    assert_eq!((number(value), number(along)), (8.0, 36.0));
    let ((product, sum), back) = vjp(|x: [Scalar; 2]| (x[0] * x[1], x[0] + x[1]), [two, three], (two, three));
    assert_eq!([product, sum, back[0], back[1]].map(number), [6.0, 5.0, 9.0, 7.0]);
    let second = hvp(|x: Vec<Scalar>| x[0] * x[0] * x[1], vec![two, three], vec![three, two]);
    assert_eq!([second[0], second[1]].map(number), [26.0, 12.0]);
    let single = grad(|x: Scalar32| x * x, Scalar32::from(1.5));
    assert_eq!(single.as_constant(), Some(3.0));
}

#[test]
fn inner_derivatives_of_constants_nest() {
    let x = Scalar::from(2.0);
    assert_eq!(number(grad(|x| x * grad(|y| x * y * y, x), x)), 24.0);
    assert_eq!(number(x * grad(|y| x + y, Scalar::from(1.0))), 2.0);
    let f = Function::scalar(1, |x| x[0] * grad(|y| y * y, Scalar::from(3.0))).unwrap();
    assert_eq!(f.compile().unwrap().call(&[2.0]).unwrap(), 12.0);
}

#[test]
fn functions_of_constants_are_numbers() {
    let f = Function::scalar((scalars(2), scalar_of::<I64>()), |(x, n)| x[0] * x[1] + n.to_f64()).unwrap();
    let x = [2.0, 3.0].map(Scalar::from);
    assert_eq!(number(f.call((&x, Int::from(4)))), 10.0);
    let gradient = f.wrt::<0>().grad().unwrap();
    assert_eq!(gradient.call((&x, Int::from(4))).into_iter().map(number).collect::<Vec<_>>(), [3.0, 2.0]);
    let swapped = Function::vector(2, |x| vec![x[1], x[0]]).unwrap();
    assert_eq!(swapped.call(&x).into_iter().map(number).collect::<Vec<_>>(), [3.0, 2.0]);
}

#[test]
fn operations_on_constants_are_numbers() {
    let x = Scalar::from(2.0);
    assert_eq!(number(x.gt(1.0).select(x.powi(3), -x) + x.to_int().to_f64()), 10.0);
    assert!(number(x - f64::NAN).is_nan(), "a NaN of the user");
    assert_eq!((Int::from(7) / Int::from(2)).as_constant(), Some(3));
}

// ── mistakes ────────────────────────────────────────────────────────────────────────────────────

/// `x` is no number but this mistake, and so is all that is computed from it.
fn check_mistake<'a, K: RealKind>(x: Traced<'a, K>, expected: impl Fn(&TraceError) -> bool) {
    let error = x.error().expect("a mistake");
    assert!(expected(&error), "{error:?}");
    assert_eq!(format!("{x:?}"), error.to_string());
    for later in [x, -x, x * x, x.gt(x).select(x, x), grad(|y| y * x, x), grad(|y: Traced<'a, K>| y * y, x)] {
        assert!(later.as_constant().is_none());
        assert_eq!(later.error().as_ref(), Some(&error));
    }
}

fn here(at: &SourceLoc, line: u32) -> bool {
    &*at.file == file!() && at.line == line
}

#[test]
fn an_integer_division_outside_is_a_mistake_at_its_line() {
    for (a, b) in [(1, 0), (i64::MIN, -1)] {
        let line = line!() + 1;
        let quotient = Int::from(a) / Int::from(b);
        let at_line = |error: &TraceError| {
            let TraceError::Failure(failure) = error else { return false };
            failure.kind == FailureKind::IntegerDivision
                && failure.loc.as_ref().is_some_and(|at| here(at, line))
        };
        assert!(quotient.as_constant().is_none() && quotient.error().is_some_and(|error| at_line(&error)));
        check_mistake(quotient.to_f64(), at_line);
        check_mistake(grad(|x: Scalar| x * quotient.to_f64(), Scalar::from(1.0)), at_line);
    }
    let line = line!() + 1;
    let slope = grad(|x: Scalar| x * (Int::from(1) % Int::from(0)).to_f64(), Scalar::from(1.0));
    check_mistake(
        slope,
        |error| matches!(error, TraceError::Failure(failure) if failure.loc.as_ref().is_some_and(|at| here(at, line))),
    );
}

#[test]
fn a_value_kept_from_an_inner_derivative_outside_is_a_mistake_where_it_is_used() {
    let kept = Cell::new(Scalar::from(0.0));
    let square = |x: Scalar<'static>| {
        kept.set(x * x);
        x * x
    };
    assert_eq!(number(grad(square, Scalar::from(3.0))), 6.0);
    assert!(kept.get().as_constant().is_none());
    let foreign =
        |line| move |error: &TraceError| matches!(error, TraceError::Foreign { at } if here(at, line));
    check_mistake(kept.get().sin(), foreign(line!()));
    check_mistake(kept.get() + 1.0, foreign(line!()));
    check_mistake(2.0 - kept.get(), foreign(line!()));
    check_mistake(kept.get().gt(0.0).select(Scalar::from(1.0), Scalar::from(2.0)), foreign(line!()));
    check_mistake(grad(|x: Scalar<'static>| x * x, kept.get()), foreign(line!()));
    check_mistake(grad(|x: Scalar<'static>| x * kept.get(), Scalar::from(1.0)), foreign(line!()));
    let f = Function::scalar(1, |x| x[0] * 2.0).unwrap();
    check_mistake(f.call(&[kept.get()]), foreign(line!()));
}

#[test]
fn a_wrong_length_outside_is_a_mistake() {
    let f = Function::scalar(2, |x| x[0] * x[1]).unwrap();
    let line = line!() + 1;
    let value = f.call(&[Scalar::from(1.0)]);
    check_mistake(value, |error| matches!(error, TraceError::Length { at, .. } if here(at, line)));
}

#[test]
fn a_panic_swallowed_outside_is_a_mistake() {
    let line = line!() + 2;
    let inner = |x: Scalar<'static>| {
        let panicking = AssertUnwindSafe(|| grad(|_: Scalar| -> Scalar { panic!("mine") }, x));
        catch_unwind(panicking).unwrap_or(x)
    };
    let slope = grad(inner, Scalar::from(1.0));
    check_mistake(slope, |error| matches!(error, TraceError::Panicked { at } if here(at, line)));
}

#[test]
fn a_value_of_an_ended_trace_is_an_error_of_the_one_around_it() {
    let mut line = 0;
    let outer = Function::scalar(1, |x| {
        let kept = Cell::new(x[0]);
        // The derivative of a constant belongs to the innermost trace, whatever its type says.
        let inner = Function::scalar(1, |y| {
            kept.set(grad(|z| z * z, Scalar::from(3.0)));
            y[0]
        });
        assert!(inner.is_ok());
        line = line!() + 1;
        x[0] * kept.get()
    });
    let Err(Error::Trace(TraceError::Foreign { at })) = &outer else { panic!("{outer:?}") };
    assert!(here(at, line), "{at}");
}

#[test]
fn what_failed_in_an_inner_trace_is_an_error_of_the_one_around_it() {
    let outer = Function::scalar(2, |x| {
        let kept = Cell::new(x[0]);
        let inner = Function::scalar(1, |y| {
            kept.set(grad(|z| z * x[1], x[0]));
            y[0]
        });
        assert!(matches!(inner, Err(Error::Trace(TraceError::Foreign { .. }))), "{inner:?}");
        kept.get().sin()
    });
    assert!(matches!(outer, Err(Error::Trace(TraceError::Foreign { .. }))), "{outer:?}");
}

/// A tree that forgets its scalars.
#[derive(Clone)]
struct Forgetful<'t>(Scalar<'t>);

impl<'t> Tree<'t> for Forgetful<'t> {
    fn flatten(&self, _: &mut Leaves<'t>) {}
    fn rebuild(&self, leaves: &mut std::vec::IntoIter<Leaf<'t>>) -> Self {
        Forgetful(self.0.rebuild(leaves))
    }
}

impl<'t> RealTree<'t> for Forgetful<'t> {}

#[test]
fn a_tree_rebuilt_from_other_leaves_is_a_mistake() {
    let rebuilt = |error: &TraceError| *error == TraceError::Rebuilt;
    let slope = grad(|x: Forgetful<'static>| x.0 * x.0, Forgetful(Scalar::from(1.0)));
    check_mistake(slope.0, rebuilt);
    let inside = Function::scalar(1, |x| grad(|x: Forgetful| x.0 * x.0, Forgetful(x[0])).0);
    assert!(matches!(inside, Err(Error::Trace(TraceError::Rebuilt))), "{inside:?}");

    let mut leaves = Leaves::new();
    Scalar32::from(1.5).flatten(&mut leaves);
    check_mistake(Scalar::from(0.0).rebuild(&mut leaves.into_iter()), rebuilt);
}
