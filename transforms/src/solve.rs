//! Solution of linear systems whose matrix is known by its products, as loops of a program under construction.
//!
//! In go a right-hand side and a way to insert products with the matrix and its inverse; out comes the solution. Systems
//! of few unknowns form the matrix and factorise it (`dense`); the others are solved by iteration, which an inverse of the
//! user's may precondition; or such an inverse is the solution (`given`).
//!
//! An iterative method runs as an inner loop that updates its residual; the outer loop computes the residual anew, starts the
//! method again from there if that is too large, and gives up after the most products allowed. The
//! right-hand side is scaled to a largest element of 1 first, so that no square under- or overflows.
//!
//! What is not a number in the matrix or the right-hand side makes the whole solution so. Where these are numbers and the
//! iterations leave them, as on a matrix that is singular or indefinite for a method that divides by its curvature, there
//! is no solution either, and the call fails. A product tells which it is, and is made only then.

mod conjugate_gradient;
mod dense;
mod given;
mod gmres;
pub(crate) mod vectors;

use evolute_ir::{
    Aim, Builder, ClosedRegion, Elem, IrError, Literal, LoopSpec, Method, Op, Prim, Solver, Trips, Type,
    Value,
};
use vectors::Vectors;

/// What is known of a system's matrix.
pub(crate) trait System {
    /// Inserts the product of the matrix and a vector.
    fn product(&mut self, builder: &mut Builder, v: Value) -> Result<Value, IrError>;

    /// Whether anything is known of the inverse.
    fn has_inverse(&self) -> bool;

    /// Inserts what is known of the product of the inverse and a vector: that vector, if nothing is.
    fn inverse(&mut self, builder: &mut Builder, v: Value) -> Result<Value, IrError>;
}

/// Runs a method from a state until its own residual is small.
type Iterative = fn(&mut Builder, Goal, State, &mut dyn System) -> Result<State, IrError>;

/// Where a method is: the solution and its residual so far, a lower bound of the matrix's norm, and how many products
/// there have been.
#[derive(Clone, Copy)]
struct State {
    x: Value,
    r: Value,
    norm: Value,
    made: Value,
}

impl State {
    fn of(values: &[Value]) -> State {
        State { x: values[0], r: values[1], norm: values[2], made: values[3] }
    }

    fn values(self) -> [Value; 4] {
        [self.x, self.r, self.norm, self.made]
    }
}

/// A residual that is not smaller than the right-hand side by this says that the matrix is singular to working
/// precision: there `‖A‖ ‖x‖` may be as large as one likes.
const MEANINGFUL: f64 = 0.1;

/// When to stop.
#[derive(Clone, Copy)]
struct Goal {
    tolerance: Value,
    /// The norm of the right-hand side.
    b_norm: Value,
    max_iterations: Value,
}

impl Goal {
    /// Whether a residual of this norm is too large: `Gt` says so, `Le` the opposite; neither holds of a NaN.
    fn compared(
        self,
        builder: &mut Builder,
        comparison: Prim,
        state: State,
        residual: Value,
    ) -> Result<Value, IrError> {
        let mut on = Vectors(builder);
        let x_norm = on.norm(state.x)?;
        let moved = on.mul(state.norm, x_norm)?;
        let size = on.add(moved, self.b_norm)?;
        let small = on.mul(self.tolerance, size)?;
        let elem = on.0.program().ty(residual).elem;
        let meaningful = on.constant(elem, MEANINGFUL);
        let meaningful = on.mul(meaningful, self.b_norm)?;
        let bound = on.prim(Prim::Min, &[small, meaningful])?;
        on.prim(comparison, &[residual, bound])
    }

    /// Whether there may be another product.
    fn is_allowed(self, builder: &mut Builder, state: State) -> Result<Value, IrError> {
        builder.insert(Op::Prim(Prim::Lt), &[state.made, self.max_iterations])
    }

    /// Whether a method goes on.
    fn goes_on(self, builder: &mut Builder, state: State, residual: Value) -> Result<Value, IrError> {
        let missed = self.compared(builder, Prim::Gt, state, residual)?;
        let allowed = self.is_allowed(builder, state)?;
        builder.insert(Op::Prim(Prim::And), &[missed, allowed])
    }
}

/// The solution of the system with right-hand side `b`.
pub(crate) fn solution(
    builder: &mut Builder,
    solver: Solver,
    b: Value,
    system: &mut dyn System,
) -> Result<Value, IrError> {
    let n = builder.program().ty(b).shape.len();
    if n == 0 {
        return Ok(b);
    }
    match solver.method {
        Method::Automatic if n <= Method::FEW => dense::solution(builder, b, system),
        Method::Dense => dense::solution(builder, b, system),
        Method::ConjugateGradient => iterated(builder, solver, conjugate_gradient::run, b, system),
        Method::Given => given::solution(builder, solver, b, system),
        Method::Automatic | Method::Gmres => iterated(builder, solver, gmres::run, b, system),
    }
}

/// The solution by an iterative method.
fn iterated(
    builder: &mut Builder,
    solver: Solver,
    method: Iterative,
    b: Value,
    system: &mut dyn System,
) -> Result<Value, IrError> {
    let ty = builder.program().ty(b).clone();
    let scale = scale(builder, b)?;
    let mut on = Vectors(builder);
    let scales = on.repeated(scale, &ty)?;
    let scaled = on.prim(Prim::Div, &[b, scales])?;
    let start = State {
        x: on.full(&ty, 0.0)?,
        r: scaled,
        norm: on.constant(ty.elem, 0.0),
        made: on.0.constant(Literal::I64(0)),
    };
    let goal = Goal {
        tolerance: on.constant(ty.elem, tolerance(solver, &ty)),
        b_norm: on.norm(scaled)?,
        max_iterations: on.0.constant(Literal::I64(i64::from(solver.max_iterations))),
    };
    let end = restarted(builder, (solver, method), goal, scaled, start, system)?;
    let x = checked(builder, goal, end, b, system)?;
    builder.insert(Op::Prim(Prim::Mul), &[x, scales])
}

/// The largest magnitude of an element, or 1 if that is 0.
fn scale(builder: &mut Builder, b: Value) -> Result<Value, IrError> {
    let elem = builder.program().ty(b).elem;
    let largest = Vectors(builder).largest(b)?;
    let (zero, one) = (Literal::from_f64(elem, 0.0), Literal::from_f64(elem, 1.0));
    let (zero, one) = (builder.constant(zero), builder.constant(one));
    let is_zero = builder.insert(Op::Prim(Prim::Eq), &[largest, zero])?;
    builder.insert(Op::Select, &[is_zero, one, largest])
}

/// The tolerance, no smaller than a few roundings of a product's elements.
fn tolerance(solver: Solver, ty: &Type) -> f64 {
    solver.tolerance().max(4.0 * epsilon(ty.elem) * (ty.shape.len() as f64).sqrt())
}

fn epsilon(elem: Elem) -> f64 {
    if elem == Elem::F32 { f64::from(f32::EPSILON) } else { f64::EPSILON }
}

/// Runs the method from its latest solution until the residual, computed anew, is small.
fn restarted(
    builder: &mut Builder,
    (solver, method): (Solver, Iterative),
    goal: Goal,
    b: Value,
    start: State,
    system: &mut dyn System,
) -> Result<State, IrError> {
    let again = |builder: &mut Builder, carries: &[Value]| {
        let state = State::of(carries);
        let residual = Vectors(builder).norm(state.r)?;
        goal.goes_on(builder, state, residual)
    };
    let run = |builder: &mut Builder, carries: &[Value]| {
        let state = State::of(carries);
        let mut state = method(builder, goal, state, system)?;
        let moved = system.product(builder, state.x)?;
        state.r = builder.insert(Op::Prim(Prim::Sub), &[b, moved])?;
        Ok(state.values().to_vec())
    };
    // Each run makes a product at least, so the cap is never what ends the loop.
    let cap = solver.max_iterations.saturating_add(1);
    Ok(State::of(&while_loop(builder, (cap, Aim::Converge), &start.values(), again, run)?))
}

/// The solution, if its residual is small: else the call fails, or what is given is not a number and neither is this.
fn checked(
    builder: &mut Builder,
    goal: Goal,
    end: State,
    b: Value,
    system: &mut dyn System,
) -> Result<Value, IrError> {
    let residual = Vectors(builder).norm(end.r)?;
    let reached = goal.compared(builder, Prim::Le, end, residual)?;
    let missed =
        |builder: &mut Builder| unless(builder, reached, |builder| is_given_numbers(builder, b, system));
    let x = ensured(builder, Aim::Converge, end.x, missed)?;
    or_nan(builder, reached, x)
}

/// Whether the matrix and the right-hand side are numbers. The vector that the matrix is tried on meets each element, and
/// is so small that no sum of them overflows.
fn is_given_numbers(builder: &mut Builder, b: Value, system: &mut dyn System) -> Result<Value, IrError> {
    let ty = builder.program().ty(b).clone();
    let trial = Vectors(builder).full(&ty, 1.0 / ty.shape.len() as f64)?;
    let moved = system.product(builder, trial)?;
    let mut on = Vectors(builder);
    let (size, moved) = (on.largest(b)?, on.largest(moved)?);
    let largest = on.prim(Prim::Max, &[size, moved])?;
    let infinite = on.constant(ty.elem, f64::INFINITY);
    on.prim(Prim::Lt, &[largest, infinite])
}

/// `x`, unless what is sought was missed: then the call fails.
pub(crate) fn ensured(
    builder: &mut Builder,
    aim: Aim,
    x: Value,
    missed: impl FnOnce(&mut Builder) -> Result<Value, IrError>,
) -> Result<Value, IrError> {
    let same = |_: &mut Builder, carries: &[Value]| Ok(carries.to_vec());
    Ok(while_loop(builder, (0, aim), &[x], |builder, _| missed(builder), same)?[0])
}

/// `x`, or what is not a number.
pub(crate) fn or_nan(builder: &mut Builder, reached: Value, x: Value) -> Result<Value, IrError> {
    let ty = builder.program().ty(x).clone();
    let none = Vectors(builder).full(&ty, f64::NAN)?;
    Vectors(builder).chosen(reached, x, none)
}

/// A loop that runs as long as `go` holds, at most so often: its carries.
pub(crate) fn while_loop(
    builder: &mut Builder,
    (cap, aim): (u32, Aim),
    start: &[Value],
    go: impl FnOnce(&mut Builder, &[Value]) -> Result<Value, IrError>,
    step: impl FnOnce(&mut Builder, &[Value]) -> Result<Vec<Value>, IrError>,
) -> Result<Vec<Value>, IrError> {
    let condition = iteration(builder, start, |builder, _, carries| Ok(vec![go(builder, carries)?]))?;
    let body = iteration(builder, start, |builder, _, carries| step(builder, carries))?;
    let carries = start.len() as u32;
    let spec = LoopSpec { carries, aim, ..LoopSpec::new(Trips::While(cap)) };
    let results = builder.looping(spec, Some(condition), body, start)?;
    Ok(results[1..].to_vec())
}

/// Whether `otherwise` holds where `reached` does not; it is evaluated there only.
pub(crate) fn unless(
    builder: &mut Builder,
    reached: Value,
    otherwise: impl FnOnce(&mut Builder) -> Result<Value, IrError>,
) -> Result<Value, IrError> {
    let no = region(builder, &[], |builder, _| otherwise(builder))?;
    let yes = region(builder, &[], |builder, _| Ok(builder.constant(Literal::Bool(false))))?;
    Ok(builder.conditional(reached, yes, no, &[])?[0])
}

/// A region of a loop with an iteration number and carries like these.
fn iteration(
    builder: &mut Builder,
    like: &[Value],
    body: impl FnOnce(&mut Builder, Value, &[Value]) -> Result<Vec<Value>, IrError>,
) -> Result<ClosedRegion, IrError> {
    let mut types = vec![Type::scalar(Elem::I64)];
    types.extend(like.iter().map(|&v| builder.program().ty(v).clone()));
    closed(builder, &types, |builder, params| body(builder, params[0], &params[1..]))
}

/// A region with one result.
pub(crate) fn region(
    builder: &mut Builder,
    types: &[Type],
    body: impl FnOnce(&mut Builder, &[Value]) -> Result<Value, IrError>,
) -> Result<ClosedRegion, IrError> {
    closed(builder, types, |builder, params| Ok(vec![body(builder, params)?]))
}

/// A region. An error leaves none open.
fn closed(
    builder: &mut Builder,
    types: &[Type],
    body: impl FnOnce(&mut Builder, &[Value]) -> Result<Vec<Value>, IrError>,
) -> Result<ClosedRegion, IrError> {
    builder.open_region();
    let params: Vec<Value> = types.iter().map(|ty| builder.param(ty)).collect();
    let results = body(builder, &params);
    let closed = builder.close_region(results.as_deref().unwrap_or_default());
    results?;
    closed
}
