//! `ode`: a Runge-Kutta solution of `y₀' = x₀, yᵢ' = xᵢ yᵢ₋₁` up to the time 2, and the gradient of its last element.

use super::job::{Job, Problem, gradient, job, parse, require, unknown};
use evolute::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Input {
    x: Vec<f64>,
    s: usize,
}

/// The slopes at `y`.
fn slopes<'t>(x: Array<'t>, y: Array<'t>) -> Array<'t> {
    let n = x.size();
    concat(&[x.slice(0, 0..1), x.slice(0, 1..n) * y.slice(0, 0..n - 1)], 0)
}

/// `y` at the time 2, after so many steps from 0.
fn solution<'t>(x: Array<'t>, steps: usize) -> Array<'t> {
    let h = 2.0 / steps as f64;
    scan(steps, x * 0.0, |y, _| {
        let k1 = slopes(x, y);
        let k2 = slopes(x, y + k1 * (h / 2.0));
        let k3 = slopes(x, y + k2 * (h / 2.0));
        let k4 = slopes(x, y + k3 * h);
        y + (k1 + 2.0 * k2 + 2.0 * k3 + k4) * (h / 6.0)
    })
}

pub(crate) fn prepare(function: &str, input: Value) -> Result<Box<dyn Job>, Problem> {
    let Input { x, s } = parse(input)?;
    require(!x.is_empty() && s > 0, "an unknown and a step")?;
    let n = x.len();
    match function {
        "primal" => {
            let f = Function::trace(vector(n), |x| solution(*x, s))?.compile()?;
            let mut workspace = f.workspace();
            Ok(job(vec![0.0; n], move |y| f.call_into(&x, y, &mut workspace), |y| json!(y)))
        }
        "gradient" => gradient(&Function::trace(vector(n), |x| solution(*x, s).at(n - 1))?, x),
        _ => Err(unknown(function)),
    }
}
