//! Moving matrices into scratch memory and out of it.

use faer::dyn_stack::{MemStack, StackReq};
use faer::linalg::{temp_mat_scratch, temp_mat_zeroed};
use faer::mat::AsMatMut;
use faer::prelude::ReborrowMut;
use faer::{MatMut, MatRef};
use std::ops::Range;

/// What a matrix in scratch memory needs.
pub(super) fn scratch(m: usize, n: usize) -> StackReq {
    temp_mat_scratch::<f64>(m, n)
}

/// A matrix of zeros in scratch memory.
pub(super) fn zeros(
    m: usize,
    n: usize,
    stack: &mut MemStack,
) -> (impl AsMatMut<T = f64, Rows = usize, Cols = usize>, &mut MemStack) {
    temp_mat_zeroed(m, n, stack)
}

/// Whether all numbers are finite.
pub(super) fn is_finite(a: &[f64]) -> bool {
    // Without branches, so as vector code.
    a.iter().fold(true, |finite, x| finite & x.is_finite())
}

/// The rows that are moved at a time: as many numbers as a cache line holds.
const BLOCK: usize = 8;

/// Calls `visit` with blocks of rows and each column: so both what lies in rows and what lies in columns is gone through
/// in whole cache lines.
fn for_each_block([m, n]: [usize; 2], mut visit: impl FnMut(Range<usize>, usize)) {
    for first in (0..m).step_by(BLOCK) {
        for j in 0..n {
            visit(first..m.min(first + BLOCK), j);
        }
    }
}

/// The matrix of these rows.
pub(super) fn fill(mut to: MatMut<'_, f64>, rows: &[f64]) {
    let n = to.ncols();
    for_each_block([to.nrows(), n], |block, j| {
        let column = to.rb_mut().col_mut(j).subrows_mut(block.start, block.len());
        column.iter_mut().zip(block).for_each(|(x, i)| *x = rows[i * n + j]);
    });
}

/// The rows of a matrix.
pub(super) fn empty(from: MatRef<'_, f64>, rows: &mut [f64]) {
    let n = from.ncols();
    for_each_block([from.nrows(), n], |block, j| {
        let column = from.col(j).subrows(block.start, block.len());
        column.iter().zip(block).for_each(|(&x, i)| rows[i * n + j] = x);
    });
}

/// The rows of a lower triangle, with zeros above.
pub(super) fn empty_lower(from: MatRef<'_, f64>, rows: &mut [f64]) {
    let n = from.ncols();
    rows.fill(0.0);
    for_each_block([n, n], |block, j| {
        let block = block.start.max(j)..block.end;
        if !block.is_empty() {
            let column = from.col(j).subrows(block.start, block.len());
            column.iter().zip(block).for_each(|(&x, i)| rows[i * n + j] = x);
        }
    });
}

/// The lower triangle of the symmetric part of `a`, each element times `scale`.
pub(super) fn fill_symmetric(mut to: MatMut<'_, f64>, a: &[f64], scale: f64) {
    let n = to.ncols();
    for_each_block([n, n], |block, j| {
        let block = block.start.max(j)..block.end;
        if !block.is_empty() {
            let column = to.rb_mut().col_mut(j).subrows_mut(block.start, block.len());
            let element = |i: usize| mean(a[i * n + j] * scale, a[j * n + i] * scale);
            column.iter_mut().zip(block).for_each(|(x, i)| *x = element(i));
        }
    });
}

/// Exact where both are equal.
fn mean(x: f64, y: f64) -> f64 {
    if x == y { x } else { x * 0.5 + y * 0.5 }
}
