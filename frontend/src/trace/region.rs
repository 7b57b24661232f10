//! Regions of a trace: the bodies of inner derivatives, loops and conditionals.
//!
//! A region is open while the user's closure runs, and what the closure inserts goes there. A guard closes it, also when
//! the closure panics and the panic is caught further out: then the trace has failed.

use super::{Caller, Operand, Trace};
use crate::error::TraceError;
use evolute_ir::{ClosedRegion, Mode, Type, Value};

impl Trace {
    /// Opens a region, runs `body` on its parameters, and closes it.
    pub(crate) fn region(
        &self,
        caller: Caller,
        types: &[Type],
        body: impl FnOnce(&[Value]) -> Vec<Operand>,
    ) -> Option<ClosedRegion> {
        let outer = self.enclosing.replace(self.user(caller));
        self.at(caller);
        self.builder.borrow_mut().open_region();
        let mut guard = OpenRegion { trace: self, caller, outer, done: false };
        let params: Vec<Value> = types.iter().map(|ty| self.builder.borrow_mut().param(ty)).collect();
        let leaves = body(&params);
        guard.done = true;
        let values = self.values(&leaves, caller);
        self.build(caller, |builder| builder.close_region(&values))
    }

    /// Inserts a derivative operator on a closed region.
    pub(crate) fn operator(
        &self,
        caller: Caller,
        mode: Mode,
        body: ClosedRegion,
        inputs: &[Value],
        seeds: &[Value],
    ) -> Option<Vec<Value>> {
        self.build(caller, |builder| builder.operator(mode, body, inputs, seeds))
    }
}

/// An open region: closed without results if its closure panics.
struct OpenRegion<'a> {
    trace: &'a Trace,
    caller: Caller,
    outer: Caller,
    done: bool,
}

impl Drop for OpenRegion<'_> {
    fn drop(&mut self) {
        self.trace.enclosing.set(self.outer);
        if !self.done {
            let closed = self.trace.builder.borrow_mut().close_region(&[]);
            debug_assert!(closed.is_ok(), "a region without results closes");
            self.trace.fail(TraceError::Panicked { at: self.trace.user_line(self.caller) });
        }
    }
}
