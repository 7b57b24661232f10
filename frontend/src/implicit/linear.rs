//! Linear systems, whose matrix is a closure; and what the user knows of its inverse, as another.
//!
//! The second closure is traced twice, for the system and for the transposed one, since derivatives need both. There the
//! product with the matrix is the code of the first closure again, and that with its transpose its reverse.

use super::{unknown, vector_of};
use crate::error::TraceError;
use crate::trace::{Caller, Layout, Site};
use crate::tree::{RealTree, leaves};
use evolute_ir::{ClosedRegion, Solver};
use evolute_transforms::implicit::Matrix;
use std::panic::Location;

/// The solution of `a(x) = b` for a closure `a` that is linear in its argument: the product of a matrix and a vector.
/// Its derivatives are taken with respect to `b` and to what the closure captures.
///
/// `Solver::default()` forms a small matrix and factorises it; `Solver::conjugate_gradient()` and `Solver::gmres()` never
/// form one. [`linear_solve_by`] solves in a way of the user's.
///
/// # Errors
/// A closure that is not linear is an error of the trace, [`TraceError::NotLinear`], with the line of the operation that is
/// not. Each operation is judged by what it is: sums, differences, products with what does not depend on the unknown,
/// quotients by that, moving and choosing elements, derivatives of quadratic functions, loops and calls of these are
/// linear; `x * x / x` is refused, and so are a constant that is added and a choice that depends on the unknown.
///
/// ```
/// use evolute_frontend::{Error, Function, Solver, TraceError, linear_solve, vector};
///
/// // (diag(d) + 1·1ᵀ) x = b
/// let f = Function::trace((vector(2), vector(2)), |(d, b)| {
///     linear_solve(|x| d * x + x.sum(), *b, Solver::default())
/// })?;
/// let x = f.eval((&[1.0, 1.0], &[4.0, 5.0]))?;
/// assert!((x[0] - 1.0).abs() < 1e-14 && (x[1] - 2.0).abs() < 1e-14);
/// assert!(f.eval((&[-2.0, -2.0], &[1.0, 2.0])).is_err()); // the matrix is singular: an error with this file and line
///
/// let affine = Function::trace(vector(2), |b| linear_solve(|x| x * 2.0 + b, *b, Solver::default()));
/// assert!(matches!(affine, Err(Error::Trace(TraceError::NotLinear { .. }))));
/// # Ok::<(), evolute_frontend::Error>(())
/// ```
#[track_caller]
pub fn linear_solve<'t, V: RealTree<'t>>(a: impl FnOnce(V) -> V, b: V, solver: Solver) -> V {
    solved("linear_solve", Location::caller(), a, b, solver, |_, _| Some(None))
}

/// The solution of `a(x) = b`, as [`linear_solve`] gives it, by what is known of the inverse of `a`: `inverse(system, v)`
/// approximates the solution of `a(x) = v`. The derivatives are those of the solution, to any order; none goes through what
/// `inverse` does, which may iterate as it likes.
///
/// | solver | what `inverse` gives |
/// | --- | --- |
/// | `Solver::given()` | the solution itself |
/// | `Solver::gmres()` | a preconditioner, of any kind |
/// | `Solver::conjugate_gradient()` | a preconditioner, symmetric and positive definite as the matrix is |
///
/// Other solvers take none, which is an error of the trace. The closure is traced once for the system and once for the
/// transposed one, which reverse mode solves. [`System::times`] multiplies with the matrix at hand; a closure that
/// uses what it knows of the matrix itself asks [`System::is_transposed`].
///
/// A given solution is accepted if `‖b − A x‖ ≤ tolerance · ‖b‖`, the norms being largest magnitudes and the
/// tolerance 1e-8 or what [`to_tolerance`](Solver::to_tolerance) says; else it is an error of the call, with the line. That
/// costs one product. It holds for derivatives too: each solves a system with a right-hand side of its own.
///
/// # Errors
/// As [`linear_solve`]; and a solver that takes no such closure.
///
/// ```
/// use evolute_frontend::{Function, Solver, linear_solve_by, scan, vector};
///
/// // (diag(d) + 1·1ᵀ/2) x = b by Jacobi's iteration: the derivatives are not those of its 100 steps.
/// let f = Function::trace((vector(2), vector(2)), |(d, b)| {
///     linear_solve_by(
///         |x| d * x + x.sum() * 0.5,
///         *b,
///         Solver::given().to_tolerance(1e-12),
///         |system, v| scan(100, v * 0.0, |x, _| x + (v - system.times(x)) / (d + 0.5)),
///     )
/// })?;
/// let x = f.eval((&[1.0, 2.0], &[2.5, 5.5]))?;
/// assert!((x[0] - 1.0).abs() < 1e-11 && (x[1] - 2.0).abs() < 1e-11);
/// assert!(f.eval((&[0.0, 0.0], &[1.0, 2.0])).is_err()); // singular: what the iteration gives is no solution
///
/// // Conjugate gradients, preconditioned by the diagonal.
/// let g = Function::trace((vector(2), vector(2)), |(d, b)| {
///     linear_solve_by(|x| d * x + x.sum(), *b, Solver::conjugate_gradient(), |_, v| v / (d + 1.0))
/// })?;
/// let x = g.eval((&[1.0, 1e6], &[4.0, 2e6 + 3.0]))?;
/// assert!((x[0] - 1.0).abs() < 1e-9 && (x[1] - 2.0).abs() < 1e-9);
/// # Ok::<(), evolute_frontend::Error>(())
/// ```
#[track_caller]
pub fn linear_solve_by<'t, V: RealTree<'t>>(
    a: impl FnOnce(V) -> V,
    b: V,
    solver: Solver,
    inverse: impl Fn(&System<'_, V>, V) -> V,
) -> V {
    let like = b.rebuild(&mut leaves(&b).into_iter());
    solved("linear_solve_by", Location::caller(), a, b, solver, |place, matrix| {
        inverse_region(place, matrix, &like, inverse).map(Some)
    })
}

/// The system that a closure of [`linear_solve_by`] is asked to solve.
pub struct System<'a, V> {
    place: Place<'a>,
    matrix: &'a Matrix,
    like: &'a V,
    transposed: bool,
}

impl<V> System<'_, V> {
    /// The product of the system's matrix and a vector.
    #[track_caller]
    pub fn times<'t>(&self, v: V) -> V
    where
        V: RealTree<'t>,
    {
        let Place { operation, site, layout } = self.place;
        let site = Site { caller: Location::caller(), ..site };
        let like = leaves(self.like);
        let product = vector_of(operation, site, layout, &v).and_then(|v| {
            site.trace.build(site.caller, |builder| self.matrix.times(builder, v, self.transposed))
        });
        let product = match product {
            Some(product) => site.unpacked(layout, product, &like),
            None => site.placeholders(&like),
        };
        self.like.rebuild(&mut product.into_iter())
    }

    /// Whether the system is that of the transposed matrix.
    ///
    /// ```
    /// use evolute_frontend::{Array, Function, Solver, linear_solve_by, matrix, vector};
    ///
    /// let f = Function::trace((matrix(2, 2), vector(2)), |(a, b)| {
    ///     let inverse = a.inverse();
    ///     linear_solve_by(|x| a.dot(x), *b, Solver::given(), |system, v: Array<'_>| {
    ///         if system.is_transposed() { inverse.transpose().dot(v) } else { inverse.dot(v) }
    ///     })
    /// })?;
    /// let gradient = f.wrt::<1>().vjp()?.compile()?;
    /// let (_, b_bar) = gradient.call(((&[2.0, 1.0, 0.0, 4.0], &[4.0, 8.0]), &[4.0, 8.0]))?;
    /// assert_eq!(b_bar, [2.0, 1.5]); // aᵀ b_bar = (4, 8)
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    pub fn is_transposed(&self) -> bool {
        self.transposed
    }
}

/// Where a system stands, and how its unknown lies in a vector.
#[derive(Clone, Copy)]
struct Place<'a> {
    operation: &'static str,
    site: Site<'a>,
    layout: &'a Layout,
}

/// The solution of a system with what `inverse` makes a region of, if it makes one.
fn solved<'t, V: RealTree<'t>>(
    operation: &'static str,
    caller: Caller,
    a: impl FnOnce(V) -> V,
    b: V,
    solver: Solver,
    inverse: impl FnOnce(Place<'_>, &Matrix) -> Option<Option<ClosedRegion>>,
) -> V {
    unknown(operation, caller, b, a, |site, layout, product, b| {
        let matrix = site.trace.build(caller, |builder| Ok(Matrix::of(builder, &product)))?;
        check_linear(site, &matrix)?;
        let inverse = inverse(Place { operation, site, layout }, &matrix)?;
        site.trace.build(caller, |builder| builder.linear_solve(solver, product, inverse, b))
    })
}

/// Nothing, and a mistake, if the closure is not linear.
fn check_linear(site: Site<'_>, matrix: &Matrix) -> Option<()> {
    let Some(found) = site.trace.build(site.caller, |_| matrix.nonlinear())? else { return Some(()) };
    let system = site.trace.user_line(site.caller);
    let at = found.loc.clone().unwrap_or_else(|| system.clone());
    site.trace.fail(TraceError::NotLinear { what: found.to_string(), at, system });
    None
}

/// The region of what a closure gives for a system and for the transposed one.
fn inverse_region<'t, V: RealTree<'t>>(
    place: Place<'_>,
    matrix: &Matrix,
    like: &V,
    inverse: impl Fn(&System<'_, V>, V) -> V,
) -> Option<ClosedRegion> {
    let Place { operation, site, layout } = place;
    let vector = layout.vector(site);
    let mut found = Vec::new();
    let region = site.trace.region(site.caller, &[vector.clone(), vector], |params| {
        for (&param, transposed) in params.iter().zip([false, true]) {
            let v = site.unpacked(layout, param, &leaves(like));
            let x = inverse(&System { place, matrix, like, transposed }, like.rebuild(&mut v.into_iter()));
            found.extend(vector_of(operation, site, layout, &x));
        }
        found.iter().map(|&x| (site.trace.node(x), site.elem(x))).collect()
    });
    region.filter(|_| found.len() == 2)
}
