//! The verdict on one derivative, given differences.

use super::difference::{Estimate, Sides, Sweep};
use std::fmt;

/// What a comparison says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// The derivative is the difference, within its error.
    Agrees,
    /// The function has values to one side only, and the derivative is the difference to that side.
    AgreesOneSided,
    /// The function has another slope to the left than to the right, so the derivative there is a convention.
    Kink {
        /// The slope to the left.
        left: f64,
        /// The slope to the right.
        right: f64,
    },
    /// It cannot be checked: the function has no finite values around the point, or the differences do not converge.
    Unchecked,
    /// The derivative is not the difference.
    Disagrees,
    /// The derivative is a NaN. See [`explain_nan`](crate::explain::explain_nan).
    NotANumber,
}

impl Verdict {
    /// Whether it says that the derivative is wrong.
    pub fn is_failure(self) -> bool {
        match self {
            Verdict::Disagrees | Verdict::NotANumber => true,
            Verdict::Agrees | Verdict::AgreesOneSided | Verdict::Kink { .. } | Verdict::Unchecked => false,
        }
    }

    /// Of several the highest is reported.
    pub(super) fn rank(self) -> u8 {
        match self {
            Verdict::Agrees => 0,
            Verdict::AgreesOneSided => 1,
            Verdict::Kink { .. } => 2,
            Verdict::Unchecked => 3,
            Verdict::Disagrees => 4,
            Verdict::NotANumber => 5,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Agrees => f.write_str("agrees"),
            Verdict::AgreesOneSided => f.write_str("agrees, to one side"),
            Verdict::Kink { left, right } => {
                write!(f, "kink: {left:.4e} to the left, {right:.4e} to the right")
            }
            Verdict::Unchecked => f.write_str("cannot be checked"),
            Verdict::Disagrees => f.write_str("← disagrees"),
            Verdict::NotANumber => f.write_str("← not a number"),
        }
    }
}

/// How many times its estimated error a difference may be wrong.
const SAFETY: f64 = 10.0;

/// An error of this part of a difference says that the steps do not converge.
const DIVERGENT: f64 = 0.1;

/// The difference that a derivative is compared with, and the verdict; `epsilon` is the relative rounding error.
pub(super) fn compared(derivative: f64, sides: &Sides, epsilon: f64) -> (Estimate, Verdict) {
    let none = Estimate { value: f64::NAN, uncertainty: f64::INFINITY };
    let Sides { central, left, right } = sides;
    let sweep = central.as_ref().or(right.as_ref()).or(left.as_ref());
    let kink = left.as_ref().zip(right.as_ref()).filter(|_| central.is_some()).and_then(kink);
    let verdict = match sweep {
        _ if derivative.is_nan() => Verdict::NotANumber,
        None => Verdict::Unchecked,
        Some(sweep) => kink.unwrap_or_else(|| match judged(derivative, sweep, epsilon) {
            Verdict::Agrees if central.is_none() => Verdict::AgreesOneSided,
            verdict => verdict,
        }),
    };
    (sweep.map_or(none, |sweep| sweep.best), verdict)
}

/// Whether the slopes to either side are surely different.
fn kink((left, right): (&Sweep, &Sweep)) -> Option<Verdict> {
    let (left, right) = (left.best, right.best);
    apart(left, right).then_some(Verdict::Kink { left: left.value, right: right.value })
}

fn apart(a: Estimate, b: Estimate) -> bool {
    SAFETY * (a.uncertainty + b.uncertainty) < (a.value - b.value).abs()
}

fn judged(derivative: f64, sweep: &Sweep, epsilon: f64) -> Verdict {
    if fits(derivative, sweep.best, epsilon) {
        return Verdict::Agrees;
    }
    // A step of another size that surely gives another number, and one that fits.
    let contradicts = |other: &Estimate| apart(*other, sweep.best) && fits(derivative, *other, epsilon);
    let unsure = !converges(sweep.best, derivative) || sweep.steps.iter().any(contradicts);
    if unsure { Verdict::Unchecked } else { Verdict::Disagrees }
}

/// Whether they are the same within the difference's error and the derivative's own rounding, which is that of more
/// operations than the function has.
fn fits(derivative: f64, difference: Estimate, epsilon: f64) -> bool {
    let Estimate { value, uncertainty } = difference;
    let rounding = epsilon.powf(0.75) * derivative.abs().max(value.abs());
    derivative.is_finite() && (derivative - value).abs() <= SAFETY * uncertainty + rounding
}

/// Whether the difference can tell this derivative from another one.
fn converges(difference: Estimate, derivative: f64) -> bool {
    let derivative = if derivative.is_finite() { derivative.abs() } else { 0.0 };
    difference.uncertainty <= DIVERGENT * difference.value.abs().max(derivative)
}
