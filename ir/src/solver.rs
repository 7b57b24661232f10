//! How a linear system is solved whose matrix is known by its products with vectors.

use std::fmt;

/// A method of solving.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Method {
    /// [`Dense`](Method::Dense) for at most [`FEW`](Method::FEW) unknowns, [`Gmres`](Method::Gmres) for more. For fewer
    /// than 8 it is exactness that speaks for a factorisation, from there on speed too, up to well past the limit: which
    /// is lower for products that cost more than a matrix's (`benches/solve.rs`).
    Automatic,
    /// The matrix is formed, by as many products as there are unknowns, and factorised with partial pivoting. It is
    /// exact but for rounding, and an error of the call if the matrix is singular. Tolerance and limit do not matter.
    Dense,
    /// Conjugate gradients: the matrix is symmetric and positive definite (Hestenes and Stiefel, 1952). A negative
    /// definite one is as good.
    ConjugateGradient,
    /// Minimal residuals of a general matrix, restarted: the adaptive simpler GMRES of Jiránek and Rozložník
    /// (Numerical Algorithms 53, 2010). It takes no transposed products.
    Gmres,
    /// The solution is what the user's inverse gives, if it is one: if its residual is small.
    Given,
}

/// Whether a method takes an inverse of the user's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Taken {
    /// It has no use for one.
    Never,
    /// It is preconditioned by one.
    Optionally,
    /// It is nothing without.
    Always,
}

impl Method {
    /// Every method.
    pub const ALL: [Method; 5] =
        [Method::Automatic, Method::Dense, Method::ConjugateGradient, Method::Gmres, Method::Given];

    /// The most unknowns for which [`Automatic`](Method::Automatic) forms the matrix.
    pub const FEW: usize = 32;

    /// The name in the text form.
    pub const fn name(self) -> &'static str {
        match self {
            Method::Automatic => "automatic",
            Method::Dense => "dense",
            Method::ConjugateGradient => "conjugate_gradient",
            Method::Gmres => "gmres",
            Method::Given => "given",
        }
    }

    /// The method of this name.
    pub fn from_name(name: &str) -> Option<Method> {
        Method::ALL.into_iter().find(|method| method.name() == name)
    }

    /// Whether it takes an inverse of the user's: an approximation that preconditions its iterations, or the solution.
    pub const fn takes_inverse(self) -> Taken {
        match self {
            Method::Automatic | Method::Dense => Taken::Never,
            Method::ConjugateGradient | Method::Gmres => Taken::Optionally,
            Method::Given => Taken::Always,
        }
    }

    /// Whether the matrix is its own transpose.
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Method::ConjugateGradient)
    }
}

/// A method, how exact its solution is to be, and how long it may take.
///
/// ```
/// use evolute_ir::{Method, Solver};
///
/// let solver = Solver::gmres().to_tolerance(1e-10).within(50);
/// assert_eq!(solver, Solver::new(Method::Gmres, 1e-10, 50));
/// ```
///
/// A solution is accepted if its residual is small: `‖b − A x‖ ≤ tolerance · (‖A‖ ‖x‖ + ‖b‖)`, which is the exact
/// solution of a system whose coefficients differ by `tolerance` (Rigal and Gaches, 1967), and at most a tenth of `‖b‖`,
/// which no solution of a singular system is. Of a solution that is [`Given`](Method::Given) nothing is known but itself:
/// it is accepted if `‖b − A x‖ ≤ tolerance · ‖b‖`, and the limit does not matter. A tolerance below what the numbers can
/// resolve is raised to that. If `max_iterations` do not suffice, that is an error of the call.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Solver {
    /// The method.
    pub method: Method,
    /// The bits of the tolerance, so that equality is identity.
    tolerance: u64,
    /// The most products with the matrix, about.
    pub max_iterations: u32,
}

/// The matrix is formed and factorised if it is small; else minimal residuals.
impl Default for Solver {
    fn default() -> Self {
        Solver::new(Method::Automatic, 1e-14, 1000)
    }
}

impl Solver {
    /// Factorisation of the matrix, which is formed: `n` products, memory for `n²` numbers, `2n³/3` operations.
    pub fn dense() -> Solver {
        Solver::new(Method::Dense, 1e-14, 1000)
    }

    /// Minimal residuals, for any matrix: to a tolerance of 1e-14 within 1000 products.
    pub fn gmres() -> Solver {
        Solver::new(Method::Gmres, 1e-14, 1000)
    }

    /// Conjugate gradients, for a symmetric positive definite matrix: to a tolerance of 1e-14 within 1000 products.
    pub fn conjugate_gradient() -> Solver {
        Solver::new(Method::ConjugateGradient, 1e-14, 1000)
    }

    /// The user's inverse, whose residual `‖b − A x‖` may be 1e-8 times as large as `‖b‖`.
    pub fn given() -> Solver {
        Solver::new(Method::Given, 1e-8, 1)
    }

    /// The same method with another tolerance.
    pub fn to_tolerance(self, tolerance: f64) -> Solver {
        Solver::new(self.method, tolerance, self.max_iterations)
    }

    /// The same method with at most so many products.
    pub fn within(self, max_iterations: u32) -> Solver {
        Solver { max_iterations, ..self }
    }

    /// A solver of this method; a tolerance that is not a number is 0.
    pub fn new(method: Method, tolerance: f64, max_iterations: u32) -> Solver {
        Solver { method, tolerance: tolerance.max(0.0).to_bits(), max_iterations }
    }

    /// How large a residual may be, relative to the data.
    pub fn tolerance(self) -> f64 {
        f64::from_bits(self.tolerance)
    }
}

/// `by gmres 1e-12 within 200`.
impl fmt::Display for Solver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "by {} {:?} within {}", self.method.name(), self.tolerance(), self.max_iterations)
    }
}
