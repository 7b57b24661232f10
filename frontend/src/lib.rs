//! Tracing: Rust closures over traced values become programs.
//!
//! | module | holds |
//! | --- | --- |
//! | [`spec`] | what a function takes and gives |
//! | `kind`, `traced` | traced scalars: [`Scalar`] and its relatives |
//! | `real` | numbers for generic code: [`Real`] |
//! | `trace` | the trace under construction; what is done outside of every trace |
//! | `tree`, [`nested`] | derivatives inside a traced closure |
//! | `function` | a traced function and its derivatives: [`Function`] |
//! | `compiled` | a function ready to be called: [`Compiled`] |
#![forbid(unsafe_code)]

mod compiled;
mod error;
mod function;
mod kind;
pub mod nested;
mod real;
pub mod spec;
mod trace;
mod traced;
mod tree;

pub use compiled::Compiled;
pub use error::{Error, TraceError};
pub use function::{Function, Tracing};
pub use kind::{Bool, F32, F64, I64, Kind, Number, RealKind, Store};
pub use nested::{grad, hvp, jvp, value_and_grad, vjp};
pub use real::{Logic, Real, Real64, RealSlice};
pub use spec::{Cursor, RealSpec, Scalars, Single, Spec, scalar, scalar_of, scalars, scalars_of};
pub use traced::{Condition, Int, Scalar, Scalar32, Traced};
pub use tree::{Leaf, Leaves, Tree};
