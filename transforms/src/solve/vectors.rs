//! Arithmetic on vectors and on matrices of vectors as rows.

use evolute_ir::{Builder, Elem, IrError, Literal, Op, Prim, Reduction, Strides, Type, Value};

/// A builder of vector arithmetic.
pub(crate) struct Vectors<'a>(pub(crate) &'a mut Builder);

impl Vectors<'_> {
    pub(crate) fn prim(&mut self, prim: Prim, operands: &[Value]) -> Result<Value, IrError> {
        self.0.insert(Op::Prim(prim), operands)
    }

    pub(crate) fn add(&mut self, a: Value, b: Value) -> Result<Value, IrError> {
        self.prim(Prim::Add, &[a, b])
    }

    pub(crate) fn mul(&mut self, a: Value, b: Value) -> Result<Value, IrError> {
        self.prim(Prim::Mul, &[a, b])
    }

    pub(crate) fn constant(&mut self, elem: Elem, x: f64) -> Value {
        self.0.constant(Literal::from_f64(elem, x))
    }

    fn view(&mut self, x: Value, ty: &Type, strides: &[i64]) -> Result<Value, IrError> {
        let strides = self.0.strides(&Strides { offset: 0, strides: strides.into() });
        let ty = self.0.intern(ty);
        self.0.insert(Op::View(ty, strides), &[x])
    }

    /// An array of equal elements.
    pub(crate) fn repeated(&mut self, x: Value, ty: &Type) -> Result<Value, IrError> {
        self.view(x, ty, &vec![0; ty.shape.extents().len()])
    }

    pub(crate) fn full(&mut self, ty: &Type, x: f64) -> Result<Value, IrError> {
        let x = self.constant(ty.elem, x);
        self.repeated(x, ty)
    }

    /// `xᵀ y`.
    pub(crate) fn inner(&mut self, x: Value, y: Value) -> Result<Value, IrError> {
        let products = self.mul(x, y)?;
        let elem = self.0.program().ty(x).elem;
        let scalar = self.0.intern(&Type::scalar(elem));
        self.0.insert(Op::Reduce(Reduction::Sum, scalar), &[products])
    }

    pub(crate) fn norm(&mut self, x: Value) -> Result<Value, IrError> {
        let square = self.inner(x, x)?;
        self.prim(Prim::Sqrt, &[square])
    }

    /// The largest magnitude of an element; a NaN wins.
    pub(crate) fn largest(&mut self, x: Value) -> Result<Value, IrError> {
        let ty = self.0.program().ty(x).clone();
        if ty.shape.is_empty() {
            return Ok(self.constant(ty.elem, 0.0));
        }
        let magnitudes = self.prim(Prim::Abs, &[x])?;
        let scalar = self.0.intern(&Type::scalar(ty.elem));
        self.0.insert(Op::Reduce(Reduction::Max, scalar), &[magnitudes])
    }

    /// `x` or `y`, by one condition for all elements.
    pub(crate) fn chosen(&mut self, condition: Value, x: Value, y: Value) -> Result<Value, IrError> {
        let shape = self.0.program().ty(x).shape.clone();
        let conditions = self.repeated(condition, &Type { elem: Elem::Bool, shape })?;
        self.0.insert(Op::Select, &[conditions, x, y])
    }

    /// `x / a` for a scalar `a`.
    pub(crate) fn over(&mut self, x: Value, a: Value) -> Result<Value, IrError> {
        let ty = self.0.program().ty(x).clone();
        let a = self.repeated(a, &ty)?;
        self.prim(Prim::Div, &[x, a])
    }

    /// `x ± a y` for a scalar `a`.
    pub(crate) fn plus(&mut self, x: Value, sign: Prim, a: Value, y: Value) -> Result<Value, IrError> {
        let ty = self.0.program().ty(x).clone();
        let a = self.repeated(a, &ty)?;
        let moved = self.mul(a, y)?;
        self.prim(sign, &[x, moved])
    }

    /// The inner products of the rows with `x`.
    pub(crate) fn along(&mut self, rows: Value, x: Value) -> Result<Value, IrError> {
        let (elem, m, n) = self.matrix(rows);
        let array = |extents: &[usize]| Type::array(elem, extents).expect("as large as before");
        let rows = self.view(rows, &array(&[1, m, n]), &[0, n as i64, 1])?;
        let x = self.view(x, &array(&[1, n, 1]), &[0, 1, 0])?;
        let products = self.0.insert(Op::Dot, &[rows, x])?;
        self.view(products, &array(&[m]), &[1])
    }

    /// `x` without these multiples of the rows.
    pub(crate) fn without(&mut self, x: Value, rows: Value, factors: Value) -> Result<Value, IrError> {
        let (elem, m, n) = self.matrix(rows);
        let array = |extents: &[usize]| Type::array(elem, extents).expect("as large as before");
        let factors = self.view(factors, &array(&[1, 1, m]), &[0, 0, 1])?;
        let rows = self.view(rows, &array(&[1, m, n]), &[0, n as i64, 1])?;
        let sum = self.0.insert(Op::Dot, &[factors, rows])?;
        let sum = self.view(sum, &array(&[n]), &[1])?;
        self.prim(Prim::Sub, &[x, sum])
    }

    /// The element kind and the extents of a matrix.
    fn matrix(&self, rows: Value) -> (Elem, usize, usize) {
        let ty = self.0.program().ty(rows);
        let &[m, n] = ty.shape.extents() else { unreachable!("a matrix has two axes") };
        (ty.elem, m as usize, n as usize)
    }
}
