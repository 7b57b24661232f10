//! The Cholesky factor of the symmetric part of a matrix.
//!
//! Where that is not positive definite, as far as rounding lets see, the lower triangle is NaN. Above the
//! diagonal there are zeros in every case.

use super::matrices::{self, empty_lower, fill_symmetric, is_finite, zeros};
use faer::dyn_stack::{MemStack, StackReq};
use faer::linalg::cholesky::llt::factor::{LltRegularization, cholesky_in_place, cholesky_in_place_scratch};
use faer::mat::AsMatMut;
use faer::prelude::{Reborrow, ReborrowMut};
use faer::{MatRef, Par};

pub(super) fn scratch(n: usize) -> StackReq {
    matrices::scratch(n, n).and(cholesky_in_place_scratch::<f64>(n, Par::Seq, Default::default()))
}

pub(super) fn factorise(a: &[f64], result: &mut [f64], n: usize, stack: &mut MemStack) {
    let (mut l, stack) = zeros(n, n, stack);
    let mut l = l.as_mat_mut();
    fill_symmetric(l.rb_mut(), a, 1.0);
    let regularization = LltRegularization::default();
    let done = is_finite(a)
        && cholesky_in_place(l.rb_mut(), regularization, Par::Seq, stack, Default::default()).is_ok()
        && is_factor(l.rb());
    if !done {
        (0..n).for_each(|j| l.rb_mut().col_mut(j).fill(f64::NAN));
    }
    empty_lower(l.rb(), result);
}

/// Whether the diagonal is positive: what overflowed is found here.
fn is_factor(l: MatRef<'_, f64>) -> bool {
    (0..l.ncols()).all(|i| l[(i, i)] > 0.0 && l[(i, i)].is_finite())
}
