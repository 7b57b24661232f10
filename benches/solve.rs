//! Question: up to how many unknowns is it faster to form the matrix and factorise it than to iterate?
//! Baseline: GMRES. Unit: time a solution, of a system whose matrix is general, nearly the identity, or tridiagonal.
//!
//! `cargo bench --bench solve [-- filter]`

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use evolute::prelude::*;
use std::hint::black_box;

/// How the product of the matrix is written.
#[derive(Clone, Copy)]
enum Kind {
    General,
    NearIdentity,
    Tridiagonal,
}

fn product<'t>(kind: Kind, a: Array<'t>, x: Array<'t>, n: usize) -> Array<'t> {
    match kind {
        Kind::General => a.dot(x),
        Kind::NearIdentity => x + a.dot(x) * (0.3 / (n as f64).sqrt()),
        Kind::Tridiagonal => {
            let padded = x.pad(0, 1, 1);
            x * 2.5 - padded.slice(0, 0..n) - padded.slice(0, 2..n + 2)
        }
    }
}

fn solve(criterion: &mut Criterion) {
    let kinds = [
        ("general", Kind::General),
        ("near identity", Kind::NearIdentity),
        ("tridiagonal", Kind::Tridiagonal),
    ];
    for (name, kind) in kinds {
        let mut group = criterion.benchmark_group(name);
        for n in [1, 2, 4, 8, 16, 32, 64, 128] {
            let mut state = 1u32;
            let mut random = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                f64::from(state) / f64::from(u32::MAX) * 2.0 - 1.0
            };
            let (a, b): (Vec<f64>, Vec<f64>) =
                ((0..n * n).map(|_| random()).collect(), (0..n).map(|_| random()).collect());
            for (name, solver) in [("dense", Solver::dense()), ("gmres", Solver::gmres())] {
                let f = Function::trace((matrix(n, n), vector(n)), |(a, b)| {
                    linear_solve(|x| product(kind, *a, x, n), *b, solver)
                });
                let f = f.expect("traces").compile().expect("compiles");
                let (mut workspace, mut x) = (f.workspace(), vec![0.0; n]);
                let mut call = || f.call_into(black_box((&a, &b)), black_box(&mut x), &mut workspace);
                group.bench_function(BenchmarkId::new(name, n), |bencher| bencher.iter(&mut call));
            }
        }
    }
}

criterion_group!(benches, solve);
criterion_main!(benches);
