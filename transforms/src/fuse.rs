//! Loops over the same iterations that read the same arrays become one, so that each array is read once and what they
//! both compute is computed once: the value of a sum of terms, its gradient and its Hessian-vector product are one loop.
//!
//! Joined are loops that run in one direction, neither of which depends on the other, also not through loops joined before:
//! those without carries if they read an array in common, and those that carry the same values, of which the joined loop
//! then carries one copy. So the order of every sum stays, and a loop runs as often as it did. Such copies come from
//! reverse mode, which runs the inner loops of a loop again to stack their carries. Joined bodies have inner loops that may be
//! joined in their turn, so it is done until nothing changes.
//!
//! Loops that carry different values are not joined: each of their iterations waits for the one before, so there is little
//! to share but the loop's counting, and the values of both would have to be held at once.
//!
//! What is joined is bounded, and so is the work: loops are compared within windows of a region, a joined loop has at most so
//! many sums and instructions, and there are so many rounds.
//!
//! A call fails if what its results need fails; joining changes that as little as it changes a result. Which of several
//! failures is met first depends on the order of instructions, and that is a joined loop's own.

mod carried;
#[cfg(test)]
mod tests;

use crate::derive::copy_params;
use crate::inline::inline_fused;
use carried::{Carried, Numbering};
use evolute_ir::{Builder, Inst, IrError, LoopSpec, Op, Program, Region, Table, Value};
use std::collections::BTreeMap;

/// The most loops among which some are joined in a round: a region's loops are compared in windows of so many.
const WINDOW: usize = 64;

/// The most sums and instructions of a joined loop. A longer one would not gain by what its parts share, but is cut in pieces
/// that hand their values on in memory.
const MAX_SIZE: usize = 2048;

/// The most rounds, each of which copies the program: one joins what is in a window, the next what it has put in one, and the
/// others the loops of joined bodies. What is nested deeper stays as it is.
const MAX_ROUNDS: usize = 16;

/// Joins the loops of an operator-free program.
pub(crate) fn fuse(mut fused: Program) -> Result<Program, IrError> {
    for _ in 0..MAX_ROUNDS {
        match round(&fused)? {
            Some(program) => fused = program,
            None => break,
        }
    }
    Ok(fused)
}

/// The program with the loops joined that are found in it, if there are any.
fn round(program: &Program) -> Result<Option<Program>, IrError> {
    let orders = orders(program);
    if orders.is_empty() {
        return Ok(None);
    }
    let mut builder = Builder::sharing_globally();
    builder.set_limit(program.limit());
    let params = copy_params(&mut builder, program);
    let results = inline_fused(&mut builder, program, &params, orders)?;
    builder.finish_live(&results).map(Some)
}

/// The instructions of regions in which loops are joined, each list in an order in which they can be computed: those of
/// one item together.
pub(crate) type Orders = BTreeMap<Region, Vec<Vec<Inst>>>;

fn orders(program: &Program) -> Orders {
    let (sizes, mut numbering) = (sizes(program), Numbering::new(program));
    let (mut tables, mut orders) = (None, Orders::new());
    for (region, data) in program.regions().iter() {
        if data.insts.iter().filter(|&&inst| loop_of(program, inst).is_some()).count() < 2 {
            continue;
        }
        let tables = tables.get_or_insert_with(|| Tables::new(program));
        let grouped = |window| {
            let loops = candidates(program, window, &sizes, &mut numbering);
            (window, groups(program, &loops, &tables.dependences(program, window, &loops)))
        };
        let windows: Vec<(&[Inst], Vec<Vec<Inst>>)> = windows(program, &data.insts).map(grouped).collect();
        if windows.iter().any(|(_, groups)| groups.iter().any(|group| group.len() > 1)) {
            let ordered = |(window, groups): &(&[Inst], Vec<_>)| tables.order(program, window, groups);
            orders.insert(region, windows.iter().flat_map(ordered).collect());
        }
    }
    orders
}

fn loop_of(program: &Program, inst: Inst) -> Option<LoopSpec> {
    match program.op(inst) {
        Op::Loop { spec, .. } => Some(program.loop_spec(spec)),
        _ => None,
    }
}

/// How many instructions each region has, those of nested ones included.
fn sizes(program: &Program) -> Table<Region, usize> {
    let mut sizes = Table::filled(program.regions().len(), 0);
    let regions: Vec<Region> = program.regions().keys().collect();
    // A region has a higher number than the one that it is nested in.
    for region in regions.into_iter().rev() {
        let insts = &program.region(region).insts;
        let nested = insts.iter().flat_map(|&inst| program.op(inst).regions()).map(|region| sizes[region]);
        sizes[region] = nested.sum::<usize>() + insts.len();
    }
    sizes
}

/// The instructions in pieces with at most [`WINDOW`] loops each.
fn windows<'a>(program: &'a Program, insts: &'a [Inst]) -> impl Iterator<Item = &'a [Inst]> {
    let mut loops = 0;
    insts.split_inclusive(move |&inst| {
        loops += usize::from(loop_of(program, inst).is_some());
        let full = loops == WINDOW;
        loops %= WINDOW;
        full
    })
}

/// A loop that may be joined with others of its window.
struct Candidate {
    inst: Inst,
    spec: LoopSpec,
    /// What it carries from one iteration to the next, if it does.
    carried: Option<Carried>,
    /// The arrays that it reads, in the order of their numbers.
    arrays: Vec<Value>,
    /// Its sums and instructions.
    size: usize,
}

fn candidates(
    program: &Program,
    window: &[Inst],
    sizes: &Table<Region, usize>,
    numbering: &mut Numbering<'_>,
) -> Vec<Candidate> {
    let looping = |&inst: &Inst| Some((inst, loop_of(program, inst)?));
    let loops: Vec<(Inst, LoopSpec)> = window.iter().filter_map(looping).collect();
    let carried = numbering.carried_by(&loops);
    let candidate = |((inst, spec), carried): ((Inst, LoopSpec), _)| {
        let arrays = program.operands(inst).iter().filter(|&&v| !program.ty(v).is_scalar());
        let mut arrays: Vec<Value> = arrays.copied().collect();
        arrays.sort_unstable();
        let size = program.op(inst).regions().map(|region| sizes[region]).sum::<usize>() + spec.sums as usize;
        Candidate { inst, spec, carried, arrays, size }
    };
    loops.into_iter().zip(carried).map(candidate).collect()
}

/// What is known of the values of a window, and of all others once it is done with.
struct Tables {
    /// The loops that each depends on, a bit a loop.
    masks: Table<Value, u64>,
    /// Whether it is still to be computed.
    missing: Table<Value, bool>,
}

impl Tables {
    fn new(program: &Program) -> Tables {
        let values = program.values().len();
        Tables { masks: Table::filled(values, 0), missing: Table::filled(values, false) }
    }

    /// On which loops of the window each of them depends, a bit a loop. No loop stands between those of a window, so what
    /// they depend on by way of others is seen in it.
    fn dependences(&mut self, program: &Program, window: &[Inst], loops: &[Candidate]) -> Vec<u64> {
        let mut dependences = Vec::new();
        for &inst in window {
            let mut mask = program.operands(inst).iter().fold(0, |mask, &operand| mask | self.masks[operand]);
            if loops.get(dependences.len()).is_some_and(|other| other.inst == inst) {
                dependences.push(mask);
                mask |= 1 << (dependences.len() - 1);
            }
            program.results(inst).for_each(|result| self.masks[result] = mask);
        }
        results(program, window).for_each(|result| self.masks[result] = 0);
        dependences
    }

    /// The instructions of a window in an order in which those of a group can stand together.
    fn order(&mut self, program: &Program, window: &[Inst], groups: &[Vec<Inst>]) -> Vec<Vec<Inst>> {
        let group_of: BTreeMap<Inst, &Vec<Inst>> =
            groups.iter().flat_map(|group| group.iter().map(move |&inst| (inst, group))).collect();
        let (mut rest, mut order) = (window.to_vec(), Vec::new());
        results(program, window).for_each(|result| self.missing[result] = true);
        while !rest.is_empty() {
            let before = rest.len();
            rest.retain(|&inst| {
                let item = group_of.get(&inst).map_or(std::slice::from_ref(&inst), |group| &group[..]);
                let done = program.results(inst).next().is_some_and(|result| !self.missing[result]);
                let mut operands = item.iter().flat_map(|&inst| program.operands(inst));
                let ready = !done && operands.all(|&v| !self.missing[v]);
                if ready {
                    results(program, item).for_each(|v| self.missing[v] = false);
                    order.push(item.to_vec());
                }
                !(ready || done)
            });
            assert!(rest.len() < before, "no loop depends on one that it is joined with:\n{program}");
        }
        order
    }
}

fn results(program: &Program, insts: &[Inst]) -> impl Iterator<Item = Value> {
    insts.iter().flat_map(|&inst| program.results(inst))
}

/// Loops that are joined, by their numbers.
struct Group {
    members: Vec<usize>,
    /// The members, as bits.
    own: u64,
    /// The loops on which they depend, as bits.
    of: u64,
    /// Their sums and instructions.
    size: usize,
}

/// Each loop with those before it that it is joined with.
fn groups(program: &Program, loops: &[Candidate], dependences: &[u64]) -> Vec<Vec<Inst>> {
    let mut groups: Vec<Group> = Vec::new();
    for (number, candidate) in loops.iter().enumerate() {
        let needs = all_needed(&groups, dependences[number]);
        let joins = |group: &&mut Group| {
            needs & group.own == 0
                && group.size + candidate.size <= MAX_SIZE
                && group.members.iter().any(|&other| alike(program, candidate, &loops[other]))
        };
        match groups.iter_mut().find(joins) {
            Some(group) => {
                group.members.push(number);
                group.own |= 1 << number;
                group.of |= needs;
                group.size += candidate.size;
            }
            None => {
                let size = candidate.size;
                groups.push(Group { members: vec![number], own: 1 << number, of: needs, size });
            }
        }
    }
    let insts = |group: Group| group.members.into_iter().map(|number| loops[number].inst).collect();
    groups.into_iter().map(insts).collect()
}

/// What a loop depends on if it depends on these: what depends on a loop depends on all that it is joined with.
fn all_needed(groups: &[Group], mut needs: u64) -> u64 {
    let misses = |needs: u64, group: &Group| needs & group.own != 0 && needs | group.own | group.of != needs;
    while let Some(group) = groups.iter().find(|group| misses(needs, group)) {
        needs |= group.own | group.of;
    }
    needs
}

/// Whether two loops have the same iterations in the same order, and carry the same values or, if they carry none, read an
/// array in common.
fn alike(program: &Program, one: &Candidate, other: &Candidate) -> bool {
    let (spec, others) = (one.spec, other.spec);
    let [operands, other_operands] = [one, other].map(|candidate| program.operands(candidate.inst));
    let counts = spec.first_carry_operand();
    let read = |v: &Value| other.arrays.binary_search(v).is_ok();
    // Without carries there is nothing that checkpoints would store.
    let checkpoint = if spec.carries == 0 { others.checkpoint } else { spec.checkpoint };
    LoopSpec { rows: others.rows, sums: others.sums, checkpoint, ..spec } == others
        && operands[..counts] == other_operands[..counts]
        && one.carried == other.carried
        && (one.carried.is_some() || one.arrays.iter().any(read))
}
