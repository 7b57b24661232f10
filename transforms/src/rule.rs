//! A function with a derivative that the user states.

use crate::derive::{DeriveError, copy_params};
use crate::inline::inline;
use crate::linear::constant_like;
use evolute_ir::{Builder, IrError, Origin, Program, SourceLoc, Value};

/// `f` as one [`custom`](evolute_ir::Op::Custom) instruction, differentiated by `rule`: a program that takes a tangent for
/// each parameter of `f`, the results of `f`, and its parameters, and gives a tangent for each result. Tangents of what
/// is not real are zeros, and not asked for.
///
/// # Errors
/// A rule that does not take and give that.
pub fn with_rule(f: &Program, rule: &Program, loc: Option<SourceLoc>) -> Result<Program, DeriveError> {
    let mut builder = Builder::new();
    builder.set_limit(f.limit());
    let params = copy_params(&mut builder, f);
    let loc = loc.map(|loc| builder.add_loc(loc)).unwrap_or_default();
    builder.set_origin(Origin { loc, ..Origin::default() });
    let primal = builder.in_region(|builder| {
        let params: Vec<Value> = f.param_types().iter().map(|ty| builder.param(ty)).collect();
        inline(builder, f, &params)
    })?;
    let rule = builder.in_region(|builder| {
        let args = rule_arguments(builder, f)?;
        let tangents = inline(builder, rule, &args)?;
        let real = |(tangent, ty): (Value, &evolute_ir::Type)| ty.elem.is_real().then_some(tangent);
        Ok(tangents.into_iter().zip(&f.result_types()).filter_map(real).collect())
    })?;
    let results = builder.custom(primal, rule, &params)?;
    Ok(builder.finish(&results)?)
}

/// The parameters of a rule's region, as the rule takes them.
fn rule_arguments(builder: &mut Builder, f: &Program) -> Result<Vec<Value>, IrError> {
    let (params, results) = (f.param_types(), f.result_types());
    let reals: Vec<Value> =
        params.iter().filter(|ty| ty.elem.is_real()).map(|ty| builder.param(ty)).collect();
    let values: Vec<Value> = results.iter().map(|ty| builder.param(ty)).collect();
    let points: Vec<Value> = params.iter().map(|ty| builder.param(ty)).collect();
    let mut reals = reals.into_iter();
    let mut args = Vec::with_capacity(2 * params.len() + results.len());
    for (ty, &point) in params.iter().zip(&points) {
        let tangent = if ty.elem.is_real() { reals.next() } else { None };
        args.push(tangent.map_or_else(|| constant_like(builder, point, 0.0), Ok)?);
    }
    args.extend(values);
    args.extend(points);
    Ok(args)
}
