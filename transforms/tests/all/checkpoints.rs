//! Loops with checkpoints against the same loops without: where reverse mode is taken once, in any nesting, no bit
//! changes. Where it is taken of itself, what was computed again has a cotangent of its own, added to the first one's.

use crate::random_structures;
use crate::structures::{Case, Point, Rng};
use evolute_ir::{Program, text};
use evolute_transforms::pipeline::Options;
use evolute_transforms::{FpMode, derive};

/// The same program without checkpoints.
fn without(program: &Program) -> Program {
    let mut source = String::new();
    for line in program.to_string().lines() {
        let cut = line.split_once(" checkpoint ").map(|(before, after)| {
            let (_, rest) = after.split_once(" (").expect("the parameters");
            format!("{before} ({rest}")
        });
        source.push_str(&cut.unwrap_or_else(|| line.into()));
        source.push('\n');
    }
    text::parse(&source).expect("a program")
}

/// Derivatives to third order, each with what seeds it takes beside the point.
fn derivatives(f: &Program, wrt: &[usize], rng: &mut Rng) -> Vec<(&'static str, Program, Vec<Point>)> {
    let [v, u] = [0, 1].map(|_| rng.point(&f.param_types()));
    let [w, z] = [0, 1].map(|_| rng.point(&f.result_types()));
    let jvp = |f: &Program| derive::jvp(f, wrt, None).expect("real");
    let vjp = |f: &Program| derive::vjp(f, wrt, None).expect("real");
    let (forward, reverse) = (jvp(f), vjp(f));
    let second = jvp(&reverse);
    vec![
        ("forward", forward.clone(), vec![v.clone()]),
        ("reverse", reverse.clone(), vec![w.clone()]),
        ("forward over forward", jvp(&forward), vec![v.clone(), u.clone()]),
        ("forward over reverse", second.clone(), vec![w.clone(), v.clone()]),
        ("reverse over forward", vjp(&forward), vec![v.clone(), z.clone(), w.clone()]),
        ("reverse over reverse", vjp(&reverse), vec![w.clone(), z.clone(), v.clone()]),
        ("third order", vjp(&second), vec![w.clone(), v.clone(), z.clone(), u.clone(), w, v]),
    ]
}

fn same(found: f64, expected: f64) -> bool {
    found.to_bits() == expected.to_bits() || (found.is_nan() && expected.is_nan())
}

fn close(found: f64, expected: f64) -> bool {
    same(found, expected) || (found - expected).abs() <= 1e-12 * expected.abs().max(1.0)
}

fn check_bits(name: &str, program: Program, options: Options, seed: u64) {
    let plain = Case::new(without(&program));
    let case = Case::new(program);
    let x = Rng::new(seed).point(&case.program.param_types());
    let all = |case: &Case| derivatives(&case.program, &case.wrt, &mut Rng::new(seed + 1));
    for ((what, found, seeds), (_, expected, _)) in all(&case).into_iter().zip(all(&plain)) {
        let seeds: Vec<&Point> = seeds.iter().collect();
        let (f, e) = (case.eval(&found, options, &x, &seeds), plain.eval(&expected, options, &x, &seeds));
        let once = !matches!(what, "reverse over reverse" | "third order");
        let agrees = f
            .iter()
            .flatten()
            .zip(e.iter().flatten())
            .all(|(&f, &e)| if once { same(f, e) } else { close(f, e) });
        assert!(agrees, "{name} {options:?}: {what}: found {f:?}, expected {e:?}");
    }
}

const MODES: [Options; 3] = [
    Options { fp: FpMode::Strict, simplify: false, fma: true, checked_indices: true },
    Options { fp: FpMode::Strict, simplify: true, fma: true, checked_indices: true },
    Options { fp: FpMode::Contract, simplify: true, fma: true, checked_indices: true },
];

/// A loop of up to `cap` iterations with everything: carries of both kinds, a row, a stack, an ordered sum, what it
/// captures, and its iteration number.
fn everything(word: &str, cap: u32, direction: &str, checkpoint: &str) -> Program {
    let count = if word == "counted" { "v0, " } else { "" };
    let source = format!(
        "evolute 0
program (v0: i64, v1: f64, v2: f64[2], v3: f64[2], v4: f64[{cap}], v5: f64) -> (f64, f64[2], f64[{cap}], f64[2]) {{
  v23, v24, v25, v26 = loop {count}v1, v2, v4, v3, v5 {word} {cap}{direction} carries 2 rows 1 sums 1 ordered checkpoint {checkpoint} (v6: i64, v7: f64, v8: f64[2], v9: f64, v10: f64[2], v11: f64) {{
    v12 = cast f64 v6
    v13 = mul v12, v11
    v14 = element v8, 0
    v15 = mul v9, v14
    v16 = add v15, v13
    v17 = sin v16
    v18 = mul v17, v7
    v19 = cos v8
    v20 = const 2:i64
    v21 = rem v6, v20
    v22 = add_at v10, v17, v21
    yield v18, v19, v16, v22
  }}
  return v23, v24, v25, v26
}}
"
    );
    text::parse(&source).unwrap_or_else(|error| panic!("{error}\n{source}"))
}

/// A `while` that stops by its iteration number and by its carry.
fn while_loop(cap: u32, checkpoint: &str) -> Program {
    let source = format!(
        "evolute 0
program (v0: i64, v1: f64, v2: f64) -> (f64, f64, f64[{cap}]) {{
  v17, v18, v19 = loop v1, v0, v2 while {cap} carries 1 rows 0 sums 0 checkpoint {checkpoint} (v3: i64, v4: f64, v5: i64, v6: f64) {{
    v7 = const 20.0
    v8 = lt v4, v7
    v9 = lt v3, v5
    v10 = and v8, v9
    yield v10
  }} do (v11: i64, v12: f64, v13: i64, v14: f64) {{
    v15 = mul v12, v14
    v16 = add v15, v14
    yield v16, v15
  }}
  v20 = cast f64 v17
  return v20, v18, v19
}}
"
    );
    text::parse(&source).unwrap_or_else(|error| panic!("{error}\n{source}"))
}

const CHECKPOINTS: [&str; 6] =
    ["sqrt", "segments 0", "segments 4", "segments 100", "memory 100000", "memory 3456"];

#[test]
fn of_loops_with_everything() {
    for (word, cap) in [("trips", 24), ("trips", 23), ("counted", 24), ("counted", 23), ("counted", 2)] {
        for direction in ["", " reverse"] {
            for checkpoint in CHECKPOINTS {
                for options in MODES {
                    let program = everything(word, cap, direction, checkpoint);
                    check_bits(&format!("{word} {cap}{direction} {checkpoint}"), program, options, 5);
                }
            }
        }
    }
}

#[test]
fn of_whiles() {
    for cap in [24, 23, 5, 2] {
        for checkpoint in CHECKPOINTS {
            for options in MODES {
                check_bits(&format!("while {cap} {checkpoint}"), while_loop(cap, checkpoint), options, 11);
            }
        }
    }
}

#[test]
fn of_random_structures() {
    let count = std::env::var("EVOLUTE_STRUCTURES").map_or(60, |n| n.parse().expect("a number"));
    let first = std::env::var("EVOLUTE_SEED").map_or(1, |n| n.parse().expect("a number"));
    let mut found = 0;
    for seed in first..first + count {
        let program = random_structures::program(&mut Rng::new(seed)).expect("small");
        found += usize::from(program.to_string().contains(" checkpoint "));
        check_bits(&format!("seed {seed}\n{program}"), program, MODES[seed as usize % 3], seed);
    }
    assert!(found as u64 * 3 > count, "only {found} programs have checkpoints");
}
