//! Kernels taken from the `libm` crate (ports of musl and CORE-MATH), where it is accurate.
//!
//! They do no arithmetic of the build they are called from, so both builds give the same bits.
//! `mul_add` is here too: one instruction in one build, integer arithmetic of `libm` in the other.

use crate::arithmetic::Arithmetic;
use crate::branch_free::opaque;

macro_rules! foreign {
    ($($type:ident $name:ident $source:ident;)*) => {
        $(
            #[inline(always)]
            pub(crate) fn $name<A: Arithmetic>(x: f64) -> f64 {
                libm::$source(x)
            }

            opaque!($type $name);
        )*
    };
}

foreign! {
    Asin    asin     asin;
    Acos    acos     acos;
    Atan    atan     atan;
    Cbrt    cbrt     cbrt;
    Erf     erf      erf;
}

#[inline(always)]
pub(crate) fn atan2<A: Arithmetic>(y: f64, x: f64) -> f64 {
    libm::atan2(y, x)
}

#[inline(always)]
pub(crate) fn hypot<A: Arithmetic>(x: f64, y: f64) -> f64 {
    libm::hypot(x, y)
}

#[inline(always)]
pub(crate) fn rem<A: Arithmetic>(x: f64, y: f64) -> f64 {
    libm::fmod(x, y)
}

#[inline(always)]
pub(crate) fn mul_add<A: Arithmetic>(x: f64, y: f64, z: f64) -> f64 {
    A::fused(x, y, z)
}
