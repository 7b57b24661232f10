//! Trees as vectors: what iterative methods do with a structure, whatever its fields.

use super::{Leaf, RealTree, leaves, take};
use crate::kind::{Dense, F32, F64, Form};
use crate::traced::{Scalar, Traced};
use evolute_ir::Elem;
use std::iter;

/// `a·x + y`, for every scalar and array of a structure: the step of a descent. Numbers of type `f32` are multiplied
/// by `a` rounded to one.
///
/// ```
/// use evolute_frontend::{Function, Scalar, axpy, grad, scalar, scan, vector};
///
/// // Gradient descent over a tuple.
/// let spec = (vector(2), scalar());
/// let f = Function::trace_to(spec.clone(), spec, |start| {
///     let bowl = |(x, y)| evolute_frontend::inner((x, y), (x, y)) / 2.0;
///     scan(3, *start, |x, _| axpy(-0.5, grad(bowl, x), x))
/// })?;
/// assert_eq!(f.eval((&[8.0, 16.0], &24.0))?, (vec![1.0, 2.0], 3.0));
/// # Ok::<(), evolute_frontend::Error>(())
/// ```
#[track_caller]
pub fn axpy<'t, A: RealTree<'t>>(a: impl Into<Scalar<'t>>, x: A, y: A) -> A {
    let a = a.into();
    let mut sums = Vec::new();
    for (x, y) in iter::zip(leaves(&x), leaves(&y)) {
        sums.push(match (x.elem(), x.is_array()) {
            (Elem::F64, true) => Leaf::of(a * of::<Dense<F64>>(x) + of::<Dense<F64>>(y)),
            (Elem::F64, false) => Leaf::of(a * of::<F64>(x) + of::<F64>(y)),
            (Elem::F32, true) => Leaf::of(a.to_f32() * of::<Dense<F32>>(x) + of::<Dense<F32>>(y)),
            (Elem::F32, false) => Leaf::of(a.to_f32() * of::<F32>(x) + of::<F32>(y)),
            (Elem::I64 | Elem::Bool, _) => y, // There are none: the tree is real.
        });
    }
    y.rebuild(&mut sums.into_iter())
}

/// The sum of the products of all numbers of two structures: `xᵀy`.
///
/// ```
/// use evolute_frontend::{Function, inner, scalar, vector};
///
/// let f = Function::trace((vector(2), scalar()), |x| inner(*x, *x))?;
/// assert_eq!(f.eval((&[1.0, 2.0], &3.0))?, 14.0);
/// # Ok::<(), evolute_frontend::Error>(())
/// ```
#[track_caller]
pub fn inner<'t, A: RealTree<'t>>(x: A, y: A) -> Scalar<'t> {
    let mut total = None;
    for (x, y) in iter::zip(leaves(&x), leaves(&y)) {
        let product = match (x.elem(), x.is_array()) {
            (Elem::F64, true) => of::<Dense<F64>>(x).inner(of::<Dense<F64>>(y)),
            (Elem::F64, false) => of::<F64>(x) * of::<F64>(y),
            (Elem::F32, true) => of::<Dense<F32>>(x).inner(of::<Dense<F32>>(y)).to_f64(),
            (Elem::F32, false) => (of::<F32>(x) * of::<F32>(y)).to_f64(),
            (Elem::I64 | Elem::Bool, _) => continue, // There are none: the tree is real.
        };
        total = Some(match total {
            Some(total) => total + product,
            None => product,
        });
    }
    total.unwrap_or(Scalar::from(0.0))
}

/// The value of a leaf; a mistake, if it is of another form.
fn of<'t, F: Form>(leaf: Leaf<'t>) -> Traced<'t, F> {
    take(&mut iter::once(leaf))
}
