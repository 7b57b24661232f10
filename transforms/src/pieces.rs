//! Cotangents of arrays put together of those of their pieces: elements, and blocks of elements one after the other.

use crate::linear::repeated;
use crate::masks;
use crate::placement::spread;
use crate::share::Share;
use evolute_ir::{Builder, Elem, IrError, Literal, Op, Strides, Type, Value};

/// A gap of more elements is filled with one block of zeros.
const MAX_GAP: usize = 64;

fn len(builder: &Builder, share: &Share) -> usize {
    builder.program().ty(share.value).shape.len()
}

/// Whether two of these pieces have an element in common.
pub(crate) fn overlap<'a>(builder: &Builder, pieces: impl Iterator<Item = &'a (usize, Share)>) -> bool {
    let mut ranges: Vec<(usize, usize)> =
        pieces.map(|(start, share)| (*start, start + len(builder, share))).collect();
    ranges.sort_unstable();
    ranges.windows(2).any(|pair| pair[0].1 > pair[1].0)
}

/// A piece among zeros.
pub(crate) fn placed(builder: &mut Builder, start: usize, share: Share, of: Value) -> Result<Share, IrError> {
    let ty = builder.program().ty(of).clone();
    share.moved(builder, |builder, value| {
        let own = Strides::row_major(&builder.program().ty(value).shape);
        spread(builder, value, &ty, &Strides { offset: start as i64, ..own })
    })
}

/// The array of these pieces, which do not overlap, with zeros between them. A mask that all of them have is the array's;
/// others are put together as the pieces are.
pub(crate) fn packed(
    builder: &mut Builder,
    mut pieces: Vec<(usize, Share)>,
    of: Value,
) -> Result<Share, IrError> {
    pieces.sort_unstable_by_key(|&(start, _)| start);
    let ty = builder.program().ty(of).clone();
    if let Some(mask) = common_mask(builder, &pieces) {
        let mut values = Vec::with_capacity(pieces.len());
        for (start, share) in pieces {
            values.push((start, Share { mask: None, settled: false, ..share }.plain(builder)?));
        }
        let value = among_zeros(builder, values, &ty)?;
        let mask = Some(masks::over(builder, mask, value)?);
        return Ok(Share { mask, ..Share::of(value) });
    }
    let mask = packed_masks(builder, &pieces, &ty)?;
    let mut values = Vec::with_capacity(pieces.len());
    for (start, share) in pieces {
        values.push((start, share.plain(builder)?));
    }
    Ok(Share::settled(among_zeros(builder, values, &ty)?, mask))
}

/// The masks of pieces of an array of type `ty`, if there are some.
fn packed_masks(
    builder: &mut Builder,
    pieces: &[(usize, Share)],
    ty: &Type,
) -> Result<Option<Value>, IrError> {
    if pieces.iter().all(|(_, share)| share.mask.is_none()) {
        return Ok(None);
    }
    let everywhere = builder.constant(Literal::Bool(true));
    let mut masks = Vec::with_capacity(pieces.len());
    for (start, share) in pieces {
        let mask = share.mask.map_or_else(|| masks::over(builder, everywhere, share.value), Ok)?;
        masks.push((*start, mask));
    }
    let ty = Type { elem: Elem::Bool, ..ty.clone() };
    among_zeros(builder, masks, &ty).map(Some)
}

/// The array of type `ty` of these parts, in their order, with zeros between them.
fn among_zeros(builder: &mut Builder, parts: Vec<(usize, Value)>, ty: &Type) -> Result<Value, IrError> {
    let (mut all, mut end) = (Vec::with_capacity(parts.len()), 0);
    for (start, part) in parts {
        zeros(builder, ty, start - end, &mut all)?;
        end = start + builder.program().ty(part).shape.len();
        all.push(part);
    }
    zeros(builder, ty, ty.shape.len() - end, &mut all)?;
    let id = builder.intern(ty);
    builder.insert(Op::Pack(id), &all)
}

/// The scalar that the masks of all pieces are.
fn common_mask(builder: &Builder, pieces: &[(usize, Share)]) -> Option<Value> {
    let mut masks = pieces.iter().map(|(_, share)| masks::uniform(builder, share.mask?));
    let first = masks.next()??;
    masks.all(|mask| mask == Some(first)).then_some(first)
}

fn zeros(builder: &mut Builder, ty: &Type, count: usize, parts: &mut Vec<Value>) -> Result<(), IrError> {
    let zero = builder.constant(Literal::from_f64(ty.elem, 0.0));
    if count <= MAX_GAP {
        parts.resize(parts.len() + count, zero);
        return Ok(());
    }
    let gap = Type::array(ty.elem, &[count]).expect("smaller than the array");
    parts.push(repeated(builder, zero, &gap)?);
    Ok(())
}
