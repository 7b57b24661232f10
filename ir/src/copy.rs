//! Copies a program in text order: dense numbers, no unreachable region, optionally no dead code.
//!
//! Types and source lines are numbered in the order in which the text first needs them, and only those that
//! it needs are kept. So a copy says nothing that its text does not say, and equal texts are equal programs.

use crate::entity::{Entity, Inst, Level, Loc, Region, Table, TypeId, Value};
use crate::program::{Def, InstData, LevelData, Op, Origin, Program, RegionData, SourceLoc, ValueData};
use rustc_hash::FxHashMap;

/// `program` with all its tables in the order of its text.
pub(crate) fn compact(program: &Program) -> Program {
    Copier::new(program, None).run()
}

/// `program` without the instructions on which no result depends.
pub fn without_dead_code(program: &Program) -> Program {
    let live = live_insts(program);
    Copier::new(program, Some(&live)).run()
}

/// The instructions on which a result of their region depends.
fn live_insts(program: &Program) -> Table<Inst, bool> {
    let mut live = Table::filled(program.insts.len(), false);
    let mut work: Vec<Value> = program.root().results.clone();
    while let Some(value) = work.pop() {
        let Def::Result(inst) = program.values[value].def else { continue };
        if std::mem::replace(&mut live[inst], true) {
            continue;
        }
        work.extend_from_slice(program.operands(inst));
        if let Some(region) = program.op(inst).region() {
            work.extend_from_slice(&program.regions[region].results);
        }
    }
    live
}

struct Copier<'a> {
    from: &'a Program,
    live: Option<&'a Table<Inst, bool>>,
    to: Program,
    values: Table<Value, Option<Value>>,
    types: Table<TypeId, Option<TypeId>>,
    locs: Table<Loc, Option<Loc>>,
    /// The source lines of the copy, since builders may hold one several times.
    places: FxHashMap<&'a SourceLoc, Loc>,
}

impl<'a> Copier<'a> {
    fn new(from: &'a Program, live: Option<&'a Table<Inst, bool>>) -> Self {
        let to = Program::empty();
        let mut types = Table::filled(from.types.len(), None);
        for id in to.types.keys() {
            types[id] = Some(id);
        }
        Copier {
            from,
            live,
            to,
            values: Table::filled(from.values.len(), None),
            types,
            locs: Table::filled(from.locs.len(), None),
            places: FxHashMap::default(),
        }
    }

    fn run(mut self) -> Program {
        for (_, &LevelData { mode, loc }) in self.from.levels.iter().filter(|(level, _)| *level != Level::PRIMAL) {
            let loc = self.loc(loc);
            self.to.levels.push(LevelData { mode, loc });
        }
        self.copy_region(Program::ROOT, Program::ROOT);
        self.relink();
        for (value, name) in &self.from.names {
            if let Some(value) = self.values[*value] {
                self.to.names.insert(value, name.clone());
            }
        }
        self.to
    }

    fn copy_region(&mut self, from: Region, to: Region) {
        let source = self.from.region(from);
        let params: Vec<Value> = source.params.iter().map(|&v| self.copy_value(v, to, |def| def)).collect();
        self.to.regions[to].params = params;
        for &inst in &source.insts {
            if self.live.is_none_or(|live| live[inst]) {
                self.copy_inst(inst, to);
            }
        }
        self.to.regions[to].results = source.results.iter().map(|&v| self.at(v)).collect();
    }

    /// The instruction takes its number after those of its region, as its results stand after them.
    fn copy_inst(&mut self, inst: Inst, region: Region) {
        let op = match self.from.op(inst) {
            Op::Jvp { region, wrt } => Op::Jvp { region: self.copy_nested(region), wrt },
            Op::Vjp { region, wrt } => Op::Vjp { region: self.copy_nested(region), wrt },
            Op::Pack(ty) => Op::Pack(self.ty(ty)),
            op @ (Op::Const(_) | Op::Prim(_) | Op::Cast(_) | Op::Select | Op::Element(_)) => op,
        };
        let first_operand = self.to.operands.len() as u32;
        for &operand in self.from.operands(inst) {
            let operand = self.at(operand);
            self.to.operands.push(operand);
        }
        let copy = Inst::new(self.to.insts.len());
        let first_result = Value::new(self.to.values.len());
        for result in self.from.results(inst) {
            self.copy_value(result, region, |_| Def::Result(copy));
        }
        self.to.insts.push(InstData { op, first_operand, first_result, ..self.from.insts[inst] });
        self.to.regions[region].insts.push(copy);
    }

    fn copy_nested(&mut self, region: Region) -> Region {
        let copy = self.to.regions.push(RegionData::default());
        self.copy_region(region, copy);
        copy
    }

    fn copy_value(&mut self, value: Value, region: Region, def: impl Fn(Def) -> Def) -> Value {
        let data = &self.from.values[value];
        let ty = self.ty(data.ty);
        let origin = Origin { loc: self.loc(data.origin.loc), ..data.origin };
        let copy = self.to.values.push(ValueData { ty, region, def: def(data.def), origin });
        self.values[value] = Some(copy);
        copy
    }

    fn ty(&mut self, ty: TypeId) -> TypeId {
        let (from, to) = (&self.from.types, &mut self.to.types);
        *self.types[ty].get_or_insert_with(|| to.push(from[ty].clone()))
    }

    fn loc(&mut self, loc: Loc) -> Loc {
        if let Some(copy) = self.locs[loc] {
            return copy;
        }
        let locs = &mut self.to.locs;
        let copy = match &self.from.locs[loc] {
            None => Loc::UNKNOWN,
            Some(place) => *self.places.entry(place).or_insert_with(|| locs.push(Some(place.clone()))),
        };
        self.locs[loc] = Some(copy);
        copy
    }

    fn at(&self, value: Value) -> Value {
        self.values[value].expect("a live instruction's operands are live")
    }

    /// What a value is the derivative of, in the copy's numbers; nothing where that was dropped.
    fn relink(&mut self) {
        for value in self.to.values.keys() {
            let origin = &mut self.to.values[value].origin;
            origin.of = origin.of.and_then(|of| self.values[of]);
        }
    }
}
