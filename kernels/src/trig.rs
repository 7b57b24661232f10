//! `sin`, `cos` and `tan`.
//!
//! `x = n π/2 + r` with `|r| <= π/4` as a sum of two numbers. For moderate `x` the reduction
//! subtracts `n` times pieces of `π/2` that are so short that every product is exact (Cody and
//! Waite), keeping all errors; huge `x` go to `huge_angle.rs`. Both functions are then polynomials
//! in `r²`; the quadrant selects which one and which sign.

use crate::arithmetic::{Arithmetic, fast_two_sum, select, two_sum};
use crate::branch_free::branch_free;
use crate::exp::ROUNDER;
use crate::huge_angle;
use crate::tables::trig::{COS, HALF_PI, HALF_PI_HI, HALF_PI_LO, INV_HALF_PI, SIN};

/// The angle `n π/2 + r + r_lo`; only the last two bits of `n` count, `r_lo` is small relative to `r`.
#[derive(Clone, Copy)]
pub(crate) struct Angle {
    pub(crate) n: u64,
    pub(crate) r: f64,
    pub(crate) r_lo: f64,
}

/// Up to here `n` has at most 20 bits.
const MODERATE: f64 = 1_000_000.0;

#[inline(always)]
fn reduce<A: Arithmetic>(x: f64) -> Angle {
    let shifted = A::mul_add(x, INV_HALF_PI, ROUNDER);
    let n = shifted - ROUNDER;
    let first = A::mul_add(-HALF_PI[0], n, x);
    let (second, error1) = two_sum(first, -HALF_PI[1] * n);
    let (r, error2) = two_sum(second, -HALF_PI[2] * n);
    let r_lo = A::mul_add(-HALF_PI[3], n, error1 + error2);
    Angle { n: shifted.to_bits(), r, r_lo }
}

#[inline(always)]
fn polynomial<A: Arithmetic>(t: f64, c: &[f64; 6]) -> f64 {
    let square = t * t;
    let low = A::mul_add(t, c[1], c[0]);
    let middle = A::mul_add(t, c[3], c[2]);
    let high = A::mul_add(t, c[5], c[4]);
    A::mul_add(square, A::mul_add(square, high, middle), low)
}

impl Angle {
    /// `sin` of the reduced angle as a sum.
    #[inline(always)]
    fn sin_sum<A: Arithmetic>(self) -> (f64, f64) {
        let t = self.r * self.r;
        // sin(r + r_lo) = sin r + r_lo cos r, with cos r = 1 - r²/2.
        let tail = A::mul_add(-0.5 * t, self.r_lo, self.r_lo);
        (self.r, A::mul_add(self.r * t, polynomial::<A>(t, &SIN), tail))
    }

    /// `cos` of the reduced angle as a sum.
    #[inline(always)]
    fn cos_sum<A: Arithmetic>(self) -> (f64, f64) {
        let t = self.r * self.r;
        let (hi, error) = fast_two_sum(1.0, -0.5 * t);
        // cos(r + r_lo) = cos r - r_lo sin r, with sin r = r.
        let tail = A::mul_add(-self.r, self.r_lo, error);
        (hi, A::mul_add(t * t, polynomial::<A>(t, &COS), tail))
    }

    /// `sin` of the angle `turns` quadrants on.
    #[inline(always)]
    fn sin_after<A: Arithmetic>(self, turns: u64) -> f64 {
        let n = self.n.wrapping_add(turns);
        let (sin, sin_lo) = self.sin_sum::<A>();
        let (cos, cos_lo) = self.cos_sum::<A>();
        let odd = n & 1 != 0;
        let magnitude = select(odd, cos, sin) + select(odd, cos_lo, sin_lo);
        f64::from_bits(magnitude.to_bits() ^ ((n & 2) << 62))
    }

    /// `tan` of the angle: `sin / cos`, with the rounding errors of all three taken up.
    #[inline(always)]
    fn tan<A: Arithmetic>(self) -> f64 {
        let (sin, sin_lo) = self.sin_sum::<A>();
        let (cos, cos_lo) = self.cos_sum::<A>();
        let odd = self.n & 1 != 0;
        let (over, over_lo) = fast_two_sum(select(odd, -cos, sin), select(odd, -cos_lo, sin_lo));
        let (under, under_lo) = fast_two_sum(select(odd, sin, cos), select(odd, sin_lo, cos_lo));
        divide::<A>((over, over_lo), (under, under_lo))
    }
}

/// The quotient of two sums, rounded nearly once.
#[inline(always)]
pub(crate) fn divide<A: Arithmetic>(over: (f64, f64), under: (f64, f64)) -> f64 {
    let (quotient, correction) = divide_sum::<A>(over, under);
    quotient + correction
}

/// The quotient of two sums as a sum.
#[inline(always)]
pub(crate) fn divide_sum<A: Arithmetic>(over: (f64, f64), under: (f64, f64)) -> (f64, f64) {
    let inverse = 1.0 / under.0;
    let quotient = over.0 * inverse;
    let (product, product_lo) = A::two_prod(quotient, under.0);
    let remainder = (over.0 - product) - product_lo + A::mul_add(-quotient, under.1, over.1);
    (quotient, remainder * inverse)
}

/// The angle `x`, where it is large or not finite.
#[inline(always)]
fn reduce_large(x: f64) -> Angle {
    if x.is_finite() { huge_angle::reduce(x) } else { Angle { n: 0, r: f64::NAN, r_lo: 0.0 } }
}

branch_free!(
    /// `sin x`.
    Sin sin |x| if (x.abs() < MODERATE) { sin_usual } else { sin_rare }
);

#[inline(always)]
fn sin_usual<A: Arithmetic>(x: f64) -> f64 {
    // The reduction loses the sign of a zero.
    select(x == 0.0, x, reduce::<A>(x).sin_after::<A>(0))
}

#[inline(always)]
fn sin_rare<A: Arithmetic>(x: f64) -> f64 {
    reduce_large(x).sin_after::<A>(0)
}

branch_free!(
    /// `cos x`.
    Cos cos |x| if (x.abs() < MODERATE) { cos_usual } else { cos_rare }
);

#[inline(always)]
fn cos_usual<A: Arithmetic>(x: f64) -> f64 {
    reduce::<A>(x).sin_after::<A>(1)
}

#[inline(always)]
fn cos_rare<A: Arithmetic>(x: f64) -> f64 {
    reduce_large(x).sin_after::<A>(1)
}

branch_free!(
    /// `tan x`.
    Tan tan |x| if (x.abs() < MODERATE) { tan_usual } else { tan_rare }
);

#[inline(always)]
fn tan_usual<A: Arithmetic>(x: f64) -> f64 {
    select(x == 0.0, x, reduce::<A>(x).tan::<A>())
}

#[inline(always)]
fn tan_rare<A: Arithmetic>(x: f64) -> f64 {
    reduce_large(x).tan::<A>()
}

/// `|sin πx|` for a positive `x`, accurate relative to the result near integers.
#[inline(always)]
pub(crate) fn sin_pi<A: Arithmetic>(x: f64) -> f64 {
    // The distance to an integer and, if that is large, to half of one: both are exact.
    let to_integer = (x - x.round()).abs();
    let far = to_integer > 0.25;
    let distance = select(far, 0.5 - to_integer, to_integer);
    let (hi, error) = A::two_prod(distance, 2.0 * HALF_PI_HI);
    let r_lo = A::mul_add(distance, 2.0 * HALF_PI_LO, error);
    Angle { n: u64::from(far), r: hi, r_lo }.sin_after::<A>(0)
}
