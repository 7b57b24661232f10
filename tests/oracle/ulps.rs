//! Comparison of G4: in units in the last place of the expected value.
//!
//! A value passes strictly within the case's `tol_ulp` ulps, or its `tol_abs`, or four times the smallest
//! subnormal; zeros of either sign are equal. Where the oracle says that the entry comes from
//! cancelling terms it also passes leniently, within 1e-15 of a scale. An expected infinity must be met; an
//! expected NaN is compared only where the case demands it.

use crate::data::Case;
use crate::report::Report;
use std::collections::BTreeMap;

/// What one entry is compared with.
pub(crate) struct Expected {
    pub(crate) value: f64,
    /// The order of the derivative, which indexes the tolerances.
    pub(crate) order: usize,
    /// The largest entry of the order, if cancellation is forgiven relative to it.
    pub(crate) scale: Option<f64>,
    /// Whether a NaN is as good: the notes allow it at some poles.
    pub(crate) nan_allowed: bool,
}

/// Comparisons that did not pass strictly, by case and order.
#[derive(Default)]
pub(crate) struct Tally {
    lenient: BTreeMap<String, usize>,
}

impl Tally {
    /// Puts the tally on the report.
    pub(crate) fn finish(&self, report: &mut Report) {
        let total: usize = self.lenient.values().sum();
        let places: Vec<&str> = self.lenient.keys().map(String::as_str).collect();
        report.note(format!("{total} passed leniently: {}", places.join(", ")));
    }
}

/// Compares one entry; `what` names it.
pub(crate) fn compare(
    report: &mut Report,
    tally: &mut Tally,
    case: &Case,
    what: &str,
    got: f64,
    expected: &Expected,
) {
    let &Expected { value, order, scale, nan_allowed } = expected;
    let ulps = case.numbers("tol_ulp")[order];
    let tolerance = (ulps * ulp(value)).max(4.0 * ulp(0.0));
    let tolerance = case.optional("tol_abs").map_or(tolerance, |abs| tolerance.max(abs[order]));
    let strict = if value.is_nan() {
        got.is_nan() || !must_be_nan(case, order)
    } else {
        within(got, value, tolerance) || (nan_allowed && got.is_nan())
    };
    let forgiven =
        !strict && value.is_finite() && scale.is_some_and(|scale| within(got, value, 1e-15 * scale));
    if forgiven {
        *tally.lenient.entry(format!("{} order {order}", case.id())).or_default() += 1;
    }
    report.check(strict || forgiven, || {
        let distance = (got - value).abs() / ulp(value);
        let id = case.id();
        format!("{id} {what}: got {got:e}, expected {value:e}, {distance:.1} ulps apart, {ulps} allowed")
    });
}

fn within(got: f64, expected: f64, tolerance: f64) -> bool {
    got == expected || (expected.is_finite() && (got - expected).abs() <= tolerance)
}

fn must_be_nan(case: &Case, order: usize) -> bool {
    case.optional("nan_expected_orders").is_some_and(|orders| orders.contains(&(order as f64)))
}

/// The distance from a finite number to the next larger in magnitude.
fn ulp(x: f64) -> f64 {
    match x.is_finite() {
        true => f64::from_bits(x.abs().to_bits() + 1) - x.abs(),
        false => 0.0,
    }
}
