//! Hessian-vector products written by hand: what an engineer with an afternoon a function would ship, and so
//! the baseline of compiled ones. Closed forms, common subexpressions shared, only what the product needs.
//!
//! Each is `fn(x, v, h)`, writing H(x)·v to `h`. Transcendentals are the standard library's, erf is `libm`'s.

use std::f64::consts::FRAC_1_SQRT_2;

/// `(x, v, h)`: writes H(x)·v to `h`.
pub(crate) type Product = fn(&[f64], &[f64], &mut [f64]);

/// Chained Rosenbrock (W1), with the vectors and fused operations of this processor.
pub(crate) fn rosenbrock() -> Product {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        #[target_feature(enable = "avx2,fma")]
        fn wide(x: &[f64], v: &[f64], h: &mut [f64]) {
            rosenbrock_rows(x, v, h, f64::mul_add);
        }
        // SAFETY: the features have been detected.
        return |x, v, h| unsafe { wide(x, v, h) };
    }
    |x, v, h| rosenbrock_rows(x, v, h, |a, b, c| a * b + c)
}

/// Gather form: each row of the tridiagonal Hessian by itself, so that rows go into vector lanes.
#[inline(always)]
fn rosenbrock_rows(x: &[f64], v: &[f64], h: &mut [f64], fma: impl Fn(f64, f64, f64) -> f64) {
    let n = x.len();
    let (v, h) = (&v[..n], &mut h[..n]);
    let diagonal = |i: usize, last: f64| fma(1200.0 * x[i], x[i], fma(-400.0, x[i + 1], last));
    h[0] = fma(diagonal(0, 2.0), v[0], -400.0 * x[0] * v[1]);
    h[n - 1] = fma(200.0, v[n - 1], -400.0 * x[n - 2] * v[n - 2]);
    let left = x[..n - 2].iter().zip(&v[..n - 2]);
    let here = x[1..n - 1].iter().zip(&v[1..n - 1]);
    let right = x[2..].iter().zip(&v[2..]);
    for (((h, (xl, vl)), (x, v)), (xr, vr)) in h[1..n - 1].iter_mut().zip(left).zip(here).zip(right) {
        let diagonal = fma(1200.0 * x, *x, fma(-400.0, *xr, 202.0));
        *h = fma(diagonal, *v, -400.0 * fma(*x, *vr, xl * vl));
    }
}

/// exp(xy) sin z + log(1 + x² + y²) + x^y cos z + z³ (W9a): six second derivatives of each term, summed
/// where they share a factor.
pub(crate) fn three(p: &[f64], v: &[f64], h: &mut [f64]) {
    let ([x, y, z], [a, b, c]) = ([p[0], p[1], p[2]], [v[0], v[1], v[2]]);
    let (sin, cos) = z.sin_cos();
    let (ln, e) = (x.ln(), (x * y).exp());
    let power = x.powf(y);
    let (es, ec) = (e * sin, e * cos);
    let (ps, pc, over) = (power * sin, power * cos, y / x);
    let q = 1.0 / (1.0 + x * x + y * y);
    let (q2, q4) = (2.0 * q, 4.0 * q * q);
    let xx = y * y * es + q2 - q4 * x * x + over * (y - 1.0) / x * pc;
    let xy = (1.0 + x * y) * es - q4 * x * y + (1.0 + y * ln) / x * pc;
    let xz = y * ec - over * ps;
    let yy = x * x * es + q2 - q4 * y * y + ln * ln * pc;
    let yz = x * ec - ln * ps;
    let zz = 6.0 * z - es - pc;
    h[0] = xx * a + xy * b + xz * c;
    h[1] = xy * a + yy * b + yz * c;
    h[2] = xz * a + yz * b + zz * c;
}

/// Black-Scholes call of [S, K, T, r, σ] (W9b): the tangent of the closed gradient, in which Φ(d₁) does not
/// occur and φ(d₂) is S φ(d₁) / (K e^{−rT}).
pub(crate) fn black_scholes(p: &[f64], v: &[f64], h: &mut [f64]) {
    let [spot, strike, time, rate, sigma] = [p[0], p[1], p[2], p[3], p[4]];
    let [spot_dot, strike_dot, time_dot, rate_dot, sigma_dot] = [v[0], v[1], v[2], v[3], v[4]];
    let (root, half_over_root) = (time.sqrt(), 0.5 / time.sqrt());
    let (root_dot, spread) = (half_over_root * time_dot, sigma * root);
    let spread_dot = sigma_dot * root + sigma * root_dot;
    let drift = rate + 0.5 * sigma * sigma;
    let drift_dot = rate_dot + sigma * sigma_dot;
    let over_spread = 1.0 / spread;
    let d1 = ((spot / strike).ln() + drift * time) * over_spread;
    let numerator_dot = spot_dot / spot - strike_dot / strike + drift_dot * time + drift * time_dot;
    let d1_dot = (numerator_dot - d1 * spread_dot) * over_spread;
    let (d2, d2_dot) = (d1 - spread, d1_dot - spread_dot);

    let discount = (-rate * time).exp();
    let discounted = strike * discount;
    let discounted_dot = discount * strike_dot - discounted * (rate_dot * time + rate * time_dot);
    let density = INVERSE_ROOT_2PI * (-0.5 * d1 * d1).exp();
    let below = 0.5 * (1.0 + libm::erf(d2 * FRAC_1_SQRT_2));
    // Of m = S φ(d₁), of b = Φ(d₂), and of K e^{−rT} Φ(d₂).
    let mass = spot * density;
    let mass_dot = density * spot_dot - mass * d1 * d1_dot;
    let below_dot = mass / discounted * d2_dot;
    let paid = discounted * below;
    let paid_dot = discounted_dot * below + discounted * below_dot;

    h[0] = density * d1_dot;
    h[1] = (paid * strike_dot / strike - paid_dot) / strike;
    h[2] = mass_dot * sigma * half_over_root
        + mass * (sigma_dot * half_over_root - 0.5 * sigma * half_over_root * time_dot / time)
        + rate_dot * paid
        + rate * paid_dot;
    h[3] = time_dot * paid + time * paid_dot;
    h[4] = mass_dot * root + mass * root_dot;
}

/// 1/√(2π).
const INVERSE_ROOT_2PI: f64 = 0.398_942_280_401_432_7;
