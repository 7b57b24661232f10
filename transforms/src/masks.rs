//! Masks of cotangents: truth values of the shape of what they mask.
//!
//! A mask that repeats one scalar is combined as that scalar, so it stays recognisable: it goes with its cotangent
//! through whatever moves elements. Any other is moved beside its cotangent; where elements are summed, the sum is masked
//! by whether the mask of any of them holds. How often masks hold is counted in `i64`, since counts can be sums of loops.

use crate::linear::repeated;
use evolute_ir::{Builder, Elem, IrError, Literal, Op, Prim, Program, Reduction, Strides, Type, Value};

/// The scalar that a mask repeats, or is.
pub(crate) fn uniform(builder: &Builder, mask: Value) -> Option<Value> {
    let program = builder.program();
    if program.ty(mask).is_scalar() {
        return Some(mask);
    }
    let inst = program.def_inst(mask)?;
    let below = *program.operands(inst).first()?;
    (matches!(program.op(inst), Op::View(..)) && program.ty(below).is_scalar()).then_some(below)
}

/// How deep a mask is searched for a scalar that it implies.
const MAX_DEPTH: usize = 4;

/// A scalar without which the mask holds nowhere, if one is seen.
pub(crate) fn scalar_part(builder: &Builder, mask: Value) -> Option<Value> {
    implied(builder, mask, MAX_DEPTH)
}

fn implied(builder: &Builder, mask: Value, depth: usize) -> Option<Value> {
    if let Some(scalar) = uniform(builder, mask) {
        return Some(scalar);
    }
    let program = builder.program();
    let (inst, depth) = (program.def_inst(mask)?, depth.checked_sub(1)?);
    let of = |k: usize| implied(builder, program.operands(inst)[k], depth);
    match program.op(inst) {
        Op::Prim(Prim::And) => of(0).or_else(|| of(1)),
        Op::Prim(Prim::Or) => of(0).filter(|&scalar| of(1) == Some(scalar)),
        Op::View(..) => of(0),
        _ => None,
    }
}

/// A scalar repeated in the shape of `like`.
pub(crate) fn over(builder: &mut Builder, scalar: Value, like: Value) -> Result<Value, IrError> {
    let mut ty = builder.program().ty(like).clone();
    ty.elem = builder.program().ty(scalar).elem;
    repeated(builder, scalar, &ty)
}

/// Where the mask does not hold.
pub(crate) fn not(builder: &mut Builder, mask: Value) -> Result<Value, IrError> {
    match uniform(builder, mask) {
        Some(scalar) => {
            let negated = builder.insert(Op::Prim(Prim::Not), &[scalar])?;
            over(builder, negated, mask)
        }
        None => builder.insert(Op::Prim(Prim::Not), &[mask]),
    }
}

/// Where both hold.
pub(crate) fn both(builder: &mut Builder, a: Value, b: Value) -> Result<Value, IrError> {
    if a == b {
        return Ok(a);
    }
    combined(builder, Prim::And, a, b)
}

/// Where one of them holds; nothing if that is everywhere.
pub(crate) fn either(builder: &mut Builder, a: Value, b: Value) -> Result<Option<Value>, IrError> {
    if a == b {
        return Ok(Some(a));
    }
    let [x, y] = match (uniform(builder, a), uniform(builder, b)) {
        (Some(x), Some(y)) => [x, y],
        _ => [a, b],
    };
    let [x, y] = [builder.resolve(x)?, builder.resolve(y)?];
    match simpler(builder.program(), x, y).or_else(|| simpler(builder.program(), y, x)) {
        Some(Simpler::Everywhere) => Ok(None),
        Some(Simpler::Where(mask)) => over(builder, mask, a).map(Some),
        None => combined(builder, Prim::Or, a, b).map(Some),
    }
}

/// What `a ∨ b` is, where that needs no instruction.
enum Simpler {
    Everywhere,
    Where(Value),
}

/// Sides of one `select`, alone or within others, meet again.
fn simpler(program: &Program, a: Value, b: Value) -> Option<Simpler> {
    if a == b {
        return Some(Simpler::Where(a));
    }
    if are_complements(program, a, b) {
        return Some(Simpler::Everywhere);
    }
    let [p, q] = operands_of(program, Prim::And, b)?;
    if p == a || q == a {
        return Some(Simpler::Where(a));
    }
    let [r, s] = operands_of(program, Prim::And, a)?;
    for [(p, q), (r, s)] in [[(p, q), (r, s)], [(p, q), (s, r)], [(q, p), (r, s)], [(q, p), (s, r)]] {
        if p == r && (are_complements(program, q, s) || are_complements(program, s, q)) {
            return Some(Simpler::Where(p));
        }
    }
    None
}

fn are_complements(program: &Program, a: Value, b: Value) -> bool {
    operands_of(program, Prim::Not, b) == Some([a])
}

fn operands_of<const N: usize>(program: &Program, prim: Prim, value: Value) -> Option<[Value; N]> {
    let inst = program.def_inst(value).filter(|&inst| program.op(inst) == Op::Prim(prim))?;
    program.operands(inst).try_into().ok()
}

fn combined(builder: &mut Builder, prim: Prim, a: Value, b: Value) -> Result<Value, IrError> {
    match (uniform(builder, a), uniform(builder, b)) {
        (Some(x), Some(y)) => {
            let combined = builder.insert(Op::Prim(prim), &[x, y])?;
            over(builder, combined, a)
        }
        _ => builder.insert(Op::Prim(prim), &[a, b]),
    }
}

/// Whether the mask holds anywhere along the last axes, which `kept` lacks. A mask that is repeated along them is read.
pub(crate) fn any(builder: &mut Builder, mask: Value, kept: &Type) -> Result<Value, IrError> {
    if let Some(mask) = unrepeated(builder, mask, kept)? {
        return Ok(mask);
    }
    let counted = Type { elem: Elem::I64, ..kept.clone() };
    let counted = builder.intern(&counted);
    let ones = counts(builder, mask)?;
    let count = builder.insert(Op::Reduce(Reduction::Sum, counted), &[ones])?;
    counted_at_all(builder, count)
}

/// The mask without its last axes, if it is a view that repeats along them.
fn unrepeated(builder: &mut Builder, mask: Value, kept: &Type) -> Result<Option<Value>, IrError> {
    let program = builder.program();
    let Some(inst) = program.def_inst(mask) else { return Ok(None) };
    let Op::View(_, strides) = program.op(inst) else { return Ok(None) };
    let (below, strides) = (program.operands(inst)[0], program.strides(strides).clone());
    let (own, summed) = strides.strides.split_at(kept.shape.extents().len());
    if program.ty(mask).shape.is_empty() || summed.iter().any(|&stride| stride != 0) {
        return Ok(None);
    }
    let strides = builder.strides(&Strides { offset: strides.offset, strides: own.into() });
    let kept = builder.intern(kept);
    builder.insert(Op::View(kept, strides), &[below]).map(Some)
}

/// Counts of nothing, in the shape of `like`.
pub(crate) fn no_counts(builder: &mut Builder, like: Value) -> Result<Value, IrError> {
    let zero = builder.constant(Literal::I64(0));
    over(builder, zero, like)
}

/// 1 where the mask holds.
pub(crate) fn counts(builder: &mut Builder, mask: Value) -> Result<Value, IrError> {
    builder.insert(Op::Cast(Elem::I64), &[mask])
}

/// The count with 1 added where the mask holds, which is of the part at these indices.
pub(crate) fn counted(
    builder: &mut Builder,
    count: Value,
    mask: Value,
    indices: &[Value],
) -> Result<Value, IrError> {
    let ones = counts(builder, mask)?;
    builder.insert(Op::AddAt, &[&[count, ones], indices].concat())
}

/// Where the count is not 0.
pub(crate) fn counted_at_all(builder: &mut Builder, count: Value) -> Result<Value, IrError> {
    let zero = no_counts(builder, count)?;
    builder.insert(Op::Prim(Prim::Gt), &[count, zero])
}
