//! Loops that add what they would stack to be added.

use evolute_ir::{Buffer, Interpreter, Program, text, verify};
use evolute_transforms::{FpMode, Options, Pipeline};

/// An inner loop of rows that are added to the outer loop's sum of `elements` numbers, in twenty rows.
fn program(trips: &str, elements: usize) -> Program {
    let (rows, row) = (format!("f64[20, {elements}]"), format!("f64[{elements}]"));
    let source = format!(
        "evolute 0
program (v0: {rows}, v1: f64[5], v2: i64, v3: {rows}) -> ({rows}) {{
  v16 = loop v1, v0, v3, v2 trips 5 carries 0 rows 1 sums 1 (v4: i64, v5: f64, v6: {rows}, v7: {rows}, v8: i64) {{
    v14 = loop {trips} (v9: i64, v10: {row}, v11: f64) {{
      v12 = view {row} v11 from 0 by [0]
      v13 = mul v10, v12
      yield v13
    }}
    v15 = add_at v6, v14
    yield v15
  }}
  return v16
}}\n"
    );
    let program = text::parse(&source).unwrap_or_else(|error| panic!("{error}\n{source}"));
    verify(&program).unwrap_or_else(|error| panic!("{error}"));
    program
}

fn ready(program: &Program, fp: FpMode) -> Program {
    Pipeline::new(Options { fp, fma: false, ..Options::default() }).run(program).expect("small")
}

fn evaluated(program: &Program, elements: usize, count: i64) -> Vec<Buffer> {
    let numbers = |seed: usize, len: usize| {
        Buffer::F64((0..len).map(|i| ((i * 37 + seed) % 101) as f64 / 7.0 - 5.0).collect())
    };
    let inputs =
        [numbers(1, 20 * elements), numbers(2, 5), Buffer::I64(vec![count]), numbers(3, 20 * elements)];
    Interpreter::new(program).expect("no operators").eval(&inputs).expect("no failure")
}

#[test]
fn rows_are_added_by_the_loop() {
    for (trips, fp, adds) in [
        ("v7, v5 trips 20 carries 0 rows 1 sums 0", FpMode::Strict, true),
        ("v7, v5 trips 20 carries 0 rows 1 sums 0", FpMode::Contract, true),
        ("v8, v7, v5 counted 20 carries 0 rows 1 sums 0", FpMode::Strict, false),
        ("v8, v7, v5 counted 20 carries 0 rows 1 sums 0", FpMode::Contract, true),
    ] {
        for elements in [1, 3] {
            let program = program(trips, elements);
            let ready = ready(&program, fp);
            let inner = ready.to_string().matches(" sums 1").count();
            assert_eq!(inner, if adds { 2 } else { 1 }, "{trips}\n{ready}");
            for count in [0, 7, 20] {
                assert_eq!(evaluated(&ready, elements, count), evaluated(&program, elements, count));
            }
        }
    }
}
