//! Planning calls of the program's functions: arguments lie in memory, their elements one after the other, and so do
//! results.

use super::region::Planner;
use super::{Access, Form, Step};
use evolute_ir::{Callee, CalleeId, Elem, Inst, Program, Value};
use std::ops::Range;

/// A call of a function.
#[derive(Debug)]
pub(crate) struct FunctionCall {
    /// Its number among all.
    pub(crate) unit: u32,
    /// Its machine functions, called one after the other.
    pub(crate) entries: Range<u32>,
    pub(crate) operands: Vec<Access>,
    /// Apart from each other and from all else.
    pub(crate) results: Vec<Access>,
    /// The function's own, if it needs one.
    pub(crate) workspace: Option<Access>,
}

impl Planner<'_> {
    pub(super) fn function(&mut self, inst: Inst, operands: &[Value], callee: CalleeId) {
        let called = self.called[callee].clone();
        let operands = operands.iter().map(|&v| self.slice(v)).collect();
        let words = called.workspace_bytes.div_ceil(Elem::F64.size());
        let workspace = (words > 0).then(|| Access::scalar(self.scratch(Elem::F64, words), 0));
        let mut loads = Vec::new();
        let mut results = Vec::new();
        for result in self.program.results(inst) {
            let ty = self.program.ty(result);
            if !ty.is_scalar() {
                let mem = self.destination(result);
                results.push(Access::whole(mem, self.extents(result)));
                continue;
            }
            let from = Access::scalar(self.scratch(ty.elem, 1), 0);
            results.push(from.clone());
            loads.push(Step::Load { value: result, from });
            self.forms[result] = Form::Scalar(result);
        }
        let (unit, entries) = (called.unit, called.entries);
        self.steps.push(Step::Function(FunctionCall { unit, entries, operands, results, workspace }));
        self.steps.extend(loads);
    }
}

/// The most arguments and results of a function that the program calls.
pub(super) fn most_addresses(program: &Program) -> u32 {
    let addresses = |callee: &Callee| callee.root().params.len() + callee.root().results.len();
    program.callees().values().map(addresses).max().unwrap_or(0) as u32
}
