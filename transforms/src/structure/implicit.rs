//! What has a derivative that is not that of its own steps: functions with a rule, and linear systems.
//!
//! A rule gives tangents `g(x, y, u)`, linear in `u`. What a linear function does to a tangent is its derivative with
//! respect to `u` along the tangent, wherever that is taken: here at `u = 0`. So the rule's region is walked as any other
//! code, with tangents on `u` alone, and so is differentiated in either mode; its known part, of zeros, is dead. The
//! instruction itself is kept as known code and differentiated by its rule again at the next order, while what the
//! rule has computed is by then code like any other.
//!
//! A solution `x` of `A x = b` has the tangent `ẋ` with `A ẋ = ḃ − Ȧ x`, and the transpose of solving with `A` is solving
//! with its transpose: no derivative goes through the iterations of a solver. What the user knows of the inverse is known
//! code in all of these systems.

use crate::differentiate::Walk;
use crate::linear::{Coefficient, Forward, Linear, constant_like};
use crate::share::Share;
use crate::tape::{Entry, Structure, Tangent, Tape};
use crate::transpose::{Backward, seed};
use evolute_ir::{ClosedRegion, Inst, IrError, Op, Origin, Region, Solver, Value};

impl<L: Linear> Walk<'_, L> {
    /// The tangents of a function's results by its rule.
    pub(crate) fn custom(&mut self, inst: Inst, rule: Region) -> Result<(), IrError> {
        self.copy_structure(inst, false)?;
        let operands = self.body.operands(inst);
        let results: Vec<Value> = self.body.results(inst).collect();
        let reals = |values: &[Value]| -> Vec<Value> {
            values.iter().copied().filter(|&v| self.body.ty(v).elem.is_real()).collect()
        };
        let (active, derived) = (reals(operands), reals(&results));
        let data = self.body.region(rule);
        let (directions, points) = data.params.split_at(active.len());
        let (values, args) = points.split_at(results.len());
        self.captured(values, &results);
        self.captured(args, operands);
        for (&direction, &operand) in directions.iter().zip(&active) {
            self.known[direction] = Some(self.zero_like(operand)?);
            self.tangents[direction] = self.tangents[operand];
        }
        self.region(rule)?;
        for (&result, &given) in derived.iter().zip(&data.results) {
            self.tangents[result] = self.tangents[given];
        }
        Ok(())
    }

    fn zero_like(&mut self, value: Value) -> Result<Value, IrError> {
        let known = self.known(value);
        self.originate_partial(known);
        constant_like(self.linear.builder(), known, 0.0)
    }

    /// The tangent of a solution.
    pub(crate) fn linear_solve(&mut self, inst: Inst, matrix: Region) -> Result<(), IrError> {
        self.copy_structure(inst, false)?;
        let (operands, result) = (self.body.operands(inst), self.body.result(inst));
        let x = self.known(result);
        let mut terms: Vec<_> =
            self.tangents[operands[0]].map(|b| (Coefficient::One, b)).into_iter().collect();
        let data = self.body.region(matrix);
        self.capture_pairs(&data.params[1..], &operands[1..]);
        if operands[1..].iter().any(|&v| self.tangents[v].is_some()) {
            self.known[data.params[0]] = Some(x);
            self.tangents[data.params[0]] = None;
            self.region(matrix)?;
            terms.extend(self.tangents[data.results[0]].map(|moved| (Coefficient::MinusOne, moved)));
        }
        if !terms.is_empty() {
            let rhs = self.linear.combine(&terms, x)?;
            self.tangents[result] = Some(L::solve(self, inst, rhs, x)?);
        }
        Ok(())
    }

    /// A copy, as known code, of a region that captures nothing.
    pub(super) fn copy_closed(&mut self, region: Region) -> Result<ClosedRegion, IrError> {
        let data = self.body.region(region);
        self.nested(|walk| {
            for &param in &data.params {
                walk.param(param);
            }
            walk.copy_region(region)?;
            Ok(walk.known_all(&data.results))
        })
    }

    /// A copy of a system's matrix.
    pub(super) fn copy_matrix(&mut self, inst: Inst, matrix: Region) -> Result<ClosedRegion, IrError> {
        let data = self.body.region(matrix);
        let operands = self.body.operands(inst);
        self.nested(|walk| {
            walk.param(data.params[0]);
            walk.captured(&data.params[1..], &operands[1..]);
            walk.copy_region(matrix)?;
            Ok(walk.known_all(&data.results))
        })
    }

    /// A copy of what is known of the inverse: of a system, or of the transposed one.
    pub(super) fn copy_inverse(
        &mut self,
        inst: Inst,
        inverse: Region,
        transposed: bool,
    ) -> Result<ClosedRegion, IrError> {
        let data = self.body.region(inverse);
        let operands = self.body.operands(inst);
        let order = if transposed { [1, 0] } else { [0, 1] };
        self.nested(|walk| {
            for number in order {
                walk.param(data.params[number]);
            }
            walk.captured(&data.params[2..], &operands[1..]);
            walk.copy_region(inverse)?;
            Ok(order.map(|number| walk.known(data.results[number])).to_vec())
        })
    }

    fn system(&self, inst: Inst) -> (Region, Option<Region>, Solver) {
        match self.body.op(inst) {
            Op::LinearSolve { matrix, inverse, solver } => (matrix, inverse, self.body.solver(solver)),
            _ => unreachable!("it is a linear system"),
        }
    }
}

impl Walk<'_, Forward<'_>> {
    pub(crate) fn forward_solve(&mut self, inst: Inst, rhs: Value, of: Value) -> Result<Value, IrError> {
        let (matrix, inverse, solver) = self.system(inst);
        let matrix = self.copy_matrix(inst, matrix)?;
        let inverse = inverse.map(|region| self.copy_inverse(inst, region, false)).transpose()?;
        self.linear.derivative_of(of);
        self.linear.builder.linear_solve(solver, matrix, inverse, rhs)
    }
}

impl Walk<'_, Tape<'_>> {
    pub(crate) fn record_solve(&mut self, inst: Inst, rhs: Tangent, of: Value) -> Result<Tangent, IrError> {
        let known = self.known_operands(inst);
        let number = self.linear.record.structures.len() as u32;
        let tangent = self.linear.push(Entry::Structure(number), of);
        self.linear.record.structures.push(Structure {
            inst,
            known,
            operands: vec![Some(rhs)],
            results: vec![Some(tangent)],
            carries: Vec::new(),
            count: None,
        });
        Ok(tangent)
    }

    /// The cotangent of a right-hand side solves the transposed system.
    pub(super) fn transpose_solve(
        &mut self,
        backward: &mut Backward,
        structure: &Structure,
        (cotangent, condition): (Value, Option<Value>),
    ) -> Result<(), IrError> {
        self.restore_known(structure);
        let (matrix, inverse, solver) = self.system(structure.inst);
        // A system that is not asked for is to be solvable.
        let cotangent = seed(self.linear.builder, cotangent, condition)?.plain(self.linear.builder)?;
        let rhs = structure.operands[0].expect("a right-hand side with a tangent");
        let transposed = match solver.method.is_symmetric() {
            true => self.copy_matrix(structure.inst, matrix)?,
            false => self.transposed(structure, matrix)?,
        };
        let inverse = inverse.map(|region| self.copy_inverse(structure.inst, region, true)).transpose()?;
        self.cotangent_origin(structure.known[0]);
        // What does not converge is the user's system.
        let loc = self.provenance.map(self.body, self.body.result(structure.inst), &self.known).loc;
        let origin = Origin { loc, ..self.linear.builder.origin() };
        self.linear.builder.set_origin(origin);
        let solution = self.linear.builder.linear_solve(solver, transposed, inverse, cotangent)?;
        let share = seed(self.linear.builder, solution, condition)?;
        backward.add(self.linear.builder, rhs, share)
    }

    /// The transposed matrix. The matrix is linear, so it is differentiated at 0.
    fn transposed(&mut self, structure: &Structure, matrix: Region) -> Result<ClosedRegion, IrError> {
        let data = self.body.region(matrix);
        let operands = self.body.operands(structure.inst);
        self.nested(|walk| {
            walk.with_record(|walk| {
                let seed = walk.cotangent_param(structure.known[0]);
                walk.captured(&data.params[1..], &operands[1..]);
                let zero = walk.zero_like(operands[0])?;
                let input = walk.linear.input(zero);
                walk.known[data.params[0]] = Some(zero);
                walk.tangents[data.params[0]] = Some(input);
                walk.region(matrix)?;
                let outputs = [(walk.tangents[data.results[0]], Share::of(seed))];
                let origin = Origin { level: walk.level, ..Origin::default() };
                let (moved, _) = walk.transpose(&outputs, &[input], &[], origin)?;
                Ok(moved.into_iter().map(|(value, _)| value).collect())
            })
        })
    }
}
