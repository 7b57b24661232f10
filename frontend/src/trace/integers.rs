//! What a trace knows of its integers: bounds, and whether they are affine in a loop's iteration number.
//!
//! The number of iterations of an inner loop may be a traced integer, and its bound the cap that a loop needs.
//! What is read at an affine index becomes a row of the loop. Both are known while tracing, without a pass over the
//! program: an integer is learnt of when it is inserted.

use super::{Operand, Repr, Trace};
use evolute_ir::{Literal, Op, Prim, Value};

/// An integer `start + step · index`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Affine {
    /// The iteration number of a loop.
    pub(crate) index: Value,
    pub(crate) step: i64,
    pub(crate) start: i64,
}

/// What is known of an integer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    low: i64,
    high: i64,
    affine: Option<Affine>,
}

impl Known {
    fn constant(x: i64) -> Known {
        Known { low: x, high: x, affine: None }
    }

    fn as_constant(self) -> Option<i64> {
        (self.low == self.high).then_some(self.low)
    }

    fn between(low: Option<i64>, high: Option<i64>) -> Option<Known> {
        Some(Known { low: low?, high: high?, affine: None })
    }

    fn with_affine(self, affine: Option<Affine>) -> Known {
        Known { affine, ..self }
    }

    fn add(self, other: Known) -> Option<Known> {
        let sum = Known::between(self.low.checked_add(other.low), self.high.checked_add(other.high))?;
        let affine = match (self.affine, other.affine) {
            (Some(a), Some(b)) if a.index == b.index => join(a, a.step.checked_add(b.step), b.start),
            (Some(a), None) => other.as_constant().and_then(|b| join(a, Some(a.step), b)),
            (None, Some(b)) => self.as_constant().and_then(|a| join(b, Some(b.step), a)),
            _ => None,
        };
        Some(sum.with_affine(affine))
    }

    fn scale(self, factor: i64) -> Option<Known> {
        let ends = [self.low.checked_mul(factor)?, self.high.checked_mul(factor)?];
        let affine = self.affine.and_then(|Affine { index, step, start }| {
            Some(Affine { index, step: step.checked_mul(factor)?, start: start.checked_mul(factor)? })
        });
        Some(Known { low: ends[0].min(ends[1]), high: ends[0].max(ends[1]), affine })
    }

    fn mul(self, other: Known) -> Option<Known> {
        match (self.as_constant(), other.as_constant()) {
            (_, Some(factor)) => self.scale(factor),
            (Some(factor), _) => other.scale(factor),
            _ if self.low >= 0 && other.low >= 0 => {
                Known::between(self.low.checked_mul(other.low), self.high.checked_mul(other.high))
            }
            _ => None,
        }
    }

    /// The remainder by a positive number has the sign of what is divided.
    fn rem(self, other: Known) -> Option<Known> {
        let most = if other.low > 0 { other.high - 1 } else { return None };
        let low = if self.low >= 0 { 0 } else { -most };
        let high = if self.high <= 0 { 0 } else { most };
        Some(Known { low, high, affine: None })
    }

    /// Rounding towards zero keeps the order.
    fn div(self, other: Known) -> Option<Known> {
        let divisor = other.as_constant().filter(|&divisor| divisor > 0)?;
        Some(Known { low: self.low / divisor, high: self.high / divisor, affine: None })
    }

    fn ends(self, other: Known, end: fn(i64, i64) -> i64) -> Known {
        Known { low: end(self.low, other.low), high: end(self.high, other.high), affine: None }
    }
}

/// `a` with another step and something added.
fn join(a: Affine, step: Option<i64>, added: i64) -> Option<Affine> {
    Some(Affine { index: a.index, step: step?, start: a.start.checked_add(added)? })
}

impl Trace {
    /// The iteration number of a loop runs from 0 to below `cap`.
    pub(super) fn learn_index(&self, index: Value, cap: u32) {
        let high = i64::from(cap.saturating_sub(1));
        let affine = Some(Affine { index, step: 1, start: 0 });
        self.integers.borrow_mut().insert(index, Known { low: 0, high, affine });
    }

    /// Learns of the result of an operation on integers.
    pub(super) fn learn(&self, op: Op, operands: &[Operand], result: Value) {
        let known = match (op, operands) {
            (Op::Prim(prim), &[x]) => self.known(x).and_then(|x| unary(prim, x)),
            (Op::Prim(prim), &[x, y]) => {
                self.known(x).zip(self.known(y)).and_then(|(x, y)| binary(prim, x, y))
            }
            _ => None,
        };
        if let Some(known) = known {
            self.integers.borrow_mut().insert(result, known);
        }
    }

    fn known(&self, (repr, elem): Operand) -> Option<Known> {
        let literal = |literal| match literal {
            Literal::I64(x) => Some(Known::constant(x)),
            Literal::F64(_) | Literal::F32(_) | Literal::Bool(_) => None,
        };
        match repr {
            Repr::Const(slot) => literal(Literal::from_slot(elem, slot)),
            Repr::Node { trace, value } if trace == self.id => match self.integers.borrow().get(&value) {
                Some(&known) => Some(known),
                None => self.builder.borrow().program().as_const(value).and_then(literal),
            },
            Repr::Node { .. } | Repr::Failed(_) => None,
        }
    }

    /// The largest that an integer may be, if that is known.
    pub(crate) fn upper_bound(&self, x: Operand) -> Option<i64> {
        self.known(x).map(|known| known.high)
    }

    /// The value of a constant integer.
    pub(crate) fn constant_integer(&self, x: Operand) -> Option<i64> {
        self.known(x).and_then(Known::as_constant)
    }

    /// An integer in terms of a loop's iteration number, if it is affine and always within `0..extent`.
    pub(crate) fn affine_below(&self, x: Operand, extent: usize) -> Option<Affine> {
        let known = self.known(x)?;
        known.affine.filter(|_| known.low >= 0 && known.high < extent as i64)
    }
}

// Of what other primitives give nothing is known, and nothing needs to be: a wildcard arm is right here.
fn unary(prim: Prim, x: Known) -> Option<Known> {
    match prim {
        Prim::Neg => x.scale(-1),
        Prim::StopGradient => Some(x),
        _ => None,
    }
}

fn binary(prim: Prim, x: Known, y: Known) -> Option<Known> {
    match prim {
        Prim::Add => x.add(y),
        Prim::Sub => x.add(y.scale(-1)?),
        Prim::Mul => x.mul(y),
        Prim::Div => x.div(y),
        Prim::Rem => x.rem(y),
        Prim::Min => Some(x.ends(y, i64::min)),
        Prim::Max => Some(x.ends(y, i64::max)),
        _ => None,
    }
}
