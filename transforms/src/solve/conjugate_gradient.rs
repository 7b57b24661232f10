//! Conjugate gradients (Hestenes and Stiefel, 1952), preconditioned where something is known of the inverse (Concus, Golub
//! and O'Leary, 1976): that is then symmetric and positive definite too.

use super::vectors::Vectors;
use super::{Goal, State, System, while_loop};
use evolute_ir::{Aim, Builder, IrError, Literal, Op, Prim, Value};

/// Runs the method from `state` until its own residual is small.
pub(super) fn run(
    builder: &mut Builder,
    goal: Goal,
    state: State,
    system: &mut dyn System,
) -> Result<State, IrError> {
    let z = system.inverse(builder, state.r)?;
    let square = Vectors(builder).inner(state.r, z)?;
    let start = [&state.values()[..], &[z, square]].concat();
    let preconditioned = system.has_inverse();
    let go = |builder: &mut Builder, carries: &[Value]| {
        let state = State::of(carries);
        let residual = match preconditioned {
            true => Vectors(builder).norm(state.r)?,
            false => builder.insert(Op::Prim(Prim::Sqrt), &[carries[5]])?,
        };
        goal.goes_on(builder, state, residual)
    };
    let step = |builder: &mut Builder, carries: &[Value]| step(builder, carries, system);
    Ok(State::of(&while_loop(builder, (u32::MAX, Aim::Converge), &start, go, step)?))
}

/// The carries are the state, the direction `p` and `rᵀ z`, where `z` is what the inverse makes of `r`.
fn step(builder: &mut Builder, carries: &[Value], system: &mut dyn System) -> Result<Vec<Value>, IrError> {
    let (State { x, r, norm, made }, p, square) = (State::of(carries), carries[4], carries[5]);
    let w = system.product(builder, p)?;
    let one = builder.constant(Literal::I64(1));
    let mut on = Vectors(builder);
    let curvature = on.inner(p, w)?;
    let length = on.prim(Prim::Div, &[square, curvature])?;
    let x = on.plus(x, Prim::Add, length, p)?;
    let r = on.plus(r, Prim::Sub, length, w)?;
    let z = system.inverse(on.0, r)?;
    let next = on.inner(r, z)?;
    let ratio = on.prim(Prim::Div, &[next, square])?;
    let direction = on.plus(z, Prim::Add, ratio, p)?;
    let (w_norm, p_norm) = (on.norm(w)?, on.norm(p)?);
    let stretch = on.prim(Prim::Div, &[w_norm, p_norm])?;
    let norm = on.prim(Prim::Max, &[norm, stretch])?;
    let made = on.add(made, one)?;
    Ok(vec![x, r, norm, made, direction, next])
}
