//! Rust functions as functions of a program.

use super::Function;
use super::border::types_of;
use crate::error::{Error, TraceError};
use crate::spec::{IntoSpec, Spec};
use evolute_ir::{Builder, Elem, External, IrError, Op, Program, Shape, SourceLoc, Strides, Type, Value};
use std::panic::Location;

impl<S: Spec, R: Spec> Function<S, R> {
    /// A Rust function as a function of scalars and arrays: a table, a simulation, whatever is no closure over
    /// traced values. It gets a slice for each argument, the elements of an array row by row, and one for each result, of
    /// which it writes all. It sees `f64`: arguments of `f32` are widened and results rounded. The interpreter and machine
    /// code call the same function, and allocate nothing for it.
    ///
    /// It should give equal results for equal arguments and do nothing else: a program calls it as often as it sees fit.
    /// A panic passes through the call. It has no derivative until [`with_rule`](Function::with_rule) gives it one;
    /// until then differentiating what calls it is an error, with the lines of the call and of the function.
    ///
    /// The name is for dumps; a text that calls it is read by
    /// [`parse_with`](evolute_ir::text::parse_with).
    ///
    /// # Errors
    /// Arguments or results that are not real, no result, more than 16 arguments or results.
    ///
    /// ```
    /// use evolute_frontend::{Function, scalar, vector};
    ///
    /// let sin = Function::external("sin", scalar(), scalar(), |x, y| y[0][0] = x[0][0].sin())?;
    /// let cos = Function::external("cos", scalar(), scalar(), |x, y| y[0][0] = x[0][0].cos())?;
    /// assert!(sin.grad()?.compile().is_err());
    ///
    /// let cos = cos.with_rule(|x, _, u| -(sin.call(*x) * u))?;
    /// let sin = sin.with_rule(|x, _, u| cos.call(*x) * u)?;
    /// let f = Function::trace(scalar(), |x| sin.call(x * x))?;
    /// assert_eq!(f.grad()?.compile()?.call(&0.0)?, 0.0);
    ///
    /// let range = Function::external("range", vector(3), (scalar(), vector(2)), |x, y| {
    ///     y[0][0] = x[0].iter().sum();
    ///     y[1].copy_from_slice(&[x[0][0], x[0][2]]);
    /// })?;
    /// assert_eq!(range.compile()?.call(&[1.0, 2.0, 4.0])?, (7.0, vec![1.0, 4.0]));
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn external<I>(
        name: &str,
        inputs: I,
        outputs: R,
        function: impl Fn(&[&[f64]], &mut [&mut [f64]]) + Send + Sync + 'static,
    ) -> Result<Self, Error>
    where
        I: IntoSpec<Spec = S>,
    {
        let caller = Location::caller();
        let inputs = inputs.into_spec();
        let (params, results) = (types_of(&inputs, caller)?, types_of(&outputs, caller)?);
        let at = SourceLoc::of(caller);
        let program = external(name, &params, &results, function)
            .and_then(|external| program(&external.defined_at(at.clone()), &params, &results));
        let program = program.map_err(|source| TraceError::At { source, at })?;
        Ok(Function::new(program, inputs, outputs))
    }
}

/// The function with its results one after the other in one array, or one result as it is.
fn external(
    name: &str,
    params: &[Type],
    results: &[Type],
    function: impl Fn(&[&[f64]], &mut [&mut [f64]]) + Send + Sync + 'static,
) -> Result<External, IrError> {
    let most = External::MAX_PARAMS;
    if !(1..=most).contains(&results.len()) {
        let (expected, found) = (format!("between 1 and {most} results"), results.len().to_string());
        return Err(IrError::Type { op: format!("external {name:?}"), expected, found });
    }
    let params: Vec<Type> = params.iter().map(widened).collect();
    let all = flat(results)?;
    let lens: Vec<usize> = results.iter().map(|ty| ty.shape.len()).collect();
    External::new(name, &params, all, move |x, mut rest| {
        let mut parts: [&mut [f64]; External::MAX_PARAMS] = std::array::from_fn(|_| &mut [][..]);
        for (part, &len) in parts.iter_mut().zip(&lens) {
            (*part, rest) = std::mem::take(&mut rest).split_at_mut(len);
        }
        function(x, &mut parts[..lens.len()]);
    })
}

/// The type that the function sees: what is no real it refuses.
fn widened(ty: &Type) -> Type {
    let elem = if ty.elem == Elem::F32 { Elem::F64 } else { ty.elem };
    Type { elem, shape: ty.shape.clone() }
}

/// The type of all results one after the other.
fn flat(results: &[Type]) -> Result<Type, IrError> {
    let [result] = results else {
        let elem = results.iter().map(|ty| widened(ty).elem).find(|&elem| elem != Elem::F64);
        let len = results.iter().map(|ty| ty.shape.len()).sum();
        return Type::array(elem.unwrap_or(Elem::F64), &[len])
            .ok_or(IrError::Array { limit: Shape::MAX_ELEMENTS });
    };
    Ok(widened(result))
}

/// A program that calls the function. Its instructions have no line: they are where the program is used.
fn program(external: &External, params: &[Type], results: &[Type]) -> Result<Program, IrError> {
    let mut builder = Builder::new();
    let params: Vec<Value> = params.iter().map(|ty| builder.param(ty)).collect();
    let wide: Result<Vec<Value>, IrError> =
        params.iter().map(|&param| cast(&mut builder, param, Elem::F64)).collect();
    let id = builder.external(external);
    let all = builder.insert(Op::External(id), &wide?)?;
    let mut first = 0;
    let mut parts = Vec::new();
    for ty in results {
        let part = if results.len() == 1 { all } else { part(&mut builder, all, first, ty)? };
        parts.push(cast(&mut builder, part, ty.elem)?);
        first += ty.shape.len();
    }
    builder.finish(&parts)
}

fn cast(builder: &mut Builder, x: Value, elem: Elem) -> Result<Value, IrError> {
    if builder.program().ty(x).elem == elem { Ok(x) } else { builder.insert(Op::Cast(elem), &[x]) }
}

/// The elements from `first` on, of the shape of `ty`.
fn part(builder: &mut Builder, all: Value, first: usize, ty: &Type) -> Result<Value, IrError> {
    if ty.is_scalar() {
        return builder.insert(Op::Element(first as u32), &[all]);
    }
    let strides = Strides { offset: first as i64, ..Strides::row_major(&ty.shape) };
    let (ty, strides) = (builder.intern(&widened(ty)), builder.strides(&strides));
    builder.insert(Op::View(ty, strides), &[all])
}
