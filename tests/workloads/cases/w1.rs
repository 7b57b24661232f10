//! W1, the chained Rosenbrock function: `Σ 100 (xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)²`.

use super::workload::{Case, Known, Workload, sines};
use evolute::prelude::*;
use std::rc::Rc;

fn rosenbrock(x: Array<'_>) -> Scalar<'_> {
    sum(x.size() - 1, |i| {
        let (x, next) = (x.at(i), x.at(i + 1));
        100.0 * (next - x.powi(2)).powi(2) + (1.0 - x).powi(2)
    })
}

pub(crate) fn chain(n: usize) -> Box<dyn Case> {
    Box::new(Workload {
        name: format!("W1 n={n}"),
        trace: Box::new(move || Function::trace(vector(n), |x| rosenbrock(*x))),
        arguments: Rc::new(move || sines(n, 0.5, 0.3)),
        borrow: |x| (x, x),
        known: known(n),
    })
}

fn known(n: usize) -> Option<Known> {
    let of_all = match n {
        10 => [84.84840264394263, 142.7247612257306, 440.3457663823736],
        1000 => [8726.762064108487, 944.3770603023191, 4200.745277932027],
        100_000 => [873605.5661705469, 9355.239780463773, 41990.3631270012],
        _ => return None,
    };
    let gradient = [-101.48825908847378, 37.80497471157517, 57.83015236787081];
    let product = [-107.03697935057552, 234.45775920969717, -148.61025062249996];
    Some(Known::new(of_all, gradient, product))
}
