//! Rows times few vectors: the lanes of a sum lie in registers, and several rows go by at a time.
//!
//! A vector whose numbers do not lie one after the other is copied first.

use super::{LANES, Product, deliver, segments, tree};

/// The rows that go by at a time. All vectors meet them before the next do, so the matrix is read once.
const ROWS: usize = 4;

pub(super) fn scratch_len(product: &Product) -> usize {
    if product.b[1] == 1 { 0 } else { product.extents[2] * product.extents[3] }
}

#[inline(always)]
pub(super) fn run(product: &Product, a: &[f64], b: &[f64], c: &mut [f64], scratch: &mut [f64]) {
    let [_, m, n, k] = product.extents;
    let [_, step, to_vector] = product.b;
    let (vectors, to_vector) = match step {
        1 => (b, to_vector),
        _ => (gathered(scratch, b, [n, k], [to_vector, step]), k),
    };
    let by = By { product, a, vectors, to_vector };
    let whole = m - m % ROWS;
    (0..whole).step_by(ROWS).for_each(|i| by.rows::<ROWS>(i, c));
    (whole..m).for_each(|i| by.rows::<1>(i, c));
}

#[inline(always)]
fn gathered<'a>(
    to: &'a mut [f64],
    b: &[f64],
    [n, k]: [usize; 2],
    [to_vector, step]: [usize; 2],
) -> &'a [f64] {
    let to = &mut to[..n * k];
    for (j, vector) in to.chunks_exact_mut(k).enumerate() {
        vector.iter_mut().enumerate().for_each(|(term, x)| *x = b[j * to_vector + term * step]);
    }
    to
}

struct By<'a> {
    product: &'a Product,
    a: &'a [f64],
    vectors: &'a [f64],
    to_vector: usize,
}

impl By<'_> {
    /// `M` rows from this one on times each vector.
    #[inline(always)]
    fn rows<const M: usize>(&self, i: usize, c: &mut [f64]) {
        let [_, _, n, k] = self.product.extents;
        let ([_, to_row, _], [_, c_row, c_column]) = (self.product.a, self.product.c);
        for j in 0..n {
            for (first, terms) in segments(k) {
                let rows = std::array::from_fn(|row| &self.a[(i + row) * to_row + first..][..terms]);
                let vector = &self.vectors[j * self.to_vector + first..][..terms];
                for (row, sum) in sums::<M>(rows, vector).into_iter().enumerate() {
                    deliver(&mut c[(i + row) * c_row + j * c_column], sum, first == 0);
                }
            }
        }
    }
}

/// The lanes of a row times a vector.
type Lanes = [f64; LANES];

/// The sums of a segment.
#[inline(always)]
fn sums<const M: usize>(rows: [&[f64]; M], vector: &[f64]) -> [f64; M] {
    let rows = rows.map(|row| row.as_chunks::<LANES>());
    let (whole, rest) = vector.as_chunks::<LANES>();
    let mut lanes = whole_rounds(rows.map(|(whole, _)| whole), whole);
    let mut sums = [0.0; M];
    for i in 0..M {
        if !rest.is_empty() {
            add_rest(&mut lanes[i], rows[i].1, rest);
        }
        sums[i] = tree(lanes[i]);
    }
    sums
}

#[inline(always)]
fn whole_rounds<const M: usize>(rows: [&[Lanes]; M], vector: &[Lanes]) -> [Lanes; M] {
    // Said here, it is not checked in each round.
    let rows = rows.map(|row| &row[..vector.len()]);
    let mut lanes = [[-0.0; LANES]; M];
    for (round, vector) in vector.iter().enumerate() {
        for (lanes, row) in lanes.iter_mut().zip(&rows) {
            let factors = row[round].iter().zip(vector);
            lanes.iter_mut().zip(factors).for_each(|(lane, (x, y))| *lane += x * y);
        }
    }
    lanes
}

/// Adds the terms that make no round. Not inlined, so that lanes stay in registers until then.
#[inline(never)]
fn add_rest(lanes: &mut Lanes, row: &[f64], vector: &[f64]) {
    let factors = row.iter().zip(vector);
    lanes.iter_mut().zip(factors).for_each(|(lane, (x, y))| *lane += x * y);
}
