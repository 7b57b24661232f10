//! What a loop stacks only to be added to an array is added by the loop, row by row, and not stacked.
//!
//! Each row is added to once, as before: the bits are those of the whole addition. But where a loop makes fewer iterations
//! than its stack has rows, the others are no longer added to, by 0, which turns a −0 into a 0: so it is done in
//! [`FpMode::Contract`](crate::FpMode::Contract) only. Small arrays are left alone: their sums would be in lanes.

use crate::derive::copy_params;
use crate::inline::inline_accumulated;
use crate::uses::count_uses;
use evolute_ir::{
    Builder, Entity, Inst, IrError, MAX_LANE_ELEMENTS, Op, Program, Region, Table, Trips, Value,
};
use std::collections::BTreeMap;

/// Of loops, the results that are stacks to be added to an array, and the additions.
pub(crate) type Accumulated = BTreeMap<Inst, Vec<(Value, Inst)>>;

/// Lets loops add what they stack, `shorter` ones too.
pub(crate) fn accumulate(program: Program, shorter: bool) -> Result<Program, IrError> {
    let accumulated = accumulated(&program, shorter);
    if accumulated.is_empty() {
        return Ok(program);
    }
    let mut builder = Builder::sharing_globally();
    builder.set_limit(program.limit());
    let params = copy_params(&mut builder, &program);
    let results = inline_accumulated(&mut builder, &program, &params, accumulated)?;
    builder.finish_live(&results)
}

fn accumulated(program: &Program, shorter: bool) -> Accumulated {
    let uses = count_uses(program);
    let mut all = Accumulated::new();
    for region in program.regions().keys() {
        for &inst in &program.region(region).insts {
            if let Some((looping, stack)) = stacked(program, &uses, region, inst, shorter) {
                all.entry(looping).or_default().push((stack, inst));
            }
        }
    }
    all.values_mut().for_each(|added| added.sort_unstable_by_key(|&(stack, _)| stack.index()));
    all
}

/// The loop whose stack an addition adds, if it can do so itself: the sum is there before it.
fn stacked(
    program: &Program,
    uses: &Table<Value, u32>,
    region: Region,
    inst: Inst,
    shorter: bool,
) -> Option<(Inst, Value)> {
    let (Op::AddAt, &[sum, stack]) = (program.op(inst), program.operands(inst)) else { return None };
    let looping = program.def_inst(stack)?;
    let Op::Loop { condition: None, spec, .. } = program.op(looping) else { return None };
    let spec = program.loop_spec(spec);
    let whole = matches!(spec.trips, Trips::Fixed(_)) || shorter;
    let first = program.result(looping);
    let number = stack.index() - first.index();
    let results = program.results(looping).count();
    let is_stack =
        (spec.first_carry_result() + spec.carries as usize..results - spec.sums as usize).contains(&number);
    let same_region = [sum, stack].iter().all(|&value| program.value(value).region == region);
    let large = program.ty(sum).shape.len() > MAX_LANE_ELEMENTS;
    let ready = sum.index() < first.index() && !program.results(looping).any(|result| result == sum);
    (whole && is_stack && same_region && large && ready && uses[stack] == 1).then_some((looping, stack))
}
