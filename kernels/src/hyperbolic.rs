//! The hyperbolic functions and their inverses.
//!
//! All but `cosh` are written with `e^x - 1` or `ln(1 + x)` as sums of two numbers, so they keep
//! their relative accuracy near zero; the quotients are corrected by their remainders. The inverse
//! functions reduce to [`log1p_sum`](crate::ln::log1p_sum).

use crate::arithmetic::{Arithmetic, fast_two_sum, select, two_sum};
use crate::branch_free::branch_free;
use crate::exp::{SAFE, exp_sum, exp_usual, factors};
use crate::ln::{ln, log1p_sum};
use crate::tables::exp::{LN2_HI, LN2_LO};
use crate::trig::{divide, divide_sum};

branch_free!(
    /// `sinh x`.
    Sinh sinh |x| if (x.abs() < SAFE) { sinh_usual } else { sinh_rare }
);

#[inline(always)]
fn sinh_usual<A: Arithmetic>(x: f64) -> f64 {
    // With t = e^|x| - 1: sinh |x| = (t + t / (t + 1)) / 2.
    let (t, t_lo) = factors::<A>(x.abs(), 0.0).minus_one::<A>();
    let (under, under_lo) = two_sum(t, 1.0);
    let (quotient, correction) = divide_sum::<A>((t, t_lo), (under, under_lo + t_lo));
    let (sum, error) = fast_two_sum(t, quotient);
    (0.5 * (sum + (error + (t_lo + correction)))).copysign(x)
}

#[inline(always)]
fn sinh_rare<A: Arithmetic>(x: f64) -> f64 {
    half_exp::<A>(x.abs()).copysign(x)
}

/// `e^x / 2`, which overflows later than `e^x`.
#[inline(always)]
fn half_exp<A: Arithmetic>(x: f64) -> f64 {
    if !x.is_finite() {
        return x;
    }
    let (hi, lo) = two_sum(x, -LN2_HI);
    exp_sum::<A>(hi, lo - LN2_LO)
}

branch_free!(
    /// `cosh x`.
    Cosh cosh |x| if (x.abs() < SAFE) { cosh_usual } else { cosh_rare }
);

#[inline(always)]
fn cosh_usual<A: Arithmetic>(x: f64) -> f64 {
    let e = exp_usual::<A>(x.abs());
    0.5 * e + 0.5 / e
}

#[inline(always)]
fn cosh_rare<A: Arithmetic>(x: f64) -> f64 {
    half_exp::<A>(x.abs())
}

branch_free!(
    /// `tanh x`.
    Tanh tanh |x| if (x.abs() < SATURATED) { tanh_usual } else { tanh_rare }
);

/// From here on `tanh` is 1 in rounding.
const SATURATED: f64 = 20.0;

#[inline(always)]
fn tanh_usual<A: Arithmetic>(x: f64) -> f64 {
    // With t = e^(-2|x|) - 1: tanh |x| = -t / (t + 2).
    let (t, t_lo) = factors::<A>(-2.0 * x.abs(), 0.0).minus_one::<A>();
    let (under, under_lo) = fast_two_sum(2.0, t);
    divide::<A>((-t, -t_lo), (under, under_lo + t_lo)).copysign(x)
}

#[inline(always)]
fn tanh_rare<A: Arithmetic>(x: f64) -> f64 {
    if x.is_nan() { x } else { 1.0_f64.copysign(x) }
}

branch_free!(
    /// The inverse of `sinh`.
    Asinh asinh |x| if (x.abs() < LARGE) { asinh_usual } else { asinh_rare }
);

/// From here on `sqrt(x² ± 1) = |x|` in rounding.
const LARGE: f64 = 1e9;

#[inline(always)]
fn asinh_usual<A: Arithmetic>(x: f64) -> f64 {
    // asinh |x| = ln(1 + |x| + x² / (1 + sqrt(1 + x²))).
    let square = x * x;
    let excess = square / (1.0 + (1.0 + square).sqrt());
    let (sum, error) = two_sum(x.abs(), excess);
    log1p_sum::<A>(sum, error).copysign(x)
}

#[inline(always)]
fn asinh_rare<A: Arithmetic>(x: f64) -> f64 {
    (ln::<A>(x.abs()) + LN2_HI).copysign(x)
}

branch_free!(
    /// The inverse of `cosh` for positive results.
    Acosh acosh |x| if ((1.0..LARGE).contains(&x)) { acosh_usual } else { acosh_rare }
);

#[inline(always)]
fn acosh_usual<A: Arithmetic>(x: f64) -> f64 {
    // acosh x = ln(1 + t + sqrt(t (t + 2))) with t = x - 1; the root is corrected by its remainder.
    let t = x - 1.0;
    let (factor, factor_lo) = two_sum(t, 2.0);
    let (square, square_lo) = A::two_prod(t, factor);
    let root = square.sqrt();
    let (back, back_lo) = A::two_prod(root, root);
    let remainder = (square - back) - back_lo + A::mul_add(t, factor_lo, square_lo);
    let correction = remainder / select(root > 0.0, 2.0 * root, 1.0);
    let (sum, error) = two_sum(t, root);
    log1p_sum::<A>(sum, error + correction)
}

#[inline(always)]
fn acosh_rare<A: Arithmetic>(x: f64) -> f64 {
    if x < 1.0 { f64::NAN } else { ln::<A>(x) + LN2_HI }
}

branch_free!(
    /// The inverse of `tanh`.
    Atanh atanh |x| if (x.abs() < 1.0) { atanh_usual } else { atanh_rare }
);

#[inline(always)]
fn atanh_usual<A: Arithmetic>(x: f64) -> f64 {
    // atanh |x| = ln(1 + 2|x| / (1 - |x|)) / 2.
    let over = 2.0 * x.abs();
    let (under, under_lo) = fast_two_sum(1.0, -x.abs());
    let (quotient, correction) = divide_sum::<A>((over, 0.0), (under, under_lo));
    (0.5 * log1p_sum::<A>(quotient, correction)).copysign(x)
}

#[inline(always)]
fn atanh_rare<A: Arithmetic>(x: f64) -> f64 {
    if x.abs() == 1.0 { f64::INFINITY.copysign(x) } else { f64::NAN }
}
