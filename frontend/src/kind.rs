//! Kinds of traced scalars: what element they are, and which Rust type is their counterpart.

use crate::traced::Traced;
use evolute_ir::{Elem, Literal};
use evolute_runtime::{Input, Output};

/// A kind of traced scalar.
pub trait Kind: Copy + Send + Sync + 'static {
    /// The element kind.
    const ELEM: Elem;
    /// The Rust type of its values outside a trace.
    type Host: Copy + Default + std::fmt::Debug + PartialEq + Send + Sync + 'static;
    /// A constant.
    fn literal(x: Self::Host) -> Literal;
    /// The value of a constant.
    fn host(literal: Literal) -> Option<Self::Host>;
    /// An argument of a call.
    fn input(x: &[Self::Host]) -> Input<'_>;
    /// A result of a call.
    fn output(x: &mut [Self::Host]) -> Output<'_>;
    /// The scalars of this kind in a store.
    fn of_store<'s, 't>(store: &'s Store<'t>) -> &'s [Traced<'t, Self>];
    /// Appends a scalar of this kind.
    fn push<'t>(store: &mut Store<'t>, x: Traced<'t, Self>);
}

/// The traced scalars that a closure's arguments are slices of, by kind.
#[derive(Default)]
pub struct Store<'t> {
    f64: Vec<Traced<'t, F64>>,
    f32: Vec<Traced<'t, F32>>,
    i64: Vec<Traced<'t, I64>>,
    bool: Vec<Traced<'t, Bool>>,
}

/// A kind on which arithmetic acts.
pub trait Number: Kind {}

/// A kind that has derivatives.
pub trait RealKind: Number {
    /// The nearest value.
    fn from_f64(x: f64) -> Self::Host;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $Kind:ident $host:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            pub enum $Kind {}

            impl Kind for $Kind {
                const ELEM: Elem = Elem::$Kind;
                type Host = $host;
                fn literal(x: $host) -> Literal {
                    kinds!(@literal $Kind x)
                }
                fn host(literal: Literal) -> Option<$host> {
                    match literal {
                        Literal::$Kind(x) => Some(kinds!(@host $Kind x)),
                        _ => None,
                    }
                }
                fn input(x: &[$host]) -> Input<'_> {
                    Input::$Kind(x)
                }
                fn output(x: &mut [$host]) -> Output<'_> {
                    Output::$Kind(x)
                }
                fn of_store<'s, 't>(store: &'s Store<'t>) -> &'s [Traced<'t, $Kind>] {
                    &store.$host
                }
                fn push<'t>(store: &mut Store<'t>, x: Traced<'t, $Kind>) {
                    store.$host.push(x);
                }
            }
        )*
    };
    (@literal F64 $x:ident) => { Literal::F64($x.to_bits()) };
    (@literal F32 $x:ident) => { Literal::F32($x.to_bits()) };
    (@literal $Kind:ident $x:ident) => { Literal::$Kind($x) };
    (@host F64 $x:ident) => { f64::from_bits($x) };
    (@host F32 $x:ident) => { f32::from_bits($x) };
    (@host $Kind:ident $x:ident) => { $x };
}

kinds! {
    /// `f64` scalars.
    F64 f64;
    /// `f32` scalars.
    F32 f32;
    /// `i64` scalars.
    I64 i64;
    /// Truth values.
    Bool bool;
}

impl Number for F64 {}
impl Number for F32 {}
impl Number for I64 {}

impl RealKind for F64 {
    fn from_f64(x: f64) -> f64 {
        x
    }
}
impl RealKind for F32 {
    fn from_f64(x: f64) -> f32 {
        x as f32
    }
}
