//! Where a NaN or an infinity came from, or a failure.
//!
//! The program that runs, after all passes of the options, is interpreted, every value kept: contraction can make
//! and mend what is not finite. From each non-finite result the search goes back through non-finite operands (of a
//! `select`, only the chosen one); the earliest value reached is where finite numbers first gave a non-finite one. It
//! goes into loops and conditionals, whose iterations and branches are evaluated again, alone. Functions that are called
//! are put in the place of their calls.
//!
//! An evaluation that fails goes on with what is next in range, so the instruction that failed is the first, in the order of
//! the program, whose operands it does not act on.

mod failure;
mod frame;
mod loops;
mod search;

use crate::buffers::{Input, Slot, check};
use crate::error::CallError;
use crate::options::Options;
use evolute_ir::{IrError, Level, Mode, Program, Role, SourceLoc, Value, text};
use evolute_transforms::Pipeline;
use evolute_transforms::inline::inline_calls;
pub use failure::{FailureOrigin, OutOfRange};
use search::{Found, Search};
use std::fmt;
use thiserror::Error;

/// Why there is no explanation.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ExplainError {
    /// The inputs do not fit, or the evaluation failed where it cannot be looked into.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The evaluation failed.
    #[error(transparent)]
    Failed(Box<FailureOrigin>),
    /// The program cannot be differentiated.
    #[error(transparent)]
    Ir(#[from] IrError),
}

/// The earliest non-finite value on a path to a non-finite result.
#[derive(Clone, Debug)]
pub struct NanOrigin {
    /// The value, in the numbering of [`NanOrigin::program`].
    pub value: Value,
    /// The number it has; of an array the first that is not finite.
    pub number: f64,
    /// The instruction as text, or the input's name.
    pub instruction: String,
    /// The numbers its operands have.
    pub operands: Vec<(Value, f64)>,
    /// The loops and conditionals that it lies in, the outermost first.
    pub within: Vec<Within>,
    /// Which application of a derivative operator made it.
    pub level: Level,
    /// Forward or reverse, if it belongs to a derivative.
    pub mode: Option<Mode>,
    /// What it is to that application.
    pub role: Role,
    /// What it is the derivative of: the value and the user's line of that.
    pub derivative_of: Option<(Value, Option<SourceLoc>)>,
    /// The user's line.
    pub loc: Option<SourceLoc>,
    /// The program interpreted.
    pub program: Program,
}

/// A loop or conditional that an origin lies in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Within {
    /// An iteration of a loop.
    Iteration {
        /// The iteration's number, from 0. A loop of a reverse derivative may go through them from the last.
        number: u64,
        /// The loop's line.
        loc: Option<SourceLoc>,
    },
    /// A branch of a conditional.
    Branch {
        /// Whether the condition holds.
        taken: bool,
        /// The conditional's line.
        loc: Option<SourceLoc>,
    },
}

impl fmt::Display for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let loc = match self {
            Within::Iteration { number, loc } => {
                write!(f, "in iteration {number} of the loop")?;
                loc
            }
            Within::Branch { taken, loc } => {
                write!(
                    f,
                    "in the branch where the condition {}",
                    if *taken { "holds" } else { "does not hold" }
                )?;
                loc
            }
        };
        loc.as_ref().map_or(Ok(()), |loc| write!(f, " at {loc}"))
    }
}

impl fmt::Display for NanOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} first arises in `{}`", self.number, self.instruction)?;
        if let Some(loc) = &self.loc {
            write!(f, " at {loc}")?;
        }
        for (value, number) in &self.operands {
            write!(f, "\n  where {value} = {number:?}")?;
        }
        for within in self.within.iter().rev() {
            write!(f, "\n  {within}")?;
        }
        let role = match self.role {
            Role::Primal => "part",
            Role::Tangent => "tangent",
            Role::Cotangent => "cotangent",
        };
        match self.mode {
            None => write!(f, "\n  in the function itself (level 0)"),
            Some(mode) => {
                let mode = if mode == Mode::Forward { "forward" } else { "reverse" };
                write!(f, "\n  {role} of {} ({mode} derivative)", self.level)
            }
        }?;
        if let Some((of, loc)) = &self.derivative_of {
            write!(f, "\n  the derivative of {of}")?;
            if let Some(loc) = loc {
                write!(f, " at {loc}")?;
            }
        }
        Ok(())
    }
}

/// The origin of a non-finite result of `program`, made ready with `options`, on `inputs`; `None` if all results are
/// finite.
///
/// An evaluation keeps every value of the program. Each loop on a path to a non-finite result is evaluated three times
/// more, an iteration at a time.
///
/// # Errors
/// Inputs that do not fit the program, or an evaluation that fails: [`ExplainError::Failed`] says on which numbers.
pub fn explain_nan(
    program: &Program,
    options: &Options,
    inputs: &[Input<'_>],
) -> Result<Option<NanOrigin>, ExplainError> {
    // A copy of a function gives the bits of its call, and can be looked into.
    let program = inline_calls(&Pipeline::new(options.pipeline()).run(program)?)?;
    let slots: Vec<Slot> = program.param_types().into_iter().map(Slot::new).collect();
    check(["input", "inputs"], &slots, inputs.iter().map(Input::extent))?;
    let mut search = Search::new(&program);
    let mut frame = search.frames.enter(Program::ROOT)?;
    for (param, input) in inputs.iter().enumerate() {
        let (_, len) = input.extent();
        frame.set(param, (0..len).map(|i| input.get(i).to_slot()));
    }
    if let Err(error) = frame.run() {
        return Err(search.explained(&frame, error));
    }
    let found = search.origin(&frame)?;
    drop((frame, search));
    Ok(found.map(|found| found.explained(program)))
}

impl Found {
    fn explained(self, program: Program) -> NanOrigin {
        let Found { value, number, operands, mut within } = self;
        within.reverse();
        let origin = program.value(value).origin;
        NanOrigin {
            value,
            number,
            instruction: match program.def_inst(value) {
                Some(inst) => text::instruction(&program, inst).to_string(),
                None => format!("input {}", text::value_name(&program, value)),
            },
            operands,
            within,
            level: origin.level,
            mode: program.levels()[origin.level].mode,
            role: origin.role,
            derivative_of: origin.of.map(|of| (of, program.loc(of).cloned())),
            loc: program.loc(value).cloned(),
            program,
        }
    }
}
