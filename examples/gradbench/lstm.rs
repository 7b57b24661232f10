//! `lstm`: the loss of a recurrent network with diagonal weights that predicts the next character of a text, and its
//! gradient with respect to all weights.

use super::job::{Job, Problem, job, parse, require, unknown};
use evolute::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Input {
    main_params: Vec<Vec<f64>>,
    extra_params: Vec<Vec<f64>>,
    state: Vec<Vec<f64>>,
    sequence: Vec<Vec<f64>>,
}

/// The hidden state and the cell of a layer.
type Layer<'t> = (Array<'t>, Array<'t>);

/// The next state of a layer. Its weights and its biases are those of four gates, one after the other.
fn next<'t>((hidden, cell): Layer<'t>, input: Array<'t>, weights: Array<'t>, biases: Array<'t>) -> Layer<'t> {
    let n = input.size();
    let gate = |k: usize, x: Array<'t>| {
        x * weights.slice(0, k * n..(k + 1) * n) + biases.slice(0, k * n..(k + 1) * n)
    };
    let forget = gate(0, input).sigmoid();
    let ingate = gate(1, hidden).sigmoid();
    let outgate = gate(2, input).sigmoid();
    let change = gate(3, hidden).tanh();
    let cell = cell * forget + ingate * change;
    (outgate * cell.tanh(), cell)
}

/// The mean negative log likelihood of the text.
fn loss<'t>((main, extra): (Array<'t>, Array<'t>), state: Array<'t>, text: Array<'t>) -> Scalar<'t> {
    let (count, bits) = (text.shape()[0] - 1, text.shape()[1]);
    let layers: Vec<Layer> = (0..main.rows() / 2).map(|l| (state.row(2 * l), state.row(2 * l + 1))).collect();
    let (_, total) = scan(count, (layers, Scalar::from(0.0)), |(mut layers, total), t| {
        let mut signal = text.row(t) * extra.row(0);
        for (l, layer) in layers.iter_mut().enumerate() {
            *layer = next(*layer, signal, main.row(2 * l), main.row(2 * l + 1));
            signal = layer.0;
        }
        let prediction = signal * extra.row(1) + extra.row(2);
        let normaliser = (prediction.exp().sum() + 2.0).ln();
        (layers, total + (text.row(t + 1) * (prediction - normaliser)).sum())
    });
    -total / (count * bits) as f64
}

pub(crate) fn prepare(function: &str, input: Value) -> Result<Box<dyn Job>, Problem> {
    let Input { main_params, extra_params, state, sequence } = parse(input)?;
    require(!sequence.is_empty(), "a sequence of at least one character")?;
    let shape = |rows: &[Vec<f64>]| matrix(rows.len(), rows.first().map_or(0, Vec::len));
    let parameters = (shape(&main_params), shape(&extra_params));
    let inputs = (parameters, shape(&state), shape(&sequence));
    let f = Function::trace(inputs, |&(parameters, state, text)| loss(parameters, state, text))?;
    let [main, extra, state, text] = [main_params, extra_params, state, sequence].map(|rows| rows.concat());
    match function {
        "objective" => {
            let f = f.compile()?;
            let mut workspace = f.workspace();
            let run = move |y: &mut f64| f.call_into(((&main, &extra), &state, &text), y, &mut workspace);
            Ok(job(0.0, run, |y| json!(y)))
        }
        "jacobian" => {
            let f = f.wrt::<0>().grad()?.compile()?;
            let mut workspace = f.workspace();
            let split = main.len();
            let zeros = vec![0.0; main.len() + extra.len()];
            let run = move |g: &mut Vec<f64>| {
                let gradient = g.split_at_mut(split);
                f.call_into(((&main, &extra), &state, &text), gradient, &mut workspace)
            };
            Ok(job(zeros, run, |g| json!(g)))
        }
        _ => Err(unknown(function)),
    }
}
