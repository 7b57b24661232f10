//! Contraction: `x·y + z` becomes a fused multiply-add where the product has no other use.
//!
//! This changes roundings, also of a difference of equal products from 0 to a number of either sign, so it belongs to [`FpMode::Contract`](crate::FpMode::Contract); it is done on
//! the IR, so that the interpreter rounds as native code does. Only `f64` is contracted: an `f32`
//! fused operation goes through `f64` and gains nothing.

use crate::derive::copy_params;
use crate::inline::inline_contracted;
use crate::uses::count_uses;
use evolute_ir::{Builder, Elem, Inst, IrError, Op, Prim, Program, Table, Value};

/// Contracts an operator-free program.
pub(crate) fn contract(program: &Program) -> Result<Program, IrError> {
    let mut builder = Builder::sharing_globally();
    builder.set_limit(program.limit());
    let params = copy_params(&mut builder, program);
    let results = inline_contracted(&mut builder, program, &params, count_uses(program))?;
    builder.finish_live(&results)
}

/// `±(factors) ± sum`.
pub(crate) struct Fused {
    negate_product: bool,
    negate_sum: bool,
    factors: [Value; 2],
    sum: Value,
}

impl Fused {
    /// Inserts it, `at` giving the copies of values.
    pub(crate) fn insert(self, builder: &mut Builder, at: impl Fn(Value) -> Value) -> Result<Value, IrError> {
        let Fused { negate_product, negate_sum, factors: [x, y], sum } = self;
        let mut operand = |negate, v| match negate {
            true => builder.insert(Op::Prim(Prim::Neg), &[at(v)]),
            false => Ok(at(v)),
        };
        let operands = [operand(negate_product, x)?, at(y), operand(negate_sum, sum)?];
        builder.insert(Op::Prim(Prim::MulAdd), &operands)
    }
}

/// What an addition or subtraction of a product becomes, if `uses` says that the product has no other use.
pub(crate) fn fused(program: &Program, uses: &Table<Value, u32>, inst: Inst) -> Option<Fused> {
    let operands = program.operands(inst);
    let subtract = match program.op(inst) {
        Op::Prim(Prim::Add) => false,
        Op::Prim(Prim::Sub) => true,
        _ => return None,
    };
    let [a, b] = *operands else { return None };
    if let Some(factors) = product(program, uses, b) {
        return Some(Fused { negate_product: subtract, negate_sum: false, factors, sum: a });
    }
    let factors = product(program, uses, a)?;
    Some(Fused { negate_product: false, negate_sum: subtract, factors, sum: b })
}

/// The factors of `value` if it is a product of `f64`s used once.
fn product(program: &Program, uses: &Table<Value, u32>, value: Value) -> Option<[Value; 2]> {
    let inst = program.def_inst(value)?;
    let ty = program.ty(value);
    if program.op(inst) != Op::Prim(Prim::Mul) || ty.elem != Elem::F64 || uses[value] != 1 {
        return None;
    }
    program.operands(inst).try_into().ok()
}
