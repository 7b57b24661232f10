//! `ln |Γ(x)|`.
//!
//! Below 8 it is that of the `libm` crate, accurate near its roots 1 and 2. Beyond, Stirling's series
//! with the logarithm and its product as sums of two numbers; for negative `x` the reflection formula
//! `Γ(x) Γ(-x) = -π / (x sin πx)`. Near the roots between the poles its two terms cancel: the error
//! is small relative to them, not to the result.

use crate::arithmetic::{Arithmetic, horner, two_sum};
use crate::branch_free::opaque;
use crate::ln::{ln, reduce};
use crate::trig::sin_pi;

/// `B_2j / (2j (2j - 1))`.
const STIRLING: [f64; 9] = [
    0.08333333333333333,
    -0.002777777777777778,
    0.0007936507936507937,
    -0.0005952380952380953,
    0.0008417508417508417,
    -0.0019175269175269176,
    0.00641025641025641,
    -0.029550653594771242,
    0.17964437236883057,
];

/// `(ln 2π - 1) / 2` as a sum.
const SHIFT: f64 = 0.4189385332046727;
const SHIFT_LO: f64 = 1.6728209650585413e-17;

/// From here on the series is below the last bit, and soon the product leaves the range.
const HUGE: f64 = 1e290;

/// `ln |Γ(x)|`: `+inf` at the poles 0, -1, -2, ... and for infinite `x`.
#[inline(always)]
pub(crate) fn ln_gamma<A: Arithmetic>(x: f64) -> f64 {
    if x < 0.0 {
        reflected::<A>(x)
    } else if (8.0..HUGE).contains(&x) {
        stirling::<A>(x)
    } else if x.is_finite() && x >= HUGE {
        x * (ln::<A>(x) - 1.0)
    } else {
        libm::lgamma(x)
    }
}

opaque!(LnGamma ln_gamma);

#[inline(always)]
fn stirling<A: Arithmetic>(x: f64) -> f64 {
    // (x - 1/2) (ln x - 1) + (ln 2π - 1) / 2 + 1 / 12x - ...
    let (log, log_lo) = reduce::<A>(x.to_bits()).ln::<A>();
    let (factor, factor_lo) = two_sum(log, -1.0);
    let (main, main_lo) = A::two_prod(x - 0.5, factor);
    let rest = A::mul_add(x - 0.5, log_lo + factor_lo, main_lo);
    let inverse = 1.0 / x;
    let series = inverse * horner::<A, 9>(inverse * inverse, &STIRLING);
    let (sum, sum_lo) = two_sum(main, SHIFT);
    sum + (series + (sum_lo + rest + SHIFT_LO))
}

#[inline(always)]
fn reflected<A: Arithmetic>(x: f64) -> f64 {
    let magnitude = -x;
    if magnitude == magnitude.floor() {
        return f64::INFINITY;
    }
    if magnitude < 1e-17 {
        return -ln::<A>(magnitude);
    }
    let sine = sin_pi::<A>(magnitude);
    let positive = if magnitude >= 8.0 { stirling::<A>(magnitude) } else { libm::lgamma(magnitude) };
    ln::<A>(std::f64::consts::PI / (magnitude * sine)) - positive
}
