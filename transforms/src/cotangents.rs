//! Cotangents under construction: the shares that a tangent's cotangent is the sum of.

use crate::linear::{Coefficient, add_signed, constant_like};
use evolute_ir::{Builder, IrError, Literal, Op, Prim, Value};
use std::collections::BTreeMap;

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
    /// Contributions to single elements of an array, by their flat indices.
    elements: BTreeMap<usize, Share>,
    /// Where contributions are added as they come, if that is so: a sum of the region under construction.
    pub(crate) sum: Option<Value>,
}

/// An array of more elements, few of which have contributions, is added to rather than packed.
const MAX_PACKED: usize = 64;

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
                let condition =
                    if holds { condition } else { builder.insert(Op::Prim(Prim::Not), &[condition])? };
                let mask = match self.mask {
                    None => condition,
                    Some(mask) => builder.insert(Op::Prim(Prim::And), &[mask, condition])?,
                };
                Ok(Share { mask: Some(mask), ..self })
            }
        }
    }
}

impl Cell {
    pub(crate) fn is_empty(&self) -> bool {
        self.whole.is_none() && self.elements.is_empty()
    }

    pub(crate) fn add(&mut self, builder: &mut Builder, share: Share) -> Result<(), IrError> {
        if let Some(sum) = &mut self.sum {
            let value = share.plain(builder)?;
            *sum = builder.insert(Op::AddAt, &[*sum, value])?;
            return Ok(());
        }
        self.whole = Some(match self.whole {
            None => share,
            Some(present) => present.plus(builder, share)?,
        });
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
        let share = match self.elements.get(&index) {
            None => share,
            Some(present) => present.plus(builder, share)?,
        };
        self.elements.insert(index, share);
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
        let Cell { whole, elements, sum: _ } = self;
        if elements.is_empty() {
            return Ok(whole.expect("a cell that is not empty"));
        }
        let ty = builder.program().ty(of).clone();
        let len = ty.shape.len();
        if len > MAX_PACKED && elements.len() * 4 < len {
            let mut cell = Cell { whole, ..Cell::default() };
            for (index, share) in elements {
                let value = share.plain(builder)?;
                let indices = constant_indices(builder, index, of);
                cell.add_at(builder, value, &indices, of)?;
            }
            return cell.gather(builder, of);
        }
        let zero = builder.constant(Literal::from_f64(ty.elem, 0.0));
        let mut parts = vec![zero; len];
        for (index, share) in elements {
            parts[index] = share.plain(builder)?;
        }
        let id = builder.intern(&ty);
        let packed = Share::of(builder.insert(Op::Pack(id), &parts)?);
        match whole {
            None => Ok(packed),
            Some(whole) => whole.plus(builder, packed),
        }
    }

    /// The share of the whole array as (negated, value), and those of single elements.
    #[allow(clippy::type_complexity, reason = "two things at once")]
    pub(crate) fn split(
        self,
        builder: &mut Builder,
    ) -> Result<(Option<(bool, Value)>, BTreeMap<usize, Share>), IrError> {
        let whole = match self.whole {
            Some(whole) => Some(whole.unmasked(builder)?),
            None => None,
        };
        Ok((whole, self.elements))
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
