//! Dense linear algebra: factorisations and solves of matrices of `f64`, by the crate `faer`.
//!
//! Matrices come and go row-major; what is done with them happens in scratch memory of one alignment and one layout,
//! columns behind each other. Copying costs less than the work, and makes the result depend on the numbers and not on
//! where they lie: vector code begins at aligned addresses. One thread does all of it. Products of large matrices pack
//! their operands into memory that the library keeps for each thread, from the first on; nothing else is allocated.
//!
//! | module | holds |
//! | --- | --- |
//! | `matrices` | moving matrices into scratch memory and out of it |
//! | `cholesky`, `lu`, `eigen`, `qr` | a factorisation each, and what is made of it |
//! | `triangular` | solving with a triangle of a matrix |
//!
//! **Invariant**: nothing panics, whatever the numbers. A matrix with a NaN or an infinity gives NaNs, as does one that
//! has no factorisation; what a singular one gives is said in each file.
//!
//! ```
//! use evolute_kernels::Dense;
//!
//! let mut scratch = Dense::Cholesky.scratch(2, 2);
//! let mut l = [0.0; 4];
//! Dense::Cholesky.run([&[4.0, 2.0, 2.0, 5.0], &[]], &mut l, &mut scratch, [2, 2]);
//! assert_eq!(l, [2.0, 0.0, 1.0, 2.0]);
//! ```

mod cholesky;
mod eigen;
mod lu;
mod matrices;
mod qr;
mod triangular;

use faer::dyn_stack::{MemStack, StackReq};
use std::mem::MaybeUninit;
use triangular::Side;

/// Scratch memory: its contents mean nothing between calls.
pub type Scratch = [MaybeUninit<f64>];

/// A function of dense linear algebra. A call gives it the extents `[m, n]` of its last operand.
#[repr(usize)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Dense {
    /// The Cholesky factor of the symmetric part of a matrix `[n, n]`; NaN where it is not positive definite.
    Cholesky,
    /// The solution of `T·X = B` with the lower triangle of T `[m, m]`, for B `[m, n]`.
    SolveLower,
    /// The same with the upper triangle.
    SolveUpper,
    /// The solution of `Tᵀ·X = B` with the lower triangle of T.
    SolveLowerTransposed,
    /// The same with the upper triangle.
    SolveUpperTransposed,
    /// The factorisation `P·A = L·U` of a matrix `[n, n]`, for the next functions: `[n + 1, n]`.
    Lu,
    /// The solution of `A·X = B` by the factorisation of A `[m, m]`, for B `[m, n]`.
    LuSolve,
    /// The solution of `Aᵀ·X = B`.
    LuSolveTransposed,
    /// The determinant, by the factorisation `[n + 1, n]` of A; 0 of a matrix found to be singular.
    Det,
    /// The logarithm of the determinant's magnitude, −∞ of a matrix found to be singular.
    LogDet,
    /// The determinant's sign: −1, 0 or 1.
    DetSign,
    /// The eigenvalues of the symmetric part of a matrix `[n, n]`, ascending, then a matrix of which each column is the
    /// eigenvector: `[n + 1, n]`.
    Eigen,
    /// Of A `[m, n]`, m ≥ n, the matrix Q `[m, n]` of orthonormal columns, then the upper triangle R `[n, n]`.
    Qr,
}

impl Dense {
    /// All of them, in the order of their numbers.
    pub const ALL: [Dense; 13] = [
        Dense::Cholesky,
        Dense::SolveLower,
        Dense::SolveUpper,
        Dense::SolveLowerTransposed,
        Dense::SolveUpperTransposed,
        Dense::Lu,
        Dense::LuSolve,
        Dense::LuSolveTransposed,
        Dense::Det,
        Dense::LogDet,
        Dense::DetSign,
        Dense::Eigen,
        Dense::Qr,
    ];

    /// How many numbers the operands and the result have.
    pub(crate) fn lens(self, [m, n]: [usize; 2]) -> ([usize; 2], usize) {
        match self {
            Dense::Cholesky => ([n * n, 0], n * n),
            Dense::SolveLower
            | Dense::SolveUpper
            | Dense::SolveLowerTransposed
            | Dense::SolveUpperTransposed => ([m * m, m * n], m * n),
            Dense::Lu | Dense::Eigen => ([n * n, 0], (n + 1) * n),
            Dense::LuSolve | Dense::LuSolveTransposed => ([(m + 1) * m, m * n], m * n),
            Dense::Det | Dense::LogDet | Dense::DetSign => ([(n + 1) * n, 0], 1),
            Dense::Qr => ([m * n, 0], (m + n) * n),
        }
    }

    /// How many numbers of scratch memory it needs.
    pub fn scratch_len(self, [m, n]: [usize; 2]) -> usize {
        let required = match self {
            _ if m * n == 0 => StackReq::EMPTY,
            Dense::Cholesky => cholesky::scratch(n),
            Dense::SolveLower
            | Dense::SolveUpper
            | Dense::SolveLowerTransposed
            | Dense::SolveUpperTransposed => triangular::scratch(m, n),
            Dense::Lu => lu::scratch(n),
            Dense::LuSolve | Dense::LuSolveTransposed => lu::solve_scratch(m, n),
            Dense::Det | Dense::LogDet | Dense::DetSign => StackReq::EMPTY,
            Dense::Eigen => eigen::scratch(n),
            Dense::Qr => qr::scratch(m, n),
        };
        required.unaligned_bytes_required().div_ceil(size_of::<f64>())
    }

    /// Scratch memory for a call.
    pub fn scratch(self, m: usize, n: usize) -> Vec<MaybeUninit<f64>> {
        vec![MaybeUninit::uninit(); self.scratch_len([m, n])]
    }

    /// Computes the result from the operands, of which the second is not looked at if the function takes one.
    ///
    /// Slices that are too short for the extents, or scratch memory that is, panic; of longer ones the start is used.
    pub fn run(self, [a, b]: [&[f64]; 2], result: &mut [f64], scratch: &mut Scratch, [m, n]: [usize; 2]) {
        let ([len_a, len_b], len) = self.lens([m, n]);
        let (a, b, result) = (&a[..len_a], &b[..len_b], &mut result[..len]);
        let stack = MemStack::new_any(scratch);
        match self {
            Dense::Det => result[0] = lu::det(a, n),
            Dense::LogDet => result[0] = lu::log_det(a, n),
            Dense::DetSign => result[0] = lu::det_sign(a, n),
            _ if m * n == 0 => {}
            Dense::Cholesky => cholesky::factorise(a, result, n, stack),
            Dense::SolveLower => triangular::solve(Side::Lower, a, b, result, [m, n], stack),
            Dense::SolveUpper => triangular::solve(Side::Upper, a, b, result, [m, n], stack),
            Dense::SolveLowerTransposed => {
                triangular::solve(Side::LowerTransposed, a, b, result, [m, n], stack);
            }
            Dense::SolveUpperTransposed => {
                triangular::solve(Side::UpperTransposed, a, b, result, [m, n], stack);
            }
            Dense::Lu => lu::factorise(a, result, n, stack),
            Dense::LuSolve => lu::solve(a, b, result, [m, n], stack),
            Dense::LuSolveTransposed => lu::solve_transposed(a, b, result, [m, n], stack),
            Dense::Eigen => eigen::factorise(a, result, n, stack),
            Dense::Qr => qr::factorise(a, result, [m, n], stack),
        }
    }
}
