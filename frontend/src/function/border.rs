//! Between a closure's values and a program's: what is one array in the program may be a scalar an element in the closure.

use crate::error::TraceError;
use crate::spec::{Extents, Spec, Values, list};
use crate::trace::{Caller, Operand, Trace};
use crate::tree::{Leaf, Leaves, operands};
use evolute_ir::{Elem, Op, Shape, SourceLoc, Type, Value};

pub(super) fn types_of(spec: &impl Spec, caller: Caller) -> Result<Vec<Type>, TraceError> {
    let limit = Shape::MAX_ELEMENTS;
    let error = |len| TraceError::Extent { len, limit, at: SourceLoc::of(caller) };
    list(spec).iter().map(|extents: &Extents| extents.ty().map_err(error)).collect()
}

/// The closure's values for these of the program: an array that is not one there gives its elements, up to
/// the first that does not fit.
pub(super) fn bound<'t>(
    trace: &Trace,
    caller: Caller,
    values: &[Value],
    list: &[Extents],
) -> Option<Leaves<'t>> {
    trace.build(caller, |builder| {
        let mut leaves = Leaves::new();
        for (&value, Extents { elem, extents, whole, .. }) in values.iter().zip(list) {
            let leaf = trace.leaf(value, *elem);
            match extents {
                Some(_) if *whole => leaves.push(leaf.as_array()),
                Some(extents) => {
                    for index in 0..extents.iter().product::<usize>() as u32 {
                        leaves.push(trace.leaf(builder.insert(Op::Element(index), &[value])?, *elem));
                    }
                }
                None => leaves.push(leaf),
            }
        }
        Ok(leaves)
    })
}

/// The program's values for these of a closure: scalars are packed into the arrays that they are elements of.
pub(super) fn unbound(
    trace: &Trace,
    caller: Caller,
    mut values: &[Value],
    list: &[Extents],
) -> Option<Vec<Value>> {
    let packed = list.iter().map(|extents| {
        let ty = extents.ty().ok()?;
        let count = if extents.whole { 1 } else { ty.shape.len() };
        let (own, rest) = values.split_at(count);
        values = rest;
        if extents.whole || extents.extents.is_none() {
            return own.first().copied();
        }
        trace.build(caller, |builder| {
            let id = builder.intern(&ty);
            builder.insert(Op::Pack(id), own)
        })
    });
    packed.collect()
}

pub(super) fn pack_one(trace: &Trace, caller: Caller, elem: Elem, values: &[Value]) -> Vec<Value> {
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

/// Takes a closure's results apart.
#[derive(Clone, Copy)]
pub(super) struct Unmake<'a, R> {
    pub(super) outputs: &'a R,
    pub(super) caller: Caller,
}

impl<R: Spec> Unmake<'_, R> {
    pub(super) fn of(self, trace: &Trace, made: R::Made<'_>) -> Vec<Operand> {
        let mut values = Values::new();
        let fits = self.outputs.unmake(made, &mut values);
        if fits && values.complete().is_ok() {
            return operands(&values);
        }
        trace.fail(misfit("the closure's result", trace, self.caller, self.outputs, &values));
        Vec::new()
    }
}

/// The mistake of values that are not as many, or not shaped, as a spec says: in a structure with the way to the first
/// list or array that differs.
pub(super) fn misfit(
    what: &'static str,
    trace: &Trace,
    caller: Caller,
    spec: &impl Spec,
    values: &Values<'_>,
) -> TraceError {
    let wrong_list = values.complete().err().map(|wrong| {
        let (place, expected, found) = wrong.of(spec);
        (format!("{expected} items at {place}"), found.to_string())
    });
    let (expected, found) = wrong_list
        .or_else(|| differing(trace, &list(spec), values))
        .unwrap_or_else(|| (described(&list(spec)), described_leaves(trace, values)));
    TraceError::Length { what, expected, found, at: SourceLoc::of(caller) }
}

fn differing(trace: &Trace, list: &[Extents], leaves: &[Leaf<'_>]) -> Option<(String, String)> {
    let mut leaves = leaves.iter();
    list.iter().find_map(|extents| {
        let leaf = leaves.nth(extents.values().checked_sub(1)?)?;
        let (expected, found) = (extents.ty().ok()?, trace.type_of(leaf.operand()));
        let differs = extents.whole && extents.place.is_structured() && expected != found;
        differs.then(|| (format!("{expected} at {}", extents.place), found.to_string()))
    })
}

/// `2 scalars, f64[3]`.
fn described(list: &[Extents]) -> String {
    let mut names = Vec::new();
    let mut scalars = 0;
    for extents in list {
        match (&extents.extents, extents.ty()) {
            (Some(_), Ok(ty)) if extents.whole => names.push(ty.to_string()),
            (Some(extents), _) => scalars += extents.iter().product::<usize>(),
            (None, _) => scalars += 1,
        }
    }
    joined(scalars, names)
}

/// The same of what was given.
fn described_leaves(trace: &Trace, leaves: &[Leaf<'_>]) -> String {
    let arrays = leaves.iter().filter(|leaf| leaf.is_array());
    let names: Vec<String> = arrays.map(|leaf| trace.type_of(leaf.operand()).to_string()).collect();
    joined(leaves.len() - names.len(), names)
}

fn joined(scalars: usize, arrays: Vec<String>) -> String {
    let scalars = (scalars > 0 || arrays.is_empty()).then(|| format!("{scalars} scalars"));
    scalars.into_iter().chain(arrays).collect::<Vec<_>>().join(", ")
}
