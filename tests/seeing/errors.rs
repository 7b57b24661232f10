//! Functions that cannot be: the error and its line.

use evolute::ir::{Closure, Elem, IrError, Operand, Program, Type};
use evolute::prelude::*;
use evolute::transforms::derive::DeriveError;
use evolute::{CompileError, Error, TraceError, Tracing};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

#[test]
fn a_gradient_needs_one_real_scalar() {
    let f = Function::vector(2, |x| vec![x[0], x[1]]).unwrap();
    let line = line!() + 1;
    let error = f.grad().unwrap_err();
    let Error::Derive { at, .. } = &error else { panic!("{error}") };
    assert_eq!((&*at.file, at.line), (file!(), line));
    assert!(error.to_string().contains("one real scalar result, found (f64[2])"), "{error}");

    let integer = Function::scalar((scalar(), scalar_of::<I64>()), |(x, n)| *x * n.to_f64()).unwrap();
    assert!(matches!(integer.grad(), Err(Error::Derive { .. })), "an i64 has no derivative");
    assert!(integer.wrt::<1>().grad().is_err() && integer.wrt::<0>().grad().is_ok());
}

#[test]
fn a_value_that_leaves_its_derivative_is_an_error_with_both_lines() {
    let (mut made, mut used) = (0, 0);
    let error = Function::scalar(1, |x| {
        let kept = std::cell::Cell::new(None);
        let inner = |y| {
            made = line!() + 1;
            kept.set(Some(y * y));
            y * x[0]
        };
        let g = grad(inner, x[0]);
        used = line!() + 1;
        g + kept.get().unwrap()
    });
    let Err(Error::Trace(TraceError::At { source: IrError::Escaped { defined, .. }, at })) = &error else {
        panic!("{error:?}")
    };
    assert_eq!((at.line, defined.as_ref().map(|loc| loc.line)), (used, Some(made)));
}

/// What an escaped value is said to have escaped from.
fn check_escaped<S, R>(traced: Result<Function<S, R>, Error>, expected: Closure) {
    let Err(Error::Trace(TraceError::At { source: IrError::Escaped { closure, defined, .. }, .. })) = &traced
    else {
        panic!("{traced:?}")
    };
    assert_eq!((*closure, defined.is_some()), (expected, true));
    assert!(traced.unwrap_err().to_string().contains(&format!("belongs to {expected} whose closure")));
}

#[test]
fn an_escaped_value_says_what_closure_it_belongs_to() {
    fn escape(
        f: impl for<'t> Fn(Scalar<'t>, &Cell<Scalar<'t>>) -> Scalar<'t>,
    ) -> Result<Function<Single<F64>, Single<F64>>, Error> {
        Function::trace(scalar(), |x| f(*x, &Cell::new(*x)))
    }
    let derivative = escape(|x, kept| {
        grad(
            |y| {
                kept.set(y.sin());
                y
            },
            x,
        ) + kept.get()
    });
    check_escaped(derivative, Closure::Derivative);
    let looped = escape(|x, kept| {
        sum(3, |i| {
            kept.set(x * i.to_f64());
            x
        }) + kept.get()
    });
    check_escaped(looped, Closure::Loop);
    let branch = escape(|x, kept| {
        let yes = || {
            kept.set(x.sin());
            x
        };
        cond(x.gt(0.0), yes, || -x) + kept.get()
    });
    check_escaped(branch, Closure::Branch);
    let sibling = escape(|x, kept| {
        let yes = || {
            kept.set(x.sin());
            x
        };
        cond(x.gt(0.0), yes, || kept.get())
    });
    check_escaped(sibling, Closure::Sibling);
}

/// The error of an inner operator with a seed that does not fit.
fn check_seed<R>(traced: Result<Function<ArraySpec<F64>, R>, Error>, line: u32, expected: IrError) {
    let Err(Error::Trace(TraceError::At { source, at })) = &traced else { panic!("{traced:?}") };
    assert_eq!((source, &*at.file, at.line), (&expected, file!(), line));
}

#[test]
fn a_seed_that_does_not_fit_is_named() {
    let [two, three] = [2, 3].map(|n| Type::array(Elem::F64, &[n]).unwrap());
    let seed = |op: &str, number, expected: &Type, found: &Type| IrError::Operand {
        op: op.into(),
        operand: Operand::Seed(number),
        expected: expected.clone(),
        found: found.clone(),
    };
    let line = line!() + 2;
    let forward =
        Function::trace(vector(3), |x| jvp(|(x, y)| x * y, (*x, x * 2.0), (*x, x.slice(0, 0..2))).1);
    check_seed(forward, line, seed("jvp", 1, &three, &two));
    let line = line!() + 1;
    let reverse = Function::trace(vector(3), |x| vjp(|x| x.slice(0, 0..2), *x, *x).1);
    check_seed(reverse, line, seed("vjp", 0, &two, &three));
    let message = seed("vjp", 0, &two, &three).to_string();
    assert_eq!(message, "`vjp` expects seed 0 to be f64[2], found f64[3]");

    let line = line!() + 1;
    let few = Function::trace(vector(3), |x| jvp(|x: Vec<Array>| x[0], vec![*x, *x], vec![*x]).1);
    let (expected, found) = ("2 seeds".into(), "1".into());
    check_seed(few, line, IrError::Type { op: "jvp".into(), expected, found });
}

#[test]
fn a_wrong_length_inside_a_trace_is_an_error() {
    let f = Function::scalar(2, |x| x[0] * x[1]).unwrap();
    let line = line!() + 1;
    let error = Function::scalar(3, |x| f.call(&x[..]));
    let Err(Error::Trace(TraceError::Length { at, .. })) = &error else { panic!("{error:?}") };
    assert_eq!((&*at.file, at.line), (file!(), line));
}

#[test]
fn a_panic_passes_through_and_leaves_no_trace() {
    let panicking = || {
        Function::scalar(1, |x| grad(|y| if y.as_constant().is_none() { panic!("mine") } else { y }, x[0]))
    };
    let payload = catch_unwind(AssertUnwindSafe(panicking)).unwrap_err();
    assert_eq!(payload.downcast_ref::<&str>(), Some(&"mine"));
    let f = Function::scalar(1, |x| x[0] * grad(|y| y * y, x[0])).unwrap();
    assert_eq!(f.compile().unwrap().call(&[3.0]).unwrap(), 18.0);
}

#[test]
fn a_panic_swallowed_inside_a_trace_is_an_error() {
    let error = Function::scalar(1, |x| {
        let swallowed =
            catch_unwind(AssertUnwindSafe(|| grad(|_: Scalar| -> Scalar { panic!("mine") }, x[0])));
        swallowed.unwrap_or(x[0])
    });
    assert!(matches!(error, Err(Error::Trace(TraceError::Panicked { .. }))), "{error:?}");
}

/// Tracing gives `TooLarge` with this limit at this line.
fn check_too_large<S, R>(traced: Result<Function<S, R>, Error>, limit: usize, line: u32) {
    let Err(Error::Trace(TraceError::At { source, at })) = &traced else { panic!("{traced:?}") };
    assert_eq!(source, &IrError::TooLarge { what: "the traced function", limit });
    assert_eq!((&*at.file, at.line), (file!(), line));
}

#[test]
fn a_program_past_the_limit_is_an_error_at_the_line_that_passes_it() {
    let small = Tracing::default().limit(100);
    const LINE: u32 = line!() + 4;
    fn long<'t>(x: &[Scalar<'t>]) -> Scalar<'t> {
        let mut y = x[0];
        for _ in 0..1000 {
            y = y.sin();
        }
        y
    }
    check_too_large(small.scalar(1, |x| long(x)), 100, LINE);
    check_too_large(small.scalar_of(1, |x| long(x)), 100, LINE);
    check_too_large(small.vector(1, |x| vec![long(x)]), 100, LINE);
    check_too_large(Tracing::default().limit(1000).scalar(1, |x| long(x)), 1000, LINE);
    assert!(Tracing::default().limit(1001).scalar(1, |x| long(x)).is_ok());

    let line = line!() + 1;
    check_too_large(small.vector(0, |_| (0..101).map(|i| Scalar::from(f64::from(i))).collect()), 100, line);
    assert!(small.vector(0, |_| (0..99).map(|i| Scalar::from(f64::from(i))).collect()).is_ok());
}

/// Work in proportion to these would take minutes and fill the memory.
#[test]
fn shapes_past_the_limit_are_refused_at_once() {
    let start = Instant::now();
    let (limit, n) = (Program::MAX_INSTRUCTIONS, 60_000_000);
    check_too_large(Function::scalar(n, |x| x[0]), limit, line!());
    check_too_large(Function::scalar_of(scalars_of::<F32>(n), |x| x[0]), limit, line!());
    check_too_large(Function::vector(n, |x| x.to_vec()), limit, line!());
    let half = || scalars(n / 3);
    check_too_large(Function::scalar((half(), half()), |(x, _)| x[0]), limit, line!());
    check_too_large(Function::scalar(((scalar(), half()), half()), |((x, _), _)| *x), limit, line!());
    let too_long = Function::scalar(usize::MAX, |x| x[0]);
    assert!(matches!(too_long, Err(Error::Trace(TraceError::Extent { .. }))), "{too_long:?}");

    let f = Function::scalar(20_000, |x| x.iter().sum()).unwrap();
    let line = line!() + 1;
    let error = f.hessian().unwrap_err();
    let Error::Derive { source: DeriveError::Ir(source), at } = &error else { panic!("{error}") };
    assert_eq!(
        (source, &*at.file, at.line),
        (&IrError::TooLarge { what: "the Hessian", limit }, file!(), line)
    );
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

/// A dense Hessian of so many variables has few entries, but its program has a copy of the gradient for each column.
#[test]
fn a_hessian_whose_program_is_too_large_is_refused_at_once() {
    let n = 5000;
    let f = Function::scalar(n, |x| x.windows(2).map(|w| (w[1] - w[0] * w[0]).powi(2)).sum()).unwrap();
    let start = Instant::now();
    let error = f.hessian().unwrap_err();
    let Error::Derive { source: DeriveError::Ir(source), .. } = &error else { panic!("{error}") };
    assert_eq!(source, &IrError::TooLarge { what: "the Hessian", limit: Program::MAX_INSTRUCTIONS });
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

/// The limit of a function holds for what is made of it: when the operator is applied, or when it is removed.
#[test]
fn derivatives_keep_the_limit_of_their_function() {
    let f = |limit: usize| {
        let small = Tracing::default().limit(limit);
        small.scalar(1, |x| (0..30).fold(x[0], |y, _| (y * x[0]).sin())).unwrap()
    };
    let large = f(1000);
    assert_eq!(large.grad().unwrap().program().limit(), 1000);
    assert!(large.hvp().unwrap().compile().is_ok());

    let hvp = f(100).hvp().unwrap();
    for error in [hvp.compile().err().unwrap(), hvp.interpreted().err().unwrap()] {
        let Error::Compile(CompileError::Ir(source)) = &error else { panic!("{error}") };
        assert_eq!(source, &IrError::TooLarge { what: "the derivative", limit: 100 });
    }
    let error = f(65).jacobian().and_then(|j| j.jacobian()).and_then(|j| j.compile()).err().unwrap();
    assert!(error.to_string().contains("exceeds the limit of 65 instructions"), "{error}");
}

#[test]
fn a_value_of_an_enclosing_trace_is_an_error_of_the_inner_one() {
    let outer = Function::scalar(2, |x| {
        let inner = Function::scalar(1, |y| {
            let kept = grad(|z| z * z * x[1], x[0]);
            y[0] * if kept.as_constant().is_some() { 2.0 } else { 3.0 }
        });
        assert!(matches!(inner, Err(evolute::Error::Trace(_))), "{inner:?}");
        x[0] + x[1]
    });
    assert!(outer.is_ok());
}
