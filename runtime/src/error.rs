//! What can go wrong when a program is compiled, and when it is called.

use evolute_codegen::CodegenError;
use evolute_ir::{Elem, Failure, IrError, Type};
use thiserror::Error;

/// Why a program cannot be made ready to run.
#[derive(Debug, Error)]
pub enum CompileError {
    /// The program is invalid, or differentiation makes it too large.
    #[error(transparent)]
    Ir(#[from] IrError),
    /// No machine code can be made or mapped here. [`Execution::Interpreted`](crate::Execution::Interpreted) works
    /// everywhere.
    #[error(transparent)]
    Codegen(#[from] CodegenError),
}

/// Why a call has no result. The caller's mistake in every case.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CallError {
    /// Too few or too many inputs or outputs.
    #[error("expected {expected} {what}, found {found}")]
    Count {
        /// `inputs` or `outputs`.
        what: &'static str,
        /// How many the function has.
        expected: usize,
        /// How many were given.
        found: usize,
    },
    /// An input or output of the wrong length or element.
    #[error("{what} {index}: expected {expected}, found {len} elements of {elem}")]
    Buffer {
        /// `input` or `output`.
        what: &'static str,
        /// Which one, from 0.
        index: usize,
        /// The type the function has there.
        expected: Type,
        /// The length given.
        len: usize,
        /// The element given.
        elem: Elem,
    },
    /// The system has not so much memory for a call: loops reserve room for all their iterations in reverse
    /// mode, unless a [`Checkpoint`](evolute_ir::Checkpoint) or a smaller limit is chosen.
    #[error("the workspace of a call takes {bytes} bytes, which the system does not give")]
    Memory {
        /// The bytes that the function needs.
        bytes: usize,
    },
    /// The evaluation failed: an integer was divided by zero, an index was out of range, a loop's number of iterations
    /// was.
    #[error(transparent)]
    Failure(#[from] Failure),
}
