//! W5, a network of two hidden layers with squared errors, on a batch.

use super::workload::{Case, Known, Workload, sines};
use evolute::prelude::*;
use std::rc::Rc;

const INPUTS: usize = 16;
const HIDDEN: usize = 64;
const PARAMETERS: usize = HIDDEN * (INPUTS + 1) + HIDDEN * (HIDDEN + 1) + HIDDEN + 1;

fn loss<'t>(p: Array<'t>, x: Array<'t>, y: Array<'t>) -> Scalar<'t> {
    let mut start = 0;
    let mut take = |extents: &[usize]| {
        let size: usize = extents.iter().product();
        start += size;
        p.slice(0, start - size..start).reshape(extents)
    };
    let mut layer = |x: Array<'t>, outputs: usize| {
        let weights = take(&[outputs, x.shape()[1]]);
        x.dot(weights.transpose()) + take(&[outputs])
    };
    let hidden = layer(x, HIDDEN).tanh();
    let hidden = layer(hidden, HIDDEN).tanh();
    let error = layer(hidden, 1).ravel() - y;
    0.5 * (error * error).mean()
}

pub(crate) fn network(batch: usize) -> Box<dyn Case> {
    let arguments = move || {
        let angle = |k: usize| {
            let (b, j) = ((k / INPUTS) as f64, (k % INPUTS) as f64);
            0.3 * b + 1.7 * j + 0.05 * b * j
        };
        let x = (0..batch * INPUTS).map(|k| angle(k).sin()).collect();
        (sines(PARAMETERS, 0.0, 0.2), x, (0..batch).map(|b| (0.2 * b as f64).cos()).collect())
    };
    let trace = move || {
        let inputs = (vector(PARAMETERS), matrix(batch, INPUTS), vector(batch));
        Function::trace(inputs, |(p, x, y)| loss(*p, *x, *y)).map(|f| f.wrt::<0>())
    };
    Box::new(Workload {
        name: format!("W5 batch={batch}"),
        trace: Box::new(trace),
        arguments: Rc::new(arguments),
        borrow: |(p, x, y)| ((p, x, y), p),
        known: (batch == 256).then_some(KNOWN),
    })
}

const KNOWN: Known = Known::new(
    [0.3622878865046487, 2.1465182201790585, 8.460162150497942],
    [1.3996669725147869e-05, -1.5124373952393346e-06, 3.625048886831832e-05],
    [-0.0029078232477886034, -0.0031534569918168507, 0.0025140262908870743],
);
