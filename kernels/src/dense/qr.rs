//! The factorisation `A = Q·R` of a matrix that has no more columns than rows, by Householder's reflections.
//!
//! The diagonal of R is not negative, which makes the factorisation of a matrix of full rank unique, and a smooth
//! function of the matrix. All is NaN for a matrix with a NaN or an infinity.

use super::matrices::{self, empty, fill, is_finite, zeros};
use faer::dyn_stack::{MemStack, StackReq};
use faer::linalg::householder::{
    apply_block_householder_sequence_on_the_left_in_place_scratch as apply_scratch,
    apply_block_householder_sequence_on_the_left_in_place_with_conj as apply_reflections,
};
use faer::linalg::qr::no_pivoting::factor::{qr_in_place, qr_in_place_scratch, recommended_block_size};
use faer::mat::AsMatMut;
use faer::prelude::{Reborrow, ReborrowMut};
use faer::{Conj, MatRef, Par};

pub(super) fn scratch(m: usize, n: usize) -> StackReq {
    let block = recommended_block_size::<f64>(m, n);
    let work = qr_in_place_scratch::<f64>(m, n, block, Par::Seq, Default::default())
        .or(apply_scratch::<f64>(m, block, n));
    StackReq::all_of(&[matrices::scratch(m, n).array(2), matrices::scratch(block, n), work])
}

pub(super) fn factorise(a: &[f64], result: &mut [f64], [m, n]: [usize; 2], stack: &mut MemStack) {
    if !is_finite(a) {
        return result.fill(f64::NAN);
    }
    let block = recommended_block_size::<f64>(m, n);
    let (mut reflections, stack) = zeros(m, n, stack);
    let (mut q, stack) = zeros(m, n, stack);
    let (mut factors, stack) = zeros(block, n, stack);
    let (mut reflections, mut q) = (reflections.as_mat_mut(), q.as_mat_mut());
    let mut factors = factors.as_mat_mut();
    fill(reflections.rb_mut(), a);
    qr_in_place(reflections.rb_mut(), factors.rb_mut(), Par::Seq, stack, Default::default());
    q.rb_mut().diagonal_mut().fill(1.0);
    apply_reflections(reflections.rb(), factors.rb(), Conj::No, q.rb_mut(), Par::Seq, stack);
    for j in (0..n).filter(|&j| is_negative(reflections.rb(), j)) {
        q.rb_mut().col_mut(j).iter_mut().for_each(|x| *x = -*x);
    }
    let (orthonormal, triangle) = result.split_at_mut(m * n);
    empty(q.rb(), orthonormal);
    for (i, row) in triangle.chunks_exact_mut(n).enumerate() {
        let sign = if is_negative(reflections.rb(), i) { -1.0 } else { 1.0 };
        for (j, x) in row.iter_mut().enumerate() {
            *x = if j < i { 0.0 } else { reflections[(i, j)] * sign };
        }
    }
}

fn is_negative(r: MatRef<'_, f64>, i: usize) -> bool {
    r[(i, i)] < 0.0
}
