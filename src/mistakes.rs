//! Mistakes that do not compile. Documentation only.
//!
//! A traced value bears the lifetime of its trace, which outlives nothing and equals no other. So it cannot be
//! kept, mixed with another trace or sent away: each program here is rejected by the compiler.
//! What the compiler cannot see, a value of an *inner* derivative that outlives its closure, is an error of
//! the trace instead, with both source lines ([`ir::IrError::Escaped`](crate::ir::IrError::Escaped)).
//!
//! Keeping a traced value in a captured `Cell`:
//!
//! ```compile_fail,E0521
//! use evolute::prelude::*;
//! let kept = std::cell::Cell::new(None);
//! let f = Function::scalar(1, |x| {
//!     kept.set(Some(x[0])); // the value would outlive its trace
//!     x[0]
//! });
//! ```
//!
//! In a captured `Vec`:
//!
//! ```compile_fail,E0521
//! use evolute::prelude::*;
//! let mut kept = Vec::new();
//! let f = Function::scalar(1, |x| {
//!     kept.push(x[0] * 2.0); // the value would outlive its trace
//!     x[0]
//! });
//! ```
//!
//! In a captured `Rc<RefCell>`:
//!
//! ```compile_fail,E0521
//! use evolute::prelude::*;
//! use std::{cell::RefCell, rc::Rc};
//! let kept = Rc::new(RefCell::new(Vec::new()));
//! let f = Function::scalar(1, |x| {
//!     kept.borrow_mut().push(x[0]); // the value would outlive its trace
//!     x[0]
//! });
//! ```
//!
//! In a variable of the thread:
//!
//! ```compile_fail,E0521
//! use evolute::prelude::*;
//! use std::cell::Cell;
//! thread_local! {
//!     static KEPT: Cell<Option<Scalar<'static>>> = const { Cell::new(None) };
//! }
//! let f = Function::scalar(1, |x| {
//!     KEPT.set(Some(x[0])); // the value would outlive its trace
//!     x[0]
//! });
//! ```
//!
//! Assigning to a variable outside the trace:
//!
//! ```compile_fail,E0521
//! use evolute::prelude::*;
//! let mut last = Scalar::from(0.0);
//! let f = Function::scalar(1, |x| {
//!     last = x[0]; // the variable outlives the trace
//!     x[0]
//! });
//! ```
//!
//! Using a value of one trace in another, here of an outer one in an inner one:
//!
//! ```compile_fail
//! use evolute::prelude::*;
//! let f = Function::scalar(1, |x| {
//!     // `grad(|y| …, x)` differentiates an inner closure; this would be a trace of its own
//!     let g = Function::scalar(1, |y| x[0] * y[0]);
//!     x[0]
//! });
//! ```
//!
//! Mixing two traces:
//!
//! ```compile_fail
//! use evolute::prelude::*;
//! fn add<'a, 'b>(x: Scalar<'a>, y: Scalar<'b>) -> Scalar<'a> {
//!     x + y // of different traces, for all the compiler knows
//! }
//! ```
//!
//! Computing on another thread:
//!
//! ```compile_fail,E0277
//! use evolute::prelude::*;
//! let f = Function::scalar(1, |x| {
//!     let y = x[0];
//!     std::thread::scope(|scope| scope.spawn(|| y * 2.0).join().unwrap()) // `Scalar` is not `Send`
//! });
//! ```
//!
//! Hiding the lifetime behind `dyn Any`:
//!
//! ```compile_fail
//! use evolute::prelude::*;
//! use std::any::Any;
//! let f = Function::scalar(1, |x| {
//!     let hidden: Box<dyn Any> = Box::new(x[0]); // `Any` needs `'static`
//!     x[0]
//! });
//! ```
//!
//! Branching on a traced value:
//!
//! ```compile_fail,E0369
//! use evolute::prelude::*;
//! let f = Function::scalar(1, |x| {
//!     // the closure runs once, without numbers: `x[0].gt(0.0).select(x[0], -x[0])`
//!     if x[0] > 0.0 { x[0] } else { -x[0] }
//! });
//! ```
//!
//! ```compile_fail,E0308
//! use evolute::prelude::*;
//! let f = Function::scalar(1, |x| {
//!     if x[0].gt(0.0) { x[0] } else { -x[0] } // a traced condition is no `bool`
//! });
//! ```
