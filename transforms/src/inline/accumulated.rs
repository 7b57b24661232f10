//! Copying loops that add what they stacked.

use super::Copy;
use evolute_ir::{Builder, Inst, IrError, LoopId, LoopSpec, Op, Region, Value};

impl Copy<'_> {
    /// A copy of a loop with sums in place of some of its stacks: where these stood in its results, what they are added to.
    pub(super) fn accumulating(
        &mut self,
        builder: &mut Builder,
        inst: Inst,
        (body, spec): (Region, LoopId),
        operands: &[Value],
        added: &[(Value, Inst)],
    ) -> Result<Vec<Value>, IrError> {
        let (origin, spec) = (builder.origin(), self.from.loop_spec(spec));
        let (own, captured) = operands.split_at(spec.own_operands());
        let stacks: Vec<usize> = added.iter().map(|&(stack, _)| self.given(inst, spec, stack)).collect();
        let adds: Vec<Inst> = added.iter().map(|&(_, add)| add).collect();
        let body = {
            builder.open_region();
            let given = self.accumulating_body(builder, body, spec, captured, (&stacks, &adds));
            let closed = builder.close_region(given.as_deref().unwrap_or_default());
            given?;
            closed?
        };
        builder.set_origin(origin);
        let sums = adds.iter().map(|&add| self.at(self.from.operands(add)[0]));
        let operands: Vec<Value> = own.iter().copied().chain(sums).collect();
        let wider = LoopSpec { sums: spec.sums + adds.len() as u32, ..spec };
        let mut results = builder.looping(wider, None, body, &operands)?;
        let sums = results.split_off(results.len() - adds.len());
        self.added.extend(adds);
        let head = spec.first_carry_result();
        for (&stack, sum) in stacks.iter().zip(sums) {
            results.insert(head + stack, sum);
        }
        Ok(results)
    }

    /// The number of the body's result that a stack is made of.
    fn given(&self, inst: Inst, spec: LoopSpec, stack: Value) -> usize {
        let number =
            self.from.results(inst).position(|result| result == stack).expect("a result of the loop");
        number - spec.first_carry_result()
    }

    fn accumulating_body(
        &mut self,
        builder: &mut Builder,
        body: Region,
        spec: LoopSpec,
        captured: &[Value],
        (stacks, adds): (&[usize], &[Inst]),
    ) -> Result<Vec<Value>, IrError> {
        let from = self.from;
        let mut args: Vec<Value> = Vec::new();
        for &param in &from.region(body).params[..spec.own_params()] {
            args.push(self.parameter(builder, param));
        }
        let sums: Vec<Value> =
            adds.iter().map(|&add| self.parameter(builder, from.operands(add)[0])).collect();
        let number = args[0];
        args.extend_from_slice(captured);
        let mut given = self.region(builder, body, &args)?;
        let rows: Vec<Value> = stacks.iter().map(|&stack| given[stack]).collect();
        for &stack in stacks.iter().rev() {
            given.remove(stack);
        }
        for ((sum, row), &add) in sums.into_iter().zip(rows).zip(adds) {
            builder.set_origin(self.provenance.map(from, from.result(add), &self.values));
            given.push(builder.insert(Op::AddAt, &[sum, row, number])?);
        }
        Ok(given)
    }
}
