//! A function ready to be called.

use crate::error::Error;
use crate::spec::{Inputs, Outputs, Spec};
use evolute_runtime::{Executable, Workspace};
use std::marker::PhantomData;

/// A compiled (or interpreted) function from `S` to `R`. Shared between threads; each calls with its own
/// [`Workspace`]. Its code is freed when it is dropped.
pub struct Compiled<S, R> {
    executable: Executable,
    outputs: R,
    inputs: PhantomData<fn(S)>,
}

impl<S: Spec, R: Spec> Compiled<S, R> {
    pub(crate) fn new(executable: Executable, outputs: R) -> Self {
        Compiled { executable, outputs, inputs: PhantomData }
    }

    /// Evaluates the function; allocates the result and a workspace. In a loop use
    /// [`call_into`](Compiled::call_into).
    ///
    /// # Errors
    /// Inputs of the wrong length; an integer divided by zero, or `i64::MIN` by −1.
    pub fn call(&self, x: S::Host<'_>) -> Result<R::Owned, Error> {
        let mut result = self.outputs.allocate();
        self.call_into(x, R::borrow_mut(&mut result), &mut self.workspace())?;
        Ok(result)
    }

    /// Evaluates the function into `result`. With a workspace of this function nothing is allocated.
    ///
    /// # Errors
    /// Inputs or results of the wrong length; an integer divided by zero, or `i64::MIN` by −1. Then `result` is
    /// unspecified.
    #[inline]
    pub fn call_into(
        &self,
        x: S::Host<'_>,
        result: R::HostMut<'_>,
        workspace: &mut Workspace,
    ) -> Result<(), Error> {
        let mut inputs = Inputs::new();
        S::inputs(x, &mut inputs);
        let mut outputs = Outputs::new();
        R::outputs(result, &mut outputs);
        Ok(self.executable.call_into(&inputs, &mut outputs, workspace)?)
    }

    /// Memory for calls.
    pub fn workspace(&self) -> Workspace {
        self.executable.workspace()
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
