//! `digamma` and `polygamma`.
//!
//! For positive arguments the recurrence adds terms until the asymptotic series (NIST DLMF 5.11.2,
//! 25.11.43) holds; sums carry their rounding errors. For negative ones the reflection formula is
//! used with its periodic part written by two positive arguments, the distances `f` and `g` of `x`
//! from the integers below and above: `ψ_k(x) = ψ_k(f) ± (ψ_k(1 - x) - ψ_k(g))`. That needs no
//! derivative of a cotangent and loses nothing near the poles. Zeros of the functions are not
//! treated specially: near them the error is small relative to the terms, not to the result.

use crate::arithmetic::{Arithmetic, fast_two_sum, horner, two_sum};
use crate::branch_free::opaque;
use crate::ln::ln;
use crate::pow::powi;
use crate::trig::divide_sum;

/// `B_2j / (2j)!` for `j = 1..=13`.
const BERNOULLI: [f64; 13] = [
    8.333_333_333_333_333e-2,
    -1.388_888_888_888_889e-3,
    3.306_878_306_878_307e-5,
    -8.267_195_767_195_768e-7,
    2.087_675_698_786_81e-8,
    -5.284_190_138_687_493e-10,
    1.338_253_653_068_467_9e-11,
    -3.389_680_296_322_583e-13,
    8.586_062_056_277_845e-15,
    -2.174_868_698_558_062e-16,
    5.509_002_828_360_229_5e-18,
    -1.395_446_468_581_252_2e-19,
    3.534_707_039_629_467e-21,
];

/// `B_2j / 2j`, the same for digamma.
const DIGAMMA: [f64; 13] = [
    0.08333333333333333,
    -0.008333333333333333,
    0.003968253968253968,
    -0.004166666666666667,
    0.007575757575757576,
    -0.021092796092796094,
    0.08333333333333333,
    -0.4432598039215686,
    3.0539543302701198,
    -26.456212121212122,
    281.46014492753625,
    -3607.5105463980462,
    54827.583333333336,
];

/// From here on the asymptotic series of digamma holds; that of order `k` from `k + 1` more.
const ASYMPTOTIC: f64 = 7.0;

/// Orders up to here use the factorial as a product, larger ones its logarithm.
const MANY: i64 = 4096;

/// `ψ(x)`: NaN at the poles 0, -1, -2, ...
#[inline(always)]
pub(crate) fn digamma<A: Arithmetic>(x: f64) -> f64 {
    if x > 0.0 { digamma_positive::<A>(x) } else { reflected::<A>(x, 0) }
}

opaque!(Digamma digamma);

/// The derivative of order `k` of `ψ`: NaN at the poles and for `k < 0`.
#[inline(always)]
pub(crate) fn polygamma<A: Arithmetic>(x: f64, k: i64) -> f64 {
    if k < 0 {
        f64::NAN
    } else if x > 0.0 {
        positive::<A>(x, k)
    } else {
        reflected::<A>(x, k)
    }
}

#[inline(always)]
fn positive<A: Arithmetic>(x: f64, k: i64) -> f64 {
    if k == 0 { digamma_positive::<A>(x) } else { polygamma_positive::<A>(x, k) }
}

/// `ψ_k(x)` for an `x` that is not positive.
#[inline(always)]
fn reflected<A: Arithmetic>(x: f64, k: i64) -> f64 {
    let (floor, ceil) = (x.floor(), x.ceil());
    if floor == ceil || x.is_nan() {
        return f64::NAN;
    }
    // At least one of the distances is exact, and the other one is then not small.
    let mut values = [x - floor, ceil - x, 1.0 - x];
    for value in &mut values {
        *value = positive::<A>(*value, k);
    }
    let [below, above, far] = values;
    // The periodic part comes first: halfway between poles it is 0 for even `k`, and what is left is `far`, which may be
    // small beside its terms.
    if k % 2 == 0 { (below - above) + far } else { (below + above) - far }
}

#[inline(always)]
fn digamma_positive<A: Arithmetic>(x: f64) -> f64 {
    if x.is_infinite() {
        return x;
    }
    if x < 1e-17 {
        return -1.0 / x;
    }
    let (mut sum, mut error, mut z) = (0.0, 0.0, x);
    while z < ASYMPTOTIC {
        let lost = add(&mut sum, -1.0 / z);
        error += lost;
        z += 1.0;
    }
    let inverse = 1.0 / z;
    let square = inverse * inverse;
    let series = horner::<A, 13>(square, &DIGAMMA);
    error += add(&mut sum, ln::<A>(z));
    error += add(&mut sum, -0.5 * inverse);
    sum + A::mul_add(-series, square, error)
}

/// Adds to a sum and returns what rounding lost.
#[inline(always)]
fn add(sum: &mut f64, term: f64) -> f64 {
    let (rounded, lost) = two_sum(*sum, term);
    *sum = rounded;
    lost
}

/// `(-1)^(k+1) k! ζ(k + 1, x)`.
#[inline(always)]
fn polygamma_positive<A: Arithmetic>(x: f64, k: i64) -> f64 {
    let sign = if k % 2 == 0 { -1.0 } else { 1.0 };
    if x.is_infinite() {
        return sign * 0.0;
    }
    let sum = zeta_over_first_term::<A>(x, k.saturating_add(1));
    sign * factorial_over_power::<A>(x, k, sum)
}

/// `Σ_i (x / (x + i))^s`.
#[inline(always)]
fn zeta_over_first_term<A: Arithmetic>(x: f64, s: i64) -> f64 {
    let order = s as f64;
    let (mut sum, mut error, mut steps) = (0.0, 0.0, 0.0);
    loop {
        let (z, z_lo) = two_sum(x, steps);
        let power = ratio_power::<A>(x, (z, z_lo), s);
        if power < 1e-20 {
            break;
        }
        if z >= order + ASYMPTOTIC {
            let tail = euler_maclaurin(z, order);
            error += add(&mut sum, power * (z / (order - 1.0)));
            error += power * tail;
            break;
        }
        error += add(&mut sum, power);
        steps += 1.0;
    }
    sum + error
}

/// `(x / z)^s` with the error of the quotient taken up.
#[inline(always)]
fn ratio_power<A: Arithmetic>(x: f64, z: (f64, f64), s: i64) -> f64 {
    if x == z.0 && z.1 == 0.0 {
        return 1.0;
    }
    if z.0 > 1e250 || x < 1e-250 {
        return powi::<A>(x / z.0, s);
    }
    let (quotient, rest) = divide_sum::<A>((x, 0.0), z);
    let power = powi::<A>(quotient, s);
    if power == 0.0 { 0.0 } else { power + power * (s as f64 * (rest / quotient)) }
}

/// What the terms from `z` on sum to, over `z^-s`, less the integral `z / (s - 1)`.
#[inline(always)]
fn euler_maclaurin(z: f64, s: f64) -> f64 {
    let square = 1.0 / (z * z);
    let (mut tail, mut factor) = (0.5, s / z);
    for (j, b) in BERNOULLI.iter().enumerate() {
        tail += b * factor;
        let m = s + (2 * j + 1) as f64;
        factor *= (m * square) * (m + 1.0);
    }
    tail
}

/// `k! x^-(k+1) sum` without intermediate overflow.
#[inline(always)]
fn factorial_over_power<A: Arithmetic>(x: f64, k: i64, sum: f64) -> f64 {
    if k > MANY {
        let order = k as f64;
        return crate::exp::exp::<A>(libm::lgamma(order + 1.0) - (order + 1.0) * ln::<A>(x) + ln::<A>(sum));
    }
    let (mantissa, exponent) = libm::frexp(x);
    // Below 2^4097, with mantissas in [1/2, 1): the power is scaled back before it can overflow.
    let (power, power_exponent) = scaled_power::<A>(2.0 * mantissa, k + 1);
    let (factorial, factorial_exponent) = factorial::<A>(k);
    let (sum, sum_exponent) = libm::frexp(sum);
    let total =
        i64::from(factorial_exponent + sum_exponent + power_exponent) - i64::from(exponent - 1) * (k + 1);
    libm::scalbn(factorial * power * sum, total.clamp(-5000, 5000) as i32)
}

/// `m^-n` for `1 <= m < 2` as a number near 1 and an exponent.
#[inline(always)]
fn scaled_power<A: Arithmetic>(m: f64, n: i64) -> (f64, i32) {
    let (parts, rest) = (n / 512, n % 512);
    let (chunk, chunk_exponent) = libm::frexp(powi::<A>(m, -512));
    let (mut power, mut exponent) = libm::frexp(powi::<A>(m, -rest));
    for _ in 0..parts {
        let (mantissa, more) = libm::frexp(power * chunk);
        (power, exponent) = (mantissa, exponent + more + chunk_exponent);
    }
    (power, exponent)
}

/// `k!` as a mantissa and an exponent, rounded once: the product is kept as a sum.
#[inline(always)]
fn factorial<A: Arithmetic>(k: i64) -> (f64, i32) {
    let (mut hi, mut lo, mut exponent) = (1.0, 0.0, 0);
    for i in 2..=k {
        let (product, error) = A::two_prod(hi, i as f64);
        (hi, lo) = fast_two_sum(product, A::mul_add(lo, i as f64, error));
        if hi > 1e100 {
            (hi, lo, exponent) = (hi * TWO_POW_MINUS_256, lo * TWO_POW_MINUS_256, exponent + 256);
        }
    }
    (hi, exponent)
}

const TWO_POW_MINUS_256: f64 = f64::from_bits((1023 - 256) << 52);
