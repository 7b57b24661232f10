//! Dense linear algebra: native code against the interpreter, bit for bit, in every mode and at many sizes.

mod common;

use common::{Random, check, check_with};
use evolute_codegen::{CodegenOptions, Plan, compile};
use evolute_ir::{Buffer, Program, text, verify};
use evolute_transforms::derive;
use evolute_transforms::pipeline::{Options, Pipeline};
use std::path::Path;

fn program(source: &str) -> Program {
    let program = text::parse(source).unwrap_or_else(|error| panic!("{error}\n{source}"));
    verify(&program).expect("well typed");
    program
}

/// A program, its tangents, its cotangents, and four second derivatives.
fn derivatives(program: &Program) -> Vec<Program> {
    let wrt: Vec<usize> = (0..program.param_types().len()).collect();
    let [jvp, vjp] = [derive::jvp, derive::vjp].map(|mode| mode(program, &wrt, None).expect("real"));
    let second = [&jvp, &vjp]
        .into_iter()
        .flat_map(|first| [derive::jvp, derive::vjp].map(|mode| mode(first, &wrt, None).expect("real")));
    let second: Vec<Program> = second.collect();
    let all = [&[program.clone(), jvp, vjp], &second[..]].concat();
    let ready = |program| Pipeline::new(Options::default()).run(program).expect("small");
    all.iter().map(ready).collect()
}

fn inputs(program: &Program, random: &mut Random) -> Vec<Buffer> {
    let array = |ty: &evolute_ir::Type| Buffer::F64((0..ty.shape.len()).map(|_| random.real()).collect());
    program.param_types().iter().map(array).collect()
}

#[test]
fn the_structures_of_transforms() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../transforms/tests/structures");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if !path.file_stem().is_some_and(|name| name.to_string_lossy().starts_with("linalg")) {
            continue;
        }
        let mut random = Random(17);
        for ready in derivatives(&program(&std::fs::read_to_string(&path).expect("a text"))) {
            check(&ready, &inputs(&ready, &mut random));
        }
        count += 1;
    }
    assert!(count >= 8, "found only {count}");
}

/// All instructions on matrices of `n` rows.
fn every_instruction(n: usize) -> Program {
    let text = "evolute 0
program (v0: f64[N, N], v1: f64[N, 3]) -> (f64[N, N], f64[N, 3], f64[N, 3], f64, f64, f64, f64[N], f64[N, N], f64[N, N], f64[N, N]) {
  v2 = const SCALE
  v3 = view f64[N] v2 from 0 by [0]
  v4 = spread f64[N, N] v3 from 0 by [STEP]
  v5 = add v0, v4
  v6 = cholesky v5
  v7 = solve_lower v6, v1
  v8 = lu v5
  v9 = lu_solve v5, v8, v7
  v10 = lu_solve_transposed v5, v8, v1
  v11 = det v5, v8
  v12 = log_det v5, v8
  v13 = det_sign v8
  v14 = eigen v5
  v15 = eigenvalues v5, v14
  v16 = eigenvectors v5, v14
  v17 = qr v5
  v18 = qr_q v5, v17
  v19 = qr_r v5, v17
  return v6, v9, v10, v11, v12, v13, v15, v16, v18, v19
}
";
    let scale = format!("{}.0", 2 * n + 1);
    program(&text.replace('N', &n.to_string()).replace("SCALE", &scale).replace("STEP", &(n + 1).to_string()))
}

#[test]
fn sizes() {
    let mut random = Random(23);
    for n in [1, 2, 3, 7, 33] {
        for ready in derivatives(&every_instruction(n)) {
            check_with(&ready, &inputs(&ready, &mut random), &CodegenOptions::default());
        }
    }
    let large = every_instruction(100);
    check_with(&large, &inputs(&large, &mut random), &CodegenOptions::default());
}

#[test]
fn matrices_without_elements() {
    let text = "evolute 0
program (v0: f64[0, 0], v1: f64[0, 2], v2: f64[3, 0], v3: f64[1, 1], v4: f64[1, 0]) -> (f64[0, 0], f64[0, 2], f64, f64, f64, f64[3, 0], f64[1, 0]) {
  v5 = cholesky v0
  v6 = solve_upper v5, v1
  v7 = lu v0
  v8 = det v0, v7
  v9 = log_det v0, v7
  v10 = det_sign v7
  v11 = qr v2
  v12 = qr_q v2, v11
  v13 = lu v3
  v14 = lu_solve v3, v13, v4
  return v5, v6, v8, v9, v10, v12, v14
}
";
    for ready in derivatives(&program(text)) {
        check(&ready, &inputs(&ready, &mut Random(1)));
    }
}

/// NaNs and infinities of what has no factorisation are the same too.
#[test]
fn bad_matrices() {
    let bad = [f64::NAN, f64::INFINITY, 0.0, -1.0];
    for ready in derivatives(&every_instruction(3)) {
        for x in bad {
            let fill = |ty: &evolute_ir::Type| Buffer::F64(vec![x; ty.shape.len()]);
            let inputs: Vec<Buffer> = ready.param_types().iter().map(fill).collect();
            check_with(&ready, &inputs, &CodegenOptions::default());
        }
    }
}

/// What the library needs is part of the workspace, and what is made of a factorisation is a view of it.
#[test]
fn the_plan_of_a_solve() {
    let solve = program(
        "evolute 0
program (v0: f64[4, 4], v1: f64[4, 1]) -> (f64[4, 1], f64[4]) {
  v2 = lu v0
  v3 = lu_solve v0, v2, v1
  v4 = eigen v0
  v5 = eigenvalues v0, v4
  return v3, v5
}
",
    );
    let plan = Plan::new(&solve, &CodegenOptions::default()).expect("plain").to_string();
    for call in ["= Lu [4, 4] m2", "= LuSolve [4, 1]", "= Eigen [4, 4] m2"] {
        assert_eq!(plan.matches(call).count(), 1, "{call}\n{plan}");
    }
    let code = compile(&solve, &CodegenOptions::default()).expect("compiles");
    let needed = evolute_kernels::Dense::Eigen.scratch_len([4, 4]) * size_of::<f64>();
    assert!(code.workspace_bytes() >= needed, "{plan}");
}
