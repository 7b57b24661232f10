//! Dense linear algebra: the numbers are taken to where the library finds them, and brought back.

use super::decode::Decoder;
use super::steps::Step;
use super::{Machine, Slots};
use crate::entity::Value;
use crate::error::IrError;
use crate::linalg::{Linalg, Run};
use evolute_kernels::Dense;
use std::mem::MaybeUninit;

/// Room for the operands and the result of a call, and for what the library needs besides.
#[derive(Clone, Debug, Default)]
pub(super) struct Room {
    numbers: Vec<f64>,
    scratch: Vec<MaybeUninit<f64>>,
}

/// The sizes that are enough for every call.
#[derive(Clone, Copy, Default)]
pub(super) struct RoomSize {
    numbers: usize,
    scratch: usize,
}

impl RoomSize {
    pub(super) fn room(self) -> Room {
        Room { numbers: vec![0.0; self.numbers], scratch: vec![MaybeUninit::uninit(); self.scratch] }
    }
}

/// A call of the library.
pub(super) struct Library {
    function: Dense,
    operands: Vec<Slots>,
    to: Slots,
    extents: [usize; 2],
}

impl Decoder<'_> {
    pub(super) fn linalg(&mut self, value: Value, linalg: Linalg, operands: &[Value]) -> Result<(), IrError> {
        let read = &operands[linalg.read()];
        let part = self.program.ty(value).shape.len();
        match linalg.run() {
            Run::Library(function) => return self.library(value, function, read),
            Run::FirstRows => self.places[value] = self.places[read[0]].part(0, part),
            Run::LastRows => {
                let all = &self.places[read[0]];
                self.places[value] = all.part(all.len() - part, part);
            }
        }
        Ok(())
    }

    fn library(&mut self, value: Value, function: Dense, operands: &[Value]) -> Result<(), IrError> {
        let extents = match *self.program.ty(operands[operands.len() - 1]).shape.extents() {
            [m, n] => [m as usize, n as usize],
            _ => unreachable!("the verifier checked the operands"),
        };
        let operands: Vec<Slots> = operands.iter().map(|&v| self.places[v].clone()).collect();
        let to = self.define(value)?;
        let numbers = to.len() + operands.iter().map(Slots::len).sum::<usize>();
        self.dense.numbers = self.dense.numbers.max(numbers);
        self.dense.scratch = self.dense.scratch.max(function.scratch_len(extents));
        self.push(Step::Library(Library { function, operands, to, extents }));
        Ok(())
    }
}

impl Library {
    pub(super) fn execute(&self, m: &mut Machine) {
        let mut room = std::mem::take(&mut m.dense);
        let (result, mut rest) = room.numbers.split_at_mut(self.to.len());
        let mut operands: [&[f64]; 2] = [&[], &[]];
        for (slots, operand) in self.operands.iter().zip(&mut operands) {
            let (numbers, others) = rest.split_at_mut(slots.len());
            (0..).zip(&mut *numbers).for_each(|(i, x)| *x = f64::from_bits(m.get(slots, i)));
            (*operand, rest) = (numbers, others);
        }
        self.function.run(operands, result, &mut room.scratch, self.extents);
        (0..).zip(&*result).for_each(|(i, x)| m.put(&self.to, i, x.to_bits()));
        m.dense = room;
    }
}
