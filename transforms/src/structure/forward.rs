//! Forward mode: one loop, or one conditional, computes values and tangents.

use super::{operand_parts, param_parts, result_parts};
use crate::differentiate::Walk;
use crate::linear::{Forward, constant_like};
use evolute_ir::{Inst, IrError, LoopSpec, Op, Region, Value};

impl Walk<'_, Forward<'_>> {
    /// The rule of a structure of which an operand has a tangent.
    pub(crate) fn forward_structure(&mut self, inst: Inst) -> Result<(), IrError> {
        if let Op::Call(id) = self.body.op(inst) {
            return self.forward_call(inst, id);
        }
        self.find_activity(inst);
        match self.body.op(inst) {
            Op::Loop { body, condition, spec } => {
                let spec = self.body.loop_spec(spec);
                self.forward_loop(inst, body, condition, spec)
            }
            Op::Cond { yes, no, sums } => self.forward_cond(inst, [yes, no], sums as usize),
            _ => unreachable!("other operations have their rule in `implicit`"),
        }
    }

    /// The tangents of those of these values that are active; zeros where there is none.
    fn active_tangents(&mut self, values: &[Value], like: &[Value]) -> Result<Vec<Value>, IrError> {
        let mut tangents = Vec::new();
        for (&value, &like) in values.iter().zip(like) {
            if self.active[like] {
                tangents.push(self.tangent_or_zero(value)?);
            }
        }
        Ok(tangents)
    }

    fn tangent_or_zero(&mut self, value: Value) -> Result<Value, IrError> {
        match self.tangents[value] {
            Some(tangent) => Ok(tangent),
            None => {
                let known = self.known(value);
                self.linear.derivative_of(known);
                constant_like(self.linear.builder, known, 0.0)
            }
        }
    }

    /// Parameters, and then those of the tangents of the active ones.
    fn param_pairs(&mut self, params: &[Value]) {
        for &param in params {
            self.param(param);
        }
        for &param in params.iter().filter(|&&param| self.active[param]).collect::<Vec<_>>() {
            let known = self.known(param);
            self.linear.derivative_of(known);
            let ty = self.body.ty(param);
            self.tangents[param] = Some(self.linear.builder.param(ty));
        }
    }

    /// What values are, and then the tangents of those of which `like` is active.
    fn pairs(&mut self, values: &[Value], like: &[Value]) -> Result<Vec<Value>, IrError> {
        let mut all = self.known_all(values);
        all.extend(self.active_tangents(values, like)?);
        Ok(all)
    }

    fn forward_loop(
        &mut self,
        inst: Inst,
        body: Region,
        condition: Option<Region>,
        spec: LoopSpec,
    ) -> Result<(), IrError> {
        let operands = self.body.operands(inst);
        let data = self.body.region(body);
        let (from, params) = (operand_parts(&spec, operands), param_parts(&spec, &data.params));
        let given = result_parts(&spec, &data.results);
        let condition = match condition {
            Some(region) => {
                let further: Vec<Value> = params
                    .carries
                    .iter()
                    .zip(from.carries)
                    .filter(|&(&p, _)| self.active[p])
                    .map(|(_, &v)| self.known(v))
                    .collect();
                Some(self.copy_condition(region, &spec, operands, &further)?)
            }
            None => None,
        };
        let closed = self.nested(|walk| {
            walk.param(data.params[0]);
            walk.param_pairs(params.carries);
            walk.param_pairs(params.rows);
            walk.param_pairs(params.sums);
            walk.capture_pairs(params.captures, from.captures);
            walk.region(body)?;
            let mut results = walk.pairs(given.carries, params.carries)?;
            results.extend(walk.pairs(given.stacks, given.stacks)?);
            results.extend(walk.pairs(given.sums, params.sums)?);
            Ok(results)
        })?;
        let count = |values: &[Value]| values.iter().filter(|&&v| self.active[v]).count() as u32;
        let wider = LoopSpec {
            carries: spec.carries + count(params.carries),
            rows: spec.rows + count(params.rows),
            sums: spec.sums + count(params.sums),
            ..spec
        };
        let mut all = self.known_all(&operands[..spec.first_carry_operand()]);
        all.extend(self.pairs(from.carries, params.carries)?);
        all.extend(self.pairs(from.rows, params.rows)?);
        all.extend(self.pairs(from.sums, params.sums)?);
        self.originate_inst(inst);
        let copies = self.linear.builder.looping(wider, condition, closed, &all)?;
        let results: Vec<Value> = self.body.results(inst).collect();
        let (first, rest) = results.split_at(spec.first_carry_result());
        let parts = result_parts(&spec, rest);
        let mut copies = copies.into_iter();
        for group in [first, parts.carries, parts.stacks, parts.sums] {
            self.define_pairs(group, &mut copies);
        }
        Ok(())
    }

    /// Takes the copies of these results, and then the tangents of the active ones.
    fn define_pairs(&mut self, results: &[Value], copies: &mut impl Iterator<Item = Value>) {
        for (&result, copy) in results.iter().zip(copies.by_ref()) {
            let origin = self.provenance.map(self.body, result, &self.known);
            self.linear.builder.set_origin_of(copy, origin);
            self.provenance.copy_name(self.linear.builder, self.body, result, copy);
            self.known[result] = Some(copy);
        }
        for &result in results {
            let active = self.active[result] && self.body.ty(result).elem.is_real();
            self.tangents[result] = if active { copies.next() } else { None };
            if let (Some(tangent), of) = (self.tangents[result], self.known(result)) {
                self.linear.derivative_of(of);
                let origin = self.linear.builder.origin();
                self.linear.builder.set_origin_of(tangent, origin);
            }
        }
    }

    fn forward_cond(&mut self, inst: Inst, regions: [Region; 2], sums: usize) -> Result<(), IrError> {
        let operands = self.body.operands(inst);
        let results: Vec<Value> = self.body.results(inst).collect();
        let (values, sum_results) = results.split_at(results.len() - sums);
        let mut branches = Vec::new();
        for region in regions {
            let data = self.body.region(region);
            for (&param, &result) in data.params.iter().zip(sum_results) {
                self.active[param] = self.active[result];
            }
            branches.push(self.nested(|walk| {
                walk.param_pairs(&data.params[..sums]);
                walk.capture_pairs(&data.params[sums..], &operands[1 + sums..]);
                walk.region(region)?;
                let (given, given_sums) = data.results.split_at(values.len());
                let mut all = walk.pairs(given, values)?;
                all.extend(walk.pairs(given_sums, sum_results)?);
                Ok(all)
            })?);
        }
        let condition = self.known(operands[0]);
        let all = self.pairs(&operands[1..=sums], sum_results)?;
        self.originate_inst(inst);
        let [yes, no] = <[_; 2]>::try_from(branches).expect("two branches");
        let mut copies = self.linear.builder.conditional(condition, yes, no, &all)?.into_iter();
        self.define_pairs(values, &mut copies);
        self.define_pairs(sum_results, &mut copies);
        Ok(())
    }
}
