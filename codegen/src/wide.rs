//! Operations on two scalars at once, one in each lane of a 128-bit vector.
//!
//! An `f64` that differs between the lanes is an `F64X2`, a `bool` a mask, all ones where it holds: an `I64X2`. What is
//! the same in both stays a scalar until it meets a vector. A lane has the bits that the scalar operation gives: what the
//! processor has no vector instructions for, a kernel among them, is done lane by lane.

use crate::emitter::Emitter;
use crate::scalars::Operation;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};
use evolute_ir::{Elem, Literal, Prim};

/// How many scalars a vector holds.
pub(crate) const LANES: usize = 2;

/// Whether a primitive on `f64`s, or on masks, is emitted as it is on vectors.
const fn is_native(prim: Prim) -> bool {
    matches!(
        prim,
        Prim::Add
            | Prim::Sub
            | Prim::Mul
            | Prim::Div
            | Prim::Neg
            | Prim::Recip
            | Prim::MulAdd
            | Prim::Abs
            | Prim::Min
            | Prim::Max
            | Prim::Relu
            | Prim::Floor
            | Prim::Ceil
            | Prim::Trunc
            | Prim::Sqrt
            | Prim::StopGradient
            | Prim::WithSlope
            | Prim::Eq
            | Prim::Ne
            | Prim::Lt
            | Prim::Le
            | Prim::Gt
            | Prim::Ge
            | Prim::And
            | Prim::Or
            | Prim::Xor
            | Prim::Not
    )
}

impl Emitter<'_, '_> {
    pub(crate) fn is_vector(&self, value: Value) -> bool {
        self.value_type(value).is_vector()
    }

    /// The vector that has this scalar in both lanes. A vector stays what it is.
    pub(crate) fn spread(&mut self, value: Value) -> Value {
        match self.value_type(value) {
            types::F64 => self.ins().splat(types::F64X2, value),
            types::I8 => {
                let mask = self.in_vector(value);
                self.ins().splat(types::I64X2, mask)
            }
            _ => value,
        }
    }

    /// What a lane of a vector holds; a scalar is the same in both.
    pub(crate) fn lane(&mut self, value: Value, lane: usize) -> Value {
        match self.value_type(value) {
            types::F64X2 => self.ins().extractlane(value, lane as u8),
            types::I64X2 => {
                let mask = self.ins().extractlane(value, lane as u8);
                self.ins().icmp_imm_s(IntCC::NotEqual, mask, 0)
            }
            _ => value,
        }
    }

    /// The vector of these scalars.
    pub(crate) fn vector(&mut self, [first, second]: [Value; LANES]) -> Value {
        let low = self.low(first);
        self.with_high(low, second)
    }

    /// A vector whose first lane holds a scalar.
    pub(crate) fn low(&mut self, first: Value) -> Value {
        let first = self.in_vector(first);
        let vector = if self.value_type(first) == types::F64 { types::F64X2 } else { types::I64X2 };
        self.ins().scalar_to_vector(vector, first)
    }

    /// The same with a scalar in the second lane.
    pub(crate) fn with_high(&mut self, vector: Value, second: Value) -> Value {
        let second = self.in_vector(second);
        self.ins().insertlane(vector, second, 1)
    }

    /// A scalar as a lane holds it.
    fn in_vector(&mut self, scalar: Value) -> Value {
        match self.value_type(scalar) {
            types::I8 => {
                let bit = self.ins().uextend(types::I64, scalar);
                self.ins().ineg(bit)
            }
            _ => scalar,
        }
    }

    /// Emits an operation of which some operand is a vector.
    pub(crate) fn wide_operation(&mut self, operation: Operation, elem: Elem, operands: &[Value]) -> Value {
        let native = match operation {
            Operation::Prim(Prim::MulAdd) => self.has_fma,
            Operation::Prim(prim) => is_native(prim),
            Operation::Select => true,
            Operation::Cast(_) => false,
        };
        if native {
            let operands: Vec<Value> = operands.iter().map(|&x| self.spread(x)).collect();
            return self.whole_operation(operation, elem, &operands);
        }
        let lanes = std::array::from_fn(|lane| {
            let operands: Vec<Value> = operands.iter().map(|&x| self.lane(x, lane)).collect();
            self.operation(operation, elem, 0, &operands)
        });
        self.vector(lanes)
    }

    /// Emits an operation whose operands are all vectors.
    fn whole_operation(&mut self, operation: Operation, elem: Elem, operands: &[Value]) -> Value {
        self.wide = true;
        let result = self.scalar_operation(operation, elem, 0, operands);
        self.wide = false;
        result
    }

    /// A constant of the table in both lanes.
    pub(crate) fn wide_constant(&mut self, literal: Literal) -> Value {
        match literal {
            Literal::F64(0) => {
                let zeros = self.builder.func.dfg.constants.insert(vec![0; 16].into());
                self.ins().vconst(types::F64X2, zeros)
            }
            Literal::F64(_) => self.constant_pair(literal),
            Literal::F32(_) | Literal::I64(_) | Literal::Bool(_) => {
                unreachable!("there are no vectors of {literal}")
            }
        }
    }
}
