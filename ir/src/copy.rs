//! Copies a program in text order: dense numbers, no unreachable region, optionally no dead code.
//!
//! Types and source lines are numbered in the order in which the text first needs them, and only those that
//! it needs are kept. So a copy says nothing that its text does not say, and equal texts are equal programs.

use crate::entity::{Entity, Inst, Level, Loc, Region, StridesId, Table, TypeId, Value};
use crate::live::{live_insts, live_values};
use crate::program::{Def, InstData, LevelData, Op, Program, RegionData, ValueData};
use crate::structure::LoopSpec;
use crate::types::Elem;

/// `program` with all its tables in the order of its text.
pub(crate) fn compact(program: Program) -> Program {
    match is_flat(&program) {
        true => renumbered(program),
        false => Copier::new(&program, None).run(),
    }
}

/// `program` without the instructions on which no result depends.
pub fn without_dead_code(program: &Program) -> Program {
    let live = live_values(program);
    Copier::new(program, Some(&live)).run()
}

/// As [`without_dead_code`], reusing the tables if there is a single region.
pub(crate) fn into_live(program: Program) -> Program {
    match is_flat(&program) {
        true => {
            let live = live_insts(&program);
            compact_flat(program, &live)
        }
        false => {
            let live = live_values(&program);
            Copier::new(&program, Some(&live)).run()
        }
    }
}

/// Whether there is one region, with its parameters first: then values and instructions stand in the
/// order of the text, and dropping some of them moves the others down.
fn is_flat(program: &Program) -> bool {
    let root = program.root();
    program.regions.len() == 1 && root.params.iter().enumerate().all(|(i, v)| v.index() == i)
}

/// A flat program of which nothing is dropped: only types, source lines and levels are renumbered.
fn renumbered(mut program: Program) -> Program {
    let mut tables = Renumbered::new(&program, |_, _| true);
    let mut values = program.values.values_mut();
    let params = program.regions[Program::ROOT].params.len();
    values.by_ref().take(params).for_each(|data| tables.value(data));
    for (inst, data) in program.insts.values_mut().zip(values) {
        inst.op = tables.op(inst.op);
        tables.value(data);
    }
    with_tables(program, tables)
}

/// Drops the dead instructions of a flat program in place: a large program costs no second set of tables.
fn compact_flat(mut program: Program, live: &Table<Inst, bool>) -> Program {
    let mut tables = Renumbered::new(&program, |_, data| match data.def {
        Def::Param(_) => true,
        Def::Result(inst) => live[inst],
    });
    let Program { values, insts, operands, regions, names, .. } = &mut program;
    let root = &mut regions[Program::ROOT];
    let mut moved: Table<Value, Option<Value>> = Table::filled(values.len(), None);
    for &param in &root.params {
        tables.value(&mut values[param]);
        moved[param] = Some(param);
    }
    let [mut next_value, mut next_inst, mut next_operand] = [root.params.len(), 0, 0];
    for inst in insts.keys() {
        if !live[inst] {
            continue;
        }
        let InstData { op, first_operand, operand_count, first_result, result_count } = insts[inst].clone();
        let op = tables.op(op);
        for from in first_operand as usize..(first_operand + operand_count) as usize {
            operands[next_operand + from - first_operand as usize] =
                moved[operands[from]].expect("a live instruction's operands are live");
        }
        let to = Inst::new(next_inst);
        for from in first_result.as_u32()..first_result.as_u32() + result_count {
            let (from, result) = (Value::from_u32(from), Value::new(next_value));
            let mut data = values[from].clone();
            data.def = Def::Result(to);
            tables.value(&mut data);
            values[result] = data;
            moved[from] = Some(result);
            next_value += 1;
        }
        let first_result = Value::new(next_value - result_count as usize);
        let first_operand = next_operand as u32;
        insts[to] = InstData { op, first_operand, operand_count, first_result, result_count };
        next_operand += operand_count as usize;
        next_inst += 1;
    }
    values.truncate(next_value);
    insts.truncate(next_inst);
    operands.truncate(next_operand);
    root.insts = insts.keys().collect();
    for result in &mut root.results {
        *result = moved[*result].expect("results are live");
    }
    for value in values.keys() {
        let origin = &mut values[value].origin;
        origin.of = origin.of.and_then(|of| moved[of]);
    }
    *names = std::mem::take(names).into_iter().filter_map(|(v, name)| Some((moved[v]?, name))).collect();
    with_tables(program, tables)
}

fn with_tables(mut program: Program, tables: Renumbered) -> Program {
    let from = Program {
        types: std::mem::take(&mut program.types),
        strides: std::mem::take(&mut program.strides),
        locs: std::mem::take(&mut program.locs),
        levels: std::mem::take(&mut program.levels),
        ..Program::empty()
    };
    tables.finish(&from, &mut program);
    program
}

/// The types, source lines and levels that a text needs, in the order in which it needs them.
struct Renumbered {
    types: Table<TypeId, Option<TypeId>>,
    locs: Table<Loc, Option<Loc>>,
    levels: Table<Level, Option<Level>>,
    strides: Table<StridesId, Option<StridesId>>,
    type_order: Vec<TypeId>,
    strides_order: Vec<StridesId>,
    loc_order: Vec<Loc>,
    level_order: Vec<Level>,
}

impl Renumbered {
    /// `kept` tells which values will be there.
    fn new(program: &Program, kept: impl Fn(Value, &ValueData) -> bool) -> Self {
        let mut tables = Renumbered {
            types: Table::filled(program.types.len(), None),
            locs: Table::filled(program.locs.len(), None),
            levels: Table::filled(program.levels.len(), None),
            strides: Table::filled(program.strides.len(), None),
            type_order: Vec::new(),
            strides_order: Vec::new(),
            loc_order: Vec::new(),
            level_order: Vec::new(),
        };
        program.types.keys().take(Elem::ALL.len()).for_each(|id| _ = tables.ty(id));
        tables.loc(Loc::UNKNOWN);
        let levels = program
            .values
            .iter()
            .filter(|&(value, data)| kept(value, data))
            .map(|(_, data)| data.origin.level);
        tables.number_levels(program, levels.collect());
        tables
    }

    /// The levels of live values keep their order; the text names their places before all others.
    fn number_levels(&mut self, program: &Program, met: Vec<Level>) {
        let mut used = Table::filled(program.levels.len(), false);
        used[Level::PRIMAL] = true;
        met.into_iter().for_each(|level| used[level] = true);
        for level in program.levels.keys().filter(|&level| used[level]) {
            self.levels[level] = Some(Level::new(self.level_order.len()));
            self.level_order.push(level);
            self.loc(program.levels[level].loc);
        }
    }

    fn ty(&mut self, ty: TypeId) -> TypeId {
        *self.types[ty].get_or_insert_with(|| {
            self.type_order.push(ty);
            TypeId::new(self.type_order.len() - 1)
        })
    }

    fn strides(&mut self, strides: StridesId) -> StridesId {
        *self.strides[strides].get_or_insert_with(|| {
            self.strides_order.push(strides);
            StridesId::new(self.strides_order.len() - 1)
        })
    }

    /// The operation in terms of the new tables; regions and loops are the copier's.
    fn op(&mut self, op: Op) -> Op {
        match op {
            Op::Pack(ty) => Op::Pack(self.ty(ty)),
            Op::Iota(ty) => Op::Iota(self.ty(ty)),
            Op::View(ty, strides) => Op::View(self.ty(ty), self.strides(strides)),
            Op::Spread(ty, strides) => Op::Spread(self.ty(ty), self.strides(strides)),
            Op::Reduce(reduction, ty) => Op::Reduce(reduction, self.ty(ty)),
            Op::Const(_)
            | Op::Prim(_)
            | Op::Cast(_)
            | Op::Select
            | Op::Element(_)
            | Op::Dot
            | Op::At
            | Op::AddAt
            | Op::Loop { .. }
            | Op::Cond { .. }
            | Op::Jvp { .. }
            | Op::Vjp { .. } => op,
        }
    }

    fn loc(&mut self, loc: Loc) -> Loc {
        *self.locs[loc].get_or_insert_with(|| {
            self.loc_order.push(loc);
            Loc::new(self.loc_order.len() - 1)
        })
    }

    fn value(&mut self, data: &mut ValueData) {
        data.ty = self.ty(data.ty);
        data.origin.loc = self.loc(data.origin.loc);
        data.origin.level = self.levels[data.origin.level].unwrap_or_default();
    }

    /// Fills the tables of `to` from those of `from`.
    fn finish(mut self, from: &Program, to: &mut Program) {
        to.types = Table::from_rows(self.type_order.iter().map(|&id| from.types[id].clone()));
        to.strides = Table::from_rows(self.strides_order.iter().map(|&id| from.strides[id].clone()));
        to.levels = Table::from_rows(self.level_order.clone().into_iter().map(|level| {
            let LevelData { mode, loc } = from.levels[level];
            LevelData { mode, loc: self.loc(loc) }
        }));
        to.locs = Table::from_rows(self.loc_order.iter().map(|&id| from.locs[id].clone()));
    }
}

/// Copies what `live` says of every value; without it, everything.
struct Copier<'a> {
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
    fn new(from: &'a Program, live: Option<&'a Table<Value, bool>>) -> Self {
        let values = Table::filled(from.values.len(), None);
        let tables = Renumbered::new(from, |value, data| {
            matches!(data.def, Def::Param(_)) || live.is_none_or(|live| live[value])
        });
        Copier { from, live, to: Program::empty(), values, tables }
    }

    fn run(mut self) -> Program {
        let root = self.from.root();
        let (params, results) = (root.params.clone(), root.results.clone());
        self.copy_region(KeptRegion { region: Program::ROOT, params, results }, Program::ROOT);
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
