//! Functions of G3 that contain derivatives, taken by the library itself in every mode; the oracle's
//! pseudo-code has them differentiated by hand.

use crate::nest::Diff::{self, Grad as G, Jvp as J};
use crate::nest::{d, gradient, nth};
use crate::problem::Problem;
use evolute::prelude::*;

macro_rules! variants {
    ($($function:expr),+ $(,)?) => { vec![$(Problem::Scalar { traced: $function, plain: None }),+] };
}

/// The variants of the function of this name: one a choice of the inner operators.
pub(crate) fn find(name: &str) -> Vec<Problem> {
    match name {
        "GRADNORM_SOFTPAIR" => variants![|x| gradnorm_softpair(J, x), |x| gradnorm_softpair(G, x)],
        "HVP_NORM" => variants![
            |x| sum_of_squares(&hvp(|x: Vec<_>| product(&x), x.to_vec(), direction())),
            |x| hvp_norm(J, J, x),
            |x| hvp_norm(J, G, x),
            |x| hvp_norm(G, J, x),
            |x| hvp_norm(G, G, x),
        ],
        "PINN" => {
            variants![|x| pinn(&[J, J], x), |x| pinn(&[J, G], x), |x| pinn(&[G, J], x), |x| pinn(&[G, G], x)]
        }
        "EULER_LAGRANGE" => variants![
            |x| euler_lagrange(J, J, x),
            |x| euler_lagrange(J, G, x),
            |x| euler_lagrange(G, J, x),
            |x| euler_lagrange(G, G, x),
        ],
        "TANH_NEST_POINT" => variants![|x| tanh_nest_point(J, x), |x| tanh_nest_point(G, x)],
        _ => Vec::new(),
    }
}

fn sum_of_squares<'t>(x: &[Scalar<'t>]) -> Scalar<'t> {
    x.iter().map(|x| x * x).sum()
}

/// ‖∇g‖² of `g = Σ ln(1 + exp(xᵢ xᵢ₊₁)) + Σ xᵢ⁴/4`.
fn gradnorm_softpair<'t>(inner: Diff, x: &[Scalar<'t>]) -> Scalar<'t> {
    let g = |x: &[Scalar<'t>]| {
        let pairs: Scalar<'t> = x.windows(2).map(|x| (1.0 + (x[0] * x[1]).exp()).ln()).sum();
        let quartics: Scalar<'t> = x.iter().map(|x| x.powi(4) / 4.0).sum();
        pairs + quartics
    };
    sum_of_squares(&gradient(inner, &g, x))
}

fn product<'t>(x: &[Scalar<'t>]) -> Scalar<'t> {
    (x[0] * x[1]).exp() * x[2].sin() + x[0].powi(3) * x[2].powi(2)
}

fn direction<'t>() -> Vec<Scalar<'t>> {
    [1.0, -0.5, 0.25].map(Scalar::from).to_vec()
}

/// ‖H u‖² for the Hessian of `product`: `outer` differentiates its slope along u, taken by `inner`.
fn hvp_norm<'t>(outer: Diff, inner: Diff, x: &[Scalar<'t>]) -> Scalar<'t> {
    let slope = |x: &[Scalar<'t>]| match inner {
        Diff::Jvp => jvp(|x: Vec<_>| product(&x), x.to_vec(), direction()).1,
        Diff::Grad | Diff::Vjp => {
            gradient(inner, &product, x).iter().zip(direction()).map(|(g, u)| g * u).sum()
        }
    };
    sum_of_squares(&gradient(outer, &slope, x))
}

/// A network `u(t) = Σ aₖ tanh(wₖ t + bₖ)` against `u'' + u = sin t`, `u(0) = 0`, `u'(0) = 1`.
fn pinn<'t>(second: &[Diff; 2], x: &[Scalar<'t>]) -> Scalar<'t> {
    let u = |t: Scalar<'t>| -> Scalar<'t> { (0..3).map(|k| x[k] * (x[3 + k] * t + x[6 + k]).tanh()).sum() };
    let mut f = Scalar::from(0.0);
    for t in [0.25, 0.5, 0.75].map(Scalar::from) {
        f += (nth(second, &u, t) + u(t) - t.sin()).powi(2);
    }
    let zero = Scalar::from(0.0);
    f + u(zero).powi(2) + (nth(&second[..1], &u, zero) - 1.0).powi(2)
}

/// The acceleration from the Lagrangian `(1 + p q²) q̇²/2 + cos q + p q³/3`.
fn euler_lagrange<'t>(outer: Diff, inner: Diff, x: &[Scalar<'t>]) -> Scalar<'t> {
    let (q, speed, p) = (x[0], x[1], x[2]);
    let lagrangian = |q: Scalar<'t>, s: Scalar<'t>| {
        (1.0 + p * q.powi(2)) * s.powi(2) / 2.0 + q.cos() + p * q.powi(3) / 3.0
    };
    let by_q = d(inner, |q| lagrangian(q, speed), q);
    let mixed = d(outer, |q| d(inner, |s| lagrangian(q, s), speed), q);
    let by_speed = nth(&[outer, inner], &|s| lagrangian(q, s), speed);
    (by_q - mixed * speed) / by_speed
}

/// `x₁ · d/dy tanh(x₁ eʸ)` at `y = x₂`.
fn tanh_nest_point<'t>(inner: Diff, x: &[Scalar<'t>]) -> Scalar<'t> {
    x[0] * d(inner, |y| (x[0] * y.exp()).tanh(), x[1])
}
