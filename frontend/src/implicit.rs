//! Solutions of equations: linear systems by products with the matrix, zeros of functions, fixed points.
//!
//! Closures may capture any traced values around them, and the solution is differentiated with respect to these, to any
//! order and in every nesting of modes. By the implicit function theorem: a derivative of a solution solves a linear
//! system with the equation's own derivative as its matrix. So no derivative goes through iterations, none
//! depends on the start, and what a derivative costs is that of a few products with the matrix.
//!
//! | | finds `x` with |
//! | --- | --- |
//! | [`linear_solve`] | `A(x) = b` for a linear closure `A` |
//! | [`linear_solve_by`] | the same, by a closure of the user's, or preconditioned by it |
//! | [`root`] | `f(x) = 0`, by [`Newton`]'s method |
//! | [`fixed_point`] | `g(x) = x`, by [`Iteration`] |
//! | [`implicit`] | `f(x) = 0`, by a closure of the user's |
//!
//! An unknown is a traced scalar or array, or an array, vector or tuple of them, of one real kind.
//!
//! Linear systems, among them those of Newton's steps and of derivatives, are solved as a [`Solver`] says. By default
//! a matrix of at most [`Method::FEW`](crate::Method::FEW) rows is formed and factorised; larger systems are solved by
//! iteration, with products only. (`cargo bench --bench solve` compares: from 8 unknowns on forming a matrix is the
//! faster, unless a product costs much and iterations converge at once.)
//!
//! What has no solution is an error of the call, with the line: iterations that do not converge within their limit or leave
//! the numbers (as conjugate gradients do on a matrix that is not definite), a matrix that is formed and singular to working
//! precision, a given solution that is none. But if what goes in is NaN, that
//! is no error: where the start or what a closure captures has a NaN and iterations do not converge, the solution is NaN,
//! as is that of a linear system whose matrix or right-hand side has a NaN or an infinity (but a number divided by an
//! infinity, of one unknown, is 0). Where the right-hand side is 0, so is the solution, whatever the matrix.
//!
//! ```
//! use evolute_frontend::{Function, root, scalar};
//!
//! // Kepler's equation: the eccentric anomaly E of a mean anomaly, and dE/dM = 1/(1 − e cos E).
//! let anomaly = Function::trace((scalar(), scalar()), |(m, e)| root(|x| x - e * x.sin() - m, *m))?;
//! let (x, e) = (anomaly.eval((&1.0, &0.5))?, 0.5);
//! assert!((x - e * x.sin() - 1.0).abs() < 1e-15);
//! let slope = anomaly.wrt::<0>().grad()?.eval((&1.0, &0.5))?;
//! assert!((slope - 1.0 / (1.0 - e * x.cos())).abs() < 1e-14);
//! # Ok::<(), evolute_frontend::Error>(())
//! ```

mod linear;

pub use linear::{System, linear_solve, linear_solve_by};

use crate::error::TraceError;
use crate::trace::{self, Caller, Layout, Site};
use crate::tree::{RealTree, leaves, operands};
use evolute_ir::{ClosedRegion, Solver, Value};
use evolute_transforms::implicit::{Equation, Stop};
use std::panic::Location;

/// How [`Newton::root`] finds a zero.
///
/// Each step solves a linear system with the derivative as its matrix; a step that does not reduce `‖f‖` is halved until
/// it does. The last step is at most `tolerance · (1 + ‖x‖)` long: near a simple zero, where convergence is quadratic, the
/// error is about its square. The norm of a vector is the largest magnitude of an element.
///
/// A derivative that is singular where a step begins is an error of the call if its matrix is formed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Newton {
    /// How long the last step may be: a finite number, at least 0; another is an error of the trace.
    pub tolerance: f64,
    /// The most steps; more are an error of the call.
    pub max_iterations: u32,
    /// How the steps and the derivatives are found.
    pub solver: Solver,
}

/// Steps of 1e-9 at most, 100 of them.
impl Default for Newton {
    fn default() -> Self {
        Newton { tolerance: 1e-9, max_iterations: 100, solver: Solver::default() }
    }
}

/// How [`Iteration::fixed_point`] finds a fixed point: `x`, `g(x)`, `g(g(x))`, …, until a step is at most
/// `tolerance · (1 + ‖x‖)` long. Where steps shrink by a factor `ρ`, the error is `ρ/(1 − ρ)` times that.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Iteration {
    /// How long the last step may be: a finite number, at least 0; another is an error of the trace.
    pub tolerance: f64,
    /// The most steps; more are an error of the call.
    pub max_iterations: u32,
    /// How the derivatives are found.
    pub solver: Solver,
}

/// Steps of 1e-14 at most, 10000 of them.
impl Default for Iteration {
    fn default() -> Self {
        Iteration { tolerance: 1e-14, max_iterations: 10_000, solver: Solver::default() }
    }
}

/// A zero of `f`, found by Newton's method from `start`. See [`Newton`].
///
/// # Errors
/// Iterations that do not converge, and a singular derivative, are errors of the call; an `f` that gives another shape than
/// it is given is one of the trace.
///
/// ```
/// use evolute_frontend::{Function, Scalar, root, scalar};
///
/// // The intersection of a circle and a line of slope a, and its derivative with respect to the slope.
/// let f = Function::trace(scalar(), |a| {
///     let [x, y] = root(|[x, y]| [x * x + y * y - 4.0, y - a * x], [Scalar::from(1.0), Scalar::from(1.0)]);
///     x * y
/// })?;
/// assert!((f.eval(&1.0)? - 2.0).abs() < 1e-14);
/// assert!(f.grad()?.eval(&1.0)?.abs() < 1e-14);
/// # Ok::<(), evolute_frontend::Error>(())
/// ```
#[track_caller]
pub fn root<'t, A: RealTree<'t>>(f: impl FnOnce(A) -> A, start: A) -> A {
    Newton::default().root(f, start)
}

/// A fixed point of `g`, found by iterating it from `start`. See [`Iteration`].
///
/// # Errors
/// As of [`root()`].
///
/// ```
/// use evolute_frontend::{Function, fixed_point, scalar};
///
/// let f = Function::trace(scalar(), |a| fixed_point(|x| (a * x).cos(), *a))?;
/// let (x, slope) = (f.eval(&1.0)?, f.grad()?.eval(&1.0)?);
/// assert!((x - x.cos()).abs() < 1e-14);
/// assert!((slope + x * x.sin() / (1.0 + x.sin())).abs() < 1e-13);
/// # Ok::<(), evolute_frontend::Error>(())
/// ```
#[track_caller]
pub fn fixed_point<'t, A: RealTree<'t>>(g: impl FnOnce(A) -> A, start: A) -> A {
    Iteration::default().fixed_point(g, start)
}

/// What `find` gives, as the zero of `f` that it is: `find` may be any computation, and its derivative is not taken. If
/// what it gives is no zero, derivatives are those of the zero of `x ↦ f(x) − f(found)`.
///
/// # Errors
/// Derivatives at a zero where that of `f` is singular are errors of the call; an `f` that gives another shape than it is
/// given is one of the trace.
///
/// ```
/// use evolute_frontend::{Function, Solver, implicit, scalar, scan};
///
/// // The minimum of x²/2 + x⁴/4 − a x by gradient descent, differentiated as the zero of the gradient.
/// let minimum = Function::trace(scalar(), |a| {
///     implicit(
///         || scan(200, *a * 0.0, |x, _| x - 0.2 * (x + x.powi(3) - a)),
///         |x| x + x.powi(3) - a,
///         Solver::gmres(),
///     )
/// })?;
/// let x = minimum.eval(&2.0)?;
/// assert!((minimum.grad()?.eval(&2.0)? - 1.0 / (1.0 + 3.0 * x * x)).abs() < 1e-14);
/// # Ok::<(), evolute_frontend::Error>(())
/// ```
#[track_caller]
pub fn implicit<'t, A: RealTree<'t>>(find: impl FnOnce() -> A, f: impl FnOnce(A) -> A, solver: Solver) -> A {
    let (caller, mut output, mut layout) = (Location::caller(), None, None);
    let solution = trace::within(caller, |trace| {
        let site = Site { trace, caller };
        let finding = trace.region(caller, &[], |_| {
            let found = leaves(output.insert(find()));
            layout = site.layout("implicit", &found);
            let vector =
                layout.as_ref().and_then(|layout| site.packed("implicit", layout, &operands(&found)));
            vector.map(|vector| (trace.node(vector), site.elem(vector))).into_iter().collect()
        });
        let found = output.as_ref().expect("the closure of a region has run");
        let solution = layout.zip(finding).and_then(|(layout, finding)| {
            let function = vector_function("implicit", site, found, &layout, f)?;
            let solution = trace.build(caller, |builder| {
                Equation::root(builder, function).solution(builder, finding, solver)
            })?;
            Some(site.unpacked(&layout, solution, &leaves(found)))
        });
        solution.unwrap_or_else(|| site.placeholders(&leaves(found)))
    });
    let found = output.expect("the closure of a region has run");
    found.rebuild(&mut solution.into_iter())
}

impl Newton {
    /// As [`root()`], in this way.
    ///
    /// # Errors
    /// As of [`root()`].
    ///
    /// ```
    /// use evolute_frontend::{Function, Newton, Scalar, scalar};
    ///
    /// let few = Newton { max_iterations: 2, ..Newton::default() };
    /// let f = Function::trace(scalar(), |a| few.root(|x| x.atan() - a, Scalar::from(0.0)))?;
    /// assert!(f.eval(&0.001).is_ok() && f.eval(&1.5).is_err());
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn root<'t, A: RealTree<'t>>(self, f: impl FnOnce(A) -> A, start: A) -> A {
        let stop = Stop { tolerance: self.tolerance, max_iterations: self.max_iterations };
        unknown("root", Location::caller(), start, f, |site, _, function, start| {
            check_tolerance("root", site, self.tolerance)?;
            site.trace.build(site.caller, |builder| {
                let equation = Equation::root(builder, function);
                let finding = equation.newton(builder, start, stop, self.solver)?;
                equation.solution(builder, finding, self.solver)
            })
        })
    }
}

impl Iteration {
    /// As [`fixed_point()`], in this way.
    ///
    /// # Errors
    /// As of [`root()`].
    ///
    /// ```
    /// use evolute_frontend::{Function, Iteration, Scalar, scalar};
    ///
    /// let few = Iteration { max_iterations: 5, ..Iteration::default() };
    /// let f = Function::trace(scalar(), |a| few.fixed_point(|x| (a * x).cos(), Scalar::from(1.0)))?;
    /// assert!(f.eval(&0.0).is_ok() && f.eval(&1.0).is_err());
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn fixed_point<'t, A: RealTree<'t>>(self, g: impl FnOnce(A) -> A, start: A) -> A {
        let stop = Stop { tolerance: self.tolerance, max_iterations: self.max_iterations };
        unknown("fixed_point", Location::caller(), start, g, |site, _, function, start| {
            check_tolerance("fixed_point", site, self.tolerance)?;
            site.trace.build(site.caller, |builder| {
                let equation = Equation::fixed_point(builder, function);
                let finding = equation.iterated(builder, start, stop)?;
                equation.solution(builder, finding, self.solver)
            })
        })
    }
}

/// Nothing, and a mistake, if no step can be so short, or if each is.
fn check_tolerance(operation: &'static str, site: Site<'_>, tolerance: f64) -> Option<()> {
    if tolerance.is_finite() && tolerance >= 0.0 {
        return Some(());
    }
    let (expected, found) = ("a tolerance that is finite and not negative", tolerance.to_string());
    site.trace.fail(TraceError::Choice { operation, expected, found, at: site.trace.user_line(site.caller) });
    None
}

/// A tree like `start` that `build` makes of a closure, as a function of vectors, and of `start` as a vector.
fn unknown<'t, A: RealTree<'t>>(
    operation: &'static str,
    caller: Caller,
    start: A,
    f: impl FnOnce(A) -> A,
    build: impl FnOnce(Site<'_>, &Layout, ClosedRegion, Value) -> Option<Value>,
) -> A {
    let like = leaves(&start);
    let solution = trace::within(caller, |trace| {
        let site = Site { trace, caller };
        let solution = site.layout(operation, &like).and_then(|layout| {
            let vector = site.packed(operation, &layout, &operands(&like))?;
            let function = vector_function(operation, site, &start, &layout, f)?;
            let solution = build(site, &layout, function, vector)?;
            Some(site.unpacked(&layout, solution, &like))
        });
        solution.unwrap_or_else(|| site.placeholders(&like))
    });
    start.rebuild(&mut solution.into_iter())
}

/// A tree as a vector, `None` after a mistake.
fn vector_of<'t, A: RealTree<'t>>(
    operation: &'static str,
    site: Site<'_>,
    layout: &Layout,
    tree: &A,
) -> Option<Value> {
    site.packed(operation, layout, &operands(&leaves(tree)))
}

/// A closure on trees as a region on vectors, `None` after a mistake.
fn vector_function<'t, A: RealTree<'t>>(
    operation: &'static str,
    site: Site<'_>,
    like: &A,
    layout: &Layout,
    f: impl FnOnce(A) -> A,
) -> Option<ClosedRegion> {
    let mut fits = false;
    let function = site.trace.region(site.caller, &[layout.vector(site)], |params| {
        let points = site.unpacked(layout, params[0], &leaves(like));
        let value = f(like.rebuild(&mut points.into_iter()));
        let vector = vector_of(operation, site, layout, &value);
        fits = vector.is_some();
        vector.map(|vector| (site.trace.node(vector), site.elem(vector))).into_iter().collect()
    });
    function.filter(|_| fits)
}
