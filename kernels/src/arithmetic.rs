//! The two instruction sets a kernel is built for, and error-free transformations on both.
//!
//! A kernel is generic over [`Arithmetic`]: [`Fused`] has a hardware fused multiply-add, [`Plain`]
//! multiplies and adds with two roundings. No kernel needs the single rounding for its accuracy:
//! where the error of a product matters it asks for [`two_prod`](Arithmetic::two_prod), exact in
//! both builds. Everything here must inline into the `#[target_feature]` functions of `table.rs`
//! and `block.rs`, because only there `f64::mul_add` is one instruction.

/// Multiplication and addition of one instruction set.
pub(crate) trait Arithmetic {
    /// `a * b + c` with one or two roundings.
    fn mul_add(a: f64, b: f64, c: f64) -> f64;

    /// `a * b + c` with one rounding.
    fn fused(a: f64, b: f64, c: f64) -> f64;

    /// `a * b` as an unevaluated sum of the rounded product and its error, barring overflow.
    fn two_prod(a: f64, b: f64) -> (f64, f64);

    /// `a * b - 1` for a `b` of at most 20 bits and a product near 1: one rounding.
    fn product_minus_one(a: f64, b: f64) -> f64;
}

/// Arithmetic of a CPU with a fused multiply-add.
pub(crate) struct Fused;

/// Arithmetic of a CPU without one.
pub(crate) struct Plain;

impl Arithmetic for Fused {
    #[inline(always)]
    fn mul_add(a: f64, b: f64, c: f64) -> f64 {
        a.mul_add(b, c)
    }

    #[inline(always)]
    fn fused(a: f64, b: f64, c: f64) -> f64 {
        a.mul_add(b, c)
    }

    #[inline(always)]
    fn two_prod(a: f64, b: f64) -> (f64, f64) {
        let product = a * b;
        (product, a.mul_add(b, -product))
    }

    #[inline(always)]
    fn product_minus_one(a: f64, b: f64) -> f64 {
        a.mul_add(b, -1.0)
    }
}

impl Arithmetic for Plain {
    #[inline(always)]
    fn mul_add(a: f64, b: f64, c: f64) -> f64 {
        a * b + c
    }

    #[inline(always)]
    fn fused(a: f64, b: f64, c: f64) -> f64 {
        libm::fma(a, b, c)
    }

    #[inline(always)]
    fn two_prod(a: f64, b: f64) -> (f64, f64) {
        let product = a * b;
        let (a_hi, a_lo) = halves(a);
        let (b_hi, b_lo) = halves(b);
        let error = ((a_hi * b_hi - product) + a_hi * b_lo + a_lo * b_hi) + a_lo * b_lo;
        (product, error)
    }

    #[inline(always)]
    fn product_minus_one(a: f64, b: f64) -> f64 {
        let a_hi = f64::from_bits(a.to_bits() & 0xffff_ffff_0000_0000);
        (a_hi * b - 1.0) + (a - a_hi) * b
    }
}

/// Veltkamp's splitting: two numbers of at most 26 bits with the exact sum `a`, for `|a| < 2^995`.
#[inline(always)]
fn halves(a: f64) -> (f64, f64) {
    let scaled = 134_217_729.0 * a;
    let hi = scaled - (scaled - a);
    (hi, a - hi)
}

/// `a + b` as rounded sum and error (Knuth).
#[inline(always)]
pub(crate) fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_part = sum - a;
    (sum, (a - (sum - b_part)) + (b - b_part))
}

/// `a + b` as rounded sum and error, for `|a| >= |b|` or `a = 0` (Dekker).
#[inline(always)]
pub(crate) fn fast_two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    (sum, b - (sum - a))
}

/// A choice without a branch, so that loops over it become vector code.
#[inline(always)]
pub(crate) fn select(condition: bool, yes: f64, no: f64) -> f64 {
    if condition { yes } else { no }
}

/// The polynomial with these coefficients, the constant one first. A loop, not a fold: a closure
/// handed to the standard library would be compiled without the instruction set.
#[inline(always)]
pub(crate) fn horner<A: Arithmetic, const N: usize>(x: f64, c: &[f64; N]) -> f64 {
    let mut sum = 0.0;
    for &c in c.iter().rev() {
        sum = A::mul_add(sum, x, c);
    }
    sum
}
