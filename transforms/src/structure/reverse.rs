//! Reverse mode: a structure leaves an entry on the tape, and is run backwards from there.
//!
//! See Note [Recomputation] in [`structure`](super).

use crate::differentiate::Walk;
use crate::tape::{Entry, Structure, Tangent, Tape};
use crate::transpose::Backward;
use evolute_ir::{ClosedRegion, Inst, IrError, Op, Origin, Region, Role, Value};

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
                self.transpose_loop(backward, structure, (body, spec), &cotangents)
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
    pub(super) fn inputs(&mut self, params: &[Value]) -> Vec<Tangent> {
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
    pub(super) fn restore(&mut self, structure: &Structure) {
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
