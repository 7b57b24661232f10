//! Trees of traced scalars: what inner derivatives take and give.
//!
//! A scalar, and arrays, vectors and tuples of trees.

use crate::error::TraceError;
use crate::kind::{Kind, RealKind};
use crate::trace::{self, Operand};
use crate::traced::{Repr, Traced};
use evolute_ir::Elem;
use std::marker::PhantomData;
use std::vec::IntoIter;

/// The scalars of a tree, in order.
pub type Leaves<'t> = Vec<Leaf<'t>>;

/// A traced scalar of any kind.
#[derive(Clone, Copy, Debug)]
pub struct Leaf<'t> {
    repr: Repr,
    elem: Elem,
    brand: PhantomData<Traced<'t, ()>>,
}

impl<'t> Leaf<'t> {
    pub(crate) fn new(repr: Repr, elem: Elem) -> Self {
        Leaf { repr, elem, brand: PhantomData }
    }

    pub(crate) fn of<K: Kind>(x: Traced<'t, K>) -> Self {
        Leaf::new(x.repr(), K::ELEM)
    }

    pub(crate) fn elem(self) -> Elem {
        self.elem
    }

    pub(crate) fn operand(self) -> Operand {
        (self.repr, self.elem)
    }
}

/// The next of `leaves`, which must be there and of kind `K`.
pub(crate) fn take<'t, K: Kind>(leaves: &mut dyn Iterator<Item = Leaf<'t>>) -> Traced<'t, K> {
    let leaf = leaves.next().filter(|leaf| leaf.elem == K::ELEM);
    Traced::new(leaf.map_or_else(|| trace::failed(TraceError::Rebuilt), |leaf| leaf.repr))
}

/// A structure of traced scalars.
pub trait Tree<'t>: Sized {
    /// Appends the scalars.
    fn flatten(&self, leaves: &mut Leaves<'t>);
    /// The same structure of other scalars: the next ones of `leaves`, as many as [`flatten`](Tree::flatten)
    /// appends.
    fn rebuild(&self, leaves: &mut IntoIter<Leaf<'t>>) -> Self;
}

impl<'t, K: RealKind> Tree<'t> for Traced<'t, K> {
    fn flatten(&self, leaves: &mut Leaves<'t>) {
        leaves.push(Leaf::of(*self));
    }
    fn rebuild(&self, leaves: &mut IntoIter<Leaf<'t>>) -> Self {
        take(leaves)
    }
}

impl<'t, T: Tree<'t>> Tree<'t> for Vec<T> {
    fn flatten(&self, leaves: &mut Leaves<'t>) {
        self.iter().for_each(|tree| tree.flatten(leaves));
    }
    fn rebuild(&self, leaves: &mut IntoIter<Leaf<'t>>) -> Self {
        self.iter().map(|tree| tree.rebuild(leaves)).collect()
    }
}

impl<'t, T: Tree<'t>, const N: usize> Tree<'t> for [T; N] {
    fn flatten(&self, leaves: &mut Leaves<'t>) {
        self.iter().for_each(|tree| tree.flatten(leaves));
    }
    fn rebuild(&self, leaves: &mut IntoIter<Leaf<'t>>) -> Self {
        std::array::from_fn(|i| self[i].rebuild(leaves))
    }
}

macro_rules! tuple_trees {
    ($($($T:ident $i:tt)+;)*) => {$(
        impl<'t, $($T: Tree<'t>),+> Tree<'t> for ($($T,)+) {
            fn flatten(&self, leaves: &mut Leaves<'t>) {
                $(self.$i.flatten(leaves);)+
            }
            fn rebuild(&self, leaves: &mut IntoIter<Leaf<'t>>) -> Self {
                ($(self.$i.rebuild(leaves),)+)
            }
        }
    )*};
}
tuple_trees! {
    A 0;
    A 0 B 1;
    A 0 B 1 C 2;
    A 0 B 1 C 2 D 3;
}
