//! Tables and polynomial coefficients of the kernels.
//!
//! The files beside this one are written by `generate.py`, which says how each number is computed.
//! Nothing here is tuned by hand.
#![allow(clippy::approx_constant, clippy::excessive_precision, clippy::unreadable_literal)]

pub(crate) mod erfc;
pub(crate) mod exp;
pub(crate) mod ln;
pub(crate) mod trig;
