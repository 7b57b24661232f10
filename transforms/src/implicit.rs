//! Solutions of equations, differentiated by the implicit function theorem.
//!
//! A solution `x` of `f(x, c) = 0` has the tangent `ẋ` with `∂f/∂x ẋ = −∂f/∂c ċ`, however it was found. So it is a
//! [`custom`](evolute_ir::Op::Custom) whose primal region finds it and whose rule is that
//! [`linear_solve`](evolute_ir::Op::LinearSolve). The rule is code in the solution and in `c`, so higher derivatives
//! come from differentiating it, and none goes through the iterations.

use crate::inline::{Between, inline, remove_operators};
use crate::linear::constant_like;
use crate::linearity::find_nonlinear;
pub use crate::linearity::{Fault, NotLinear};
use crate::solve::vectors::Vectors;
use crate::solve::{ensured, or_nan, region, unless, while_loop};
use evolute_ir::{
    Aim, Builder, ClosedRegion, IrError, Literal, Mode, Op, Prim, Program, Solver, Type, Value,
};

/// What is sought: a zero or a fixed point of a function of a vector and of what it captured.
#[derive(Debug)]
pub struct Equation {
    /// The function, `[x, c…]` to a vector like `x`.
    program: Program,
    captured: Vec<Value>,
    /// Whether a fixed point of the function is sought, not a zero.
    fixed: bool,
}

/// The matrix of a linear system, known by its product with a vector.
#[derive(Debug)]
pub struct Matrix {
    /// The product, `[v, c…]` to a vector like `v`.
    program: Program,
    captured: Vec<Value>,
}

impl Matrix {
    /// That of a region with one parameter of its own and one result.
    pub fn of(builder: &Builder, product: &ClosedRegion) -> Matrix {
        Matrix { program: builder.program_of(product), captured: product.captured().to_vec() }
    }

    /// What in the region is not linear in the vector, if anything is found. Each operation is judged by what it is, without
    /// numbers: so `v · v / v` is found.
    ///
    /// # Errors
    /// A derivative in the region that there is not, or a program past its size limit.
    pub fn nonlinear(&self) -> Result<Option<NotLinear>, IrError> {
        Ok(find_nonlinear(&remove_operators(&self.program, Between::Keep)?))
    }

    /// Inserts the product with a vector, of the matrix or of its transpose.
    ///
    /// # Errors
    /// A vector of another type, or a program past its size limit.
    pub fn times(&self, builder: &mut Builder, v: Value, transposed: bool) -> Result<Value, IrError> {
        if !transposed {
            return self.product(builder, v);
        }
        let ty = builder.program().ty(v).clone();
        let body = region(builder, &[ty], |builder, params| self.product(builder, params[0]))?;
        let zero = constant_like(builder, v, 0.0)?;
        Ok(builder.operator(Mode::Reverse, body, &[zero], &[v])?[1])
    }

    fn product(&self, builder: &mut Builder, v: Value) -> Result<Value, IrError> {
        Ok(inline(builder, &self.program, &[&[v], &self.captured[..]].concat())?[0])
    }
}

/// When iterations stop: when a step is at most `tolerance · (1 + ‖x‖)` long, where `‖x‖` is the largest magnitude of an
/// element; more than `max_iterations` are an error of the call.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Stop {
    /// How long the last step may be.
    pub tolerance: f64,
    /// The most steps.
    pub max_iterations: u32,
}

impl Equation {
    /// `f(x, c) = 0`, of a region with one parameter of its own and one result.
    pub fn root(builder: &Builder, function: ClosedRegion) -> Equation {
        let (program, captured) = builder.detach(function);
        Equation { program, captured, fixed: false }
    }

    /// `g(x, c) − x = 0`, of such a region for `g`.
    pub fn fixed_point(builder: &Builder, function: ClosedRegion) -> Equation {
        Equation { fixed: true, ..Equation::root(builder, function) }
    }

    /// Inserts the function's value.
    fn value(&self, builder: &mut Builder, x: Value, captured: &[Value]) -> Result<Value, IrError> {
        Ok(inline(builder, &self.program, &[&[x], captured].concat())?[0])
    }

    /// Inserts what is to be zero.
    fn at(&self, builder: &mut Builder, x: Value, captured: &[Value]) -> Result<Value, IrError> {
        let value = self.value(builder, x, captured)?;
        if self.fixed { builder.insert(Op::Prim(Prim::Sub), &[value, x]) } else { Ok(value) }
    }

    /// Inserts `∂f/∂x v`.
    fn along(&self, builder: &mut Builder, x: Value, v: Value) -> Result<Value, IrError> {
        let ty = builder.program().ty(x).clone();
        let body = region(builder, &[ty], |builder, params| self.at(builder, params[0], &self.captured))?;
        Ok(builder.operator(Mode::Forward, body, &[x], &[v])?[1])
    }

    /// Inserts `(∂f/∂x)⁻¹ b`.
    fn solved(&self, builder: &mut Builder, solver: Solver, x: Value, b: Value) -> Result<Value, IrError> {
        let ty = builder.program().ty(b).clone();
        let matrix = region(builder, &[ty], |builder, params| self.along(builder, x, params[0]))?;
        builder.linear_solve(solver, matrix, None, b)
    }

    /// Inserts the solution that `finding`, a region without parameters of its own, gives; its derivative is that of
    /// the equation's solution.
    ///
    /// # Errors
    /// A region that does not give a vector like the equation's, or a program past its size limit.
    pub fn solution(
        &self,
        builder: &mut Builder,
        finding: ClosedRegion,
        solver: Solver,
    ) -> Result<Value, IrError> {
        let mut all = finding.captured().to_vec();
        all.extend(self.captured.iter().filter(|v| !finding.captured().contains(v)));
        let is_real = |builder: &Builder, v: Value| builder.program().ty(v).elem.is_real();
        let reals: Vec<Value> = all.iter().copied().filter(|&v| is_real(builder, v)).collect();
        let mut types: Vec<Type> = reals.iter().map(|&v| builder.program().ty(v).clone()).collect();
        types.extend(self.program.result_types());
        let rule = region(builder, &types, |builder, params| {
            // Captured in this order, whatever the rule uses.
            for &value in &all {
                builder.resolve(value)?;
            }
            let (directions, x) = params.split_at(reals.len());
            let directions: Vec<_> = reals.iter().copied().zip(directions.iter().copied()).collect();
            self.rule(builder, &directions, x[0], solver)
        })?;
        Ok(builder.custom(finding, rule, &[])?[0])
    }

    /// `ẋ`, given what each real captured value's direction is.
    fn rule(
        &self,
        builder: &mut Builder,
        directions: &[(Value, Value)],
        x: Value,
        solver: Solver,
    ) -> Result<Value, IrError> {
        let own = |v: &Value| directions.iter().find(|(of, _)| of == v).copied();
        let (inputs, seeds): (Vec<Value>, Vec<Value>) = self.captured.iter().filter_map(own).unzip();
        if inputs.is_empty() {
            return constant_like(builder, x, 0.0);
        }
        let types: Vec<Type> = inputs.iter().map(|&v| builder.program().ty(v).clone()).collect();
        let body = region(builder, &types, |builder, params| {
            let place = |v: &Value| inputs.iter().position(|input| input == v);
            let captured: Vec<Value> =
                self.captured.iter().map(|v| place(v).map_or(*v, |k| params[k])).collect();
            self.at(builder, x, &captured)
        })?;
        let moved = builder.operator(Mode::Forward, body, &inputs, &seeds)?[1];
        let b = builder.insert(Op::Prim(Prim::Neg), &[moved])?;
        self.solved(builder, solver, x, b)
    }

    /// A region of Newton's iterations from `start`. A step that does not reduce `‖f‖` is halved until it does, or is
    /// too short to matter.
    ///
    /// # Errors
    /// A start that is not a vector like the equation's, or a program past its size limit.
    pub fn newton(
        &self,
        builder: &mut Builder,
        start: Value,
        stop: Stop,
        solver: Solver,
    ) -> Result<ClosedRegion, IrError> {
        region(builder, &[], |builder, _| {
            let f = self.at(builder, start, &self.captured)?;
            let infinite = constant_of(builder, start, f64::INFINITY);
            let go = |builder: &mut Builder, carries: &[Value]| stop.is_long(builder, carries[0], carries[2]);
            let step = |builder: &mut Builder, carries: &[Value]| {
                let (x, f) = (carries[0], carries[1]);
                let step = self.solved(builder, solver, x, f)?;
                let length = Vectors(builder).largest(step)?;
                let (x, f) = self.damped(builder, (x, f), step, stop)?;
                Ok(vec![x, f, length])
            };
            let most = (stop.max_iterations, Aim::Converge);
            let end = while_loop(builder, most, &[start, f, infinite], go, step)?;
            self.converged(builder, stop, start, [end[0], end[2]])
        })
    }

    /// The point `x − t · step` with `f` there, for the first `t` of 1, ½, ¼, … that reduces `‖f‖`.
    fn damped(
        &self,
        builder: &mut Builder,
        (x, f): (Value, Value),
        step: Value,
        stop: Stop,
    ) -> Result<(Value, Value), IrError> {
        let before = Vectors(builder).largest(f)?;
        let moved = |builder: &mut Builder, t: Value| {
            let point = Vectors(builder).plus(x, Prim::Sub, t, step)?;
            Ok((point, self.at(builder, point, &self.captured)?))
        };
        let one = constant_of(builder, x, 1.0);
        let (point, value) = moved(builder, one)?;
        let go = |builder: &mut Builder, carries: &[Value]| {
            let mut on = Vectors(builder);
            let after = on.largest(carries[2])?;
            let reduced = on.prim(Prim::Lt, &[after, before])?;
            let worse = on.prim(Prim::Not, &[reduced])?;
            let length = on.largest(step)?;
            let length = on.mul(carries[0], length)?;
            let long = stop.is_long(builder, x, length)?;
            builder.insert(Op::Prim(Prim::And), &[worse, long])
        };
        let halve = |builder: &mut Builder, carries: &[Value]| {
            let half = constant_of(builder, x, 0.5);
            let t = Vectors(builder).mul(carries[0], half)?;
            let (point, value) = moved(builder, t)?;
            Ok(vec![t, point, value])
        };
        let end = while_loop(builder, (MAX_HALVINGS, Aim::Converge), &[one, point, value], go, halve)?;
        Ok((end[1], end[2]))
    }

    /// A region of the iteration of the function from `start`.
    ///
    /// # Errors
    /// As [`Equation::newton`].
    pub fn iterated(&self, builder: &mut Builder, start: Value, stop: Stop) -> Result<ClosedRegion, IrError> {
        region(builder, &[], |builder, _| {
            let infinite = constant_of(builder, start, f64::INFINITY);
            let go = |builder: &mut Builder, carries: &[Value]| stop.is_long(builder, carries[0], carries[1]);
            let step = |builder: &mut Builder, carries: &[Value]| {
                let next = self.value(builder, carries[0], &self.captured)?;
                let mut on = Vectors(builder);
                let step = on.prim(Prim::Sub, &[next, carries[0]])?;
                Ok(vec![next, on.largest(step)?])
            };
            let most = (stop.max_iterations, Aim::Converge);
            let end = while_loop(builder, most, &[start, infinite], go, step)?;
            self.converged(builder, stop, start, [end[0], end[1]])
        })
    }

    /// The point where iterations have ended after a step of this length, if they have converged. If not, they were given
    /// what is not a number, and so is what they give, or the call fails.
    fn converged(
        &self,
        builder: &mut Builder,
        stop: Stop,
        start: Value,
        [x, length]: [Value; 2],
    ) -> Result<Value, IrError> {
        let near = stop.is_short(builder, x, length)?;
        let missed =
            |builder: &mut Builder| unless(builder, near, |builder| self.is_given_numbers(builder, start));
        let x = ensured(builder, Aim::Converge, x, missed)?;
        or_nan(builder, near, x)
    }

    /// Whether there is no NaN in the start and in what the function captured.
    fn is_given_numbers(&self, builder: &mut Builder, start: Value) -> Result<Value, IrError> {
        let mut all = builder.constant(Literal::Bool(true));
        for &value in [start].iter().chain(&self.captured) {
            if builder.program().ty(value).elem.is_real() {
                let mut on = Vectors(builder);
                let largest = on.largest(value)?;
                let own = on.prim(Prim::Eq, &[largest, largest])?;
                all = on.prim(Prim::And, &[all, own])?;
            }
        }
        Ok(all)
    }
}

/// No step of a finite length stays long after more halvings.
const MAX_HALVINGS: u32 = 2200;

impl Stop {
    /// Whether a step of this length at `x` is too long to be the last.
    fn is_long(self, builder: &mut Builder, x: Value, length: Value) -> Result<Value, IrError> {
        let bound = self.bound(builder, x)?;
        builder.insert(Op::Prim(Prim::Gt), &[length, bound])
    }

    /// Whether a step of this length may be the last, at an `x` that is finite.
    fn is_short(self, builder: &mut Builder, x: Value, length: Value) -> Result<Value, IrError> {
        let bound = self.bound(builder, x)?;
        let infinite = constant_of(builder, x, f64::INFINITY);
        let mut on = Vectors(builder);
        let short = on.prim(Prim::Le, &[length, bound])?;
        let size = on.largest(x)?;
        let finite = on.prim(Prim::Lt, &[size, infinite])?;
        on.prim(Prim::And, &[short, finite])
    }

    /// `tolerance · (1 + ‖x‖)`.
    fn bound(self, builder: &mut Builder, x: Value) -> Result<Value, IrError> {
        let [one, tolerance] = [1.0, self.tolerance].map(|number| constant_of(builder, x, number));
        let mut on = Vectors(builder);
        let size = on.largest(x)?;
        let size = on.add(one, size)?;
        on.mul(tolerance, size)
    }
}

/// A scalar constant of the element kind of `like`.
fn constant_of(builder: &mut Builder, like: Value, x: f64) -> Value {
    let elem = builder.program().ty(like).elem;
    builder.constant(Literal::from_f64(elem, x))
}
