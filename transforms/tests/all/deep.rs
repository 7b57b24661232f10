//! Regions nested nearly as deep as may be: what takes twice as long for each level would never end.

use crate::structures::{Case, Point};
use evolute_ir::{
    Builder, Elem, IrError, Literal, LoopSpec, Op, Prim, Program, SourceLoc, Trips, Type, Value,
};
use evolute_transforms::Options;
use evolute_transforms::derive::{self, DeriveError};

type Derive = fn(&Program, &[usize], Option<SourceLoc>) -> Result<Program, DeriveError>;

const DEPTH: usize = 60;

/// sin x · x^[`DEPTH`] for x from 1 to 2, of loops of one iteration, which is not known before it runs, and
/// conditionals.
fn program(is_loop: impl Fn(usize) -> bool) -> Result<Program, IrError> {
    let mut builder = Builder::new();
    let x = builder.param(&Type::scalar(Elem::F64));
    let one = builder.insert(Op::Cast(Elem::I64), &[x])?;
    let result = nest(&mut builder, (x, one), DEPTH, &is_loop)?;
    builder.finish(&[result])
}

fn nest(
    builder: &mut Builder,
    (x, one): (Value, Value),
    depth: usize,
    is_loop: &impl Fn(usize) -> bool,
) -> Result<Value, IrError> {
    if depth == 0 {
        return builder.insert(Op::Prim(Prim::Sin), &[x]);
    }
    builder.open_region();
    let inner = if is_loop(depth) {
        builder.param(&Type::scalar(Elem::I64));
        builder.param(&Type::scalar(Elem::F64))
    } else {
        x
    };
    let inside = nest(builder, (inner, one), depth - 1, is_loop)?;
    let product = builder.insert(Op::Prim(Prim::Mul), &[inside, inner])?;
    let body = builder.close_region(&[product])?;
    if is_loop(depth) {
        let spec = LoopSpec { carries: 1, ..LoopSpec::new(Trips::Counted(3)) };
        return Ok(builder.looping(spec, None, body, &[one, x])?[0]);
    }
    builder.open_region();
    let other = builder.close_region(&[x])?;
    let two = builder.constant(Literal::from_f64(Elem::F64, 2.0));
    let below = builder.insert(Op::Prim(Prim::Lt), &[x, two])?;
    Ok(builder.conditional(below, body, other, &[])?[0])
}

fn check(name: &str, is_loop: impl Fn(usize) -> bool) {
    let case = Case::new(program(is_loop).expect("not too deep"));
    let (x, n) = (1.1f64, DEPTH as f64);
    let (sin, cos, power) = (x.sin(), x.cos(), x.powi(DEPTH as i32));
    let slope = power * (cos + n * sin / x);
    let curvature = power * (2.0 * n * cos / x + (n * (n - 1.0) / (x * x) - 1.0) * sin);
    let [jvp, vjp]: [Derive; 2] = [derive::jvp, derive::vjp];
    let of = |derive: Derive, f: &Program| derive(f, &[0], None).expect("real");
    let (forward, backward) = (of(jvp, &case.program), of(vjp, &case.program));
    // Both give values, derivatives, and those of each: the cotangents are of the first derivative alone.
    let nestings: [(&str, Program, &[f64]); 4] = [
        ("forward over forward", of(jvp, &forward), &[1.0, 1.0]),
        ("reverse over forward", of(vjp, &forward), &[1.0, 0.0, 1.0]),
        ("forward over reverse", of(jvp, &backward), &[1.0, 1.0]),
        ("reverse over reverse", of(vjp, &backward), &[1.0, 0.0, 1.0]),
    ];
    for (nesting, second, seeds) in nestings {
        let seeds: Vec<Point> = seeds.iter().map(|&seed| vec![vec![seed]]).collect();
        let all = case.eval(&second, Options::default(), &vec![vec![x]], &seeds.iter().collect::<Vec<_>>());
        let near = |found: f64, expected: f64| (found / expected - 1.0).abs() < 1e-12;
        let [first, last] = [all[1][0], all[all.len() - 1][0]];
        assert!(
            near(first, slope) && near(last, curvature),
            "{name}, {nesting}: {all:?}, {slope}, {curvature}"
        );
    }
}

#[test]
fn loops() {
    check("loops", |_| true);
}

#[test]
fn loops_and_conditionals() {
    check("loops and conditionals", |depth| depth % 2 == 0);
}
