//! Dense linear algebra as a user writes it: values, derivatives, mistakes, and how often a matrix is factorised.

use crate::{mistake, operations};
use evolute_frontend::{
    Array, Error, F32, Function, TraceError, array_of, map, map_rows, matrix, scalar, scan, sum, vector,
};

/// A matrix whose symmetric part has eigenvalues that are positive and apart.
fn example(m: usize, n: usize) -> Vec<f64> {
    let diagonal = |i: usize, j: usize| if i == j { 2.0 + i as f64 } else { 0.0 };
    let other = |i: usize, j: usize| ((7 * i + 3 * j + i * j) % 11) as f64 / 11.0 - 0.4;
    (0..m * n).map(|flat| diagonal(flat / n, flat % n) + other(flat / n, flat % n)).collect()
}

#[track_caller]
fn close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    let worst = found.iter().zip(expected).map(|(f, e)| (f - e).abs()).fold(0.0, f64::max);
    assert!(worst <= tolerance, "{found:?}\n{expected:?}");
}

type Method = for<'t> fn(Array<'t>) -> Array<'t>;

#[test]
fn derivatives_are_those_of_finite_differences() -> Result<(), Error> {
    let a = example(4, 4);
    let of_matrix: [(&str, Method); 9] = [
        ("cholesky", |a| a.cholesky()),
        ("inverse", |a| a.inverse()),
        ("solve", |a| a.solve(a.transpose().row(0))),
        ("triangles", |a| a.solve_upper(a.solve_lower(a.row(1)))),
        ("transposed triangles", |a| a.solve_upper_transposed(a.solve_lower_transposed(a.row(1)))),
        ("eigenvectors", |a| a.eigh().1 * a.eigvalsh()),
        ("orthonormal", |a| a.qr().0),
        ("triangular", |a| a.qr().1),
        ("determinants", |a| Array::of(&[a.det(), a.logdet(), a.slogdet().1])),
    ];
    for (name, method) in of_matrix {
        let f = Function::trace(matrix(4, 4), |a| {
            let y = method(*a);
            (y * y).sum() + y.sum().sin()
        })?;
        let gradient = f.grad()?;
        let check = f.check_derivatives(&a)?;
        assert!(check.passed(), "{name}: {check}");
        let hvp = f.hvp()?;
        let v: Vec<f64> = (0..16).map(|i| ((5 * i + 2) % 7) as f64 - 3.0).collect();
        let moved = |h: f64| gradient.eval(&a.iter().zip(&v).map(|(a, v)| a + h * v).collect::<Vec<_>>());
        let h = 1e-6;
        let (plus, minus) = (moved(h)?, moved(-h)?);
        let expected: Vec<f64> = plus.iter().zip(&minus).map(|(p, m)| (p - m) / (2.0 * h)).collect();
        let scale = expected.iter().fold(1.0f64, |scale, x| scale.max(x.abs()));
        let found = hvp.eval((&a, &v))?;
        close(&found, &expected, 1e-7 * scale);
    }
    Ok(())
}

#[test]
fn a_matrix_is_factorised_once() -> Result<(), Error> {
    let f = Function::trace((matrix(3, 3), vector(3)), |(a, b)| {
        b.inner(a.solve(b)) + a.logdet() + a.inverse().trace().item()
    })?;
    let count = |text: String, name: &str| text.matches(&format!(" = {name} ")).count();
    assert_eq!(count(f.to_string(), "lu"), 1);
    let hvp = f.wrt::<0>().hvp()?;
    let stages = hvp.stages()?;
    let last = &stages.last().expect("a pass").program;
    assert_eq!(count(last.to_string(), "lu"), 1, "{last}");
    let e = Function::trace(matrix(3, 3), |a| {
        let (w, v) = a.eigh();
        w.sum() + v.sum() + a.eigvalsh().maximum()
    })?;
    assert_eq!(count(e.to_string(), "eigen"), 1);
    Ok(())
}

#[test]
fn more_columns_than_rows() -> Result<(), Error> {
    let spec = (matrix(2, 5), (matrix(2, 2), matrix(2, 5), matrix(2, 5)));
    let f = Function::trace_to(spec.0, spec.1, |a| {
        let (q, r) = a.qr();
        (q, r, q.dot(r))
    })?;
    let a = example(2, 5);
    let (q, r, product) = f.eval(&a)?;
    close(&product, &a, 1e-14);
    close(&[q[0] * q[1] + q[2] * q[3], r[5]], &[0.0, 0.0], 1e-15);
    let loss = Function::trace(matrix(2, 5), |a| {
        let (q, r) = a.qr();
        (q.sum() * r).sum().sin()
    })?;
    assert!(loss.check_derivatives(&a)?.passed());
    Ok(())
}

#[test]
fn single_precision_is_double_rounded() -> Result<(), Error> {
    let f = Function::trace(array_of::<F32>(&[2, 2]), |a| a.cholesky())?;
    let double = Function::trace(matrix(2, 2), |a| a.cholesky())?;
    let a = [3.0, 1.0, 1.0, 2.0];
    let expected: Vec<f32> = double.eval(&a)?.iter().map(|&x| x as f32).collect();
    assert_eq!(f.eval(&a.map(|x| x as f32))?, expected);
    let det = Function::trace(array_of::<F32>(&[2, 2]), |a| a.det())?;
    assert_eq!(det.grad()?.eval(&a.map(|x| x as f32))?, [2.0, -1.0, -1.0, 3.0]);
    Ok(())
}

/// A batch is a loop, and what does not depend on its number is factorised before it.
#[test]
fn batches_are_loops() -> Result<(), Error> {
    let f = Function::trace((matrix(3, 3), matrix(4, 3)), |(a, b)| {
        let x: Array<'_> = map_rows(*b, |b| a.solve(b));
        (x * x).sum()
    })?;
    let (a, b) = (example(3, 3), example(4, 3));
    assert!(f.check_derivatives((&a, &b))?.passed());
    let stages = f.grad()?.stages()?;
    let text = stages.last().expect("a pass").program.to_string();
    let (before, _) = text.split_once("loop").expect("a loop");
    assert!(before.contains(" = lu ") && text.matches(" = lu ").count() == 1, "{text}");

    let growing = Function::trace((matrix(3, 3), vector(3)), |(a, x)| {
        let last = scan(3, *x, |x, _| a.solve(x).sin() + x);
        let total = sum(3, |i| (a.cholesky() * (i.to_f64() + 1.0)).sum());
        let logs: Array<'_> = map(2, |i| (a * (i.to_f64() + 1.0)).logdet());
        last.sum() + total + logs.sum()
    })?;
    assert!(growing.check_derivatives((&a, &[0.5, 0.2, -0.3]))?.passed());
    Ok(())
}

/// First derivatives of functions of the eigenvalues that are symmetric in them; the eigenvectors' are not finite.
#[test]
fn equal_eigenvalues() -> Result<(), Error> {
    let identity = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    let squares = Function::trace(matrix(3, 3), |a| {
        let w = a.eigvalsh();
        (w * w * w).sum()
    })?;
    close(&squares.grad()?.eval(&identity)?, &identity.map(|x| 3.0 * x), 1e-14);
    let vectors = Function::trace(matrix(3, 3), |a| (a.eigh().1 * a).sum())?;
    assert!(vectors.grad()?.eval(&identity)?.iter().any(|x| !x.is_finite()));
    Ok(())
}

#[test]
fn the_logarithm_of_a_negative_determinant_has_no_derivatives() {
    let f = Function::trace(matrix(2, 2), |a| a.logdet()).unwrap();
    let (swap, v) = ([0.0, 1.0, 1.0, 0.0], [1.0; 4]);
    let all = [f.grad().unwrap().eval(&swap).unwrap(), f.hvp().unwrap().eval((&swap, &v)).unwrap()].concat();
    assert!(all.iter().all(|d| d.is_nan()), "{all:?}");
}

#[test]
fn bad_matrices_give_nan() -> Result<(), Error> {
    let f = Function::trace_to(matrix(2, 2), (scalar(), scalar(), scalar(), scalar()), |a| {
        (a.cholesky().sum(), a.logdet(), a.eigvalsh().sum(), a.solve([1.0, 1.0]).sum())
    })?;
    let (l, log, w, x) = f.eval(&[1.0, 2.0, 2.0, 1.0])?;
    assert!(l.is_nan() && log.is_nan() && w == 2.0 && (x - 2.0 / 3.0).abs() < 1e-15);
    let (l, log, w, x) = f.eval(&[1.0, f64::NAN, 0.0, 1.0])?;
    assert!([l, log, w, x].iter().all(|x| x.is_nan()));
    let (_, log, _, x) = f.eval(&[1.0, 1.0, 1.0, 1.0])?;
    assert!(log == f64::NEG_INFINITY && !x.is_finite());
    Ok(())
}

/// Traces a mistake of shape, in the next line.
macro_rules! shape_mistake {
    ($spec:expr, |$x:ident| $body:expr, $message:literal) => {
        let f = Function::trace($spec, |$x| $body);
        let error = mistake(f, file!(), line!());
        assert!(matches!(error, TraceError::Shape { .. }), "{error:?}");
        assert!(error.to_string().contains($message), "{error}");
    };
}

#[test]
#[rustfmt::skip]
fn mistakes() {
    shape_mistake!(matrix(2, 3), |a| a.cholesky().sum(), "`cholesky` expects a square matrix, found [2, 3]");
    shape_mistake!(matrix(2, 3), |a| a.inverse().sum(), "`inverse` expects a square matrix, found [2, 3]");
    shape_mistake!(matrix(2, 3), |a| a.det(), "`det` expects a square matrix, found [2, 3]");
    shape_mistake!(matrix(2, 3), |a| a.logdet(), "`logdet` expects a square matrix, found [2, 3]");
    shape_mistake!(matrix(2, 3), |a| a.slogdet().0, "`slogdet` expects a square matrix, found [2, 3]");
    shape_mistake!(matrix(2, 3), |a| a.eigh().1.sum(), "`eigh` expects a square matrix, found [2, 3]");
    shape_mistake!(vector(3), |a| a.eigvalsh().sum(), "`eigvalsh` expects a square matrix, found [3]");
    shape_mistake!(vector(3), |a| a.qr().0.sum(), "`qr` expects a matrix, found [3]");
    shape_mistake!(matrix(2, 3), |a| a.solve([1.0, 2.0]).sum(), "`solve` expects a square matrix");
    shape_mistake!(matrix(2, 2), |a| a.solve([1.0, 2.0, 3.0]).sum(), "`solve` expects a square matrix, and a vector or a matrix of as many rows, found [2, 2] and [3]");
    shape_mistake!(matrix(2, 2), |a| a.solve_lower(a.sum()).sum(), "`solve_lower` expects a square matrix, and a vector");
}

#[test]
fn methods_are_a_few_instructions() -> Result<(), Error> {
    let f = Function::trace(matrix(5, 5), |a| a.cholesky())?;
    assert_eq!(operations(&f), ["cholesky"]);
    let f = Function::trace((matrix(5, 5), vector(5)), |(a, b)| a.solve(b))?;
    assert_eq!(operations(&f), ["view", "lu", "lu_solve", "view"]);
    Ok(())
}
