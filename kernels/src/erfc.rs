//! `erfc`: the tail of the normal distribution.
//!
//! Up to 0.7 it is that of the `libm` crate, then a polynomial. Beyond 1.25, `erfc x = e^(-x² - 9/16 + R/S) / x` with the
//! rational functions `R/S` in `1/x²` of fdlibm (Sun Microsystems 1993, `s_erf.c`: freely usable,
//! this notice preserved); here the exponent is one sum of two numbers and there is one exponential,
//! where fdlibm multiplies two.

use crate::arithmetic::{Arithmetic, fast_two_sum, horner, two_sum};
use crate::branch_free::opaque;
use crate::exp::exp_sum;
use crate::tables::erfc::{ERFC, ERFC_AT_CENTER, ERFC_AT_CENTER_LO, ERFC_CENTER};

/// `R` and `S` for `x < 1 / 0.35`.
const NEAR_R: [f64; 8] = [
    -0.009864944034847148,
    -0.6938585727071818,
    -10.558626225323291,
    -62.375332450326006,
    -162.39666946257347,
    -184.60509290671104,
    -81.2874355063066,
    -9.814329344169145,
];
const NEAR_S: [f64; 9] = [
    1.0,
    19.651271667439257,
    137.65775414351904,
    434.56587747522923,
    645.3872717332679,
    429.00814002756783,
    108.63500554177944,
    6.570249770319282,
    -0.0604244152148581,
];

/// `R` and `S` beyond.
const FAR_R: [f64; 7] = [
    -0.0098649429247001,
    -0.799283237680523,
    -17.757954917754752,
    -160.63638485582192,
    -637.5664433683896,
    -1025.0951316110772,
    -483.5191916086514,
];
const FAR_S: [f64; 8] = [
    1.0,
    30.33806074348246,
    325.7925129965739,
    1536.729586084437,
    3199.8582195085955,
    2553.0504064331644,
    474.52854120695537,
    -22.44095244658582,
];

opaque!(Erfc erfc);

/// `1 - erf(x)`.
#[inline(always)]
pub(crate) fn erfc<A: Arithmetic>(x: f64) -> f64 {
    if (1.25..28.0).contains(&x) {
        tail::<A>(x)
    } else if x <= -1.25 && x > -6.0 {
        2.0 - tail::<A>(-x)
    } else if (0.7..1.25).contains(&x) {
        middle::<A>(x)
    } else {
        libm::erfc(x)
    }
}

#[inline(always)]
fn middle<A: Arithmetic>(x: f64) -> f64 {
    let s = x - ERFC_CENTER;
    ERFC_AT_CENTER + A::mul_add(s, horner::<A, 15>(s, &ERFC), ERFC_AT_CENTER_LO)
}

#[inline(always)]
fn tail<A: Arithmetic>(x: f64) -> f64 {
    let s = 1.0 / (x * x);
    let ratio = if x < 1.0 / 0.35 {
        horner::<A, 8>(s, &NEAR_R) / horner::<A, 9>(s, &NEAR_S)
    } else {
        horner::<A, 7>(s, &FAR_R) / horner::<A, 8>(s, &FAR_S)
    };
    let (square, square_lo) = A::two_prod(x, x);
    let (correction, correction_lo) = fast_two_sum(-0.5625, ratio);
    let (exponent, error) = two_sum(-square, correction);
    exp_sum::<A>(exponent, error + (correction_lo - square_lo)) / x
}
