//! Question: what does one Hessian-vector product cost, compiled and interpreted?
//! Baseline: the same product written by hand in Rust (`hand`). Unit: time a call.
//!
//! `cargo bench --bench hvp [-- filter]`; `--bench table` alternates the contestants instead.

mod common;
mod hand;
mod workloads;

use criterion::{Criterion, criterion_group, criterion_main};
use evolute::prelude::*;

fn hvp(criterion: &mut Criterion) {
    for workload in workloads::workloads() {
        let mut group = criterion.benchmark_group(workload.name);
        let mut native = workload.evolute(&Options::default());
        group.bench_function("native", |bencher| bencher.iter(&mut native));
        let mut interpreted = workload.evolute(&Options::default().interpreted());
        group.bench_function("interpreted", |bencher| bencher.iter(&mut interpreted));
        if let Some(mut hand) = workload.hand() {
            group.bench_function("hand", |bencher| bencher.iter(&mut hand));
        }
    }
}

criterion_group!(benches, hvp);
criterion_main!(benches);
