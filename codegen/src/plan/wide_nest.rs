//! Which nests compute two elements at once.

use super::memory::{Mem, Memory};
use super::wide::FEWEST;
use super::{Access, Nest, Node, Sink, To};
use crate::scalars::Operation;
use evolute_ir::{Elem, Reduction, Table, Value};

/// Which elements of a nest are computed two at once.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum WideNest {
    /// Those along the last axis that is not reduced: so many pairs are written out.
    Kept(usize),
    /// The terms along the only axis that is reduced.
    Reduced,
}

/// How two elements of a nest are computed at once, if they can be.
pub(super) fn wide_nest(
    nest: &Nest,
    mems: &Table<Mem, Memory>,
    elems: &Table<Value, Elem>,
) -> Option<WideNest> {
    let elem = |number| node_elem(&nest.nodes, number, mems, elems);
    let real = (0..nest.nodes.len()).all(|number| match (&nest.nodes[number], elem(number)) {
        (node, Elem::F64) => is_sound(node),
        (Node::Compute { .. }, Elem::Bool) => is_sound(&nest.nodes[number]),
        (_, Elem::F32 | Elem::I64 | Elem::Bool) => false,
    });
    let (To::Memory(_) | To::Scalar(_)) = nest.to else { return None };
    let all = elem(nest.nodes.len() - 1) == Elem::F64 && is_arithmetic(nest.sink) && !nest.is_written_out();
    if !real || !all {
        return None;
    }
    let kept = nest.extents.len() - nest.reduced;
    let by_kept = kept.checked_sub(1).filter(|&axis| {
        nest.extents[axis] >= FEWEST && matches!(&nest.to, To::Memory(to) if to.at.strides[axis] != 0)
    });
    let sums = matches!(nest.sink, Sink::Reduce(Reduction::Sum | Reduction::Prod));
    let by_reduced = (nest.reduced == 1 && sums && nest.extents[kept] >= 2 * FEWEST).then_some(kept);
    match (by_kept, by_reduced) {
        (Some(axis), Some(reduced)) if nest.contiguity(reduced) >= nest.contiguity(axis) => {
            Some(WideNest::Reduced)
        }
        (Some(_), _) => Some(WideNest::Kept(nest.copies())),
        (None, Some(_)) => Some(WideNest::Reduced),
        (None, None) => None,
    }
}

impl Nest {
    /// How many of its arrays lie element by element along an axis, less those that lie otherwise.
    fn contiguity(&self, axis: usize) -> i32 {
        let rated = |node: &Node| match node {
            Node::Load(Access { at, .. }) => match at.strides[axis] {
                0 => 0,
                1 => 1,
                _ => -1,
            },
            Node::Element(..)
            | Node::Scalar(_)
            | Node::Constant(_)
            | Node::Index(_)
            | Node::Compute { .. } => 0,
        };
        self.nodes.iter().map(rated).sum()
    }

    /// How many pairs of its elements are written out.
    fn copies(&self) -> usize {
        match (self.reduced, self.nodes.len()) {
            (0, ..=12) => 4,
            (0, ..=24) => 2,
            _ => 1,
        }
    }
}

/// Whether a node makes no check and no `f32`.
pub(super) fn is_sound(node: &Node) -> bool {
    match node {
        Node::Compute { operation, elem, check, .. } => {
            *check == 0 && *elem != Elem::F32 && *operation != Operation::Cast(Elem::F32)
        }
        Node::Load(_) | Node::Element(..) | Node::Scalar(_) | Node::Constant(_) | Node::Index(_) => true,
    }
}

/// Whether the elements are stored or combined by arithmetic.
pub(super) fn is_arithmetic(sink: Sink) -> bool {
    match sink {
        Sink::Store | Sink::Add => true,
        Sink::Reduce(reduction) => match reduction {
            Reduction::Sum | Reduction::Prod | Reduction::Max | Reduction::Min => true,
            Reduction::ArgMax | Reduction::ArgMin => false,
        },
    }
}

/// The kind of the elements that a node gives.
pub(crate) fn node_elem(
    nodes: &[Node],
    number: usize,
    mems: &Table<Mem, Memory>,
    elems: &Table<Value, Elem>,
) -> Elem {
    match &nodes[number] {
        Node::Load(access) => mems[access.mem].elem,
        Node::Element(elements, _) => elems[elements[0]],
        &Node::Scalar(value) => elems[value],
        Node::Constant(literal) => literal.elem(),
        Node::Index(_) => Elem::I64,
        Node::Compute { operation, elem, operands, .. } => match operation {
            Operation::Prim(prim) => prim.result().fixed().unwrap_or(*elem),
            Operation::Cast(elem) => *elem,
            Operation::Select => node_elem(nodes, operands[1] as usize, mems, elems),
        },
    }
}
