//! What does not converge, and what is not an equation.

use crate::systems::is_refused;
use evolute_frontend::{
    Array, Error, F32, F64, Function, Iteration, Newton, Scalar, Scalar32, Single, Solver, Spec, TraceError,
    fixed_point, linear_solve, root, scalar, vector,
};
use evolute_ir::FailureKind::{self, NotConverged, Singular};
use evolute_ir::SourceLoc;
use evolute_runtime::CallError;
use std::panic::Location;

/// Whether an error of a call is of this kind and names this line of the test's file.
#[track_caller]
fn fails_at<T: std::fmt::Debug>(result: Result<T, Error>, kind: FailureKind, line: u32) {
    let failure = match result {
        Err(Error::Call(CallError::Failure(failure))) => failure,
        other => panic!("{other:?}"),
    };
    assert_eq!(failure.kind, kind);
    assert_eq!(failure.loc, Some(SourceLoc { file: Location::caller().file().into(), line }));
}

/// Whether a function of one number fails so at it, interpreted and native.
#[track_caller]
pub(crate) fn fails<R: Spec>(
    f: &Function<Single<F64>, R>,
    x: f64,
    kind: FailureKind,
    line: u32,
) -> Result<(), Error>
where
    R::Owned: std::fmt::Debug,
{
    fails_at(f.interpreted()?.call(&x), kind, line);
    fails_at(f.compile()?.call(&x), kind, line);
    Ok(())
}

#[test]
fn no_zero() -> Result<(), Error> {
    let f = Function::trace(scalar(), |a| root(|x| x * x + a, Scalar::from(0.7)))?;
    let line = line!() - 1;
    assert!((f.eval(&-2.0)? - 2f64.sqrt()).abs() < 1e-15);
    fails(&f, 1.0, NotConverged, line)?;
    // Where the first step leads the derivative is 0.
    let f = Function::trace(scalar(), |a| root(|x| x * x + a, Scalar::from(1.0)))?;
    fails(&f, 1.0, Singular, line!() - 1)?;
    let way = Newton { solver: Solver::gmres(), ..Newton::default() };
    let f = Function::trace(scalar(), |a| way.root(|x| x * x + a, Scalar::from(1.0)))?;
    fails(&f, 1.0, NotConverged, line!() - 1)
}

/// A zero that has no derivative.
#[test]
fn a_double_zero() -> Result<(), Error> {
    let f = Function::trace(scalar(), |a| root(|x| x.powi(3) - a, Scalar::from(0.0)))?;
    let line = line!() - 1;
    assert_eq!(f.eval(&0.0)?, 0.0);
    fails(&f.grad()?, 0.0, Singular, line)?;
    fails(&f.grad()?.grad()?, 0.0, Singular, line)
}

/// Iterations that leave the numbers: what they were given was one.
#[test]
fn no_number_on_the_way() -> Result<(), Error> {
    // Outside of the domain at the start, and after a step.
    let f = Function::trace(scalar(), |a| root(|x| x.ln() - a, Scalar::from(-1.0)))?;
    fails(&f, 1.0, NotConverged, line!() - 1)?;
    // A value, and a point, that overflows.
    let f = Function::trace(scalar(), |a| root(|x| (x * x).exp() + a, Scalar::from(30.0)))?;
    fails(&f, 1.0, NotConverged, line!() - 1)?;
    let f = Function::trace(scalar(), |a| root(|x| (-x).exp() + a * 1e-300, Scalar::from(0.0)))?;
    fails(&f, 0.0, NotConverged, line!() - 1)?;
    let f = Function::trace(scalar(), |a| fixed_point(|x| x * x + a, Scalar::from(2.0)))?;
    let line = line!() - 1;
    fails(&f, 1.0, NotConverged, line)?;
    fails(&f, f64::INFINITY, NotConverged, line)?;
    let f = Function::trace(scalar(), |a| fixed_point(|x: Scalar<'_>| x.sqrt() - a, Scalar::from(1.0)))?;
    fails(&f, 3.0, NotConverged, line!() - 1)?;
    // Several unknowns, of which one is not a number.
    let f =
        Function::trace(scalar(), |a| root(|x: Array<'_>| x.ln() - a, Array::constants(&[2], &[1.0, -1.0])))?;
    fails(&f, 1.0, NotConverged, line!() - 1)
}

/// Large numbers do not overflow in the norms.
#[test]
fn large_numbers() -> Result<(), Error> {
    let f = Function::trace(scalar(), |a| root(|x| x * 2.0 - a, Scalar::from(0.0)))?;
    assert_eq!(f.eval(&1e300)?, 5e299);
    let f = Function::trace(scalar(), |a| fixed_point(|x| (x + a) * 0.5, Scalar::from(0.0)))?;
    assert!((f.eval(&1e300)? - 1e300).abs() < 1e287);
    Ok(())
}

#[test]
fn no_fixed_point() -> Result<(), Error> {
    let way = Iteration { max_iterations: 50, ..Iteration::default() };
    let f = Function::trace(scalar(), |a| way.fixed_point(|x| x + a, Scalar::from(0.0)))?;
    fails(&f, 1.0, NotConverged, line!() - 1)
}

#[test]
fn no_solution() -> Result<(), Error> {
    for solver in [Solver::gmres(), Solver::default(), Solver::dense()] {
        let f = Function::trace(vector(2), |b| linear_solve(|x: Array<'_>| x.sum() + x * 0.0, *b, solver))?;
        let line = line!() - 1;
        let b = [1.0, 2.0];
        for found in [f.interpreted()?.call(&b), f.compile()?.call(&b)] {
            fails_at(found, if solver == Solver::gmres() { NotConverged } else { Singular }, line);
        }
        assert_eq!(f.compile()?.call(&[0.0, 0.0])?, [0.0, 0.0]);
        assert!(f.compile()?.call(&[f64::NAN, 0.0])?[0].is_nan());
    }
    Ok(())
}

/// What is not a number and captured, or the start, makes the solution so; and its derivatives.
#[test]
fn not_a_number() -> Result<(), Error> {
    let nan = |f: &Function<Single<F64>, Single<F64>>| -> Result<(), Error> {
        for f in [f, &f.grad()?, &f.grad()?.grad()?] {
            assert!(f.interpreted()?.call(&f64::NAN)?.is_nan());
            assert!(f.compile()?.call(&f64::NAN)?.is_nan());
        }
        Ok(())
    };
    nan(&Function::trace(scalar(), |a| root(|x| x.exp() - a, Scalar::from(0.0)))?)?;
    nan(&Function::trace(scalar(), |a| fixed_point(|x| x.cos() * a, Scalar::from(0.0)))?)?;
    nan(&Function::trace(scalar(), |a| {
        let x = root(|x: Array<'_>| x.exp() + x * x.sum() - a, Array::constants(&[2], &[0.0, 1.0]));
        x.sum()
    })?)?;
    let f = Function::trace(scalar(), |start| root(|x| x * x - 2.0, *start))?;
    assert!(f.eval(&f64::NAN)?.is_nan());
    assert!((f.eval(&1.0)? - 2f64.sqrt()).abs() < 1e-15);
    Ok(())
}

#[test]
#[rustfmt::skip]
fn not_an_equation() {
    let shapes = Function::trace(vector(3), |a| root(|x: Array<'_>| x.slice(0, 0..2), *a));
    let Err(Error::Trace(error @ TraceError::Shape { .. })) = shapes else { panic!("{shapes:?}") };
    assert!(error.to_string().contains("`root` expects (f64[3]), found (f64[2])"), "{error}");
    let kinds = Function::trace(scalar(), |a| {
        let (x, _) = Newton::default().root(|(x, y): (Scalar<'_>, Scalar32<'_>)| (x - a, y), (*a, Scalar32::from(1.0f32)));
        x
    });
    let Err(Error::Trace(error)) = kinds else { panic!("{kinds:?}") };
    assert!(error.to_string().contains("`root` expects reals of one element kind"), "{error}");
}

/// A tolerance by which nothing, or everything, would be a solution.
#[test]
#[rustfmt::skip]
fn no_tolerance() {
    for (tolerance, shown) in [(f64::NAN, "NaN"), (-1.0, "-1"), (f64::INFINITY, "inf")] {
        let way = Newton { tolerance, ..Newton::default() };
        let f = Function::trace(scalar(), |a| way.root(|x| x * x - a, Scalar::from(1.0)));
        is_refused(f, line!() - 1, &format!("`root` expects a tolerance that is finite and not negative, found {shown}"));
        let way = Iteration { tolerance, ..Iteration::default() };
        let f = Function::trace(scalar(), |a| way.fixed_point(|x| x.cos() * a, Scalar::from(1.0)));
        is_refused(f, line!() - 1, "`fixed_point` expects a tolerance");
    }
    let exact = Iteration { tolerance: 0.0, ..Iteration::default() };
    let f = Function::trace(scalar(), |a| exact.fixed_point(|x| x * 0.0 + a, Scalar::from(1.0))).expect("it is one");
    assert_eq!(f.eval(&2.0).expect("it converges"), 2.0);
}

#[test]
fn single_precision() -> Result<(), Error> {
    let spec = evolute_frontend::scalar_of::<F32>();
    let way = Newton { tolerance: 1e-5, ..Newton::default() };
    let f = Function::trace(spec, |a| way.root(|x: Scalar32<'_>| x * x - a, Scalar32::from(1.0f32)))?;
    assert!((f.eval(&2.0)? - 2f32.sqrt()).abs() < 1e-6);
    assert!((f.grad()?.eval(&2.0)? - 0.5 / 2f32.sqrt()).abs() < 1e-6);
    Ok(())
}
