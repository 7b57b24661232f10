//! The search, from non-finite results backwards to what first was not finite.
//!
//! A region is gone through once, last instruction first. What is *wanted* are the non-finite values from which a
//! non-finite result was computed. An instruction with a wanted result and finite operands is an origin; the last
//! one met is the earliest. Of loops and conditionals the body is searched, in the iterations and in the branch
//! that were evaluated: what comes in through its parameters is wanted outside.

use super::frame::{Frame, Frames};
use super::{ExplainError, Within};
use evolute_ir::{Inst, Op, Program, Region, Value};
use std::collections::BTreeSet;

/// Where finite numbers first gave one that is not.
pub(super) struct Found {
    pub(super) value: Value,
    pub(super) number: f64,
    pub(super) operands: Vec<(Value, f64)>,
    /// The loops and conditionals around it, the innermost first.
    pub(super) within: Vec<Within>,
}

/// Where the non-finite results of a region, or of an instruction, come from.
#[derive(Default)]
pub(super) struct Trail {
    /// Non-finite parameters of the region, or operands of the instruction, by number.
    pub(super) sources: BTreeSet<usize>,
    /// The earliest origin inside.
    pub(super) found: Option<Found>,
}

pub(super) struct Search<'p> {
    pub(super) program: &'p Program,
    pub(super) frames: Frames<'p>,
}

impl<'p> Search<'p> {
    pub(super) fn new(program: &'p Program) -> Self {
        Search { program, frames: Frames::new(program) }
    }

    /// The origin of the program's non-finite results, if there are any. The frame is that of the whole.
    pub(super) fn origin(&mut self, frame: &Frame<'p>) -> Result<Option<Found>, ExplainError> {
        let root = self.program.root();
        let trail = self.trace(frame, &root.results)?;
        let param = trail.sources.first().map(|&param| root.params[param]);
        Ok(param.map(|param| self.here(frame, param)).or(trail.found))
    }

    /// Where those of these values come from that are not finite.
    pub(super) fn trace(&mut self, frame: &Frame<'p>, targets: &[Value]) -> Result<Trail, ExplainError> {
        let program = self.program;
        let body = program.region(frame.region);
        let mut wanted: BTreeSet<Value> = targets.iter().copied().filter(|&v| frame.is_bad(v)).collect();
        let mut found = None;
        for &inst in body.insts.iter().rev() {
            let results: Vec<Value> = program.results(inst).filter(|v| wanted.contains(v)).collect();
            let Some(&first) = results.first() else { continue };
            let trail = self.through(frame, inst, &results)?;
            if trail.sources.is_empty() {
                found = Some(trail.found.unwrap_or_else(|| self.here(frame, first)));
            }
            let operands = program.operands(inst);
            wanted.extend(trail.sources.iter().map(|&number| operands[number]));
        }
        let reached = |&(_, v): &(usize, &Value)| wanted.contains(v);
        let sources = body.params.iter().enumerate().filter(reached).map(|(number, _)| number).collect();
        Ok(Trail { sources, found })
    }

    /// From which operands of an instruction these of its results come.
    fn through(&mut self, frame: &Frame<'p>, inst: Inst, results: &[Value]) -> Result<Trail, ExplainError> {
        let operands = self.program.operands(inst);
        let bad = |pick: &dyn Fn(usize) -> bool| Trail {
            sources: (0..operands.len()).filter(|&number| pick(number)).collect(),
            found: None,
        };
        match self.program.op(inst) {
            Op::Loop { body, spec, .. } => self.through_loop(frame, inst, body, spec, results),
            Op::Cond { yes, no, .. } => {
                let taken = frame.integer(operands[0]) != 0;
                self.through_branch(frame, inst, (taken, if taken { yes } else { no }), results)
            }
            Op::Prim(_) | Op::Cast(_) => {
                Ok(bad(&|number| meets(frame, results[0], operands[number], |_| true)))
            }
            Op::Select => {
                let chosen: Vec<bool> = frame.slots(operands[0]).map(|slot| slot & 1 == 1).collect();
                let arm = |yes: bool| {
                    meets(frame, results[0], operands[2 - usize::from(yes)], |i| chosen[i] == yes)
                };
                Ok(bad(&|number| number > 0 && arm(number == 1)))
            }
            Op::Const(_)
            | Op::Element(_)
            | Op::Pack(_)
            | Op::Iota(_)
            | Op::View(..)
            | Op::Spread(..)
            | Op::Reduce(..)
            | Op::Dot
            | Op::At
            | Op::AddAt
            | Op::Linalg(_)
            | Op::External(_)
            | Op::Call(_)
            | Op::Custom { .. }
            | Op::LinearSolve { .. }
            | Op::Jvp { .. }
            | Op::Vjp { .. } => Ok(bad(&|number| frame.is_bad(operands[number]))),
        }
    }

    fn through_branch(
        &mut self,
        frame: &Frame<'p>,
        inst: Inst,
        (taken, region): (bool, Region),
        results: &[Value],
    ) -> Result<Trail, ExplainError> {
        let mut branch = self.branch(frame, inst, region)?;
        branch.run()?;
        let given = &self.program.region(region).results;
        let pairs = self.program.results(inst).zip(given);
        let targets: Vec<Value> =
            pairs.filter(|(v, _)| results.contains(v)).map(|(_, &given)| given).collect();
        let Trail { sources, found } = self.trace(&branch, &targets)?;
        let loc = self.program.loc(self.program.result(inst)).cloned();
        let found = found.map(|found| found.inside(Within::Branch { taken, loc }));
        Ok(Trail { sources: sources.into_iter().map(|param| param + 1).collect(), found })
    }

    /// A branch of a conditional that a frame has evaluated, given its parameters.
    pub(super) fn branch(
        &mut self,
        frame: &Frame<'p>,
        inst: Inst,
        region: Region,
    ) -> Result<Frame<'p>, ExplainError> {
        let mut branch = self.frames.enter(region)?;
        for (param, &operand) in self.program.operands(inst)[1..].iter().enumerate() {
            branch.set(param, frame.slots(operand));
        }
        Ok(branch)
    }

    /// This value as an origin.
    fn here(&self, frame: &Frame<'_>, value: Value) -> Found {
        let inst = self.program.def_inst(value);
        let operands = inst.map_or(&[][..], |inst| self.program.operands(inst));
        Found {
            value,
            number: frame.number(value),
            operands: operands.iter().map(|&v| (v, frame.number(v))).collect(),
            within: Vec::new(),
        }
    }
}

impl Found {
    pub(super) fn inside(mut self, within: Within) -> Found {
        self.within.push(within);
        self
    }
}

/// Whether some element is not finite in both, among those that `counts`.
fn meets(frame: &Frame<'_>, result: Value, operand: Value, counts: impl Fn(usize) -> bool) -> bool {
    let mut pairs = frame.numbers(result).zip(frame.numbers(operand)).enumerate();
    pairs.any(|(i, (result, operand))| counts(i) && !result.is_finite() && !operand.is_finite())
}
