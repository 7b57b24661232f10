//! The jvp rules of dense linear algebra.
//!
//! A dot is a tangent, ∘ the product of elements, S = (Ȧ + Ȧᵀ)/2.
//!
//! | instruction | tangent |
//! | --- | --- |
//! | A·X = B, T·X = B | Ẋ = A⁻¹(Ḃ − Ȧ·X); of T only the triangle that is read |
//! | L of A = L·Lᵀ | L·Φ(L⁻¹·S·L⁻ᵀ), Φ the lower triangle with half the diagonal |
//! | det A, ln │det A│ | det A · ⟨A⁻ᵀ, Ȧ⟩, ⟨A⁻ᵀ, Ȧ⟩ |
//! | w, V of A = V·diag(w)·Vᵀ | ẇ = diag(P), V̇ = V·(G∘P), P = Vᵀ·S·V, Gᵢⱼ = 1/(wⱼ − wᵢ), 0 on the diagonal |
//! | Q, R of A = Q·R | Ṙ = K·R, Q̇ = Ȧ·R⁻¹ − Q·K, C = Qᵀ·Ȧ·R⁻¹, K = triu(C) + tril(C, −1)ᵀ |
//!
//! Sources: M. B. Giles, *An extended collection of matrix derivative results for forward and reverse mode algorithmic
//! differentiation*, 2008 (solves, determinant, eigenvalues); I. Murray, *Differentiation of the Cholesky decomposition*,
//! arXiv:1602.07527; S. F. Walter and L. Lehmann, *Algorithmic differentiation of linear algebra functions with
//! application in optimum experimental design*, arXiv:1001.1654 (QR).
//!
//! Note [Factorisations]: a factorisation has no tangent. What is made of it takes the matrix beside it, so the
//! derivative reads the factorisation as known code, whatever its order, and the transpose of a solve is a solve with
//! the same factorisation.
//!
//! Note [Equal eigenvalues]: where two eigenvalues are equal the eigenvectors are not differentiable, and G is infinite:
//! the tangent of V is NaN or infinite. That of w does not look at G, so first derivatives of functions of the eigenvalues
//! alone are finite. Where such a function is symmetric in them they are right; its second derivatives look at V̇.

use crate::differentiate::Walk;
use crate::linear::{Coefficient, Linear, LinearMap, constant_like};
use crate::matrices::{along, identity, mask, turned};
use evolute_ir::{Builder, Elem, IrError, Linalg, Op, Prim, Strides, Type, Value};

/// A tangent of the representation, if there is one.
type Maybe<L> = Result<Option<<L as Linear>::Tangent>, IrError>;

impl<L: Linear> Walk<'_, L> {
    /// The tangent of `result`, given that an operand has one.
    pub(crate) fn tangent_of_linalg(
        &mut self,
        linalg: Linalg,
        operands: &[Value],
        known: &[Value],
        result: Value,
    ) -> Maybe<L> {
        let tangent = |n: usize| operands.get(n).and_then(|&v| self.tangents[v]);
        let (matrix, right) = (tangent(0), tangent(operands.len() - 1));
        self.originate_partial(result);
        match (linalg, known) {
            (Linalg::Lu | Linalg::DetSign | Linalg::Eigen | Linalg::Qr, _) => Ok(None),
            (Linalg::SolveTriangular { upper, transposed }, &[t, _]) => {
                let matrix = matrix.map(|m| self.triangle(m, t, upper)).transpose()?;
                let map = LinearMap::SolveTriangular { k: t, upper, transposed };
                self.solved(map, (matrix, t, transposed), right, result)
            }
            (Linalg::LuSolve { transposed }, &[a, f, _]) => {
                let map = LinearMap::LuSolve { k: [a, f], transposed };
                self.solved(map, (matrix, a, transposed), right, result)
            }
            _ => match matrix {
                Some(matrix) => self.of_matrix(linalg, matrix, known, result).map(Some),
                None => Ok(None),
            },
        }
    }

    /// The rules of what depends on one matrix.
    fn of_matrix(
        &mut self,
        linalg: Linalg,
        a_dot: L::Tangent,
        known: &[Value],
        result: Value,
    ) -> Result<L::Tangent, IrError> {
        match linalg {
            Linalg::Cholesky => self.cholesky(a_dot, result),
            Linalg::Det => {
                let trace = self.relative_change(a_dot, known, result)?;
                self.linear.combine(&[(Coefficient::Times(result), trace)], result)
            }
            Linalg::LogDet => self.relative_change(a_dot, known, result),
            Linalg::Eigenvalues => self.eigenvalues(a_dot, known, result),
            Linalg::Eigenvectors => self.eigenvectors(a_dot, known, result),
            Linalg::QrQ => self.orthonormal(a_dot, known, result),
            Linalg::QrR => self.triangular(a_dot, known, result),
            Linalg::SolveTriangular { .. }
            | Linalg::LuSolve { .. }
            | Linalg::Lu
            | Linalg::DetSign
            | Linalg::Eigen
            | Linalg::Qr => unreachable!("they have other rules"),
        }
    }

    /// Known code of a rule.
    fn known_part(&mut self, linalg: Linalg, operands: &[Value]) -> Result<Value, IrError> {
        self.linear.builder().insert(Op::Linalg(linalg), operands)
    }

    /// The transpose of the tangent of a matrix, `of` being like the result.
    fn turned(&mut self, x: L::Tangent, of: Value) -> Result<L::Tangent, IrError> {
        let builder = self.linear.builder();
        let ty = builder.program().ty(of).clone();
        let strides = Strides { offset: 0, strides: [1, i64::from(ty.shape.extents()[0])].into() };
        let map = LinearMap::View(builder.intern(&ty), builder.strides(&strides));
        self.linear.map(map, x, of)
    }

    // ── solving ─────────────────────────────────────────────────────────────────────────────────

    fn triangle(&mut self, x: L::Tangent, t: Value, upper: bool) -> Result<L::Tangent, IrError> {
        let comparison = if upper { Prim::Le } else { Prim::Ge };
        let read = mask(self.linear.builder(), t, comparison)?;
        self.linear.combine(&[(Coefficient::When(read, true), x)], t)
    }

    /// `map` of Ḃ − Ȧ·X, or with the transpose of Ȧ.
    fn solved(
        &mut self,
        map: LinearMap,
        (matrix, like, transposed): (Option<L::Tangent>, Value, bool),
        right: Option<L::Tangent>,
        x: Value,
    ) -> Maybe<L> {
        let mut terms: Vec<_> = right.map(|right| (Coefficient::One, right)).into_iter().collect();
        if let Some(mut matrix) = matrix {
            if transposed {
                matrix = self.turned(matrix, like)?;
            }
            let moved = self.linear.map(LinearMap::Right(x), matrix, x)?;
            terms.push((Coefficient::MinusOne, moved));
        }
        match self.combined(&terms, x)? {
            Some(right) => self.linear.map(map, right, x).map(Some),
            None => Ok(None),
        }
    }

    fn cholesky(&mut self, a_dot: L::Tangent, l: Value) -> Result<L::Tangent, IrError> {
        let solve = LinearMap::SolveTriangular { k: l, upper: false, transposed: false };
        let half = self.linear.map(solve.clone(), a_dot, l)?;
        let half = self.turned(half, l)?;
        let both = self.linear.map(solve, half, l)?;
        let turned = self.turned(both, l)?;
        let sum = self.linear.combine(&[(Coefficient::One, both), (Coefficient::One, turned)], l)?;
        self.originate_partial(l);
        let weights = phi(self.linear.builder(), l)?;
        let weighted = self.linear.combine(&[(Coefficient::Times(weights), sum)], l)?;
        self.linear.map(LinearMap::Left(l), weighted, l)
    }

    // ── determinants ────────────────────────────────────────────────────────────────────────────

    /// ⟨A⁻ᵀ, Ȧ⟩.
    fn relative_change(
        &mut self,
        a_dot: L::Tangent,
        known: &[Value],
        result: Value,
    ) -> Result<L::Tangent, IrError> {
        let &[a, f] = known else { unreachable!("a matrix and its factorisation") };
        let identity = identity(self.linear.builder(), a)?;
        let inverse = self.known_part(Linalg::LuSolve { transposed: true }, &[a, f, identity])?;
        let products = self.linear.combine(&[(Coefficient::Times(inverse), a_dot)], a)?;
        let scalar = self.linear.builder().intern(&Type::scalar(Elem::F64));
        self.linear.map(LinearMap::Sum(scalar), products, result)
    }

    // ── eigenvalues ─────────────────────────────────────────────────────────────────────────────

    /// The diagonal of Vᵀ·Ȧ·V.
    fn eigenvalues(
        &mut self,
        a_dot: L::Tangent,
        known: &[Value],
        result: Value,
    ) -> Result<L::Tangent, IrError> {
        let v = self.known_part(Linalg::Eigenvectors, known)?;
        let moved = self.linear.map(LinearMap::Right(v), a_dot, v)?;
        let products = self.linear.combine(&[(Coefficient::Times(v), moved)], v)?;
        let rows = self.turned(products, v)?;
        let builder = self.linear.builder();
        let ty = builder.program().ty(result).clone();
        let map = LinearMap::Sum(builder.intern(&ty));
        self.linear.map(map, rows, result)
    }

    fn eigenvectors(&mut self, a_dot: L::Tangent, known: &[Value], v: Value) -> Result<L::Tangent, IrError> {
        let w = self.known_part(Linalg::Eigenvalues, known)?;
        let builder = self.linear.builder();
        let weights = reciprocal_gaps(builder, w, v)?;
        let turned_v = turned(builder, v)?;
        let moved = self.linear.map(LinearMap::Right(v), a_dot, v)?;
        let p = self.linear.map(LinearMap::Left(turned_v), moved, v)?;
        let turned_p = self.turned(p, v)?;
        let sum = self.linear.combine(&[(Coefficient::One, p), (Coefficient::One, turned_p)], v)?;
        let weighted = self.linear.combine(&[(Coefficient::Times(weights), sum)], v)?;
        self.linear.map(LinearMap::Left(v), weighted, v)
    }

    // ── orthonormal and triangular ──────────────────────────────────────────────────────────────

    /// Ȧ·R⁻¹, and K.
    fn qr(&mut self, a_dot: L::Tangent, a: Value, [q, r]: [Value; 2]) -> Result<[L::Tangent; 2], IrError> {
        let builder = self.linear.builder();
        let (turned_a, turned_q) = (turned(builder, a)?, turned(builder, q)?);
        let below = mask(builder, r, Prim::Gt)?;
        let turned_dot = self.turned(a_dot, turned_a)?;
        let solve = LinearMap::SolveTriangular { k: r, upper: true, transposed: true };
        let solved = self.linear.map(solve, turned_dot, turned_a)?;
        let solved = self.turned(solved, q)?;
        let c = self.linear.map(LinearMap::Left(turned_q), solved, r)?;
        let lower = self.linear.combine(&[(Coefficient::When(below, true), c)], r)?;
        let upper = self.linear.combine(&[(Coefficient::When(below, false), c)], r)?;
        let lower = self.turned(lower, r)?;
        let k = self.linear.combine(&[(Coefficient::One, upper), (Coefficient::One, lower)], r)?;
        Ok([solved, k])
    }

    fn orthonormal(&mut self, a_dot: L::Tangent, known: &[Value], q: Value) -> Result<L::Tangent, IrError> {
        let r = self.known_part(Linalg::QrR, known)?;
        let [solved, k] = self.qr(a_dot, known[0], [q, r])?;
        let within = self.linear.map(LinearMap::Left(q), k, q)?;
        self.linear.combine(&[(Coefficient::One, solved), (Coefficient::MinusOne, within)], q)
    }

    fn triangular(&mut self, a_dot: L::Tangent, known: &[Value], r: Value) -> Result<L::Tangent, IrError> {
        let q = self.known_part(Linalg::QrQ, known)?;
        let [_, k] = self.qr(a_dot, known[0], [q, r])?;
        self.linear.map(LinearMap::Right(r), k, r)
    }
}

/// What the elements of X + Xᵀ are multiplied by to give Φ of the symmetric part of X: 1/2 below the diagonal, 1/4 on it.
fn phi(builder: &mut Builder, like: Value) -> Result<Value, IrError> {
    let (below, diagonal) = (mask(builder, like, Prim::Gt)?, mask(builder, like, Prim::Eq)?);
    let [half, quarter, zero] = [0.5, 0.25, 0.0].map(|x| constant_like(builder, like, x));
    let upper = builder.insert(Op::Select, &[diagonal, quarter?, zero?])?;
    builder.insert(Op::Select, &[below, half?, upper])
}

/// Half of 1/(wⱼ − wᵢ), and 0 on the diagonal, where no difference is divided by.
fn reciprocal_gaps(builder: &mut Builder, w: Value, like: Value) -> Result<Value, IrError> {
    let diagonal = mask(builder, like, Prim::Eq)?;
    let [row, column] = [along(builder, w, 0, like)?, along(builder, w, 1, like)?];
    let gaps = builder.insert(Op::Prim(Prim::Sub), &[column, row])?;
    let [zero, half, one] = [0.0, 0.5, 1.0].map(|x| constant_like(builder, like, x));
    let gaps = builder.insert(Op::Select, &[diagonal, one?, gaps])?;
    let reciprocals = builder.insert(Op::Prim(Prim::Div), &[half?, gaps])?;
    builder.insert(Op::Select, &[diagonal, zero?, reciprocals])
}
