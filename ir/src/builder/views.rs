//! Views of views, and elements of views: read from where the elements come from. Products that are views.

use super::Builder;
use crate::entity::{StridesId, TypeId, Value};
use crate::op::Op;
use crate::prim::Prim;
use crate::structure::{Reduction, Strides};
use crate::types::{Shape, Type};

impl Builder {
    /// What a view is without a view below it, or without itself if it moves nothing.
    pub(super) fn fold_view(&mut self, ty: TypeId, strides: StridesId, operand: Value) -> Option<Value> {
        let (outer, shape) = (&self.program.strides[strides], &self.program.types[ty].shape);
        if self.program.values[operand].ty == ty && *outer == Strides::row_major(shape) {
            return Some(operand);
        }
        let (inner, below) = self.viewed(operand)?;
        let middle = &self.program.ty(operand).shape;
        let composed = compose(outer, shape, &self.program.strides[inner], middle)?;
        let strides = self.strides(&composed);
        self.insert(Op::View(ty, strides), &[below]).ok()
    }

    /// Element `index` of a view as an element of what it shows.
    pub(super) fn element_of_view(&mut self, view: Value, index: u32) -> Option<Value> {
        let (strides, below) = self.viewed(view)?;
        let index = digits(i64::from(index), &self.program.ty(view).shape);
        let index: Vec<u32> = index.into_iter().map(|i| i as u32).collect();
        let flat = self.program.strides[strides].flat(&index);
        if self.program.ty(below).is_scalar() {
            return Some(below);
        }
        self.insert(Op::Element(u32::try_from(flat).ok()?), &[below]).ok()
    }

    /// A `dot` whose elements are one product each, or that has one element each time, without the `dot`.
    pub(super) fn fold_dot(&mut self, a: Value, b: Value) -> Option<Value> {
        let (left, right) = (self.program.ty(a), self.program.ty(b));
        let &[batch, m, k] = left.shape.extents() else { return None };
        let (n, elem) = (right.shape.extents()[2], left.elem);
        let [batch, m, n, k] = [batch, m, n, k].map(|extent| extent as usize);
        // An axis that is not repeated has the stride that it has in a row-major array.
        let step = |extent: usize, by: usize| if extent == 1 { by as i64 } else { 0 };
        if k == 1 {
            let shape = [batch, m, n];
            let columns = self.arranged(a, &shape, &[m as i64, 1, step(n, 1)])?;
            let rows = self.arranged(b, &shape, &[n as i64, step(m, n), 1])?;
            return self.insert(Op::Prim(Prim::Mul), &[columns, rows]).ok();
        }
        if (m, n) != (1, 1) || k == 0 {
            return None;
        }
        let [row, column] = [a, b].map(|x| self.arranged(x, &[batch, k], &[k as i64, 1]));
        let products = self.insert(Op::Prim(Prim::Mul), &[row?, column?]).ok()?;
        let sums = self.intern(&Type::array(elem, &[batch])?);
        let sums = self.insert(Op::Reduce(Reduction::Sum, sums), &[products]).ok()?;
        self.arranged(sums, &[batch, 1, 1], &[1, 1, 1])
    }

    fn arranged(&mut self, x: Value, extents: &[usize], strides: &[i64]) -> Option<Value> {
        let ty = self.intern(&Type::array(self.program.ty(x).elem, extents)?);
        let strides = self.strides(&Strides { offset: 0, strides: strides.into() });
        self.insert(Op::View(ty, strides), &[x]).ok()
    }

    /// The strides and the operand of `value` if it is a view.
    fn viewed(&self, value: Value) -> Option<(StridesId, Value)> {
        let inst = self.program.def_inst(value)?;
        match self.program.op(inst) {
            Op::View(_, strides) => Some((strides, self.program.operands(inst)[0])),
            _ => None,
        }
    }
}

/// The index of the element of this flat index; the first axis takes what is too much.
fn digits(mut flat: i64, shape: &Shape) -> Vec<i64> {
    let mut digits = vec![0; shape.extents().len()];
    for (digit, &extent) in digits.iter_mut().zip(shape.extents()).skip(1).rev() {
        *digit = flat % i64::from(extent.max(1));
        flat /= i64::from(extent.max(1));
    }
    if let Some(first) = digits.first_mut() {
        *first = flat;
    }
    digits
}

/// `inner` after `outer`, an array of shape `middle` between them, if that is affine: if each step along an axis
/// of `shape` is the same step in the index of the array between, without a carry from one of its axes to the next.
fn compose(outer: &Strides, shape: &Shape, inner: &Strides, middle: &Shape) -> Option<Strides> {
    if shape.is_empty() {
        return None;
    }
    let start = digits(outer.offset, middle);
    let (mut low, mut high) = (start.clone(), start.clone());
    let mut strides = Vec::with_capacity(outer.strides.len());
    let through = |index: &[i64]| index.iter().zip(&inner.strides).map(|(i, s)| i * s).sum::<i64>();
    for (&stride, &extent) in outer.strides.iter().zip(shape.extents()) {
        let step: Vec<i64> = digits(stride.abs(), middle).into_iter().map(|d| d * stride.signum()).collect();
        for ((low, high), step) in low.iter_mut().zip(&mut high).zip(&step) {
            let reach = step * i64::from(extent - 1);
            *low += reach.min(0);
            *high += reach.max(0);
        }
        strides.push(through(&step));
    }
    let mut ends = low.iter().zip(&high).zip(middle.extents());
    let fits = ends.all(|((&low, &high), &extent)| low >= 0 && high < i64::from(extent));
    fits.then(|| Strides { offset: inner.offset + through(&start), strides: strides.into() })
}
