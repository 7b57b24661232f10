//! The benchmark functions W1, W4a, W9a and W9b, generic over plain and traced numbers, and their inputs.

#![allow(dead_code, reason = "every bench uses a part")]

use evolute::prelude::*;

/// Chained Rosenbrock (W1).
pub(crate) fn rosenbrock<T: Real64>(x: &[T]) -> T {
    let mut f = T::of(0.0);
    for i in 0..x.len() - 1 {
        let valley = x[i + 1] - x[i].powi(2);
        let distance = -x[i] + 1.0;
        f += valley.powi(2) * 100.0 + distance.powi(2);
    }
    f
}

/// exp(xy) sin z + log(1 + x² + y²) + x^y cos z + z³ (W9a).
pub(crate) fn three<T: Real64>(p: &[T]) -> T {
    let [x, y, z] = [p[0], p[1], p[2]];
    (x * y).exp() * z.sin() + (x * x + y * y + 1.0).ln() + x.powf(y) * z.cos() + z.powi(3)
}

/// Black-Scholes call of [S, K, T, r, σ] (W9b).
pub(crate) fn black_scholes<T: Real64>(p: &[T]) -> T {
    let [spot, strike, time, rate, sigma] = [p[0], p[1], p[2], p[3], p[4]];
    let phi = |d: T| ((d * std::f64::consts::FRAC_1_SQRT_2).erf() + 1.0) * 0.5;
    let spread = sigma * time.sqrt();
    let d1 = ((spot / strike).ln() + (rate + sigma * sigma * 0.5) * time) / spread;
    let d2 = d1 - spread;
    spot * phi(d1) - strike * (-rate * time).exp() * phi(d2)
}

/// The squared residual of one bundle-adjustment observation (W4a): parameters [camera (11), X (3), w].
pub(crate) fn bundle<T: Real64>(p: &[T]) -> T {
    let (omega, centre, focal, offset, radial) = (&p[0..3], &p[3..6], p[6], &p[7..9], &p[9..11]);
    let (point, weight) = (&p[11..14], p[14]);
    let theta2 = omega[0] * omega[0] + omega[1] * omega[1] + omega[2] * omega[2];
    let theta = theta2.sqrt();
    let u = [omega[0] / theta, omega[1] / theta, omega[2] / theta];
    let d = [point[0] - centre[0], point[1] - centre[1], point[2] - centre[2]];
    let cross = [u[1] * d[2] - u[2] * d[1], u[2] * d[0] - u[0] * d[2], u[0] * d[1] - u[1] * d[0]];
    let (sin, cos) = (theta.sin(), theta.cos());
    let along = (u[0] * d[0] + u[1] * d[1] + u[2] * d[2]) * (-cos + 1.0);
    let camera = |k: usize| d[k] * cos + cross[k] * sin + u[k] * along;
    let (px, py) = (camera(0) / camera(2), camera(1) / camera(2));
    let rho = px * px + py * py;
    let scale = (rho * radial[0] + rho * rho * radial[1] + 1.0) * focal;
    let feature = [0.0, 0.1 * 1f64.sin()];
    let r0 = weight * (px * scale + offset[0] - feature[0]);
    let r1 = weight * (py * scale + offset[1] - feature[1]);
    r0 * r0 + r1 * r1
}

/// The point of W1.
pub(crate) fn rosenbrock_point(n: usize) -> Vec<f64> {
    (0..n).map(|i| 0.5 + 0.3 * (i as f64).sin()).collect()
}

/// The point of W4a: camera 0, point 0 and weight 0 of W4b.
pub(crate) fn bundle_point() -> Vec<f64> {
    let base = [0.1, 0.2, -0.1, 0.0, 0.0, -5.0, 1.0, 0.0, 0.0, 0.0, 0.0];
    let swing = [0.05, 0.05, 0.05, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.01, 0.001];
    let mut p: Vec<f64> = (0..11).map(|j| base[j] + swing[j] * (j as f64).sin()).collect();
    p.extend((0..3).map(|k| (k as f64).sin()));
    p.push(1.0);
    p
}

/// The point of W9b.
pub(crate) const BLACK_SCHOLES_POINT: [f64; 5] = [100.0, 95.0, 0.75, 0.03, 0.25];

/// The direction of every workload: v_i = cos i.
pub(crate) fn direction(n: usize) -> Vec<f64> {
    (0..n).map(|i| (i as f64).cos()).collect()
}
