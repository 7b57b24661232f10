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

fn chain(n: usize) -> Function<Scalars<F64>, Single<F64>> {
    Function::scalar(n, |x| rosenbrock(x)).expect("traces")
}

/// The closure, to a program.
fn trace(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("trace");
    for n in [10, 100, 1000, 10_000, 100_000] {
        group.throughput(Throughput::Elements(chain(n).program().len() as u64));
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
    for n in [10, 100, 1000, 10_000, 100_000] {
        let executable = make(n);
        stages(name, n, &executable);
        group.throughput(Throughput::Elements(executable.program().len() as u64));
        group.sample_size(10).sampling_mode(SamplingMode::Flat);
        group.bench_with_input(BenchmarkId::from_parameter(n), &n, |bencher, &n| bencher.iter(|| make(n)));
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
