//! That what is traced has derivatives: the rules are tested where they are written.

use evolute_frontend::{
    Array, Error, F64, Function, I64, IntoArray, Scalar, Spec, cond, grad, hvp, jvp, map, matrix, scalar,
    scalar_of, scan, sum, vector, vjp, vmap,
};

/// Forward, reverse and second derivatives against differences.
#[track_caller]
fn check<S: Spec, R: Spec>(f: &Function<S, R>, x: S::Host<'_>) -> Result<(), Error> {
    let check = f.check_derivatives(x)?;
    assert!(check.passed(), "{check}");
    Ok(())
}

#[test]
fn of_arrays() -> Result<(), Error> {
    let x = [0.3, -0.7, 1.2, 0.4, 2.0, -1.5];
    check(&Function::trace(matrix(2, 3), |a| a.sin().dot(a.transpose()).trace().item())?, &x)?;
    check(&Function::trace(matrix(2, 3), |a| (a.softmax(1) * a).sum() + a.logsumexp() + a.norm2())?, &x)?;
    check(&Function::trace(matrix(2, 3), |a| a.cumsum(1).prod() + a.maximum_along(0).sum() + a.mean())?, &x)?;
    check(&Function::trace(matrix(2, 3), |a| a.pad(0, 1, 1).slice(0, 0..3).reversed(1).outer(a).sum())?, &x)?;
    check(&Function::trace(matrix(2, 3), |a| (a.gather([1, 1, 0]) * a.row(0)).sum())?, &x)?;
    check(&Function::trace(matrix(2, 3), |a| a.var() + (a.var_along(1) * a.mean_along(1)).sum())?, &x)?;
    check(&Function::trace(matrix(2, 3), |a| a.std() * a.std_along(0).prod())?, &x)?;
    check(&Function::trace(matrix(2, 3), |a| (a / a.norm2_along(1).expand_dims(1)).row(0).prod())?, &x)?;
    check(&Function::trace(matrix(2, 3), |a| (a.dot(a.transpose()) + Array::eye(2)).det().sqrt())?, &x)?;
    check(&Function::trace(matrix(2, 3), |a| (a.expand_dims(1).squeeze(1) * a).sum_along(0).prod())?, &x)?;
    let grid = Function::trace(vector(2), |x| {
        (Array::linspace(x.at(0), x.at(1).exp(), 4) * Array::ones(&[4])).sin().prod()
            + Array::<F64>::zeros(&[2]).sum()
    })?;
    check(&grid, &x[..2])
}

/// Where all are equal, the mean of squares is least and the norm has a kink, at which its gradient is 0 by convention.
#[test]
fn of_equal_elements() -> Result<(), Error> {
    let f = Function::trace(vector(3), |x| x.std() + x.var())?;
    assert_eq!(f.value_and_grad()?.eval(&[2.0; 3])?, (0.0, vec![0.0; 3]));
    let f = Function::trace(vector(3), |x| x.std())?;
    assert_eq!(f.eval(&[1e200, -1e200, 0.0])?, 1e200 * (2.0f64 / 3.0).sqrt());
    Ok(())
}

#[test]
fn of_loops_and_conditionals() -> Result<(), Error> {
    let x = [0.3, -0.7, 1.2, 0.4];
    check(&Function::trace(vector(4), |x| sum(3, |i| (x.at(i + 1) - x.at(i)).powi(2) * x.at(i)))?, &x)?;
    check(&Function::trace(vector(4), |x| sum(4, |i| sum(i, |j| (x.at(i) * x.at(j)).sin())))?, &x)?;
    check(&Function::trace(vector(4), |x| scan(3, *x, |y, i| (y * x).sin() + y * i.to_f64()).sum())?, &x)?;
    check(&Function::trace(vector(4), |x| map(3, |i| x.at(i) * x).prod_along(0).sum())?, &x)?;
    check(
        &Function::trace(vector(4), |x| {
            sum(4, |i| cond((i % 2).eq(0), || x.at(i).exp() * x.at(0), || x.at(i).powi(3)))
        })?,
        &x,
    )
}

#[test]
fn inside_of_loops() -> Result<(), Error> {
    // Σ d/dy (y·x)² at y = xᵢ, that is Σ 2·xᵢ·|x|².
    let f = Function::trace(vector(3), |x| sum(3, |i| grad(|y| (x * y).powi(2).sum(), x.at(i))))?;
    assert_eq!(f.eval(&[1.0, 2.0, 3.0])?, 2.0 * 6.0 * 14.0);
    let f = Function::trace(matrix(2, 2), |a| vmap(|x| grad(|x| x.prod(), x), *a))?;
    assert_eq!(f.eval(&[2.0, 3.0, 4.0, 5.0])?, [3.0, 2.0, 5.0, 4.0]);
    Ok(())
}

#[test]
fn of_closures_of_arrays() -> Result<(), Error> {
    let f = Function::trace((vector(3), vector(3)), |(x, v)| {
        let (_, slope) = jvp(|x| x.powi(3).sum(), *x, *v);
        let (_, back) = vjp(|x| x * x, *x, *v);
        hvp(|x| x.powi(3).sum(), *x, *v) + slope + back
    })?;
    let (x, v) = ([1.0, 2.0, 3.0], [1.0, 0.0, -1.0]);
    let slope = 3.0 - 27.0;
    let expected: Vec<f64> = x.iter().zip(v).map(|(x, v)| 6.0 * x * v + slope + 2.0 * x * v).collect();
    assert_eq!(f.eval((&x, &v))?, expected);
    Ok(())
}

#[test]
fn with_respect_to_one_of_six_arguments() -> Result<(), Error> {
    let inputs = (vector(2), scalar(), scalar(), scalar(), scalar(), vector(2));
    let f = Function::trace(inputs, |(x, a, b, c, d, y)| x.inner(y) * a * b * c * d + y.sum())?;
    let at = (&[1.0, 2.0][..], &2.0, &3.0, &5.0, &7.0, &[10.0, 20.0][..]);
    assert_eq!(f.wrt::<0>().grad()?.eval(at)?, [2100.0, 4200.0]);
    assert_eq!(f.wrt::<4>().grad()?.eval(at)?, 50.0 * 30.0);
    assert_eq!(f.wrt::<5>().grad()?.eval(at)?, [211.0, 421.0]);
    Ok(())
}

#[test]
fn of_loops_inside_of_them() -> Result<(), Error> {
    let f = Function::trace((scalar(), scalar_of::<I64>()), |(x, n)| {
        grad(|x| scan(n.at_most(5), Scalar::from(1.0), |y, _| y * x), *x)
    })?;
    assert_eq!(f.eval((&3.0, &4))?, 4.0 * 27.0);
    Ok(())
}

#[test]
fn of_functions_of_arrays() -> Result<(), Error> {
    let f = Function::trace((vector(2), matrix(2, 2)), |(x, a)| x.inner(a.dot(x)))?;
    let (x, a) = ([1.0, 2.0], [2.0, 1.0, 1.0, 3.0]);
    assert_eq!(f.wrt::<0>().grad()?.eval((&x, &a))?, [8.0, 14.0]);
    assert_eq!(f.wrt::<0>().hvp()?.eval(((&x, &a), &[1.0, 0.0]))?, [4.0, 2.0]);
    assert_eq!(f.wrt::<0>().hessian()?.eval((&x, &a))?, [4.0, 2.0, 2.0, 6.0]);
    Ok(())
}

/// The cotangents of parts of an array, however they are arranged, become one array without sums of zeros.
#[test]
fn of_parts_of_one_array() -> Result<(), Error> {
    let x: Vec<f64> = (0..13).map(|i| (f64::from(i) * 0.7).sin()).collect();
    let network = Function::trace(vector(13), |p| {
        let (weights, biases) = (p.slice(0, 0..6).reshape(&[2, 3]), p.slice(0, 6..8));
        let hidden = (weights.dot([1.0, -0.5, 2.0]) + biases).tanh();
        hidden.inner(p.slice(0, 10..12)) * p.at(12)
    })?;
    check(&network, &x)?;
    let hvp = network.hvp()?.stages()?.pop().expect("a stage").program.to_string();
    assert!(hvp.contains("pack") && !hvp.contains("spread"), "{hvp}");
    // Those that overlap are added.
    check(&Function::trace(vector(13), |x| x.slice(0, 0..12).inner(x.slice(0, 1..13)) * x.at(12))?, &x)
}

/// What a condition did not choose sends no NaN back, through whatever moves elements.
#[test]
fn of_arrays_that_a_scalar_chooses() -> Result<(), Error> {
    let f = Function::trace(vector(3), |x| {
        let root = x.inner(x).sqrt();
        let unit = (x / root).slice(0, 0..2).reversed(0);
        let chosen = root.gt(0.0).into_array().select(unit, x.slice(0, 1..3));
        chosen.dot([2.0, 3.0]).item() + chosen.at(1) * chosen.sum()
    })?;
    check(&f, &[0.3, -0.4, 1.2])?;
    assert_eq!(f.grad()?.eval(&[0.0; 3])?, [0.0, 2.0, 3.0]);
    assert_eq!(f.hvp()?.eval((&[0.0; 3], &[1.0; 3]))?, [0.0, 1.0, 3.0]);
    Ok(())
}
