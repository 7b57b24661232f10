//! The derivatives of a function, as functions.

use super::Function;
use crate::error::Error;
use crate::kind::Kind;
use crate::spec::{Active, RealSpec, Scalars, Spec, len};
use evolute_ir::Callee;
use evolute_ir::{IrError, Program, SourceLoc};
use evolute_transforms::derive::{self, DeriveError};
use std::panic::Location;

#[allow(clippy::type_complexity, reason = "the types are the documentation")]
impl<S: Spec, R: Spec, A: Active> Function<S, R, A> {
    /// `(x, ẋ) ↦ (f(x), f'(x)·ẋ)`, by forward mode: at about twice the cost of `f`, without storing anything. `ẋ` is shaped
    /// as the arguments are that it is a direction of.
    ///
    /// # Errors
    /// Arguments or results that are not real.
    ///
    /// ```
    /// use evolute_frontend::{Function, vector};
    ///
    /// let f = Function::trace(vector(2), |x| x * x)?;
    /// let (value, tangent) = f.jvp()?.compile()?.call((&[2.0, 3.0], &[1.0, 10.0]))?;
    /// assert_eq!((value, tangent), (vec![4.0, 9.0], vec![4.0, 60.0]));
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn jvp(&self) -> Result<Function<(S, A::Spec), (R, R), A>, Error> {
        let outputs = (self.outputs.clone(), self.outputs.clone());
        self.derived(derive::jvp, (self.inputs.clone(), self.active.spec().clone()), outputs)
    }

    /// `(x, ȳ) ↦ (f(x), f'(x)ᵀ·ȳ)`, by reverse mode: at a few times the cost of `f`, however many arguments there are. It
    /// stores the carries of loops ([`checkpoint`](crate::checkpoint()) fewer of them). `ȳ` is shaped as the result is, and
    /// what is given for it as the arguments.
    ///
    /// # Errors
    /// Arguments or results that are not real.
    ///
    /// ```
    /// use evolute_frontend::{Function, matrix, vector};
    ///
    /// let f = Function::trace((matrix(2, 3), vector(3)), |(a, x)| a.dot(x))?;
    /// let a = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    /// let (value, (a_bar, x_bar)) = f.vjp()?.compile()?.call(((&a, &[1.0, 0.0, 1.0]), &[1.0, 10.0]))?;
    /// assert_eq!((value, x_bar), (vec![4.0, 10.0], vec![41.0, 52.0, 63.0]));
    /// assert_eq!(a_bar, [1.0, 0.0, 1.0, 10.0, 0.0, 10.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn vjp(&self) -> Result<Function<(S, R), (R, A::Spec), A>, Error> {
        let outputs = (self.outputs.clone(), self.active.spec().clone());
        self.derived(derive::vjp, (self.inputs.clone(), self.outputs.clone()), outputs)
    }

    /// `x ↦ ∇f(x)`, by reverse mode, at the cost of [`vjp`](Function::vjp): shaped as the arguments are.
    ///
    /// # Errors
    /// A result that is not one real scalar; arguments that are not real.
    ///
    /// ```
    /// use evolute_frontend::{Function, scalar, vector};
    ///
    /// let f = Function::trace((vector(2), scalar()), |(x, t)| x.prod() * t)?;
    /// assert_eq!(f.grad()?.compile()?.call((&[2.0, 3.0], &10.0))?, (vec![30.0, 20.0], 6.0));
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn grad(&self) -> Result<Function<S, A::Spec, A>, Error> {
        self.derived(derive::grad, self.inputs.clone(), self.active.spec().clone())
    }

    /// `x ↦ (f(x), ∇f(x))`, at the cost of [`grad`](Function::grad), which computes most of the value anyway.
    ///
    /// # Errors
    /// As [`grad`](Function::grad).
    ///
    /// ```
    /// use evolute_frontend::Function;
    ///
    /// let f = Function::scalar(2, |x| x[0].powi(2) * x[1])?;
    /// assert_eq!(f.value_and_grad()?.compile()?.call(&[3.0, 2.0])?, (18.0, vec![12.0, 9.0]));
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn value_and_grad(&self) -> Result<Function<S, (R, A::Spec), A>, Error> {
        let outputs = (self.outputs.clone(), self.active.spec().clone());
        self.derived(derive::value_and_grad, self.inputs.clone(), outputs)
    }

    /// `(x, v) ↦ H(x)·v`: the forward derivative of the gradient, at about twice its cost. No Hessian is formed, and it
    /// stores what the gradient does, with tangents. `v` and the product are shaped as the arguments are.
    ///
    /// # Errors
    /// As [`grad`](Function::grad).
    ///
    /// ```
    /// use evolute_frontend::Function;
    ///
    /// let f = Function::scalar(2, |x| x[0].powi(2) * x[1])?;
    /// assert_eq!(f.hvp()?.compile()?.call((&[3.0, 2.0], &[1.0, 0.0]))?, [4.0, 6.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn hvp(&self) -> Result<Function<(S, A::Spec), A::Spec, A>, Error> {
        self.derived(
            derive::hvp,
            (self.inputs.clone(), self.active.spec().clone()),
            self.active.spec().clone(),
        )
    }

    /// `(x, v) ↦ (f(x), ∇f(x), H(x)·v)`, at little more than the cost of [`hvp`](Function::hvp).
    ///
    /// # Errors
    /// As [`grad`](Function::grad).
    ///
    /// ```
    /// use evolute_frontend::Function;
    ///
    /// let f = Function::scalar(2, |x| x[0].powi(2) * x[1])?;
    /// let (value, gradient, product) = f.value_grad_hvp()?.compile()?.call((&[3.0, 2.0], &[1.0, 0.0]))?;
    /// assert_eq!((value, gradient, product), (18.0, vec![12.0, 9.0], vec![4.0, 6.0]));
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn value_grad_hvp(&self) -> Result<Function<(S, A::Spec), (R, A::Spec, A::Spec), A>, Error> {
        let outputs = (self.outputs.clone(), self.active.spec().clone(), self.active.spec().clone());
        self.derived(derive::value_grad_hvp, (self.inputs.clone(), self.active.spec().clone()), outputs)
    }

    /// `(x, v) ↦ (f(x), ∇f(x)·v, vᵀ·H(x)·v)`, by forward mode alone.
    ///
    /// # Errors
    /// As [`grad`](Function::grad).
    ///
    /// ```
    /// use evolute_frontend::Function;
    ///
    /// let f = Function::scalar(2, |x| x[0].powi(2) * x[1])?;
    /// let (value, slope, curvature) = f.vhv()?.compile()?.call((&[3.0, 2.0], &[1.0, 0.0]))?;
    /// assert_eq!((value, slope, curvature), (18.0, 12.0, 4.0));
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn vhv(&self) -> Result<Function<(S, A::Spec), (R, R, R), A>, Error> {
        let outputs = (self.outputs.clone(), self.outputs.clone(), self.outputs.clone());
        self.derived(derive::vhv, (self.inputs.clone(), self.active.spec().clone()), outputs)
    }

    /// The Jacobian, dense and row-major: a row a result, a column an argument. For small problems.
    ///
    /// # Errors
    /// A program too large.
    ///
    /// ```
    /// use evolute_frontend::Function;
    ///
    /// let f = Function::vector(2, |x| vec![x[0] * x[1], x[0] + x[1]])?;
    /// assert_eq!(f.jacobian()?.compile()?.call(&[2.0, 3.0])?, [3.0, 2.0, 1.0, 1.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn jacobian(&self) -> Result<Function<S, Scalars<<A::Spec as RealSpec>::Kind>, A>, Error>
    where
        R: RealSpec<Kind = <A::Spec as RealSpec>::Kind>,
        A::Spec: RealSpec,
    {
        let [rows, columns] = [len(&self.outputs), len(self.active.spec())];
        let outputs = self.matrix(rows, columns, "the Jacobian")?;
        self.derived(derive::jacobian, self.inputs.clone(), outputs)
    }

    /// The Hessian, dense and row-major. For small problems.
    ///
    /// # Errors
    /// A result that is not one real scalar; a program too large.
    ///
    /// ```
    /// use evolute_frontend::Function;
    ///
    /// let f = Function::scalar(2, |x| x[0].powi(2) * x[1])?;
    /// assert_eq!(f.hessian()?.compile()?.call(&[3.0, 2.0])?, [4.0, 6.0, 6.0, 0.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn hessian(&self) -> Result<Function<S, Scalars<<A::Spec as RealSpec>::Kind>, A>, Error>
    where
        A::Spec: RealSpec,
    {
        let n = len(self.active.spec());
        let outputs = self.matrix(n, n, "the Hessian")?;
        self.derived(derive::hessian, self.inputs.clone(), outputs)
    }

    #[track_caller]
    fn derived<T: Spec, U: Spec>(
        &self,
        operator: impl FnOnce(&Program, &[usize], Option<SourceLoc>) -> Result<Program, DeriveError>,
        inputs: T,
        outputs: U,
    ) -> Result<Function<T, U, A>, Error> {
        let at = SourceLoc::of(Location::caller());
        let program = operator(&self.program, &self.wrt, Some(at.clone()));
        let program = Callee::new(program.map_err(|source| Error::Derive { source, at })?);
        Ok(Function { program, inputs, outputs, active: self.active.clone(), wrt: self.wrt.clone() })
    }

    /// A matrix of derivatives, unless its entries alone, an instruction each, exceed the limit.
    #[track_caller]
    fn matrix<K: Kind>(&self, rows: usize, columns: usize, what: &'static str) -> Result<Scalars<K>, Error> {
        let limit = self.program.limit();
        if rows.saturating_mul(columns) <= limit {
            return Ok(Scalars::matrix(rows, columns));
        }
        let source = IrError::TooLarge { what, limit }.into();
        Err(Error::Derive { source, at: SourceLoc::of(Location::caller()) })
    }
}
