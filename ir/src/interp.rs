//! The reference interpreter: what a program means, and the oracle of native code.
//!
//! A program without derivative operators is decoded once into a list of [`Code`]s over 64-bit slots,
//! one slot a scalar; an `f32`, `i64` or `bool` occupies the low bits. `element` and `pack` cost
//! nothing: an array is the list of its elements' slots. Elementary functions are those of
//! `evolute-kernels`, which native code calls too, so both give the same bits.

use crate::entity::{Table, Value};
use crate::error::IrError;
use crate::infer;
use crate::for_each_prim;
use crate::prim::Prim;
use crate::program::{Op, Program, SourceLoc};
use crate::types::{Elem, Literal, Type};
use evolute_kernels::Kernel;
use std::ops::Range;
use thiserror::Error;

/// Why an evaluation has no value. The user's mistake, at the user's line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{kind}{}", .loc.as_ref().map(|loc| format!(" at {loc}")).unwrap_or_default())]
pub struct Failure {
    /// What failed.
    pub kind: FailureKind,
    /// The source line of the instruction.
    pub loc: Option<SourceLoc>,
}

/// What can fail in an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FailureKind {
    /// An integer was divided by zero, or `i64::MIN` by −1.
    #[error("integer division by zero or overflow")]
    IntegerDivision,
}

/// One decoded scalar instruction: `dst ← run(a, b, c)`.
struct Code {
    run: fn(&mut Machine, &Code),
    dst: u32,
    a: u32,
    b: u32,
    c: u32,
}

/// The state of an evaluation, to be kept between evaluations of one program.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    slots: Vec<u64>,
    /// The first instruction that failed, by its destination.
    failed: Option<u32>,
}

/// Where the elements of a value lie.
#[derive(Clone, Debug)]
enum Slots {
    Range(Range<u32>),
    List(Vec<u32>),
}

impl Slots {
    fn get(&self, index: usize) -> u32 {
        match self {
            Slots::Range(range) => range.start + index as u32,
            Slots::List(list) => list[index],
        }
    }

    fn len(&self) -> usize {
        match self {
            Slots::Range(range) => range.len(),
            Slots::List(list) => list.len(),
        }
    }
}

/// A decoded program.
pub struct Interpreter {
    codes: Vec<Code>,
    /// The slots at the start of an evaluation: constants are in place, all else is zero.
    initial: Vec<u64>,
    places: Table<Value, Slots>,
    params: Vec<(Type, Slots)>,
    results: Vec<(Type, Slots)>,
    /// The source lines of instructions that can fail, by destination.
    fallible: Vec<(u32, Option<SourceLoc>)>,
}

/// One array or scalar given to or taken from an evaluation, row-major.
#[derive(Clone, Debug, PartialEq)]
pub enum Buffer {
    /// `f64` elements.
    F64(Vec<f64>),
    /// `f32` elements.
    F32(Vec<f32>),
    /// `i64` elements.
    I64(Vec<i64>),
    /// `bool` elements.
    Bool(Vec<bool>),
}

impl Buffer {
    /// A buffer of `len` zeros.
    pub fn zeros(elem: Elem, len: usize) -> Buffer {
        match elem {
            Elem::F64 => Buffer::F64(vec![0.0; len]),
            Elem::F32 => Buffer::F32(vec![0.0; len]),
            Elem::I64 => Buffer::I64(vec![0; len]),
            Elem::Bool => Buffer::Bool(vec![false; len]),
        }
    }

    /// The element kind.
    pub fn elem(&self) -> Elem {
        match self {
            Buffer::F64(_) => Elem::F64,
            Buffer::F32(_) => Elem::F32,
            Buffer::I64(_) => Elem::I64,
            Buffer::Bool(_) => Elem::Bool,
        }
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        match self {
            Buffer::F64(x) => x.len(),
            Buffer::F32(x) => x.len(),
            Buffer::I64(x) => x.len(),
            Buffer::Bool(x) => x.len(),
        }
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at `index`.
    ///
    /// # Panics
    /// If there is none.
    pub fn get(&self, index: usize) -> Literal {
        match self {
            Buffer::F64(x) => Literal::F64(x[index].to_bits()),
            Buffer::F32(x) => Literal::F32(x[index].to_bits()),
            Buffer::I64(x) => Literal::I64(x[index]),
            Buffer::Bool(x) => Literal::Bool(x[index]),
        }
    }
}

impl Interpreter {
    /// Decodes `program`.
    ///
    /// # Errors
    /// If it still holds derivative operators, or too many scalars to keep in memory.
    pub fn new(program: &Program) -> Result<Interpreter, IrError> {
        Decoder::default().decode(program)
    }

    /// The number of scalar instructions an evaluation executes.
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Whether an evaluation only moves its inputs to its outputs.
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// A state for evaluations, the only thing that allocates.
    pub fn machine(&self) -> Machine {
        Machine { slots: self.initial.clone(), failed: None }
    }

    /// Sets element `index` of parameter `param`.
    pub fn set(&self, machine: &mut Machine, param: usize, index: usize, value: Literal) {
        machine.slots[self.params[param].1.get(index) as usize] = value.to_slot();
    }

    /// Sets parameter `param` from the slots `values` yields, as many as it has elements.
    pub fn set_all(&self, machine: &mut Machine, param: usize, values: impl Iterator<Item = u64>) {
        let slots = &self.params[param].1;
        for (index, value) in (0..slots.len()).zip(values) {
            machine.slots[slots.get(index) as usize] = value;
        }
    }

    /// Evaluates the program on the parameters set.
    ///
    /// # Errors
    /// The first instruction that failed.
    pub fn run(&self, machine: &mut Machine) -> Result<(), Failure> {
        machine.failed = None;
        for code in &self.codes {
            (code.run)(machine, code);
        }
        match machine.failed {
            None => Ok(()),
            Some(dst) => {
                let loc = self.fallible.iter().find(|(d, _)| *d == dst).and_then(|(_, loc)| loc.clone());
                Err(Failure { kind: FailureKind::IntegerDivision, loc })
            }
        }
    }

    /// The slots of result `result` after an evaluation.
    pub fn result<'a>(&'a self, machine: &'a Machine, result: usize) -> impl Iterator<Item = u64> + 'a {
        let slots = &self.results[result].1;
        (0..slots.len()).map(|i| machine.slots[slots.get(i) as usize])
    }

    /// The elements of `value` after an evaluation.
    pub fn peek<'a>(&'a self, machine: &'a Machine, value: Value) -> impl Iterator<Item = u64> + 'a {
        let slots = &self.places[value];
        (0..slots.len()).map(|i| machine.slots[slots.get(i) as usize])
    }

    /// The types of the parameters.
    pub fn params(&self) -> impl ExactSizeIterator<Item = &Type> {
        self.params.iter().map(|(ty, _)| ty)
    }

    /// Evaluates on whole buffers: convenient, and allocates.
    ///
    /// # Errors
    /// Buffers that do not fit the parameters, as [`IrError::Type`] in text; or a [`Failure`].
    pub fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, EvalError> {
        let mut machine = self.machine();
        self.check(inputs)?;
        for (param, input) in inputs.iter().enumerate() {
            self.set_all(&mut machine, param, (0..input.len()).map(|i| input.get(i).to_slot()));
        }
        self.run(&mut machine)?;
        let collect = |(index, (ty, _)): (usize, &(Type, Slots))| {
            let slots: Vec<u64> = self.result(&machine, index).collect();
            match ty.elem {
                Elem::F64 => Buffer::F64(slots.into_iter().map(f64::from_bits).collect()),
                Elem::F32 => Buffer::F32(slots.into_iter().map(|s| f32::from_bits(s as u32)).collect()),
                Elem::I64 => Buffer::I64(slots.into_iter().map(|s| s as i64).collect()),
                Elem::Bool => Buffer::Bool(slots.into_iter().map(|s| s & 1 == 1).collect()),
            }
        };
        Ok(self.results.iter().enumerate().map(collect).collect())
    }

    fn check(&self, inputs: &[Buffer]) -> Result<(), EvalError> {
        if inputs.len() != self.params.len() {
            return Err(EvalError::Count { expected: self.params.len(), found: inputs.len() });
        }
        for (index, (input, (ty, _))) in inputs.iter().zip(&self.params).enumerate() {
            if input.elem() != ty.elem || input.len() != ty.shape.len() {
                let found = format!("{} elements of {}", input.len(), input.elem());
                return Err(EvalError::Input { index, expected: ty.clone(), found });
            }
        }
        Ok(())
    }
}

/// Why [`Interpreter::eval`] gives no result.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EvalError {
    /// The caller's mistake: too few or too many inputs.
    #[error("expected {expected} inputs, found {found}")]
    Count {
        /// The number of parameters.
        expected: usize,
        /// The number of inputs given.
        found: usize,
    },
    /// The caller's mistake: an input of the wrong length or element.
    #[error("input {index}: expected {expected}, found {found}")]
    Input {
        /// Which input.
        index: usize,
        /// The parameter's type.
        expected: Type,
        /// What was given.
        found: String,
    },
    /// The evaluation failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// The most scalars an evaluation may hold: 4 GiB of slots.
const MAX_SLOTS: usize = 1 << 29;

#[derive(Default)]
struct Decoder {
    codes: Vec<Code>,
    initial: Vec<u64>,
    places: Table<Value, Slots>,
    fallible: Vec<(u32, Option<SourceLoc>)>,
}

impl Decoder {
    fn decode(mut self, program: &Program) -> Result<Interpreter, IrError> {
        for (value, _) in program.values().iter() {
            let slots = match program.def_inst(value) {
                None => self.fresh(program.ty(value).shape.len())?,
                Some(inst) => self.decode_inst(program, value, program.op(inst), program.operands(inst))?,
            };
            self.places.push(slots);
        }
        let place = |&v: &Value| (program.ty(v).clone(), self.places[v].clone());
        Ok(Interpreter {
            params: program.root().params.iter().map(place).collect(),
            results: program.root().results.iter().map(place).collect(),
            codes: self.codes,
            initial: self.initial,
            places: self.places,
            fallible: self.fallible,
        })
    }

    fn fresh(&mut self, len: usize) -> Result<Slots, IrError> {
        let start = self.initial.len();
        if len > MAX_SLOTS - start {
            return Err(IrError::TooLarge { limit: MAX_SLOTS });
        }
        self.initial.resize(start + len, 0);
        Ok(Slots::Range(start as u32..(start + len) as u32))
    }

    fn decode_inst(
        &mut self,
        program: &Program,
        value: Value,
        op: Op,
        operands: &[Value],
    ) -> Result<Slots, IrError> {
        let elem = operands.first().map_or(Elem::F64, |&v| program.ty(v).elem);
        let run: fn(&mut Machine, &Code) = match op {
            Op::Const(literal) => {
                let slot = self.fresh(1)?;
                self.initial[slot.get(0) as usize] = literal.to_slot();
                return Ok(slot);
            }
            Op::Element(index) => {
                let slot = self.places[operands[0]].get(index as usize);
                return Ok(Slots::Range(slot..slot + 1));
            }
            Op::Pack(_) => {
                return Ok(Slots::List(operands.iter().map(|&v| self.places[v].get(0)).collect()));
            }
            Op::Prim(prim) => prim_code(prim, elem).ok_or_else(|| {
                infer::mismatch(op, format!("an element of `{}`", prim.name()), elem.to_string())
            })?,
            Op::Cast(to) => cast_code(elem, to),
            Op::Select => |m, c| m.slots[c.dst as usize] = m.slots[if m.bool(c.a) { c.b } else { c.c } as usize],
            Op::Jvp { .. } | Op::Vjp { .. } => {
                return Err(infer::mismatch(op, "a program without derivative operators", "one"));
            }
        };
        let dst = self.fresh(program.ty(value).shape.len())?;
        for i in 0..dst.len() {
            let slot = |n: usize| operands.get(n).map_or(0, |&v| self.places[v].get(i));
            let (a, b, c) = (slot(0), slot(1), slot(2));
            self.codes.push(Code { run, dst: dst.get(i), a, b, c });
            if matches!(op, Op::Prim(prim) if prim.may_fail()) && elem == Elem::I64 {
                self.fallible.push((dst.get(i), program.loc(value).cloned()));
            }
        }
        Ok(dst)
    }
}

impl Machine {
    fn f64(&self, slot: u32) -> f64 {
        f64::from_bits(self.slots[slot as usize])
    }
    fn f32(&self, slot: u32) -> f32 {
        f32::from_bits(self.slots[slot as usize] as u32)
    }
    fn i64(&self, slot: u32) -> i64 {
        self.slots[slot as usize] as i64
    }
    fn bool(&self, slot: u32) -> bool {
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

// ── evaluation of the table's rows ──────────────────────────────────────────────────────────────

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
        m.failed.get_or_insert(c.dst);
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

type Run = fn(&mut Machine, &Code);

macro_rules! define_eval {
    ($($Variant:ident $name:ident ($($x:ident: $class:ident),+) -> $r:ident: $result:ident,
       { $($kind:ident $eval:tt $native:ident);+ }, $([$($partial:tt)+])*, [$($domain:expr),+], $doc:literal;)*) => {
        /// The evaluation of a row on elements of this kind, if it acts on them.
        #[allow(clippy::redundant_closure_call, reason = "rows are expressions")]
        fn prim_code(prim: Prim, elem: Elem) -> Option<Run> {
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
       { $($kind:ident $eval:tt $native:ident);+ }, $([$($partial:tt)+])*, [$($domain:expr),+], $doc:literal;)*) => {
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
    let mut machine = Machine { slots: vec![0; 4], failed: None };
    for (slot, operand) in machine.slots[1..].iter_mut().zip(operands) {
        *slot = operand.to_slot();
    }
    run(&mut machine, &Code { run, dst: 0, a: 1, b: 2, c: 3 });
    if machine.failed.is_some() {
        return Err(failure());
    }
    Ok(Literal::from_slot(prim.result().fixed().unwrap_or(elem), machine.slots[0]))
}

/// Converts one scalar, as [`Op::Cast`] does.
pub fn cast(x: Literal, to: Elem) -> Literal {
    let mut machine = Machine { slots: vec![0, x.to_slot()], failed: None };
    let run = cast_code(x.elem(), to);
    run(&mut machine, &Code { run, dst: 0, a: 1, b: 0, c: 0 });
    Literal::from_slot(to, machine.slots[0])
}

fn cast_code(from: Elem, to: Elem) -> Run {
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
