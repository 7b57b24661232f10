//! From a closure to a function.

use super::Function;
use crate::error::{Error, TraceError};
use crate::kind::{F64, RealKind, Store};
use crate::spec::{self, Cursor, Extents, IntoSpec, Scalars, Single, Spec};
use crate::trace::{self, Caller, Operand, Trace};
use crate::traced::Traced;
use crate::tree::Leaves;
use evolute_ir::{Elem, IrError, Op, Program, Shape, SourceLoc, Type, Value};
use std::panic::Location;

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
    /// The most instructions that the closure may take, [`Program::MAX_INSTRUCTIONS`] unless fewer are chosen.
    /// Each element of an array argument takes one. Derivatives have several times as many.
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
        F: for<'t> FnOnce(&'t S::Traced<'t, 't>) -> Traced<'t, F64>,
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
        F: for<'t> FnOnce(&'t S::Traced<'t, 't>) -> Traced<'t, K>,
    {
        let operands = |x: Traced<'_, K>| vec![x.operand()];
        let output = |_: usize| spec::scalar_of::<K>();
        self.trace(inputs.into_spec(), Location::caller(), |x| operands(f(x)), |_, values| values, output)
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
        F: for<'t> FnOnce(&'t S::Traced<'t, 't>) -> Vec<Traced<'t, K>>,
    {
        let operands = |x: Vec<Traced<'_, K>>| x.into_iter().map(Traced::operand).collect();
        let caller = Location::caller();
        let pack = |trace: &Trace, values: Vec<Value>| pack_one(trace, caller, K::ELEM, &values);
        self.trace(inputs.into_spec(), caller, |x| operands(f(x)), pack, spec::scalars_of::<K>)
    }

    fn trace<S: Spec, R: Spec>(
        &self,
        inputs: S,
        caller: Caller,
        f: impl for<'t> FnOnce(&'t S::Traced<'t, 't>) -> Vec<Operand>,
        pack: impl FnOnce(&Trace, Vec<Value>) -> Vec<Value>,
        output: impl FnOnce(usize) -> R,
    ) -> Result<Function<S, R>, Error> {
        let types = types_of(&inputs, caller)?;
        self.check_size(&types, caller)?;
        let mut len = 0;
        let body = |trace: &Trace, params: &[Value]| {
            let leaves = elements(trace, caller, params, &types).expect("the size has been checked");
            let mut leaves = leaves.into_iter();
            let mut store = Store::default();
            inputs.store(&mut leaves, &mut store);
            let bound = inputs.bind(&mut Cursor::new(&store));
            let results = f(&bound);
            len = results.len();
            results
        };
        let program = trace::record(caller, self.limit, &types, body, pack)?;
        Ok(Function::new(program, inputs, output(len)))
    }

    /// Refuses arguments whose elements alone exceed the limit, before anything is made of them.
    fn check_size(&self, types: &[Type], caller: Caller) -> Result<(), TraceError> {
        let elements: usize = types.iter().filter(|ty| !ty.is_scalar()).map(|ty| ty.shape.len()).sum();
        if elements <= self.limit {
            return Ok(());
        }
        let source = IrError::TooLarge { limit: self.limit };
        Err(TraceError::At { source, at: SourceLoc::of(caller) })
    }
}

impl<S: Spec> Function<S, Single<F64>> {
    /// Traces a function with one `f64` as result. `inputs` is a number of `f64` scalars, which the closure
    /// gets as a slice, or any [`Spec`].
    ///
    /// # Errors
    /// The first mistake made in the closure, with its line; arguments that are too large.
    #[track_caller]
    pub fn scalar<I, F>(inputs: I, f: F) -> Result<Self, Error>
    where
        I: IntoSpec<Spec = S>,
        F: for<'t> FnOnce(&'t S::Traced<'t, 't>) -> Traced<'t, F64>,
    {
        Tracing::default().scalar(inputs, f)
    }
}

impl<S: Spec, K: RealKind> Function<S, Single<K>> {
    /// As [`Function::scalar`], with a result of any real kind.
    ///
    /// # Errors
    /// As [`Function::scalar`].
    #[track_caller]
    pub fn scalar_of<I, F>(inputs: I, f: F) -> Result<Self, Error>
    where
        I: IntoSpec<Spec = S>,
        F: for<'t> FnOnce(&'t S::Traced<'t, 't>) -> Traced<'t, K>,
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
        F: for<'t> FnOnce(&'t S::Traced<'t, 't>) -> Vec<Traced<'t, K>>,
    {
        Tracing::default().vector(inputs, f)
    }
}

fn pack_one(trace: &Trace, caller: Caller, elem: Elem, values: &[Value]) -> Vec<Value> {
    let Some(ty) = Type::array(elem, &[values.len()]) else {
        let limit = Shape::MAX_ELEMENTS;
        trace.fail(TraceError::Extent { len: values.len(), limit, at: SourceLoc::of(caller) });
        return Vec::new();
    };
    let packed = trace.build(caller, |builder| {
        let id = builder.intern(&ty);
        builder.insert(Op::Pack(id), values)
    });
    packed.into_iter().collect()
}

pub(super) fn types_of(spec: &impl Spec, caller: Caller) -> Result<Vec<Type>, TraceError> {
    let mut list = Vec::new();
    spec.extents(&mut list);
    let limit = Shape::MAX_ELEMENTS;
    let error = |len| TraceError::Extent { len, limit, at: SourceLoc::of(caller) };
    list.iter().map(|extents: &Extents| extents.ty().map_err(error)).collect()
}

/// The elements of values of these types, up to the first that does not fit.
pub(super) fn elements<'t>(
    trace: &Trace,
    caller: Caller,
    values: &[Value],
    types: &[Type],
) -> Option<Leaves<'t>> {
    trace.build(caller, |builder| {
        let mut leaves = Leaves::new();
        for (&value, ty) in values.iter().zip(types) {
            if ty.is_scalar() {
                leaves.push(trace.leaf(value, ty.elem));
                continue;
            }
            for index in 0..ty.shape.len() as u32 {
                let element = builder.insert(Op::Element(index), &[value])?;
                leaves.push(trace.leaf(element, ty.elem));
            }
        }
        Ok(leaves)
    })
}
