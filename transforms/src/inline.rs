//! Copies a program into another under construction, keeping its derivative operators or removing
//! them.
//!
//! Removal is innermost first: the body of an operator is first freed of its own operators, then
//! differentiated into the program that applied it. There only the operator's inputs are active; what its
//! closure captured is a constant, and becomes active when the enclosing operator is removed in its
//! turn. So perturbations of different levels cannot be confused, and no tags are needed.

mod accumulated;
mod calls;
mod clamp;
mod expand;
mod hoist;
mod joined;
mod nest;
mod operators;
mod provenance;
mod regions;
mod thinned;
mod unchanged;

pub(crate) use calls::inline_few;
pub use calls::{apply, inline_calls};
pub use expand::expand;
pub(crate) use expand::is_implicit;
pub(crate) use provenance::Provenance;

use crate::accumulate::Accumulated;
use crate::calls::{Calls, in_all};
use crate::contract::fused;
use crate::derive::copy_params;
use crate::fuse::Orders;
use crate::residuals::{Thinning, thinned};
use evolute_ir::{
    Bounds, Builder, CalleeId, Inst, IrError, Mode, Op, Origin, Program, Region, Table, Value, live_insts,
    without_dead_code,
};
use hoist::Hoisting;
pub(crate) use operators::removed;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use unchanged::{any_unchanged, unchanged};

/// What becomes of derivative operators.
#[derive(Clone)]
enum Operators {
    Keep,
    /// They are removed; what is copied is within operators of these modes, the outermost first.
    Remove(Rc<Calls>, Vec<Mode>),
}

/// What is done to a derivative before it is differentiated again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Between {
    /// Nothing: every value that the derivatives define stays visible.
    Keep,
    /// Rewrites that change no bit of the results nor of their derivatives, and loops are joined, which changes the order in
    /// which the next derivative adds.
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

/// As [`inline`], for a call by the user: what has no source line of its own gets that of the builder.
///
/// # Errors
/// As [`inline`].
pub fn inline_call(builder: &mut Builder, program: &Program, args: &[Value]) -> Result<Vec<Value>, IrError> {
    let origin = builder.origin();
    let mut copy = Copy::new(builder, program, Operators::Keep);
    copy.provenance.call(origin.loc);
    let results = copy.region(builder, Program::ROOT, args);
    builder.set_origin(origin);
    results
}

/// As [`inline`], without the instructions on which no result depends, and with those that do not depend on a loop's
/// iteration before the loop.
pub(crate) fn inline_live(
    builder: &mut Builder,
    program: &Program,
    args: &[Value],
) -> Result<Vec<Value>, IrError> {
    let live = live_insts(program);
    let copy = Copy::new(builder, program, Operators::Keep);
    Copy { live: Some(live), hoisting: Some(Hoisting::new(program)), ..copy }.region(
        builder,
        Program::ROOT,
        args,
    )
}

/// As [`inline`], with products fused with sums where `uses` says that they have no other use.
pub(crate) fn inline_contracted(
    builder: &mut Builder,
    program: &Program,
    args: &[Value],
    uses: Table<Value, u32>,
) -> Result<Vec<Value>, IrError> {
    let copy = Copy::new(builder, program, Operators::Keep);
    Copy { contract: Some(uses), ..copy }.region(builder, Program::ROOT, args)
}

/// As [`inline`], with the instructions of some regions in the order given, and the loops of each of its items as one.
pub(crate) fn inline_fused(
    builder: &mut Builder,
    program: &Program,
    args: &[Value],
    orders: Orders,
) -> Result<Vec<Value>, IrError> {
    let copy = Copy::new(builder, program, Operators::Keep);
    Copy { orders, ..copy }.region(builder, Program::ROOT, args)
}

/// As [`inline`], with loops that add what they stacked.
pub(crate) fn inline_accumulated(
    builder: &mut Builder,
    program: &Program,
    args: &[Value],
    accumulated: Accumulated,
) -> Result<Vec<Value>, IrError> {
    let copy = Copy::new(builder, program, Operators::Keep);
    Copy { accumulated, ..copy }.region(builder, Program::ROOT, args)
}

/// As [`inline`], with loops that stack and read less.
pub(crate) fn inline_thinned(
    builder: &mut Builder,
    program: &Program,
    args: &[Value],
    thinning: Thinning,
) -> Result<Vec<Value>, IrError> {
    let copy = Copy::new(builder, program, Operators::Keep);
    Copy { thinning, ..copy }.region(builder, Program::ROOT, args)
}

/// The program as it can be evaluated: without derivative operators, and without what is there to be differentiated.
///
/// # Errors
/// A program past its size limit.
pub fn evaluable(program: &Program, between: Between) -> Result<Program, IrError> {
    expand(&remove_operators(program, between)?)
}

/// As [`inline`], with indices limited to their arrays where they are not known to be in range.
pub(crate) fn inline_clamped(
    builder: &mut Builder,
    program: &Program,
    args: &[Value],
) -> Result<Vec<Value>, IrError> {
    Copy::new(builder, program, Operators::Keep).with_clamped_indices().region(builder, Program::ROOT, args)
}

/// The program without derivative operators: each is replaced by the derivative.
///
/// # Errors
/// A program past its size limit.
pub fn remove_operators(program: &Program, between: Between) -> Result<Program, IrError> {
    match program.any_op(Op::is_derivative) {
        true => {
            let program = in_all(program, capturing_unchanged)?;
            let plain = removed(&program, Program::ROOT, &Calls::new(between), Vec::new())?;
            match plain.callees().is_empty() {
                true => thinned(plain),
                false => in_all(&plain, |program| thinned(program.clone())),
            }
        }
        false => Ok(without_dead_code(program)),
    }
}

/// The program with loops that capture what they do not change.
fn capturing_unchanged(program: &Program) -> Result<Program, IrError> {
    if !any_unchanged(program) {
        return Ok(program.clone());
    }
    let mut builder = Builder::new();
    builder.set_limit(program.limit());
    let params = copy_params(&mut builder, program);
    let results = inline(&mut builder, program, &params)?;
    builder.finish(&results)
}

struct Copy<'a> {
    from: &'a Program,
    operators: Operators,
    /// The instructions to copy, if not all.
    live: Option<Table<Inst, bool>>,
    /// If what does not depend on a loop's iteration is computed before the loop.
    hoisting: Option<Hoisting>,
    /// Whether what is there to be differentiated becomes what it stands for.
    expands: bool,
    /// How often each value is used, if products are to be fused with sums.
    contract: Option<Table<Value, u32>>,
    /// The functions that are inlined, if some are.
    inlines: Table<CalleeId, bool>,
    /// The regions in which loops are joined.
    orders: Orders,
    /// The loops that add what they stacked.
    accumulated: Accumulated,
    /// The additions that those have done.
    added: BTreeSet<Inst>,
    /// The loops that stack and read less.
    thinning: Thinning,
    /// What such loops have stacked: stacks of values of the loops that read them.
    residuals: BTreeMap<Value, Value>,
    /// The instructions that such loops no longer have.
    moved: BTreeSet<Inst>,
    /// What is known of indices, if the others are to be limited to their arrays.
    clamps: Option<Bounds<'a>>,
    provenance: Provenance,
    values: Table<Value, Option<Value>>,
}

impl<'a> Copy<'a> {
    fn new(builder: &mut Builder, from: &'a Program, operators: Operators) -> Self {
        let values = Table::filled(from.values().len(), None);
        Copy {
            from,
            operators,
            live: None,
            hoisting: None,
            expands: false,
            contract: None,
            inlines: Table::filled(from.callees().len(), false),
            orders: Orders::new(),
            accumulated: Accumulated::new(),
            added: BTreeSet::new(),
            thinning: Thinning::new(),
            residuals: BTreeMap::new(),
            moved: BTreeSet::new(),
            clamps: None,
            provenance: Provenance::new(builder, from),
            values,
        }
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
        for (&param, &arg) in self.from.region(region).params.iter().zip(args) {
            self.values[param] = Some(arg);
        }
        self.insts(builder, region)
    }

    /// Copies the instructions of a region whose parameters have their values.
    fn insts(&mut self, builder: &mut Builder, region: Region) -> Result<Vec<Value>, IrError> {
        let body = self.from.region(region);
        let mut operands = Vec::new();
        if let Some(order) = self.orders.remove(&region) {
            for item in order {
                match item[..] {
                    [inst] => self.inst(builder, inst, &mut operands)?,
                    _ => self.joined(builder, &item)?,
                }
            }
            return Ok(body.results.iter().map(|&v| self.at(v)).collect());
        }
        for &inst in &body.insts {
            let live = self.live.as_ref().is_none_or(|live| live[inst]) && !self.moved.contains(&inst);
            // What a loop has hoisted is there already.
            let hoisted = self.hoisting.is_some()
                && self.from.results(inst).next().is_some_and(|v| self.values[v].is_some());
            if live && !hoisted {
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
            Op::Loop { body, condition, spec } => {
                let results = match self.accumulated.remove(&inst) {
                    Some(added) => self.accumulating(builder, inst, (body, spec), operands, &added)?,
                    None => self.looping(builder, inst, (body, condition, spec), operands)?,
                };
                self.define_loop(builder, inst, &results, operands);
            }
            Op::Call(id) => {
                let results = self.call(builder, id, operands)?;
                self.define(builder, inst, &results);
                self.originate_each(builder, self.from.results(inst));
            }
            Op::Cond { yes, no, sums } => {
                let results = self.conditional(builder, [yes, no], sums as usize, operands)?;
                self.define(builder, inst, &results);
                self.originate_each(builder, self.from.results(inst));
            }
            Op::Custom { primal, rule } => {
                let results = match self.expands {
                    true => self.region(builder, primal, &operands.clone())?,
                    false => self.custom(builder, primal, rule, operands)?,
                };
                self.define(builder, inst, &results);
            }
            Op::LinearSolve { matrix, inverse, solver } => {
                let solution = self.linear_solve(builder, (matrix, inverse), solver, operands)?;
                self.define(builder, inst, &[solution]);
            }
            // A loop has done it.
            Op::AddAt if self.added.remove(&inst) => self.define(builder, inst, &[operands[1]]),
            op @ (Op::Const(_)
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
            | Op::Linalg(_)) => {
                let result = self.plain(builder, inst, op, operands)?;
                self.define(builder, inst, &[result]);
            }
        }
        Ok(())
    }

    /// A copy of an instruction without regions, which is fused with a product or limited to its array as is asked for.
    fn plain(
        &mut self,
        builder: &mut Builder,
        inst: Inst,
        op: Op,
        operands: &mut [Value],
    ) -> Result<Value, IrError> {
        let fused = self.contract.as_ref().and_then(|uses| fused(self.from, uses, inst));
        if let Some(fused) = fused {
            return fused.insert(builder, |v| self.at(v));
        }
        let op = self.provenance.map_op(builder, self.from, op);
        self.clamped(builder, inst, operands)?;
        builder.insert(op, operands)
    }

    fn define(&mut self, builder: &mut Builder, inst: Inst, results: &[Value]) {
        for (result, &value) in self.from.results(inst).zip(results) {
            self.provenance.copy_name(builder, self.from, result, value);
            self.values[result] = Some(value);
        }
    }

    /// As [`Copy::define`], of a loop, of which a result may be an operand that it does not change.
    fn define_loop(&mut self, builder: &mut Builder, inst: Inst, results: &[Value], operands: &[Value]) {
        let mut own = Vec::with_capacity(results.len());
        for (result, &value) in self.from.results(inst).zip(results) {
            self.values[result] = Some(value);
            if !operands.contains(&value) {
                self.provenance.copy_name(builder, self.from, result, value);
                own.push(result);
            }
        }
        self.originate_each(builder, own.into_iter());
    }

    /// Gives each of several results its own origin. One that is shared belongs to the outermost level that computes it.
    fn originate_each(&self, builder: &mut Builder, results: impl Iterator<Item = Value>) {
        let origin = |v| (self.at(v), self.provenance.map(self.from, v, &self.values));
        let mut origins: Vec<(Value, Origin)> = results.map(origin).collect();
        origins.sort_by_key(|(_, origin)| std::cmp::Reverse(origin.level));
        origins.into_iter().for_each(|(copy, origin)| builder.set_origin_of(copy, origin));
    }
}
