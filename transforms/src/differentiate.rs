//! The jvp rule of every instruction, stated once: forward mode emits it, reverse mode transposes it.
//!
//! [`Walk`] goes through an operator-free program, copies each instruction as known code, and adds to each
//! value that depends on an active input its tangent, in the representation `L`. An inactive value has
//! no tangent: zeros are absent, not 0.0. A pointwise primitive contributes, for each active operand,
//! the partial of its row in THE table times the operand's tangent.

use crate::inline::Provenance;
use crate::linear::{Coefficient, Forward, Linear};
use crate::tape::Tape;
use crate::transpose::transpose;
use evolute_ir::{
    Builder, ExprBuilder, Inst, IrError, Level, Mode, Op, Origin, Partial, Prim, Program, Role, Table,
    TypeId, Value,
};
use smallvec::SmallVec;

/// Inserts the derivative of `body` into `builder`: the body's results, then their tangents
/// (`Forward`) or the cotangents of the active parameters (`Reverse`).
///
/// `args` are the body's parameters, of which the first `wrt` are active; `seeds` are the tangents of
/// these, or the cotangents of the results. `level` is the application's own, `provenance` carries what the
/// body knows of its values.
pub(crate) fn differentiate(
    builder: &mut Builder,
    body: &Program,
    provenance: Provenance,
    (mode, level): (Mode, Level),
    (args, wrt): (&[Value], usize),
    seeds: &[Value],
) -> Result<Vec<Value>, IrError> {
    match mode {
        Mode::Forward => {
            let origin = Origin { level, role: Role::Tangent, ..Origin::default() };
            let linear = Forward { builder, origin };
            let mut walk = Walk::new(body, linear, provenance, level, args);
            for (&param, &seed) in body.root().params.iter().zip(&seeds[..wrt]) {
                walk.tangents[param] = Some(seed);
            }
            walk.run()?;
            walk.forward_results()
        }
        Mode::Reverse => {
            let mut linear = Tape::new(builder);
            let inputs: Vec<_> = args[..wrt].iter().map(|&arg| linear.input(arg)).collect();
            let mut walk = Walk::new(body, linear, provenance, level, args);
            for (&param, &input) in body.root().params.iter().zip(&inputs) {
                walk.tangents[param] = Some(input);
            }
            walk.run()?;
            let results = &body.root().results;
            let outputs: Vec<_> =
                results.iter().map(|&v| walk.tangents[v]).zip(seeds.iter().copied()).collect();
            let mut all: Vec<Value> = results.iter().map(|&v| walk.known(v)).collect();
            let origin = Origin { level, role: Role::Cotangent, ..Origin::default() };
            all.extend(transpose(&mut walk.linear, &outputs, &inputs, origin)?);
            Ok(all)
        }
    }
}

/// The terms of a linear combination: no primitive has more than three operands.
type Terms<L> = SmallVec<[(Coefficient, <L as Linear>::Tangent); 3]>;

struct Walk<'a, L: Linear> {
    body: &'a Program,
    linear: L,
    provenance: Provenance,
    level: Level,
    /// The known value of each of the body's.
    known: Table<Value, Option<Value>>,
    /// Its tangent, if it depends on an active parameter.
    tangents: Table<Value, Option<L::Tangent>>,
}

impl<'a, L: Linear> Walk<'a, L> {
    fn new(body: &'a Program, linear: L, provenance: Provenance, level: Level, args: &[Value]) -> Self {
        let count = body.values().len();
        let mut known = Table::filled(count, None);
        for (&param, &arg) in body.root().params.iter().zip(args) {
            known[param] = Some(arg);
        }
        Walk { body, linear, provenance, level, known, tangents: Table::filled(count, None) }
    }

    fn known(&self, value: Value) -> Value {
        self.known[value].expect("definitions precede uses")
    }

    fn run(&mut self) -> Result<(), IrError> {
        let mut known = Vec::new();
        for &inst in &self.body.root().insts {
            let result = self.body.result(inst);
            let operands = self.body.operands(inst);
            known.clear();
            known.extend(operands.iter().map(|&v| self.known(v)));
            let origin = self.provenance.map(self.body, result, &self.known);
            let builder = self.linear.builder();
            builder.set_origin(origin);
            let op = self.provenance.map_op(builder, self.body, self.body.op(inst));
            let value = builder.insert(op, &known)?;
            self.provenance.copy_name(builder, self.body, result, value);
            self.known[result] = Some(value);
            if self.body.ty(result).elem.is_real() && operands.iter().any(|&v| self.tangents[v].is_some()) {
                self.tangents[result] = self.tangent(inst, op, &known, value)?;
            }
        }
        Ok(())
    }

    /// The tangent of `result`, given that an operand has one.
    fn tangent(
        &mut self,
        inst: Inst,
        op: Op,
        known: &[Value],
        result: Value,
    ) -> Result<Option<L::Tangent>, IrError> {
        let operands = self.body.operands(inst);
        let tangent = |n: usize| self.tangents[operands[n]];
        let mut terms: Terms<L> = SmallVec::new();
        match op {
            Op::Const(_) => {}
            Op::Prim(prim) => return self.tangent_of_prim(prim, operands, known, result),
            Op::Cast(to) => {
                let from_real = self.body.ty(operands[0]).elem.is_real();
                terms.extend(tangent(0).filter(|_| from_real).map(|t| (Coefficient::Cast(to), t)));
            }
            Op::Select => {
                terms.extend(tangent(1).map(|t| (Coefficient::When(known[0], true), t)));
                terms.extend(tangent(2).map(|t| (Coefficient::When(known[0], false), t)));
            }
            Op::Element(index) => {
                let Some(array) = tangent(0) else { return Ok(None) };
                return self.linear.element(array, index, result).map(Some);
            }
            Op::Pack(ty) => return self.tangent_of_pack(ty, operands, result).map(Some),
            Op::Iota(_)
            | Op::View(..)
            | Op::Spread(..)
            | Op::Reduce(..)
            | Op::Dot
            | Op::At
            | Op::AddAt
            | Op::Loop { .. }
            | Op::Cond { .. }
            | Op::Jvp { .. }
            | Op::Vjp { .. } => unreachable!("operators are removed innermost first"),
        }
        if terms.is_empty() { Ok(None) } else { self.linear.combine(&terms, result).map(Some) }
    }

    fn tangent_of_pack(
        &mut self,
        ty: TypeId,
        operands: &[Value],
        result: Value,
    ) -> Result<L::Tangent, IrError> {
        let elements: Vec<_> = operands.iter().map(|&v| self.tangents[v]).collect();
        self.linear.pack(ty, &elements, result)
    }

    fn tangent_of_prim(
        &mut self,
        prim: Prim,
        operands: &[Value],
        known: &[Value],
        result: Value,
    ) -> Result<Option<L::Tangent>, IrError> {
        let loc = self.linear.builder().program().value(result).origin.loc;
        let origin = Origin { loc, level: self.level, role: Role::Primal, of: None };
        let mut terms: Terms<L> = SmallVec::new();
        for (index, &operand) in operands.iter().enumerate() {
            let Some(tangent) = self.tangents[operand] else { continue };
            let builder = self.linear.builder();
            builder.set_origin(origin);
            let partial = partial(builder, prim, index, known, result)?;
            let coefficient = match partial {
                Partial::Zero => continue,
                Partial::One => Coefficient::One,
                Partial::MinusOne => Coefficient::MinusOne,
                Partial::When(condition) => Coefficient::When(condition, true),
                Partial::Times(k) => Coefficient::Times(k),
            };
            terms.push((coefficient, tangent));
        }
        if terms.is_empty() {
            return Ok(None);
        }
        let sum = self.linear.combine(&terms, result)?;
        match prim.divisor(known, result) {
            None => Ok(Some(sum)),
            Some(divisor) => self.linear.combine(&[(Coefficient::Over(divisor), sum)], result).map(Some),
        }
    }
}

impl Walk<'_, Forward<'_>> {
    /// The results and their tangents; an absent one leaves the body as zeros.
    fn forward_results(mut self) -> Result<Vec<Value>, IrError> {
        let results = &self.body.root().results;
        let mut all: Vec<Value> = results.iter().map(|&v| self.known(v)).collect();
        for (index, &result) in results.iter().enumerate() {
            let tangent = match self.tangents[result] {
                Some(tangent) => tangent,
                None => crate::linear::constant_like(self.linear.builder(), all[index], 0.0)?,
            };
            all.push(tangent);
        }
        Ok(all)
    }
}

fn partial(
    builder: &mut Builder,
    prim: Prim,
    index: usize,
    known: &[Value],
    result: Value,
) -> Result<Partial, IrError> {
    let exprs = ExprBuilder::new(builder);
    let partial = {
        let operands: SmallVec<[_; 3]> = known.iter().map(|&v| exprs.expr(v)).collect();
        prim.partial(index, &operands, exprs.expr(result))
    };
    exprs.finish()?;
    Ok(partial)
}
