//! Functions used inside another trace.

use super::Function;
use super::border::{bound, misfit, unbound};
use crate::spec::{Spec, Values, list};
use crate::trace::{self, Caller, Trace};
use crate::tree::{Leaves, operands};
use evolute_ir::Value;
use std::panic::Location;

impl<S: Spec, R: Spec, A> Function<S, R, A> {
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
        let results = self.arguments(trace, caller, x).and_then(|args| {
            let inline = evolute_transforms::inline::inline_call;
            trace.build(caller, |builder| inline(builder, &self.program, &args))
        });
        let outputs = list(&self.outputs);
        results.and_then(|results| bound(trace, caller, &results, &outputs)).unwrap_or_else(|| {
            let types = self.program.result_types();
            let placeholders: Vec<Value> = types.iter().map(|ty| trace.placeholder(ty)).collect();
            let leaves = placeholders.iter().zip(&types).zip(&outputs).flat_map(|((&value, ty), extents)| {
                let count = if extents.whole { 1 } else { ty.shape.len() };
                let leaf = match extents.whole {
                    true => trace.leaf(value, ty.elem).as_array(),
                    false => trace.leaf(trace.nan(ty.elem), ty.elem),
                };
                std::iter::repeat_n(leaf, count)
            });
            leaves.collect()
        })
    }

    /// The parameters' values, if `x` has the values that they take.
    fn arguments(&self, trace: &Trace, caller: Caller, x: S::Traced<'_, '_>) -> Option<Vec<Value>> {
        let mut values = Values::new();
        let fits = self.inputs.unbind(x, &mut values);
        if !fits || values.complete().is_err() {
            trace.fail(misfit(trace, caller, &self.inputs, &values));
            return None;
        }
        let values = trace.values(&operands(&values), caller);
        unbound(trace, caller, &values, &list(&self.inputs))
    }
}
