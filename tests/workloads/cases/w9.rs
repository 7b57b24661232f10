//! W9, small functions of scalars: an assortment, and the Black-Scholes price of a call.

use super::workload::{Case, Known, Workload, sines};
use evolute::prelude::*;
use std::f64::consts::FRAC_1_SQRT_2;
use std::rc::Rc;

/// `exp(xy) sin z + log(1 + x² + y²) + x^y cos z + z³`.
fn assortment(p: Array<'_>) -> Scalar<'_> {
    let [x, y, z] = [0, 1, 2].map(|k| p.at(k));
    (x * y).exp() * z.sin() + (1.0 + x * x + y * y).ln() + x.powf(y) * z.cos() + z.powi(3)
}

type Distribution = for<'t> fn(Scalar<'t>) -> Scalar<'t>;

/// The price, with a distribution function of the normal distribution.
fn price(p: Array<'_>, phi: Distribution) -> Scalar<'_> {
    let [spot, strike, time, rate, sigma] = [0, 1, 2, 3, 4].map(|k| p.at(k));
    let spread = sigma * time.sqrt();
    let d1 = ((spot / strike).ln() + (rate + 0.5 * sigma * sigma) * time) / spread;
    spot * phi(d1) - strike * (-rate * time).exp() * phi(d1 - spread)
}

fn case(
    name: &str,
    f: impl Fn(Array<'_>) -> Scalar<'_> + 'static,
    x: Vec<f64>,
    known: Known,
) -> Box<dyn Case> {
    let n = x.len();
    Box::new(Workload {
        name: name.into(),
        trace: Box::new(move || Function::trace(vector(n), |p| f(*p))),
        arguments: Rc::new(move || x.clone()),
        borrow: |p| (p, p),
        known: Some(known),
    })
}

pub(crate) fn three() -> Box<dyn Case> {
    let known = Known::new(
        [2.500258215901739, 3.2814491250189626, 2.387010944637089],
        [1.9554279872817806, 1.0425287716175724, 2.4201949316103435],
        [1.7195818392877187, 1.4852559899940498, -0.7313509362788224],
    );
    case("W9a", assortment, sines(3, 0.5, 0.3), known)
}

fn market() -> Vec<f64> {
    vec![100.0, 95.0, 0.75, 0.03, 0.25]
}

pub(crate) fn black_scholes_erf() -> Box<dyn Case> {
    let known = Known::new(
        [12.3468686375168, 52.19245564751349, 84.87537489476821],
        [0.6733165618068093, -0.5787872372964645, 6.8554317786684935],
        [-1.0079214598227977, 0.38628011497763043, -61.10749106033649],
    );
    case("W9b", |p| price(p, |d| 0.5 * (1.0 + (d * FRAC_1_SQRT_2).erf())), market(), known)
}

pub(crate) fn black_scholes_logistic() -> Box<dyn Case> {
    let known = Known::new(
        [12.351826027245812, 52.15765211517777, 84.54804128848924],
        [0.6722527545203588, -0.5776152571030534, 6.8605706278264975],
        [-1.003145411113862, 0.381750337110719, -61.024865554807164],
    );
    case("W9c", |p| price(p, |d| 1.0 / (1.0 + (-(1.5976 * d + 0.07056 * d.powi(3))).exp())), market(), known)
}
