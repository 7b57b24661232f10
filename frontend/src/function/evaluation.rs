//! A function, evaluated once.

use super::Function;
use crate::error::Error;
use crate::spec::{Inputs, Outputs, Spec, located};
use evolute_ir::Interpreter;
use evolute_runtime::{CallError, Input, Output};

impl<S: Spec, R: Spec, A> Function<S, R, A> {
    /// Evaluates this function once, by the interpreter, as it was traced: for trying things out. To evaluate it
    /// often, [`compile`](Function::compile) it.
    ///
    /// # Errors
    /// Inputs of the wrong length; a program too large; what fails in an evaluation: an integer division, an index
    /// out of range, a loop that runs past its cap.
    ///
    /// ```
    /// use evolute_frontend::{Function, vector};
    ///
    /// let f = Function::trace(vector(3), |x| x.exp().sum())?;
    /// assert_eq!(f.eval(&[0.0, 0.0, 0.0])?, 3.0);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    pub fn eval(&self, x: S::Host<'_>) -> Result<R::Owned, Error> {
        if self.program.any_op(|op| op.is_derivative() || op.is_implicit()) {
            return self.interpreted()?.call(x);
        }
        let interpreter = Interpreter::new(&self.program)?;
        let mut machine = interpreter.machine();
        let inputs = Inputs::of(&self.inputs, x)?;
        for (index, (input, ty)) in inputs.iter().zip(interpreter.params()).enumerate() {
            let len = length(input);
            if len != ty.shape.len() {
                let (expected, elem) = (ty.clone(), ty.elem);
                let error = CallError::Buffer { what: "input", index, expected, len, elem };
                return Err(located(error, &self.inputs, &self.outputs));
            }
            interpreter.set_all(&mut machine, index, (0..len).map(|i| input.get(i).to_slot()));
        }
        interpreter.run(&mut machine).map_err(CallError::from)?;
        let mut result = self.outputs.allocate();
        let mut outputs = Outputs::new();
        self.outputs.outputs(R::borrow_mut(&mut result), &mut outputs);
        for (index, output) in outputs.iter_mut().enumerate() {
            fill(output, interpreter.result(&machine, index));
        }
        drop(outputs);
        Ok(result)
    }
}

fn length(input: &Input<'_>) -> usize {
    match input {
        Input::F64(x) => x.len(),
        Input::F32(x) => x.len(),
        Input::I64(x) => x.len(),
        Input::Bool(x) => x.len(),
    }
}

fn fill(output: &mut Output<'_>, slots: impl Iterator<Item = u64>) {
    match output {
        Output::F64(x) => x.iter_mut().zip(slots).for_each(|(x, slot)| *x = f64::from_bits(slot)),
        Output::F32(x) => x.iter_mut().zip(slots).for_each(|(x, slot)| *x = f32::from_bits(slot as u32)),
        Output::I64(x) => x.iter_mut().zip(slots).for_each(|(x, slot)| *x = slot as i64),
        Output::Bool(x) => x.iter_mut().zip(slots).for_each(|(x, slot)| *x = slot & 1 == 1),
    }
}
