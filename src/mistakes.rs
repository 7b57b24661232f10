//! Mistakes with traced values. Documentation only.
//!
//! A traced value bears the lifetime of its trace, which outlives nothing and equals no other. So it cannot be
//! kept, mixed with another trace or sent away: each program of the first section is rejected by the compiler.
//! Within one lifetime there may be several regions or traces, which the compiler cannot tell apart: an inner
//! derivative, a loop, a branch, a trace inside another. The second section has what can happen there. It is an error of the
//! trace, with the line, and never a number.
//!
//! # What does not compile
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
//! An array, likewise:
//!
//! ```compile_fail,E0521
//! use evolute::prelude::*;
//! let kept = std::cell::Cell::new(None);
//! let f = Function::trace(vector(2), |x| {
//!     kept.set(Some(x * 2.0)); // the array would outlive its trace
//!     x.sum()
//! });
//! ```
//!
//! Using a value of a trace in a rule: what a rule depends on is an argument of its function.
//!
//! ```compile_fail,E0521
//! use evolute::prelude::*;
//! let sine = Function::trace(scalar(), |x| x.sin()).unwrap();
//! let f = Function::trace(scalar(), |a| {
//!     let scaled = sine.with_rule(|x, _, x_dot| x.cos() * x_dot * a).unwrap(); // `a` belongs to another trace
//!     scaled.call(*a)
//! });
//! ```
//!
//! A struct of them:
//!
//! ```compile_fail,E0521
//! use evolute::prelude::*;
//! #[derive(Clone, Params)]
//! struct Layer<T> {
//!     w: Vec<T>,
//! }
//! let kept = std::cell::Cell::new(None);
//! let f = Function::trace(Layer { w: vec![vector(2)] }, |layer| {
//!     kept.set(Some(layer.clone())); // the struct would outlive its trace
//!     layer.w[0].sum()
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
//! The same by reference, as `From<&Traced>` keeps the lifetime:
//!
//! ```compile_fail
//! use evolute::prelude::*;
//! let f = Function::scalar(1, |x| {
//!     let g = Function::scalar(1, |y| y[0] * Scalar::from(&x[0])); // still of the outer trace
//!     x[0]
//! });
//! ```
//!
//! Taking a value apart, to put it together elsewhere:
//!
//! ```compile_fail,E0521
//! use evolute::prelude::*;
//! use evolute::{Leaves, Tree};
//! let mut leaves = Leaves::new();
//! let f = Function::scalar(1, |x| {
//!     x[0].flatten(&mut leaves); // a leaf bears the lifetime, too
//!     x[0]
//! });
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
//!
//! An array in the place of a scalar, whatever its rank:
//!
//! ```compile_fail,E0308
//! use evolute::prelude::*;
//! let f = Function::scalar(vector(2), |x| x.dot(x)); // `x.inner(x)`, or `x.dot(x).item()`
//! ```
//!
//! Differentiating with respect to an integer:
//!
//! ```compile_fail,E0277
//! use evolute::prelude::*;
//! let f = Function::trace(scalar_of::<I64>(), |n| grad(|n| n.to_f64(), *n));
//! ```
//!
//! A loop whose closure gives another type than it is given:
//!
//! ```compile_fail,E0308
//! use evolute::prelude::*;
//! let f = Function::trace(scalar(), |x| scan(3, *x, |x, i| (x, i)));
//! ```
//!
//! The Jacobian of a function of several kinds of numbers, as a matrix has one:
//!
//! ```compile_fail,E0599
//! use evolute::prelude::*;
//! let f = Function::scalar((scalar(), scalar_of::<F32>()), |(x, y)| *x * y.to_f64())?;
//! let jacobian = f.jacobian()?; // `f.wrt::<0>().jacobian()` has one
//! # Ok::<(), evolute::Error>(())
//! ```
//!
//! Choosing among the arguments of a function that has one:
//!
//! ```compile_fail,E0277
//! use evolute::prelude::*;
//! let f = Function::scalar(2, |x| x[0] * x[1]).unwrap();
//! let f = f.wrt::<0>(); // `wrt::<0>` needs argument 0 of several: `f.grad()` is with respect to all of it
//! ```
//!
//! # What is an error
//!
//! Keeping a value of an inner derivative: an error with the lines that made and that use it,
//! [`ir::IrError::Escaped`](crate::ir::IrError::Escaped).
//!
//! ```
//! use evolute::prelude::*;
//! let f = Function::scalar(1, |x| {
//!     let kept = std::cell::Cell::new(x[0]);
//!     let inner = |y| {
//!         kept.set(y * y); // made here
//!         y
//!     };
//!     grad(inner, x[0]) + kept.get() // used here
//! });
//! let message = f.unwrap_err().to_string();
//! assert!(message.contains("belongs to an inner derivative whose closure has ended"));
//! ```
//!
//! Adding to an outer variable in a loop, whose closure runs once: the values added belong to the loop. It returns them,
//! and [`sum`](crate::sum()) adds.
//!
//! ```
//! use evolute::prelude::*;
//! let f = Function::trace(vector(3), |x| {
//!     let mut total = Scalar::from(0.0);
//!     map(3, |i| {
//!         total += x.at(i).sin(); // made here
//!         x.at(i)
//!     });
//!     total // used here
//! });
//! let message = f.unwrap_err().to_string();
//! assert!(message.contains("whose closure has ended"));
//! ```
//!
//! Using what the other branch of a conditional computes:
//!
//! ```
//! use evolute::prelude::*;
//! use evolute::{Error, TraceError};
//! let f = Function::trace(scalar(), |x| {
//!     let kept = std::cell::Cell::new(*x);
//!     let yes = || {
//!         kept.set(x.sin());
//!         *x
//!     };
//!     cond(x.gt(0.0), yes, || kept.get())
//! });
//! assert!(matches!(f, Err(Error::Trace(TraceError::At { .. }))));
//! ```
//!
//! Arrays whose shapes do not go together, with both shapes:
//!
//! ```
//! use evolute::prelude::*;
//! use evolute::{Error, TraceError};
//! let f = Function::trace((matrix(2, 3), vector(2)), |(a, x)| a.dot(x));
//! assert!(matches!(f, Err(Error::Trace(TraceError::Shape { .. }))));
//! ```
//!
//! Keeping one outside of every trace, where a derivative of constants is evaluated at once. There no trace
//! returns the error, but the values computed from it, by [`Traced::error`](crate::Traced::error).
//!
//! ```
//! use evolute::TraceError;
//! use evolute::prelude::*;
//! let kept = std::cell::Cell::new(Scalar::from(0.0));
//! let inner = |y: Scalar<'static>| {
//!     kept.set(y);
//!     y * y
//! };
//! assert_eq!(grad(inner, Scalar::from(3.0)).as_constant(), Some(6.0));
//! let sine = kept.get().sin(); // used here
//! assert_eq!(sine.as_constant(), None);
//! assert!(matches!(sine.error(), Some(TraceError::Foreign { .. })));
//! ```
//!
//! Differentiating with values of an outer trace inside an inner one. The derivative belongs to the innermost:
//!
//! ```
//! use evolute::prelude::*;
//! use evolute::{Error, TraceError};
//! let f = Function::scalar(1, |x| {
//!     let g = Function::scalar(1, |y| {
//!         let slope = grad(|z| z * z, x[0]); // move it before `g`
//!         y[0]
//!     });
//!     assert!(matches!(g, Err(Error::Trace(TraceError::Foreign { .. }))));
//!     x[0]
//! });
//! ```
