//! A region, evaluated by itself: the whole program, an iteration of a loop, a branch that was taken.

use super::ExplainError;
use crate::error::CallError;
use evolute_ir::{Interpreter, Literal, Machine, Program, Region, Value};
use std::collections::BTreeMap;
use std::rc::Rc;

/// The regions of a program, each decoded when it is first entered.
pub(super) struct Frames<'p> {
    pub(super) program: &'p Program,
    decoded: BTreeMap<Region, Rc<Interpreter>>,
}

impl<'p> Frames<'p> {
    pub(super) fn new(program: &'p Program) -> Self {
        Frames { program, decoded: BTreeMap::new() }
    }

    /// A frame of this region, to be given its parameters.
    pub(super) fn enter(&mut self, region: Region) -> Result<Frame<'p>, ExplainError> {
        let interpreter = match self.decoded.get(&region) {
            Some(interpreter) => interpreter.clone(),
            None => {
                let interpreter = Rc::new(Interpreter::of_region(self.program, region)?);
                self.decoded.insert(region, interpreter.clone());
                interpreter
            }
        };
        let machine = interpreter.machine();
        Ok(Frame { program: self.program, region, interpreter, machine })
    }
}

/// A region with the values of one evaluation.
pub(super) struct Frame<'p> {
    program: &'p Program,
    pub(super) region: Region,
    interpreter: Rc<Interpreter>,
    machine: Machine,
}

impl Frame<'_> {
    /// Gives a parameter its elements.
    pub(super) fn set(&mut self, param: usize, slots: impl IntoIterator<Item = u64>) {
        self.interpreter.set_all(&mut self.machine, param, slots.into_iter());
    }

    pub(super) fn run(&mut self) -> Result<(), ExplainError> {
        Ok(self.interpreter.run(&mut self.machine).map_err(CallError::from)?)
    }

    /// The elements of a value of this region.
    pub(super) fn slots(&self, value: Value) -> impl Iterator<Item = u64> + '_ {
        self.interpreter.peek(&self.machine, value)
    }

    /// The elements as numbers; those that are not real are finite.
    pub(super) fn numbers(&self, value: Value) -> impl Iterator<Item = f64> + '_ {
        let elem = self.program.ty(value).elem;
        self.slots(value)
            .map(move |slot| Literal::from_slot(elem, slot).as_real().unwrap_or(slot as i64 as f64))
    }

    /// The number; of an array the first that is not finite, or the first.
    pub(super) fn number(&self, value: Value) -> f64 {
        let bad = self.numbers(value).find(|x| !x.is_finite());
        bad.or_else(|| self.numbers(value).next()).unwrap_or(0.0)
    }

    /// Whether a number of the value is not finite.
    pub(super) fn is_bad(&self, value: Value) -> bool {
        self.numbers(value).any(|x| !x.is_finite())
    }

    /// The scalar integer.
    pub(super) fn integer(&self, value: Value) -> i64 {
        self.slots(value).next().unwrap_or(0) as i64
    }
}
