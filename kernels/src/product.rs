//! Products of matrices of `f64`, in the order of sums that programs state.
//!
//! Term `k` of an element of A·B is the rounded product of two numbers; it is added to lane `k mod 8` of its segment of
//! 4096 terms, the lanes of a segment are added in a fixed tree, and the segments one after the other. So the result
//! has the bits of the plain loop, wherever the operands lie and whichever form runs:
//!
//! | module | form | for |
//! | --- | --- | --- |
//! | `tiles` | tiles of the result in registers, one lane after the other, from packed operands | matrices |
//! | `rows` | rows of A by vectors, a register holding lanes | few columns, each row of A in one stretch |
//! | `columns` | rows of B times factors, a register holding columns | few rows, each row of B in one stretch |
//!
//! Each form serves the transposed product too, since `Cᵀ = Bᵀ·Aᵀ` and the factors of a term may change places. Nothing
//! is fused, as then a sum would not be that of the products, and nothing is allocated.

mod columns;
mod rows;
mod tiles;

/// The lanes of a sum.
const LANES: usize = 8;

/// A product `C = A·B` of matrices A `[m, k]`, B `[k, n]`, or of several, and where their elements lie.
///
/// ```
/// use evolute_kernels::{Product, table};
///
/// // [[1, 2], [3, 4]] times the transpose of [[5, 6], [7, 8]].
/// let (a, b, c) = ([0, 2, 1], [0, 1, 2], [0, 2, 1]);
/// let product = Product { extents: [1, 2, 2, 2], a, b, c };
/// let (mut c, mut scratch) = ([0.0; 4], vec![0.0; product.scratch_len()]);
/// table().product(&product, &[1.0, 2.0, 3.0, 4.0], &[5.0, 6.0, 7.0, 8.0], &mut c, &mut scratch);
/// assert_eq!(c, [17.0, 23.0, 39.0, 53.0]);
/// ```
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Product {
    /// How many products, and m, n, k.
    pub extents: [usize; 4],
    /// From one A to the next, from one of its rows to the next, from one of its columns to the next.
    pub a: [usize; 3],
    /// The same of B.
    pub b: [usize; 3],
    /// The same of C, of which no two elements lie at one place.
    pub c: [usize; 3],
}

/// How a product is computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    Tiles,
    Rows,
    Columns,
}

/// The most rows or columns of a result that are computed as vectors.
const FEW: usize = 3;

/// The fewest terms of one product for which a call pays.
const SMALLEST: usize = 512;

/// The fewest terms of a row for which adding its lanes at the end pays.
const SHORTEST_ROW: usize = 4 * LANES;

impl Product {
    /// The number of lanes of a segment.
    pub const LANES: usize = LANES;

    /// The number of terms in a segment.
    pub const SEGMENT: usize = 4096;

    /// Whether it takes less time than a plain loop does.
    pub fn pays(&self) -> bool {
        let [_, m, n, k] = self.extents;
        let (way, product) = self.way();
        let enough = m * n * k >= SMALLEST && k >= LANES;
        enough
            && match way {
                Way::Tiles => product.extents[1] > FEW,
                Way::Rows => k >= SHORTEST_ROW,
                Way::Columns => true,
            }
    }

    /// How many numbers A, B and C reach over.
    pub fn lens(&self) -> [usize; 3] {
        let [count, m, n, k] = self.extents;
        let reach = |extents: [usize; 3], steps: [usize; 3]| match extents.contains(&0) {
            true => 0,
            false => 1 + (0..3).map(|axis| (extents[axis] - 1) * steps[axis]).sum::<usize>(),
        };
        [reach([count, m, k], self.a), reach([count, k, n], self.b), reach([count, m, n], self.c)]
    }

    /// How many numbers of scratch memory it needs.
    pub fn scratch_len(&self) -> usize {
        let (way, product) = self.way();
        match way {
            Way::Tiles => tiles::scratch_len(&product),
            Way::Rows => rows::scratch_len(&product),
            Way::Columns => columns::scratch_len(&product),
        }
    }

    /// Computes C. Slices that are too short, or scratch memory that is, panic; of longer ones the start is used.
    #[inline(always)]
    pub(crate) fn run(&self, a: &[f64], b: &[f64], c: &mut [f64], scratch: &mut [f64]) {
        let [.., k] = self.extents;
        match self.lens()[2] {
            0 => return,
            _ if k == 0 => return self.clear(c),
            _ => {}
        }
        let (way, product) = self.way();
        let (a, b) = if product == *self { (a, b) } else { (b, a) };
        for number in 0..self.extents[0] {
            let [a, b] = [(a, product.a), (b, product.b)].map(|(x, steps)| x.get(number * steps[0]..));
            let (a, b) = (a.unwrap_or_default(), b.unwrap_or_default());
            let c = &mut c[number * product.c[0]..];
            match way {
                Way::Tiles => tiles::run(&product, a, b, c, scratch),
                Way::Rows => rows::run(&product, a, b, c, scratch),
                Way::Columns => columns::run(&product, a, b, c, scratch),
            }
        }
    }

    /// Sums of no terms.
    fn clear(&self, c: &mut [f64]) {
        let [count, m, n, _] = self.extents;
        for (number, i) in (0..count).flat_map(|number| (0..m).map(move |i| (number, i))) {
            let start = number * self.c[0] + i * self.c[1];
            (0..n).for_each(|j| c[start + j * self.c[2]] = 0.0);
        }
    }

    /// How it is computed, itself or transposed.
    fn way(&self) -> (Way, Product) {
        let candidates = [*self, self.transposed()];
        let found = |way: Way, suits: fn(&Product) -> bool| {
            candidates.into_iter().find(suits).map(|product| (way, product))
        };
        let rows = found(Way::Rows, |p| p.extents[2] <= FEW && p.a[2] == 1);
        let columns = || found(Way::Columns, |p| p.extents[1] <= FEW && p.b[2] == 1);
        // A tile is wider than it is high.
        let tiles = || found(Way::Tiles, |p| p.extents[1] <= p.extents[2]);
        rows.or_else(columns).or_else(tiles).unwrap_or((Way::Tiles, *self))
    }

    /// `Cᵀ = Bᵀ·Aᵀ`.
    fn transposed(&self) -> Product {
        let [count, m, n, k] = self.extents;
        let swapped = |[number, row, column]: [usize; 3]| [number, column, row];
        let [a, b, c] = [self.b, self.a, self.c].map(swapped);
        Product { extents: [count, n, m, k], a, b, c }
    }
}

/// Lanes added in their tree.
#[inline(always)]
fn tree(lanes: [f64; LANES]) -> f64 {
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

/// The segments of so many terms: the first term and the number of terms of each.
#[inline(always)]
fn segments(k: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..k).step_by(Product::SEGMENT).map(move |first| (first, Product::SEGMENT.min(k - first)))
}

/// Gives an element of C the sum of a segment, or adds it.
#[inline(always)]
fn deliver(element: &mut f64, sum: f64, is_first: bool) {
    *element = if is_first { sum } else { *element + sum };
}
