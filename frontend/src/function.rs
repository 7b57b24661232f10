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
use crate::spec::{Active, Argument, Inputs, Part, Spec, count};
use border::types_of;
use evolute_ir::{Callee, Program, SourceLoc, Type, text, verify};
use evolute_runtime::check::{DerivativeCheck, check_derivatives};
use evolute_runtime::explain::{NanOrigin, explain_nan};
use evolute_runtime::{Executable, Options};
use evolute_transforms::pipeline::{self, Pipeline, Stage};
use std::fmt;
use std::panic::Location;

pub use rule::Rule;
pub use tracing::{Closure, Tracing};

/// A function traced from a Rust closure: from `S` to `R`, differentiated with respect to `A`: to `S`, or a [`Part`] of
/// the arguments that were traced.
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
    /// Shared by all clones, and by all programs that call it.
    program: Callee,
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
        Function { program: Callee::new(program), inputs, outputs, active, wrt }
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
}

impl<S: Spec, R: Spec, A: Active> Function<S, R, A> {
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
    ///
    /// Several arguments are one if they are a tuple (or a struct): of `((a, b), data)` those in the inner one.
    ///
    /// ```
    /// # use evolute_frontend::{Function, scalar, scalars};
    /// let f = Function::scalar(((scalars(2), scalar()), scalar()), |((w, b), x)| (w[0] * x + w[1]) * b)?;
    /// let (of_w, of_b) = f.wrt::<0>().grad()?.compile()?.call(((&[2.0, 3.0], &10.0), &5.0))?;
    /// assert_eq!((of_w, of_b), (vec![50.0, 10.0], 13.0));
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    ///
    /// A derivative still has the arguments of the function, whatever it has beside them, and `wrt` chooses again
    /// among those. So derivatives are mixed, here ∂/∂t ∇ₓf:
    ///
    /// ```
    /// # use evolute_frontend::{Function, scalar, scalars};
    /// # let f = Function::scalar((scalars(2), scalar()), |(x, t)| x[0] * x[1] * t)?;
    /// let mixed = f.wrt::<0>().grad()?.wrt::<1>().jvp()?.compile()?;
    /// let (gradient, rate) = mixed.call(((&[2.0, 3.0], &10.0), &1.0))?;
    /// assert_eq!((gradient, rate), (vec![30.0, 20.0], vec![3.0, 2.0]));
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    pub fn wrt<const I: usize>(&self) -> Function<S, R, Part<A::Base, I>>
    where
        A::Base: Argument<I>,
    {
        let active = Part(self.active.base().clone());
        let offset = active.base().offset();
        let wrt = (offset..offset + count(active.spec())).collect();
        let (program, inputs, outputs) = (self.program.clone(), self.inputs.clone(), self.outputs.clone());
        Function { program, inputs, outputs, active, wrt }
    }
}

fn signature((params, results): &(Vec<Type>, Vec<Type>)) -> String {
    let list = |types: &[Type]| types.iter().map(Type::to_string).collect::<Vec<_>>().join(", ");
    format!("({}) -> ({})", list(params), list(results))
}

impl<S: Spec, R: Spec, A> Function<S, R, A> {
    // ── running ─────────────────────────────────────────────────────────────────────────────────

    /// Differentiates, simplifies and compiles to machine code: in time in proportion to the program, milliseconds for some
    /// hundreds of instructions. Compile once, and call often.
    ///
    /// # Errors
    /// A program too large, or no machine code here; then [`interpreted`](Function::interpreted) works.
    ///
    /// ```
    /// use evolute_frontend::Function;
    ///
    /// let f = Function::scalar(2, |x| x[0] * x[1].exp())?;
    /// let (f, gradient) = (f.compile()?, f.grad()?.compile()?);
    /// for x in [[1.0, 0.0], [2.0, 0.0]] {
    ///     assert_eq!((f.call(&x)?, gradient.call(&x)?), (x[0], vec![1.0, x[0]]));
    /// }
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    pub fn compile(&self) -> Result<Compiled<S, R>, Error> {
        self.compile_with(&Options::default())
    }

    /// As [`compile`](Function::compile), with a choice of options.
    ///
    /// # Errors
    /// As [`compile`](Function::compile).
    pub fn compile_with(&self, options: &Options) -> Result<Compiled<S, R>, Error> {
        let executable = Executable::new(&self.program, options)?;
        Ok(Compiled::new(executable, self.inputs.clone(), self.outputs.clone()))
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

    /// Where a NaN or infinity in the results at `x` first arises; `None` if all results are finite. Explains the
    /// program that [`compile`](Function::compile) makes; of other options
    /// [`explain_nan_with`](Function::explain_nan_with) does.
    ///
    /// # Errors
    /// Inputs that do not fit the function, or an evaluation that fails: then the error says on which numbers, and in which
    /// iteration.
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
        self.explain_nan_with(x, &Options::default())
    }

    /// As [`Function::explain_nan`], of the program that [`compile_with`](Function::compile_with) makes with these
    /// options: roundings differ between the modes, and with them what is not finite.
    ///
    /// # Errors
    /// As [`Function::explain_nan`].
    ///
    /// ```
    /// use evolute_frontend::Function;
    /// use evolute_runtime::Options;
    ///
    /// let f = Function::scalar(2, |x| (x[0] * x[0] - x[1] * x[1]).sqrt())?;
    /// let strict = Options::default().strict();
    /// assert!(f.explain_nan_with(&[0.1, 0.1], &strict)?.is_none()); // one fused product may be less than the other
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    pub fn explain_nan_with(&self, x: S::Host<'_>, options: &Options) -> Result<Option<NanOrigin>, Error> {
        let inputs = Inputs::of(&self.inputs, x)?;
        Ok(explain_nan(&self.program, options, &inputs)?)
    }

    /// Compares the derivatives of this function at `x` with finite differences, to the second order, and forward mode
    /// with reverse mode. For each input element it reports the derivative, the difference with its error, and a
    /// verdict; kinks, jumps, edges of the domain and what cannot be checked have one of their own. Takes about forty
    /// evaluations of the function and of its gradient an input element, by the interpreter.
    ///
    /// # Errors
    /// Inputs that do not fit the function, active arguments or results that are not real, or an evaluation that fails.
    ///
    /// ```
    /// use evolute_frontend::Function;
    ///
    /// let f = Function::scalar(2, |x| x[0].sin() * x[1])?;
    /// assert!(f.check_derivatives(&[0.3, 2.0])?.passed());
    /// let hidden = Function::scalar(1, |x| x[0] * x[0].stop_gradient())?;
    /// let check = hidden.check_derivatives(&[3e-8])?;
    /// assert!(!check.passed());
    /// println!("{check}"); // 3e-8 where the difference is 6e-8
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    pub fn check_derivatives(&self, x: S::Host<'_>) -> Result<DerivativeCheck, Error> {
        let inputs = Inputs::of(&self.inputs, x)?;
        Ok(check_derivatives(&self.program, &self.wrt, &inputs)?)
    }
}
