//! Long sums: lanes and segments, forwards and in reverse, in registers and in memory.

mod common;

use common::{check, check_with};
use evolute_codegen::{CodegenOptions, Plan};
use evolute_ir::{Buffer, Elem, Program, text, verify};

fn program(source: &str) -> Program {
    let program = text::parse(&format!("evolute 0\n{source}")).unwrap_or_else(|error| panic!("{error}"));
    verify(&program).unwrap_or_else(|error| panic!("{error}"));
    program
}

/// Numbers whose sum depends on the order.
fn numbers(elem: Elem, len: usize) -> Buffer {
    let x = |i: usize| ((i * 7919 % 1013) as f64 - 500.0) * 10f64.powi((i % 9) as i32 - 4);
    match elem {
        Elem::F64 => Buffer::F64((0..len).map(x).collect()),
        Elem::F32 => Buffer::F32((0..len).map(|i| x(i) as f32).collect()),
        Elem::I64 => Buffer::I64((0..len).map(|i| (i as i64).wrapping_mul(i64::MAX / 5)).collect()),
        Elem::Bool => Buffer::Bool((0..len).map(|i| i % 3 == 0).collect()),
    }
}

/// A loop over up to 1000 rows that adds them to a scalar and to elements of an array.
fn two_sums(trips: &str, elem: Elem, elements: usize) -> Program {
    let count = if trips == "counted" { "v0, " } else { "" };
    let reverse = |reverse: &str| format!("{trips} 1000{reverse}");
    let looped = |first: usize, trips: &str| {
        let v = |k: usize| format!("v{}", first + k);
        let [i, x, s, a, s1, e, at, a1, r, b] = std::array::from_fn(v);
        format!(
            "  {r}, {b} = loop {count}v3, v1, v2 {trips} carries 0 rows 1 sums 2 ({i}: i64, {x}: {elem}, {s}: {elem}, {a}: {elem}[{elements}]) {{
    {s1} = add_at {s}, {x}
    {e} = const {elements}:i64
    {at} = rem {i}, {e}
    {a1} = add_at {a}, {x}, {at}
    yield {s1}, {a1}
  }}\n"
        )
    };
    let (forwards, backwards) = (looped(4, &reverse("")), looped(14, &reverse(" reverse")));
    program(&format!(
        "program (v0: i64, v1: {elem}, v2: {elem}[{elements}], v3: {elem}[1000]) -> ({elem}, {elem}[{elements}], {elem}, {elem}[{elements}]) {{
{forwards}{backwards}  return v12, v13, v22, v23
}}\n"
    ))
}

#[test]
fn sums_of_loops() {
    for elem in [Elem::F64, Elem::F32, Elem::I64] {
        for elements in [1, 3, 16, 30, 60, 100] {
            let [start, array, rows] = [1, elements, 1000].map(|len| numbers(elem, len));
            let inputs = |count| [Buffer::I64(vec![count]), start.clone(), array.clone(), rows.clone()];
            check_with(&two_sums("trips", elem, elements), &inputs(0), &CodegenOptions::default());
            let counted = two_sums("counted", elem, elements);
            for count in [0, 1, 127, 128, 129, 256, 300, 513, 999, 1000, 1001] {
                check_with(&counted, &inputs(count), &CodegenOptions::default());
            }
        }
    }
}

#[test]
fn segments_cross_between_functions() {
    for elements in [3, 30, 60] {
        let program = two_sums("counted", Elem::F64, elements);
        let [start, array, rows] = [1, elements, 1000].map(|len| numbers(Elem::F64, len));
        check(&program, &[Buffer::I64(vec![777]), start, array, rows]);
    }
}

#[test]
fn a_plan_shows_segments() {
    let plan = |elements| {
        let program = two_sums("trips", Elem::F64, elements);
        Plan::new(&program, &CodegenOptions::default()).expect("plain").to_string()
    };
    let (lanes, memory) = (plan(16), plan(60));
    assert_eq!(lanes.matches("of 8 lanes").count(), 4, "{lanes}");
    assert_eq!(lanes.matches("segments of 128 to").count(), 4, "{lanes}");
    assert_eq!(memory.matches("of 1 lanes").count(), 2, "{memory}");
    assert_eq!(memory.matches("segments of 256").count(), 2, "{memory}");
    assert!(!plan(100).contains("segments of 512"));
}

#[test]
fn an_inner_sum_with_segments_adds_to_an_outer_one() {
    let source = "program (v0: f64[40], v1: f64[1000]) -> (f64[40]) {
  v11 = loop v0, v1 trips 5 carries 0 rows 0 sums 1 (v2: i64, v3: f64[40], v4: f64[1000]) {
    v10 = loop v4, v3, v2 trips 1000 carries 0 rows 1 sums 1 (v5: i64, v6: f64, v7: f64[40], v8: i64) {
      v9 = add_at v7, v6, v8
      yield v9
    }
    yield v10
  }
  return v11
}\n";
    check(&program(source), &[numbers(Elem::F64, 40), numbers(Elem::F64, 1000)]);
}

#[test]
fn a_while_has_segments_of_its_cap() {
    let source = "program (v0: f64, v1: i64) -> (i64, f64) {
  v10, v11 = loop v0, v1 while 600 carries 0 rows 0 sums 1 (v2: i64, v3: i64) {
    v4 = lt v2, v3
    yield v4
  } do (v5: i64, v6: f64, v7: i64) {
    v8 = cast f64 v5
    v9 = add_at v6, v8
    yield v9
  }
  return v10, v11
}\n";
    let program = program(source);
    for count in [0, 5, 128, 200, 256, 600, 601] {
        let inputs = [Buffer::F64(vec![0.1]), Buffer::I64(vec![count])];
        check_with(&program, &inputs, &CodegenOptions::default());
    }
}

#[test]
fn reductions() {
    for elem in [Elem::F64, Elem::F32, Elem::I64] {
        for len in [4095, 4096, 4097, 8192, 10_000] {
            let source = format!(
                "program (v0: {elem}[{len}]) -> ({elem}, {elem}) {{
  v1 = reduce sum {elem} v0
  v2 = reduce prod {elem} v0
  return v1, v2
}}\n"
            );
            check_with(&program(&source), &[numbers(elem, len)], &CodegenOptions::default());
        }
    }
}

#[test]
fn reductions_along_several_axes() {
    // The transpose of a part: its axes are not one stretch.
    let source = "program (v0: f64[200, 150]) -> (f64, f64[3]) {
  v1 = view f64[140, 190] v0 from 5 by [1, 150]
  v2 = reduce sum f64 v1
  v3 = view f64[3, 64, 128] v0 from 0 by [1, 2, 230]
  v4 = reduce sum f64[3] v3
  return v2, v4
}\n";
    check(&program(source), &[numbers(Elem::F64, 30_000)]);
}

#[test]
fn long_products_of_matrices() {
    let source = "program (v0: f64[1, 2, 5000], v1: f64[1, 5000, 2]) -> (f64[1, 2, 2]) {
  v2 = dot v0, v1
  return v2
}\n";
    check(&program(source), &[numbers(Elem::F64, 10_000), numbers(Elem::F64, 10_000)]);
}
