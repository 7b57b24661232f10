//! Indices taken as right: limited to their array in place of being checked.
//!
//! An index below 0 stands for 0, one past the end for the last. It is an operation of the program, so that interpreter
//! and native code agree and nothing is ever read outside; what then cannot fail is not checked. Where an index
//! is known to be in range, nothing is done. In an array without elements there is none, and the check stays.

use super::Copy;
use evolute_ir::{Bounds, Builder, Inst, IrError, Literal, Op, Prim, Value};

impl<'a> Copy<'a> {
    pub(super) fn with_clamped_indices(self) -> Self {
        Copy { clamps: Some(Bounds::new(self.from)), ..self }
    }

    /// The operands of an instruction, with those limited that are indices.
    pub(super) fn clamped(
        &self,
        builder: &mut Builder,
        inst: Inst,
        operands: &mut [Value],
    ) -> Result<(), IrError> {
        let first = match self.from.op(inst) {
            Op::At => 1,
            Op::AddAt => 2,
            Op::Const(_)
            | Op::Prim(_)
            | Op::Cast(_)
            | Op::Select
            | Op::Element(_)
            | Op::Pack(_)
            | Op::Iota(_)
            | Op::View(..)
            | Op::Spread(..)
            | Op::Reduce(..)
            | Op::Dot
            | Op::External(_)
            | Op::Call(_)
            | Op::Linalg(_)
            | Op::Loop { .. }
            | Op::Cond { .. }
            | Op::Custom { .. }
            | Op::LinearSolve { .. }
            | Op::Jvp { .. }
            | Op::Vjp { .. } => return Ok(()),
        };
        let Some(bounds) = &self.clamps else { return Ok(()) };
        let from = &self.from.operands(inst)[first..];
        let extents = self.from.ty(self.from.operands(inst)[0]).shape.extents();
        for ((index, &known), &extent) in operands[first..].iter_mut().zip(from).zip(extents) {
            if extent > 0 && !bounds.is_below(known, extent) {
                let [zero, last] = [0, i64::from(extent) - 1].map(|x| builder.constant(Literal::I64(x)));
                let above = builder.insert(Op::Prim(Prim::Max), &[*index, zero])?;
                *index = builder.insert(Op::Prim(Prim::Min), &[above, last])?;
            }
        }
        Ok(())
    }
}
