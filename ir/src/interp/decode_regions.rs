//! Decoding of loops and conditionals.

use super::decode::Decoder;
use super::regions::{Carry, Choice, Condition, Loop, Sum};
use super::steps::Step;
use super::{FailureKind, Slots};
use crate::entity::{Inst, Region, Value};
use crate::error::IrError;
use crate::prim::Prim;
use crate::structure::{LoopSpec, Trips};
use crate::summation::SumOrder;

impl Decoder<'_> {
    pub(super) fn looping(
        &mut self,
        inst: Inst,
        body: Region,
        condition: Option<Region>,
        spec: LoopSpec,
    ) -> Result<(), IrError> {
        let program = self.program;
        let operands = program.operands(inst);
        let results: Vec<Value> = program.results(inst).collect();
        let data = program.region(body);
        let [carries, rows, sums] = [spec.carries, spec.rows, spec.sums].map(|count| count as usize);
        let (own, captured) = operands.split_at(spec.own_operands());
        let own = &own[spec.first_carry_operand()..];
        let given = &results[spec.first_carry_result()..];
        let (carry_results, given) = given.split_at(carries);
        let (stacks, sum_results) = given.split_at(given.len() - sums);
        let (params, captures) = data.params.split_at(spec.own_params());
        self.capture(captures, captured);
        let iteration = self.define(params[0])?.get(0);
        for &param in &params[1..=carries + rows] {
            self.define(param)?;
        }
        for k in 0..sums {
            self.place_sum(spec, own[carries + rows + k], params[1 + carries + rows + k], sum_results[k])?;
        }
        for &result in carry_results.iter().chain(stacks) {
            self.define(result)?;
        }
        let kind = match spec.trips {
            Trips::While(_) => spec.aim.missed(),
            Trips::Fixed(_) | Trips::Counted(_) => FailureKind::Count,
        };
        let check = self.check(kind, results.first().copied());
        let trips = match spec.trips {
            Trips::While(_) => Some(self.define(results[0])?.get(0)),
            Trips::Fixed(_) | Trips::Counted(_) => None,
        };
        let condition = match condition {
            Some(region) => Some(self.condition(region, carries, captured)?),
            None => None,
        };
        let steps = self.region(body)?;
        let carried = data.results[..carries].iter().map(|&v| self.places[v].len()).sum();
        self.carried = self.carried.max(carried);
        let at = |v: Value| self.places[v].clone();
        let carry = |k: usize| Carry {
            initial: at(own[k]),
            param: at(params[1 + k]),
            next: at(data.results[k]),
            result: at(carry_results[k]),
        };
        let looping = Loop {
            spec,
            count: matches!(spec.trips, Trips::Counted(_)).then(|| at(operands[0]).get(0)),
            trips,
            iteration,
            condition,
            carries: (0..carries).map(carry).collect(),
            rows: (0..rows).map(|k| (at(own[carries + k]), at(params[1 + carries + k]))).collect(),
            stacks: stacks.iter().enumerate().map(|(k, &v)| (at(data.results[carries + k]), at(v))).collect(),
            sums: Vec::new(),
            body: steps,
            check,
        };
        let mut looping = looping;
        for k in 0..sums {
            let [initial, param, result] =
                [own[carries + rows + k], params[1 + carries + rows + k], sum_results[k]];
            looping.sums.push(self.sum(spec, initial, param, result)?);
        }
        self.push(Step::Loop(Box::new(looping)));
        Ok(())
    }

    /// Parameters lie where the captured values do.
    fn capture(&mut self, params: &[Value], captured: &[Value]) {
        for (&param, &outer) in params.iter().zip(captured) {
            self.places[param] = self.places[outer].clone();
        }
    }

    /// A loop adds to a sum of an enclosing one in its place; its own lanes and segments lie elsewhere.
    fn place_sum(
        &mut self,
        spec: LoopSpec,
        initial: Value,
        param: Value,
        result: Value,
    ) -> Result<(), IrError> {
        let len = self.program.ty(result).shape.len();
        let place = if self.sums[initial] { self.places[initial].clone() } else { self.fresh(len)? };
        self.sums[result] = self.sums[initial];
        self.sums[param] = true;
        let in_place = spec.order(len) == SumOrder::ORDERED;
        self.places[param] = if in_place { place.clone() } else { self.fresh(len)? };
        self.places[result] = place;
        Ok(())
    }

    fn sum(&mut self, spec: LoopSpec, initial: Value, param: Value, result: Value) -> Result<Sum, IrError> {
        let (elem, len) = (self.elem(result), self.program.ty(result).shape.len());
        let order = spec.order(len);
        Ok(Sum {
            order,
            initial: self.places[initial].clone(),
            param: self.places[param].clone(),
            result: self.places[result].clone(),
            lanes: if order.lanes == 1 { None } else { Some(self.fresh(order.lanes * len)?) },
            before: if order.segment.is_none() { None } else { Some(self.fresh(len)?) },
            elem,
            add: self.prim(Prim::Add, elem)?,
            work: self.work()?,
        })
    }

    fn condition(
        &mut self,
        region: Region,
        carries: usize,
        captured: &[Value],
    ) -> Result<Condition, IrError> {
        let data = self.program.region(region);
        let (own, captures) = data.params.split_at(1 + carries);
        self.capture(captures, captured);
        let iteration = self.define(own[0])?.get(0);
        let carries: Vec<Slots> = own[1..].iter().map(|&v| self.define(v)).collect::<Result<_, _>>()?;
        let steps = self.region(region)?;
        Ok(Condition { steps, iteration, carries, holds: self.places[data.results[0]].get(0) })
    }

    pub(super) fn choice(&mut self, inst: Inst, yes: Region, no: Region, sums: usize) -> Result<(), IrError> {
        let program = self.program;
        let operands = program.operands(inst);
        let results: Vec<Value> = program.results(inst).collect();
        let (values, sum_results) = results.split_at(results.len() - sums);
        let (initial, captured) = operands[1..].split_at(sums);
        let mut starts = Vec::new();
        for (&initial, &result) in initial.iter().zip(sum_results) {
            if self.sums[initial] {
                self.places[result] = self.places[initial].clone();
            } else {
                self.define(result)?;
            }
            self.sums[result] = self.sums[initial];
            starts.push((self.places[initial].clone(), self.places[result].clone()));
        }
        for &value in values {
            self.define(value)?;
        }
        let mut branches = [Vec::new(), Vec::new()];
        for (branch, region) in branches.iter_mut().zip([no, yes]) {
            let data = program.region(region);
            for (&param, &result) in data.params.iter().zip(sum_results) {
                self.sums[param] = true;
                self.places[param] = self.places[result].clone();
            }
            self.capture(&data.params[sums..], captured);
            *branch = self.region(region)?;
            let pairs = data.results.iter().zip(values);
            branch.extend(pairs.map(|(&from, &to)| {
                let [from, to] = [from, to].map(|v| self.places[v].clone());
                Step::Copy { from, to }
            }));
        }
        let condition = self.places[operands[0]].get(0);
        self.push(Step::Choice(Box::new(Choice { condition, branches, sums: starts })));
        Ok(())
    }
}
