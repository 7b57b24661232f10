//! The eigenvalues and eigenvectors of the symmetric part of a matrix.
//!
//! An eigenvector has length 1. Of its two signs it has the one that makes its first large element positive, that is the
//! first of at least 0.9 times the largest magnitude: so it does not change its sign where the matrix changes little and two of its
//! elements are equal but for their signs. Vectors of equal eigenvalues are any basis of their space.
//!
//! The matrix is scaled by a power of two first: no intermediate result overflows. All is NaN for a matrix with a NaN
//! or an infinity, and should the iteration not converge.

use super::matrices::{self, empty, fill_symmetric, is_finite, zeros};
use faer::diag::DiagMut;
use faer::dyn_stack::{MemStack, StackReq};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::mat::AsMatMut;
use faer::prelude::{Reborrow, ReborrowMut};
use faer::{MatMut, Par};

pub(super) fn scratch(n: usize) -> StackReq {
    let work = self_adjoint_evd_scratch::<f64>(n, ComputeEigenvectors::Yes, Par::Seq, Default::default());
    StackReq::all_of(&[matrices::scratch(n, n).array(2), matrices::scratch(n, 1), work])
}

pub(super) fn factorise(a: &[f64], result: &mut [f64], n: usize, stack: &mut MemStack) {
    if !is_finite(a) {
        return result.fill(f64::NAN);
    }
    let largest = a.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
    let scale = power_of_two_above(largest);
    let (mut symmetric, stack) = zeros(n, n, stack);
    let (mut vectors, stack) = zeros(n, n, stack);
    let (mut values, stack) = zeros(n, 1, stack);
    let (mut symmetric, mut vectors) = (symmetric.as_mat_mut(), vectors.as_mat_mut());
    let mut values = values.as_mat_mut().col_mut(0);
    fill_symmetric(symmetric.rb_mut(), a, 1.0 / scale);
    let diagonal: DiagMut<'_, f64> = values.rb_mut().as_diagonal_mut();
    let vectors_out = Some(vectors.rb_mut());
    let params = Default::default();
    if self_adjoint_evd(symmetric.rb(), diagonal, vectors_out, Par::Seq, stack, params).is_err() {
        return result.fill(f64::NAN);
    }
    choose_signs(vectors.rb_mut());
    let (first, rest) = result.split_at_mut(n);
    first.iter_mut().zip(values.rb().iter()).for_each(|(to, &value)| *to = value * scale);
    empty(vectors.rb(), rest);
}

/// A power of two for which neither it nor its reciprocal is subnormal, near `x`.
fn power_of_two_above(x: f64) -> f64 {
    let exponent = (x.to_bits() >> 52).clamp(2, 2044);
    f64::from_bits(exponent << 52)
}

fn choose_signs(mut vectors: MatMut<'_, f64>) {
    for j in 0..vectors.ncols() {
        let vector = vectors.rb_mut().col_mut(j);
        let largest = vector.rb().iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
        let first = vector.rb().iter().find(|x| x.abs() >= 0.9 * largest);
        if first.is_some_and(|&x| x < 0.0) {
            vector.iter_mut().for_each(|x| *x = -*x);
        }
    }
}
