//! Planning calls of the user's functions: their arguments are slices, so each lies in memory, its elements one after
//! the other.

use super::memory::Home;
use super::region::Planner;
use super::{Access, Form, Step, access};
use evolute_ir::{ExternalId, FailureKind, Inst, Value};

impl Planner<'_> {
    pub(super) fn external(&mut self, inst: Inst, result: Value, operands: &[Value], function: ExternalId) {
        let operands: Vec<Access> = operands.iter().map(|&v| self.slice(v)).collect();
        let check = self.check(FailureKind::External, inst);
        let ty = self.program.ty(result);
        if !ty.is_scalar() {
            let mem = self.destination(result);
            let to = Access::whole(mem, self.extents(result));
            return self.steps.push(Step::External { function, operands, to, check });
        }
        let to = Access::scalar(self.scratch(ty.elem, 1), 0);
        self.steps.push(Step::External { function, operands, to: to.clone(), check });
        self.steps.push(Step::Load { value: result, from: to });
        self.forms[result] = Form::Scalar(result);
    }

    /// A value in memory, its elements one after the other.
    pub(super) fn slice(&mut self, value: Value) -> Access {
        let extents = self.extents(value);
        if let Form::Memory(found) = &self.forms[value]
            && access::is_row_major(&found.at.strides, extents)
        {
            return found.clone();
        }
        let mem = self.mem_like(Home::Workspace(0), value);
        self.hold(mem, self.position);
        self.deliver(value, mem);
        Access::whole(mem, extents)
    }
}
