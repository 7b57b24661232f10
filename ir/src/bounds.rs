//! What a program tells of its integers: bounds, from constants, iteration numbers, and what limits them.
//!
//! An index that is always in range needs no check. Found is what a few steps back through `min`, `max` and `rem` show;
//! a bound not found may still hold.

use crate::entity::{Inst, Region, Table, Value};
use crate::live::region_owners;
use crate::op::Op;
use crate::prim::Prim;
use crate::program::{Def, Program};
use crate::types::Literal;

/// How far back is looked.
const STEPS: u32 = 6;

/// The bounds of a program's integers.
pub struct Bounds<'p> {
    program: &'p Program,
    /// The instructions that regions belong to.
    owners: Table<Region, Option<Inst>>,
}

impl<'p> Bounds<'p> {
    /// Looks for the loops and conditionals of `program`.
    pub fn new(program: &'p Program) -> Bounds<'p> {
        Bounds { program, owners: region_owners(program) }
    }

    /// Whether an integer is always at least 0 and below `extent`.
    pub fn is_below(&self, index: Value, extent: u32) -> bool {
        match self.of(index, STEPS) {
            (Some(low), Some(high)) => low >= 0 && high < i64::from(extent),
            _ => false,
        }
    }

    /// The least and the largest that an integer may be, where known.
    fn of(&self, value: Value, steps: u32) -> (Option<i64>, Option<i64>) {
        let program = self.program;
        if let Some(Literal::I64(x)) = program.as_const(value) {
            return (Some(x), Some(x));
        }
        let data = program.value(value);
        let inst = match data.def {
            _ if steps == 0 => return (None, None),
            Def::Param(number) => return self.of_param(data.region, number as usize, steps - 1),
            Def::Result(inst) => inst,
        };
        let operand = |n: usize| self.of(program.operands(inst)[n], steps - 1);
        // Of what other operations give nothing is known, and nothing needs to be: a wildcard arm is right here.
        match program.op(inst) {
            Op::Prim(Prim::Min) => {
                let (a, b) = (operand(0), operand(1));
                (a.0.zip(b.0).map(|(a, b)| a.min(b)), either(a.1, b.1, i64::min))
            }
            Op::Prim(Prim::Max) => {
                let (a, b) = (operand(0), operand(1));
                (either(a.0, b.0, i64::max), a.1.zip(b.1).map(|(a, b)| a.max(b)))
            }
            Op::Prim(Prim::Rem) => match (operand(0), operand(1)) {
                ((Some(0..), _), (Some(1..), Some(high))) => (Some(0), Some(high - 1)),
                _ => (None, None),
            },
            _ => (None, None),
        }
    }
}

impl Bounds<'_> {
    /// The number of a loop's iteration is below its cap; what is captured is what it is outside.
    fn of_param(&self, region: Region, number: usize, steps: u32) -> (Option<i64>, Option<i64>) {
        let Some(inst) = self.owners[region] else { return (None, None) };
        let program = self.program;
        // Derivative operators are removed before anybody asks: a wildcard arm is right here.
        let (own, first_capture) = match program.op(inst) {
            Op::Loop { body, spec, .. } => {
                let spec = program.loop_spec(spec);
                if number == 0 && region == body {
                    return (Some(0), Some(i64::from(spec.trips.cap()) - 1));
                }
                let own = if region == body { spec.own_params() } else { 1 + spec.carries as usize };
                (own, spec.own_operands())
            }
            Op::Cond { sums, .. } => (sums as usize, 1 + sums as usize),
            _ => return (None, None),
        };
        match number.checked_sub(own) {
            Some(capture) => self.of(program.operands(inst)[first_capture + capture], steps),
            None => (None, None),
        }
    }
}

/// The stricter of two bounds, or the one that is known.
fn either(a: Option<i64>, b: Option<i64>, stricter: fn(i64, i64) -> i64) -> Option<i64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(stricter(a, b)),
        (a, b) => a.or(b),
    }
}
