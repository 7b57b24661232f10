//! Powers: `x^y` and `x^n`.
//!
//! `x^y = e^(y ln x)` with `ln x` to about 2^-68 and the error of the product passed on to the
//! exponential, so the result is rounded nearly once, and results that are exact come out exact.
//! The exponent is a sum of two numbers, because an `i64` may need two.

use crate::arithmetic::{Arithmetic, fast_two_sum};
use crate::exp::exp_sum;
use crate::ln::{normalized_bits, reduce};
use crate::trig::divide;

/// `x^y` with the special cases of C99 and `f64::powf`.
#[inline(always)]
pub(crate) fn pow<A: Arithmetic>(x: f64, y: f64) -> f64 {
    let usual = (f64::MIN_POSITIVE..=f64::MAX).contains(&x) && y.abs() < HUGE;
    if usual { positive::<A>(x.to_bits(), y, 0.0) } else { special::<A>(x, y) }
}

/// A larger exponent gives 0, 1 or infinity: the number nearest to 1 differs from it by 2^-53.
const HUGE: f64 = 1e20;

/// `x^(y + y_lo)` for the positive `x` with these bits.
#[inline(always)]
fn positive<A: Arithmetic>(bits: u64, y: f64, y_lo: f64) -> f64 {
    let (ln, ln_lo) = reduce::<A>(bits).ln::<A>();
    let (product, error) = A::two_prod(ln, y);
    exp_sum::<A>(product, A::mul_add(ln, y_lo, A::mul_add(ln_lo, y, error)))
}

#[inline(always)]
fn special<A: Arithmetic>(x: f64, y: f64) -> f64 {
    if y == 0.0 || x == 1.0 {
        return 1.0;
    }
    if x.is_nan() || y.is_nan() {
        return x + y;
    }
    if y.abs() >= HUGE {
        return huge_exponent(x.abs(), y);
    }
    let parity = Parity::of(y);
    if x < 0.0 && x.is_finite() && parity == Parity::NotInteger {
        return f64::NAN;
    }
    let magnitude = magnitude::<A>(x.abs(), y, 0.0);
    if parity == Parity::Odd { magnitude.copysign(x) } else { magnitude }
}

/// `x^(y + y_lo)` for `x >= 0` and a finite, nonzero `y`.
#[inline(always)]
fn magnitude<A: Arithmetic>(x: f64, y: f64, y_lo: f64) -> f64 {
    if x == 0.0 || x.is_infinite() {
        // A zero base with a negative exponent is a pole.
        return if (x == 0.0) == (y < 0.0) { f64::INFINITY } else { 0.0 };
    }
    positive::<A>(normalized_bits(x), y, y_lo)
}

/// `x^y` for `x >= 0` and a `y` that is even, huge and perhaps infinite.
fn huge_exponent(x: f64, y: f64) -> f64 {
    if x == 1.0 {
        1.0
    } else if (x > 1.0) == (y > 0.0) {
        f64::INFINITY
    } else {
        0.0
    }
}

#[derive(PartialEq)]
enum Parity {
    Odd,
    Even,
    NotInteger,
}

impl Parity {
    fn of(y: f64) -> Parity {
        let magnitude = y.abs();
        if magnitude >= 9_007_199_254_740_992.0 {
            return Parity::Even;
        }
        let integer = magnitude as u64;
        if integer as f64 != magnitude {
            Parity::NotInteger
        } else if integer & 1 == 1 {
            Parity::Odd
        } else {
            Parity::Even
        }
    }
}

/// `x^n`. Native code has the cases 1, 2, 3 and -1 inline as the same plain products.
#[inline(always)]
pub(crate) fn powi<A: Arithmetic>(x: f64, n: i64) -> f64 {
    match n {
        0 => 1.0,
        1 => x,
        2 => x * x,
        3 => (x * x) * x,
        -1 => 1.0 / x,
        _ => integer_power::<A>(x, n),
    }
}

#[inline(always)]
fn integer_power<A: Arithmetic>(x: f64, n: i64) -> f64 {
    if n.unsigned_abs() <= SHORT {
        let (power, rest) = product_chain::<A>(x, n.unsigned_abs());
        if (1e-280..1e280).contains(&power.abs()) {
            return if n < 0 { divide::<A>((1.0, 0.0), (power, rest)) } else { power };
        }
    }
    if x.is_nan() { x } else { exponential_power::<A>(x, n) }
}

/// Up to here multiplying is faster than `e^(n ln x)`.
const SHORT: u64 = 32;

/// `x^n` for `n >= 1` by squaring, as a sum that carries the rounding errors.
#[inline(always)]
fn product_chain<A: Arithmetic>(x: f64, n: u64) -> (f64, f64) {
    let mut power = (x, 0.0);
    for bit in (0..63 - n.leading_zeros()).rev() {
        power = multiply::<A>(power, power);
        if n >> bit & 1 == 1 {
            power = multiply::<A>(power, (x, 0.0));
        }
    }
    power
}

#[inline(always)]
fn multiply<A: Arithmetic>(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    let (product, error) = A::two_prod(a.0, b.0);
    fast_two_sum(product, error + A::mul_add(a.0, b.1, a.1 * b.0))
}

#[inline(always)]
fn exponential_power<A: Arithmetic>(x: f64, n: i64) -> f64 {
    // The exponent as an exact sum: both halves of the bits are numbers, and so is what the sum loses.
    let upper = ((n >> 32) << 32) as f64;
    let (y, y_lo) = fast_two_sum(upper, (n & 0xffff_ffff) as f64);
    let magnitude = magnitude::<A>(x.abs(), y, y_lo);
    if n & 1 == 1 { magnitude.copysign(x) } else { magnitude }
}
