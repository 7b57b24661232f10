//! Traced functions: the user's handle of a program.

mod border;
mod derivatives;
mod evaluation;
mod external;
mod inlined;
mod rule;
mod tracing;

use crate::compiled::Compiled;
use crate::error::Error;
use crate::spec::{Argument, Spec, count};
use border::types_of;
use evolute_ir::{Program, SourceLoc, Type, text, verify};
use evolute_runtime::check::{DerivativeCheck, check_derivatives};
use evolute_runtime::explain::{NanOrigin, explain_nan};
use evolute_runtime::{Executable, Options};
use evolute_transforms::pipeline::{self, Pipeline, Stage};
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

pub use tracing::Tracing;

/// A function traced from a Rust closure: from `S` to `R`, differentiated with respect to `A`.
///
/// Cheap to clone, and shared between threads. Derivatives are functions again, so they nest in any
/// order; nothing is differentiated or compiled until [`compile`](Function::compile).
///
/// ```
/// use evolute_frontend::{Function, Scalar};
///
/// let f = Function::scalar(2, |x| (x[0] * x[1]).sin() + 3.0 * x[0].powi(2))?;
/// let hvp = f.hvp()?.compile()?;
/// let h = hvp.call((&[0.5, 2.0], &[1.0, 0.0]))?;
/// assert!((h[0] - (6.0 - 4.0 * 1f64.sin())).abs() < 1e-14);
/// # Ok::<(), evolute_frontend::Error>(())
/// ```
pub struct Function<S, R, A = S> {
    program: Arc<Program>,
    inputs: S,
    outputs: R,
    active: A,
    /// The program's parameters that `A` stands for.
    wrt: Vec<usize>,
}

impl<S: Clone, R: Clone, A: Clone> Clone for Function<S, R, A> {
    fn clone(&self) -> Self {
        Function {
            program: self.program.clone(),
            inputs: self.inputs.clone(),
            outputs: self.outputs.clone(),
            active: self.active.clone(),
            wrt: self.wrt.clone(),
        }
    }
}

/// Prints the program as traced, with its derivative operators.
impl<S, R, A> fmt::Display for Function<S, R, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.program.fmt(f)
    }
}

impl<S, R, A> fmt::Debug for Function<S, R, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Function of {} instructions", self.program.len())
    }
}

impl<S: Spec, R: Spec> Function<S, R> {
    /// A function differentiated with respect to everything.
    fn new(program: Program, inputs: S, outputs: R) -> Self {
        let wrt = (0..count(&inputs)).collect();
        let active = inputs.clone();
        Function { program: Arc::new(program), inputs, outputs, active, wrt }
    }

    /// The function of a program in text form.
    ///
    /// # Errors
    /// A text that is not a valid program, or one of another signature.
    ///
    /// ```
    /// use evolute_frontend::{Function, scalar, scalars};
    ///
    /// let f = Function::scalar(2, |x| x[0] * x[1].sin())?;
    /// let again = Function::parse(&f.to_string(), scalars(2), scalar())?;
    /// assert_eq!(again.to_string(), f.to_string());
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn parse(source: &str, inputs: S, outputs: R) -> Result<Self, Error> {
        let program = text::parse(source)?;
        verify(&program)?;
        let caller = Location::caller();
        let expected = (types_of(&inputs, caller)?, types_of(&outputs, caller)?);
        let found = (program.param_types(), program.result_types());
        if expected != found {
            let [expected, found] = [expected, found].map(|types| signature(&types));
            return Err(Error::Signature { expected, found, at: SourceLoc::of(caller) });
        }
        Ok(Function::new(program, inputs, outputs))
    }

    /// This function, differentiated with respect to its argument number `I` only; the others are data.
    ///
    /// ```
    /// use evolute_frontend::{Function, scalar, scalars};
    ///
    /// let f = Function::scalar((scalars(2), scalar()), |(x, t)| x[0] * x[1] * t)?;
    /// let gradient = f.wrt::<0>().grad()?.compile()?;
    /// assert_eq!(gradient.call((&[2.0, 3.0], &10.0))?, [30.0, 20.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    pub fn wrt<const I: usize>(&self) -> Function<S, R, <S as Argument<I>>::Spec>
    where
        S: Argument<I>,
    {
        let active = self.inputs.argument().clone();
        let offset = self.inputs.offset();
        let wrt = (offset..offset + count(&active)).collect();
        let (program, inputs, outputs) = (self.program.clone(), self.inputs.clone(), self.outputs.clone());
        Function { program, inputs, outputs, active, wrt }
    }
}

fn signature((params, results): &(Vec<Type>, Vec<Type>)) -> String {
    let list = |types: &[Type]| types.iter().map(Type::to_string).collect::<Vec<_>>().join(", ");
    format!("({}) -> ({})", list(params), list(results))
}

impl<S: Spec, R: Spec, A: Spec> Function<S, R, A> {
    // ── running ─────────────────────────────────────────────────────────────────────────────────

    /// Differentiates, simplifies and compiles to machine code.
    ///
    /// # Errors
    /// A program too large, or no machine code here; then [`interpreted`](Function::interpreted) works.
    pub fn compile(&self) -> Result<Compiled<S, R>, Error> {
        self.compile_with(&Options::default())
    }

    /// As [`compile`](Function::compile), with a choice of options.
    ///
    /// # Errors
    /// As [`compile`](Function::compile).
    pub fn compile_with(&self, options: &Options) -> Result<Compiled<S, R>, Error> {
        let executable = Executable::new(&self.program, options)?;
        Ok(Compiled::new(executable, self.outputs.clone()))
    }

    /// This function to be run by the interpreter: the same interface and the same bits, without machine
    /// code.
    ///
    /// # Errors
    /// A program too large.
    pub fn interpreted(&self) -> Result<Compiled<S, R>, Error> {
        self.compile_with(&Options::default().interpreted())
    }

    // ── seeing ──────────────────────────────────────────────────────────────────────────────────

    /// The program as traced, with its derivative operators.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The program after each pass of the default options.
    ///
    /// # Errors
    /// A program too large.
    pub fn stages(&self) -> Result<Vec<Stage>, Error> {
        Ok(Pipeline::new(pipeline::Options::default()).stages(&self.program)?)
    }

    /// The simplified program as a Graphviz graph.
    ///
    /// # Errors
    /// A program too large.
    pub fn dot(&self) -> Result<String, Error> {
        let program = Pipeline::new(pipeline::Options::default()).run(&self.program)?;
        Ok(evolute_ir::dot(&program))
    }

    /// Where a NaN or infinity in the results at `x` first arises; `None` if all results are finite.
    ///
    /// # Errors
    /// Inputs that do not fit the function, or an evaluation that fails.
    ///
    /// ```
    /// use evolute_frontend::Function;
    ///
    /// let f = Function::scalar(1, |x| x[0].sqrt())?;
    /// assert!(f.explain_nan(&[0.0])?.is_none());
    /// let origin = f.grad()?.explain_nan(&[0.0])?.expect("the slope of √x at 0 is infinite");
    /// assert_eq!(origin.number, f64::INFINITY);
    /// println!("{origin}"); // the operation, its operands' values and its line
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    pub fn explain_nan(&self, x: S::Host<'_>) -> Result<Option<NanOrigin>, Error> {
        let mut inputs = Default::default();
        S::inputs(x, &mut inputs);
        Ok(explain_nan(&self.program, &inputs)?)
    }

    /// Compares the derivatives of this function at `x` with finite differences.
    ///
    /// # Errors
    /// Inputs that do not fit the function or are not real, or an evaluation that fails.
    ///
    /// ```
    /// use evolute_frontend::Function;
    ///
    /// let f = Function::scalar(2, |x| x[0].sin() * x[1])?;
    /// assert!(f.check_derivatives(&[0.3, 2.0])?.passed());
    /// let hidden = Function::scalar(1, |x| x[0] * x[0].stop_gradient())?;
    /// assert!(!hidden.check_derivatives(&[3.0])?.passed());
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    pub fn check_derivatives(&self, x: S::Host<'_>) -> Result<DerivativeCheck, Error> {
        let mut inputs = Default::default();
        S::inputs(x, &mut inputs);
        Ok(check_derivatives(&self.program, &self.wrt, &inputs)?)
    }
}
