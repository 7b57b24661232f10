//! What do the copies around a factorisation cost, by which results do not depend on where matrices lie?
//!
//! Baseline: `faer` itself, in place on a matrix of its own layout, with a copy of the matrix before each call. Unit:
//! microseconds, the best of several runs.

use evolute_kernels::Dense;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::{LltRegularization, cholesky_in_place, cholesky_in_place_scratch};
use faer::linalg::lu::partial_pivoting::factor::{lu_in_place, lu_in_place_scratch};
use faer::{Mat, Par};
use std::hint::black_box;
use std::time::Instant;

fn best(mut f: impl FnMut()) -> f64 {
    let time = |f: &mut dyn FnMut()| {
        let start = Instant::now();
        f();
        start.elapsed().as_secs_f64()
    };
    (0..200).map(|_| time(&mut f)).fold(f64::INFINITY, f64::min) * 1e6
}

/// Positive definite, in rows.
fn matrix(n: usize) -> Vec<f64> {
    let element = |i: usize, j: usize| if i == j { n as f64 } else { 1.0 / (1.0 + i.abs_diff(j) as f64) };
    (0..n * n).map(|flat| element(flat / n, flat % n)).collect()
}

fn ours(function: Dense, a: &[f64], n: usize) -> f64 {
    let (mut result, mut scratch) = (vec![0.0; (n + n) * n], function.scratch(n, n));
    best(|| function.run([black_box(a), a], &mut result, &mut scratch, [n, n]))
}

fn cholesky(a: &Mat<f64>) -> f64 {
    let mut l = a.clone();
    let required = cholesky_in_place_scratch::<f64>(a.ncols(), Par::Seq, Default::default());
    let mut buffer = MemBuffer::new(required);
    best(|| {
        l.copy_from(black_box(a));
        let stack = MemStack::new(&mut buffer);
        let regularization = LltRegularization::default();
        _ = cholesky_in_place(l.as_mut(), regularization, Par::Seq, stack, Default::default());
    })
}

fn lu(a: &Mat<f64>) -> f64 {
    let n = a.ncols();
    let (mut lu, mut order, mut inverse) = (a.clone(), vec![0usize; n], vec![0usize; n]);
    let mut buffer = MemBuffer::new(lu_in_place_scratch::<usize, f64>(n, n, Par::Seq, Default::default()));
    best(|| {
        lu.copy_from(black_box(a));
        let stack = MemStack::new(&mut buffer);
        lu_in_place(lu.as_mut(), &mut order, &mut inverse, Par::Seq, stack, Default::default());
    })
}

fn main() {
    println!(
        "{:>5} {:>11} {:>9} {:>11} {:>9} {:>9} {:>9}",
        "n", "cholesky", "(faer)", "lu", "(faer)", "eigen", "qr"
    );
    for n in [3, 10, 30, 100, 200, 400] {
        let a = matrix(n);
        let columns = Mat::from_fn(n, n, |i, j| a[i * n + j]);
        let [ours_cholesky, ours_lu] = [Dense::Cholesky, Dense::Lu].map(|function| ours(function, &a, n));
        let (cholesky, lu) = (cholesky(&columns), lu(&columns));
        let [eigen, qr] = [Dense::Eigen, Dense::Qr].map(|function| ours(function, &a, n));
        println!(
            "{n:>5} {ours_cholesky:>11.2} {cholesky:>9.2} {ours_lu:>11.2} {lu:>9.2} {eigen:>9.1} {qr:>9.1}"
        );
    }
}
