//! The invariants of operations with regions and of calls: their types, and what becomes of sums.

use super::Verifier;
use crate::entity::{Inst, Region, Value};
use crate::op::Op;
use crate::signature::{Signature, list, signature};
use crate::types::{Shape, Type};
use rustc_hash::FxHashMap;

impl Verifier<'_> {
    pub(super) fn with_regions(&mut self, inst: Inst, op: Op, operands: &[Value]) {
        let program = self.program;
        let Some(bodies) = op.regions().map(|region| program.regions.get(region)).collect::<Option<Vec<_>>>()
        else {
            return;
        };
        let mut values = bodies.iter().flat_map(|body| body.params.iter().chain(&body.results));
        let known = match op {
            Op::Loop { spec, .. } => program.loops.get(spec).is_some(),
            Op::Call(id) => program.callees.get(id).is_some(),
            Op::LinearSolve { solver, .. } => program.solvers.get(solver).is_some(),
            _ => true,
        };
        if !known || !values.all(|&v| self.exists(v)) {
            return;
        }
        let expected = match signature(program, op) {
            Ok(signature) => signature,
            Err(error) => return self.require_inst(inst, false, || error.to_string()),
        };
        let fits = |values: &[Value], types: &[Type]| values.iter().map(|&v| program.ty(v)).eq(types);
        let Signature { operands: takes, results: gives, .. } = &expected;
        self.require_inst(inst, fits(operands, takes), || format!("it takes {}", list(takes)));
        let long = gives.iter().any(|ty| ty.shape.is_past_limit());
        self.require_inst(inst, !long, || format!("it gives at most {} elements", Shape::MAX_ELEMENTS));
        let results: Vec<Value> = program.results_in_range(inst).collect();
        self.require_inst(inst, fits(&results, gives), || format!("it gives {}", list(gives)));
        match op {
            Op::Loop { body, spec, .. } => {
                let spec = program.loops[spec];
                let first = spec.own_params() - spec.sums as usize;
                self.sums(inst, body, first, spec.sums as usize);
            }
            Op::Cond { yes, no, sums } => {
                self.sums(inst, yes, 0, sums as usize);
                self.sums(inst, no, 0, sums as usize);
            }
            _ => {}
        }
    }

    /// Invariant 13: the sums of a region, whose parameters stand from `first` on.
    fn sums(&mut self, inst: Inst, region: Region, first: usize, count: usize) {
        if count == 0 {
            return;
        }
        let program = self.program;
        let (body, uses) = (&program.regions[region], self.uses(region));
        for number in 0..count {
            let mut sum = body.params[first + number];
            let last = body.results[body.results.len() - count + number];
            while let Some(next) = uses.get(&sum).and_then(|uses| self.added_to(uses)) {
                sum = next;
            }
            let given = sum == last && uses.get(&sum).is_some_and(|uses| uses.results == 1);
            self.require_inst(inst, given, || format!("{sum} is not only added to, and given as a sum"));
        }
    }

    /// How the values of a region are used in it.
    fn uses(&self, region: Region) -> FxHashMap<Value, Uses> {
        let body = &self.program.regions[region];
        let mut uses: FxHashMap<Value, Uses> = FxHashMap::default();
        for &result in &body.results {
            uses.entry(result).or_default().results += 1;
        }
        for &inst in &body.insts {
            let operands = self.program.operand_list(inst).unwrap_or_default();
            for (place, &operand) in operands.iter().enumerate() {
                let uses = uses.entry(operand).or_default();
                (uses.operands, uses.last) = (uses.operands + 1, Some((inst, place)));
            }
        }
        uses
    }

    /// What becomes of a sum by its only use in the region, if that is an addition.
    fn added_to(&self, uses: &Uses) -> Option<Value> {
        let program = self.program;
        let &Uses { results: 0, operands: 1, last: Some((user, place)) } = uses else { return None };
        let result = match program.op(user) {
            Op::AddAt if place == 0 => 0,
            Op::Loop { spec, .. } => {
                let spec = program.loops.get(spec)?;
                let sums = spec.own_operands() - spec.sums as usize..spec.own_operands();
                let results = program.insts[user].result_count as usize;
                (results + place).checked_sub(sums.end).filter(|_| sums.contains(&place))?
            }
            Op::Cond { sums, .. } => {
                let results = program.insts[user].result_count as usize;
                (results + place)
                    .checked_sub(1 + sums as usize)
                    .filter(|_| (1..=sums as usize).contains(&place))?
            }
            _ => return None,
        };
        program.results_in_range(user).nth(result)
    }
}

/// How a value is used in its region.
#[derive(Default)]
struct Uses {
    /// How often the region gives it.
    results: usize,
    /// How often instructions take it.
    operands: usize,
    /// The last of these, and as which operand.
    last: Option<(Inst, usize)>,
}
