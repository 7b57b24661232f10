//! What a loop stacks for the loop that runs its iterations backwards.
//!
//! Note [Residuals]: reverse mode has the loop as it was stack every carry whole, and the reverse loop computes again what it
//! needs of its iteration (Note [Recomputation] in `structure.rs`). When the reverse loop is there, it is seen what that
//! is. Of a carry that is an array it may be little: an element at a computed index, a small view, a reduction. These are
//! then computed in the loop as it was, which holds the carry anyway, and stacked in the carry's place.
//!
//! Which values are stacked is chosen greedily, from the carry towards what is made of it. A value is stacked itself, or in
//! its place all that is read of it, each chosen likewise, if that is fewer bytes; at a tie the value itself. What may be read of
//! it is computed from it, from the iteration number, from what both loops have rows of, and from what was there before the
//! first. Whatever else uses a value needs the value, as does what cannot move. So memory never grows, and no bit changes: an
//! operation moves, and its operands are the same.
//!
//! It is done before a derivative is differentiated again, whose loops then carry and stack less too, but in `Strict` only
//! at last: the cotangents of what is read of a carry are summed in another order than those of the carry.
//!
//! Scalars stay: nothing is smaller. A stack that is used by anything but such loops stays too, and so does one in the
//! place of which more than [`FEW`] would be.

use crate::derive::copy_params;
use crate::inline::inline_thinned;
use evolute_ir::{Builder, Inst, IrError, LoopSpec, Op, Program, Region, Shape, Trips, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The most values that are stacked in the place of one.
const FEW: usize = 16;

/// The program with loops that stack no more for others than these need.
///
/// # Errors
/// What is still stacked is more than an array may hold.
pub(crate) fn thinned(mut program: Program) -> Result<Program, IrError> {
    loop {
        let thinning = if program.regions().len() > 1 { thinning(&program) } else { Thinning::new() };
        if thinning.is_empty() {
            return within_limits(program);
        }
        let mut builder = Builder::new();
        builder.set_limit(program.limit());
        builder.allow_long_stacks();
        let params = copy_params(&mut builder, &program);
        let results = inline_thinned(&mut builder, &program, &params, thinning)?;
        program = builder.finish_live(&results)?;
    }
}

/// The program, if no stack in it is past the limit.
fn within_limits(program: Program) -> Result<Program, IrError> {
    for (inst, data) in program.insts().iter() {
        let Op::Loop { spec, .. } = data.op else { continue };
        if let Some(stack) = program.results(inst).find(|&v| program.ty(v).shape.is_past_limit()) {
            let iterations = program.loop_spec(spec).trips.cap();
            let elements = program.ty(stack).shape.len() / iterations as usize;
            let loc = program.results(inst).find_map(|v| program.loc(v).cloned());
            return Err(IrError::Stored { iterations, elements, limit: Shape::MAX_ELEMENTS, loc });
        }
    }
    Ok(program)
}

/// What changes about a loop.
#[derive(Clone, Default)]
pub(crate) struct Thinned {
    /// The stacks that it no longer gives, by their numbers.
    pub(crate) dropped: BTreeSet<usize>,
    /// What it stacks in their place: values of the bodies of other loops.
    pub(crate) stacked: Vec<Residual>,
    /// The rows that it no longer reads, by their numbers.
    pub(crate) unread: BTreeSet<usize>,
    /// The values of its body that are its rows in their place.
    pub(crate) rows: Vec<Value>,
    /// What its body computed of the rows that it no longer reads.
    pub(crate) moved: BTreeSet<Inst>,
}

/// A value that is computed in another loop than it was.
#[derive(Clone, Copy)]
pub(crate) struct Residual {
    /// The loop in whose body it was.
    pub(crate) reader: Inst,
    pub(crate) value: Value,
}

pub(crate) type Thinning = BTreeMap<Inst, Thinned>;

/// Loops of a program that change, each either in what it stacks or in what it reads.
fn thinning(program: &Program) -> Thinning {
    let mut thinning = Thinning::new();
    for region in program.regions().keys() {
        let looping = |&inst: &Inst| Loop::of(program, inst);
        let loops: Vec<Loop<'_>> = program.region(region).insts.iter().filter_map(looping).collect();
        if loops.iter().any(|looping| looping.arrays().next().is_some()) {
            let uses = Uses::of(program, region);
            for writer in &loops {
                thin(&mut thinning, program, &loops, writer, &uses);
            }
        }
    }
    thinning
}

/// A loop, by its parts.
#[derive(Clone, Copy)]
struct Loop<'a> {
    program: &'a Program,
    inst: Inst,
    body: Region,
    spec: LoopSpec,
}

impl<'a> Loop<'a> {
    fn of(program: &'a Program, inst: Inst) -> Option<Loop<'a>> {
        match program.op(inst) {
            Op::Loop { body, spec, .. } => Some(Loop { program, inst, body, spec: program.loop_spec(spec) }),
            _ => None,
        }
    }

    /// The stacks, each with its number.
    fn stacks(self) -> impl Iterator<Item = (usize, Value)> {
        let [carries, sums] = [self.spec.carries, self.spec.sums].map(|count| count as usize);
        let count = self.program.region(self.body).results.len() - carries - sums;
        self.program.results(self.inst).skip(self.spec.first_carry_result() + carries).take(count).enumerate()
    }

    /// The stacks of arrays of several elements.
    fn arrays(self) -> impl Iterator<Item = (usize, Value)> {
        let given = &self.program.region(self.body).results[self.spec.carries as usize..];
        self.stacks().filter(move |&(k, _)| self.program.ty(given[k]).shape.len() > 1)
    }

    fn bytes(self, value: Value) -> usize {
        let ty = self.program.ty(value);
        ty.shape.len() * ty.elem.size()
    }

    /// The arrays that it has rows of.
    fn rows(self) -> &'a [Value] {
        let first = self.spec.first_carry_operand() + self.spec.carries as usize;
        &self.program.operands(self.inst)[first..][..self.spec.rows as usize]
    }

    /// The body's parameters.
    fn params(self) -> &'a [Value] {
        &self.program.region(self.body).params
    }

    /// The parameter of a row.
    fn row_param(self, number: usize) -> Value {
        self.params()[1 + self.spec.carries as usize + number]
    }

    /// Whether another loop of the same region runs as many iterations.
    fn is_followed_by(self, other: Loop<'_>) -> bool {
        let [count, other_count] =
            [self, other].map(|looping| looping.program.operands(looping.inst).first().copied());
        match (self.spec.trips, other.spec.trips) {
            (Trips::Fixed(n), Trips::Fixed(m)) => n == m,
            (Trips::Counted(n), Trips::Counted(m)) => n == m && count == other_count,
            (Trips::While(n), Trips::Counted(m)) => {
                n == m && other_count == self.program.results(self.inst).next()
            }
            (_, Trips::While(_)) | (Trips::Fixed(_), _) | (_, Trips::Fixed(_)) => false,
        }
    }
}

/// Where the values of a region are used: by which instructions, at which of their operands.
struct Uses(BTreeMap<Value, Vec<(Inst, usize)>>, BTreeSet<Value>);

impl Uses {
    fn of(program: &Program, region: Region) -> Uses {
        let mut uses = BTreeMap::<Value, Vec<(Inst, usize)>>::new();
        for &inst in &program.region(region).insts {
            for (place, &operand) in program.operands(inst).iter().enumerate() {
                uses.entry(operand).or_default().push((inst, place));
            }
        }
        Uses(uses, program.region(region).results.iter().copied().collect())
    }

    fn of_value(&self, value: Value) -> &[(Inst, usize)] {
        self.0.get(&value).map_or(&[], Vec::as_slice)
    }

    /// Whether the region gives it.
    fn is_given(&self, value: Value) -> bool {
        self.1.contains(&value)
    }
}

/// Finds what `writer` need not stack whole.
fn thin(thinning: &mut Thinning, program: &Program, loops: &[Loop<'_>], writer: &Loop<'_>, uses: &Uses) {
    let readers: Vec<Loop<'_>> =
        loops.iter().copied().filter(|reader| writer.is_followed_by(*reader)).collect();
    let rows_of = |stack: Value| -> Option<Vec<(Loop<'_>, usize)>> {
        let row = |&(inst, place): &(Inst, usize)| {
            let reader = readers.iter().find(|reader| reader.inst == inst)?;
            let first = reader.spec.first_carry_operand() + reader.spec.carries as usize;
            let row = place.checked_sub(first).filter(|&row| row < reader.spec.rows as usize)?;
            // A loop changes in one way at a time.
            let is_free = thinning.get(&inst).is_none_or(|thinned| thinned.stacked.is_empty());
            is_free.then_some((*reader, row))
        };
        let used = uses.of_value(stack);
        (!uses.is_given(stack) && !used.is_empty()).then(|| used.iter().map(row).collect())?
    };
    if thinning.contains_key(&writer.inst) {
        return;
    }
    let candidates: Vec<Candidate<'_>> = writer
        .arrays()
        .filter_map(|(number, stack)| Some(Candidate { number, stack, rows: rows_of(stack)? }))
        .collect();
    if candidates.is_empty() {
        return;
    }
    let stacks: Vec<Value> = candidates.iter().map(|candidate| candidate.stack).collect();
    let mut reads: BTreeMap<Inst, Reads<'_>> = BTreeMap::new();
    for reader in candidates.iter().flat_map(|candidate| candidate.rows.iter().map(|row| row.0)) {
        reads.entry(reader.inst).or_insert_with(|| Reads::of(program, *writer, reader, &stacks));
    }
    let mut chosen = Thinned::default();
    let mut taken: BTreeMap<Inst, BTreeSet<Value>> = BTreeMap::new();
    let mut unread: BTreeMap<Inst, BTreeSet<usize>> = BTreeMap::new();
    for Candidate { number, rows, .. } in &candidates {
        let mut found = Vec::new();
        for (reader, row) in rows {
            let param = reader.row_param(*row);
            let reads = reads.get_mut(&reader.inst).expect("it is looked at");
            found.extend(reads.best(param).iter().map(|&value| (*reader, value)));
        }
        let bytes: usize = found.iter().map(|&(reader, value)| reader.bytes(value)).sum();
        let whole = rows[0].0.bytes(rows[0].0.row_param(rows[0].1));
        if bytes >= whole || found.len() > FEW {
            continue;
        }
        chosen.dropped.insert(*number);
        for (reader, row) in rows {
            unread.entry(reader.inst).or_default().insert(*row);
        }
        for (reader, value) in found {
            taken.entry(reader.inst).or_default().insert(value);
        }
    }
    for (reader, unread) in unread {
        let rows: Vec<Value> = taken.remove(&reader).unwrap_or_default().into_iter().collect();
        chosen.stacked.extend(rows.iter().map(|&value| Residual { reader, value }));
        let thinned = thinning.entry(reader).or_default();
        let reader = Loop::of(program, reader).expect("it is a loop");
        thinned.unread.extend(unread);
        thinned.rows.extend(rows);
        thinned.moved = moved(reader, thinned);
    }
    if !chosen.dropped.is_empty() {
        thinning.insert(writer.inst, chosen);
    }
}

/// A stack that all its users have rows of.
struct Candidate<'a> {
    number: usize,
    stack: Value,
    rows: Vec<(Loop<'a>, usize)>,
}

/// What a reader no longer computes: its rows in place of others, and what leads to them.
fn moved(reader: Loop<'_>, thinned: &Thinned) -> BTreeSet<Inst> {
    let mut missing: BTreeSet<Value> = thinned.unread.iter().map(|&row| reader.row_param(row)).collect();
    let mut moved = BTreeSet::new();
    for &inst in &reader.program.region(reader.body).insts {
        let given = reader.program.results(inst).any(|v| thinned.rows.contains(&v));
        if given || reader.program.operands(inst).iter().any(|v| missing.contains(v)) {
            moved.insert(inst);
            missing.extend(reader.program.results(inst).filter(|v| !thinned.rows.contains(v)));
        }
    }
    moved
}

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
struct Reads<'a> {
    reader: Loop<'a>,
    places: BTreeMap<Value, Place>,
    /// What is made of a value that is stacked, if nothing needs it whole.
    made: BTreeMap<Value, Option<Vec<Value>>>,
    best: BTreeMap<Value, Vec<Value>>,
}

impl<'a> Reads<'a> {
    fn of(program: &'a Program, writer: Loop<'_>, reader: Loop<'a>, stacks: &[Value]) -> Reads<'a> {
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
    fn best(&mut self, value: Value) -> Vec<Value> {
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
