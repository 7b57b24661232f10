//! The language in which a row states its partial derivatives: arithmetic on values of a program
//! under construction.
//!
//! An [`Expr`] is a scalar (or array) value that inserts what is written: `(1.0 - r) * (1.0 + r)`
//! becomes three instructions. Numbers take the element kind of what they meet. Only well-typed
//! expressions are written here, so building one does not fail but for a program past its size limit;
//! such an error is kept in the [`ExprBuilder`] and reported when it ends.

use crate::builder::Builder;
use crate::entity::Value;
use crate::error::IrError;
use crate::for_each_prim;
use crate::op::Op;
use crate::prim::Prim;
use crate::structure::Strides;
use crate::types::{Elem, Literal, Type};
use std::cell::{Cell, RefCell};
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A [`Builder`] lent to expressions.
pub struct ExprBuilder<'p> {
    builder: RefCell<&'p mut Builder>,
    error: Cell<Option<IrError>>,
}

impl<'p> ExprBuilder<'p> {
    /// Lends `builder`.
    pub fn new(builder: &'p mut Builder) -> Self {
        ExprBuilder { builder: RefCell::new(builder), error: Cell::new(None) }
    }

    /// `value` as an expression.
    pub fn expr(&self, value: Value) -> Expr<'_, 'p> {
        Expr { builder: self, value }
    }

    /// Ends the loan.
    ///
    /// # Errors
    /// The first insertion that failed.
    pub fn finish(self) -> Result<(), IrError> {
        self.error.into_inner().map_or(Ok(()), Err)
    }

    /// Inserts, or keeps the error and gives the first operand in place of the result.
    fn insert(&self, op: Op, operands: &[Value]) -> Value {
        let inserted = self.builder.borrow_mut().insert(op, operands);
        inserted.unwrap_or_else(|error| {
            let first = self.error.take().unwrap_or(error);
            self.error.set(Some(first));
            operands.first().copied().unwrap_or_default()
        })
    }
}

/// A value of a program under construction. See the [module](self).
#[derive(Clone, Copy)]
pub struct Expr<'b, 'p> {
    builder: &'b ExprBuilder<'p>,
    value: Value,
}

/// The partial derivative of a primitive's result with respect to one operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Partial {
    /// No dependence: the tangent is dropped.
    Zero,
    /// The tangent itself.
    One,
    /// The tangent, negated.
    MinusOne,
    /// The tangent where this `bool` holds, else zero, whatever the tangent is.
    When(Value),
    /// The tangent times this value.
    Times(Value),
}

impl<'b, 'p> Expr<'b, 'p> {
    /// The value.
    pub fn value(self) -> Value {
        self.value
    }

    fn elem(self) -> Elem {
        let builder = self.builder.builder.borrow();
        builder.program().ty(self.value).elem
    }

    fn apply(self, op: Op, rest: &[Value]) -> Self {
        let mut operands = [self.value; 3];
        operands[1..=rest.len()].copy_from_slice(rest);
        Expr { value: self.builder.insert(op, &operands[..=rest.len()]), ..self }
    }

    /// A constant of this expression's shape.
    fn constant(self, literal: Literal) -> Self {
        let (scalar, shape) = {
            let mut builder = self.builder.builder.borrow_mut();
            (builder.constant(literal), builder.program().ty(self.value).shape.clone())
        };
        if shape.is_scalar() {
            return Expr { value: scalar, ..self };
        }
        let strides = Strides { offset: 0, strides: vec![0; shape.extents().len()].into() };
        let (id, strides) = {
            let mut builder = self.builder.builder.borrow_mut();
            (builder.intern(&Type { elem: literal.elem(), shape }), builder.strides(&strides))
        };
        Expr { value: self.builder.insert(Op::View(id, strides), &[scalar]), ..self }
    }

    /// The real constant `x`, in this expression's shape and element kind.
    pub fn lit(self, x: f64) -> Self {
        self.constant(Literal::from_f64(self.elem(), x))
    }

    /// The integer constant `n`, in this expression's shape.
    pub fn int(self, n: i64) -> Self {
        self.constant(Literal::I64(n))
    }

    /// This integer plus `n`.
    fn plus(self, n: i64) -> Self {
        self.add_expr(self.int(n))
    }

    /// Whether this integer is `n`.
    fn is(self, n: i64) -> Self {
        self.eq(self.int(n))
    }

    /// This integer in the element kind of `like`.
    fn to_real_of(self, like: Self) -> Self {
        self.apply(Op::Cast(like.elem()), &[])
    }

    fn add_expr(self, other: Self) -> Self {
        self.apply(Op::Prim(Prim::Add), &[other.value])
    }
}

/// `yes` where `condition` holds, else `no`.
fn pick<'b, 'p>(condition: Expr<'b, 'p>, yes: Expr<'b, 'p>, no: Expr<'b, 'p>) -> Expr<'b, 'p> {
    condition.apply(Op::Select, &[yes.value, no.value])
}

/// `factor` where the function is defined, else NaN: a product with it is NaN there, and so are its derivatives of
/// every order, which a constant NaN in place of the product would lose.
fn defined<'b, 'p>(domain: Expr<'b, 'p>, factor: Expr<'b, 'p>) -> Expr<'b, 'p> {
    pick(domain, factor, factor.lit(f64::NAN))
}

/// `factor` where |x| ≤ 1, else NaN.
fn within_one<'b, 'p>(x: Expr<'b, 'p>, factor: f64) -> Expr<'b, 'p> {
    defined(x.abs().le(x.lit(1.0)), x.lit(factor))
}

/// `factor / x` where `domain`, on which a logarithm with this derivative is defined; else NaN.
fn over<'b, 'p>(factor: f64, x: Expr<'b, 'p>, domain: Expr<'b, 'p>) -> Expr<'b, 'p> {
    x.recip() * defined(domain, x.lit(factor))
}

/// Whether `x` is 0 and `y` is not negative: there xʸ has no derivative in `y` that all of its limits agree on, and
/// `y` counts as a constant.
fn at_root<'b, 'p>(x: Expr<'b, 'p>, y: Expr<'b, 'p>) -> Expr<'b, 'p> {
    x.eq(x.lit(0.0)).and(y.ge(y.lit(0.0)))
}

/// The derivative of xʸ in `x`: `y·xʸ⁻¹`, and 0 of x⁰, whatever `x⁻¹` is; it changes with `y` there, too.
fn power_slope<'b, 'p>(x: Expr<'b, 'p>, y: Expr<'b, 'p>) -> Expr<'b, 'p> {
    let (zero, root) = (y.lit(0.0), at_root(x, y));
    let slope = |y: Expr<'b, 'p>| y * x.powf(y - 1.0);
    let mixed = pick(root, zero, x.powf(y - 1.0) * (1.0 + y * x.ln()));
    let held = pick(root, slope(y.stop_gradient()), slope(y));
    pick(y.eq(zero), zero.with_slope(mixed, y), held)
}

/// The derivative of a cube root `r`: 1/(3r²), as a function of `r` with the derivative −2/(3r³).
fn cube_root_slope<'b, 'p>(r: Expr<'b, 'p>) -> Expr<'b, 'p> {
    let inverse = r.recip();
    (3.0 * (r * r)).recip().with_slope(inverse * inverse * (inverse * (-2.0 / 3.0)), r)
}

/// A power of two, and the point (x, y) times it: of a size at which squares neither overflow nor vanish.
fn scaled<'b, 'p>(x: Expr<'b, 'p>, y: Expr<'b, 'p>) -> (Expr<'b, 'p>, Expr<'b, 'p>, Expr<'b, 'p>) {
    let scale = (x.abs() + y.abs()).rescale();
    (scale, x * scale, y * scale)
}

/// The gradient of the angle of the point (x, y): (x, −y)/(x² + y²), in scaled coordinates.
fn rotation<'b, 'p>(y: Expr<'b, 'p>, x: Expr<'b, 'p>) -> (Expr<'b, 'p>, Expr<'b, 'p>) {
    let (scale, x, y) = scaled(x, y);
    let norm = x * x + y * y;
    (scale * (x / norm), -(scale * (y / norm)))
}

/// The gradient of the length of the point (x, y): the cosine and sine of its angle, 0 at the origin.
///
/// Their derivatives are stated, as the scale times a combination of `ẋ` and `ẏ` with coefficients that depend on the
/// scaled point alone. These have moderate derivatives of every order, so all terms meet before they are multiplied by
/// the scale: in forward mode in the combination, in reverse mode in the cotangent of the scaled point. What
/// overflows then has the right sign, where terms that had overflowed one by one would give NaN.
fn direction<'b, 'p>(x: Expr<'b, 'p>, y: Expr<'b, 'p>) -> (Expr<'b, 'p>, Expr<'b, 'p>) {
    let (scale, scaled_x, scaled_y) = scaled(x, y);
    let norm = (scaled_x * scaled_x + scaled_y * scaled_y).sqrt();
    let (cos, sin) = (scaled_x / norm, scaled_y / norm);
    let zero = norm.lit(0.0);
    let angle = zero.with_slope(-(sin / norm), x) + zero.with_slope(cos / norm, y);
    let component = |value: Expr<'b, 'p>, slope: Expr<'b, 'p>| {
        let turned = value.with_slope(scale, zero.with_slope(slope, angle));
        pick(norm.eq(zero), zero, turned)
    };
    (component(cos, -sin), component(sin, cos))
}

/// The derivative `r·s` of the logistic function with the result `r`, and `s = 1 − r`; its own is stated. By the product
/// rule it would be a multiple of `s − r`, which cancels near 0; that difference is `−tanh(x/2)`.
fn bell<'b, 'p>(x: Expr<'b, 'p>, r: Expr<'b, 'p>) -> Expr<'b, 'p> {
    let s = (-x).sigmoid();
    let near = x.abs().lt(x.lit(0.125));
    let tanh = pick(near, tanh_of_half(pick(near, x, x.lit(0.0))), r - s);
    (r * s).with_slope(-(r * s * tanh), x)
}

/// `tanh(x/2)` for |x| ≤ ⅛, by its series: a fraction of the cost of `tanh`.
fn tanh_of_half<'b, 'p>(x: Expr<'b, 'p>) -> Expr<'b, 'p> {
    const SERIES: [f64; 5] = [31.0 / 725_760.0, -17.0 / 40_320.0, 1.0 / 240.0, -1.0 / 24.0, 0.5];
    let square = x * x;
    let first = x.lit(-691.0 / 159_667_200.0);
    x * SERIES.iter().fold(first, |sum, &next| sum.mul_add(square, x.lit(next)))
}

macro_rules! operator {
    ($Trait:ident $method:ident $Prim:ident) => {
        impl<'b, 'p> $Trait for Expr<'b, 'p> {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                self.apply(Op::Prim(Prim::$Prim), &[other.value])
            }
        }
        impl<'b, 'p> $Trait<f64> for Expr<'b, 'p> {
            type Output = Self;
            fn $method(self, other: f64) -> Self {
                $Trait::$method(self, self.lit(other))
            }
        }
        impl<'b, 'p> $Trait<Expr<'b, 'p>> for f64 {
            type Output = Expr<'b, 'p>;
            fn $method(self, other: Expr<'b, 'p>) -> Expr<'b, 'p> {
                $Trait::$method(other.lit(self), other)
            }
        }
    };
}
operator!(Add add Add);
operator!(Sub sub Sub);
operator!(Mul mul Mul);
operator!(Div div Div);

impl Neg for Expr<'_, '_> {
    type Output = Self;
    fn neg(self) -> Self {
        self.apply(Op::Prim(Prim::Neg), &[])
    }
}

macro_rules! partial {
    ($args:ident, 0) => { Partial::Zero };
    ($args:ident, 1) => { Partial::One };
    ($args:ident, -1) => { Partial::MinusOne };
    ($args:ident, when($($condition:tt)+)) => { Partial::When(($($condition)+).value()) };
    ($args:ident, $($expression:tt)+) => { Partial::Times(($($expression)+).value()) };
}

macro_rules! define_exprs {
    ($($Variant:ident $name:ident ($first:ident: $first_class:ident $(, $x:ident: $class:ident)*) -> $r:ident: $result:ident,
       { $($kind:ident $eval:tt $native:ident);+ }, $([$($partial:tt)+])* $(/ $divisor:ident)?, [$($domain:expr),+], $doc:literal;)*) => {
        /// One method a row of the table.
        #[allow(dead_code, clippy::should_implement_trait, missing_docs, reason = "rows document themselves")]
        impl<'b, 'p> Expr<'b, 'p> {
            $(
                #[doc = $doc]
                fn $name(self $(, $x: Self)*) -> Self {
                    self.apply(Op::Prim(Prim::$Variant), &[$($x.value),*])
                }
            )*
        }

        impl Prim {
            /// The partial derivative with respect to operand `index`, on `operands` with result
            /// `result`: the row's expression, inserted into the program.
            #[allow(unused_variables, reason = "no partial needs every operand")]
            pub fn partial<'b, 'p>(self, index: usize, operands: &[Expr<'b, 'p>], result: Expr<'b, 'p>) -> Partial {
                match self {
                    $(Prim::$Variant => {
                        #[allow(unused_mut, unused_assignments, reason = "some rows have no partials")]
                        {
                            let [$first $(, $x)*] = *operands else { return Partial::Zero };
                            let $r = result;
                            let mut count = 0;
                            $(
                                if index == count {
                                    return partial!(operands, $($partial)+);
                                }
                                count += 1;
                            )*
                            Partial::Zero
                        }
                    })*
                }
            }

            /// What the sum of partials times tangents is divided by: an operand, or the result.
            #[allow(unused_variables, reason = "few rows divide")]
            pub fn divisor(self, operands: &[Value], result: Value) -> Option<Value> {
                match self {
                    $(Prim::$Variant => {
                        let [$first $(, $x)*] = *operands else { return None };
                        let $r = result;
                        [$($divisor)?].first().copied()
                    })*
                }
            }
        }
    };
}
for_each_prim!(define_exprs);
