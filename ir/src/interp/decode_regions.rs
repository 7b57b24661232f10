//! Decoding of loops and conditionals.

use super::decode::Decoder;
use super::regions::{Carry, Choice, Condition, Loop, Sum};
use super::steps::Step;
use super::{FailureKind, Slots};
use crate::entity::{Inst, Region, Value};
use crate::error::IrError;
use crate::prim::Prim;
use crate::program::Program;
use crate::structure::{LoopSpec, Trips};
use crate::summation::SumOrder;

/// The values that a loop relates, each kind in its order.
struct Related {
    iteration: Value,
    /// How often it ran, if that is a result.
    trips: Option<Value>,
    carries: Vec<Carried>,
    /// Arrays, and the parameters that are rows of them.
    rows: Vec<(Value, Value)>,
    /// What an iteration gives, and the results it is stacked in.
    stacks: Vec<(Value, Value)>,
    sums: Vec<Added>,
    captures: Vec<(Value, Value)>,
}

struct Carried {
    initial: Value,
    param: Value,
    next: Value,
    result: Value,
}

#[derive(Clone, Copy)]
struct Added {
    initial: Value,
    param: Value,
    result: Value,
}

impl Related {
    fn new(program: &Program, inst: Inst, body: Region, spec: &LoopSpec) -> Related {
        let (data, operands) = (program.region(body), program.operands(inst));
        let results: Vec<Value> = program.results(inst).collect();
        let [carries, rows] = [spec.carries, spec.rows].map(|count| count as usize);
        let (own, captured) = operands.split_at(spec.own_operands());
        let (params, captures) = data.params.split_at(spec.own_params());
        let (own, given) = (&own[spec.first_carry_operand()..], &results[spec.first_carry_result()..]);
        let (params, next) = (&params[1..], &data.results);
        let stacked = given.len() - spec.sums as usize;
        let carried =
            |k: usize| Carried { initial: own[k], param: params[k], next: next[k], result: given[k] };
        let added = |k: usize| {
            let at = carries + rows + k;
            Added { initial: own[at], param: params[at], result: given[stacked + k] }
        };
        let pairs = |a: &[Value], b: &[Value]| a.iter().copied().zip(b.iter().copied()).collect();
        Related {
            iteration: data.params[0],
            trips: matches!(spec.trips, Trips::While(_)).then(|| results[0]),
            carries: (0..carries).map(carried).collect(),
            rows: pairs(&own[carries..carries + rows], &params[carries..carries + rows]),
            stacks: pairs(&next[carries..], &given[carries..stacked]),
            sums: (0..spec.sums as usize).map(added).collect(),
            captures: pairs(captures, captured),
        }
    }
}

impl Decoder<'_> {
    pub(super) fn looping(
        &mut self,
        inst: Inst,
        body: Region,
        condition: Option<Region>,
        spec: LoopSpec,
    ) -> Result<(), IrError> {
        let program = self.program;
        let related = Related::new(program, inst, body, &spec);
        self.place(&related, &spec)?;
        let check = self.check(missed(&spec), program.results(inst).next());
        let captured = &program.operands(inst)[spec.own_operands()..];
        let condition = condition.map(|region| self.condition(region, related.carries.len(), captured));
        let condition = condition.transpose()?;
        let body = self.region(body)?;
        let sums = related.sums.iter().map(|&added| self.sum(&spec, added)).collect::<Result<_, _>>()?;
        let at = |v: Value| self.places[v].clone();
        let pairs = |all: &[(Value, Value)]| all.iter().map(|&(a, b)| (at(a), at(b))).collect();
        let carry = |c: &Carried| Carry {
            initial: at(c.initial),
            param: at(c.param),
            next: at(c.next),
            result: at(c.result),
        };
        let carries: Vec<Carry> = related.carries.iter().map(carry).collect();
        let carried = carries.iter().map(|carry| carry.next.len()).sum();
        let looping = Loop {
            count: matches!(spec.trips, Trips::Counted(_)).then(|| at(program.operands(inst)[0]).get(0)),
            trips: related.trips.map(|v| at(v).get(0)),
            iteration: at(related.iteration).get(0),
            condition,
            carries,
            rows: pairs(&related.rows),
            stacks: pairs(&related.stacks),
            sums,
            body,
            check,
            spec,
        };
        self.carried = self.carried.max(carried);
        self.push(Step::Loop(Box::new(looping)));
        Ok(())
    }

    /// Places for parameters and results.
    fn place(&mut self, related: &Related, spec: &LoopSpec) -> Result<(), IrError> {
        for &(param, outer) in &related.captures {
            self.places[param] = self.places[outer].clone();
        }
        for carried in &related.carries {
            self.define(carried.param)?;
            self.define(carried.result)?;
        }
        for &added in &related.sums {
            self.place_sum(spec, added)?;
        }
        let rows = related.rows.iter().map(|&(_, param)| param);
        let stacks = related.stacks.iter().map(|&(_, result)| result);
        for value in rows.chain(stacks).chain(related.trips).chain([related.iteration]) {
            self.define(value)?;
        }
        Ok(())
    }

    /// Parameters lie where the captured values do.
    fn capture(&mut self, params: &[Value], captured: &[Value]) {
        for (&param, &outer) in params.iter().zip(captured) {
            self.places[param] = self.places[outer].clone();
        }
    }

    /// A loop adds to a sum of an enclosing one in its place; its own lanes and segments lie elsewhere.
    fn place_sum(&mut self, spec: &LoopSpec, Added { initial, param, result }: Added) -> Result<(), IrError> {
        let len = self.program.ty(result).shape.len();
        let place = if self.sums[initial] { self.places[initial].clone() } else { self.fresh(len)? };
        self.sums[result] = self.sums[initial];
        self.sums[param] = true;
        let in_place = spec.order(len) == SumOrder::ORDERED;
        self.places[param] = if in_place { place.clone() } else { self.fresh(len)? };
        self.places[result] = place;
        Ok(())
    }

    fn sum(&mut self, spec: &LoopSpec, Added { initial, param, result }: Added) -> Result<Sum, IrError> {
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

/// What a call fails with where the loop cannot run as often as it should.
fn missed(spec: &LoopSpec) -> FailureKind {
    match spec.trips {
        Trips::While(_) => spec.aim.missed(),
        Trips::Fixed(_) | Trips::Counted(_) => FailureKind::Count,
    }
}
