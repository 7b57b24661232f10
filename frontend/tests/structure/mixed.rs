//! Derivatives with respect to one argument and then another: ∂²f/∂x∂t in every nesting, against a closed form.

use evolute_frontend::{Array, Error, Function, Scalar, scalar, vector};

type Point<'a> = (&'a [f64], &'a f64);

const X: [f64; 2] = [0.7, -1.3];
const T: f64 = 0.4;

/// `x₀² x₁ sin t + exp(x₀ t)`.
fn f<'t>(x: &Array<'t>, t: &Scalar<'t>) -> Scalar<'t> {
    x.at(0).powi(2) * x.at(1) * t.sin() + (x.at(0) * t).exp()
}

fn gradient() -> [f64; 2] {
    let [x, y] = X;
    [2.0 * x * y * T.sin() + T * (x * T).exp(), x * x * T.sin()]
}

fn slope() -> f64 {
    let [x, y] = X;
    x * x * y * T.cos() + x * (x * T).exp()
}

/// ∂²f/∂x∂t.
fn mixed() -> [f64; 2] {
    let [x, y] = X;
    [2.0 * x * y * T.cos() + (1.0 + x * T) * (x * T).exp(), x * x * T.cos()]
}

fn close(found: &[f64], expected: &[f64]) {
    let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-14 * b.abs().max(1.0);
    let fits = found.len() == expected.len() && found.iter().zip(expected).all(near);
    assert!(fits, "found {found:?}, expected {expected:?}");
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn all_four_nestings_give_the_mixed_derivative() -> Result<(), Error> {
    let f = Function::trace((vector(2), scalar()), |(x, t)| f(x, t))?;
    let point: Point<'_> = (&X, &T);
    let v = [0.3, 1.9];

    let (g, rate) = f.wrt::<0>().grad()?.wrt::<1>().jvp()?.compile()?.call((point, &1.5))?;
    close(&g, &gradient());
    close(&rate, &mixed().map(|m| 1.5 * m));

    let (g, back) = f.wrt::<0>().grad()?.wrt::<1>().vjp()?.compile()?.call((point, &v))?;
    close(&g, &gradient());
    close(&[back], &[dot(&mixed(), &v)]);

    let forward = f.wrt::<1>().jvp()?.wrt::<0>();
    let ((_, rate), back) = forward.vjp()?.compile()?.call(((point, &1.5), (&0.0, &1.0)))?;
    close(&[rate], &[1.5 * slope()]);
    close(&back, &mixed().map(|m| 1.5 * m));

    let (values, tangents) = forward.jvp()?.compile()?.call(((point, &1.0), &v))?;
    close(&[values.1], &[slope()]);
    close(&[tangents.0, tangents.1], &[dot(&gradient(), &v), dot(&mixed(), &v)]);
    Ok(())
}

/// The other way round, from the scalar argument; and a third derivative, ∂³f/∂t∂x∂t.
#[test]
fn the_order_of_the_arguments_does_not_matter() -> Result<(), Error> {
    let f = Function::trace((vector(2), scalar()), |(x, t)| f(x, t))?;
    let slope = f.wrt::<1>().grad()?;
    close(&slope.wrt::<0>().grad()?.compile()?.call((&X, &T))?, &mixed());
    let third = slope.wrt::<0>().grad()?.wrt::<1>().jvp()?.interpreted()?;
    let [x, y] = X;
    let e = (x * T).exp();
    let expected = [-2.0 * x * y * T.sin() + x * (2.0 + x * T) * e, -x * x * T.sin()];
    close(&third.call(((&X, &T), &1.0))?.1, &expected);
    let hessian = Function::scalar((scalar(), scalar()), |(x, t)| x.powi(2) * t.powi(3))?;
    assert_eq!(hessian.wrt::<0>().grad()?.wrt::<1>().jacobian()?.eval((&2.0, &3.0))?, [108.0]);
    Ok(())
}
