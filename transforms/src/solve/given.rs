//! The solution that the user's inverse gives, if it is one.
//!
//! Nothing is known of how it was found, so it is judged by its residual alone, beside the right-hand side; norms are
//! largest magnitudes. A solution that misses is an error of the call, also if it is not a number: unless the matrix or the
//! right-hand side is none, which a product tells that is made only then.

use super::dense::unless_zero;
use super::vectors::Vectors;
use super::{System, ensured, is_given_numbers, or_nan, tolerance, unless};
use evolute_ir::{Aim, Builder, IrError, Prim, Solver, Value};

/// The solution of the system with right-hand side `b`.
pub(super) fn solution(
    builder: &mut Builder,
    solver: Solver,
    b: Value,
    system: &mut dyn System,
) -> Result<Value, IrError> {
    let found = system.inverse(builder, b)?;
    let size = Vectors(builder).largest(b)?;
    let x = unless_zero(builder, size, found)?;
    let reached = is_reached(builder, solver, (x, b, size), system)?;
    let missed =
        |builder: &mut Builder| unless(builder, reached, |builder| is_given_numbers(builder, b, system));
    let x = ensured(builder, Aim::Accept, x, missed)?;
    or_nan(builder, reached, x)
}

/// Whether the residual is small, or the right-hand side 0.
fn is_reached(
    builder: &mut Builder,
    solver: Solver,
    (x, b, size): (Value, Value, Value),
    system: &mut dyn System,
) -> Result<Value, IrError> {
    let ty = builder.program().ty(b).clone();
    let moved = system.product(builder, x)?;
    let mut on = Vectors(builder);
    let r = on.prim(Prim::Sub, &[b, moved])?;
    let residual = on.largest(r)?;
    let share = on.constant(ty.elem, tolerance(solver, &ty));
    let bound = on.mul(share, size)?;
    let small = on.prim(Prim::Le, &[residual, bound])?;
    let zero = on.constant(ty.elem, 0.0);
    let nothing = on.prim(Prim::Eq, &[size, zero])?;
    on.prim(Prim::Or, &[small, nothing])
}
