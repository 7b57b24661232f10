//! The transpose of strided reading, in the cheapest instructions that do it.
//!
//! Masks go the same way: where numbers are added, it is asked whether any of theirs holds.

use crate::masks;
use evolute_ir::{Builder, Elem, IrError, Literal, Op, Reduction, Shape, Strides, Type, Value};

/// Zeros in the shape of `ty`, to which the elements of `x` are added at the flat indices that `strides` give.
///
/// Axes of stride 0 are summed by a reduction, which has lanes; what then only moves elements is a view, or a pack with
/// zeros; the rest is a [`Op::Spread`].
pub(crate) fn spread(
    builder: &mut Builder,
    x: Value,
    ty: &Type,
    strides: &Strides,
) -> Result<Value, IrError> {
    let (x, strides) = condensed(builder, x, strides)?;
    place(builder, x, ty, &strides)
}

/// `x` without what [`spread`] needs no [`Op::Spread`] for, and the strides that are left: axes of stride 0 are summed
/// by a reduction, which has lanes, and the others are in the order of their strides, which a view gives them. What goes
/// backwards is read backwards, so no stride that is left is negative.
pub(crate) fn condensed(
    builder: &mut Builder,
    x: Value,
    strides: &Strides,
) -> Result<(Value, Strides), IrError> {
    let ty = builder.program().ty(x).clone();
    let extents = ty.shape.extents();
    let (own, strides) = forwards(&ty.shape, strides);
    // Axes of extent 1 go nowhere; those of stride 0 come last, to be summed.
    let axes: Vec<usize> = (0..extents.len()).filter(|&k| extents[k] != 1).collect();
    let (mut kept, summed): (Vec<usize>, Vec<usize>) = axes.iter().partition(|&&k| strides.strides[k] != 0);
    kept.sort_by_key(|&k| std::cmp::Reverse(strides.strides[k]));
    let order: Vec<usize> = kept.iter().chain(&summed).copied().collect();
    let array = |axes: &[usize]| {
        let extents: Vec<usize> = axes.iter().map(|&k| extents[k] as usize).collect();
        Type::array(ty.elem, &extents).expect("no larger than the operand")
    };
    let moved = Strides { offset: own.offset, strides: order.iter().map(|&k| own.strides[k]).collect() };
    let mut x = view(builder, x, &array(&order), &moved)?;
    if !summed.is_empty() {
        x = sum(builder, x, &array(&kept))?;
    }
    let rest = kept.iter().map(|&k| strides.strides[k]).collect();
    Ok((x, Strides { offset: strides.offset, strides: rest }))
}

/// The sums over the last axes, which `kept` lacks.
fn sum(builder: &mut Builder, x: Value, kept: &Type) -> Result<Value, IrError> {
    if kept.elem == Elem::Bool {
        return masks::any(builder, x, kept);
    }
    let sums = builder.intern(kept);
    builder.insert(Op::Reduce(Reduction::Sum, sums), &[x])
}

/// How to read an array of this shape, and where to put what is read, so that no axis is put backwards.
fn forwards(shape: &Shape, to: &Strides) -> (Strides, Strides) {
    let (mut from, mut to) = (Strides::row_major(shape), to.clone());
    for (k, &extent) in shape.extents().iter().enumerate().filter(|&(_, &extent)| extent > 0) {
        if to.strides[k] < 0 {
            for strides in [&mut from, &mut to] {
                strides.offset += strides.strides[k] * i64::from(extent - 1);
                strides.strides[k] = -strides.strides[k];
            }
        }
    }
    (from, to)
}

/// [`spread`] of what is condensed, in the shape of `ty`.
pub(crate) fn place(builder: &mut Builder, x: Value, ty: &Type, strides: &Strides) -> Result<Value, IrError> {
    let ty = &Type { elem: builder.program().ty(x).elem, ..ty.clone() };
    if ty.is_scalar() && builder.program().ty(x).is_scalar() {
        return Ok(x);
    }
    let shape = &builder.program().ty(x).shape;
    if strides.strides == Strides::row_major(shape).strides && !shape.is_empty() && !ty.is_scalar() {
        return among_zeros(builder, x, ty, strides.offset as usize);
    }
    if ty.elem == Elem::Bool {
        let counts = masks::counts(builder, x)?;
        let counts = place(builder, counts, ty, strides)?;
        return masks::counted_at_all(builder, counts);
    }
    let (ty, strides) = (builder.intern(ty), builder.strides(strides));
    builder.insert(Op::Spread(ty, strides), &[x])
}

/// `x` as a stretch of an array of type `ty`, from flat index `start` on; the other elements are zeros. Nothing is
/// added, so a −0 stays one.
fn among_zeros(builder: &mut Builder, x: Value, ty: &Type, start: usize) -> Result<Value, IrError> {
    let end = start + builder.program().ty(x).shape.len();
    if end - start == ty.shape.len() {
        return view(builder, x, ty, &Strides::row_major(&ty.shape));
    }
    let mut parts = Vec::new();
    for (len, part) in [(start, None), (end - start, Some(x)), (ty.shape.len() - end, None)] {
        match part {
            Some(x) => parts.push(x),
            None if len > 0 => parts.push(zeros(builder, ty, len)?),
            None => {}
        }
    }
    let ty = builder.intern(ty);
    builder.insert(Op::Pack(ty), &parts)
}

fn zeros(builder: &mut Builder, like: &Type, len: usize) -> Result<Value, IrError> {
    let zero = builder.constant(Literal::from_f64(like.elem, 0.0));
    let ty = Type::array(like.elem, &[len]).expect("no larger than the array");
    view(builder, zero, &ty, &Strides { offset: 0, strides: [0].into() })
}

fn view(builder: &mut Builder, x: Value, ty: &Type, strides: &Strides) -> Result<Value, IrError> {
    let (ty, strides) = (builder.intern(ty), builder.strides(strides));
    builder.insert(Op::View(ty, strides), &[x])
}
