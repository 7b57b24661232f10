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
//! A call fails if what its results need fails; joining changes that as little as it changes a result. Which of several
//! failures is met first depends on the order of instructions, and that is a joined loop's own.

mod carried;

use crate::derive::copy_params;
use crate::inline::inline_fused;
use carried::{Carried, Numbering};
use evolute_ir::{Builder, Inst, IrError, LoopSpec, Op, Program, Region, Table, Value};
use std::collections::BTreeMap;

/// The most loops of a region among which some are joined: those after them stay as they are.
const MAX_LOOPS: usize = 64;

/// Joins the loops of an operator-free program.
pub(crate) fn fuse(mut fused: Program) -> Result<Program, IrError> {
    loop {
        let orders = orders(&fused);
        if orders.is_empty() {
            return Ok(fused);
        }
        let mut builder = Builder::sharing_globally();
        builder.set_limit(fused.limit());
        let params = copy_params(&mut builder, &fused);
        let results = inline_fused(&mut builder, &fused, &params, orders)?;
        fused = builder.finish_live(&results)?;
    }
}

/// The instructions of regions in which loops are joined, each list in an order in which they can be computed: those of
/// one item together.
pub(crate) type Orders = BTreeMap<Region, Vec<Vec<Inst>>>;

fn orders(program: &Program) -> Orders {
    let (mut masks, mut numbering) = (None, Numbering::new(program));
    let mut orders = Orders::new();
    for region in program.regions().keys() {
        let loops = candidates(program, region, &mut numbering);
        if loops.len() > 1 {
            let masks = masks.get_or_insert_with(|| Table::filled(program.values().len(), 0));
            let groups = groups(program, &loops, &dependences(program, region, &loops, masks));
            if groups.iter().any(|group| group.len() > 1) {
                orders.insert(region, order(program, region, &groups));
            }
        }
    }
    orders
}

/// A loop that may be joined with others of its region.
struct Candidate {
    inst: Inst,
    spec: LoopSpec,
    /// What it carries from one iteration to the next, if it does.
    carried: Option<Carried>,
}

fn candidates(program: &Program, region: Region, numbering: &mut Numbering<'_>) -> Vec<Candidate> {
    let insts = &program.region(region).insts;
    let looping = |&inst: &Inst| match program.op(inst) {
        Op::Loop { spec, .. } => Some((inst, program.loop_spec(spec))),
        _ => None,
    };
    let loops: Vec<(Inst, LoopSpec)> = insts.iter().filter_map(looping).take(MAX_LOOPS).collect();
    let carried = numbering.carried_by(&loops);
    loops.into_iter().zip(carried).map(|((inst, spec), carried)| Candidate { inst, spec, carried }).collect()
}

/// On which of the loops each of them depends, a bit a loop.
fn dependences(
    program: &Program,
    region: Region,
    loops: &[Candidate],
    masks: &mut Table<Value, u64>,
) -> Vec<u64> {
    let mut dependences = Vec::new();
    for &inst in &program.region(region).insts {
        let mut mask = program.operands(inst).iter().fold(0, |mask, &operand| mask | masks[operand]);
        if loops.get(dependences.len()).is_some_and(|other| other.inst == inst) {
            dependences.push(mask);
            mask |= 1 << (dependences.len() - 1);
        }
        program.results(inst).for_each(|result| masks[result] = mask);
    }
    dependences
}

/// Loops that are joined, by their numbers.
struct Group {
    members: Vec<usize>,
    /// The members, as bits.
    own: u64,
    /// The loops on which they depend, as bits.
    of: u64,
}

/// Each loop with those before it that it is joined with.
fn groups(program: &Program, loops: &[Candidate], dependences: &[u64]) -> Vec<Vec<Inst>> {
    let mut groups: Vec<Group> = Vec::new();
    for (number, candidate) in loops.iter().enumerate() {
        let needs = all_needed(&groups, dependences[number]);
        let joins = |group: &&mut Group| {
            needs & group.own == 0
                && group.members.iter().any(|&other| alike(program, candidate, &loops[other]))
        };
        match groups.iter_mut().find(joins) {
            Some(group) => {
                group.members.push(number);
                group.own |= 1 << number;
                group.of |= needs;
            }
            None => groups.push(Group { members: vec![number], own: 1 << number, of: needs }),
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
    let read = |&v: &Value| !program.ty(v).is_scalar() && other_operands.contains(&v);
    // Without carries there is nothing that checkpoints would store.
    let checkpoint = if spec.carries == 0 { others.checkpoint } else { spec.checkpoint };
    LoopSpec { rows: others.rows, sums: others.sums, checkpoint, ..spec } == others
        && operands[..counts] == other_operands[..counts]
        && one.carried == other.carried
        && (one.carried.is_some() || operands.iter().any(read))
}

/// The instructions in an order in which those of a group can stand together.
fn order(program: &Program, region: Region, groups: &[Vec<Inst>]) -> Vec<Vec<Inst>> {
    let group_of: BTreeMap<Inst, &Vec<Inst>> =
        groups.iter().flat_map(|group| group.iter().map(move |&inst| (inst, group))).collect();
    let mut rest: Vec<Inst> = program.region(region).insts.clone();
    let mut missing = Table::filled(program.values().len(), false);
    rest.iter().flat_map(|&inst| program.results(inst)).for_each(|result| missing[result] = true);
    let mut order = Vec::new();
    while !rest.is_empty() {
        let before = rest.len();
        rest.retain(|&inst| {
            let item = group_of.get(&inst).map_or_else(|| vec![inst], |group| group.to_vec());
            let done = program.results(inst).next().is_some_and(|result| !missing[result]);
            let ready = item.iter().flat_map(|&inst| program.operands(inst)).all(|&v| !missing[v]);
            if ready && !done {
                item.iter().flat_map(|&inst| program.results(inst)).for_each(|v| missing[v] = false);
                order.push(item);
            }
            !(ready || done)
        });
        assert!(rest.len() < before, "no loop depends on one that it is joined with:\n{program}");
    }
    order
}
