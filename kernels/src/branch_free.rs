//! How a kernel is split so that its scalar form and its block form share every bit.
//!
//! [`BranchFree::usual`] has no branch and covers nearly all arguments; LLVM turns a loop over it
//! into vector code. [`BranchFree::rare`] covers the others: huge, tiny, subnormal, non-finite. The
//! scalar form asks [`BranchFree::is_usual`] first; the block form computes `usual` for all, then
//! replaces the rare ones. `usual` may return anything for a rare argument but must not panic.

use crate::arithmetic::Arithmetic;

/// A function of one variable as a branch-free part and its exceptions.
pub(crate) trait BranchFree {
    /// Whether `usual` is valid for `x`; false for NaN.
    fn is_usual(x: f64) -> bool;

    /// The function where `is_usual`.
    fn usual<A: Arithmetic>(x: f64) -> f64;

    /// The function elsewhere.
    fn rare<A: Arithmetic>(x: f64) -> f64;
}

/// The scalar form.
#[inline(always)]
pub(crate) fn scalar<F: BranchFree, A: Arithmetic>(x: f64) -> f64 {
    if F::is_usual(x) { F::usual::<A>(x) } else { F::rare::<A>(x) }
}

/// The block form: `out[i] = f(x[i])` for the shorter of the two lengths.
#[inline(always)]
pub(crate) fn block<F: BranchFree, A: Arithmetic>(x: &[f64], out: &mut [f64]) {
    let mut all_usual = true;
    for (out, &x) in out.iter_mut().zip(x) {
        *out = F::usual::<A>(x);
        all_usual &= F::is_usual(x);
    }
    if !all_usual {
        for (out, &x) in out.iter_mut().zip(x) {
            if !F::is_usual(x) {
                *out = F::rare::<A>(x);
            }
        }
    }
}

/// Defines a type for the block form and the function for the scalar form of one kernel.
macro_rules! branch_free {
    ($(#[$doc:meta])* $type:ident $name:ident |$x:ident| if ($is_usual:expr) { $usual:ident } else { $rare:ident }) => {
        $(#[$doc])*
        pub(crate) struct $type;

        impl $crate::branch_free::BranchFree for $type {
            #[inline(always)]
            fn is_usual($x: f64) -> bool {
                $is_usual
            }

            #[inline(always)]
            fn usual<A: $crate::arithmetic::Arithmetic>(x: f64) -> f64 {
                $usual::<A>(x)
            }

            #[inline(always)]
            fn rare<A: $crate::arithmetic::Arithmetic>(x: f64) -> f64 {
                $rare::<A>(x)
            }
        }

        #[inline(always)]
        pub(crate) fn $name<A: $crate::arithmetic::Arithmetic>(x: f64) -> f64 {
            $crate::branch_free::scalar::<$type, A>(x)
        }
    };
}
pub(crate) use branch_free;

/// The same for a kernel that is no loop of arithmetic: its block form calls it for each argument.
macro_rules! opaque {
    ($type:ident $name:ident) => {
        pub(crate) struct $type;

        impl $crate::branch_free::BranchFree for $type {
            #[inline(always)]
            fn is_usual(_: f64) -> bool {
                true
            }

            #[inline(always)]
            fn usual<A: $crate::arithmetic::Arithmetic>(x: f64) -> f64 {
                $name::<A>(x)
            }

            #[inline(always)]
            fn rare<A: $crate::arithmetic::Arithmetic>(x: f64) -> f64 {
                $name::<A>(x)
            }
        }
    };
}
pub(crate) use opaque;
