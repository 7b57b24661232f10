//! What a loop makes of the rows that another one stacks.

use super::{FEW, Loop};
use evolute_ir::{Inst, Op, Program, Value};
use std::collections::{BTreeMap, BTreeSet};

/// How a value of a reader's body can be had.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the reader only.
    Reader,
    /// In the writer too, whatever is stacked.
    Both,
    /// In the writer too, and in the reader by what is stacked.
    Stacked,
}

/// What a reader makes of the rows that a writer stacks.
pub(super) struct Reads<'a> {
    reader: Loop<'a>,
    places: BTreeMap<Value, Place>,
    /// What is made of a value that is stacked, if nothing needs it whole.
    made: BTreeMap<Value, Option<Vec<Value>>>,
    best: BTreeMap<Value, Vec<Value>>,
}

impl<'a> Reads<'a> {
    pub(super) fn of(
        program: &'a Program,
        writer: Loop<'_>,
        reader: Loop<'a>,
        stacks: &[Value],
    ) -> Reads<'a> {
        let mut reads = Reads {
            reader,
            places: params(writer, reader, stacks),
            made: BTreeMap::new(),
            best: BTreeMap::new(),
        };
        for &inst in &program.region(reader.body).insts {
            reads.inst(inst);
        }
        for &given in &program.region(reader.body).results {
            reads.needs(given);
        }
        reads
    }

    fn place(&self, value: Value) -> Place {
        self.places.get(&value).copied().unwrap_or(Place::Reader)
    }

    fn inst(&mut self, inst: Inst) {
        let program = self.reader.program;
        let operands = program.operands(inst);
        let has = |place: Place| operands.iter().any(|&v| self.place(v) == place);
        let movable = is_movable(program.op(inst)) && !has(Place::Reader);
        let place = match has(Place::Stacked) {
            true if movable => Place::Stacked,
            // A loop is not run twice.
            false if movable && !program.op(inst).is_structure() => Place::Both,
            true | false => Place::Reader,
        };
        for result in program.results(inst) {
            self.places.insert(result, place);
        }
        for &operand in operands {
            if self.place(operand) != Place::Stacked {
                continue;
            }
            match (place, self.made.entry(operand).or_insert_with(|| Some(Vec::new()))) {
                (Place::Stacked, Some(made)) => made.extend(program.results(inst)),
                (_, made) => *made = None,
            }
        }
    }

    /// A use that needs a value whole.
    fn needs(&mut self, value: Value) {
        if self.place(value) == Place::Stacked {
            self.made.insert(value, None);
        }
    }

    /// What is stacked for a value: itself, or what is made of it, if that is less.
    pub(super) fn best(&mut self, value: Value) -> Vec<Value> {
        if let Some(best) = self.best.get(&value) {
            return best.clone();
        }
        // Nothing is made of what is dead.
        let made = self.made.get(&value).cloned().unwrap_or_else(|| Some(Vec::new()));
        let best = made.and_then(|made| self.less(value, &made)).unwrap_or_else(|| vec![value]);
        self.best.insert(value, best.clone());
        best
    }

    /// What is stacked for all of `made`, if that is less than `value`.
    fn less(&mut self, value: Value, made: &[Value]) -> Option<Vec<Value>> {
        let (mut all, mut bytes) = (BTreeSet::new(), 0);
        for &made in made {
            for found in self.best(made) {
                bytes += if all.insert(found) { self.reader.bytes(found) } else { 0 };
            }
            if bytes >= self.reader.bytes(value) || all.len() > FEW {
                return None;
            }
        }
        Some(all.into_iter().collect())
    }
}

/// How the parameters of a reader's body can be had; those that are not named only there.
fn params(writer: Loop<'_>, reader: Loop<'_>, stacks: &[Value]) -> BTreeMap<Value, Place> {
    let program = reader.program;
    let own: Vec<Value> = writer.stacks().map(|(_, stack)| stack).collect();
    let mut places = BTreeMap::from([(reader.params()[0], Place::Both)]);
    for (number, array) in reader.rows().iter().enumerate() {
        let place = match array {
            array if stacks.contains(array) => Place::Stacked,
            array if own.contains(array) || writer.rows().contains(array) => Place::Both,
            _ => continue,
        };
        places.insert(reader.row_param(number), place);
    }
    let captured = &program.operands(reader.inst)[reader.spec.own_operands()..];
    let before = program.results(writer.inst).next();
    for (&param, &outer) in reader.params()[reader.spec.own_params()..].iter().zip(captured) {
        let is_param = program.def_inst(outer).is_none();
        if is_param || before.is_some_and(|first| outer < first) {
            places.insert(param, Place::Both);
        }
    }
    places
}

/// Whether an operation gives the same in another loop, and may be computed there.
fn is_movable(op: Op) -> bool {
    match op {
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
        | Op::Loop { .. }
        | Op::Cond { .. } => true,
        Op::External(_)
        | Op::Call(_)
        | Op::Custom { .. }
        | Op::LinearSolve { .. }
        | Op::Jvp { .. }
        | Op::Vjp { .. } => false,
    }
}
