//! Evolute traces a Rust closure once into a program, differentiates the program, and compiles it to
//! native code for fast repeated evaluation, above all of Hessian-vector products.
//!
//! ```
//! use evolute::prelude::*;
//!
//! let rosenbrock = Function::scalar(1000, |x| {
//!     let mut f = Scalar::from(0.0);
//!     for i in 0..x.len() - 1 {
//!         f += 100.0 * (x[i + 1] - x[i].powi(2)).powi(2) + (1.0 - x[i]).powi(2);
//!     }
//!     f
//! })?;
//! let hvp = rosenbrock.hvp()?.compile()?; // forward-over-reverse, native code
//! let (x, v) = (vec![1.0; 1000], vec![1.0; 1000]);
//! let hv = hvp.call((&x, &v))?;
//! assert_eq!(hv[1], 1002.0 - 2.0 * 400.0);
//! # Ok::<(), evolute::Error>(())
//! ```
//!
//! - [`Function`] is a traced function: [`grad`](Function::grad), [`jvp`](Function::jvp),
//!   [`vjp`](Function::vjp), [`hvp`](Function::hvp) and the rest give functions again, in any order and depth.
//! - [`Compiled`] is called with slices; [`call_into`](Compiled::call_into) allocates nothing.
//! - [`Array`] is a traced array of any rank, one value of the program ([`mod@array`]); [`sum`], [`map`], [`scan`],
//!   [`while_loop`] and [`cond`] are loops and conditionals that stay so in the program and its derivatives
//!   ([`control`]).
//! - Inside a closure, [`grad()`], [`jvp()`], [`vjp()`] and [`hvp()`] differentiate inner closures.
//! - Generic functions `fn f<T: Real>(x: &[T]) -> T` run on `f64`, on `f32`, and traced ([`Real`]).
//! - [`Function::stages`], [`Compiled::clif`], [`Compiled::disassembly`] show what is compiled;
//!   [`Function::explain_nan`] finds where a NaN comes from; [`Function::check_derivatives`] compares with finite
//!   differences.
//! - [`ir`] is the intermediate representation, with its text form, verifier and interpreter.
#![forbid(unsafe_code)]

pub mod mistakes;

pub use evolute_frontend::{
    Array, ArraySpec, Bool, Checkpoint, Checkpointed, Compiled, Condition, Count, Cursor, Dense, Error, F32,
    F64, Form, Function, I64, Int, IntoArray, Kind, Leaf, Leaves, Limit, Logic, Number, Real, Real64,
    RealForm, RealKind, RealSlice, RealSpec, RealTree, Scalar, Scalar32, Scalars, Single, Spec, Stack, Store,
    TraceError, Traced, Tracing, Tree, array, array_of, checkpoint, concat, cond, control, einsum, grad, hvp,
    jvp, map, map_rows, matrix, matrix_of, nested, scalar, scalar_of, scalars, scalars_of, scan,
    scan_stacked, spec, stack, sum, sum_rows, value_and_grad, vector, vector_of, vjp, vmap, while_at_most,
    while_loop,
};
pub use evolute_ir as ir;
pub use evolute_runtime::{
    CallError, CodegenError, CodegenOptions, CompileError, CompileReport, Executable, Execution, FpMode,
    Input, Options, Output, Workspace, check, explain,
};
pub use evolute_transforms as transforms;

/// What most programs need.
pub mod prelude {
    pub use crate::{
        Array, Checkpoint, Compiled, F32, F64, Function, I64, Int, Logic, Options, Real, Real64, RealSlice,
        Scalar, Workspace, array, array_of, checkpoint, concat, cond, einsum, grad, hvp, jvp, map, map_rows,
        matrix, matrix_of, scalar, scalar_of, scalars, scalars_of, scan, scan_stacked, stack, sum, sum_rows,
        vector, vector_of, vjp, vmap, while_at_most, while_loop,
    };
}

/// The examples of the README, tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
