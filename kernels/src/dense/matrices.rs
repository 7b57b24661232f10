//! Moving matrices into scratch memory and out of it.

use faer::MatMut;
use faer::dyn_stack::{MemStack, StackReq};
use faer::linalg::{temp_mat_scratch, temp_mat_zeroed};
use faer::mat::AsMatMut;
use faer::prelude::ReborrowMut;

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
    // Zero times a NaN or an infinity is NaN.
    a.iter().map(|x| x * 0.0).sum::<f64>() == 0.0
}

/// The matrix of these rows.
pub(super) fn fill(mut to: MatMut<'_, f64>, rows: &[f64]) {
    let n = to.ncols();
    for j in 0..n {
        for (i, x) in to.rb_mut().col_mut(j).iter_mut().enumerate() {
            *x = rows[i * n + j];
        }
    }
}

/// The rows of a matrix.
pub(super) fn empty(from: faer::MatRef<'_, f64>, rows: &mut [f64]) {
    let n = from.ncols();
    for j in 0..n {
        for (i, &x) in from.col(j).iter().enumerate() {
            rows[i * n + j] = x;
        }
    }
}

/// The lower triangle of the symmetric part of `a`, each element times `scale`.
pub(super) fn fill_symmetric(mut to: MatMut<'_, f64>, a: &[f64], scale: f64) {
    let n = to.ncols();
    for j in 0..n {
        for (i, x) in to.rb_mut().col_mut(j).iter_mut().enumerate().skip(j) {
            *x = mean(a[i * n + j] * scale, a[j * n + i] * scale);
        }
    }
}

/// Exact where both are equal.
fn mean(x: f64, y: f64) -> f64 {
    if x == y { x } else { x * 0.5 + y * 0.5 }
}
