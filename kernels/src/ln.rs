//! The logarithms: `ln`, `log2`, `log10`, `log1p`, and `ln` to twice the precision for `pow`.
//!
//! `x = 2^k z` with `z` near 1; the table cell of `z` gives a short number `c` near `1/z` with
//! `ln(1/c)`, so `ln x = k ln2 + ln(1/c) + ln(1 + r)` with `r = z c - 1` exact and small. The first
//! two terms add exactly, the cell around 1 has `c = 1`, so nothing cancels and no argument needs a
//! branch but those that have no logarithm, and subnormal ones, which are scaled first.

use crate::arithmetic::{Arithmetic, fast_two_sum, select, two_sum};
use crate::branch_free::branch_free;
use crate::tables::ln::{
    CELLS, INV_LN2_HI, INV_LN2_LO, INV_LN10_HI, INV_LN10_LO, LN_CUBE, LN_SQUARE, LN2_REST, LN2_SHORT,
    LOG10_2_REST, LOG10_2_SHORT, OFFSET,
};

/// `ln x = k ln2 + hi + lo + ln(1 + r)`.
pub(crate) struct Reduced {
    k: f64,
    hi: f64,
    lo: f64,
    r: f64,
    /// What `r` grows by when `x` grows by 1.
    slope: f64,
}

/// Reduces the positive number with these bits, as they are or [`normalized_bits`].
#[inline(always)]
pub(crate) fn reduce<A: Arithmetic>(bits: u64) -> Reduced {
    let offset = bits.wrapping_sub(OFFSET);
    let exponent = offset & 0xfff0_0000_0000_0000;
    let z = f64::from_bits(bits.wrapping_sub(exponent));
    let (inverse, hi, lo) = CELLS[((offset >> 45) & 127) as usize];
    // By way of 32 bits, because CPUs convert those in vectors.
    let k = f64::from((exponent >> 32) as i32 >> 20);
    let down = f64::from_bits(1.0_f64.to_bits().wrapping_sub(exponent));
    Reduced { k, hi, lo, r: A::product_minus_one(z, inverse), slope: inverse * down }
}

/// The bits of a positive number; if it is subnormal, those it would have with an exponent below
/// the smallest one, which is what [`reduce`] takes.
#[inline(always)]
pub(crate) fn normalized_bits(x: f64) -> u64 {
    let up = 4_503_599_627_370_496.0; // 2^52
    if x < f64::MIN_POSITIVE { (x * up).to_bits().wrapping_sub(52 << 52) } else { x.to_bits() }
}

impl Reduced {
    /// `ln x` to about 2^-62 as a sum; `r_lo` is what `r` lacks.
    #[inline(always)]
    fn ln_sum<A: Arithmetic>(&self, r_lo: f64) -> (f64, f64) {
        let (hi, error) = fast_two_sum(A::mul_add(self.k, LN2_SHORT, self.hi), self.r);
        let rest = error + (A::mul_add(self.k, LN2_REST, self.lo) + r_lo);
        (hi, A::mul_add(self.r * self.r, polynomial::<A>(self.r, &LN_SQUARE), rest))
    }

    /// `k (ln2_hi + ln2_lo) + ln z` to about 2^-68 as a sum: with `ln 2` that is `ln x`, with zeros
    /// the logarithm of the mantissa.
    #[inline(always)]
    fn ln_precise<A: Arithmetic>(&self, ln2_hi: f64, ln2_lo: f64) -> (f64, f64) {
        let (linear, error1) = fast_two_sum(A::mul_add(self.k, ln2_hi, self.hi), self.r);
        let (square, square_lo) = A::two_prod(self.r, self.r);
        let (hi, error2) = fast_two_sum(linear, -0.5 * square);
        let cube = self.r * square * polynomial::<A>(self.r, &LN_CUBE);
        let rest = A::mul_add(self.k, ln2_lo, self.lo) - 0.5 * square_lo;
        fast_two_sum(hi, error1 + error2 + rest + cube)
    }

    /// `ln x` to about 2^-68 as a sum.
    #[inline(always)]
    pub(crate) fn ln<A: Arithmetic>(&self) -> (f64, f64) {
        self.ln_precise::<A>(LN2_SHORT, LN2_REST)
    }

    /// `k * unit + ln z / ln base`, where `unit` is the logarithm of 2 and the scale `1 / ln base`.
    #[inline(always)]
    fn to_base<A: Arithmetic>(&self, unit: (f64, f64), scale: (f64, f64)) -> f64 {
        let (hi, lo) = self.ln_precise::<A>(0.0, 0.0);
        let (mantissa, error) = A::two_prod(hi, scale.0);
        let rest = A::mul_add(hi, scale.1, A::mul_add(lo, scale.0, error));
        let (sum, sum_lo) = two_sum(self.k * unit.0, mantissa);
        sum + (sum_lo + A::mul_add(self.k, unit.1, rest))
    }
}

#[inline(always)]
fn polynomial<A: Arithmetic>(r: f64, c: &[f64; 6]) -> f64 {
    let square = r * r;
    let low = A::mul_add(r, c[1], c[0]);
    let middle = A::mul_add(r, c[3], c[2]);
    let high = A::mul_add(r, c[5], c[4]);
    A::mul_add(square, A::mul_add(square, high, middle), low)
}

/// Whether `x` is neither zero, subnormal, negative, infinite nor NaN.
#[inline(always)]
pub(crate) fn is_positive_normal(x: f64) -> bool {
    (f64::MIN_POSITIVE..=f64::MAX).contains(&x)
}

#[inline(always)]
fn is_subnormal(x: f64) -> bool {
    x > 0.0 && x < f64::MIN_POSITIVE
}

/// What all logarithms give for arguments that are not positive and finite.
fn singular(x: f64) -> f64 {
    if x == 0.0 {
        f64::NEG_INFINITY
    } else if x < 0.0 {
        f64::NAN
    } else {
        x
    }
}

branch_free!(
    /// `ln x`.
    Ln ln |x| if (is_positive_normal(x)) { ln_usual } else { ln_rare }
);

#[inline(always)]
fn ln_bits<A: Arithmetic>(bits: u64) -> f64 {
    let (hi, lo) = reduce::<A>(bits).ln_sum::<A>(0.0);
    hi + lo
}

#[inline(always)]
fn ln_usual<A: Arithmetic>(x: f64) -> f64 {
    ln_bits::<A>(x.to_bits())
}

#[inline(always)]
fn ln_rare<A: Arithmetic>(x: f64) -> f64 {
    if is_subnormal(x) { ln_bits::<A>(normalized_bits(x)) } else { singular(x) }
}

branch_free!(
    /// `log2 x`.
    Log2 log2 |x| if (is_positive_normal(x)) { log2_usual } else { log2_rare }
);

#[inline(always)]
fn log2_bits<A: Arithmetic>(bits: u64) -> f64 {
    reduce::<A>(bits).to_base::<A>((1.0, 0.0), (INV_LN2_HI, INV_LN2_LO))
}

#[inline(always)]
fn log2_usual<A: Arithmetic>(x: f64) -> f64 {
    log2_bits::<A>(x.to_bits())
}

#[inline(always)]
fn log2_rare<A: Arithmetic>(x: f64) -> f64 {
    if is_subnormal(x) { log2_bits::<A>(normalized_bits(x)) } else { singular(x) }
}

branch_free!(
    /// `log10 x`.
    Log10 log10 |x| if (is_positive_normal(x)) { log10_usual } else { log10_rare }
);

#[inline(always)]
fn log10_bits<A: Arithmetic>(bits: u64) -> f64 {
    reduce::<A>(bits).to_base::<A>((LOG10_2_SHORT, LOG10_2_REST), (INV_LN10_HI, INV_LN10_LO))
}

#[inline(always)]
fn log10_usual<A: Arithmetic>(x: f64) -> f64 {
    log10_bits::<A>(x.to_bits())
}

#[inline(always)]
fn log10_rare<A: Arithmetic>(x: f64) -> f64 {
    if is_subnormal(x) { log10_bits::<A>(normalized_bits(x)) } else { singular(x) }
}

branch_free!(
    /// `ln(1 + x)`.
    Log1p log1p |x| if (x > -1.0 && x < HUGE) { log1p_usual } else { log1p_rare }
);

/// Beyond this, adding 1 changes nothing.
const HUGE: f64 = 1e18;

#[inline(always)]
fn log1p_usual<A: Arithmetic>(x: f64) -> f64 {
    log1p_sum::<A>(x, 0.0)
}

#[inline(always)]
fn log1p_rare<A: Arithmetic>(x: f64) -> f64 {
    if x == -1.0 { f64::NEG_INFINITY } else { ln::<A>(x) }
}

/// `ln(1 + x + x_lo)` for `-1 < x < 1e18` and an `x_lo` below an ulp of `x`; the sign of a zero is kept.
#[inline(always)]
pub(crate) fn log1p_sum<A: Arithmetic>(x: f64, x_lo: f64) -> f64 {
    let (u, error) = two_sum(1.0, x);
    let reduced = reduce::<A>(u.to_bits());
    let (r, r_lo) = two_sum(reduced.r, (error + x_lo) * reduced.slope);
    let (hi, lo) = Reduced { r, ..reduced }.ln_sum::<A>(r_lo);
    (hi + lo).copysign(select(x == 0.0, x, hi))
}
