//! Loop nests: their expressions, and what they are simplified to.

use super::{Access, Mem, Nest, To, access};
use crate::scalars::Operation;
use evolute_ir::{Elem, Literal, Reduction, Strides, Value};
use std::rc::Rc;

/// One node of a nest's expression, evaluated for each index.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Node {
    Load(Access),
    /// The scalar at a place in this list.
    Element(Rc<[Value]>, Strides),
    /// The same scalar for every index.
    Scalar(Value),
    Constant(Literal),
    /// An integer affine in the index.
    Index(Strides),
    /// An operation on operands of this element kind.
    Compute {
        operation: Operation,
        elem: Elem,
        operands: Vec<u32>,
        check: u32,
    },
}

/// What becomes of the elements that a nest computes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Sink {
    Store,
    /// Added to what is there.
    Add,
    /// Combined, along the last axes; the result is stored.
    Reduce(Reduction),
}

/// The most elements for which a nest is written out instead of looped over.
pub(crate) const UNROLLED: usize = 4;

impl Nest {
    /// A nest that stores `nodes`.
    pub(super) fn store(extents: &[u32], nodes: Vec<Node>, to: Access) -> Nest {
        Nest {
            extents: extents.to_vec(),
            reduced: 0,
            nodes,
            sink: Sink::Store,
            to: To::Memory(to),
            wide: None,
        }
    }

    /// The number of elements computed.
    pub(crate) fn len(&self) -> usize {
        access::count(&self.extents)
    }

    pub(super) fn weight(&self) -> usize {
        let copies = match self.sink {
            _ if self.is_written_out() => self.len(),
            Sink::Reduce(Reduction::Sum | Reduction::Prod) if self.reduced == 1 => 16,
            _ => self.len().clamp(1, UNROLLED),
        };
        copies * (2 + self.nodes.len()) + 8 * self.extents.len()
    }

    /// The same nest with axes of one element left out, and axes joined that are one stretch everywhere.
    pub(super) fn simplified(mut self) -> Nest {
        for axis in (0..self.extents.len()).rev() {
            let outer = self.extents.len() - self.reduced;
            let last_outer = axis + 1 == outer && axis < outer;
            if self.extents[axis] == 1 {
                self.drop_axis(axis, axis >= outer);
            } else if !last_outer && axis + 1 < self.extents.len() && self.joins(axis) {
                self.extents[axis + 1] *= self.extents[axis];
                self.drop_axis(axis, axis >= outer);
            }
        }
        self
    }

    fn drop_axis(&mut self, axis: usize, reduced: bool) {
        self.extents.remove(axis);
        self.reduced -= usize::from(reduced);
        self.for_each_strides(|at| {
            let mut strides = at.strides.to_vec();
            strides.remove(axis);
            at.strides = strides.into();
        });
    }

    /// Whether a step along an axis is as many along the next as that is long.
    fn joins(&mut self, axis: usize) -> bool {
        let extent = i64::from(self.extents[axis + 1]);
        let mut joins = u32::try_from(i64::from(self.extents[axis]) * extent).is_ok();
        self.for_each_strides(|at| joins &= at.strides[axis] == at.strides[axis + 1] * extent);
        joins
    }

    fn for_each_strides(&mut self, mut visit: impl FnMut(&mut Strides)) {
        for node in &mut self.nodes {
            match node {
                Node::Load(Access { at, .. }) | Node::Element(_, at) | Node::Index(at) => visit(at),
                Node::Scalar(_) | Node::Constant(_) | Node::Compute { .. } => {}
            }
        }
        match &mut self.to {
            To::Memory(Access { at, .. }) | To::Elements(_, at) => visit(at),
            To::Scalar(_) => {}
        }
    }
}

impl Access {
    /// All of a memory, as an array of these extents.
    pub(super) fn whole(mem: Mem, extents: &[u32]) -> Access {
        Access { mem, at: Strides { offset: 0, strides: access::row_major(extents).into() } }
    }

    /// The element of a memory.
    pub(super) fn scalar(mem: Mem, offset: i64) -> Access {
        Access { mem, at: Strides { offset, strides: Box::default() } }
    }
}
