//! Simplification: the rewrites of [`rules`] to their fixpoint, with global value numbering, constant folding and
//! removal of dead code.
//!
//! The rules are a [`Rewriter`] of the [`Builder`], which also shares repeated instructions and folds constants:
//! whatever is inserted is simplified at once. Each instruction is offered to the rules with its operands already
//! final, and so is each that a rule makes; as rules look at definitions only, none applies to the result: one pass is
//! the fixpoint.
//!
//! **Termination.** Weigh a program by the sum over its instructions of the weight of each: every rule
//! replaces its root by a combination of its operands' operands that weighs less, or, at equal weight,
//! moves a negation or a constant one step towards the results. Neither can go on forever.
//!
//! **Between derivatives** only rewrites run that leave the derivatives' roundings alone ([`When`]): a gradient is
//! simplified as it is built, since differentiating it again would repeat all that is trivial in it.

mod matching;
pub mod rules;

pub use rules::When;

use crate::derive::copy_params;
use crate::inline::inline_live;
use evolute_ir::{Builder, IrError, Op, Program, Rewriter, Value};
use rules::Rewrite;
use std::collections::BTreeMap;

/// A simplified program and how often each rewrite applied.
pub struct Simplified {
    /// The program.
    pub program: Program,
    /// Applications by the rewrite's name.
    pub applied: BTreeMap<&'static str, usize>,
}

/// Simplifies an operator-free program by the rewrites that may be applied at this point.
///
/// # Errors
/// None for a valid program.
pub fn simplify(program: &Program, when: When) -> Result<Simplified, IrError> {
    let mut builder = Builder::sharing_globally();
    builder.set_limit(program.limit());
    builder.set_rewriter(rewriter(when));
    let params = copy_params(&mut builder, program);
    let results = inline_live(&mut builder, program, &params)?;
    let applied = builder.take_rewrites();
    Ok(Simplified { program: builder.finish_live(&results)?, applied })
}

/// The rewrites that may be applied at this point, for a builder to apply as it goes.
pub fn rewriter(when: When) -> Rewriter {
    match when {
        When::Always => |builder, op, operands| rewrite(builder, op, operands, When::Always),
        When::Last => |builder, op, operands| rewrite(builder, op, operands, When::Last),
        When::Contract => |builder, op, operands| rewrite(builder, op, operands, When::Contract),
    }
}

fn rewrite(builder: &mut Builder, op: Op, operands: &[Value], when: When) -> Option<Result<Value, IrError>> {
    for rewrite in Rewrite::of(op) {
        if rewrite.when <= when
            && let Some(value) = (rewrite.apply)(builder, operands)
        {
            builder.note_rewrite(rewrite.name);
            return Some(value);
        }
    }
    None
}
