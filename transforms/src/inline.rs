//! Copies a program into another under construction, keeping its derivative operators or removing
//! them.
//!
//! Removal is innermost first: the body of an operator is first freed of its own operators, then
//! differentiated into the program that applied it. There only the operator's inputs are active; what its
//! closure captured is a constant, and becomes active when the enclosing operator is removed in its
//! turn. So perturbations of different levels cannot be confused, and no tags are needed.

use crate::differentiate::differentiate;
use crate::simplify::{When, rewriter};
use evolute_ir::{
    Builder, Entity, Inst, IrError, Level, Loc, Mode, Op, Origin, Program, Region, Table, Value, live_insts,
    without_dead_code,
};

/// What becomes of derivative operators.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operators {
    Keep,
    Remove(Between),
}

/// What is done to a derivative before it is differentiated again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Between {
    /// Nothing: every value that the derivatives define stays visible.
    Keep,
    /// Rewrites that change no bit of the results nor of their derivatives.
    Simplify,
}

/// Inserts a copy of `program` applied to `args` and returns its results. Operators stay.
///
/// # Errors
/// A program past its size limit, or `args` of closed regions.
pub fn inline(builder: &mut Builder, program: &Program, args: &[Value]) -> Result<Vec<Value>, IrError> {
    let origin = builder.origin();
    let results = Copy::new(builder, program, Operators::Keep).region(builder, Program::ROOT, args);
    builder.set_origin(origin);
    results
}

/// As [`inline`], without the instructions on which no result depends.
pub(crate) fn inline_live(
    builder: &mut Builder,
    program: &Program,
    args: &[Value],
) -> Result<Vec<Value>, IrError> {
    let live = live_insts(program);
    let copy = Copy::new(builder, program, Operators::Keep);
    Copy { live: Some(live), ..copy }.region(builder, Program::ROOT, args)
}

/// The program without derivative operators: each is replaced by the derivative.
///
/// # Errors
/// A program past its size limit.
pub fn remove_operators(program: &Program, between: Between) -> Result<Program, IrError> {
    let plain = program.regions().len() == 1;
    if plain { Ok(without_dead_code(program)) } else { removed(program, Program::ROOT, between) }
}

/// A region as a program of its own, without operators.
fn removed(program: &Program, region: Region, between: Between) -> Result<Program, IrError> {
    let mut builder = Builder::new();
    if between == Between::Simplify {
        builder.set_rewriter(rewriter(When::Always));
    }
    let mut copy = Copy::new(&mut builder, program, Operators::Remove(between));
    let mut args = Vec::new();
    for &param in &program.region(region).params {
        let origin = copy.provenance.map(program, param, &copy.values);
        builder.set_origin(origin);
        let arg = builder.param(program.ty(param));
        copy.provenance.copy_name(&mut builder, program, param, arg);
        args.push(arg);
    }
    let results = copy.region(&mut builder, region, &args)?;
    builder.finish_live(&results)
}

struct Copy<'a> {
    from: &'a Program,
    operators: Operators,
    /// The instructions to copy, if not all.
    live: Option<Table<Inst, bool>>,
    provenance: Provenance,
    values: Table<Value, Option<Value>>,
}

impl<'a> Copy<'a> {
    fn new(builder: &mut Builder, from: &'a Program, operators: Operators) -> Self {
        let values = Table::filled(from.values().len(), None);
        Copy { from, operators, live: None, provenance: Provenance::new(builder, from), values }
    }

    fn at(&self, value: Value) -> Value {
        self.values[value].expect("definitions precede uses")
    }

    fn region(
        &mut self,
        builder: &mut Builder,
        region: Region,
        args: &[Value],
    ) -> Result<Vec<Value>, IrError> {
        let body = self.from.region(region);
        for (&param, &arg) in body.params.iter().zip(args) {
            self.values[param] = Some(arg);
        }
        let mut operands = Vec::new();
        for &inst in &body.insts {
            if self.live.as_ref().is_none_or(|live| live[inst]) {
                self.inst(builder, inst, &mut operands)?;
            }
        }
        Ok(body.results.iter().map(|&v| self.at(v)).collect())
    }

    fn inst(&mut self, builder: &mut Builder, inst: Inst, operands: &mut Vec<Value>) -> Result<(), IrError> {
        operands.clear();
        operands.extend(self.from.operands(inst).iter().map(|&v| self.at(v)));
        let first = self.from.results(inst).next();
        let origin = first.map(|result| self.provenance.map(self.from, result, &self.values));
        builder.set_origin(origin.unwrap_or_default());
        match self.from.op(inst) {
            Op::Jvp { region, wrt } => {
                let results = self.operator(builder, Mode::Forward, region, wrt, operands)?;
                self.define(builder, inst, &results);
            }
            Op::Vjp { region, wrt } => {
                let results = self.operator(builder, Mode::Reverse, region, wrt, operands)?;
                self.define(builder, inst, &results);
            }
            op => {
                let op = self.provenance.map_op(builder, self.from, op);
                let result = builder.insert(op, operands)?;
                self.define(builder, inst, &[result]);
            }
        }
        Ok(())
    }

    fn define(&mut self, builder: &mut Builder, inst: Inst, results: &[Value]) {
        for (result, &value) in self.from.results(inst).zip(results) {
            self.provenance.copy_name(builder, self.from, result, value);
            self.values[result] = Some(value);
        }
    }

    fn operator(
        &mut self,
        builder: &mut Builder,
        mode: Mode,
        region: Region,
        wrt: u32,
        operands: &[Value],
    ) -> Result<Vec<Value>, IrError> {
        let wrt = wrt as usize;
        let params = self.from.region(region).params.len();
        let (inputs, rest) = operands.split_at(wrt);
        let (seeds, captured) = rest.split_at(rest.len() - (params - wrt));
        match self.operators {
            Operators::Remove(between) => {
                let body = removed(self.from, region, between)?;
                let loc = builder.origin().loc;
                // The body's levels are registered first: what was removed earlier has the lower one.
                let provenance = Provenance::new(builder, &body);
                let level = builder.add_level(mode, loc);
                let args = [inputs, captured].concat();
                differentiate(builder, &body, provenance, (mode, level), (&args, wrt), seeds)
            }
            Operators::Keep => {
                let origin = builder.origin();
                builder.open_region();
                let mut args = Vec::with_capacity(params);
                for &param in &self.from.region(region).params[..wrt] {
                    builder.set_origin(self.provenance.map(self.from, param, &self.values));
                    args.push(builder.param(self.from.ty(param)));
                }
                args.extend_from_slice(captured);
                let results = self.region(builder, region, &args);
                let body = builder.close_region(results.as_deref().unwrap_or_default())?;
                results?;
                builder.set_origin(origin);
                builder.operator(mode, body, inputs, seeds)
            }
        }
    }
}

/// Carries levels, source lines and names from one program to another.
pub(crate) struct Provenance {
    levels: Table<Level, Level>,
    locs: Table<Loc, Loc>,
}

impl Provenance {
    /// Registers the levels and source lines of `from` in `to`.
    pub(crate) fn new(to: &mut Builder, from: &Program) -> Provenance {
        let mut locs = Table::new();
        for loc in from.locs().keys() {
            locs.push(from.source(loc).map_or(Loc::UNKNOWN, |source| to.add_loc(source.clone())));
        }
        let mut levels = Table::new();
        for (level, data) in from.levels().iter() {
            let mapped = match data.mode {
                None => Level::PRIMAL,
                Some(mode) => to.add_level(mode, locs[data.loc]),
            };
            debug_assert_eq!(level.index() == 0, data.mode.is_none());
            levels.push(mapped);
        }
        Provenance { levels, locs }
    }

    /// The origin of the copy of `value`.
    pub(crate) fn map(&self, from: &Program, value: Value, values: &Table<Value, Option<Value>>) -> Origin {
        let origin = from.value(value).origin;
        Origin {
            loc: self.locs[origin.loc],
            level: self.levels[origin.level],
            role: origin.role,
            of: origin.of.and_then(|of| values[of]),
        }
    }

    /// The operation in terms of the other program's types.
    pub(crate) fn map_op(&self, to: &mut Builder, from: &Program, op: Op) -> Op {
        match op {
            Op::Pack(ty) => Op::Pack(to.intern(from.type_of_id(ty))),
            Op::Const(_)
            | Op::Prim(_)
            | Op::Cast(_)
            | Op::Select
            | Op::Element(_)
            | Op::Iota(_)
            | Op::View(..)
            | Op::Spread(..)
            | Op::Reduce(..)
            | Op::Dot
            | Op::At
            | Op::AddAt
            | Op::Loop { .. }
            | Op::Cond { .. } => op,
            Op::Jvp { .. } | Op::Vjp { .. } => unreachable!("operators are copied with their regions"),
        }
    }

    pub(crate) fn copy_name(&self, to: &mut Builder, from: &Program, value: Value, copy: Value) {
        if let Some(name) = from.name(value) {
            to.set_name(copy, name);
        }
    }
}
