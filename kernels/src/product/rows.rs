//! Rows times few vectors: the lanes of a sum lie in registers, and several rows go by at a time.
//!
//! A vector whose numbers do not lie one after the other is copied first.

use super::{LANES, Product, deliver, segments, tree};

/// The rows that go by at a time, with one vector.
const ROWS: usize = 4;

/// The same with two.
const ROWS_BY_TWO: usize = 2;

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
    let vector = |j: usize| &vectors[j * to_vector..][..k];
    let rows = Rows { product, a };
    for j in (0..n - n % 2).step_by(2) {
        rows.by::<ROWS_BY_TWO, 2>(0, m - m % ROWS_BY_TWO, [vector(j), vector(j + 1)], j, c);
        rows.by::<1, 2>(m - m % ROWS_BY_TWO, m, [vector(j), vector(j + 1)], j, c);
    }
    if n % 2 == 1 {
        rows.by::<ROWS, 1>(0, m - m % ROWS, [vector(n - 1)], n - 1, c);
        rows.by::<1, 1>(m - m % ROWS, m, [vector(n - 1)], n - 1, c);
    }
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

struct Rows<'a> {
    product: &'a Product,
    a: &'a [f64],
}

impl Rows<'_> {
    /// Rows `first..end`, `M` at a time, times `N` vectors, of which the first gives column `j` of C.
    #[inline(always)]
    fn by<const M: usize, const N: usize>(
        &self,
        first: usize,
        end: usize,
        vectors: [&[f64]; N],
        j: usize,
        c: &mut [f64],
    ) {
        let k = self.product.extents[3];
        let ([_, to_row, _], [_, c_row, c_column]) = (self.product.a, self.product.c);
        for i in (first..end).step_by(M) {
            let rows: [&[f64]; M] = std::array::from_fn(|row| &self.a[(i + row) * to_row..][..k]);
            for (start, terms) in segments(k) {
                let segment = start..start + terms;
                let rows = rows.map(|row| &row[segment.clone()]);
                let sums = sums(rows, vectors.map(|vector| &vector[segment.clone()]));
                for (row, sums) in sums.iter().enumerate() {
                    for (column, &sum) in sums.iter().enumerate() {
                        let at = (i + row) * c_row + (j + column) * c_column;
                        deliver(&mut c[at], sum, start == 0);
                    }
                }
            }
        }
    }
}

/// The sums of a segment.
#[inline(always)]
fn sums<const M: usize, const N: usize>(rows: [&[f64]; M], vectors: [&[f64]; N]) -> [[f64; N]; M] {
    let terms = vectors[0].len();
    let rounds = terms / LANES;
    let whole_rows = rows.map(|row| &row.as_chunks::<LANES>().0[..rounds]);
    let whole_vectors = vectors.map(|vector| &vector.as_chunks::<LANES>().0[..rounds]);
    let mut lanes = [[[-0.0; LANES]; N]; M];
    for round in 0..rounds {
        for (row, lanes) in lanes.iter_mut().enumerate() {
            for (vector, lanes) in lanes.iter_mut().enumerate() {
                let (x, y) = (&whole_rows[row][round], &whole_vectors[vector][round]);
                *lanes = std::array::from_fn(|lane| lanes[lane] + x[lane] * y[lane]);
            }
        }
    }
    // Terms that the last round lacks are −0·0, which changes no sum.
    let padded = |x: &[f64], missing: f64| {
        let rest = &x[rounds * LANES..];
        std::array::from_fn::<f64, LANES, _>(|lane| rest.get(lane).copied().unwrap_or(missing))
    };
    let (rows, vectors) = (rows.map(|row| padded(row, -0.0)), vectors.map(|vector| padded(vector, 0.0)));
    for (row, lanes) in lanes.iter_mut().enumerate() {
        for (vector, lanes) in lanes.iter_mut().enumerate() {
            let (x, y) = (&rows[row], &vectors[vector]);
            *lanes = std::array::from_fn(|lane| lanes[lane] + x[lane] * y[lane]);
        }
    }
    lanes.map(|lanes| lanes.map(tree))
}
