//! Models written with arrays, loops and conditionals that stay so in the program: mixtures, networks, factorisations,
//! iterations, integrators.

use crate::problem::Problem;
use evolute::IntoArray;
use evolute::prelude::*;

macro_rules! scalars {
    ($($function:expr),+ $(,)?) => {
        vec![$(Problem::Scalar { traced: |x| $function(Array::of(x)), plain: None }),+]
    };
}

macro_rules! residuals {
    ($($function:expr),+ $(,)?) => {
        vec![$(Problem::Residuals { traced: |x| $function(Array::of(x)).elements(), plain: None }),+]
    };
}

/// The variants of the function of this name.
pub(crate) fn find(name: &str) -> Vec<Problem> {
    match name {
        "ADBENCH_GMM_d2K3N10_wishart" => scalars![mixture],
        // At a rotation of zero the other branch is taken, whose higher derivatives are expected.
        "ADBENCH_BA" | "ADBENCH_BA_rot_zero_branch" => {
            residuals![|x| bundle(x, |s, yes, no| cond(s.ne(0.0), yes, no)), |x| bundle(x, |s, yes, no| s
                .ne(0.0)
                .into_array()
                .select(yes(), no())),]
        }
        "LSTM_ADBENCH_2STEP" => scalars![recurrent],
        "LOGDET_CHOL_4" => scalars![log_determinant],
        "KEPLER_CONVERGED" => scalars![kepler_scan, kepler_while],
        "KEPLER_NEWTON3" => scalars![kepler_newton],
        "MLP_2_3_1" => scalars![network],
        "PENDULUM_LEAPFROG_12" => scalars![pendulum],
        _ => Vec::new(),
    }
}

// ── models ──────────────────────────────────────────────────────────────────────────────────────

/// `[αₖ | μₖ | ln diag, lower]` of 3 components in two dimensions, with a Wishart prior.
fn mixture(x: Array<'_>) -> Scalar<'_> {
    const POINTS: [f64; 20] = [
        0.5, -1.25, 1.75, 0.375, -0.625, 2.0, 0.125, 0.25, -1.5, -0.75, 2.25, 1.125, 0.875, -0.5, -0.25,
        1.625, 1.0, -2.0, -2.125, 0.0625,
    ];
    const GAMMA: f64 = 0.75;
    const M: f64 = 2.0;
    let points = Array::constants(&[10, 2], &POINTS);
    let (alphas, means) = (x.slice(0, 0..3), x.slice(0, 3..9).reshape(&[3, 2]));
    let factors = x.slice(0, 9..18).reshape(&[3, 3]);
    let (logs, lower) = (factors.slice(1, 0..2), factors.slice(1, 2..3).ravel());
    let scales = logs.exp();
    let likelihood = sum_rows(points, |point| {
        let terms = map(3, |k| {
            let centred = point - means.row(k);
            let y = scales.row(k) * centred + (lower.at(k) * centred.slice(0, 0..1)).pad(0, 1, 0);
            alphas.at(k) + logs.row(k).sum() - y.inner(y) / 2.0
        });
        terms.logsumexp()
    });
    let spread = scales.inner(scales) + lower.inner(lower);
    let prior = GAMMA * GAMMA / 2.0 * spread - M * logs.sum();
    likelihood - 10.0 * (std::f64::consts::TAU.ln() + alphas.logsumexp()) + prior - 3.0 * normaliser(GAMMA, M)
}

/// The logarithm of a Wishart distribution's normalising constant in two dimensions.
fn normaliser(gamma: f64, m: f64) -> f64 {
    let freedom = 3.0 + m;
    let gammas = libm::lgamma(freedom / 2.0) + libm::lgamma((freedom - 1.0) / 2.0);
    freedom * 2.0 * (gamma.ln() - 2f64.ln() / 2.0) - (std::f64::consts::PI.ln() / 2.0 + gammas)
}

/// `hsize` 2, two steps: `[Wf Wi Wo Wc | bf bi bo bc | h | c]`.
fn recurrent<'t>(x: Array<'t>) -> Scalar<'t> {
    let inputs = Array::constants(&[2, 2], &[0.5, -1.0, 0.25, 0.75]);
    let (weights, biases) = (x.slice(0, 0..8).reshape(&[4, 2]), x.slice(0, 8..16).reshape(&[4, 2]));
    let gate = |k: usize, input: Array<'t>| weights.row(k) * input + biases.row(k);
    let start = (x.slice(0, 16..18), x.slice(0, 18..20));
    let (h, _) = scan(2, start, |(h, c), step| {
        let input = inputs.row(step);
        let [forget, ingate, out] = [gate(0, input), gate(1, h), gate(2, input)].map(|x| x.sigmoid());
        let c = c * forget + ingate * gate(3, h).tanh();
        (out * c.tanh(), c)
    });
    h.inner(h) + (h.exp().sum() + 2.0).ln()
}

fn network(x: Array<'_>) -> Scalar<'_> {
    let inputs = Array::constants(&[3, 2], &[0.5, -1.0, 1.0, 0.75, -0.25, 2.0]);
    let targets = [0.25, -0.5, 1.0];
    let (first, biases) = (x.slice(0, 0..6).reshape(&[3, 2]), x.slice(0, 6..9));
    let hidden = (inputs.dot(first.transpose()) + biases).tanh();
    let errors = hidden.dot(x.slice(0, 9..12)) + x.at(12) - targets;
    (errors * errors).sum()
}

// ── geometry ────────────────────────────────────────────────────────────────────────────────────

type Closure<'c, 't> = &'c dyn Fn() -> Array<'t>;

/// One observation of ADBench: two errors and the weight's. `choose` is given the squared angle, what to do where it
/// is not zero, and where it is.
fn bundle<'t>(
    x: Array<'t>,
    choose: impl FnOnce(Scalar<'t>, Closure<'_, 't>, Closure<'_, 't>) -> Array<'t>,
) -> Array<'t> {
    let part = |start: usize, len: usize| x.slice(0, start..start + len);
    let (rotation, offset, weight) = (part(0, 3), part(7, 2), x.at(14));
    let centred = part(11, 3) - part(3, 3);
    let square = rotation.inner(rotation);
    let rotated = || {
        let angle = square.sqrt();
        let axis = rotation / angle;
        let along = axis.inner(centred) * (1.0 - angle.cos());
        centred * angle.cos() + cross(axis, centred) * angle.sin() + axis * along
    };
    let seen = choose(square, &rotated, &|| centred + cross(rotation, centred));
    let p = seen.slice(0, 0..2) / seen.at(2);
    let q = p.inner(p);
    let distortion = 1.0 + x.at(9) * q + x.at(10) * q * q;
    let errors = weight * (p * distortion * x.at(6) + offset - [-525.5, 161.75]);
    concat(&[errors, Array::of(&[1.0 - weight * weight])], 0)
}

fn cross<'t>(a: Array<'t>, b: Array<'t>) -> Array<'t> {
    let turned = |x: Array<'t>, by: usize| concat(&[x.slice(0, by..3), x.slice(0, 0..by)], 0);
    turned(a, 1) * turned(b, 2) - turned(a, 2) * turned(b, 1)
}

/// By the columns of the Cholesky factor, of a matrix given by its lower triangle.
fn log_determinant(x: Array<'_>) -> Scalar<'_> {
    let places = [0, 1, 3, 6, 1, 2, 4, 7, 3, 4, 5, 8, 6, 7, 8, 9];
    let matrix = x.gather(Array::constants(&[4, 4], &places));
    let start = (matrix, Scalar::from(0.0));
    let (_, half) = scan(4, start, |(rest, sum), k| {
        let pivot = rest.at((k, k)).sqrt();
        let column = rest.row(k) / pivot;
        (rest - column.outer(column), sum + pivot.ln())
    });
    2.0 * half
}

// ── iterations ──────────────────────────────────────────────────────────────────────────────────

fn energy<'t>(anomaly: Scalar<'t>) -> Scalar<'t> {
    anomaly.powi(2) + anomaly.cos()
}

fn kepler_scan(x: Array<'_>) -> Scalar<'_> {
    let (mean, eccentricity) = (x.at(0), x.at(1));
    energy(scan(80, mean, |e, _| mean + eccentricity * e.sin()))
}

fn kepler_while<'t>(x: Array<'t>) -> Scalar<'t> {
    let (mean, eccentricity) = (x.at(0), x.at(1));
    let step = |(e, i): (Scalar<'t>, Int<'t>)| (mean + eccentricity * e.sin(), i + 1);
    let start = (mean, Int::constant(0));
    energy(while_at_most(100, start, |(_, i)| i.lt(80), step).0)
}

fn kepler_newton(x: Array<'_>) -> Scalar<'_> {
    let (mean, eccentricity) = (x.at(0), x.at(1));
    energy(scan(3, mean, |e, _| e - (e - eccentricity * e.sin() - mean) / (1.0 - eccentricity * e.cos())))
}

fn pendulum(x: Array<'_>) -> Scalar<'_> {
    let (dt, g) = (0.125, x.at(2));
    let (q, p) = scan(12, (x.at(0), x.at(1)), |(q, p), _| {
        let half = p - dt / 2.0 * (g * q.sin());
        let q = q + dt * half;
        (q, half - dt / 2.0 * (g * q.sin()))
    });
    p.powi(2) / 2.0 - g * q.cos() + q.powi(2) / 10.0
}
