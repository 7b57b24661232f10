//! A carry that each iteration gives on as it is, is a captured value: it is the same in all of them, and reverse mode stores
//! none. A loop that always runs equally often no longer carries it. Of another the result fails with the number of
//! iterations, so there it is still carried, but not read.

use super::Copy;
use evolute_ir::{Builder, ClosedRegion, Entity, Inst, IrError, LoopSpec, Op, Program, Region, Trips, Value};

/// Whether a loop of the program carries what does not change.
pub(super) fn any_unchanged(program: &Program) -> bool {
    program.insts().keys().any(|inst| match program.op(inst) {
        Op::Loop { body, spec, .. } => !unchanged(program, body, program.loop_spec(spec)).is_empty(),
        _ => false,
    })
}

/// The numbers of a loop's carries that do not change.
pub(super) fn unchanged(program: &Program, body: Region, spec: LoopSpec) -> Vec<usize> {
    (0..spec.carries as usize).filter(|&k| is_unchanged(program, body, k)).collect()
}

fn is_unchanged(program: &Program, body: Region, carry: usize) -> bool {
    let data = program.region(body);
    source(program, data.results[carry]) == data.params[1 + carry]
}

/// What a value is that loops only carry which always run equally often.
fn source(program: &Program, mut value: Value) -> Value {
    while let Some(before) = before(program, value) {
        value = before;
    }
    value
}

/// What a loop began with that gives a value unchanged.
fn before(program: &Program, value: Value) -> Option<Value> {
    let inst = program.def_inst(value)?;
    let Op::Loop { body, spec, .. } = program.op(inst) else { return None };
    let spec = program.loop_spec(spec);
    let place = value.index() - program.result(inst).index();
    let carry =
        place.checked_sub(spec.first_carry_result()).filter(|&carry| carry < spec.carries as usize)?;
    let operand = program.operands(inst)[spec.first_carry_operand() + carry];
    (is_fixed(spec) && is_unchanged(program, body, carry)).then_some(operand)
}

fn is_fixed(spec: LoopSpec) -> bool {
    matches!(spec.trips, Trips::Fixed(_))
}

impl Copy<'_> {
    /// Copies a loop with these carries as captured values; in the place of the result of one that it no longer carries is the
    /// operand.
    pub(super) fn capturing_loop(
        &mut self,
        builder: &mut Builder,
        inst: Inst,
        operands: &[Value],
        fixed: &[usize],
    ) -> Result<Vec<Value>, IrError> {
        let Op::Loop { body, condition, spec } = self.from.op(inst) else { unreachable!("it is a loop") };
        let (origin, spec) = (builder.origin(), self.from.loop_spec(spec));
        let (own, captured) = operands.split_at(spec.own_operands());
        let first = spec.first_carry_operand();
        let given: Vec<(usize, Value)> = fixed.iter().map(|&k| (k, own[first + k])).collect();
        let condition = condition
            .map(|region| self.capturing(builder, (region, spec, false), captured, &given))
            .transpose()?;
        let body = self.capturing(builder, (body, spec, true), captured, &given)?;
        builder.set_origin(origin);
        if !is_fixed(spec) {
            return builder.looping(spec, condition, body, own);
        }
        let carries = spec.carries - fixed.len() as u32;
        let checkpoint = spec.checkpoint.filter(|_| carries > 0);
        let kept = |k: usize| k.checked_sub(first).is_none_or(|carry| !fixed.contains(&carry));
        let kept: Vec<Value> = (0..own.len()).filter(|&k| kept(k)).map(|k| own[k]).collect();
        let mut results = builder.looping(LoopSpec { carries, checkpoint, ..spec }, None, body, &kept)?;
        for (carry, value) in given {
            results.insert(carry, value);
        }
        Ok(results)
    }

    /// A copy of a loop's body, or of its condition, that reads some carries as captured values.
    fn capturing(
        &mut self,
        builder: &mut Builder,
        (region, spec, is_body): (Region, LoopSpec, bool),
        captured: &[Value],
        given: &[(usize, Value)],
    ) -> Result<ClosedRegion, IrError> {
        builder.open_region();
        let own = if is_body { spec.own_params() } else { 1 + spec.carries as usize };
        let (mut args, mut carried) = (Vec::with_capacity(own + captured.len()), Vec::new());
        for (place, &param) in self.from.region(region).params[..own].iter().enumerate() {
            let value = given.iter().find(|(carry, _)| carry + 1 == place).map(|&(_, value)| value);
            let own = (value.is_none() || !is_fixed(spec)).then(|| self.parameter(builder, param));
            carried.extend(own.filter(|_| value.is_some()));
            args.extend(value.or(own));
        }
        args.extend_from_slice(captured);
        let results = self.region(builder, region, &args).map(|mut results| {
            for (k, &(carry, _)) in given.iter().enumerate().rev().filter(|_| is_body) {
                match carried.get(k) {
                    Some(&param) => results[carry] = param,
                    None => _ = results.remove(carry),
                }
            }
            results
        });
        let closed = builder.close_region(results.as_deref().unwrap_or_default());
        results?;
        closed
    }
}
