//! The nested derivatives of G3, literally, with every combination of operators.
//!
//! The points are inputs of the traced function in one run and constants in another. A value that a
//! system with confused perturbations gives must not appear.

use crate::data::Case;
use crate::nest::{ALL, BOTH, Diff, d, gradient, nth, sequences};
use crate::report::Report;
use crate::run::run;
use evolute::prelude::*;
use evolute::{Error, Scalars, Single};

type Traced = for<'t> fn(&[Diff], &[Scalar<'t>]) -> Scalar<'t>;

/// A label of the case, the number of its nested operators, and the formula on these (the outermost first) and
/// the points.
type Formula = (&'static str, usize, Traced);

fn formulas(name: &str) -> Vec<Formula> {
    match name {
        "SP_ADD" => vec![("value", 2, |ds, p| d(ds[0], |x| x * d(ds[1], |y| x + y, p[1]), p[0]))],
        "SP_SIN_EXP" => {
            vec![("value", 2, |ds, p| d(ds[0], |x| x * d(ds[1], |y| x.sin() * y.exp(), p[1]), p[0]))]
        }
        "SP_CONST_OUTER" => vec![("value", 2, |ds, p| d(ds[0], |_| d(ds[1], |y| y.powi(3), p[1]), p[0]))],
        "SP_TANH" => vec![("value", 2, sp_tanh), ("D2", 3, sp_tanh), ("D3", 4, sp_tanh)],
        "AMAZING_BUG_EXP" => amazing_bug(|ds, p| hat(ds, &|x| x.exp(), p[0])),
        "AMAZING_BUG_CUBE" => amazing_bug(|ds, p| hat(ds, &|x| x.powi(3), p[0])),
        "AMAZING_BUG_TANH" => amazing_bug(|ds, p| hat(ds, &|x| x.tanh(), p[0])),
        "CLOSURE_RESULT" => vec![("value", 2, closure_result)],
        "CLOSURE_STORED" => vec![("value", 2, closure_stored)],
        "LOOP_SUM" => orders(loop_sum),
        "LOOP_CARRIED" => orders(loop_carried),
        "JULIADIFF_GRAD_NORM" => vec![
            ("g0", 2, |ds, p| grad_norm(ds, p)[0]),
            ("g1", 2, |ds, p| grad_norm(ds, p)[1]),
            ("g2", 2, |ds, p| grad_norm(ds, p)[2]),
        ],
        "IMPLICIT_CUBIC" => orders(implicit_cubic),
        _ => Vec::new(),
    }
}

/// A function with one operator inside, and its derivatives.
fn orders(f: Traced) -> Vec<Formula> {
    vec![("f", 1, f), ("d1", 2, f), ("d2", 3, f), ("d3", 4, f)]
}

fn amazing_bug(f: Traced) -> Vec<Formula> {
    vec![("value1", 1, f), ("value2", 2, f), ("value3", 3, f)]
}

/// The operators outside, and the one inside.
fn split(ds: &[Diff]) -> (&[Diff], Diff) {
    let (inner, outer) = ds.split_last().expect("at least one operator");
    (outer, *inner)
}

fn sp_tanh<'t>(ds: &[Diff], p: &[Scalar<'t>]) -> Scalar<'t> {
    let (outer, inner) = split(ds);
    nth(outer, &|x| x * d(inner, |y| (x * y.exp()).tanh(), p[1]), p[0])
}

/// `D̂(h) = x ↦ D(u ↦ h(x + u), 0)`, applied once an operator.
fn hat<'t>(ds: &[Diff], h: &dyn Fn(Scalar<'t>) -> Scalar<'t>, x: Scalar<'t>) -> Scalar<'t> {
    match ds {
        [] => h(x),
        [outer, inner @ ..] => d(*outer, |u| hat(inner, h, x + u), Scalar::from(0.0)),
    }
}

fn closure_result<'t>(ds: &[Diff], p: &[Scalar<'t>]) -> Scalar<'t> {
    let (inner, at) = (ds[1], p[1]);
    let g = move |x: Scalar<'t>| move |z: Scalar<'t>| d(inner, |y| x * y * z, at);
    d(ds[0], |x| g(x)(x), p[0])
}

fn closure_stored<'t>(ds: &[Diff], p: &[Scalar<'t>]) -> Scalar<'t> {
    let total = |x0: Scalar<'t>| -> Scalar<'t> {
        let fs = [x0, 2.0 * x0].map(|x| move |y: Scalar<'t>| x * y);
        fs.iter().zip([1.0, 2.0]).map(|(f, i)| d(ds[1], f, Scalar::from(i)) * x0).sum()
    };
    d(ds[0], total, p[0])
}

fn loop_sum<'t>(ds: &[Diff], p: &[Scalar<'t>]) -> Scalar<'t> {
    let (outer, inner) = split(ds);
    let term = |k: i32, x: Scalar<'t>| x * d(inner, |y| (f64::from(k) * x * y).sin(), Scalar::from(1.0));
    nth(outer, &|x| (1..=5).map(|k| term(k, x)).sum(), p[0])
}

fn loop_carried<'t>(ds: &[Diff], p: &[Scalar<'t>]) -> Scalar<'t> {
    let (outer, inner) = split(ds);
    let f = |x: Scalar<'t>| {
        let mut a = x;
        for _ in 0..5 {
            a += d(inner, |y| y.powi(2) * a, x) / 10.0;
        }
        a
    };
    nth(outer, &f, p[0])
}

fn grad_norm<'t>(ds: &[Diff], v: &[Scalar<'t>]) -> Vec<Scalar<'t>> {
    let f = |v: &[Scalar<'t>]| {
        let sum: Scalar<'t> = v.iter().sum();
        sum * d(ds[1], |y| y * v.norm2(), Scalar::from(1.0))
    };
    gradient(ds[0], &f, v)
}

/// The root of `y³ + x y − 1` by Newton's method: 5 steps to convergence, and 3 more.
fn implicit_cubic<'t>(ds: &[Diff], p: &[Scalar<'t>]) -> Scalar<'t> {
    let (outer, inner) = split(ds);
    let root = |x: Scalar<'t>| {
        let residual = |y: Scalar<'t>| y.powi(3) + x * y - 1.0;
        (0..8).fold(Scalar::from(1.0), |y, _| y - residual(y) / d(inner, residual, y))
    };
    nth(outer, &root, p[0])
}

/// Checks the cases `kind = nested`.
pub(crate) fn check(report: &mut Report, cases: &[Case]) {
    for case in cases {
        let formulas = formulas(case.name());
        let expected = case.labelled("expected");
        report.check(formulas.len() == expected.len(), || format!("{}: labels without a formula", case.id()));
        for (label, depth, f) in formulas {
            let Some((_, expected)) = expected.iter().find(|(name, _)| name == label) else {
                report.fail(format!("{}: there is no label {label}", case.id()));
                continue;
            };
            for ds in sequences(if depth < 3 { &ALL } else { &BOTH }, depth) {
                formula(report, case, label, *expected, &|p| f(&ds, p), &format!("{ds:?}"));
            }
        }
    }
}

type OnPoints<'a> = &'a dyn for<'t> Fn(&[Scalar<'t>]) -> Scalar<'t>;

fn formula(report: &mut Report, case: &Case, label: &str, expected: f64, f: OnPoints<'_>, how: &str) {
    let points: Vec<f64> = case.labelled("x").into_iter().map(|(_, x)| x).collect();
    let confused = case.labelled("confused").into_iter().find(|(name, _)| name == label);
    let tolerance = case.number("tol_rel") * expected.abs().max(1.0);
    // Zero is expected where nothing depends on the outer variable, and then exactly.
    let tolerance = if expected == 0.0 { 0.0 } else { tolerance };
    for (kind, function) in [("input", at_inputs(f, points.len())), ("constant", at_constants(f, &points))] {
        let place = format!("{} {label} by {how} at {kind}s", case.id());
        let function = match function {
            Ok(function) => function,
            Err(error) => {
                report.fail(format!("{place}: {error}"));
                continue;
            }
        };
        for run in run(report, &place, &function, &[&points[..]]) {
            let (got, fp) = (run.values[0], run.fp);
            report.check((got - expected).abs() <= tolerance, || {
                format!("{place} ({fp:?}): got {got:e}, expected {expected:e} within {tolerance:e}")
            });
            if let Some((_, confused)) = confused {
                report.check((got - confused).abs() > tolerance, || {
                    format!("{place} ({fp:?}): confused {got:e}")
                });
            }
        }
    }
}

type OfPoints = Function<Scalars<F64>, Single<F64>>;

fn at_inputs(f: OnPoints<'_>, count: usize) -> Result<OfPoints, Error> {
    Function::scalar(count, |p| f(p))
}

fn at_constants(f: OnPoints<'_>, points: &[f64]) -> Result<OfPoints, Error> {
    Function::scalar(points.len(), |_| f(&points.iter().map(|&x| Scalar::from(x)).collect::<Vec<_>>()))
}
