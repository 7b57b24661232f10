//! Derivatives as limits of central differences (Ridders, *Accurate computation of F'(x) and F'(x)F''(x)*, 1982).

use crate::noise::{Measured, Sum};

/// First steps. A function that oscillates within one of them may mislead it, not all.
const STEPS: [f64; 3] = [3e-2, 3e-3, 3e-4];
/// By what the step shrinks.
const RATIO: f64 = 1.6;
/// How often it shrinks.
const ROUNDS: usize = 9;
/// What is taken for the error, in units of the one that the extrapolation sees.
const SAFETY: f64 = 20.0;

/// Estimates of the derivative at 0, from each first step.
pub(crate) fn derivative(f: impl Fn(f64) -> Sum) -> Vec<Measured> {
    STEPS.iter().map(|&step| extrapolate(&f, step)).collect()
}

/// Neville's scheme on central differences with shrinking steps.
fn extrapolate(f: &impl Fn(f64) -> Sum, first: f64) -> Measured {
    let mut best = Measured { value: f64::NAN, noise: f64::INFINITY };
    let mut previous: Vec<f64> = Vec::new();
    for round in 0..ROUNDS {
        let step = first / RATIO.powi(round as i32);
        let [right, left] = [f(step), f(-step)];
        // The terms of the sums are rounded, whatever cancels when they are added.
        let rounding = f64::EPSILON * (right.magnitude + left.magnitude) / step;
        let mut row = vec![(right.value - left.value) / (2.0 * step)];
        let mut power = 1.0;
        for (order, &coarse) in previous.iter().enumerate() {
            power *= RATIO * RATIO;
            let finer = row[order];
            let value = finer + (finer - coarse) / (power - 1.0);
            let error = (value - finer).abs().max((value - coarse).abs()) + rounding;
            if SAFETY * error < best.noise {
                best = Measured { value, noise: SAFETY * error };
            }
            row.push(value);
        }
        previous = row;
    }
    best
}
