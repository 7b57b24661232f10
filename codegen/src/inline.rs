//! The primitives that are a few machine instructions: one function each, named in THE table.
//!
//! Every function emits the exact evaluation of its row: same operations in the same order, nothing
//! fused, so that each bit is the interpreter's (a NaN's sign and payload excepted). `real` functions
//! serve `f64` and `f32`; [`Emitter::elem`] tells which.

use crate::emitter::Emitter;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{Endianness, InstBuilder, InstructionData, MemFlagsData, Opcode, Value, types};
use evolute_ir::{Elem, Literal};
use evolute_kernels::Kernel;

/// Rows that are one instruction of Cranelift.
macro_rules! instructions {
    ($($name:ident ($($x:ident),+) = $inst:ident;)*) => {
        $(pub(crate) fn $name(e: &mut Emitter<'_, '_>, $($x: Value),+) -> Value {
            e.ins().$inst($($x),+)
        })*
    };
}
instructions! {
    fsub(x, y) = fsub; fmul(x, y) = fmul; fdiv(x, y) = fdiv;
    fcopysign(x, y) = fcopysign; fmin(x, y) = fmin; fmax(x, y) = fmax;
    floor(x) = floor; ceil(x) = ceil; trunc(x) = trunc; sqrt(x) = sqrt;
    iadd(x, y) = iadd; isub(x, y) = isub; imul(x, y) = imul; ineg(x) = ineg; iabs(x) = iabs;
    smin(x, y) = smin; smax(x, y) = smax;
    band(x, y) = band; bor(x, y) = bor; bxor(x, y) = bxor;
}

/// Rows that are one comparison.
macro_rules! comparisons {
    ($($name:ident = $inst:ident $code:expr;)*) => {
        $(pub(crate) fn $name(e: &mut Emitter<'_, '_>, x: Value, y: Value) -> Value {
            e.ins().$inst($code, x, y)
        })*
    };
}
comparisons! {
    feq = fcmp FloatCC::Equal; fne = fcmp FloatCC::NotEqual; flt = fcmp FloatCC::LessThan;
    fle = fcmp FloatCC::LessThanOrEqual; fgt = fcmp FloatCC::GreaterThan; fge = fcmp FloatCC::GreaterThanOrEqual;
    ieq = icmp IntCC::Equal; ine = icmp IntCC::NotEqual; ilt = icmp IntCC::SignedLessThan;
    ile = icmp IntCC::SignedLessThanOrEqual; igt = icmp IntCC::SignedGreaterThan;
    ige = icmp IntCC::SignedGreaterThanOrEqual;
}

pub(crate) fn identity(_: &mut Emitter<'_, '_>, x: Value) -> Value {
    x
}

pub(crate) fn first(_: &mut Emitter<'_, '_>, x: Value, _: Value, _: Value) -> Value {
    x
}

pub(crate) fn bnot(e: &mut Emitter<'_, '_>, x: Value) -> Value {
    if e.wide {
        return e.ins().bnot(x);
    }
    let one = e.ins().iconst(types::I8, 1);
    e.ins().bxor(x, one)
}

// ── reals ───────────────────────────────────────────────────────────────────────────────────────

/// Adding a zero that is there because an array was padded with it costs nothing: `x + 0` is `x`, unless `x` is −0.
pub(crate) fn fadd(e: &mut Emitter<'_, '_>, x: Value, y: Value) -> Value {
    match (is_zero(e, x), is_zero(e, y)) {
        (_, true) if is_no_negative_zero(e, x, ADDITIONS_SEEN) => x,
        (true, _) if is_no_negative_zero(e, y, ADDITIONS_SEEN) => y,
        _ => e.ins().fadd(x, y),
    }
}

/// How many additions back a sum is known.
const ADDITIONS_SEEN: u32 = 4;

/// Whether a value is the constant 0.
fn is_zero(e: &Emitter<'_, '_>, x: Value) -> bool {
    let dfg = &e.builder.func.dfg;
    match dfg.value_def(x).inst().map(|inst| dfg.insts[inst]) {
        Some(InstructionData::UnaryIeee64 { imm, .. }) => imm.bits() == 0,
        Some(InstructionData::UnaryConst { constant_handle, .. }) => {
            dfg.constants.get(constant_handle).as_slice().iter().all(|&byte| byte == 0)
        }
        _ => false,
    }
}

/// Whether a value is certainly not −0: a sum is −0 only if both of its terms are.
fn is_no_negative_zero(e: &Emitter<'_, '_>, x: Value, depth: u32) -> bool {
    if is_zero(e, x) {
        return true;
    }
    let dfg = &e.builder.func.dfg;
    match dfg.value_def(x).inst().map(|inst| dfg.insts[inst]) {
        Some(InstructionData::Binary { opcode: Opcode::Fadd, args }) if depth > 0 => {
            args.iter().any(|&term| is_no_negative_zero(e, term, depth - 1))
        }
        _ => false,
    }
}

/// The mask comes from the table of constants: Cranelift's own `fneg` builds it in an integer register.
pub(crate) fn fneg(e: &mut Emitter<'_, '_>, x: Value) -> Value {
    let sign = e.sign();
    let result = e.ins().bxor(x, sign);
    e.note_negation(result, x);
    result
}

/// The mask comes from the table of constants, as in [`fneg`].
pub(crate) fn fabs(e: &mut Emitter<'_, '_>, x: Value) -> Value {
    let mask = match e.elem {
        Elem::F32 => Literal::F32(u32::MAX >> 1),
        Elem::F64 | Elem::I64 | Elem::Bool => Literal::F64(u64::MAX >> 1),
    };
    let mask = e.constant(mask);
    e.ins().band(x, mask)
}

pub(crate) fn recip(e: &mut Emitter<'_, '_>, x: Value) -> Value {
    let one = e.real(1.0);
    e.ins().fdiv(one, x)
}

/// One instruction where the processor has it.
pub(crate) fn mul_add(e: &mut Emitter<'_, '_>, x: Value, y: Value, z: Value) -> Value {
    match (e.has_fma, e.elem) {
        (true, _) => {
            let [x, y, z] = [x, y, z].map(|operand| e.shown_negated(operand));
            e.ins().fma(x, y, z)
        }
        (false, Elem::F32) => mul_add_by_f64(e, x, y, z),
        (false, Elem::F64 | Elem::I64 | Elem::Bool) => e.call(Kernel::MulAdd, &[x, y, z]),
    }
}

/// `x·y + z` of `f32`s, rounded once: the product is exact in `f64`, and the sum is rounded there to odd,
/// so that rounding it again loses nothing (Boldo and Melquiond, "Emulation of a FMA and correctly
/// rounded sums", 2008).
fn mul_add_by_f64(e: &mut Emitter<'_, '_>, x: Value, y: Value, z: Value) -> Value {
    let [x, y, z] = [x, y, z].map(|v| e.widen(v));
    let product = e.ins().fmul(x, y);
    let sum = e.ins().fadd(product, z);
    let error = error_of_sum(e, product, z, sum);
    let odd = round_to_odd(e, sum, error);
    e.narrow(odd)
}

/// What `sum = a + b` lost in rounding (Knuth's two-sum).
fn error_of_sum(e: &mut Emitter<'_, '_>, a: Value, b: Value, sum: Value) -> Value {
    let b_part = e.ins().fsub(sum, a);
    let a_part = e.ins().fsub(sum, b_part);
    let (a_error, b_error) = (e.ins().fsub(a, a_part), e.ins().fsub(b, b_part));
    e.ins().fadd(a_error, b_error)
}

/// Where `error` is not 0 and the last bit of `sum` is: the neighbour of `sum` on the error's side. For
/// infinite sums the error is a NaN, which is not greater than 0.
fn round_to_odd(e: &mut Emitter<'_, '_>, sum: Value, error: Value) -> Value {
    let [bits, error_bits] = [sum, error].map(|v| e.ins().bitcast(types::I64, MemFlagsData::new(), v));
    let zero = e.ins().f64const(0.0);
    let magnitude = e.ins().fabs(error);
    let inexact = e.ins().fcmp(FloatCC::GreaterThan, magnitude, zero);
    let inexact = e.ins().uextend(types::I64, inexact);
    let last = e.ins().band_imm_u(bits, 1);
    let even = e.ins().bxor_imm_u(last, 1);
    let moves = e.ins().band(inexact, even);
    let signs = e.ins().bxor(bits, error_bits);
    let down = e.ins().sshr_imm_u(signs, 63);
    let direction = e.ins().bor_imm_u(down, 1);
    let step = e.ins().imul(moves, direction);
    let moved = e.ins().iadd(bits, step);
    e.ins().bitcast(types::F64, MemFlagsData::new(), moved)
}

/// Zeros and NaNs are their own sign.
pub(crate) fn sign(e: &mut Emitter<'_, '_>, x: Value) -> Value {
    let (zero, one) = (e.real(0.0), e.real(1.0));
    let magnitude = fabs(e, x);
    let nonzero = e.ins().fcmp(FloatCC::GreaterThan, magnitude, zero);
    let unit = e.ins().fcopysign(one, x);
    select(e, nonzero, unit, x)
}

/// `maxsd` gives its second operand for a NaN and for two zeros; adding +0 turns −0 into +0.
pub(crate) fn relu(e: &mut Emitter<'_, '_>, x: Value) -> Value {
    let zero = e.real(0.0);
    let negative = e.ins().fcmp(FloatCC::LessThan, x, zero);
    let positive_part = match e.wide {
        true => select(e, negative, zero, x),
        false => e.ins().select(negative, zero, x),
    };
    e.ins().fadd(positive_part, zero)
}

/// Halves go away from zero: the largest number below ½ carries them over, and no number below them.
pub(crate) fn round(e: &mut Emitter<'_, '_>, x: Value) -> Value {
    let below_half = match e.elem {
        Elem::F32 => Literal::F32(0.5f32.next_down().to_bits()),
        Elem::F64 | Elem::I64 | Elem::Bool => Literal::F64(0.5f64.next_down().to_bits()),
    };
    let below_half = e.constant(below_half);
    let offset = e.ins().fcopysign(below_half, x);
    let moved = e.ins().fadd(x, offset);
    e.ins().trunc(moved)
}

/// Mirrors the exponent around that of 1: `2·bias − exponent`, at least 1.
pub(crate) fn rescale(e: &mut Emitter<'_, '_>, x: Value) -> Value {
    let (int, fraction_bits, bias) = match e.elem {
        Elem::F32 => (types::I32, 23, 127),
        Elem::F64 | Elem::I64 | Elem::Bool => (types::I64, 52, 1023),
    };
    let real = e.value_type(x);
    let bits = e.ins().bitcast(int, MemFlagsData::new(), x);
    let shifted = e.ins().ushr_imm_u(bits, fraction_bits);
    let exponent = e.ins().band_imm_u(shifted, 2 * bias + 1);
    let (top, one) = (e.ins().iconst(int, 2 * bias), e.ins().iconst(int, 1));
    let mirrored = e.ins().isub(top, exponent);
    let normal = e.ins().smax(mirrored, one);
    let scaled = e.ins().ishl_imm_u(normal, fraction_bits);
    e.ins().bitcast(real, MemFlagsData::new(), scaled)
}

/// `−softplus(−x)`.
pub(crate) fn log_sigmoid(e: &mut Emitter<'_, '_>, x: Value) -> Value {
    let wide = e.widen(x);
    let sign = e.constant(Literal::from(-0.0));
    let negative = e.ins().bxor(wide, sign);
    let softplus = e.call(Kernel::Softplus, &[negative]);
    let sign = e.constant(Literal::from(-0.0));
    let result = e.ins().bxor(softplus, sign);
    e.narrow(result)
}

// ── selection ───────────────────────────────────────────────────────────────────────────────────

/// `x` where `condition` holds, else `y`. Cranelift branches to select reals, which is slow when the
/// condition is unpredictable, as it is at kinks; behind a comparison of reals of the same kind we
/// blend instead. Vectors of copies are one instruction each; filling with zeros would be two.
pub(crate) fn select(e: &mut Emitter<'_, '_>, condition: Value, x: Value, y: Value) -> Value {
    if e.wide {
        return masked(e, condition, x, y);
    }
    match comparison(e, condition) {
        Some((code, [a, b])) if e.value_type(a) == e.value_type(x) => blend(e, code, [a, b, x, y]),
        Some(_) | None => e.ins().select(condition, x, y),
    }
}

/// The same of vectors, of which the condition is a mask.
fn masked(e: &mut Emitter<'_, '_>, mask: Value, x: Value, y: Value) -> Value {
    let vector = e.value_type(x);
    let mask = match e.value_type(mask) == vector {
        true => mask,
        false => e.ins().bitcast(vector, LITTLE_ENDIAN, mask),
    };
    e.ins().bitselect(mask, x, y)
}

const LITTLE_ENDIAN: MemFlagsData = MemFlagsData::new().with_endianness(Endianness::Little);

/// The comparison of reals that `condition` is, if it was made in this function.
fn comparison(e: &Emitter<'_, '_>, condition: Value) -> Option<(FloatCC, [Value; 2])> {
    let dfg = &e.builder.func.dfg;
    match dfg.insts[dfg.value_def(condition).inst()?] {
        InstructionData::FloatCompare { cond, args, .. } => Some((cond, args)),
        _ => None,
    }
}

/// `x` where `a` compares to `b`, else `y`.
fn blend(e: &mut Emitter<'_, '_>, code: FloatCC, operands: [Value; 4]) -> Value {
    let real = e.value_type(operands[0]);
    let vector = if real == types::F32 { types::F32X4 } else { types::F64X2 };
    let [a, b, x, y] = operands.map(|v| e.ins().splat(vector, v));
    let holds = e.ins().fcmp(code, a, b);
    let mask = e.ins().bitcast(vector, LITTLE_ENDIAN, holds);
    let blended = e.ins().bitselect(mask, x, y);
    e.ins().extractlane(blended, 0)
}

// ── checked integers ────────────────────────────────────────────────────────────────────────────

pub(crate) fn sdiv(e: &mut Emitter<'_, '_>, x: Value, y: Value) -> Value {
    let divisor = checked_divisor(e, x, y);
    e.ins().sdiv(x, divisor)
}

pub(crate) fn srem(e: &mut Emitter<'_, '_>, x: Value, y: Value) -> Value {
    let divisor = checked_divisor(e, x, y);
    e.ins().srem(x, divisor)
}

/// `y`, or 1 where the processor would trap; then the operation's check has failed.
fn checked_divisor(e: &mut Emitter<'_, '_>, x: Value, y: Value) -> Value {
    let zero = e.ins().icmp_imm_s(IntCC::Equal, y, 0);
    let minus_one = e.ins().icmp_imm_s(IntCC::Equal, y, -1);
    let least = e.ins().iconst(types::I64, i64::MIN);
    let is_least = e.ins().icmp(IntCC::Equal, x, least);
    let overflow = e.ins().band(minus_one, is_least);
    let bad = e.ins().bor(zero, overflow);
    e.fail_if(bad);
    let one = e.ins().iconst(types::I64, 1);
    e.ins().select(bad, one, y)
}
