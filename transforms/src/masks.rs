//! Masks of cotangents: truth values of the shape of what they mask.
//!
//! A mask that repeats one scalar is combined as that scalar, so it stays recognisable: it goes with its cotangent
//! through whatever moves elements.

use crate::linear::repeated;
use evolute_ir::{Builder, IrError, Op, Prim, Value};

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
    match (uniform(builder, a), uniform(builder, b)) {
        (Some(x), Some(y)) => {
            let both = builder.insert(Op::Prim(Prim::And), &[x, y])?;
            over(builder, both, a)
        }
        _ => builder.insert(Op::Prim(Prim::And), &[a, b]),
    }
}
