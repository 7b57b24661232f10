//! Products of matrices have the bits of the plain sums in lanes and segments: each shape around the boundaries of blocks, each
//! way in which operands may lie, numbers that no rounding forgives, in every build.

use evolute_kernels::{Product, Table, baseline, table};

/// What is written where no element lies, or before.
const UNTOUCHED: f64 = 7e77;

/// Numbers of many magnitudes and both signs; if `special`, a few that are not finite or are zeros.
fn numbers(seed: u64, count: usize, special: bool) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let (mantissa, kind) = ((state >> 11) as f64 / (1u64 << 52) as f64 - 1.0, state >> 57);
        match kind {
            0 if special => f64::NAN,
            1 if special => f64::INFINITY,
            2 if special => f64::NEG_INFINITY,
            3..10 if special => -0.0,
            10..16 if special => 0.0,
            16 => mantissa * 1e-310,
            _ => mantissa * 2.0f64.powi((kind % 9) as i32 * 7 - 28),
        }
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// The sum as its order is defined: term `k` in lane `k mod 8` of its segment, a tree over lanes, segments in order.
fn sum(terms: &[f64]) -> f64 {
    let segment = |terms: &[f64]| {
        let mut lanes = [-0.0; Product::LANES];
        terms.iter().enumerate().for_each(|(k, term)| lanes[k % Product::LANES] += term);
        for width in [4, 2, 1] {
            (0..width).for_each(|lane| lanes[lane] += lanes[lane + width]);
        }
        lanes[0]
    };
    terms.chunks(Product::SEGMENT).map(segment).reduce(|sum, segment| sum + segment).unwrap_or(0.0)
}

fn expected(product: &Product, a: &[f64], b: &[f64], c: &mut [f64]) {
    let [count, m, n, k] = product.extents;
    let place =
        |[number, row, column]: [usize; 3], at: [usize; 3]| number * at[0] + row * at[1] + column * at[2];
    for number in 0..count {
        for (i, j) in (0..m).flat_map(|i| (0..n).map(move |j| (i, j))) {
            let term = |k| a[place([number, i, k], product.a)] * b[place([number, k, j], product.b)];
            c[place([number, i, j], product.c)] = sum(&(0..k).map(term).collect::<Vec<_>>());
        }
    }
}

fn same(x: f64, y: f64) -> bool {
    x.to_bits() == y.to_bits() || x.is_nan() && y.is_nan()
}

#[track_caller]
fn check(product: Product, seed: u64, special: bool) {
    let [len_a, len_b, len_c] = product.lens();
    let (a, b) = (numbers(seed, len_a, special), numbers(seed + 1, len_b, special));
    let mut reference = vec![UNTOUCHED; len_c];
    expected(&product, &a, &b, &mut reference);
    for build in [table(), baseline()] as [&Table; 2] {
        let (mut c, mut scratch) = (vec![UNTOUCHED; len_c], vec![f64::NAN; product.scratch_len()]);
        build.product(&product, &a, &b, &mut c, &mut scratch);
        let wrong = (0..len_c).find(|&i| !same(c[i], reference[i]));
        assert_eq!(wrong, None, "{product:?}");
    }
}

/// How a matrix lies: the step between rows, and between columns.
#[derive(Clone, Copy, Debug)]
enum Lie {
    Rows,
    Columns,
    WideRows,
    WideColumns,
    Spread,
}

const LIES: [Lie; 5] = [Lie::Rows, Lie::Columns, Lie::WideRows, Lie::WideColumns, Lie::Spread];

fn steps(lie: Lie, [rows, columns]: [usize; 2]) -> [usize; 2] {
    match lie {
        Lie::Rows => [columns, 1],
        Lie::Columns => [1, rows],
        Lie::WideRows => [columns + 3, 1],
        Lie::WideColumns => [1, rows + 5],
        Lie::Spread => [2 * columns + 1, 2],
    }
}

fn product([m, n, k]: [usize; 3], [a, b, c]: [Lie; 3]) -> Product {
    let all = |lie, extents| {
        let [row, column] = steps(lie, extents);
        [0, row, column]
    };
    Product { extents: [1, m, n, k], a: all(a, [m, k]), b: all(b, [k, n]), c: all(c, [m, n]) }
}

const EDGES: [usize; 12] = [0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 17, 33];

#[test]
fn every_small_shape_lies_in_every_way() {
    let mut seed = 0;
    for (m, n) in EDGES.into_iter().flat_map(|m| EDGES.map(|n| (m, n))) {
        for k in EDGES {
            for (number, a) in LIES.into_iter().enumerate() {
                seed += 1;
                let [b, c] = [seed, seed / 5].map(|seed| LIES[(seed as usize + number) % LIES.len()]);
                check(product([m, n, k], [a, b, c]), seed, seed % 3 == 0);
            }
        }
    }
}

#[test]
fn vectors_around_segments_lie_in_every_way() {
    let segment = Product::SEGMENT;
    let lengths =
        [31, 32, 33, 255, 256, 257, segment - 1, segment, segment + 1, segment + 40, 2 * segment + 9];
    for (number, k) in lengths.into_iter().enumerate() {
        for [m, n] in [[1, 1], [5, 1], [1, 9], [6, 2], [2, 11], [3, 3], [7, 3], [4, 4], [9, 13]] {
            for (a, b) in LIES.into_iter().flat_map(|a| LIES.map(|b| (a, b))) {
                check(product([m, n, k], [a, b, Lie::Rows]), number as u64, number % 2 == 0);
            }
        }
    }
}

#[test]
fn results_wider_than_a_stretch() {
    for n in [255, 256, 257, 600] {
        for [m, k] in [[1, 33], [2, 70], [3, 64]] {
            check(product([m, n, k], [Lie::Rows, Lie::Rows, Lie::Rows]), 1, false);
            check(product([n, m, k], [Lie::Columns, Lie::Spread, Lie::Columns]), 2, true);
        }
    }
}

#[test]
fn matrices_larger_than_what_is_packed_at_a_time() {
    for extents in [[300, 40, 250], [40, 300, 250], [37, 45, 4100], [70, 1100, 130]] {
        check(product(extents, [Lie::Rows, Lie::Columns, Lie::Rows]), 3, false);
        check(product(extents, [Lie::Columns, Lie::Rows, Lie::WideColumns]), 4, false);
    }
}

#[test]
fn several_products() {
    for (number, [m, n, k]) in
        [[1, 1, 20], [4, 1, 9], [1, 9, 40], [8, 8, 8], [5, 11, 3]].into_iter().enumerate()
    {
        for count in [0, 1, 3] {
            let a = [m * k, k, 1];
            let extents = [count, m, n, k];
            let product = Product { extents, a, b: [k * n + 2, 1, k], c: [m * n, n, 1] };
            check(product, number as u64, true);
            // One B for all.
            check(Product { b: [0, n, 1], ..product }, number as u64, false);
        }
    }
}

#[test]
#[should_panic(expected = "out of range")]
fn a_short_slice_panics() {
    let product = product([3, 3, 3], [Lie::Rows; 3]);
    let mut scratch = vec![0.0; product.scratch_len()];
    table().product(&product, &[0.0; 9], &[0.0; 8], &mut [0.0; 9], &mut scratch);
}
