//! Operators on traced values, conversions, sums and products.

use super::{Condition, Traced};
use crate::kind::{Bool, F32, F64, Form, I64, Number, RealKind};
use evolute_ir::Prim;
use std::ops;
use std::panic::Location;

macro_rules! from_host {
    ($($Kind:ident $host:ident),*) => {$(
        impl From<$host> for Traced<'_, $Kind> {
            fn from(x: $host) -> Self {
                Traced::constant(x)
            }
        }
    )*};
}
from_host!(F64 f64, F32 f32, I64 i64, Bool bool);

impl<'t, K: Form> From<&Traced<'t, K>> for Traced<'t, K> {
    fn from(x: &Traced<'t, K>) -> Self {
        *x
    }
}

impl ops::Not for Condition<'_> {
    type Output = Self;
    #[track_caller]
    fn not(self) -> Self {
        self.unary(Prim::Not)
    }
}

impl<K: Number> ops::Neg for Traced<'_, K> {
    type Output = Self;
    #[track_caller]
    fn neg(self) -> Self {
        self.unary(Prim::Neg)
    }
}

impl<'t, K: Number> ops::Neg for &Traced<'t, K> {
    type Output = Traced<'t, K>;
    #[track_caller]
    fn neg(self) -> Traced<'t, K> {
        -*self
    }
}

/// An operator between traced values by value and by reference, and with numbers on either side.
macro_rules! binary_operator {
    ($Bound:ident $Trait:ident $method:ident $Assign:ident $assign:ident $Prim:ident: $($Kind:ident $host:ident),*) => {
        impl<K: $Bound> ops::$Trait for Traced<'_, K> {
            type Output = Self;
            #[track_caller]
            fn $method(self, other: Self) -> Self {
                self.binary(Prim::$Prim, other)
            }
        }
        impl<'t, K: $Bound> ops::$Trait<&Traced<'t, K>> for Traced<'t, K> {
            type Output = Self;
            #[track_caller]
            fn $method(self, other: &Self) -> Self {
                self.binary(Prim::$Prim, *other)
            }
        }
        impl<'t, K: $Bound> ops::$Trait<Traced<'t, K>> for &Traced<'t, K> {
            type Output = Traced<'t, K>;
            #[track_caller]
            fn $method(self, other: Traced<'t, K>) -> Traced<'t, K> {
                self.binary(Prim::$Prim, other)
            }
        }
        impl<'t, K: $Bound> ops::$Trait for &Traced<'t, K> {
            type Output = Traced<'t, K>;
            #[track_caller]
            fn $method(self, other: Self) -> Traced<'t, K> {
                self.binary(Prim::$Prim, *other)
            }
        }
        impl<K: $Bound> ops::$Assign for Traced<'_, K> {
            #[track_caller]
            fn $assign(&mut self, other: Self) {
                *self = self.binary(Prim::$Prim, other);
            }
        }
        impl<'t, K: $Bound> ops::$Assign<&Traced<'t, K>> for Traced<'t, K> {
            #[track_caller]
            fn $assign(&mut self, other: &Self) {
                *self = self.binary(Prim::$Prim, *other);
            }
        }
        $(binary_operator! { @host $Trait $method $Assign $assign $Prim $Kind $host })*
    };
    (@host $Trait:ident $method:ident $Assign:ident $assign:ident $Prim:ident $Kind:ident $host:ident) => {
        impl ops::$Trait<$host> for Traced<'_, $Kind> {
            type Output = Self;
            #[track_caller]
            fn $method(self, other: $host) -> Self {
                self.binary(Prim::$Prim, other.into())
            }
        }
        impl<'t> ops::$Trait<$host> for &Traced<'t, $Kind> {
            type Output = Traced<'t, $Kind>;
            #[track_caller]
            fn $method(self, other: $host) -> Traced<'t, $Kind> {
                self.binary(Prim::$Prim, other.into())
            }
        }
        impl<'t> ops::$Trait<Traced<'t, $Kind>> for $host {
            type Output = Traced<'t, $Kind>;
            #[track_caller]
            fn $method(self, other: Traced<'t, $Kind>) -> Traced<'t, $Kind> {
                Traced::<$Kind>::from(self).binary(Prim::$Prim, other)
            }
        }
        impl<'t> ops::$Trait<&Traced<'t, $Kind>> for $host {
            type Output = Traced<'t, $Kind>;
            #[track_caller]
            fn $method(self, other: &Traced<'t, $Kind>) -> Traced<'t, $Kind> {
                Traced::<$Kind>::from(self).binary(Prim::$Prim, *other)
            }
        }
        impl ops::$Assign<$host> for Traced<'_, $Kind> {
            #[track_caller]
            fn $assign(&mut self, other: $host) {
                *self = self.binary(Prim::$Prim, other.into());
            }
        }
    };
}

binary_operator!(Number Add add AddAssign add_assign Add: F64 f64, F32 f32, I64 i64);
binary_operator!(Number Sub sub SubAssign sub_assign Sub: F64 f64, F32 f32, I64 i64);
binary_operator!(Number Mul mul MulAssign mul_assign Mul: F64 f64, F32 f32, I64 i64);
binary_operator!(Number Div div DivAssign div_assign Div: F64 f64, F32 f32, I64 i64);
binary_operator!(Number Rem rem RemAssign rem_assign Rem: F64 f64, F32 f32, I64 i64);

macro_rules! logic_operator {
    ($($Trait:ident $method:ident $Prim:ident;)*) => {$(
        impl ops::$Trait for Condition<'_> {
            type Output = Self;
            #[track_caller]
            fn $method(self, other: Self) -> Self {
                self.binary(Prim::$Prim, other)
            }
        }
    )*};
}
logic_operator! {
    BitAnd bitand And;
    BitOr bitor Or;
    BitXor bitxor Xor;
}

/// A fold from the first item. The sum of none is −0.0, which changes nothing that it is added to, and is what the
/// standard library gives for plain numbers.
macro_rules! fold_iterator {
    ($Trait:ident $method:ident $Prim:ident $unit:literal) => {
        impl<'t, K: RealKind> std::iter::$Trait for Traced<'t, K> {
            #[track_caller]
            fn $method<I: Iterator<Item = Traced<'t, K>>>(iter: I) -> Self {
                let caller = Location::caller();
                let step = |a: Self, b: Self| a.binary_at(Prim::$Prim, b, caller);
                iter.reduce(step).unwrap_or_else(|| Traced::constant(K::from_f64($unit)))
            }
        }
        impl<'a, 't, K: RealKind> std::iter::$Trait<&'a Traced<'t, K>> for Traced<'t, K> {
            #[track_caller]
            fn $method<I: Iterator<Item = &'a Traced<'t, K>>>(iter: I) -> Self {
                iter.copied().$method()
            }
        }
    };
}
fold_iterator!(Sum sum Add -0.0);
fold_iterator!(Product product Mul 1.0);
