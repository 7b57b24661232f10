//! What acts element by element: the methods of THE table, comparisons, `select`, casts.

use super::{Array, IntoArray, make};
use crate::kind::{Bool, Dense, F32, F64, Form, I64, Kind, Number, RealKind};
use crate::trace::{Caller, Operand};
use crate::traced::{Traced, fold};
use evolute_ir::{Op, Prim, for_each_prim};
use std::panic::Location;

/// Applies an operation after broadcasting; on constants of rank 0 it is evaluated.
pub(super) fn apply<'t, F: Form>(
    op: Op,
    name: &'static str,
    operands: &[Operand],
    caller: Caller,
) -> Traced<'t, F> {
    match fold(op, operands) {
        Some(repr) => Traced::new(repr),
        None => make(operands, caller, |site, values| site.pointwise(op, name, values, F::ELEMENT)),
    }
}

pub(super) fn prim<'t, F: Form>(prim: Prim, operands: &[Operand], caller: Caller) -> Traced<'t, F> {
    apply(Op::Prim(prim), prim.name(), operands, caller)
}

impl<'t, K: Kind> Array<'t, K> {
    #[track_caller]
    pub(super) fn unary(self, of: Prim) -> Self {
        prim(of, &[self.operand()], Location::caller())
    }

    #[track_caller]
    pub(super) fn binary(self, of: Prim, other: Self) -> Self {
        prim(of, &[self.operand(), other.operand()], Location::caller())
    }

    #[track_caller]
    fn compare(self, of: Prim, other: Self) -> Array<'t, Bool> {
        prim(of, &[self.operand(), other.operand()], Location::caller())
    }

    #[track_caller]
    fn cast<L: Kind>(self) -> Array<'t, L> {
        apply(Op::Cast(L::ELEM), "cast", &[self.operand()], Location::caller())
    }

    /// Where the two are equal; not where either is a NaN.
    #[track_caller]
    #[allow(clippy::should_implement_trait, reason = "`==` must give a Rust `bool`")]
    pub fn eq(self, other: impl IntoArray<'t, K>) -> Array<'t, Bool> {
        self.compare(Prim::Eq, other.into_array())
    }

    /// Where the two differ; also where either is a NaN.
    #[track_caller]
    #[allow(clippy::should_implement_trait, reason = "`!=` must give a Rust `bool`")]
    pub fn ne(self, other: impl IntoArray<'t, K>) -> Array<'t, Bool> {
        self.compare(Prim::Ne, other.into_array())
    }
}

impl<'t, K: Number> Array<'t, K> {
    /// `|x|`, with derivative 0 at 0.
    #[track_caller]
    pub fn abs(self) -> Self {
        self.unary(Prim::Abs)
    }

    /// The smaller; a NaN wins. At a tie the derivative is that of `self`. The smallest element is
    /// [`minimum`](Array::minimum).
    ///
    /// ```
    /// use evolute_frontend::{Function, vector};
    ///
    /// let clamp = Function::trace(vector(3), |x| x.max(0.0).min(1.0))?;
    /// assert_eq!(clamp.eval(&[-1.0, 0.5, 2.0])?, [0.0, 0.5, 1.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn min(self, other: impl IntoArray<'t, K>) -> Self {
        self.binary(Prim::Min, other.into_array())
    }

    /// The larger; a NaN wins. At a tie the derivative is that of `self`. The largest element is
    /// [`maximum`](Array::maximum).
    #[track_caller]
    pub fn max(self, other: impl IntoArray<'t, K>) -> Self {
        self.binary(Prim::Max, other.into_array())
    }

    /// Where `self < other`.
    #[track_caller]
    pub fn lt(self, other: impl IntoArray<'t, K>) -> Array<'t, Bool> {
        self.compare(Prim::Lt, other.into_array())
    }

    /// Where `self ≤ other`.
    #[track_caller]
    pub fn le(self, other: impl IntoArray<'t, K>) -> Array<'t, Bool> {
        self.compare(Prim::Le, other.into_array())
    }

    /// Where `self > other`.
    ///
    /// ```
    /// use evolute_frontend::{Function, vector};
    ///
    /// let log = Function::trace(vector(2), |x| x.gt(0.0).select(x.ln(), 0.0))?;
    /// assert_eq!(log.eval(&[1.0, -1.0])?, [0.0, 0.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn gt(self, other: impl IntoArray<'t, K>) -> Array<'t, Bool> {
        self.compare(Prim::Gt, other.into_array())
    }

    /// Where `self ≥ other`.
    #[track_caller]
    pub fn ge(self, other: impl IntoArray<'t, K>) -> Array<'t, Bool> {
        self.compare(Prim::Ge, other.into_array())
    }

    /// These numbers as `f64`.
    #[track_caller]
    pub fn to_f64(self) -> Array<'t, F64> {
        self.cast()
    }

    /// These numbers rounded to `f32`.
    #[track_caller]
    pub fn to_f32(self) -> Array<'t, F32> {
        self.cast()
    }

    /// These numbers truncated to integers, saturating; a NaN gives 0.
    #[track_caller]
    pub fn to_int(self) -> Array<'t, I64> {
        self.cast()
    }
}

impl<'t, K: RealKind> Array<'t, K> {
    /// `x` to the power of an integer known when tracing.
    #[track_caller]
    pub fn powi(self, n: i32) -> Self {
        self.with_integer(Prim::Powi, i64::from(n), Location::caller())
    }

    /// The `n`-th derivative of [`digamma`](Array::digamma).
    #[track_caller]
    pub fn polygamma(self, n: u32) -> Self {
        self.with_integer(Prim::Polygamma, i64::from(n), Location::caller())
    }

    fn with_integer(self, of: Prim, n: i64, caller: Caller) -> Self {
        prim(of, &[self.operand(), Traced::<I64>::constant(n).operand()], caller)
    }

    /// `self · factor + term` with one rounding.
    ///
    /// ```
    /// use evolute_frontend::{Function, vector};
    ///
    /// let f = Function::trace(vector(2), |x| x.mul_add(2.0, 1.0).powi(2))?;
    /// assert_eq!(f.eval(&[1.0, 2.0])?, [9.0, 25.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn mul_add(self, factor: impl IntoArray<'t, K>, term: impl IntoArray<'t, K>) -> Self {
        let [factor, term] = [factor.into_array(), term.into_array()];
        prim(Prim::MulAdd, &[self.operand(), factor.operand(), term.operand()], Location::caller())
    }

    /// These elements as functions of those of `x` with derivatives `slope`, and constants otherwise, as
    /// [`Scalar::with_slope`](crate::Traced::with_slope).
    ///
    /// ```
    /// use evolute_frontend::{Function, vector};
    ///
    /// // Rounds, and passes the derivative straight through.
    /// let f = Function::trace(vector(2), |x| x.round().with_slope(1.0, x).powi(2).sum())?;
    /// assert_eq!(f.grad()?.eval(&[1.2, 2.9])?, [2.0, 6.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn with_slope(self, slope: impl IntoArray<'t, K>, x: impl IntoArray<'t, K>) -> Self {
        let [slope, x] = [slope.into_array(), x.into_array()];
        prim(Prim::WithSlope, &[self.operand(), slope.operand(), x.operand()], Location::caller())
    }
}

macro_rules! array_methods {
    ($($Variant:ident $name:ident ($($x:ident: $class:ident),+) -> $r:ident: $result:ident,
       { $($kind:ident $eval:tt $native:ident);+ }, $([$($partial:tt)+])* $(/ $divisor:ident)?, [$($domain:expr),+], $doc:literal;)*) => {
        /// The real primitives of one and two operands, from the table, element by element.
        impl<'t, K: RealKind> Traced<'t, Dense<K>> {
            $(array_methods! { @method $Variant $name $doc ($($class)+) $result })*
        }
    };
    (@method $Variant:ident $name:ident $doc:literal (R) R) => {
        #[doc = $doc]
        #[track_caller]
        pub fn $name(self) -> Self {
            self.unary(Prim::$Variant)
        }
    };
    (@method $Variant:ident $name:ident $doc:literal (R R) R) => {
        #[doc = $doc]
        #[track_caller]
        pub fn $name(self, other: impl IntoArray<'t, K>) -> Self {
            self.binary(Prim::$Variant, other.into_array())
        }
    };
    (@method $Variant:ident $name:ident $doc:literal $classes:tt $result:ident) => {};
}
for_each_prim!(array_methods);

impl<'t> Array<'t, Bool> {
    /// `yes` where this holds, else `no`, each an array, a scalar or a number. Only the chosen one counts for
    /// derivatives.
    #[track_caller]
    pub fn select<K: Kind>(self, yes: impl IntoArray<'t, K>, no: impl IntoArray<'t, K>) -> Array<'t, K> {
        let [yes, no] = [yes.into_array(), no.into_array()];
        let operands = [self.operand(), yes.operand(), no.operand()];
        apply(Op::Select, "select", &operands, Location::caller())
    }

    /// 1 where this holds, else 0.
    #[track_caller]
    pub fn to_f64(self) -> Array<'t, F64> {
        self.cast()
    }

    /// 1 where this holds, else 0.
    ///
    /// ```
    /// use evolute_frontend::{Function, vector};
    ///
    /// let positive = Function::trace(vector(3), |x| (x.gt(0.0) & !x.gt(9.0)).to_int().sum())?;
    /// assert_eq!(positive.eval(&[-1.0, 1.0, 10.0])?, 1);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn to_int(self) -> Array<'t, I64> {
        self.cast()
    }
}
