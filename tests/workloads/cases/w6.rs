//! W6, the energy of a Lennard-Jones cluster: `Σ 4 (r⁻¹² − r⁻⁶)` over pairs of atoms.

use super::workload::{Case, Known, Workload};
use evolute::prelude::*;
use std::rc::Rc;

fn energy(x: Array<'_>) -> Scalar<'_> {
    let atoms = x.reshape(&[x.size() / 3, 3]);
    sum(atoms.rows(), |i| {
        sum(i, |j| {
            let d = atoms.row(i) - atoms.row(j);
            let sixth = d.inner(d).powi(-3);
            4.0 * (sixth * sixth - sixth)
        })
    })
}

/// Atoms near the points of a grid of `side` points an edge.
pub(crate) fn cluster(side: usize, atoms: usize) -> Box<dyn Case> {
    let arguments = move || {
        let place = |k: usize| {
            let (a, axis) = (k / 3, (k % 3) as u32);
            let grid = a / side.pow(axis) % if axis == 2 { usize::MAX } else { side };
            1.2 * grid as f64 + 0.05 * (k as f64).sin()
        };
        (0..3 * atoms).map(place).collect()
    };
    Box::new(Workload {
        name: format!("W6 N={atoms}"),
        trace: Box::new(move || Function::trace(vector(3 * atoms), |x| energy(*x))),
        arguments: Rc::new(arguments),
        borrow: |x| (x, x),
        known: known(atoms),
    })
}

fn known(atoms: usize) -> Option<Known> {
    match atoms {
        38 => Some(Known::new(
            [-87.8551614869427, 28.753623972314827, 335.7407883230014],
            [-3.267231560171987, -2.95631190598158, -2.088675272806517],
            [11.608958831683585, -2.661175938481223, -56.14273893773004],
        )),
        500 => Some(Known::new(
            [-1683.677575140093, 95.34948916530149, 1556.2037496526202],
            [-3.2994290896898564, -2.3511810554456, -1.0488034748597237],
            [11.717460036356801, -11.990722155663333, -73.98052470872807],
        )),
        _ => None,
    }
}
