//! What is not inserted: instructions that the region already holds, and those that fold to a value at
//! hand.

use super::{Builder, CHAIN_LIMIT};
use crate::entity::{Inst, Region, Value};
use crate::interp;
use crate::op::Op;
use crate::prim::Prim;
use crate::program::Def;
use crate::structure::LoopSpec;
use crate::types::Literal;
use rustc_hash::FxHasher;
use std::hash::{Hash, Hasher};

/// Where equal instructions are looked for.
pub(super) enum Key {
    /// Nowhere: what has no operands is chained to nothing.
    None,
    /// Among those chained to this value.
    Chain(Value),
    /// Among those of this hash.
    Hash(u64),
}

impl Builder {
    /// An equal instruction among the youngest users of the youngest operand. Operands belong to the
    /// current region, so their users do too.
    #[inline(always)]
    pub(super) fn find(&self, key: &Key, op: Op, operands: &[Value]) -> Option<Value> {
        let same = |&value: &Value| {
            let Def::Result(inst) = self.program.values[value].def else { return false };
            self.program.op(inst) == op && same_operands(op, self.program.operands(inst), operands)
        };
        match *key {
            Key::None => None,
            Key::Hash(hash) => self.global.as_ref()?.get(&hash).copied().filter(same),
            Key::Chain(operand) => {
                let mut next = self.links[operand].youngest;
                for _ in 0..CHAIN_LIMIT {
                    let candidate = next?;
                    if same(&candidate) {
                        return next;
                    }
                    next = self.links[candidate].older;
                }
                None
            }
        }
    }

    /// Lets the instruction of this result be found from now on.
    #[inline(always)]
    pub(super) fn share(&mut self, key: Key, value: Value) {
        match (key, &mut self.global) {
            (Key::Hash(hash), Some(global)) => drop(global.entry(hash).or_insert(value)),
            (Key::Chain(operand), _) => {
                self.links[value].older = self.links[operand].youngest.replace(value);
            }
            (Key::Hash(_) | Key::None, _) => {}
        }
    }

    #[inline(always)]
    pub(super) fn key(&self, region: Region, op: Op, operands: &[Value]) -> Key {
        match operands.iter().copied().max() {
            _ if self.global.is_some() => Key::Hash(hash(region, op, operands)),
            Some(youngest) => Key::Chain(youngest),
            None => Key::None,
        }
    }

    /// Arrays that a loop with this body stacks twice become one, if everything is shared.
    pub(super) fn share_stacks(&self, spec: LoopSpec, body: Region, results: &mut [Value]) {
        let given = &self.program.regions[body].results;
        let (carries, stacks_end) = (spec.carries as usize, given.len() - spec.sums as usize);
        let counts = spec.first_carry_result();
        for place in (carries + 1..stacks_end).filter(|_| self.global.is_some()) {
            let first = (carries..place).find(|&other| given[other] == given[place]);
            results[counts + place] = results[counts + first.unwrap_or(place)];
        }
    }

    /// A shared value belongs to the outermost level that computes it.
    pub(super) fn lower_level(&mut self, value: Value) {
        let origin = &mut self.program.values[value].origin;
        if self.origin.level < origin.level {
            *origin = self.origin;
        }
    }

    #[inline(always)]
    pub(super) fn fold(&mut self, op: Op, operands: &[Value]) -> Option<Value> {
        match op {
            Op::Prim(prim) => match operands.iter().max() {
                // The youngest is a constant least often.
                Some(&youngest) if self.program.is_const(youngest) => self.fold_prim(prim, operands),
                Some(_) | None => None,
            },
            op => self.fold_other(op, operands),
        }
    }

    fn fold_other(&mut self, op: Op, operands: &[Value]) -> Option<Value> {
        match op {
            Op::Element(index) => match self.program.def_inst(operands[0]) {
                Some(def) if matches!(self.program.op(def), Op::Pack(_)) => self.element_of_pack(def, index),
                Some(_) => self.element_of_view(operands[0], index),
                None => None,
            },
            Op::Pack(ty) => match *operands {
                [x] if self.program.value(x).ty == ty => Some(x),
                _ => None,
            },
            Op::View(ty, strides) => self.fold_view(ty, strides, operands[0]),
            Op::Select => match self.program.as_const(operands[0]) {
                Some(Literal::Bool(true)) => Some(operands[1]),
                Some(Literal::Bool(false)) => Some(operands[2]),
                _ if operands[1] == operands[2] => Some(operands[1]),
                _ => None,
            },
            Op::Dot => self.fold_dot(operands[0], operands[1]),
            Op::Cast(elem) => {
                if self.program.ty(operands[0]).elem == elem {
                    return Some(operands[0]);
                }
                let literal = interp::cast(self.program.as_const(operands[0])?, elem);
                Some(self.constant(literal))
            }
            Op::Const(_)
            | Op::Prim(_)
            | Op::Iota(_)
            | Op::Spread(..)
            | Op::Reduce(..)
            | Op::At
            | Op::AddAt
            | Op::External(_)
            | Op::Call(_)
            | Op::Linalg(_)
            | Op::Loop { .. }
            | Op::Cond { .. }
            | Op::Custom { .. }
            | Op::LinearSolve { .. }
            | Op::Jvp { .. }
            | Op::Vjp { .. } => None,
        }
    }

    /// Element `index` of a `pack`, if the operand that holds it is a scalar.
    fn element_of_pack(&self, pack: Inst, index: u32) -> Option<Value> {
        let operands = self.program.operands(pack);
        let ty = self.program.ty(self.program.result(pack));
        if operands.len() == ty.shape.len() {
            return operands.get(index as usize).copied().filter(|&v| self.program.ty(v).is_scalar());
        }
        let mut start = 0;
        let holds = |&&v: &&Value| {
            start += self.program.ty(v).shape.len();
            start > index as usize
        };
        operands.iter().find(holds).copied().filter(|&v| self.program.ty(v).is_scalar())
    }

    fn fold_prim(&mut self, prim: Prim, operands: &[Value]) -> Option<Value> {
        let mut literals = [Literal::Bool(false); 3];
        for (slot, &operand) in literals.iter_mut().zip(operands) {
            *slot = self.program.as_const(operand)?;
        }
        let literal = interp::eval_prim(prim, &literals[..operands.len()]).ok()?;
        Some(self.constant(literal))
    }
}

/// The order of operands does not enter for a commutative primitive, as in [`same_operands`].
fn hash(region: Region, op: Op, operands: &[Value]) -> u64 {
    let mut hasher = FxHasher::default();
    (region, op).hash(&mut hasher);
    match (op, operands) {
        (Op::Prim(prim), &[a, b]) if prim.is_commutative() => (a.min(b), a.max(b)).hash(&mut hasher),
        _ => operands.hash(&mut hasher),
    }
    hasher.finish()
}

fn same_operands(op: Op, a: &[Value], b: &[Value]) -> bool {
    match (op, a, b) {
        (Op::Prim(prim), &[a0, a1], &[b0, b1]) if prim.is_commutative() => {
            (a0 == b0 && a1 == b1) || (a0 == b1 && a1 == b0)
        }
        _ => a == b,
    }
}
