//! The reverse of a loop: a loop over the same iterations in the other order. What was a row becomes a stack and the other
//! way round; a captured value's cotangent is a sum, beside which may stand a count of what was added to it (see
//! [`reach`](crate::reach)). See Note [Recomputation] in [`structure`](super).

mod body;

use super::reverse_cond::Condition;
use super::{LoopParts, operand_parts, param_parts, result_parts, same_trips};
use crate::differentiate::Walk;
use crate::linear::constant_like;
use crate::masks;
use crate::reach::Reach;
use crate::share::Share;
use crate::tape::{Structure, Tangent, Tape};
use crate::transpose::{Backward, Seeds, seed};
use body::{Added, Additions, Kept};
use evolute_ir::{IrError, Literal, LoopSpec, Program, Region, Trips, Value};

/// A loop that is run backwards, by parts.
struct Reversal<'a> {
    spec: LoopSpec,
    body: Region,
    /// Of the body.
    params: LoopParts<'a>,
    /// What the body gives.
    given: LoopParts<'a>,
    /// The operands, in the program that is differentiated.
    from: LoopParts<'a>,
    /// The operands as known code.
    known: LoopParts<'a>,
    tangents: LoopParts<'a, Option<Tangent>>,
    cotangents: LoopParts<'a, Option<Value>>,
    /// Without it all cotangents are zeros.
    condition: Option<Value>,
    /// If there is none, where those of stacks are not.
    masks: Vec<Option<Value>>,
    /// The carries as each iteration found them, stacked.
    kept: &'a [Value],
    /// Which carries may have cotangents.
    active: Vec<usize>,
    /// Which stacks have one.
    seeded: Vec<usize>,
    /// Which captures have tangents.
    captures: Vec<usize>,
}

impl<'a> Reversal<'a> {
    fn new(
        program: &'a Program,
        structure: &'a Structure,
        (body, spec): (Region, LoopSpec),
        seeds: &'a Seeds,
        is_active: impl Fn(Value) -> bool,
    ) -> Reversal<'a> {
        let data = program.region(body);
        let params = param_parts(&spec, &data.params);
        let tangents = operand_parts(&spec, &structure.operands);
        let cotangents = result_parts(&spec, &seeds.values[spec.first_carry_result()..]);
        let masks = result_parts(&spec, &seeds.masks[spec.first_carry_result()..]);
        Reversal {
            active: (0..params.carries.len()).filter(|&k| is_active(params.carries[k])).collect(),
            seeded: present(cotangents.stacks),
            captures: present(tangents.captures),
            body,
            params,
            given: result_parts(&spec, &data.results),
            from: operand_parts(&spec, program.operands(structure.inst)),
            known: operand_parts(&spec, &structure.known),
            tangents,
            cotangents,
            condition: seeds.condition,
            masks: masks.stacks.to_vec(),
            kept: &structure.carries,
            spec,
        }
    }

    fn spec(&self, trips: Trips, counts: usize) -> LoopSpec {
        LoopSpec {
            // Without carries the order matters to sums alone: it stays, so that the two loops can be one.
            reverse: if self.active.is_empty() { self.spec.reverse } else { !self.spec.reverse },
            carries: self.active.len() as u32,
            rows: (self.known.rows.len() + self.kept.len() + self.seeded.len() + self.masked().count())
                as u32,
            sums: (self.captures.len() + counts) as u32,
            // Loops that follow one another iteration by iteration may be cut anywhere.
            ordered: self.spec.ordered || self.spec.carries > 0,
            ..LoopSpec::new(trips)
        }
    }

    /// The masks of stacks.
    fn masked(&self) -> impl Iterator<Item = Value> {
        self.seeded.iter().filter_map(|&k| self.masks[k])
    }

    fn capture_tangent(&self, k: usize) -> Tangent {
        self.tangents.captures[k].expect("an active capture has a tangent")
    }
}

/// The places of what is there.
fn present<T>(parts: &[Option<T>]) -> Vec<usize> {
    (0..parts.len()).filter(|&k| parts[k].is_some()).collect()
}

impl Walk<'_, Tape<'_>> {
    pub(super) fn transpose_loop(
        &mut self,
        backward: &mut Backward,
        structure: &Structure,
        of: (Region, LoopSpec),
        seeds: &Seeds,
    ) -> Result<(), IrError> {
        self.restore(structure);
        let reversal = Reversal::new(self.body, structure, of, seeds, |v| self.active[v]);
        let mut additions = Additions::default();
        let closed = self.nested(|walk| {
            walk.with_record(|walk| {
                let (results, found) = walk.reverse_body(&reversal)?;
                additions = found;
                Ok(results)
            })
        })?;
        self.cotangent_origin(structure.known[0]);
        let count = match reversal.spec.trips {
            Trips::Counted(_) => Some(structure.known[0]),
            Trips::Fixed(_) | Trips::While(_) => structure.count,
        };
        let (trips, count) = same_trips(reversal.spec.trips, count);
        let mut operands: Vec<Value> = count.into_iter().collect();
        let before = self.reversed_operands(backward, &reversal, &mut operands)?;
        let counted = self.counted_operands(backward, &reversal, (&additions, &before), &mut operands)?;
        let spec = reversal.spec(trips, additions.counts.len());
        let results = self.linear.builder.looping(spec, None, closed, &operands)?;
        let (results, counts) = results.split_at(results.len() - additions.counts.len());
        let (results, sums) = results.split_at(results.len() - reversal.captures.len());
        for (n, &k) in reversal.captures.iter().enumerate() {
            self.originate_cotangent(structure, sums[n], reversal.known.captures[k]);
            let total = additions.counts.iter().position(|&of| of == n).map(|place| counts[place]);
            let reach = match (additions.added[n], total) {
                (Added::ByElement, Some(total)) if counted[n] => Reach::Counted(total),
                (added, total) => {
                    let added = self.condition(added, total, count)?;
                    self.joined(before[n], added, sums[n])?
                }
            };
            backward.replace(self.linear.builder, reversal.capture_tangent(k), (sums[n], reach))?;
        }
        self.give_results(backward, structure, (&reversal, &additions.kept), results)
    }

    /// When a loop of so many iterations adds something, if it ever does.
    fn condition(
        &mut self,
        added: Added,
        total: Option<Value>,
        iterations: Option<Value>,
    ) -> Result<Option<Condition>, IrError> {
        let builder = &mut *self.linear.builder;
        let run = match (added, total, iterations) {
            (Added::Nothing, _, _) => return Ok(None),
            (Added::Counted, Some(total), _) => {
                return Ok(Some(Condition::When(masks::counted_at_all(builder, total)?)));
            }
            (_, _, None) => None,
            (_, _, Some(iterations)) => Some(masks::counted_at_all(builder, iterations)?),
        };
        Ok(Some(match (added, run) {
            (Added::Under(Condition::When(scalar)), Some(run)) => {
                Condition::When(masks::both(builder, scalar, run)?)
            }
            (Added::Under(Condition::When(scalar)), None) => Condition::When(scalar),
            (_, Some(run)) => Condition::When(run),
            (_, None) => Condition::Always,
        }))
    }

    /// The operands of a loop's reverse after its count: `c̄…, rows…, carries…, ȳ…`, and what the sums begin with. Gives what
    /// was added to these before.
    fn reversed_operands(
        &mut self,
        backward: &mut Backward,
        reversal: &Reversal<'_>,
        operands: &mut Vec<Value>,
    ) -> Result<Vec<Reach>, IrError> {
        let Reversal { known, cotangents, .. } = reversal;
        for &k in &reversal.active {
            operands.push(match cotangents.carries[k] {
                Some(cotangent) => cotangent,
                None => constant_like(self.linear.builder, known.carries[k], 0.0)?,
            });
        }
        operands.extend_from_slice(known.rows);
        operands.extend_from_slice(reversal.kept);
        operands.extend(reversal.seeded.iter().filter_map(|&k| cotangents.stacks[k]));
        operands.extend(reversal.masked());
        let mut before = Vec::new();
        for &k in &reversal.captures {
            let tangent = reversal.capture_tangent(k);
            let (sum, reach) = backward.sum(self.linear.builder, tangent, known.captures[k])?;
            operands.push(sum);
            before.push(reach);
        }
        Ok(before)
    }

    /// What the counts begin with. Gives for which captured values that is what was counted before.
    fn counted_operands(
        &mut self,
        backward: &mut Backward,
        reversal: &Reversal<'_>,
        (additions, before): (&Additions, &[Reach]),
        operands: &mut Vec<Value>,
    ) -> Result<Vec<bool>, IrError> {
        let mut counted = vec![false; before.len()];
        for &n in &additions.counts {
            let k = reversal.captures[n];
            let like = reversal.known.captures[k];
            let builder = &mut *self.linear.builder;
            let begun = match additions.added[n] {
                Added::ByElement => {
                    backward.count(builder, reversal.capture_tangent(k), (like, before[n]))?
                }
                Added::Counted => Some(builder.constant(Literal::I64(0))),
                Added::Nothing | Added::Under(_) => None,
            };
            counted[n] = begun.is_some();
            operands.push(begun.map_or_else(|| masks::no_counts(builder, like), Ok)?);
        }
        Ok(counted)
    }

    /// Hands on the cotangents of carries and rows, which are results of the loop's reverse, and of sums: theirs pass.
    fn give_results(
        &mut self,
        backward: &mut Backward,
        structure: &Structure,
        (reversal, kept): (&Reversal<'_>, &[Kept]),
        results: &[Value],
    ) -> Result<(), IrError> {
        let Reversal { known, tangents, params, .. } = reversal;
        let (results, masks) = results.split_at(kept.len());
        let active_rows = (0..params.rows.len()).filter(|&k| self.active[params.rows[k]]);
        let of_carries = reversal.active.iter().map(|&k| (tangents.carries[k], known.carries[k]));
        let of_rows = active_rows.map(|k| (tangents.rows[k], known.rows[k]));
        let given: Vec<_> = of_carries.chain(of_rows).zip(results.iter().copied()).collect();
        for &((_, of), value) in &given {
            self.originate_cotangent(structure, value, of);
        }
        for (k, &cotangent) in reversal.cotangents.sums.iter().enumerate() {
            if let (Some(tangent), Some(cotangent)) = (tangents.sums[k], cotangent) {
                self.cotangent_origin(known.sums[k]);
                let share = seed(self.linear.builder, cotangent, reversal.condition)?;
                backward.add(self.linear.builder, tangent, share)?;
            }
        }
        let mut masks = masks.iter().copied();
        for (((tangent, of), value), kept) in given.into_iter().zip(kept) {
            let builder = &mut *self.linear.builder;
            let mask = match (kept, reversal.condition) {
                (Kept::Stacked, _) => masks.next(),
                (&Kept::Under(scalar), _) | (Kept::Everywhere, Some(scalar)) => {
                    Some(masks::over(builder, scalar, value)?)
                }
                (Kept::Everywhere, None) => None,
            };
            if let Some(tangent) = tangent {
                self.cotangent_origin(of);
                backward.add(self.linear.builder, tangent, Share::settled(value, mask))?;
            }
        }
        Ok(())
    }
}
