//! What does the stated order of sums cost in a product of matrices, and how near is a product with a vector to memory?
//!
//! Baseline: the product of `faer`, which sums in an order of its own with fused multiply-adds, on the same operands,
//! row-major, with one thread. Unit: 10⁹ multiplications and additions a second, in the best of several runs.

use evolute_kernels::{Product, table};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use std::hint::black_box;
use std::time::Instant;

/// The numbers in a cache line.
const LINE: usize = 8;

/// Seconds of one run.
fn best(mut f: impl FnMut()) -> f64 {
    let mut time = |runs: u32| {
        let start = Instant::now();
        (0..runs).for_each(|_| f());
        start.elapsed().as_secs_f64() / f64::from(runs)
    };
    let runs = (1e-3 / time(1)).clamp(1.0, 1e5) as u32;
    (0..60).map(|_| time(runs)).fold(f64::INFINITY, f64::min)
}

/// Rows, or the transpose of what lies in rows.
fn steps([rows, columns]: [usize; 2], transposed: bool) -> [usize; 3] {
    if transposed { [0, 1, rows] } else { [0, columns, 1] }
}

fn main() {
    println!("{:>5} {:>5} {:>5} {:>4} {:>8} {:>8}", "m", "n", "k", "", "product", "faer");
    let squares = [4, 8, 12, 16, 32, 64, 128, 512, 1000].map(|n| [n, n, n]);
    let network = [[256, 64, 16], [256, 64, 64], [64, 64, 256], [64, 16, 256]];
    let vectors =
        [[10_000, 1, 100], [10_000, 2, 100], [1, 100, 10_000], [64, 1, 256], [1, 64, 256], [100, 1, 100]];
    for extents in squares.into_iter().chain(network).chain(vectors) {
        for (name, transposed) in [("AB", [false, false]), ("ABᵀ", [false, true]), ("AᵀB", [true, false])]
        {
            row(extents, name, transposed);
        }
    }
}

fn row([m, n, k]: [usize; 3], name: &str, transposed: [bool; 2]) {
    let number = |scale: f64| move |i: usize| (i as f64 * scale).sin();
    let a: Vec<f64> = (0..m * k).map(number(0.7)).collect();
    let b: Vec<f64> = (0..k * n).map(number(0.3)).collect();
    let (at_a, at_b) = (steps([m, k], transposed[0]), steps([k, n], transposed[1]));
    let mut c = vec![0.0; m * n];
    let product = Product { extents: [1, m, n, k], a: at_a, b: at_b, c: [0, n, 1] };
    let mut scratch = vec![0.0; product.scratch_len() + LINE];
    // Native code's scratch memory starts at a cache line.
    let start = scratch.as_ptr().align_offset(LINE * size_of::<f64>());
    let ours = best(|| table().product(&product, black_box(&a), &b, &mut c, &mut scratch[start..]));
    let lying = |x, rows, columns, transposed| match transposed {
        false => MatRef::from_row_major_slice(x, rows, columns),
        true => MatRef::from_column_major_slice(x, rows, columns),
    };
    let theirs = best(|| {
        let (a, b) = (lying(black_box(&a[..]), m, k, transposed[0]), lying(&b[..], k, n, transposed[1]));
        let c = MatMut::from_row_major_slice_mut(&mut c, m, n);
        matmul(c, Accum::Replace, a, b, 1.0, Par::Seq);
    });
    let rate = |seconds: f64| 2e-9 * (m * n * k) as f64 / seconds;
    println!("{m:>5} {n:>5} {k:>5} {name:>4} {:>8.1} {:>8.1}", rate(ours), rate(theirs));
}
