//! Arrays that stay arrays in the closure.

use super::{Cursor, Inputs, Outputs, RealSpec, Signature, Spec, Values};
use crate::kind::{Dense, F64, Kind, RealKind, Store};
use crate::traced::Traced;
use crate::tree::{Leaf, take};
use std::marker::PhantomData;

/// An array of kind `K`, row-major: an [`Array`](crate::Array) in the closure.
#[derive(Debug, PartialEq, Eq)]
pub struct ArraySpec<K> {
    extents: Vec<usize>,
    kind: PhantomData<fn() -> K>,
}

impl<K> Clone for ArraySpec<K> {
    fn clone(&self) -> Self {
        ArraySpec { extents: self.extents.clone(), kind: PhantomData }
    }
}

/// An array of `n` elements of type `f64`.
///
/// ```
/// use evolute_frontend::{Function, scalar, vector};
///
/// let f = Function::trace((vector(2), scalar()), |(x, t)| x * t + 1.0)?;
/// assert_eq!(f.eval((&[1.0, 2.0], &10.0))?, [11.0, 21.0]);
/// # Ok::<(), evolute_frontend::Error>(())
/// ```
pub fn vector(n: usize) -> ArraySpec<F64> {
    array(&[n])
}

/// An array of `m` rows and `n` columns of type `f64`. A call takes it row by row.
///
/// ```
/// use evolute_frontend::{Function, matrix, vector};
///
/// let f = Function::trace((matrix(2, 3), vector(3)), |(a, x)| a.dot(x))?;
/// assert_eq!(f.eval((&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[1.0, 0.0, -1.0]))?, [-2.0, -2.0]);
/// # Ok::<(), evolute_frontend::Error>(())
/// ```
pub fn matrix(m: usize, n: usize) -> ArraySpec<F64> {
    array(&[m, n])
}

/// An array of these extents, outermost first, of type `f64`.
///
/// ```
/// use evolute_frontend::{Function, array};
///
/// let f = Function::trace(array(&[2, 1, 2]), |x| x.permute(&[2, 1, 0]))?;
/// assert_eq!(f.eval(&[1.0, 2.0, 3.0, 4.0])?, [1.0, 3.0, 2.0, 4.0]);
/// # Ok::<(), evolute_frontend::Error>(())
/// ```
pub fn array(extents: &[usize]) -> ArraySpec<F64> {
    array_of(extents)
}

/// As [`vector`], of any kind.
///
/// ```
/// use evolute_frontend::{Function, I64, vector_of};
///
/// let f = Function::trace(vector_of::<I64>(3), |n| n % 3)?;
/// assert_eq!(f.eval(&[3, 4, 5])?, [0, 1, 2]);
/// # Ok::<(), evolute_frontend::Error>(())
/// ```
pub fn vector_of<K: Kind>(n: usize) -> ArraySpec<K> {
    array_of(&[n])
}

/// As [`matrix`], of any kind.
pub fn matrix_of<K: Kind>(m: usize, n: usize) -> ArraySpec<K> {
    array_of(&[m, n])
}

/// As [`array()`], of any kind.
pub fn array_of<K: Kind>(extents: &[usize]) -> ArraySpec<K> {
    ArraySpec { extents: extents.to_vec(), kind: PhantomData }
}

impl<K: Kind> ArraySpec<K> {
    /// The extents, outermost first.
    pub fn extents(&self) -> &[usize] {
        &self.extents
    }

    fn len(&self) -> usize {
        self.extents.iter().product()
    }
}

impl<K: Kind> Spec for ArraySpec<K> {
    type Traced<'a, 't: 'a> = Traced<'t, Dense<K>>;
    type Made<'t> = Traced<'t, Dense<K>>;
    type Host<'a> = &'a [K::Host];
    type HostMut<'a> = &'a mut [K::Host];
    type Owned = Vec<K::Host>;

    fn sign(&self, signature: &mut Signature) {
        signature.push(K::ELEM, Some(self.extents.clone()), true);
    }
    fn store<'t>(&self, leaves: &mut dyn Iterator<Item = Leaf<'t>>, store: &mut Store<'t>) {
        store.arrays.push(take::<Dense<K>>(leaves).repr());
    }
    fn bind<'a, 't>(&self, cursor: &mut Cursor<'a, 't>) -> Traced<'t, Dense<K>> {
        Traced::new(cursor.next_array())
    }
    fn unbind<'t>(&self, traced: Traced<'t, Dense<K>>, values: &mut Values<'t>) -> bool {
        values.push(Leaf::of(traced));
        traced.shape() == self.extents
    }
    fn make<'t>(&self, leaves: &mut dyn Iterator<Item = Leaf<'t>>) -> Traced<'t, Dense<K>> {
        take(leaves)
    }
    fn unmake<'t>(&self, made: Traced<'t, Dense<K>>, values: &mut Values<'t>) -> bool {
        self.unbind(made, values)
    }
    #[inline]
    fn inputs<'a>(&self, host: &'a [K::Host], inputs: &mut Inputs<'a>) {
        inputs.push(K::input(host));
    }
    #[inline]
    fn outputs<'a>(&self, host: &'a mut [K::Host], outputs: &mut Outputs<'a>) {
        outputs.push(K::output(host));
    }
    fn allocate(&self) -> Vec<K::Host> {
        vec![K::Host::default(); self.len()]
    }
    fn borrow(owned: &Vec<K::Host>) -> &[K::Host] {
        owned
    }
    fn borrow_mut(owned: &mut Vec<K::Host>) -> &mut [K::Host] {
        owned
    }
}

impl<K: RealKind> RealSpec for ArraySpec<K> {
    type Kind = K;
}
