//! W2, logistic regression: `mean log(1 + exp(−y (A w))) + λ/2 ‖w‖²`.

use super::workload::{Case, Known, Workload, sines};
use evolute::prelude::*;
use std::rc::Rc;

const LAMBDA: f64 = 0.01;

fn loss<'t>(w: Array<'t>, a: Array<'t>, y: Array<'t>) -> Scalar<'t> {
    (-(y * a.dot(w))).softplus().mean() + 0.5 * LAMBDA * w.inner(w)
}

pub(crate) fn regression(m: usize, n: usize) -> Box<dyn Case> {
    let arguments = move || {
        let angle = |k: usize| {
            let (r, j) = ((k / n) as f64, (k % n) as f64);
            0.01 * ((r + 1.0) * (j + 1.0)) + 0.5 * j
        };
        let a = (0..m * n).map(|k| angle(k).sin()).collect();
        let sign = |r: usize| if (3.0 * r as f64).cos() > 0.0 { 1.0 } else { -1.0 };
        (sines(n, 0.5, 0.3), a, (0..m).map(sign).collect())
    };
    let trace = move || {
        let inputs = (vector(n), matrix(m, n), vector(m));
        Function::trace(inputs, |(w, a, y)| loss(*w, *a, *y)).map(|f| f.wrt::<0>())
    };
    Box::new(Workload {
        name: format!("W2 m={m} n={n}"),
        trace: Box::new(trace),
        arguments: Rc::new(arguments),
        borrow: |(w, a, y)| ((w, a, y), w),
        known: ((m, n) == (10_000, 100)).then_some(KNOWN),
    })
}

const KNOWN: Known = Known::new(
    [1.2350060590364547, 0.16655662961348916, 0.3158591885597386],
    [0.032179679468376625, 0.04902201283961315, 0.054706006329948646],
    [0.07072019074761501, 0.02347285723020885, -0.04034085077319676],
);
