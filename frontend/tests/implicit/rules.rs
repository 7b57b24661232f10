//! Functions with a rule of their own.

use crate::check;
use evolute_frontend::{
    Array, Error, Function, I64, RuleCheck, RuleError, Scalar, map, scalar, scalar_of, scan, vector,
};

fn rule_error<T: std::fmt::Debug>(result: Result<T, Error>) -> RuleError {
    match result {
        Err(Error::Rule { source, .. }) => *source,
        other => panic!("{other:?}"),
    }
}

#[test]
fn serves_every_mode_and_order() -> Result<(), Error> {
    let swish = Function::trace(scalar(), |x| x * x.sigmoid())?.with_rule(|x, y, u| {
        let s = x.sigmoid();
        (s + y * (1.0 - s)) * u
    })?;
    let f = Function::trace(vector(3), |x| {
        let mapped = map(3, |i| swish.call(x.at(i)));
        mapped.inner(x) + scan(3, x.at(0), |c, i| swish.call(c * x.at(i)) + c)
    })?;
    check(&f, &[0.4, -0.7, 1.2])
}

#[test]
fn of_arrays_and_several_results() -> Result<(), Error> {
    let inputs = (vector(3), scalar());
    let polar = Function::trace_to(inputs, (scalar(), vector(3)), |(v, k)| (v.norm2() * k, v.sin()))?
        .with_rule(|(v, k), (length, _), (dv, dk)| {
            (length / k * dk + v.inner(dv) * k * k / length, v.cos() * dv)
        })?;
    let f = Function::trace(vector(3), |x| {
        let (length, sines) = polar.call((*x, x.at(1)));
        length * sines.sum()
    })?;
    check(&f, &[0.4, 0.7, 1.2])
}

/// The rule is used, not the function's steps, and the steps are what is computed.
#[test]
fn is_what_is_differentiated() -> Result<(), Error> {
    let f = Function::trace(scalar(), |x| x.floor())?
        .with_rule_checked(&RuleCheck::Skip, |x, _, u| 2.0 * x * u)?;
    assert_eq!(f.eval(&3.7)?, 3.0);
    assert_eq!(f.compile()?.call(&3.7)?, 3.0);
    assert_eq!(f.grad()?.compile()?.call(&3.7)?, 7.4);
    assert_eq!(f.hvp()?.compile()?.call((&3.7, &1.0))?, 2.0);
    let stages = f.value_and_grad()?.stages()?;
    assert!(stages.iter().any(|stage| stage.pass == "expand"));
    assert!(!stages.last().expect("a stage").program.to_string().contains("custom"));
    Ok(())
}

#[test]
fn of_an_integer_too() -> Result<(), Error> {
    let power = Function::trace((scalar(), scalar_of::<I64>()), |(x, n)| {
        scan(n.at_most(9), Scalar::from(1.0), |y, _| y * x)
    })?
    .with_rule(|(x, n), y, (u, _)| n.to_f64() * (y / x) * u)?;
    let slope = power.wrt::<0>().grad()?;
    assert!((slope.eval((&2.0, &5))? - 80.0).abs() < 1e-12);
    assert!((slope.grad()?.compile()?.call((&2.0, &5))? - 160.0).abs() < 1e-12);
    Ok(())
}

#[test]
fn wrong_rules() -> Result<(), Error> {
    let sin = Function::trace(scalar(), |x| x.sin())?;
    let wrong = rule_error(sin.with_rule(|x, _, u| -x.cos() * u));
    assert!(matches!(wrong, RuleError::Differences { argument: 0, result: 0, element: 0, .. }), "{wrong}");
    let affine = rule_error(sin.with_rule(|x, _, u| x.cos() * u + 1.0));
    assert!(matches!(affine, RuleError::Nonlinear { .. }), "{affine}");
    let square = rule_error(sin.with_rule(|x, _, u| x.cos() * u * u));
    assert!(matches!(square, RuleError::Nonlinear { .. }), "{square}");
    let magnitude = rule_error(sin.with_rule(|x, _, u| x.cos() * u.abs()));
    assert!(matches!(magnitude, RuleError::Nonlinear { .. }), "{magnitude}");
    // Right in one argument and one element only.
    let f = Function::trace((vector(2), vector(2)), |(a, b)| a * b)?;
    let wrong = rule_error(f.with_rule(|(a, b), _, (da, db)| da * b + a.at(1) * db));
    assert!(matches!(wrong, RuleError::Differences { argument: 1, result: 0, element: 0, .. }), "{wrong}");
    Ok(())
}

#[test]
fn errors_have_the_line() -> Result<(), Error> {
    let sin = Function::trace(scalar(), |x| x.sin())?;
    let error = sin.with_rule(|x, _, u| x * u).expect_err("it is wrong").to_string();
    assert!(error.contains(&format!("{}:{}", file!(), line!() - 1)), "{error}");
    assert!(error.contains("argument 0") && error.contains("differences give"), "{error}");
    let f = Function::trace(vector(2), |x| x * 2.0)?;
    let error = f.with_rule(|_, y, _| y.slice(0, 0..1)).expect_err("it is too short");
    assert!(matches!(error, Error::Trace(_)), "{error}");
    Ok(())
}

#[test]
fn where_it_is_checked() -> Result<(), Error> {
    // Wrong beyond 2 only.
    let f = Function::trace(scalar(), |x| x * x)?;
    assert!(f.with_rule(|x, _, u| (2.0 * x).min(Scalar::from(4.0)) * u).is_ok());
    let at = |points: &[f64]| RuleCheck::At(points.iter().map(|&x| vec![x]).collect());
    assert!(f.with_rule_checked(&at(&[0.5, 1.5]), |x, _, u| (2.0 * x).min(Scalar::from(4.0)) * u).is_ok());
    let wrong = f.with_rule_checked(&at(&[0.5, 3.0]), |x, _, u| (2.0 * x).min(Scalar::from(4.0)) * u);
    assert!(matches!(rule_error(wrong), RuleError::Differences { .. }));
    let misfit = f.with_rule_checked(&RuleCheck::At(vec![vec![1.0, 2.0]]), |x, _, u| 2.0 * x * u);
    assert_eq!(rule_error(misfit), RuleError::Point { expected: 1, found: 2 });
    let nowhere = Function::trace(scalar(), |x| (x - 10.0).sqrt())?.with_rule(|_, y, u| 0.5 / y * u);
    assert_eq!(rule_error(nowhere), RuleError::NoPoint);
    Ok(())
}

#[test]
fn reads_back() -> Result<(), Error> {
    let f = Function::trace(vector(2), |x| (x * x).sum())?
        .with_rule(|x: &Array<'_>, _, u| (x * u).sum() * 2.0)?;
    let again = Function::parse(&f.to_string(), vector(2), scalar())?;
    assert_eq!(again.to_string(), f.to_string());
    assert_eq!(again.grad()?.eval(&[1.0, 2.0])?, [2.0, 4.0]);
    Ok(())
}
