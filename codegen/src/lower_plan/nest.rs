//! Loop nests.
//!
//! Every strided thing of a nest (what it loads, what it stores to, what is affine in the index) is a place
//! that moves as the loops go; a loop's own part of the address is computed once an iteration of that
//! loop. Nests of a few elements are written out.

use super::Lowering;
use super::address::{Across, Place};
use crate::inline;
use crate::plan::{Nest, Node, Sink, To, UNROLLED, WideNest, count};
use crate::scalars::Operation;
use crate::wide::LANES;
use cranelift_codegen::ir;
use evolute_ir::{Elem, Prim, Strides};

/// The places of a nest at an index: of each node, and of what is stored.
#[derive(Clone)]
pub(super) struct Places {
    nodes: Vec<Place>,
    pub(super) to: Place,
}

/// The most elements and nodes that are written out.
const WRITTEN_OUT: usize = 32;

impl Lowering<'_, '_, '_> {
    pub(super) fn nest(&mut self, nest: &Nest) {
        let outer = nest.extents.len() - nest.reduced;
        if count(&nest.extents[..outer]) == 0 {
            return;
        }
        let nothing = Place::ZERO;
        let nodes = nest.nodes.iter().map(|node| match node {
            Node::Load(access) => self.access(access),
            Node::Element(_, at) | Node::Index(at) => nothing.plus(at.offset),
            Node::Scalar(_) | Node::Constant(_) | Node::Compute { .. } => nothing,
        });
        let nodes = nodes.collect();
        let to = match &nest.to {
            To::Memory(access) => self.access(access),
            To::Elements(_, at) => nothing.plus(at.offset),
            To::Scalar(_) => nothing,
        };
        self.outer_axes(nest, 0, &Places { nodes, to });
    }

    /// The loops from `axis` on, but for those along which elements are reduced.
    fn outer_axes(&mut self, nest: &Nest, axis: usize, places: &Places) {
        let outer = nest.extents.len() - nest.reduced;
        if axis == outer {
            return self.element(nest, places);
        }
        let extent = i64::from(nest.extents[axis]);
        let size = nest.len();
        let few = nest.reduced == 0 && size <= UNROLLED && size * nest.nodes.len() <= WRITTEN_OUT;
        if few || nest.is_written_out() {
            for number in 0..extent {
                let places = self.at_constant(nest, axis, places, number);
                self.outer_axes(nest, axis + 1, &places);
            }
            return;
        }
        match nest.wide {
            Some(WideNest::Kept(copies)) if axis + 1 == outer && self.wide.is_none() => {
                self.pairs_of_elements(nest, axis, places, copies);
            }
            Some(WideNest::Kept(_) | WideNest::Reduced) | None => {
                self.each_index(nest, axis, places, (0, extent), |lowering, places| {
                    lowering.outer_axes(nest, axis + 1, &places);
                });
            }
        }
    }

    /// Runs `body` on the places at so many indices of an axis, from the first on.
    fn each_index(
        &mut self,
        nest: &Nest,
        axis: usize,
        places: &Places,
        (first, count): (i64, i64),
        body: impl FnOnce(&mut Self, Places),
    ) {
        let places = self.at_constant(nest, axis, places, first);
        match count {
            0 => {}
            1 => body(self, places),
            _ => drop(self.repeat(count, &[], |lowering, index, _| {
                let places = lowering.at_index(nest, axis, &places, index, 1);
                body(lowering, places);
                Vec::new()
            })),
        }
    }

    /// The elements along the last axis that is not reduced, two at once.
    fn pairs_of_elements(&mut self, nest: &Nest, axis: usize, places: &Places, copies: usize) {
        let extent = i64::from(nest.extents[axis]);
        let mut done = 0;
        for copies in if copies > 1 { vec![copies as i64, 1] } else { vec![1] } {
            let step = copies * LANES as i64;
            let rounds = (extent - done) / step;
            let first = self.at_constant(nest, axis, places, done);
            let round = |lowering: &mut Self, places: &Places| {
                for copy in 0..copies {
                    let places = lowering.at_constant(nest, axis, places, copy * LANES as i64);
                    lowering.pair(nest, axis, &places);
                }
            };
            match rounds {
                0 => {}
                1 => round(self, &first),
                _ => drop(self.repeat(rounds, &[], |lowering, index, _| {
                    let places = lowering.at_index(nest, axis, &first, index, step);
                    round(lowering, &places);
                    Vec::new()
                })),
            }
            done += rounds * step;
        }
        self.each_index(nest, axis, places, (done, extent - done), |lowering, places| {
            lowering.element(nest, &places);
        });
    }

    /// The element at `places` and the next along an axis.
    fn pair(&mut self, nest: &Nest, axis: usize, places: &Places) {
        let places = self.of_pair(nest, axis, places);
        self.at_once(0..0, |lowering| lowering.element(nest, &places));
    }

    /// The places at an index of an axis and the next.
    pub(super) fn of_pair(&mut self, nest: &Nest, axis: usize, places: &Places) -> Places {
        self.at(nest, axis, places, |_, place, step| match step {
            0 => place,
            step => place.across(Across::Step(step)),
        })
    }

    /// One element of the result.
    fn element(&mut self, nest: &Nest, places: &Places) {
        let value = match nest.sink {
            Sink::Store => self.term(nest, places),
            Sink::Add => {
                let term = self.term(nest, places);
                return self.add_to(term, places.to);
            }
            Sink::Reduce(reduction) => self.reduce(nest, reduction, places),
        };
        match &nest.to {
            To::Memory(_) => self.store(value, places.to),
            &To::Scalar(scalar) => self.define(scalar, value),
            To::Elements(elements, _) => self.define(elements[places.to.offset as usize], value),
        }
    }

    pub(super) fn sum(&mut self, a: ir::Value, b: ir::Value) -> ir::Value {
        match self.elem(a) {
            Elem::Bool => inline::iadd(&mut self.emitter, a, b),
            elem => self.emitter.operation(Operation::Prim(Prim::Add), elem, 0, &[a, b]),
        }
    }

    /// The value of the nest's expression.
    pub(super) fn term(&mut self, nest: &Nest, places: &Places) -> ir::Value {
        let mut values: Vec<ir::Value> = Vec::with_capacity(nest.nodes.len());
        for (node, &place) in nest.nodes.iter().zip(&places.nodes) {
            let value = match node {
                Node::Load(access) => {
                    let loaded = self.load(self.plan.mems[access.mem].elem, place);
                    self.carried(loaded)
                }
                Node::Element(elements, _) => self.scalar(elements[place.offset as usize]),
                &Node::Scalar(value) => self.scalar(value),
                &Node::Constant(literal) => self.literal(literal),
                Node::Index(_) => self.address(place),
                Node::Compute { operation, elem, operands, check } => {
                    let operands: Vec<ir::Value> = operands.iter().map(|&i| values[i as usize]).collect();
                    self.emitter.operation(*operation, *elem, *check, &operands)
                }
            };
            values.push(value);
        }
        values[values.len() - 1]
    }

    /// The places at a constant index of an axis.
    pub(super) fn at_constant(&mut self, nest: &Nest, axis: usize, places: &Places, index: i64) -> Places {
        self.at(nest, axis, places, |_, place, step| place.plus(step * index))
    }

    /// The places at `index` times `scale` of an axis.
    pub(super) fn at_index(
        &mut self,
        nest: &Nest,
        axis: usize,
        places: &Places,
        index: ir::Value,
        scale: i64,
    ) -> Places {
        self.at(nest, axis, places, |lowering, place, step| lowering.stepped(place, index, step * scale))
    }

    fn at(
        &mut self,
        nest: &Nest,
        axis: usize,
        places: &Places,
        mut moved: impl FnMut(&mut Self, Place, i64) -> Place,
    ) -> Places {
        let stride = |at: &Strides| at.strides[axis];
        let mut nodes = places.nodes.clone();
        for (node, place) in nest.nodes.iter().zip(&mut nodes) {
            let step = match node {
                Node::Load(access) => stride(&access.at) * self.pitch(access.mem),
                Node::Element(_, at) | Node::Index(at) => stride(at),
                Node::Scalar(_) | Node::Constant(_) | Node::Compute { .. } => 0,
            };
            *place = moved(self, *place, step);
        }
        let to = match &nest.to {
            To::Memory(access) => {
                let step = stride(&access.at) * self.pitch(access.mem);
                moved(self, places.to, step)
            }
            To::Elements(_, at) => moved(self, places.to, stride(at)),
            To::Scalar(_) => places.to,
        };
        Places { nodes, to }
    }
}
