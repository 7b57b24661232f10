//! Matrix times matrix, by tiles of the result.
//!
//! A tile's sums stay in registers while the terms of one lane go by; then those of the next, and lanes are added as soon
//! as their tree allows. So no more memory is moved than with one sum an element. Both operands are packed for this: for
//! each row of tiles the numbers of A term by term, for each column of tiles those of B, in blocks of as many terms as
//! there are lanes. Terms that a block lacks are packed as −0·0, which changes no sum. A block of rows of A stays in the
//! second cache while all packed columns of B go by, as Goto and van de Geijn, "Anatomy of high-performance matrix
//! multiplication" (2008), describe it.

use super::{LANES, Product, deliver, segments};

/// The rows and columns of a tile.
const HEIGHT: usize = 4;
const WIDTH: usize = 8;

/// So many terms of so many rows or columns.
type Block<const N: usize> = [[f64; N]; LANES];

type Tile = [[f64; WIDTH]; HEIGHT];

/// About how many numbers of A and of B are packed at a time.
const PACKED_A: usize = 1 << 15;
const PACKED_B: usize = 1 << 17;

/// How many terms, rows and columns are packed at a time.
struct Packed {
    blocks: usize,
    rows: usize,
    columns: usize,
}

impl Packed {
    #[inline(always)]
    fn of(product: &Product) -> Packed {
        let [_, m, n, k] = product.extents;
        let blocks = k.min(Product::SEGMENT).div_ceil(LANES);
        let fit = |numbers: usize, side: usize, extent: usize| {
            let most = numbers / (blocks * LANES * side).max(1);
            most.clamp(1, extent.div_ceil(side).max(1)) * side
        };
        Packed { blocks, rows: fit(PACKED_A, HEIGHT, m), columns: fit(PACKED_B, WIDTH, n) }
    }
}

pub(super) fn scratch_len(product: &Product) -> usize {
    let Packed { blocks, rows, columns } = Packed::of(product);
    (rows + columns) * blocks * LANES
}

#[inline(always)]
pub(super) fn run(product: &Product, a: &[f64], b: &[f64], c: &mut [f64], scratch: &mut [f64]) {
    let [_, m, n, k] = product.extents;
    let packed = Packed::of(product);
    let [_, to_row, to_column] = product.c;
    let (packed_a, packed_b) = scratch.split_at_mut(packed.rows * packed.blocks * LANES);
    for (first, terms) in segments(k) {
        let blocks = terms.div_ceil(LANES);
        for j in (0..n).step_by(packed.columns) {
            let columns = packed.columns.min(n - j);
            let [_, step, side] = product.b;
            let b = &b[first * step + j * side..];
            let panels_b = pack::<WIDTH>(packed_b, b, [columns, terms], [side, step], 0.0);
            for i in (0..m).step_by(packed.rows) {
                let rows = packed.rows.min(m - i);
                let [_, side, step] = product.a;
                let a = &a[first * step + i * side..];
                let panels_a = pack::<HEIGHT>(packed_a, a, [rows, terms], [side, step], -0.0);
                for (j, b) in (j..).step_by(WIDTH).zip(panels_b.chunks_exact(blocks)) {
                    for (i, a) in (i..).step_by(HEIGHT).zip(panels_a.chunks_exact(blocks)) {
                        let (height, width) = (HEIGHT.min(m - i), WIDTH.min(n - j));
                        let c = &mut c[i * to_row + j * to_column..];
                        write(c, &tile(a, b), [height, width], [to_row, to_column], first == 0);
                    }
                }
            }
        }
    }
}

/// Packs so many rows of so many terms each, `steps` from each other, and returns the blocks: those of the first `N` rows,
/// then those of the next.
#[inline(always)]
fn pack<'a, const N: usize>(
    to: &'a mut [f64],
    from: &[f64],
    [rows, terms]: [usize; 2],
    steps: [usize; 2],
    missing: f64,
) -> &'a [Block<N>] {
    let blocks = terms.div_ceil(LANES);
    let to = &mut to.as_chunks_mut().0.as_chunks_mut().0[..rows.div_ceil(N) * blocks];
    let mut pack_at = |panel: usize, number: usize| {
        let (first, start) = (panel * N, number * LANES);
        let extents = [N.min(rows - first), LANES.min(terms - start)];
        let from = &from[first * steps[0] + start * steps[1]..];
        pack_block(&mut to[panel * blocks + number], from, extents, steps, missing);
    };
    // In the order in which the numbers lie.
    if steps[0] == 1 {
        (0..blocks).for_each(|number| (0..rows.div_ceil(N)).for_each(|panel| pack_at(panel, number)));
    } else {
        (0..rows.div_ceil(N)).for_each(|panel| (0..blocks).for_each(|number| pack_at(panel, number)));
    }
    to
}

#[inline(always)]
fn pack_block<const N: usize>(
    block: &mut Block<N>,
    from: &[f64],
    [rows, terms]: [usize; 2],
    [side, step]: [usize; 2],
    missing: f64,
) {
    let whole = [rows, terms] == [N, LANES];
    if whole && side == 1 {
        for (term, row) in block.iter_mut().enumerate() {
            row.copy_from_slice(&from[term * step..][..N]);
        }
    } else if whole && step == 1 {
        let rows: [&[f64]; N] = std::array::from_fn(|row| &from[row * side..][..LANES]);
        for (term, to) in block.iter_mut().enumerate() {
            to.iter_mut().zip(rows).for_each(|(x, row)| *x = row[term]);
        }
    } else {
        *block = [[missing; N]; LANES];
        for (term, row) in block.iter_mut().enumerate().take(terms) {
            row.iter_mut().enumerate().take(rows).for_each(|(i, x)| *x = from[i * side + term * step]);
        }
    }
}

#[inline(always)]
fn tile(a: &[Block<HEIGHT>], b: &[Block<WIDTH>]) -> Tile {
    added(&four_lanes(a, b, 0), &four_lanes(a, b, 1))
}

#[inline(always)]
fn four_lanes(a: &[Block<HEIGHT>], b: &[Block<WIDTH>], first: usize) -> Tile {
    added(&two_lanes(a, b, first), &two_lanes(a, b, first + 2))
}

#[inline(always)]
fn two_lanes(a: &[Block<HEIGHT>], b: &[Block<WIDTH>], first: usize) -> Tile {
    added(&lane(a, b, first), &lane(a, b, first + 4))
}

#[inline(always)]
fn lane(a: &[Block<HEIGHT>], b: &[Block<WIDTH>], number: usize) -> Tile {
    let mut sums = [[-0.0; WIDTH]; HEIGHT];
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (&a[number], &b[number]);
        for (sums, a) in sums.iter_mut().zip(a) {
            sums.iter_mut().zip(b).for_each(|(sum, b)| *sum += a * b);
        }
    }
    sums
}

#[inline(always)]
fn added(x: &Tile, y: &Tile) -> Tile {
    std::array::from_fn(|i| std::array::from_fn(|j| x[i][j] + y[i][j]))
}

#[inline(always)]
fn write(
    c: &mut [f64],
    tile: &Tile,
    [height, width]: [usize; 2],
    [to_row, to_column]: [usize; 2],
    is_first: bool,
) {
    for (i, row) in tile.iter().enumerate().take(height) {
        if to_column == 1 && width == WIDTH {
            let c = &mut c[i * to_row..][..WIDTH];
            match is_first {
                true => c.copy_from_slice(row),
                false => c.iter_mut().zip(row).for_each(|(c, sum)| *c += sum),
            }
        } else {
            for (j, &sum) in row.iter().enumerate().take(width) {
                deliver(&mut c[i * to_row + j * to_column], sum, is_first);
            }
        }
    }
}
