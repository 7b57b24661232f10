//! All elements, or those along an axis, combined: sums, products, extrema, norms.
//!
//! A reduction combines last axes, so an axis is first moved there: a `view` and a `reduce`. The results of the
//! methods with an axis have one axis less; `expand_dims` puts it back.

use super::shape::{expanded, no_axis};
use super::{Array, make};
use crate::kind::{I64, Number, RealKind};
use crate::trace::{LoopBody, Site, Turns};
use crate::traced::Traced;
use evolute_ir::{Elem, Literal, Op, Prim, Reduction, Value};

/// Combines all elements, or those along an axis, for a method of this name.
fn method(site: Site<'_>, name: &'static str, reduction: Reduction, x: Value, axis: Option<usize>) -> Value {
    let mut rest = site.extents(x);
    let extent = match axis {
        None => rest.drain(..).product(),
        Some(axis) if axis < rest.len() => rest.remove(axis),
        Some(axis) => return no_axis(site, name, x, axis),
    };
    if reduction.is_index() && extent == 0 {
        return site.misfit(name, "an element to find", "none", &site.ty(Elem::I64, &rest));
    }
    reduced(site, reduction, x, axis)
}

/// Combines all elements, or those along an axis that there is.
fn reduced(site: Site<'_>, reduction: Reduction, x: Value, axis: Option<usize>) -> Value {
    let rank = site.extents(x).len();
    let (x, kept) = match axis {
        None => (x, 0),
        Some(axis) => (site.move_axis(x, axis, rank - 1), rank - 1),
    };
    if kept == rank {
        return if reduction.is_index() { site.integer(0) } else { x };
    }
    site.reduce(reduction, x, kept)
}

macro_rules! reductions {
    ($($(#[$doc:meta])* $name:ident $along:ident $Reduction:ident $K:ident;)*) => {$(
        $(#[$doc])*
        #[track_caller]
        pub fn $name(self) -> Traced<'t, $K> {
            self.to(|site, x| method(site, stringify!($name), Reduction::$Reduction, x, None))
        }

        #[doc = concat!("As [`", stringify!($name), "`](Array::", stringify!($name), "), along an axis, ")]
        /// which the result does not have: [`expand_dims`](Array::expand_dims) puts it back with extent 1, so that
        /// the result broadcasts along it.
        ///
        /// # Errors
        /// An axis that there is not is an error of the trace.
        #[track_caller]
        pub fn $along(self, axis: usize) -> Array<'t, $K> {
            self.to(|site, x| method(site, stringify!($along), Reduction::$Reduction, x, Some(axis)))
        }
    )*};
}

impl<'t, K: Number> Array<'t, K> {
    reductions! {
        /// The sum; 0 of no elements.
        ///
        /// ```
        /// use evolute_frontend::{Function, matrix, scalar, vector};
        ///
        /// let f = Function::trace_to(matrix(2, 3), (scalar(), vector(3)), |a| (a.sum(), a.sum_along(0)))?;
        /// assert_eq!(f.eval(&[1.0, 2.0, 3.0, 10.0, 20.0, 30.0])?, (66.0, vec![11.0, 22.0, 33.0]));
        ///
        /// // Shares of the sum of a row. Without the axis of extent 1 the sums would stand for columns.
        /// let shares = Function::trace(matrix(2, 2), |a| a / a.sum_along(1).expand_dims(1))?;
        /// assert_eq!(shares.eval(&[1.0, 3.0, 2.0, 2.0])?, [0.25, 0.75, 0.5, 0.5]);
        /// # Ok::<(), evolute_frontend::Error>(())
        /// ```
        sum sum_along Sum K;
        /// The product; 1 of no elements.
        prod prod_along Prod K;
        /// The largest element; a NaN wins. −∞ or `i64::MIN` of no elements.
        ///
        /// ```
        /// use evolute_frontend::{Function, matrix, scalar, vector};
        ///
        /// let f = Function::trace_to(matrix(2, 2), (scalar(), vector(2)), |a| (a.maximum(), a.minimum_along(1)))?;
        /// assert_eq!(f.eval(&[4.0, 3.0, 1.0, 2.0])?, (4.0, vec![3.0, 1.0]));
        /// # Ok::<(), evolute_frontend::Error>(())
        /// ```
        #[doc(alias = "max")]
        maximum maximum_along Max K;
        /// The smallest element; a NaN wins. +∞ or `i64::MAX` of no elements.
        #[doc(alias = "min")]
        minimum minimum_along Min K;
        /// The flat index of the first largest element, or of the first NaN.
        ///
        /// ```
        /// use evolute_frontend::{Function, vector};
        ///
        /// let f = Function::trace(vector(3), |x| x.argmax())?;
        /// assert_eq!(f.eval(&[1.0, 5.0, 5.0])?, 1);
        /// # Ok::<(), evolute_frontend::Error>(())
        /// ```
        argmax argmax_along ArgMax I64;
        /// The flat index of the first smallest element, or of the first NaN.
        argmin argmin_along ArgMin I64;
    }

    /// The sums of the first elements along an axis: one, two, … of them.
    ///
    /// # Errors
    /// An axis that there is not is an error of the trace.
    ///
    /// ```
    /// use evolute_frontend::{Function, vector};
    ///
    /// let f = Function::trace(vector(3), |x| x.cumsum(0))?;
    /// assert_eq!(f.eval(&[1.0, 2.0, 3.0])?, [1.0, 3.0, 6.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn cumsum(self, axis: usize) -> Self {
        self.to(|site, x| {
            if axis >= site.extents(x).len() {
                return no_axis(site, "cumsum", x, axis);
            }
            let rows = site.move_axis(x, axis, 0);
            let extents = site.extents(rows);
            let start = site.full(&site.ty(K::ELEM, &extents[1..]), 0.0);
            let looped = site.looped(Turns::fixed(extents[0] as u32), &[start], &[rows], |_, carry, rows| {
                let sum = site.operand(site.prim(Prim::Add, &[carry[0], rows[0]]));
                LoopBody { carries: vec![sum], stacks: vec![sum], sums: Vec::new() }
            });
            site.move_axis(looped.stacks[0], 0, axis)
        })
    }
}

macro_rules! real_reductions {
    ($($(#[$doc:meta])* $name:ident $along:ident $reduce:ident;)*) => {$(
        $(#[$doc])*
        #[track_caller]
        pub fn $name(self) -> Traced<'t, K> {
            self.to(|site, x| $reduce(site, site.reshape(x, &[site.extents(x).iter().product()]), 0))
        }

        #[doc = concat!("As [`", stringify!($name), "`](Array::", stringify!($name), "), along an axis, ")]
        /// which the result does not have: [`expand_dims`](Array::expand_dims) puts it back with extent 1, so that
        /// the result broadcasts along it.
        ///
        /// # Errors
        /// An axis that there is not is an error of the trace.
        #[track_caller]
        pub fn $along(self, axis: usize) -> Self {
            self.to(|site, x| match axis < site.extents(x).len() {
                true => $reduce(site, x, axis),
                false => no_axis(site, stringify!($along), x, axis),
            })
        }
    )*};
}

impl<'t, K: RealKind> Array<'t, K> {
    real_reductions! {
        /// The mean; NaN of no elements.
        ///
        /// ```
        /// use evolute_frontend::{Function, matrix};
        ///
        /// let f = Function::trace(matrix(2, 2), |a| a.mean_along(1) - a.mean())?;
        /// assert_eq!(f.eval(&[1.0, 3.0, 5.0, 7.0])?, [-2.0, 2.0]);
        /// # Ok::<(), evolute_frontend::Error>(())
        /// ```
        mean mean_along mean_of;
        /// `ln Σ exp(xᵢ)`, shifted by the maximum so that nothing overflows; −∞ of no elements. Derivatives of every
        /// order keep their digits where elements are far apart.
        ///
        /// ```
        /// use evolute_frontend::{Function, vector};
        ///
        /// let f = Function::trace(vector(2), |x| x.logsumexp())?;
        /// assert_eq!(f.eval(&[1e3, 1e3])?, 1e3 + 2f64.ln());
        /// # Ok::<(), evolute_frontend::Error>(())
        /// ```
        logsumexp logsumexp_along logsumexp_of;
        /// The Euclidean norm, scaled so that squares neither overflow nor vanish; 0 of no elements. Its gradient
        /// at 0 is 0. An infinite element wins over a NaN, as in `hypot`; the derivatives are then NaN. Second derivatives
        /// are right to roundings of 1 over the norm, as those of [`RealSlice::norm2`](crate::RealSlice::norm2).
        ///
        /// ```
        /// use evolute_frontend::{Function, vector};
        ///
        /// let f = Function::trace(vector(2), |x| x.norm2())?;
        /// assert!((f.eval(&[3e200, 4e200])? / 5e200 - 1.0).abs() < 1e-15);
        /// # Ok::<(), evolute_frontend::Error>(())
        /// ```
        norm2 norm2_along norm2_of;
        /// The variance: the mean of the squared deviations from the mean, which is computed first; NaN of no elements. An
        /// estimate from a sample of `n` is `n / (n - 1)` times as large.
        ///
        /// ```
        /// use evolute_frontend::{Function, matrix};
        ///
        /// let f = Function::trace(matrix(2, 2), |a| a.var_along(1) + a.var())?;
        /// assert_eq!(f.eval(&[1.0, 3.0, 5.0, 7.0])?, [6.0, 6.0]);
        /// # Ok::<(), evolute_frontend::Error>(())
        /// ```
        #[doc(alias = "variance")]
        var var_along var_of;
        /// The standard deviation, the root of [`var`](Array::var): the norm of the deviations from the mean over `√n`. So
        /// it does not overflow where their squares do, and its gradient at equal elements is 0.
        ///
        /// ```
        /// use evolute_frontend::{Function, matrix};
        ///
        /// // Each row with mean 0 and deviation 1.
        /// let f = Function::trace(matrix(2, 2), |a| {
        ///     (a - a.mean_along(1).expand_dims(1)) / a.std_along(1).expand_dims(1)
        /// })?;
        /// assert_eq!(f.eval(&[1.0, 3.0, 50.0, 70.0])?, [-1.0, 1.0, -1.0, 1.0]);
        /// # Ok::<(), evolute_frontend::Error>(())
        /// ```
        #[doc(alias = "standard_deviation")]
        std std_along std_of;
    }

    /// `exp(xᵢ) / Σ exp(xⱼ)` along an axis, the gradient of `logsumexp`.
    ///
    /// # Errors
    /// An axis that there is not is an error of the trace.
    ///
    /// ```
    /// use evolute_frontend::{Function, vector};
    ///
    /// let f = Function::trace(vector(2), |x| x.softmax(0))?;
    /// assert_eq!(f.eval(&[7.0, 7.0])?, [0.5, 0.5]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn softmax(self, axis: usize) -> Self {
        make(&[self.operand()], std::panic::Location::caller(), |site, values| {
            let x = values[0];
            if axis >= site.extents(x).len() {
                return no_axis(site, "softmax", x, axis);
            }
            logarithm_and_shares(site, x, axis).1
        })
    }
}

/// A reduced axis, with extent 1.
fn kept(site: Site<'_>, x: Value, axis: usize) -> Value {
    expanded(site, x, axis)
}

fn real(site: Site<'_>, like: Value, x: f64) -> Value {
    site.constant(Literal::from_f64(site.elem(like), x))
}

fn select(site: Site<'_>, condition: Value, yes: Value, no: Value) -> Value {
    site.pointwise(Op::Select, "select", &[condition, yes, no], site.elem(yes))
}

fn mean_of(site: Site<'_>, x: Value, axis: usize) -> Value {
    let count = real(site, x, site.extents(x)[axis] as f64);
    let sum = reduced(site, Reduction::Sum, x, Some(axis));
    site.prim(Prim::Div, &[sum, count])
}

fn deviations(site: Site<'_>, x: Value, axis: usize) -> Value {
    site.prim(Prim::Sub, &[x, kept(site, mean_of(site, x, axis), axis)])
}

fn var_of(site: Site<'_>, x: Value, axis: usize) -> Value {
    let deviations = deviations(site, x, axis);
    mean_of(site, site.prim(Prim::Mul, &[deviations, deviations]), axis)
}

fn std_of(site: Site<'_>, x: Value, axis: usize) -> Value {
    let root = real(site, x, (site.extents(x)[axis] as f64).sqrt());
    site.prim(Prim::Div, &[norm2_of(site, deviations(site, x, axis), axis), root])
}

fn compared(site: Site<'_>, comparison: Prim, a: Value, b: Value) -> Value {
    site.pointwise(Op::Prim(comparison), comparison.name(), &[a, b], Elem::Bool)
}

fn logsumexp_of(site: Site<'_>, x: Value, axis: usize) -> Value {
    let (logarithm, shares) = logarithm_and_shares(site, x, axis);
    site.prim(Prim::WithSlope, &[logarithm, real(site, x, 1.0), linear(site, shares, x, axis)])
}

/// `ln Σ exp(xᵢ)` along an axis, and what `exp(xᵢ)` is of these sums: as those of slices, where Note [A dominant element]
/// explains it.
fn logarithm_and_shares(site: Site<'_>, x: Value, axis: usize) -> (Value, Value) {
    let (zero, one) = (real(site, x, 0.0), real(site, x, 1.0));
    let shift = shift(site, x, axis);
    let terms = site.prim(Prim::Exp, &[site.prim(Prim::Sub, &[x, kept(site, shift, axis)])]);
    let sum = reduced(site, Reduction::Sum, terms, Some(axis));
    let (own, others, rest) = set_apart(site, terms, sum, axis);
    let from_base = site.prim(Prim::WithSlope, &[zero, real(site, x, -1.0), linear(site, own, x, axis)]);
    let factor = site.prim(Prim::Exp, &[from_base]);
    let in_base = select(site, compared(site, Prim::Lt, rest, sum), zero, one);
    let above_one = site.prim(Prim::Sub, &[site.prim(Prim::Mul, &[rest, factor]), in_base]);
    let share = site.prim(Prim::Recip, &[site.prim(Prim::Add, &[above_one, one])]);
    let factor = site.prim(Prim::Mul, &[factor, share]);
    let own = site.prim(Prim::Mul, &[own, kept(site, share, axis)]);
    let others = site.prim(Prim::Mul, &[others, kept(site, factor, axis)]);
    let logarithm = site.prim(Prim::Add, &[shift, site.prim(Prim::Log1p, &[above_one])]);
    (logarithm, site.prim(Prim::Add, &[own, others]))
}

/// 1 for a term that is more than half of the sum along an axis, and 0 for the others; the terms, with 0 for that one; and
/// the sum of these.
fn set_apart(site: Site<'_>, terms: Value, sum: Value, axis: usize) -> (Value, Value, Value) {
    let one = real(site, terms, 1.0);
    let half = kept(site, site.prim(Prim::Mul, &[sum, real(site, terms, 0.5)]), axis);
    let own = select(site, compared(site, Prim::Gt, terms, half), one, real(site, terms, 0.0));
    let others = site.prim(Prim::Mul, &[terms, site.prim(Prim::Sub, &[one, own])]);
    (own, others, reduced(site, Reduction::Sum, others, Some(axis)))
}

/// The largest elements along an axis, as constants of every derivative, or 0 for an infinite one: as those of slices.
fn shift(site: Site<'_>, x: Value, axis: usize) -> Value {
    let largest = reduced(site, Reduction::Max, x, Some(axis));
    let magnitude = site.prim(Prim::Abs, &[largest]);
    let finite = compared(site, Prim::Lt, magnitude, real(site, x, f64::INFINITY));
    site.prim(Prim::StopGradient, &[select(site, finite, largest, real(site, x, 0.0))])
}

/// As that of slices, [`RealSlice::norm2`](crate::RealSlice::norm2), where Note [The gradient of a norm] explains it.
fn norm2_of(site: Site<'_>, x: Value, axis: usize) -> Value {
    if site.extents(x)[axis] == 0 {
        return reduced(site, Reduction::Sum, x, Some(axis));
    }
    let largest = largest_magnitude(site, x, axis);
    let scale = site.prim(Prim::Rescale, &[largest]);
    let scaled = site.prim(Prim::Mul, &[x, kept(site, scale, axis)]);
    let squares = reduced(site, Reduction::Sum, site.prim(Prim::Mul, &[scaled, scaled]), Some(axis));
    let length = site.prim(Prim::Sqrt, &[squares]);
    let gradient = norm_gradient(site, (x, scaled), (scale, length), axis);
    let finite = compared(site, Prim::Lt, largest, real(site, x, f64::INFINITY));
    let norm = select(site, finite, site.prim(Prim::Div, &[length, scale]), largest);
    let norm = site.prim(Prim::WithSlope, &[norm, real(site, x, 1.0), linear(site, gradient, x, axis)]);
    let zero = compared(site, Prim::Le, squares, real(site, x, 0.0));
    select(site, zero, real(site, x, 0.0), norm)
}

/// The largest magnitudes along an axis of those that are no NaN, or 0, as constants of every derivative.
fn largest_magnitude(site: Site<'_>, x: Value, axis: usize) -> Value {
    let magnitude = site.prim(Prim::Abs, &[site.prim(Prim::StopGradient, &[x])]);
    let number = compared(site, Prim::Eq, magnitude, magnitude);
    let magnitude = select(site, number, magnitude, real(site, x, 0.0));
    reduced(site, Reduction::Max, magnitude, Some(axis))
}

/// 0, with these slopes in `x` along an axis.
fn linear(site: Site<'_>, slopes: Value, x: Value, axis: usize) -> Value {
    let terms = site.prim(Prim::WithSlope, &[real(site, x, 0.0), slopes, x]);
    reduced(site, Reduction::Sum, terms, Some(axis))
}

/// The unit vectors in the directions of `x` along an axis, as those of slices.
fn norm_gradient(
    site: Site<'_>,
    (x, scaled): (Value, Value),
    (scale, length): (Value, Value),
    axis: usize,
) -> Value {
    let inverse = kept(site, site.prim(Prim::Recip, &[length]), axis);
    let unit = site.prim(Prim::Mul, &[scaled, inverse]);
    let along = kept(site, linear(site, unit, x, axis), axis);
    let towards = site.prim(Prim::Neg, &[site.prim(Prim::Mul, &[unit, inverse])]);
    let change = site.prim(Prim::WithSlope, &[real(site, x, 0.0), inverse, x]);
    let back = site.prim(Prim::WithSlope, &[real(site, x, 0.0), towards, along]);
    let change = site.prim(Prim::Add, &[change, back]);
    site.prim(Prim::WithSlope, &[unit, kept(site, scale, axis), change])
}
