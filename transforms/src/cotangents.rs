//! Cotangents under construction: the shares that a tangent's cotangent is the sum of.

use crate::linear::{Coefficient, add_signed, constant_like};
use crate::masks;
use crate::pieces;
use evolute_ir::{Builder, IrError, Literal, Op, Prim, Value};

/// A contribution to a cotangent: `±value` where `mask` holds, else zero.
#[derive(Clone, Copy)]
pub(crate) struct Share {
    pub(crate) mask: Option<Value>,
    pub(crate) negated: bool,
    pub(crate) value: Value,
}

/// The cotangent gathered so far for one tangent.
#[derive(Clone, Default)]
pub(crate) struct Cell {
    pub(crate) whole: Option<Share>,
    /// Contributions to single elements of an array; empty if there are none.
    elements: Vec<Option<Share>>,
    /// Contributions to elements one after the other, with the place of the first.
    blocks: Vec<(usize, Share)>,
    /// Where contributions are added as they come, if that is so: a sum of the region under construction.
    pub(crate) sum: Option<Value>,
}

impl Share {
    pub(crate) fn of(value: Value) -> Share {
        Share { mask: None, negated: false, value }
    }

    /// Shares under one mask stay under it; others are selected first.
    fn plus(self, builder: &mut Builder, other: Share) -> Result<Share, IrError> {
        let (mask, a, b) = match self.mask == other.mask {
            true => (self.mask, (self.negated, self.value), (other.negated, other.value)),
            false => (None, self.unmasked(builder)?, other.unmasked(builder)?),
        };
        let (negated, value) = add_signed(builder, a, b)?;
        Ok(Share { mask, negated, value })
    }

    /// The share as (negated, value), its mask applied.
    pub(crate) fn unmasked(self, builder: &mut Builder) -> Result<(bool, Value), IrError> {
        let Some(mask) = self.mask else { return Ok((self.negated, self.value)) };
        let zero = constant_like(builder, self.value, 0.0)?;
        Ok((self.negated, builder.insert(Op::Select, &[mask, self.value, zero])?))
    }

    /// The share as a value.
    pub(crate) fn plain(self, builder: &mut Builder) -> Result<Value, IrError> {
        match self.unmasked(builder)? {
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
                let value = builder.insert(Op::Prim(Prim::Mul), &[self.value, k])?;
                Ok(Share { value, ..self })
            }
            Coefficient::Over(k) => {
                let value = builder.insert(Op::Prim(Prim::Div), &[self.value, k])?;
                Ok(Share { value, ..self })
            }
            Coefficient::Cast(_) => {
                let elem = builder.program().ty(of).elem;
                let value = builder.insert(Op::Cast(elem), &[self.value])?;
                Ok(Share { value, ..self })
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

    /// The share moved by a linear map. A mask that is one scalar for all elements passes, any other is applied.
    pub(crate) fn mapped(
        self,
        builder: &mut Builder,
        map: impl FnOnce(&mut Builder, Value) -> Result<Value, IrError>,
    ) -> Result<Share, IrError> {
        match self.mask.and_then(|mask| masks::uniform(builder, mask)) {
            Some(condition) => {
                let value = map(builder, self.value)?;
                let mask = Some(masks::over(builder, condition, value)?);
                Ok(Share { mask, value, ..self })
            }
            None => {
                let (negated, value) = self.unmasked(builder)?;
                Ok(Share { negated, ..Share::of(map(builder, value)?) })
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
        self.elements.resize(builder.program().ty(of).shape.len(), None);
        self.elements[index] = Some(plus(builder, self.elements[index], share)?);
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
        let elements = elements.into_iter().enumerate().filter_map(|(place, share)| Some((place, share?)));
        let mut pieces: Vec<(usize, Share)> = elements.collect();
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
    pub(crate) fn split(self) -> Result<(Option<Share>, Vec<Option<Share>>), Cell> {
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
