//! Operators between arrays, arrays and scalars, arrays and numbers, one or a list of them.
//!
//! ```
//! use evolute_frontend::{Function, vector};
//!
//! let f = Function::trace(vector(2), |x| 2.0 * x - [1.0, 3.0])?;
//! assert_eq!(f.eval(&[1.0, 1.0])?, [1.0, -1.0]);
//! # Ok::<(), evolute_frontend::Error>(())
//! ```

use super::pointwise::prim;
use super::{Array, IntoArray};
use crate::kind::{Bool, Dense, F32, F64, I64, Number, RealKind};
use crate::traced::Traced;
use evolute_ir::Prim;
use std::ops;
use std::panic::Location;

impl<'t, K: Number> ops::Neg for Array<'t, K> {
    type Output = Array<'t, K>;
    #[track_caller]
    fn neg(self) -> Self {
        self.unary(Prim::Neg)
    }
}

impl<'t, K: Number> ops::Neg for &Array<'t, K> {
    type Output = Array<'t, K>;
    #[track_caller]
    fn neg(self) -> Array<'t, K> {
        -*self
    }
}

impl<'t> ops::Not for Array<'t, Bool> {
    type Output = Array<'t, Bool>;
    #[track_caller]
    fn not(self) -> Self {
        self.unary(Prim::Not)
    }
}

/// The operator of these operands.
macro_rules! between {
    ($generics:tt $Trait:ident $method:ident $Prim:ident $K:ident: $($Left:ty, $Right:ty;)*) => {
        $(between! { @one $generics $Trait $method $Prim $K $Left, $Right })*
    };
    (@one [$($generics:tt)*] $Trait:ident $method:ident $Prim:ident $K:ident $Left:ty, $Right:ty) => {
        impl<'t $($generics)*> ops::$Trait<$Right> for $Left {
            type Output = Array<'t, $K>;
            #[track_caller]
            fn $method(self, other: $Right) -> Array<'t, $K> {
                IntoArray::<$K>::into_array(self).binary(Prim::$Prim, IntoArray::<$K>::into_array(other))
            }
        }
    };
}

macro_rules! assign {
    ($generics:tt $Trait:ident $method:ident $Prim:ident $K:ident: $($Right:ty;)*) => {
        $(assign! { @one $generics $Trait $method $Prim $K $Right })*
    };
    (@one [$($generics:tt)*] $Trait:ident $method:ident $Prim:ident $K:ident $Right:ty) => {
        impl<'t $($generics)*> ops::$Trait<$Right> for Array<'t, $K> {
            #[track_caller]
            fn $method(&mut self, other: $Right) {
                *self = self.binary(Prim::$Prim, IntoArray::<$K>::into_array(other));
            }
        }
    };
}

macro_rules! binary_operator {
    ($Trait:ident $method:ident $Assign:ident $assign:ident $Prim:ident) => {
        between! { [, K: Number] $Trait $method $Prim K:
            Traced<'t, Dense<K>>, Traced<'t, Dense<K>>;
            Traced<'t, Dense<K>>, &Traced<'t, Dense<K>>;
            &Traced<'t, Dense<K>>, Traced<'t, Dense<K>>;
            &Traced<'t, Dense<K>>, &Traced<'t, Dense<K>>;
            Traced<'t, Dense<K>>, Traced<'t, K>;
            Traced<'t, Dense<K>>, &Traced<'t, K>;
            &Traced<'t, Dense<K>>, Traced<'t, K>;
            &Traced<'t, Dense<K>>, &Traced<'t, K>;
            Traced<'t, K>, Traced<'t, Dense<K>>;
            Traced<'t, K>, &Traced<'t, Dense<K>>;
            &Traced<'t, K>, Traced<'t, Dense<K>>;
            &Traced<'t, K>, &Traced<'t, Dense<K>>;
        }
        assign! { [, K: Number] $Assign $assign $Prim K:
            Traced<'t, Dense<K>>; &Traced<'t, Dense<K>>; Traced<'t, K>; &Traced<'t, K>;
        }
        binary_operator! { @host $Trait $method $Assign $assign $Prim F64 f64 }
        binary_operator! { @host $Trait $method $Assign $assign $Prim F32 f32 }
        binary_operator! { @host $Trait $method $Assign $assign $Prim I64 i64 }
    };
    (@host $Trait:ident $method:ident $Assign:ident $assign:ident $Prim:ident $K:ident $host:ident) => {
        between! { [] $Trait $method $Prim $K:
            Traced<'t, Dense<$K>>, $host;
            &Traced<'t, Dense<$K>>, $host;
            $host, Traced<'t, Dense<$K>>;
            $host, &Traced<'t, Dense<$K>>;
        }
        between! { [, const N: usize] $Trait $method $Prim $K:
            Traced<'t, Dense<$K>>, [$host; N];
            &Traced<'t, Dense<$K>>, [$host; N];
            [$host; N], Traced<'t, Dense<$K>>;
            [$host; N], &Traced<'t, Dense<$K>>;
        }
        assign! { [] $Assign $assign $Prim $K: $host; }
    };
}

binary_operator!(Add add AddAssign add_assign Add);
binary_operator!(Sub sub SubAssign sub_assign Sub);
binary_operator!(Mul mul MulAssign mul_assign Mul);
binary_operator!(Div div DivAssign div_assign Div);
binary_operator!(Rem rem RemAssign rem_assign Rem);

/// A fold from the first item. The sum of none is −0.0, as of scalars, of rank 0.
macro_rules! fold_iterator {
    ($Trait:ident $method:ident $Prim:ident $unit:literal) => {
        impl<'t, K: RealKind> std::iter::$Trait for Traced<'t, Dense<K>> {
            #[track_caller]
            fn $method<I: Iterator<Item = Array<'t, K>>>(iter: I) -> Self {
                let caller = Location::caller();
                let step = |a: Self, b: Self| prim(Prim::$Prim, &[a.operand(), b.operand()], caller);
                iter.reduce(step).unwrap_or_else(|| Traced::<K>::constant(K::from_f64($unit)).into_array())
            }
        }
    };
}
fold_iterator!(Sum sum Add -0.0);
fold_iterator!(Product product Mul 1.0);

between! { [] BitAnd bitand And Bool: Traced<'t, Dense<Bool>>, Traced<'t, Dense<Bool>>; }
between! { [] BitOr bitor Or Bool: Traced<'t, Dense<Bool>>, Traced<'t, Dense<Bool>>; }
between! { [] BitXor bitxor Xor Bool: Traced<'t, Dense<Bool>>, Traced<'t, Dense<Bool>>; }
