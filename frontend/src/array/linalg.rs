//! Dense linear algebra on matrices: factorisations, solves, determinants, eigenvalues.
//!
//! Each method is an instruction or two, run by a library; a factorisation of one matrix is shared by all that is made
//! of it, and by every derivative. Batches are a [`map`](crate::map) over them. Of [`F32`](crate::F32) matrices all is
//! computed in `f64` and rounded. A matrix with a NaN or an infinity gives NaNs; no method fails when called.
//! Matrices that are not square where they are to be, and right sides of other extents, are errors of the trace.
//!
//! Derivatives are those of Giles, *Collected matrix derivative results*, 2008, and for QR of Walter and Lehmann,
//! arXiv:1001.1654.

use super::einsum::contract;
use super::{Array, IntoArray, make};
use crate::kind::RealKind;
use crate::trace::Site;
use crate::traced::Traced;
use evolute_ir::{Elem, Linalg, Literal, Op, Prim, Type, Value};
use std::panic::Location;

impl<'t, K: RealKind> Array<'t, K> {
    /// The Cholesky factor of a symmetric positive definite matrix: the lower triangle L of `A = L·Lᵀ`, with zeros above.
    ///
    /// Of a matrix that is not symmetric it is that of (A + Aᵀ)/2, so gradients are symmetric. Where that is not positive
    /// definite, the triangle is NaN. Costs n³/3 operations.
    ///
    /// ```
    /// use evolute_frontend::{Function, matrix};
    ///
    /// let f = Function::trace(matrix(2, 2), |a| a.cholesky())?;
    /// assert_eq!(f.eval(&[4.0, 2.0, 2.0, 5.0])?, [2.0, 0.0, 1.0, 2.0]);
    /// assert!(f.eval(&[1.0, 2.0, 2.0, 1.0])?[0].is_nan());
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn cholesky(self) -> Self {
        self.to(|site, a| match square(site, a, "cholesky") {
            Some(_) => narrowed::<K>(site, linalg(site, Linalg::Cholesky, &[widened(site, a)])),
            None => site.trace.placeholder(&site.trace.ty(a)),
        })
    }

    /// The solution of `L·X = B`, with L the lower triangle of this matrix, for a vector or a matrix B.
    ///
    /// What is above the diagonal is not read. A zero on the diagonal gives infinities and NaNs. Costs n²
    /// operations a column.
    ///
    /// ```
    /// use evolute_frontend::{Function, matrix, vector};
    ///
    /// let f = Function::trace((matrix(2, 2), vector(2)), |(l, b)| l.solve_lower(b))?;
    /// assert_eq!(f.eval((&[2.0, 9.0, 1.0, 4.0], &[2.0, 9.0]))?, [1.0, 2.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn solve_lower(self, b: impl IntoArray<'t, K>) -> Self {
        let triangle = Linalg::SolveTriangular { upper: false, transposed: false };
        solved(self, b.into_array(), "solve_lower", |site, a, b| linalg(site, triangle, &[a, b]))
    }

    /// The solution of `Lᵀ·X = B`, with L the lower triangle of this matrix: after
    /// [`solve_lower`](Array::solve_lower) by the Cholesky factor of A, the solution of `A·X = B`.
    ///
    /// ```
    /// use evolute_frontend::{Function, matrix, vector};
    ///
    /// let f = Function::trace((matrix(2, 2), vector(2)), |(a, b)| {
    ///     let l = a.cholesky();
    ///     l.solve_lower_transposed(l.solve_lower(b))
    /// })?;
    /// assert_eq!(f.eval((&[4.0, 2.0, 2.0, 5.0], &[8.0, 12.0]))?, [1.0, 2.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn solve_lower_transposed(self, b: impl IntoArray<'t, K>) -> Self {
        let triangle = Linalg::SolveTriangular { upper: false, transposed: true };
        solved(self, b.into_array(), "solve_lower_transposed", |site, a, b| linalg(site, triangle, &[a, b]))
    }

    /// The solution of `U·X = B`, with U the upper triangle of this matrix, as [`solve_lower`](Array::solve_lower).
    #[track_caller]
    pub fn solve_upper(self, b: impl IntoArray<'t, K>) -> Self {
        let triangle = Linalg::SolveTriangular { upper: true, transposed: false };
        solved(self, b.into_array(), "solve_upper", |site, a, b| linalg(site, triangle, &[a, b]))
    }

    /// The solution of `Uᵀ·X = B`, with U the upper triangle of this matrix.
    #[track_caller]
    pub fn solve_upper_transposed(self, b: impl IntoArray<'t, K>) -> Self {
        let triangle = Linalg::SolveTriangular { upper: true, transposed: true };
        solved(self, b.into_array(), "solve_upper_transposed", |site, a, b| linalg(site, triangle, &[a, b]))
    }

    /// The solution of `A·X = B` with this square matrix, for a vector or a matrix B, by LU factorisation with partial
    /// pivoting.
    ///
    /// A singular matrix gives infinities and NaNs, or large numbers where rounding hides it. Costs 2n³/3
    /// operations, and 2n² a column; derivatives of every order solve with the same factorisation.
    ///
    /// ```
    /// use evolute_frontend::{Function, matrix, vector};
    ///
    /// let f = Function::trace((matrix(2, 2), vector(2)), |(a, b)| a.solve(b))?;
    /// assert_eq!(f.eval((&[0.0, 2.0, 4.0, 1.0], &[2.0, 9.0]))?, [2.0, 1.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn solve(self, b: impl IntoArray<'t, K>) -> Self {
        solved(self, b.into_array(), "solve", |site, a, b| {
            let f = linalg(site, Linalg::Lu, &[a]);
            linalg(site, Linalg::LuSolve { transposed: false }, &[a, f, b])
        })
    }

    /// The inverse: the solution for the identity matrix. [`solve`](Array::solve) costs less and rounds less.
    ///
    /// ```
    /// use evolute_frontend::{Function, matrix};
    ///
    /// let f = Function::trace(matrix(2, 2), |a| a.inverse())?;
    /// assert_eq!(f.eval(&[0.0, 2.0, 4.0, 0.0])?, [0.0, 0.25, 0.5, 0.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn inverse(self) -> Self {
        self.to(|site, a| {
            let Some(n) = square(site, a, "inverse") else {
                return site.trace.placeholder(&site.trace.ty(a));
            };
            let a = widened(site, a);
            let f = linalg(site, Linalg::Lu, &[a]);
            let identity = identity(site, n);
            narrowed::<K>(site, linalg(site, Linalg::LuSolve { transposed: false }, &[a, f, identity]))
        })
    }

    /// The determinant, by LU factorisation. Its derivatives solve with the matrix: they are NaN where it is singular.
    ///
    /// ```
    /// use evolute_frontend::{Function, matrix};
    ///
    /// let f = Function::trace(matrix(2, 2), |a| a.det())?;
    /// assert_eq!(f.eval(&[0.0, 2.0, 4.0, 1.0])?, -8.0);
    /// assert_eq!(f.grad()?.eval(&[0.0, 2.0, 4.0, 1.0])?, [1.0, -4.0, -2.0, 0.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn det(self) -> Traced<'t, K> {
        of_determinant(self, "det", |site, a, f| linalg(site, Linalg::Det, &[a, f]))
    }

    /// The logarithm of the determinant, by LU factorisation: no intermediate result overflows. NaN where the
    /// determinant is negative, and so are its derivatives; −∞ where it is zero. Of a positive definite matrix twice the
    /// sum of the logarithms of the diagonal of its [`cholesky`](Array::cholesky) factor costs half.
    ///
    /// ```
    /// use evolute_frontend::{Function, matrix};
    ///
    /// let f = Function::trace(matrix(2, 2), |a| a.logdet())?;
    /// assert_eq!(f.eval(&[0.0, -2.0, 4.0, 1.0])?, 8f64.ln());
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn logdet(self) -> Traced<'t, K> {
        of_determinant(self, "logdet", |site, a, f| {
            let log = linalg(site, Linalg::LogDet, &[a, f]);
            let sign = linalg(site, Linalg::DetSign, &[f]);
            let negative = site.pointwise(Op::Prim(Prim::Lt), "lt", &[sign, number(site, 0.0)], Elem::Bool);
            // A product with NaN has no derivatives of any order.
            let [bad, good] = [f64::NAN, 1.0].map(|factor| number(site, factor));
            let factor = site.pointwise(Op::Select, "select", &[negative, bad, good], Elem::F64);
            site.prim(Prim::Mul, &[log, factor])
        })
    }

    /// The sign of the determinant (−1, 0, 1), which has derivative 0, and the logarithm of its magnitude.
    ///
    /// ```
    /// use evolute_frontend::{Function, matrix, scalar};
    ///
    /// let f = Function::trace_to(matrix(2, 2), (scalar(), scalar()), |a| a.slogdet())?;
    /// assert_eq!(f.eval(&[0.0, 2.0, 4.0, 1.0])?, (-1.0, 8f64.ln()));
    /// assert_eq!(f.eval(&[1.0, 1.0, 1.0, 1.0])?, (0.0, f64::NEG_INFINITY));
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn slogdet(self) -> (Traced<'t, K>, Traced<'t, K>) {
        let sign = of_determinant(self, "slogdet", |site, _, f| linalg(site, Linalg::DetSign, &[f]));
        let log = of_determinant(self, "slogdet", |site, a, f| linalg(site, Linalg::LogDet, &[a, f]));
        (sign, log)
    }

    /// The eigenvalues of a symmetric matrix, ascending, and a matrix whose columns are eigenvectors of length 1, in this
    /// order: `A·V = V·diag(w)`.
    ///
    /// Of a matrix that is not symmetric they are those of (A + Aᵀ)/2, so gradients are symmetric. Of its two signs a
    /// vector has the one with which the first of its elements of at least 0.9 times the largest magnitude is positive.
    ///
    /// Where eigenvalues are equal, eigenvectors have no derivative: it is NaN or infinite, and so are
    /// second derivatives of eigenvalues. First derivatives of a function of the eigenvalues alone are finite, and
    /// right if it is symmetric in them. Costs about 9n³ operations.
    ///
    /// ```
    /// use evolute_frontend::{Function, matrix, vector};
    ///
    /// let f = Function::trace_to(matrix(2, 2), (vector(2), matrix(2, 2)), |a| a.eigh())?;
    /// let (w, v) = f.eval(&[3.0, 0.0, 0.0, 1.0])?;
    /// assert_eq!((w, v), (vec![1.0, 3.0], vec![0.0, 1.0, 1.0, 0.0]));
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn eigh(self) -> (Self, Self) {
        (eigen_part(self, "eigh", Linalg::Eigenvalues), eigen_part(self, "eigh", Linalg::Eigenvectors))
    }

    /// The eigenvalues of [`eigh`](Array::eigh), which costs the same: their derivatives are made of the eigenvectors.
    ///
    /// ```
    /// use evolute_frontend::{Function, matrix};
    ///
    /// let f = Function::trace(matrix(2, 2), |a| a.eigvalsh().maximum())?;
    /// assert_eq!(f.grad()?.eval(&[3.0, 0.0, 0.0, 1.0])?, [1.0, 0.0, 0.0, 0.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn eigvalsh(self) -> Self {
        eigen_part(self, "eigvalsh", Linalg::Eigenvalues)
    }

    /// The factorisation `A = Q·R` of an `m` by `n` matrix, with `k = min(m, n)`: Q `[m, k]` has orthonormal columns, and R
    /// `[k, n]` is zero below its diagonal, which is not negative.
    ///
    /// Of a matrix of full rank this is unique. Where the first `k` columns are linearly dependent, derivatives are NaN
    /// or infinite. Costs about 4mn² operations.
    ///
    /// ```
    /// use evolute_frontend::{Function, matrix};
    ///
    /// let f = Function::trace_to(matrix(2, 1), (matrix(2, 1), matrix(1, 1)), |a| a.qr())?;
    /// let (q, r) = f.eval(&[-3.0, 4.0])?;
    /// assert!((q[0] + 0.6).abs() < 1e-15 && (r[0] - 5.0).abs() < 1e-15);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn qr(self) -> (Self, Self) {
        (self.to(|site, a| qr_part::<K>(site, a, true)), self.to(|site, a| qr_part::<K>(site, a, false)))
    }
}

// ── what the methods share ──────────────────────────────────────────────────────────────────────

/// The extents of a matrix, or a mistake.
fn matrix(site: Site<'_>, x: Value, operation: &'static str) -> Option<[usize; 2]> {
    match *site.extents(x) {
        [m, n] => Some([m, n]),
        ref other => {
            site.mistake(operation, "a matrix", format!("{other:?}"));
            None
        }
    }
}

/// The order of a square matrix, or a mistake.
fn square(site: Site<'_>, x: Value, operation: &'static str) -> Option<usize> {
    match *site.extents(x) {
        [m, n] if m == n => Some(n),
        ref other => {
            site.mistake(operation, "a square matrix", format!("{other:?}"));
            None
        }
    }
}

fn widened(site: Site<'_>, x: Value) -> Value {
    let ty = site.ty(Elem::F64, &site.extents(x));
    site.insert(Op::Cast(Elem::F64), &[x], &ty)
}

fn narrowed<K: RealKind>(site: Site<'_>, x: Value) -> Value {
    let ty = site.ty(K::ELEM, &site.extents(x));
    site.insert(Op::Cast(K::ELEM), &[x], &ty)
}

/// Inserts an instruction whose operands fit.
fn linalg(site: Site<'_>, linalg: Linalg, operands: &[Value]) -> Value {
    let [m, n] = [0, 1].map(|axis| site.extents(operands[0]).get(axis).copied().unwrap_or(0));
    let last = || site.extents(operands[operands.len() - 1]);
    let extents = match linalg {
        Linalg::Cholesky | Linalg::Eigenvectors => vec![n, n],
        Linalg::SolveTriangular { .. } | Linalg::LuSolve { .. } => last(),
        Linalg::Lu | Linalg::Eigen => vec![n + 1, n],
        Linalg::Det | Linalg::LogDet | Linalg::DetSign => Vec::new(),
        Linalg::Eigenvalues => vec![n],
        Linalg::Qr => vec![m + n, n],
        Linalg::QrQ => vec![m, n],
        Linalg::QrR => vec![n, n],
    };
    site.insert(Op::Linalg(linalg), operands, &site.ty(Elem::F64, &extents))
}

fn number(site: Site<'_>, x: f64) -> Value {
    site.constant(Literal::from_f64(Elem::F64, x))
}

fn identity(site: Site<'_>, n: usize) -> Value {
    let ty = site.ty(Elem::F64, &[n, n]);
    let ones = site.full(&site.ty(Elem::F64, &[n]), 1.0);
    let op = site.trace.build(site.caller, |builder| {
        let diagonal = evolute_ir::Strides { offset: 0, strides: [n as i64 + 1].into() };
        let strides = builder.strides(&diagonal);
        Ok(Op::Spread(builder.intern(&ty), strides))
    });
    op.map_or_else(|| site.trace.placeholder(&ty), |op| site.insert(op, &[ones], &ty))
}

/// Something that solves with a square matrix, for a vector or a matrix.
#[track_caller]
fn solved<'t, K: RealKind>(
    a: Array<'t, K>,
    b: Array<'t, K>,
    operation: &'static str,
    solve: impl FnOnce(Site<'_>, Value, Value) -> Value,
) -> Array<'t, K> {
    make(&[a.operand(), b.operand()], Location::caller(), |site, values| {
        let (a, b) = (values[0], values[1]);
        let extents = site.extents(b);
        let fits =
            square(site, a, operation).is_some_and(|n| matches!(extents.len(), 1 | 2) && extents[0] == n);
        if !fits {
            let expected = "a square matrix, and a vector or a matrix of as many rows";
            let found = format!("{:?} and {extents:?}", site.extents(a));
            return site.misfit(operation, expected, found, &site.trace.ty(b));
        }
        let columns = extents.get(1).copied().unwrap_or(1);
        let [a, b] = [a, site.reshape(b, &[extents[0], columns])].map(|x| widened(site, x));
        let x = narrowed::<K>(site, solve(site, a, b));
        site.reshape(x, &extents)
    })
}

/// A number made of a square matrix and its factorisation.
#[track_caller]
fn of_determinant<'t, K: RealKind>(
    a: Array<'t, K>,
    operation: &'static str,
    body: impl FnOnce(Site<'_>, Value, Value) -> Value,
) -> Traced<'t, K> {
    a.to(|site, a| match square(site, a, operation) {
        Some(_) => {
            let a = widened(site, a);
            let f = linalg(site, Linalg::Lu, &[a]);
            narrowed::<K>(site, body(site, a, f))
        }
        None => site.trace.placeholder(&Type::scalar(K::ELEM)),
    })
}

#[track_caller]
fn eigen_part<'t, K: RealKind>(a: Array<'t, K>, operation: &'static str, part: Linalg) -> Array<'t, K> {
    a.to(|site, a| match square(site, a, operation) {
        Some(_) => {
            let a = widened(site, a);
            let e = linalg(site, Linalg::Eigen, &[a]);
            narrowed::<K>(site, linalg(site, part, &[a, e]))
        }
        None => {
            let rank = if part == Linalg::Eigenvalues { 1 } else { 2 };
            site.trace
                .placeholder(&site.ty(K::ELEM, &vec![site.extents(a).first().copied().unwrap_or(1); rank]))
        }
    })
}

/// Q or R. A matrix of more columns than rows has the Q of its first columns, and the R of all is Qᵀ·A.
fn qr_part<K: RealKind>(site: Site<'_>, a: Value, orthonormal: bool) -> Value {
    let Some([m, n]) = matrix(site, a, "qr") else {
        return site.trace.placeholder(&site.ty(K::ELEM, &[0, 0]));
    };
    let a = widened(site, a);
    let first = if m < n { site.view(a, &[m, m], 0, &[n as i64, 1]) } else { a };
    let h = linalg(site, Linalg::Qr, &[first]);
    let q = || linalg(site, Linalg::QrQ, &[first, h]);
    if orthonormal {
        return narrowed::<K>(site, q());
    }
    let r = linalg(site, Linalg::QrR, &[first, h]);
    if m >= n {
        return narrowed::<K>(site, r);
    }
    let rest = site.view(a, &[m, n - m], m as i64, &[n as i64, 1]);
    let rest = contract(site, [q(), rest], [&[0, 1], &[0, 2]], &[2, 1]);
    let columns = site.pack(Elem::F64, &[site.permute(r, &[1, 0]), rest], &[n, m]);
    narrowed::<K>(site, site.permute(columns, &[1, 0]))
}
