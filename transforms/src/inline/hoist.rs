//! What does not depend on a loop's iteration is computed before the loop.
//!
//! Found is what is fixed: computed from captured values alone, by what cannot fail, as the loop may not run. Of that
//! goes before the loop what costs something, and the moves of elements that it reads; moves alone stay where they are
//! used. Loops in the loop's body are gone through too, or taken as a whole if they are fixed; the branches of
//! conditionals are not, since they may not be taken.

use super::Copy;
use evolute_ir::{Builder, Inst, IrError, LoopSpec, Op, Program, Region, Table, Value, fallible_insts};

/// What is known of the instructions of a program, and of the loop at hand. A loop's marks are set before they are read.
pub(super) struct Hoisting {
    fails: Table<Inst, bool>,
    /// The values that do not depend on the iteration.
    fixed: Table<Value, bool>,
    /// Those that what goes before the loop reads.
    read: Table<Value, bool>,
    /// What goes before the loop, last first.
    steps: Vec<Step>,
}

enum Step {
    /// An instruction goes before the loop.
    Copy(Inst),
    /// In a loop in the body a captured value has this name.
    Name { param: Value, outer: Value },
}

impl Hoisting {
    pub(super) fn new(program: &Program) -> Hoisting {
        let values = program.values().len();
        let [fixed, read] = [false; 2].map(|mark| Table::filled(values, mark));
        Hoisting { fails: fallible_insts(program), fixed, read, steps: Vec::new() }
    }

    /// Marks what is fixed in a loop's body, of whose captured values those are fixed that `captured` says.
    fn find(
        &mut self,
        program: &Program,
        body: Region,
        spec: LoopSpec,
        captured: impl Iterator<Item = bool>,
    ) {
        let data = program.region(body);
        let (own, captures) = data.params.split_at(spec.own_params());
        own.iter().for_each(|&param| self.mark(param, false));
        captures.iter().zip(captured).for_each(|(&param, fixed)| self.mark(param, fixed));
        for &inst in &data.insts {
            let op = program.op(inst);
            let operands = program.operands(inst);
            let fixed = operands.iter().all(|&v| self.fixed[v]) && !self.fails[inst] && is_movable(op);
            program.results(inst).for_each(|result| self.mark(result, fixed));
            if let (false, Op::Loop { body, spec, .. }) = (fixed, op) {
                let spec = program.loop_spec(spec);
                let captured: Vec<bool> =
                    operands[spec.own_operands()..].iter().map(|&v| self.fixed[v]).collect();
                self.find(program, body, spec, captured.into_iter());
            }
        }
    }

    fn mark(&mut self, value: Value, fixed: bool) {
        self.fixed[value] = fixed;
        self.read[value] = false;
    }

    /// Chooses what goes before the loop, from the last instruction of a body to the first; `wanted` are those that are
    /// needed at all.
    fn choose(&mut self, program: &Program, body: Region, wanted: &impl Fn(Inst) -> bool) {
        for &inst in program.region(body).insts.iter().rev().filter(|&&inst| wanted(inst)) {
            let op = program.op(inst);
            let fixed = program.results(inst).next().is_some_and(|result| self.fixed[result]);
            if fixed && (is_costly(op) || program.results(inst).any(|result| self.read[result])) {
                program.operands(inst).iter().for_each(|&v| self.read[v] = true);
                self.steps.push(Step::Copy(inst));
            }
            if let (false, Op::Loop { body, spec, .. }) = (fixed, op) {
                self.choose(program, body, wanted);
                let spec = program.loop_spec(spec);
                let params = &program.region(body).params[spec.own_params()..];
                for (&param, &outer) in params.iter().zip(&program.operands(inst)[spec.own_operands()..]) {
                    self.read[outer] |= self.read[param];
                    self.steps.push(Step::Name { param, outer });
                }
            }
        }
    }
}

impl Copy<'_> {
    /// Copies what goes before a loop with this body, whose captured values are `captured`.
    pub(super) fn hoist(
        &mut self,
        builder: &mut Builder,
        body: Region,
        spec: LoopSpec,
        captured: &[Value],
    ) -> Result<(), IrError> {
        let from = self.from;
        let Some(mut hoisting) = self.hoisting.take() else { return Ok(()) };
        hoisting.find(from, body, spec, captured.iter().map(|_| true));
        let wanted = |inst: Inst| {
            let missing = from.results(inst).next().is_some_and(|v| self.values[v].is_none());
            missing && self.live.as_ref().is_none_or(|live| live[inst])
        };
        hoisting.choose(from, body, &wanted);
        let steps = std::mem::take(&mut hoisting.steps);
        // A loop that goes before this one hoists from its own body.
        self.hoisting = Some(hoisting);
        for (&param, &outer) in from.region(body).params[spec.own_params()..].iter().zip(captured) {
            self.values[param] = Some(outer);
        }
        let mut operands = Vec::new();
        for step in steps.into_iter().rev() {
            match step {
                Step::Copy(inst) => self.inst(builder, inst, &mut operands)?,
                Step::Name { param, outer } => self.values[param] = self.values[outer],
            }
        }
        Ok(())
    }
}

/// Whether an operation gives the same wherever it stands.
fn is_movable(op: Op) -> bool {
    match op {
        Op::External(_) | Op::Custom { .. } | Op::LinearSolve { .. } | Op::Jvp { .. } | Op::Vjp { .. } => {
            false
        }
        Op::Const(_)
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
        | Op::Linalg(_)
        | Op::Call(_)
        | Op::Loop { .. }
        | Op::Cond { .. } => true,
    }
}

/// Whether an operation is worth doing once instead of in each iteration.
fn is_costly(op: Op) -> bool {
    match op {
        Op::Const(_)
        | Op::Prim(_)
        | Op::Cast(_)
        | Op::Select
        | Op::Pack(_)
        | Op::Spread(..)
        | Op::Reduce(..)
        | Op::Dot
        | Op::AddAt
        | Op::Linalg(_)
        | Op::Call(_)
        | Op::Loop { .. }
        | Op::Cond { .. } => true,
        Op::Element(_)
        | Op::Iota(_)
        | Op::View(..)
        | Op::At
        | Op::External(_)
        | Op::Custom { .. }
        | Op::LinearSolve { .. }
        | Op::Jvp { .. }
        | Op::Vjp { .. } => false,
    }
}
