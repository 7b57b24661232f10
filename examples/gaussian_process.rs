//! Fitting a Gaussian process: the likelihood by a Cholesky factor, its gradient, and Hessian-vector products.
//!
//!     cargo run --release --example gaussian_process
//!
//! The data are noisy values of a function at n places. Their covariance is `K = a²·exp(−(xᵢ − xⱼ)²/2ℓ²) + σ²·I`, and the
//! logarithms θ of the amplitude a, the length ℓ and the noise σ are to make the data most likely. With `K = L·Lᵀ` and
//! `z = L⁻¹·y` the negative logarithm of the likelihood is `½·zᵀz + Σ ln Lᵢᵢ + ½·n·ln 2π`. Newton's method takes three
//! Hessian-vector products a step. Where K is not positive definite the value is NaN, which the line search
//! takes for no progress.

use evolute::prelude::*;

const N: usize = 60;

/// The negative logarithm of the likelihood.
fn misfit<'t>(theta: &Array<'t>, x: &Array<'t>, y: &Array<'t>) -> Scalar<'t> {
    let [amplitude, length, noise] = [0, 1, 2].map(|k| theta.at(k).exp());
    let difference = (x.reshape(&[N, 1]) - x) / length;
    let number = Array::iota(N);
    let same = number.reshape(&[N, 1]).eq(number).to_f64();
    let covariance = (difference * difference * -0.5).exp() * amplitude.powi(2) + same * noise.powi(2);
    let l = covariance.cholesky();
    let z = l.solve_lower(y);
    z.inner(z) * 0.5 + l.diagonal().ln().sum() + 0.5 * N as f64 * std::f64::consts::TAU.ln()
}

/// Newton's step with the magnitudes of the Hessian's eigenvalues: downhill wherever it begins.
fn newton_step<'t>(hessian: &Array<'t>, gradient: &Array<'t>) -> Array<'t> {
    let (w, v) = hessian.eigh();
    -v.dot(v.transpose().dot(gradient) / w.abs())
}

fn main() -> Result<(), evolute::Error> {
    let x: Vec<f64> = (0..N).map(|i| 10.0 * i as f64 / N as f64).collect();
    let error = |i: usize| 0.3 * ((i * 7919 % 101) as f64 / 101.0 - 0.5);
    let y: Vec<f64> = x.iter().enumerate().map(|(i, x)| x.sin() + 0.3 * (2.0 * x).cos() + error(i)).collect();

    let f = Function::trace((vector(3), vector(N), vector(N)), |(theta, x, y)| misfit(theta, x, y))?;
    let value_and_grad = f.wrt::<0>().value_and_grad()?.compile()?;
    let hvp = f.wrt::<0>().hvp()?.compile()?;
    let step = Function::trace((matrix(3, 3), vector(3)), |(h, g)| newton_step(h, g))?.compile()?;

    let mut theta = vec![0.0, 0.0, -1.0];
    let (mut value, mut gradient) = value_and_grad.call((&theta, &x, &y))?;
    println!("step  −ln likelihood   |gradient|");
    for number in 0..30 {
        let norm = gradient.norm2();
        println!("{number:>4}  {value:>15.9}   {norm:.1e}");
        if norm < 1e-9 {
            break;
        }
        let mut hessian = Vec::new();
        for direction in [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]] {
            hessian.extend(hvp.call(((&theta, &x, &y), &direction))?);
        }
        let step = step.call((&hessian, &gradient))?;
        for halvings in 0..30 {
            let moved: Vec<f64> =
                theta.iter().zip(&step).map(|(t, s)| t + s * 0.5f64.powi(halvings)).collect();
            let (lower, there) = value_and_grad.call((&moved, &x, &y))?;
            if lower <= value {
                (theta, value, gradient) = (moved, lower, there);
                break;
            }
        }
    }
    let [amplitude, length, noise] = [theta[0].exp(), theta[1].exp(), theta[2].exp()];
    println!("\namplitude {amplitude:.3}, length {length:.3}, noise {noise:.3}");
    assert!(gradient.norm2() < 1e-6 && noise < 0.15, "not converged");
    Ok(())
}
