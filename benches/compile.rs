//! Question: what does making a function ready cost, by size and by stage?
//! Baseline: linear growth, so the same cost an instruction at every size. Unit: time an instruction of
//! the final program (criterion's throughput), and for tracing time an operation of the closure.
//!
//! `cargo bench --bench compile [-- filter]`

mod common;

use common::*;
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use evolute::prelude::*;
use evolute::{Executable, Scalars, Single};
use std::sync::Once;

const SIZES: [usize; 5] = [10, 100, 1000, 10_000, 100_000];

fn chain(n: usize) -> Function<Scalars<F64>, Single<F64>> {
    Function::scalar(n, |x| rosenbrock(x)).expect("traces")
}

/// The size of a program for `n` scalars. It is linear, so it follows from those for 10 and for 20: none is
/// made that the filter leaves out.
fn instructions(n: usize, len: impl Fn(usize) -> usize) -> Throughput {
    let [ten, twenty] = [len(10), len(20)];
    Throughput::Elements((ten + (twenty - ten) * (n - 10) / 10) as u64)
}

/// The closure, to a program.
fn trace(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("trace");
    for n in SIZES {
        group.throughput(instructions(n, |n| chain(n).program().len()));
        group.sample_size(10);
        group.bench_with_input(BenchmarkId::from_parameter(n), &n, |bencher, &n| bencher.iter(|| chain(n)));
    }
}

/// The traced function, to machine code of its value.
fn value(criterion: &mut Criterion) {
    ready(criterion, "value", |n| {
        Executable::new(chain(n).program(), &Options::default()).expect("compiles")
    });
}

/// The traced function, to machine code of its Hessian-vector product.
fn hvp(criterion: &mut Criterion) {
    ready(criterion, "hvp", |n| {
        let hvp = chain(n).hvp().expect("has one");
        Executable::new(hvp.program(), &Options::default()).expect("compiles")
    });
}

fn ready(criterion: &mut Criterion, name: &str, make: impl Fn(usize) -> Executable) {
    let mut group = criterion.benchmark_group(name);
    for n in SIZES {
        let examined = Once::new();
        group.throughput(instructions(n, |n| make(n).program().len()));
        group.sample_size(10).sampling_mode(SamplingMode::Flat);
        group.bench_with_input(BenchmarkId::from_parameter(n), &n, |bencher, &n| {
            examined.call_once(|| stages(name, n, &make(n)));
            bencher.iter(|| make(n));
        });
    }
}

/// Which stage the time went to, in one run.
fn stages(name: &str, n: usize, executable: &Executable) {
    let (report, len) = (executable.report(), executable.program().len());
    let passes = report.passes.iter().map(|(pass, _, time)| (*pass, *time));
    println!("{name} n={n}: {len} instructions; µs an instruction:");
    for (pass, time) in passes.chain([("codegen", report.codegen)]) {
        println!("    {pass:14} {:7.3}", time.as_secs_f64() * 1e6 / len as f64);
    }
}

criterion_group!(benches, trace, value, hvp);
criterion_main!(benches);
