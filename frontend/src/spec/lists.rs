//! Lists of specifications: vectors and arrays of Rust. Their lengths are part of the specification.

use super::{Cursor, Inputs, Outputs, RealSpec, Signature, Spec, Values};
use crate::kind::Store;
use crate::tree::Leaf;
use std::array;

impl<S: Spec> Spec for Vec<S> {
    type Traced<'a, 't: 'a> = Vec<S::Traced<'a, 't>>;
    type Made<'t> = Vec<S::Made<'t>>;
    type Host<'a> = &'a [S::Owned];
    type HostMut<'a> = &'a mut [S::Owned];
    type Owned = Vec<S::Owned>;

    fn sign(&self, signature: &mut Signature) {
        signature.items(self);
    }
    fn store<'t>(&self, leaves: &mut dyn Iterator<Item = Leaf<'t>>, store: &mut Store<'t>) {
        self.iter().for_each(|item| item.store(leaves, store));
    }
    fn bind<'a, 't>(&self, cursor: &mut Cursor<'a, 't>) -> Self::Traced<'a, 't> {
        self.iter().map(|item| item.bind(cursor)).collect()
    }
    fn unbind<'t>(&self, traced: Self::Traced<'_, 't>, values: &mut Values<'t>) -> bool {
        values.items(self.len(), traced.len());
        self.iter().zip(traced).fold(true, |fits, (item, traced)| item.unbind(traced, values) && fits)
    }
    fn make<'t>(&self, leaves: &mut dyn Iterator<Item = Leaf<'t>>) -> Self::Made<'t> {
        self.iter().map(|item| item.make(leaves)).collect()
    }
    fn unmake<'t>(&self, made: Self::Made<'t>, values: &mut Values<'t>) -> bool {
        values.items(self.len(), made.len());
        self.iter().zip(made).fold(true, |fits, (item, made)| item.unmake(made, values) && fits)
    }
    fn inputs<'a>(&self, host: &'a [S::Owned], inputs: &mut Inputs<'a>) {
        inputs.items(self.len(), host.len());
        self.iter().zip(host).for_each(|(item, host)| item.inputs(S::borrow(host), inputs));
    }
    fn outputs<'a>(&self, host: &'a mut [S::Owned], outputs: &mut Outputs<'a>) {
        outputs.items(self.len(), host.len());
        self.iter().zip(host).for_each(|(item, host)| item.outputs(S::borrow_mut(host), outputs));
    }
    fn allocate(&self) -> Self::Owned {
        self.iter().map(S::allocate).collect()
    }
    fn borrow(owned: &Self::Owned) -> &[S::Owned] {
        owned
    }
    fn borrow_mut(owned: &mut Self::Owned) -> &mut [S::Owned] {
        owned
    }
}

impl<S: Spec, const N: usize> Spec for [S; N] {
    type Traced<'a, 't: 'a> = [S::Traced<'a, 't>; N];
    type Made<'t> = [S::Made<'t>; N];
    type Host<'a> = &'a [S::Owned; N];
    type HostMut<'a> = &'a mut [S::Owned; N];
    type Owned = [S::Owned; N];

    fn sign(&self, signature: &mut Signature) {
        signature.items(self);
    }
    fn store<'t>(&self, leaves: &mut dyn Iterator<Item = Leaf<'t>>, store: &mut Store<'t>) {
        self.iter().for_each(|item| item.store(leaves, store));
    }
    fn bind<'a, 't>(&self, cursor: &mut Cursor<'a, 't>) -> Self::Traced<'a, 't> {
        array::from_fn(|i| self[i].bind(cursor))
    }
    fn unbind<'t>(&self, traced: Self::Traced<'_, 't>, values: &mut Values<'t>) -> bool {
        values.items(N, N);
        self.iter().zip(traced).fold(true, |fits, (item, traced)| item.unbind(traced, values) && fits)
    }
    fn make<'t>(&self, leaves: &mut dyn Iterator<Item = Leaf<'t>>) -> Self::Made<'t> {
        array::from_fn(|i| self[i].make(leaves))
    }
    fn unmake<'t>(&self, made: Self::Made<'t>, values: &mut Values<'t>) -> bool {
        values.items(N, N);
        self.iter().zip(made).fold(true, |fits, (item, made)| item.unmake(made, values) && fits)
    }
    #[inline]
    fn inputs<'a>(&self, host: Self::Host<'a>, inputs: &mut Inputs<'a>) {
        inputs.items(N, N);
        self.iter().zip(host).for_each(|(item, host)| item.inputs(S::borrow(host), inputs));
    }
    #[inline]
    fn outputs<'a>(&self, host: Self::HostMut<'a>, outputs: &mut Outputs<'a>) {
        outputs.items(N, N);
        self.iter().zip(host).for_each(|(item, host)| item.outputs(S::borrow_mut(host), outputs));
    }
    fn allocate(&self) -> Self::Owned {
        array::from_fn(|i| self[i].allocate())
    }
    fn borrow(owned: &Self::Owned) -> &Self::Owned {
        owned
    }
    fn borrow_mut(owned: &mut Self::Owned) -> &mut Self::Owned {
        owned
    }
}

impl<S: RealSpec> RealSpec for Vec<S> {
    type Kind = S::Kind;
}

impl<S: RealSpec, const N: usize> RealSpec for [S; N] {
    type Kind = S::Kind;
}
