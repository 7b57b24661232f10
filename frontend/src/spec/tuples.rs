//! Tuples of specifications, and their components.

use super::{Argument, Cursor, Inputs, Outputs, RealSpec, Signature, Spec, Values, count};
use crate::kind::Store;
use crate::tree::Leaf;

macro_rules! tuple_specs {
    ($($($T:ident $i:tt),+;)*) => {$(
        impl<$($T: Spec),+> Spec for ($($T,)+) {
            type Traced<'a, 't: 'a> = ($($T::Traced<'a, 't>,)+);
            type Made<'t> = ($($T::Made<'t>,)+);
            type Host<'a> = ($($T::Host<'a>,)+);
            type HostMut<'a> = ($($T::HostMut<'a>,)+);
            type Owned = ($($T::Owned,)+);

            fn sign(&self, signature: &mut Signature) {
                $(signature.component($i, &self.$i);)+
            }
            fn store<'t>(&self, leaves: &mut dyn Iterator<Item = Leaf<'t>>, store: &mut Store<'t>) {
                $(self.$i.store(leaves, store);)+
            }
            fn bind<'a, 't>(&self, cursor: &mut Cursor<'a, 't>) -> Self::Traced<'a, 't> {
                ($(self.$i.bind(cursor),)+)
            }
            fn unbind<'t>(&self, traced: Self::Traced<'_, 't>, values: &mut Values<'t>) -> bool {
                let mut fits = true;
                $(fits &= self.$i.unbind(traced.$i, values);)+
                fits
            }
            fn make<'t>(&self, leaves: &mut dyn Iterator<Item = Leaf<'t>>) -> Self::Made<'t> {
                ($(self.$i.make(leaves),)+)
            }
            fn unmake<'t>(&self, made: Self::Made<'t>, values: &mut Values<'t>) -> bool {
                let mut fits = true;
                $(fits &= self.$i.unmake(made.$i, values);)+
                fits
            }
            #[inline]
            fn inputs<'a>(&self, host: Self::Host<'a>, inputs: &mut Inputs<'a>) {
                $(self.$i.inputs(host.$i, inputs);)+
            }
            #[inline]
            fn outputs<'a>(&self, host: Self::HostMut<'a>, outputs: &mut Outputs<'a>) {
                $(self.$i.outputs(host.$i, outputs);)+
            }
            fn allocate(&self) -> Self::Owned {
                ($(self.$i.allocate(),)+)
            }
            fn borrow(owned: &Self::Owned) -> Self::Host<'_> {
                ($($T::borrow(&owned.$i),)+)
            }
            fn borrow_mut(owned: &mut Self::Owned) -> Self::HostMut<'_> {
                ($($T::borrow_mut(&mut owned.$i),)+)
            }
        }
    )*};
}
tuple_specs! {
    A 0;
    A 0, B 1;
    A 0, B 1, C 2;
    A 0, B 1, C 2, D 3;
    A 0, B 1, C 2, D 3, E 4;
    A 0, B 1, C 2, D 3, E 4, F 5;
}

macro_rules! tuple_real_specs {
    ($(A $($T:ident)*;)*) => {$(
        impl<A: RealSpec, $($T: RealSpec<Kind = A::Kind>),*> RealSpec for (A, $($T,)*) {
            type Kind = A::Kind;
        }
    )*};
}
tuple_real_specs! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
}

macro_rules! tuple_arguments {
    ($($i:tt $X:ident of ($($T:ident),+) after ($($before:tt),*);)*) => {$(
        impl<$($T: Spec),+> Argument<$i> for ($($T,)+) {
            type Spec = $X;
            fn argument(&self) -> &$X {
                &self.$i
            }
            fn offset(&self) -> usize {
                0 $(+ count(&self.$before))*
            }
        }
    )*};
}
tuple_arguments! {
    0 A of (A) after ();
    0 A of (A, B) after ();
    1 B of (A, B) after (0);
    0 A of (A, B, C) after ();
    1 B of (A, B, C) after (0);
    2 C of (A, B, C) after (0, 1);
    0 A of (A, B, C, D) after ();
    1 B of (A, B, C, D) after (0);
    2 C of (A, B, C, D) after (0, 1);
    3 D of (A, B, C, D) after (0, 1, 2);
    0 A of (A, B, C, D, E) after ();
    1 B of (A, B, C, D, E) after (0);
    2 C of (A, B, C, D, E) after (0, 1);
    3 D of (A, B, C, D, E) after (0, 1, 2);
    4 E of (A, B, C, D, E) after (0, 1, 2, 3);
    0 A of (A, B, C, D, E, F) after ();
    1 B of (A, B, C, D, E, F) after (0);
    2 C of (A, B, C, D, E, F) after (0, 1);
    3 D of (A, B, C, D, E, F) after (0, 1, 2);
    4 E of (A, B, C, D, E, F) after (0, 1, 2, 3);
    5 F of (A, B, C, D, E, F) after (0, 1, 2, 3, 4);
}
