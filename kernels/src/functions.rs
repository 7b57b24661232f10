//! One plain Rust function a kernel, by the build for this CPU: for the interpreter and for users'
//! generic code on `f64`. Native code that calls the same table gives the same bits.

use crate::{for_each_kernel, table};

macro_rules! define_function {
    (Unary $name:ident $doc:literal) => {
        #[doc = $doc]
        #[inline]
        pub fn $name(x: f64) -> f64 {
            table().$name(x)
        }
    };
    (Binary $name:ident $doc:literal) => {
        #[doc = $doc]
        #[inline]
        pub fn $name(x: f64, y: f64) -> f64 {
            table().$name(x, y)
        }
    };
    (Ternary $name:ident $doc:literal) => {
        #[doc = $doc]
        #[inline]
        pub fn $name(x: f64, y: f64, z: f64) -> f64 {
            table().$name(x, y, z)
        }
    };
    (UnaryInt $name:ident $doc:literal) => {
        #[doc = $doc]
        #[inline]
        pub fn $name(x: f64, n: i64) -> f64 {
            table().$name(x, n)
        }
    };
}

macro_rules! define_functions {
    ($($variant:ident $name:ident $signature:ident $doc:literal;)*) => {
        $(define_function!($signature $name $doc);)*
    };
}

for_each_kernel!(define_functions);
