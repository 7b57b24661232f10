//! `llsq`: the squared distance of a polynomial from the sign function on a grid, and its gradient with respect to the
//! coefficients.

use super::job::{Job, Problem, parse, primal_or_gradient};
use evolute::prelude::*;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Input {
    x: Vec<f64>,
    n: usize,
}

/// `x₀ + x₁t + x₂t² + …`, by Horner's rule.
fn polynomial<'t>(x: Array<'t>, t: Scalar<'t>) -> Scalar<'t> {
    let highest_first = x.reversed(0);
    scan(x.size(), Scalar::from(0.0), |sum, j| sum * t + highest_first.at(j))
}

pub(crate) fn prepare(function: &str, input: Value) -> Result<Box<dyn Job>, Problem> {
    let Input { x, n } = parse(input)?;
    let step = 2.0 / (n as f64 - 1.0);
    let f = Function::trace(vector(x.len()), |&x| {
        let squares = sum(n, |i| {
            let t = i.to_f64() * step - 1.0;
            (t.sign() - polynomial(x, t)).powi(2)
        });
        0.5 * squares
    })?;
    primal_or_gradient(function, &f, x)
}
