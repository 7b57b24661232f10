//! From a closure to a function.

use super::Function;
use crate::error::{Error, TraceError};
use crate::kind::{F64, RealKind, Store};
use crate::spec::{Cursor, Extents, IntoSpec, Scalars, Single, Spec};
use crate::trace::{self, Caller, Trace};
use crate::traced::{Repr, Traced};
use crate::tree::Leaf;
use evolute_ir::{Elem, Op, Program, SourceLoc, Type, Value};
use std::panic::Location;

impl<S: Spec> Function<S, Single<F64>> {
    /// Traces a function with one `f64` as result. `inputs` is a number of `f64` scalars, which the closure
    /// gets as a slice, or any [`Spec`].
    ///
    /// # Errors
    /// The first mistake made in the closure, with its line.
    #[track_caller]
    pub fn scalar<I, F>(inputs: I, f: F) -> Result<Self, Error>
    where
        I: IntoSpec<Spec = S>,
        F: for<'t> FnOnce(&'t S::Traced<'t, 't>) -> Traced<'t, F64>,
    {
        Self::scalar_of(inputs, f)
    }
}

impl<S: Spec, K: RealKind> Function<S, Single<K>> {
    /// As [`Function::scalar`], with a result of any real kind.
    ///
    /// # Errors
    /// The first mistake made in the closure, with its line.
    #[track_caller]
    pub fn scalar_of<I, F>(inputs: I, f: F) -> Result<Self, Error>
    where
        I: IntoSpec<Spec = S>,
        F: for<'t> FnOnce(&'t S::Traced<'t, 't>) -> Traced<'t, K>,
    {
        let leaf = |x: Traced<'_, K>| vec![(x.repr(), K::ELEM)];
        let caller = Location::caller();
        let output = |_: usize| Ok(crate::spec::scalar_of::<K>());
        trace_with(inputs.into_spec(), caller, |x| leaf(f(x)), |_, values| values, output)
    }
}

impl<S: Spec, K: RealKind> Function<S, Scalars<K>> {
    /// Traces a function with several scalars as result.
    ///
    /// # Errors
    /// The first mistake made in the closure, with its line.
    #[track_caller]
    pub fn vector<I, F>(inputs: I, f: F) -> Result<Self, Error>
    where
        I: IntoSpec<Spec = S>,
        F: for<'t> FnOnce(&'t S::Traced<'t, 't>) -> Vec<Traced<'t, K>>,
    {
        let leaves = |x: Vec<Traced<'_, K>>| x.into_iter().map(|x| (x.repr(), K::ELEM)).collect();
        let caller = Location::caller();
        let pack = |trace: &Trace, values: Vec<Value>| pack_one(trace, caller, K::ELEM, &values);
        let output = |len| Ok(crate::spec::scalars_of::<K>(len));
        trace_with(inputs.into_spec(), caller, |x| leaves(f(x)), pack, output)
    }
}

fn pack_one(trace: &Trace, caller: Caller, elem: Elem, values: &[Value]) -> Vec<Value> {
    let Some(ty) = Type::array(elem, &[values.len()]) else {
        let limit = evolute_ir::Shape::MAX_ELEMENTS;
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
    let limit = evolute_ir::Shape::MAX_ELEMENTS;
    let error = |len| TraceError::Extent { len, limit, at: SourceLoc::of(caller) };
    list.iter().map(|extents: &Extents| extents.ty().map_err(error)).collect()
}

fn trace_with<S: Spec, R: Spec>(
    inputs: S,
    caller: Caller,
    f: impl for<'t> FnOnce(&'t S::Traced<'t, 't>) -> Vec<(Repr, Elem)>,
    pack: impl FnOnce(&Trace, Vec<Value>) -> Vec<Value>,
    output: impl FnOnce(usize) -> Result<R, Error>,
) -> Result<Function<S, R>, Error> {
    let types = types_of(&inputs, caller)?;
    let mut len = 0;
    let body = |id: u32, params: &[Value]| {
        let trace = trace::current().expect("`record` runs its body within the trace");
        let mut leaves = elements(&trace, id, caller, params, &types).into_iter();
        let mut store = Store::default();
        inputs.store(&mut leaves, &mut store);
        let bound = inputs.bind(&mut Cursor::new(&store));
        let results = f(&bound);
        len = results.len();
        results
    };
    let program = trace::record(caller, Program::MAX_INSTRUCTIONS, &types, body, pack)?;
    let outputs = output(len)?;
    Ok(Function::new(program, inputs, outputs))
}

/// The scalars of all parameters.
pub(super) fn elements(
    trace: &Trace,
    id: u32,
    caller: Caller,
    params: &[Value],
    types: &[Type],
) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    for (&param, ty) in params.iter().zip(types) {
        let leaf = |value| Leaf { repr: Repr::Node { trace: id, value }, elem: ty.elem };
        if ty.is_scalar() {
            leaves.push(leaf(param));
            continue;
        }
        for index in 0..ty.shape.len() as u32 {
            let element = trace.build(caller, |builder| builder.insert(Op::Element(index), &[param]));
            leaves.push(element.map_or(Leaf { repr: Repr::NAN, elem: ty.elem }, leaf));
        }
    }
    leaves
}
