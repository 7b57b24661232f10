//! `det`: the determinant of a small matrix by expansion by minors, and its gradient.
//!
//! The recursion visits `n!` products. A minor that it meets again is the same instructions, which the trace has
//! already: so the program has less than `n 2ⁿ` of them.

use super::job::{Job, Problem, parse, primal_or_gradient, require};
use evolute::prelude::*;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Input {
    #[serde(rename = "A")]
    a: Vec<f64>,
    ell: usize,
}

/// The determinant of the last rows of an `n × n` matrix, as many as there are `columns`, expanded along the first
/// of them.
fn minor<'t>(a: &[Scalar<'t>], n: usize, columns: &[usize]) -> Scalar<'t> {
    let row = n - columns.len();
    let mut sum = Scalar::from(0.0);
    for (k, &column) in columns.iter().enumerate() {
        let entry = a[row * n + column];
        let others: Vec<usize> = columns.iter().copied().filter(|&other| other != column).collect();
        let term = if others.is_empty() { entry } else { entry * minor(a, n, &others) };
        sum = if k == 0 {
            term
        } else if k % 2 == 0 {
            sum + term
        } else {
            sum - term
        };
    }
    sum
}

pub(crate) fn prepare(function: &str, input: Value) -> Result<Box<dyn Job>, Problem> {
    let Input { a, ell } = parse(input)?;
    require(ell > 0 && Some(a.len()) == ell.checked_mul(ell), "a square matrix `A` of `ell` rows")?;
    let columns: Vec<usize> = (0..ell).collect();
    let determinant = Function::trace(vector(ell * ell), |a| minor(&a.elements(), ell, &columns))?;
    primal_or_gradient(function, &determinant, a)
}
