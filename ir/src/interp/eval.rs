//! Evaluation of THE table's rows on scalars: as instructions of the interpreter, on literals, and as
//! plain functions of `f64` and `f32`.

use super::{Code, Failed, Failure, FailureKind, Machine};
use crate::for_each_prim;
use crate::prim::Prim;
use crate::types::{Elem, Literal};
use evolute_kernels::Kernel;

impl Machine {
    pub(super) fn f64(&self, slot: u32) -> f64 {
        f64::from_bits(self.slots[slot as usize])
    }
    pub(super) fn f32(&self, slot: u32) -> f32 {
        f32::from_bits(self.slots[slot as usize] as u32)
    }
    pub(super) fn i64(&self, slot: u32) -> i64 {
        self.slots[slot as usize] as i64
    }
    pub(super) fn bool(&self, slot: u32) -> bool {
        self.slots[slot as usize] != 0
    }
}

/// A scalar as it lies in a slot.
trait Slot: Copy {
    fn to_slot(self) -> u64;
}
impl Slot for f64 {
    fn to_slot(self) -> u64 {
        self.to_bits()
    }
}
impl Slot for f32 {
    fn to_slot(self) -> u64 {
        u64::from(self.to_bits())
    }
}
impl Slot for i64 {
    fn to_slot(self) -> u64 {
        self as u64
    }
}
impl Slot for bool {
    fn to_slot(self) -> u64 {
        u64::from(self)
    }
}

/// What the table's expressions need beyond Rust's own methods of floats.
trait Real: Copy + PartialOrd {
    const ZERO: Self;
    fn wide(self) -> f64;
    fn narrow(x: f64) -> Self;
    fn is_negative(self) -> bool;
    fn rescale(self) -> Self;
    /// `self · y + z`, rounded once.
    fn fused(self, y: Self, z: Self) -> Self;
}

impl Real for f64 {
    const ZERO: f64 = 0.0;
    fn wide(self) -> f64 {
        self
    }
    fn narrow(x: f64) -> f64 {
        x
    }
    fn is_negative(self) -> bool {
        self.is_sign_negative()
    }
    fn rescale(self) -> f64 {
        let exponent = (self.to_bits() >> 52) & 0x7ff;
        f64::from_bits(2046u64.saturating_sub(exponent).max(1) << 52)
    }
    fn fused(self, y: f64, z: f64) -> f64 {
        evolute_kernels::mul_add(self, y, z)
    }
}

impl Real for f32 {
    const ZERO: f32 = 0.0;
    fn wide(self) -> f64 {
        f64::from(self)
    }
    fn narrow(x: f64) -> f32 {
        x as f32
    }
    fn is_negative(self) -> bool {
        self.is_sign_negative()
    }
    fn rescale(self) -> f32 {
        let exponent = (self.to_bits() >> 23) & 0xff;
        f32::from_bits(254u32.saturating_sub(exponent).max(1) << 23)
    }
    // Not by way of `f64`, which would round twice.
    fn fused(self, y: f32, z: f32) -> f32 {
        self.mul_add(y, z)
    }
}

fn fused<T: Real>(x: T, y: T, z: T) -> T {
    x.fused(y, z)
}

fn first<T: Real>(x: T, _: T, _: T) -> T {
    x
}

fn sign<T: Real>(x: T) -> T {
    if x > T::ZERO {
        T::narrow(1.0)
    } else if x < T::ZERO {
        T::narrow(-1.0)
    } else {
        x
    }
}

fn log_sigmoid<T: Real>(x: T) -> T {
    T::narrow(-evolute_kernels::softplus(-x.wide()))
}

fn relu<T: Real>(x: T) -> T {
    if x <= T::ZERO { T::ZERO } else { x }
}

#[allow(clippy::eq_op, reason = "only a NaN differs from itself")]
fn minimum<T: Real>(x: T, y: T) -> T {
    if x != x || x < y || (x == y && x.is_negative()) { x } else { y }
}

#[allow(clippy::eq_op, reason = "only a NaN differs from itself")]
fn maximum<T: Real>(x: T, y: T) -> T {
    if x != x || x > y || (x == y && !x.is_negative()) { x } else { y }
}

fn fail_unless(m: &mut Machine, c: &Code, ok: bool) -> bool {
    if !ok {
        m.failed.get_or_insert(Failed::Scalar(c.dst));
    }
    ok
}

fn divides(x: i64, y: i64) -> bool {
    y != 0 && !(x == i64::MIN && y == -1)
}

fn kernel_of(kernel: Kernel, args: &[f64]) -> f64 {
    let table = evolute_kernels::table();
    match *args {
        [x] => table.unary(kernel, x),
        [x, y] => table.binary(kernel, x, y),
        [x, y, z] => table.ternary(kernel, x, y, z),
        _ => f64::NAN,
    }
}

macro_rules! arm {
    (real $eval:tt $native:ident $elem:ident ($($x:ident)+)) => {
        match $elem {
            Elem::F64 => Some(arm!(@f64 $eval ($($x)+))),
            Elem::F32 => Some(arm!(@f32 $eval ($($x)+))),
            Elem::I64 | Elem::Bool => None,
        }
    };
    (kernel (x, n) $native:ident $elem:ident ($x:ident $n:ident)) => {
        match $elem {
            Elem::F64 => Some(|m: &mut Machine, c: &Code| {
                let r = evolute_kernels::table().unary_int(Kernel::$native, m.f64(c.a), m.i64(c.b));
                m.slots[c.dst as usize] = r.to_slot();
            }),
            Elem::F32 => Some(|m: &mut Machine, c: &Code| {
                let x = f64::from(m.f32(c.a));
                let r = evolute_kernels::table().unary_int(Kernel::$native, x, m.i64(c.b)) as f32;
                m.slots[c.dst as usize] = r.to_slot();
            }),
            Elem::I64 | Elem::Bool => None,
        }
    };
    (kernel $eval:tt $native:ident $elem:ident ($($x:ident)+)) => {
        match $elem {
            Elem::F64 => Some(arm!(@f64 (kernel_of(Kernel::$native, &[$($x),+])) ($($x)+))),
            Elem::F32 => Some(arm!(@f32 (kernel_of(Kernel::$native, &[$(f64::from($x)),+]) as f32) ($($x)+))),
            Elem::I64 | Elem::Bool => None,
        }
    };
    (int $eval:tt sdiv $elem:ident $args:tt) => { arm!(@checked $eval $elem $args) };
    (int $eval:tt srem $elem:ident $args:tt) => { arm!(@checked $eval $elem $args) };
    (int $eval:tt $native:ident $elem:ident ($($x:ident)+)) => {
        if $elem == Elem::I64 { Some(arm!(@i64 $eval ($($x)+))) } else { None }
    };
    (bool $eval:tt $native:ident $elem:ident ($($x:ident)+)) => {
        if $elem == Elem::Bool { Some(arm!(@bool $eval ($($x)+))) } else { None }
    };
    (@checked $eval:tt $elem:ident ($x:ident $y:ident)) => {
        if $elem == Elem::I64 {
            Some(|m: &mut Machine, c: &Code| {
                let ($x, $y) = (m.i64(c.a), m.i64(c.b));
                let r = if fail_unless(m, c, divides($x, $y)) { $eval } else { 0 };
                m.slots[c.dst as usize] = r.to_slot();
            })
        } else {
            None
        }
    };
    (@$ty:ident $eval:tt ($x:ident)) => {
        |m: &mut Machine, c: &Code| {
            let $x = m.$ty(c.a);
            m.slots[c.dst as usize] = $eval.to_slot();
        }
    };
    (@$ty:ident $eval:tt ($x:ident $y:ident)) => {
        |m: &mut Machine, c: &Code| {
            let ($x, $y) = (m.$ty(c.a), m.$ty(c.b));
            m.slots[c.dst as usize] = $eval.to_slot();
        }
    };
    (@$ty:ident $eval:tt ($x:ident $y:ident $z:ident)) => {
        |m: &mut Machine, c: &Code| {
            let ($x, $y, $z) = (m.$ty(c.a), m.$ty(c.b), m.$ty(c.c));
            m.slots[c.dst as usize] = $eval.to_slot();
        }
    };
}

/// The first of a row's evaluations that acts on the element.
macro_rules! arms {
    ([] $elem:ident $args:tt) => { None };
    ([$kind:ident $eval:tt $native:ident $($rest:tt)*] $elem:ident $args:tt) => {{
        let run: Option<Run> = arm!($kind $eval $native $elem $args);
        run.or_else(|| -> Option<Run> { arms!([$($rest)*] $elem $args) })
    }};
}

pub(super) type Run = fn(&mut Machine, &Code);

macro_rules! define_eval {
    ($($Variant:ident $name:ident ($($x:ident: $class:ident),+) -> $r:ident: $result:ident,
       { $($kind:ident $eval:tt $native:ident);+ }, $([$($partial:tt)+])* $(/ $divisor:ident)?, [$($domain:expr),+], $doc:literal;)*) => {
        /// The evaluation of a row on elements of this kind, if it acts on them.
        #[allow(clippy::redundant_closure_call, reason = "rows are expressions")]
        pub(super) fn prim_code(prim: Prim, elem: Elem) -> Option<Run> {
            match prim {
                $(Prim::$Variant => {
                    arms!([$($kind $eval $native)+] elem ($($x)+))
                })*
            }
        }
    };
}
for_each_prim!(define_eval);

macro_rules! define_scalar_functions {
    ($($Variant:ident $name:ident ($($x:ident: $class:ident),+) -> $r:ident: $result:ident,
       { $($kind:ident $eval:tt $native:ident);+ }, $([$($partial:tt)+])* $(/ $divisor:ident)?, [$($domain:expr),+], $doc:literal;)*) => {
        /// The real rows of the table as functions of `f64` or `f32`, for code that is generic over
        /// traced and plain numbers: the same bits as a traced evaluation.
        pub trait RealPrims: Sized {
            $(define_scalar_functions! { @declare $name $doc ($($x: $class)+) $result })*
            /// `x` to the integer power `n`.
            fn powi(x: Self, n: i64) -> Self;
            /// The `n`-th derivative of `digamma`.
            fn polygamma(x: Self, n: i64) -> Self;
        }
        impl RealPrims for f64 {
            $(define_scalar_functions! { @define $name f64 ($($x: $class)+) $result [$($kind $eval $native)+] })*
            fn powi(x: f64, n: i64) -> f64 {
                evolute_kernels::powi(x, n)
            }
            fn polygamma(x: f64, n: i64) -> f64 {
                evolute_kernels::polygamma(x, n)
            }
        }
        impl RealPrims for f32 {
            $(define_scalar_functions! { @define $name f32 ($($x: $class)+) $result [$($kind $eval $native)+] })*
            fn powi(x: f32, n: i64) -> f32 {
                evolute_kernels::powi(f64::from(x), n) as f32
            }
            fn polygamma(x: f32, n: i64) -> f32 {
                evolute_kernels::polygamma(f64::from(x), n) as f32
            }
        }
    };
    (@declare $name:ident $doc:literal ($x:ident: R) R) => { #[doc = $doc] fn $name($x: Self) -> Self; };
    (@declare $name:ident $doc:literal ($x:ident: R $y:ident: R) R) => { #[doc = $doc] fn $name($x: Self, $y: Self) -> Self; };
    (@declare $name:ident $doc:literal ($x:ident: R $y:ident: R $z:ident: R) R) => { #[doc = $doc] fn $name($x: Self, $y: Self, $z: Self) -> Self; };
    (@declare $name:ident $doc:literal ($x:ident: N) N) => { #[doc = $doc] fn $name($x: Self) -> Self; };
    (@declare $name:ident $doc:literal ($x:ident: N $y:ident: N) N) => { #[doc = $doc] fn $name($x: Self, $y: Self) -> Self; };
    (@declare $name:ident $doc:literal $args:tt $result:ident) => {};
    (@define $name:ident $ty:ident ($($x:ident: R)+) R $evals:tt) => {
        fn $name($($x: $ty),+) -> $ty { define_scalar_functions!(@body $ty ($($x)+) $evals) }
    };
    (@define $name:ident $ty:ident ($($x:ident: N)+) N $evals:tt) => {
        fn $name($($x: $ty),+) -> $ty { define_scalar_functions!(@body $ty ($($x)+) $evals) }
    };
    (@define $name:ident $ty:ident $args:tt $result:ident $evals:tt) => {};
    (@body $ty:ident $args:tt [real $eval:tt $native:ident $($rest:tt)*]) => { $eval };
    (@body f64 ($($x:ident)+) [kernel $eval:tt $native:ident $($rest:tt)*]) => { kernel_of(Kernel::$native, &[$($x),+]) };
    (@body f32 ($($x:ident)+) [kernel $eval:tt $native:ident $($rest:tt)*]) => { kernel_of(Kernel::$native, &[$(f64::from($x)),+]) as f32 };
}
for_each_prim!(define_scalar_functions);

/// Evaluates one primitive on scalars.
///
/// # Errors
/// An integer division by zero, or operands that the row does not act on.
pub fn eval_prim(prim: Prim, operands: &[Literal]) -> Result<Literal, Failure> {
    let failure = || Failure { kind: FailureKind::IntegerDivision, loc: None };
    let elem = operands.first().ok_or_else(failure)?.elem();
    let run = prim_code(prim, elem).ok_or_else(failure)?;
    let mut machine = Machine { slots: vec![0; 4], ..Machine::default() };
    for (slot, operand) in machine.slots[1..].iter_mut().zip(operands) {
        *slot = operand.to_slot();
    }
    run(&mut machine, &Code { run, dst: 0, a: 1, b: 2, c: 3 });
    if machine.failed.is_some() {
        return Err(failure());
    }
    Ok(Literal::from_slot(prim.result().fixed().unwrap_or(elem), machine.slots[0]))
}

/// Converts one scalar, as [`Op::Cast`](crate::Op::Cast) does.
pub fn cast(x: Literal, to: Elem) -> Literal {
    let mut machine = Machine { slots: vec![0, x.to_slot()], ..Machine::default() };
    let run = cast_code(x.elem(), to);
    run(&mut machine, &Code { run, dst: 0, a: 1, b: 0, c: 0 });
    Literal::from_slot(to, machine.slots[0])
}

pub(super) fn cast_code(from: Elem, to: Elem) -> Run {
    macro_rules! convert {
        ($get:ident, |$x:ident| $e:expr) => {
            |m, c| {
                let $x = m.$get(c.a);
                m.slots[c.dst as usize] = ($e).to_slot();
            }
        };
    }
    match (from, to) {
        (Elem::F64, Elem::F64) => convert!(f64, |x| x),
        (Elem::F64, Elem::F32) => convert!(f64, |x| x as f32),
        (Elem::F64, Elem::I64) => convert!(f64, |x| x as i64),
        (Elem::F64, Elem::Bool) => convert!(f64, |x| x != 0.0),
        (Elem::F32, Elem::F64) => convert!(f32, |x| f64::from(x)),
        (Elem::F32, Elem::F32) => convert!(f32, |x| x),
        (Elem::F32, Elem::I64) => convert!(f32, |x| x as i64),
        (Elem::F32, Elem::Bool) => convert!(f32, |x| x != 0.0),
        (Elem::I64, Elem::F64) => convert!(i64, |x| x as f64),
        (Elem::I64, Elem::F32) => convert!(i64, |x| x as f32),
        (Elem::I64, Elem::I64) => convert!(i64, |x| x),
        (Elem::I64, Elem::Bool) => convert!(i64, |x| x != 0),
        (Elem::Bool, Elem::F64) => convert!(bool, |x| f64::from(u8::from(x))),
        (Elem::Bool, Elem::F32) => convert!(bool, |x| f32::from(u8::from(x))),
        (Elem::Bool, Elem::I64) => convert!(bool, |x| i64::from(x)),
        (Elem::Bool, Elem::Bool) => convert!(bool, |x| x),
    }
}
