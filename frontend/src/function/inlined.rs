//! Functions used inside another trace.

use super::Function;
use super::border::{bound, misfit, unbound};
use crate::spec::{Spec, Values, list};
use crate::trace::{self, Caller, Trace};
use crate::tree::{Leaves, operands};
use evolute_ir::Value;
use evolute_transforms::inline::apply;
use std::panic::Location;

impl<S: Spec, R: Spec, A> Function<S, R, A> {
    /// Applies this function inside a traced closure. Outside of every trace it is evaluated on constants.
    ///
    /// It is called: traced, differentiated and compiled once, however often it is applied, so that a program grows by
    /// an instruction with each application. Where a copy is cheaper than a call, of a function of a few instructions
    /// or one that is called in one place, it is copied. Values and forward derivatives are the same to the bit; in
    /// reverse the cotangents of a call are summed before they are added to others.
    ///
    /// ```
    /// use evolute_frontend::Function;
    ///
    /// let square = Function::scalar(1, |x| x[0] * x[0])?;
    /// let quartic = Function::scalar(1, |x| square.call(&[square.call(x)]))?;
    /// assert_eq!(quartic.grad()?.compile()?.call(&[2.0])?, [32.0]);
    ///
    /// // A function of some size is called: twenty times it takes twenty instructions more.
    /// let rotate = Function::scalar(1, |x| (0..50).fold(x[0], |x, k| (x + f64::from(k)).sin()))?;
    /// let iterated = Function::scalar(1, |x| (0..20).fold(x[0], |x, _| rotate.call(&[x])))?;
    /// let sizes = [&rotate, &iterated].map(|f| f.program().total_len());
    /// assert!(sizes[1] < sizes[0] + 50);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn call<'a, 't>(&self, x: S::Traced<'a, 't>) -> R::Made<'t> {
        let caller = Location::caller();
        let leaves = trace::within(caller, |trace| self.applied(trace, caller, x));
        self.outputs.make(&mut leaves.into_iter())
    }

    fn applied<'t>(&self, trace: &Trace, caller: Caller, x: S::Traced<'_, 't>) -> Leaves<'t> {
        let results = self
            .arguments(trace, caller, x)
            .and_then(|args| trace.build(caller, |builder| apply(builder, &self.program, &args)));
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
            trace.fail(misfit("the argument of `call`", trace, caller, &self.inputs, &values));
            return None;
        }
        let values = trace.values(&operands(&values), caller);
        unbound(trace, caller, &values, &list(&self.inputs))
    }
}
