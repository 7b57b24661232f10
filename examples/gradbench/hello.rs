//! `hello`: the square of a number, and twice a number as the derivative of the square.

use super::job::{Job, Problem, job, parse, unknown};
use evolute::prelude::*;
use serde_json::{Value, json};

pub(crate) fn prepare(function: &str, input: Value) -> Result<Box<dyn Job>, Problem> {
    let x: f64 = parse(input)?;
    let square = Function::scalar(scalar(), |x| x * x)?;
    let f = match function {
        "square" => square,
        "double" => Function::scalar(scalar(), |x| grad(|x| square.call(x), *x))?,
        _ => return Err(unknown(function)),
    };
    let f = f.compile()?;
    let mut workspace = f.workspace();
    Ok(job(0.0, move |y| f.call_into(&x, y, &mut workspace), |y| json!(y)))
}
