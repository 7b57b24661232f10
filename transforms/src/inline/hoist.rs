//! What a loop computes in each iteration alike, computed once before it.

use super::Copy;
use evolute_ir::{Builder, Elem, Inst, IrError, Op, Program, Region, Value};

impl Copy<'_> {
    /// Copies what a loop's body computes from its captures alone, which are `captured` where they do not depend on an
    /// iteration; also from within the loops in it, but not from the branches of conditionals, which may not be taken.
    pub(super) fn hoist(
        &mut self,
        builder: &mut Builder,
        body: Region,
        own: usize,
        captured: &[Option<Value>],
    ) -> Result<(), IrError> {
        let from = self.from;
        let data = from.region(body);
        for (&param, &outer) in data.params[own..].iter().zip(captured) {
            self.values[param] = outer;
        }
        let mut operands = Vec::new();
        for &inst in &data.insts {
            let ready = from.operands(inst).iter().all(|&v| self.values[v].is_some());
            let missing = from.results(inst).next().is_some_and(|v| self.values[v].is_none());
            match from.op(inst) {
                Op::Loop { body, spec, .. } => {
                    let spec = from.loop_spec(spec);
                    let captured: Vec<Option<Value>> =
                        from.operands(inst)[spec.own_operands()..].iter().map(|&v| self.values[v]).collect();
                    self.hoist(builder, body, spec.own_params(), &captured)?;
                }
                op if ready
                    && missing
                    && is_hoisted(from, inst, op)
                    && self.live.as_ref().is_none_or(|live| live[inst]) =>
                {
                    self.inst(builder, inst, &mut operands)?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Whether an instruction whose operands do not depend on a loop's iteration is worth computing before the loop: it costs
/// something, and cannot fail where the loop would not have run.
fn is_hoisted(program: &Program, inst: Inst, op: Op) -> bool {
    let of_integers = || program.operands(inst).iter().any(|&v| program.ty(v).elem == Elem::I64);
    match op {
        Op::Prim(prim) => !(prim.may_fail() && of_integers()),
        Op::Const(_) | Op::Cast(_) | Op::Select | Op::Spread(..) | Op::Reduce(..) | Op::Dot => true,
        Op::Element(_)
        | Op::Pack(_)
        | Op::Iota(_)
        | Op::View(..)
        | Op::At
        | Op::AddAt
        | Op::Loop { .. }
        | Op::Cond { .. }
        | Op::Jvp { .. }
        | Op::Vjp { .. } => false,
    }
}
