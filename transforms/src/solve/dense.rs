//! The matrix as an array, and its factorisation with partial pivoting.
//!
//! The products of the unit vectors are the matrix's columns, made by a loop. The solution is that of a matrix whose
//! elements differ by roundings. These leave a residual of about `ε |A| |x|`; where it may be as large as the right-hand side,
//! the matrix is singular to working precision, and the call fails. Products of magnitudes, not of norms: so rows and
//! columns of very different sizes are no singularity.

use super::vectors::Vectors;
use super::{MEANINGFUL, System, ensured, epsilon, iteration, or_nan};
use crate::matrices::{product as matrix_product, reshaped};
use evolute_ir::{Aim, Builder, Elem, IrError, Linalg, LoopSpec, Op, Prim, Trips, Type, Value};

/// The solution of the system with right-hand side `b`.
pub(super) fn solution(builder: &mut Builder, b: Value, system: &mut dyn System) -> Result<Value, IrError> {
    if builder.program().ty(b).shape.len() == 1 {
        return quotient(builder, b, system);
    }
    let columns = columns(builder, b, system)?;
    let found = eliminated(builder, columns, b)?;
    let size = Vectors(builder).largest(b)?;
    let x = unless_zero(builder, size, found)?;
    let moved = times(builder, columns, x)?;
    let r = builder.insert(Op::Prim(Prim::Sub), &[b, moved])?;
    let error = possible_residual(builder, columns, x, r)?;
    checked(builder, columns, x, error, size)
}

/// `A x`.
fn times(builder: &mut Builder, columns: Value, x: Value) -> Result<Value, IrError> {
    let n = builder.program().ty(x).shape.len();
    let row = reshaped(builder, x, &[1, n])?;
    let product = matrix_product(builder, row, columns)?;
    reshaped(builder, product, &[n])
}

/// The largest element of the residual `r`, or of what rounding may make it.
fn possible_residual(builder: &mut Builder, columns: Value, x: Value, r: Value) -> Result<Value, IrError> {
    let elem = builder.program().ty(x).elem;
    let [magnitudes, sizes] = [columns, x].map(|x| builder.insert(Op::Prim(Prim::Abs), &[x]));
    let terms = times(builder, magnitudes?, sizes?)?;
    let mut on = Vectors(builder);
    let (terms, residual) = (on.largest(terms)?, on.largest(r)?);
    let epsilon = on.constant(elem, epsilon(elem));
    let rounding = on.mul(epsilon, terms)?;
    on.prim(Prim::Max, &[residual, rounding])
}

/// The solution for one unknown, `b / a`.
fn quotient(builder: &mut Builder, b: Value, system: &mut dyn System) -> Result<Value, IrError> {
    let ty = builder.program().ty(b).clone();
    let mut on = Vectors(builder);
    let (one, zero) = (on.full(&ty, 1.0)?, on.constant(ty.elem, 0.0));
    let a = system.product(on.0, one)?;
    let found = on.prim(Prim::Div, &[b, a])?;
    let size = on.largest(b)?;
    let x = unless_zero(on.0, size, found)?;
    ensured(builder, Aim::Solve, x, |builder| {
        let a = builder.insert(Op::Element(0), &[a])?;
        let mut on = Vectors(builder);
        let infinite = on.constant(ty.elem, f64::INFINITY);
        let singular = on.prim(Prim::Eq, &[a, zero])?;
        let (some, finite) = (on.prim(Prim::Gt, &[size, zero])?, on.prim(Prim::Lt, &[size, infinite])?);
        let singular = on.prim(Prim::And, &[singular, some])?;
        on.prim(Prim::And, &[singular, finite])
    })
}

/// The transposed matrix: its rows are the products of the unit vectors.
fn columns(builder: &mut Builder, b: Value, system: &mut dyn System) -> Result<Value, IrError> {
    let ty = builder.program().ty(b).clone();
    let extents = ty.shape.extents().to_vec();
    let n = extents[0];
    let numbers = Type::array(Elem::I64, &[n as usize]).expect("as large as the unknown");
    let column = iteration(builder, &[], |builder, number, _| {
        let id = builder.intern(&numbers);
        let all = builder.insert(Op::Iota(id), &[])?;
        let mut on = Vectors(builder);
        let number = on.repeated(number, &numbers)?;
        let here = on.prim(Prim::Eq, &[all, number])?;
        let (one, zero) = (on.full(&ty, 1.0)?, on.full(&ty, 0.0)?);
        let unit = builder.insert(Op::Select, &[here, one, zero])?;
        Ok(vec![system.product(builder, unit)?])
    })?;
    Ok(builder.looping(LoopSpec::new(Trips::Fixed(n)), None, column, &[])?[0])
}

/// The solution by elimination, in double precision.
fn eliminated(builder: &mut Builder, columns: Value, b: Value) -> Result<Value, IrError> {
    let (elem, n) = (builder.program().ty(b).elem, builder.program().ty(b).shape.len());
    let [columns, b] = [columns, b].map(|x| cast(builder, x, Elem::F64));
    let (columns, b) = (columns?, reshaped(builder, b?, &[n, 1])?);
    let factors = builder.insert(Op::Linalg(Linalg::Lu), &[columns])?;
    let solve = Op::Linalg(Linalg::LuSolve { transposed: true });
    let x = builder.insert(solve, &[columns, factors, b])?;
    let x = reshaped(builder, x, &[n])?;
    cast(builder, x, elem)
}

fn cast(builder: &mut Builder, x: Value, elem: Elem) -> Result<Value, IrError> {
    if builder.program().ty(x).elem == elem { Ok(x) } else { builder.insert(Op::Cast(elem), &[x]) }
}

/// Zeros are the solution for zeros, though the matrix be singular.
pub(super) fn unless_zero(builder: &mut Builder, size: Value, x: Value) -> Result<Value, IrError> {
    let ty = builder.program().ty(x).clone();
    let mut on = Vectors(builder);
    let zero = on.constant(ty.elem, 0.0);
    let is_zero = on.prim(Prim::Eq, &[size, zero])?;
    let zeros = on.full(&ty, 0.0)?;
    on.chosen(is_zero, zeros, x)
}

/// The solution, if its residual is small beside the right-hand side: else the matrix is singular and the call fails, or
/// there is what is not finite.
fn checked(
    builder: &mut Builder,
    columns: Value,
    x: Value,
    residual: Value,
    size: Value,
) -> Result<Value, IrError> {
    let elem = builder.program().ty(x).elem;
    let mut on = Vectors(builder);
    let share = on.constant(elem, MEANINGFUL);
    let bound = on.mul(share, size)?;
    let small = on.prim(Prim::Le, &[residual, bound])?;
    let zero = on.constant(elem, 0.0);
    let nothing = on.prim(Prim::Eq, &[size, zero])?;
    let reached = on.prim(Prim::Or, &[small, nothing])?;
    let missed = |builder: &mut Builder| {
        let mut on = Vectors(builder);
        let (infinite, matrix) = (on.constant(elem, f64::INFINITY), on.largest(columns)?);
        let largest = on.prim(Prim::Max, &[matrix, size])?;
        let finite = on.prim(Prim::Lt, &[largest, infinite])?;
        let failed = on.prim(Prim::Not, &[reached])?;
        on.prim(Prim::And, &[failed, finite])
    };
    let x = ensured(builder, Aim::Solve, x, missed)?;
    or_nan(builder, reached, x)
}
