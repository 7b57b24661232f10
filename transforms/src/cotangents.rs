//! Cotangents under construction: the shares that a tangent's cotangent is the sum of.

use crate::linear::constant_like;
use crate::masks;
use crate::pieces;
use crate::reach::{Reach, Sum};
use crate::share::Share;
use evolute_ir::{Builder, IrError, Literal, Op, Value};
use std::collections::BTreeMap;

/// The cotangent gathered so far for one tangent.
#[derive(Clone, Default)]
pub(crate) struct Cell {
    pub(crate) whole: Option<Share>,
    /// Contributions to single elements of an array, by their flat indices.
    elements: BTreeMap<usize, Share>,
    /// Contributions to elements one after the other, with the place of the first.
    blocks: Vec<(usize, Share)>,
    /// How often a contribution may be other than 0, for each element of `whole`, if that is counted: `whole` has no mask.
    count: Option<Value>,
    /// Where contributions are added as they come, if that is so.
    pub(crate) sum: Option<Sum>,
}

impl Cell {
    pub(crate) fn is_empty(&self) -> bool {
        self.whole.is_none() && self.elements.is_empty() && self.blocks.is_empty()
    }

    pub(crate) fn add(&mut self, builder: &mut Builder, share: Share) -> Result<(), IrError> {
        if let Some(sum) = &mut self.sum {
            let value = share.plain(builder)?;
            return sum.add(builder, value, share.mask);
        }
        self.mask_counted(builder)?;
        self.whole = Some(plus(builder, self.whole, share)?);
        Ok(())
    }

    /// Makes a mask of what was counted.
    fn mask_counted(&mut self, builder: &mut Builder) -> Result<(), IrError> {
        if let (Some(whole), Some(count)) = (&mut self.whole, self.count.take()) {
            *whole = Share::settled(whole.value, Some(masks::counted_at_all(builder, count)?));
        }
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
            let indices = constant_indices(builder, index, of);
            return self.add_at(builder, share, &indices, of);
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
        share: Share,
        indices: &[Value],
        of: Value,
    ) -> Result<(), IrError> {
        let value = share.plain(builder)?;
        if let Some(sum) = &mut self.sum {
            return sum.add_at(builder, (value, share.mask), indices, of);
        }
        let count = match share.mask {
            Some(mask) => self.counted(builder, mask, indices, of)?,
            None => None,
        };
        let array = match self.whole.take() {
            Some(whole) => whole.plain(builder)?,
            None => constant_like(builder, of, 0.0)?,
        };
        let array = builder.insert(Op::AddAt, &[&[array, value], indices].concat())?;
        (self.whole, self.count) = (Some(Share::of(array)), count);
        Ok(())
    }

    /// The count with a part added, if elements can be told apart.
    fn counted(
        &mut self,
        builder: &mut Builder,
        mask: Value,
        indices: &[Value],
        of: Value,
    ) -> Result<Option<Value>, IrError> {
        let reach = match (self.count, self.whole) {
            (Some(count), _) => Reach::Counted(count),
            (None, Some(whole)) => Reach::of(whole.mask),
            (None, None) => Reach::Nowhere,
        };
        let count = reach.count(builder, |builder| masks::no_counts(builder, of))?;
        count.map(|count| masks::counted(builder, count, mask, indices)).transpose()
    }

    /// The contributions as one share.
    pub(crate) fn gather(self, builder: &mut Builder, of: Value) -> Result<Share, IrError> {
        self.gather_undivided(builder, of)?.divided(builder)
    }

    /// The contributions as one share, which may have a divisor yet.
    pub(crate) fn gather_undivided(mut self, builder: &mut Builder, of: Value) -> Result<Share, IrError> {
        self.mask_counted(builder)?;
        let Cell { mut whole, elements, mut blocks, count: _, sum: _ } = self;
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
        if self.blocks.is_empty() && self.count.is_none() {
            Ok((self.whole, self.elements))
        } else {
            Err(self)
        }
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
