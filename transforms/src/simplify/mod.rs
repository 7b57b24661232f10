//! Simplification: the rewrites of [`rules`] to a fixpoint, with global value numbering, constant folding and
//! removal of dead code.
//!
//! A round rebuilds the program through a [`Builder`](evolute_ir::Builder) that shares every repeated
//! instruction and folds constants; each instruction is offered to the rules with its operands already
//! simplified. Rounds end when nothing was rewritten and nothing died.
//!
//! **Termination.** Weigh a program by the sum over its instructions of the weight of each: every rule
//! replaces its root by a combination of its operands' operands that weighs less, or, at equal weight,
//! moves a negation or a constant one step towards the results. Neither can go on forever.

pub mod rules;

use crate::inline::Provenance;
use crate::pipeline::FpMode;
use evolute_ir::{
    Builder, Elem, IrError, Literal, Op, Prim, Program, Table, Value, without_dead_code,
};
use rules::Rewrite;
use std::collections::BTreeMap;

/// More rounds than any program is known to need; reaching it costs speed, not correctness.
const MAX_ROUNDS: usize = 8;

/// A simplified program and how often each rewrite applied.
pub struct Simplified {
    /// The program.
    pub program: Program,
    /// Applications by the rewrite's name.
    pub applied: BTreeMap<&'static str, usize>,
}

/// Simplifies an operator-free program.
///
/// # Errors
/// None for a valid program.
pub fn simplify(program: &Program, mode: FpMode) -> Result<Simplified, IrError> {
    let mut program = without_dead_code(program);
    let mut applied = BTreeMap::new();
    for _ in 0..MAX_ROUNDS {
        let mut round = Round::new(&program, mode);
        let rebuilt = round.run()?;
        let changed = !round.applied.is_empty();
        for (name, count) in round.applied {
            *applied.entry(name).or_insert(0) += count;
        }
        let before = program.len();
        program = without_dead_code(&rebuilt);
        if !changed && program.len() == before {
            break;
        }
    }
    Ok(Simplified { program, applied })
}

/// One rebuild of a program.
pub(crate) struct Round<'a> {
    from: &'a Program,
    to: Builder,
    mode: FpMode,
    values: Table<Value, Option<Value>>,
    applied: BTreeMap<&'static str, usize>,
}

impl<'a> Round<'a> {
    fn new(from: &'a Program, mode: FpMode) -> Self {
        let to = Builder::sharing_globally();
        Round { from, to, mode, values: Table::filled(from.values().len(), None), applied: BTreeMap::new() }
    }

    fn run(&mut self) -> Result<Program, IrError> {
        let from = self.from;
        let provenance = Provenance::new(&mut self.to, from);
        for &param in &from.root().params {
            self.to.set_origin(provenance.map(from, param, &self.values));
            let value = self.to.param(from.ty(param));
            provenance.copy_name(&mut self.to, from, param, value);
            self.values[param] = Some(value);
        }
        let mut operands = Vec::new();
        for &inst in &from.root().insts {
            operands.clear();
            operands.extend(from.operands(inst).iter().map(|&v| self.at(v)));
            let result = from.result(inst);
            self.to.set_origin(provenance.map(from, result, &self.values));
            let op = provenance.map_op(&mut self.to, from, from.op(inst));
            let value = self.emit(op, &operands)?;
            provenance.copy_name(&mut self.to, from, result, value);
            self.values[result] = Some(value);
        }
        let results: Vec<Value> = from.root().results.iter().map(|&v| self.at(v)).collect();
        std::mem::take(&mut self.to).finish(&results)
    }

    fn at(&self, value: Value) -> Value {
        self.values[value].expect("definitions precede uses")
    }

    /// Inserts an instruction, rewritten if a rule applies.
    pub(crate) fn emit(&mut self, op: Op, operands: &[Value]) -> Result<Value, IrError> {
        for rewrite in Rewrite::of(op) {
            if !rewrite.exact && self.mode == FpMode::Strict {
                continue;
            }
            if let Some(value) = (rewrite.apply)(self, operands) {
                *self.applied.entry(rewrite.name).or_insert(0) += 1;
                return value;
            }
        }
        self.to.insert(op, operands)
    }

    // ── what rules ask of values ────────────────────────────────────────────────────────────────

    /// The operands of `value` if it is the result of `prim`.
    pub(crate) fn match_prim<const N: usize>(&self, prim: Prim, value: Value) -> Option<[Value; N]> {
        let program = self.to.program();
        let inst = program.def_inst(value)?;
        if program.op(inst) != Op::Prim(prim) {
            return None;
        }
        program.operands(inst).try_into().ok()
    }

    /// The real constant that `value` is.
    pub(crate) fn real(&self, value: Value) -> Option<f64> {
        self.to.program().as_const(value)?.as_real()
    }

    /// Whether `value` is the real constant `x`, sign of zero included.
    pub(crate) fn is_real(&self, value: Value, x: f64) -> bool {
        self.real(value).is_some_and(|c| c.to_bits() == x.to_bits())
    }

    /// The integer constant that `value` is.
    pub(crate) fn int(&self, value: Value) -> Option<i64> {
        match self.to.program().as_const(value)? {
            Literal::I64(n) => Some(n),
            Literal::F64(_) | Literal::F32(_) | Literal::Bool(_) => None,
        }
    }

    /// The truth value that `value` is.
    pub(crate) fn truth(&self, value: Value) -> Option<bool> {
        match self.to.program().as_const(value)? {
            Literal::Bool(b) => Some(b),
            Literal::F64(_) | Literal::F32(_) | Literal::I64(_) => None,
        }
    }

    /// A real constant of the element kind of `like`, if it holds `x` exactly and `like` is a scalar.
    pub(crate) fn constant_like(&mut self, like: Value, x: f64) -> Option<Value> {
        let ty = self.to.program().ty(like);
        let literal = Literal::from_f64(ty.elem, x);
        let exact = ty.is_scalar() && literal.as_real().is_some_and(|c| c.to_bits() == x.to_bits());
        exact.then(|| self.to.constant(literal))
    }

    /// Whether the elements of `value` are real.
    pub(crate) fn acts_on_reals(&self, value: Value) -> bool {
        self.to.program().ty(value).elem.is_real()
    }

    /// Emits a primitive.
    pub(crate) fn prim(&mut self, prim: Prim, operands: &[Value]) -> Result<Value, IrError> {
        self.emit(Op::Prim(prim), operands)
    }

    /// An integer constant.
    pub(crate) fn integer(&mut self, n: i64) -> Value {
        self.to.constant(Literal::I64(n))
    }

    /// Whether the elements of `value` are of this kind.
    pub(crate) fn is_elem(&self, value: Value, elem: Elem) -> bool {
        self.to.program().ty(value).elem == elem
    }
}
