//! Reverse mode: a structure leaves an entry on the tape, and is run backwards from there.
//!
//! See Note [Recomputation] in [`structure`](super).

use crate::differentiate::Walk;
use crate::tape::{Entry, Structure, Tangent, Tape};
use crate::transpose::Backward;
use evolute_ir::{Inst, IrError, Op, Origin, Role, Value};

impl Walk<'_, Tape<'_>> {
    /// The rule of a structure of which an operand has a tangent: on the way forward.
    pub(crate) fn record_structure(&mut self, inst: Inst) -> Result<(), IrError> {
        self.find_activity(inst);
        let operands = self.body.operands(inst);
        let tangents: Vec<Option<Tangent>> = operands.iter().map(|&v| self.tangents[v]).collect();
        let results: Vec<Value> = self.body.results(inst).collect();
        let active: Vec<bool> =
            results.iter().map(|&v| self.active[v] && self.body.ty(v).elem.is_real()).collect();
        let carries = self.copy_structure(inst, active.contains(&true))?;
        let known = self.known_operands(inst);
        let count = results.first().map(|&v| self.known(v));
        let number = self.linear.record.structures.len() as u32;
        let mut entry = Some(Entry::Structure(number));
        let mut outputs = Vec::new();
        for (&result, active) in results.iter().zip(active) {
            let of = self.known(result);
            let tangent = active.then(|| self.linear.push(entry.take().unwrap_or(Entry::FurtherResult), of));
            self.tangents[result] = tangent;
            outputs.push(tangent);
        }
        self.linear.record.structures.push(Structure {
            inst,
            known,
            operands: tangents,
            results: outputs,
            carries,
            count,
        });
        Ok(())
    }

    /// Runs a structure backwards: from the cotangents of its results to those of its operands.
    pub(crate) fn transpose_structure(
        &mut self,
        backward: &mut Backward,
        structure: &Structure,
    ) -> Result<(), IrError> {
        if let Op::Call(id) = self.body.op(structure.inst) {
            return self.transpose_call(backward, structure, id);
        }
        let seeds = backward.seeds(self.linear.builder, &structure.results)?;
        if seeds.values.iter().all(Option::is_none) {
            return Ok(());
        }
        match self.body.op(structure.inst) {
            Op::Loop { body, spec, .. } => {
                let spec = self.body.loop_spec(spec);
                self.transpose_loop(backward, structure, (body, spec), &seeds)
            }
            Op::Cond { yes, no, sums } => {
                self.transpose_cond(backward, structure, [yes, no], sums as usize, &seeds)
            }
            Op::LinearSolve { .. } => {
                let cotangent = seeds.values[0].expect("it is there");
                self.transpose_solve(backward, structure, (cotangent, seeds.condition))
            }
            _ => unreachable!("other operations leave no entry"),
        }
    }

    pub(super) fn cotangent_origin(&mut self, of: Value) {
        let loc = self.linear.builder.program().value(of).origin.loc;
        let origin = Origin { loc, level: self.level, role: Role::Cotangent, of: Some(of) };
        self.linear.builder.set_origin(origin);
    }

    /// Says of a result of a structure that it is the cotangent of `of`. It stands on the structure's line, which is
    /// named where that fails.
    pub(super) fn originate_cotangent(&mut self, structure: &Structure, value: Value, of: Value) {
        self.cotangent_origin(of);
        let origin = self.linear.builder.origin();
        let first = self.body.results(structure.inst).next();
        let loc = first.map_or(origin.loc, |v| self.provenance.map(self.body, v, &self.known).loc);
        self.linear.builder.set_origin_of(value, Origin { loc, ..origin });
    }

    /// A parameter of the type of `like`: a cotangent's.
    pub(super) fn cotangent_param(&mut self, like: Value) -> Value {
        self.cotangent_origin(like);
        let ty = self.linear.builder.program().ty(like).clone();
        self.linear.builder.param(&ty)
    }

    /// Runs `body` with an empty record and gives the outer one back.
    pub(super) fn with_record<R>(
        &mut self,
        body: impl FnOnce(&mut Self) -> Result<R, IrError>,
    ) -> Result<R, IrError> {
        let outer = std::mem::take(&mut self.linear.record);
        let result = body(self);
        self.linear.record = outer;
        result
    }

    /// The active ones of these parameters as inputs of the record at hand.
    pub(super) fn inputs(&mut self, params: &[Value]) -> Vec<Tangent> {
        let mut inputs = Vec::new();
        for &param in params {
            if self.active[param] {
                let known = self.known(param);
                let input = self.linear.input(known);
                self.tangents[param] = Some(input);
                inputs.push(input);
            }
        }
        inputs
    }

    /// What was known and active on the way forward; another pass over the region may have come between.
    pub(super) fn restore(&mut self, structure: &Structure) {
        self.restore_known(structure);
        for (&operand, &tangent) in self.body.operands(structure.inst).iter().zip(&structure.operands) {
            self.tangents[operand] = tangent;
        }
        self.find_activity(structure.inst);
    }

    pub(super) fn restore_known(&mut self, structure: &Structure) {
        for (&operand, &known) in self.body.operands(structure.inst).iter().zip(&structure.known) {
            self.known[operand] = Some(known);
        }
    }
}
