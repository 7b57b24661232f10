//! Copies programs with regions, of loops and conditionals only the parts that live.

use super::Renumbered;
use crate::entity::{Entity, Inst, Region, Table, Value};
use crate::op::Op;
use crate::program::{Def, InstData, Program, RegionData, ValueData};
use crate::structure::LoopSpec;

/// Copies what `live` says of every value; without it, everything.
pub(super) struct Copier<'a> {
    from: &'a Program,
    live: Option<&'a Table<Value, bool>>,
    to: Program,
    values: Table<Value, Option<Value>>,
    tables: Renumbered,
}

/// What is kept of an instruction and of its regions.
struct Kept {
    op: Op,
    /// What a loop becomes.
    spec: Option<LoopSpec>,
    operands: Vec<Value>,
    results: Vec<Value>,
    regions: Vec<KeptRegion>,
}

struct KeptRegion {
    region: Region,
    params: Vec<Value>,
    results: Vec<Value>,
}

impl<'a> Copier<'a> {
    pub(super) fn new(from: &'a Program, live: Option<&'a Table<Value, bool>>) -> Self {
        let values = Table::filled(from.values.len(), None);
        let tables = Renumbered::new(from, |value, data| {
            matches!(data.def, Def::Param(_)) || live.is_none_or(|live| live[value])
        });
        let to = Program { limit: from.limit, ..Program::empty() };
        Copier { from, live, to, values, tables }
    }

    /// The copy whose own body is this region.
    pub(super) fn run(mut self, root: Region) -> Program {
        let root = self.whole(root);
        self.copy_region(root, Program::ROOT);
        for value in self.to.values.keys() {
            let origin = &mut self.to.values[value].origin;
            origin.of = origin.of.and_then(|of| self.values[of]);
        }
        let names = self.from.names.iter();
        self.to.names = names.filter_map(|(&v, name)| Some((self.values[v]?, name.clone()))).collect();
        self.tables.finish(self.from, &mut self.to);
        self.to
    }

    fn lives(&self, value: Value) -> bool {
        self.live.is_none_or(|live| live[value])
    }

    fn copy_region(&mut self, from: KeptRegion, to: Region) {
        let mut params = Vec::with_capacity(from.params.len());
        for (index, &param) in from.params.iter().enumerate() {
            params.push(self.copy_value(param, to, Def::Param(index as u32)));
        }
        self.to.regions[to].params = params;
        for &inst in &self.from.region(from.region).insts {
            if self.live.is_none() || self.from.results(inst).any(|v| self.lives(v)) {
                self.copy_inst(inst, to);
            }
        }
        self.to.regions[to].results = from.results.iter().map(|&v| self.at(v)).collect();
    }

    /// The instruction takes its number after those of its region, as its results stand after them.
    fn copy_inst(&mut self, inst: Inst, region: Region) {
        let kept = self.kept(inst);
        let mut regions = kept.regions.into_iter();
        let op = kept.op.with_regions(|_| {
            let copy = self.to.regions.push(RegionData::default());
            let nested = regions.next().expect("what is kept of each region");
            self.copy_region(nested, copy);
            copy
        });
        let op = match (op, kept.spec) {
            (Op::Loop { body, condition, .. }, Some(spec)) => {
                Op::Loop { body, condition, spec: self.to.loops.push(spec) }
            }
            (Op::LinearSolve { matrix, inverse, solver }, _) => {
                let solver = self.to.solvers.push(self.from.solvers[solver]);
                Op::LinearSolve { matrix, inverse, solver }
            }
            (op, _) => self.tables.op(op),
        };
        let first_operand = self.to.operands.len() as u32;
        for &operand in &kept.operands {
            let operand = self.at(operand);
            self.to.operands.push(operand);
        }
        let copy = Inst::new(self.to.insts.len());
        let first_result = Value::new(self.to.values.len());
        for &result in &kept.results {
            self.copy_value(result, region, Def::Result(copy));
        }
        self.to.insts.push(InstData {
            op,
            first_operand,
            first_result,
            operand_count: kept.operands.len() as u32,
            result_count: kept.results.len() as u32,
        });
        self.to.regions[region].insts.push(copy);
    }

    fn kept(&self, inst: Inst) -> Kept {
        let from = self.from;
        let (op, operands) = (from.op(inst), from.operands(inst));
        let results: Vec<Value> = from.results(inst).collect();
        match op {
            Op::Loop { body, condition, spec } => {
                self.kept_of_loop(op, (body, condition), from.loops[spec], operands, &results)
            }
            Op::Cond { yes, no, sums } => self.kept_of_cond([yes, no], sums as usize, operands, &results),
            op => Kept {
                op,
                spec: None,
                operands: operands.into(),
                results,
                regions: op.regions().map(|region| self.whole(region)).collect(),
            },
        }
    }

    fn whole(&self, region: Region) -> KeptRegion {
        let data = self.from.region(region);
        KeptRegion { region, params: data.params.clone(), results: data.results.clone() }
    }

    fn kept_of_loop(
        &self,
        op: Op,
        (body, condition): (Region, Option<Region>),
        spec: LoopSpec,
        operands: &[Value],
        results: &[Value],
    ) -> Kept {
        let data = self.from.region(body);
        let [carries, rows, sums] = [spec.carries, spec.rows, spec.sums].map(|count| count as usize);
        let (count, given) = results.split_at(spec.first_carry_result());
        let stacks = given.len() - carries - sums;
        let param = |k: usize| self.lives(data.params[1 + k]);
        let keeps_carry: Vec<bool> = (0..carries).map(param).collect();
        let keeps_row: Vec<bool> = (carries..carries + rows).map(param).collect();
        let keeps_sum: Vec<bool> = (carries + rows..carries + rows + sums).map(param).collect();
        let keeps_stack: Vec<bool> =
            given[carries..carries + stacks].iter().map(|&v| self.lives(v)).collect();
        let own = spec.own_params();
        let seen = condition.map(|region| &self.from.region(region).params[1 + carries..]);
        let captures = data.params.len() - own;
        let keeps_capture: Vec<bool> = (0..captures)
            .map(|k| self.lives(data.params[own + k]) || seen.is_some_and(|seen| self.lives(seen[k])))
            .collect();

        let inputs = [&keeps_carry[..], &keeps_row, &keeps_sum, &keeps_capture].concat();
        let outputs = [&keeps_carry[..], &keeps_stack, &keeps_sum].concat();
        let first = spec.first_carry_operand();
        let kept_operands = [&operands[..first], &picked(&operands[first..], &inputs)].concat();
        let kept_results = [count, &picked(given, &outputs)].concat();
        let mut regions = Vec::new();
        if let Some(region) = condition {
            let data = self.from.region(region);
            let keeps = [&keeps_carry[..], &keeps_capture].concat();
            let params = [&data.params[..1], &picked(&data.params[1..], &keeps)].concat();
            regions.push(KeptRegion { region, params, results: data.results.clone() });
        }
        let params = [&data.params[..1], &picked(&data.params[1..], &inputs)].concat();
        regions.push(KeptRegion { region: body, params, results: picked(&data.results, &outputs) });
        let number = |keeps: &[bool]| keeps.iter().filter(|&&keep| keep).count() as u32;
        let [carries, rows, sums] = [&keeps_carry, &keeps_row, &keeps_sum].map(|keeps| number(keeps));
        let spec = Some(LoopSpec { carries, rows, sums, ..spec });
        Kept { op, spec, operands: kept_operands, results: kept_results, regions }
    }

    fn kept_of_cond(
        &self,
        [yes, no]: [Region; 2],
        sums: usize,
        operands: &[Value],
        results: &[Value],
    ) -> Kept {
        let keeps_result: Vec<bool> = results.iter().map(|&v| self.lives(v)).collect();
        let keeps_sum = &keeps_result[results.len() - sums..];
        let params = [yes, no].map(|region| &self.from.region(region).params);
        let keeps_capture =
            (sums..params[0].len()).map(|k| params.iter().any(|params| self.lives(params[k])));
        let keeps_param: Vec<bool> = keeps_sum.iter().copied().chain(keeps_capture).collect();
        let region = |region: Region| {
            let data = self.from.region(region);
            KeptRegion {
                region,
                params: picked(&data.params, &keeps_param),
                results: picked(&data.results, &keeps_result),
            }
        };
        let sums = keeps_sum.iter().filter(|&&keep| keep).count() as u32;
        Kept {
            op: Op::Cond { yes, no, sums },
            spec: None,
            operands: [&operands[..1], &picked(&operands[1..], &keeps_param)].concat(),
            results: picked(results, &keeps_result),
            regions: vec![region(yes), region(no)],
        }
    }

    fn copy_value(&mut self, value: Value, region: Region, def: Def) -> Value {
        let mut data = self.from.values[value].clone();
        self.tables.value(&mut data);
        let copy = self.to.values.push(ValueData { region, def, ..data });
        self.values[value] = Some(copy);
        copy
    }

    fn at(&self, value: Value) -> Value {
        self.values[value].expect("a live instruction's operands are live")
    }
}

/// Those of `values` that are kept.
fn picked(values: &[Value], keeps: &[bool]) -> Vec<Value> {
    values.iter().zip(keeps).filter(|&(_, &keep)| keep).map(|(&value, _)| value).collect()
}
