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
    /// The function jumps: as the step shrinks, its value keeps changing by as much, and no difference converges.
    Jump {
        /// The value at the point less that to the left.
        left: f64,
        /// The value to the right less that at the point.
        right: f64,
    },
    /// It cannot be checked: the function has no finite values around the point, or the differences do not converge
    /// far enough to tell the derivative from another one.
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
            Verdict::Agrees
            | Verdict::AgreesOneSided
            | Verdict::Kink { .. }
            | Verdict::Jump { .. }
            | Verdict::Unchecked => false,
        }
    }

    /// Of several the highest is reported.
    pub(super) fn rank(self) -> u8 {
        match self {
            Verdict::Agrees => 0,
            Verdict::AgreesOneSided => 1,
            Verdict::Kink { .. } => 2,
            Verdict::Jump { .. } => 3,
            Verdict::Unchecked => 4,
            Verdict::Disagrees => 5,
            Verdict::NotANumber => 6,
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
            Verdict::Jump { left, right } => {
                write!(f, "jump: by {left:.4e} from the left, by {right:.4e} to the right")
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

/// Both slopes of a kink are seen by so many steps that follow one another.
const KINK_STEPS: usize = 4;

/// The difference that a derivative is compared with, and the verdict; `epsilon` is the relative rounding error.
pub(super) fn compared(derivative: f64, sides: &Sides, epsilon: f64) -> (Estimate, Verdict) {
    let none = Estimate { value: f64::NAN, uncertainty: f64::INFINITY };
    let Sides { central, left, right } = sides;
    let sweep = central.as_ref().or(right.as_ref()).or(left.as_ref());
    let verdict = match sweep {
        _ if derivative.is_nan() => Verdict::NotANumber,
        None => Verdict::Unchecked,
        Some(sweep) => jump(sides).or_else(|| kink(sides)).unwrap_or_else(|| {
            match judged(derivative, sweep, scale(derivative, sweep, sides, epsilon), epsilon) {
                Verdict::Agrees if central.is_none() => Verdict::AgreesOneSided,
                verdict => verdict,
            }
        }),
    };
    (sweep.map_or(none, |sweep| sweep.best), verdict)
}

/// Whether the function jumps at the point.
fn jump(sides: &Sides) -> Option<Verdict> {
    let [left, right] = [&sides.left, &sides.right].map(|side| side.as_ref().map_or(0.0, |side| side.jump));
    (left != 0.0 || right != 0.0).then_some(Verdict::Jump { left, right })
}

/// Whether the slopes to either side are surely different, and steps of the same size see both: a difference of two steps
/// alone may be sure of a slope by chance.
fn kink(sides: &Sides) -> Option<Verdict> {
    let (Some(_), Some(left), Some(right)) = (&sides.central, &sides.left, &sides.right) else { return None };
    let gap = (left.best.value - right.best.value).abs();
    let near = |step: &Estimate, slope: Estimate| {
        (step.value - slope.value).abs().max(step.uncertainty) <= DIVERGENT * gap
    };
    // The smallest steps are there on both sides.
    let both = left.steps.iter().rev().zip(right.steps.iter().rev());
    let seen: Vec<bool> = both.map(|(l, r)| near(l, left.best) && near(r, right.best)).collect();
    let is_seen = seen.windows(KINK_STEPS).any(|steps| steps.iter().all(|&seen| seen));
    let is_kink = is_seen && left.settles && right.settles && apart(left.best, right.best);
    is_kink.then_some(Verdict::Kink { left: left.best.value, right: right.best.value })
}

fn apart(a: Estimate, b: Estimate) -> bool {
    SAFETY * (a.uncertainty + b.uncertainty) < (a.value - b.value).abs()
}

/// A difference has to be surer than this to say something of a derivative. Where both are small, at an extremum, what
/// they are small beside is the slope as it is from afar.
fn scale(derivative: f64, sweep: &Sweep, sides: &Sides, epsilon: f64) -> f64 {
    let afar = [&sides.left, &sides.right].into_iter().flatten().map(|side| side.coarse.abs());
    let own = if derivative.is_finite() { derivative.abs() } else { 0.0 };
    let afar = epsilon.powf(0.25) * afar.fold(0.0, f64::max);
    (DIVERGENT * sweep.best.value.abs().max(own)).max(afar)
}

fn judged(derivative: f64, sweep: &Sweep, scale: f64, epsilon: f64) -> Verdict {
    let converges = sweep.best.uncertainty <= scale || (sweep.is_constant && derivative == 0.0);
    // A step of another size that surely gives another number, and one that fits.
    let contradicts = |other: &Estimate| apart(*other, sweep.best) && fits(derivative, *other, epsilon);
    match fits(derivative, sweep.best, epsilon) {
        _ if !converges => Verdict::Unchecked,
        true => Verdict::Agrees,
        false if !sweep.settles || sweep.steps.iter().any(contradicts) => Verdict::Unchecked,
        false => Verdict::Disagrees,
    }
}

/// Whether they are the same within the difference's error and the derivative's own rounding, which is that of more
/// operations than the function has.
fn fits(derivative: f64, difference: Estimate, epsilon: f64) -> bool {
    let Estimate { value, uncertainty } = difference;
    let rounding = epsilon.powf(0.75) * derivative.abs().max(value.abs());
    derivative.is_finite() && (derivative - value).abs() <= SAFETY * uncertainty + rounding
}
