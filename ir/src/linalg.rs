//! Dense linear algebra: instructions that a library runs, on matrices of `f64`.
//!
//! A *factorisation* (`lu`, `eigen`, `qr`) gives an array that only other instructions of this file read. It has no
//! tangent: what is made of a factorisation takes the matrix itself beside it, and its derivative flows through that. So
//! there is one factorisation however many derivatives are taken, and all of them share it. The factor of `cholesky`
//! is its own result.
//!
//! | instruction | operands | result |
//! | --- | --- | --- |
//! | `cholesky` | A `[n, n]` | L `[n, n]`, lower: A = L·Lᵀ |
//! | `solve_lower`, `solve_upper`, each also `_transposed` | T `[n, n]`, B `[n, k]` | X: T·X = B or Tᵀ·X = B |
//! | `lu` | A `[n, n]` | F `[n + 1, n]` |
//! | `lu_solve`, `lu_solve_transposed` | A, F, B `[n, k]` | X: A·X = B or Aᵀ·X = B |
//! | `det`, `log_det` | A, F | the determinant; the logarithm of its magnitude |
//! | `det_sign` | F | −1, 0 or 1 |
//! | `eigen` | A `[n, n]` | E `[n + 1, n]` |
//! | `eigenvalues`, `eigenvectors` | A, E | `[n]`, ascending; `[n, n]`, a column each |
//! | `qr` | A `[m, n]`, m ≥ n | H `[m + n, n]` |
//! | `qr_q`, `qr_r` | A, H | `[m, n]`, `[n, n]`: A = Q·R |
//!
//! `cholesky` and `eigen` take the symmetric part (A + Aᵀ)/2 of their operand; a triangular solve reads its triangle
//! only. What a matrix gives that has no factorisation is said in `evolute_kernels`; nothing fails.

use std::ops::Range;

/// An instruction of dense linear algebra. See the [module](mod@crate::linalg).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Linalg {
    /// `cholesky A`.
    Cholesky,
    /// `solve_lower T, B` and its kin.
    SolveTriangular {
        /// Which triangle is read.
        upper: bool,
        /// Whether the transpose is solved with.
        transposed: bool,
    },
    /// `lu A`.
    Lu,
    /// `lu_solve A, F, B`.
    LuSolve {
        /// Whether the transpose is solved with.
        transposed: bool,
    },
    /// `det A, F`.
    Det,
    /// `log_det A, F`.
    LogDet,
    /// `det_sign F`.
    DetSign,
    /// `eigen A`.
    Eigen,
    /// `eigenvalues A, E`.
    Eigenvalues,
    /// `eigenvectors A, E`.
    Eigenvectors,
    /// `qr A`.
    Qr,
    /// `qr_q A, H`.
    QrQ,
    /// `qr_r A, H`.
    QrR,
}

impl Linalg {
    /// All of them.
    pub const ALL: [Linalg; 17] = [
        Linalg::Cholesky,
        Linalg::SolveTriangular { upper: false, transposed: false },
        Linalg::SolveTriangular { upper: true, transposed: false },
        Linalg::SolveTriangular { upper: false, transposed: true },
        Linalg::SolveTriangular { upper: true, transposed: true },
        Linalg::Lu,
        Linalg::LuSolve { transposed: false },
        Linalg::LuSolve { transposed: true },
        Linalg::Det,
        Linalg::LogDet,
        Linalg::DetSign,
        Linalg::Eigen,
        Linalg::Eigenvalues,
        Linalg::Eigenvectors,
        Linalg::Qr,
        Linalg::QrQ,
        Linalg::QrR,
    ];

    /// The name in the text form.
    pub const fn name(self) -> &'static str {
        match self {
            Linalg::Cholesky => "cholesky",
            Linalg::SolveTriangular { upper: false, transposed: false } => "solve_lower",
            Linalg::SolveTriangular { upper: true, transposed: false } => "solve_upper",
            Linalg::SolveTriangular { upper: false, transposed: true } => "solve_lower_transposed",
            Linalg::SolveTriangular { upper: true, transposed: true } => "solve_upper_transposed",
            Linalg::Lu => "lu",
            Linalg::LuSolve { transposed: false } => "lu_solve",
            Linalg::LuSolve { transposed: true } => "lu_solve_transposed",
            Linalg::Det => "det",
            Linalg::LogDet => "log_det",
            Linalg::DetSign => "det_sign",
            Linalg::Eigen => "eigen",
            Linalg::Eigenvalues => "eigenvalues",
            Linalg::Eigenvectors => "eigenvectors",
            Linalg::Qr => "qr",
            Linalg::QrQ => "qr_q",
            Linalg::QrR => "qr_r",
        }
    }

    /// The instruction of this name.
    pub fn from_name(name: &str) -> Option<Linalg> {
        Linalg::ALL.into_iter().find(|linalg| linalg.name() == name)
    }

    /// The number of operands.
    pub const fn arity(self) -> usize {
        match self {
            Linalg::Cholesky | Linalg::Lu | Linalg::DetSign | Linalg::Eigen | Linalg::Qr => 1,
            Linalg::SolveTriangular { .. }
            | Linalg::Det
            | Linalg::LogDet
            | Linalg::Eigenvalues
            | Linalg::Eigenvectors
            | Linalg::QrQ
            | Linalg::QrR => 2,
            Linalg::LuSolve { .. } => 3,
        }
    }

    /// The operands that are read: a matrix beside its factorisation is there for the derivative.
    pub const fn read(self) -> Range<usize> {
        match self {
            Linalg::Cholesky | Linalg::Lu | Linalg::DetSign | Linalg::Eigen | Linalg::Qr => 0..1,
            Linalg::SolveTriangular { .. } => 0..2,
            Linalg::Det
            | Linalg::LogDet
            | Linalg::Eigenvalues
            | Linalg::Eigenvectors
            | Linalg::QrQ
            | Linalg::QrR => 1..2,
            Linalg::LuSolve { .. } => 1..3,
        }
    }

    /// Whether the result is a part of a factorisation as that lies there.
    pub const fn is_part(self) -> bool {
        match self.run() {
            Run::Library(_) => false,
            Run::FirstRows | Run::LastRows => true,
        }
    }

    /// The extents of its operands.
    pub(crate) const fn expected(self) -> &'static str {
        match self {
            Linalg::Cholesky | Linalg::Lu | Linalg::Eigen => "a matrix [n, n]",
            Linalg::SolveTriangular { .. } => "matrices [n, n] and [n, k]",
            Linalg::LuSolve { .. } => "matrices [n, n], [n + 1, n] and [n, k]",
            Linalg::DetSign => "a factorisation [n + 1, n]",
            Linalg::Det | Linalg::LogDet | Linalg::Eigenvalues | Linalg::Eigenvectors => {
                "matrices [n, n] and [n + 1, n]"
            }
            Linalg::Qr => "a matrix [m, n] of no more columns than rows",
            Linalg::QrQ | Linalg::QrR => "matrices [m, n] and [m + n, n]",
        }
    }

    /// What runs it.
    pub const fn run(self) -> Run {
        use evolute_kernels::Dense;
        match self {
            Linalg::Cholesky => Run::Library(Dense::Cholesky),
            Linalg::SolveTriangular { upper: false, transposed: false } => Run::Library(Dense::SolveLower),
            Linalg::SolveTriangular { upper: true, transposed: false } => Run::Library(Dense::SolveUpper),
            Linalg::SolveTriangular { upper: false, transposed: true } => {
                Run::Library(Dense::SolveLowerTransposed)
            }
            Linalg::SolveTriangular { upper: true, transposed: true } => {
                Run::Library(Dense::SolveUpperTransposed)
            }
            Linalg::Lu => Run::Library(Dense::Lu),
            Linalg::LuSolve { transposed: false } => Run::Library(Dense::LuSolve),
            Linalg::LuSolve { transposed: true } => Run::Library(Dense::LuSolveTransposed),
            Linalg::Det => Run::Library(Dense::Det),
            Linalg::LogDet => Run::Library(Dense::LogDet),
            Linalg::DetSign => Run::Library(Dense::DetSign),
            Linalg::Eigen => Run::Library(Dense::Eigen),
            Linalg::Qr => Run::Library(Dense::Qr),
            Linalg::Eigenvalues | Linalg::QrQ => Run::FirstRows,
            Linalg::Eigenvectors | Linalg::QrR => Run::LastRows,
        }
    }
}

/// How an instruction of linear algebra is run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Run {
    /// By a function of the library, on the operands that it reads.
    Library(evolute_kernels::Dense),
    /// The result is the first elements of the factorisation.
    FirstRows,
    /// The result is the last elements of the factorisation.
    LastRows,
}
