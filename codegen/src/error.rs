//! Why a program has no machine code.

use std::io;
use thiserror::Error;

/// Why [`compile`](crate::compile) gives no code.
#[derive(Debug, Error)]
pub enum CodegenError {
    /// The machine's: there is no native code for this processor. Use the interpreter.
    #[error("no native code for {target}: {reason}")]
    UnsupportedTarget {
        /// The host's triple.
        target: String,
        /// What it lacks.
        reason: &'static str,
    },
    /// The system's: it refuses to map memory or to make it executable. Use the interpreter.
    #[error("the system refuses executable memory: {source}")]
    ExecutableMemory {
        /// The system's error.
        source: io::Error,
    },
    /// The calling crate's: derivative operators are to be removed before code generation.
    #[error("the program still holds {count} derivative operators")]
    OperatorsLeft {
        /// How many.
        count: usize,
    },
    /// The caller's mistake: straight-line code of more scalars than the limit.
    #[error("the program has more than {limit} scalar operations, inputs and outputs")]
    TooLarge {
        /// The most there may be.
        limit: usize,
    },
    /// The caller's mistake: arrays, besides inputs and outputs, that take more memory than the limit.
    #[error("a call would need {bytes} bytes of workspace, more than the limit of {limit}")]
    Workspace {
        /// What it would need.
        bytes: usize,
        /// The most there may be.
        limit: usize,
    },
    /// This crate's: Cranelift refuses what it was given. Please report the program.
    #[error("internal error of the code generator: {0}")]
    Cranelift(String),
}
