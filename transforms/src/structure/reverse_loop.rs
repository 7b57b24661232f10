//! The reverse of a loop: a loop over the same iterations in the other order. What was a row becomes a stack and the other
//! way round; a captured value's cotangent is a sum. See Note [Recomputation] in [`structure`](super).

use super::{LoopParts, operand_parts, param_parts, result_parts, same_trips};
use crate::differentiate::Walk;
use crate::linear::constant_like;
use crate::tape::{Structure, Tangent, Tape};
use crate::transpose::Backward;
use evolute_ir::{IrError, LoopSpec, Origin, Program, Region, Trips, Value};

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
        cotangents: &'a [Option<Value>],
        is_active: impl Fn(Value) -> bool,
    ) -> Reversal<'a> {
        let data = program.region(body);
        let params = param_parts(&spec, &data.params);
        let tangents = operand_parts(&spec, &structure.operands);
        let cotangents = result_parts(&spec, &cotangents[spec.first_carry_result()..]);
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
            kept: &structure.carries,
            spec,
        }
    }

    fn spec(&self, trips: Trips) -> LoopSpec {
        LoopSpec {
            // Without carries the order matters to sums alone: it stays, so that the two loops can be one.
            reverse: if self.active.is_empty() { self.spec.reverse } else { !self.spec.reverse },
            carries: self.active.len() as u32,
            rows: (self.known.rows.len() + self.kept.len() + self.seeded.len()) as u32,
            sums: self.captures.len() as u32,
            // Loops that follow one another iteration by iteration may be cut anywhere.
            ordered: self.spec.ordered || self.spec.carries > 0,
            ..LoopSpec::new(trips)
        }
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
        cotangents: &[Option<Value>],
    ) -> Result<(), IrError> {
        self.restore(structure);
        let reversal = Reversal::new(self.body, structure, of, cotangents, |v| self.active[v]);
        let closed = self.nested(|walk| walk.with_record(|walk| walk.reverse_body(&reversal)))?;
        self.cotangent_origin(structure.known[0]);
        let count = match reversal.spec.trips {
            Trips::Counted(_) => Some(structure.known[0]),
            Trips::Fixed(_) | Trips::While(_) => structure.count,
        };
        let (trips, count) = same_trips(reversal.spec.trips, count);
        let mut operands: Vec<Value> = count.into_iter().collect();
        self.reversed_operands(backward, &reversal, &mut operands)?;
        let results = self.linear.builder.looping(reversal.spec(trips), None, closed, &operands)?;
        let (results, sums) = results.split_at(results.len() - reversal.captures.len());
        for (&k, &value) in reversal.captures.iter().zip(sums) {
            self.originate_cotangent(structure, value, reversal.known.captures[k]);
            backward.replace(self.linear.builder, reversal.capture_tangent(k), value)?;
        }
        self.give_results(backward, structure, &reversal, results)
    }

    /// The operands of a loop's reverse after its count: `c̄…, rows…, carries…, ȳ…`, and what the sums begin with.
    fn reversed_operands(
        &mut self,
        backward: &mut Backward,
        reversal: &Reversal<'_>,
        operands: &mut Vec<Value>,
    ) -> Result<(), IrError> {
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
        for &k in &reversal.captures {
            let tangent = reversal.capture_tangent(k);
            operands.push(backward.sum(self.linear.builder, tangent, known.captures[k])?);
        }
        Ok(())
    }

    /// Hands on the cotangents of carries and rows, which are results of the loop's reverse, and of sums: theirs pass.
    fn give_results(
        &mut self,
        backward: &mut Backward,
        structure: &Structure,
        reversal: &Reversal<'_>,
        results: &[Value],
    ) -> Result<(), IrError> {
        let Reversal { known, tangents, params, .. } = reversal;
        let active_rows = (0..params.rows.len()).filter(|&k| self.active[params.rows[k]]);
        let of_carries = reversal.active.iter().map(|&k| (tangents.carries[k], known.carries[k]));
        let of_rows = active_rows.map(|k| (tangents.rows[k], known.rows[k]));
        let mut given: Vec<_> = of_carries.chain(of_rows).zip(results.iter().copied()).collect();
        for &((_, of), value) in &given {
            self.originate_cotangent(structure, value, of);
        }
        for (k, &cotangent) in reversal.cotangents.sums.iter().enumerate() {
            given.extend(cotangent.map(|cotangent| ((tangents.sums[k], known.sums[k]), cotangent)));
        }
        for ((tangent, of), value) in given {
            if let Some(tangent) = tangent {
                self.cotangent_origin(of);
                backward.give(self.linear.builder, tangent, value)?;
            }
        }
        Ok(())
    }

    /// The body of a loop's reverse: `[i, c̄…, rows…, carries…, ȳ…, sums…]`, giving the next `c̄…`, the rows' cotangents and
    /// the sums.
    fn reverse_body(&mut self, reversal: &Reversal<'_>) -> Result<Vec<Value>, IrError> {
        let Reversal { params, from, .. } = reversal;
        let seeds = self.reversed_params(reversal);
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
        let sums: Vec<_> = captured.into_iter().zip(sums).collect();
        let origin = Origin { level: self.level, ..Origin::default() };
        self.transpose(&outputs, &[carries, rows].concat(), &sums, origin)
    }

    /// The parameters of the body of a loop's reverse but for its sums. Gives the cotangents of what the body gives.
    fn reversed_params(&mut self, reversal: &Reversal<'_>) -> Vec<(Value, Value)> {
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
        for &k in &reversal.seeded {
            self.cotangent_origin(cotangents.stacks[k].expect("it is seeded"));
            let ty = self.body.ty(given.stacks[k]);
            seeds.push((given.stacks[k], self.linear.builder.param(ty)));
        }
        for (&sum, &cotangent) in given.sums.iter().zip(cotangents.sums) {
            seeds.extend(cotangent.map(|cotangent| (sum, cotangent)));
        }
        seeds
    }
}
