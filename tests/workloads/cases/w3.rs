//! W3, the log-posterior of a Gaussian mixture with a Wishart prior, after ADBench (Šrajer, Kukelova, Fitzgibbon 2018).

use super::workload::{Case, Known, Workload, sines};
use evolute::prelude::*;
use std::f64::consts::{LN_2, PI};
use std::rc::Rc;

const DIMENSION: usize = 10;
const COMPONENTS: usize = 25;
/// Of the factor of an inverse covariance: the logarithms of its diagonal, then its strict lower part by columns.
const FACTOR: usize = DIMENSION * (DIMENSION + 1) / 2;
const PARAMETERS: usize = COMPONENTS * (1 + DIMENSION + FACTOR);
/// Of the prior.
const GAMMA: f64 = 1.0;
const M: f64 = 0.0;

fn posterior<'t>(p: Array<'t>, data: Array<'t>) -> Scalar<'t> {
    let (d, k, n) = (DIMENSION, COMPONENTS, data.rows());
    let alphas = p.slice(0, 0..k);
    let means = p.slice(0, k..k + k * d).reshape(&[k, d]);
    let factors = p.slice(0, k + k * d..p.size()).reshape(&[k, FACTOR]);
    let (logs, lower) = (factors.slice(1, 0..d), factors.slice(1, d..FACTOR));
    let (scales, weights) = (logs.exp(), alphas + logs.sum_along(1));
    let likelihood = sum(n, |i| {
        let terms = map(k, |k| {
            let centred = data.row(i) - means.row(k);
            let y = scales.row(k) * centred + strict_lower(lower.row(k), centred);
            weights.at(k) - 0.5 * y.inner(y)
        });
        terms.logsumexp()
    });
    let spread = scales.inner(scales) + lower.inner(lower);
    let prior = 0.5 * GAMMA * GAMMA * spread - M * logs.sum();
    likelihood - n as f64 * (alphas.logsumexp() + 0.5 * d as f64 * (2.0 * PI).ln()) + prior
        - k as f64 * normaliser()
}

/// The product of a strictly lower triangular matrix, stored by columns, and a vector.
fn strict_lower<'t>(columns: Array<'t>, x: Array<'t>) -> Array<'t> {
    let mut start = 0;
    let mut column = |j: usize| {
        let below = DIMENSION - 1 - j;
        start += below;
        (columns.slice(0, start - below..start) * x.at(j)).pad(0, j + 1, 0)
    };
    let first = column(0);
    (1..DIMENSION - 1).map(column).fold(first, |y, column| y + column)
}

/// The logarithm of the Wishart distribution's normalising constant.
fn normaliser() -> f64 {
    let d = DIMENSION as f64;
    let freedom = d + M + 1.0;
    let gammas: f64 = (1..=DIMENSION).map(|j| libm::lgamma(0.5 * freedom + 0.5 * (1.0 - j as f64))).sum();
    freedom * d * (GAMMA.ln() - 0.5 * LN_2) - (0.25 * d * (d - 1.0) * PI.ln() + gammas)
}

pub(crate) fn mixture(n: usize) -> Box<dyn Case> {
    let arguments = move || {
        let angle = |k: usize| {
            let (i, j) = ((k / DIMENSION) as f64, (k % DIMENSION) as f64);
            0.7 * i + 1.3 * j + 0.01 * i * j
        };
        (sines(PARAMETERS, 0.0, 0.3), (0..n * DIMENSION).map(|k| angle(k).sin()).collect())
    };
    let trace = move || {
        let inputs = (vector(PARAMETERS), matrix(n, DIMENSION));
        Function::trace(inputs, |(p, x)| posterior(*p, *x)).map(|f| f.wrt::<0>())
    };
    Box::new(Workload {
        name: format!("W3 N={n}"),
        trace: Box::new(trace),
        arguments: Rc::new(arguments),
        borrow: |(p, x)| ((p, x), p),
        known: (n == 1000).then_some(KNOWN),
    })
}

const KNOWN: Known = Known::new(
    [-10176.427355895206, 394.4218222217021, 848.3830853237671],
    [3.6598380379089117, -17.085286106890532, -5.241374270616925],
    [54.455206519908025, -18.966134020095765, -40.82915223316722],
);
