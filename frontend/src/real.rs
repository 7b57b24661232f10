//! Numbers that generic code computes with: plain `f64` and `f32`, or traced ones.
//!
//! A function `fn f<T: Real>(x: &[T]) -> T` runs on plain numbers, where it gives the bits of a traced
//! and strictly compiled evaluation, and traces. Constants are `T::of(2.5)`; with [`Real64`] they may be written
//! as they are, on the right: `x * 2.5` (Rust cannot promise `2.5 * x` to generic code).

use crate::kind::RealKind;
use crate::traced::{Condition, Traced};
use evolute_ir::{for_each_prim, interp::RealPrims};
use std::iter::{Product, Sum};
use std::ops::{
    Add, AddAssign, BitAnd, BitOr, Div, DivAssign, Mul, MulAssign, Neg, Not, Rem, Sub, SubAssign,
};

/// The truth value of a comparison between numbers of type `T`.
pub trait Logic<T>: Copy + BitAnd<Output = Self> + BitOr<Output = Self> + Not<Output = Self> {
    /// `yes` where this holds, else `no`.
    fn select(self, yes: T, no: T) -> T;
}

impl Logic<f64> for bool {
    fn select(self, yes: f64, no: f64) -> f64 {
        if self { yes } else { no }
    }
}

impl Logic<f32> for bool {
    fn select(self, yes: f32, no: f32) -> f32 {
        if self { yes } else { no }
    }
}

impl<'t, K: RealKind> Logic<Traced<'t, K>> for Condition<'t> {
    #[track_caller]
    fn select(self, yes: Traced<'t, K>, no: Traced<'t, K>) -> Traced<'t, K> {
        Condition::select(self, yes, no)
    }
}

macro_rules! define_real {
    ($($Variant:ident $name:ident ($($x:ident: $class:ident),+) -> $r:ident: $result:ident,
       { $($kind:ident $eval:tt $native:ident);+ }, $([$($partial:tt)+])* $(/ $divisor:ident)?, [$($domain:expr),+], $doc:literal;)*) => {
        /// A real number, plain or traced. See the [module](self).
        pub trait Real:
            Copy
            + Add<Output = Self>
            + Sub<Output = Self>
            + Mul<Output = Self>
            + Div<Output = Self>
            + Rem<Output = Self>
            + Neg<Output = Self>
            + AddAssign
            + SubAssign
            + MulAssign
            + DivAssign
            + Sum
            + for<'a> Sum<&'a Self>
            + Product
        {
            /// What a comparison gives.
            type Bool: Logic<Self>;
            /// The constant nearest to `x`.
            fn of(x: f64) -> Self;
            /// `|x|`, with derivative 0 at 0.
            #[track_caller]
            fn abs(self) -> Self;
            /// The smaller; a NaN wins.
            #[track_caller]
            fn min(self, other: Self) -> Self;
            /// The larger; a NaN wins.
            #[track_caller]
            fn max(self, other: Self) -> Self;
            /// This number as a constant of every derivative.
            #[track_caller]
            fn stop_gradient(self) -> Self;
            /// `x` to an integer power.
            #[track_caller]
            fn powi(self, n: i32) -> Self;
            /// The `n`-th derivative of `digamma`.
            #[track_caller]
            fn polygamma(self, n: u32) -> Self;
            /// `self · factor + term` with one rounding.
            #[track_caller]
            fn mul_add(self, factor: Self, term: Self) -> Self;
            /// This number, as a function of `x` with derivative `slope` and a constant otherwise.
            #[track_caller]
            fn with_slope(self, slope: Self, x: Self) -> Self;
            /// Whether `self < other`.
            #[track_caller]
            fn lt(self, other: Self) -> Self::Bool;
            /// Whether `self ≤ other`.
            #[track_caller]
            fn le(self, other: Self) -> Self::Bool;
            /// Whether `self > other`.
            #[track_caller]
            fn gt(self, other: Self) -> Self::Bool;
            /// Whether `self ≥ other`.
            #[track_caller]
            fn ge(self, other: Self) -> Self::Bool;
            $(define_real! { @declare $name $doc ($($class)+) $result })*
        }

        impl<'t, K: RealKind> Real for Traced<'t, K> {
            type Bool = Condition<'t>;
            fn of(x: f64) -> Self {
                Traced::constant(K::from_f64(x))
            }
            define_real! { @forward abs stop_gradient min(other: Self) max(other: Self) powi(n: i32) polygamma(n: u32) mul_add(factor: Self, term: Self) with_slope(slope: Self, x: Self) }
            define_real! { @compare Condition<'t>; lt le gt ge }
            $(define_real! { @traced $name ($($class)+) $result })*
        }

        define_real! { @plain f64 { $($name ($($class)+) $result;)* } }
        define_real! { @plain f32 { $($name ($($class)+) $result;)* } }
    };
    (@plain $ty:ident { $($name:ident $classes:tt $result:ident;)* }) => {
        impl Real for $ty {
            type Bool = bool;
            fn of(x: f64) -> $ty {
                x as $ty
            }
            fn abs(self) -> $ty {
                RealPrims::abs(self)
            }
            fn min(self, other: $ty) -> $ty {
                RealPrims::min(self, other)
            }
            fn max(self, other: $ty) -> $ty {
                RealPrims::max(self, other)
            }
            fn stop_gradient(self) -> $ty {
                self
            }
            fn powi(self, n: i32) -> $ty {
                RealPrims::powi(self, i64::from(n))
            }
            fn polygamma(self, n: u32) -> $ty {
                RealPrims::polygamma(self, i64::from(n))
            }
            fn mul_add(self, factor: $ty, term: $ty) -> $ty {
                RealPrims::mul_add(self, factor, term)
            }
            fn with_slope(self, slope: $ty, x: $ty) -> $ty {
                RealPrims::with_slope(self, slope, x)
            }
            fn lt(self, other: $ty) -> bool {
                self < other
            }
            fn le(self, other: $ty) -> bool {
                self <= other
            }
            fn gt(self, other: $ty) -> bool {
                self > other
            }
            fn ge(self, other: $ty) -> bool {
                self >= other
            }
            $(define_real! { @host $ty $name $classes $result })*
        }
    };
    (@forward $($name:ident $(($($arg:ident: $ty:ty),+))?)+) => {$(
        #[track_caller]
        fn $name(self $($(, $arg: $ty)+)?) -> Self {
            Traced::<'t, K>::$name(self $($(, $arg)+)?)
        }
    )+};
    (@compare $Bool:ty; $($name:ident)+) => {$(
        #[track_caller]
        fn $name(self, other: Self) -> $Bool {
            Traced::<'t, K>::$name(self, other)
        }
    )+};
    (@declare $name:ident $doc:literal (R) R) => { #[doc = $doc] #[track_caller] fn $name(self) -> Self; };
    (@declare $name:ident $doc:literal (R R) R) => { #[doc = $doc] #[track_caller] fn $name(self, other: Self) -> Self; };
    (@declare $name:ident $doc:literal $classes:tt $result:ident) => {};
    (@traced $name:ident (R) R) => { #[track_caller] fn $name(self) -> Self { Traced::<'t, K>::$name(self) } };
    (@traced $name:ident (R R) R) => { #[track_caller] fn $name(self, other: Self) -> Self { Traced::<'t, K>::$name(self, other) } };
    (@traced $name:ident $classes:tt $result:ident) => {};
    (@host $ty:ident $name:ident (R) R) => { fn $name(self) -> $ty { <$ty as RealPrims>::$name(self) } };
    (@host $ty:ident $name:ident (R R) R) => { fn $name(self, other: $ty) -> $ty { <$ty as RealPrims>::$name(self, other) } };
    (@host $ty:ident $name:ident $classes:tt $result:ident) => {};
}
for_each_prim!(define_real);

/// A [`Real`] that mixes with `f64` on its right: `f64` and [`Scalar`](crate::Scalar).
pub trait Real64:
    Real
    + From<f64>
    + Add<f64, Output = Self>
    + Sub<f64, Output = Self>
    + Mul<f64, Output = Self>
    + Div<f64, Output = Self>
    + AddAssign<f64>
    + SubAssign<f64>
    + MulAssign<f64>
    + DivAssign<f64>
{
}

impl Real64 for f64 {}
impl Real64 for crate::Scalar<'_> {}

/// Functions of several numbers. They loop rather than iterate with closures, in which the caller's line
/// would be ours.
pub trait RealSlice<T: Real> {
    /// The Euclidean norm, scaled so that squares neither overflow nor vanish; 0 for no elements. Its
    /// gradient at 0 is 0. An infinite element wins over a NaN, as in `hypot`; the derivatives are then NaN. Second
    /// derivatives, `(δᵢⱼ − uᵢuⱼ)/r`, are right to roundings of `1/r`, so a diagonal one of an element beside which all
    /// others are tiny may be 0; those of `hypot` keep their digits.
    #[track_caller]
    fn norm2(&self) -> T;
    /// `ln Σ exp(xᵢ)`, shifted by the maximum so that nothing overflows; −∞ for no elements. Derivatives of every order
    /// keep their digits where elements are far apart.
    #[track_caller]
    fn logsumexp(&self) -> T;
    /// `exp(xᵢ) / Σ exp(xⱼ)`, the gradient of `logsumexp`.
    #[track_caller]
    fn softmax(&self) -> Vec<T>;
}

impl<T: Real> RealSlice<T> for [T] {
    #[track_caller]
    fn norm2(&self) -> T {
        if self.is_empty() {
            return T::of(0.0);
        }
        let largest = largest_magnitude(self);
        let scale = largest.rescale();
        let mut squares = T::of(0.0);
        for &x in self {
            let x = x * scale;
            squares += x * x;
        }
        let length = squares.sqrt();
        let gradient = norm_gradient(self, scale, length);
        let norm = largest.lt(T::of(f64::INFINITY)).select(length / scale, largest);
        let norm = norm.with_slope(T::of(1.0), linear(&gradient, self));
        squares.le(T::of(0.0)).select(T::of(0.0), norm)
    }

    #[track_caller]
    fn logsumexp(&self) -> T {
        let Some((logarithm, shares)) = logarithm_and_shares(self) else { return T::of(f64::NEG_INFINITY) };
        logarithm.with_slope(T::of(1.0), linear(&shares, self))
    }

    #[track_caller]
    fn softmax(&self) -> Vec<T> {
        logarithm_and_shares(self).map_or_else(Vec::new, |(_, shares)| shares)
    }
}

/// The largest magnitude of those that are no NaN, or 0, as a constant of every derivative.
#[track_caller]
fn largest_magnitude<T: Real>(x: &[T]) -> T {
    let mut largest = T::of(0.0);
    for x in x {
        let magnitude = x.stop_gradient().abs();
        largest = magnitude.gt(largest).select(magnitude, largest);
    }
    largest
}

/// 0, with these slopes in `x`.
#[track_caller]
fn linear<T: Real>(slopes: &[T], x: &[T]) -> T {
    let mut sum = T::of(0.0);
    for (&slope, &x) in slopes.iter().zip(x) {
        sum += T::of(0.0).with_slope(slope, x);
    }
    sum
}

/// The unit vector in the direction of `x`, of which `scale · x` has this length.
///
/// Note [The gradient of a norm]: the formula √Σ(s·xᵢ)² / s multiplies tangents by s and divides them again, and either
/// may leave the range. So the gradient is stated, and its derivative, s·(ẋᵢ − uᵢ·Σ uⱼẋⱼ)/length: the terms,
/// whose coefficients depend on the scaled vector alone, meet before they are multiplied by s, in both modes. What
/// overflows then has the right sign.
#[track_caller]
fn norm_gradient<T: Real>(x: &[T], scale: T, length: T) -> Vec<T> {
    let inverse = length.recip();
    let mut unit = Vec::with_capacity(x.len());
    for &x in x {
        unit.push(x * scale * inverse);
    }
    let along = linear(&unit, x);
    for (unit, &x) in unit.iter_mut().zip(x) {
        let change = linear(&[inverse, -(*unit * inverse)], &[x, along]);
        *unit = unit.with_slope(scale, change);
    }
    unit
}

/// `ln Σ exp(xᵢ)`, whose gradient is to be stated, and what each `exp(xᵢ)` is of the sum: that gradient.
///
/// Note [A dominant element]: the derivative of a share pᵢ is made of pᵢ·(1 − pᵢ), and 1 − pᵢ loses its digits where pᵢ is
/// close to 1. At most one element has a share above ½: it dominates. If one does, all is measured from this base,
/// differentiated like any other element, and its own term is the constant 1. So 1 − pₘ is the sum of the other
/// shares, in every order and mode. If none does, every 1 − pᵢ is at least ½ and the base is a constant: a
/// base that does not dominate would have as its share what many others leave of 1. No result depends on the
/// base, so which one it is counts as constant.
///
/// That an element dominates is known when the exponentials are. So these are taken of `xᵢ − shift`, with a constant
/// that equals the base, and `exp(shift − base)` is a factor with the value 1. Values do without it.
#[track_caller]
fn logarithm_and_shares<T: Real>(x: &[T]) -> Option<(T, Vec<T>)> {
    let shift = shift(x)?;
    let (mut terms, sum) = exponentials(x, shift);
    let (own, rest) = set_apart(&mut terms, sum);
    let factor = (-linear(&own, x)).exp();
    let above_one = rest * factor - rest.lt(sum).select(T::of(0.0), T::of(1.0));
    let share = (above_one + T::of(1.0)).recip();
    let factor = factor * share;
    for (term, &own) in terms.iter_mut().zip(&own) {
        *term = own * share + *term * factor;
    }
    Some((shift + above_one.log1p(), terms))
}

/// `exp(xᵢ − shift)`, and their sum.
#[track_caller]
fn exponentials<T: Real>(x: &[T], shift: T) -> (Vec<T>, T) {
    let (mut terms, mut sum) = (Vec::with_capacity(x.len()), T::of(0.0));
    for &x in x {
        let term = (x - shift).exp();
        sum += term;
        terms.push(term);
    }
    (terms, sum)
}

/// Puts 0 for the term that is more than half of this sum, if there is one. Gives 1 for it, and 0 for the others, and
/// the sum of what is left: less than before if there is one, else the same.
#[track_caller]
fn set_apart<T: Real>(terms: &mut [T], sum: T) -> (Vec<T>, T) {
    let half = sum * T::of(0.5);
    let (mut own, mut rest) = (Vec::with_capacity(terms.len()), T::of(0.0));
    for term in terms {
        let dominant = term.gt(half).select(T::of(1.0), T::of(0.0));
        *term *= T::of(1.0) - dominant;
        rest += *term;
        own.push(dominant);
    }
    (own, rest)
}

/// The maximum, as a constant of every derivative: no result depends on it. An infinite one
/// would make `x - shift` undefined, so then it is 0.
#[track_caller]
fn shift<T: Real>(x: &[T]) -> Option<T> {
    let (&first, rest) = x.split_first()?;
    let mut largest = first;
    for &x in rest {
        largest = Real::max(largest, x);
    }
    let finite = largest.abs().lt(T::of(f64::INFINITY));
    Some(finite.select(largest, T::of(0.0)).stop_gradient())
}
