//! Insertion of instructions without regions: the path of every traced operation, so it is short where the operation is
//! a primitive on scalars.

use super::Builder;
use crate::entity::{Entity, Inst, Region, TypeId, Value};
use crate::error::IrError;
use crate::infer::{self, Inferred, scalar_type};
use crate::op::Op;
use crate::prim::Prim;
use crate::program::{Def, InstData, Limit, Program, ValueData};
use crate::types::{Elem, Literal, Type};

impl Builder {
    /// Inserts an instruction with one result.
    ///
    /// # Errors
    /// Operands of the wrong number or type, or of a closed region; a program too large.
    pub fn insert(&mut self, op: Op, operands: &[Value]) -> Result<Value, IrError> {
        match (op, operands) {
            (Op::Prim(prim), &[x]) => self.insert_prim(prim, [x]),
            (Op::Prim(prim), &[x, y]) => self.insert_prim(prim, [x, y]),
            (Op::Prim(prim), &[x, y, z]) => self.insert_prim(prim, [x, y, z]),
            _ => self.insert_any(op, operands),
        }
    }

    /// As [`Builder::insert`]. Nearly every instruction is a primitive of real scalars of the region at hand: its type
    /// is found without looking up types.
    fn insert_prim<const N: usize>(&mut self, prim: Prim, operands: [Value; N]) -> Result<Value, IrError> {
        let region = self.current();
        let values = &self.program.values;
        let ty = values[operands[0]].ty;
        let alike = operands.iter().all(|&v| values[v].ty == ty && values[v].region == region);
        match infer::of_reals::<N>(prim, ty) {
            Some(ty) if alike => match self.rewritten(Op::Prim(prim), &operands) {
                Some(value) => value,
                None => self.insert_typed(region, Op::Prim(prim), operands, ty),
            },
            _ => self.insert_any(Op::Prim(prim), &operands),
        }
    }

    fn insert_any(&mut self, op: Op, operands: &[Value]) -> Result<Value, IrError> {
        let region = self.current();
        if operands.iter().all(|&v| self.program.values[v].region == region) {
            return self.insert_resolved(region, op, operands);
        }
        let operands: Vec<Value> = operands.iter().map(|&v| self.resolve(v)).collect::<Result<_, _>>()?;
        self.insert_resolved(region, op, &operands)
    }

    fn insert_resolved(&mut self, region: Region, op: Op, operands: &[Value]) -> Result<Value, IrError> {
        match op {
            Op::Const(literal) => {
                self.room(0)?;
                return Ok(self.constant_in(region, literal));
            }
            Op::Pack(_) if operands.iter().any(|&v| self.is_empty(v)) => {
                let parts: Vec<Value> = operands.iter().copied().filter(|&v| !self.is_empty(v)).collect();
                return self.insert_resolved(region, op, &parts);
            }
            _ => {}
        }
        if let Some(value) = self.rewritten(op, operands) {
            return value;
        }
        let ty = match infer::infer(&self.program, op, operands)? {
            Inferred::Known(id) => id,
            Inferred::WithElem(v, elem) => self.with_elem(v, elem),
            Inferred::New(ty) => self.intern(&ty),
        };
        self.insert_typed(region, op, operands, ty)
    }

    fn rewritten(&mut self, op: Op, operands: &[Value]) -> Option<Result<Value, IrError>> {
        self.rewriter.and_then(|rewrite| rewrite(self, op, operands))
    }

    /// Inserts an instruction whose result is of type `ty`, unless it folds or is there already.
    #[inline(always)]
    fn insert_typed(
        &mut self,
        region: Region,
        op: Op,
        operands: impl AsRef<[Value]>,
        ty: TypeId,
    ) -> Result<Value, IrError> {
        let operands = operands.as_ref();
        if let Some(value) = self.fold(op, operands) {
            return Ok(value);
        }
        let key = self.key(region, op, operands);
        if let Some(value) = self.find(&key, op, operands) {
            self.lower_level(value);
            return Ok(value);
        }
        self.room(operands.len())?;
        let value = self.push_one(region, op, operands, ty);
        self.share(key, value);
        Ok(value)
    }

    fn is_empty(&self, value: Value) -> bool {
        self.program.ty(value).shape.is_empty()
    }

    fn with_elem(&mut self, like: Value, elem: Elem) -> TypeId {
        let ty = self.program.ty(like);
        if ty.is_scalar() {
            return scalar_type(elem);
        }
        let ty = Type { elem, shape: ty.shape.clone() };
        self.intern(&ty)
    }

    /// A scalar constant.
    pub fn constant(&mut self, literal: Literal) -> Value {
        self.constant_in(self.current(), literal)
    }

    pub(super) fn constant_in(&mut self, region: Region, literal: Literal) -> Value {
        if let Some(&value) = self.constants.get(&(region, literal)) {
            return value;
        }
        let origin = std::mem::take(&mut self.origin);
        let value = self.push_one(region, Op::Const(literal), &[], scalar_type(literal.elem()));
        self.origin = origin;
        self.constants.insert((region, literal), value);
        value
    }

    /// Whether one more instruction of so many operands may be inserted.
    #[inline(always)]
    fn room(&self, operands: usize) -> Result<(), IrError> {
        let Limit(limit) = self.program.limit;
        let fits = self.program.operands.len() + operands <= limit * Program::OPERANDS;
        match fits && self.program.insts.len() < limit {
            true => Ok(()),
            false => Err(too_large(limit)),
        }
    }

    /// Inserts an instruction of several results, or of none.
    pub(super) fn push_inst(
        &mut self,
        region: Region,
        op: Op,
        operands: &[Value],
        types: &[TypeId],
    ) -> Result<Inst, IrError> {
        self.room(operands.len())?;
        let inst = self.push(region, op, operands, types.len() as u32);
        for &ty in types {
            self.push_result(region, inst, ty);
        }
        Ok(inst)
    }

    #[inline(always)]
    fn push_one(&mut self, region: Region, op: Op, operands: &[Value], ty: TypeId) -> Value {
        let inst = self.push(region, op, operands, 1);
        self.push_result(region, inst, ty)
    }

    /// Appends an instruction whose results are appended next.
    #[inline(always)]
    fn push(&mut self, region: Region, op: Op, operands: &[Value], results: u32) -> Inst {
        let first_operand = self.program.operands.len() as u32;
        self.program.operands.extend_from_slice(operands);
        let inst = self.program.insts.push(InstData {
            op,
            first_operand,
            operand_count: operands.len() as u32,
            first_result: Value::new(self.program.values.len()),
            result_count: results,
        });
        self.program.regions[region].insts.push(inst);
        inst
    }

    #[inline(always)]
    fn push_result(&mut self, region: Region, inst: Inst, ty: TypeId) -> Value {
        self.add_value(ValueData { ty, region, def: Def::Result(inst), origin: self.origin })
    }
}

#[cold]
fn too_large(limit: usize) -> IrError {
    IrError::TooLarge { what: "the program", limit }
}
