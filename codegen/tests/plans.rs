//! What plans say: read from their printed form.

use evolute_codegen::{CodegenOptions, Plan};
use evolute_ir::text;

fn plan(program: &str) -> String {
    let program = text::parse(program).expect("a program");
    Plan::new(&program, &CodegenOptions::default()).expect("no operators").to_string()
}

/// The squares of the numbers below `n`, of which `use_of_it` makes results.
fn squares(results: &str, use_of_it: &str) -> String {
    plan(&format!(
        "evolute 0
program (v0: i64) -> {results} {{
  v1 = const 0:i64
  v4 = loop v0 counted 1000 carries 0 rows 0 sums 0 (v2: i64) {{
    v3 = mul v2, v2
    yield v3
  }}
  {use_of_it}
}}
"
    ))
}

#[test]
fn rows_that_only_loops_of_as_many_iterations_read_need_no_zeros_behind_them() {
    let summed =
        "v9 = loop v0, v1, v4 counted 1000 reverse carries 1 rows 1 sums 0 (v5: i64, v6: i64, v7: i64) {
    v8 = add v6, v7
    yield v8
  }
  return v9";
    assert!(!squares("(i64)", summed).contains("rest of"), "{}", squares("(i64)", summed));
    assert!(squares("(i64[1000])", "return v4").contains("rest of m0 = 0"));
}

#[test]
fn rows_that_loops_of_other_numbers_of_iterations_read_are_followed_by_zeros() {
    let summed = "v9 = loop v1, v4 trips 1000 carries 1 rows 1 sums 0 (v5: i64, v6: i64, v7: i64) {
    v8 = add v6, v7
    yield v8
  }
  return v9";
    assert!(squares("(i64)", summed).contains("rest of"));
}

/// A loop whose state has three elements, one of which `use_of_it` makes the first of the next.
fn turned(use_of_it: &str) -> String {
    plan(&format!(
        "evolute 0
program (v0: f64[3], v1: i64) -> (f64[3]) {{
  v9 = loop v0, v1 trips 1000 carries 1 rows 0 sums 0 (v2: i64, v3: f64[3], v4: i64) {{
    v5 = {use_of_it}
    v6 = sin v3
    v7 = view f64[3] v5 from 0 by [0]
    v8 = mul v6, v7
    yield v8
  }}
  return v9
}}
"
    ))
}

#[test]
fn small_arrays_need_no_memory() {
    let plan = turned("element v3, 2");
    assert!(plan.contains("3 memories, 0 bytes of workspace"), "{plan}");
}

#[test]
fn small_arrays_read_at_computed_indices_are_in_memory() {
    let plan = turned("at v3, v4");
    assert!(plan.contains("m3, m4 in m0"), "{plan}");
}
