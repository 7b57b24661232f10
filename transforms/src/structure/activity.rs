//! Which values of nested regions depend on an active one.
//!
//! A carry that becomes active in one iteration is active in all, so a loop's body is gone through until nothing
//! changes. What is active stays so: each time a body is gone through again, a carry or sum of it has become active, and
//! however deep loops are nested, that happens once for each.

use super::{operand_parts, param_parts, result_parts};
use crate::calls::Calls;
use crate::differentiate::Walk;
use crate::linear::Linear;
use evolute_ir::{Inst, LoopSpec, Op, Program, Region, Table, Value};

impl<L: Linear> Walk<'_, L> {
    /// Finds out which parameters, results and inner values of a structure are active, given which of its operands
    /// have tangents.
    pub(crate) fn find_activity(&mut self, inst: Inst) {
        for &operand in self.body.operands(inst) {
            self.active[operand] = self.tangents[operand].is_some();
        }
        clear(self.body, inst, &mut self.active);
        structure(self.body, inst, &mut self.active, &self.calls);
    }
}

/// Nothing that a structure gives or holds is active yet.
fn clear(body: &Program, inst: Inst, active: &mut Table<Value, bool>) {
    body.results(inst).for_each(|v| active[v] = false);
    for region in body.op(inst).regions().map(|region| body.region(region)) {
        region.params.iter().for_each(|&v| active[v] = false);
        region.insts.iter().for_each(|&inst| clear(body, inst, active));
    }
}

/// Which results of a program depend on the parameters that are active.
pub(crate) fn active_results(body: &Program, params: &[bool], calls: &Calls) -> Vec<bool> {
    let mut active = Table::filled(body.values().len(), false);
    for (&param, &is_active) in body.root().params.iter().zip(params) {
        active[param] = is_active;
    }
    region(body, Program::ROOT, &mut active, calls);
    body.root().results.iter().map(|&v| active[v]).collect()
}

fn region(body: &Program, region: Region, active: &mut Table<Value, bool>, calls: &Calls) {
    for &inst in &body.region(region).insts {
        if body.op(inst).is_structure() {
            structure(body, inst, active, calls);
            continue;
        }
        let depends = body.operands(inst).iter().any(|&v| active[v]);
        let result = body.result(inst);
        active[result] |= depends && body.ty(result).elem.is_real();
    }
}

fn structure(body: &Program, inst: Inst, active: &mut Table<Value, bool>, calls: &Calls) {
    let operands = body.operands(inst);
    let results: Vec<Value> = body.results(inst).collect();
    match body.op(inst) {
        Op::Loop { body: nested, spec, .. } => {
            looping(body, nested, body.loop_spec(spec), (operands, &results), active, calls);
        }
        Op::Cond { yes, no, .. } => {
            for branch in [yes, no] {
                let data = body.region(branch);
                for (&param, &operand) in data.params.iter().zip(&operands[1..]) {
                    active[param] |= active[operand];
                }
                region(body, branch, active, calls);
                for (&result, &given) in results.iter().zip(&data.results) {
                    active[result] |= active[given];
                }
            }
        }
        Op::Call(id) => {
            let params: Vec<bool> = operands.iter().map(|&v| active[v]).collect();
            let found = calls.active(&body.callees()[id], &params);
            results.iter().zip(&*found).for_each(|(&v, &is_active)| active[v] |= is_active);
        }
        Op::Custom { .. } | Op::LinearSolve { .. } => {
            let depends = operands.iter().any(|&v| active[v]);
            results.iter().for_each(|&v| active[v] |= depends && body.ty(v).elem.is_real());
        }
        _ => unreachable!("derivative operators are removed innermost first"),
    }
}

fn looping(
    body: &Program,
    nested: Region,
    spec: LoopSpec,
    (operands, results): (&[Value], &[Value]),
    active: &mut Table<Value, bool>,
    calls: &Calls,
) {
    let data = body.region(nested);
    let (from, params) = (operand_parts(&spec, operands), param_parts(&spec, &data.params));
    let (given, results) =
        (result_parts(&spec, &data.results), result_parts(&spec, &results[spec.first_carry_result()..]));
    let inputs = [
        (params.carries, from.carries),
        (params.rows, from.rows),
        (params.sums, from.sums),
        (params.captures, from.captures),
    ];
    for (&param, &operand) in inputs.into_iter().flat_map(|(params, operands)| params.iter().zip(operands)) {
        active[param] |= active[operand];
    }
    loop {
        region(body, nested, active, calls);
        let mut changed = false;
        let again = params.carries.iter().zip(given.carries).chain(params.sums.iter().zip(given.sums));
        for (&param, &next) in again {
            changed |= active[next] && !active[param];
            active[param] |= active[next];
        }
        if !changed {
            break;
        }
    }
    let ends =
        [(results.carries, params.carries), (results.stacks, given.stacks), (results.sums, params.sums)];
    for (&result, &inner) in ends.into_iter().flat_map(|(results, inner)| results.iter().zip(inner)) {
        active[result] |= active[inner];
    }
}
