//! A contribution to a cotangent, with what it has yet to be multiplied by.

use crate::linear::{Coefficient, add_signed, constant_like, repeated};
use crate::masks;
use evolute_ir::{Builder, IrError, Literal, Op, Prim, Program, Value};

/// A contribution to a cotangent: `±scale · value / divisor` where `mask` holds, else zero.
///
/// Note [Joint masks]: shares that differ in their masks are selected before they are added, and their sum is masked where
/// either was: elsewhere it is 0, but has yet to be multiplied by what may be infinite there. As long as it is
/// not, the sum is *settled* and needs no other `select`, and the joint mask is dead code.
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
    /// Whether `value` is 0 where `mask` does not hold.
    pub(crate) settled: bool,
    /// Of the type of `value`, or a scalar.
    pub(crate) scale: Option<Value>,
    /// Likewise. Applied first, and before the share is handed on.
    pub(crate) divisor: Option<Value>,
    pub(crate) negated: bool,
    pub(crate) value: Value,
}

impl Share {
    pub(crate) fn of(value: Value) -> Share {
        Share { mask: None, settled: false, scale: None, divisor: None, negated: false, value }
    }

    /// The share whose value is 0 where the mask does not hold.
    pub(crate) fn settled(value: Value, mask: Option<Value>) -> Share {
        Share { mask, settled: mask.is_some(), ..Share::of(value) }
    }

    /// Shares under one mask stay under it, and of one scale; others are selected and multiplied first. What is divided
    /// by the same stays undivided, if nothing else tells the shares apart.
    pub(crate) fn plus(self, builder: &mut Builder, other: Share) -> Result<Share, IrError> {
        let factors = |share: Share| (share.divisor, share.mask, share.scale);
        let (a, b) = match factors(self) == factors(other) {
            true => (self, other),
            false => (self.divided(builder)?, other.divided(builder)?),
        };
        let (a, b) = match a.mask == b.mask {
            true => (a, b),
            false => a.joint(builder, b)?,
        };
        let (a, b) = match a.scale == b.scale {
            true => (a, b),
            false => (a.multiplied(builder)?, b.multiplied(builder)?),
        };
        let (negated, value) = add_signed(builder, (a.negated, a.value), (b.negated, b.value))?;
        Ok(Share { negated, value, settled: a.settled && b.settled, ..a })
    }

    /// Both under the mask that holds where one of theirs does.
    fn joint(self, builder: &mut Builder, other: Share) -> Result<(Share, Share), IrError> {
        let (a, b) = (self.settle(builder)?, other.settle(builder)?);
        let mask = match (a.mask, b.mask) {
            (Some(m), Some(n)) => masks::either(builder, m, n)?,
            (None, _) | (_, None) => None,
        };
        let settled = mask.is_some();
        Ok((Share { mask, settled, ..a }, Share { mask, settled, ..b }))
    }

    /// The share, which has no divisor, over this one.
    pub(crate) fn over(self, builder: &Builder, divisor: Value) -> Share {
        let program = builder.program();
        let divisor = Some(copied_scalar(program, divisor).unwrap_or(divisor));
        Share { divisor, settled: false, ..self }
    }

    /// The share with its divisor applied.
    pub(crate) fn divided(self, builder: &mut Builder) -> Result<Share, IrError> {
        let Some(divisor) = self.divisor else { return Ok(self) };
        let ty = builder.program().ty(self.value).clone();
        let divisor = repeated(builder, divisor, &ty)?;
        let value = builder.insert(Op::Prim(Prim::Div), &[self.value, divisor])?;
        Ok(Share { divisor: None, value, ..self })
    }

    /// The share, which has no divisor, with its mask applied; it is kept for what multiplies the share yet.
    fn settle(self, builder: &mut Builder) -> Result<Share, IrError> {
        let Some(mask) = self.mask.filter(|_| !self.settled) else { return Ok(self) };
        let zero = constant_like(builder, self.value, 0.0)?;
        let value = builder.insert(Op::Select, &[mask, self.value, zero])?;
        Ok(Share { settled: true, value, ..self })
    }

    /// The share, which has no divisor, with its mask applied.
    fn selected(self, builder: &mut Builder) -> Result<Share, IrError> {
        Ok(Share { mask: None, settled: false, ..self.settle(builder)? })
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
                let settled = self.settled && is_finite_constant(builder.program(), k);
                let value = builder.insert(Op::Prim(Prim::Mul), &[self.value, k])?;
                Ok(Share { value, settled, ..self })
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
                Ok(Share { settled: self.settled && self.mask == Some(mask), mask: Some(mask), ..self })
            }
        }
    }

    /// The share moved by a linear map that sums elements: where all have one divisor, their sums are divided.
    pub(crate) fn summed(
        self,
        builder: &mut Builder,
        map: impl FnMut(&mut Builder, Value) -> Result<Value, IrError>,
    ) -> Result<Share, IrError> {
        let uniform = |divisor: &Value| builder.program().ty(*divisor).is_scalar();
        let divisor = self.divisor.filter(uniform).filter(|_| self.mask.is_none());
        let share = Share { divisor: self.divisor.filter(|_| divisor.is_none()), ..self };
        Share { divisor, ..share.moved(builder, map)? }.divided(builder)
    }

    /// The share moved by a map that sums and repeats elements, which moves masks likewise. A scale is as in
    /// [`Share::mapped`]. What is not settled is, so that masks are dead code if nothing multiplies the share later.
    pub(crate) fn moved(
        self,
        builder: &mut Builder,
        mut map: impl FnMut(&mut Builder, Value) -> Result<Value, IrError>,
    ) -> Result<Share, IrError> {
        let share = self.under_scalar_scale(builder)?;
        let Some(mask) = share.mask else { return share.mapped(builder, map) };
        if masks::uniform(builder, mask).is_some() {
            return Ok(Share { settled: share.settled, ..share.mapped(builder, map)? });
        }
        let share = share.settle(builder)?;
        let (value, mask) = (map(builder, share.value)?, Some(map(builder, mask)?));
        Ok(Share { mask, value, ..share })
    }

    /// The share moved by a linear map. A mask or scale that is one scalar for all elements passes, any other is applied, and
    /// a divisor before. Of a mask that is applied, what is one scalar for all elements stays.
    pub(crate) fn mapped(
        self,
        builder: &mut Builder,
        map: impl FnOnce(&mut Builder, Value) -> Result<Value, IrError>,
    ) -> Result<Share, IrError> {
        let share = self.under_scalar_scale(builder)?;
        match share.mask.and_then(|mask| masks::uniform(builder, mask)) {
            Some(condition) => {
                let value = map(builder, share.value)?;
                let mask = Some(masks::over(builder, condition, value)?);
                Ok(Share { mask, settled: false, value, ..share })
            }
            None => {
                let condition = share.mask.and_then(|mask| masks::scalar_part(builder, mask));
                let share = share.selected(builder)?;
                let value = map(builder, share.value)?;
                let mask = condition.map(|scalar| masks::over(builder, scalar, value)).transpose()?;
                Ok(Share { mask, value, ..share })
            }
        }
    }

    /// The share without a divisor, and without a scale that is not one scalar for all elements.
    fn under_scalar_scale(self, builder: &mut Builder) -> Result<Share, IrError> {
        let share = self.divided(builder)?;
        let uniform = share.scale.is_none_or(|scale| builder.program().ty(scale).is_scalar());
        if uniform { Ok(share) } else { share.multiplied(builder) }
    }
}

/// `k` if it is a power of two that [`Prim::Rescale`] gave, or the scalar of which all elements of `k` are copies.
fn scale(program: &Program, k: Value) -> Option<Value> {
    if program.op(program.def_inst(k)?) == Op::Prim(Prim::Rescale) {
        return Some(k);
    }
    copied_scalar(program, k).filter(|&copied| scale(program, copied).is_some())
}

/// Whether 0 times `k` is 0.
fn is_finite_constant(program: &Program, k: Value) -> bool {
    let literal = program.as_const(copied_scalar(program, k).unwrap_or(k));
    literal.and_then(Literal::as_real).is_some_and(f64::is_finite)
}

/// The scalar of which all elements of the array `k` are copies.
fn copied_scalar(program: &Program, k: Value) -> Option<Value> {
    let inst = program.def_inst(k)?;
    let copied = matches!(program.op(inst), Op::View(..)).then(|| program.operands(inst)[0])?;
    if program.ty(copied).is_scalar() { Some(copied) } else { copied_scalar(program, copied) }
}
