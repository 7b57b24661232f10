//! Question: what does a Hessian-vector product of each workload cost to make and to call, alone and with value and
//! gradient in one program, and what of that depends on the size? Baseline: the same workload 10 and 100 times
//! smaller; `benches/peers/jax_hvp.py` beside it. Unit: as each column says; the best of several runs.
//!
//! `cargo bench --bench scaling [-- filter]` prints Markdown.

#[path = "../tests/workloads/cases/mod.rs"]
mod cases;

use cases::workload::Measured;
use cases::{Case, known, scaled};
use evolute::prelude::*;
use std::time::Instant;

/// How long one call is timed, in seconds.
const PATIENCE: f64 = 0.3;

fn main() {
    let filter = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    println!(
        "| HVP | trace, differentiate, simplify, contract, compile: ms | instructions | code, bytes | workspace, bytes | a call, µs | value_grad_hvp, µs | ÷ HVP |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    let cases = known().into_iter().chain(scaled(1)).chain(scaled(10)).chain(scaled(100));
    cases.filter(|case| case.name().contains(&filter)).for_each(|case| row(&*case));
}

fn row(case: &dyn Case) {
    let trace = best(|| case.trace().expect("a workload traces"));
    let Measured { report, instructions, mut call } = made(case);
    let call = best(&mut call) * 1e6;
    let all = best(case.value_grad_hvp(&Options::default()).expect("a workload compiles")) * 1e6;
    let passes = report.passes.iter().map(|&(_, _, time)| time).chain([report.codegen]);
    let passes: Vec<f64> = passes.map(|time| time.as_secs_f64() * 1e3).collect();
    let total = trace * 1e3 + passes.iter().sum::<f64>();
    let parts: Vec<String> = passes.iter().map(|ms| format!("{ms:.2}")).collect();
    println!(
        "| {} | {total:.1} = {:.2} + {} | {instructions} | {} | {} | {call:.1} | {all:.1} | {:.2} |",
        case.name(),
        trace * 1e3,
        parts.join(" + "),
        report.code_bytes,
        report.workspace_bytes,
        all / call,
    );
}

/// The one of several that was made fastest.
fn made(case: &dyn Case) -> Measured {
    let time =
        |made: &Measured| made.report.codegen + made.report.passes.iter().map(|(_, _, time)| *time).sum();
    let all = (0..3).map(|_| case.hvp(&Options::default()).expect("a workload compiles"));
    all.min_by_key(time).expect("there are several")
}

/// Seconds.
fn best(mut f: impl FnMut()) -> f64 {
    let (start, mut best) = (Instant::now(), f64::INFINITY);
    while start.elapsed().as_secs_f64() < PATIENCE {
        let start = Instant::now();
        f();
        best = best.min(start.elapsed().as_secs_f64());
    }
    best
}
