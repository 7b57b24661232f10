//! Conjugate gradients (Hestenes and Stiefel, 1952).

use super::vectors::Vectors;
use super::{Goal, Product, State, while_loop};
use evolute_ir::{Aim, Builder, IrError, Literal, Op, Prim, Value};

/// Runs the method from `state` until its own residual is small.
pub(super) fn run(
    builder: &mut Builder,
    goal: Goal,
    state: State,
    product: Product<'_>,
) -> Result<State, IrError> {
    let square = Vectors(builder).inner(state.r, state.r)?;
    let start = [&state.values()[..], &[state.r, square]].concat();
    let go = |builder: &mut Builder, carries: &[Value]| {
        let residual = builder.insert(Op::Prim(Prim::Sqrt), &[carries[5]])?;
        goal.goes_on(builder, State::of(carries), residual)
    };
    let step = |builder: &mut Builder, carries: &[Value]| step(builder, carries, product);
    Ok(State::of(&while_loop(builder, (u32::MAX, Aim::Converge), &start, go, step)?))
}

/// The carries are the state, the direction `p` and `rᵀ r`.
fn step(builder: &mut Builder, carries: &[Value], product: Product<'_>) -> Result<Vec<Value>, IrError> {
    let (State { x, r, norm, made }, p, square) = (State::of(carries), carries[4], carries[5]);
    let w = product(builder, p)?;
    let one = builder.constant(Literal::I64(1));
    let mut on = Vectors(builder);
    let curvature = on.inner(p, w)?;
    let length = on.prim(Prim::Div, &[square, curvature])?;
    let x = on.plus(x, Prim::Add, length, p)?;
    let r = on.plus(r, Prim::Sub, length, w)?;
    let next = on.inner(r, r)?;
    let ratio = on.prim(Prim::Div, &[next, square])?;
    let direction = on.plus(r, Prim::Add, ratio, p)?;
    let (w_norm, p_norm) = (on.norm(w)?, on.norm(p)?);
    let stretch = on.prim(Prim::Div, &[w_norm, p_norm])?;
    let norm = on.prim(Prim::Max, &[norm, stretch])?;
    let made = on.add(made, one)?;
    Ok(vec![x, r, norm, made, direction, next])
}
