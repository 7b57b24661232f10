//! The vocabulary of linear code: all that a jvp rule may emit on tangents.
//!
//! A rule sees tangents only through [`Linear`], so it cannot multiply two of them or look inside
//! one: linearity is a matter of types. Forward mode ([`Forward`]) inserts instructions at once; reverse mode
//! ([`Tape`](crate::tape::Tape)) records them and runs them backwards. An absent tangent is a zero.

use crate::differentiate::Walk;
use crate::matrices::product;
use evolute_ir::{
    Builder, Elem, Inst, IrError, Linalg, Literal, Op, Origin, Prim, Reduction, Role, Strides, StridesId,
    Type, TypeId, Value,
};
use smallvec::SmallVec;

/// What a tangent is multiplied by in a linear combination. Values are known code.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Coefficient {
    /// 1.
    One,
    /// −1.
    MinusOne,
    /// This value.
    Times(Value),
    /// 1 where this `bool` has this truth value, else a zero that does not look at the tangent.
    When(Value, bool),
    /// Conversion between real element kinds, to this one.
    Cast(Elem),
}

/// A linear map of one array to another; its values are known code.
#[derive(Clone, Debug)]
pub(crate) enum LinearMap {
    /// An element.
    Element(u32),
    /// [`Op::View`].
    View(TypeId, StridesId),
    /// [`Op::Spread`].
    Spread(TypeId, StridesId),
    /// The sum over the last axes, to this type.
    Sum(TypeId),
    /// The product `k · x` of matrices, or of as many of them as both have.
    Left(Value),
    /// The product `x · k` of matrices, or of as many of them as both have.
    Right(Value),
    /// The solution of `T · X = x`, or with the transpose, where `k` is T.
    SolveTriangular {
        /// The matrix.
        k: Value,
        /// Which triangle of it.
        upper: bool,
        /// Whether with the transpose.
        transposed: bool,
    },
    /// The solution of `A · X = x`, or with the transpose, where `k` is A and its factorisation.
    LuSolve {
        /// The matrix and its factorisation.
        k: [Value; 2],
        /// Whether with the transpose.
        transposed: bool,
    },
    /// The part at these indices.
    At(SmallVec<[Value; 2]>),
}

/// Linear code: made of sums of tangents times known values, and of moving elements.
pub(crate) trait Linear: Sized {
    /// A tangent in this representation.
    type Tangent: Copy;

    /// Known code goes here.
    fn builder(&mut self) -> &mut Builder;

    /// `Σ coefficient · tangent`, the tangent of the known value `of`. There is at least one term.
    fn combine(
        &mut self,
        terms: &[(Coefficient, Self::Tangent)],
        of: Value,
    ) -> Result<Self::Tangent, IrError>;

    /// `Σ coefficient · tangent` divided by `divisor`, once and last.
    fn quotient(
        &mut self,
        terms: &[(Coefficient, Self::Tangent)],
        divisor: Value,
        of: Value,
    ) -> Result<Self::Tangent, IrError>;

    /// A map of one tangent.
    fn map(&mut self, map: LinearMap, x: Self::Tangent, of: Value) -> Result<Self::Tangent, IrError>;

    /// The array of type `ty` of these parts, one behind the other, each with its known value.
    fn pack(
        &mut self,
        ty: TypeId,
        parts: &[(Option<Self::Tangent>, Value)],
        of: Value,
    ) -> Result<Self::Tangent, IrError>;

    /// `array` with `term` added to its part at these indices; one of the two is present.
    fn add_at(
        &mut self,
        array: Option<Self::Tangent>,
        term: Option<Self::Tangent>,
        indices: &[Value],
        of: Value,
    ) -> Result<Self::Tangent, IrError>;

    /// The solution of the linear system `inst` with the right-hand side `rhs`: the tangent of the known value `of`.
    fn solve(
        walk: &mut Walk<'_, Self>,
        inst: Inst,
        rhs: Self::Tangent,
        of: Value,
    ) -> Result<Self::Tangent, IrError>;

    /// The rule of a loop or conditional of which an operand has a tangent: defines the known values and
    /// tangents of its results.
    fn structured(walk: &mut Walk<'_, Self>, inst: Inst) -> Result<(), IrError>;
}

/// Linear code as instructions of the program under construction: forward mode.
pub(crate) struct Forward<'b> {
    pub(crate) builder: &'b mut Builder,
    /// The origin of tangents, but for the line and the value each is the derivative of.
    pub(crate) origin: Origin,
}

/// A real constant of `like`'s type: every element is `x`.
pub(crate) fn constant_like(builder: &mut Builder, like: Value, x: f64) -> Result<Value, IrError> {
    let ty = builder.program().ty(like).clone();
    let scalar = builder.constant(Literal::from_f64(ty.elem, x));
    repeated(builder, scalar, &ty)
}

/// `x` as a value of this type: itself, or a scalar as every element.
pub(crate) fn repeated(builder: &mut Builder, x: Value, ty: &Type) -> Result<Value, IrError> {
    if builder.program().ty(x) == ty {
        return Ok(x);
    }
    let strides = vec![0; ty.shape.extents().len()].into();
    let (id, strides) = (builder.intern(ty), builder.strides(&Strides { offset: 0, strides }));
    builder.insert(Op::View(id, strides), &[x])
}

impl Forward<'_> {
    pub(crate) fn derivative_of(&mut self, of: Value) {
        let loc = self.builder.program().value(of).origin.loc;
        self.builder.set_origin(Origin { loc, of: Some(of), role: Role::Tangent, ..self.origin });
    }

    /// One term as (negated, value).
    fn term(&mut self, coefficient: Coefficient, tangent: Value) -> Result<(bool, Value), IrError> {
        let value = match coefficient {
            Coefficient::One => return Ok((false, tangent)),
            Coefficient::MinusOne => return Ok((true, tangent)),
            Coefficient::Times(k) => self.builder.insert(Op::Prim(Prim::Mul), &[k, tangent])?,
            Coefficient::Cast(elem) => self.builder.insert(Op::Cast(elem), &[tangent])?,
            Coefficient::When(condition, holds) => {
                let zero = constant_like(self.builder, tangent, 0.0)?;
                let (yes, no) = if holds { (tangent, zero) } else { (zero, tangent) };
                self.builder.insert(Op::Select, &[condition, yes, no])?
            }
        };
        Ok((false, value))
    }
}

impl Linear for Forward<'_> {
    type Tangent = Value;

    fn builder(&mut self) -> &mut Builder {
        self.builder
    }

    fn combine(&mut self, terms: &[(Coefficient, Value)], of: Value) -> Result<Value, IrError> {
        self.derivative_of(of);
        if let [(Coefficient::When(c, true), yes), (Coefficient::When(d, false), no)] = *terms
            && c == d
        {
            return self.builder.insert(Op::Select, &[c, yes, no]);
        }
        let mut sum = None;
        for &(coefficient, tangent) in terms {
            let term = self.term(coefficient, tangent)?;
            sum = Some(match sum {
                None => term,
                Some(sum) => add_signed(self.builder, sum, term)?,
            });
        }
        let (negated, value) = sum.expect("a combination has a term");
        if negated { self.builder.insert(Op::Prim(Prim::Neg), &[value]) } else { Ok(value) }
    }

    fn quotient(
        &mut self,
        terms: &[(Coefficient, Value)],
        divisor: Value,
        of: Value,
    ) -> Result<Value, IrError> {
        let sum = self.combine(terms, of)?;
        self.builder.insert(Op::Prim(Prim::Div), &[sum, divisor])
    }

    fn map(&mut self, map: LinearMap, x: Value, of: Value) -> Result<Value, IrError> {
        self.derivative_of(of);
        match map {
            LinearMap::Element(index) => self.builder.insert(Op::Element(index), &[x]),
            LinearMap::View(ty, strides) => self.builder.insert(Op::View(ty, strides), &[x]),
            LinearMap::Spread(ty, strides) => self.builder.insert(Op::Spread(ty, strides), &[x]),
            LinearMap::Sum(ty) => self.builder.insert(Op::Reduce(Reduction::Sum, ty), &[x]),
            LinearMap::Left(k) => product(self.builder, k, x),
            LinearMap::Right(k) => product(self.builder, x, k),
            LinearMap::SolveTriangular { k, upper, transposed } => {
                self.builder.insert(Op::Linalg(Linalg::SolveTriangular { upper, transposed }), &[k, x])
            }
            LinearMap::LuSolve { k: [a, f], transposed } => {
                self.builder.insert(Op::Linalg(Linalg::LuSolve { transposed }), &[a, f, x])
            }
            LinearMap::At(indices) => self.builder.insert(Op::At, &[&[x], &indices[..]].concat()),
        }
    }

    fn pack(&mut self, ty: TypeId, parts: &[(Option<Value>, Value)], of: Value) -> Result<Value, IrError> {
        self.derivative_of(of);
        let mut operands = Vec::with_capacity(parts.len());
        for &(part, like) in parts {
            operands.push(match part {
                Some(part) => part,
                None => constant_like(self.builder, like, 0.0)?,
            });
        }
        self.builder.insert(Op::Pack(ty), &operands)
    }

    fn add_at(
        &mut self,
        array: Option<Value>,
        term: Option<Value>,
        indices: &[Value],
        of: Value,
    ) -> Result<Value, IrError> {
        self.derivative_of(of);
        let array = match array {
            Some(array) => array,
            None => constant_like(self.builder, of, 0.0)?,
        };
        let Some(term) = term else { return Ok(array) };
        self.builder.insert(Op::AddAt, &[&[array, term], indices].concat())
    }

    fn solve(walk: &mut Walk<'_, Self>, inst: Inst, rhs: Value, of: Value) -> Result<Value, IrError> {
        walk.forward_solve(inst, rhs, of)
    }

    fn structured(walk: &mut Walk<'_, Self>, inst: Inst) -> Result<(), IrError> {
        walk.forward_structure(inst)
    }
}

/// The sum of two values that may each stand for its negative, without a negation where a
/// subtraction does.
pub(crate) fn add_signed(
    builder: &mut Builder,
    (negated_a, a): (bool, Value),
    (negated_b, b): (bool, Value),
) -> Result<(bool, Value), IrError> {
    let value = match (negated_a, negated_b) {
        (false, true) => builder.insert(Op::Prim(Prim::Sub), &[a, b])?,
        (true, false) => builder.insert(Op::Prim(Prim::Sub), &[b, a])?,
        (false, false) | (true, true) => builder.insert(Op::Prim(Prim::Add), &[a, b])?,
    };
    Ok((negated_a && negated_b, value))
}
