//! The type of an operation's result, given its operands: the one statement of what is well typed,
//! used by the builder for each instruction and by the verifier again.

use crate::entity::{Entity, TypeId, Value};
use crate::error::IrError;
use crate::prim::Prim;
use crate::program::{Op, Program};
use crate::types::{Elem, Type};

/// How a result's type follows from the operands.
pub(crate) enum Inferred {
    /// It is this type of the program's table.
    Known(TypeId),
    /// It is the shape of an operand with another element.
    WithElem(Value, Elem),
}

/// The type of the result of `op` on `operands`; derivative operators are checked by
/// [`operator`](operator_signature).
pub(crate) fn infer(program: &Program, op: Op, operands: &[Value]) -> Result<Inferred, IrError> {
    match op {
        Op::Const(literal) => {
            expect_count(op, operands, 0)?;
            Ok(Inferred::Known(scalar_type(literal.elem())))
        }
        Op::Prim(prim) => infer_prim(program, prim, operands),
        Op::Cast(elem) => {
            expect_count(op, operands, 1)?;
            Ok(Inferred::WithElem(operands[0], elem))
        }
        Op::Select => infer_select(program, operands),
        Op::Element(index) => infer_element(program, index, operands),
        Op::Pack(ty) => infer_pack(program, ty, operands),
        Op::Jvp { .. } | Op::Vjp { .. } => {
            Err(mismatch(op, "a derivative operator to be built with its region", "none"))
        }
    }
}

/// The id of the scalar type of `elem`: every program's first types, in the order of [`Elem::ALL`].
pub(crate) const fn scalar_type(elem: Elem) -> TypeId {
    TypeId::from_u32(elem as u32)
}

/// The element kind of a scalar type.
fn scalar_elem(ty: TypeId) -> Option<Elem> {
    Elem::ALL.get(ty.index()).copied()
}

/// The type of a well-typed primitive on scalars, without looking up types: nearly all there is.
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

fn infer_prim(program: &Program, prim: Prim, operands: &[Value]) -> Result<Inferred, IrError> {
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

fn infer_select(program: &Program, operands: &[Value]) -> Result<Inferred, IrError> {
    expect_count(Op::Select, operands, 3)?;
    let [condition, yes, no] = [0, 1, 2].map(|i| program.ty(operands[i]));
    if condition.elem != Elem::Bool || condition.shape != yes.shape {
        return Err(mismatch(Op::Select, format!("a bool condition shaped like {yes}"), condition));
    }
    if yes != no {
        return Err(mismatch(Op::Select, format!("two values of one type, like {yes}"), no));
    }
    Ok(Inferred::Known(program.value(operands[1]).ty))
}

fn infer_element(program: &Program, index: u32, operands: &[Value]) -> Result<Inferred, IrError> {
    let op = Op::Element(index);
    expect_count(op, operands, 1)?;
    let ty = program.ty(operands[0]);
    if ty.is_scalar() || index as usize >= ty.shape.len() {
        return Err(mismatch(op, format!("an array of more than {index} elements"), ty));
    }
    Ok(Inferred::Known(scalar_type(ty.elem)))
}

fn infer_pack(program: &Program, id: TypeId, operands: &[Value]) -> Result<Inferred, IrError> {
    let op = Op::Pack(id);
    let ty = program.types.get(id).ok_or_else(|| mismatch(op, "a known type", "none"))?;
    if ty.is_scalar() {
        return Err(mismatch(op, "an array type", ty));
    }
    expect_count(op, operands, ty.shape.len())?;
    match operands.iter().find(|&&v| program.value(v).ty != scalar_type(ty.elem)) {
        Some(&odd) => Err(mismatch(op, format!("elements of type {}", ty.elem), program.ty(odd))),
        None => Ok(Inferred::Known(id)),
    }
}

/// The types of the operands that an operator on a region of these parameters and results takes, and
/// of the results it gives.
pub(crate) fn operator_signature(
    program: &Program,
    op: Op,
    params: &[Value],
    results: &[Value],
) -> Result<(Vec<TypeId>, Vec<TypeId>), IrError> {
    let (wrt, reverse) = match op {
        Op::Jvp { wrt, .. } => (wrt as usize, false),
        Op::Vjp { wrt, .. } => (wrt as usize, true),
        _ => return Err(mismatch(op, "a derivative operator", "another instruction")),
    };
    if wrt > params.len() {
        return Err(mismatch(op, format!("at least {wrt} parameters"), params.len()));
    }
    let (active, captured) = params.split_at(wrt);
    if let Some(&v) = active.iter().chain(results).find(|&&v| !program.ty(v).elem.is_real()) {
        return Err(mismatch(op, "real parameters and results", program.ty(v)));
    }
    let types = |values: &[Value]| values.iter().map(|&v| program.value(v).ty).collect::<Vec<_>>();
    let (seeds, derivatives) = if reverse { (results, active) } else { (active, results) };
    let operands = [types(active), types(seeds), types(captured)].concat();
    Ok((operands, [types(results), types(derivatives)].concat()))
}

fn expect_count(op: Op, operands: &[Value], count: usize) -> Result<(), IrError> {
    if operands.len() == count {
        return Ok(());
    }
    Err(mismatch(op, format!("{count} operands"), operands.len()))
}

pub(crate) fn mismatch(op: Op, expected: impl ToString, found: impl ToString) -> IrError {
    IrError::Type { op: op_name(op), expected: expected.to_string(), found: found.to_string() }
}

/// The name of an operation in the text form.
pub(crate) fn op_name(op: Op) -> String {
    match op {
        Op::Const(_) => "const".into(),
        Op::Prim(prim) => prim.name().into(),
        Op::Cast(_) => "cast".into(),
        Op::Select => "select".into(),
        Op::Element(_) => "element".into(),
        Op::Pack(_) => "pack".into(),
        Op::Jvp { .. } => "jvp".into(),
        Op::Vjp { .. } => "vjp".into(),
    }
}

impl From<&Type> for String {
    fn from(ty: &Type) -> String {
        ty.to_string()
    }
}
