//! Kinds of traced values: what element they are, whether they are arrays, and which Rust type is their
//! counterpart.

use crate::spec::{ArraySpec, Single, Spec, array_of, scalar_of};
use crate::trace::Repr;
use crate::traced::Traced;
use evolute_ir::{Elem, Literal};
use evolute_runtime::{Input, Output};
use std::marker::PhantomData;

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

/// Marks a traced value as an array of elements of kind `K`. See [`Array`](crate::Array).
#[derive(Clone, Copy, Debug)]
pub struct Dense<K>(PhantomData<K>);

/// What a traced value may be: a scalar of some [`Kind`], or an array, [`Dense`].
pub trait Form: Copy + Send + Sync + 'static {
    /// The element kind.
    const ELEMENT: Elem;
    /// Whether it is an array. One of rank 0 is.
    const ARRAY: bool;
    /// What a function with such a result gives.
    type Spec: Spec;
    /// The specification of a result with these extents.
    fn spec(extents: &[usize]) -> Self::Spec;
}

impl<K: Kind> Form for K {
    const ELEMENT: Elem = K::ELEM;
    const ARRAY: bool = false;
    type Spec = Single<K>;
    fn spec(_: &[usize]) -> Single<K> {
        scalar_of()
    }
}

impl<K: Kind> Form for Dense<K> {
    const ELEMENT: Elem = K::ELEM;
    const ARRAY: bool = true;
    type Spec = ArraySpec<K>;
    fn spec(extents: &[usize]) -> ArraySpec<K> {
        array_of(extents)
    }
}

/// A form that has derivatives.
pub trait RealForm: Form {}

impl<K: RealKind> RealForm for K {}
impl<K: RealKind> RealForm for Dense<K> {}

/// The traced values that a closure's arguments are taken from: scalars by kind, and arrays.
#[derive(Default)]
pub struct Store<'t> {
    pub(crate) arrays: Vec<Repr>,
    f64: Vec<Traced<'t, F64>>,
    f32: Vec<Traced<'t, F32>>,
    i64: Vec<Traced<'t, I64>>,
    bool: Vec<Traced<'t, Bool>>,
}

/// A kind on which arithmetic acts.
pub trait Number: Kind {}

/// A kind that has derivatives.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no kind of real scalars",
    label = "not a real scalar",
    note = "a gradient is that of one real scalar: combine an array's elements first, `grad(|x| x.sin().sum(), x)`, or use `jvp` or `vjp`"
)]
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
