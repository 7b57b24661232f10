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
//! - [`linear_solve`], [`root`] and [`fixed_point`] are differentiated by the implicit function theorem ([`mod@implicit`]),
//!   [`linear_solve_by`] with a solver or preconditioner of the user's;
//!   [`Function::with_rule`] states a derivative, [`Function::external`] calls any Rust code.
//! - Structs are arguments and results by `#[derive(Params)]` ([`params`]).
//! - Inside a closure, [`grad()`], [`jvp()`], [`vjp()`] and [`hvp()`] differentiate inner closures.
//! - Generic functions `fn f<T: Real>(x: &[T]) -> T` run on `f64`, on `f32`, and traced ([`Real`]).
//! - [`Function::stages`], [`Compiled::clif`], [`Compiled::disassembly`] show what is compiled;
//!   [`Function::explain_nan`] finds where a NaN comes from; [`Function::check_derivatives`] compares with finite
//!   differences.
//! - [`ir`] is the intermediate representation, with its text form, verifier and interpreter.
#![forbid(unsafe_code)]

pub mod mistakes;
pub mod params;

pub use evolute_frontend::{
    Active, Argument, Array, ArraySpec, Bool, Checkpoint, Checkpointed, Closure, Compiled, Condition, Count,
    Cursor, Dense, Error, F32, F64, Form, Function, I64, Int, IntoArray, Iteration, Kind, Leaf, Leaves,
    Limit, Logic, Method, Newton, Number, Params, Part, Real, Real64, RealForm, RealKind, RealSlice,
    RealSpec, RealTree, Rule, RuleCheck, RuleError, Scalar, Scalar32, Scalars, Single, Solver, Spec, Stack,
    Store, System, TraceError, Traced, Tracing, Tree, array, array_of, axpy, checkpoint, concat, cond,
    control, einsum, fixed_point, grad, hvp, implicit, inner, jvp, linear_solve, linear_solve_by, map,
    map_rows, matrix, matrix_of, nested, root, scalar, scalar_of, scalars, scalars_of, scan, scan_stacked,
    spec, stack, sum, sum_rows, value_and_grad, vector, vector_of, vjp, vmap, while_at_most, while_loop,
};
pub use evolute_ir as ir;
pub use evolute_runtime::{
    CallError, CodegenError, CodegenOptions, CompileError, CompileReport, Executable, Execution, FpMode,
    Input, Options, Output, Workspace, check, explain,
};
pub use evolute_transforms as transforms;

/// What most programs need: functions and how they are called, traced values and the types that name them, what a closure
/// may call. Errors, specifications' traits and the tools are at the root of the crate.
///
/// ```
/// use evolute::prelude::*;
///
/// fn energy<'t>(x: &[Scalar<'t>]) -> Scalar<'t> {
///     let (value, slope) = value_and_grad(|x| x * x, x[0]);
///     value + slope * x[1]
/// }
/// let f: Function<Scalars<F64>, Single<F64>> = Function::scalar(2, |x| energy(x))?;
/// let f: Compiled<Scalars<F64>, Single<F64>> = f.compile()?;
/// assert_eq!(f.call(&[3.0, 2.0])?, 21.0);
/// # Ok::<(), evolute::Error>(())
/// ```
pub mod prelude {
    pub use crate::{
        Array, ArraySpec, Bool, Checkpoint, Compiled, Condition, Count, F32, F64, Function, I64, Int,
        IntoArray, Iteration, Logic, Newton, Options, Params, Real, Real64, RealKind, RealSlice, RuleCheck,
        Scalar, Scalar32, Scalars, Single, Solver, Traced, Tracing, Workspace, array, array_of, axpy,
        checkpoint, concat, cond, einsum, fixed_point, grad, hvp, implicit, inner, jvp, linear_solve,
        linear_solve_by, map, map_rows, matrix, matrix_of, root, scalar, scalar_of, scalars, scalars_of,
        scan, scan_stacked, stack, sum, sum_rows, value_and_grad, vector, vector_of, vjp, vmap,
        while_at_most, while_loop,
    };
}

/// The examples of the README, tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
