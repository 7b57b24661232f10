//! The type of an operation's result, given its operands: the one statement of what is well typed,
//! used by the builder for each instruction and by the verifier again.

mod prim;

pub(crate) use prim::of_reals;

use crate::entity::{ExternalId, StridesId, TypeId, Value};
use crate::error::IrError;
use crate::linalg::Linalg;
use crate::op::Op;
use crate::prim::Class;
use crate::program::Program;
use crate::signature::list;
use crate::structure::Reduction;
use crate::types::{Elem, Shape, Type};

/// How a result's type follows from the operands.
pub(crate) enum Inferred {
    /// It is this type of the program's table.
    Known(TypeId),
    /// It is the shape of an operand with another element.
    WithElem(Value, Elem),
    /// It is this type.
    New(Type),
}

/// The type of the result of `op` on `operands`; of a call or an operation with regions `signature` tells.
pub(crate) fn infer(program: &Program, op: Op, operands: &[Value]) -> Result<Inferred, IrError> {
    match op {
        Op::Const(literal) => {
            expect_count(op, operands, 0)?;
            Ok(Inferred::Known(scalar_type(literal.elem())))
        }
        Op::Prim(prim) => prim::infer_prim(program, prim, operands),
        Op::Cast(elem) => {
            expect_count(op, operands, 1)?;
            Ok(Inferred::WithElem(operands[0], elem))
        }
        Op::Select => infer_select(program, operands),
        Op::Element(index) => infer_element(program, index, operands),
        Op::Pack(ty) => infer_pack(program, ty, operands),
        Op::Iota(ty) => infer_iota(program, ty, operands),
        Op::View(ty, strides) => infer_view(program, ty, strides, operands),
        Op::Spread(ty, strides) => infer_spread(program, ty, strides, operands),
        Op::Reduce(reduction, ty) => infer_reduce(program, reduction, ty, operands),
        Op::Dot => infer_dot(program, operands),
        Op::At => infer_at(program, operands),
        Op::AddAt => infer_add_at(program, operands),
        Op::Linalg(linalg) => infer_linalg(program, linalg, operands),
        Op::External(id) => infer_external(program, id, operands),
        Op::Call(_)
        | Op::Jvp { .. }
        | Op::Vjp { .. }
        | Op::Loop { .. }
        | Op::Cond { .. }
        | Op::Custom { .. }
        | Op::LinearSolve { .. } => {
            Err(mismatch(op, "to be built by its own function of the builder", "none"))
        }
    }
}

/// The id of the scalar type of `elem`: every program's first types, in the order of [`Elem::ALL`].
pub(crate) const fn scalar_type(elem: Elem) -> TypeId {
    TypeId::from_u32(elem as u32)
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
    if let Some(&odd) = operands.iter().find(|&&v| program.ty(v).elem != ty.elem) {
        return Err(mismatch(op, format!("elements of type {}", ty.elem), program.ty(odd)));
    }
    // So there are as many operands as elements only if each is one.
    if let Some(&empty) = operands.iter().find(|&&v| program.ty(v).shape.is_empty()) {
        return Err(mismatch(op, "operands with elements", program.ty(empty)));
    }
    let found: usize = operands.iter().map(|&v| program.ty(v).shape.len()).sum();
    match found == ty.shape.len() {
        true => Ok(Inferred::Known(id)),
        false => Err(mismatch(op, format!("{} elements", ty.shape.len()), found)),
    }
}

/// The type that an operation names as its result's, with this operand.
fn named<'p>(
    program: &'p Program,
    op: Op,
    id: TypeId,
    operands: &[Value],
) -> Result<(&'p Type, &'p Type), IrError> {
    let result = program.types.get(id).ok_or_else(|| mismatch(op, "a known type", "none"))?;
    expect_count(op, operands, 1)?;
    Ok((result, program.ty(operands[0])))
}

fn infer_iota(program: &Program, id: TypeId, operands: &[Value]) -> Result<Inferred, IrError> {
    let op = Op::Iota(id);
    expect_count(op, operands, 0)?;
    match program.types.get(id) {
        Some(ty) if ty.elem == Elem::I64 && ty.shape.extents().len() == 1 => Ok(Inferred::Known(id)),
        Some(ty) => Err(mismatch(op, "an i64 array of one axis", ty)),
        None => Err(mismatch(op, "a known type", "none")),
    }
}

fn infer_view(
    program: &Program,
    id: TypeId,
    sid: StridesId,
    operands: &[Value],
) -> Result<Inferred, IrError> {
    let op = Op::View(id, sid);
    let (result, operand) = named(program, op, id, operands)?;
    if result.elem != operand.elem {
        return Err(mismatch(op, format!("an operand of {}", result.elem), operand));
    }
    strided(program, op, sid, &result.shape, &operand.shape)?;
    Ok(Inferred::Known(id))
}

fn infer_spread(
    program: &Program,
    id: TypeId,
    sid: StridesId,
    operands: &[Value],
) -> Result<Inferred, IrError> {
    let op = Op::Spread(id, sid);
    let (result, operand) = named(program, op, id, operands)?;
    if result.elem != operand.elem || !Class::N.contains(operand.elem) {
        return Err(mismatch(op, format!("numbers of {}", result.elem), operand));
    }
    strided(program, op, sid, &operand.shape, &result.shape)?;
    Ok(Inferred::Known(id))
}

/// Whether the strides lead from every index of one shape to an element of the other.
fn strided(program: &Program, op: Op, id: StridesId, from: &Shape, to: &Shape) -> Result<(), IrError> {
    let strides = program.strides.get(id).ok_or_else(|| mismatch(op, "known strides", "none"))?;
    let axes = from.extents().len();
    if strides.strides.len() != axes {
        return Err(mismatch(op, format!("{axes} strides"), strides.strides.len()));
    }
    let len = to.len() as i64;
    match strides.range(from) {
        None if from.is_empty() => Ok(()),
        Some((low, high)) if low >= 0 && high < len => Ok(()),
        Some((low, high)) => {
            Err(mismatch(op, format!("flat indices below {len}"), format!("{low} to {high}")))
        }
        None => Err(mismatch(op, format!("flat indices below {len}"), "an overflow")),
    }
}

fn infer_reduce(
    program: &Program,
    reduction: Reduction,
    id: TypeId,
    operands: &[Value],
) -> Result<Inferred, IrError> {
    let op = Op::Reduce(reduction, id);
    let (result, operand) = named(program, op, id, operands)?;
    if !Class::N.contains(operand.elem) {
        return Err(mismatch(op, Class::N.describe(), operand));
    }
    let elem = if reduction.is_index() { Elem::I64 } else { operand.elem };
    if !operand.shape.extents().starts_with(result.shape.extents()) || result.elem != elem {
        return Err(mismatch(op, format!("an array of {elem} whose first axes are {result}"), operand));
    }
    let reduced = &operand.shape.extents()[result.shape.extents().len()..];
    if reduction.is_index() && reduced.contains(&0) {
        return Err(mismatch(op, "an element to find", "none"));
    }
    Ok(Inferred::Known(id))
}

fn infer_dot(program: &Program, operands: &[Value]) -> Result<Inferred, IrError> {
    expect_count(Op::Dot, operands, 2)?;
    let [a, b] = [0, 1].map(|i| program.ty(operands[i]));
    match (a.shape.extents(), b.shape.extents()) {
        (&[batch, m, k], &[other_batch, other_k, n])
            if batch == other_batch && k == other_k && a.elem == b.elem && a.elem.is_real() =>
        {
            let extents = [batch, m, n].map(|e| e as usize);
            let ty = Type::array(a.elem, &extents).ok_or_else(too_large)?;
            Ok(Inferred::New(ty))
        }
        _ => Err(mismatch(Op::Dot, "reals [b, m, k] and [b, k, n]", format!("{a} and {b}"))),
    }
}

fn infer_at(program: &Program, operands: &[Value]) -> Result<Inferred, IrError> {
    match *operands {
        [x, ref indices @ ..] if !indices.is_empty() => part(program, Op::At, x, indices).map(Inferred::New),
        _ => Err(mismatch(Op::At, "an array and indices", format!("{} operands", operands.len()))),
    }
}

fn infer_add_at(program: &Program, operands: &[Value]) -> Result<Inferred, IrError> {
    let [x, y, ref indices @ ..] = *operands else {
        return Err(mismatch(Op::AddAt, "an array, what to add, and indices", operands.len()));
    };
    let part = part(program, Op::AddAt, x, indices)?;
    if *program.ty(y) != part || !Class::N.contains(part.elem) {
        return Err(mismatch(Op::AddAt, format!("numbers of type {part} to add"), program.ty(y)));
    }
    Ok(Inferred::Known(program.value(x).ty))
}

fn infer_external(program: &Program, id: ExternalId, operands: &[Value]) -> Result<Inferred, IrError> {
    let op = Op::External(id);
    let external = program.externals.get(id).ok_or_else(|| mismatch(op, "a known function", "none"))?;
    let found = || operands.iter().map(|&v| program.ty(v));
    if !found().eq(external.params()) {
        let op = format!("external {:?}", external.name());
        return Err(IrError::Type { op, expected: list(external.params()), found: list(found()) });
    }
    Ok(Inferred::New(external.result().clone()))
}

/// The type of the part of `x` at these indices.
fn part(program: &Program, op: Op, x: Value, indices: &[Value]) -> Result<Type, IrError> {
    let ty = program.ty(x);
    if let Some(&odd) = indices.iter().find(|&&i| program.value(i).ty != scalar_type(Elem::I64)) {
        return Err(mismatch(op, "indices of type i64", program.ty(odd)));
    }
    let Some(rest) = ty.shape.extents().get(indices.len()..) else {
        return Err(mismatch(op, format!("an array of at least {} axes", indices.len()), ty));
    };
    let extents: Vec<usize> = rest.iter().map(|&e| e as usize).collect();
    Type::array(ty.elem, &extents).ok_or_else(too_large)
}

fn infer_linalg(program: &Program, linalg: Linalg, operands: &[Value]) -> Result<Inferred, IrError> {
    let op = Op::Linalg(linalg);
    expect_count(op, operands, linalg.arity())?;
    let mut matrices = Vec::with_capacity(operands.len());
    for ty in operands.iter().map(|&v| program.ty(v)) {
        match *ty.shape.extents() {
            [rows, columns] if ty.elem == Elem::F64 => matrices.push([rows as usize, columns as usize]),
            _ => return Err(mismatch(op, "matrices of f64", ty)),
        }
    }
    let extents: &[usize] = match (linalg, &matrices[..]) {
        (Linalg::Cholesky, &[[m, n]]) if m == n => &[n, n],
        (Linalg::SolveTriangular { .. }, &[[m, n], [rows, k]]) if m == n && rows == n => &[n, k],
        (Linalg::Lu | Linalg::Eigen, &[[m, n]]) if m == n => &[n + 1, n],
        (Linalg::LuSolve { .. }, &[[m, n], f, [rows, k]]) if m == n && f == [n + 1, n] && rows == n => {
            &[n, k]
        }
        (Linalg::Det | Linalg::LogDet, &[[m, n], f]) if m == n && f == [n + 1, n] => &[],
        (Linalg::DetSign, &[[rows, n]]) if rows == n + 1 => &[],
        (Linalg::Eigenvalues, &[[m, n], e]) if m == n && e == [n + 1, n] => &[n],
        (Linalg::Eigenvectors, &[[m, n], e]) if m == n && e == [n + 1, n] => &[n, n],
        (Linalg::Qr, &[[m, n]]) if m >= n => &[m + n, n],
        (Linalg::QrQ, &[[m, n], h]) if m >= n && h == [m + n, n] => &[m, n],
        (Linalg::QrR, &[[m, n], h]) if m >= n && h == [m + n, n] => &[n, n],
        _ => return Err(mismatch(op, linalg.expected(), format!("{matrices:?}"))),
    };
    Type::array(Elem::F64, extents).map(Inferred::New).ok_or_else(too_large)
}

pub(crate) fn too_large() -> IrError {
    IrError::Array { limit: Shape::MAX_ELEMENTS }
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
        Op::Iota(_) => "iota".into(),
        Op::View(..) => "view".into(),
        Op::Spread(..) => "spread".into(),
        Op::Reduce(..) => "reduce".into(),
        Op::Dot => "dot".into(),
        Op::At => "at".into(),
        Op::AddAt => "add_at".into(),
        Op::External(_) => "external".into(),
        Op::Call(_) => "call".into(),
        Op::Linalg(linalg) => linalg.name().into(),
        Op::Loop { .. } => "loop".into(),
        Op::Cond { .. } => "cond".into(),
        Op::Custom { .. } => "custom".into(),
        Op::LinearSolve { .. } => "linear_solve".into(),
        Op::Jvp { .. } => "jvp".into(),
        Op::Vjp { .. } => "vjp".into(),
    }
}

impl From<&Type> for String {
    fn from(ty: &Type) -> String {
        ty.to_string()
    }
}
