//! The type of a primitive's result. On real scalars, which nearly all operands are, a table tells it.

use super::{Inferred, expect_count, mismatch, scalar_type};
use crate::entity::{Entity, TypeId, Value};
use crate::error::IrError;
use crate::op::Op;
use crate::prim::{Class, Prim};
use crate::program::Program;
use crate::types::Elem;

/// The element kind of a scalar type.
fn scalar_elem(ty: TypeId) -> Option<Elem> {
    Elem::ALL.get(ty.index()).copied()
}

/// The type of a primitive's result on `N` real scalars, if they are that and the primitive takes them.
#[inline(always)]
pub(crate) fn of_reals<const N: usize>(prim: Prim, ty: TypeId) -> Option<TypeId> {
    let real = ty == scalar_type(Elem::F64) || ty == scalar_type(Elem::F32);
    let OfReals { arity, result } = OF_REALS[prim as usize];
    match result {
        RealResult::Same if real && arity == N => Some(ty),
        RealResult::Fixed(ty) if real && arity == N => Some(ty),
        RealResult::Same | RealResult::Fixed(_) | RealResult::None => None,
    }
}

/// What a primitive gives for real operands of one type.
#[derive(Clone, Copy)]
struct OfReals {
    arity: usize,
    result: RealResult,
}

#[derive(Clone, Copy)]
enum RealResult {
    /// It does not take them.
    None,
    /// A value of their type.
    Same,
    /// One of this type.
    Fixed(TypeId),
}

static OF_REALS: [OfReals; Prim::ALL.len()] = {
    let mut table = [OfReals { arity: 0, result: RealResult::None }; Prim::ALL.len()];
    let mut row = 0;
    while row < table.len() {
        let prim = Prim::ALL[row];
        table[row] = OfReals { arity: prim.arity(), result: of_real_operands(prim) };
        row += 1;
    }
    table
};

const fn of_real_operands(prim: Prim) -> RealResult {
    match prim.result() {
        _ if !takes_reals(prim.operands()) => RealResult::None,
        Class::R | Class::N | Class::A => RealResult::Same,
        Class::I => RealResult::Fixed(scalar_type(Elem::I64)),
        Class::B => RealResult::Fixed(scalar_type(Elem::Bool)),
    }
}

const fn takes_reals(classes: &[Class]) -> bool {
    match classes {
        [] => true,
        [Class::R | Class::N | Class::A, rest @ ..] => takes_reals(rest),
        [Class::I | Class::B, ..] => false,
    }
}

/// The type of a well-typed primitive on scalars, without looking up types.
fn infer_scalar_prim(program: &Program, prim: Prim, operands: &[Value]) -> Option<TypeId> {
    let classes = prim.operands();
    if operands.len() != classes.len() {
        return None;
    }
    let mut common = None;
    for (&operand, &class) in operands.iter().zip(classes) {
        let elem = scalar_elem(program.value(operand).ty).filter(|&elem| class.contains(elem))?;
        if class.fixed().is_none() && *common.get_or_insert(elem) != elem {
            return None;
        }
    }
    prim.result().fixed().or(common).map(scalar_type)
}

pub(super) fn infer_prim(program: &Program, prim: Prim, operands: &[Value]) -> Result<Inferred, IrError> {
    if let Some(ty) = infer_scalar_prim(program, prim, operands) {
        return Ok(Inferred::Known(ty));
    }
    let op = Op::Prim(prim);
    expect_count(op, operands, prim.arity())?;
    let mut common: Option<Elem> = None;
    for (&operand, &class) in operands.iter().zip(prim.operands()) {
        let ty = program.ty(operand);
        if !class.contains(ty.elem) {
            return Err(mismatch(op, class.describe(), ty.to_string()));
        }
        if class.fixed().is_none() {
            let elem = *common.get_or_insert(ty.elem);
            if elem != ty.elem {
                return Err(mismatch(op, format!("operands of one element, like {elem}"), ty.to_string()));
            }
        }
        let first = program.ty(operands[0]);
        if ty.shape != first.shape {
            return Err(mismatch(op, format!("operands of one shape, like {first}"), ty.to_string()));
        }
    }
    match prim.result().fixed().or(common) {
        Some(elem) if elem == program.ty(operands[0]).elem => {
            Ok(Inferred::Known(program.value(operands[0]).ty))
        }
        Some(elem) => Ok(Inferred::WithElem(operands[0], elem)),
        None => Ok(Inferred::Known(program.value(operands[0]).ty)),
    }
}
