//! The program: tables of values, instructions and regions, with the provenance of every value.
//!
//! A [`Program`] is immutable once built: a pass reads one program and builds another through a
//! [`Builder`](crate::Builder). What holds of every well-formed program is listed in
//! [`verify`](crate::verify). Equality of programs is equality of all tables, so two programs are equal
//! exactly if their texts are.

use crate::callee::Callee;
use crate::entity::{
    CalleeId, ExternalId, Inst, Level, Loc, LoopId, Region, SolverId, StridesId, Table, TypeId, Value,
};
use crate::external::External;
use crate::op::Op;
use crate::solver::Solver;
use crate::structure::{LoopSpec, Strides};
use crate::types::{Elem, Literal, Type};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// An instruction: an operation, its operands and its results.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InstData {
    /// What it does.
    pub op: Op,
    pub(crate) first_operand: u32,
    pub(crate) operand_count: u32,
    pub(crate) first_result: Value,
    pub(crate) result_count: u32,
}

/// Where a value comes from within its region.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Def {
    /// The parameter of this number of the region.
    Param(u32),
    /// A result of this instruction.
    Result(Inst),
}

/// What a value is to the derivative whose level it bears.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Role {
    /// Part of a function's value, or of a partial derivative.
    #[default]
    Primal,
    /// A directional derivative of another value.
    Tangent,
    /// The derivative of the outputs with respect to another value.
    Cotangent,
}

/// Where a value comes from: for whom it is computed, and which line asked for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Origin {
    /// The user's source line.
    pub loc: Loc,
    /// The derivative application that made it.
    pub level: Level,
    /// What it is to that application.
    pub role: Role,
    /// The value it is the derivative of.
    pub of: Option<Value>,
}

impl Default for Loc {
    fn default() -> Self {
        Loc::UNKNOWN
    }
}

impl Default for Level {
    fn default() -> Self {
        Level::PRIMAL
    }
}

/// A value's type, definition and origin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ValueData {
    /// Its type, in the program's type table.
    pub ty: TypeId,
    /// The region it belongs to, and the only one that may use it.
    pub region: Region,
    /// What defines it.
    pub def: Def,
    /// Where it comes from.
    pub origin: Origin,
}

/// A body: parameters, instructions in order, results.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RegionData {
    /// What comes in.
    pub params: Vec<Value>,
    /// What is computed, each instruction after those it uses.
    pub insts: Vec<Inst>,
    /// What goes out.
    pub results: Vec<Value>,
}

/// Forward or reverse.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mode {
    /// Tangents follow the program.
    Forward,
    /// Cotangents run against it.
    Reverse,
}

/// One application of a derivative operator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LevelData {
    /// Forward or reverse; `None` for level 0.
    pub mode: Option<Mode>,
    /// Where the user asked for it.
    pub loc: Loc,
}

/// A place in the user's source.
#[derive(Clone, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct SourceLoc {
    /// The file, as the compiler names it.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
}

impl SourceLoc {
    /// The place of a caller.
    pub fn of(caller: &std::panic::Location<'_>) -> SourceLoc {
        SourceLoc { file: caller.file().into(), line: caller.line() }
    }
}

impl fmt::Display for SourceLoc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A program in static single assignment form. See the [module](self).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Program {
    pub(crate) types: Table<TypeId, Type>,
    pub(crate) strides: Table<StridesId, Strides>,
    pub(crate) loops: Table<LoopId, LoopSpec>,
    pub(crate) solvers: Table<SolverId, Solver>,
    pub(crate) externals: Table<ExternalId, External>,
    pub(crate) callees: Table<CalleeId, Callee>,
    pub(crate) values: Table<Value, ValueData>,
    pub(crate) insts: Table<Inst, InstData>,
    pub(crate) operands: Vec<Value>,
    pub(crate) regions: Table<Region, RegionData>,
    pub(crate) levels: Table<Level, LevelData>,
    pub(crate) locs: Table<Loc, Option<SourceLoc>>,
    pub(crate) names: BTreeMap<Value, Arc<str>>,
    pub(crate) limit: Limit,
}

/// The most instructions that a program may have, and those that are made of it. It says nothing of the program, so
/// it does not make programs differ.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit(pub(crate) usize);

impl PartialEq for Limit {
    fn eq(&self, _: &Limit) -> bool {
        true
    }
}

impl Eq for Limit {}

impl Program {
    /// The most instructions a program may have: past it, tables of `u32` operands could overflow.
    pub const MAX_INSTRUCTIONS: usize = 1 << 25;

    /// How many operands there may be for each instruction that the limit allows: nearly all take three at most, a
    /// `pack` as many as its array has elements.
    pub const OPERANDS: usize = 8;

    /// The region that is the program's own body.
    pub const ROOT: Region = Region::from_u32(0);

    /// A program without parameters, instructions or results.
    pub(crate) fn empty() -> Program {
        let mut program = Program {
            types: Table::new(),
            strides: Table::new(),
            loops: Table::new(),
            solvers: Table::new(),
            externals: Table::new(),
            callees: Table::new(),
            values: Table::new(),
            insts: Table::new(),
            operands: Vec::new(),
            regions: Table::new(),
            levels: Table::new(),
            locs: Table::new(),
            names: BTreeMap::new(),
            limit: Limit(Self::MAX_INSTRUCTIONS),
        };
        for elem in Elem::ALL {
            program.types.push(Type::scalar(elem));
        }
        program.regions.push(RegionData::default());
        program.levels.push(LevelData { mode: None, loc: Loc::UNKNOWN });
        program.locs.push(None);
        program
    }

    /// The program's own body.
    pub fn root(&self) -> &RegionData {
        &self.regions[Self::ROOT]
    }

    /// A region's body.
    pub fn region(&self, region: Region) -> &RegionData {
        &self.regions[region]
    }

    /// All regions, the root first.
    pub fn regions(&self) -> &Table<Region, RegionData> {
        &self.regions
    }

    /// All values.
    pub fn values(&self) -> &Table<Value, ValueData> {
        &self.values
    }

    /// All instructions. A region lists its own in order.
    pub fn insts(&self) -> &Table<Inst, InstData> {
        &self.insts
    }

    /// All applications of derivative operators that have been carried out, innermost first after
    /// level 0.
    pub fn levels(&self) -> &Table<Level, LevelData> {
        &self.levels
    }

    /// What `value` is.
    pub fn value(&self, value: Value) -> &ValueData {
        &self.values[value]
    }

    /// The type of `value`.
    pub fn ty(&self, value: Value) -> &Type {
        &self.types[self.values[value].ty]
    }

    /// The type of this id.
    pub fn type_of_id(&self, id: TypeId) -> &Type {
        &self.types[id]
    }

    /// The strides of this id.
    pub fn strides(&self, id: StridesId) -> &Strides {
        &self.strides[id]
    }

    /// The functions of the user's that are called.
    pub fn externals(&self) -> &Table<ExternalId, External> {
        &self.externals
    }

    /// The functions that are called.
    pub fn callees(&self) -> &Table<CalleeId, Callee> {
        &self.callees
    }

    /// The shape of the loop of this id.
    pub fn loop_spec(&self, id: LoopId) -> LoopSpec {
        self.loops[id]
    }

    /// The solver of this id.
    pub fn solver(&self, id: SolverId) -> Solver {
        self.solvers[id]
    }

    /// The operation of `inst`.
    pub fn op(&self, inst: Inst) -> Op {
        self.insts[inst].op
    }

    /// The operands of `inst`.
    pub fn operands(&self, inst: Inst) -> &[Value] {
        let data = &self.insts[inst];
        &self.operands[data.first_operand as usize..][..data.operand_count as usize]
    }

    /// The results of `inst`.
    pub fn results(&self, inst: Inst) -> impl ExactSizeIterator<Item = Value> + use<> {
        let data = &self.insts[inst];
        let first = data.first_result.as_u32();
        (first..first + data.result_count).map(Value::from_u32)
    }

    /// The operands of `inst`, or `None` if there is no such instruction or they do not exist.
    pub(crate) fn operand_list(&self, inst: Inst) -> Option<&[Value]> {
        let data = self.insts.get(inst)?;
        let first = data.first_operand as usize;
        self.operands.get(first..first.checked_add(data.operand_count as usize)?)
    }

    /// The results of `inst` that exist.
    pub(crate) fn results_in_range(&self, inst: Inst) -> impl Iterator<Item = Value> + use<> {
        let (first, count) =
            self.insts.get(inst).map_or((0u32, 0), |data| (data.first_result.as_u32(), data.result_count));
        (first..first.saturating_add(count).min(self.values.len() as u32)).map(Value::from_u32)
    }

    /// The first result of `inst`; instructions without regions, calls excepted, have no other.
    pub fn result(&self, inst: Inst) -> Value {
        self.insts[inst].first_result
    }

    /// The instruction that defines `value`, unless it is a parameter.
    pub fn def_inst(&self, value: Value) -> Option<Inst> {
        match self.values[value].def {
            Def::Result(inst) => Some(inst),
            Def::Param(_) => None,
        }
    }

    #[inline(always)]
    pub(crate) fn is_const(&self, value: Value) -> bool {
        self.def_inst(value).is_some_and(|inst| matches!(self.insts[inst].op, Op::Const(_)))
    }

    /// The constant that `value` is, if it is one.
    pub fn as_const(&self, value: Value) -> Option<Literal> {
        match self.op(self.def_inst(value)?) {
            Op::Const(literal) => Some(literal),
            _ => None,
        }
    }

    /// The place in the user's source that `value` comes from.
    pub fn loc(&self, value: Value) -> Option<&SourceLoc> {
        self.source(self.values[value].origin.loc)
    }

    /// All places in the user's source that values come from; `Loc::UNKNOWN` has none.
    pub fn locs(&self) -> &Table<Loc, Option<SourceLoc>> {
        &self.locs
    }

    /// The place in the user's source of this id.
    pub fn source(&self, loc: Loc) -> Option<&SourceLoc> {
        self.locs[loc].as_ref()
    }

    /// The name the user gave to `value`.
    pub fn name(&self, value: Value) -> Option<&str> {
        self.names.get(&value).map(|name| &**name)
    }

    /// The most instructions that programs made of this one may have: its derivatives, and what they are simplified
    /// to. [`Program::MAX_INSTRUCTIONS`], unless [`Builder::set_limit`](crate::Builder::set_limit) or
    /// [`Program::with_limit`] chose fewer.
    pub fn limit(&self) -> usize {
        self.limit.0
    }

    /// This program with another [`limit`](Program::limit) for what is made of it.
    pub fn with_limit(self, limit: usize) -> Program {
        Program { limit: Limit(limit.min(Self::MAX_INSTRUCTIONS)), ..self }
    }

    /// The number of instructions, those of nested regions included, those of what is called not.
    pub fn len(&self) -> usize {
        self.insts.len()
    }

    /// Whether the program has no instructions.
    pub fn is_empty(&self) -> bool {
        self.insts.is_empty()
    }

    /// The types of the parameters.
    pub fn param_types(&self) -> Vec<Type> {
        self.root().params.iter().map(|&v| self.ty(v).clone()).collect()
    }

    /// The types of the results.
    pub fn result_types(&self) -> Vec<Type> {
        self.root().results.iter().map(|&v| self.ty(v).clone()).collect()
    }
}
