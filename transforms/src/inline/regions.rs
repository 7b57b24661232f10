//! Copying operations with regions.

use super::{Copy, unchanged};
use evolute_ir::{Builder, ClosedRegion, Inst, IrError, LoopId, Region, SolverId, Value};

impl Copy<'_> {
    pub(super) fn looping(
        &mut self,
        builder: &mut Builder,
        inst: Inst,
        (body, condition, spec): (Region, Option<Region>, LoopId),
        operands: &[Value],
    ) -> Result<Vec<Value>, IrError> {
        let origin = builder.origin();
        let spec = self.from.loop_spec(spec);
        if let Some(thinned) = self.thinning.get(&inst).cloned() {
            return self.thinned_loop(builder, inst, operands, &thinned);
        }
        let fixed = unchanged(self.from, body, spec);
        if !fixed.is_empty() {
            return self.capturing_loop(builder, inst, operands, &fixed);
        }
        if let Some(extents) = self.checkpoints(inst, spec)? {
            return self.checkpointed(builder, inst, &extents, operands);
        }
        let (own, captured) = operands.split_at(spec.own_operands());
        self.hoist(builder, body, spec, captured)?;
        let of_condition = 1 + spec.carries as usize;
        let condition =
            condition.map(|region| self.nested(builder, region, of_condition, captured)).transpose()?;
        let body = self.nested(builder, body, spec.own_params(), captured)?;
        builder.set_origin(origin);
        builder.looping(spec, condition, body, own)
    }

    pub(super) fn conditional(
        &mut self,
        builder: &mut Builder,
        [yes, no]: [Region; 2],
        sums: usize,
        operands: &[Value],
    ) -> Result<Vec<Value>, IrError> {
        let origin = builder.origin();
        let (own, captured) = operands.split_at(1 + sums);
        let yes = self.nested(builder, yes, sums, captured)?;
        let no = self.nested(builder, no, sums, captured)?;
        builder.set_origin(origin);
        builder.conditional(own[0], yes, no, &own[1..])
    }

    pub(super) fn linear_solve(
        &mut self,
        builder: &mut Builder,
        (matrix, inverse): (Region, Option<Region>),
        solver: SolverId,
        operands: &[Value],
    ) -> Result<Value, IrError> {
        let (origin, solver) = (builder.origin(), self.from.solver(solver));
        if self.expands {
            return self.solved(builder, (matrix, inverse), solver, operands);
        }
        let matrix = self.nested(builder, matrix, 1, &operands[1..])?;
        let inverse = inverse.map(|region| self.nested(builder, region, 2, &operands[1..])).transpose()?;
        builder.set_origin(origin);
        builder.linear_solve(solver, matrix, inverse, operands[0])
    }

    /// A copy of a region with `own` parameters before its captures.
    pub(super) fn nested(
        &mut self,
        builder: &mut Builder,
        region: Region,
        own: usize,
        captured: &[Value],
    ) -> Result<ClosedRegion, IrError> {
        builder.in_region(|builder| {
            let mut args = Vec::with_capacity(own + captured.len());
            for &param in &self.from.region(region).params[..own] {
                args.push(self.parameter(builder, param));
            }
            args.extend_from_slice(captured);
            self.region(builder, region, &args)
        })
    }

    /// A parameter like this one of the region under construction.
    pub(super) fn parameter(&self, builder: &mut Builder, param: Value) -> Value {
        builder.set_origin(self.provenance.map(self.from, param, &self.values));
        let copy = builder.param(self.from.ty(param));
        self.provenance.copy_name(builder, self.from, param, copy);
        copy
    }

    pub(super) fn custom(
        &mut self,
        builder: &mut Builder,
        primal: Region,
        rule: Region,
        operands: &[Value],
    ) -> Result<Vec<Value>, IrError> {
        let origin = builder.origin();
        let mut copy = |region| self.nested(builder, region, self.from.region(region).params.len(), &[]);
        let (primal, rule) = (copy(primal)?, copy(rule)?);
        builder.set_origin(origin);
        builder.custom(primal, rule, operands)
    }
}
