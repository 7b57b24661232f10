use evolute_frontend::{
    Array, Bool, Compiled, Error, Function, I64, Tracing, array_of, matrix, scalar, scalars, vector,
    vector_of,
};

#[test]
fn arguments_mix_scalars_slices_and_arrays() -> Result<(), Error> {
    let f =
        Function::trace((scalar(), scalars(2), (matrix(2, 2), vector_of::<I64>(1))), |(t, x, (a, n))| {
            (a * t).sum() + x[0] * x[1] + n.sum().to_f64()
        })?;
    assert_eq!(f.eval((&2.0, &[3.0, 4.0], (&[1.0, 2.0, 3.0, 4.0], &[5])))?, 37.0);
    Ok(())
}

#[test]
fn results_of_any_shape() -> Result<(), Error> {
    let outputs = (scalars(2), (array_of::<Bool>(&[1, 2]), scalar()));
    let f =
        Function::trace_to(vector(2), outputs, |x| (x.elements(), (x.gt(0.0).reshape(&[1, 2]), x.sum())))?;
    assert_eq!(f.eval(&[1.0, -1.0])?, (vec![1.0, -1.0], (vec![true, false], 0.0)));
    Ok(())
}

#[test]
fn a_large_array_is_one_parameter() -> Result<(), Error> {
    let small = Tracing::default().limit(10);
    let f = small.trace(matrix(1000, 1000), |a| (a + 1.0).sum())?;
    assert!(f.program().len() <= 10);
    Ok(())
}

#[test]
fn lengths_are_checked() -> Result<(), Error> {
    let f = Function::trace((vector(2), matrix(2, 2)), |(x, a)| a.dot(x))?;
    let message = f.eval((&[1.0, 2.0], &[1.0; 3])).unwrap_err().to_string();
    assert_eq!(message, "input 1: expected f64[2, 2], found 3 elements of f64");
    let f: Compiled<_, _> = f.interpreted()?;
    let message = f.call((&[1.0, 2.0], &[1.0; 3])).unwrap_err().to_string();
    assert_eq!(message, "input 1: expected f64[2, 2], found 3 elements of f64");
    assert_eq!(f.call((&[1.0, 2.0], &[1.0, 0.0, 0.0, 1.0]))?, [1.0, 2.0]);
    Ok(())
}

#[test]
fn functions_of_arrays_are_used_in_others() -> Result<(), Error> {
    let norm = Function::trace((vector(3), scalar()), |(x, t)| x * t)?;
    let twice = Function::trace(vector(3), |x| {
        let y: Array<'_> = norm.call((*x, x.sum()));
        norm.call((y, y.at(0)))
    })?;
    assert_eq!(twice.eval(&[1.0, 1.0, 1.0])?, [9.0, 9.0, 9.0]);
    let wrong = Function::trace(vector(2), |x| norm.call((*x, x.sum())).sum());
    let message = wrong.unwrap_err().to_string();
    assert!(message.contains("expected 1 scalars, f64[3], found 1 scalars, f64[2]"), "{message}");
    Ok(())
}

#[test]
fn results_that_are_not_as_declared() {
    let f = Function::trace_to(vector(3), (scalar(), vector(2)), |x| (x.sum(), *x));
    let message = f.unwrap_err().to_string();
    assert!(message.contains("expected 1 scalars, f64[2], found 1 scalars, f64[3]"), "{message}");
}
