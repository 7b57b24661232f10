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

mod reads;

use crate::derive::copy_params;
use crate::inline::inline_thinned;
use evolute_ir::{Builder, Inst, IrError, LoopSpec, Op, Program, Region, Shape, Trips, Value};
use reads::Reads;
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
    if thinning.contains_key(&writer.inst) {
        return;
    }
    let candidates = candidates(thinning, loops, writer, uses);
    let stacks: Vec<Value> = candidates.iter().map(|candidate| candidate.stack).collect();
    let mut reads: BTreeMap<Inst, Reads<'_>> = BTreeMap::new();
    for reader in candidates.iter().flat_map(|candidate| candidate.rows.iter().map(|row| row.0)) {
        reads.entry(reader.inst).or_insert_with(|| Reads::of(program, *writer, reader, &stacks));
    }
    let mut chosen = Thinned::default();
    let mut changes: BTreeMap<Inst, Change> = BTreeMap::new();
    for candidate in &candidates {
        let Some(found) = candidate.replaced(&mut reads) else { continue };
        chosen.dropped.insert(candidate.number);
        for (reader, row) in &candidate.rows {
            changes.entry(reader.inst).or_default().unread.insert(*row);
        }
        for (reader, value) in found {
            changes.entry(reader.inst).or_default().taken.insert(value);
        }
    }
    for (reader, Change { unread, taken }) in changes {
        chosen.stacked.extend(taken.iter().map(|&value| Residual { reader, value }));
        let thinned = thinning.entry(reader).or_default();
        let reader = Loop::of(program, reader).expect("it is a loop");
        thinned.unread.extend(unread);
        thinned.rows.extend(taken);
        thinned.moved = moved(reader, thinned);
    }
    if !chosen.dropped.is_empty() {
        thinning.insert(writer.inst, chosen);
    }
}

/// What a reader no longer reads, and what it reads in its place.
#[derive(Default)]
struct Change {
    unread: BTreeSet<usize>,
    taken: BTreeSet<Value>,
}

/// The array stacks of which all users have rows, and may change: a loop changes in one way at a time.
fn candidates<'a>(
    thinning: &Thinning,
    loops: &[Loop<'a>],
    writer: &Loop<'a>,
    uses: &Uses,
) -> Vec<Candidate<'a>> {
    let is_free = |inst: Inst| thinning.get(&inst).is_none_or(|thinned| thinned.stacked.is_empty());
    let row = |&(inst, place): &(Inst, usize)| {
        let follows = |reader: &&Loop<'a>| reader.inst == inst && writer.is_followed_by(**reader);
        let reader = loops.iter().find(follows).filter(|_| is_free(inst))?;
        let first = reader.spec.first_carry_operand() + reader.spec.carries as usize;
        let row = place.checked_sub(first).filter(|&row| row < reader.spec.rows as usize)?;
        Some((*reader, row))
    };
    let candidate = |(number, stack): (usize, Value)| {
        let used = uses.of_value(stack);
        let is_read = !uses.is_given(stack) && !used.is_empty();
        let rows = is_read.then(|| used.iter().map(row).collect::<Option<Vec<_>>>())??;
        Some(Candidate { number, stack, rows })
    };
    writer.arrays().filter_map(candidate).collect()
}

/// A stack that all its users have rows of.
struct Candidate<'a> {
    number: usize,
    stack: Value,
    rows: Vec<(Loop<'a>, usize)>,
}

impl<'a> Candidate<'a> {
    /// What is stacked in its place, with the loops that read it, if that is less.
    fn replaced(&self, reads: &mut BTreeMap<Inst, Reads<'_>>) -> Option<Vec<(Loop<'a>, Value)>> {
        let mut found = Vec::new();
        for &(reader, row) in &self.rows {
            let reads = reads.get_mut(&reader.inst).expect("it is looked at");
            found.extend(reads.best(reader.row_param(row)).into_iter().map(|value| (reader, value)));
        }
        let (first, row) = self.rows[0];
        let bytes: usize = found.iter().map(|&(reader, value)| reader.bytes(value)).sum();
        (bytes < first.bytes(first.row_param(row)) && found.len() <= FEW).then_some(found)
    }
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
