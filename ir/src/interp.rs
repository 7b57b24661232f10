//! The reference interpreter: what a program means, and the oracle of native code.
//!
//! A program without derivative operators is decoded once into steps over 64-bit slots, one slot a scalar; an
//! `f32`, `i64` or `bool` occupies the low bits. Most steps are stretches of scalar [`Code`]s. `element` and
//! `pack` of scalars cost nothing: an array is the list of its elements' slots. The values of a nested region
//! have slots of their own too, which every iteration overwrites. Elementary functions are those of
//! `evolute-kernels`, which native code calls too, so both give the same bits.

mod buffer;
mod decode;
mod decode_access;
mod decode_calls;
mod decode_regions;
mod eval;
mod linalg;
mod regions;
mod steps;

pub use buffer::Buffer;
pub use eval::{RealPrims, cast, eval_prim};

use crate::entity::{Region, Table, Value};
use crate::error::IrError;
use crate::op::Op;
use crate::program::{Program, SourceLoc};
use crate::types::{Elem, Literal, Type};
use std::ops::Range;
use std::sync::Arc;
use steps::Step;
use thiserror::Error;

/// Why an evaluation has no value. The user's mistake, at the user's line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{kind}{}", .loc.as_ref().map(|loc| format!(" at {loc}")).unwrap_or_default())]
pub struct Failure {
    /// What failed.
    pub kind: FailureKind,
    /// The source line of the instruction.
    pub loc: Option<SourceLoc>,
}

/// What can fail in an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FailureKind {
    /// An integer was divided by zero, or `i64::MIN` by −1.
    #[error("integer division by zero or overflow")]
    IntegerDivision,
    /// A computed index lies outside the array that is read.
    #[error("index out of range in `at`")]
    Index,
    /// A computed index lies outside the array that is added to, by the user's program or by a derivative of one that reads.
    #[error("index out of range in `add_at`")]
    AddedIndex,
    /// A loop was to run a negative number of times, or more often than its cap.
    #[error("number of iterations out of range")]
    Count,
    /// The condition of a `while` loop still held when it had run as often as its cap allows.
    #[error("the loop goes on past its limit of iterations")]
    Endless,
    /// A solver's iterations have not converged within their limit, have met what is not a number, or have broken down: on
    /// a matrix that is singular, or none of those that the method is for.
    #[error("the iterations do not converge")]
    NotConverged,
    /// A linear system's matrix is singular to working precision.
    #[error("the matrix of a linear system, or the derivative of an equation, is singular")]
    Singular,
    /// What the user gave as the solution of a linear system is none.
    #[error("the solution given for a linear system is none: its residual is too large, or not a number")]
    Rejected,
    /// A function of the user's panicked. The panic goes on where machine code was entered.
    #[error("an external function panicked")]
    External,
}

impl FailureKind {
    /// An index of this operation, `at` or `add_at`, that is out of range.
    pub fn index_of(op: Op) -> FailureKind {
        if op == Op::AddAt { FailureKind::AddedIndex } else { FailureKind::Index }
    }
}

/// One decoded scalar instruction: `dst ← run(a, b, c)`.
struct Code {
    run: fn(&mut Machine, &Code),
    dst: u32,
    a: u32,
    b: u32,
    c: u32,
}

/// The state of an evaluation, to be kept between evaluations of one program.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    slots: Vec<u64>,
    /// What failed first.
    failed: Option<Failed>,
    /// Between the results of a loop's body and its next parameters.
    scratch: Vec<u64>,
    /// The arguments and the result of a function of the user's.
    numbers: Vec<f64>,
    /// Room for dense linear algebra.
    dense: linalg::Room,
}

#[derive(Clone, Copy, Debug)]
enum Failed {
    /// A scalar instruction, by its destination.
    Scalar(u32),
    /// Another instruction, by the number of its check.
    Check(u32),
}

/// Where the elements of a value lie.
#[derive(Clone, Debug)]
enum Slots {
    Range(Range<u32>),
    List(Arc<[u32]>),
}

impl Slots {
    fn get(&self, index: usize) -> u32 {
        match self {
            Slots::Range(range) => range.start + index as u32,
            Slots::List(list) => list[index],
        }
    }

    /// `len` of them, from one on.
    fn part(&self, start: usize, len: usize) -> Slots {
        match self {
            Slots::Range(range) => {
                let first = range.start + start as u32;
                Slots::Range(first..first + len as u32)
            }
            Slots::List(list) => Slots::List(list[start..start + len].into()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Slots::Range(range) => range.len(),
            Slots::List(list) => list.len(),
        }
    }

    fn contains(&self, slot: u32) -> bool {
        match self {
            Slots::Range(range) => range.contains(&slot),
            Slots::List(list) => list.contains(&slot),
        }
    }
}

/// A decoded program.
pub struct Interpreter {
    /// Scalar instructions; steps name stretches of them.
    codes: Vec<Code>,
    steps: Vec<Step>,
    /// Those of the functions that are called.
    callees: Vec<Vec<Step>>,
    /// How many slots there are. At the start of an evaluation they are zero, but for constants.
    slots: usize,
    constants: Vec<(u32, u64)>,
    /// Slots that count from 0.
    iotas: Vec<Range<u32>>,
    places: Table<Value, Slots>,
    params: Vec<(Type, Slots)>,
    results: Vec<(Type, Slots)>,
    /// The source lines of instructions that can fail, by destinations.
    fallible: Vec<(Slots, Option<SourceLoc>)>,
    /// What the failures of other instructions mean.
    checks: Vec<Failure>,
    /// The room that dense linear algebra needs.
    dense: linalg::RoomSize,
    /// The most that the carries of a loop hold.
    carried: usize,
}

impl Interpreter {
    /// Decodes `program`.
    ///
    /// # Errors
    /// If it still holds derivative operators, or too many scalars to keep in memory.
    pub fn new(program: &Program) -> Result<Interpreter, IrError> {
        Self::of_region(program, Program::ROOT)
    }

    /// Decodes a region as if it were the body of a program: its parameters, captures included, are set and its
    /// results read as those of one. For looking at a single iteration or branch.
    ///
    /// # Errors
    /// As [`Interpreter::new`].
    pub fn of_region(program: &Program, region: Region) -> Result<Interpreter, IrError> {
        decode::Decoder::new(program).decode(region)
    }

    /// The number of decoded instructions: scalar ones, and the others outside of loops.
    pub fn len(&self) -> usize {
        let steps = self.steps.iter().filter(|step| !matches!(step, Step::Scalars(_)));
        self.codes.len() + steps.count()
    }

    /// Whether an evaluation only moves its inputs to its outputs.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// A state for evaluations, the only thing that allocates.
    pub fn machine(&self) -> Machine {
        let mut slots = vec![0; self.slots];
        for &(slot, bits) in &self.constants {
            slots[slot as usize] = bits;
        }
        for range in &self.iotas {
            let numbered = &mut slots[range.start as usize..range.end as usize];
            numbered.iter_mut().zip(0..).for_each(|(slot, number)| *slot = number);
        }
        let scratch = Vec::with_capacity(self.carried);
        Machine { slots, scratch, dense: self.dense.room(), ..Machine::default() }
    }

    /// Sets element `index` of parameter `param`.
    ///
    /// # Panics
    /// If there is no such parameter or element.
    pub fn set(&self, machine: &mut Machine, param: usize, index: usize, value: Literal) {
        machine.slots[self.params[param].1.get(index) as usize] = value.to_slot();
    }

    /// Sets parameter `param` from the slots `values` yields, as many as it has elements.
    pub fn set_all(&self, machine: &mut Machine, param: usize, values: impl Iterator<Item = u64>) {
        let slots = &self.params[param].1;
        for (index, value) in (0..slots.len()).zip(values) {
            machine.slots[slots.get(index) as usize] = value;
        }
    }

    /// Evaluates the program on the parameters set.
    ///
    /// # Errors
    /// The first instruction that failed.
    pub fn run(&self, machine: &mut Machine) -> Result<(), Failure> {
        machine.failed = None;
        self.execute(&self.steps, machine);
        match machine.failed {
            None => Ok(()),
            Some(Failed::Scalar(dst)) => {
                let loc =
                    self.fallible.iter().find(|(to, _)| to.contains(dst)).and_then(|(_, loc)| loc.clone());
                Err(Failure { kind: FailureKind::IntegerDivision, loc })
            }
            Some(Failed::Check(number)) => Err(self.checks[number as usize].clone()),
        }
    }

    /// The slots of result `result` after an evaluation.
    pub fn result<'a>(&'a self, machine: &'a Machine, result: usize) -> impl Iterator<Item = u64> + 'a {
        let slots = &self.results[result].1;
        (0..slots.len()).map(|i| machine.slots[slots.get(i) as usize])
    }

    /// The elements of `value`, which belongs to the region decoded, after an evaluation.
    pub fn peek<'a>(&'a self, machine: &'a Machine, value: Value) -> impl Iterator<Item = u64> + 'a {
        let slots = &self.places[value];
        (0..slots.len()).map(|i| machine.slots[slots.get(i) as usize])
    }

    /// The types of the parameters.
    pub fn params(&self) -> impl ExactSizeIterator<Item = &Type> {
        self.params.iter().map(|(ty, _)| ty)
    }

    /// Evaluates on whole buffers: convenient, and allocates.
    ///
    /// # Errors
    /// Buffers that do not fit the parameters, as [`IrError::Type`] in text; or a [`Failure`].
    pub fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, EvalError> {
        let mut machine = self.machine();
        self.check(inputs)?;
        for (param, input) in inputs.iter().enumerate() {
            self.set_all(&mut machine, param, (0..input.len()).map(|i| input.get(i).to_slot()));
        }
        self.run(&mut machine)?;
        let collect = |(index, (ty, _)): (usize, &(Type, Slots))| {
            let slots: Vec<u64> = self.result(&machine, index).collect();
            match ty.elem {
                Elem::F64 => Buffer::F64(slots.into_iter().map(f64::from_bits).collect()),
                Elem::F32 => Buffer::F32(slots.into_iter().map(|s| f32::from_bits(s as u32)).collect()),
                Elem::I64 => Buffer::I64(slots.into_iter().map(|s| s as i64).collect()),
                Elem::Bool => Buffer::Bool(slots.into_iter().map(|s| s & 1 == 1).collect()),
            }
        };
        Ok(self.results.iter().enumerate().map(collect).collect())
    }

    fn check(&self, inputs: &[Buffer]) -> Result<(), EvalError> {
        if inputs.len() != self.params.len() {
            return Err(EvalError::Count { expected: self.params.len(), found: inputs.len() });
        }
        for (index, (input, (ty, _))) in inputs.iter().zip(&self.params).enumerate() {
            if input.elem() != ty.elem || input.len() != ty.shape.len() {
                let found = format!("{} elements of {}", input.len(), input.elem());
                return Err(EvalError::Input { index, expected: ty.clone(), found });
            }
        }
        Ok(())
    }
}

/// Why [`Interpreter::eval`] gives no result.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EvalError {
    /// The caller's mistake: too few or too many inputs.
    #[error("expected {expected} inputs, found {found}")]
    Count {
        /// The number of parameters.
        expected: usize,
        /// The number of inputs given.
        found: usize,
    },
    /// The caller's mistake: an input of the wrong length or element.
    #[error("input {index}: expected {expected}, found {found}")]
    Input {
        /// Which input.
        index: usize,
        /// The parameter's type.
        expected: Type,
        /// What was given.
        found: String,
    },
    /// The evaluation failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}
