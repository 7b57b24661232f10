use crate::operations;
use evolute_frontend::{
    Error, Function, I64, Scalar, cond, grad, map, matrix, scalar, scalar_of, sum, vector, vector_of,
};

#[test]
fn constant_indices_are_views_and_elements() -> Result<(), Error> {
    let f = Function::trace(matrix(2, 3), |a| a.at((1, 2)) + a.at((0usize, 1i64)) + a.row(1).at(0))?;
    assert_eq!(f.eval(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])?, 12.0);
    assert!(!operations(&f).contains(&"at".to_string()), "{f}");
    Ok(())
}

#[test]
fn computed_indices_are_checked_by_the_call() -> Result<(), Error> {
    let f = Function::trace((matrix(2, 2), scalar_of::<I64>()), |(a, i)| a.at((i, i + 1)) * a.row(i).sum())?;
    assert_eq!(f.eval((&[1.0, 2.0, 3.0, 4.0], &0))?, 6.0);
    let message = f.eval((&[1.0, 2.0, 3.0, 4.0], &1)).unwrap_err().to_string();
    assert!(message.contains("index out of range") && message.contains("index.rs"), "{message}");
    Ok(())
}

#[test]
fn affine_indices_make_rows_of_the_loop() -> Result<(), Error> {
    let f = Function::trace((vector(8), matrix(8, 3)), |(x, a)| {
        sum(4, |i| {
            x.at(i) * x.at(2 * i + 1) + x.at(7 - i) + a.row(i + 1).sum() + a.at((i, 2)) * a.at((3, i % 3))
        })
    })?;
    let text = f.to_string();
    assert!(text.contains("rows 5 sums 1"), "{text}");
    assert_eq!(text.matches(" = at ").count(), 1, "only the remainder is no row: {text}");
    let x: Vec<f64> = (0..8).map(f64::from).collect();
    let a: Vec<f64> = (0..24).map(|k| f64::from(k * k % 11)).collect();
    let term = |i: usize| {
        let row: f64 = a[3 * (i + 1)..3 * (i + 2)].iter().sum();
        x[i] * x[2 * i + 1] + x[7 - i] + row + a[3 * i + 2] * a[9 + i % 3]
    };
    assert_eq!(f.eval((&x, &a))?, (0..4).map(term).sum::<f64>());
    Ok(())
}

/// A sum over the elements of a matrix of 3 rows and 4 columns, each with its neighbours to the right and below.
#[test]
fn indices_affine_in_several_loops_make_rows_of_rows() -> Result<(), Error> {
    fn term<'t>(a: Scalar<'t>, right: Scalar<'t>, below: Scalar<'t>) -> Scalar<'t> {
        a * right - below
    }
    let by_axes = Function::trace(vector(12), |x| {
        let x = x.reshape(&[3, 4]);
        sum(2, |i| sum(3, |j| term(x.at((i, j)), x.at((i, j + 1)), x.at((i + 1, j)))))
    })?;
    let by_rows = Function::trace(vector(12), |x| {
        let x = x.reshape(&[3, 4]);
        sum(2, |i| sum(3, |j| term(x.row(i).at(j), x.row(i).at(j + 1), x.row(i + 1).at(j))))
    })?;
    let flat = Function::trace(vector(12), |x| {
        sum(2, |i| sum(3, |j| term(x.at(4 * i + j), x.at(4 * i + j + 1), x.at((i + 1) * 4 + j))))
    })?;
    let columns_first = Function::trace(vector(12), |x| {
        sum(3, |j| sum(2, |i| term(x.at(4 * i + j), x.at(j + 1 + i * 4), x.at(4 * i + 4 + j))))
    })?;
    let x: Vec<f64> = (0..12).map(|k| f64::from(k * k % 7)).collect();
    let at = |i: usize, j: usize| x[4 * i + j];
    let expected: f64 =
        (0..6).map(|k| (k / 3, k % 3)).map(|(i, j)| at(i, j) * at(i, j + 1) - at(i + 1, j)).sum();
    for f in [&by_axes, &by_rows, &flat, &columns_first] {
        assert!(!f.to_string().contains(" = at "), "{f}");
        assert_eq!(f.eval(&x)?, expected);
        assert_eq!(f.grad()?.eval(&x)?, by_axes.grad()?.eval(&x)?);
        assert!(f.check_derivatives(&x)?.passed());
    }
    Ok(())
}

/// Rows that overlap are made of an index only as long as they are not much more than the array.
#[test]
fn overlapping_rows_are_few() -> Result<(), Error> {
    let correlation = |n: usize, m: usize| {
        Function::trace((vector(n), vector(m)), move |(x, w)| {
            map(n - m + 1, |i| sum(m, |j| x.at(i + j) * w.at(j)))
        })
    };
    for (n, m) in [(20, 3), (20, 10)] {
        let f = correlation(n, m)?;
        assert_eq!(f.to_string().contains(" = at "), m > 4, "{f}");
        let (x, w): (Vec<f64>, Vec<f64>) = ((0..n).map(|i| i as f64).collect(), vec![1.0; m]);
        let expected: Vec<f64> = x.windows(m).map(|x| x.iter().sum()).collect();
        assert_eq!(f.eval((&x, &w))?, expected);
        assert!(f.check_derivatives((&x, &w))?.passed());
    }
    Ok(())
}

/// Also where a branch or an inner derivative lies between the loop and the index.
#[test]
fn rows_of_a_loop_inside_of_other_regions() -> Result<(), Error> {
    let f = Function::trace(vector(4), |x| {
        sum(3, |i| {
            let chosen = cond(i.gt(0), || x.at(i + 1), || 2.0 * x.at(i));
            chosen + grad(|y| y * y * x.at(i), x.at(i + 1))
        })
    })?;
    assert!(!f.to_string().contains(" = at "), "{f}");
    assert_eq!(f.eval(&[1.0, 2.0, 3.0, 4.0])?, 2.0 + 4.0 + 3.0 + 12.0 + 4.0 + 24.0);
    assert!(f.check_derivatives(&[1.0, 2.0, 3.0, 4.0])?.passed());
    Ok(())
}

/// A part of an array is taken where the array is made, so that its derivative is that of a part.
#[test]
fn parts_are_taken_outside_of_loops() -> Result<(), Error> {
    let f = Function::trace(vector(1000), |x| sum(50, |i| (x.slice(0, 3..5) * i.to_f64()).sum()))?;
    let gradient = f.grad()?;
    let text = gradient.stages()?.pop().expect("a stage").program.to_string();
    let (_, body) = text.split_once(" = loop ").expect("a loop");
    assert!(!body.split_once("yield").expect("an end").0.contains("spread"), "{text}");
    assert_eq!(gradient.eval(&[0.0; 1000])?[2..6], [0.0, 1225.0, 1225.0, 0.0]);
    Ok(())
}

#[test]
fn an_affine_index_that_may_leave_the_array_is_computed() -> Result<(), Error> {
    let f = Function::trace(vector(4), |x| sum(4, |i| x.at(i + 1)))?;
    assert!(f.to_string().contains(" = at "), "{f}");
    assert!(f.eval(&[1.0; 4]).is_err());
    let f = Function::trace(vector(4), |x| sum(4, |i| x.at((i + 1).min(3))))?;
    assert_eq!(f.eval(&[1.0, 2.0, 3.0, 4.0])?, 13.0);
    Ok(())
}

#[test]
fn arrays_of_the_body_are_indexed_there() -> Result<(), Error> {
    let f = Function::trace(vector(3), |x| sum(3, |i| (x * i.to_f64()).at(i)))?;
    assert_eq!(f.eval(&[1.0, 10.0, 100.0])?, 210.0);
    let f = Function::trace(matrix(3, 3), |a| map(3, |i| a.at((i, i)) + a.at((i, 2 - i))))?;
    assert_eq!(f.eval(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0])?, [4.0, 10.0, 16.0]);
    Ok(())
}

#[test]
fn a_row_of_an_outer_loop_in_an_inner_one() -> Result<(), Error> {
    let f = Function::trace(matrix(3, 2), |r| sum(3, |i| sum(i, |j| r.row(i).inner(r.row(j)))))?;
    let r = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    assert_eq!(f.eval(&r)?, 11.0 + 17.0 + 39.0);
    Ok(())
}

#[test]
fn gather_and_scatter_add() -> Result<(), Error> {
    let f = Function::trace((matrix(3, 2), vector_of::<I64>(4)), |(a, i)| {
        let rows = a.gather(i.reshape(&[2, 2]));
        assert_eq!(rows.shape(), [2, 2, 2]);
        (a * 0.0).scatter_add(i, rows.reshape(&[4, 2]))
    })?;
    let result = f.eval((&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[2, 0, 2, 2]))?;
    assert_eq!(result, [1.0, 2.0, 0.0, 0.0, 15.0, 18.0]);
    assert!(f.eval((&[0.0; 6], &[0, 3, 0, 0])).is_err());
    assert_eq!(operations(&f).iter().filter(|name| *name == "loop").count(), 2, "{f}");
    let f = Function::trace((vector(2), scalar()), |(x, t)| x.gather([1, 0]) * t)?;
    assert_eq!(f.eval((&[1.0, 2.0], &2.0))?, [4.0, 2.0]);
    Ok(())
}
