//! Calls: those at the border of what fits, and those that do not.

use evolute::ir::FailureKind;
use evolute::prelude::*;
use evolute::{CallError, Error, Int, Spec};
use std::fmt::Debug;

/// The same for the compiled and the interpreted function.
fn check_call<S: Spec, R: Spec, A>(
    f: &Function<S, R, A>,
    call: impl Fn(&Compiled<S, R>) -> Result<R::Owned, Error>,
    check: impl Fn(Result<R::Owned, Error>),
) {
    check(call(&f.compile().unwrap()));
    check(call(&f.interpreted().unwrap()));
    check(call(&f.compile_with(&Options::default().strict()).unwrap()));
}

#[test]
fn wrong_lengths_are_errors() {
    let f = Function::scalar((scalars(2), scalar()), |(x, s)| x[0] * x[1] * s).unwrap();
    check_call(
        &f,
        |f| f.call((&[1.0, 2.0, 3.0], &1.0)),
        |result| {
            let Err(Error::Call(error @ CallError::Buffer { index: 0, len: 3, .. })) = result else {
                panic!("{result:?}")
            };
            assert_eq!(error.to_string(), "input 0: expected f64[2], found 3 elements of f64");
        },
    );
    let gradient = f.wrt::<0>().grad().unwrap();
    check_call(
        &gradient,
        |f| f.call_into((&[1.0, 2.0], &1.0), &mut [0.0], &mut f.workspace()).map(|()| Vec::new()),
        |result| assert!(matches!(result, Err(Error::Call(CallError::Buffer { what: "output", .. })))),
    );
}

#[test]
fn no_inputs_and_no_outputs() {
    let f = Function::scalar(0, |x| x.iter().sum::<Scalar>() + x.norm2() + 1.0).unwrap();
    check_call(&f, |f| f.call(&[]), |result| assert_eq!(result.unwrap(), 1.0));
    check_call(&f.grad().unwrap(), |f| f.call(&[]), |result| assert!(result.unwrap().is_empty()));
    check_call(&f.hvp().unwrap(), |f| f.call((&[], &[])), |result| assert!(result.unwrap().is_empty()));
    check_call(&f.hessian().unwrap(), |f| f.call(&[]), |result| assert!(result.unwrap().is_empty()));
    let nothing = Function::vector(2, |_| Vec::<Scalar>::new()).unwrap();
    check_call(&nothing, |f| f.call(&[1.0, 2.0]), |result| assert!(result.unwrap().is_empty()));
    check_call(
        &nothing.jvp().unwrap(),
        |f| f.call((&[1.0, 2.0], &[1.0, 2.0])),
        |result| {
            assert_eq!(result.unwrap(), (vec![], vec![]));
        },
    );
}

fn total<T: Real>(x: &[T]) -> T {
    x.iter().sum()
}

/// Also of no terms, and of zeros of either sign.
#[test]
fn a_sum_has_the_bits_of_plain_numbers() {
    for x in [&[][..], &[-0.0], &[-0.0, -0.0], &[0.0, -0.0], &[0.1, 0.2, 0.3]] {
        let f = Function::scalar(x.len(), |x| total(x)).unwrap();
        let strict = f.compile_with(&Options::default().strict()).unwrap();
        assert_eq!(strict.call(x).unwrap().to_bits(), total(x).to_bits(), "{x:?}");
        let f = Function::scalar_of(scalars_of::<F32>(x.len()), |x| total(x)).unwrap();
        let strict = f.compile_with(&Options::default().strict()).unwrap();
        let x: Vec<f32> = x.iter().map(|&x| x as f32).collect();
        assert_eq!(strict.call(&x).unwrap().to_bits(), total(&x).to_bits(), "{x:?}");
    }
    let plain = std::iter::empty::<f64>().product::<f64>();
    assert_eq!(std::iter::empty::<Scalar>().product::<Scalar>().as_constant(), Some(plain));
}

#[test]
fn what_does_not_depend_on_an_input_has_derivative_zero() {
    let constant = Function::scalar(2, |_| Scalar::from(3.0)).unwrap();
    check_call(&constant.grad().unwrap(), |f| f.call(&[1.0, 2.0]), |g| assert_eq!(g.unwrap(), [0.0, 0.0]));
    let linear = Function::scalar(2, |x| x[1] * 2.0).unwrap();
    check_call(&linear.grad().unwrap(), |f| f.call(&[1.0, 2.0]), |g| assert_eq!(g.unwrap(), [0.0, 2.0]));
    check_call(
        &linear.hvp().unwrap(),
        |f| f.call((&[1.0, 2.0], &[1.0, 1.0])),
        |h| {
            assert_eq!(h.unwrap(), [0.0, 0.0]);
        },
    );
    check_call(&linear.hessian().unwrap(), |f| f.call(&[1.0, 2.0]), |h| assert_eq!(h.unwrap(), [0.0; 4]));
}

#[test]
fn derivatives_have_the_kind_of_the_function() {
    let x: [f32; 2] = [0.5, 2.0];
    let inputs = scalars_of::<F32>(2);
    let f = Function::scalar_of(inputs.clone(), |x| x[0] * x[0] * x[1]).unwrap();
    check_call(&f, |f| f.call(&x), |y| assert_eq!(y.unwrap(), 0.5f32));
    check_call(&f.grad().unwrap(), |f| f.call(&x), |g| assert_eq!(g.unwrap(), [2.0f32, 0.25]));
    check_call(&f.jacobian().unwrap(), |f| f.call(&x), |j| assert_eq!(j.unwrap(), [2.0f32, 0.25]));
    check_call(&f.hessian().unwrap(), |f| f.call(&x), |h| assert_eq!(h.unwrap(), [4.0f32, 1.0, 1.0, 0.0]));

    let swapped = Function::vector(inputs, |x| vec![x[1], x[0]]).unwrap();
    check_call(
        &swapped.jacobian().unwrap(),
        |f| f.call(&x),
        |j| assert_eq!(j.unwrap(), [0.0f32, 1.0, 1.0, 0.0]),
    );
    let data = Function::scalar_of((scalar_of::<F32>(), scalars(2)), |(w, t)| *w * *w * t[0].to_f32());
    check_call(
        &data.unwrap().wrt::<0>().hessian().unwrap(),
        |f| f.call((&0.5, &[3.0, 4.0])),
        |h| assert_eq!(h.unwrap(), [6.0f32]),
    );
}

#[test]
fn a_nan_goes_through() {
    let f = Function::scalar(2, |x| x[0].sin() + x[1].max(0.0)).unwrap();
    for x in [[f64::NAN, 1.0], [1.0, f64::NAN]] {
        check_call(&f, |f| f.call(&x), |y| assert!(y.unwrap().is_nan()));
    }
    check_call(
        &f.grad().unwrap(),
        |f| f.call(&[f64::NAN, 1.0]),
        |g| {
            let g = g.unwrap();
            assert!(g[0].is_nan() && g[1] == 1.0, "{g:?}");
        },
    );
}

/// An integer division at this line failed.
fn check_division<T: Debug>(result: Result<T, Error>, line: u32) {
    let Err(Error::Call(CallError::Failure(failure))) = result else { panic!("{result:?}") };
    assert_eq!(failure.kind, FailureKind::IntegerDivision);
    let loc = failure.loc.as_ref().expect("a line");
    assert_eq!((&*loc.file, loc.line), (file!(), line), "{failure}");
}

#[test]
fn an_integer_division_without_a_result_is_an_error_at_its_line() {
    let inputs = || (scalar(), scalar_of::<I64>(), scalar_of::<I64>());
    let line = line!() + 1;
    let quotient = Function::scalar(inputs(), |(x, m, n)| *x * (*m / *n).to_f64()).unwrap();
    let remainder = Function::scalar(inputs(), |(x, m, n)| *x * (*m % *n).to_f64()).unwrap();
    for (f, line, result) in [(quotient, line, 3.0), (remainder, line + 1, 1.5)] {
        let slope = f.wrt::<0>().grad().unwrap();
        check_call(&f, |f| f.call((&1.5, &11, &5)), |y| assert_eq!(y.unwrap(), result));
        check_call(&slope, |f| f.call((&1.5, &11, &5)), |y| assert_eq!(y.unwrap(), result / 1.5));
        for (m, n) in [(11, 0), (i64::MIN, -1)] {
            check_call(&f, |f| f.call((&1.5, &m, &n)), |y| check_division(y, line));
            check_call(&slope, |f| f.call((&1.5, &m, &n)), |y| check_division(y, line));
        }
    }
}

#[test]
fn a_select_does_not_guard_an_integer_division_but_one_of_the_divisor_does() {
    let line = line!() + 3;
    let guarded = Function::scalar(scalar_of::<I64>(), |n| {
        let zero = n.eq(0);
        let quotient = Int::from(10) / *n;
        zero.select(Int::from(0), quotient).to_f64()
    });
    check_call(&guarded.unwrap(), |f| f.call(&0), |y| check_division(y, line));
    let divisor = Function::scalar(scalar_of::<I64>(), |n| {
        let zero = n.eq(0);
        let quotient = Int::from(10) / zero.select(1, *n);
        zero.select(0, quotient).to_f64()
    });
    check_call(&divisor.unwrap(), |f| f.call(&0), |y| assert_eq!(y.unwrap(), 0.0));
}

#[test]
fn a_compiled_function_serves_many_threads() {
    let f = Function::scalar(3, |x| x[0].sin() * x[1] + x[2].exp()).unwrap().grad().unwrap();
    for compiled in [f.compile().unwrap(), f.interpreted().unwrap()] {
        let expected = compiled.call(&[1.0, 2.0, 3.0]).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let (mut g, mut workspace) = (vec![0.0; 3], compiled.workspace());
                    for _ in 0..100 {
                        compiled.call_into(&[1.0, 2.0, 3.0], &mut g, &mut workspace).unwrap();
                        assert_eq!(g, expected);
                    }
                });
            }
        });
    }
}
