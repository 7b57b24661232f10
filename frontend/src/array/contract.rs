//! Products of vectors and matrices: each one `dot`.

use super::einsum::contract;
use super::shape::diagonal;
use super::{Array, IntoArray, make};
use crate::kind::{Number, RealKind};
use crate::traced::Traced;
use evolute_ir::{Prim, Reduction};
use std::panic::Location;

impl<'t, K: RealKind> Array<'t, K> {
    /// Products summed over the last axis of this array and the first of the other: of two vectors (then the result
    /// has rank 0, see [`inner`](Array::inner)), of a matrix and a vector, of two matrices.
    ///
    /// # Errors
    /// Extents that differ are an error of the trace.
    ///
    /// ```
    /// use evolute_frontend::{Function, matrix, vector};
    ///
    /// let f = Function::trace((vector(2), matrix(2, 2)), |(x, a)| x.dot(a.dot(x)))?;
    /// assert_eq!(f.eval((&[1.0, 2.0], &[1.0, 0.0, 0.0, 3.0]))?, [13.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn dot(self, other: impl IntoArray<'t, K>) -> Self {
        let operands = [self.operand(), other.into_array().operand()];
        make(&operands, Location::caller(), |site, values| {
            let [a, b] = [0, 1].map(|i| site.extents(values[i]));
            if a.is_empty() || b.is_empty() || a.last() != b.first() {
                let mut rest = a.clone();
                rest.pop();
                rest.extend(b.iter().skip(1));
                let expected = "a last axis and a first one of the same extent";
                let found = format!("{a:?} and {b:?}");
                return site.misfit("dot", expected, found, &site.ty(K::ELEM, &rest));
            }
            let left: Vec<usize> = (0..a.len()).collect();
            let right: Vec<usize> = (a.len() - 1..a.len() + b.len() - 1).collect();
            let result: Vec<usize> = (0..a.len() + b.len() - 1).filter(|&k| k + 1 != a.len()).collect();
            contract(site, [values[0], values[1]], [&left, &right], &result)
        })
    }

    /// The product of matrices, the last two axes; further axes in front are equal in both.
    ///
    /// # Errors
    /// Arrays of other ranks or extents are an error of the trace.
    ///
    /// ```
    /// use evolute_frontend::{Function, array};
    ///
    /// let f = Function::trace(array(&[2, 2, 2]), |a| a.matmul(a))?;
    /// let squares = f.eval(&[0.0, 1.0, 1.0, 0.0, 2.0, 0.0, 0.0, 3.0])?;
    /// assert_eq!(squares, [1.0, 0.0, 0.0, 1.0, 4.0, 0.0, 0.0, 9.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn matmul(self, other: impl IntoArray<'t, K>) -> Self {
        let operands = [self.operand(), other.into_array().operand()];
        make(&operands, Location::caller(), |site, values| {
            let [a, b] = [0, 1].map(|i| site.extents(values[i]));
            let rank = a.len();
            let fits = rank >= 2 && rank == b.len() && a[..rank - 2] == b[..rank - 2];
            if !fits || a[rank - 1] != b[rank - 2] {
                let expected = "matrices [.., m, k] and [.., k, n]";
                return site.misfit("matmul", expected, format!("{a:?} and {b:?}"), &site.ty(K::ELEM, &a));
            }
            let left: Vec<usize> = (0..rank).collect();
            let right = [&left[..rank - 2], &[rank - 1, rank]].concat();
            let result = [&left[..rank - 1], &[rank]].concat();
            contract(site, [values[0], values[1]], [&left, &right], &result)
        })
    }

    /// The sum of the products of elements of two arrays of one shape.
    ///
    /// # Errors
    /// Arrays of different shapes are an error of the trace.
    ///
    /// ```
    /// use evolute_frontend::{Function, vector};
    ///
    /// let f = Function::trace(vector(3), |x| x.inner(x).sqrt())?;
    /// assert_eq!(f.eval(&[2.0, 3.0, 6.0])?, 7.0);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn inner(self, other: impl IntoArray<'t, K>) -> Traced<'t, K> {
        let operands = [self.operand(), other.into_array().operand()];
        make(&operands, Location::caller(), |site, values| {
            let [a, b] = [0, 1].map(|i| site.extents(values[i]));
            if a != b {
                let ty = evolute_ir::Type::scalar(K::ELEM);
                return site.misfit("inner", "arrays of one shape", format!("{a:?} and {b:?}"), &ty);
            }
            let labels: Vec<usize> = (0..a.len()).collect();
            contract(site, [values[0], values[1]], [&labels, &labels], &[])
        })
    }

    /// All products of an element of this array and one of the other, in an array of the axes of both.
    ///
    /// ```
    /// use evolute_frontend::{Function, vector};
    ///
    /// let f = Function::trace((vector(2), vector(2)), |(x, y)| x.outer(y))?;
    /// assert_eq!(f.eval((&[1.0, 2.0], &[3.0, 4.0]))?, [3.0, 4.0, 6.0, 8.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn outer(self, other: impl IntoArray<'t, K>) -> Self {
        let operands = [self.operand(), other.into_array().operand()];
        make(&operands, Location::caller(), |site, values| {
            let [a, b] = [0, 1].map(|i| site.extents(values[i]));
            let column = site.reshape(values[0], &[&a[..], &vec![1; b.len()]].concat());
            site.prim(Prim::Mul, &[column, values[1]])
        })
    }
}

impl<'t, K: Number> Array<'t, K> {
    /// The sum of the diagonal of a square matrix; of the last two axes if there are more, an array.
    ///
    /// # Errors
    /// Last axes of different extents are an error of the trace.
    ///
    /// ```
    /// use evolute_frontend::{Function, matrix};
    ///
    /// let f = Function::trace(matrix(2, 2), |a| a.trace().item())?;
    /// assert_eq!(f.eval(&[1.0, 2.0, 3.0, 4.0])?, 5.0);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn trace(self) -> Self {
        self.to(|site, x| {
            let diagonal = diagonal(site, x, "trace");
            let kept = site.extents(diagonal).len().saturating_sub(1);
            match site.trace.has_failed() {
                true => diagonal,
                false => site.reduce(Reduction::Sum, diagonal, kept),
            }
        })
    }
}
