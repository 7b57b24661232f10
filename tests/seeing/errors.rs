//! Functions that cannot be: the error and its line.

use evolute::ir::{Builder, Elem, IrError, Op, Prim, Type};
use evolute::prelude::*;
use evolute::{Error, TraceError};
use std::panic::{AssertUnwindSafe, catch_unwind};

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

#[test]
fn too_large_a_program_is_an_error() {
    let mut builder = Builder::new();
    builder.set_limit(100);
    let mut x = builder.param(&Type::scalar(Elem::F64));
    let error = loop {
        match builder.insert(Op::Prim(Prim::Sin), &[x]) {
            Ok(y) => x = y,
            Err(error) => break error,
        }
    };
    assert_eq!(error, IrError::TooLarge { limit: 100 });
    let too_long = Function::scalar(usize::MAX, |x| x[0]);
    assert!(matches!(too_long, Err(Error::Trace(TraceError::Extent { .. }))), "{too_long:?}");
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
