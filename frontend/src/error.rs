//! What can go wrong while a closure is traced, differentiated or called.

use evolute_ir::{Failure, IrError, SourceLoc};
use evolute_runtime::explain::ExplainError;
use evolute_runtime::rule::RuleError;
use evolute_runtime::{CallError, CompileError};
use evolute_transforms::derive::DeriveError;
use thiserror::Error;

/// The first mistake made while a closure was traced.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TraceError {
    /// An operation that cannot be: operands of the wrong type, a value that outlived its inner closure, a
    /// program past its size limit.
    #[error("at {at}: {source}")]
    At {
        /// What is wrong.
        source: IrError,
        /// The user's line.
        at: SourceLoc,
    },
    /// A closure returned, or a traced function was given, the wrong number of values, or arrays of other shapes.
    #[error("at {at}: {what}: expected {expected}, found {found}")]
    Length {
        /// What they are: a closure's result, or a method's argument.
        what: &'static str,
        /// What was expected.
        expected: String,
        /// What came.
        found: String,
        /// The user's line.
        at: SourceLoc,
    },
    /// More elements than an array may have, along the axes of one that are not empty.
    #[error("at {at}: an array of {len} elements exceeds the limit of {limit}")]
    Extent {
        /// The elements asked for, or those along the axes that are not empty.
        len: usize,
        /// The most there may be.
        limit: u64,
        /// The user's line.
        at: SourceLoc,
    },
    /// Arrays of shapes that do not go together, an index or an axis that an array does not have.
    #[error("at {at}: `{operation}` expects {expected}, found {found}")]
    Shape {
        /// The method or primitive.
        operation: &'static str,
        /// What it takes.
        expected: String,
        /// What it was given.
        found: String,
        /// The user's line.
        at: SourceLoc,
    },
    /// A choice of the user's that an operation cannot follow: a tolerance that is negative or not finite.
    #[error("at {at}: `{operation}` expects {expected}, found {found}")]
    Choice {
        /// The operation.
        operation: &'static str,
        /// What can be chosen.
        expected: &'static str,
        /// What was.
        found: String,
        /// The user's line.
        at: SourceLoc,
    },
    /// An iteration gives other values than it was given. Their number, elements and shapes stay the same in every
    /// iteration.
    #[error("at {at}: an iteration is given {expected} and gives {found}")]
    Carry {
        /// What the loop starts with.
        expected: String,
        /// What its closure gives.
        found: String,
        /// The line of the loop.
        at: SourceLoc,
    },
    /// The branches of a conditional give different values.
    #[error("at {at}: one branch gives {yes}, the other {no}")]
    Branches {
        /// What the first gives.
        yes: String,
        /// What the second gives.
        no: String,
        /// The line of the conditional.
        at: SourceLoc,
    },
    /// A loop runs as often as a traced integer says, of which no bound is known. Say
    /// [`n.at_most(cap)`](crate::Int::at_most).
    #[error("at {at}: the number of iterations has no known bound: use `at_most`")]
    Unbounded {
        /// The line of the loop.
        at: SourceLoc,
    },
    /// A loop of too many iterations.
    #[error("at {at}: a loop of {count} iterations, of which there may be {}", u32::MAX)]
    Trips {
        /// The number asked for.
        count: usize,
        /// The line of the loop.
        at: SourceLoc,
    },
    /// The closure of a linear system is no product of a matrix and its argument.
    #[error("at {at}: {what} of the linear system{}", elsewhere(.system, .at))]
    NotLinear {
        /// The operation that is not linear, and how.
        what: String,
        /// Its line.
        at: SourceLoc,
        /// The line of the system.
        system: SourceLoc,
    },
    /// An array outside of every trace, where only scalars have values.
    #[error("at {at}: an array outside of a trace")]
    Outside {
        /// The user's line.
        at: SourceLoc,
    },
    /// The closure of an inner derivative, loop or conditional panicked and the panic was caught inside the trace.
    #[error("at {at}: the closure of this derivative, loop or conditional panicked")]
    Panicked {
        /// The line of the derivative, loop or conditional.
        at: SourceLoc,
    },
    /// A value of a trace around this one, or of a trace that has ended: outside of every trace each inner
    /// derivative, loop and conditional has one of its own. Compute with values of one trace; return what an inner
    /// closure computes.
    #[error("at {at}: a value of another trace, or of an inner closure that has ended")]
    Foreign {
        /// The user's line.
        at: SourceLoc,
    },
    /// Constants that have no value: an integer division, outside of every trace.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// The mistake of a [`Tree`](crate::Tree) or [`Spec`](crate::Spec): it takes other leaves than it gave.
    #[error("a structure is rebuilt from other leaves than it was flattened to")]
    Rebuilt,
}

/// ` at …`, but for what is at the same line.
fn elsewhere(this: &SourceLoc, other: &SourceLoc) -> String {
    if this == other { String::new() } else { format!(" at {this}") }
}

/// Anything that can go wrong with a function.
#[derive(Debug, Error)]
pub enum Error {
    /// The closure cannot be traced.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The function has no such derivative.
    #[error("at {at}: {source}")]
    Derive {
        /// Why not.
        source: DeriveError,
        /// The user's line.
        at: SourceLoc,
    },
    /// A rule is not the derivative of its function.
    #[error("at {at}: {source}")]
    Rule {
        /// What is wrong with it.
        source: Box<RuleError>,
        /// The user's line.
        at: SourceLoc,
    },
    /// The function cannot be compiled.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The call does not fit the function.
    #[error(transparent)]
    Call(#[from] CallError),
    /// A part of a structured argument or result of a call does not fit the function: a field's array, or a list, of
    /// another length.
    #[error("{path}: expected {expected}, found {found}")]
    Part {
        /// The way to it: `input.layers[2].w`; of several arguments `input.0.layers[2].w`.
        path: String,
        /// Its type, or the number of its items.
        expected: String,
        /// What was given.
        found: String,
    },
    /// The function cannot be examined on these inputs.
    #[error(transparent)]
    Explain(#[from] ExplainError),
    /// Derivatives cannot be checked on these inputs.
    #[error(transparent)]
    Check(#[from] evolute_runtime::check::CheckError),
    /// The program read does not have this signature.
    #[error("at {at}: expected a program {expected}, found {found}")]
    Signature {
        /// The types asked for.
        expected: String,
        /// The types of the program.
        found: String,
        /// The user's line.
        at: SourceLoc,
    },
    /// The program read is not valid.
    #[error(transparent)]
    Ir(#[from] IrError),
}
