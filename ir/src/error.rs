//! What can be wrong with a program, or with the instruction a caller asks for.

use crate::entity::Value;
use crate::program::SourceLoc;
use crate::types::Type;
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
    /// The caller's mistake: a program of more instructions than the limit, or with more than
    /// [`Program::OPERANDS`](crate::Program::OPERANDS) times as many operands. Use a loop instead of unrolling it, or split
    /// the program.
    #[error("{what} exceeds the limit of {limit} instructions")]
    TooLarge {
        /// What was being built.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// The caller's mistake: an array of more elements than there may be.
    #[error("an array exceeds the limit of {limit} elements")]
    Array {
        /// The limit.
        limit: u64,
    },
    /// The user's mistake: reverse mode needs more of each of a loop's iterations than an array holds of all that there may
    /// be. Give the loop a smaller limit, or checkpoints.
    #[error(
        "reverse mode needs {elements} elements of each of at most {iterations} iterations{}, past the limit of {limit} in \
         all: limit the iterations (`while_at_most`, `at_most`), or store few of them (`checkpoint`)",
        loc.as_ref().map(|loc| format!(" of the loop at {loc}")).unwrap_or_default()
    )]
    Stored {
        /// The most iterations.
        iterations: u32,
        /// The elements of each.
        elements: usize,
        /// The most elements there may be.
        limit: u64,
        /// The line of the loop.
        loc: Option<SourceLoc>,
    },
    /// The caller's mistake: an evaluation by the interpreter would hold more scalars than the limit.
    #[error("the interpreter would hold more than {limit} scalars")]
    Memory {
        /// The limit.
        limit: usize,
    },
    /// The caller's mistake: regions nested too deeply.
    #[error("more than {limit} regions (of loops, conditionals, derivatives) are nested")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// The caller's mistake: functions that call functions, and so on, too deeply.
    #[error("more than {limit} calls are nested")]
    CallsTooDeep {
        /// The limit.
        limit: usize,
    },
    /// The user's mistake: a value of an inner closure was kept and used after the closure had ended. Return it
    /// from the closure instead.
    #[error(
        "{value}{} belongs to {closure} whose closure has ended: return it from the closure instead",
        place("made", defined)
    )]
    Escaped {
        /// The value.
        value: Value,
        /// What the closure was for.
        closure: Closure,
        /// Where it was made.
        defined: Option<SourceLoc>,
    },
    /// The user's mistake: a derivative of an external function, which has none. Give the function that calls it a rule
    /// of its own.
    #[error(
        "the external function {name:?}{}{} has no derivative: give a function that calls it a rule, by `with_rule`",
        place("called", called),
        place("made", defined)
    )]
    NoDerivative {
        /// The function.
        name: String,
        /// Where what is differentiated calls it.
        called: Option<SourceLoc>,
        /// Where it was made.
        defined: Option<SourceLoc>,
    },
    /// The caller's mistake: an operand of another type than the regions of an operation ask for.
    #[error("`{op}` expects {operand} to be {expected}, found {found}")]
    Operand {
        /// The operation, by its name in the text form.
        op: String,
        /// Which operand.
        operand: Operand,
        /// The type that the region has for it.
        expected: Type,
        /// What was given.
        found: Type,
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

impl IrError {
    /// The same error, of a caller that was building `what`.
    pub fn building(self, what: &'static str) -> IrError {
        match self {
            IrError::TooLarge { what: _, limit } => IrError::TooLarge { what, limit },
            error => error,
        }
    }
}

/// What a nested region is to the operation that it belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Closure {
    /// The function that a derivative operator differentiates.
    Derivative,
    /// The body of a loop, or its condition.
    Loop,
    /// A branch of a conditional.
    Branch,
    /// A function with a rule, or the rule.
    Custom,
    /// The product of a system's matrix and a vector.
    Matrix,
    /// Of an operation that is not complete: the condition of a loop whose body is being built, the first branch
    /// of a conditional whose second one is, or the function of an equation.
    Sibling,
}

impl fmt::Display for Closure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Closure::Derivative => "an inner derivative",
            Closure::Loop => "a loop",
            Closure::Branch => "a branch of a conditional",
            Closure::Custom => "a function with a rule",
            Closure::Matrix => "the matrix of a linear system",
            Closure::Sibling => "the other branch of a conditional, the condition of a loop, or an equation,",
        })
    }
}

/// An operand of an operation with regions, by what it is to it and its number among those, from 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Operand {
    /// What a derivative is taken at, what a function with a rule is given, or a right-hand side.
    Input(usize),
    /// A tangent of an input, or a cotangent of a result.
    Seed(usize),
    /// The number of iterations.
    Count,
    /// What a loop carries from iteration to iteration.
    Carry(usize),
    /// An array of which each iteration gets a row.
    Row(usize),
    /// What is only added to.
    Sum(usize),
    /// The condition of a conditional.
    Condition,
    /// A value of the enclosing region.
    Capture(usize),
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operand::Input(number) => write!(f, "input {number}"),
            Operand::Seed(number) => write!(f, "seed {number}"),
            Operand::Count => f.write_str("the number of iterations"),
            Operand::Carry(number) => write!(f, "carry {number}"),
            Operand::Row(number) => write!(f, "the array of rows {number}"),
            Operand::Sum(number) => write!(f, "sum {number}"),
            Operand::Condition => f.write_str("the condition"),
            Operand::Capture(number) => write!(f, "captured value {number}"),
        }
    }
}

/// ` (made at file:line)`, or nothing.
fn place(what: &str, loc: &Option<SourceLoc>) -> String {
    loc.as_ref().map(|loc| format!(" ({what} at {loc})")).unwrap_or_default()
}

struct Lines<'a>(&'a [String]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}
