//! Products of matrices: the kernel that native code calls against the interpreter, bit for bit, at shapes around the
//! boundaries of blocks and wherever operands lie; and which nests become products.

mod common;

use common::{Random, check_with};
use evolute_codegen::{CodegenOptions, Plan, compile};
use evolute_ir::{Buffer, Program, REDUCED, text, verify};

fn program(source: &str) -> Program {
    let program = text::parse(source).unwrap_or_else(|error| panic!("{error}\n{source}"));
    verify(&program).expect("well typed");
    program
}

fn plan(program: &Program) -> String {
    Plan::new(program, &CodegenOptions::default()).expect("no operators").to_string()
}

/// How often a plan calls the kernel.
fn products(program: &Program) -> usize {
    plan(program).matches("product with").count()
}

/// Numbers of which some are zeros of either sign, infinite, or none.
fn inputs(program: &Program, random: &mut Random, special: bool) -> Vec<Buffer> {
    let mut number = || match random.below(40) {
        0 if special => f64::NAN,
        1 if special => f64::INFINITY,
        2 if special => f64::NEG_INFINITY,
        3..6 if special => 0.0,
        6..9 if special => -0.0,
        _ => random.real() * 2.0f64.powi(random.below(40) as i32 - 20),
    };
    let types = program.param_types();
    types.iter().map(|ty| Buffer::F64((0..ty.shape.len()).map(|_| number()).collect())).collect()
}

#[track_caller]
fn check(program: &Program, seed: u64) {
    let mut random = Random(seed * 2 + 1);
    let code =
        compile(program, &CodegenOptions { verify: true, ..CodegenOptions::default() }).expect("small");
    for special in [false, true] {
        common::check_code(&code, program, &inputs(program, &mut random, special));
    }
}

/// How an operand lies in the parameter that it is a view of: numbers of that, offset, strides.
type Lie = fn([usize; 3]) -> (usize, usize, [usize; 3]);

const LIES: [Lie; 6] = [
    |[b, m, n]| (b * m * n, 0, [m * n, n, 1]),
    |[b, m, n]| (b * m * n, 0, [m * n, 1, m]),
    |[b, m, n]| (b * m * n + 3, 3, [m * n, n, 1]),
    |[b, m, n]| (b * m * (n + 2), 1, [m * (n + 2), n + 2, 1]),
    |[b, m, n]| (b * m * n * 2, 1, [m * n * 2, 2 * n, 2]),
    // One matrix for all.
    |[_, m, n]| (m * n, 0, [0, n, 1]),
];

fn product([b, m, n, k]: [usize; 4], [lie_a, lie_b]: [Lie; 2]) -> Program {
    let ((len_a, start_a, a), (len_b, start_b, of_b)) = (lie_a([b, m, k]), lie_b([b, k, n]));
    program(&format!(
        "evolute 0
program (v0: f64[{len_a}], v1: f64[{len_b}]) -> (f64[{b}, {m}, {n}]) {{
  v2 = view f64[{b}, {m}, {k}] v0 from {start_a} by {a:?}
  v3 = view f64[{b}, {k}, {n}] v1 from {start_b} by {of_b:?}
  v4 = dot v2, v3
  return v4
}}
"
    ))
}

#[test]
fn products_of_matrices_that_lie_in_every_way() {
    let shapes =
        [[4, 4, 32], [8, 8, 8], [7, 9, 17], [12, 33, 31], [1, 40, 64], [65, 1, 39], [3, 70, 33], [50, 2, 40]];
    for (number, [m, n, k]) in shapes.into_iter().enumerate() {
        for (a, b) in LIES.into_iter().flat_map(|a| LIES.map(|b| (a, b))) {
            for count in [1, 2] {
                check(&product([count, m, n, k], [a, b]), number as u64);
            }
        }
        assert_eq!(products(&product([2, m, n, k], [LIES[0]; 2])), 1, "{m} {n} {k}");
    }
}

#[test]
fn every_extent_around_a_block() {
    for m in [0, 1, 2, 3, 4, 5, 8, 9] {
        for n in [0, 1, 3, 4, 7, 8, 9, 16] {
            for k in [0, 1, 7, 8, 9, 15, 16, 33] {
                check(&product([1, m, n, k], [LIES[(m + k) % 6], LIES[(n + k) % 6]]), 5);
            }
        }
    }
}

#[test]
fn sums_of_several_segments() {
    for k in [REDUCED - 1, REDUCED, REDUCED + 1, 2 * REDUCED + 5] {
        for [m, n] in [[1, 1], [3, 1], [1, 5], [5, 4]] {
            for (a, b) in [(0, 0), (0, 1), (1, 0), (4, 3)] {
                check(&product([1, m, n, k], [LIES[a], LIES[b]]), k as u64);
            }
        }
    }
}

/// The sum, over the last axis, of a matrix times a vector repeated: what is written without a product.
#[test]
fn a_sum_of_products_is_a_product() {
    let source = |by: &str| {
        format!(
            "evolute 0
program (v0: f64[30, 40], v1: f64[40]) -> (f64[30]) {{
  v2 = view f64[30, 40] v1 from 0 by [0, 1]
  v3 = mul {by}
  v4 = reduce sum f64[30] v3
  return v4
}}
"
        )
    };
    for by in ["v0, v2", "v2, v0"] {
        let program = program(&source(by));
        assert_eq!(products(&program), 1, "{}", plan(&program));
        check(&program, 3);
    }
    let squares = program(&source("v0, v0"));
    assert_eq!(products(&squares), 0, "{}", plan(&squares));
    check(&squares, 4);
}

#[test]
fn what_lies_backwards_is_a_nest() {
    let program = program(
        "evolute 0
program (v0: f64[30, 20], v1: f64[20, 1]) -> (f64[1, 30, 1]) {
  v2 = view f64[1, 30, 20] v0 from 599 by [0, -20, -1]
  v3 = view f64[1, 20, 1] v1 from 0 by [0, 1, 1]
  v4 = dot v2, v3
  return v4
}
",
    );
    assert_eq!(products(&program), 0, "{}", plan(&program));
    check(&program, 6);
}

/// A product in each iteration of a loop, and of what other functions computed.
#[test]
fn products_in_loops_and_pieces() {
    let program = program(
        "evolute 0
program (v0: f64[5, 16, 16], v1: f64[1, 16, 16]) -> (f64[1, 16, 16], f64[5, 1, 16, 16]) {
  v10, v11 = loop v1, v0 trips 5 carries 1 rows 1 sums 0 (v2: i64, v3: f64[1, 16, 16], v4: f64[16, 16]) {
    v5 = view f64[1, 16, 16] v4 from 0 by [0, 16, 1]
    v6 = dot v5, v3
    v7 = sin v6
    v8 = view f64[1, 16, 16] v7 from 0 by [0, 1, 16]
    v9 = dot v8, v6
    yield v7, v9
  }
  return v10, v11
}
",
    );
    assert_eq!(products(&program), 2, "{}", plan(&program));
    let mut random = Random(9);
    for chunk in [1, 7, 1000] {
        let options = CodegenOptions { verify: true, chunk, ..CodegenOptions::default() };
        check_with(&program, &inputs(&program, &mut random, false), &options);
    }
}

#[test]
fn the_plan_of_a_product() {
    let text = plan(&product([1, 8, 8, 8], [LIES[0]; 2]));
    let expected = "product with m3: for [8, 8] m0[8i + j] = sum [8] mul(m1[8i + k], m2[j + 8k])";
    assert!(text.contains(expected), "{text}");
}
