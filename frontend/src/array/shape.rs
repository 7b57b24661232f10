//! The same elements in another arrangement: one `view` each, and padding, its transpose.

use super::Array;
use crate::kind::{Kind, Number};
use crate::trace::{Site, row_major};
use evolute_ir::{Op, Strides, Type, Value};
use std::ops::Range;

impl<K: Kind> Array<'_, K> {
    /// These elements repeated along axes of extent 1 and further leading axes, as in NumPy.
    ///
    /// # Errors
    /// A shape that does not broadcast to `extents` is an error of the trace.
    ///
    /// ```
    /// use evolute_frontend::{Function, vector};
    ///
    /// let f = Function::trace(vector(2), |x| x.broadcast_to(&[2, 2]))?;
    /// assert_eq!(f.eval(&[1.0, 2.0])?, [1.0, 2.0, 1.0, 2.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn broadcast_to(self, extents: &[usize]) -> Self {
        self.to(|site, x| {
            let own = site.extents(x);
            let fits = crate::trace::broadcast(&own, extents).is_some_and(|common| common == extents);
            if !fits {
                let ty = site.ty(K::ELEM, extents);
                let expected = format!("a shape that broadcasts to {extents:?}");
                return site.misfit("broadcast_to", expected, format!("{own:?}"), &ty);
            }
            site.broadcast(x, extents)
        })
    }

    /// These elements, in row-major order, as an array of other extents.
    ///
    /// # Errors
    /// Another number of elements is an error of the trace.
    ///
    /// ```
    /// use evolute_frontend::{Function, vector};
    ///
    /// let f = Function::trace(vector(4), |x| x.reshape(&[2, 2]).transpose())?;
    /// assert_eq!(f.eval(&[1.0, 2.0, 3.0, 4.0])?, [1.0, 3.0, 2.0, 4.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn reshape(self, extents: &[usize]) -> Self {
        self.to(|site, x| {
            let (own, wanted) = (site.extents(x), site.ty(K::ELEM, extents));
            if own.iter().product::<usize>() != wanted.shape.len() {
                let expected = format!("{} elements", wanted.shape.len());
                return site.misfit("reshape", expected, format!("{own:?}"), &wanted);
            }
            site.reshape(x, extents)
        })
    }

    /// These elements, in row-major order, as an array of one axis.
    ///
    /// ```
    /// use evolute_frontend::{Function, matrix};
    ///
    /// let f = Function::trace(matrix(2, 2), |a| a.transpose().ravel())?;
    /// assert_eq!(f.eval(&[1.0, 2.0, 3.0, 4.0])?, [1.0, 3.0, 2.0, 4.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn ravel(self) -> Self {
        self.to(|site, x| site.reshape(x, &[site.extents(x).iter().product()]))
    }

    /// One more axis, of extent 1, which becomes axis number `axis`. What is combined along an axis broadcasts along it
    /// again if the axis is put back so.
    ///
    /// # Errors
    /// A number above that of the axes that there are is an error of the trace.
    ///
    /// ```
    /// use evolute_frontend::{Function, matrix, vector};
    ///
    /// let outer = Function::trace((vector(2), vector(2)), |(x, y)| x.expand_dims(1) * y)?;
    /// assert_eq!(outer.eval((&[1.0, 2.0], &[10.0, 20.0]))?, [10.0, 20.0, 20.0, 40.0]);
    ///
    /// // The rows divided by their largest elements.
    /// let f = Function::trace(matrix(2, 2), |a| a / a.maximum_along(1).expand_dims(1))?;
    /// assert_eq!(f.eval(&[1.0, 2.0, 8.0, 4.0])?, [0.5, 1.0, 1.0, 0.5]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[doc(alias = "unsqueeze")]
    #[doc(alias = "keepdims")]
    #[track_caller]
    pub fn expand_dims(self, axis: usize) -> Self {
        self.to(|site, x| match axis <= site.extents(x).len() {
            true => expanded(site, x, axis),
            false => {
                let (expected, ty) = (format!("an array of at least {axis} axes"), site.trace.ty(x));
                site.misfit("expand_dims", expected, &ty, &ty)
            }
        })
    }

    /// These elements without an axis of extent 1.
    ///
    /// # Errors
    /// An axis of another extent is an error of the trace.
    ///
    /// ```
    /// use evolute_frontend::{Function, matrix};
    ///
    /// let f = Function::trace(matrix(2, 1), |a| a.squeeze(1))?;
    /// assert_eq!(f.eval(&[1.0, 2.0])?, [1.0, 2.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn squeeze(self, axis: usize) -> Self {
        self.to(|site, x| {
            let mut extents = site.extents(x);
            match extents.get(axis) {
                Some(1) => {
                    extents.remove(axis);
                    site.reshape(x, &extents)
                }
                Some(_) => {
                    extents.remove(axis);
                    let like = site.ty(K::ELEM, &extents);
                    site.misfit("squeeze", format!("extent 1 of axis {axis}"), site.trace.ty(x), &like)
                }
                None => no_axis(site, "squeeze", x, axis),
            }
        })
    }

    /// The axes in reverse order: the transpose of a matrix.
    ///
    /// ```
    /// use evolute_frontend::{Function, matrix};
    ///
    /// let f = Function::trace(matrix(2, 3), |a| a.transpose())?;
    /// assert_eq!(f.eval(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])?, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn transpose(self) -> Self {
        self.to(|site, x| site.permute(x, &(0..site.extents(x).len()).rev().collect::<Vec<_>>()))
    }

    /// Axis `k` of the result is axis `axes[k]` of this array.
    ///
    /// # Errors
    /// Other than each axis once is an error of the trace.
    ///
    /// ```
    /// use evolute_frontend::{Function, array};
    ///
    /// let f = Function::trace(array(&[1, 2, 2]), |a| a.permute(&[2, 0, 1]))?;
    /// assert_eq!(f.eval(&[1.0, 2.0, 3.0, 4.0])?, [1.0, 3.0, 2.0, 4.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn permute(self, axes: &[usize]) -> Self {
        self.to(|site, x| {
            let rank = site.extents(x).len();
            let mut sorted = axes.to_vec();
            sorted.sort_unstable();
            if !sorted.into_iter().eq(0..rank) {
                let (expected, found) = (format!("each of {rank} axes once"), format!("{axes:?}"));
                return site.misfit("permute", expected, found, &site.trace.ty(x));
            }
            site.permute(x, axes)
        })
    }

    /// The part of an axis whose indices are in `range`.
    ///
    /// # Errors
    /// A range that is not within the axis is an error of the trace.
    ///
    /// ```
    /// use evolute_frontend::{Function, vector};
    ///
    /// let differences = Function::trace(vector(4), |x| x.slice(0, 1..4) - x.slice(0, 0..3))?;
    /// assert_eq!(differences.eval(&[1.0, 2.0, 4.0, 8.0])?, [1.0, 2.0, 4.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn slice(self, axis: usize, range: Range<usize>) -> Self {
        self.to(|site, x| slice(site, "slice", x, (axis, range, 1)))
    }

    /// Every `step`-th of the indices in `range` of an axis; from the last one backwards if `step` is negative.
    ///
    /// # Errors
    /// A range that is not within the axis, and a step of 0, is an error of the trace.
    ///
    /// ```
    /// use evolute_frontend::{Function, vector};
    ///
    /// let f = Function::trace(vector(5), |x| x.slice_step(0, 0..5, -2))?;
    /// assert_eq!(f.eval(&[0.0, 1.0, 2.0, 3.0, 4.0])?, [4.0, 2.0, 0.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn slice_step(self, axis: usize, range: Range<usize>, step: isize) -> Self {
        self.to(|site, x| slice(site, "slice_step", x, (axis, range, step)))
    }

    /// An axis backwards.
    ///
    /// # Errors
    /// An axis that there is not is an error of the trace.
    ///
    /// ```
    /// use evolute_frontend::{Function, vector};
    ///
    /// let f = Function::trace(vector(3), |x| x.reversed(0))?;
    /// assert_eq!(f.eval(&[1.0, 2.0, 3.0])?, [3.0, 2.0, 1.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn reversed(self, axis: usize) -> Self {
        self.to(|site, x| match site.extents(x).get(axis) {
            Some(&extent) => slice(site, "reversed", x, (axis, 0..extent, -1)),
            None => no_axis(site, "reversed", x, axis),
        })
    }

    /// The diagonal of a square matrix, or of the last two axes.
    ///
    /// # Errors
    /// Other extents are an error of the trace.
    ///
    /// ```
    /// use evolute_frontend::{Function, matrix};
    ///
    /// let f = Function::trace(matrix(2, 2), |a| a.diagonal())?;
    /// assert_eq!(f.eval(&[1.0, 2.0, 3.0, 4.0])?, [1.0, 4.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn diagonal(self) -> Self {
        self.to(|site, x| diagonal(site, x, "diagonal"))
    }
}

pub(super) fn diagonal(site: Site<'_>, x: Value, operation: &'static str) -> Value {
    let mut extents = site.extents(x);
    let mut strides = row_major(&extents);
    match (extents.pop(), strides.pop()) {
        (Some(n), Some(_)) if extents.last() == Some(&n) => {
            *strides.last_mut().expect("there are two axes") += 1;
            site.view(x, &extents, 0, &strides)
        }
        _ => site.misfit(operation, "two last axes of one extent", site.trace.ty(x), &site.trace.ty(x)),
    }
}

fn slice(
    site: Site<'_>,
    operation: &'static str,
    x: Value,
    (axis, range, step): (usize, Range<usize>, isize),
) -> Value {
    let mut extents = site.extents(x);
    let mut strides = row_major(&extents);
    let Some(extent) = extents.get_mut(axis) else { return no_axis(site, operation, x, axis) };
    if range.start > range.end || range.end > *extent || step == 0 {
        let expected = format!("a range within 0..{extent} and a step");
        return site.misfit(operation, expected, format!("{range:?} by {step}"), &site.trace.ty(x));
    }
    *extent = range.len().div_ceil(step.unsigned_abs());
    let first = if step > 0 || range.is_empty() { range.start } else { range.end - 1 };
    let offset = first as i64 * strides[axis];
    // One index takes no step, however long.
    if extents[axis] > 1 {
        strides[axis] *= step as i64;
    }
    let empty = extents.contains(&0);
    site.view(x, &extents, if empty { 0 } else { offset }, &strides)
}

pub(super) fn no_axis(site: Site<'_>, operation: &'static str, x: Value, axis: usize) -> Value {
    let ty = site.trace.ty(x);
    site.misfit(operation, format!("an array with axis {axis}"), &ty, &ty)
}

impl<K: Number> Array<'_, K> {
    /// This array with zeros before and after its elements along an axis.
    ///
    /// # Errors
    /// An axis that there is not is an error of the trace.
    ///
    /// ```
    /// use evolute_frontend::{Function, vector};
    ///
    /// let f = Function::trace(vector(2), |x| x.pad(0, 1, 2))?;
    /// assert_eq!(f.eval(&[5.0, 6.0])?, [0.0, 5.0, 6.0, 0.0, 0.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn pad(self, axis: usize, before: usize, after: usize) -> Self {
        self.to(|site, x| {
            let mut extents = site.extents(x);
            let Some(extent) = extents.get_mut(axis) else { return no_axis(site, "pad", x, axis) };
            *extent = extent.saturating_add(before).saturating_add(after);
            let ty = site.ty(K::ELEM, &extents);
            let strides = row_major(&extents);
            spread(site, x, &ty, (before as i64).saturating_mul(strides[axis]), &strides)
        })
    }
}

/// Zeros, but for the elements of `x`, which stand where a view would read them.
pub(super) fn spread(site: Site<'_>, x: Value, ty: &Type, offset: i64, strides: &[i64]) -> Value {
    let op = site.trace.build(site.caller, |builder| {
        let strides = builder.strides(&Strides { offset, strides: strides.into() });
        Ok(Op::Spread(builder.intern(ty), strides))
    });
    op.map_or_else(|| site.trace.placeholder(ty), |op| site.insert(op, &[x], ty))
}

/// One more axis, of extent 1, before axis `axis` or behind the last.
pub(super) fn expanded(site: Site<'_>, x: Value, axis: usize) -> Value {
    let mut extents = site.extents(x);
    extents.insert(axis, 1);
    site.reshape(x, &extents)
}
