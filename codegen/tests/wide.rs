//! Two iterations, or two elements, at once: loops and nests of all lengths around a pair and a round of pairs, with
//! everything that may differ between the two.

mod common;

use common::{check, check_with};
use evolute_codegen::{CodegenOptions, Plan};
use evolute_ir::{Buffer, Program, text, verify};

fn program(source: &str) -> Program {
    let source = format!("evolute 0\n{}", numbered(source));
    let program = text::parse(&source).unwrap_or_else(|error| panic!("{error}\n{source}"));
    verify(&program).unwrap_or_else(|error| panic!("{error}"));
    program
}

/// The text with its values numbered as the text form wants them: in the order of their definitions, results of a loop
/// after its body.
fn numbered(source: &str) -> String {
    let mut order: Vec<&str> = Vec::new();
    let mut waiting: Vec<Vec<&str>> = Vec::new();
    for line in source.lines() {
        let line = line.trim();
        let (defined, rest) = line.split_once(" = ").unwrap_or(("", line));
        let results: Vec<&str> = defined.split(", ").filter(|name| !name.is_empty()).collect();
        let params = rest.split_once('(').map_or("", |(_, params)| params).split(", ");
        order.extend(params.filter_map(|param| param.trim_start().split_once(':')).map(|(name, _)| name));
        match line {
            "}" => order.extend(waiting.pop().unwrap_or_default()),
            _ if line.ends_with('{') => waiting.push(results),
            _ => order.extend(results),
        }
    }
    let mut text = source.to_string();
    for (number, name) in order.iter().enumerate() {
        text = replaced(&text, name, &format!("&{number}"));
    }
    text.replace("&", "v")
}

/// The text with a name replaced where it is a whole word.
fn replaced(text: &str, name: &str, by: &str) -> String {
    let mut parts = text.split(name);
    let mut result = parts.next().unwrap_or_default().to_string();
    for part in parts {
        result += if part.starts_with(|c: char| c.is_ascii_digit()) { name } else { by };
        result += part;
    }
    result
}

/// Numbers of many sizes and signs, with zeros of both and what is no number.
fn numbers(len: usize) -> Buffer {
    let special = [0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e-310];
    let x = |i: usize| match i % 29 {
        28 => special[i / 29 % special.len()],
        _ => ((i * 7919 % 1013) as f64 - 500.0) * 10f64.powi((i % 7) as i32 - 3),
    };
    Buffer::F64((0..len).map(x).collect())
}

fn plan(program: &Program) -> String {
    Plan::new(program, &CodegenOptions::default()).expect("a plain program").to_string()
}

/// With vectors and without, the interpreter's bits or failure; with vectors there are some.
fn check_wide(program: &Program, inputs: &[Buffer]) {
    assert!(plan(program).contains("×2"), "nothing is wide\n{}", plan(program));
    check_with(program, inputs, &CodegenOptions { vectors: false, ..CodegenOptions::default() });
    check(program, inputs);
}

/// A loop over rows `x` and `y` that gives, and sums, what `body` computes of them: `{r}`, of `{i}`, `{x}` and `{y}`.
fn loop_of(count: &str, body: &str) -> Program {
    let body = body.replace("{i}", "v6").replace("{x}", "v7").replace("{y}", "v8").replace("{r}", "v20");
    program(&format!(
        "program (v0: f64[40], v1: f64[41], v2: f64, v3: i64) -> (f64[40], f64) {{
  v4 = view f64[40] v1 from 1 by [1]
  v30, v31 = loop {count} carries 0 rows 2 sums 1 (v6: i64, v7: f64, v8: f64, v9: f64) {{
    {body}
    v21 = add_at v9, v20
    yield v20, v21
  }}
  return v30, v31
}}\n"
    ))
}

fn check_loops_of(body: &str) {
    let inputs = |count| [numbers(40), numbers(41), numbers(1), Buffer::I64(vec![count])];
    check_wide(&loop_of("v0, v4, v2 trips 40", body), &inputs(0));
    let counted = loop_of("v3, v0, v4, v2 counted 40", body);
    for count in [0, 1, 2, 3, 7, 8, 9, 10, 15, 16, 17, 39, 40, 41] {
        check_with(&counted, &inputs(count), &CodegenOptions::default());
    }
}

#[test]
fn operations_of_all_kinds() {
    for body in [
        "{r} = mul {x}, {y}",
        "v10 = const 3.0\n {r} = mul_add {x}, {y}, v10",
        "v10 = neg {x}\n v11 = abs {y}\n v12 = sqrt v11\n {r} = sub v10, v12",
        "v10 = recip {x}\n v11 = div {y}, {x}\n {r} = add v10, v11",
        "v10 = min {x}, {y}\n v11 = max {x}, {y}\n {r} = sub v10, v11",
        "v10 = relu {x}\n v11 = sign {y}\n {r} = add v10, v11",
        "v10 = floor {x}\n v11 = ceil {y}\n v12 = trunc {x}\n v13 = round {y}\n v14 = add v10, v11\n v15 = add v12, v13\n {r} = sub v14, v15",
        "v10 = copysign {x}, {y}\n v11 = rescale {y}\n {r} = add v10, v11",
        "v10 = exp {x}\n v11 = sin {y}\n {r} = mul v10, v11",
        "v10 = powf {x}, {y}\n v11 = hypot {x}, {y}\n {r} = add v10, v11",
        "v10 = log_sigmoid {x}\n {r} = rem v10, {y}",
        "v10 = lt {x}, {y}\n {r} = select v10, {y}, {x}",
        "v10 = lt {x}, {y}\n v11 = const 0.0\n v12 = eq {x}, v11\n v13 = or v10, v12\n v14 = not v13\n v15 = ne {y}, {y}\n v16 = xor v14, v15\n {r} = select v16, {x}, v11",
        "v10 = lt {x}, {y}\n {r} = cast f64 v10",
    ] {
        check_loops_of(body);
    }
}

#[test]
fn integers_that_differ() {
    for body in [
        "{r} = cast f64 {i}",
        "v10 = const 3:i64\n v11 = mul {i}, v10\n v12 = sub v11, v10\n v13 = cast f64 v12\n {r} = mul v13, {x}",
        "v10 = const 20:i64\n v11 = lt {i}, v10\n {r} = select v11, {x}, {y}",
        "v10 = lt {x}, {y}\n v11 = const 5:i64\n v12 = select v10, {i}, v11\n v13 = cast f64 v12\n {r} = add v13, {y}",
        "v10 = cast i64 {x}\n v11 = powi {y}, v10\n {r} = add v11, {x}",
    ] {
        check_loops_of(body);
    }
}

/// Reads at computed indices, checked and unchecked, and additions to the places that they name, often the same twice.
#[test]
fn computed_indices() {
    let source = "program (v0: i64[40], v1: f64[10], v2: f64[10, 3], v3: f64[10, 3]) -> (f64[40], f64[10, 3]) {
  v20, v21 = loop v0, v3, v1, v2 trips 40 carries 0 rows 1 sums 1 (v4: i64, v5: i64, v6: f64[10, 3], v7: f64[10], v8: f64[10, 3]) {
    v9 = at v7, v5
    v10 = at v8, v5
    v11 = view f64[3] v9 from 0 by [0]
    v12 = mul v11, v10
    v13 = add_at v6, v12, v5
    v14 = reduce sum f64 v12
    yield v14, v13
  }
  return v20, v21
}\n";
    let program = program(source);
    let indices = |bad: Option<usize>| {
        let mut indices: Vec<i64> = (0..40).map(|i| (i / 2 * 7 + i % 3) % 10).collect();
        bad.into_iter().for_each(|place| indices[place] = 10);
        Buffer::I64(indices)
    };
    check_wide(&program, &[indices(None), numbers(10), numbers(30), numbers(30)]);
    for bad in [0, 1, 2, 3, 17, 38, 39] {
        check(&program, &[indices(Some(bad)), numbers(10), numbers(30), numbers(30)]);
    }
}

/// Of two checks in one iteration, and of the same in two, the first that fails in order is reported.
#[test]
fn the_first_failure_in_order() {
    let source = "program (v0: i64[40], v1: i64[40], v2: f64[5]) -> (f64[40]) {
  v20 = loop v0, v1, v2 trips 40 carries 0 rows 2 sums 0 (v4: i64, v5: i64, v6: i64, v7: f64[5]) {
    v9 = at v7, v5 @\"first.rs\":1
    v10 = at v7, v6 @\"second.rs\":2
    v11 = add v9, v10
    yield v11
  }
  return v20
}\n";
    let program = program(source);
    let indices = |bad: usize| Buffer::I64((0..40).map(|i| if i == bad { -1 } else { 3 }).collect());
    for (first, second) in [(0, 1), (1, 0), (2, 2), (8, 7), (7, 8), (39, 38), (38, 39), (99, 39), (99, 99)] {
        check_wide(&program, &[indices(first), indices(second), numbers(5)]);
    }
}

/// Arrays that an iteration has to itself, in registers and in memory, and loops within it.
#[test]
fn arrays_and_loops_within() {
    for (len, inner) in [(3, 3), (5, 20), (20, 5), (20, 20)] {
        let source = format!(
            "program (v0: f64[30, {len}], v1: f64[{inner}, {len}], v2: f64[{inner}, {len}]) -> (f64[30, {len}], f64[{inner}, {len}], f64) {{
  v3 = const 0.0
  v40, v41, v42 = loop v0, v2, v3, v1 trips 30 carries 0 rows 1 sums 2 (v4: i64, v5: f64[{len}], v6: f64[{inner}, {len}], v7: f64, v8: f64[{inner}, {len}]) {{
    v9 = const 0.5
    v10 = view f64[{len}] v9 from 0 by [0]
    v11 = const 0.0
    v30, v31, v32 = loop v10, v8, v6, v11, v5 trips {inner} carries 1 rows 1 sums 2 (v12: i64, v13: f64[{len}], v14: f64[{len}], v15: f64[{inner}, {len}], v16: f64, v17: f64[{len}]) {{
      v18 = mul v13, v14
      v19 = add v18, v17
      v20 = add_at v15, v19, v12
      v21 = reduce sum f64 v19
      v22 = add_at v16, v21
      yield v19, v20, v22
    }}
    v33 = reduce max f64 v30
    v34 = add v32, v33
    v35 = add_at v7, v34
    yield v30, v31, v35
  }}
  return v40, v41, v42
}}\n"
        );
        let program = program(&source);
        check_wide(&program, &[numbers(30 * len), numbers(inner * len), numbers(inner * len)]);
    }
}

/// Of nested loops the inner one is wide if it goes through arrays element by element, but not if it has carries.
#[test]
fn a_loop_around_a_scan() {
    let source = "program (v0: f64[30, 20], v1: f64) -> (f64[30]) {
  v20 = loop v0, v1 trips 30 carries 0 rows 1 sums 0 (v2: i64, v3: f64[20], v4: f64) {
    v15 = loop v4, v3 trips 20 carries 1 rows 1 sums 0 (v5: i64, v6: f64, v7: f64) {
      v8 = mul v6, v7
      v9 = add v8, v7
      yield v9
    }
    yield v15
  }
  return v20
}\n";
    let program = program(source);
    assert!(plan(&program).contains("loop v2 30 by"), "{}", plan(&program));
    check_wide(&program, &[numbers(600), numbers(1)]);
}

/// Nests along contiguous, strided and repeated axes, stored, added and reduced.
#[test]
fn nests() {
    for n in [9, 17, 18, 23, 24, 31, 33] {
        for m in [1, 2, 3, 7, 8, 17].into_iter().filter(|m| m * n > 16) {
            let source = format!(
                "program (v0: f64[{m}, {n}], v1: f64[{n}], v2: f64[{n}, {m}], v3: f64) -> (f64[{m}, {n}], f64[{n}], f64[{m}], f64[{n}], f64, f64[{n}, {m}]) {{
  v4 = view f64[{m}, {n}] v1 from 0 by [0, 1]
  v5 = view f64[{m}, {n}] v2 from 0 by [1, {m}]
  v6 = mul v0, v4
  v7 = add v6, v5
  v8 = view f64[{n}, {m}] v7 from 0 by [1, {n}]
  v9 = reduce sum f64[{n}] v8
  v10 = reduce sum f64[{m}] v7
  v11 = reduce max f64[{n}] v8
  v12 = reduce prod f64 v1
  v13 = view f64[{n}, {m}] v3 from 0 by [0, 0]
  v14 = lt v8, v13
  v15 = select v14, v8, v13
  return v7, v9, v10, v11, v12, v15
}}\n"
            );
            check_wide(&program(&source), &[numbers(m * n), numbers(n), numbers(n * m), numbers(1)]);
        }
    }
}

/// Kernels in blocks: stored, added and summed, their arguments in memory or computed, along axes of all lengths.
#[test]
fn kernels_in_blocks() {
    for (m, n) in [(1, 17), (3, 9), (7, 40), (40, 7), (2, 513), (1, 1024), (1, 1300), (130, 4)] {
        let source = format!(
            "program (v0: f64[{m}, {n}], v1: f64[{n}], v2: f64[{n}, {m}]) -> (f64[{m}, {n}], f64[{m}, {n}], f64[{n}, {m}], f64[{m}], f64[{n}]) {{
  v3 = exp v0
  v4 = view f64[{m}, {n}] v1 from 0 by [0, 1]
  v5 = mul v0, v4
  v6 = tanh v5
  v7 = sin v6
  v8 = mul v7, v0
  v9 = view f64[{m}, {n}] v2 from 0 by [1, {m}]
  v10 = sub v9, v0
  v11 = sigmoid v10
  v12 = view f64[{n}, {m}] v11 from 0 by [1, {n}]
  v13 = cos v5
  v14 = reduce sum f64[{m}] v13
  v15 = view f64[{n}, {m}] v8 from 0 by [1, {n}]
  v16 = softplus v15
  v17 = reduce sum f64[{n}] v16
  return v3, v8, v12, v14, v17
}}\n"
        );
        let program = program(&source);
        assert!(plan(&program).contains("Exp of"), "{}", plan(&program));
        check_wide(&program, &[numbers(m * n), numbers(n), numbers(n * m)]);
    }
}

/// Sums of kernels over more than a segment, and products.
#[test]
fn long_sums_of_kernels() {
    for len in [4095, 4096, 4097, 8192, 9001] {
        let source = format!(
            "program (v0: f64[{len}], v1: f64[{len}]) -> (f64, f64) {{
  v2 = mul v0, v1
  v3 = tanh v2
  v4 = reduce sum f64 v3
  v5 = cos v0
  v6 = reduce prod f64 v5
  return v4, v6
}}\n"
        );
        check_wide(&program(&source), &[numbers(len), numbers(len)]);
    }
}

/// In place of an operand that is read for the argument, and in a loop that is wide itself.
#[test]
fn kernels_in_place_and_in_loops() {
    let source = "program (v0: f64[20, 30], v1: f64[30]) -> (f64[20], f64[20, 30]) {
  v20, v21 = loop v0, v1 trips 20 carries 0 rows 1 sums 0 (v2: i64, v3: f64[30], v4: f64[30]) {
    v5 = mul v3, v4
    v6 = exp v5
    v7 = sin v6
    v8 = mul v7, v5
    v9 = reduce sum f64 v8
    v10 = tanh v5
    v11 = cosh v10
    v16 = view f64[30] v9 from 0 by [0]
    v12 = mul v11, v16
    v13 = expm1 v9
    v14 = view f64[30] v13 from 0 by [0]
    v15 = add v12, v14
    yield v9, v15
  }
  return v20, v21
}\n";
    let program = program(source);
    let plan = plan(&program);
    assert!(plan.contains("loop v2 20 by") && plan.contains("Sin of 30"), "{plan}");
    check_wide(&program, &[numbers(600), numbers(30)]);
}

/// Sums of more terms than a segment has.
#[test]
fn long_reductions() {
    for len in [4095, 4096, 4097, 8192, 9001] {
        let source = format!(
            "program (v0: f64[{len}], v1: f64[{len}]) -> (f64) {{
  v2 = mul v0, v1
  v3 = reduce sum f64 v2
  return v3
}}\n"
        );
        check_wide(&program(&source), &[numbers(len), numbers(len)]);
    }
}

/// What iterations add to the same elements of a sum in memory comes there in their order: from several steps of an
/// iteration, and by an inner loop to windows that overlap.
#[test]
fn sums_in_memory_are_in_order() {
    let sum = |body: &str| {
        program(&format!(
            "program (v0: f64[30, 4], v1: f64[33], v2: f64[33]) -> (f64[33]) {{
  v40 = loop v0, v1, v2 trips 30 carries 0 rows 1 sums 1 (v3: i64, v4: f64[4], v5: f64[33], v6: f64[33]) {{
    {body}
    yield v39
  }}
  return v40
}}\n"
        ))
    };
    let bodies = [
        "v7 = element v4, 0\n v8 = element v4, 1\n v9 = const 1:i64\n v10 = add v3, v9\n v11 = add_at v5, v7, v3\n v39 = add_at v11, v8, v10",
        "v7 = element v4, 0\n v8 = view f64[33] v7 from 0 by [0]\n v9 = mul v8, v6\n v10 = add_at v5, v9\n v39 = add_at v10, v8",
        "v39 = loop v4, v5, v3 trips 4 carries 0 rows 1 sums 1 (v7: i64, v8: f64, v9: f64[33], v10: i64) {
      v11 = add v7, v10
      v12 = add_at v9, v8, v11
      yield v12
    }",
        "v39 = loop v4, v5 trips 4 carries 0 rows 1 sums 1 (v7: i64, v8: f64, v9: f64[33]) {
      v12 = add_at v9, v8, v7
      yield v12
    }",
    ];
    for body in bodies {
        check(&sum(body), &[numbers(120), numbers(33), numbers(33)]);
    }
    assert!(plan(&sum(bodies[3])).contains("×2"));
}
