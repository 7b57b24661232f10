//! Reduction of huge angles modulo `π/2` in integers (Payne and Hanek).
//!
//! `x = m 2^e` with an integer `m` of 53 bits. Of `x · 2/π` only the last two bits before the point
//! and the fraction matter, so it is enough to multiply `m` with a window of 192 bits of `2/π`: what
//! is left of the window contributes multiples of 4, what is right of it is below the last bits.
//! No double is closer to a multiple of `π/2` than about 2^-62, so of the 126 bits of the fraction
//! that are kept, 64 are good in the worst case.

use crate::arithmetic::{Arithmetic, Plain, fast_two_sum};
use crate::tables::trig::{HALF_PI_HI, HALF_PI_LO, TWO_OVER_PI};
use crate::trig::Angle;

/// The angle of a finite `x` of magnitude at least 1.
#[inline(never)]
pub(crate) fn reduce(x: f64) -> Angle {
    let (quadrant, fraction) = quadrants(x.abs());
    let (hi, lo) = to_floats(fraction);
    let (r, error) = Plain::two_prod(hi, HALF_PI_HI);
    let (r, r_lo) = fast_two_sum(r, error + (hi * HALF_PI_LO + lo * HALF_PI_HI));
    if x < 0.0 {
        Angle { n: quadrant.wrapping_neg(), r: -r, r_lo: -r_lo }
    } else {
        Angle { n: quadrant, r, r_lo }
    }
}

/// `x · 2/π` as the nearest integer modulo 4, and the rest in units of 2^-128.
fn quadrants(x: f64) -> (u64, i128) {
    let bits = x.to_bits();
    let mantissa = u128::from((bits & 0x000f_ffff_ffff_ffff) | 0x0010_0000_0000_0000);
    let exponent = (bits >> 52) as usize;
    let [w0, w1, w2] = window(exponent);
    let lower = mantissa * w1 + ((mantissa * w2) >> 64);
    let product = ((mantissa * w0) << 64).wrapping_add(lower);
    let fraction = (product << 2) as i128;
    let round_up = u64::from(fraction < 0);
    ((product >> 126) as u64 + round_up, fraction)
}

/// The 192 digits of `2/π` from the first on whose product with the mantissa counts modulo 4.
fn window(exponent: usize) -> [u128; 3] {
    // The table has 64 zeros in front: digit i has weight 2^(63 - i), the mantissa unit has weight
    // 2^(exponent - 1075), so weight 2 is reached at i = exponent - 1075 + 62.
    let start = exponent.saturating_sub(1075 - 62);
    let word = |i: usize| u128::from(TWO_OVER_PI.get(i).copied().unwrap_or(0));
    let at = |i: usize| (((word(i) << 64) | word(i + 1)) << (start % 64)) >> 64;
    [0, 1, 2].map(|i| at(start / 64 + i) & u128::from(u64::MAX))
}

/// `fraction / 2^128` as a sum.
fn to_floats(fraction: i128) -> (f64, f64) {
    if fraction == 0 {
        return (0.0, 0.0);
    }
    let zeros = fraction.unsigned_abs().leading_zeros();
    let digits = fraction.unsigned_abs() << zeros;
    let power = |e: u32| f64::from_bits(u64::from(1023 - e) << 52);
    let mask = (1_u64 << 53) - 1;
    let hi = (digits >> 75) as u64 as f64 * power(53 + zeros);
    let lo = ((digits >> 22) as u64 & mask) as f64 * power(106 + zeros);
    if fraction < 0 { (-hi, -lo) } else { (hi, lo) }
}
