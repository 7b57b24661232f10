//! How exact a result can be: evaluation with rounding errors made larger (Monte Carlo arithmetic; Parker, 1997).
//!
//! Every operation's result is multiplied by `1 + δ` with a random δ, |δ| ≤ [`AMPLITUDE`], some hundred times as large as a
//! rounding error. How far results then scatter is how far two correct ways of computing them may differ, whatever
//! cancels on the way; it is known without any reference value and without the derivatives under test.

use crate::choices::Choices;
use crate::walk;
use evolute::ir::{Buffer, Literal, Program, interp};

/// The largest relative error of an operation.
pub(crate) const AMPLITUDE: f64 = 1.0 / (1u64 << 43) as f64;

/// How often a program is evaluated with errors.
const SAMPLES: usize = 8;

/// A number and how far it may be off.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) value: f64,
    pub(crate) noise: f64,
}

impl Measured {
    /// Whether the two may be the same number.
    pub(crate) fn agrees(self, other: Measured) -> bool {
        (self.value - other.value).abs() <= self.noise + other.noise + f64::MIN_POSITIVE
    }

    /// Whether it says anything: it is finite, and larger than its error or small.
    pub(crate) fn is_certain(self) -> bool {
        self.value.is_finite() && self.noise <= 1e-3 * self.value.abs().max(1.0)
    }
}

/// A quantity formed of a program's results, which are `f64`: its value, and its scatter.
pub(crate) fn measure(
    program: &Program,
    inputs: &[Vec<f64>],
    choices: &mut Choices,
    quantity: impl Fn(&[Vec<f64>]) -> Sum,
) -> Measured {
    let exact = quantity(&evaluate(program, inputs, || 0.0));
    let mut noise = AMPLITUDE * exact.magnitude;
    for _ in 0..SAMPLES {
        let disturbed = quantity(&evaluate(program, inputs, || choices.between(-AMPLITUDE, AMPLITUDE)));
        // A NaN must not be lost, as it would be in `max`.
        let scatter = (disturbed.value - exact.value).abs();
        noise = if scatter <= noise { noise } else { scatter };
    }
    Measured { value: exact.value, noise }
}

/// A sum of products and the sum of their magnitudes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sum {
    pub(crate) value: f64,
    pub(crate) magnitude: f64,
}

/// The inner product.
pub(crate) fn dot<'a>(x: impl IntoIterator<Item = &'a f64>, y: impl IntoIterator<Item = &'a f64>) -> Sum {
    x.into_iter().zip(y).fold(Sum::default(), |sum, (x, y)| Sum {
        value: sum.value + x * y,
        magnitude: sum.magnitude + (x * y).abs(),
    })
}

/// The results of an operator-free program, each operation's relative error being what `error` gives.
fn evaluate(program: &Program, inputs: &[Vec<f64>], mut error: impl FnMut() -> f64) -> Vec<Vec<f64>> {
    let inputs: Vec<Vec<Literal>> =
        inputs.iter().map(|x| x.iter().copied().map(Literal::from).collect()).collect();
    let results = walk::evaluate(program, &inputs, |prim, arguments| {
        let exact = interp::eval_prim(prim, arguments).expect("real operations do not fail");
        disturbed(exact, error())
    });
    let real = |x: &Literal| x.as_real().expect("results are real");
    results.iter().map(|result| result.iter().map(real).collect()).collect()
}

fn disturbed(x: Literal, error: f64) -> Literal {
    match x {
        Literal::F64(bits) => Literal::from(f64::from_bits(bits) * (1.0 + error)),
        other => other,
    }
}

/// The results without errors, by the interpreter.
pub(crate) fn exact(program: &Program, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let interpreter = interp::Interpreter::new(program).expect("operators have been removed");
    let inputs: Vec<Buffer> = inputs.iter().map(|x| Buffer::F64(x.clone())).collect();
    let reals = |buffer: Buffer| match buffer {
        Buffer::F64(x) => x,
        other => panic!("{other:?} where `f64` was expected"),
    };
    interpreter.eval(&inputs).expect("real operations do not fail").into_iter().map(reals).collect()
}
