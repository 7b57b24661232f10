//! Copying calls, and putting functions in the place of their calls.
//!
//! A call keeps a program small; a copy lets loops join and scalars stay in registers. So a function is inlined if it is
//! called in one place, or if it is so small that a call costs about as much: of at most [`SMALL`] instructions.

use super::{Copy, Operators, inline_call};
use crate::calls::rebuilt;
use crate::derive::copy_params;
use evolute_ir::{Builder, Callee, CalleeId, IrError, Op, Program, Table, Value};

/// The most instructions of a function that is inlined wherever it is called.
pub(crate) const SMALL: usize = 32;

/// Inserts a function's results on `args`: by a call, or if that would cost as much as the function, or calls nest as
/// deep as they may, by a copy.
///
/// # Errors
/// Arguments that do not fit the function, or a program past its size limit.
pub fn apply(builder: &mut Builder, callee: &Callee, args: &[Value]) -> Result<Vec<Value>, IrError> {
    match callee.len() <= SMALL || callee.depth() >= Callee::MAX_DEPTH {
        true => inline_call(builder, callee, args),
        false => builder.call(callee, args),
    }
}

/// The program with small functions, and those called in one place, inlined.
pub(crate) fn inline_few(program: &Program) -> Result<Program, IrError> {
    let sites = sites(program);
    inlined(program, |callee, before| {
        let once = sites.iter().any(|(other, count)| *other == before && *count == 1);
        once || callee.len() <= SMALL
    })
}

/// The program with every function inlined: it calls none.
///
/// # Errors
/// A program past its size limit.
pub fn inline_calls(program: &Program) -> Result<Program, IrError> {
    inlined(program, |_, _| true)
}

/// How often each function is called.
fn sites(program: &Program) -> Vec<(&Callee, usize)> {
    let mut sites: Vec<(&Callee, usize)> = program.all_callees().into_iter().map(|f| (f, 0)).collect();
    let all: Vec<&Program> = sites.iter().map(|(callee, _)| callee.program()).chain([program]).collect();
    for caller in all {
        for id in caller.insts().values().filter_map(|inst| called(inst.op)) {
            let callee = &caller.callees()[id];
            let site = sites.iter_mut().find(|(other, _)| *other == callee);
            site.expect("it is called").1 += 1;
        }
    }
    sites
}

fn called(op: Op) -> Option<CalleeId> {
    if let Op::Call(id) = op { Some(id) } else { None }
}

/// The program with those functions inlined that `chosen` says, of each as it has become and as it was.
fn inlined(program: &Program, chosen: impl Fn(&Callee, &Callee) -> bool) -> Result<Program, IrError> {
    rebuilt(program, |before, after| {
        let pairs = after.callees().values().zip(before.callees().values());
        let inlines = Table::from_rows(pairs.map(|(callee, before)| chosen(callee, before)));
        if !inlines.values().any(|&chosen| chosen) {
            return Ok(after.clone());
        }
        let mut builder = Builder::new();
        builder.set_limit(after.limit());
        let params = copy_params(&mut builder, after);
        let copy = Copy::new(&mut builder, after, Operators::Keep);
        let results = Copy { inlines, ..copy }.region(&mut builder, Program::ROOT, &params)?;
        builder.finish(&results)
    })
}

impl Copy<'_> {
    pub(super) fn call(
        &mut self,
        builder: &mut Builder,
        id: CalleeId,
        operands: &[Value],
    ) -> Result<Vec<Value>, IrError> {
        let callee = &self.from.callees()[id];
        match &self.operators {
            _ if self.inlines[id] => super::inline(builder, callee, operands),
            Operators::Keep => builder.call(callee, operands),
            Operators::Remove(calls, within) => {
                let origin = builder.origin();
                let plain = calls.plain(callee, within)?;
                builder.set_origin(origin);
                builder.call(&plain, operands)
            }
        }
    }
}
