//! Cotangents of arrays put together of those of their pieces: elements, and blocks of elements one after the other.

use crate::cotangents::Share;
use crate::linear::repeated;
use crate::masks;
use crate::placement::spread;
use evolute_ir::{Builder, IrError, Literal, Op, Strides, Type, Value};

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
    share.mapped(builder, |builder, value| {
        let own = Strides::row_major(&builder.program().ty(value).shape);
        spread(builder, value, &ty, &Strides { offset: start as i64, ..own })
    })
}

/// The array of these pieces, which do not overlap, with zeros between them. A mask that all of them have is the array's.
pub(crate) fn packed(
    builder: &mut Builder,
    mut pieces: Vec<(usize, Share)>,
    of: Value,
) -> Result<Share, IrError> {
    pieces.sort_unstable_by_key(|&(start, _)| start);
    let mask = common_mask(builder, &pieces);
    let ty = builder.program().ty(of).clone();
    let (mut parts, mut end) = (Vec::with_capacity(pieces.len()), 0);
    for (start, share) in pieces {
        zeros(builder, &ty, start - end, &mut parts)?;
        end = start + len(builder, &share);
        let bare = Share { mask: share.mask.filter(|_| mask.is_none()), ..share };
        parts.push(bare.plain(builder)?);
    }
    zeros(builder, &ty, ty.shape.len() - end, &mut parts)?;
    let id = builder.intern(&ty);
    let value = builder.insert(Op::Pack(id), &parts)?;
    let mask = mask.map(|mask| masks::over(builder, mask, value)).transpose()?;
    Ok(Share { mask, ..Share::of(value) })
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
