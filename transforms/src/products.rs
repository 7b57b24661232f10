//! The partial derivatives of a product of many factors, without dividing by any of them.

use evolute_ir::{Builder, IrError, Literal, LoopSpec, Op, Prim, Shape, Strides, Trips, Type, Value};

/// For each element of `factors`, the product of all others that are multiplied with it: those of the same
/// one of `kept` rows. Costs two multiplications an element.
pub(crate) fn of_others(builder: &mut Builder, factors: Value, kept: usize) -> Result<Value, IrError> {
    let ty = builder.program().ty(factors).clone();
    let count = ty.shape.len() / kept.max(1);
    let array = |extents: &[usize]| Type::array(ty.elem, extents).expect("no larger than the factors");
    // One row a factor, so that a loop over rows multiplies all products at once.
    let columns = array(&[count, kept]);
    let turned = Strides { offset: 0, strides: [1, count as i64].into() };
    let rows = view(builder, factors, &columns, &turned)?;
    let before = running(builder, rows, &array(&[kept]), count, false)?;
    let after = running(builder, rows, &array(&[kept]), count, true)?;
    let others = builder.insert(Op::Prim(Prim::Mul), &[before, after])?;
    let back = array(&[kept, count]);
    let others = view(builder, others, &back, &Strides { offset: 0, strides: [1, kept as i64].into() })?;
    view(builder, others, &ty, &Strides::row_major(&ty.shape))
}

fn view(builder: &mut Builder, x: Value, ty: &Type, strides: &Strides) -> Result<Value, IrError> {
    let (ty, strides) = (builder.intern(ty), builder.strides(strides));
    builder.insert(Op::View(ty, strides), &[x])
}

/// For each row the product of all rows before it, or after it.
fn running(
    builder: &mut Builder,
    rows: Value,
    row: &Type,
    count: usize,
    reverse: bool,
) -> Result<Value, IrError> {
    let one = builder.constant(Literal::from_f64(row.elem, 1.0));
    let everywhere = Strides { offset: 0, strides: [0].into() };
    let ones = view(builder, one, row, &everywhere)?;
    builder.open_region();
    builder.param(&Type { elem: evolute_ir::Elem::I64, shape: Shape::scalar() });
    let (product, factor) = (builder.param(row), builder.param(row));
    let next = builder.insert(Op::Prim(Prim::Mul), &[product, factor]);
    let body = builder.close_region(&[*next.as_ref().unwrap_or(&product), product])?;
    next?;
    let spec = LoopSpec { reverse, carries: 1, rows: 1, ..LoopSpec::new(Trips::Fixed(count as u32)) };
    Ok(builder.looping(spec, None, body, &[ones, rows])?[1])
}
