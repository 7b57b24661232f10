//! Mistakes are returned with the user's line, and the closure goes on with arrays of the right shape.

use crate::mistake;
use evolute_frontend::{
    Array, Error, Function, I64, Scalar, TraceError, concat, cond, einsum, grad, map, map_rows, matrix,
    scalar, scalar_of, scan, sum, sum_rows, vector, vmap, while_loop,
};

/// Traces a mistake of shape, in the next line.
macro_rules! shape_mistake {
    ($spec:expr, |$x:ident| $body:expr, $message:literal) => {
        let f = Function::trace($spec, |$x| $body.sum());
        let error = mistake(f, file!(), line!());
        assert!(matches!(error, TraceError::Shape { .. }), "{error:?}");
        assert!(error.to_string().contains($message), "{error}");
    };
}

#[test]
#[rustfmt::skip]
fn of_shape() {
    shape_mistake!(matrix(2, 3), |a| (a + a.transpose()), "`add` expects shapes that broadcast, found [2, 3] and [3, 2]");
    shape_mistake!(matrix(2, 3), |a| a.reshape(&[4]), "`reshape` expects 4 elements, found [2, 3]");
    shape_mistake!(matrix(2, 3), |a| a.broadcast_to(&[3, 3]), "a shape that broadcasts to [3, 3], found [2, 3]");
    shape_mistake!(matrix(2, 3), |a| a.permute(&[0, 0]), "`permute` expects each of 2 axes once, found [0, 0]");
    shape_mistake!(matrix(2, 3), |a| a.slice(1, 2..4), "a range within 0..3 and a step, found 2..4 by 1");
    shape_mistake!(matrix(2, 3), |a| a.slice(2, 0..1), "an array with axis 2, found f64[2, 3]");
    shape_mistake!(matrix(2, 3), |a| a.sum_along(2), "`sum_along` expects an array with axis 2, found f64[2, 3]");
    shape_mistake!(matrix(2, 3), |a| a.diagonal(), "two last axes of one extent");
    shape_mistake!(matrix(2, 3), |a| a.dot(a), "`dot` expects a last axis and a first one of the same extent");
    shape_mistake!(matrix(2, 3), |a| a.matmul(a), "`matmul` expects matrices");
    shape_mistake!(matrix(2, 3), |a| a.row(2), "`row` expects an index in 0..2 for axis 0, found 2");
    shape_mistake!(matrix(2, 3), |a| a.part((0, -1)), "an index in 0..3 for axis 1, found -1");
    shape_mistake!(matrix(2, 3), |a| concat(&[*a, a.transpose()], 0), "arrays like [2, 3] but for axis 0, found [3, 2]");
    shape_mistake!(matrix(2, 3), |a| einsum("ij,jk->ik", &[*a, *a]), "operand 1 with extent 3 of j, as operand 0, found [2, 3]");
    shape_mistake!(matrix(2, 3), |a| einsum("ij", &[*a]), "subscripts with an arrow");
    shape_mistake!(matrix(2, 3), |a| einsum("ij->ik", &[*a]), "each label of the result once, and in an operand");
    shape_mistake!(matrix(2, 3), |a| map_rows((*a, a.transpose()), |(a, b)| a.sum() + b.sum()), "arrays of 2 rows, found f64[3, 2]");
    shape_mistake!(matrix(2, 3), |a| vmap(|(a, b)| a.sum() + b.sum(), (*a, a.transpose())), "`vmap` expects arrays of 2 rows");
    shape_mistake!(matrix(2, 3), |a| sum_rows((*a, a.transpose()), |(a, b)| a * b.sum()), "`sum_rows` expects arrays of 2 rows");
    shape_mistake!(matrix(2, 3), |a| einsum("ij,jkl->ik", &[*a, *a]), "operand 1 with 3 axes, found [2, 3]");
    shape_mistake!(matrix(2, 3), |a| a.slice_step(1, 0..3, 0), "`slice_step` expects a range within 0..3 and a step, found 0..3 by 0");
    shape_mistake!(matrix(2, 3), |a| a.reversed(2), "`reversed` expects an array with axis 2");
    shape_mistake!(matrix(2, 3), |a| a.maximum_along(2), "`maximum_along` expects an array with axis 2");
    shape_mistake!(matrix(2, 3), |a| a.std_along(2), "`std_along` expects an array with axis 2");
    shape_mistake!(matrix(2, 0), |a| a.argmax_along(1), "`argmax_along` expects an element to find, found none");
    shape_mistake!(matrix(2, 3), |a| a.expand_dims(3), "`expand_dims` expects an array of at least 3 axes, found f64[2, 3]");
    shape_mistake!(matrix(2, 3), |a| a.squeeze(0), "`squeeze` expects extent 1 of axis 0, found f64[2, 3]");
    shape_mistake!(matrix(2, 3), |a| a.squeeze(2), "`squeeze` expects an array with axis 2");
    shape_mistake!(matrix(2, 3), |a| a.scatter_add([0], a), "updates [1, 3], found [2, 3]");
    shape_mistake!(matrix(2, 3), |a| Array::constants(&[2], &[1.0]).dot(a), "2 elements, found 1");
}

#[test]
fn of_functions_and_closures() -> Result<(), Error> {
    let norm = Function::trace(vector(2), |x| x.norm2())?;
    let error = mistake(Function::trace(vector(3), |x| norm.call(*x)), file!(), line!());
    assert!(
        error.to_string().ends_with(": the argument of `call`: expected f64[2], found f64[3]"),
        "{error}"
    );
    let error = mistake(Function::trace_to(vector(3), vector(2), |x| *x), file!(), line!());
    assert!(error.to_string().ends_with(": the closure's result: expected f64[2], found f64[3]"), "{error}");
    Ok(())
}

#[test]
fn of_rank() {
    let f = Function::trace(matrix(2, 3), |a| a.at(1));
    let error = mistake(f, file!(), line!() - 1);
    assert!(error.to_string().contains("`at` expects 2 indices, found 1; `part` gives an array"), "{error}");
    let f = Function::trace(matrix(2, 3), |a| a.item());
    let error = mistake(f, file!(), line!() - 1);
    assert!(error.to_string().contains("`item` expects one element, found f64[2, 3]"), "{error}");
}

#[test]
fn the_closure_goes_on_with_the_right_shape() {
    let f = Function::trace((matrix(2, 3), vector(2)), |(a, x)| {
        let y = a.dot(x);
        assert_eq!(y.shape(), [2]);
        let z = (a.reshape(&[5]) + 1.0).exp();
        assert_eq!(z.shape(), [5]);
        let w: Array<'_> = map(4, |i| z.at(i) * a);
        assert_eq!(w.shape(), [4, 2, 3]);
        z.sum() + scan(2, y, |y, _| y * 2.0).at(1)
    });
    mistake(f, file!(), line!() - 8);
}

#[test]
fn of_carries() {
    let f = Function::trace(vector(3), |x| scan(3, *x, |x, _| x.slice(0, 0..2)).sum());
    let error = mistake(f, file!(), line!() - 1);
    assert!(error.to_string().contains("an iteration is given (f64[3]) and gives (f64[2])"), "{error}");
    let f = Function::trace(scalar(), |x| while_loop(vec![*x], |x| x[0].gt(1.0), |x| vec![x[0], x[0]])[0]);
    let error = mistake(f, file!(), line!() - 1);
    assert!(matches!(error, TraceError::Carry { .. }), "{error}");
}

#[test]
fn of_branches() {
    let f = Function::trace(vector(3), |x| cond(x.sum().gt(0.0), || *x, || x.slice(0, 1..2)).sum());
    let error = mistake(f, file!(), line!() - 1);
    assert!(error.to_string().contains("one branch gives (f64[3]), the other (f64[1])"), "{error}");
}

#[test]
fn of_counts() {
    let f = Function::trace(scalar_of::<I64>(), |n| sum(n, |i| i));
    let error = mistake(f, file!(), line!() - 1);
    assert!(error.to_string().contains("no known bound: use `at_most`"), "{error}");
}

#[test]
fn values_that_escape_a_loop() {
    let f = Function::trace(scalar(), |x| {
        let mut total = Scalar::from(0.0);
        let last = sum(3, |i| {
            total += x * i.to_f64();
            *x
        });
        last + total
    });
    let error = mistake(f, file!(), line!() - 2);
    assert!(error.to_string().contains(&format!("made at {}:{}", file!(), line!() - 6)), "{error}");
}

#[test]
fn values_of_another_branch() {
    let f = Function::trace(scalar(), |x| {
        let kept = std::cell::Cell::new(*x);
        cond(
            x.gt(0.0),
            || {
                kept.set(x.sin());
                *x
            },
            || kept.get() * 2.0,
        )
    });
    mistake(f, file!(), line!() - 3);
}

#[test]
fn a_panic_caught_inside_of_the_trace() {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    let f = Function::trace(vector(2), |x| {
        let inner = AssertUnwindSafe(|| sum(2, |i| if x.rank() == 1 { panic!("caught") } else { x.at(i) }));
        let _ = catch_unwind(inner);
        sum(2, |i| x.at(i))
    });
    let error = mistake(f, file!(), line!() - 4);
    assert!(matches!(error, TraceError::Panicked { .. }), "{error}");
}

#[test]
fn derivatives_with_respect_to_integers_do_not_compile_but_in_functions_are_errors() -> Result<(), Error> {
    let f = Function::trace((scalar(), scalar_of::<I64>()), |(x, n)| grad(|x| x.powi_traced(*n), *x))?;
    assert!(f.grad().is_err());
    Ok(())
}

#[test]
fn arrays_past_the_limits() {
    let f = Function::trace(vector(3), |x| x.broadcast_to(&[1 << 20, 1 << 20, 3]).sum());
    let error = mistake(f, file!(), line!() - 1);
    assert!(matches!(error, TraceError::Extent { .. }), "{error}");
    let f = Function::trace(vector(3), |x| map(1 << 31, |_| *x).sum());
    mistake(f, file!(), line!() - 1);
    // Empty, but for the axes that are not.
    for extents in [[0, usize::MAX], [usize::MAX, 0]] {
        let f = Function::trace(scalar(), |x| x + Array::full(&extents, 1.0).sum());
        let error = mistake(f, file!(), line!() - 1);
        assert!(error.to_string().contains(&format!("an array of {} elements", usize::MAX)), "{error}");
    }
    let f = Function::trace(scalar(), |x| x + Array::full(&[0, 1 << 31, 1 << 31, 1 << 31], 1.0).sum());
    mistake(f, file!(), line!() - 1);
    let f = Function::trace(matrix(2, 3), |x| x.pad(0, isize::MAX as usize, 0).sum());
    mistake(f, file!(), line!() - 1);
}

/// A step past the end of the range takes its first index, or its last.
#[test]
fn long_steps() -> Result<(), Error> {
    let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    for (step, row) in [(isize::MAX, 0), (isize::MIN, 1), (2, 0), (-2, 1)] {
        let f = Function::trace(matrix(2, 3), |x| x.slice_step(0, 0..2, step))?;
        assert_eq!(f.eval(&x)?, x[3 * row..3 * row + 3]);
        let f = Function::trace(matrix(2, 3), |x| x.slice_step(0, 0..2, step).sum())?;
        assert_eq!(f.grad()?.eval(&x)?, [0, 1].map(|k| [f64::from(k == row); 3]).concat());
    }
    Ok(())
}
