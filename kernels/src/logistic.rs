//! Functions of statistics: `sigmoid`, `softplus`, `log_add_exp`.
//!
//! All take the exponential of a negative argument only, so nothing overflows, and nothing is
//! subtracted, so both tails keep their relative accuracy.

use crate::arithmetic::{Arithmetic, fast_two_sum, select, two_sum};
use crate::branch_free::branch_free;
use crate::exp::{SAFE, exp, exp_sum, exp_usual};
use crate::ln::log1p_sum;
use crate::trig::divide;

branch_free!(
    /// `1 / (1 + e^-x)`.
    Sigmoid sigmoid |x| if (x.abs() < SAFE) { sigmoid_usual } else { sigmoid_rare }
);

#[inline(always)]
fn sigmoid_usual<A: Arithmetic>(x: f64) -> f64 {
    let e = exp_usual::<A>(-x.abs());
    divide::<A>((select(x < 0.0, e, 1.0), 0.0), fast_two_sum(1.0, e))
}

#[inline(always)]
fn sigmoid_rare<A: Arithmetic>(x: f64) -> f64 {
    if x > 0.0 { 1.0 } else { exp::<A>(x) }
}

branch_free!(
    /// `ln(1 + e^x)`.
    Softplus softplus |x| if (x.abs() < SAFE) { softplus_usual } else { softplus_rare }
);

#[inline(always)]
fn softplus_usual<A: Arithmetic>(x: f64) -> f64 {
    select(x > 0.0, x, 0.0) + log1p_sum::<A>(exp_usual::<A>(-x.abs()), 0.0)
}

#[inline(always)]
fn softplus_rare<A: Arithmetic>(x: f64) -> f64 {
    if x > 0.0 { x } else { exp::<A>(x) }
}

/// `ln(e^x + e^y)` as the larger one plus `ln(1 + e^-|x - y|)`.
#[inline(always)]
pub(crate) fn log_add_exp<A: Arithmetic>(x: f64, y: f64) -> f64 {
    if x.is_nan() || y.is_nan() {
        return x + y;
    }
    let (larger, smaller) = if x > y { (x, y) } else { (y, x) };
    if larger.is_infinite() || smaller.is_infinite() {
        return larger;
    }
    // A difference that overflows leaves a NaN as its error.
    let (difference, error) = two_sum(smaller, -larger);
    let ratio = if difference < -SAFE * 2.0 { 0.0 } else { exp_sum::<A>(difference, error) };
    larger + log1p_sum::<A>(ratio, 0.0)
}
