//! Derivatives against finite differences: does the program's derivative fit its values?
//!
//! For each real input element the forward derivative of every result is compared with a central
//! difference of two step sizes, combined by Richardson's extrapolation; their disagreement estimates the
//! difference's own error, and the tolerance grows with it. A kink between the sample points shows up
//! as a large estimate, and is reported as such rather than as a wrong derivative.

use crate::buffers::{Input, Slot, check as check_buffers};
use crate::error::CallError;
use crate::explain::ExplainError;
use evolute_ir::{Interpreter, Literal, Machine, Program, Type};
use evolute_transforms::derive::{self, DeriveError};
use evolute_transforms::inline::{Between, evaluable};
use std::fmt;
use thiserror::Error;

/// The comparison for one element of one input: of all results' elements, the one that fits worst.
#[derive(Clone, Debug, PartialEq)]
pub struct InputCheck {
    /// Which argument, from 0.
    pub argument: usize,
    /// Which element of it, row-major.
    pub element: usize,
    /// The derivative the program computes.
    pub derivative: f64,
    /// The finite difference.
    pub difference: f64,
    /// The difference's estimated error.
    pub uncertainty: f64,
    /// Whether they agree within tolerance.
    pub agrees: bool,
}

/// One entry an input element.
#[derive(Clone, Debug, PartialEq)]
pub struct DerivativeCheck {
    /// The comparisons, in the order of the inputs.
    pub inputs: Vec<InputCheck>,
}

impl DerivativeCheck {
    /// Whether all derivatives agree with the differences.
    pub fn passed(&self) -> bool {
        self.inputs.iter().all(|input| input.agrees)
    }
}

impl fmt::Display for DerivativeCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "argument  element  {:>24}  {:>24}  uncertainty", "derivative", "finite difference")?;
        for input in &self.inputs {
            let InputCheck { argument, element, derivative, difference, uncertainty, agrees } = input;
            let mark = if *agrees { "" } else { "  ← disagrees" };
            writeln!(
                f,
                "{argument:>8}  {element:>7}  {derivative:>24.16e}  {difference:>24.16e}  {uncertainty:>11.1e}{mark}"
            )?;
        }
        Ok(())
    }
}

/// Why there is no comparison.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CheckError {
    /// The function cannot be differentiated.
    #[error(transparent)]
    Derive(#[from] DeriveError),
    /// The function cannot be evaluated on these inputs.
    #[error(transparent)]
    Explain(#[from] ExplainError),
}

impl From<CallError> for CheckError {
    fn from(error: CallError) -> Self {
        CheckError::Explain(error.into())
    }
}

impl From<evolute_ir::IrError> for CheckError {
    fn from(error: evolute_ir::IrError) -> Self {
        CheckError::Derive(error.into())
    }
}

/// Relative agreement asked of a smooth function in `f64`.
pub(crate) const TOLERANCE: f64 = 1e-7;

/// Compares the derivatives of `program` with respect to the arguments `wrt` at `inputs` with finite
/// differences. Takes four evaluations and a derivative an input element.
///
/// # Errors
/// Arguments that are not real or do not fit, or an evaluation that fails.
pub fn check_derivatives(
    program: &Program,
    wrt: &[usize],
    inputs: &[Input<'_>],
) -> Result<DerivativeCheck, CheckError> {
    let slots: Vec<Slot> = program.param_types().into_iter().map(Slot::new).collect();
    check_buffers(["input", "inputs"], &slots, inputs.iter().map(Input::extent))?;
    let mut value = Evaluation::new(&evaluable(program, Between::Keep)?, inputs)?;
    let mut tangent = Evaluation::new(&evaluable(&derive::jvp(program, wrt, None)?, Between::Keep)?, inputs)?;
    let mut checks = Vec::new();
    for (position, &argument) in wrt.iter().enumerate() {
        for element in 0..slots[argument].ty.shape.len() {
            let x = inputs[argument].get(element).as_real().unwrap_or(0.0);
            let seed = slots.len() + position;
            tangent.set(seed, element, 1.0);
            let derivatives = tangent.run()?;
            tangent.set(seed, element, 0.0);
            let derivatives = &derivatives[derivatives.len() / 2..];
            let steps = Steps::new(&slots[argument].ty, x);
            let differences = steps.differences(|x| {
                value.set(argument, element, x);
                value.run()
            })?;
            value.set(argument, element, x);
            checks.push(worst(argument, element, derivatives, &differences));
        }
    }
    Ok(DerivativeCheck { inputs: checks })
}

fn worst(argument: usize, element: usize, derivatives: &[f64], differences: &[(f64, f64)]) -> InputCheck {
    let compare = |(&derivative, &(difference, uncertainty)): (&f64, &(f64, f64))| {
        let error = (derivative - difference).abs();
        let scale = derivative.abs().max(difference.abs()).max(1.0);
        let same = derivative == difference || (derivative.is_nan() && difference.is_nan());
        let agrees = same || error <= TOLERANCE * scale + 8.0 * uncertainty;
        let check = InputCheck { argument, element, derivative, difference, uncertainty, agrees };
        (if agrees { error / scale } else { f64::INFINITY }, check)
    };
    let all = derivatives.iter().zip(differences).map(compare);
    let none =
        InputCheck { argument, element, derivative: 0.0, difference: 0.0, uncertainty: 0.0, agrees: true };
    all.max_by(|(a, _), (b, _)| a.total_cmp(b)).map_or(none, |(_, check)| check)
}

/// The sample points around `x`.
pub(crate) struct Steps {
    x: f64,
    h: f64,
    epsilon: f64,
}

impl Steps {
    pub(crate) fn new(ty: &Type, x: f64) -> Steps {
        let epsilon = match ty.elem {
            evolute_ir::Elem::F32 => f64::from(f32::EPSILON),
            _ => f64::EPSILON,
        };
        // The fifth root balances the rounding error ε/h with the extrapolated error h⁴.
        let h = epsilon.powf(0.2) * x.abs().max(1.0) * 0.25;
        Steps { x, h, epsilon }
    }

    /// For each result element the difference and its estimated error.
    pub(crate) fn differences<E>(
        &self,
        mut f: impl FnMut(f64) -> Result<Vec<f64>, E>,
    ) -> Result<Vec<(f64, f64)>, E> {
        let Steps { x, h, epsilon } = *self;
        let samples = [f(x - h)?, f(x - h / 2.0)?, f(x + h / 2.0)?, f(x + h)?];
        let differences = (0..samples[0].len()).map(|i| {
            let [a, b, c, d] = [0, 1, 2, 3].map(|s| samples[s][i]);
            let (wide, narrow) = ((d - a) / (2.0 * h), (c - b) / h);
            let best = narrow + (narrow - wide) / 3.0;
            let rounding = epsilon * [a, b, c, d].iter().fold(0.0, |m: f64, y| m.max(y.abs())) / h;
            (best, (best - narrow).abs() * 0.1 + rounding)
        });
        Ok(differences.collect())
    }
}

/// A decoded program with its inputs set; seeds past the inputs are zero.
struct Evaluation {
    interpreter: Interpreter,
    machine: Machine,
    types: Vec<Type>,
    results: Vec<Type>,
}

impl Evaluation {
    fn new(program: &Program, inputs: &[Input<'_>]) -> Result<Evaluation, CheckError> {
        let interpreter = Interpreter::new(program)?;
        let mut machine = interpreter.machine();
        for (param, input) in inputs.iter().enumerate() {
            let (_, len) = input.extent();
            interpreter.set_all(&mut machine, param, (0..len).map(|i| input.get(i).to_slot()));
        }
        let (types, results) = (program.param_types(), program.result_types());
        Ok(Evaluation { interpreter, machine, types, results })
    }

    fn set(&mut self, param: usize, element: usize, x: f64) {
        let literal = Literal::from_f64(self.types[param].elem, x);
        self.interpreter.set(&mut self.machine, param, element, literal);
    }

    /// All results' elements.
    fn run(&mut self) -> Result<Vec<f64>, CheckError> {
        self.interpreter.run(&mut self.machine).map_err(CallError::from)?;
        let mut all = Vec::new();
        for (index, ty) in self.results.iter().enumerate() {
            let slots = self.interpreter.result(&self.machine, index);
            all.extend(slots.map(|slot| Literal::from_slot(ty.elem, slot).as_real().unwrap_or(0.0)));
        }
        Ok(all)
    }
}
