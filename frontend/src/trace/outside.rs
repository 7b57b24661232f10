//! Outside of every trace, where all values are constants.
//!
//! An inner derivative, a loop or a function of constants is recorded in a trace of its own, which is interpreted. A
//! mistake made outside has no trace that would return it. So it becomes the value: a failed one, which is an
//! error of every trace that it enters.

use super::{Caller, Repr, Trace, current, record};
use crate::error::TraceError;
use crate::tree::{Leaf, Leaves};
use evolute_ir::{Interpreter, Program, SourceLoc};
use evolute_transforms::inline::{Between, evaluable};
use std::cell::RefCell;

thread_local! {
    /// What failed values name, each mistake once.
    static MISTAKES: RefCell<Vec<TraceError>> = const { RefCell::new(Vec::new()) };
}

/// A mistake made outside of every trace, by its number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failed(u32);

impl Failed {
    pub(crate) fn error(self) -> TraceError {
        MISTAKES.with_borrow(|mistakes| mistakes[self.0 as usize].clone())
    }
}

/// A failed value.
pub(crate) fn failed(error: TraceError) -> Repr {
    MISTAKES.with_borrow_mut(|mistakes| {
        let known = mistakes.iter().rposition(|known| *known == error);
        let number = known.unwrap_or_else(|| {
            mistakes.push(error);
            mistakes.len() - 1
        });
        Repr::Failed(Failed(number as u32))
    })
}

/// What `body` makes in the innermost trace. Outside, it makes constants in a trace of its own.
pub(crate) fn within<'t>(caller: Caller, body: impl FnOnce(&Trace) -> Leaves<'t>) -> Leaves<'t> {
    match current() {
        Some(trace) => body(&trace),
        None => evaluated(caller, body),
    }
}

fn evaluated<'t>(caller: Caller, body: impl FnOnce(&Trace) -> Leaves<'t>) -> Leaves<'t> {
    let mut leaves = Leaves::new();
    let body = |trace: &Trace, _: &[_]| {
        leaves = body(trace);
        leaves.iter().map(|leaf| leaf.operand()).collect()
    };
    let program = record(caller, Program::MAX_INSTRUCTIONS, &[], body, |_, values| values);
    if leaves.iter().any(|leaf| leaf.is_array()) {
        let error = program.err().unwrap_or_else(|| TraceError::Outside { at: SourceLoc::of(caller) });
        return leaves.iter().map(|leaf| leaf.replaced(failed(error.clone()))).collect();
    }
    let results = match program.and_then(|program| slots(&program, caller)) {
        Ok(slots) => slots.into_iter().map(Repr::Const).collect(),
        Err(error) => vec![failed(error); leaves.len()],
    };
    leaves.iter().zip(results).map(|(leaf, result)| Leaf::new(result, leaf.elem())).collect()
}

/// The results of a program without parameters, all scalars.
fn slots(program: &Program, caller: Caller) -> Result<Vec<u64>, TraceError> {
    let refused = |source| TraceError::At { source, at: SourceLoc::of(caller) };
    let derives = program.any_op(|op| op.is_derivative() || op.is_implicit());
    let plain = derives.then(|| evaluable(program, Between::Keep)).transpose().map_err(refused)?;
    let interpreter = Interpreter::new(plain.as_ref().unwrap_or(program)).map_err(refused)?;
    let mut machine = interpreter.machine();
    interpreter.run(&mut machine)?;
    let results = 0..program.root().results.len();
    Ok(results.flat_map(|result| interpreter.result(&machine, result)).collect())
}
