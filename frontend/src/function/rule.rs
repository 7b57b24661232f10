//! Functions with a derivative that the user states.

use super::{Function, Tracing};
use crate::error::Error;
use crate::spec::Spec;
use evolute_ir::SourceLoc;
use evolute_runtime::rule::{RuleCheck, RuleError, check_rule};
use evolute_transforms::rule::with_rule;
use std::panic::Location;

/// A rule of a function from `X` to `Y`: every `FnOnce(X, Y, X) -> D` is one. A trait for the reason that
/// [`Closure`](super::Closure) is.
pub trait Rule<X, Y, D>: FnOnce(X, Y, X) -> D {}

impl<X, Y, D, F: FnOnce(X, Y, X) -> D> Rule<X, Y, D> for F {}

impl<S: Spec, R: Spec> Function<S, R> {
    /// This function with a derivative of its own, instead of that of its steps: the rule gets the arguments `x`, the
    /// result `y` and a tangent of the arguments, and returns the tangent of the result, linear in that of the
    /// arguments. One rule serves every mode and order: reverse mode transposes it, and higher derivatives
    /// differentiate it.
    ///
    /// So it is for functions whose steps are not what is to be differentiated: an approximation, an iteration that ends at
    /// a known equation, a form that overflows where its derivative does not, an external function.
    ///
    /// The rule is compared with differences of the function at random points between 0.1 and 0.9;
    /// [`with_rule_checked`](Function::with_rule_checked) chooses others. A rule captures no traced values: what it
    /// depends on is an argument.
    ///
    /// # Errors
    /// A mistake in the closure; [`Error::Rule`] if the rule is not linear, or not the derivative.
    ///
    /// ```
    /// use evolute_frontend::{Error, Function, scalar};
    ///
    /// // ln(1 + eˣ), whose derivative does not overflow.
    /// let softplus = Function::trace(scalar(), |x| x.exp().log1p())?
    ///     .with_rule(|x, _, x_dot| x.sigmoid() * x_dot)?;
    /// let f = Function::trace(scalar(), |x| softplus.call(*x) * x)?;
    /// assert_eq!(softplus.grad()?.eval(&800.0)?, 1.0);
    /// assert!(f.hvp()?.eval((&1.0, &1.0))? > 0.0);
    ///
    /// let wrong = Function::trace(scalar(), |x| x.sin())?.with_rule(|x, _, x_dot| x.sin() * x_dot);
    /// assert!(matches!(wrong, Err(Error::Rule { .. })));
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn with_rule<F>(&self, rule: F) -> Result<Self, Error>
    where
        F: for<'a, 't> Rule<&'a S::Traced<'t, 't>, &'a R::Traced<'t, 't>, R::Made<'t>>,
    {
        self.with_rule_checked(&RuleCheck::default(), rule)
    }

    /// As [`with_rule`](Function::with_rule), checked at other points, or not at all.
    ///
    /// # Errors
    /// As [`with_rule`](Function::with_rule).
    ///
    /// ```
    /// use evolute_frontend::{Function, RuleCheck, scalar};
    ///
    /// // Smooth above 1 only.
    /// let acosh = Function::trace(scalar(), |x| (x + (x * x - 1.0).sqrt()).ln())?;
    /// assert!(acosh.with_rule(|x, _, u| u / (x * x - 1.0).sqrt()).is_err());
    /// let acosh = acosh.with_rule_checked(&RuleCheck::Within(1.5, 5.0), |x, _, u| u / (x * x - 1.0).sqrt())?;
    ///
    /// // A straight-through estimator is no derivative, and meant so.
    /// let round = Function::trace(scalar(), |x| x.round())?.with_rule_checked(&RuleCheck::Skip, |_, _, u| *u)?;
    /// assert_eq!(round.grad()?.eval(&0.3)?, 1.0);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn with_rule_checked<F>(&self, check: &RuleCheck, rule: F) -> Result<Self, Error>
    where
        F: for<'a, 't> Rule<&'a S::Traced<'t, 't>, &'a R::Traced<'t, 't>, R::Made<'t>>,
    {
        let caller = Location::caller();
        let at = || SourceLoc::of(caller);
        let inputs = (self.inputs.clone(), self.outputs.clone(), self.inputs.clone());
        let rule = Tracing::default().record_rule(inputs, self.outputs.clone(), caller, rule)?;
        let refused = |source: RuleError| Error::Rule { source: source.into(), at: at() };
        let custom = with_rule(&self.program, &rule, Some(at())).map_err(|error| refused(error.into()))?;
        check_rule(&self.program, &rule, &custom, check).map_err(refused)?;
        Ok(Function::new(custom, self.inputs.clone(), self.outputs.clone()))
    }
}
