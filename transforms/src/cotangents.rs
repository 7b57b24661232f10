//! Cotangents under construction: the shares that a tangent's cotangent is the sum of.

use crate::linear::{Coefficient, add_signed, constant_like, repeated};
use crate::masks;
use crate::pieces;
use evolute_ir::{Builder, IrError, Literal, Op, Prim, Program, Value};
use std::collections::BTreeMap;

/// A contribution to a cotangent: `±scale · value` where `mask` holds, else zero.
///
/// Note [Scales]: a power of two that [`Prim::Rescale`] gave is multiplied last, as a mask is applied last. So shares that
/// differ in sign meet before they leave the range of numbers, and what overflows has the right sign.
#[derive(Clone, Copy)]
pub(crate) struct Share {
    pub(crate) mask: Option<Value>,
    /// Of the type of `value`, or a scalar.
    pub(crate) scale: Option<Value>,
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
        Share { mask: None, scale: None, negated: false, value }
    }

    /// Shares under one mask stay under it, and of one scale; others are selected and multiplied first.
    fn plus(self, builder: &mut Builder, other: Share) -> Result<Share, IrError> {
        let (a, b) = match self.mask == other.mask {
            true => (self, other),
            false => (self.selected(builder)?, other.selected(builder)?),
        };
        let (a, b) = match a.scale == b.scale {
            true => (a, b),
            false => (a.multiplied(builder)?, b.multiplied(builder)?),
        };
        let (negated, value) = add_signed(builder, (a.negated, a.value), (b.negated, b.value))?;
        Ok(Share { negated, value, ..a })
    }

    /// The share with its mask applied.
    fn selected(self, builder: &mut Builder) -> Result<Share, IrError> {
        let Some(mask) = self.mask else { return Ok(self) };
        let zero = constant_like(builder, self.value, 0.0)?;
        let value = builder.insert(Op::Select, &[mask, self.value, zero])?;
        Ok(Share { mask: None, value, ..self })
    }

    /// The share with its scale applied.
    fn multiplied(self, builder: &mut Builder) -> Result<Share, IrError> {
        let Some(scale) = self.scale else { return Ok(self) };
        let ty = builder.program().ty(self.value).clone();
        let scale = repeated(builder, scale, &ty)?;
        let value = builder.insert(Op::Prim(Prim::Mul), &[self.value, scale])?;
        Ok(Share { scale: None, value, ..self })
    }

    /// The share as (negated, value), its mask and scale applied.
    pub(crate) fn signed(self, builder: &mut Builder) -> Result<(bool, Value), IrError> {
        let share = self.selected(builder)?.multiplied(builder)?;
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
            Coefficient::Over(k) => {
                let value = builder.insert(Op::Prim(Prim::Div), &[self.value, k])?;
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

    /// The share moved by a linear map. A mask or scale that is one scalar for all elements passes, any other is applied.
    pub(crate) fn mapped(
        self,
        builder: &mut Builder,
        map: impl FnOnce(&mut Builder, Value) -> Result<Value, IrError>,
    ) -> Result<Share, IrError> {
        let uniform = self.scale.is_none_or(|scale| builder.program().ty(scale).is_scalar());
        let share = if uniform { self } else { self.multiplied(builder)? };
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
    let inst = program.def_inst(k)?;
    if program.op(inst) == Op::Prim(Prim::Rescale) {
        return Some(k);
    }
    let copied = matches!(program.op(inst), Op::View(..)).then(|| program.operands(inst)[0])?;
    scale(program, copied).filter(|&scale| program.ty(scale).is_scalar())
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
