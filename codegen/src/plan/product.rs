//! Products of matrices: nests that sum the products of two numbers, where calling a kernel pays.
//!
//! Along each axis that is kept one of the numbers stays, so it is one of rows or of columns; or both move, and there are
//! several products. The kernel sums in the order that a program states, so nothing but time depends on what is found
//! here.

use super::region::Planner;
use super::{Access, Mem, Nest, Node, Sink, Step, To, access};
use crate::scalars::Operation;
use evolute_ir::{Elem, LANES, Prim, REDUCED, Reduction};
use evolute_kernels::Product;

const _: () = assert!(Product::LANES == LANES && Product::SEGMENT == REDUCED, "the order is the program's");

/// A product of matrices that a kernel computes.
#[derive(Debug)]
pub(crate) struct Multiplication {
    /// The same as a nest.
    pub(crate) nest: Nest,
    pub(crate) product: Product,
    pub(crate) scratch: Mem,
}

impl Planner<'_> {
    /// A simplified nest as a step.
    pub(super) fn nest_step(&mut self, nest: Nest) -> Step {
        match product(&nest).filter(Product::pays) {
            Some(product) => {
                let scratch = self.scratch(Elem::F64, product.scratch_len());
                Step::Product(Box::new(Multiplication { nest, product, scratch }))
            }
            None => Step::Nest(nest),
        }
    }
}

/// Which matrices an axis goes through: all, the rows of A and C, or the columns of B and C.
#[derive(Clone, Copy, PartialEq)]
enum Along {
    All,
    Rows,
    Columns,
}

/// The product that a nest is.
fn product(nest: &Nest) -> Option<Product> {
    let [Node::Load(a), Node::Load(b), Node::Compute { operation, elem: Elem::F64, operands, .. }] =
        &nest.nodes[..]
    else {
        return None;
    };
    let To::Memory(c) = &nest.to else { return None };
    let (kept, reduced) = nest.extents.split_at(nest.extents.len() - nest.reduced);
    let is_sum = nest.sink == Sink::Reduce(Reduction::Sum) && *operation == Operation::Prim(Prim::Mul);
    let in_one_stretch = access::is_row_major(&c.at.strides[..kept.len()], kept);
    let &[k] = reduced else { return None };
    let last = kept.len();
    let (a_step, b_step) = (step(a, last)?, step(b, last)?);
    let mut product =
        Product { extents: [1, 1, 1, k as usize], a: [0, 0, a_step], b: [0, b_step, 0], c: [0; 3] };
    let mut taken = [false; 3];
    for (axis, &extent) in kept.iter().enumerate() {
        let (a_step, b_step) = (step(a, axis)?, step(b, axis)?);
        let along = along(a_step, b_step)?;
        let place = along as usize;
        (product.extents[place], product.c[place]) = (extent as usize, step(c, axis)?);
        if along != Along::Columns {
            product.a[place] = a_step;
        }
        if along != Along::Rows {
            product.b[place] = b_step;
        }
        if std::mem::replace(&mut taken[place], true) {
            return None;
        }
    }
    (is_sum && in_one_stretch && operands[0] != operands[1]).then_some(product)
}

/// What an axis is along which there are such steps in A and in B.
fn along(a_step: usize, b_step: usize) -> Option<Along> {
    match (a_step, b_step) {
        (0, 0) => None,
        (_, 0) => Some(Along::Rows),
        (0, _) => Some(Along::Columns),
        (_, _) => Some(Along::All),
    }
}

/// The step along an axis, if it is not backwards.
fn step(access: &Access, axis: usize) -> Option<usize> {
    usize::try_from(access.at.strides[axis]).ok()
}
