//! The exponentials: `exp`, `exp2`, `expm1`, `gaussian`.
//!
//! `x = k ln2/128 + r` with `|r| <= ln2/256`, so `e^x = 2^(k/128) e^r`: a table gives the power, a
//! short polynomial gives `e^r - 1` (Tang 1989; the layout follows ARM's optimized routines). All
//! functions take the argument as a sum of two numbers, so that callers whose argument is rounded
//! (`x²`, `y ln x`) pass its error along. Results near and below the smallest normal number are
//! assembled with a single rounding in [`assemble_scaled`].

use crate::arithmetic::{Arithmetic, fast_two_sum, two_sum};
use crate::branch_free::branch_free;
use crate::tables::exp::{EXP, EXP2, LN2_STEP_HI, LN2_STEP_LO, POWERS, STEPS_PER_LN2};

/// Added to and subtracted from a number below `2^51`, it rounds to an integer, whose low bits are
/// then those of the sum.
pub(crate) const ROUNDER: f64 = 6_755_399_441_055_744.0;

/// Up to here nothing in `e^x = scale + scale * fraction`, nor in the error of that product, leaves
/// the range of normal numbers.
pub(crate) const SAFE: f64 = 600.0;

/// `e^x = scale (1 + tail) (1 + r + r_lo + square curve)`.
pub(crate) struct Factors {
    /// `2^(k/128)` as bits: outside the range of the format these wrap around.
    scale: u64,
    /// Whether the scale is above 1: tells overflow from underflow when the bits have wrapped.
    large: bool,
    tail: f64,
    r: f64,
    r_lo: f64,
    /// `r²`, and `(e^r - 1 - r) / r²`; for base 2 of an `r` without the factor `ln 2`.
    square: f64,
    curve: f64,
}

/// The factors of `e^(x + x_lo)`, for `|x_lo|` below an ulp of `x`.
#[inline(always)]
pub(crate) fn factors<A: Arithmetic>(x: f64, x_lo: f64) -> Factors {
    let shifted = A::mul_add(x, STEPS_PER_LN2, ROUNDER);
    let k = shifted - ROUNDER;
    let head = A::mul_add(-LN2_STEP_HI, k, x);
    let rest = A::mul_add(-LN2_STEP_LO, k, x_lo);
    let (r, r_lo) = fast_two_sum(head, rest);
    pick::<A>(shifted.to_bits(), r, &EXP, (r, r_lo))
}

/// The factors of `2^x`.
#[inline(always)]
fn factors2<A: Arithmetic>(x: f64) -> Factors {
    // The rounder of the grid 1/128: no multiplication is needed.
    let shifted = x + ROUNDER / 128.0;
    let r = x - (shifted - ROUNDER / 128.0);
    pick::<A>(shifted.to_bits(), r, &EXP2, (r * std::f64::consts::LN_2, 0.0))
}

/// The power of `2^(k/128)` from the table, the polynomial `c` at `t`, and the linear term.
#[inline(always)]
fn pick<A: Arithmetic>(k: u64, t: f64, c: &[f64; 4], (r, r_lo): (f64, f64)) -> Factors {
    let (tail, bits) = POWERS[(k & 127) as usize];
    let square = t * t;
    let curve = A::mul_add(square, A::mul_add(t, c[3], c[2]), A::mul_add(t, c[1], c[0]));
    // The sum adds `k / 128` to the exponent: the table has the low bits of `k` subtracted already.
    let scale = bits.wrapping_add(k << 45);
    Factors { scale, large: k & 0x8000_0000 == 0, tail, r, r_lo, square, curve }
}

impl Factors {
    #[inline(always)]
    fn fraction<A: Arithmetic>(&self) -> f64 {
        A::mul_add(self.square, self.curve, self.tail + self.r)
    }

    /// The value, if it is within the range of normal numbers.
    #[inline(always)]
    pub(crate) fn assemble<A: Arithmetic>(&self) -> f64 {
        let scale = f64::from_bits(self.scale);
        A::mul_add(scale, self.fraction::<A>(), scale)
    }

    /// The value minus 1 as a sum, accurate relative to the difference.
    #[inline(always)]
    pub(crate) fn minus_one<A: Arithmetic>(&self) -> (f64, f64) {
        let scale = f64::from_bits(self.scale);
        let (head, head_lo) = two_sum(scale, -1.0);
        let (linear, linear_lo) = A::two_prod(scale, self.r);
        let (hi, sum_lo) = two_sum(head, linear);
        // The tail counts with all of `1 + r` here: near zero the result is as small as `r`.
        let tail = A::mul_add(self.tail, self.r, self.tail);
        let rest = A::mul_add(scale, A::mul_add(self.square, self.curve, tail + self.r_lo), linear_lo);
        fast_two_sum(hi, head_lo + sum_lo + rest)
    }
}

/// `e^x` outside [`SAFE`], for `|x| < 1000`: overflow to infinity, gradual underflow with one rounding.
#[inline(always)]
fn assemble_scaled<A: Arithmetic>(f: &Factors) -> f64 {
    let p = f.fraction::<A>();
    if f.large {
        let scale = f64::from_bits(f.scale.wrapping_sub(1009 << 52));
        return (scale + scale * p) * f64::from_bits((1023 + 1009) << 52);
    }
    let smallest_normal = f64::MIN_POSITIVE;
    let scale = f64::from_bits(f.scale.wrapping_add(1022 << 52));
    let value = scale + scale * p;
    if value >= 1.0 {
        return value * smallest_normal;
    }
    // The bits of a subnormal result end where those of a number in [1, 2) end: adding 1 rounds
    // there, with the error of `value` still at hand.
    let error = (scale - value) + scale * p;
    let hi = 1.0 + value;
    let lo = (1.0 - hi) + value + error;
    ((hi + lo) - 1.0) * smallest_normal
}

/// `e^(x + x_lo)` for any `x`, for callers that do not know that it is [`SAFE`].
#[inline(always)]
pub(crate) fn exp_sum<A: Arithmetic>(x: f64, x_lo: f64) -> f64 {
    if x.abs() < SAFE { factors::<A>(x, x_lo).assemble::<A>() } else { exp_extreme::<A>(x, x_lo) }
}

#[inline(always)]
fn exp_extreme<A: Arithmetic>(x: f64, x_lo: f64) -> f64 {
    if x.abs() < 1000.0 {
        return assemble_scaled::<A>(&factors::<A>(x, x_lo));
    }
    saturated(x)
}

/// The limit of an exponential on the side of `x`; NaN stays NaN.
fn saturated(x: f64) -> f64 {
    if x > 0.0 {
        f64::INFINITY
    } else if x < 0.0 {
        0.0
    } else {
        x
    }
}

branch_free!(
    /// `e^x`.
    Exp exp |x| if (x.abs() < SAFE) { exp_usual } else { exp_rare }
);

#[inline(always)]
pub(crate) fn exp_usual<A: Arithmetic>(x: f64) -> f64 {
    factors::<A>(x, 0.0).assemble::<A>()
}

#[inline(always)]
fn exp_rare<A: Arithmetic>(x: f64) -> f64 {
    exp_extreme::<A>(x, 0.0)
}

branch_free!(
    /// `2^x`.
    Exp2 exp2 |x| if (x.abs() < 900.0) { exp2_usual } else { exp2_rare }
);

#[inline(always)]
fn exp2_usual<A: Arithmetic>(x: f64) -> f64 {
    factors2::<A>(x).assemble::<A>()
}

#[inline(always)]
fn exp2_rare<A: Arithmetic>(x: f64) -> f64 {
    if x.abs() < 1500.0 { assemble_scaled::<A>(&factors2::<A>(x)) } else { saturated(x) }
}

branch_free!(
    /// `e^x - 1`.
    Expm1 expm1 |x| if (x.abs() < SAFE) { expm1_usual } else { expm1_rare }
);

#[inline(always)]
fn expm1_usual<A: Arithmetic>(x: f64) -> f64 {
    // The sign is lost for -0 only.
    factors::<A>(x, 0.0).minus_one::<A>().0.copysign(x)
}

#[inline(always)]
fn expm1_rare<A: Arithmetic>(x: f64) -> f64 {
    if x < 0.0 { -1.0 } else { exp_extreme::<A>(x, 0.0) }
}

branch_free!(
    /// `e^(-x²)`.
    Gaussian gaussian |x| if (x.abs() < 24.4) { gaussian_usual } else { gaussian_rare }
);

#[inline(always)]
fn gaussian_usual<A: Arithmetic>(x: f64) -> f64 {
    let (square, error) = A::two_prod(x, x);
    factors::<A>(-square, -error).assemble::<A>()
}

#[inline(always)]
fn gaussian_rare<A: Arithmetic>(x: f64) -> f64 {
    if x.abs() < 30.0 {
        let (square, error) = A::two_prod(x, x);
        return exp_extreme::<A>(-square, -error);
    }
    saturated(-x.abs())
}
