//! Programs that need no plan: straight-line code.

use evolute_ir::{Op, Program, Value};

/// Straight-line code moves so many elements of arrays for each instruction and operand of the program; more
/// are moved by loops.
const MOVED: usize = 8;

/// Whether a program is straight-line code over scalars, with arrays at its border only, whose elements are not many
/// more than what the program says one by one.
pub(crate) fn is_flat(program: &Program) -> bool {
    let scalar = |&value: &Value| program.ty(value).is_scalar();
    program.regions().len() == 1
        && moves_few(program)
        && program.insts().keys().all(|inst| match program.op(inst) {
            Op::Const(_) | Op::Element(_) => true,
            Op::Prim(_) | Op::Cast(_) | Op::Select => scalar(&program.result(inst)),
            Op::Pack(_) | Op::View(..) => program.operands(inst).iter().all(scalar),
            Op::Iota(_)
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
            | Op::LinearSolve { .. }
            | Op::Jvp { .. }
            | Op::Vjp { .. } => false,
        })
}

/// Whether repeated scalars and results, taken element by element, are in proportion to the program.
fn moves_few(program: &Program) -> bool {
    let len = |value: Value| program.ty(value).shape.len();
    let repeated = program.insts().keys().filter(|&inst| matches!(program.op(inst), Op::View(..)));
    let results = program.root().results.iter().map(|&value| len(value));
    let moved = repeated.map(|inst| len(program.result(inst))).chain(results).fold(0, usize::saturating_add);
    let operands: usize = program.insts().keys().map(|inst| 1 + program.operands(inst).len()).sum();
    moved <= MOVED * (MOVED + operands)
}
