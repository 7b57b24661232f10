//! What is there to be differentiated becomes what it stands for: a function with a rule its primal region, a linear
//! system the steps of its method.
//!
//! This comes after the last derivative; rules are then dead.

use super::{Copy, Operators};
use crate::calls::in_all;
use crate::derive::copy_params;
use crate::solve;
use evolute_ir::{Builder, IrError, Op, Program, Region, Solver, Value};

/// Whether there is something to expand.
pub(crate) fn is_implicit(program: &Program) -> bool {
    program.any_op(Op::is_implicit)
}

/// An operator-free program without what is there to be differentiated.
///
/// # Errors
/// A program past its size limit.
pub fn expand(program: &Program) -> Result<Program, IrError> {
    match is_implicit(program) {
        true => in_all(program, expand_own),
        false => Ok(program.clone()),
    }
}

fn expand_own(program: &Program) -> Result<Program, IrError> {
    let mut builder = Builder::new();
    builder.set_limit(program.limit());
    let params = copy_params(&mut builder, program);
    let copy = Copy::new(&mut builder, program, Operators::Keep);
    let results = Copy { expands: true, ..copy }.region(&mut builder, Program::ROOT, &params)?;
    builder.finish_live(&results)
}

impl Copy<'_> {
    /// The solution of a system with these operands. Each product with the matrix is another copy of its region.
    pub(super) fn solved(
        &mut self,
        builder: &mut Builder,
        matrix: Region,
        solver: Solver,
        operands: &[Value],
    ) -> Result<Value, IrError> {
        let (b, captured) = (operands[0], &operands[1..]);
        let origin = builder.origin();
        let mut product = |builder: &mut Builder, v: Value| {
            let results = self.region(builder, matrix, &[&[v], captured].concat())?;
            builder.set_origin(origin);
            Ok(results[0])
        };
        solve::solution(builder, solver, b, &mut product)
    }
}
