//! Derivatives inside a traced closure, of inner closures that may capture outer traced values.
//!
//! Each application is an operator instruction with a region of its own and, when it is removed, a level
//! of its own: what the inner closure captures is a constant of the inner derivative and active in the outer one.
//! The perturbations cannot be confused. A value of the inner closure that is smuggled out of it (through
//! a captured `Cell`, say) is an error of the trace with both lines.
//!
//! ```
//! use evolute_frontend::{Function, Scalar, grad};
//!
//! // d/dx x · (d/dy (x + y) at 1) = 1, not 2.
//! let f = Function::scalar(1, |x| {
//!     let x = x[0];
//!     x * grad(|y| x + y, Scalar::from(1.0))
//! })?;
//! assert_eq!(f.grad()?.compile()?.call(&[1.0])?, [1.0]);
//! # Ok::<(), evolute_frontend::Error>(())
//! ```
//!
//! Outside of every trace there are only constants, and a derivative is evaluated at once. There a mistake is
//! returned by the value itself, [`Traced::error`].
//!
//! ```
//! use evolute_frontend::{Scalar, grad};
//!
//! let slope = grad(|y| y * y, Scalar::from(3.0));
//! assert_eq!(slope.as_constant(), Some(6.0));
//! ```

use crate::kind::RealKind;
use crate::trace::{self, Caller, Trace};
use crate::traced::Traced;
use crate::tree::{Leaf, Leaves, RealTree, leaves, operands};
use evolute_ir::{Mode, Type};
use std::panic::Location;
use std::vec::IntoIter;

/// The gradient of `f` at `x`, by reverse mode: shaped as `x` is, a scalar, an array, a tuple, …
///
/// # Errors
/// Here and of the others: values that leave the closure otherwise than by being returned are errors of the trace.
///
/// ```
/// use evolute_frontend::{Function, grad, vector};
///
/// // A step of gradient descent.
/// let f = Function::trace(vector(2), |x| x - 0.5 * grad(|x| x.powi(2).sum() + x.prod(), *x))?;
/// assert_eq!(f.eval(&[1.0, 2.0])?, [-1.0, -0.5]);
/// # Ok::<(), evolute_frontend::Error>(())
/// ```
#[track_caller]
pub fn grad<'t, A: RealTree<'t>, K: RealKind>(f: impl FnOnce(A) -> Traced<'t, K>, x: A) -> A {
    value_and_grad(f, x).1
}

/// The value of `f` at `x` and its gradient, by reverse mode.
///
/// ```
/// use evolute_frontend::{Function, scalar, value_and_grad};
///
/// // A step of Newton's method for a zero of one number.
/// let f = Function::trace(scalar(), |x| {
///     let (value, slope) = value_and_grad(|x| x * x - 2.0, *x);
///     x - value / slope
/// })?;
/// assert_eq!(f.eval(&2.0)?, 1.5);
/// # Ok::<(), evolute_frontend::Error>(())
/// ```
#[track_caller]
pub fn value_and_grad<'t, A: RealTree<'t>, K: RealKind>(
    f: impl FnOnce(A) -> Traced<'t, K>,
    x: A,
) -> (Traced<'t, K>, A) {
    let one = Traced::constant(K::from_f64(1.0));
    vjp(f, x, one)
}

/// The value of `f` at `x` and its derivative along `v`, by forward mode. `v` is shaped as `x` is, the derivative as the
/// value.
///
/// ```
/// use evolute_frontend::{Function, jvp, vector};
///
/// let f = Function::trace((vector(2), vector(2)), |(x, v)| jvp(|x| x * x, *x, *v).1)?;
/// assert_eq!(f.eval((&[2.0, 3.0], &[1.0, 10.0]))?, [4.0, 60.0]);
/// # Ok::<(), evolute_frontend::Error>(())
/// ```
#[track_caller]
pub fn jvp<'t, A: RealTree<'t>, O: RealTree<'t>>(f: impl FnOnce(A) -> O, x: A, v: A) -> (O, O) {
    forward(Location::caller(), f, x, v)
}

/// The value of `f` at `x` and the transposed derivative of `w`, by reverse mode. `w` is shaped as the value is, the
/// derivative as `x`.
///
/// ```
/// use evolute_frontend::{Function, Scalar, vector, vjp};
///
/// // The second row of a Jacobian.
/// let f = Function::trace(vector(2), |x| {
///     let unit = [0.0, 1.0].map(Scalar::from);
///     vjp(|x| [x.sum(), x.prod()], *x, unit).1
/// })?;
/// assert_eq!(f.eval(&[2.0, 3.0])?, [3.0, 2.0]);
/// # Ok::<(), evolute_frontend::Error>(())
/// ```
#[track_caller]
pub fn vjp<'t, A: RealTree<'t>, O: RealTree<'t>>(f: impl FnOnce(A) -> O, x: A, w: O) -> (O, A) {
    reverse(Location::caller(), f, x, w)
}

/// The Hessian of `f` at `x` times `v`, which is shaped as `x` is: the derivative along `v` of the gradient.
///
/// ```
/// use evolute_frontend::{Function, hvp, vector};
///
/// let f = Function::trace((vector(2), vector(2)), |(x, v)| hvp(|x| x.powi(3).sum(), *x, *v))?;
/// assert_eq!(f.eval((&[1.0, 2.0], &[1.0, 10.0]))?, [6.0, 120.0]);
/// # Ok::<(), evolute_frontend::Error>(())
/// ```
#[track_caller]
pub fn hvp<'t, A: RealTree<'t>, K: RealKind>(f: impl FnOnce(A) -> Traced<'t, K>, x: A, v: A) -> A {
    let caller = Location::caller();
    let one = Traced::constant(K::from_f64(1.0));
    // Inside the closure the caller would be this line, not the user's.
    forward(caller, |x| reverse(caller, f, x, one).1, x, v).1
}

fn forward<'t, A: RealTree<'t>, O: RealTree<'t>>(
    caller: Caller,
    f: impl FnOnce(A) -> O,
    x: A,
    v: A,
) -> (O, O) {
    let (value, mut tangents) = operate(caller, Mode::Forward, f, &x, &leaves(&v));
    let tangent = value.rebuild(&mut tangents);
    (value, tangent)
}

fn reverse<'t, A: RealTree<'t>, O: RealTree<'t>>(
    caller: Caller,
    f: impl FnOnce(A) -> O,
    x: A,
    w: O,
) -> (O, A) {
    let (value, mut cotangents) = operate(caller, Mode::Reverse, f, &x, &leaves(&w));
    (value, x.rebuild(&mut cotangents))
}

/// Applies an operator: the results of `f`, and the leaves of their tangents or of the cotangents of `x`.
fn operate<'t, A: RealTree<'t>, O: RealTree<'t>>(
    caller: Caller,
    mode: Mode,
    f: impl FnOnce(A) -> O,
    x: &A,
    seeds: &[Leaf<'t>],
) -> (O, IntoIter<Leaf<'t>>) {
    let mut output = None;
    let leaves = trace::within(caller, |trace| {
        let (value, leaves) = operate_in(trace, caller, mode, f, x, seeds);
        output = Some(value);
        leaves
    });
    let output = output.expect("a trace has been found or made");
    let mut leaves = leaves.into_iter();
    (output.rebuild(&mut leaves), leaves)
}

/// What `f` gives in its region, and the leaves of the operator's results. If the operator cannot be built the
/// trace keeps the error.
fn operate_in<'t, A: RealTree<'t>, O: RealTree<'t>>(
    trace: &Trace,
    caller: Caller,
    mode: Mode,
    f: impl FnOnce(A) -> O,
    x: &A,
    seeds: &[Leaf<'t>],
) -> (O, Leaves<'t>) {
    let points = leaves(x);
    let types: Vec<Type> = points.iter().map(|point| trace.type_of(point.operand())).collect();
    let mut output = None;
    let region = trace.region(caller, &types, |params| {
        let nodes = params.iter().zip(&points).map(|(&value, &point)| trace.leaf_like(point, value));
        let value = f(x.rebuild(&mut nodes.collect::<Leaves>().into_iter()));
        operands(&leaves(output.insert(value)))
    });
    let output = output.expect("the closure of a region has run");
    let applied = region.and_then(|region| {
        let [inputs, seeds] = [&points, seeds].map(|leaves| trace.values(&operands(leaves), caller));
        trace.operator(caller, mode, region, &inputs, &seeds)
    });
    let shape = leaves(&output);
    let derivatives = if mode == Mode::Forward { &shape } else { &points };
    let like = shape.iter().chain(derivatives).copied();
    let results = match applied {
        Some(values) => like.zip(values).map(|(leaf, value)| trace.leaf_like(leaf, value)).collect(),
        None => like.map(|leaf| trace.leaf_like(leaf, trace.placeholder_of(leaf.operand()))).collect(),
    };
    (output, results)
}
