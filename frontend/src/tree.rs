//! Trees of traced values: what inner derivatives, loops and conditionals take and give.
//!
//! A traced scalar or array; Rust's arrays, vectors and tuples of trees; structs by [`Params`](macro@crate::Params).

mod vectors;

pub use vectors::{axpy, inner};

use crate::error::TraceError;
use crate::kind::{Dense, Form, Kind, RealForm};
use crate::trace::{self, Operand, Repr};
use crate::traced::Traced;
use evolute_ir::Elem;
use std::marker::PhantomData;
use std::vec::IntoIter;

/// The values of a tree, in order.
pub type Leaves<'t> = Vec<Leaf<'t>>;

/// A traced value of any kind.
#[derive(Clone, Copy, Debug)]
pub struct Leaf<'t> {
    repr: Repr,
    elem: Elem,
    array: bool,
    brand: PhantomData<Traced<'t, ()>>,
}

impl<'t> Leaf<'t> {
    pub(crate) fn new(repr: Repr, elem: Elem) -> Self {
        Leaf { repr, elem, array: false, brand: PhantomData }
    }

    pub(crate) fn of<F: Form>(x: Traced<'t, F>) -> Self {
        Leaf { array: F::ARRAY, ..Leaf::new(x.repr(), F::ELEMENT) }
    }

    /// A leaf of the same kind that is an array.
    pub(crate) fn as_array(self) -> Self {
        Leaf { array: true, ..self }
    }

    /// A leaf of the same kind with another value.
    pub(crate) fn replaced(self, repr: Repr) -> Self {
        Leaf { repr, ..self }
    }

    pub(crate) fn is_array(self) -> bool {
        self.array
    }

    pub(crate) fn elem(self) -> Elem {
        self.elem
    }

    pub(crate) fn operand(self) -> Operand {
        (self.repr, self.elem)
    }
}

/// The next of `leaves`, which must be there and of this form.
pub(crate) fn take<'t, F: Form>(leaves: &mut dyn Iterator<Item = Leaf<'t>>) -> Traced<'t, F> {
    let leaf = leaves.next().filter(|leaf| leaf.elem == F::ELEMENT && leaf.array == F::ARRAY);
    Traced::new(leaf.map_or_else(|| trace::failed(TraceError::Rebuilt), |leaf| leaf.repr))
}

/// The leaves of a tree.
pub(crate) fn leaves<'t>(tree: &impl Tree<'t>) -> Leaves<'t> {
    let mut leaves = Leaves::new();
    tree.flatten(&mut leaves);
    leaves
}

pub(crate) fn operands(leaves: &[Leaf<'_>]) -> Vec<Operand> {
    leaves.iter().map(|leaf| leaf.operand()).collect()
}

/// A structure of traced values.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not made of traced values",
    note = "inner derivatives, loops and conditionals take and give traced scalars and arrays, their tuples, `Vec`s and arrays, and structs of them with `#[derive(Params)]`",
    note = "a number is traced by `Scalar::from(1.0)`"
)]
pub trait Tree<'t>: Sized {
    /// Appends the values.
    fn flatten(&self, leaves: &mut Leaves<'t>);
    /// The same structure of other values: the next ones of `leaves`, as many as [`flatten`](Tree::flatten)
    /// appends.
    fn rebuild(&self, leaves: &mut IntoIter<Leaf<'t>>) -> Self;
}

/// A tree of which there are derivatives: of real values.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not made of traced real values",
    note = "derivatives are with respect to real scalars and arrays, their tuples, `Vec`s and arrays, and structs of them with `#[derive(Params)]`"
)]
pub trait RealTree<'t>: Tree<'t> {}

/// A tree that a loop stacks: what each iteration gives, and what they give together.
pub trait Stack<'t>: Tree<'t> {
    /// The same structure of arrays that have a row an iteration.
    type Stacked: Tree<'t>;
    /// The structure of these arrays: the next ones of `leaves`, as many as [`flatten`](Tree::flatten) appends.
    fn stacked(&self, leaves: &mut IntoIter<Leaf<'t>>) -> Self::Stacked;
}

impl<'t, F: RealForm> RealTree<'t> for Traced<'t, F> {}

impl<'t, K: Kind> Stack<'t> for Traced<'t, K> {
    type Stacked = Traced<'t, Dense<K>>;
    fn stacked(&self, leaves: &mut IntoIter<Leaf<'t>>) -> Self::Stacked {
        take(leaves)
    }
}

impl<'t, K: Kind> Stack<'t> for Traced<'t, Dense<K>> {
    type Stacked = Self;
    fn stacked(&self, leaves: &mut IntoIter<Leaf<'t>>) -> Self {
        take(leaves)
    }
}

impl<'t, F: Form> Tree<'t> for Traced<'t, F> {
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

impl<'t, T: RealTree<'t>> RealTree<'t> for Vec<T> {}

impl<'t, T: Stack<'t>> Stack<'t> for Vec<T> {
    type Stacked = Vec<T::Stacked>;
    fn stacked(&self, leaves: &mut IntoIter<Leaf<'t>>) -> Self::Stacked {
        self.iter().map(|tree| tree.stacked(leaves)).collect()
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

impl<'t, T: RealTree<'t>, const N: usize> RealTree<'t> for [T; N] {}

impl<'t, T: Stack<'t>, const N: usize> Stack<'t> for [T; N] {
    type Stacked = [T::Stacked; N];
    fn stacked(&self, leaves: &mut IntoIter<Leaf<'t>>) -> Self::Stacked {
        std::array::from_fn(|i| self[i].stacked(leaves))
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
        impl<'t, $($T: RealTree<'t>),+> RealTree<'t> for ($($T,)+) {}
        impl<'t, $($T: Stack<'t>),+> Stack<'t> for ($($T,)+) {
            type Stacked = ($($T::Stacked,)+);
            fn stacked(&self, leaves: &mut IntoIter<Leaf<'t>>) -> Self::Stacked {
                ($(self.$i.stacked(leaves),)+)
            }
        }
    )*};
}
tuple_trees! {
    A 0;
    A 0 B 1;
    A 0 B 1 C 2;
    A 0 B 1 C 2 D 3;
    A 0 B 1 C 2 D 3 E 4;
    A 0 B 1 C 2 D 3 E 4 F 5;
}
