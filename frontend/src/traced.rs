//! Traced values: what a closure computes with while it is traced.
//!
//! A [`Traced`] value is `Copy`: a constant, or the number of a value in a trace. Its lifetime is its
//! trace's, invariant, so a value that outlives its trace or meets another trace does not compile. A
//! value that outlives an inner derivative is found when it is next used (see
//! [`TraceError`](crate::TraceError)).

mod operators;

use crate::error::TraceError;
use crate::kind::{Bool, F32, F64, Form, I64, Kind, Number, RealKind};
use crate::trace::{self, Caller, Operand, Repr};
use evolute_ir::{Literal, Op, Prim, for_each_prim};
use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

/// A traced scalar of kind `K`, or array if `K` is [`Dense`](crate::Dense). See the [module](self).
pub struct Traced<'t, K> {
    repr: Repr,
    /// Invariant in `'t`, and neither `Send` nor `Sync`.
    brand: PhantomData<(Cell<&'t ()>, *const K)>,
}

/// A traced `f64`.
pub type Scalar<'t> = Traced<'t, F64>;
/// A traced `f32`.
pub type Scalar32<'t> = Traced<'t, F32>;
/// A traced `i64`.
pub type Int<'t> = Traced<'t, I64>;
/// A traced truth value, for [`select`](Traced::select).
pub type Condition<'t> = Traced<'t, Bool>;

impl<K> Clone for Traced<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Traced<'_, K> {}

impl<K: Form> fmt::Debug for Traced<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.repr {
            Repr::Const(slot) => write!(f, "{}", Literal::from_slot(K::ELEMENT, slot)),
            Repr::Node { value, .. } => write!(f, "{value}"),
            Repr::Failed(failed) => write!(f, "{}", failed.error()),
        }
    }
}

impl<K: Form> Traced<'_, K> {
    pub(crate) fn new(repr: Repr) -> Self {
        Traced { repr, brand: PhantomData }
    }

    pub(crate) fn repr(self) -> Repr {
        self.repr
    }

    pub(crate) fn operand(self) -> Operand {
        (self.repr, K::ELEMENT)
    }

    /// The mistake that made this value, if it was made outside of every trace, where nothing returns it. A
    /// function that uses the value cannot be traced: that gives this error, too.
    pub fn error(self) -> Option<TraceError> {
        match self.repr {
            Repr::Failed(failed) => Some(failed.error()),
            Repr::Const(_) | Repr::Node { .. } => None,
        }
    }

    /// This value with a name, which dumps and [`explain_nan`](crate::Function::explain_nan) show.
    pub fn named(self, name: &str) -> Self {
        trace::name(self.repr, name);
        self
    }
}

impl<'t, K: Kind> Traced<'t, K> {
    /// A constant.
    pub fn constant(x: K::Host) -> Self {
        Traced::new(Repr::Const(K::literal(x).to_slot()))
    }

    /// The value of a constant; `None` for what depends on an input, and after a mistake.
    pub fn as_constant(self) -> Option<K::Host> {
        match self.repr {
            Repr::Const(slot) => K::host(Literal::from_slot(K::ELEM, slot)),
            Repr::Node { .. } | Repr::Failed(_) => None,
        }
    }

    /// This value as a constant of every derivative.
    #[track_caller]
    pub fn stop_gradient(self) -> Self {
        self.unary(Prim::StopGradient)
    }

    #[track_caller]
    fn unary(self, prim: Prim) -> Self {
        apply(Op::Prim(prim), [self.operand()])
    }

    #[track_caller]
    fn binary(self, prim: Prim, other: Self) -> Self {
        self.binary_at(prim, other, Location::caller())
    }

    fn binary_at(self, prim: Prim, other: Self, caller: Caller) -> Self {
        apply_at(Op::Prim(prim), [self.operand(), other.operand()], caller)
    }

    #[track_caller]
    fn compare(self, prim: Prim, other: Self) -> Condition<'t> {
        apply(Op::Prim(prim), [self.operand(), other.operand()])
    }

    /// Whether the two are equal; false if either is a NaN.
    #[track_caller]
    #[allow(clippy::should_implement_trait, reason = "`==` must give a Rust `bool`")]
    pub fn eq(self, other: impl Into<Self>) -> Condition<'t> {
        self.compare(Prim::Eq, other.into())
    }

    /// Whether the two differ; true if either is a NaN.
    #[track_caller]
    #[allow(clippy::should_implement_trait, reason = "`!=` must give a Rust `bool`")]
    pub fn ne(self, other: impl Into<Self>) -> Condition<'t> {
        self.compare(Prim::Ne, other.into())
    }
}

/// Inserts an operation; on constants alone it is evaluated.
#[track_caller]
pub(crate) fn apply<'t, R: Kind, const N: usize>(op: Op, operands: [Operand; N]) -> Traced<'t, R> {
    apply_at(op, operands, Location::caller())
}

fn apply_at<'t, R: Kind, const N: usize>(op: Op, operands: [Operand; N], caller: Caller) -> Traced<'t, R> {
    Traced::new(fold(op, &operands).unwrap_or_else(|| trace::insert(op, operands, R::ELEM, caller)))
}

/// The value of an operation on constants. An integer division by zero is left to be reported.
#[inline(always)]
pub(crate) fn fold(op: Op, operands: &[Operand]) -> Option<Repr> {
    let constant = operands.iter().all(|(repr, _)| matches!(repr, Repr::Const(_)));
    if constant { fold_constants(op, operands) } else { None }
}

fn fold_constants(op: Op, operands: &[Operand]) -> Option<Repr> {
    let mut literals = [Literal::Bool(false); 3];
    for (literal, &(repr, elem)) in literals.iter_mut().zip(operands) {
        let Repr::Const(slot) = repr else { return None };
        *literal = Literal::from_slot(elem, slot);
    }
    let result = match op {
        Op::Prim(prim) => evolute_ir::interp::eval_prim(prim, &literals[..operands.len()]).ok()?,
        Op::Cast(elem) => evolute_ir::interp::cast(literals[0], elem),
        Op::Select if literals[0] == Literal::Bool(true) => literals[1],
        Op::Select => literals[2],
        Op::Const(_)
        | Op::Element(_)
        | Op::Pack(_)
        | Op::Iota(_)
        | Op::View(..)
        | Op::Spread(..)
        | Op::Reduce(..)
        | Op::Dot
        | Op::At
        | Op::AddAt
        | Op::External(_)
        | Op::Call(_)
        | Op::Linalg(_)
        | Op::Loop { .. }
        | Op::Cond { .. }
        | Op::Custom { .. }
        | Op::LinearSolve { .. }
        | Op::Jvp { .. }
        | Op::Vjp { .. } => return None,
    };
    Some(Repr::Const(result.to_slot()))
}

// ── numbers ─────────────────────────────────────────────────────────────────────────────────────

impl<'t, K: Number> Traced<'t, K> {
    /// `|x|`, with derivative 0 at 0.
    #[track_caller]
    pub fn abs(self) -> Self {
        self.unary(Prim::Abs)
    }

    /// The smaller; a NaN wins. At a tie the derivative is that of `self`.
    #[track_caller]
    pub fn min(self, other: impl Into<Self>) -> Self {
        self.binary(Prim::Min, other.into())
    }

    /// The larger; a NaN wins. At a tie the derivative is that of `self`.
    #[track_caller]
    pub fn max(self, other: impl Into<Self>) -> Self {
        self.binary(Prim::Max, other.into())
    }

    /// Whether `self < other`.
    #[track_caller]
    pub fn lt(self, other: impl Into<Self>) -> Condition<'t> {
        self.compare(Prim::Lt, other.into())
    }

    /// Whether `self ≤ other`.
    #[track_caller]
    pub fn le(self, other: impl Into<Self>) -> Condition<'t> {
        self.compare(Prim::Le, other.into())
    }

    /// Whether `self > other`.
    #[track_caller]
    pub fn gt(self, other: impl Into<Self>) -> Condition<'t> {
        self.compare(Prim::Gt, other.into())
    }

    /// Whether `self ≥ other`.
    #[track_caller]
    pub fn ge(self, other: impl Into<Self>) -> Condition<'t> {
        self.compare(Prim::Ge, other.into())
    }

    /// This number as an `f64`.
    #[track_caller]
    pub fn to_f64(self) -> Scalar<'t> {
        apply(Op::Cast(evolute_ir::Elem::F64), [self.operand()])
    }

    /// This number rounded to an `f32`.
    #[track_caller]
    pub fn to_f32(self) -> Scalar32<'t> {
        apply(Op::Cast(evolute_ir::Elem::F32), [self.operand()])
    }

    /// This number truncated to an integer, saturating; a NaN gives 0.
    #[track_caller]
    pub fn to_int(self) -> Int<'t> {
        apply(Op::Cast(evolute_ir::Elem::I64), [self.operand()])
    }
}

impl<'t, K: RealKind> Traced<'t, K> {
    /// `x` to the power of an integer known when tracing.
    #[track_caller]
    pub fn powi(self, n: i32) -> Self {
        self.powi_traced(Int::constant(i64::from(n)))
    }

    /// `x` to the power of a traced integer.
    #[track_caller]
    pub fn powi_traced(self, n: Int<'t>) -> Self {
        apply(Op::Prim(Prim::Powi), [self.operand(), n.operand()])
    }

    /// The `n`-th derivative of [`digamma`](Traced::digamma).
    #[track_caller]
    pub fn polygamma(self, n: u32) -> Self {
        let n = Int::constant(i64::from(n));
        apply(Op::Prim(Prim::Polygamma), [self.operand(), n.operand()])
    }

    /// `self · factor + term` with one rounding.
    #[track_caller]
    pub fn mul_add(self, factor: impl Into<Self>, term: impl Into<Self>) -> Self {
        apply(Op::Prim(Prim::MulAdd), [self.operand(), factor.into().operand(), term.into().operand()])
    }

    /// This value, as a function of `x` with derivative `slope` and a constant otherwise: states a derivative that
    /// is known better than that of the formula for the value. The slope is differentiated for the next one. To state
    /// one in several variables, take for `x` the sum of a 0 with a slope in each, and 1 for its slope.
    ///
    /// ```
    /// use evolute_frontend::Function;
    ///
    /// // The value by one step of Newton's method, the derivative not by that of the step.
    /// let f = Function::scalar(1, |x| {
    ///     let y = x[0].log2() * std::f64::consts::LN_2;
    ///     (y - 1.0 + x[0] * (-y).exp()).with_slope(x[0].recip(), x[0])
    /// })?;
    /// assert_eq!(f.grad()?.eval(&[4.0])?, [0.25]);
    /// assert_eq!(f.hessian()?.eval(&[4.0])?, [-0.0625]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn with_slope(self, slope: impl Into<Self>, x: impl Into<Self>) -> Self {
        apply(Op::Prim(Prim::WithSlope), [self.operand(), slope.into().operand(), x.into().operand()])
    }
}

macro_rules! real_methods {
    ($($Variant:ident $name:ident ($($x:ident: $class:ident),+) -> $r:ident: $result:ident,
       { $($kind:ident $eval:tt $native:ident);+ }, $([$($partial:tt)+])* $(/ $divisor:ident)?, [$($domain:expr),+], $doc:literal;)*) => {
        /// The real primitives of one and two operands, from the table.
        impl<'t, K: RealKind> Traced<'t, K> {
            $(real_methods! { @method $Variant $name $doc ($($class)+) $result })*
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
        pub fn $name(self, other: impl Into<Self>) -> Self {
            self.binary(Prim::$Variant, other.into())
        }
    };
    (@method $Variant:ident $name:ident $doc:literal $classes:tt $result:ident) => {};
}
for_each_prim!(real_methods);

impl<'t> Condition<'t> {
    /// `yes` where this holds, else `no`. Only the chosen one counts for derivatives: an infinite or
    /// undefined derivative of the other does not enter. Both are evaluated, so an integer division in either
    /// can fail.
    #[track_caller]
    pub fn select<K: Kind>(
        self,
        yes: impl Into<Traced<'t, K>>,
        no: impl Into<Traced<'t, K>>,
    ) -> Traced<'t, K> {
        apply(Op::Select, [self.operand(), yes.into().operand(), no.into().operand()])
    }
}
