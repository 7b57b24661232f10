//! Calls: what they keep, and that their derivatives are made once.

use crate::random_structures::program;
use crate::structures::{Case, Point, Rng};
use evolute_ir::{Builder, Callee, Elem, Op, Prim, Program, Type, Value};
use evolute_transforms::inline::{apply, inline_calls};
use evolute_transforms::{FpMode, Options, Pipeline, derive};

fn strict() -> Options {
    Options { fp: FpMode::Strict, simplify: false, ..Options::default() }
}

fn bits(point: &Point) -> Vec<u64> {
    point.iter().flatten().map(|x| x.to_bits()).collect()
}

/// A program and the same without calls: values and tangents have the same bits, cotangents, which are summed in another
/// order, nearly.
#[test]
fn calls_and_copies_are_the_same() {
    let mut compared = 0;
    for seed in 1..400 {
        let rng = &mut Rng::new(seed);
        let calling = Case::new(program(rng).expect("small"));
        let copied = Case::new(inline_calls(&calling.program).expect("small"));
        if calling.program.callees().is_empty() {
            continue;
        }
        compared += 1;
        assert!(copied.program.callees().is_empty());
        let (params, results) = (calling.program.param_types(), calling.program.result_types());
        let (x, v, w) = (rng.point(&params), rng.point(&params), rng.point(&results));
        let both = |derive: &dyn Fn(&Program) -> Program, seeds: &[&Point]| {
            [&calling, &copied].map(|case| case.eval(&derive(&case.program), strict(), &x, seeds))
        };
        let wrt = &calling.wrt;
        let [found, expected] = both(&|f| derive::jvp(f, wrt, None).expect("real"), &[&v]);
        assert_eq!(bits(&found), bits(&expected), "seed {seed}\n{}", calling.program);
        let second = |f: &Program| derive::jvp(&derive::vjp(f, wrt, None).expect("real"), wrt, None);
        let [found, expected] = both(&|f| second(f).expect("real"), &[&w, &v]);
        for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
            let scale = 1f64.max(expected.abs());
            assert!((found - expected).abs() <= 1e-12 * scale, "seed {seed}: {found} {expected}");
        }
    }
    assert!(compared > 80, "only {compared} programs with calls");
}

/// A function of `count` instructions, one after the other.
fn long(count: usize) -> Callee {
    let mut builder = Builder::new();
    let scalar = Type::scalar(Elem::F64);
    let [x, y] = [0, 1].map(|_| builder.param(&scalar));
    let mut last = x;
    for k in 0..count {
        let prim = [Prim::Sin, Prim::Mul, Prim::Tanh, Prim::Add][k % 4];
        let operands = &[last, y][..prim.arity()];
        last = builder.insert(Op::Prim(prim), operands).expect("well typed");
    }
    Callee::new(builder.finish(&[last]).expect("in scope"))
}

/// `f(f(…f(x, y)…, y), y)`, and so many calls.
fn chain(f: &Callee, calls: usize, next: impl Fn(&mut Builder, &Callee, &[Value]) -> Value) -> Program {
    let mut builder = Builder::new();
    let scalar = Type::scalar(Elem::F64);
    let [x, y] = [0, 1].map(|_| builder.param(&scalar));
    let last = (0..calls).fold(x, |last, _| next(&mut builder, f, &[last, y]));
    builder.finish(&[last]).expect("in scope")
}

fn calling(builder: &mut Builder, f: &Callee, args: &[Value]) -> Value {
    apply(builder, f, args).expect("it fits")[0]
}

fn total(program: &Program, fp: FpMode) -> usize {
    let options = Options { fp, ..Options::default() };
    Pipeline::new(options).run(program).expect("small").total_len()
}

/// Value, gradient and product of a chain of 50 calls are a few times one, and not fifty times.
#[test]
fn a_chain_costs_what_one_function_does() {
    let f = long(200);
    for fp in [FpMode::Strict, FpMode::Contract] {
        let hvp = |calls| derive::value_grad_hvp(&chain(&f, calls, calling), &[0, 1], None).expect("real");
        let (one, fifty) = (total(&hvp(1), fp), total(&hvp(50), fp));
        assert!(one > 200 && fifty < 4 * one, "{fifty} instructions for 50 calls, {one} for one");
        let call = total(&hvp(51), fp) - fifty;
        assert!(call <= 12, "a call takes {call} instructions");
    }
}

/// Functions that call functions twice, forty deep: the derivatives of each are made once.
#[test]
fn nested_calls_do_not_multiply() {
    let nest = |depth: usize| {
        let mut f = long(40);
        for _ in 0..depth {
            let twice = chain(&f, 2, |builder, f, args| {
                let value = calling(builder, f, args);
                // Large enough not to be copied.
                (0..40).fold(value, |x, _| builder.insert(Op::Prim(Prim::Sin), &[x]).expect("well typed"))
            });
            f = Callee::new(twice);
        }
        derive::hvp(&f, &[0, 1], None).expect("real")
    };
    let sizes = [20, 40].map(|depth| total(&nest(depth), FpMode::Contract));
    assert!(sizes[1] < 2 * sizes[0] + 100, "{sizes:?}");
}
