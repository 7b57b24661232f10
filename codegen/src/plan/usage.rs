//! Which values of a region are used, how often, and until when.
//!
//! Positions are those of the region's list of instructions; its results are read after the last. A value
//! that may become a view or an expression is read whenever its own users are: its operands live as long
//! as it does. So liveness is known before it is decided what becomes what, and is never too short.

use super::region::Planner;
use crate::scalars::Operation;
use evolute_ir::{Elem, Inst, Op, Program, Region, Trips, Value};

/// How a value is used within its region.
#[derive(Clone, Copy, Default)]
pub(super) struct Usage {
    /// How often, as an operand or a result.
    pub(super) uses: u32,
    /// After which position nothing reads what it names.
    pub(super) last: u32,
    /// Whether its users may compute it where they use it.
    pub(super) inlinable: bool,
    /// Which rows of it are read.
    pub(super) reach: Reach,
}

/// Which rows of an array are read.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Reach {
    #[default]
    None,
    /// Those below this integer, by loops of so many iterations.
    Below(Value),
    All,
}

impl Reach {
    fn extend(&mut self, other: Reach) {
        *self = match *self {
            Reach::None => other,
            found if found == other => found,
            Reach::Below(_) | Reach::All => Reach::All,
        };
    }
}

/// What a pointwise operation does to each element.
pub(super) fn pointwise(op: Op) -> Option<Operation> {
    match op {
        Op::Prim(prim) => Some(Operation::Prim(prim)),
        Op::Cast(elem) => Some(Operation::Cast(elem)),
        Op::Select => Some(Operation::Select),
        _ => None,
    }
}

/// Whether an operation on an element of this kind may fail.
pub(super) fn may_fail(operation: Operation, elem: Elem) -> bool {
    matches!(operation, Operation::Prim(prim) if prim.may_fail()) && elem == Elem::I64
}

impl Planner<'_> {
    /// Finds the usage of the values of `region`. Those that nothing needs keep no uses.
    pub(super) fn find_usage(&mut self, region: Region) {
        let program = self.program;
        let data = program.region(region);
        let end = data.insts.len() as u32;
        for &result in &data.results {
            let usage = &mut self.usage[result];
            usage.uses += 1;
            usage.last = end;
            usage.reach = Reach::All;
        }
        for (position, &inst) in data.insts.iter().enumerate().rev() {
            self.note_uses(inst, position as u32);
        }
    }

    fn note_uses(&mut self, inst: Inst, position: u32) {
        let program = self.program;
        let mut needed = self.fails[inst];
        let mut last = position;
        for result in program.results(inst) {
            let usage = &mut self.usage[result];
            needed |= usage.uses > 0;
            usage.last = usage.last.max(position);
            last = last.max(usage.last);
        }
        self.needed[inst] = needed;
        if !needed {
            return;
        }
        let op = program.op(inst);
        for (number, &operand) in program.operands(inst).iter().enumerate() {
            let first = self.usage[operand].uses == 0;
            let reads = match op {
                Op::View(..) | Op::At => last,
                Op::Linalg(linalg) if linalg.is_part() => last,
                Op::Prim(_) | Op::Cast(_) | Op::Select => last,
                Op::Const(_)
                | Op::Element(_)
                | Op::Pack(_)
                | Op::Iota(_)
                | Op::Spread(..)
                | Op::Reduce(..)
                | Op::Dot
                | Op::AddAt
                | Op::External(_)
                | Op::Call(_)
                | Op::Linalg(_)
                | Op::Loop { .. }
                | Op::Cond { .. }
                | Op::Custom { .. }
                | Op::LinearSolve { .. }
                | Op::Jvp { .. }
                | Op::Vjp { .. } => position,
            };
            let usage = &mut self.usage[operand];
            usage.uses += 1;
            usage.last = usage.last.max(reads);
            usage.inlinable = first && computes_operand(op, number);
            usage.reach.extend(reach(program, inst, number));
        }
    }
}

/// Which rows of an operand an instruction reads.
fn reach(program: &Program, inst: Inst, number: usize) -> Reach {
    let Op::Loop { spec, .. } = program.op(inst) else { return Reach::All };
    let spec = program.loop_spec(spec);
    let first = spec.first_carry_operand() + spec.carries as usize;
    let is_row = (first..first + spec.rows as usize).contains(&number);
    match spec.trips {
        Trips::Counted(_) if is_row => Reach::Below(program.operands(inst)[0]),
        Trips::Fixed(_) | Trips::Counted(_) | Trips::While(_) => Reach::All,
    }
}

/// Whether the operation takes each element of this operand once, so that it may compute it.
fn computes_operand(op: Op, number: usize) -> bool {
    match op {
        Op::Prim(_) | Op::Cast(_) | Op::Select | Op::Pack(_) | Op::Spread(..) | Op::Reduce(..) => true,
        Op::AddAt => number == 1,
        Op::Const(_)
        | Op::Element(_)
        | Op::Iota(_)
        | Op::View(..)
        | Op::Dot
        | Op::At
        | Op::External(_)
        | Op::Call(_)
        | Op::Linalg(_)
        | Op::Loop { .. }
        | Op::Cond { .. }
        | Op::Custom { .. }
        | Op::LinearSolve { .. }
        | Op::Jvp { .. }
        | Op::Vjp { .. } => false,
    }
}
