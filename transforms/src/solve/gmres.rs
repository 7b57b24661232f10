//! Minimal residuals of a general matrix: the adaptive simpler GMRES of Jiránek and Rozložník (Numerical Algorithms 53,
//! 2010).
//!
//! There are directions `p` with orthonormal `q = A p`; each step removes a residual's component along the next `q`. The
//! next direction is made from the residual if the last step has reduced that, else from the last `q`: either spans
//! the Krylov space, and the choice keeps the basis well conditioned. What is known of the inverse is applied to each
//! direction as it is made, so it may be another one each time, as in the flexible GMRES of Saad (SIAM Journal on Scientific
//! Computing 14, 1993). Orthogonalisation is classical and
//! done twice, which is as good as Householder's (Giraud and others, Numerische Mathematik 101, 2005).

use super::vectors::Vectors;
use super::{Goal, State, System, while_loop};
use evolute_ir::{Aim, Builder, IrError, Literal, Op, Prim, Type, Value};

/// All directions are kept of a system in which `p…` and `q…` have no more elements than this each, which then takes no
/// more steps than it has unknowns; of a larger one as many as fit, but no fewer than [`FEWEST`].
const ELEMENTS: usize = 1 << 16;
const FEWEST: usize = 32;

/// A residual has been reduced if it is smaller by this factor.
const REDUCED: f64 = 0.9;

/// The carries after the state: how many directions there are, `p…` and `q…` as rows, what the next direction is made
/// from, and the norm of the residual.
struct Basis {
    count: Value,
    p: Value,
    q: Value,
    next: Value,
    residual: Value,
}

impl Basis {
    fn of(carries: &[Value]) -> Basis {
        let [count, p, q, next, residual] = *<&[Value; 5]>::try_from(&carries[4..]).expect("five carries");
        Basis { count, p, q, next, residual }
    }

    fn values(&self) -> [Value; 5] {
        [self.count, self.p, self.q, self.next, self.residual]
    }
}

/// Runs the method from `state` until its own residual is small or there are as many directions as are kept.
pub(super) fn run(
    builder: &mut Builder,
    goal: Goal,
    state: State,
    system: &mut dyn System,
) -> Result<State, IrError> {
    let ty = builder.program().ty(state.r).clone();
    let kept = (ELEMENTS / ty.shape.len()).max(FEWEST).min(ty.shape.len());
    let rows = Type::array(ty.elem, &[kept, ty.shape.len()])
        .ok_or(IrError::TooLarge { what: "a solver", limit: ELEMENTS })?;
    let mut on = Vectors(builder);
    let none = on.full(&rows, 0.0)?;
    let residual = on.norm(state.r)?;
    let next = on.over(state.r, residual)?;
    let basis = Basis { count: on.0.constant(Literal::I64(0)), p: none, q: none, next, residual };
    let start = [&state.values()[..], &basis.values()].concat();
    let go = |builder: &mut Builder, carries: &[Value]| {
        let basis = Basis::of(carries);
        let kept = builder.constant(Literal::I64(kept as i64));
        let room = builder.insert(Op::Prim(Prim::Lt), &[basis.count, kept])?;
        let goes_on = goal.goes_on(builder, State::of(carries), basis.residual)?;
        builder.insert(Op::Prim(Prim::And), &[room, goes_on])
    };
    let step = |builder: &mut Builder, carries: &[Value]| step(builder, carries, system);
    let cap = u32::try_from(kept).unwrap_or(u32::MAX);
    Ok(State::of(&while_loop(builder, (cap, Aim::Converge), &start, go, step)?))
}

fn step(builder: &mut Builder, carries: &[Value], system: &mut dyn System) -> Result<Vec<Value>, IrError> {
    let (State { x, r, norm, made }, basis) = (State::of(carries), Basis::of(carries));
    let direction = system.inverse(builder, basis.next)?;
    let moved = system.product(builder, direction)?;
    let one = builder.constant(Literal::I64(1));
    let mut on = Vectors(builder);
    let mut stretch = on.norm(moved)?;
    if system.has_inverse() {
        let length = on.norm(direction)?;
        stretch = on.prim(Prim::Div, &[stretch, length])?;
    }
    let norm = on.prim(Prim::Max, &[norm, stretch])?;
    let (mut p, mut q) = (direction, moved);
    for _ in 0..2 {
        let components = on.along(basis.q, q)?;
        q = on.without(q, basis.q, components)?;
        p = on.without(p, basis.p, components)?;
    }
    let length = on.norm(q)?;
    let (p, q) = (on.over(p, length)?, on.over(q, length)?);
    let component = on.inner(q, r)?;
    let x = on.plus(x, Prim::Add, component, p)?;
    let r = on.plus(r, Prim::Sub, component, q)?;
    let residual = on.norm(r)?;
    let next = next_direction(&mut on, basis.residual, residual, r, q)?;
    let (made, count) = (on.add(made, one)?, on.add(basis.count, one)?);
    let p = on.0.insert(Op::AddAt, &[basis.p, p, basis.count])?;
    let q = on.0.insert(Op::AddAt, &[basis.q, q, basis.count])?;
    let basis = Basis { count, p, q, next, residual };
    Ok([&[x, r, norm, made][..], &basis.values()].concat())
}

/// The residual, normalised, if it has been reduced; else the last `q`.
fn next_direction(
    on: &mut Vectors<'_>,
    before: Value,
    residual: Value,
    r: Value,
    q: Value,
) -> Result<Value, IrError> {
    let ty = on.0.program().ty(r).clone();
    let factor = on.constant(ty.elem, REDUCED);
    let enough = on.mul(factor, before)?;
    let reduced = on.prim(Prim::Le, &[residual, enough])?;
    let direction = on.over(r, residual)?;
    on.chosen(reduced, direction, q)
}
