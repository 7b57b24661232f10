//! What can be wrong with a program, or with the instruction a caller asks for.

use crate::entity::Value;
use crate::program::SourceLoc;
use std::fmt;
use thiserror::Error;

/// An instruction that cannot be built, or a text that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum IrError {
    /// The caller's mistake: an operand of a type that the operation does not take.
    #[error("`{op}` expects {expected}, found {found}")]
    Type {
        /// The operation, by its name in the text form.
        op: String,
        /// What it takes.
        expected: String,
        /// What it was given.
        found: String,
    },
    /// The caller's mistake: a program of more instructions than the limit. Use a loop instead of
    /// unrolling it, or split the program.
    #[error("the program exceeds the limit of {limit} instructions")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The caller's mistake: derivatives nested too deeply.
    #[error("more than {limit} derivatives are nested")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// The user's mistake: a value of an inner derivative was kept and used after the derivative was
    /// taken. Return it from the inner closure instead.
    #[error(
        "{value}{} belongs to an inner derivative whose closure has ended: return it from the closure instead",
        at(defined)
    )]
    Escaped {
        /// The value.
        value: Value,
        /// Where it was made.
        defined: Option<SourceLoc>,
    },
    /// The user's mistake: a loop's checkpoints may take less memory than the least that is possible.
    #[error("checkpoints take at least {needed} bytes, {budget} are allowed{}", loc.as_ref().map(|loc| format!(" at {loc}")).unwrap_or_default())]
    Checkpoint {
        /// The bytes allowed.
        budget: u64,
        /// The fewest bytes that are possible.
        needed: u64,
        /// The line of the loop.
        loc: Option<SourceLoc>,
    },
    /// The text is not a program.
    #[error("line {line}: {message}")]
    Parse {
        /// The line, from 1.
        line: usize,
        /// What was expected and what was found.
        message: String,
    },
    /// The program violates invariants; all violations are listed.
    #[error("invalid program:\n{}", Lines(violations))]
    Invalid {
        /// One entry a violation.
        violations: Vec<String>,
    },
}

/// ` (made at file:line)`, or nothing.
fn at(loc: &Option<SourceLoc>) -> String {
    loc.as_ref().map(|loc| format!(" (made at {loc})")).unwrap_or_default()
}

struct Lines<'a>(&'a [String]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}
