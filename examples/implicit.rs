//! Hyperparameters by their derivatives: an outer problem whose function minimises an inner one.
//!
//!     cargo run --release --example implicit
//!
//! The inner problem fits a logistic regression with a weight of regularisation for each of its coefficients,
//! `w(θ) = argmin_w train(w) + ½ Σ exp(θⱼ) wⱼ²`: the zero of its gradient, found by `root`. The outer one chooses the θ
//! for which `w(θ)` does best on other data. Its gradient and its Hessian-vector products come from the implicit
//! function theorem, at a few products with the inner Hessian: none goes through Newton's iterations. They are compared
//! with differences, and then used by a descent whose step lengths one Hessian-vector product each gives.

use evolute::prelude::*;

const SAMPLES: usize = 40;
const COEFFICIENTS: usize = 4;

/// The mean logistic loss of the coefficients `w` on samples `x` with labels `y` of ±1.
fn loss<'t>(w: Array<'t>, x: Array<'t>, y: Array<'t>) -> Scalar<'t> {
    (-(y * x.dot(w))).softplus().mean()
}

/// Samples, and labels that depend on the first two of their numbers and on noise.
fn samples(seed: f64) -> (Vec<f64>, Vec<f64>) {
    let number = |i: usize, j: usize| (seed + 1.7 * i as f64 + 2.3 * j as f64 + 0.3 * (i * j) as f64).sin();
    let x = (0..SAMPLES * COEFFICIENTS).map(|k| number(k / COEFFICIENTS, k % COEFFICIENTS)).collect();
    let noise = |i: usize| 0.7 * (5.0 * seed + 7.1 * i as f64).cos();
    let label = |i: usize| (number(i, 0) - 0.5 * number(i, 1) + noise(i)).signum();
    (x, (0..SAMPLES).map(label).collect())
}

fn main() -> Result<(), evolute::Error> {
    let data = (matrix(SAMPLES, COEFFICIENTS), vector(SAMPLES));
    let outer = Function::trace((vector(COEFFICIENTS), data.clone(), data), |(theta, train, test)| {
        let start = Array::constants(&[COEFFICIENTS], &[0.0; COEFFICIENTS]);
        let regularised = |w| loss(w, train.0, train.1) + 0.5 * (theta.exp() * w * w).sum();
        let w = root(|w| grad(regularised, w), start);
        loss(w, test.0, test.1)
    })?
    .wrt::<0>();
    let derivatives = outer.value_grad_hvp()?.compile()?;
    let (train, test) = (samples(0.4), samples(2.9));
    let data = ((&train.0[..], &train.1[..]), (&test.0[..], &test.1[..]));
    let evaluate = |theta: &[f64], v: &[f64]| derivatives.call(((theta, data.0, data.1), v));

    println!("derivatives along a direction v, against differences\n");
    let (mut theta, v) = (vec![-2.0; COEFFICIENTS], [0.5, -1.0, 0.3, 0.8]);
    let (_, gradient, curvature) = evaluate(&theta, &v)?;
    let h = 1e-4;
    let moved = |t: f64| -> Vec<f64> { theta.iter().zip(v).map(|(theta, v)| theta + t * v).collect() };
    let (low, high) = (evaluate(&moved(-h), &v)?, evaluate(&moved(h), &v)?);
    let rows = [
        ("∇f·v", inner(&gradient, &v), (high.0 - low.0) / (2.0 * h)),
        ("vᵀHv", inner(&curvature, &v), (inner(&high.1, &v) - inner(&low.1, &v)) / (2.0 * h)),
    ];
    for (name, derivative, difference) in rows {
        println!("{name}  {derivative:>20.15}  {difference:>20.15}");
        assert!((derivative - difference).abs() < 1e-8, "{name}");
    }

    println!("\nstep  test loss     ‖gradient‖  weights exp(θ)");
    for step in 0..12 {
        let (value, gradient, _) = evaluate(&theta, &v)?;
        let norm = inner(&gradient, &gradient).sqrt();
        let weights: Vec<String> = theta.iter().map(|theta| format!("{:.4}", theta.exp())).collect();
        println!("{step:>4}  {value:.10}  {norm:>10.1e}  {}", weights.join("  "));
        if norm < 1e-8 {
            break;
        }
        // Steepest descent scaled by the curvature along it, which one Hessian-vector product gives.
        let (_, _, along) = evaluate(&theta, &gradient)?;
        let length = (norm * norm / inner(&gradient, &along).abs()).min(1.0 / norm);
        theta.iter_mut().zip(&gradient).for_each(|(theta, slope)| *theta -= length * slope);
    }
    Ok(())
}

fn inner(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
