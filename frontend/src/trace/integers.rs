//! What a trace knows of its integers: bounds, and whether they are affine in loops' iteration numbers.
//!
//! The number of iterations of an inner loop may be a traced integer, and its bound the cap that a loop needs.
//! What is read at an affine index becomes a row of the loops. Both are known while tracing, without a pass over the
//! program: an integer is learnt of when it is inserted.

use super::{Operand, Repr, Trace};
use evolute_ir::{Literal, Op, Prim, Value};
use smallvec::SmallVec;

/// An integer `start + Σ step · index`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Affine {
    /// Iteration numbers of loops, each once, with what a step of each adds.
    pub(crate) terms: SmallVec<[(Value, i64); 2]>,
    pub(crate) start: i64,
}

/// What is known of an integer.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    low: i64,
    high: i64,
    affine: Option<Affine>,
}

impl Affine {
    fn constant(start: i64) -> Affine {
        Affine { start, ..Affine::default() }
    }

    fn add(&self, other: &Affine) -> Option<Affine> {
        let mut sum = Affine { start: self.start.checked_add(other.start)?, ..self.clone() };
        for &(index, step) in &other.terms {
            match sum.terms.iter_mut().find(|(known, _)| *known == index) {
                Some((_, known)) => *known = known.checked_add(step)?,
                None => sum.terms.push((index, step)),
            }
        }
        sum.terms.retain(|&mut (_, step)| step != 0);
        Some(sum)
    }

    fn scale(&self, factor: i64) -> Option<Affine> {
        let mut product = Affine::constant(self.start.checked_mul(factor)?);
        for &(index, step) in self.terms.iter().filter(|_| factor != 0) {
            product.terms.push((index, step.checked_mul(factor)?));
        }
        Some(product)
    }

    /// What a step of this iteration number adds, and the integer without it.
    pub(crate) fn without(&self, index: Value) -> (i64, Affine) {
        let mut rest = self.clone();
        let place = rest.terms.iter().position(|&(other, _)| other == index);
        let step = place.map_or(0, |place| rest.terms.remove(place).1);
        (step, rest)
    }
}

impl Known {
    fn constant(x: i64) -> Known {
        Known { low: x, high: x, affine: Some(Affine::constant(x)) }
    }

    fn as_constant(&self) -> Option<i64> {
        (self.low == self.high).then_some(self.low)
    }

    fn between(low: Option<i64>, high: Option<i64>) -> Option<Known> {
        Some(Known { low: low?, high: high?, affine: None })
    }

    fn add(&self, other: &Known) -> Option<Known> {
        let sum = Known::between(self.low.checked_add(other.low), self.high.checked_add(other.high))?;
        let affine = self.affine.as_ref().zip(other.affine.as_ref()).and_then(|(a, b)| a.add(b));
        Some(Known { affine, ..sum })
    }

    fn scale(&self, factor: i64) -> Option<Known> {
        let ends = [self.low.checked_mul(factor)?, self.high.checked_mul(factor)?];
        let affine = self.affine.as_ref().and_then(|affine| affine.scale(factor));
        Some(Known { low: ends[0].min(ends[1]), high: ends[0].max(ends[1]), affine })
    }

    fn mul(&self, other: &Known) -> Option<Known> {
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
    fn rem(&self, other: &Known) -> Option<Known> {
        let most = if other.low > 0 { other.high - 1 } else { return None };
        let low = if self.low >= 0 { 0 } else { -most };
        let high = if self.high <= 0 { 0 } else { most };
        Some(Known { low, high, affine: None })
    }

    /// Rounding towards zero keeps the order.
    fn div(&self, other: &Known) -> Option<Known> {
        let divisor = other.as_constant().filter(|&divisor| divisor > 0)?;
        Some(Known { low: self.low / divisor, high: self.high / divisor, affine: None })
    }

    fn ends(&self, other: &Known, end: fn(i64, i64) -> i64) -> Known {
        Known { low: end(self.low, other.low), high: end(self.high, other.high), affine: None }
    }
}

impl Trace {
    /// The iteration number of a loop runs from 0 to below `cap`.
    pub(super) fn learn_index(&self, index: Value, cap: u32) {
        let high = i64::from(cap.saturating_sub(1));
        let affine = Some(Affine { terms: SmallVec::from_slice(&[(index, 1)]), start: 0 });
        self.integers.borrow_mut().insert(index, Known { low: 0, high, affine });
    }

    /// Learns of the result of an operation on integers.
    pub(super) fn learn(&self, op: Op, operands: &[Operand], result: Value) {
        let known = match (op, operands) {
            (Op::Prim(prim), &[x]) => self.known(x).and_then(|x| unary(prim, &x)),
            (Op::Prim(prim), &[x, y]) => {
                self.known(x).zip(self.known(y)).and_then(|(x, y)| binary(prim, &x, &y))
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
                Some(known) => Some(known.clone()),
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
        self.known(x).and_then(|known| known.as_constant())
    }

    /// An integer in terms of loops' iteration numbers, if it is affine and always within `0..extent`.
    pub(crate) fn affine_below(&self, x: Operand, extent: usize) -> Option<Affine> {
        let known = self.known(x)?;
        known.affine.filter(|_| known.low >= 0 && known.high < extent as i64)
    }

    /// The smallest and the largest that an affine integer may be. Its iteration numbers are known by their bounds.
    pub(crate) fn range(&self, affine: &Affine) -> (i64, i64) {
        let integers = self.integers.borrow();
        let mut range = (affine.start, affine.start);
        for (index, step) in &affine.terms {
            let reach = step * integers[index].high;
            range = (range.0 + reach.min(0), range.1 + reach.max(0));
        }
        range
    }
}

// Of what other primitives give nothing is known, and nothing needs to be: a wildcard arm is right here.
fn unary(prim: Prim, x: &Known) -> Option<Known> {
    match prim {
        Prim::Neg => x.scale(-1),
        Prim::StopGradient => Some(x.clone()),
        _ => None,
    }
}

fn binary(prim: Prim, x: &Known, y: &Known) -> Option<Known> {
    match prim {
        Prim::Add => x.add(y),
        Prim::Sub => x.add(&y.scale(-1)?),
        Prim::Mul => x.mul(y),
        Prim::Div => x.div(y),
        Prim::Rem => x.rem(y),
        Prim::Min => Some(x.ends(y, i64::min)),
        Prim::Max => Some(x.ends(y, i64::max)),
        _ => None,
    }
}
