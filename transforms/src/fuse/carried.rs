//! Whether two loops carry the same values: the same iterations, from the same start, with the same conditions and
//! carries each time.
//!
//! Values are numbered so that equal numbers are equal values; what is found equal is equal by construction, and what is
//! written in two ways is not found.

use evolute_ir::{Inst, LoopSpec, Op, Program, Region, Table, Value};
use std::collections::HashMap;

/// What tells a value from others.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    /// The iteration number of the two loops, or one of their carries.
    Own(usize),
    /// What both read of a value of the region around them.
    Read(Value),
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

struct Numbering<'a> {
    program: &'a Program,
    known: HashMap<Key, usize>,
    numbers: Table<Value, usize>,
}

/// Whether two loops of one region, of the same trips and direction, carry the same values.
pub(super) fn carry_the_same(program: &Program, loops: [(Inst, LoopSpec); 2]) -> bool {
    let starts = loops
        .map(|(inst, spec)| &program.operands(inst)[spec.first_carry_operand()..][..spec.carries as usize]);
    if starts[0] != starts[1] {
        return false;
    }
    let numbers = Table::filled(program.values().len(), 0);
    let mut numbering = Numbering { program, known: HashMap::new(), numbers };
    let [one, other] = loops.map(|(inst, spec)| numbering.carried(inst, spec));
    one == other
}

impl Numbering<'_> {
    fn number(&mut self, key: Key) -> usize {
        let next = self.known.len();
        *self.known.entry(key).or_insert(next)
    }

    /// The numbers of a loop's condition and of its next carries.
    fn carried(&mut self, inst: Inst, spec: LoopSpec) -> Vec<usize> {
        let Op::Loop { body, condition, .. } = self.program.op(inst) else { unreachable!("it is a loop") };
        let carries = spec.carries as usize;
        let operands = self.program.operands(inst);
        let captured = &operands[spec.own_operands()..];
        let mut numbers = Vec::new();
        if let Some(condition) = condition {
            self.own_params(condition, carries, captured);
            numbers.extend(self.region(condition, 0));
        }
        let rows = &operands[spec.first_carry_operand() + carries..][..spec.rows as usize];
        // A sum stands for itself: nothing that is carried depends on it.
        let sums = &self.program.region(body).params[1 + carries + rows.len()..spec.own_params()];
        let read = [rows, sums, captured].concat();
        self.own_params(body, carries, &read);
        numbers.extend(&self.region(body, 0)[..carries]);
        numbers
    }

    /// Numbers the parameters of the two loops' regions: the iteration number, the carries, and what is read.
    fn own_params(&mut self, region: Region, carries: usize, read: &[Value]) {
        let params = &self.program.region(region).params;
        let own = (0..=carries).map(Key::Own);
        for (&param, key) in params.iter().zip(own.chain(read.iter().map(|&v| Key::Read(v)))) {
            self.numbers[param] = self.number(key);
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
