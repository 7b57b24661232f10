//! Which loops make two iterations at once.
//!
//! A loop does if its iterations need nothing of each other but sums, and if all that differs between two of them has a
//! vector: `f64`s, comparisons, and integers that say where something is. What an iteration has to itself in memory then
//! has room for two. Of nested loops it is the outer one, unless an inner one goes through its arrays element by element.
//! How it is done is `lower_plan::wide`'s.
//!
//! Note [Shared sums]: what all iterations add to one memory must come there in the order of the iterations. Two of them
//! take each step together, so an element must be added to in one step only: there is one step that adds to the memory,
//! and of loops around it within the iteration each number is an index of what is added to.

use super::memory::{Home, Mem, Memory};
use super::wide_nest::{is_arithmetic, is_sound, node_elem, wide_nest};
use super::{Access, LaneKind, Loop, Nest, Node, Sink, Step, To};
use crate::wide::LANES;
use evolute_ir::{Elem, Entity, Table, Trips, Value};
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// How a loop makes several iterations at once.
#[derive(Clone, Debug)]
pub(crate) struct WideLoop {
    /// How many pairs of iterations are written out.
    pub(crate) copies: usize,
    /// The numbers of the memories that each iteration has to itself.
    pub(crate) private: Range<usize>,
}

/// What is written out several times has at most this weight, all in all.
const WRITTEN_OUT: usize = 240;

/// The most pairs that are written out.
const MOST_COPIES: usize = 4;

/// The fewest iterations, or elements, for which it pays.
pub(super) const FEWEST: u32 = 8;

/// Makes loops and nests wide.
pub(super) fn widen(
    steps: &mut [Step],
    mems: &mut Table<Mem, Memory>,
    elems: &Table<Value, Elem>,
    limit: usize,
) {
    for step in steps {
        match step {
            Step::Nest(nest) => nest.wide = wide_nest(nest, mems, elems),
            Step::Loop(looping) => {
                if is_wide(looping, mems, elems, limit) && !prefers_inner(looping, mems, elems, limit) {
                    looping.widen(mems);
                    continue;
                }
                if let Some((steps, _)) = &mut looping.condition {
                    widen(steps, mems, elems, limit);
                }
                widen(&mut looping.body, mems, elems, limit);
            }
            Step::Choice(choice) => {
                choice.branches.iter_mut().for_each(|steps| widen(steps, mems, elems, limit));
            }
            Step::Compute { .. }
            | Step::Constant { .. }
            | Step::Load { .. }
            | Step::Store { .. }
            | Step::Affine { .. }
            | Step::Check { .. }
            | Step::Part { .. }
            | Step::Kernel(_)
            | Step::Product(_)
            | Step::External { .. }
            | Step::Function(_)
            | Step::Library(_)
            | Step::Call(_) => {}
        }
    }
}

impl Loop {
    fn widen(&mut self, mems: &mut Table<Mem, Memory>) {
        let weight = self.body.iter().map(Step::weight).sum::<usize>().max(1);
        let copies = (WRITTEN_OUT / weight).clamp(1, MOST_COPIES);
        let copies = if copies == 3 { 2 } else { copies };
        for mem in self.private.clone().map(Mem::new) {
            mems[mem].copies = LANES;
        }
        self.wide = Some(WideLoop { copies, private: self.private.clone() });
    }

    /// How many of the arrays whose rows it takes have one element a row, less the others.
    fn contiguity(&self, mems: &Table<Mem, Memory>) -> i32 {
        let rated = |step: &Step| match step {
            Step::Part { mem, terms, .. } if mems[*mem].elem == Elem::F64 => {
                let along = terms.iter().find(|(value, _)| *value == self.number);
                along.map_or(0, |&(_, stride)| if stride == 1 { 1 } else { -1 })
            }
            _ => 0,
        };
        self.body.iter().map(rated).sum()
    }
}

/// Whether a loop within makes two iterations at once and goes through arrays element by element, more than by larger
/// steps.
fn prefers_inner(
    looping: &Loop,
    mems: &Table<Mem, Memory>,
    elems: &Table<Value, Elem>,
    limit: usize,
) -> bool {
    looping.body.iter().any(|step| match step {
        Step::Loop(inner) => {
            inner.contiguity(mems) > 0 && is_wide(inner, mems, elems, limit)
                || prefers_inner(inner, mems, elems, limit)
        }
        _ => false,
    })
}

/// Whether two iterations of a loop can be made at once, and are enough for it.
fn is_wide(looping: &Loop, mems: &Table<Mem, Memory>, elems: &Table<Value, Elem>, limit: usize) -> bool {
    let counts = match looping.spec.trips {
        Trips::Fixed(count) | Trips::Counted(count) => count >= FEWEST,
        Trips::While(_) => false,
    };
    let independent = looping.scalars.is_empty() && looping.pairs.is_empty() && !looping.spec.reverse;
    let real = looping.lanes.iter().all(|lanes| mems[lanes.all].elem == Elem::F64);
    let weight: usize = looping.body.iter().map(Step::weight).sum();
    let lanes = looping.lanes.iter().filter(|lanes| lanes.order.lanes > 1).map(|lanes| lanes.lane);
    let mut body = Body {
        mems,
        elems,
        private: looping.private.clone(),
        mems_apart: HashSet::new(),
        apart: HashSet::from([looping.number]),
        lanes: lanes.collect(),
        shared: HashSet::new(),
        numbers: Vec::new(),
        indices: HashMap::new(),
    };
    counts && independent && real && weight <= limit && body.steps(&looping.body)
}

/// What is known of the body of a loop.
struct Body<'a> {
    mems: &'a Table<Mem, Memory>,
    elems: &'a Table<Value, Elem>,
    private: Range<usize>,
    /// Memories and scalars that differ between iterations.
    mems_apart: HashSet<Mem>,
    apart: HashSet<Value>,
    /// The lanes of its sums: each iteration adds to another one.
    lanes: HashSet<Mem>,
    /// The memories added to by all iterations.
    shared: HashSet<Mem>,
    /// The numbers of the loops around within the iteration.
    numbers: Vec<Value>,
    /// By which scalars a memory is a part of another.
    indices: HashMap<Mem, Vec<Value>>,
}

impl Body<'_> {
    fn steps(&mut self, steps: &[Step]) -> bool {
        steps.iter().all(|step| self.step(step))
    }

    /// Whether a step can be taken for two iterations at once.
    fn step(&mut self, step: &Step) -> bool {
        match step {
            Step::Compute { value, operands, check, .. } => {
                self.found(*value, operands.iter().any(|v| self.apart.contains(v)));
                *check == 0 && operands.iter().chain([value]).all(|&v| self.elems[v] != Elem::F32)
            }
            Step::Constant { value, .. } => self.elems[*value] != Elem::F32,
            Step::Load { value, from } => {
                let apart = self.differs(from.mem);
                self.found(*value, apart);
                match self.mems[from.mem].elem {
                    Elem::F64 | Elem::I64 => true,
                    Elem::Bool => !apart,
                    Elem::F32 => false,
                }
            }
            Step::Store { to, .. } => self.takes(to.mem),
            Step::Affine { value, terms, .. } => {
                self.found(*value, terms.iter().any(|(v, _)| self.apart.contains(v)));
                true
            }
            Step::Check { .. } => true,
            Step::Part { mem, of, terms, .. } => {
                if self.differs(*of) || terms.iter().any(|(v, _)| self.apart.contains(v)) {
                    self.mems_apart.insert(*mem);
                }
                let len = self.mems[*mem].len as i64;
                let disjoint = terms.iter().filter(|&&(_, stride)| stride >= len);
                self.indices.insert(*mem, disjoint.map(|&(value, _)| value).collect());
                true
            }
            Step::Nest(nest) => self.nest(nest),
            Step::Loop(looping) => self.looping(looping),
            Step::Kernel(call) => {
                // The results of the second iteration lie between those of the first.
                let own = |access: &Access| self.is_private(access.mem);
                own(&call.from) && own(&call.to)
            }
            Step::Choice(_)
            | Step::Product(_)
            | Step::External { .. }
            | Step::Function(_)
            | Step::Library(_)
            | Step::Call(_) => false,
        }
    }

    fn found(&mut self, value: Value, apart: bool) {
        if apart {
            self.apart.insert(value);
        }
    }

    /// The memory, what it is a part of, and so on.
    fn chain(&self, mem: Mem) -> impl Iterator<Item = Mem> {
        std::iter::successors(Some(mem), |&mem| match self.mems[mem].home {
            Home::Within(of, _) | Home::Moving(of) => Some(of),
            Home::Input(_) | Home::Output(_) | Home::Workspace(_) | Home::Either => None,
        })
    }

    fn origin(&self, mem: Mem) -> Mem {
        self.chain(mem).last().unwrap_or(mem)
    }

    /// Whether each iteration has the memory to itself.
    fn is_private(&self, mem: Mem) -> bool {
        self.private.contains(&self.origin(mem).index())
    }

    /// Whether the memory is another one in each iteration.
    fn differs(&self, mem: Mem) -> bool {
        self.is_private(mem)
            || self.chain(mem).any(|mem| self.lanes.contains(&mem) || self.mems_apart.contains(&mem))
    }

    /// Whether the step at hand may add to a memory. See Note \[Shared sums\].
    fn adds_to(&mut self, mem: Mem) -> bool {
        if self.is_private(mem) || self.chain(mem).any(|mem| self.lanes.contains(&mem)) {
            return true;
        }
        let indices: Vec<Value> =
            self.chain(mem).filter_map(|mem| self.indices.get(&mem)).flatten().copied().collect();
        let once = self.numbers.iter().all(|number| indices.contains(number));
        let origin = self.origin(mem);
        once && self.shared.insert(origin)
    }

    /// Whether each iteration may store to the memory: it holds `f64`s, and those of no other.
    fn takes(&self, mem: Mem) -> bool {
        self.differs(mem) && self.mems[mem].elem == Elem::F64
    }

    fn nest(&mut self, nest: &Nest) -> bool {
        let mut apart: Vec<bool> = Vec::new();
        for node in &nest.nodes {
            let differs = match node {
                Node::Load(access) => self.differs(access.mem),
                Node::Element(elements, _) => elements.iter().any(|v| self.apart.contains(v)),
                Node::Scalar(value) => self.apart.contains(value),
                Node::Constant(_) | Node::Index(_) => false,
                Node::Compute { operands, .. } => operands.iter().any(|&i| apart[i as usize]),
            };
            let elem = node_elem(&nest.nodes, apart.len(), self.mems, self.elems);
            let computes = matches!(node, Node::Compute { .. });
            let allowed = match elem {
                Elem::F64 => true,
                Elem::Bool => computes || !differs,
                Elem::I64 => !differs,
                Elem::F32 => false,
            };
            if !allowed || !is_sound(node) {
                return false;
            }
            apart.push(differs);
        }
        let differs = apart.last().is_some_and(|&differs| differs);
        let elem = node_elem(&nest.nodes, nest.nodes.len() - 1, self.mems, self.elems);
        match &nest.to {
            To::Memory(access) => {
                let to = match nest.sink {
                    Sink::Add => {
                        self.adds_to(access.mem) && access.at.strides.iter().all(|&stride| stride != 0)
                    }
                    Sink::Store | Sink::Reduce(_) => self.differs(access.mem),
                };
                elem == Elem::F64 && to && is_arithmetic(nest.sink)
            }
            To::Scalar(value) => {
                self.found(*value, differs);
                !differs || (elem == Elem::F64 && is_arithmetic(nest.sink))
            }
            To::Elements(elements, _) => {
                elements.iter().for_each(|&value| self.found(value, differs));
                !differs || (elem == Elem::F64 && is_arithmetic(nest.sink))
            }
        }
    }

    /// A loop within, which both iterations run through together.
    fn looping(&mut self, looping: &Loop) -> bool {
        let real = |value: Value| self.elems[value] == Elem::F64;
        let together = looping.condition.is_none() && looping.count.is_none_or(|v| !self.apart.contains(&v));
        let scalars = looping.scalars.iter().all(|carried| real(carried.param));
        let pairs = looping.pairs.iter().all(|pair| {
            [pair.even, pair.odd].iter().all(|&mem| self.is_private(mem) && self.mems[mem].elem == Elem::F64)
        });
        let lanes = looping.lanes.iter().all(|lanes| {
            let own = match lanes.to {
                LaneKind::Scalar(_) => true,
                LaneKind::Array { to } => self.differs(to),
            };
            own && lanes.order.lanes > 1 && self.mems[lanes.all].elem == Elem::F64
        });
        let tails = looping.tails.iter().all(|&(mem, _)| self.takes(mem));
        if !(together && scalars && pairs && lanes && tails) {
            return false;
        }
        looping.scalars.iter().for_each(|carried| self.apart.extend([carried.param, carried.result]));
        for lanes in &looping.lanes {
            if let LaneKind::Scalar(result) = lanes.to {
                self.apart.insert(result);
            }
        }
        self.numbers.push(looping.number);
        let body = self.steps(&looping.body);
        self.numbers.pop();
        body
    }
}
