//! `lse`: the logarithm of a sum of exponentials, shifted by the largest term, and its gradient.

use super::job::{Job, Problem, parse, primal_or_gradient, require};
use evolute::prelude::*;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Input {
    x: Vec<f64>,
}

pub(crate) fn prepare(function: &str, input: Value) -> Result<Box<dyn Job>, Problem> {
    let Input { x } = parse(input)?;
    require(!x.is_empty(), "a number")?;
    let f = Function::trace(vector(x.len()), |x| {
        let largest = x.maximum();
        largest + (x - largest).exp().sum().ln()
    })?;
    primal_or_gradient(function, &f, x)
}
