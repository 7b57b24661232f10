//! What rules ask of a program under construction, and how they add to it.

use evolute_ir::{Builder, Elem, IrError, Literal, Op, Prim, Strides, Type, Value};

/// Questions of the rules of [`rules`](super::rules).
pub(crate) trait Matching {
    /// The operands of `value` if it is the result of `prim`.
    fn match_prim<const N: usize>(&self, prim: Prim, value: Value) -> Option<[Value; N]>;
    /// The condition and the arms of `value` if it is a `select`.
    fn match_select(&self, value: Value) -> Option<[Value; 3]>;
    /// The real constant that `value` is, or that all its elements are.
    fn real(&self, value: Value) -> Option<f64>;
    /// Whether `value` is the real constant `x`, sign of zero included.
    fn is_real(&self, value: Value, x: f64) -> bool;
    /// The integer constant that `value` is, or that all its elements are.
    fn int(&self, value: Value) -> Option<i64>;
    /// The truth value that `value` is, or that all its elements are.
    fn truth(&self, value: Value) -> Option<bool>;
    /// A real constant of the type of `like`, if its elements hold `x` exactly.
    fn constant_like(&mut self, like: Value, x: f64) -> Option<Value>;
    /// An integer constant of the shape of `like`.
    fn integer_like(&mut self, like: Value, n: i64) -> Option<Value>;
    /// Whether the elements of `value` are of this kind.
    fn is_elem(&self, value: Value, elem: Elem) -> bool;
    /// Whether the elements of `value` are real.
    fn acts_on_reals(&self, value: Value) -> bool;
    /// Inserts a primitive, which is simplified in its turn.
    fn prim(&mut self, prim: Prim, operands: &[Value]) -> Result<Value, IrError>;
}

impl Matching for Builder {
    fn match_prim<const N: usize>(&self, prim: Prim, value: Value) -> Option<[Value; N]> {
        let program = self.program();
        let inst = program.def_inst(value)?;
        if program.op(inst) != Op::Prim(prim) {
            return None;
        }
        program.operands(inst).try_into().ok()
    }

    fn match_select(&self, value: Value) -> Option<[Value; 3]> {
        let inst = self.program().def_inst(value)?;
        match self.program().op(inst) {
            Op::Select => self.program().operands(inst).try_into().ok(),
            _ => None,
        }
    }

    fn real(&self, value: Value) -> Option<f64> {
        repeated_constant(self, value)?.as_real()
    }

    fn is_real(&self, value: Value, x: f64) -> bool {
        self.real(value).is_some_and(|c| c.to_bits() == x.to_bits())
    }

    fn int(&self, value: Value) -> Option<i64> {
        match repeated_constant(self, value)? {
            Literal::I64(n) => Some(n),
            Literal::F64(_) | Literal::F32(_) | Literal::Bool(_) => None,
        }
    }

    fn truth(&self, value: Value) -> Option<bool> {
        match repeated_constant(self, value)? {
            Literal::Bool(b) => Some(b),
            Literal::F64(_) | Literal::F32(_) | Literal::I64(_) => None,
        }
    }

    fn constant_like(&mut self, like: Value, x: f64) -> Option<Value> {
        let literal = Literal::from_f64(self.program().ty(like).elem, x);
        let exact = literal.as_real().is_some_and(|c| c.to_bits() == x.to_bits());
        if exact { repeated(self, literal, like) } else { None }
    }

    fn integer_like(&mut self, like: Value, n: i64) -> Option<Value> {
        repeated(self, Literal::I64(n), like)
    }

    fn is_elem(&self, value: Value, elem: Elem) -> bool {
        self.program().ty(value).elem == elem
    }

    fn acts_on_reals(&self, value: Value) -> bool {
        self.program().ty(value).elem.is_real()
    }

    fn prim(&mut self, prim: Prim, operands: &[Value]) -> Result<Value, IrError> {
        self.insert(Op::Prim(prim), operands)
    }
}

fn repeated_constant(builder: &Builder, value: Value) -> Option<Literal> {
    let program = builder.program();
    let inst = program.def_inst(value)?;
    match program.op(inst) {
        Op::Const(literal) => Some(literal),
        Op::View(..) => program.as_const(program.operands(inst)[0]),
        _ => None,
    }
}

/// The constant in the shape of `like`.
fn repeated(builder: &mut Builder, literal: Literal, like: Value) -> Option<Value> {
    let shape = builder.program().ty(like).shape.clone();
    let scalar = builder.constant(literal);
    if shape.is_scalar() {
        return Some(scalar);
    }
    let strides = vec![0; shape.extents().len()].into();
    let id = builder.intern(&Type { elem: literal.elem(), shape });
    let strides = builder.strides(&Strides { offset: 0, strides });
    builder.insert(Op::View(id, strides), &[scalar]).ok()
}
