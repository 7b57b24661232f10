//! What rules ask of a program under construction, and how they add to it.

use evolute_ir::{Builder, Elem, IrError, Literal, Op, Prim, Value};

/// Questions of the rules of [`rules`](super::rules).
pub(crate) trait Matching {
    /// The operands of `value` if it is the result of `prim`.
    fn match_prim<const N: usize>(&self, prim: Prim, value: Value) -> Option<[Value; N]>;
    /// The real constant that `value` is.
    fn real(&self, value: Value) -> Option<f64>;
    /// Whether `value` is the real constant `x`, sign of zero included.
    fn is_real(&self, value: Value, x: f64) -> bool;
    /// The integer constant that `value` is.
    fn int(&self, value: Value) -> Option<i64>;
    /// The truth value that `value` is.
    fn truth(&self, value: Value) -> Option<bool>;
    /// A real constant of the element kind of `like`, if it holds `x` exactly and `like` is a scalar.
    fn constant_like(&mut self, like: Value, x: f64) -> Option<Value>;
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

    fn real(&self, value: Value) -> Option<f64> {
        self.program().as_const(value)?.as_real()
    }

    fn is_real(&self, value: Value, x: f64) -> bool {
        self.real(value).is_some_and(|c| c.to_bits() == x.to_bits())
    }

    fn int(&self, value: Value) -> Option<i64> {
        match self.program().as_const(value)? {
            Literal::I64(n) => Some(n),
            Literal::F64(_) | Literal::F32(_) | Literal::Bool(_) => None,
        }
    }

    fn truth(&self, value: Value) -> Option<bool> {
        match self.program().as_const(value)? {
            Literal::Bool(b) => Some(b),
            Literal::F64(_) | Literal::F32(_) | Literal::I64(_) => None,
        }
    }

    fn constant_like(&mut self, like: Value, x: f64) -> Option<Value> {
        let ty = self.program().ty(like);
        let literal = Literal::from_f64(ty.elem, x);
        let exact = ty.is_scalar() && literal.as_real().is_some_and(|c| c.to_bits() == x.to_bits());
        exact.then(|| self.constant(literal))
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
