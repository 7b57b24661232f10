//! What one piece computes and another reads: kept in slots of the workspace.
//!
//! A scalar that is read outside the function that computes it is stored to its slot where it is
//! computed and loaded where it is read; so is the address of a memory that is known only when the
//! program runs. Slots are shared over time as the workspace's memories are (Note \[Lifetimes\]): what
//! is read within a loop, and computed before it, keeps its slot to the loop's end. The order of reading and
//! computing here is that of lowering.

use super::memory::{Home, Mem, Memory};
use super::{Access, FunctionCall, LaneKind, Loop, Nest, Node, Pair, Step, To};
use evolute_ir::{Literal, Table, Value};
use std::collections::{BTreeMap, HashMap};

/// What may cross from one function to another.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) enum Crossing {
    Scalar(Value),
    Address(Mem),
}

/// Of something computed: where and when, when it was last read, and whether that was elsewhere.
struct Life {
    function: usize,
    first: u32,
    last: u32,
    crosses: bool,
}

/// Gives everything that crosses a slot; returns these and how many slots there are.
pub(super) fn slots(
    steps: &[Step],
    pieces: &[Vec<Step>],
    mems: &Table<Mem, Memory>,
    constants: &Table<Value, Option<Literal>>,
) -> (HashMap<Crossing, u32>, usize) {
    let (lives, order, loops) = (HashMap::new(), Vec::new(), Vec::new());
    let mut walk = Walk { pieces, mems, constants, lives, order, loops, clock: 0 };
    walk.steps(steps, 0);
    let mut ending: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    let (mut free, mut count) = (Vec::new(), 0);
    let mut slots = HashMap::new();
    for key in &walk.order {
        let life = &walk.lives[key];
        if !life.crosses {
            continue;
        }
        while let Some(entry) = ending.first_entry().filter(|entry| *entry.key() < life.first) {
            free.extend(entry.remove());
        }
        let slot = free.pop().unwrap_or_else(|| {
            count += 1;
            count as u32 - 1
        });
        ending.entry(life.last).or_default().push(slot);
        slots.insert(*key, slot);
    }
    (slots, count)
}

struct Walk<'a> {
    pieces: &'a [Vec<Step>],
    mems: &'a Table<Mem, Memory>,
    constants: &'a Table<Value, Option<Literal>>,
    lives: HashMap<Crossing, Life>,
    /// In the order in which they are computed.
    order: Vec<Crossing>,
    /// When the loops around began, and what is read in each that was computed before.
    loops: Vec<(u32, Vec<Crossing>)>,
    clock: u32,
}

impl Walk<'_> {
    fn define(&mut self, key: Crossing, function: usize) {
        self.clock += 1;
        let life = Life { function, first: self.clock, last: self.clock, crosses: false };
        self.lives.insert(key, life);
        self.order.push(key);
    }

    fn read(&mut self, key: Crossing, function: usize) {
        self.clock += 1;
        let life = self.lives.get_mut(&key).unwrap_or_else(|| unreachable!("{key:?} is read too early"));
        life.last = self.clock;
        life.crosses |= life.function != function;
        let around = self.loops.iter_mut().find(|(start, _)| *start > life.first);
        if let Some((_, kept)) = around {
            kept.push(key);
        }
    }

    fn value(&mut self, value: Value, function: usize) {
        if self.constants[value].is_none() {
            self.read(Crossing::Scalar(value), function);
        }
    }

    fn mem(&mut self, mut mem: Mem, function: usize) {
        while let Home::Within(of, _) = self.mems[mem].home {
            mem = of;
        }
        if let Home::Moving(_) | Home::Either = self.mems[mem].home {
            self.read(Crossing::Address(mem), function);
        }
    }

    fn access(&mut self, access: &Access, function: usize) {
        self.mem(access.mem, function);
    }

    fn steps(&mut self, steps: &[Step], function: usize) {
        for step in steps {
            self.step(step, function);
        }
    }

    fn step(&mut self, step: &Step, f: usize) {
        match step {
            Step::Compute { value, operands, .. } => {
                operands.iter().for_each(|&v| self.value(v, f));
                self.define(Crossing::Scalar(*value), f);
            }
            Step::Constant { value, .. } => self.define(Crossing::Scalar(*value), f),
            Step::Load { value, from } => {
                self.access(from, f);
                self.define(Crossing::Scalar(*value), f);
            }
            Step::Store { value, to } => {
                self.value(*value, f);
                self.access(to, f);
            }
            Step::Affine { value, terms, .. } => {
                terms.iter().for_each(|&(v, _)| self.value(v, f));
                self.define(Crossing::Scalar(*value), f);
            }
            Step::Check { indices, .. } => indices.iter().for_each(|&(v, _)| self.value(v, f)),
            Step::Part { mem, of, terms, .. } => {
                terms.iter().for_each(|&(v, _)| self.value(v, f));
                self.mem(*of, f);
                self.define(Crossing::Address(*mem), f);
            }
            Step::Nest(nest) => self.nest(nest, f),
            Step::External { operands, to, .. } => {
                operands.iter().chain([to]).for_each(|access| self.access(access, f));
            }
            Step::Function(FunctionCall { operands, results, workspace, .. }) => {
                let all = operands.iter().chain(results).chain(workspace);
                all.for_each(|access| self.access(access, f));
            }
            Step::Kernel(call) => {
                [&call.from, &call.to].into_iter().for_each(|access| self.access(access, f))
            }
            Step::Product(multiplication) => {
                self.nest(&multiplication.nest, f);
                self.mem(multiplication.scratch, f);
            }
            Step::Library(library) => {
                library.operands.iter().for_each(|access| self.access(access, f));
                [library.to, library.scratch].into_iter().for_each(|mem| self.mem(mem, f));
            }
            Step::Call(piece) => {
                let pieces = self.pieces;
                self.steps(&pieces[*piece as usize], *piece as usize + 1);
            }
            Step::Loop(looping) => self.looping(looping, f),
            Step::Choice(choice) => {
                self.value(choice.condition, f);
                for (number, steps) in choice.branches.iter().enumerate() {
                    self.steps(steps, f);
                    choice.scalars.iter().for_each(|(_, given)| self.value(given[number], f));
                }
                choice.scalars.iter().for_each(|&(value, _)| self.define(Crossing::Scalar(value), f));
            }
        }
    }

    fn nest(&mut self, nest: &Nest, f: usize) {
        // An element is computed before what the next one needs is read.
        if let To::Elements(elements, _) = &nest.to {
            elements.iter().for_each(|&value| self.define(Crossing::Scalar(value), f));
        }
        for node in &nest.nodes {
            match node {
                Node::Load(access) => self.access(access, f),
                Node::Element(elements, _) => elements.iter().for_each(|&v| self.value(v, f)),
                &Node::Scalar(value) => self.value(value, f),
                Node::Constant(_) | Node::Index(_) | Node::Compute { .. } => {}
            }
        }
        match &nest.to {
            To::Memory(access) => self.access(access, f),
            &To::Scalar(value) => self.define(Crossing::Scalar(value), f),
            To::Elements(..) => {}
        }
    }

    fn looping(&mut self, looping: &Loop, f: usize) {
        looping.count.iter().for_each(|&v| self.value(v, f));
        let (double, single): (Vec<&Pair>, Vec<&Pair>) =
            looping.pairs.iter().partition(|pair| pair.even != pair.odd);
        for pair in single {
            self.mem(pair.even, f);
            self.define(Crossing::Address(pair.present), f);
        }
        looping.scalars.iter().for_each(|carried| self.value(carried.initial, f));
        double.iter().for_each(|pair| [pair.even, pair.odd].iter().for_each(|&mem| self.mem(mem, f)));
        self.sums(looping, f);
        self.clock += 1;
        self.loops.push((self.clock, Vec::new()));
        for pair in double {
            [pair.present, pair.next].iter().for_each(|&mem| self.define(Crossing::Address(mem), f));
        }
        self.define(Crossing::Scalar(looping.number), f);
        looping.scalars.iter().for_each(|carried| self.define(Crossing::Scalar(carried.param), f));
        if let Some((steps, holds)) = &looping.condition {
            self.steps(steps, f);
            self.value(*holds, f);
        }
        for lanes in &looping.lanes {
            self.mem(lanes.all, f);
            self.define(Crossing::Address(lanes.lane), f);
        }
        self.steps(&looping.body, f);
        looping.scalars.iter().for_each(|carried| self.value(carried.next, f));
        self.sums(looping, f);
        self.clock += 1;
        let (_, kept) = self.loops.pop().expect("pushed above");
        for key in kept {
            if let Some(life) = self.lives.get_mut(&key) {
                life.last = life.last.max(self.clock);
            }
        }
        self.results(looping, f);
    }

    /// The memories of sums, which are read where segments begin and end.
    fn sums(&mut self, looping: &Loop, f: usize) {
        for lanes in looping.lanes.iter().filter(|lanes| lanes.order.segment.is_some()) {
            self.mem(lanes.all, f);
            lanes.before.iter().for_each(|&mem| self.mem(mem, f));
            if let LaneKind::Array { to } = lanes.to {
                self.mem(to, f);
            }
        }
    }

    /// What a loop gives, in the order in which that is lowered.
    fn results(&mut self, looping: &Loop, f: usize) {
        looping.made.iter().for_each(|&value| self.define(Crossing::Scalar(value), f));
        looping.scalars.iter().for_each(|carried| self.define(Crossing::Scalar(carried.result), f));
        looping.pairs.iter().for_each(|pair| self.mem(pair.even, f));
        for lanes in &looping.lanes {
            self.mem(lanes.all, f);
            lanes.before.iter().for_each(|&mem| self.mem(mem, f));
            match lanes.to {
                LaneKind::Scalar(result) => self.define(Crossing::Scalar(result), f),
                LaneKind::Array { to } => self.mem(to, f),
            }
        }
        looping.tails.iter().for_each(|&(mem, _)| self.mem(mem, f));
    }
}
