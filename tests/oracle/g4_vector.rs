//! Functions of a vector: `logsumexp`, `norm2` and a component of `softmax`, by the routes of `problem`.

use crate::data::{Case, by_name};
use crate::functions::{point, symmetric};
use crate::problem::{Measured, Problem, measure};
use crate::report::Report;
use crate::ulps::{Expected, Tally, compare};
use evolute::prelude::*;

fn find(name: &str) -> Option<Problem> {
    match name {
        "logsumexp" => Some(Problem::Scalar { traced: |x| x.logsumexp(), plain: Some(|x| x.logsumexp()) }),
        "norm2" => Some(Problem::Scalar { traced: |x| x.norm2(), plain: Some(|x| x.norm2()) }),
        "softmax0" => Some(Problem::Scalar { traced: |x| x.softmax()[0], plain: Some(|x| x.softmax()[0]) }),
        _ => None,
    }
}

/// Checks the cases `kind = vector`. Their dimensions differ, so each is traced for itself.
pub(crate) fn check(report: &mut Report, tally: &mut Tally, cases: Vec<Case>) {
    for case in by_name(cases).iter().flatten() {
        let Some(problem) = find(case.name()) else {
            report.fail(format!("{}: there is no such function", case.id()));
            continue;
        };
        for measured in measure(report, &problem, &[point(case)]) {
            check_one(report, tally, case, &measured);
        }
    }
}

fn check_one(report: &mut Report, tally: &mut Tally, case: &Case, measured: &Measured) {
    let Measured { what, how, fp, values, .. } = measured;
    let Some(order) = ["f", "grad", "hvp", "d3"].iter().position(|field| field == what).or(match *what {
        "hess" | "vHv" => Some(2),
        _ => None,
    }) else {
        return;
    };
    let expected = match *what {
        "hess" => symmetric(&hessian(case), case.numbers("x").len()),
        _ => case.numbers(&format!("f64/{what}")),
    };
    for (i, (&got, &value)) in values.iter().zip(&expected).enumerate() {
        let what = format!("{what}[{i}] by {how} ({fp:?})");
        let expected = Expected { value, order, scale: scale(case, order), nan_allowed: false };
        compare(report, tally, case, &what, got, &expected);
    }
}

/// The lower triangle; not compared where the file has none.
fn hessian(case: &Case) -> Vec<f64> {
    let n = case.numbers("x").len();
    let lower = case.numbers("exact/hess");
    if lower.len() == 1 { vec![lower[0]; n * (n + 1) / 2] } else { lower }
}

/// The largest entry of an order, which the note forgives cancellation against: these are differences of numbers
/// of that size. The file has no third derivatives but one, so there the Hessian's entries stand for them.
fn scale(case: &Case, order: usize) -> Option<f64> {
    let fields: &[&str] = match order {
        2 => &["f64/hvp", "f64/vHv"],
        3 => &["f64/d3"],
        _ => return None,
    };
    let mut entries: Vec<f64> = fields.iter().flat_map(|field| case.numbers(field)).collect();
    entries.extend(hessian(case));
    Some(entries.iter().filter(|x| x.is_finite()).fold(0.0, |a: f64, x| a.max(x.abs())))
}
