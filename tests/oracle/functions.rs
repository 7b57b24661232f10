//! Groups G1, G2, G5 and the functions of G3: comparison with the file's absolute tolerances, one a component.
//!
//! The tolerances are used as they are; the factor 4 that the oracle permits re-associated code is not needed.

use crate::data::{Case, by_name, cases};
use crate::problem::{Measured, Point, Problem, measure};
use crate::report::Report;

/// Checks every case of a group against the problems (several variants of one function) of its name.
pub(crate) fn check(report: &mut Report, cases: Vec<Case>, find: fn(&str) -> Vec<Problem>) {
    let mut worst = Worst { ratio: 0.0, place: String::new() };
    for cases in by_name(cases) {
        let problems = find(cases[0].name());
        if problems.is_empty() {
            cases
                .iter()
                .for_each(|case| report.fail(format!("{}: there is no function of this name", case.id())));
        }
        let points: Vec<Point> = cases.iter().map(point).collect();
        for problem in &problems {
            for measured in measure(report, problem, &points) {
                compare(report, &cases[measured.point], &measured, &mut worst);
            }
        }
    }
    report.note(format!("largest error {:.2} tolerances, at {}", worst.ratio, worst.place));
}

/// The cases of a group, whose number is fixed.
pub(crate) fn load(group: &str, count: usize) -> Vec<Case> {
    let cases = cases(group);
    assert_eq!(cases.len(), count, "cases of {group}");
    cases
}

/// Where a case is.
pub(crate) fn point(case: &Case) -> Point {
    Point { x: case.numbers("x"), v: case.numbers("v"), w: case.optional("w").unwrap_or_default() }
}

struct Worst {
    ratio: f64,
    place: String,
}

fn compare(report: &mut Report, case: &Case, measured: &Measured, worst: &mut Worst) {
    let Measured { what, how, fp, values, .. } = measured;
    let (expected, tolerances) = expectation(case, what);
    let place = format!("{} {what} by {how} ({fp:?})", case.id());
    report.check(values.len() == expected.len(), || format!("{place}: {} values", values.len()));
    for (i, ((&got, &expected), &tolerance)) in values.iter().zip(&expected).zip(&tolerances).enumerate() {
        let ratio = (got - expected).abs() / tolerance;
        if ratio > worst.ratio {
            *worst = Worst { ratio, place: place.clone() };
        }
        report.check((got - expected).abs() <= tolerance, || {
            format!("{place}, component {i}: got {got:e}, expected {expected:e}, error {ratio:.2} tolerances")
        });
    }
}

/// The values and tolerances of a field.
fn expectation(case: &Case, what: &str) -> (Vec<f64>, Vec<f64>) {
    let expected = case.numbers(what);
    match what {
        "hess" => {
            let full = symmetric(&expected, case.numbers("x").len());
            let tolerances = vec![case.number("tol/hess"); full.len()];
            (full, tolerances)
        }
        // The file has no tolerance of ∇f·v: that of its terms.
        "d1" => {
            let terms = case.numbers("v").into_iter().zip(case.numbers("tol/grad"));
            (expected, vec![terms.map(|(v, tolerance)| v.abs() * tolerance).sum()])
        }
        _ => (expected, case.numbers(&format!("tol/{what}"))),
    }
}

/// The matrix of a lower triangle, row-major.
pub(crate) fn symmetric(lower: &[f64], n: usize) -> Vec<f64> {
    let entry = |i: usize, j: usize| lower[i.max(j) * (i.max(j) + 1) / 2 + i.min(j)];
    (0..n * n).map(|k| entry(k / n, k % n)).collect()
}
