//! Nests with kernels in blocks: the arguments of a kernel are computed for a block of elements, the kernel's block form
//! is called on them, and what follows reads its results.
//!
//! A block is as many elements as stay in the nearest cache: some along one axis, and all along those after it. The axes
//! before are loops. Of a sum a block is a segment (Note \[Summation\] of `evolute_ir`'s `summation`). What is neither
//! a kernel nor its argument is computed where it is needed, again if need be.

use super::memory::{Home, Mem};
use super::region::Planner;
use super::{Access, Carried, Loop, Nest, Node, Sink, Step, To, access};
use crate::calls::unary_kernel;
use crate::scalars::Operation;
use evolute_ir::{Elem, Literal, LoopSpec, Prim, REDUCED, Reduction, Strides, Trips, Value};
use evolute_kernels::Kernel;

/// The most elements of a block that is not a segment.
const BLOCK: usize = 512;

/// The fewest elements for which blocks pay.
const FEWEST: usize = 8;

/// A call of the block form of a kernel, on elements that lie one after the other.
#[derive(Debug)]
pub(crate) struct KernelCall {
    pub(crate) kernel: Kernel,
    pub(crate) from: Access,
    pub(crate) to: Access,
    pub(crate) len: usize,
}

/// A nest that is computed in blocks.
struct Blocks<'a> {
    nest: &'a Nest,
    /// The nodes that are kernels, and where their results lie within a block.
    kernels: Vec<(usize, Kernel, Mem)>,
    /// The arguments of the kernel at hand.
    arguments: Mem,
    /// The axis along which the nest is cut, and how many elements a block has along it.
    axis: usize,
    chunk: u32,
}

/// What a nest loads and where it stores at some index of its first axes.
#[derive(Clone)]
struct Accesses {
    /// Of each node that loads.
    nodes: Vec<Option<Access>>,
    to: Option<Access>,
}

impl Planner<'_> {
    pub(super) fn nest(&mut self, nest: Nest) {
        let nest = nest.simplified();
        match nest.kernels() {
            kernels if kernels.is_empty() => {
                let step = self.nest_step(nest);
                self.steps.push(step);
            }
            kernels => self.in_blocks(&nest, &kernels),
        }
    }

    fn in_blocks(&mut self, nest: &Nest, kernels: &[(usize, Kernel)]) {
        let (axis, chunk) = nest.cut();
        let len = chunk as usize * access::count(&nest.extents[axis + 1..]);
        let kernels =
            kernels.iter().map(|&(node, kernel)| (node, kernel, self.scratch(Elem::F64, len))).collect();
        let arguments = self.scratch(Elem::F64, len);
        let blocks = Blocks { nest, kernels, arguments, axis, chunk };
        let nodes = nest.nodes.iter().map(|node| match node {
            Node::Load(access) => Some(access.clone()),
            Node::Element(..)
            | Node::Scalar(_)
            | Node::Constant(_)
            | Node::Index(_)
            | Node::Compute { .. } => None,
        });
        let nodes = nodes.collect();
        let to = match &nest.to {
            To::Memory(to) => Some(to.clone()),
            To::Scalar(_) | To::Elements(..) => None,
        };
        self.axes(&blocks, 0, &Accesses { nodes, to });
    }

    /// The loops over the axes before that along which the nest is cut, from `axis` on.
    fn axes(&mut self, blocks: &Blocks<'_>, axis: usize, accesses: &Accesses) {
        if axis < blocks.axis {
            let extent = blocks.nest.extents[axis];
            let number = self.fresh(Elem::I64);
            return self.counted(number, extent, Vec::new(), |planner| {
                let accesses = planner.at_index(accesses, axis, number, 1);
                planner.axes(blocks, axis + 1, &accesses);
            });
        }
        match blocks.nest.sink {
            Sink::Reduce(reduction) => self.segments(blocks, reduction, accesses),
            Sink::Store | Sink::Add => self.chunks(blocks, accesses),
        }
    }

    fn chunks(&mut self, blocks: &Blocks<'_>, accesses: &Accesses) {
        let (axis, chunk) = (blocks.axis, blocks.chunk);
        let extent = blocks.nest.extents[axis];
        let (count, rest) = (extent / chunk, extent % chunk);
        match count {
            1 => self.block(blocks, accesses, chunk, None),
            _ => {
                let number = self.fresh(Elem::I64);
                self.counted(number, count, Vec::new(), |planner| {
                    let accesses = planner.at_index(accesses, axis, number, i64::from(chunk));
                    planner.block(blocks, &accesses, chunk, None);
                });
            }
        }
        if rest > 0 {
            let accesses = accesses.from(axis, i64::from(count) * i64::from(chunk));
            self.block(blocks, &accesses, rest, None);
        }
    }

    /// The sum over the last axis, one segment after the other.
    fn segments(&mut self, blocks: &Blocks<'_>, reduction: Reduction, accesses: &Accesses) {
        let (axis, chunk) = (blocks.axis, blocks.chunk);
        let extent = blocks.nest.extents[axis];
        let (count, rest) = (extent / chunk, extent % chunk);
        let value = match &blocks.nest.to {
            &To::Scalar(value) => value,
            To::Memory(_) | To::Elements(..) => self.fresh(Elem::F64),
        };
        if count == 1 && rest == 0 {
            self.block(blocks, accesses, chunk, Some(value));
        } else {
            let [initial, param, next] = [0; 3].map(|_| self.fresh(Elem::F64));
            let result = if rest == 0 { value } else { self.fresh(Elem::F64) };
            let literal = Literal::from(if reduction == Reduction::Sum { -0.0 } else { 1.0 });
            self.steps.push(Step::Constant { value: initial, literal });
            let (number, segment) = (self.fresh(Elem::I64), self.fresh(Elem::F64));
            self.counted(number, count, vec![Carried { initial, param, next, result }], |planner| {
                let accesses = planner.at_index(accesses, axis, number, i64::from(chunk));
                planner.block(blocks, &accesses, chunk, Some(segment));
                planner.combine(reduction, next, [param, segment]);
            });
            if rest > 0 {
                let (last, done) = (self.fresh(Elem::F64), i64::from(count) * i64::from(chunk));
                self.block(blocks, &accesses.from(axis, done), rest, Some(last));
                self.combine(reduction, value, [result, last]);
            }
        }
        if let Some(Access { mem, at }) = &accesses.to {
            self.steps.push(Step::Store { value, to: Access::scalar(*mem, at.offset) });
        }
    }

    fn combine(&mut self, reduction: Reduction, value: Value, operands: [Value; 2]) {
        let prim = if reduction == Reduction::Sum { Prim::Add } else { Prim::Mul };
        let (operation, operands) = (Operation::Prim(prim), operands.to_vec());
        self.steps.push(Step::Compute { value, operation, operands, check: 0 });
    }

    /// A loop over so many numbers.
    fn counted(&mut self, number: Value, trips: u32, scalars: Vec<Carried>, body: impl FnOnce(&mut Self)) {
        let (outer, first) = (std::mem::take(&mut self.steps), self.mems.len());
        body(self);
        let body = std::mem::replace(&mut self.steps, outer);
        self.steps.push(Step::Loop(Box::new(Loop {
            spec: LoopSpec::new(Trips::Fixed(trips)),
            count: None,
            check: 0,
            made: None,
            number,
            condition: None,
            scalars,
            pairs: Vec::new(),
            lanes: Vec::new(),
            body,
            tails: Vec::new(),
            private: first..self.mems.len(),
            wide: None,
        })));
    }

    /// What is accessed at a number of an axis, times `scale`.
    fn at_index(&mut self, accesses: &Accesses, axis: usize, number: Value, scale: i64) -> Accesses {
        let mut moved = |access: &Option<Access>| {
            let Access { mem: of, at } = access.as_ref()?;
            if at.strides[axis] == 0 {
                return access.clone();
            }
            let memory = &self.mems[*of];
            let (elem, len) = (memory.elem, memory.len);
            let mem = self.mem(Home::Moving(*of), elem, len);
            let terms = vec![(number, at.strides[axis] * scale)];
            self.steps.push(Step::Part { mem, of: *of, offset: at.offset, terms });
            Some(Access { mem, at: Strides { offset: 0, strides: at.strides.clone() } })
        };
        let nodes = accesses.nodes.iter().map(&mut moved).collect();
        Accesses { nodes, to: moved(&accesses.to) }
    }

    /// One block: so many elements along the axis of the cut, all along those after it. A sum becomes `value`.
    fn block(&mut self, blocks: &Blocks<'_>, accesses: &Accesses, count: u32, value: Option<Value>) {
        let mut extents = blocks.nest.extents[blocks.axis..].to_vec();
        extents[0] = count;
        let len = access::count(&extents);
        let part = Block { blocks, accesses, extents };
        let last = blocks.nest.nodes.len() - 1;
        let direct = part.direct();
        for &(node, kernel, result) in &blocks.kernels {
            let to = match &direct {
                Some(to) if node == last => to.clone(),
                Some(_) | None => Access::scalar(result, 0),
            };
            let from = match part.argument_in_memory(node) {
                // In place of its operand it would read what it writes.
                Some(from) if self.origin(from.mem) != self.origin(to.mem) => from,
                Some(_) | None => {
                    let nodes = part.nodes(part.argument(node));
                    let to = Access::whole(blocks.arguments, &part.extents);
                    self.steps.push(Step::Nest(Nest::store(&part.extents, nodes, to).simplified()));
                    Access::scalar(blocks.arguments, 0)
                }
            };
            self.steps.push(Step::Kernel(KernelCall { kernel, from, to, len }));
        }
        if direct.is_none() {
            let to = match value {
                Some(value) => To::Scalar(value),
                None => To::Memory(part.to().expect("what is no scalar lies in memory")),
            };
            let (nodes, sink, reduced) = (part.nodes(last), blocks.nest.sink, blocks.nest.reduced);
            let nest = Nest { extents: part.extents, reduced, nodes, sink, to, wide: None };
            self.steps.push(Step::Nest(nest.simplified()));
        }
    }
}

impl Accesses {
    /// At an index of an axis.
    fn from(&self, axis: usize, index: i64) -> Accesses {
        let moved = |access: &Option<Access>| {
            let Access { mem, at } = access.clone()?;
            Some(Access { mem, at: Strides { offset: at.offset + at.strides[axis] * index, ..at } })
        };
        Accesses { nodes: self.nodes.iter().map(moved).collect(), to: moved(&self.to) }
    }
}

/// A block of a nest.
struct Block<'a> {
    blocks: &'a Blocks<'a>,
    accesses: &'a Accesses,
    extents: Vec<u32>,
}

impl Block<'_> {
    fn within(&self, access: &Access) -> Access {
        let Access { mem, at } = access;
        Access {
            mem: *mem,
            at: Strides { offset: at.offset, strides: at.strides[self.blocks.axis..].into() },
        }
    }

    fn to(&self) -> Option<Access> {
        self.accesses.to.as_ref().map(|to| self.within(to))
    }

    fn is_contiguous(&self, access: &Access) -> bool {
        access::is_row_major(&access.at.strides, &self.extents)
    }

    /// Where the last kernel can leave its results at once, because they are those of the nest.
    fn direct(&self) -> Option<Access> {
        let nest = self.blocks.nest;
        let is_last = self.blocks.kernels.iter().any(|&(node, ..)| node + 1 == nest.nodes.len());
        (nest.sink == Sink::Store && is_last).then(|| self.to()).flatten().filter(|to| self.is_contiguous(to))
    }

    /// The node that a kernel is applied to.
    fn argument(&self, node: usize) -> usize {
        match &self.blocks.nest.nodes[node] {
            Node::Compute { operands, .. } => operands[0] as usize,
            Node::Load(_) | Node::Element(..) | Node::Scalar(_) | Node::Constant(_) | Node::Index(_) => node,
        }
    }

    /// Where the arguments of a kernel lie already.
    fn argument_in_memory(&self, node: usize) -> Option<Access> {
        let argument = self.argument(node);
        if let Some((.., result)) = self.blocks.kernels.iter().find(|&&(other, ..)| other == argument) {
            return Some(Access::scalar(*result, 0));
        }
        let access = self.within(self.accesses.nodes[argument].as_ref()?);
        self.is_contiguous(&access).then(|| Access::scalar(access.mem, access.at.offset))
    }

    /// The nodes that compute node `last` of the nest within the block.
    fn nodes(&self, last: usize) -> Vec<Node> {
        let mut nodes = Vec::new();
        self.node(last, &mut nodes);
        nodes
    }

    fn node(&self, number: usize, nodes: &mut Vec<Node>) -> u32 {
        let kernel = self.blocks.kernels.iter().find(|&&(node, ..)| node == number);
        let node = match (&self.blocks.nest.nodes[number], kernel) {
            (_, Some(&(.., result))) => Node::Load(Access::whole(result, &self.extents)),
            (Node::Load(_), None) => {
                let access = self.accesses.nodes[number].as_ref().expect("a load has an access");
                Node::Load(self.within(access))
            }
            (Node::Compute { operation, elem, operands, check }, None) => {
                let operands = operands.iter().map(|&i| self.node(i as usize, nodes)).collect();
                Node::Compute { operation: *operation, elem: *elem, operands, check: *check }
            }
            (node @ (Node::Scalar(_) | Node::Constant(_) | Node::Element(..) | Node::Index(_)), None) => {
                node.clone()
            }
        };
        let place = nodes.iter().position(|other| *other == node).unwrap_or_else(|| {
            nodes.push(node);
            nodes.len() - 1
        });
        place as u32
    }
}

impl Nest {
    /// The nodes that are kernels with a block form, if the nest is one for blocks.
    fn kernels(&self) -> Vec<(usize, Kernel)> {
        let shaped = match self.sink {
            Sink::Store | Sink::Add => true,
            Sink::Reduce(reduction) => {
                self.reduced == 1 && matches!(reduction, Reduction::Sum | Reduction::Prod)
            }
        };
        let plain = !self.nodes.iter().any(|node| matches!(node, Node::Index(_) | Node::Element(..)));
        let in_place = matches!(self.to, To::Memory(_) | To::Scalar(_));
        let along = self.extents.last().is_some_and(|&extent| extent as usize >= FEWEST || self.reduced == 0);
        if !shaped || !plain || !in_place || !along || self.len() < FEWEST {
            return Vec::new();
        }
        let kernel = |(number, node): (usize, &Node)| match node {
            Node::Compute { operation: Operation::Prim(prim), elem: Elem::F64, .. } => {
                unary_kernel(*prim).map(|kernel| (number, kernel))
            }
            _ => None,
        };
        self.nodes.iter().enumerate().filter_map(kernel).collect()
    }

    /// The axis along which the nest is cut into blocks, and how many elements a block has along it.
    fn cut(&self) -> (usize, u32) {
        let mut axis = self.extents.len() - 1;
        if self.reduced > 0 {
            return (axis, self.extents[axis].min(REDUCED as u32));
        }
        let mut inner = 1;
        while axis > 0 && inner * self.extents[axis] as usize <= BLOCK / 2 {
            inner *= self.extents[axis] as usize;
            axis -= 1;
        }
        (axis, self.extents[axis].min((BLOCK / inner).max(1) as u32))
    }
}
