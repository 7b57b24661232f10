//! Decoding of what reads and adds to elements of an array: at an affine function of the index, or at computed indices.

use super::FailureKind;
use super::decode::Decoder;
use super::steps::{Indices, Step};
use crate::entity::{StridesId, Value};
use crate::error::IrError;
use crate::op::Op;
use crate::prim::Prim;

impl Decoder<'_> {
    pub(super) fn view(&mut self, value: Value, array: Value, strides: StridesId) -> Result<(), IrError> {
        let (from, to) = (self.places[array].clone(), self.define(value)?);
        let (strides, shape) = (self.program.strides(strides).clone(), self.program.ty(value).shape.clone());
        self.push(Step::View { from, to, strides, shape });
        Ok(())
    }

    pub(super) fn spread(&mut self, value: Value, array: Value, strides: StridesId) -> Result<(), IrError> {
        let (from, to) = (self.places[array].clone(), self.define(value)?);
        let (strides, shape) = (self.program.strides(strides).clone(), self.program.ty(array).shape.clone());
        let add = self.prim(Prim::Add, self.elem(value))?;
        self.push(Step::Spread { from, to, strides, shape, add });
        Ok(())
    }

    pub(super) fn at(&mut self, value: Value, operands: &[Value]) -> Result<(), IrError> {
        let indices = self.indices(value, operands[0], &operands[1..]);
        let (from, to) = (self.places[operands[0]].clone(), self.define(value)?);
        self.push(Step::At { from, to, indices });
        Ok(())
    }

    fn indices(&mut self, value: Value, array: Value, indices: &[Value]) -> Indices {
        let (extents, part) = self.program.ty(array).shape.extents().split_at(indices.len());
        let op = self.program.def_inst(value).map_or(Op::At, |inst| self.program.op(inst));
        Indices {
            slots: indices.iter().map(|&i| self.places[i].get(0)).collect(),
            extents: extents.into(),
            part: part.iter().map(|&e| e as usize).product(),
            check: self.check(FailureKind::index_of(op), Some(value)),
        }
    }

    /// A sum is added to in its place.
    pub(super) fn add_at(&mut self, value: Value, operands: &[Value]) -> Result<(), IrError> {
        let (array, term) = (operands[0], operands[1]);
        let to = match self.sums[array] {
            true => self.places[array].clone(),
            false => {
                let to = self.fresh(self.program.ty(array).shape.len())?;
                self.push(Step::Copy { from: self.places[array].clone(), to: to.clone() });
                to
            }
        };
        self.sums[value] = self.sums[array];
        self.places[value] = to.clone();
        let indices = self.indices(value, array, &operands[2..]);
        let (from, add) = (self.places[term].clone(), self.prim(Prim::Add, self.elem(array))?);
        self.push(Step::AddAt { from, to, indices, add });
        Ok(())
    }
}
