//! The factorisation `P·A = L·U` with partial pivoting, solving by it, and the determinant.
//!
//! A factorisation is `[n + 1, n]`: the columns of L below the diagonal and U above, then the numbers of the rows in the
//! order in which they were taken. Of a matrix with a NaN or an infinity all of it is NaN. A singular matrix has a pivot
//! that is zero, or nearly so by rounding: with zero, solving gives infinities and NaNs, and the determinant is 0.

use super::matrices::{self, empty, fill, is_finite, zeros};
use faer::dyn_stack::{MemStack, StackReq};
use faer::linalg::lu::partial_pivoting::factor::{lu_in_place, lu_in_place_scratch};
use faer::linalg::triangular_solve::{
    solve_lower_triangular_in_place, solve_unit_lower_triangular_in_place,
    solve_unit_upper_triangular_in_place, solve_upper_triangular_in_place,
};
use faer::mat::AsMatMut;
use faer::prelude::{Reborrow, ReborrowMut};
use faer::{MatMut, Par};

pub(super) fn scratch(n: usize) -> StackReq {
    let order = StackReq::new::<usize>(n).array(2);
    let work = lu_in_place_scratch::<usize, f64>(n, n, Par::Seq, Default::default());
    StackReq::all_of(&[matrices::scratch(n, n), order, work])
}

pub(super) fn factorise(a: &[f64], result: &mut [f64], n: usize, stack: &mut MemStack) {
    if !is_finite(a) {
        return result.fill(f64::NAN);
    }
    let (mut lu, stack) = zeros(n, n, stack);
    let (mut order, stack) = stack.make_with(n, |_| 0usize);
    let (mut inverse, stack) = stack.make_with(n, |_| 0usize);
    let mut lu = lu.as_mat_mut();
    fill(lu.rb_mut(), a);
    lu_in_place(lu.rb_mut(), &mut order, &mut inverse, Par::Seq, stack, Default::default());
    let (columns, rows) = result.split_at_mut(n * n);
    for (j, column) in columns.chunks_exact_mut(n).enumerate() {
        column.iter_mut().zip(lu.rb().col(j).iter()).for_each(|(to, &x)| *to = x);
    }
    rows.iter_mut().zip(order.iter()).for_each(|(to, &row)| *to = row as f64);
}

// ── solving ─────────────────────────────────────────────────────────────────────────────────────

pub(super) fn solve_scratch(m: usize, n: usize) -> StackReq {
    matrices::scratch(m, m).and(matrices::scratch(m, n))
}

pub(super) fn solve(f: &[f64], b: &[f64], result: &mut [f64], [m, n]: [usize; 2], stack: &mut MemStack) {
    let (mut lu, stack) = zeros(m, m, stack);
    let (mut x, _) = zeros(m, n, stack);
    let (mut lu, mut x) = (lu.as_mat_mut(), x.as_mat_mut());
    unpack(lu.rb_mut(), f);
    for i in 0..m {
        for j in 0..n {
            x[(i, j)] = row(f, m, i).map_or(f64::NAN, |row| b[row * n + j]);
        }
    }
    solve_unit_lower_triangular_in_place(lu.rb(), x.rb_mut(), Par::Seq);
    solve_upper_triangular_in_place(lu.rb(), x.rb_mut(), Par::Seq);
    empty(x.rb(), result);
}

pub(super) fn solve_transposed(
    f: &[f64],
    b: &[f64],
    result: &mut [f64],
    [m, n]: [usize; 2],
    stack: &mut MemStack,
) {
    let (mut lu, stack) = zeros(m, m, stack);
    let (mut x, _) = zeros(m, n, stack);
    let (mut lu, mut x) = (lu.as_mat_mut(), x.as_mat_mut());
    unpack(lu.rb_mut(), f);
    fill(x.rb_mut(), b);
    solve_lower_triangular_in_place(lu.rb().transpose(), x.rb_mut(), Par::Seq);
    solve_unit_upper_triangular_in_place(lu.rb().transpose(), x.rb_mut(), Par::Seq);
    result.fill(f64::NAN);
    for i in 0..m {
        let Some(row) = row(f, m, i) else { continue };
        for j in 0..n {
            result[row * n + j] = x[(i, j)];
        }
    }
}

fn unpack(mut lu: MatMut<'_, f64>, f: &[f64]) {
    let n = lu.ncols();
    for (j, column) in f[..n * n].chunks_exact(n).enumerate() {
        lu.rb_mut().col_mut(j).iter_mut().zip(column).for_each(|(to, &x)| *to = x);
    }
}

/// The row of the matrix that became row `i`; none if `f` is no factorisation.
fn row(f: &[f64], n: usize, i: usize) -> Option<usize> {
    let row = f[n * n + i];
    (row >= 0.0 && row < n as f64).then_some(row as usize)
}

// ── determinants, of which a zero is positive ─────────────────────────────────────────────────────

/// The pivots up to the first zero: what comes after that is not defined, and does not matter.
fn pivots(f: &[f64], n: usize) -> impl Iterator<Item = f64> {
    let mut singular = false;
    let pivots = (0..n).map(move |j| f[j * n + j]);
    pivots.take_while(move |&pivot| !std::mem::replace(&mut singular, pivot == 0.0))
}

pub(super) fn det(f: &[f64], n: usize) -> f64 {
    order_sign(f, n) * pivots(f, n).product::<f64>() + 0.0
}

pub(super) fn log_det(f: &[f64], n: usize) -> f64 {
    pivots(f, n).map(|pivot| crate::ln(pivot.abs())).sum::<f64>() + 0.0
}

pub(super) fn det_sign(f: &[f64], n: usize) -> f64 {
    let sign = |pivot: f64| if pivot == 0.0 { 0.0 } else { pivot.signum() };
    order_sign(f, n) * pivots(f, n).map(sign).product::<f64>() + 0.0
}

/// −1 if the rows were taken in an odd order.
fn order_sign(f: &[f64], n: usize) -> f64 {
    let order = &f[n * n..];
    let inversions: usize =
        (0..n).map(|i| order[i + 1..].iter().filter(|&&later| later < order[i]).count()).sum();
    if inversions.is_multiple_of(2) { 1.0 } else { -1.0 }
}
