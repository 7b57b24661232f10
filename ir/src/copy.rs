//! Copies a program in text order: dense numbers, no unreachable region, optionally no dead code.
//!
//! Types and source lines are numbered in the order in which the text first needs them, and only those that
//! it needs are kept. So a copy says nothing that its text does not say, and equal texts are equal programs.

mod regions;

use crate::entity::{
    CalleeId, Entity, ExternalId, Inst, Level, Loc, Region, StridesId, Table, TypeId, Value,
};
use crate::live::{live_insts, live_values};
use crate::op::Op;
use crate::program::{Def, InstData, LevelData, Program, ValueData};
use crate::types::Elem;
use regions::Copier;

/// `program` with all its tables in the order of its text.
pub(crate) fn compact(program: Program) -> Program {
    match is_flat(&program) {
        true => renumbered(program),
        false => Copier::new(&program, None).run(Program::ROOT),
    }
}

/// `program` without the instructions on which no result depends.
pub fn without_dead_code(program: &Program) -> Program {
    let live = live_values(program);
    Copier::new(program, Some(&live)).run(Program::ROOT)
}

/// A region as a program, its parameters in order.
pub(crate) fn of_region(program: &Program, region: Region) -> Program {
    Copier::new(program, None).run(region)
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
            Copier::new(&program, Some(&live)).run(Program::ROOT)
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
    for inst in program.insts.values_mut() {
        // Nearly all are primitives, which name no type.
        if !matches!(inst.op, Op::Prim(_)) {
            inst.op = tables.op(inst.op);
        }
        values.by_ref().take(inst.result_count as usize).for_each(|data| tables.value(data));
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
        externals: std::mem::take(&mut program.externals),
        callees: std::mem::take(&mut program.callees),
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
    externals: Table<ExternalId, Option<ExternalId>>,
    external_order: Vec<ExternalId>,
    callees: Table<CalleeId, Option<CalleeId>>,
    callee_order: Vec<CalleeId>,
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
            externals: Table::filled(program.externals.len(), None),
            external_order: Vec::new(),
            callees: Table::filled(program.callees.len(), None),
            callee_order: Vec::new(),
            loc_order: Vec::new(),
            level_order: Vec::new(),
        };
        program.types.keys().take(Elem::ALL.len()).for_each(|id| _ = tables.ty(id));
        tables.loc(Loc::UNKNOWN);
        tables.number_levels(program, kept);
        tables
    }

    /// The levels of live values keep their order; the text names their places before all others.
    fn number_levels(&mut self, program: &Program, kept: impl Fn(Value, &ValueData) -> bool) {
        let mut used = Table::filled(program.levels.len(), false);
        used[Level::PRIMAL] = true;
        if program.levels.len() > 1 {
            let kept = program.values.iter().filter(|&(value, data)| kept(value, data));
            kept.for_each(|(_, data)| used[data.origin.level] = true);
        }
        for level in program.levels.keys().filter(|&level| used[level]) {
            self.levels[level] = Some(Level::new(self.level_order.len()));
            self.level_order.push(level);
            self.loc(program.levels[level].loc);
        }
    }

    fn ty(&mut self, ty: TypeId) -> TypeId {
        number(&mut self.types, &mut self.type_order, ty)
    }

    fn strides(&mut self, strides: StridesId) -> StridesId {
        number(&mut self.strides, &mut self.strides_order, strides)
    }

    fn external(&mut self, external: ExternalId) -> ExternalId {
        number(&mut self.externals, &mut self.external_order, external)
    }

    fn callee(&mut self, callee: CalleeId) -> CalleeId {
        number(&mut self.callees, &mut self.callee_order, callee)
    }

    /// The operation in terms of the new tables; regions and loops are the copier's.
    fn op(&mut self, op: Op) -> Op {
        match op {
            Op::Pack(ty) => Op::Pack(self.ty(ty)),
            Op::Iota(ty) => Op::Iota(self.ty(ty)),
            Op::View(ty, strides) => Op::View(self.ty(ty), self.strides(strides)),
            Op::Spread(ty, strides) => Op::Spread(self.ty(ty), self.strides(strides)),
            Op::Reduce(reduction, ty) => Op::Reduce(reduction, self.ty(ty)),
            Op::External(external) => Op::External(self.external(external)),
            Op::Call(callee) => Op::Call(self.callee(callee)),
            Op::Const(_)
            | Op::Prim(_)
            | Op::Cast(_)
            | Op::Select
            | Op::Element(_)
            | Op::Dot
            | Op::At
            | Op::AddAt
            | Op::Linalg(_)
            | Op::Loop { .. }
            | Op::Cond { .. }
            | Op::Custom { .. }
            | Op::LinearSolve { .. }
            | Op::Jvp { .. }
            | Op::Vjp { .. } => op,
        }
    }

    fn loc(&mut self, loc: Loc) -> Loc {
        number(&mut self.locs, &mut self.loc_order, loc)
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
        to.externals = Table::from_rows(self.external_order.iter().map(|&id| from.externals[id].clone()));
        to.callees = Table::from_rows(self.callee_order.iter().map(|&id| from.callees[id].clone()));
        to.levels = Table::from_rows(self.level_order.clone().into_iter().map(|level| {
            let LevelData { mode, loc } = from.levels[level];
            LevelData { mode, loc: self.loc(loc) }
        }));
        to.locs = Table::from_rows(self.loc_order.iter().map(|&id| from.locs[id].clone()));
    }
}

/// The number of `key`: the next one when it is first met.
#[inline(always)]
fn number<K: Entity>(numbers: &mut Table<K, Option<K>>, order: &mut Vec<K>, key: K) -> K {
    match numbers[key] {
        Some(number) => number,
        None => next_number(numbers, order, key),
    }
}

#[cold]
fn next_number<K: Entity>(numbers: &mut Table<K, Option<K>>, order: &mut Vec<K>, key: K) -> K {
    let next = K::new(order.len());
    order.push(key);
    numbers[key] = Some(next);
    next
}
