//! Functions used inside another trace.

use super::Function;
use super::tracing::elements;
use crate::error::TraceError;
use crate::spec::{Spec, len};
use crate::trace::{self, Caller, Operand, Trace};
use crate::tree::{Leaf, Leaves};
use evolute_ir::{Op, SourceLoc, Value};
use std::panic::Location;

impl<S: Spec, R: Spec, A: Spec> Function<S, R, A> {
    /// Applies this function inside a traced closure; it is inlined. Outside of every trace it is evaluated on
    /// constants.
    ///
    /// ```
    /// use evolute_frontend::Function;
    ///
    /// let square = Function::scalar(1, |x| x[0] * x[0])?;
    /// let quartic = Function::scalar(1, |x| square.call(&[square.call(x)]))?;
    /// assert_eq!(quartic.grad()?.compile()?.call(&[2.0])?, [32.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn call<'a, 't>(&self, x: S::Traced<'a, 't>) -> R::Made<'t> {
        let caller = Location::caller();
        let leaves = trace::within(caller, |trace| self.inlined(trace, caller, x));
        self.outputs.make(&mut leaves.into_iter())
    }

    fn inlined<'t>(&self, trace: &Trace, caller: Caller, x: S::Traced<'_, 't>) -> Leaves<'t> {
        let types = self.program.result_types();
        let results = self.arguments(trace, caller, x).and_then(|args| {
            let inline = evolute_transforms::inline::inline;
            trace.build(caller, |builder| inline(builder, &self.program, &args))
        });
        results.and_then(|results| elements(trace, caller, &results, &types)).unwrap_or_else(|| {
            let elems = types.iter().flat_map(|ty| (0..ty.shape.len()).map(|_| ty.elem));
            elems.map(|elem| trace.leaf(trace.nan(elem), elem)).collect()
        })
    }

    /// The parameters' values, if `x` has the scalars that they take.
    fn arguments(&self, trace: &Trace, caller: Caller, x: S::Traced<'_, '_>) -> Option<Vec<Value>> {
        let mut leaves = Leaves::new();
        if !self.inputs.unbind(x, &mut leaves) {
            let expected = format!("{} scalars", len(&self.inputs));
            let found = format!("{}", leaves.len());
            trace.fail(TraceError::Length { expected, found, at: SourceLoc::of(caller) });
            return None;
        }
        let operands: Vec<Operand> = leaves.into_iter().map(Leaf::operand).collect();
        let values = trace.values(&operands, caller);
        let mut rest = &values[..];
        let packed = self.program.param_types().into_iter().map(|ty| {
            let (scalars, tail) = rest.split_at(ty.shape.len());
            rest = tail;
            if ty.is_scalar() {
                return Some(scalars[0]);
            }
            trace.build(caller, |builder| {
                let id = builder.intern(&ty);
                builder.insert(Op::Pack(id), scalars)
            })
        });
        packed.collect()
    }
}
