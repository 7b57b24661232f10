//! Question: what are the figures of the README's table on this machine?
//! Baseline: hand-written Rust, timed in turn with the compiled code. Unit: as each row says; medians of
//! warm runs. A machine that does other things shows it in the spread, printed beside each median as the
//! distance between the quartiles.
//!
//! `cargo bench --bench table` prints Markdown; on a machine of several cores, pin it: `taskset -c 1 …`.

mod common;
mod hand;
mod workloads;

use common::*;
use evolute::prelude::*;
use evolute::{Compiled, Scalars};
use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

/// The argument with which this program runs itself, to compile one function in a process of its own.
const ALONE: &str = "--compile-alone";

/// Instructions of the final program that an element of the chained Rosenbrock function becomes.
const INSTRUCTIONS_AN_ELEMENT: usize = 14;

fn main() {
    let mut args = std::env::args().skip_while(|arg| arg != ALONE).skip(1);
    match args.next() {
        Some(n) => alone(n.parse().expect("a number of elements")),
        None => table(),
    }
}

fn table() {
    println!("| HVP, ns a call | native | interpreted | hand-written Rust | native ÷ hand |");
    println!("| --- | --- | --- | --- | --- |");
    workloads::workloads().iter().for_each(product);
    println!();
    println!("| | |");
    println!("| --- | --- |");
    calls();
    println!("| W9a, closure to native HVP | {} ms |", compile_small().show(1e3));
    for (size, repeat) in [(1_000, 51), (10_000, 15), (100_000, 5), (1_000_000, 3)] {
        println!(
            "| compile an HVP of {size} instructions | {} µs an instruction |",
            compile(size, repeat).show(1e6)
        );
    }
    println!("| trace a closure of 10⁶ operations | {} ns an operation |", trace().show(1e9));
    println!("| peak memory of compiling 10⁶ instructions | {} |", peak_memory());
}

// ── calls ───────────────────────────────────────────────────────────────────────────────────────

fn product(workload: &workloads::Workload) {
    let native = batch(workload.evolute(&Options::default()));
    let interpreted = batch(workload.evolute(&Options::default().interpreted()));
    let mut contestants = vec![native, interpreted];
    contestants.extend(workload.hand().map(batch));
    let spreads = alternate(contestants);
    let hand = spreads.get(2).map_or("–".to_owned(), |hand| hand.show(1e9));
    let ratio =
        spreads.get(2).map_or("–".to_owned(), |hand| format!("{:.2}", spreads[0].median / hand.median));
    let name = workload.name;
    println!("| {name} | {} | {} | {hand} | {ratio} |", spreads[0].show(1e9), spreads[1].show(1e9));
}

fn calls() {
    let empty = Function::vector(0, |_| Vec::<Scalar>::new()).expect("traces");
    let call = |compiled: Compiled<Scalars<F64>, Scalars<F64>>| {
        let mut workspace = compiled.workspace();
        batch(move || compiled.call_into(black_box(&[]), black_box(&mut []), &mut workspace).expect("fits"))
    };
    let native = call(empty.compile().expect("compiles"));
    let interpreted = call(empty.interpreted().expect("compiles"));
    let spreads = alternate(vec![native, interpreted]);
    println!("| empty call, native | {} ns |", spreads[0].show(1e9));
    println!("| empty call, interpreted | {} ns |", spreads[1].show(1e9));
}

// ── compiling ───────────────────────────────────────────────────────────────────────────────────

fn compile_small() -> Spread {
    Spread::new((0..201).map(|_| {
        seconds(|| {
            let function = Function::scalar(3, |x| three(x)).expect("traces");
            function.hvp().expect("has one").compile().expect("compiles")
        })
    }))
}

fn chain_hvp(n: usize) -> impl Fn() -> usize {
    let hvp = Function::scalar(n, |x| rosenbrock(x)).and_then(|f| f.hvp()).expect("traces");
    move || hvp.compile().expect("compiles").executable().program().len()
}

/// Seconds an instruction, from the traced function on.
fn compile(size: usize, repeat: usize) -> Spread {
    let compile = chain_hvp(size / INSTRUCTIONS_AN_ELEMENT);
    let instructions = compile() as f64;
    Spread::new((0..repeat).map(|_| seconds(&compile) / instructions))
}

/// Seconds an operation.
fn trace() -> Spread {
    let (n, rounds) = (1000, 250);
    let trace = || {
        Function::scalar(n, |x| {
            let mut sum = x[0];
            for i in (0..rounds).flat_map(|_| 1..n) {
                sum = (sum * x[i - 1] + x[i]).sin() * 2.0;
            }
            sum
        })
    };
    Spread::new((0..15).map(|_| seconds(trace) / (4 * (n - 1) * rounds) as f64))
}

/// Of a process that does nothing else.
fn peak_memory() -> String {
    let n = (1_000_000 / INSTRUCTIONS_AN_ELEMENT).to_string();
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program).args([ALONE, &n]).output().expect("runs itself");
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

fn alone(n: usize) {
    chain_hvp(n)();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = |line: &str| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok();
    match status.lines().find_map(kib) {
        Some(kib) => println!("{} MB", kib * 1024 / 1_000_000),
        None => println!("not measured here"),
    }
}

// ── timing ──────────────────────────────────────────────────────────────────────────────────────

/// The quartiles of some measurements, in seconds.
struct Spread {
    lower: f64,
    median: f64,
    upper: f64,
}

impl Spread {
    fn new(times: impl Iterator<Item = f64>) -> Spread {
        let mut times: Vec<f64> = times.collect();
        times.sort_by(f64::total_cmp);
        let at = |quarter: usize| times[(times.len() - 1) * quarter / 4];
        Spread { lower: at(1), median: at(2), upper: at(3) }
    }

    fn show(&self, unit: f64) -> String {
        let digits = if self.median * unit < 100.0 { 1 } else { 0 };
        format!("{:.digits$} ± {:.digits$}", self.median * unit, (self.upper - self.lower) * unit)
    }
}

fn seconds<R>(f: impl FnOnce() -> R) -> f64 {
    let start = Instant::now();
    black_box(f());
    start.elapsed().as_secs_f64()
}

/// A number of calls, timed together.
type Batch = Box<dyn FnMut(u32) -> Duration>;

fn batch(mut f: impl FnMut() + 'static) -> Batch {
    Box::new(move |calls| {
        let start = Instant::now();
        (0..calls).for_each(|_| f());
        start.elapsed()
    })
}

/// Seconds a call: batches of a millisecond, of one contestant after the other, so that a disturbance meets
/// all of them.
fn alternate(mut contestants: Vec<Batch>) -> Vec<Spread> {
    let calls: Vec<u32> = contestants.iter_mut().map(calls_in_a_millisecond).collect();
    let mut times = vec![Vec::new(); contestants.len()];
    for _ in 0..201 {
        for ((batch, &calls), times) in contestants.iter_mut().zip(&calls).zip(&mut times) {
            times.push(batch(calls).as_secs_f64() / f64::from(calls));
        }
    }
    times.into_iter().map(|times| Spread::new(times.into_iter())).collect()
}

fn calls_in_a_millisecond(batch: &mut Batch) -> u32 {
    let mut calls = 1;
    while batch(calls) < Duration::from_millis(1) {
        calls *= 2;
    }
    calls
}
