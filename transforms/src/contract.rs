//! Contraction: `x·y + z` becomes a fused multiply-add where the product has no other use.
//!
//! This changes roundings, so it belongs to [`FpMode::Contract`](crate::FpMode::Contract); it is done on
//! the IR, so that the interpreter rounds as native code does. Only `f64` is contracted: an `f32`
//! fused operation goes through `f64` and gains nothing.

use crate::derive::copy_params;
use crate::inline::Provenance;
use evolute_ir::{Builder, Elem, IrError, Op, Prim, Program, Table, Value};

/// Contracts an operator-free program.
pub(crate) fn contract(program: &Program) -> Result<Program, IrError> {
    let mut builder = Builder::sharing_globally();
    let provenance = Provenance::new(&mut builder, program);
    let uses = count_uses(program);
    let mut values: Table<Value, Option<Value>> = Table::filled(program.values().len(), None);
    let params = copy_params(&mut builder, program);
    for (&param, value) in program.root().params.iter().zip(params) {
        values[param] = Some(value);
    }
    for &inst in &program.root().insts {
        let result = program.result(inst);
        builder.set_origin(provenance.map(program, result, &values));
        let at = |v: Value| values[v].expect("definitions precede uses");
        let value = match fused(program, &uses, program.op(inst), program.operands(inst)) {
            None => {
                let operands: Vec<Value> = program.operands(inst).iter().map(|&v| at(v)).collect();
                let op = provenance.map_op(&mut builder, program, program.op(inst));
                builder.insert(op, &operands)?
            }
            Some(Fused { negate_product, negate_sum, factors: [x, y], sum }) => {
                let mut operand = |negate, v| match negate {
                    true => builder.insert(Op::Prim(Prim::Neg), &[at(v)]),
                    false => Ok(at(v)),
                };
                let operands = [operand(negate_product, x)?, at(y), operand(negate_sum, sum)?];
                builder.insert(Op::Prim(Prim::MulAdd), &operands)?
            }
        };
        provenance.copy_name(&mut builder, program, result, value);
        values[result] = Some(value);
    }
    let results: Vec<Value> =
        program.root().results.iter().map(|&v| values[v].expect("results are defined")).collect();
    builder.finish_live(&results)
}

/// `±(factors) ± sum`.
struct Fused {
    negate_product: bool,
    negate_sum: bool,
    factors: [Value; 2],
    sum: Value,
}

fn fused(program: &Program, uses: &Table<Value, u32>, op: Op, operands: &[Value]) -> Option<Fused> {
    let subtract = match op {
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

fn count_uses(program: &Program) -> Table<Value, u32> {
    let mut uses = Table::filled(program.values().len(), 0);
    let operands = program.root().insts.iter().flat_map(|&inst| program.operands(inst));
    for &value in operands.chain(&program.root().results) {
        uses[value] += 1;
    }
    uses
}
