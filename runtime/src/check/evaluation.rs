//! A program with its inputs set, evaluated again and again while some of them change.

use super::CheckError;
use crate::buffers::Input;
use crate::error::CallError;
use evolute_ir::{Interpreter, Literal, Machine, Program, Type};
use evolute_transforms::inline::{Between, evaluable};

/// A decoded program and its state. Parameters past the inputs are zero until they are set.
pub(super) struct Evaluation {
    interpreter: Interpreter,
    machine: Machine,
    params: Vec<Type>,
    results: Vec<Type>,
}

impl Evaluation {
    pub(super) fn new(program: &Program, inputs: &[Input<'_>]) -> Result<Evaluation, CheckError> {
        let program = evaluable(program, Between::Keep)?;
        let interpreter = Interpreter::new(&program)?;
        let mut machine = interpreter.machine();
        for (param, input) in inputs.iter().enumerate() {
            input.set(&interpreter, &mut machine, param);
        }
        let (params, results) = (program.param_types(), program.result_types());
        Ok(Evaluation { interpreter, machine, params, results })
    }

    pub(super) fn set(&mut self, param: usize, element: usize, x: f64) {
        let literal = Literal::from_f64(self.params[param].elem, x);
        self.interpreter.set(&mut self.machine, param, element, literal);
    }

    /// Sets the parameters from number `first` on.
    pub(super) fn set_all(&mut self, first: usize, arrays: &[Vec<f64>]) {
        for (number, array) in arrays.iter().enumerate() {
            array.iter().enumerate().for_each(|(element, &x)| self.set(first + number, element, x));
        }
    }

    /// The elements of the results from number `first` on.
    pub(super) fn run(&mut self, first: usize) -> Result<Vec<f64>, CheckError> {
        self.interpreter.run(&mut self.machine).map_err(CallError::from)?;
        let mut all = Vec::new();
        for (index, ty) in self.results.iter().enumerate().skip(first) {
            let slots = self.interpreter.result(&self.machine, index);
            all.extend(slots.map(|slot| Literal::from_slot(ty.elem, slot).as_real().unwrap_or(0.0)));
        }
        Ok(all)
    }
}
