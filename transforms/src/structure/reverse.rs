//! Reverse mode: a structure leaves an entry on the tape, and is run backwards from there.
//!
//! The reverse of a loop is a loop over the same iterations in the other order. What was a row becomes a stack and the
//! other way round; a captured value's cotangent is a sum. See Note [Recomputation] in [`structure`](super).

use super::{LoopParts, operand_parts, param_parts, result_parts, same_trips};
use crate::differentiate::Walk;
use crate::linear::constant_like;
use crate::tape::{Entry, Structure, Tangent, Tape};
use crate::transpose::Backward;
use evolute_ir::{ClosedRegion, Inst, IrError, LoopSpec, Op, Origin, Region, Role, Trips, Value};

impl Walk<'_, Tape<'_>> {
    /// The rule of a structure of which an operand has a tangent: on the way forward.
    pub(crate) fn record_structure(&mut self, inst: Inst) -> Result<(), IrError> {
        self.find_activity(inst);
        let operands = self.body.operands(inst);
        let tangents: Vec<Option<Tangent>> = operands.iter().map(|&v| self.tangents[v]).collect();
        let results: Vec<Value> = self.body.results(inst).collect();
        let active: Vec<bool> =
            results.iter().map(|&v| self.active[v] && self.body.ty(v).elem.is_real()).collect();
        let carries = self.copy_structure(inst, active.contains(&true))?;
        let known = self.known_operands(inst);
        let count = results.first().map(|&v| self.known(v));
        let number = self.linear.record.structures.len() as u32;
        let mut entry = Some(Entry::Structure(number));
        let mut outputs = Vec::new();
        for (&result, active) in results.iter().zip(active) {
            let of = self.known(result);
            let tangent = active.then(|| self.linear.push(entry.take().unwrap_or(Entry::FurtherResult), of));
            self.tangents[result] = tangent;
            outputs.push(tangent);
        }
        self.linear.record.structures.push(Structure {
            inst,
            known,
            operands: tangents,
            results: outputs,
            carries,
            count,
        });
        Ok(())
    }

    /// Runs a structure backwards: from the cotangents of its results to those of its operands.
    pub(crate) fn transpose_structure(
        &mut self,
        backward: &mut Backward,
        structure: &Structure,
    ) -> Result<(), IrError> {
        if let Op::Call(id) = self.body.op(structure.inst) {
            return self.transpose_call(backward, structure, id);
        }
        let mut cotangents = Vec::new();
        for tangent in &structure.results {
            cotangents.push(match tangent {
                Some(tangent) => backward.take(self.linear.builder, *tangent)?,
                None => None,
            });
        }
        if cotangents.iter().all(Option::is_none) {
            return Ok(());
        }
        match self.body.op(structure.inst) {
            Op::Loop { body, spec, .. } => {
                let spec = self.body.loop_spec(spec);
                self.transpose_loop(backward, structure, body, spec, &cotangents)
            }
            Op::Cond { yes, no, sums } => {
                self.transpose_cond(backward, structure, [yes, no], sums as usize, &cotangents)
            }
            Op::LinearSolve { .. } => {
                self.transpose_solve(backward, structure, cotangents[0].expect("it is there"))
            }
            _ => unreachable!("other operations leave no entry"),
        }
    }

    pub(super) fn cotangent_origin(&mut self, of: Value) {
        let loc = self.linear.builder.program().value(of).origin.loc;
        let origin = Origin { loc, level: self.level, role: Role::Cotangent, of: Some(of) };
        self.linear.builder.set_origin(origin);
    }

    /// Says of a result of a structure that it is the cotangent of `of`. It stands on the structure's line, which is
    /// named where that fails.
    pub(super) fn originate_cotangent(&mut self, structure: &Structure, value: Value, of: Value) {
        self.cotangent_origin(of);
        let origin = self.linear.builder.origin();
        let first = self.body.results(structure.inst).next();
        let loc = first.map_or(origin.loc, |v| self.provenance.map(self.body, v, &self.known).loc);
        self.linear.builder.set_origin_of(value, Origin { loc, ..origin });
    }

    /// A parameter of the type of `like`: a cotangent's.
    pub(super) fn cotangent_param(&mut self, like: Value) -> Value {
        self.cotangent_origin(like);
        let ty = self.linear.builder.program().ty(like).clone();
        self.linear.builder.param(&ty)
    }

    /// Runs `body` with an empty record and gives the outer one back.
    pub(super) fn with_record<R>(
        &mut self,
        body: impl FnOnce(&mut Self) -> Result<R, IrError>,
    ) -> Result<R, IrError> {
        let outer = std::mem::take(&mut self.linear.record);
        let result = body(self);
        self.linear.record = outer;
        result
    }

    /// The active ones of these parameters as inputs of the record at hand.
    fn inputs(&mut self, params: &[Value]) -> Vec<Tangent> {
        let mut inputs = Vec::new();
        for &param in params {
            if self.active[param] {
                let known = self.known(param);
                let input = self.linear.input(known);
                self.tangents[param] = Some(input);
                inputs.push(input);
            }
        }
        inputs
    }

    fn transpose_loop(
        &mut self,
        backward: &mut Backward,
        structure: &Structure,
        body: Region,
        spec: LoopSpec,
        cotangents: &[Option<Value>],
    ) -> Result<(), IrError> {
        self.restore(structure);
        let data = self.body.region(body);
        let params = param_parts(&spec, &data.params);
        let given = result_parts(&spec, &data.results);
        let cotangents = &cotangents[spec.first_carry_result()..];
        let (of_carries, rest) = cotangents.split_at(params.carries.len());
        let (of_stacks, of_sums) = rest.split_at(given.stacks.len());
        let known = operand_parts(&spec, &structure.known);
        let from = operand_parts(&spec, self.body.operands(structure.inst));
        let tangents = operand_parts_of(&spec, &structure.operands);
        let captures: Vec<usize> = (0..from.captures.len()).filter(|&k| tangents[3][k].is_some()).collect();
        let active_carries: Vec<usize> =
            (0..params.carries.len()).filter(|&k| self.active[params.carries[k]]).collect();
        let seeded: Vec<usize> = (0..of_stacks.len()).filter(|&k| of_stacks[k].is_some()).collect();

        let closed = self.nested(|walk| {
            walk.with_record(|walk| {
                walk.reverse_body(
                    body,
                    &params,
                    &given,
                    &from,
                    &captures,
                    (&active_carries, &seeded),
                    [of_stacks, of_sums],
                )
            })
        })?;

        self.cotangent_origin(structure.known[0]);
        let (trips, count) = same_trips(
            spec.trips,
            match spec.trips {
                Trips::Counted(_) => Some(structure.known[0]),
                Trips::Fixed(_) | Trips::While(_) => structure.count,
            },
        );
        let mut operands: Vec<Value> = count.into_iter().collect();
        for &k in &active_carries {
            operands.push(match of_carries[k] {
                Some(cotangent) => cotangent,
                None => constant_like(self.linear.builder, known.carries[k], 0.0)?,
            });
        }
        operands.extend_from_slice(known.rows);
        operands.extend_from_slice(&structure.carries);
        operands.extend(seeded.iter().filter_map(|&k| of_stacks[k]));
        for &k in &captures {
            let tangent = tangents[3][k].expect("an active capture has a tangent");
            operands.push(backward.sum(self.linear.builder, tangent, known.captures[k])?);
        }
        let rows = (known.rows.len() + structure.carries.len() + seeded.len()) as u32;
        let reversed = LoopSpec {
            // Without carries the order matters to sums alone: it stays, so that the two loops can be one.
            reverse: if active_carries.is_empty() { spec.reverse } else { !spec.reverse },
            carries: active_carries.len() as u32,
            rows,
            sums: captures.len() as u32,
            // Loops that follow one another iteration by iteration may be cut anywhere.
            ordered: spec.ordered || spec.carries > 0,
            ..LoopSpec::new(trips)
        };
        let results = self.linear.builder.looping(reversed, None, closed, &operands)?;
        let (results, sums) = results.split_at(results.len() - captures.len());
        for (&k, &value) in captures.iter().zip(sums) {
            let tangent = tangents[3][k].expect("an active capture has a tangent");
            self.originate_cotangent(structure, value, known.captures[k]);
            backward.replace(self.linear.builder, tangent, value)?;
        }
        let (carries, rows) = results.split_at(active_carries.len());
        let of_carries = active_carries.iter().map(|&k| (tangents[0][k], known.carries[k])).zip(carries);
        let active_rows = (0..params.rows.len()).filter(|&k| self.active[params.rows[k]]);
        let of_rows = active_rows.map(|k| (tangents[1][k], known.rows[k])).zip(rows);
        let of_sums = of_sums
            .iter()
            .enumerate()
            .filter_map(|(k, c)| Some(((tangents[2][k], known.sums[k]), c.as_ref()?)));
        let of_results: Vec<_> = of_carries.chain(of_rows).collect();
        for &((_, of), &value) in &of_results {
            self.originate_cotangent(structure, value, of);
        }
        for ((tangent, of), &value) in of_results.into_iter().chain(of_sums) {
            if let Some(tangent) = tangent {
                self.cotangent_origin(of);
                backward.give(self.linear.builder, tangent, value)?;
            }
        }
        Ok(())
    }

    /// The body of a loop's reverse: `[i, c̄…, rows…, carries…, ȳ…, sums…]`, giving the next `c̄…`, the rows' cotangents and
    /// the sums.
    #[expect(clippy::too_many_arguments, reason = "the parts of a loop")]
    fn reverse_body(
        &mut self,
        body: Region,
        params: &LoopParts<'_>,
        given: &LoopParts<'_>,
        from: &LoopParts<'_>,
        captures: &[usize],
        (active_carries, seeded): (&[usize], &[usize]),
        [of_stacks, of_sums]: [&[Option<Value>]; 2],
    ) -> Result<Vec<Value>, IrError> {
        let data = self.body.region(body);
        self.param(data.params[0]);
        let mut seeds = Vec::new();
        for &k in active_carries {
            let like = self.known(from.carries[k]);
            seeds.push((given.carries[k], self.cotangent_param(like)));
        }
        for &row in params.rows.iter().chain(params.carries) {
            self.param(row);
        }
        for &k in seeded {
            let array = of_stacks[k].expect("it is seeded");
            let ty = self.body.ty(given.stacks[k]);
            self.cotangent_origin(array);
            seeds.push((given.stacks[k], self.linear.builder.param(ty)));
        }
        let sums: Vec<Value> = captures.iter().map(|&k| self.known(from.captures[k])).collect();
        let sums: Vec<Value> = sums.into_iter().map(|like| self.cotangent_param(like)).collect();
        self.captured(params.captures, from.captures);
        for (k, &param) in params.sums.iter().enumerate() {
            // What the sum is does not matter: it is not read, and computing it again is dead code.
            self.known[param] = Some(self.known(from.sums[k]));
            self.tangents[param] = None;
            if let Some(cotangent) = of_sums[k] {
                seeds.push((given.sums[k], cotangent));
            }
        }
        let carries = self.inputs(params.carries);
        let rows = self.inputs(params.rows);
        self.inputs(params.sums);
        let captured: Vec<Value> = captures.iter().map(|&k| params.captures[k]).collect();
        let captured = self.inputs(&captured);
        self.region(body)?;
        let outputs: Vec<_> = seeds.into_iter().map(|(v, seed)| (self.tangents[v], seed)).collect();
        let sums: Vec<_> = captured.into_iter().zip(sums).collect();
        self.transpose(
            &outputs,
            &[carries, rows].concat(),
            &sums,
            Origin { level: self.level, ..Origin::default() },
        )
    }

    fn transpose_cond(
        &mut self,
        backward: &mut Backward,
        structure: &Structure,
        regions: [Region; 2],
        sums: usize,
        cotangents: &[Option<Value>],
    ) -> Result<(), IrError> {
        self.restore(structure);
        let operands = self.body.operands(structure.inst);
        let captures: Vec<usize> =
            (1 + sums..operands.len()).filter(|&k| structure.operands[k].is_some()).collect();
        let mut branches: Vec<ClosedRegion> = Vec::new();
        for region in regions {
            branches.push(self.nested(|walk| {
                walk.with_record(|walk| {
                    let data = walk.body.region(region);
                    let likes: Vec<Value> = captures.iter().map(|&k| structure.known[k]).collect();
                    let accumulators: Vec<Value> =
                        likes.into_iter().map(|like| walk.cotangent_param(like)).collect();
                    walk.captured(&data.params, &operands[1..]);
                    walk.inputs(&data.params[..sums]);
                    let captured: Vec<Value> = captures.iter().map(|&k| data.params[k - 1]).collect();
                    let captured = walk.inputs(&captured);
                    walk.region(region)?;
                    let outputs: Vec<_> = data
                        .results
                        .iter()
                        .zip(cotangents)
                        .filter_map(|(&v, &seed)| Some((walk.tangents[v], seed?)))
                        .collect();
                    let accumulated: Vec<_> = captured.into_iter().zip(accumulators).collect();
                    let origin = Origin { level: walk.level, ..Origin::default() };
                    walk.transpose(&outputs, &[], &accumulated, origin)
                })
            })?);
        }
        self.cotangent_origin(structure.known[0]);
        let mut initial = Vec::new();
        for &k in &captures {
            let tangent = structure.operands[k].expect("an active capture has a tangent");
            initial.push(backward.sum(self.linear.builder, tangent, structure.known[k])?);
        }
        let [yes, no] = <[_; 2]>::try_from(branches).expect("two branches");
        let results = self.linear.builder.conditional(structure.known[0], yes, no, &initial)?;
        for (&k, value) in captures.iter().zip(results) {
            let tangent = structure.operands[k].expect("an active capture has a tangent");
            self.originate_cotangent(structure, value, structure.known[k]);
            backward.replace(self.linear.builder, tangent, value)?;
        }
        for (k, &cotangent) in cotangents[cotangents.len() - sums..].iter().enumerate() {
            if let (Some(tangent), Some(cotangent)) = (structure.operands[1 + k], cotangent) {
                backward.give(self.linear.builder, tangent, cotangent)?;
            }
        }
        Ok(())
    }

    /// What was known and active on the way forward; another pass over the region may have come between.
    fn restore(&mut self, structure: &Structure) {
        self.restore_known(structure);
        for (&operand, &tangent) in self.body.operands(structure.inst).iter().zip(&structure.operands) {
            self.tangents[operand] = tangent;
        }
        self.find_activity(structure.inst);
    }

    pub(super) fn restore_known(&mut self, structure: &Structure) {
        for (&operand, &known) in self.body.operands(structure.inst).iter().zip(&structure.known) {
            self.known[operand] = Some(known);
        }
    }
}

/// The tangents of carries, rows, sums and captures.
fn operand_parts_of<'a>(spec: &LoopSpec, tangents: &'a [Option<Tangent>]) -> [&'a [Option<Tangent>]; 4] {
    let (carries, rest) = tangents[spec.first_carry_operand()..].split_at(spec.carries as usize);
    let (rows, rest) = rest.split_at(spec.rows as usize);
    let (sums, captures) = rest.split_at(spec.sums as usize);
    [carries, rows, sums, captures]
}
