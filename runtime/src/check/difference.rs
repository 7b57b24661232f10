//! Finite differences with their error: Ridders' extrapolation over a sweep of step sizes.
//!
//! C. J. F. Ridders, Accurate computation of F′(x) and F′(x)F″(x), Advances in Engineering Software 4 (1982). The
//! steps shrink from a quarter of |x| to where rounding takes over. Each two quotients extrapolate to a better one,
//! and these again; of all, that with the smallest error estimate is taken: how far it is from the two that it comes
//! from and from the one before it (where a function is rounded to few numbers, two are equal by chance), and the
//! rounding of the values. A step that leaves the domain gives no finite quotient, and the
//! extrapolation starts again after it.

use evolute_ir::{Elem, Literal};

/// By what each step is smaller than the one before.
const RATIO: f64 = 4.0;

/// How often a quotient is extrapolated.
const ORDERS: usize = 4;

/// What stays the same at so many steps, each a quarter of the one before, is a jump.
const JUMP_STEPS: usize = 5;

/// By which part of itself a jump may change over these steps. Over these steps a tenth root changes by three quarters.
const JUMP_CHANGE: f64 = 0.05;

/// A jump is at least so many rounding errors high.
const JUMP_ROUNDING: f64 = 100.0;

/// By which part at most the change of a value that has a slope may shrink with each step. That of a smooth
/// function shrinks to a quarter.
const SETTLING: f64 = 0.5;

/// A difference, and how far it may be from the derivative.
#[derive(Clone, Copy, Debug)]
pub(super) struct Estimate {
    pub(super) value: f64,
    pub(super) uncertainty: f64,
}

/// What a sweep of steps gives.
#[derive(Clone, Debug)]
pub(super) struct Sweep {
    pub(super) best: Estimate,
    /// The best of each step. Where they are sure of different numbers, the function looks different from
    /// near and from afar, and may be rounded in its inside.
    pub(super) steps: Vec<Estimate>,
    /// The quotient of the largest step: a slope as it is from afar.
    pub(super) coarse: f64,
    /// Whether the function has the same value at every step.
    pub(super) is_constant: bool,
    /// Whether the value changes by less with each of the smaller steps, as it does where these resolve the function.
    pub(super) settles: bool,
    /// By how much the value changes however small the step is: 0 of a function that is continuous there.
    pub(super) jump: f64,
}

/// The differences to both sides of a point, and to each; `None` where there are no finite values.
#[derive(Clone, Debug)]
pub(super) struct Sides {
    pub(super) central: Option<Sweep>,
    pub(super) left: Option<Sweep>,
    pub(super) right: Option<Sweep>,
}

/// The step sizes at a point: each is the exact distance of two numbers.
pub(super) struct Steps {
    sizes: Vec<f64>,
    /// The magnitude of the point.
    at: f64,
    epsilon: f64,
    floor: f64,
}

impl Steps {
    /// The steps at `x`, of a function computed with this relative rounding error, of numbers at least as large as
    /// `floor`.
    pub(super) fn new(elem: Elem, x: f64, epsilon: f64, floor: f64) -> Steps {
        let scale = if x == 0.0 { 1.0 } else { x.abs() };
        let rounded = |x: f64| Literal::from_f64(elem, x).as_real().unwrap_or(x);
        let smallest = scale * epsilon.powf(0.75);
        let sizes = std::iter::successors(Some(scale / 4.0), |h| Some(h / RATIO));
        let sizes = sizes.take_while(|&h| h >= smallest).map(|h| rounded(x + h) - x).filter(|&h| h > 0.0);
        Steps { sizes: sizes.collect(), at: x.abs(), epsilon, floor }
    }

    /// For each element of the results of `f` its differences at `x`.
    pub(super) fn differences<E>(
        &self,
        x: f64,
        mut f: impl FnMut(f64) -> Result<Vec<f64>, E>,
    ) -> Result<Vec<Sides>, E> {
        let center = f(x)?;
        let mut samples = Vec::new();
        for &h in &self.sizes {
            samples.push((h, f(x - h)?, f(x + h)?));
        }
        let sides = (0..center.len()).map(|i| {
            let each = || samples.iter().map(move |(h, below, above)| (*h, below[i], above[i]));
            Sides {
                central: self.extrapolated(2, each().map(|(h, below, above)| [2.0 * h, below, above])),
                left: self.extrapolated(1, each().map(|(h, below, _)| [h, below, center[i]])),
                right: self.extrapolated(1, each().map(|(h, _, above)| [h, center[i], above])),
            }
        });
        Ok(sides.collect())
    }

    /// The best extrapolation of the quotients of these distances and values, whose error is a series in this power
    /// of the distance.
    fn extrapolated(&self, power: i32, samples: impl Iterator<Item = [f64; 3]>) -> Option<Sweep> {
        let mut steps = Vec::new();
        let (mut row, mut rises, mut coarse) = (Vec::new(), Vec::new(), None);
        for [distance, low, high] in samples {
            let quotient = (high - low) / distance;
            if !quotient.is_finite() {
                row.clear();
                continue;
            }
            coarse.get_or_insert(quotient);
            let magnitude = low.abs().max(high.abs()).max(self.floor);
            // What a function makes of its argument first, a multiple of it, is rounded too.
            let argument = quotient.abs() * (1.0 + self.at / distance);
            let rounding = self.epsilon * 4.0 * (magnitude / distance + argument);
            let next = better(quotient, &row, power);
            steps.extend(estimate(&next, &row, rounding));
            rises.push((high - low, self.epsilon * magnitude));
            row = next;
        }
        let best = steps.iter().copied().min_by(|a, b| a.uncertainty.total_cmp(&b.uncertainty))?;
        let is_constant = rises.iter().all(|&(rise, _)| rise == 0.0);
        let (settles, jump) = (settles(&rises), jump(&rises));
        Some(Sweep { best, steps, coarse: coarse?, is_constant, settles, jump })
    }
}

/// Whether each of the smaller half of the steps changes the value by a part of what the one before it does, or by
/// rounding. A function that varies within the smallest step gives differences as of samples at random.
fn settles(rises: &[(f64, f64)]) -> bool {
    rises[rises.len() / 2..].windows(2).all(|pair| {
        let [(before, _), (rise, rounding)] = [pair[0], pair[1]];
        rise.abs() <= (SETTLING * before.abs()).max(JUMP_ROUNDING * rounding)
    })
}

/// What the value changes by at each of the smallest steps, if that is the same and surely not rounding.
fn jump(rises: &[(f64, f64)]) -> f64 {
    let smallest = &rises[rises.len().saturating_sub(JUMP_STEPS)..];
    let &(last, rounding) = smallest.last().expect("a sweep has steps");
    let stays = |&(rise, _): &(f64, f64)| (rise - last).abs() <= JUMP_CHANGE * last.abs();
    let is_jump = smallest.len() == JUMP_STEPS && last.abs() > JUMP_ROUNDING * rounding;
    if is_jump && smallest.iter().all(stays) { last } else { 0.0 }
}

/// A quotient, and what it and the last row of the table extrapolate to.
fn better(quotient: f64, row: &[f64], power: i32) -> Vec<f64> {
    let mut next = vec![quotient];
    for (order, &coarse) in row.iter().take(ORDERS).enumerate() {
        let weight = RATIO.powi(power * (order as i32 + 1));
        next.push(next[order] + (next[order] - coarse) / (weight - 1.0));
    }
    next
}

/// The entry of a row that is closest to those around it in the table.
fn estimate(next: &[f64], row: &[f64], rounding: f64) -> Option<Estimate> {
    let entries = (1..next.len()).zip(row.iter().skip(1)).map(|(order, &before)| {
        let value = next[order];
        let apart = [next[order - 1], row[order - 1], before].map(|other| (value - other).abs());
        Estimate { value, uncertainty: apart.into_iter().fold(0.0, f64::max) + rounding }
    });
    entries.filter(|e| e.uncertainty.is_finite()).min_by(|a, b| a.uncertainty.total_cmp(&b.uncertainty))
}
