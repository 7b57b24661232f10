//! Derivatives against finite differences: does the program's derivative fit its values?
//!
//! For each real element of an active argument the forward derivative of every result is compared with a difference
//! that comes with its error; what is asked is agreement within that error and the rounding, at the scale of the numbers
//! compared, whatever it is. The same is done for the gradient, by its forward derivative: that
//! is the Hessian, column by column. Beside these stand laws that hold up to rounding: forward mode gives what
//! reverse mode gives, and the Hessian is symmetric.
//!
//! A kink at the point is found by the differences to its left and to its right, and is reported as such; so are jumps and
//! points at the edge of the domain. Where no difference is sure enough to tell the derivative from another one, that is
//! said, and not that they agree. Not claimed: that a derivative is right at other points, or anything of what the
//! smallest steps, of |x|·ε^¾, do not resolve.

mod comparison;
mod difference;
mod evaluation;
mod subject;

use crate::buffers::{Input, Slot, check as check_buffers};
use crate::error::CallError;
use crate::explain::ExplainError;
pub use comparison::Verdict;
use evolute_ir::Program;
use evolute_transforms::derive::{self, DeriveError};
use std::fmt;
use subject::Subject;
use thiserror::Error;

/// The comparison for one element of one input: of all results' elements, the one that fits worst.
#[derive(Clone, Debug, PartialEq)]
pub struct InputCheck {
    /// Which argument, from 0.
    pub argument: usize,
    /// Which element of it, row-major.
    pub element: usize,
    /// Which element of the results, all in a row.
    pub result: usize,
    /// The derivative that the program computes.
    pub derivative: f64,
    /// The finite difference; a NaN if there is none.
    pub difference: f64,
    /// The difference's estimated error.
    pub uncertainty: f64,
    /// What they say.
    pub verdict: Verdict,
}

/// What holds of right derivatives up to rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// ⟨J·v, w⟩ = ⟨v, Jᵀ·w⟩: forward and reverse derivatives of the function are the same.
    Adjoint,
    /// The same of the gradient.
    SecondAdjoint,
    /// The Hessian is symmetric.
    Symmetry,
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Law::Adjoint => "forward against reverse",
            Law::SecondAdjoint => "forward against reverse, of the gradient",
            Law::Symmetry => "symmetry of the Hessian",
        })
    }
}

/// A law where it fits worst: for one element of one input.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// Which law.
    pub law: Law,
    /// Which argument, from 0.
    pub argument: usize,
    /// Which element of it, row-major.
    pub element: usize,
    /// What should be equal to `right`.
    pub left: f64,
    /// What should be equal to `left`.
    pub right: f64,
    /// How far they may be apart.
    pub tolerance: f64,
}

impl Identity {
    /// Whether both sides are equal, up to the tolerance.
    pub fn holds(&self) -> bool {
        self.excess() <= 0.0
    }

    /// A NaN is infinitely far from a number.
    fn excess(&self) -> f64 {
        let excess = (self.left - self.right).abs() - self.tolerance;
        if excess.is_nan() { f64::INFINITY } else { excess }
    }
}

/// What is found of a function at a point.
#[derive(Clone, Debug, PartialEq)]
pub struct DerivativeCheck {
    /// The derivatives against differences of the function, one entry an active input element.
    pub first: Vec<InputCheck>,
    /// The derivatives of the gradient against differences of the gradient. Of a function whose result is not one
    /// scalar it is the gradient of its results' sum, with weights.
    pub second: Vec<InputCheck>,
    /// The laws.
    pub laws: Vec<Identity>,
}

impl DerivativeCheck {
    /// Whether nothing is wrong. What cannot be checked, kinks and jumps are not; see [`is_complete`](Self::is_complete).
    pub fn passed(&self) -> bool {
        self.verdicts().all(|verdict| !verdict.is_failure()) && self.laws.iter().all(Identity::holds)
    }

    /// Whether everything could be checked, at a point without kinks and jumps.
    pub fn is_complete(&self) -> bool {
        let agrees = |verdict| matches!(verdict, Verdict::Agrees | Verdict::AgreesOneSided);
        self.verdicts().all(|verdict| agrees(verdict) || verdict.is_failure())
    }

    fn verdicts(&self) -> impl Iterator<Item = Verdict> {
        self.first.iter().chain(&self.second).map(|input| input.verdict)
    }
}

impl fmt::Display for DerivativeCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (inputs, order) in [(&self.first, "derivative"), (&self.second, "second derivative")] {
            writeln!(f, "argument  element  {order:>24}  {:>24}  uncertainty", "finite difference")?;
            for input in inputs {
                let InputCheck { argument, element, result: _, derivative, difference, uncertainty, verdict } =
                    input;
                writeln!(
                    f,
                    "{argument:>8}  {element:>7}  {derivative:>24.16e}  {difference:>24.16e}  {uncertainty:>11.1e}  \
                     {verdict}"
                )?;
            }
        }
        for identity in &self.laws {
            let Identity { law, argument, element, left, right, .. } = identity;
            match identity.holds() {
                true => writeln!(f, "{law}: holds")?,
                false => writeln!(
                    f,
                    "{law}: ← fails at element {element} of argument {argument}, {left:e} and {right:e}"
                )?,
            }
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

/// Compares the derivatives of `program` with respect to the arguments `wrt` at `inputs` with finite differences, to the
/// second order, and forward mode with reverse mode. Takes about forty evaluations of the function and of its gradient
/// an input element, of `f64`; half of that of `f32`.
///
/// # Errors
/// Arguments `wrt` or results that are not real, inputs that do not fit, or an evaluation that fails.
pub fn check_derivatives(
    program: &Program,
    wrt: &[usize],
    inputs: &[Input<'_>],
) -> Result<DerivativeCheck, CheckError> {
    let slots: Vec<Slot> = program.param_types().into_iter().map(Slot::new).collect();
    check_buffers(["input", "inputs"], &slots, inputs.iter().map(Input::extent))?;
    let function = Subject { program, wrt, inputs, data: Vec::new(), floor: 0.0 };
    let first = function.check()?;
    let results = program.result_types().len();
    let reverse = derive::vjp(program, wrt, None)?;
    let gradient = derive::keep(&reverse, |result| result >= results)?;
    // A gradient that is zero by cancellation is rounded as what it is the derivative of.
    let gradient = Subject { program: &gradient, wrt, inputs, data: function.weights(), floor: first.slope };
    let second = gradient.check()?;
    let laws = vec![
        function.adjoint(Law::Adjoint, &first)?,
        gradient.adjoint(Law::SecondAdjoint, &second)?,
        gradient.symmetry(&second)?,
    ];
    Ok(DerivativeCheck { first: first.inputs, second: second.inputs, laws })
}
