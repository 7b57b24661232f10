//! W7, the Bratu energy, and W7m, the area of a minimal surface, on square grids.

use super::workload::{Case, Known, Workload, sines};
use evolute::prelude::*;
use std::rc::Rc;

const LAMBDA: f64 = 5.0;

/// `½ Σ (Δu)² − λ h² Σ exp u`, with zeros around the grid.
fn bratu_energy(u: Array<'_>) -> Scalar<'_> {
    let n = u.rows();
    let h = 1.0 / (n as f64 + 1.0);
    let squares = |axis: usize| {
        let padded = u.pad(axis, 1, 1);
        let d = padded.slice(axis, 1..n + 2) - padded.slice(axis, 0..n + 1);
        (d * d).sum()
    };
    0.5 * (squares(0) + squares(1)) - LAMBDA * h * h * u.exp().sum()
}

/// `Σ √(1 + ((a − d)² + (b − c)²) / 2)` over the cells, whose corners are `a b` above `c d`.
fn area(u: Array<'_>) -> Scalar<'_> {
    let n = u.rows();
    sum(n - 1, |r| {
        sum(n - 1, |c| {
            let (falling, rising) =
                (u.at((r, c)) - u.at((r + 1, c + 1)), u.at((r, c + 1)) - u.at((r + 1, c)));
            (1.0 + 0.5 * (falling.powi(2) + rising.powi(2))).sqrt()
        })
    })
}

type Surface = for<'t> fn(Array<'t>) -> Scalar<'t>;

fn grid(name: &str, n: usize, f: Surface, known: Option<Known>) -> Box<dyn Case> {
    Box::new(Workload {
        name: format!("{name} {n}²"),
        trace: Box::new(move || Function::trace(vector(n * n), |u| f(u.reshape(&[n, n])))),
        arguments: Rc::new(move || sines(n * n, 0.5, 0.3)),
        borrow: |u| (u, u),
        known,
    })
}

pub(crate) fn bratu(n: usize) -> Box<dyn Case> {
    let known = match n {
        100 => Some(Known::new(
            [316.1947073996826, 28.059478708374524, 87.54491118700288],
            [0.8986602794164384, 1.100328037903125, 0.9968700149469447],
            [2.596570704370056, 0.6847891787599484, -1.3160410934947648],
        )),
        1000 => Some(Known::new(
            [40920.46926719366, 382.7111061290289, 1271.3404434018207],
            [0.49948661525419163, 0.9609681847630659, 1.2461888443701772],
            [2.8973103906973185, 1.9692907679867653, -0.22898094596495494],
        )),
        _ => None,
    };
    grid("W7", n, bratu_energy, known)
}

pub(crate) fn surface(n: usize) -> Box<dyn Case> {
    let known = match n {
        100 => Some(Known::new(
            [10032.50377676361, 21.678391825517558, 72.31302928273705],
            [-0.06491620511093954, 0.1706812371135213, 0.11041821473193787],
            [0.04738819179302586, 0.07465790497713776, -0.47047595714294976],
        )),
        1000 => Some(Known::new(
            [1028566.2879171579, 282.107007346159, 940.3974613039538],
            [-0.13544273696648942, 0.10225989046869234, 0.2318283356172939],
            [0.6580120906926665, 0.7298359204740592, 0.09645715834144634],
        )),
        _ => None,
    };
    grid("W7m", n, area, known)
}
