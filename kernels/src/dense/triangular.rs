//! Solving with a triangle of a matrix. The other triangle is not read.
//!
//! A zero on the diagonal gives infinities and NaNs, as dividing by it does.

use super::matrices::{self, empty, fill, zeros};
use faer::dyn_stack::{MemStack, StackReq};
use faer::linalg::triangular_solve::{solve_lower_triangular_in_place, solve_upper_triangular_in_place};
use faer::mat::AsMatMut;
use faer::prelude::{Reborrow, ReborrowMut};
use faer::{MatMut, Par};

/// Which triangle of a matrix, and whether its transpose is solved with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Lower,
    Upper,
    LowerTransposed,
    UpperTransposed,
}

pub(super) fn scratch(m: usize, n: usize) -> StackReq {
    matrices::scratch(m, m).and(matrices::scratch(m, n))
}

pub(super) fn solve(
    side: Side,
    t: &[f64],
    b: &[f64],
    result: &mut [f64],
    [m, n]: [usize; 2],
    stack: &mut MemStack,
) {
    let (mut triangle, stack) = zeros(m, m, stack);
    let (mut x, _) = zeros(m, n, stack);
    let (mut triangle, mut x) = (triangle.as_mat_mut(), x.as_mat_mut());
    fill_triangle(triangle.rb_mut(), t, matches!(side, Side::Upper | Side::UpperTransposed));
    fill(x.rb_mut(), b);
    let (triangle, to) = (triangle.rb(), x.rb_mut());
    match side {
        Side::Lower => solve_lower_triangular_in_place(triangle, to, Par::Seq),
        Side::Upper => solve_upper_triangular_in_place(triangle, to, Par::Seq),
        Side::LowerTransposed => solve_upper_triangular_in_place(triangle.transpose(), to, Par::Seq),
        Side::UpperTransposed => solve_lower_triangular_in_place(triangle.transpose(), to, Par::Seq),
    }
    empty(x.rb(), result);
}

fn fill_triangle(mut to: MatMut<'_, f64>, t: &[f64], upper: bool) {
    let n = to.ncols();
    for j in 0..n {
        let rows = if upper { 0..j + 1 } else { j..n };
        for i in rows {
            to[(i, j)] = t[i * n + j];
        }
    }
}
