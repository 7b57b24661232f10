//! Where an evaluation failed, and on which numbers.
//!
//! A region whose evaluation failed is gone through in its order, for the first instruction whose operands it does not act on.
//! Of a loop the iterations are evaluated again, up to the first that fails; of a conditional the branch that was taken.
//! Not looked into are the conditions of `while` loops, functions of the user's, and whether iterations converge.

use super::frame::Frame;
use super::search::Search;
use super::{ExplainError, Within};
use crate::error::CallError;
use evolute_ir::{Elem, Failure, Inst, Op, Region, Trips, Value, text};
use std::fmt;

/// Where an evaluation failed, and on what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureOrigin {
    /// What failed, and the user's line.
    pub failure: Failure,
    /// The instruction as text.
    pub instruction: String,
    /// The numbers that it does not act on.
    pub numbers: OutOfRange,
    /// The loops and conditionals that it lies in, the outermost first.
    pub within: Vec<Within>,
}

impl std::error::Error for FailureOrigin {}

impl fmt::Display for FailureOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  {} in `{}`", self.failure, self.numbers, self.instruction)?;
        self.within.iter().rev().try_for_each(|within| write!(f, "\n  {within}"))
    }
}

/// Numbers that an instruction does not act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutOfRange {
    /// An index of an array.
    Index {
        /// The index.
        index: i64,
        /// The axis, from 0.
        axis: usize,
        /// How many indices the axis has, from 0 on.
        extent: u32,
    },
    /// A number of iterations.
    Count {
        /// The number.
        count: i64,
        /// The most there may be.
        limit: u32,
    },
    /// The operands of an integer division.
    Division {
        /// What is divided.
        dividend: i64,
        /// By what.
        divisor: i64,
    },
}

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OutOfRange::Index { index, axis, extent } => {
                write!(f, "index {index} of axis {axis}, whose extent is {extent},")
            }
            OutOfRange::Count { count, limit } => write!(f, "{count} iterations, of at most {limit},"),
            OutOfRange::Division { dividend, divisor } => write!(f, "{dividend} divided by {divisor}"),
        }
    }
}

/// The instruction that failed.
pub(super) struct Failing {
    inst: Inst,
    numbers: OutOfRange,
    /// The loops and conditionals around it, the innermost first.
    within: Vec<Within>,
}

impl Failing {
    pub(super) fn inside(mut self, within: Within) -> Failing {
        self.within.push(within);
        self
    }
}

impl<'p> Search<'p> {
    /// Why a frame, that of the whole program, failed with this error.
    pub(super) fn explained(&mut self, frame: &Frame<'p>, error: ExplainError) -> ExplainError {
        let ExplainError::Call(CallError::Failure(failure)) = error else { return error };
        let Ok(Some(failing)) = self.failing(frame) else { return CallError::Failure(failure).into() };
        let Failing { inst, numbers, mut within } = failing;
        within.reverse();
        let instruction = text::instruction(self.program, inst).to_string();
        ExplainError::Failed(Box::new(FailureOrigin { failure, instruction, numbers, within }))
    }

    /// The instruction at which a frame has failed first.
    pub(super) fn failing(&mut self, frame: &Frame<'p>) -> Result<Option<Failing>, ExplainError> {
        for &inst in &self.program.region(frame.region).insts {
            let failing = self.failing_at(frame, inst)?;
            if failing.is_some() {
                return Ok(failing);
            }
        }
        Ok(None)
    }

    fn failing_at(&mut self, frame: &Frame<'p>, inst: Inst) -> Result<Option<Failing>, ExplainError> {
        let operands = self.program.operands(inst);
        let numbers = match self.program.op(inst) {
            Op::At => self.index_out_of_range(frame, operands[0], &operands[1..]),
            Op::AddAt => self.index_out_of_range(frame, operands[0], &operands[2..]),
            Op::Prim(prim) if prim.may_fail() => self.division(frame, operands),
            Op::Loop { body, spec, .. } => match self.program.loop_spec(spec).trips {
                Trips::Counted(limit) if !(0..=i64::from(limit)).contains(&frame.integer(operands[0])) => {
                    Some(OutOfRange::Count { count: frame.integer(operands[0]), limit })
                }
                Trips::Fixed(_) | Trips::Counted(_) | Trips::While(_) => {
                    return self.failing_iteration(frame, inst, body, spec);
                }
            },
            Op::Cond { yes, no, .. } => {
                let taken = frame.integer(operands[0]) != 0;
                return self.failing_branch(frame, inst, (taken, if taken { yes } else { no }));
            }
            // The others do not fail, or not by numbers that could be shown.
            _ => None,
        };
        Ok(numbers.map(|numbers| Failing { inst, numbers, within: Vec::new() }))
    }

    fn index_out_of_range(&self, frame: &Frame<'p>, array: Value, indices: &[Value]) -> Option<OutOfRange> {
        let extents = self.program.ty(array).shape.extents();
        let numbered = indices.iter().zip(extents).enumerate();
        let mut found = numbered.map(|(axis, (&v, &extent))| (frame.integer(v), axis, extent));
        let (index, axis, extent) =
            found.find(|&(index, _, extent)| !(0..i64::from(extent)).contains(&index))?;
        Some(OutOfRange::Index { index, axis, extent })
    }

    fn division(&self, frame: &Frame<'p>, operands: &[Value]) -> Option<OutOfRange> {
        let &[dividend, divisor] = operands else { return None };
        let integers = self.program.ty(dividend).elem == Elem::I64;
        let mut pairs = frame.slots(dividend).zip(frame.slots(divisor)).map(|(x, y)| (x as i64, y as i64));
        let (dividend, divisor) = pairs.find(|&(x, y)| integers && x.checked_div(y).is_none())?;
        Some(OutOfRange::Division { dividend, divisor })
    }

    fn failing_branch(
        &mut self,
        frame: &Frame<'p>,
        inst: Inst,
        (taken, region): (bool, Region),
    ) -> Result<Option<Failing>, ExplainError> {
        let mut branch = self.branch(frame, inst, region)?;
        if branch.run().is_ok() {
            return Ok(None);
        }
        let loc = self.program.loc(self.program.result(inst)).cloned();
        Ok(self.failing(&branch)?.map(|failing| failing.inside(Within::Branch { taken, loc })))
    }
}
