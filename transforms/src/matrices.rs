//! Known code over matrices: products, transposes, masks of triangles.

use crate::linear::constant_like;
use evolute_ir::{Builder, Elem, IrError, Op, Prim, Shape, Strides, Type, Value};

/// The product of matrices, or of as many of them as both have.
pub(crate) fn product(builder: &mut Builder, a: Value, b: Value) -> Result<Value, IrError> {
    let extents = [a, b].map(|x| extents(builder, x));
    let [&[m, k], &[_, n]] = extents.each_ref().map(|e| &e[..]) else {
        return builder.insert(Op::Dot, &[a, b]);
    };
    let a = reshaped(builder, a, &[1, m, k])?;
    let b = reshaped(builder, b, &[1, k, n])?;
    let product = builder.insert(Op::Dot, &[a, b])?;
    reshaped(builder, product, &[m, n])
}

/// Each matrix, the last two axes, transposed.
pub(crate) fn turned(builder: &mut Builder, matrices: Value) -> Result<Value, IrError> {
    let mut extents = extents(builder, matrices);
    let axes = extents.len();
    let mut strides = row_major(builder, matrices);
    extents.swap(axes - 2, axes - 1);
    strides.swap(axes - 2, axes - 1);
    view(builder, matrices, &extents, strides)
}

/// For each element of a matrix like this one whether its row and its column compare so: `Gt` below the diagonal.
pub(crate) fn mask(builder: &mut Builder, like: Value, comparison: Prim) -> Result<Value, IrError> {
    let [row, column] = indices(builder, like)?;
    builder.insert(Op::Prim(comparison), &[row, column])
}

/// The number of each element's row, and of its column.
fn indices(builder: &mut Builder, like: Value) -> Result<[Value; 2], IrError> {
    let extents = extents(builder, like);
    let along = |builder: &mut Builder, axis: usize| {
        let ty = Type::array(Elem::I64, &extents[axis..=axis]).expect("no larger than the matrix");
        let ty = builder.intern(&ty);
        let numbers = builder.insert(Op::Iota(ty), &[])?;
        let strides = [0, 1].map(|k| i64::from(k == axis));
        view(builder, numbers, &extents, strides.into())
    };
    Ok([along(builder, 0)?, along(builder, 1)?])
}

/// The identity matrix like this one.
pub(crate) fn identity(builder: &mut Builder, like: Value) -> Result<Value, IrError> {
    let diagonal = mask(builder, like, Prim::Eq)?;
    let [one, zero] = [constant_like(builder, like, 1.0)?, constant_like(builder, like, 0.0)?];
    builder.insert(Op::Select, &[diagonal, one, zero])
}

/// A vector repeated, along this axis of a matrix like that one.
pub(crate) fn along(
    builder: &mut Builder,
    vector: Value,
    axis: usize,
    like: Value,
) -> Result<Value, IrError> {
    let extents = extents(builder, like);
    let strides = [0, 1].map(|k| i64::from(k == axis));
    view(builder, vector, &extents, strides.into())
}

fn extents(builder: &Builder, x: Value) -> Vec<usize> {
    builder.program().ty(x).shape.extents().iter().map(|&extent| extent as usize).collect()
}

fn row_major(builder: &Builder, x: Value) -> Vec<i64> {
    Strides::row_major(&builder.program().ty(x).shape).strides.into()
}

/// The same elements with other extents.
pub(crate) fn reshaped(builder: &mut Builder, x: Value, extents: &[usize]) -> Result<Value, IrError> {
    let ty = Type::array(builder.program().ty(x).elem, extents).expect("as large as before");
    let strides = Strides::row_major(&ty.shape).strides.into();
    view(builder, x, extents, strides)
}

fn view(builder: &mut Builder, x: Value, extents: &[usize], strides: Vec<i64>) -> Result<Value, IrError> {
    let ty = Type::array(builder.program().ty(x).elem, extents);
    let Some(ty) = ty else { return Err(IrError::Array { limit: Shape::MAX_ELEMENTS }) };
    let (ty, strides) =
        (builder.intern(&ty), builder.strides(&Strides { offset: 0, strides: strides.into() }));
    builder.insert(Op::View(ty, strides), &[x])
}
