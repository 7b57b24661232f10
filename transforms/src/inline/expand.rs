//! What is there to be differentiated becomes what it stands for: a function with a rule its primal region, a linear
//! system the steps of its method.
//!
//! This comes after the last derivative; rules are then dead.

use super::{Copy, Operators};
use crate::calls::in_all;
use crate::derive::copy_params;
use crate::solve::{self, System};
use evolute_ir::{Builder, IrError, Op, Origin, Program, Region, Solver, Value};

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
    /// The solution of a system with these operands. Each use of a region is another copy of it.
    pub(super) fn solved(
        &mut self,
        builder: &mut Builder,
        (matrix, inverse): (Region, Option<Region>),
        solver: Solver,
        operands: &[Value],
    ) -> Result<Value, IrError> {
        let (b, captured) = (operands[0], &operands[1..]);
        let origin = builder.origin();
        let mut system = Regions { copy: self, matrix, inverse, captured, origin };
        solve::solution(builder, solver, b, &mut system)
    }
}

/// A system that regions give.
struct Regions<'a, 'b> {
    copy: &'a mut Copy<'b>,
    matrix: Region,
    inverse: Option<Region>,
    captured: &'a [Value],
    origin: Origin,
}

impl Regions<'_, '_> {
    /// The first result of a region on these parameters and what it captured. If it is the one for the transposed
    /// system that is not used, it is dead code.
    fn first(&mut self, builder: &mut Builder, region: Region, own: &[Value]) -> Result<Value, IrError> {
        let results = self.copy.region(builder, region, &[own, self.captured].concat())?;
        builder.set_origin(self.origin);
        Ok(results[0])
    }
}

impl System for Regions<'_, '_> {
    fn product(&mut self, builder: &mut Builder, v: Value) -> Result<Value, IrError> {
        self.first(builder, self.matrix, &[v])
    }

    fn has_inverse(&self) -> bool {
        self.inverse.is_some()
    }

    fn inverse(&mut self, builder: &mut Builder, v: Value) -> Result<Value, IrError> {
        self.inverse.map_or(Ok(v), |inverse| self.first(builder, inverse, &[v, v]))
    }
}
