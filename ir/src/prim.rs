//! THE table of pointwise primitives: one row each, and nothing about a primitive anywhere else.
//!
//! A row reads
//!
//! ```text
//! Variant name (operand: Class, …) -> r: Class, { kind (evaluation) native; … }, [partial] …, domain, "doc";
//! ```
//!
//! - **Class**: `R` real, `N` number (real or `i64`), `I` an `i64`, `B` a `bool`, `A` any. All operands
//!   of classes `R`, `N` and `A`, and a result of these classes, have one element kind.
//! - **kind**: on which elements the row acts and how. `real`, `int` and `bool` give the reference
//!   evaluation as a Rust expression and name the function of `codegen::inline` that emits it;
//!   `kernel` names a function of `evolute-kernels`, which the interpreter and native code both call
//!   (on `f32` it is the `f64` kernel, rounded).
//! - **partial**: one per operand, over operands and result, in the language of [`Expr`](crate::Expr):
//!   `1`, `-1` and `0` are kept symbolic, `when(c)` passes the tangent where `c` holds, anything else
//!   multiplies it; `/ d` behind them divides the sum, `d` being an operand or the result. The form
//!   is the one that stays accurate when it is differentiated again.
//! - **domain**: per operand, an interval in which the row is smooth; tests draw from it.
//! - **doc**: the meaning and the conventions at kinks and edges. The first line is the summary.
//!
//! Every crate expands [`for_each_prim!`](crate::for_each_prim) for its own columns: here the enum,
//! the interpreter and the partials, in `codegen` the emitters, in `frontend` the methods of traced
//! values. To add a primitive, add its row (and its kernel or emitter): the rest follows.

use crate::types::Elem;

/// Hands THE table to the macro named.
#[macro_export]
macro_rules! for_each_prim {
    ($callback:ident) => {
        $callback! {
// ── arithmetic ──────────────────────────────────────────────────────────────────────────────────
Add add (x: N, y: N) -> r: N, { real (x + y) fadd; int (x.wrapping_add(y)) iadd }, [1] [1], [-9.0..9.0, -9.0..9.0],
    "`x + y`; integers wrap.";
Sub sub (x: N, y: N) -> r: N, { real (x - y) fsub; int (x.wrapping_sub(y)) isub }, [1] [-1], [-9.0..9.0, -9.0..9.0],
    "`x - y`; integers wrap.";
Mul mul (x: N, y: N) -> r: N, { real (x * y) fmul; int (x.wrapping_mul(y)) imul }, [y] [x], [-9.0..9.0, -9.0..9.0],
    "`x · y`; integers wrap.";
Div div (x: N, y: N) -> r: N, { real (x / y) fdiv; int (x.wrapping_div(y)) sdiv }, [1] [-r] / y, [-9.0..9.0, 0.5..9.0],
    "`x / y`. Integers round towards zero; dividing one by zero, or `i64::MIN` by −1, is an error of the call. \
     `(ẋ − r·ẏ)/y` divides once, and last: what overflows then is infinite, not the difference of infinities. \
     Reverse mode is its transpose, so `ȳ = −(z̄·r)/y` wants `y·ȳ` in the range of numbers.";
Neg neg (x: N) -> r: N, { real (-x) fneg; int (x.wrapping_neg()) ineg }, [-1], [-9.0..9.0],
    "`-x`; integers wrap.";
Recip recip (x: R) -> r: R, { real (1.0 / x) recip }, [-(r * r)], [0.5..9.0],
    "`1 / x`.";
MulAdd mul_add (x: R, y: R, z: R) -> r: R, { real (fused(x, y, z)) mul_add }, [y] [x] [1], [-9.0..9.0, -9.0..9.0, -9.0..9.0],
    "`x·y + z` with one rounding.";
Rem rem (x: N, y: N) -> r: N, { kernel (x, y) Rem; int (x.wrapping_rem(y)) srem }, [1] [-((x - r) / y).round()], [5.1..5.9, 2.1..2.4],
    "The remainder of `x / y` with the sign of `x`. Jumps at multiples of `y`, where the derivatives are those of the \
     piece computed: its quotient is that of `x − r`, as `x / y` may round up to the next. Integers as for `div`.";
// ── magnitude, sign, rounding ───────────────────────────────────────────────────────────────────
Abs abs (x: N) -> r: N, { real (x.abs()) fabs; int (x.wrapping_abs()) iabs }, [x.sign()], [0.5..9.0],
    "`|x|`, with derivative 0 at 0; integers wrap.";
Sign sign (x: R) -> r: R, { real (sign(x)) sign }, [0], [0.5..9.0],
    "−1, 0 or 1; the sign of a zero is that zero, of a NaN a NaN. The derivative is 0 everywhere.";
Copysign copysign (x: R, y: R) -> r: R, { real (x.copysign(y)) fcopysign }, [x.lit(1.0).copysign(x) * x.lit(1.0).copysign(y)] [0], [0.5..9.0, 0.5..9.0],
    "`|x|` with the sign bit of `y`.";
Min min (x: N, y: N) -> r: N, { real (minimum(x, y)) fmin; int (x.min(y)) smin }, [when(x.le(y).or(x.ne(x)))] [when(x.le(y).or(x.ne(x)).not())], [-9.0..-1.0, 1.0..9.0],
    "The smaller; a NaN wins, −0 < +0. At a tie the derivative is that of `x`, else that of the operand that wins.";
Max max (x: N, y: N) -> r: N, { real (maximum(x, y)) fmax; int (x.max(y)) smax }, [when(x.ge(y).or(x.ne(x)))] [when(x.ge(y).or(x.ne(x)).not())], [-9.0..-1.0, 1.0..9.0],
    "The larger; a NaN wins, −0 < +0. At a tie the derivative is that of `x`, else that of the operand that wins.";
Relu relu (x: R) -> r: R, { real (relu(x)) relu }, [when(x.le(x.lit(0.0)).not())], [0.5..9.0],
    "`max(x, 0)`, with derivative 0 at 0; a NaN gives a NaN and passes its derivative on.";
Floor floor (x: R) -> r: R, { real (x.floor()) floor }, [0], [0.1..0.9],
    "The largest integer ≤ `x`; derivative 0 everywhere.";
Ceil ceil (x: R) -> r: R, { real (x.ceil()) ceil }, [0], [0.1..0.9],
    "The smallest integer ≥ `x`; derivative 0 everywhere.";
Round round (x: R) -> r: R, { real (x.round()) round }, [0], [0.1..0.4],
    "The nearest integer, halves away from zero; derivative 0 everywhere.";
Trunc trunc (x: R) -> r: R, { real (x.trunc()) trunc }, [0], [0.1..0.9],
    "The integer part; derivative 0 everywhere.";
Rescale rescale (x: R) -> r: R, { real (x.rescale()) rescale }, [0], [0.5..0.9],
    "A power of two `s` with `1 ≤ s·|x| < 2` as far as the exponent range allows; finite for every `x`. For formulas \
     whose value does not depend on it but whose range does, so its derivative is 0 everywhere.";
StopGradient stop_gradient (x: A) -> r: A, { real (x) identity; int (x) identity; bool (x) identity }, [0], [-9.0..9.0],
    "`x`, treated as a constant by every derivative.";
WithSlope with_slope (v: R, k: R, x: R) -> r: R, { real (first(v, k, x)) first }, [0] [0] [k], [0.5..9.0, 0.5..9.0, 0.5..9.0],
    "`v`, as a function of `x` with derivative `k`: states a derivative that is known better than that of the formula \
     for the value. `v` and `k` are constants of this derivative, and `k` is differentiated for the next.";
// ── powers and roots ────────────────────────────────────────────────────────────────────────────
Sqrt sqrt (x: R) -> r: R, { real (x.sqrt()) sqrt }, [x.lit(0.5)] / r, [0.5..9.0],
    "The square root; NaN below 0; derivative +∞ at 0.";
Cbrt cbrt (x: R) -> r: R, { kernel (x) Cbrt }, [cube_root_slope(r)], [0.5..9.0],
    "The cube root; derivative +∞ at 0. The partial `1/(3r²)` states its slope by powers of `1/r`, whose derivatives of \
     each order are terms of one sign: what overflows is infinite, not the difference of infinities.";
Powf powf (x: R, y: R) -> r: R, { kernel (x, y) Pow },
    [power_slope(x, y)]
    [pick(at_root(x, y), x.lit(0.0), r * x.ln())], [0.5..3.0, -3.0..3.0],
    "`x` to the power `y`, as C's `pow`: `x⁰` is 1 for every `x`. The derivative in `x` is the finite limit at \
     `x = 0`, and 0 for `y = 0`. At `x = 0` and `y ≥ 0` the exponent is a constant: every derivative in `y`, also \
     mixed with `x`, is 0, which is its limit where that is finite. For `x < 0` those in `y` are NaN. Each derivative in \
     `x` is a factor times a power, and infinite where the power alone is, however small the factor.";
Powi powi (x: R, n: I) -> r: R, { kernel (x, n) Powi },
    [pick(n.is(0), x.lit(0.0), n.to_real_of(x) * x.powi(n.plus(-1)))] [0], [0.5..3.0, 2.0..3.0],
    "`x` to the integer power `n`; `x⁰` is 1 for every `x`, with derivative 0.";
Hypot hypot (x: R, y: R) -> r: R, { kernel (x, y) Hypot },
    [direction(x, y).0] [direction(x, y).1], [0.5..9.0, 0.5..9.0],
    "`√(x² + y²)` without overflow; gradient 0 at the origin. The partials are computed from the rescaled point alone, \
     so that derivatives overflow only where they are too large.";
// ── exponentials and logarithms ─────────────────────────────────────────────────────────────────
Exp exp (x: R) -> r: R, { kernel (x) Exp }, [r], [-3.0..3.0],
    "`eˣ`.";
Exp2 exp2 (x: R) -> r: R, { kernel (x) Exp2 }, [(x - 1.0).exp2() * (2.0 * std::f64::consts::LN_2)], [-3.0..3.0],
    "`2ˣ`. The partial is taken at `x − 1`, so that it is finite wherever the derivative is.";
Expm1 expm1 (x: R) -> r: R, { kernel (x) Expm1 }, [x.exp()], [-3.0..3.0],
    "`eˣ − 1`, accurate near 0. The partial is `eˣ`, not `r + 1`, which cancels for negative `x`.";
Ln ln (x: R) -> r: R, { kernel (x) Ln }, [over(1.0, x, x.ge(x.lit(0.0)))], [0.5..9.0],
    "The natural logarithm; −∞ at 0, NaN below in every order.";
Log2 log2 (x: R) -> r: R, { kernel (x) Log2 }, [over(std::f64::consts::LOG2_E, x, x.ge(x.lit(0.0)))], [0.5..9.0],
    "The logarithm to base 2; −∞ at 0, NaN below in every order.";
Log10 log10 (x: R) -> r: R, { kernel (x) Log10 }, [over(std::f64::consts::LOG10_E, x, x.ge(x.lit(0.0)))], [0.5..9.0],
    "The logarithm to base 10; −∞ at 0, NaN below in every order.";
Log1p log1p (x: R) -> r: R, { kernel (x) Log1p }, [over(1.0, x + 1.0, x.ge(x.lit(-1.0)))], [-0.5..9.0],
    "`ln(1 + x)`, accurate near 0; −∞ at −1, NaN below in every order.";
LogAddExp logaddexp (x: R, y: R) -> r: R, { kernel (x, y) LogAddExp }, [(x - y).sigmoid()] [(y - x).sigmoid()], [-3.0..3.0, -3.0..3.0],
    "`ln(eˣ + eʸ)` without overflow.";
// ── trigonometric and hyperbolic ────────────────────────────────────────────────────────────────
Sin sin (x: R) -> r: R, { kernel (x) Sin }, [x.cos()], [-3.0..3.0],
    "The sine of `x` radians.";
Cos cos (x: R) -> r: R, { kernel (x) Cos }, [-x.sin()], [-3.0..3.0],
    "The cosine of `x` radians.";
Tan tan (x: R) -> r: R, { kernel (x) Tan }, [1.0 + r * r], [-1.2..1.2],
    "The tangent of `x` radians.";
Asin asin (x: R) -> r: R, { kernel (x) Asin }, [(-x).mul_add(x, x.lit(1.0)).sqrt().recip()], [-0.9..0.9],
    "The arc sine in radians; NaN outside [−1, 1], derivative +∞ at ±1. The fused `1 − x·x` neither cancels at 1 nor \
     loses its own derivative at 0.";
Acos acos (x: R) -> r: R, { kernel (x) Acos }, [-(-x).mul_add(x, x.lit(1.0)).sqrt().recip()], [-0.9..0.9],
    "The arc cosine in radians; NaN outside [−1, 1], derivative −∞ at ±1.";
Atan atan (x: R) -> r: R, { kernel (x) Atan }, [rotation(x, x.lit(1.0)).0], [-3.0..3.0],
    "The arc tangent in radians. The partial `1/(1 + x²)` is rescaled against overflow, as that of `atan2`.";
Atan2 atan2 (y: R, x: R) -> r: R, { kernel (y, x) Atan2 }, [rotation(y, x).0] [rotation(y, x).1], [0.5..3.0, 0.5..3.0],
    "The angle of the point (`x`, `y`) in radians, in [−π, π]. The partials `x/(x² + y²)` and `-y/(x² + y²)` are \
     rescaled against overflow; NaN at the origin.";
Sinh sinh (x: R) -> r: R, { kernel (x) Sinh }, [x.cosh()], [-3.0..3.0],
    "The hyperbolic sine.";
Cosh cosh (x: R) -> r: R, { kernel (x) Cosh }, [x.sinh()], [-3.0..3.0],
    "The hyperbolic cosine.";
Tanh tanh (x: R) -> r: R, { kernel (x) Tanh }, [(1.0 - r) * (1.0 + r)], [-3.0..3.0],
    "The hyperbolic tangent. `(1 − r)(1 + r)` costs two additions and keeps an absolute error of one rounding of 1 where \
     the function saturates, not a relative one: from |`x`| = 20 on, where `r` is ±1, derivatives of every order are 0, \
     not about `4e^(−2|x|)`. Another exponential would give that; `2·sigmoid(2x) − 1` has it, where the tail counts.";
Asinh asinh (x: R) -> r: R, { kernel (x) Asinh }, [x.hypot(x.lit(1.0)).recip()], [-3.0..3.0],
    "The inverse hyperbolic sine.";
Acosh acosh (x: R) -> r: R, { kernel (x) Acosh }, [(x - 1.0).sqrt().recip() * (x + 1.0).sqrt().recip()], [1.5..9.0],
    "The inverse hyperbolic cosine; NaN below 1, derivative +∞ at 1. The two roots are separate so that no `x²` \
     overflows and every order has its limit at 1.";
Atanh atanh (x: R) -> r: R, { kernel (x) Atanh }, [(x * within_one(x, -1.0)).mul_add(x, x.lit(1.0)).recip()], [-0.9..0.9],
    "The inverse hyperbolic tangent; NaN outside [−1, 1] in every order, ±∞ at ±1.";
// ── special functions ───────────────────────────────────────────────────────────────────────────
Erf erf (x: R) -> r: R, { kernel (x) Erf }, [x.gaussian() * std::f64::consts::FRAC_2_SQRT_PI], [-2.0..2.0],
    "The error function.";
Erfc erfc (x: R) -> r: R, { kernel (x) Erfc }, [x.gaussian() * -std::f64::consts::FRAC_2_SQRT_PI], [-2.0..2.0],
    "The complementary error function `1 − erf(x)`, accurate in its tail.";
Gaussian gaussian (x: R) -> r: R, { kernel (x) Gaussian }, [(x * -2.0) * r], [-2.0..2.0],
    "`exp(−x²)` to full relative accuracy in its tail, where rounding `x²` first would lose it.";
LnGamma ln_gamma (x: R) -> r: R, { kernel (x) LnGamma }, [x.digamma()], [0.5..9.0],
    "`ln |Γ(x)|`; +∞ at 0, −1, −2, …";
Digamma digamma (x: R) -> r: R, { kernel (x) Digamma }, [x.polygamma(x.int(1))], [0.5..9.0],
    "The derivative of `ln_gamma`; NaN at its poles.";
Polygamma polygamma (x: R, n: I) -> r: R, { kernel (x, n) Polygamma }, [x.polygamma(pick(n.lt(n.int(0)), n, n.plus(1)))] [0], [0.5..9.0, 1.0..2.0],
    "The `n`-th derivative of `digamma`, `n ≥ 0`; NaN for negative `n` in every order.";
Sigmoid sigmoid (x: R) -> r: R, { kernel (x) Sigmoid }, [bell(x, r)], [-3.0..3.0],
    "`1 / (1 + e⁻ˣ)`. The partial takes `1 − r` as `sigmoid(−x)`, which does not cancel; nor does the next derivative.";
LogSigmoid log_sigmoid (x: R) -> r: R, { real (log_sigmoid(x)) log_sigmoid }, [(-x).sigmoid()], [-3.0..3.0],
    "`ln sigmoid(x)`, without overflow.";
Softplus softplus (x: R) -> r: R, { kernel (x) Softplus }, [x.sigmoid()], [-3.0..3.0],
    "`ln(1 + eˣ)`, without overflow.";
// ── comparisons and logic ───────────────────────────────────────────────────────────────────────
Eq eq (x: A, y: A) -> r: B, { real (x == y) feq; int (x == y) ieq; bool (x == y) ieq }, , [-9.0..9.0, -9.0..9.0],
    "`x = y`; false if either is a NaN.";
Ne ne (x: A, y: A) -> r: B, { real (x != y) fne; int (x != y) ine; bool (x != y) ine }, , [-9.0..9.0, -9.0..9.0],
    "`x ≠ y`; true if either is a NaN.";
Lt lt (x: N, y: N) -> r: B, { real (x < y) flt; int (x < y) ilt }, , [-9.0..9.0, -9.0..9.0],
    "`x < y`; false if either is a NaN.";
Le le (x: N, y: N) -> r: B, { real (x <= y) fle; int (x <= y) ile }, , [-9.0..9.0, -9.0..9.0],
    "`x ≤ y`; false if either is a NaN.";
Gt gt (x: N, y: N) -> r: B, { real (x > y) fgt; int (x > y) igt }, , [-9.0..9.0, -9.0..9.0],
    "`x > y`; false if either is a NaN.";
Ge ge (x: N, y: N) -> r: B, { real (x >= y) fge; int (x >= y) ige }, , [-9.0..9.0, -9.0..9.0],
    "`x ≥ y`; false if either is a NaN.";
And and (x: B, y: B) -> r: B, { bool (x & y) band }, , [0.0..1.0, 0.0..1.0],
    "`x` and `y`.";
Or or (x: B, y: B) -> r: B, { bool (x | y) bor }, , [0.0..1.0, 0.0..1.0],
    "`x` or `y`.";
Xor xor (x: B, y: B) -> r: B, { bool (x ^ y) bxor }, , [0.0..1.0, 0.0..1.0],
    "Exactly one of `x` and `y`.";
Not not (x: B) -> r: B, { bool (!x) bnot }, , [0.0..1.0],
    "Not `x`.";
        }
    };
}

/// Which elements an operand or a result of a primitive may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// Real: `f64` or `f32`.
    R,
    /// A number: real or `i64`.
    N,
    /// An `i64`.
    I,
    /// A `bool`.
    B,
    /// Any element.
    A,
}

impl Class {
    /// Whether `elem` belongs to the class.
    pub fn contains(self, elem: Elem) -> bool {
        match self {
            Class::R => elem.is_real(),
            Class::N => elem != Elem::Bool,
            Class::I => elem == Elem::I64,
            Class::B => elem == Elem::Bool,
            Class::A => true,
        }
    }

    /// The one element of the class, or `None` where all such operands of a row share theirs.
    pub fn fixed(self) -> Option<Elem> {
        match self {
            Class::I => Some(Elem::I64),
            Class::B => Some(Elem::Bool),
            Class::R | Class::N | Class::A => None,
        }
    }

    /// What the class is called in messages.
    pub fn describe(self) -> &'static str {
        match self {
            Class::R => "a real (f64 or f32)",
            Class::N => "a number (f64, f32 or i64)",
            Class::I => "an i64",
            Class::B => "a bool",
            Class::A => "any element",
        }
    }
}

macro_rules! count {
    ($($x:ident)*) => { 0 $(+ { let _ = stringify!($x); 1 })* };
}

macro_rules! define_prims {
    ($($Variant:ident $name:ident ($($x:ident: $class:ident),+) -> $r:ident: $result:ident,
       { $($kind:ident $eval:tt $native:ident);+ }, $([$($partial:tt)+])* $(/ $divisor:ident)?, [$($domain:expr),+], $doc:literal;)*) => {
        /// A pointwise primitive: a row of THE table.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        pub enum Prim {
            $(#[doc = $doc] $Variant,)*
        }

        impl Prim {
            /// Every primitive, in the order of the table.
            pub const ALL: [Prim; count!($($Variant)*)] = [$(Prim::$Variant),*];

            /// The name in the text form.
            pub const fn name(self) -> &'static str {
                match self { $(Prim::$Variant => stringify!($name),)* }
            }

            /// Meaning and conventions.
            pub const fn doc(self) -> &'static str {
                match self { $(Prim::$Variant => $doc,)* }
            }

            /// The classes of the operands.
            pub const fn operands(self) -> &'static [Class] {
                match self { $(Prim::$Variant => &[$(Class::$class),+],)* }
            }

            /// The class of the result.
            pub const fn result(self) -> Class {
                match self { $(Prim::$Variant => Class::$result,)* }
            }

            /// For each operand, an interval in which the primitive is smooth.
            pub const fn domain(self) -> &'static [std::ops::Range<f64>] {
                match self { $(Prim::$Variant => &[$($domain),+],)* }
            }
        }
    };
}
for_each_prim!(define_prims);

impl Prim {
    /// The primitive of this name.
    pub fn from_name(name: &str) -> Option<Prim> {
        Prim::ALL.into_iter().find(|prim| prim.name() == name)
    }

    /// The number of operands.
    pub const fn arity(self) -> usize {
        self.operands().len()
    }

    /// Whether exchanging the two operands changes no bit of the result (NaNs being one class).
    pub const fn is_commutative(self) -> bool {
        matches!(
            self,
            Prim::Add
                | Prim::Mul
                | Prim::Hypot
                | Prim::LogAddExp
                | Prim::Eq
                | Prim::Ne
                | Prim::And
                | Prim::Or
                | Prim::Xor
        )
    }

    /// Whether evaluation can fail on integers and so must not be folded away or invented.
    pub const fn may_fail(self) -> bool {
        matches!(self, Prim::Div | Prim::Rem)
    }
}
