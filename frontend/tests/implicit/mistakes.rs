//! What does not converge, and what is not an equation.

use evolute_frontend::{
    Array, Error, F32, Function, Iteration, Newton, Scalar, Scalar32, Solver, TraceError, fixed_point,
    linear_solve, root, scalar, vector,
};

/// Whether an error of a call names this line.
#[track_caller]
fn fails_at<T: std::fmt::Debug>(result: Result<T, Error>, line: u32) {
    let error = match result {
        Err(error @ Error::Call(_)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let place = format!("{}:{line}", file!());
    assert!(error.contains("limit of iterations") && error.contains(&place), "{error}\nis not at {place}");
}

#[test]
fn no_zero() -> Result<(), Error> {
    let f = Function::trace(scalar(), |a| root(|x| x * x + a, Scalar::from(0.7)))?;
    let line = line!() - 1;
    assert!((f.eval(&-2.0)? - 2f64.sqrt()).abs() < 1e-15);
    fails_at(f.eval(&1.0), line);
    fails_at(f.compile()?.call(&1.0), line);
    Ok(())
}

#[test]
fn no_fixed_point() -> Result<(), Error> {
    let way = Iteration { max_iterations: 50, ..Iteration::default() };
    let f = Function::trace(scalar(), |a| way.fixed_point(|x| x + a, Scalar::from(0.0)))?;
    fails_at(f.eval(&1.0), line!() - 1);
    Ok(())
}

#[test]
fn no_solution() -> Result<(), Error> {
    let f =
        Function::trace(vector(2), |b| linear_solve(|x: Array<'_>| x.sum() + x * 0.0, *b, Solver::gmres()))?;
    let line = line!() - 1;
    match f.eval(&[1.0, 2.0]) {
        Ok(x) => assert!(x.iter().all(|x| x.is_nan()), "{x:?}"),
        error => fails_at(error, line),
    }
    Ok(())
}

#[test]
fn not_a_number() -> Result<(), Error> {
    let f = Function::trace(scalar(), |a| root(|x| x.exp() - a, Scalar::from(0.0)))?;
    assert!(f.eval(&f64::NAN)?.is_nan());
    let g = Function::trace(scalar(), |a| fixed_point(|x| x.cos() * a, Scalar::from(0.0)))?;
    assert!(g.compile()?.call(&f64::NAN)?.is_nan());
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

#[test]
fn single_precision() -> Result<(), Error> {
    let spec = evolute_frontend::scalar_of::<F32>();
    let way = Newton { tolerance: 1e-5, ..Newton::default() };
    let f = Function::trace(spec, |a| way.root(|x: Scalar32<'_>| x * x - a, Scalar32::from(1.0f32)))?;
    assert!((f.eval(&2.0)? - 2f32.sqrt()).abs() < 1e-6);
    assert!((f.grad()?.eval(&2.0)? - 0.5 / 2f32.sqrt()).abs() < 1e-6);
    Ok(())
}
