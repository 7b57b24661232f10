//! Operations with regions, and calls: copying them, and the rules of their derivatives.
//!
//! | module | holds |
//! | --- | --- |
//! | `activity` | which values of a nested region depend on an active one |
//! | `calls` | calls of functions |
//! | `implicit` | functions with a rule of their own, and linear systems |
//! | `forward` | tangents run beside the values: one loop computes both |
//! | `reverse`, `reverse_cond`, `reverse_loop` | what the way forward leaves for the way back, and the way back |
//!
//! Note [Recomputation]: the reverse of a loop computes again, in each of its iterations, what the derivative needs
//! of that iteration. So nothing is stored between the two loops but the carries, which cannot be had again
//! without running the loop from its start. What is computed again and not needed is dead code. Of carries that are arrays
//! a pass then stacks what is needed alone (Note \[Residuals\] in `residuals.rs`).

mod activity;
mod calls;
mod forward;
mod implicit;
mod reverse;
mod reverse_cond;
mod reverse_loop;

pub(crate) use activity::active_results;

use crate::differentiate::Walk;
use crate::linear::Linear;
use evolute_ir::{ClosedRegion, Inst, IrError, LoopSpec, Op, Region, Trips, Value};

/// The parts of a loop's operands, parameters or results, or of what there is for each of them.
pub(crate) struct LoopParts<'a, T = Value> {
    pub(crate) carries: &'a [T],
    pub(crate) rows: &'a [T],
    pub(crate) stacks: &'a [T],
    pub(crate) sums: &'a [T],
    pub(crate) captures: &'a [T],
}

/// The operands of a loop but for its count.
pub(crate) fn operand_parts<'a, T>(spec: &LoopSpec, operands: &'a [T]) -> LoopParts<'a, T> {
    let (own, captures) =
        operands[spec.first_carry_operand()..].split_at((spec.carries + spec.rows + spec.sums) as usize);
    let (carries, rest) = own.split_at(spec.carries as usize);
    let (rows, sums) = rest.split_at(spec.rows as usize);
    LoopParts { carries, rows, stacks: &[], sums, captures }
}

/// The parameters of a loop's body but for the iteration number.
pub(crate) fn param_parts<'a>(spec: &LoopSpec, params: &'a [Value]) -> LoopParts<'a> {
    let (own, captures) = params[1..].split_at(spec.own_params() - 1);
    let (carries, rest) = own.split_at(spec.carries as usize);
    let (rows, sums) = rest.split_at(spec.rows as usize);
    LoopParts { carries, rows, stacks: &[], sums, captures }
}

/// The results of a loop's body, or of the loop but for the count of a `while`.
pub(crate) fn result_parts<'a, T>(spec: &LoopSpec, results: &'a [T]) -> LoopParts<'a, T> {
    let (carries, rest) = results.split_at(spec.carries as usize);
    let (stacks, sums) = rest.split_at(rest.len() - spec.sums as usize);
    LoopParts { carries, rows: &[], stacks, sums, captures: &[] }
}

impl<L: Linear> Walk<'_, L> {
    /// Copies a region as known code; its parameters are known.
    pub(crate) fn copy_region(&mut self, region: Region) -> Result<(), IrError> {
        for &inst in &self.body.region(region).insts {
            match self.body.op(inst).is_structure() {
                true => _ = self.copy_structure(inst, false)?,
                false => {
                    let known = self.known_operands(inst);
                    self.copy_plain(inst, &known)?;
                }
            }
        }
        Ok(())
    }

    /// Opens a region, runs `body` in it, and closes it on the values that this gives.
    pub(crate) fn nested(
        &mut self,
        body: impl FnOnce(&mut Self) -> Result<Vec<Value>, IrError>,
    ) -> Result<ClosedRegion, IrError> {
        self.linear.builder().open_region();
        let results = body(self);
        // An error leaves no region open behind it.
        let closed = self.linear.builder().close_region(results.as_deref().unwrap_or_default());
        results?;
        closed
    }

    /// A parameter of the region under construction for one of the body's, which becomes known.
    pub(crate) fn param(&mut self, param: Value) -> Value {
        self.originate(param);
        let ty = self.body.ty(param);
        let copy = self.linear.builder().param(ty);
        let builder = self.linear.builder();
        self.provenance.copy_name(builder, self.body, param, copy);
        self.known[param] = Some(copy);
        self.tangents[param] = None;
        copy
    }

    /// Captured values are what they are outside.
    pub(crate) fn captured(&mut self, params: &[Value], operands: &[Value]) {
        for (&param, &outer) in params.iter().zip(operands) {
            self.known[param] = self.known[outer];
            self.tangents[param] = None;
        }
    }

    /// Captured values with their tangents.
    pub(crate) fn capture_pairs(&mut self, params: &[Value], operands: &[Value]) {
        self.captured(params, operands);
        for (&param, &operand) in params.iter().zip(operands) {
            self.tangents[param] = self.tangents[operand];
        }
    }

    pub(crate) fn known_all(&self, values: &[Value]) -> Vec<Value> {
        values.iter().map(|&v| self.known(v)).collect()
    }

    /// Results of a structure become known.
    pub(crate) fn define(&mut self, inst: Inst, copies: &[Value]) {
        for (result, &copy) in self.body.results(inst).zip(copies) {
            let origin = self.provenance.map(self.body, result, &self.known);
            let builder = self.linear.builder();
            builder.set_origin_of(copy, origin);
            self.provenance.copy_name(builder, self.body, result, copy);
            self.known[result] = Some(copy);
            self.tangents[result] = None;
        }
    }

    /// The condition of a `while`, which sees the first of its carries; `further` parameters follow them.
    pub(crate) fn copy_condition(
        &mut self,
        region: Region,
        spec: &LoopSpec,
        operands: &[Value],
        further: &[Value],
    ) -> Result<ClosedRegion, IrError> {
        let data = self.body.region(region);
        let (own, captures) = data.params.split_at(1 + spec.carries as usize);
        self.nested(|walk| {
            for &param in own {
                walk.param(param);
            }
            for &like in further {
                let ty = walk.linear.builder().program().ty(like).clone();
                walk.linear.builder().param(&ty);
            }
            walk.captured(captures, &operands[spec.own_operands()..]);
            walk.copy_region(region)?;
            Ok(walk.known_all(&data.results))
        })
    }

    /// Copies an operation with regions, or a call, as known code. The results that are given beside the copies are a loop's
    /// carries as each iteration finds them, stacked, if these are wanted.
    pub(crate) fn copy_structure(&mut self, inst: Inst, stack_carries: bool) -> Result<Vec<Value>, IrError> {
        let operands = self.body.operands(inst);
        match self.body.op(inst) {
            Op::Loop { body, condition, spec } => {
                let spec = self.body.loop_spec(spec);
                self.copy_loop(inst, (body, condition), spec, stack_carries)
            }
            Op::Cond { yes, no, sums } => {
                let mut branch = |region: Region| {
                    let data = self.body.region(region);
                    self.nested(|walk| {
                        for &param in &data.params[..sums as usize] {
                            walk.param(param);
                        }
                        walk.captured(&data.params[sums as usize..], &operands[1 + sums as usize..]);
                        walk.copy_region(region)?;
                        Ok(walk.known_all(&data.results))
                    })
                };
                let (yes, no) = (branch(yes)?, branch(no)?);
                self.originate_inst(inst);
                let known = self.known_all(&operands[..=sums as usize]);
                let results = self.linear.builder().conditional(known[0], yes, no, &known[1..])?;
                self.define(inst, &results);
                Ok(Vec::new())
            }
            Op::Call(id) => {
                self.copy_call(inst, id)?;
                Ok(Vec::new())
            }
            Op::Custom { primal, rule } => {
                let (primal, rule) = (self.copy_closed(primal)?, self.copy_closed(rule)?);
                self.originate_inst(inst);
                let known = self.known_all(operands);
                let results = self.linear.builder().custom(primal, rule, &known)?;
                self.define(inst, &results);
                Ok(Vec::new())
            }
            Op::LinearSolve { matrix, inverse, solver } => {
                let matrix = self.copy_matrix(inst, matrix)?;
                let inverse = inverse.map(|region| self.copy_inverse(inst, region, false)).transpose()?;
                self.originate_inst(inst);
                let (b, solver) = (self.known(operands[0]), self.body.solver(solver));
                let solution = self.linear.builder().linear_solve(solver, matrix, inverse, b)?;
                self.define(inst, &[solution]);
                Ok(Vec::new())
            }
            _ => unreachable!("derivative operators are removed innermost first"),
        }
    }

    fn copy_loop(
        &mut self,
        inst: Inst,
        (body, condition): (Region, Option<Region>),
        spec: LoopSpec,
        stack_carries: bool,
    ) -> Result<Vec<Value>, IrError> {
        let operands = self.body.operands(inst);
        let condition = match condition {
            Some(region) => Some(self.copy_condition(region, &spec, operands, &[])?),
            None => None,
        };
        let data = self.body.region(body);
        let (own, captures) = data.params.split_at(spec.own_params());
        let closed = self.nested(|walk| {
            let own: Vec<Value> = own.iter().map(|&param| walk.param(param)).collect();
            walk.captured(captures, &operands[spec.own_operands()..]);
            walk.copy_region(body)?;
            let mut results = walk.known_all(&data.results);
            if stack_carries {
                let sums = results.split_off(results.len() - spec.sums as usize);
                results.extend_from_slice(&own[1..=spec.carries as usize]);
                results.extend(sums);
            }
            Ok(results)
        })?;
        self.originate_inst(inst);
        let known = self.known_all(&operands[..spec.own_operands()]);
        let mut results = self.linear.builder().looping(spec, condition, closed, &known)?;
        let mut stacked = Vec::new();
        if stack_carries {
            let sums = results.len() - spec.sums as usize;
            stacked = results.drain(sums - spec.carries as usize..sums).collect();
        }
        self.define(inst, &results);
        Ok(stacked)
    }

    /// What is inserted from now on comes from where the instruction does.
    pub(crate) fn originate_inst(&mut self, inst: Inst) {
        if let Some(result) = self.body.results(inst).next() {
            self.originate(result);
        }
    }
}

/// The number of iterations as an operand of another loop over the same iterations.
pub(crate) fn same_trips(trips: Trips, count: Option<Value>) -> (Trips, Option<Value>) {
    match trips {
        Trips::Fixed(_) => (trips, None),
        Trips::Counted(cap) | Trips::While(cap) => (Trips::Counted(cap), count),
    }
}
