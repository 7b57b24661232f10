//! `saddle`: the saddle point of `(x₁² + y₁²) − (x₂² + y₂²)`, as the least of greatest values: a descent whose objective
//! contains an ascent.

use super::argmin::{Mode, Point, argmax, argmin};
use super::job::{Job, Problem, job, parse, unknown};
use evolute::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Input {
    start: [f64; 2],
}

fn objective<'t>(p: &[Scalar<'t>], q: &[Scalar<'t>]) -> Scalar<'t> {
    (p[0].powi(2) + p[1].powi(2)) - (q[0].powi(2) + q[1].powi(2))
}

/// The saddle point as `[x₁, y₁, x₂, y₂]`.
fn saddle<'t>([outer, inner]: [Mode; 2], start: Point<'t>) -> Point<'t> {
    let greatest = |p: Point<'t>| {
        let q = argmax(inner, |q| objective(&p, &q), start.clone());
        objective(&p, &q)
    };
    let p = argmin(outer, greatest, start.clone());
    let q = argmax(outer, |q| objective(&p, &q), start.clone());
    [p, q].concat()
}

pub(crate) fn prepare(function: &str, input: Value) -> Result<Box<dyn Job>, Problem> {
    let Input { start } = parse(input)?;
    let modes = Mode::pair(function).ok_or_else(|| unknown(function))?;
    let f = Function::vector(2, |start| saddle(modes, start.to_vec()))?.compile()?;
    let mut workspace = f.workspace();
    Ok(job(vec![0.0; 4], move |y| f.call_into(&start, y, &mut workspace), |y| json!(y)))
}
