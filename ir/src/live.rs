//! Which values a program's results depend on.
//!
//! A loop or conditional is gone through value by value: a carry that nobody reads, a stack that is not used and a sum
//! that is not asked for are dead, whatever else of the loop lives. A derivative operator lives as a whole, and so does
//! what is there to be differentiated.

use crate::bounds::Bounds;
use crate::entity::{Entity, Inst, Region, Table, Value};
use crate::op::Op;
use crate::program::{Def, Program};
use crate::structure::{LoopSpec, Trips};
use crate::types::Elem;

/// The values on which the program's results depend, the results included; of the root's parameters too.
pub(crate) fn live_values(program: &Program) -> Table<Value, bool> {
    let (owners, live) = (region_owners(program), Table::filled(program.values.len(), false));
    let mut liveness = Liveness { program, owners, live, work: program.root().results.clone() };
    while let Some(value) = liveness.work.pop() {
        if !std::mem::replace(&mut liveness.live[value], true) {
            liveness.needs(value);
        }
    }
    liveness.live
}

/// The instruction that each region belongs to.
pub fn region_owners(program: &Program) -> Table<Region, Option<Inst>> {
    let mut owners = Table::filled(program.regions.len(), None);
    for (inst, data) in program.insts.iter() {
        data.op.regions().for_each(|region| owners[region] = Some(inst));
    }
    owners
}

/// The instructions on which a result of their region depends, where one needs all of its operands and of its regions'
/// results.
pub fn live_insts(program: &Program) -> Table<Inst, bool> {
    let mut live = Table::filled(program.insts.len(), false);
    let mut work: Vec<Value> = program.root().results.clone();
    while let Some(value) = work.pop() {
        let Def::Result(inst) = program.values[value].def else { continue };
        if std::mem::replace(&mut live[inst], true) {
            continue;
        }
        work.extend_from_slice(program.operands(inst));
        for region in program.op(inst).regions() {
            work.extend_from_slice(&program.regions[region].results);
        }
    }
    live
}

/// The instructions whose evaluation may fail, by what they do or by what is in their regions.
pub fn fallible_insts(program: &Program) -> Table<Inst, bool> {
    let bounds = Bounds::new(program);
    let mut fails = Table::filled(program.insts.len(), false);
    // What is in a region stands before the instruction that the region belongs to.
    for inst in program.insts.keys() {
        let op = program.op(inst);
        let nested = op.regions().any(|region| program.regions[region].insts.iter().any(|&i| fails[i]));
        fails[inst] = nested || fails_itself(program, &bounds, inst, op);
    }
    fails
}

fn fails_itself(program: &Program, bounds: &Bounds<'_>, inst: Inst, op: Op) -> bool {
    let operands = program.operands(inst);
    let leaves = |indices: &[Value]| {
        let extents = program.ty(operands[0]).shape.extents();
        indices.iter().zip(extents).any(|(&index, &extent)| !bounds.is_below(index, extent))
    };
    match op {
        Op::Prim(prim) => prim.may_fail() && program.ty(operands[0]).elem == Elem::I64,
        Op::At => leaves(&operands[1..]),
        Op::AddAt => leaves(&operands[2..]),
        Op::External(_) | Op::LinearSolve { .. } => true,
        Op::Call(id) => program.callees[id].fails(),
        Op::Loop { spec, .. } => match program.loops[spec].trips {
            Trips::Fixed(_) => false,
            Trips::Counted(_) | Trips::While(_) => true,
        },
        Op::Const(_)
        | Op::Cast(_)
        | Op::Select
        | Op::Element(_)
        | Op::Pack(_)
        | Op::Iota(_)
        | Op::View(..)
        | Op::Spread(..)
        | Op::Reduce(..)
        | Op::Dot
        | Op::Linalg(_)
        | Op::Cond { .. }
        | Op::Custom { .. }
        | Op::Jvp { .. }
        | Op::Vjp { .. } => false,
    }
}

struct Liveness<'a> {
    program: &'a Program,
    /// The instruction that a region belongs to.
    owners: Table<Region, Option<Inst>>,
    live: Table<Value, bool>,
    work: Vec<Value>,
}

impl Liveness<'_> {
    fn needs(&mut self, value: Value) {
        let data = &self.program.values[value];
        match data.def {
            Def::Result(inst) => self.needs_of_result(inst, value),
            Def::Param(index) => {
                if let Some(inst) = self.owners[data.region] {
                    self.needs_of_param(inst, data.region, index as usize);
                }
            }
        }
    }

    fn needs_of_result(&mut self, inst: Inst, value: Value) {
        let program = self.program;
        let index = value.index() - program.result(inst).index();
        match program.op(inst) {
            Op::Loop { body, condition, spec } => {
                self.result_of_loop(inst, (body, condition), program.loops[spec], index);
            }
            Op::Cond { yes, no, sums } => self.result_of_cond(inst, [yes, no], sums as usize, index),
            op @ (Op::Jvp { .. } | Op::Vjp { .. } | Op::Custom { .. } | Op::LinearSolve { .. }) => {
                self.work.extend_from_slice(program.operands(inst));
                for region in op.regions() {
                    self.work.extend_from_slice(&program.regions[region].params);
                    self.work.extend_from_slice(&program.regions[region].results);
                }
            }
            // Its results stand or fall together.
            Op::Call(_) => {
                self.work.extend_from_slice(program.operands(inst));
                self.work.extend(program.results(inst));
            }
            Op::Const(_)
            | Op::Prim(_)
            | Op::Cast(_)
            | Op::Select
            | Op::Element(_)
            | Op::Pack(_)
            | Op::Iota(_)
            | Op::View(..)
            | Op::Spread(..)
            | Op::Reduce(..)
            | Op::Dot
            | Op::At
            | Op::AddAt
            | Op::External(_)
            | Op::Linalg(_) => self.work.extend_from_slice(program.operands(inst)),
        }
    }

    fn needs_of_param(&mut self, inst: Inst, region: Region, index: usize) {
        let program = self.program;
        let operands = program.operands(inst);
        match program.op(inst) {
            Op::Loop { body, condition, spec } => {
                let spec = program.loops[spec];
                let in_condition = condition == Some(region);
                self.param_of_loop(inst, (body, condition), spec, index, in_condition);
            }
            Op::Cond { yes, no, sums } => {
                self.work.push(operands[1 + index]);
                if index < sums as usize {
                    let results = program.insts[inst].result_count as usize;
                    self.result_of_cond(inst, [yes, no], sums as usize, results - sums as usize + index);
                }
            }
            // What others hold lives as a whole.
            _ => {}
        }
    }

    /// What every result of a loop needs: how often it runs.
    fn control(&mut self, inst: Inst, condition: Option<Region>, spec: LoopSpec) {
        let program = self.program;
        if let Trips::Counted(_) = spec.trips {
            self.work.push(program.operands(inst)[0]);
        }
        if let Some(condition) = condition {
            self.work.extend_from_slice(&program.regions[condition].results);
        }
    }

    fn carry(&mut self, inst: Inst, body: Region, spec: LoopSpec, k: usize) {
        let data = &self.program.regions[body];
        // What it is at last is a result whether it is read or not.
        self.work.extend(self.program.results(inst).nth(spec.first_carry_result() + k));
        self.work.push(self.program.operands(inst)[spec.first_carry_operand() + k]);
        self.work.push(data.params[1 + k]);
        self.work.push(data.results[k]);
    }

    fn sum(&mut self, inst: Inst, body: Region, spec: LoopSpec, k: usize) {
        let data = &self.program.regions[body];
        let sums = spec.sums as usize;
        self.work.push(self.program.operands(inst)[spec.own_operands() - sums + k]);
        self.work.push(data.params[spec.own_params() - sums + k]);
        self.work.push(data.results[data.results.len() - sums + k]);
    }

    fn result_of_loop(
        &mut self,
        inst: Inst,
        (body, condition): (Region, Option<Region>),
        spec: LoopSpec,
        index: usize,
    ) {
        self.control(inst, condition, spec);
        let data = &self.program.regions[body];
        let [carries, sums] = [spec.carries, spec.sums].map(|count| count as usize);
        let Some(index) = index.checked_sub(spec.first_carry_result()) else { return };
        let stacks = data.results.len() - sums;
        if index < carries {
            self.carry(inst, body, spec, index);
        } else if index < stacks {
            self.work.push(data.results[index]);
        } else {
            self.sum(inst, body, spec, index - stacks);
        }
    }

    fn param_of_loop(
        &mut self,
        inst: Inst,
        (body, condition): (Region, Option<Region>),
        spec: LoopSpec,
        index: usize,
        in_condition: bool,
    ) {
        self.control(inst, condition, spec);
        let [carries, rows] = [spec.carries, spec.rows].map(|count| count as usize);
        let operands = self.program.operands(inst);
        let own = if in_condition { 1 + carries } else { spec.own_params() };
        if index == 0 {
        } else if index <= carries {
            self.carry(inst, body, spec, index - 1);
        } else if index >= own {
            self.work.push(operands[spec.own_operands() + index - own]);
        } else if index <= carries + rows {
            self.work.push(operands[spec.first_carry_operand() + index - 1]);
        } else {
            self.sum(inst, body, spec, index - 1 - carries - rows);
        }
    }

    fn result_of_cond(&mut self, inst: Inst, regions: [Region; 2], sums: usize, index: usize) {
        let program = self.program;
        self.work.push(program.operands(inst)[0]);
        let first_sum = program.insts[inst].result_count as usize - sums;
        for region in regions {
            let data = &program.regions[region];
            self.work.push(data.results[index]);
            if let Some(k) = index.checked_sub(first_sum) {
                self.work.push(data.params[k]);
            }
        }
        if let Some(k) = index.checked_sub(first_sum) {
            self.work.push(program.operands(inst)[1 + k]);
        }
    }
}
