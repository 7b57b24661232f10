//! Few rows of factors times a matrix whose rows lie in one stretch each: a register holds columns.
//!
//! The lanes of a stretch of columns are kept in scratch memory, in the first cache. The matrix is read once, a block of
//! rows at a time, however many rows of factors there are; rows of the same lane are added together, so that its sums are
//! read and written once for all of them.

use super::{LANES, Product, deliver, segments, tree};

/// The columns of which lanes are kept at a time.
const WIDTH: usize = 256;

/// The terms of a lane that are added together.
const TOGETHER: usize = 4;

/// The rows of a block.
const BLOCK: usize = TOGETHER * LANES;

pub(super) fn scratch_len(product: &Product) -> usize {
    product.extents[1] * LANES * WIDTH.min(product.extents[2])
}

#[inline(always)]
pub(super) fn run(product: &Product, a: &[f64], b: &[f64], c: &mut [f64], scratch: &mut [f64]) {
    let [_, m, n, k] = product.extents;
    let [_, to_row, to_column] = product.c;
    for j in (0..n).step_by(WIDTH) {
        let width = WIDTH.min(n - j);
        let lanes = &mut scratch[..m * LANES * width];
        for (first, terms) in segments(k) {
            lanes.fill(-0.0);
            for start in (first..first + terms).step_by(BLOCK) {
                let block =
                    Block { product, b: &b[j..], first: start, end: (start + BLOCK).min(first + terms) };
                for (i, lanes) in lanes.chunks_exact_mut(LANES * width).enumerate() {
                    block.add(&a[i * product.a[1]..], lanes, width);
                }
            }
            for (i, lanes) in lanes.chunks_exact(LANES * width).enumerate() {
                for column in 0..width {
                    let sum = tree(std::array::from_fn(|lane| lanes[lane * width + column]));
                    deliver(&mut c[i * to_row + (j + column) * to_column], sum, first == 0);
                }
            }
        }
    }
}

/// Rows of B, of which the first belongs to the first lane.
struct Block<'a> {
    product: &'a Product,
    b: &'a [f64],
    first: usize,
    end: usize,
}

impl Block<'_> {
    /// Adds the rows, times the factors of one row of A, to the lanes.
    #[inline(always)]
    fn add(&self, a: &[f64], lanes: &mut [f64], width: usize) {
        let row = |term: usize| &self.b[term * self.product.b[1]..][..width];
        let factor = |term: usize| a[term * self.product.a[2]];
        for (number, lane) in lanes.chunks_exact_mut(width).enumerate() {
            let terms = (self.first + number..self.end).step_by(LANES);
            if terms.len() == TOGETHER {
                let terms = std::array::from_fn(|round| self.first + number + round * LANES);
                add_rows::<TOGETHER>(lane, terms.map(factor), terms.map(row));
            } else {
                terms.for_each(|term| add_rows(lane, [factor(term)], [row(term)]));
            }
        }
    }
}

#[inline(always)]
fn add_rows<const N: usize>(lane: &mut [f64], factors: [f64; N], rows: [&[f64]; N]) {
    let rows = rows.map(|row| &row[..lane.len()]);
    for (column, sum) in lane.iter_mut().enumerate() {
        for (factor, row) in factors.iter().zip(rows) {
            *sum += factor * row[column];
        }
    }
}
