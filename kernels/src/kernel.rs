//! The table of kernels: one row a function, from which everything else is expanded.
//!
//! A row gives the enum variant, the Rust function, the signature and the documentation of the
//! function with its error bound. [`for_each_kernel!`] hands all rows to a macro of the caller, so
//! the enum below, the code pointers of `table.rs`, the plain functions of `functions.rs` and the
//! lists of other crates cannot disagree. The order of the rows is the order of the code pointers
//! that native code indexes; it is part of the ABI of cached native code.

/// Hands the rows `Variant function Signature "documentation";` of all kernels to the macro `$then`.
#[macro_export]
macro_rules! for_each_kernel {
    ($then:ident) => {
        $then! {
            Exp       exp         Unary    "`e^x`, at most 1 ulp.";
            Exp2      exp2        Unary    "`2^x`, at most 2 ulp; exact for integers.";
            Expm1     expm1       Unary    "`e^x - 1`, at most 2 ulp, without cancellation near 0.";
            Ln        ln          Unary    "Natural logarithm, at most 1 ulp. `ln(±0) = -inf`, NaN below 0.";
            Log2      log2        Unary    "Logarithm to base 2, at most 2 ulp; exact for powers of two.";
            Log10     log10       Unary    "Logarithm to base 10, at most 2 ulp; exact for powers of ten.";
            Log1p     log1p       Unary    "`ln(1 + x)`, at most 2 ulp, without cancellation near 0.";
            Sin       sin         Unary    "Sine, at most 1 ulp for every finite argument.";
            Cos       cos         Unary    "Cosine, at most 1 ulp for every finite argument.";
            Tan       tan         Unary    "Tangent, at most 2 ulp for every finite argument.";
            Asin      asin        Unary    "Arc sine in `[-π/2, π/2]`, at most 2 ulp; NaN outside `[-1, 1]`.";
            Acos      acos        Unary    "Arc cosine in `[0, π]`, at most 2 ulp; NaN outside `[-1, 1]`.";
            Atan      atan        Unary    "Arc tangent in `[-π/2, π/2]`, at most 2 ulp.";
            Sinh      sinh        Unary    "Hyperbolic sine, at most 2 ulp.";
            Cosh      cosh        Unary    "Hyperbolic cosine, at most 2 ulp.";
            Tanh      tanh        Unary    "Hyperbolic tangent, at most 2 ulp.";
            Asinh     asinh       Unary    "Inverse hyperbolic sine, at most 2 ulp.";
            Acosh     acosh       Unary    "Inverse hyperbolic cosine, at most 2 ulp; NaN below 1.";
            Atanh     atanh       Unary    "Inverse hyperbolic tangent, at most 2 ulp; NaN outside `[-1, 1]`.";
            Cbrt      cbrt        Unary    "Cube root, at most 1 ulp.";
            Erf       erf         Unary    "Error function, at most 2 ulp.";
            Erfc      erfc        Unary    "`1 - erf(x)`, at most 2 ulp, without cancellation.";
            Gaussian  gaussian    Unary    "`e^(-x²)`, at most 2 ulp: the rounding of `x²` does not enter.";
            LnGamma   ln_gamma    Unary    "`ln |Γ(x)|`, at most 4 ulp; for negative `x` at most 4 ulp of 1 near the roots; `+inf` at the poles.";
            Digamma   digamma     Unary    "`ψ(x) = Γ'(x)/Γ(x)`, at most 16 ulp, absolute error `2e-15` near the roots; NaN at the poles.";
            Sigmoid   sigmoid     Unary    "`1 / (1 + e^-x)`, at most 2 ulp.";
            Softplus  softplus    Unary    "`ln(1 + e^x)`, at most 2 ulp.";
            Atan2     atan2       Binary   "Angle of the point `(x, y)`, arguments in the order `(y, x)`, at most 2 ulp.";
            Pow       pow         Binary   "`x^y`, at most 1 ulp, special cases as `f64::powf`.";
            Hypot     hypot       Binary   "`sqrt(x² + y²)` without overflow, at most 1 ulp.";
            Rem       rem         Binary   "Remainder of the truncated division with the sign of the dividend, exact.";
            LogAddExp log_add_exp Binary   "`ln(e^x + e^y)` without overflow, at most 2 ulp away from its roots.";
            MulAdd    mul_add     Ternary  "`x * y + z` with one rounding, also without hardware for it.";
            Powi      powi        UnaryInt "`x^n`, at most 2 ulp; `n` in 1, 2, 3, -1 are `x`, `x*x`, `(x*x)*x`, `1/x`.";
            Polygamma polygamma   UnaryInt "Derivative of order `k` of digamma, given as `(x, k)`, at most 16 ulp for `k <= 4096` away from its roots; NaN at the poles and for `k < 0`.";
        }
    };
}

/// The type of a kernel.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Signature {
    /// `f64 -> f64`.
    Unary,
    /// `(f64, f64) -> f64`.
    Binary,
    /// `(f64, f64, f64) -> f64`.
    Ternary,
    /// `(f64, i64) -> f64`.
    UnaryInt,
}

macro_rules! define_kernel {
    ($($variant:ident $name:ident $signature:ident $doc:literal;)*) => {
        /// A function of this crate; as a number, its place in a [`Table`](crate::Table).
        #[repr(usize)]
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Kernel {
            $(#[doc = $doc] $variant,)*
        }

        impl Kernel {
            /// All kernels in the order of their numbers.
            pub const ALL: [Kernel; Kernel::COUNT] = [$(Kernel::$variant),*];
            /// The number of kernels.
            pub const COUNT: usize = [$(Kernel::$variant),*].len();

            /// The name of the Rust function of this crate that computes the kernel.
            pub fn name(self) -> &'static str {
                match self {
                    $(Kernel::$variant => stringify!($name),)*
                }
            }

            /// What the kernel takes and returns.
            pub fn signature(self) -> Signature {
                match self {
                    $(Kernel::$variant => Signature::$signature,)*
                }
            }
        }
    };
}

for_each_kernel!(define_kernel);
