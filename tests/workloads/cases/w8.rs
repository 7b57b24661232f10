//! W8, the end of a trajectory of the Lorenz system, by the classical Runge-Kutta method.

use super::workload::{Case, Known, Workload};
use evolute::prelude::*;
use std::rc::Rc;

const STEP: f64 = 0.002;
const TARGET: [f64; 3] = [1.0, 2.0, 20.0];

type State<'t> = [Scalar<'t>; 3];

fn velocity<'t>([x, y, z]: State<'t>, [sigma, rho, beta]: State<'t>) -> State<'t> {
    [sigma * (y - x), x * (rho - z) - y, x * y - beta * z]
}

fn step<'t>(s: State<'t>, p: State<'t>) -> State<'t> {
    let moved = |k: State<'t>, h: f64| [0, 1, 2].map(|i| s[i] + h * k[i]);
    let k1 = velocity(s, p);
    let k2 = velocity(moved(k1, 0.5 * STEP), p);
    let k3 = velocity(moved(k2, 0.5 * STEP), p);
    let k4 = velocity(moved(k3, STEP), p);
    [0, 1, 2].map(|i| s[i] + STEP / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]))
}

fn miss(p: Array<'_>, steps: usize) -> Scalar<'_> {
    let [start, parameters] = [0, 3].map(|k| [0, 1, 2].map(|i| p.at(k + i)));
    let end = scan(steps, start, |s, _| step(s, parameters));
    (0..3).map(|i| (end[i] - TARGET[i]).powi(2)).sum()
}

pub(crate) fn lorenz(steps: usize) -> Box<dyn Case> {
    Box::new(Workload {
        name: format!("W8 steps={steps}"),
        trace: Box::new(move || Function::trace(vector(6), |p| miss(*p, steps))),
        arguments: Rc::new(|| vec![1.0, 1.0, 1.0, 10.0, 28.0, 8.0 / 3.0]),
        borrow: |p| (p, p),
        known: (steps == 1000).then_some(KNOWN),
    })
}

const KNOWN: Known = Known::new(
    [239.18437767029195, 306.44608909406867, 231.28847699138967],
    [36.65044098696042, 29.57148132664154, -11.400542913352155],
    [23.284003043627262, 17.34093088936637, -10.429881242258565],
);
