//! An iteration of a loop's reverse.

use super::Reversal;
use crate::differentiate::Walk;
use crate::masks;
use crate::reach::{Counter, Reach, Sum};
use crate::share::Share;
use crate::structure::reverse_cond::Condition;
use crate::tape::Tape;
use crate::transpose::{Masked, seed};
use evolute_ir::{Elem, IrError, Origin, Trips, Type, Value};

/// What the iterations of a loop add to a captured value's cotangent.
#[derive(Clone, Copy)]
pub(super) enum Added {
    Nothing,
    /// Something, under a condition of which the iterations know nothing.
    Under(Condition),
    /// What a count says of all elements together.
    Counted,
    /// What a count says of each element.
    ByElement,
}

/// Where the cotangent of a carry or row may be other than 0.
#[derive(Clone, Copy)]
pub(super) enum Kept {
    Everywhere,
    /// Nowhere without this condition, of which the iterations know nothing.
    Under(Value),
    /// Where a stack of masks says.
    Stacked,
}

/// What is known of the cotangents that all iterations give.
#[derive(Default)]
pub(super) struct Additions {
    /// For each carry and row.
    pub(super) kept: Vec<Kept>,
    /// For each captured value.
    pub(super) added: Vec<Added>,
    /// The counts, by the captured values to which they belong.
    pub(super) counts: Vec<usize>,
}

impl Walk<'_, Tape<'_>> {
    /// The body of a loop's reverse: `[i, c̄…, rows…, carries…, ȳ…, masks…, sums…]`, giving the next `c̄…`, the rows'
    /// cotangents, masks of these, and the sums, the counts among them last.
    pub(super) fn reverse_body(
        &mut self,
        reversal: &Reversal<'_>,
    ) -> Result<(Vec<Value>, Additions), IrError> {
        let Reversal { params, from, .. } = reversal;
        let seeds = self.reversed_params(reversal)?;
        let sums: Vec<Value> = reversal.captures.iter().map(|&k| self.known(from.captures[k])).collect();
        let sums: Vec<Value> = sums.into_iter().map(|like| self.cotangent_param(like)).collect();
        self.captured(params.captures, from.captures);
        for (&param, &sum) in params.sums.iter().zip(from.sums) {
            // What the sum is does not matter: it is not read, and computing it again is dead code.
            self.known[param] = Some(self.known(sum));
            self.tangents[param] = None;
        }
        let carries = self.inputs(params.carries);
        let rows = self.inputs(params.rows);
        self.inputs(params.sums);
        let captured: Vec<Value> = reversal.captures.iter().map(|&k| params.captures[k]).collect();
        let captured = self.inputs(&captured);
        self.region(reversal.body)?;
        let outputs: Vec<_> = seeds.into_iter().map(|(v, seed)| (self.tangents[v], seed)).collect();
        let sum = |value| Sum { value, reach: Reach::Nowhere, counter: Counter::Possible };
        let sums: Vec<_> = captured.into_iter().zip(sums.into_iter().map(sum)).collect();
        let origin = Origin { level: self.level, ..Origin::default() };
        let (given, sums) = self.transpose(&outputs, &[carries, rows].concat(), &sums, origin)?;
        let mut results: Vec<Value> = given.iter().map(|&(value, _)| value).collect();
        let kept = self.kept(reversal, &given, &mut results);
        results.extend(sums.iter().map(|sum| sum.value));
        let additions = self.additions(reversal, (kept, sums), &mut results)?;
        Ok((results, additions))
    }

    /// Where the cotangents of carries and rows may be other than 0; masks of rows become further results.
    fn kept(&mut self, reversal: &Reversal<'_>, given: &[Masked], results: &mut Vec<Value>) -> Vec<Kept> {
        let builder = &*self.linear.builder;
        let is_run = matches!(reversal.spec.trips, Trips::Fixed(trips) if trips > 0);
        let mut kept = Vec::with_capacity(given.len());
        for (place, &(_, mask)) in given.iter().enumerate() {
            let is_row = place >= reversal.active.len();
            let scalar = mask.and_then(|mask| masks::uniform(builder, mask));
            let outer = scalar.filter(|&v| builder.program().value(v).region != builder.current());
            kept.push(match (mask, outer) {
                // What a carry begins with is not masked.
                (Some(_), Some(scalar)) if is_row || is_run => Kept::Under(scalar),
                (Some(mask), None) if is_row => {
                    results.push(mask);
                    Kept::Stacked
                }
                _ => Kept::Everywhere,
            });
        }
        kept
    }

    /// What an iteration adds where; the counts become further results.
    fn additions(
        &mut self,
        reversal: &Reversal<'_>,
        (kept, sums): (Vec<Kept>, Vec<Sum>),
        results: &mut Vec<Value>,
    ) -> Result<Additions, IrError> {
        let (mut added, mut counts) = (Vec::with_capacity(sums.len()), Vec::new());
        for (n, mut sum) in sums.into_iter().enumerate() {
            let of = self.known(reversal.from.captures[reversal.captures[n]]);
            let (found, total) = self.addition(&mut sum, of)?;
            added.push(found);
            if let Counter::Begun(param) = sum.counter {
                counts.push((param, n, total.unwrap_or(param)));
            }
        }
        // As the parameters follow one another.
        counts.sort_unstable();
        results.extend(counts.iter().map(|&(_, _, total)| total));
        Ok(Additions { kept, added, counts: counts.into_iter().map(|(_, n, _)| n).collect() })
    }

    /// What an iteration adds to a captured value's cotangent, and the count of that.
    fn addition(&mut self, sum: &mut Sum, of: Value) -> Result<(Added, Option<Value>), IrError> {
        let builder = &mut *self.linear.builder;
        let scalar = match sum.reach {
            Reach::Nowhere => return Ok((Added::Nothing, None)),
            Reach::Everywhere => return Ok((Added::Under(Condition::Always), None)),
            Reach::Counted(count) => return Ok((Added::ByElement, Some(count))),
            Reach::Where(mask) => masks::uniform(builder, mask),
        };
        match scalar {
            Some(scalar) if builder.program().value(scalar).region != builder.current() => {
                Ok((Added::Under(Condition::When(scalar)), None))
            }
            Some(scalar) => {
                let param = builder.param(&Type::scalar(Elem::I64));
                sum.counter = Counter::Begun(param);
                let total = masks::counted(builder, param, scalar, &[])?;
                Ok((Added::Counted, Some(total)))
            }
            None => Ok((Added::ByElement, sum.count(builder, of)?)),
        }
    }

    /// The parameters of the body of a loop's reverse but for its sums. Gives the cotangents of what the body gives.
    fn reversed_params(&mut self, reversal: &Reversal<'_>) -> Result<Vec<(Value, Share)>, IrError> {
        let Reversal { params, given, cotangents, .. } = reversal;
        self.param(self.body.region(reversal.body).params[0]);
        let mut seeds = Vec::new();
        for &k in &reversal.active {
            let like = self.known(reversal.from.carries[k]);
            seeds.push((given.carries[k], self.cotangent_param(like)));
        }
        for &row in params.rows.iter().chain(params.carries) {
            self.param(row);
        }
        let stacks = seeds.len();
        for &k in &reversal.seeded {
            self.cotangent_origin(cotangents.stacks[k].expect("it is seeded"));
            let ty = self.body.ty(given.stacks[k]);
            seeds.push((given.stacks[k], self.linear.builder.param(ty)));
        }
        let mut masks = vec![None; seeds.len()];
        for (mask, &k) in masks[stacks..].iter_mut().zip(&reversal.seeded) {
            let ty = Type { elem: Elem::Bool, ..self.body.ty(given.stacks[k]).clone() };
            *mask = reversal.masks[k].map(|_| self.linear.builder.param(&ty));
        }
        for (&sum, &cotangent) in given.sums.iter().zip(cotangents.sums) {
            seeds.extend(cotangent.map(|cotangent| (sum, cotangent)));
        }
        masks.resize(seeds.len(), None);
        let shares = seeds.into_iter().zip(masks).map(|((v, value), mask)| {
            let share = match mask {
                Some(_) => Share::settled(value, mask),
                None => seed(self.linear.builder, value, reversal.condition)?,
            };
            Ok((v, share))
        });
        shares.collect()
    }
}
