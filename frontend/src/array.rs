//! Traced arrays: one value of a trace each, of any rank and static shape.
//!
//! An [`Array`] is `Copy` like a scalar. Whatever is done to one is a handful of instructions, however many
//! elements it has: a slice, a transpose, a broadcast or a reshape is one `view`. Operators and the methods of THE
//! table act element by element; shapes broadcast as in NumPy, and scalars and numbers with them.
//!
//! | file | holds |
//! | --- | --- |
//! | `pointwise`, `operators` | the table's methods, comparisons, `select`, casts, operators |
//! | `shape`, `join` | views, padding; arrays made of arrays and of scalars |
//! | `index` | elements and rows at constant and traced indices, `gather`, `scatter_add` |
//! | `reduce` | sums, extrema, norms, along an axis and of all elements |
//! | `contract`, `einsum` | products of matrices, diagonals |
//! | `linalg` | factorisations, solves, determinants, eigenvalues |
//!
//! Shapes that do not go together are no panic: [`Function::trace`](crate::Function::trace) returns the
//! first mistake, with its line.
//!
//! ```
//! use evolute_frontend::{Function, matrix, vector};
//!
//! let f = Function::trace((matrix(2, 3), vector(2)), |(a, x)| a * x); // [2, 3] and [2]
//! let line = line!() - 1;
//! let message = f.unwrap_err().to_string();
//! assert!(message.contains("`mul` expects shapes that broadcast, found [2, 3] and [2]"));
//! assert!(message.contains(&format!(":{line}")));
//! ```

mod contract;
mod einsum;
mod index;
mod join;
mod linalg;
mod operators;
mod pointwise;
mod reduce;
mod shape;

pub use einsum::einsum;
pub use index::{Index, Indices};
pub use join::{concat, stack};

use crate::kind::{Bool, Dense, F32, F64, I64, Kind};
use crate::trace::{self, Caller, Operand, Site, site};
use crate::traced::Traced;
use evolute_ir::Value;
use std::panic::Location;

/// A traced array of elements of kind `K`. See the [module](mod@crate::array).
pub type Array<'t, K = F64> = Traced<'t, Dense<K>>;

impl<'t, K: Kind> Array<'t, K> {
    /// The extents, outermost first; none if the rank is 0.
    ///
    /// ```
    /// use evolute_frontend::{Function, matrix};
    ///
    /// let f = Function::trace(matrix(2, 3), |a| {
    ///     assert_eq!((a.shape(), a.rank(), a.rows(), a.size()), (vec![2, 3], 2, 2, 6));
    ///     *a
    /// })?;
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    pub fn shape(self) -> Vec<usize> {
        site::extents(self.operand())
    }

    /// The number of axes.
    pub fn rank(self) -> usize {
        self.shape().len()
    }

    /// The number of elements.
    pub fn size(self) -> usize {
        self.shape().iter().product()
    }

    /// The extent of the first axis; 1 if the rank is 0.
    pub fn rows(self) -> usize {
        self.shape().first().copied().unwrap_or(1)
    }

    /// The one element of an array that has one, whatever its rank.
    ///
    /// ```
    /// use evolute_frontend::{Function, vector};
    ///
    /// let f = Function::trace((vector(2), vector(2)), |(x, y)| x.dot(y).item().sqrt())?;
    /// assert_eq!(f.eval((&[1.0, 2.0], &[2.0, 1.0]))?, 2.0);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn item(self) -> Traced<'t, K> {
        self.to(|site, x| match site.extents(x).iter().product::<usize>() {
            1 => join::element(site, x, 0),
            _ => site.misfit("item", "one element", site.trace.ty(x), &evolute_ir::Type::scalar(K::ELEM)),
        })
    }

    /// This array as a constant of every derivative.
    #[track_caller]
    pub fn stop_gradient(self) -> Self {
        self.to(|site, x| site.prim(evolute_ir::Prim::StopGradient, &[x]))
    }

    /// Something made of this array.
    #[track_caller]
    pub(crate) fn to<F: crate::kind::Form>(
        self,
        body: impl FnOnce(Site<'_>, Value) -> Value,
    ) -> Traced<'t, F> {
        make(&[self.operand()], Location::caller(), |site, values| body(site, values[0]))
    }
}

/// Something made of these values.
pub(crate) fn make<'t, F: crate::kind::Form>(
    operands: &[Operand],
    caller: Caller,
    body: impl FnOnce(Site<'_>, &[Value]) -> Value,
) -> Traced<'t, F> {
    trace::site::at(operands, caller, body)
}

/// What an operation on arrays takes beside them: an array, a scalar, a number, or numbers.
pub trait IntoArray<'t, K: Kind> {
    /// The array; of rank 0 if this is a scalar.
    fn into_array(self) -> Array<'t, K>;
}

impl<'t, K: Kind> IntoArray<'t, K> for Array<'t, K> {
    fn into_array(self) -> Array<'t, K> {
        self
    }
}

impl<'t, K: Kind> IntoArray<'t, K> for &Array<'t, K> {
    fn into_array(self) -> Array<'t, K> {
        *self
    }
}

impl<'t, K: Kind> IntoArray<'t, K> for Traced<'t, K> {
    fn into_array(self) -> Array<'t, K> {
        Traced::new(self.repr())
    }
}

impl<'t, K: Kind> IntoArray<'t, K> for &Traced<'t, K> {
    fn into_array(self) -> Array<'t, K> {
        Traced::new(self.repr())
    }
}

macro_rules! host_arrays {
    ($($Kind:ident $host:ident),*) => {$(
        impl<'t> IntoArray<'t, $Kind> for $host {
            fn into_array(self) -> Array<'t, $Kind> {
                Traced::<$Kind>::constant(self).into_array()
            }
        }
        impl<'t> IntoArray<'t, $Kind> for &[$host] {
            #[track_caller]
            fn into_array(self) -> Array<'t, $Kind> {
                Array::constants(&[self.len()], self)
            }
        }
        impl<'t, const N: usize> IntoArray<'t, $Kind> for [$host; N] {
            #[track_caller]
            fn into_array(self) -> Array<'t, $Kind> {
                Array::constants(&[N], &self)
            }
        }
    )*};
}
host_arrays!(F64 f64, F32 f32, I64 i64, Bool bool);
