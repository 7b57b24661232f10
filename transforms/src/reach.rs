//! Where something was added to a cotangent: its mask, while what is added comes in from loops and conditionals.
//!
//! A captured value's cotangent is a sum of the region that captures it. A share that is added there has a mask, and an
//! iteration that does not run, or a branch that is not taken, adds nothing. Where nothing was added the cotangent
//! is a zero, which is not to be multiplied by what may be infinite (Note \[Masks\] in `transpose.rs`). What a loop adds under
//! masks is counted, in a sum of its own, which is dead code if nothing multiplies the cotangent later.

use crate::masks;
use evolute_ir::{Builder, Elem, IrError, Literal, Op, Value};

/// The elements to which something was added.
#[derive(Clone, Copy, Default)]
pub(crate) enum Reach {
    #[default]
    Nowhere,
    /// Those for which this mask holds.
    Where(Value),
    /// Those with a count above 0.
    Counted(Value),
    /// All, as far as is known.
    Everywhere,
}

impl Reach {
    /// That of a share with this mask.
    pub(crate) fn of(mask: Option<Value>) -> Reach {
        mask.map_or(Reach::Everywhere, Reach::Where)
    }

    /// With a further share, which has this mask.
    pub(crate) fn with(self, builder: &mut Builder, mask: Option<Value>) -> Result<Reach, IrError> {
        Ok(match (self, mask) {
            (Reach::Everywhere, _) | (_, None) => Reach::Everywhere,
            (Reach::Nowhere, Some(mask)) => Reach::Where(mask),
            (Reach::Where(a), Some(b)) => Reach::of(masks::either(builder, a, b)?),
            (Reach::Counted(count), Some(mask)) => Reach::Counted(masks::counted(builder, count, mask, &[])?),
        })
    }

    /// The mask, if it is known not to hold everywhere.
    pub(crate) fn mask(self, builder: &mut Builder, of: Value) -> Result<Option<Value>, IrError> {
        match self {
            Reach::Everywhere => Ok(None),
            Reach::Where(mask) => Ok(Some(mask)),
            Reach::Counted(count) => masks::counted_at_all(builder, count).map(Some),
            Reach::Nowhere => {
                let never = builder.constant(Literal::Bool(false));
                masks::over(builder, never, of).map(Some)
            }
        }
    }

    /// How often something was added to each element of the cotangent of `of`, given a count of zeros; nothing if that is
    /// not known.
    pub(crate) fn count(
        self,
        builder: &mut Builder,
        zeros: impl FnOnce(&mut Builder) -> Result<Value, IrError>,
    ) -> Result<Option<Value>, IrError> {
        match self {
            Reach::Everywhere => Ok(None),
            Reach::Nowhere => zeros(builder).map(Some),
            Reach::Counted(count) => Ok(Some(count)),
            Reach::Where(mask) => {
                let zeros = zeros(builder)?;
                masks::counted(builder, zeros, mask, &[]).map(Some)
            }
        }
    }
}

/// A cotangent that is added to in place, as a sum of the region under construction.
#[derive(Clone, Copy)]
pub(crate) struct Sum {
    pub(crate) value: Value,
    pub(crate) reach: Reach,
    /// Where its additions may be counted element by element.
    pub(crate) counter: Counter,
}

/// The sum in which additions are counted.
#[derive(Clone, Copy)]
pub(crate) enum Counter {
    /// The region can have none.
    Impossible,
    /// There is none yet.
    Possible,
    /// The region's parameter with which it begins.
    Begun(Value),
}

impl Sum {
    /// The count of each element of the cotangent of `of`, from now on; nothing if there is none.
    pub(crate) fn count(&mut self, builder: &mut Builder, of: Value) -> Result<Option<Value>, IrError> {
        let counter = &mut self.counter;
        if matches!(counter, Counter::Impossible) {
            return Ok(None);
        }
        let count = self.reach.count(builder, |builder| {
            let mut ty = builder.program().ty(of).clone();
            ty.elem = Elem::I64;
            let param = builder.param(&ty);
            *counter = Counter::Begun(param);
            Ok(param)
        })?;
        if let Some(count) = count {
            self.reach = Reach::Counted(count);
        }
        Ok(count)
    }

    /// With a value added whole, which is 0 where `mask` does not hold.
    pub(crate) fn add(
        &mut self,
        builder: &mut Builder,
        value: Value,
        mask: Option<Value>,
    ) -> Result<(), IrError> {
        self.value = builder.insert(Op::AddAt, &[self.value, value])?;
        self.reach = self.reach.with(builder, mask)?;
        Ok(())
    }

    /// With a value added at these indices, likewise.
    pub(crate) fn add_at(
        &mut self,
        builder: &mut Builder,
        (value, mask): (Value, Option<Value>),
        indices: &[Value],
        of: Value,
    ) -> Result<(), IrError> {
        self.value = builder.insert(Op::AddAt, &[&[self.value, value], indices].concat())?;
        let count = if mask.is_some() { self.count(builder, of)? } else { None };
        self.reach = match (mask, count) {
            (Some(mask), Some(count)) => Reach::Counted(masks::counted(builder, count, mask, indices)?),
            (Some(mask), None) => {
                let scalar = masks::scalar_part(builder, mask);
                let mask = scalar.map(|scalar| masks::over(builder, scalar, of)).transpose()?;
                self.reach.with(builder, mask)?
            }
            (None, _) => Reach::Everywhere,
        };
        Ok(())
    }
}
