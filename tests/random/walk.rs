//! Evaluation one operation at a time, where the caller says what each primitive gives.

use evolute::ir::{Literal, Op, Prim, Program, Table, Value, interp};

/// The results of an operator-free program of scalars and arrays of scalars, a primitive of elements giving what
/// `primitive` says.
pub(crate) fn evaluate(
    program: &Program,
    inputs: &[Vec<Literal>],
    mut primitive: impl FnMut(Prim, &[Literal]) -> Literal,
) -> Vec<Vec<Literal>> {
    let mut values: Table<Value, Vec<Literal>> = Table::filled(program.values().len(), Vec::new());
    for (&param, input) in program.root().params.iter().zip(inputs) {
        values[param].clone_from(input);
    }
    for &inst in &program.root().insts {
        let operands = program.operands(inst);
        let at = |n: usize, i: usize| values[operands[n]][i];
        let len = program.ty(program.result(inst)).shape.len();
        values[program.result(inst)] = match program.op(inst) {
            Op::Const(literal) => vec![literal],
            Op::Element(index) => vec![at(0, index as usize)],
            Op::Pack(_) => (0..len).map(|i| at(i, 0)).collect(),
            Op::Select => {
                (0..len).map(|i| at(if at(0, i) == Literal::Bool(true) { 1 } else { 2 }, i)).collect()
            }
            Op::Cast(elem) => (0..len).map(|i| interp::cast(at(0, i), elem)).collect(),
            Op::Prim(prim) => {
                let arguments = |i| (0..operands.len()).map(|n| at(n, i)).collect::<Vec<Literal>>();
                (0..len).map(|i| primitive(prim, &arguments(i))).collect()
            }
            // Zeros for what does not depend: the only views where all is scalars.
            Op::View(..) if program.ty(operands[0]).is_scalar() => vec![at(0, 0); len],
            Op::Iota(_)
            | Op::View(..)
            | Op::Spread(..)
            | Op::Reduce(..)
            | Op::Dot
            | Op::At
            | Op::AddAt
            | Op::External(_)
            | Op::Call(_)
            | Op::Linalg(_)
            | Op::Loop { .. }
            | Op::Cond { .. }
            | Op::Custom { .. }
            | Op::LinearSolve { .. } => unreachable!("these programs are of scalars"),
            Op::Jvp { .. } | Op::Vjp { .. } => unreachable!("operators have been removed"),
        };
    }
    program.root().results.iter().map(|&result| values[result].clone()).collect()
}
