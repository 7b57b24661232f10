//! Where a NaN or an infinity came from.
//!
//! The differentiated but unsimplified program is interpreted, every value kept. From each non-finite
//! result the search goes back through non-finite operands (of a `select`, only the chosen one); the
//! earliest value reached is where finite numbers first gave a non-finite one.

use crate::buffers::{Input, Slot, check};
use crate::error::CallError;
use evolute_ir::{
    Interpreter, IrError, Level, Literal, Mode, Op, Program, Role, SourceLoc, Table, Value, text,
};
use evolute_transforms::inline::{Between, evaluable};
use std::fmt;
use thiserror::Error;

/// Why there is no explanation.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ExplainError {
    /// The inputs do not fit, or the evaluation failed.
    #[error(transparent)]
    Call(#[from] CallError),
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

impl fmt::Display for NanOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} first arises in `{}`", self.number, self.instruction)?;
        if let Some(loc) = &self.loc {
            write!(f, " at {loc}")?;
        }
        for (value, number) in &self.operands {
            write!(f, "\n  where {value} = {number:?}")?;
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

/// The origin of a non-finite result of `program` on `inputs`; `None` if all results are finite.
///
/// # Errors
/// Inputs that do not fit the program, or an evaluation that fails.
pub fn explain_nan(program: &Program, inputs: &[Input<'_>]) -> Result<Option<NanOrigin>, ExplainError> {
    let program = evaluable(program, Between::Keep)?;
    let slots: Vec<Slot> = program.param_types().into_iter().map(Slot::new).collect();
    check(["input", "inputs"], &slots, inputs.iter().map(Input::extent))?;
    let interpreter = Interpreter::new(&program)?;
    let mut machine = interpreter.machine();
    for (param, input) in inputs.iter().enumerate() {
        let (_, len) = input.extent();
        interpreter.set_all(&mut machine, param, (0..len).map(|i| input.get(i).to_slot()));
    }
    interpreter.run(&mut machine).map_err(CallError::from)?;
    let elem = |value: Value| program.ty(value).elem;
    let number = |value: Value| {
        let mut numbers = interpreter
            .peek(&machine, value)
            .map(|slot| Literal::from_slot(elem(value), slot).as_real().unwrap_or(slot as i64 as f64));
        let first = numbers.next().unwrap_or(0.0);
        if first.is_finite() { numbers.find(|x| !x.is_finite()).unwrap_or(first) } else { first }
    };
    let Some(value) = earliest(&program, |v| elem(v).is_real() && !number(v).is_finite(), number) else {
        return Ok(None);
    };
    let origin = program.value(value).origin;
    let inst = program.def_inst(value);
    let operands = inst.map_or(&[][..], |inst| program.operands(inst));
    Ok(Some(NanOrigin {
        value,
        number: number(value),
        instruction: match inst {
            Some(inst) => text::instruction(&program, inst).to_string(),
            None => format!("input {}", text::value_name(&program, value)),
        },
        operands: operands.iter().map(|&v| (v, number(v))).collect(),
        level: origin.level,
        mode: program.levels()[origin.level].mode,
        role: origin.role,
        derivative_of: origin.of.map(|of| (of, program.loc(of).cloned())),
        loc: program.loc(value).cloned(),
        program,
    }))
}

/// The earliest value that is `bad` and from which badness reaches a result.
fn earliest(program: &Program, bad: impl Fn(Value) -> bool, number: impl Fn(Value) -> f64) -> Option<Value> {
    let mut seen = Table::filled(program.values().len(), false);
    let mut work: Vec<Value> = program.root().results.iter().copied().filter(|&v| bad(v)).collect();
    let mut earliest: Option<Value> = None;
    while let Some(value) = work.pop() {
        if std::mem::replace(&mut seen[value], true) {
            continue;
        }
        let Some(inst) = program.def_inst(value) else {
            earliest = Some(earliest.map_or(value, |e| e.min(value)));
            continue;
        };
        let operands = program.operands(inst);
        let read = match program.op(inst) {
            Op::Select if number(operands[0]) != 0.0 => &operands[1..2],
            Op::Select => &operands[2..3],
            _ => operands,
        };
        let sources: Vec<Value> = read.iter().copied().filter(|&v| bad(v)).collect();
        if sources.is_empty() {
            earliest = Some(earliest.map_or(value, |e| e.min(value)));
        }
        work.extend(sources);
    }
    earliest
}
