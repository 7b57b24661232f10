//! Zeros, fixed points and linear systems, and their derivatives with respect to what closures capture.

use crate::{body, check};
use evolute_frontend::{
    Array, Error, Function, Iteration, Newton, Scalar, Solver, cond, fixed_point, grad, hvp, implicit,
    linear_solve, map, root, scalar, scan, sum, vector, vmap,
};

#[test]
fn a_zero_of_one_unknown() -> Result<(), Error> {
    // x³ + a x = b.
    let f = Function::trace(vector(2), |p| {
        let x = root(|x| x.powi(3) + p.at(0) * x - p.at(1), Scalar::from(0.0));
        x * x.sin() + p.at(0)
    })?;
    check(&f, &[0.7, 1.3])
}

#[test]
fn a_zero_of_several() -> Result<(), Error> {
    let f = Function::trace(vector(3), |p| {
        let [x, y] = root(
            |[x, y]| [x * x + y.exp() - p.at(0) - 2.0, x * y * p.at(1) + y - p.at(2)],
            [Scalar::from(1.0), Scalar::from(0.5)],
        );
        x * p.at(2) + y * y
    })?;
    check(&f, &[1.0, 0.5, 0.7])?;
    // An array and a scalar together; the start is captured too, and does not matter.
    let f = Function::trace(vector(3), |p| {
        let (x, s) = root(|(x, s)| (x + 0.1 * x.powi(3) * s - p, s * 3.0 - x.sum()), (*p, p.at(0)));
        (x * x).sum() + s
    })?;
    check(&f, &[0.3, -0.5, 0.8])
}

/// Newton's method alone would jump away.
#[test]
fn steps_are_damped() -> Result<(), Error> {
    let f = Function::trace(scalar(), |a| root(|x: Scalar<'_>| x.atan() - a, Scalar::from(20.0)))?;
    assert!((f.eval(&0.5)? - 0.5f64.tan()).abs() < 1e-12);
    Ok(())
}

#[test]
fn a_fixed_point() -> Result<(), Error> {
    let f = Function::trace(vector(2), |p| {
        let x = fixed_point(|x: Array<'_>| (x * p).cos() * 0.5 + x.sum() * 0.1, *p);
        (x * x).sum()
    })?;
    check(&f, &[0.4, 0.9])
}

#[test]
fn what_a_closure_finds() -> Result<(), Error> {
    // Gradient descent to the minimum of an energy that depends on p.
    let f = Function::trace(vector(2), |p| {
        let slope = body(|x: Array<'_>| x + x.powi(3) * p.at(0) - p);
        let x = implicit(|| scan(200, *p, |x, _| x - 0.3 * slope(x)), slope, Solver::conjugate_gradient());
        (x * p).sum()
    })?;
    check(&f, &[0.6, 0.3])
}

/// The inner function is an inner derivative: an optimum of it.
#[test]
fn an_inner_minimum() -> Result<(), Error> {
    let f = Function::trace(vector(2), |p| {
        let energy = body(|x: Array<'_>| (x * x).sum() + (x.at(0) * x.at(1) * p.at(0)).sin() - (x * p).sum());
        let x = root(|x| grad(energy, x), *p);
        energy(x) + x.at(0) * p.at(1)
    })?;
    check(&f, &[0.6, 0.3])
}

#[test]
fn a_linear_system() -> Result<(), Error> {
    let f = Function::trace(vector(4), |p| {
        let b = p.slice(0, 0..3);
        let x = linear_solve(
            |x: Array<'_>| x * 3.0 + x.reversed(0) * p.at(3) + x.sum() * p.sin().slice(0, 1..4),
            b,
            Solver::gmres(),
        );
        (x * x * b).sum()
    })?;
    check(&f, &[0.6, -0.3, 0.8, 0.4])?;
    let f = Function::trace(vector(3), |p| {
        let x = linear_solve(|x| x * 2.0 + p * (p * x).sum(), *p, Solver::conjugate_gradient());
        x.exp().sum()
    })?;
    check(&f, &[0.6, -0.3, 0.8])
}

/// Each way of solving gives the same, in every mode and order.
#[test]
fn by_each_method() -> Result<(), Error> {
    for solver in [Solver::default(), Solver::dense(), Solver::gmres(), Solver::conjugate_gradient()] {
        let f = Function::trace(vector(3), |p| {
            let x = linear_solve(|x| x * 2.0 + p * (p * x).sum(), p.cos(), solver);
            let way = Newton { solver, ..Newton::default() };
            let y = way.root(|y: Array<'_>| y + 0.1 * y.powi(3) + p * (p * y).sum() - x, x);
            y.exp().sum()
        })?;
        check(&f, &[0.6, -0.3, 0.8])?;
    }
    Ok(())
}

/// The Hilbert matrix has a condition of 1.5e7: elimination loses as many digits, iterations to a residual may lose more.
#[test]
fn an_ill_conditioned_system() -> Result<(), Error> {
    let f = Function::trace(vector(6), |b| {
        let product = body(|x: Array<'_>| map(6, |i| sum(6, |j| x.at(j) / (i + j + 1).to_f64())));
        linear_solve(product, *b, Solver::default())
    })?;
    // The first column of the inverse.
    let exact = [36.0, -630.0, 3360.0, -7560.0, 7560.0, -2772.0];
    let b = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    let (x, y) = (f.interpreted()?.call(&b)?, f.compile()?.call(&b)?);
    assert_eq!(x, y);
    for (x, exact) in x.iter().zip(exact) {
        assert!((x - exact).abs() < 1e-8 * exact.abs(), "{x} instead of {exact}");
    }
    Ok(())
}

/// A matrix of a partial differential operator, which is never formed.
#[test]
fn a_large_system() -> Result<(), Error> {
    let n = 400;
    let heat = Function::trace((scalar(), vector(n)), |(k, b)| {
        let operator = body(|u: Array<'_>| {
            let padded = u.pad(0, 1, 1);
            u + (u * 2.0 - padded.slice(0, 0..n) - padded.slice(0, 2..n + 2)) * k
        });
        let u = linear_solve(operator, *b, Solver::conjugate_gradient());
        (u * u).sum()
    })?;
    let b: Vec<f64> = (0..n).map(|i| (0.1 * i as f64).sin()).collect();
    let compiled = heat.wrt::<0>().value_grad_hvp()?.compile()?;
    let (value, slope, curvature) = compiled.call(((&3.0, &b), &1.0))?;
    let h = 1e-4;
    let [low, high] = [3.0 - h, 3.0 + h].map(|k| heat.eval((&k, &b)).expect("it converges"));
    assert!(((high - low) / (2.0 * h) - slope).abs() < 1e-6 * slope.abs());
    assert!(((high - 2.0 * value + low) / (h * h) - curvature).abs() < 1e-3 * curvature.abs());
    Ok(())
}

#[test]
fn inside_loops_and_conditionals() -> Result<(), Error> {
    let f = Function::trace(vector(3), |p| {
        let solutions = map(3, |i| root(|x| x.exp() + x - p.at(i) * p.at(0), Scalar::from(0.0)));
        solutions.inner(p)
    })?;
    check(&f, &[0.9, 1.4, 0.8])?;
    let f = Function::trace(vector(2), |p| {
        scan(3, p.at(0), |c, _| root(|x| x + 0.5 * x.powi(3) * p.at(1) - c, c) + p.at(1))
    })?;
    check(&f, &[0.9, 0.4])?;
    let f = Function::trace(vector(2), |p| {
        sum(2, |i| {
            let x = p.at(i);
            let steep = || linear_solve(|y: Scalar<'_>| y * (2.0 + x), p.at(0), Solver::gmres());
            cond(x.gt(0.5), steep, || fixed_point(|y: Scalar<'_>| y.sin() * 0.5 + x, x))
        })
    })?;
    check(&f, &[0.9, 0.4])?;
    let f = Function::trace(vector(4), |p| {
        let rows = p.reshape(&[2, 2]);
        let x = vmap(|row: Array<'_>| linear_solve(|x| x * 3.0 + row * x.sum(), row, Solver::gmres()), rows);
        (x * x).sum()
    })?;
    check(&f, &[0.9, 0.4, -0.2, 0.3])
}

/// An equation whose function solves another equation.
#[test]
fn nested() -> Result<(), Error> {
    let f = Function::trace(vector(2), |p| {
        let inner = body(|y: Scalar<'_>| root(|x| x + x.powi(3) * p.at(0) - y, y));
        let y = root(|y| inner(y) * 2.0 + y - p.at(1), Scalar::from(0.3));
        y * inner(y)
    })?;
    check(&f, &[0.7, 1.1])
}

#[test]
fn inside_inner_derivatives() -> Result<(), Error> {
    let f = Function::trace(vector(2), |p| {
        let solution = body(|a: Scalar<'_>| root(|x| x.powi(3) + x - a * p.at(1), Scalar::from(0.5)));
        grad(solution, p.at(0)) + hvp(solution, p.at(0), p.at(1))
    })?;
    check(&f, &[1.7, 0.8])
}

#[test]
fn outside_of_a_trace() {
    let x = root(|x| x * x - Scalar::from(2.0), Scalar::from(1.0));
    assert!((x.as_constant().expect("a number") - 2f64.sqrt()).abs() < 1e-15);
    let y = linear_solve(|y| y * 4.0, Scalar::from(2.0), Solver::gmres());
    assert_eq!(y.as_constant(), Some(0.5));
}

/// No derivative goes through the iterations: none depends on how many there were.
#[test]
fn derivatives_do_not_see_the_iterations() -> Result<(), Error> {
    let slope = |start: f64, tolerance: f64| -> Result<f64, Error> {
        let way = Iteration { tolerance, ..Iteration::default() };
        let f = Function::trace(scalar(), |a| way.fixed_point(|x| (a + x) * 0.5, Scalar::from(start)))?;
        f.grad()?.eval(&1.0)
    };
    // Stopped after one step and run to the end: x = a, whose slope is 1.
    assert_eq!(slope(1.0, 1e-14)?, 1.0);
    assert_eq!(slope(5.0, 1e3)?, 1.0);
    Ok(())
}
