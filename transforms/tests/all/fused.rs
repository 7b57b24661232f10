//! What joining loops, hoisting and sharing keep: every bit.

use crate::random_structures::program;
use crate::structures::{Case, Rng};
use evolute_ir::{Op, Program, text};
use evolute_transforms::{FpMode, Options, Pipeline, derive};
use std::path::Path;

fn loops(program: &Program) -> usize {
    program.insts().values().filter(|inst| matches!(inst.op, Op::Loop { .. })).count()
}

/// Compares values and cotangents of a function with and without the passes of `Strict`; gives how many loops these
/// have joined or removed.
fn compare(name: &str, case: &Case, rng: &mut Rng) -> usize {
    let vjp = derive::vjp(&case.program, &case.wrt, None).expect("real results");
    let [x, seeds] = [case.program.param_types(), case.program.result_types()].map(|types| rng.point(&types));
    let [(plain, expected), (strict, found)] = [false, true].map(|simplify| {
        let options = Options { fp: FpMode::Strict, simplify, ..Options::default() };
        let ready = Pipeline::new(options).run(&vjp).expect("small");
        let bits = |values: Vec<f64>| values.into_iter().map(f64::to_bits).collect::<Vec<u64>>();
        let values = case.eval(&vjp, options, &x, &[&seeds]);
        (loops(&ready), values.into_iter().map(bits).collect::<Vec<_>>())
    });
    assert_eq!(expected, found, "{name}\n{vjp}");
    plain.saturating_sub(strict)
}

#[test]
fn strict_passes_keep_every_bit() {
    for seed in 1..300 {
        let rng = &mut Rng::new(seed);
        let case = Case::new(program(rng).expect("small"));
        compare(&format!("seed {seed}"), &case, rng);
    }
}

#[test]
fn strict_passes_keep_every_bit_of_joined_loops() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/structures");
    let mut joined = 0;
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let program = text::parse(&std::fs::read_to_string(&path).expect("a text")).expect("a program");
        joined += compare(&path.display().to_string(), &Case::new(program), &mut Rng::new(7));
    }
    assert!(joined >= 5, "only {joined} loops joined");
}
