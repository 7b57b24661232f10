//! Functions used inside another trace.

use super::Function;
use super::tracing::elements;
use crate::error::TraceError;
use crate::spec::{Spec, len};
use crate::trace::{self, Caller, Operand, Trace};
use crate::tree::Leaf;
use evolute_ir::{Op, SourceLoc};
use std::panic::Location;

impl<S: Spec, R: Spec, A: Spec> Function<S, R, A> {
    /// Applies this function inside a traced closure; it is inlined.
    #[track_caller]
    pub fn call<'a, 't>(&self, x: S::Traced<'a, 't>) -> R::Made<'t> {
        let caller = Location::caller();
        let leaves = trace::current().and_then(|trace| self.inlined(&trace, caller, x));
        self.outputs.make(&mut leaves.unwrap_or_default().into_iter())
    }

    fn inlined(&self, trace: &Trace, caller: Caller, x: S::Traced<'_, '_>) -> Option<Vec<Leaf>> {
        let mut leaves = Vec::new();
        let types = self.program.param_types();
        if !self.inputs.unbind(x, &mut leaves) {
            let expected = format!("{} scalars", len(&self.inputs));
            let found = format!("{}", leaves.len());
            trace.fail(TraceError::Length { expected, found, at: SourceLoc::of(caller) });
            return None;
        }
        let operands: Vec<Operand> = leaves.into_iter().map(Leaf::operand).collect();
        let values = trace.values(&operands, caller);
        let mut rest = &values[..];
        let mut args = Vec::with_capacity(types.len());
        for ty in &types {
            let (scalars, tail) = rest.split_at(ty.shape.len());
            rest = tail;
            args.push(match ty.is_scalar() {
                true => scalars[0],
                false => trace.build(caller, |builder| {
                    let id = builder.intern(ty);
                    builder.insert(Op::Pack(id), scalars)
                })?,
            });
        }
        let inline = evolute_transforms::inline::inline;
        let results = trace.build(caller, |builder| inline(builder, &self.program, &args))?;
        Some(elements(trace, caller, &results, &self.program.result_types()))
    }
}
