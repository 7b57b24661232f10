//! Rust functions as functions of a program.

use super::Function;
use super::border::types_of;
use crate::error::{Error, TraceError};
use crate::spec::{IntoSpec, Spec};
use evolute_ir::{Builder, External, IrError, Op, Origin, Program, SourceLoc, Type, Value};
use std::panic::Location;

impl<S: Spec, R: Spec> Function<S, R> {
    /// A Rust function as a function of `f64` scalars and arrays: a table, a simulation, whatever is no closure over
    /// traced values. It gets a slice for each argument, the elements of an array row by row, and writes its one
    /// result. The interpreter and machine code call the same function, and allocate nothing for it.
    ///
    /// It should give equal results for equal arguments and do nothing else: a program calls it as often as it sees fit.
    /// A panic passes through the call. It has no derivative until [`with_rule`](Function::with_rule) gives it one;
    /// until then differentiating what calls it is an error, with the line.
    ///
    /// The name is for dumps; a text that calls it is read by
    /// [`parse_with`](evolute_ir::text::parse_with).
    ///
    /// # Errors
    /// Arguments or a result that are not `f64`, more than one result, more than 16 arguments.
    ///
    /// ```
    /// use evolute_frontend::{Function, scalar};
    ///
    /// let sin = Function::external("sin", scalar(), scalar(), |x, y| y[0] = x[0][0].sin())?;
    /// let cos = Function::external("cos", scalar(), scalar(), |x, y| y[0] = x[0][0].cos())?;
    /// assert!(sin.grad()?.compile().is_err());
    ///
    /// let cos = cos.with_rule(|x, _, u| -(sin.call(*x) * u))?;
    /// let sin = sin.with_rule(|x, _, u| cos.call(*x) * u)?;
    /// let f = Function::trace(scalar(), |x| sin.call(x * x))?;
    /// assert_eq!(f.grad()?.compile()?.call(&0.0)?, 0.0);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn external<I>(
        name: &str,
        inputs: I,
        output: R,
        function: impl Fn(&[&[f64]], &mut [f64]) + Send + Sync + 'static,
    ) -> Result<Self, Error>
    where
        I: IntoSpec<Spec = S>,
    {
        let caller = Location::caller();
        let inputs = inputs.into_spec();
        let (params, results) = (types_of(&inputs, caller)?, types_of(&output, caller)?);
        let at = SourceLoc::of(caller);
        let [result] = &results[..] else {
            let (expected, found) = ("one result".into(), format!("{} results", results.len()));
            return Err(TraceError::Length { expected, found, at }.into());
        };
        let program = External::new(name, &params, result.clone(), function)
            .and_then(|external| program(&external, &params, at.clone()));
        let program = program.map_err(|source| TraceError::At { source, at })?;
        Ok(Function::new(program, inputs, output))
    }
}

/// A program that calls the function.
fn program(external: &External, params: &[Type], at: SourceLoc) -> Result<Program, IrError> {
    let mut builder = Builder::new();
    let loc = builder.add_loc(at);
    builder.set_origin(Origin { loc, ..Origin::default() });
    let params: Vec<Value> = params.iter().map(|ty| builder.param(ty)).collect();
    let id = builder.external(external);
    let result = builder.insert(Op::External(id), &params)?;
    builder.finish(&[result])
}
