//! How a linear system is solved whose matrix is known by its products with vectors.

use std::fmt;

/// An iterative method.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Method {
    /// Conjugate gradients: the matrix is symmetric and positive definite (Hestenes and Stiefel, 1952). A negative
    /// definite one is as good.
    ConjugateGradient,
    /// Minimal residuals of a general matrix, restarted: the adaptive simpler GMRES of Jiránek and Rozložník
    /// (Numerical Algorithms 53, 2010). It takes no transposed products.
    Gmres,
}

impl Method {
    /// Every method.
    pub const ALL: [Method; 2] = [Method::ConjugateGradient, Method::Gmres];

    /// The name in the text form.
    pub const fn name(self) -> &'static str {
        match self {
            Method::ConjugateGradient => "conjugate_gradient",
            Method::Gmres => "gmres",
        }
    }

    /// The method of this name.
    pub fn from_name(name: &str) -> Option<Method> {
        Method::ALL.into_iter().find(|method| method.name() == name)
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
/// which no solution of a singular system is. A tolerance below what the numbers can resolve is raised to that. If `max_iterations` do not suffice, that is an error of the call.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Solver {
    /// The method.
    pub method: Method,
    /// The bits of the tolerance, so that equality is identity.
    tolerance: u64,
    /// The most products with the matrix, about.
    pub max_iterations: u32,
}

impl Solver {
    /// Minimal residuals, for any matrix: to a tolerance of 1e-14 within 1000 products.
    pub fn gmres() -> Solver {
        Solver::new(Method::Gmres, 1e-14, 1000)
    }

    /// Conjugate gradients, for a symmetric positive definite matrix: to a tolerance of 1e-14 within 1000 products.
    pub fn conjugate_gradient() -> Solver {
        Solver::new(Method::ConjugateGradient, 1e-14, 1000)
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
