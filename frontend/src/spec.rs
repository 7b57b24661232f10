//! Specifications: what a function takes and gives, outside and inside a trace.
//!
//! A spec is a shape, or a tuple, a list or a struct of specs. It fixes five types: what the traced closure is given,
//! what a function used inside a trace returns, what a call borrows, where it writes, and what it returns.
//!
//! | spec | in the closure | used in a trace | call borrows | call returns |
//! | --- | --- | --- | --- | --- |
//! | [`scalars(n)`](scalars) | `&[Scalar]` | `Vec<Scalar>` | `&[f64]` | `Vec<f64>` |
//! | [`scalar()`](scalar) | `Scalar` | `Scalar` | `&f64` | `f64` |
//! | [`scalars_of::<K>(n)`](scalars_of) | `&[Traced<K>]` | `Vec<Traced<K>>` | `&[K::Host]` | `Vec<K::Host>` |
//! | [`scalar_of::<K>()`](scalar_of) | `Traced<K>` | `Traced<K>` | `&K::Host` | `K::Host` |
//! | [`vector(n)`](vector), [`matrix(m, n)`](matrix), [`array(&[…])`](array()) | `Array` | `Array` | `&[f64]` | `Vec<f64>` |
//! | [`array_of::<K>(&[…])`](array_of) | `Array<K>` | `Array<K>` | `&[K::Host]` | `Vec<K::Host>` |
//! | `(A, B, …)` | a tuple | a tuple | a tuple | a tuple |
//! | `Vec<A>` | `Vec` | `Vec` | `&[_]` of what it returns | `Vec` |
//! | `[A; N]` | `[_; N]` | `[_; N]` | `&[_; N]` of what it returns | `[_; N]` |
//! | a struct with [`Params`](macro@crate::Params) | the struct | the struct | `&` of what it returns | the struct |

mod arrays;
mod buffers;
mod lists;
mod signature;
mod tuples;

pub use arrays::{ArraySpec, array, array_of, matrix, matrix_of, vector, vector_of};
pub use buffers::{Buffers, Inputs, Outputs, Values};
pub use signature::Signature;

pub(crate) use buffers::{INLINE, located};
pub(crate) use signature::Extents;

use crate::kind::{F64, Kind, RealKind, Store};
use crate::trace::Repr;
use crate::traced::Traced;
use crate::tree::{Leaf, take};
use std::marker::PhantomData;

/// What a function takes or gives. See the [module](self).
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not specify an argument or a result",
    note = "specifications are scalars and arrays, their tuples, `Vec`s and arrays, and structs of them with `#[derive(Params)]`"
)]
pub trait Spec: Clone + Send + Sync + 'static {
    /// In a traced closure, which gets it by reference.
    type Traced<'a, 't: 'a>;
    /// Made inside a traced closure by a function that is used there.
    type Made<'t>;
    /// Borrowed by a call, to read.
    type Host<'a>;
    /// Borrowed by a call, to write.
    type HostMut<'a>;
    /// Returned by a call.
    type Owned;

    /// The program's parameters or results.
    fn sign(&self, signature: &mut Signature);
    /// Appends this spec's values, the next of `leaves`, to the store that [`bind`](Spec::bind) reads.
    fn store<'t>(&self, leaves: &mut dyn Iterator<Item = Leaf<'t>>, store: &mut Store<'t>);
    /// The closure's form of the next values of the store.
    fn bind<'a, 't>(&self, cursor: &mut Cursor<'a, 't>) -> Self::Traced<'a, 't>;
    /// The values of the closure's form; `false` if a leaf is not as this spec says.
    fn unbind<'t>(&self, traced: Self::Traced<'_, 't>, values: &mut Values<'t>) -> bool;
    /// The made form of the next of `leaves`.
    fn make<'t>(&self, leaves: &mut dyn Iterator<Item = Leaf<'t>>) -> Self::Made<'t>;
    /// The values of the made form; `false` if a leaf is not as this spec says.
    fn unmake<'t>(&self, made: Self::Made<'t>, values: &mut Values<'t>) -> bool;
    /// The buffers of a borrowed form.
    fn inputs<'a>(&self, host: Self::Host<'a>, inputs: &mut Inputs<'a>);
    /// The buffers to write to.
    fn outputs<'a>(&self, host: Self::HostMut<'a>, outputs: &mut Outputs<'a>);
    /// Room for a result.
    fn allocate(&self) -> Self::Owned;
    /// An owned form, borrowed to read.
    fn borrow(owned: &Self::Owned) -> Self::Host<'_>;
    /// An owned form, borrowed to write.
    fn borrow_mut(owned: &mut Self::Owned) -> Self::HostMut<'_>;
}

/// A place in a [`Store`].
pub struct Cursor<'a, 't> {
    store: &'a Store<'t>,
    /// The scalars read so far, by element kind.
    read: [usize; 4],
    /// The arrays read so far.
    arrays: usize,
}

impl<'a, 't> Cursor<'a, 't> {
    pub(crate) fn new(store: &'a Store<'t>) -> Self {
        Cursor { store, read: [0; 4], arrays: 0 }
    }

    fn next<K: Kind>(&mut self, len: usize) -> &'a [Traced<'t, K>] {
        let read = &mut self.read[K::ELEM as usize];
        let start = std::mem::replace(read, *read + len);
        &K::of_store(self.store)[start..start + len]
    }

    fn next_array(&mut self) -> Repr {
        self.arrays += 1;
        self.store.arrays[self.arrays - 1]
    }
}

/// An array of scalars of kind `K`, row-major.
#[derive(Debug, PartialEq, Eq)]
pub struct Scalars<K> {
    extents: Vec<usize>,
    kind: PhantomData<fn() -> K>,
}

/// One scalar of kind `K`.
#[derive(Debug, PartialEq, Eq)]
pub struct Single<K>(PhantomData<fn() -> K>);

impl<K> Clone for Scalars<K> {
    fn clone(&self) -> Self {
        Scalars { extents: self.extents.clone(), kind: PhantomData }
    }
}

impl<K> Clone for Single<K> {
    fn clone(&self) -> Self {
        Single(PhantomData)
    }
}

/// `n` scalars of type `f64`.
pub fn scalars(n: usize) -> Scalars<F64> {
    scalars_of(n)
}

/// One `f64`.
pub fn scalar() -> Single<F64> {
    scalar_of()
}

/// `n` scalars of kind `K`.
pub fn scalars_of<K: Kind>(n: usize) -> Scalars<K> {
    Scalars { extents: vec![n], kind: PhantomData }
}

/// One scalar of kind `K`.
pub fn scalar_of<K: Kind>() -> Single<K> {
    Single(PhantomData)
}

impl<K: Kind> Scalars<K> {
    pub(crate) fn matrix(rows: usize, columns: usize) -> Scalars<K> {
        Scalars { extents: vec![rows, columns], kind: PhantomData }
    }

    /// The number of scalars.
    pub fn len(&self) -> usize {
        self.extents.iter().product()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<K: Kind> Spec for Scalars<K> {
    type Traced<'a, 't: 'a> = &'a [Traced<'t, K>];
    type Made<'t> = Vec<Traced<'t, K>>;
    type Host<'a> = &'a [K::Host];
    type HostMut<'a> = &'a mut [K::Host];
    type Owned = Vec<K::Host>;

    fn sign(&self, signature: &mut Signature) {
        signature.push(K::ELEM, Some(self.extents.clone()), false);
    }
    fn store<'t>(&self, leaves: &mut dyn Iterator<Item = Leaf<'t>>, store: &mut Store<'t>) {
        (0..self.len()).for_each(|_| K::push(store, take(leaves)));
    }
    fn bind<'a, 't>(&self, cursor: &mut Cursor<'a, 't>) -> &'a [Traced<'t, K>] {
        cursor.next(self.len())
    }
    fn unbind<'t>(&self, traced: &[Traced<'t, K>], values: &mut Values<'t>) -> bool {
        traced.iter().for_each(|&x| values.push(Leaf::of(x)));
        traced.len() == self.len()
    }
    fn make<'t>(&self, leaves: &mut dyn Iterator<Item = Leaf<'t>>) -> Vec<Traced<'t, K>> {
        (0..self.len()).map(|_| take(leaves)).collect()
    }
    fn unmake<'t>(&self, made: Vec<Traced<'t, K>>, values: &mut Values<'t>) -> bool {
        self.unbind(&made, values)
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

impl<K: Kind> Spec for Single<K> {
    type Traced<'a, 't: 'a> = Traced<'t, K>;
    type Made<'t> = Traced<'t, K>;
    type Host<'a> = &'a K::Host;
    type HostMut<'a> = &'a mut K::Host;
    type Owned = K::Host;

    fn sign(&self, signature: &mut Signature) {
        signature.push(K::ELEM, None, false);
    }
    fn store<'t>(&self, leaves: &mut dyn Iterator<Item = Leaf<'t>>, store: &mut Store<'t>) {
        K::push(store, take(leaves));
    }
    fn bind<'a, 't>(&self, cursor: &mut Cursor<'a, 't>) -> Traced<'t, K> {
        cursor.next(1)[0]
    }
    fn unbind<'t>(&self, traced: Traced<'t, K>, values: &mut Values<'t>) -> bool {
        values.push(Leaf::of(traced));
        true
    }
    fn make<'t>(&self, leaves: &mut dyn Iterator<Item = Leaf<'t>>) -> Traced<'t, K> {
        take(leaves)
    }
    fn unmake<'t>(&self, made: Traced<'t, K>, values: &mut Values<'t>) -> bool {
        self.unbind(made, values)
    }
    #[inline]
    fn inputs<'a>(&self, host: &'a K::Host, inputs: &mut Inputs<'a>) {
        inputs.push(K::input(std::slice::from_ref(host)));
    }
    #[inline]
    fn outputs<'a>(&self, host: &'a mut K::Host, outputs: &mut Outputs<'a>) {
        outputs.push(K::output(std::slice::from_mut(host)));
    }
    fn allocate(&self) -> K::Host {
        K::Host::default()
    }
    fn borrow(owned: &K::Host) -> &K::Host {
        owned
    }
    fn borrow_mut(owned: &mut K::Host) -> &mut K::Host {
        owned
    }
}

/// A spec of real scalars of one kind, which a matrix of derivatives has a row or a column each for.
pub trait RealSpec: Spec {
    /// The kind.
    type Kind: RealKind;
}

impl<K: RealKind> RealSpec for Scalars<K> {
    type Kind = K;
}

impl<K: RealKind> RealSpec for Single<K> {
    type Kind = K;
}

/// A tuple's component: what [`Function::wrt`](crate::Function::wrt) selects.
#[diagnostic::on_unimplemented(
    message = "`wrt::<{I}>` needs argument {I} of several, and the function takes `{Self}`",
    label = "no tuple of specifications with a component {I}",
    note = "`wrt` chooses among the arguments of `Function::trace((a, b), |(a, b)| …)`, from `wrt::<0>` on, at most six",
    note = "several of them are one as a tuple: `wrt::<0>` of `((a, b), data)`",
    note = "a function of one argument is differentiated with respect to all of it as it is: `f.grad()`"
)]
pub trait Argument<const I: usize>: Spec {
    /// The component's spec.
    type Spec: Spec;
    /// The component.
    fn argument(&self) -> &Self::Spec;
    /// The number of the program's parameters before it.
    fn offset(&self) -> usize;
}

/// What a function is differentiated with respect to: all arguments that were traced, or one of them, a [`Part`].
pub trait Active: Clone + Send + Sync + 'static {
    /// The arguments that were traced: the first of every derivative too, before its seeds.
    type Base: Spec;
    /// What there are derivatives with respect to.
    type Spec: Spec;
    /// The arguments.
    fn base(&self) -> &Self::Base;
    /// The active ones.
    fn spec(&self) -> &Self::Spec;
}

/// Argument number `I` of arguments `S`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<S, const I: usize>(pub(crate) S);

impl<S: Spec> Active for S {
    type Base = S;
    type Spec = S;
    fn base(&self) -> &S {
        self
    }
    fn spec(&self) -> &S {
        self
    }
}

impl<S: Argument<I>, const I: usize> Active for Part<S, I> {
    type Base = S;
    type Spec = <S as Argument<I>>::Spec;
    fn base(&self) -> &S {
        &self.0
    }
    fn spec(&self) -> &Self::Spec {
        self.0.argument()
    }
}

/// The number of the program's parameters or results.
pub(crate) fn count(spec: &impl Spec) -> usize {
    list(spec).len()
}

/// The parameters or results.
pub(crate) fn list(spec: &impl Spec) -> Vec<Extents> {
    Signature::of(spec).into_list()
}

/// The number of scalars.
pub(crate) fn len(spec: &impl Spec) -> usize {
    list(spec).iter().filter_map(|extents| extents.ty().ok()).map(|ty| ty.shape.len()).sum()
}

/// What a function may be asked to take: a spec, or a number of `f64` scalars.
pub trait IntoSpec {
    /// The spec.
    type Spec: Spec;
    /// The spec.
    fn into_spec(self) -> Self::Spec;
}

impl IntoSpec for usize {
    type Spec = Scalars<F64>;
    fn into_spec(self) -> Scalars<F64> {
        scalars(self)
    }
}

impl<S: Spec> IntoSpec for S {
    type Spec = S;
    fn into_spec(self) -> S {
        self
    }
}
