//! What a structure takes of the cotangents gathered, and what it gives back.

use super::Backward;
use crate::linear::constant_like;
use crate::masks;
use crate::reach::Reach;
use crate::share::Share;
use crate::tape::Tangent;
use evolute_ir::{Builder, IrError, Value};

impl Backward {
    /// The cotangent gathered for a tangent, which is then absent.
    pub(crate) fn share(
        &mut self,
        builder: &mut Builder,
        tangent: Tangent,
    ) -> Result<Option<Share>, IrError> {
        let cell = std::mem::take(&mut self.cells[tangent.index()]);
        if cell.is_empty() {
            return Ok(None);
        }
        self.derivative_of(builder, tangent);
        cell.gather(builder, self.of[tangent.index()]).map(Some)
    }

    /// The cotangents of a structure's results.
    pub(crate) fn seeds(
        &mut self,
        builder: &mut Builder,
        results: &[Option<Tangent>],
    ) -> Result<Seeds, IrError> {
        let mut shares = Vec::with_capacity(results.len());
        for tangent in results {
            shares.push(match tangent {
                Some(tangent) => self.share(builder, *tangent)?,
                None => None,
            });
        }
        let condition = common_scalar(builder, shares.iter().flatten())?;
        let mut seeds = Seeds { condition, ..Seeds::default() };
        for share in shares {
            let mask = share.and_then(|share| share.mask);
            let own = mask.and_then(|mask| masks::uniform(builder, mask));
            let share = match share {
                Some(share) if own.is_some() && own == condition => Some(Share { mask: None, ..share }),
                share => share,
            };
            seeds.values.push(share.map(|share| share.plain(builder)).transpose()?);
            seeds.masks.push(mask.filter(|_| condition.is_none()));
        }
        Ok(seeds)
    }

    /// What a structure adds to in place of the tangent's cotangent, and what was added to it;
    /// [`Backward::replace`] gives it back.
    pub(crate) fn sum(
        &mut self,
        builder: &mut Builder,
        tangent: Tangent,
        like: Value,
    ) -> Result<(Value, Reach), IrError> {
        if let Some(sum) = self.cells[tangent.index()].sum {
            return Ok((sum.value, sum.reach));
        }
        match self.share(builder, tangent)? {
            Some(share) => Ok((share.plain(builder)?, Reach::of(share.mask))),
            None => Ok((constant_like(builder, like, 0.0)?, Reach::Nowhere)),
        }
    }

    /// The count of what was added to each element, which a structure adds to, if there is one. The reach is that of
    /// [`Backward::sum`].
    pub(crate) fn count(
        &mut self,
        builder: &mut Builder,
        tangent: Tangent,
        (like, reach): (Value, Reach),
    ) -> Result<Option<Value>, IrError> {
        match &mut self.cells[tangent.index()].sum {
            Some(sum) => sum.count(builder, like),
            None => reach.count(builder, |builder| masks::no_counts(builder, like)),
        }
    }

    /// What became of [`Backward::sum`]: before anything else is added to this cotangent.
    pub(crate) fn replace(
        &mut self,
        builder: &mut Builder,
        tangent: Tangent,
        (value, reach): (Value, Reach),
    ) -> Result<(), IrError> {
        if let Some(sum) = &mut self.cells[tangent.index()].sum {
            (sum.value, sum.reach) = (value, reach);
            return Ok(());
        }
        let mask = reach.mask(builder, value)?;
        self.add(builder, tangent, Share::settled(value, mask))
    }
}

/// The cotangents of a structure's results.
#[derive(Default)]
pub(crate) struct Seeds {
    pub(crate) values: Vec<Option<Value>>,
    /// The scalar without which all of them are zeros, if there is one: where it does not hold they may be anything.
    pub(crate) condition: Option<Value>,
    /// If there is none, where each is not 0.
    pub(crate) masks: Vec<Option<Value>>,
}

/// The scalar without which all of these shares are zeros.
pub(crate) fn common_scalar<'a>(
    builder: &mut Builder,
    shares: impl Iterator<Item = &'a Share>,
) -> Result<Option<Value>, IrError> {
    let mut common = None;
    for share in shares {
        let Some(scalar) = share.mask.and_then(|mask| masks::scalar_part(builder, mask)) else {
            return Ok(None);
        };
        common = match common {
            None => Some(scalar),
            Some(other) => masks::either(builder, other, scalar)?,
        };
        if common.is_none() {
            return Ok(None);
        }
    }
    Ok(common)
}

/// A cotangent that goes into a structure, or to a part of one: it may be anything where the scalar does not hold.
pub(crate) fn seed(builder: &mut Builder, value: Value, condition: Option<Value>) -> Result<Share, IrError> {
    let mask = condition.map(|condition| masks::over(builder, condition, value)).transpose()?;
    Ok(Share { mask, ..Share::of(value) })
}
