//! Tracing: Rust closures over traced values become programs.
//!
//! | module | holds |
//! | --- | --- |
//! | [`spec`] | what a function takes and gives |
//! | `kind`, `traced` | traced scalars: [`Scalar`] and its relatives |
//! | [`mod@array`] | traced arrays: [`Array`] |
//! | [`control`] | loops and conditionals: [`sum`], [`map`], [`scan`], [`cond`] |
//! | `real` | numbers for generic code: [`Real`] |
//! | `trace` | the trace under construction; what is done outside of every trace |
//! | [`mod@implicit`] | solutions of equations: [`linear_solve`], [`root`], [`fixed_point`] |
//! | `tree`, [`nested`] | derivatives inside a traced closure |
//! | `function` | a traced function and its derivatives: [`Function`] |
//! | `compiled` | a function ready to be called: [`Compiled`] |
#![forbid(unsafe_code)]

pub mod array;
mod compiled;
pub mod control;
mod error;
mod function;
pub mod implicit;
mod kind;
pub mod nested;
mod real;
pub mod spec;
mod trace;
mod traced;
mod tree;

pub use array::{Array, IntoArray, concat, einsum, stack};
pub use compiled::Compiled;
pub use control::{
    Checkpoint, Checkpointed, Count, Limit, checkpoint, cond, map, map_rows, scan, scan_stacked, sum,
    sum_rows, vmap, while_at_most, while_loop,
};
pub use error::{Error, TraceError};
pub use evolute_derive::Params;
pub use evolute_ir::{Method, Solver};
pub use evolute_runtime::rule::{RuleCheck, RuleError};
pub use function::{Closure, Function, Rule, Tracing};
pub use implicit::{Iteration, Newton, System, fixed_point, implicit, linear_solve, linear_solve_by, root};
pub use kind::{Bool, Dense, F32, F64, Form, I64, Kind, Number, RealForm, RealKind, Store};
pub use nested::{grad, hvp, jvp, value_and_grad, vjp};
pub use real::{Logic, Real, Real64, RealSlice};
pub use spec::{
    Active, Argument, ArraySpec, Cursor, Part, RealSpec, Scalars, Single, Spec, array, array_of, matrix,
    matrix_of, scalar, scalar_of, scalars, scalars_of, vector, vector_of,
};
pub use traced::{Condition, Int, Scalar, Scalar32, Traced};
pub use tree::{Leaf, Leaves, RealTree, Stack, Tree, axpy, inner};
