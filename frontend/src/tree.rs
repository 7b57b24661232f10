//! Trees of traced scalars: what inner derivatives take and give.
//!
//! A scalar, and arrays, vectors and tuples of trees.

use crate::kind::{Kind, RealKind};
use crate::trace::Operand;
use crate::traced::{Repr, Traced};
use evolute_ir::Elem;

/// The scalars of a tree, in order.
pub type Leaves = Vec<Leaf>;

/// A traced scalar of any real kind.
#[derive(Clone, Copy, Debug)]
pub struct Leaf {
    pub(crate) repr: Repr,
    pub(crate) elem: Elem,
}

impl Leaf {
    pub(crate) fn operand(self) -> Operand {
        (self.repr, self.elem)
    }
}

/// A structure of traced scalars.
pub trait Tree<'t>: Sized {
    /// Appends the scalars.
    fn flatten(&self, leaves: &mut Leaves);
    /// The same structure of other scalars: the next ones of `leaves`, or NaN where there are none.
    fn rebuild(&self, leaves: &mut std::vec::IntoIter<Leaf>) -> Self;
}

impl<'t, K: RealKind> Tree<'t> for Traced<'t, K> {
    fn flatten(&self, leaves: &mut Leaves) {
        leaves.push(Leaf { repr: self.repr(), elem: <K as Kind>::ELEM });
    }
    fn rebuild(&self, leaves: &mut std::vec::IntoIter<Leaf>) -> Self {
        Traced::new(leaves.next().map_or(Repr::NAN, |leaf| leaf.repr))
    }
}

impl<'t, T: Tree<'t>> Tree<'t> for Vec<T> {
    fn flatten(&self, leaves: &mut Leaves) {
        self.iter().for_each(|tree| tree.flatten(leaves));
    }
    fn rebuild(&self, leaves: &mut std::vec::IntoIter<Leaf>) -> Self {
        self.iter().map(|tree| tree.rebuild(leaves)).collect()
    }
}

impl<'t, T: Tree<'t>, const N: usize> Tree<'t> for [T; N] {
    fn flatten(&self, leaves: &mut Leaves) {
        self.iter().for_each(|tree| tree.flatten(leaves));
    }
    fn rebuild(&self, leaves: &mut std::vec::IntoIter<Leaf>) -> Self {
        std::array::from_fn(|i| self[i].rebuild(leaves))
    }
}

macro_rules! tuple_trees {
    ($($($T:ident $i:tt)+;)*) => {$(
        impl<'t, $($T: Tree<'t>),+> Tree<'t> for ($($T,)+) {
            fn flatten(&self, leaves: &mut Leaves) {
                $(self.$i.flatten(leaves);)+
            }
            fn rebuild(&self, leaves: &mut std::vec::IntoIter<Leaf>) -> Self {
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
