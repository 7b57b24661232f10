//! A function ready to be called.

use crate::error::Error;
use crate::spec::{INLINE, Inputs, Outputs, Spec, located};
use evolute_runtime::{Executable, Workspace};

/// A compiled (or interpreted) function from `S` to `R`. Shared between threads; each calls with its own
/// [`Workspace`]. Its code is freed when it is dropped.
pub struct Compiled<S, R> {
    executable: Executable,
    inputs: S,
    outputs: R,
    /// Whether there are more arguments or results than are kept on the stack.
    many: bool,
}

impl<S: Spec, R: Spec> Compiled<S, R> {
    pub(crate) fn new(executable: Executable, inputs: S, outputs: R) -> Self {
        let many = executable.param_types().len().max(executable.result_types().len()) > INLINE;
        Compiled { executable, inputs, outputs, many }
    }

    /// Evaluates the function; allocates the result and a workspace. In a loop use
    /// [`call_into`](Compiled::call_into). Arguments are borrowed as the function was traced: slices of numbers, row-major,
    /// for arrays, references for scalars, tuples for tuples.
    ///
    /// # Errors
    /// Inputs of the wrong length, in a structure with the way to it ([`Error::Part`]); an integer divided by zero, or
    /// `i64::MIN` by −1; an index or a number of iterations out of range; what does not converge.
    ///
    /// ```
    /// use evolute_frontend::{Function, matrix, scalar};
    ///
    /// let f = Function::trace((matrix(2, 2), scalar()), |(a, t)| a * t)?.compile()?;
    /// assert_eq!(f.call((&[1.0, 2.0, 3.0, 4.0], &10.0))?, [10.0, 20.0, 30.0, 40.0]);
    /// assert!(f.call((&[1.0, 2.0, 3.0], &10.0)).is_err());
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    pub fn call(&self, x: S::Host<'_>) -> Result<R::Owned, Error> {
        let mut result = self.outputs.allocate();
        self.call_into(x, R::borrow_mut(&mut result), &mut self.workspace())?;
        Ok(result)
    }

    /// Evaluates the function into `result`. With a workspace of this function nothing is allocated. Results are lent as
    /// arguments are, to write: `&mut` of a slice or a number, a tuple of these for a tuple.
    ///
    /// # Errors
    /// As of [`call`](Compiled::call), and results of the wrong length. Then `result` is unspecified.
    ///
    /// ```
    /// use evolute_frontend::Function;
    ///
    /// let f = Function::scalar(2, |x| x[0].powi(2) * x[1])?.value_and_grad()?.compile()?;
    /// let mut workspace = f.workspace();
    /// let (mut x, mut value, mut gradient) = ([3.0, 2.0], 0.0, [0.0; 2]);
    /// for _ in 0..100 {
    ///     f.call_into(&x, (&mut value, &mut gradient[..]), &mut workspace)?;
    ///     (0..2).for_each(|i| x[i] -= 0.01 * gradient[i]);
    /// }
    /// assert!(value < 1.0);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[inline]
    pub fn call_into(
        &self,
        x: S::Host<'_>,
        result: R::HostMut<'_>,
        workspace: &mut Workspace,
    ) -> Result<(), Error> {
        if self.many {
            return self.call_with_many(x, result, workspace);
        }
        let (mut inputs, mut outputs) = (Inputs::new(), Outputs::new());
        self.inputs.inputs(x, &mut inputs);
        self.outputs.outputs(result, &mut outputs);
        inputs.complete().map_err(|wrong| wrong.within("input", &self.inputs))?;
        outputs.complete().map_err(|wrong| wrong.within("output", &self.outputs))?;
        let called = self.executable.call_into(&inputs, &mut outputs, workspace);
        called.map_err(|error| located(error, &self.inputs, &self.outputs))
    }

    /// As [`call_into`](Compiled::call_into), with the buffers in the memory of the workspace.
    #[inline(never)]
    fn call_with_many(
        &self,
        x: S::Host<'_>,
        result: R::HostMut<'_>,
        workspace: &mut Workspace,
    ) -> Result<(), Error> {
        let (inputs, outputs) = workspace.lend_buffers();
        let (mut inputs, mut outputs) = (Inputs::within_vec(inputs), Outputs::within_vec(outputs));
        self.inputs.inputs(x, &mut inputs);
        self.outputs.outputs(result, &mut outputs);
        inputs.complete().map_err(|wrong| wrong.within("input", &self.inputs))?;
        outputs.complete().map_err(|wrong| wrong.within("output", &self.outputs))?;
        let called = self.executable.call_into(&inputs, &mut outputs, workspace);
        workspace.take_buffers(inputs.into_vec(), outputs.into_vec());
        called.map_err(|error| located(error, &self.inputs, &self.outputs))
    }

    /// Memory for calls.
    pub fn workspace(&self) -> Workspace {
        let mut workspace = self.executable.workspace();
        if self.many {
            let [inputs, outputs] =
                [self.executable.param_types().len(), self.executable.result_types().len()];
            workspace.take_buffers(Vec::with_capacity(inputs), Vec::with_capacity(outputs));
        }
        workspace
    }

    /// What is run: its program, machine code, and what compiling took.
    pub fn executable(&self) -> &Executable {
        &self.executable
    }

    /// Cranelift's intermediate form of the machine code.
    ///
    /// # Errors
    /// No machine code can be made here.
    pub fn clif(&self) -> Result<String, Error> {
        Ok(self.executable.clif()?)
    }

    /// The machine code, disassembled.
    ///
    /// # Errors
    /// No machine code can be made here.
    pub fn disassembly(&self) -> Result<String, Error> {
        Ok(self.executable.disassembly()?)
    }
}
