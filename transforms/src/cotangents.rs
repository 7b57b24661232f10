//! Cotangents under construction: the shares that a tangent's cotangent is the sum of.

use crate::linear::{Coefficient, add_signed, constant_like, repeated};
use crate::masks;
use crate::pieces;
use evolute_ir::{Builder, IrError, Literal, Op, Prim, Program, Value};
use std::collections::BTreeMap;

/// A contribution to a cotangent: `±scale · value / divisor` where `mask` holds, else zero.
///
/// Note [Scales]: a power of two that [`Prim::Rescale`] gave is multiplied last, as a mask is applied last. So shares that
/// differ in sign meet before they leave the range of numbers, and what overflows has the right sign.
///
/// Note [Quotients]: as `(ẋ − r·ẏ)/y` divides last, so does its transpose, `x̄ += z̄/y` and `ȳ += −(z̄·r)/y`. Were `z̄/y`
/// multiplied by `r` instead, its derivative in `y`, about `r/y²`, would be in range and its terms' factor `1/y²` not.
/// Shares of one divisor meet before they are divided, and where all elements have one divisor, so do they. What has to be
/// in range instead is `y·ȳ`, by how much the result changes if `y` changes by a part of itself: commonly it is not
/// larger than the result, which `1/y²` has nothing to do with.
#[derive(Clone, Copy)]
pub(crate) struct Share {
    pub(crate) mask: Option<Value>,
    /// Of the type of `value`, or a scalar.
    pub(crate) scale: Option<Value>,
    /// Likewise. Applied first, and before the share is handed on.
    pub(crate) divisor: Option<Value>,
    pub(crate) negated: bool,
    pub(crate) value: Value,
}

/// The cotangent gathered so far for one tangent.
#[derive(Clone, Default)]
pub(crate) struct Cell {
    pub(crate) whole: Option<Share>,
    /// Contributions to single elements of an array, by their flat indices.
    elements: BTreeMap<usize, Share>,
    /// Contributions to elements one after the other, with the place of the first.
    blocks: Vec<(usize, Share)>,
    /// Where contributions are added as they come, if that is so: a sum of the region under construction.
    pub(crate) sum: Option<Value>,
}

impl Share {
    pub(crate) fn of(value: Value) -> Share {
        Share { mask: None, scale: None, divisor: None, negated: false, value }
    }

    /// Shares under one mask stay under it, and of one scale; others are selected and multiplied first. What is divided
    /// by the same stays undivided, if nothing else tells the shares apart.
    fn plus(self, builder: &mut Builder, other: Share) -> Result<Share, IrError> {
        let factors = |share: Share| (share.divisor, share.mask, share.scale);
        let (a, b) = match factors(self) == factors(other) {
            true => (self, other),
            false => (self.divided(builder)?, other.divided(builder)?),
        };
        let (a, b) = match a.mask == b.mask {
            true => (a, b),
            false => (a.selected(builder)?, b.selected(builder)?),
        };
        let (a, b) = match a.scale == b.scale {
            true => (a, b),
            false => (a.multiplied(builder)?, b.multiplied(builder)?),
        };
        let (negated, value) = add_signed(builder, (a.negated, a.value), (b.negated, b.value))?;
        Ok(Share { negated, value, ..a })
    }

    /// The share, which has no divisor, over this one.
    pub(crate) fn over(self, builder: &Builder, divisor: Value) -> Share {
        let program = builder.program();
        Share { divisor: Some(copied_scalar(program, divisor).unwrap_or(divisor)), ..self }
    }

    /// The share with its divisor applied.
    pub(crate) fn divided(self, builder: &mut Builder) -> Result<Share, IrError> {
        let Some(divisor) = self.divisor else { return Ok(self) };
        let ty = builder.program().ty(self.value).clone();
        let divisor = repeated(builder, divisor, &ty)?;
        let value = builder.insert(Op::Prim(Prim::Div), &[self.value, divisor])?;
        Ok(Share { divisor: None, value, ..self })
    }

    /// The share, which has no divisor, with its mask applied.
    fn selected(self, builder: &mut Builder) -> Result<Share, IrError> {
        let Some(mask) = self.mask else { return Ok(self) };
        let zero = constant_like(builder, self.value, 0.0)?;
        let value = builder.insert(Op::Select, &[mask, self.value, zero])?;
        Ok(Share { mask: None, value, ..self })
    }

    /// The share, which has no divisor, with its scale applied.
    fn multiplied(self, builder: &mut Builder) -> Result<Share, IrError> {
        let Some(scale) = self.scale else { return Ok(self) };
        let ty = builder.program().ty(self.value).clone();
        let scale = repeated(builder, scale, &ty)?;
        let value = builder.insert(Op::Prim(Prim::Mul), &[self.value, scale])?;
        Ok(Share { scale: None, value, ..self })
    }

    /// The share as (negated, value), its divisor, mask and scale applied.
    pub(crate) fn signed(self, builder: &mut Builder) -> Result<(bool, Value), IrError> {
        let share = self.divided(builder)?.selected(builder)?.multiplied(builder)?;
        Ok((share.negated, share.value))
    }

    /// The share as a value.
    pub(crate) fn plain(self, builder: &mut Builder) -> Result<Value, IrError> {
        match self.signed(builder)? {
            (false, value) => Ok(value),
            (true, value) => builder.insert(Op::Prim(Prim::Neg), &[value]),
        }
    }

    /// The share of the value `of`, given that of a combination in which it has this coefficient.
    pub(crate) fn scaled(
        self,
        builder: &mut Builder,
        coefficient: Coefficient,
        of: Value,
    ) -> Result<Share, IrError> {
        match coefficient {
            Coefficient::One => Ok(self),
            Coefficient::MinusOne => Ok(Share { negated: !self.negated, ..self }),
            Coefficient::Times(k) => {
                let scale = scale(builder.program(), k);
                if self.scale.is_none() && scale.is_some() {
                    return Ok(Share { scale, ..self });
                }
                let value = builder.insert(Op::Prim(Prim::Mul), &[self.value, k])?;
                Ok(Share { value, ..self })
            }
            Coefficient::Cast(_) => {
                let share = self.multiplied(builder)?;
                let elem = builder.program().ty(of).elem;
                let value = builder.insert(Op::Cast(elem), &[share.value])?;
                Ok(Share { value, ..share })
            }
            Coefficient::When(condition, holds) => {
                let condition = if holds { condition } else { masks::not(builder, condition)? };
                let mask = match self.mask {
                    None => condition,
                    Some(mask) => masks::both(builder, mask, condition)?,
                };
                Ok(Share { mask: Some(mask), ..self })
            }
        }
    }

    /// The share moved by a linear map that sums elements: where all have one divisor, their sums are divided.
    pub(crate) fn summed(
        self,
        builder: &mut Builder,
        map: impl FnOnce(&mut Builder, Value) -> Result<Value, IrError>,
    ) -> Result<Share, IrError> {
        let uniform = |divisor: &Value| builder.program().ty(*divisor).is_scalar();
        let divisor = self.divisor.filter(uniform).filter(|_| self.mask.is_none());
        let share = Share { divisor: self.divisor.filter(|_| divisor.is_none()), ..self };
        Share { divisor, ..share.mapped(builder, map)? }.divided(builder)
    }

    /// The share moved by a linear map. A mask or scale that is one scalar for all elements passes, any other is applied, and
    /// a divisor before.
    pub(crate) fn mapped(
        self,
        builder: &mut Builder,
        map: impl FnOnce(&mut Builder, Value) -> Result<Value, IrError>,
    ) -> Result<Share, IrError> {
        let share = self.divided(builder)?;
        let uniform = share.scale.is_none_or(|scale| builder.program().ty(scale).is_scalar());
        let share = if uniform { share } else { share.multiplied(builder)? };
        match share.mask.and_then(|mask| masks::uniform(builder, mask)) {
            Some(condition) => {
                let value = map(builder, share.value)?;
                let mask = Some(masks::over(builder, condition, value)?);
                Ok(Share { mask, value, ..share })
            }
            None => {
                let share = share.selected(builder)?;
                let value = map(builder, share.value)?;
                Ok(Share { value, ..share })
            }
        }
    }
}

impl Cell {
    pub(crate) fn is_empty(&self) -> bool {
        self.whole.is_none() && self.elements.is_empty() && self.blocks.is_empty()
    }

    pub(crate) fn add(&mut self, builder: &mut Builder, share: Share) -> Result<(), IrError> {
        if let Some(sum) = &mut self.sum {
            let value = share.plain(builder)?;
            *sum = builder.insert(Op::AddAt, &[*sum, value])?;
            return Ok(());
        }
        self.whole = Some(plus(builder, self.whole, share)?);
        Ok(())
    }

    /// Adds to element `index` of the cotangent of `of`.
    pub(crate) fn add_element(
        &mut self,
        builder: &mut Builder,
        index: usize,
        share: Share,
        of: Value,
    ) -> Result<(), IrError> {
        if self.sum.is_some() {
            let value = share.plain(builder)?;
            let indices = constant_indices(builder, index, of);
            return self.add_at(builder, value, &indices, of);
        }
        let share = plus(builder, self.elements.get(&index).copied(), share)?;
        self.elements.insert(index, share);
        Ok(())
    }

    /// Adds to the elements of the cotangent of `of` from `start` on.
    pub(crate) fn add_block(
        &mut self,
        builder: &mut Builder,
        start: usize,
        share: Share,
        of: Value,
    ) -> Result<(), IrError> {
        if self.sum.is_some() {
            let share = pieces::placed(builder, start, share, of)?;
            return self.add(builder, share);
        }
        let shape = |share: &Share| builder.program().ty(share.value).shape.clone();
        let same = |(other, present): &(usize, Share)| *other == start && shape(present) == shape(&share);
        match self.blocks.iter().position(same) {
            Some(place) => self.blocks[place].1 = self.blocks[place].1.plus(builder, share)?,
            None => self.blocks.push((start, share)),
        }
        Ok(())
    }

    /// Adds to the part of the cotangent of `of` at computed indices.
    pub(crate) fn add_at(
        &mut self,
        builder: &mut Builder,
        value: Value,
        indices: &[Value],
        of: Value,
    ) -> Result<(), IrError> {
        let array = match (self.sum, self.whole.take()) {
            (Some(sum), _) => sum,
            (None, Some(whole)) => whole.plain(builder)?,
            (None, None) => constant_like(builder, of, 0.0)?,
        };
        let array = builder.insert(Op::AddAt, &[&[array, value], indices].concat())?;
        match &mut self.sum {
            Some(sum) => *sum = array,
            None => self.whole = Some(Share::of(array)),
        }
        Ok(())
    }

    /// The contributions as one share.
    pub(crate) fn gather(self, builder: &mut Builder, of: Value) -> Result<Share, IrError> {
        self.gather_undivided(builder, of)?.divided(builder)
    }

    /// The contributions as one share, which may have a divisor yet.
    pub(crate) fn gather_undivided(self, builder: &mut Builder, of: Value) -> Result<Share, IrError> {
        let Cell { mut whole, elements, mut blocks, sum: _ } = self;
        let mut pieces: Vec<(usize, Share)> = elements.into_iter().collect();
        match pieces::overlap(builder, pieces.iter().chain(&blocks)) {
            false => pieces.append(&mut blocks),
            true => {
                for (start, share) in blocks {
                    let share = pieces::placed(builder, start, share, of)?;
                    whole = Some(plus(builder, whole, share)?);
                }
            }
        }
        if !pieces.is_empty() {
            let share = pieces::packed(builder, pieces, of)?;
            whole = Some(plus(builder, whole, share)?);
        }
        Ok(whole.expect("a cell that is not empty"))
    }

    /// The share of the whole array and those of single elements, if there are no others.
    pub(crate) fn split(self) -> Result<(Option<Share>, BTreeMap<usize, Share>), Cell> {
        if self.blocks.is_empty() { Ok((self.whole, self.elements)) } else { Err(self) }
    }
}

/// The sum of what there is.
fn plus(builder: &mut Builder, sum: Option<Share>, share: Share) -> Result<Share, IrError> {
    match sum {
        None => Ok(share),
        Some(sum) => sum.plus(builder, share),
    }
}

/// `k` if it is a power of two that [`Prim::Rescale`] gave, or the scalar of which all elements of `k` are copies.
fn scale(program: &Program, k: Value) -> Option<Value> {
    if program.op(program.def_inst(k)?) == Op::Prim(Prim::Rescale) {
        return Some(k);
    }
    copied_scalar(program, k).filter(|&copied| scale(program, copied).is_some())
}

/// The scalar of which all elements of the array `k` are copies.
fn copied_scalar(program: &Program, k: Value) -> Option<Value> {
    let inst = program.def_inst(k)?;
    let copied = matches!(program.op(inst), Op::View(..)).then(|| program.operands(inst)[0])?;
    if program.ty(copied).is_scalar() { Some(copied) } else { copied_scalar(program, copied) }
}

/// The index of the element of this flat index.
fn constant_indices(builder: &mut Builder, flat: usize, of: Value) -> Vec<Value> {
    let extents: Vec<u32> = builder.program().ty(of).shape.extents().into();
    let mut rest = flat;
    let mut indices: Vec<Value> = extents
        .iter()
        .rev()
        .map(|&extent| {
            let index = rest % extent as usize;
            rest /= extent as usize;
            builder.constant(Literal::I64(index as i64))
        })
        .collect();
    indices.reverse();
    indices
}
