//! From a closure to a function.

use super::Function;
use super::border::{Unmake, bound, pack_one, types_of, unbound};
use super::rule::Rule;
use crate::error::{Error, TraceError};
use crate::kind::{F64, Form, RealKind, Store};
use crate::spec::{self, Cursor, Extents, IntoSpec, Scalars, Single, Spec, list};
use crate::trace::{self, Caller, Operand, TRACED, Trace};
use crate::traced::Traced;
use evolute_ir::{IrError, Program, SourceLoc, Value};
use std::panic::Location;

/// A closure from `X` to `Y`: every `FnOnce(X) -> Y` is one.
///
/// A closure to be traced may have a result that lives as long as its trace, `'t`, while its argument does only by
/// its spec: `for<'a, 't> FnOnce(&'a S::Traced<'t, 't>) -> Scalar<'t>`, which Rust cannot say, as the spec might ignore `'t`
/// (E0582). As a parameter of a trait the result may be of any lifetime. So the argument can be lent for less than the
/// life of the trace and dropped after, and may own memory.
pub trait Closure<X, Y>: FnOnce(X) -> Y {}

impl<X, Y, F: FnOnce(X) -> Y> Closure<X, Y> for F {}

/// How closures are traced: [`Function::scalar`] and its relatives, with choices.
///
/// ```
/// use evolute_frontend::{Scalar, Tracing};
///
/// let small = Tracing::default().limit(1000);
/// let f = small.scalar(3, |x| x.iter().map(|x| x.sin()).sum())?;
/// assert!(f.program().len() <= 1000);
/// assert!(small.scalar(3000, |x| x.iter().sum()).is_err());
/// # Ok::<(), evolute_frontend::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Tracing {
    limit: usize,
}

impl Default for Tracing {
    fn default() -> Self {
        Tracing { limit: Program::MAX_INSTRUCTIONS }
    }
}

impl Tracing {
    /// The most instructions that the closure may take, [`Program::MAX_INSTRUCTIONS`] unless fewer are chosen. Each
    /// element of an argument of scalars takes one. The limit holds for all that is made of the function, too:
    /// derivatives have several times as many instructions, before they are simplified.
    pub fn limit(self, instructions: usize) -> Tracing {
        Tracing { limit: instructions.min(Program::MAX_INSTRUCTIONS) }
    }

    /// As [`Function::scalar`].
    ///
    /// # Errors
    /// As [`Function::scalar`].
    #[track_caller]
    pub fn scalar<S, I, F>(&self, inputs: I, f: F) -> Result<Function<S, Single<F64>>, Error>
    where
        S: Spec,
        I: IntoSpec<Spec = S>,
        F: for<'a, 't> Closure<&'a S::Traced<'t, 't>, Traced<'t, F64>>,
    {
        self.scalar_of(inputs, f)
    }

    /// As [`Function::scalar_of`].
    ///
    /// # Errors
    /// As [`Function::scalar`].
    #[track_caller]
    pub fn scalar_of<S, K, I, F>(&self, inputs: I, f: F) -> Result<Function<S, Single<K>>, Error>
    where
        S: Spec,
        K: RealKind,
        I: IntoSpec<Spec = S>,
        F: for<'a, 't> Closure<&'a S::Traced<'t, 't>, Traced<'t, K>>,
    {
        let operands = |x: Traced<'_, K>| vec![x.operand()];
        let output = |_: usize| spec::scalar_of::<K>();
        let inputs = inputs.into_spec();
        self.record(
            inputs,
            Location::caller(),
            |_, x| operands(f(x)),
            |_, values| values,
            |len, _| output(len),
        )
    }

    /// As [`Function::vector`].
    ///
    /// # Errors
    /// As [`Function::scalar`].
    #[track_caller]
    pub fn vector<S, K, I, F>(&self, inputs: I, f: F) -> Result<Function<S, Scalars<K>>, Error>
    where
        S: Spec,
        K: RealKind,
        I: IntoSpec<Spec = S>,
        F: for<'a, 't> Closure<&'a S::Traced<'t, 't>, Vec<Traced<'t, K>>>,
    {
        let operands = |x: Vec<Traced<'_, K>>| x.into_iter().map(Traced::operand).collect();
        let caller = Location::caller();
        let pack = |trace: &Trace, values: Vec<Value>| pack_one(trace, caller, K::ELEM, &values);
        let output = |len: usize, _: &Program| spec::scalars_of::<K>(len);
        self.record(inputs.into_spec(), caller, |_, x| operands(f(x)), pack, output)
    }

    /// As [`Function::trace`].
    ///
    /// # Errors
    /// As [`Function::trace`].
    #[track_caller]
    pub fn trace<S, R, I, F>(&self, inputs: I, f: F) -> Result<Function<S, R::Spec>, Error>
    where
        S: Spec,
        R: Form,
        I: IntoSpec<Spec = S>,
        F: for<'a, 't> Closure<&'a S::Traced<'t, 't>, Traced<'t, R>>,
    {
        let output = |_: usize, program: &Program| {
            let ty = program.ty(program.root().results[0]);
            R::spec(&ty.shape.extents().iter().map(|&extent| extent as usize).collect::<Vec<_>>())
        };
        let operands = |x: Traced<'_, R>| vec![x.operand()];
        let inputs = inputs.into_spec();
        self.record(inputs, Location::caller(), |_, x| operands(f(x)), |_, values| values, output)
    }

    /// As [`Function::trace_to`].
    ///
    /// # Errors
    /// As [`Function::trace_to`].
    #[track_caller]
    pub fn trace_to<S, R, I, F>(&self, inputs: I, outputs: R, f: F) -> Result<Function<S, R>, Error>
    where
        S: Spec,
        R: Spec,
        I: IntoSpec<Spec = S>,
        F: for<'a, 't> Closure<&'a S::Traced<'t, 't>, R::Made<'t>>,
    {
        let caller = Location::caller();
        types_of(&outputs, caller)?;
        let expected = list(&outputs);
        // After a mistake there is nothing to pack.
        let pack = |trace: &Trace, values: Vec<Value>| match trace.has_failed() {
            true => Vec::new(),
            false => unbound(trace, caller, &values, &expected).unwrap_or_default(),
        };
        let operands = Unmake { outputs: &outputs, caller };
        self.record(
            inputs.into_spec(),
            caller,
            |trace, x| operands.of(trace, f(x)),
            pack,
            |_, _| outputs.clone(),
        )
    }

    /// A rule: on tangents like the arguments, results and arguments.
    pub(super) fn record_rule<S: Spec, R: Spec>(
        &self,
        inputs: (S, R, S),
        outputs: R,
        caller: Caller,
        rule: impl for<'a, 't> Rule<&'a S::Traced<'t, 't>, &'a R::Traced<'t, 't>, R::Made<'t>>,
    ) -> Result<Program, Error> {
        let expected = list(&outputs);
        let pack = |trace: &Trace, values: Vec<Value>| match trace.has_failed() {
            true => Vec::new(),
            false => unbound(trace, caller, &values, &expected).unwrap_or_default(),
        };
        let operands = Unmake { outputs: &outputs, caller };
        let function = self.record(
            inputs,
            caller,
            |trace, (x_dot, y, x)| operands.of(trace, rule(x, y, x_dot)),
            pack,
            |_, _| outputs.clone(),
        )?;
        Ok(function.program.into_program())
    }

    fn record<S: Spec, R: Spec>(
        &self,
        inputs: S,
        caller: Caller,
        f: impl for<'a, 't> FnOnce(&Trace, &'a S::Traced<'t, 't>) -> Vec<Operand>,
        pack: impl FnOnce(&Trace, Vec<Value>) -> Vec<Value>,
        output: impl FnOnce(usize, &Program) -> R,
    ) -> Result<Function<S, R>, Error> {
        let types = types_of(&inputs, caller)?;
        self.check_size(&list(&inputs), caller)?;
        let mut len = 0;
        let body = |trace: &Trace, params: &[Value]| {
            let leaves = bound(trace, caller, params, &list(&inputs)).expect("the size has been checked");
            let mut leaves = leaves.into_iter();
            let mut store = Store::default();
            inputs.store(&mut leaves, &mut store);
            let bound = inputs.bind(&mut Cursor::new(&store));
            let results = f(trace, &bound);
            len = results.len();
            results
        };
        let program = trace::record(caller, self.limit, &types, body, pack)?;
        let outputs = output(len, &program);
        Ok(Function::new(program, inputs, outputs))
    }

    /// Refuses arguments whose elements alone exceed the limit, before anything is made of them.
    fn check_size(&self, list: &[Extents], caller: Caller) -> Result<(), TraceError> {
        let split = list.iter().filter(|extents| !extents.whole && extents.extents.is_some());
        let elements: usize = split.map(Extents::values).sum();
        if elements <= self.limit {
            return Ok(());
        }
        let source = IrError::TooLarge { what: TRACED, limit: self.limit };
        Err(TraceError::At { source, at: SourceLoc::of(caller) })
    }
}

/// The parameters say nothing: the results of [`trace`](Function::trace) are known from its arguments.
impl Function<(), ()> {
    /// Traces a function of scalars and arrays with one of either as result. The closure gets its arguments, a
    /// tuple's components, by reference.
    ///
    /// # Errors
    /// The first mistake made in the closure, with its line; arguments that are too large.
    ///
    /// ```
    /// use evolute_frontend::{Function, matrix, vector};
    ///
    /// let loss = Function::trace((vector(2), matrix(3, 2), vector(3)), |(w, a, y)| {
    ///     (-(y * a.dot(w))).softplus().mean()
    /// })?;
    /// let data = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    /// assert_eq!(loss.eval((&[0.0, 0.0], &data, &[1.0, -1.0, 1.0]))?, 2f64.ln());
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn trace<S, R, I, F>(inputs: I, f: F) -> Result<Function<S, R::Spec>, Error>
    where
        S: Spec,
        R: Form,
        I: IntoSpec<Spec = S>,
        F: for<'a, 't> Closure<&'a S::Traced<'t, 't>, Traced<'t, R>>,
    {
        Tracing::default().trace(inputs, f)
    }
}

impl<S: Spec, R: Spec> Function<S, R> {
    /// Traces a function with any results, which are declared as the arguments are.
    ///
    /// # Errors
    /// The first mistake made in the closure, with its line; results that are not as declared; arguments that are
    /// too large.
    ///
    /// ```
    /// use evolute_frontend::{Function, scalar, vector};
    ///
    /// let f = Function::trace_to(vector(2), (scalar(), vector(2)), |x| (x.sum(), x * 2.0))?;
    /// assert_eq!(f.eval(&[1.0, 2.0])?, (3.0, vec![2.0, 4.0]));
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn trace_to<I, F>(inputs: I, outputs: R, f: F) -> Result<Self, Error>
    where
        I: IntoSpec<Spec = S>,
        F: for<'a, 't> Closure<&'a S::Traced<'t, 't>, R::Made<'t>>,
    {
        Tracing::default().trace_to(inputs, outputs, f)
    }
}

impl<S: Spec> Function<S, Single<F64>> {
    /// Traces a function with one `f64` as result. `inputs` is a number of `f64` scalars, which the closure
    /// gets as a slice, or any [`Spec`]. A result of another kind, as of arguments `scalars_of::<F32>(2)`, takes
    /// [`Function::scalar_of`].
    ///
    /// # Errors
    /// The first mistake made in the closure, with its line; arguments that are too large.
    #[track_caller]
    pub fn scalar<I, F>(inputs: I, f: F) -> Result<Self, Error>
    where
        I: IntoSpec<Spec = S>,
        F: for<'a, 't> Closure<&'a S::Traced<'t, 't>, Traced<'t, F64>>,
    {
        Tracing::default().scalar(inputs, f)
    }
}

impl<S: Spec, K: RealKind> Function<S, Single<K>> {
    /// As [`Function::scalar`], with a result of any real kind.
    ///
    /// # Errors
    /// As [`Function::scalar`].
    ///
    /// ```
    /// use evolute_frontend::{F32, Function, scalars_of};
    ///
    /// let f = Function::scalar_of(scalars_of::<F32>(2), |x| x[0] * x[1])?;
    /// assert_eq!(f.eval(&[1.5, 2.0])?, 3.0f32);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn scalar_of<I, F>(inputs: I, f: F) -> Result<Self, Error>
    where
        I: IntoSpec<Spec = S>,
        F: for<'a, 't> Closure<&'a S::Traced<'t, 't>, Traced<'t, K>>,
    {
        Tracing::default().scalar_of(inputs, f)
    }
}

impl<S: Spec, K: RealKind> Function<S, Scalars<K>> {
    /// Traces a function with several scalars as result.
    ///
    /// # Errors
    /// As [`Function::scalar`].
    ///
    /// ```
    /// use evolute_frontend::Function;
    ///
    /// let polar = Function::vector(2, |x| vec![x[0].hypot(x[1]), x[1].atan2(x[0])])?;
    /// assert_eq!(polar.compile()?.call(&[0.0, 2.0])?, [2.0, std::f64::consts::FRAC_PI_2]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn vector<I, F>(inputs: I, f: F) -> Result<Self, Error>
    where
        I: IntoSpec<Spec = S>,
        F: for<'a, 't> Closure<&'a S::Traced<'t, 't>, Vec<Traced<'t, K>>>,
    {
        Tracing::default().vector(inputs, f)
    }
}
