//! What loops carry from one iteration to the next, so that it can be compared.
//!
//! Values are numbered so that equal numbers are equal values; what is found equal is equal by construction, and what is
//! written in two ways is not found.

use evolute_ir::{Inst, LoopSpec, Op, Program, Region, Table, Trips, Value};
use std::collections::HashMap;

/// Equal for two loops of a region, of the same trips and direction, that find the same carries in each iteration and stop
/// after the same one.
#[derive(PartialEq, Eq, Default)]
pub(super) struct Carried {
    starts: Vec<Value>,
    /// The numbers of the condition and of the next carries.
    next: Vec<usize>,
}

/// What tells a value from others.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    /// The iteration number of a loop, or one of its carries.
    Own(usize),
    /// A row of an array, of which each iteration has its own.
    Row(Value),
    /// A value of the region around a loop.
    Captured(Value),
    /// A parameter of a region so deep in the body.
    Param(usize, usize),
    /// An operation: how many operands, and their numbers.
    Op(Op, Vec<usize>),
    /// A loop likewise, and the numbers of what its regions give.
    Loop(LoopSpec, Vec<usize>),
    /// A conditional with so many sums likewise.
    Cond(u32, Vec<usize>),
    /// One of the results of what has this number.
    Result(usize, usize),
    /// Nothing but the value itself.
    Unlike(Value),
}

/// The numbers of the values that are carried, and of those that these are made of.
pub(super) struct Numbering<'a> {
    program: &'a Program,
    known: HashMap<Key, usize>,
    /// Made when there are loops to compare.
    numbers: Table<Value, usize>,
}

impl<'a> Numbering<'a> {
    pub(super) fn new(program: &'a Program) -> Self {
        Numbering { program, known: HashMap::new(), numbers: Table::new() }
    }

    /// What each of these loops of one region carries; without carries and condition nothing.
    pub(super) fn carried_by(&mut self, loops: &[(Inst, LoopSpec)]) -> Vec<Option<Carried>> {
        let carries = |spec: &LoopSpec| spec.carries > 0 || matches!(spec.trips, Trips::While(_));
        if loops.iter().filter(|(_, spec)| carries(spec)).count() < 2 {
            // There is nothing to compare with.
            return loops.iter().map(|(_, spec)| carries(spec).then(Carried::default)).collect();
        }
        if self.numbers.is_empty() {
            self.numbers = Table::filled(self.program.values().len(), 0);
        }
        loops.iter().map(|&(inst, spec)| carries(&spec).then(|| self.carried(inst, spec))).collect()
    }

    fn number(&mut self, key: Key) -> usize {
        let next = self.known.len();
        *self.known.entry(key).or_insert(next)
    }

    fn carried(&mut self, inst: Inst, spec: LoopSpec) -> Carried {
        let Op::Loop { body, condition, .. } = self.program.op(inst) else { unreachable!("it is a loop") };
        let carries = spec.carries as usize;
        let operands = self.program.operands(inst);
        let captured = &operands[spec.own_operands()..];
        let mut next = Vec::new();
        if let Some(condition) = condition {
            self.own_params(condition, carries, &[], captured);
            next.extend(self.region(condition, 0));
        }
        let rows = &operands[spec.first_carry_operand() + carries..][..spec.rows as usize];
        self.own_params(body, carries, rows, captured);
        next.extend(&self.region(body, 0)[..carries]);
        let starts = operands[spec.first_carry_operand()..][..carries].to_vec();
        Carried { starts, next }
    }

    /// Numbers the parameters of a loop's region but for the sums, on which nothing that is carried depends.
    fn own_params(&mut self, region: Region, carries: usize, rows: &[Value], captured: &[Value]) {
        let params = &self.program.region(region).params;
        let (first, last) = params.split_at(params.len() - captured.len());
        let own = (0..=carries).map(Key::Own).chain(rows.iter().map(|&v| Key::Row(v)));
        for (&param, key) in first.iter().zip(own) {
            self.numbers[param] = self.number(key);
        }
        for (&param, &outer) in last.iter().zip(captured) {
            self.numbers[param] = self.number(Key::Captured(outer));
        }
    }

    /// The numbers of what a region gives whose parameters have theirs.
    fn region(&mut self, region: Region, depth: usize) -> Vec<usize> {
        let program = self.program;
        for &inst in &program.region(region).insts {
            let number = self.inst(inst, depth);
            let results = program.results(inst).count();
            for (k, result) in program.results(inst).enumerate() {
                self.numbers[result] =
                    if results == 1 { number } else { self.number(Key::Result(number, k)) };
            }
        }
        program.region(region).results.iter().map(|&v| self.numbers[v]).collect()
    }

    fn inst(&mut self, inst: Inst, depth: usize) -> usize {
        let numbers = self.parts(inst, depth);
        let op = self.program.op(inst);
        let key = match op {
            Op::Loop { spec, .. } => Key::Loop(self.program.loop_spec(spec), numbers),
            Op::Cond { sums, .. } => Key::Cond(sums, numbers),
            Op::Custom { .. } | Op::LinearSolve { .. } | Op::Jvp { .. } | Op::Vjp { .. } => {
                Key::Unlike(self.program.result(inst))
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
            | Op::External(_)
            | Op::Call(_)
            | Op::Linalg(_) => Key::Op(op, numbers),
        };
        self.number(key)
    }

    /// The number of an instruction's operands, theirs, and those of what its regions give.
    fn parts(&mut self, inst: Inst, depth: usize) -> Vec<usize> {
        let program = self.program;
        let operands = program.operands(inst);
        let mut numbers = vec![operands.len()];
        numbers.extend(operands.iter().map(|&v| self.numbers[v]));
        for region in program.op(inst).regions() {
            for (k, &param) in program.region(region).params.iter().enumerate() {
                self.numbers[param] = self.number(Key::Param(depth, k));
            }
            numbers.extend(self.region(region, depth + 1));
        }
        numbers
    }
}
