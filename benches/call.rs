//! Question: what does a call cost beside what it computes?
//! Baseline: a call through a pointer to a Rust function that the optimiser cannot see. Unit: time a call.
//!
//! `cargo bench --bench call [-- filter]`

use criterion::{Criterion, criterion_group, criterion_main};
use evolute::prelude::*;
use std::hint::black_box;

fn call(criterion: &mut Criterion) {
    let pointer: fn(&f64, &mut f64) = black_box(|x, y| *y = *x);
    let mut y = 0.0;
    let mut through_pointer = || pointer(black_box(&1.0), black_box(&mut y));
    criterion.bench_function("pointer", |bencher| bencher.iter(&mut through_pointer));
    for (name, options) in [("native", Options::default()), ("interpreted", Options::default().interpreted())]
    {
        let mut group = criterion.benchmark_group(name);

        let empty = Function::vector(0, |_| Vec::<Scalar>::new()).expect("traces");
        let empty = empty.compile_with(&options).expect("compiles");
        let mut workspace = empty.workspace();
        let mut empty = || empty.call_into(black_box(&[]), black_box(&mut []), &mut workspace);
        group.bench_function("empty", |bencher| bencher.iter(&mut empty));

        let identity = Function::scalar(scalar(), |x| *x).expect("traces");
        let identity = identity.compile_with(&options).expect("compiles");
        let (mut workspace, mut y) = (identity.workspace(), 0.0);
        let mut identity = || identity.call_into(black_box(&1.0), black_box(&mut y), &mut workspace);
        group.bench_function("identity", |bencher| bencher.iter(&mut identity));

        let four = || (scalar(), scalar(), scalar(), scalar());
        let eight =
            Function::scalar((four(), four()), |(a, b)| (a.0 + a.1 + a.2 + a.3) * (b.0 + b.1 + b.2 + b.3));
        let eight = eight.expect("traces");
        let eight = eight.compile_with(&options).expect("compiles");
        let (mut workspace, mut y) = (eight.workspace(), 0.0);
        let (a, b) = ([1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]);
        let mut eight = || {
            let ([a, b, c, d], [e, f, g, h]) = (black_box(&a), black_box(&b));
            eight.call_into(((a, b, c, d), (e, f, g, h)), black_box(&mut y), &mut workspace)
        };
        group.bench_function("eight arguments", |bencher| bencher.iter(&mut eight));
    }
}

criterion_group!(benches, call);
criterion_main!(benches);
