//! Elementary and special functions and dense linear algebra of Evolute, one source for interpreter and native code.
//!
//! ```
//! use evolute_kernels::{Kernel, exp, pow, table};
//!
//! // Plain functions for Rust code, the same code by pointer for native code: the same bits.
//! assert_eq!(pow(10.0, 10.0), 1e10);
//! assert_eq!(table().unary(Kernel::Exp, 0.3), exp(0.3));
//!
//! // Many arguments at a time run as vector code, again with the same bits.
//! let (x, mut y) = ([0.1, 0.2, 0.3], [0.0; 3]);
//! table().unary_block(Kernel::Exp, &x, &mut y);
//! assert_eq!(y[2], exp(0.3));
//! ```
//!
//! Code map, in the order in which a call passes through it:
//!
//! - `kernel`: [`for_each_kernel!`], the table of all kernels with their error bounds; [`Kernel`].
//! - `functions`: one plain function a kernel; `table`: one code pointer a kernel, for each build.
//! - `arithmetic`: the two instruction sets and error-free transformations; `branch_free`: how the
//!   scalar and the block form share their code; `tables`: generated constants.
//! - `exp`, `ln`, `trig` (with `huge_angle`): the functions that the others are made of; `pow`,
//!   `hyperbolic`, `logistic`, `erfc`, `ln_gamma`, `polygamma`: those others; `foreign`: what is
//!   taken from the `libm` crate.
//! - [`Dense`]: factorisations and solves of matrices, by the `faer` crate.
//! - [`Product`]: products of matrices, for each build, in the order of sums that programs state.
//!
//! **Invariant**: results depend on the arguments and on [`features`] only, not on whether a scalar,
//! a block or native code asked; those of [`Dense`] also on the processor's vector width and caches. **Invariant**: no
//! kernel panics or allocates, but for what [`Dense`] keeps for each thread. Deliberately absent: functions of the
//! system's libm, rounding modes, floating-point exceptions, signalling NaNs.

mod kernel;

mod functions;
mod table;

mod arithmetic;
mod branch_free;
mod tables;

mod exp;
mod ln;
mod trig;

mod huge_angle;

mod erfc;
mod foreign;
mod hyperbolic;
mod ln_gamma;
mod logistic;
mod polygamma;
mod pow;

mod dense;
mod product;

/// All kernels, generic over the instruction set: functions, and types for the block forms.
mod generic {
    pub(crate) use crate::erfc::{Erfc, erfc};
    pub(crate) use crate::exp::{Exp, Exp2, Expm1, Gaussian, exp, exp2, expm1, gaussian};
    pub(crate) use crate::foreign::*;
    pub(crate) use crate::hyperbolic::{Acosh, Asinh, Atanh, Cosh, Sinh, Tanh};
    pub(crate) use crate::hyperbolic::{acosh, asinh, atanh, cosh, sinh, tanh};
    pub(crate) use crate::ln::{Ln, Log1p, Log2, Log10, ln, log1p, log2, log10};
    pub(crate) use crate::ln_gamma::{LnGamma, ln_gamma};
    pub(crate) use crate::logistic::{Sigmoid, Softplus, log_add_exp, sigmoid, softplus};
    pub(crate) use crate::polygamma::{Digamma, digamma, polygamma};
    pub(crate) use crate::pow::{pow, powi};
    pub(crate) use crate::trig::{Cos, Sin, Tan, cos, sin, tan};
}

pub use dense::{Dense, Scratch};
pub use functions::*;
pub use kernel::{Kernel, Signature};
pub use product::Product;
pub use table::{Table, baseline, features, table};
