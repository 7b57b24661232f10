use crate::operations;
use evolute_frontend::{
    Array, Bool, F32, Function, I64, array, concat, cond, matrix, scalar, scalar_of, scan, stack, sum,
    vector, vector_of,
};

#[test]
fn shapes_broadcast_as_in_numpy() -> Result<(), evolute_frontend::Error> {
    let f = Function::trace((matrix(2, 3), vector(3)), |(a, x)| {
        let column = a.slice(1, 0..1);
        assert_eq!((column.shape(), (column + x).shape()), (vec![2, 1], vec![2, 3]));
        a * x + column
    })?;
    assert_eq!(
        f.eval((&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[1.0, 10.0, 100.0]))?,
        [2.0, 21.0, 301.0, 8.0, 54.0, 604.0]
    );
    Ok(())
}

#[test]
fn scalars_and_numbers_mix_with_arrays_on_both_sides() -> Result<(), evolute_frontend::Error> {
    let f = Function::trace((vector(2), scalar()), |(x, t)| {
        let mut y = 2.0 * x + t * x - x / t + (t - x) + x % 2.0 + (1.0 - x) * -x;
        y += 1.0;
        y -= t;
        y *= x;
        y /= *t;
        y
    })?;
    let plain =
        |x: f64, t: f64| (2.0 * x + t * x - x / t + (t - x) + x % 2.0 + (1.0 - x) * -x + 1.0 - t) * x / t;
    assert_eq!(f.eval((&[3.0, 5.0], &2.0))?, [plain(3.0, 2.0), plain(5.0, 2.0)]);
    Ok(())
}

#[test]
fn other_kinds() -> Result<(), evolute_frontend::Error> {
    let f = Function::trace(vector_of::<F32>(2), |x| (x * 0.5).exp().to_f64())?;
    assert_eq!(f.eval(&[0.0, 0.0])?, [1.0, 1.0]);
    let f = Function::trace(vector_of::<I64>(2), |n| n / 2 + n.max(7))?;
    assert_eq!(f.eval(&[3, 9])?, [8, 13]);
    let f = Function::trace((vector_of::<Bool>(2), scalar_of::<Bool>()), |(a, b)| *a ^ Array::full(&[2], b))?;
    assert_eq!(f.eval((&[true, false], &true))?, [false, true]);
    Ok(())
}

#[test]
fn made_of_nothing() -> Result<(), evolute_frontend::Error> {
    let f = Function::trace(scalar(), |x| Array::linspace(0.1, *x, 4))?;
    let values = f.eval(&0.7)?;
    assert_eq!((values[0], values[3]), (0.1, 0.7), "the ends are exact");
    let f = Function::trace(scalar(), |x| {
        concat(&[Array::linspace(*x, 9.0, 1), Array::linspace(*x, 9.0, 0)], 0)
    })?;
    assert_eq!(f.eval(&2.0)?, [2.0]);
    let f =
        Function::trace_to(scalar(), (matrix(3, 3), array(&[0, 0])), |x| (Array::eye(3) * x, Array::eye(0)))?;
    assert_eq!(f.eval(&2.0)?, (vec![2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 2.0], vec![]));
    let f = Function::trace(vector_of::<I64>(2), |n| n * Array::ones(&[2]) + Array::eye(2).sum_along(0))?;
    assert_eq!(f.eval(&[3, 9])?, [4, 10]);
    Ok(())
}

#[test]
fn select_broadcasts_and_takes_numbers() -> Result<(), evolute_frontend::Error> {
    let f = Function::trace(matrix(2, 2), |a| a.sum_along(0).gt(5.0).select(a, -1.0))?;
    assert_eq!(f.eval(&[1.0, 2.0, 3.0, 4.0])?, [-1.0, 2.0, -1.0, 4.0]);
    Ok(())
}

#[test]
fn an_arrangement_is_one_view() -> Result<(), evolute_frontend::Error> {
    let views = [
        Function::trace(matrix(4, 6), |a| a.transpose())?,
        Function::trace(matrix(4, 6), |a| a.reshape(&[2, 12]))?,
        Function::trace(matrix(4, 6), |a| a.broadcast_to(&[3, 4, 6]))?,
        Function::trace(matrix(4, 6), |a| a.slice(1, 2..5))?,
        Function::trace(matrix(4, 6), |a| a.slice_step(0, 0..4, -2))?,
        Function::trace(matrix(4, 6), |a| a.reversed(1))?,
        Function::trace(matrix(4, 6), |a| a.row(2))?,
        Function::trace(matrix(4, 4), |a| a.diagonal())?,
    ];
    for f in &views {
        assert_eq!(operations(f), ["view"], "{f}");
    }
    let same = Function::trace(matrix(4, 6), |a| a.reshape(&[4, 6]).broadcast_to(&[4, 6]).permute(&[0, 1]))?;
    assert_eq!(operations(&same), [""; 0]);
    Ok(())
}

#[test]
fn the_text_of_a_slice() -> Result<(), evolute_frontend::Error> {
    let f = Function::trace(matrix(2, 3), |a| a.slice_step(1, 0..3, -1))?;
    let text = f.to_string();
    assert!(text.contains("v1 = view f64[2, 3] v0 from 2 by [3, -1]"), "{text}");
    Ok(())
}

#[test]
fn slices_of_nothing() -> Result<(), evolute_frontend::Error> {
    let f = Function::trace(vector(3), |x| x.slice_step(0, 3..3, -1))?;
    assert_eq!(f.eval(&[1.0, 2.0, 3.0])?, [0.0; 0]);
    let f = Function::trace(matrix(0, 3), |a| a.sum_along(1) + 1.0)?;
    assert_eq!(f.eval(&[])?, [0.0; 0]);
    let f = Function::trace(matrix(0, 3), |a| a.slice(1, 1..2).sum_along(0))?;
    assert_eq!(f.eval(&[])?, [0.0]);
    Ok(())
}

#[test]
fn padding_joining_stacking() -> Result<(), evolute_frontend::Error> {
    let f = Function::trace(matrix(1, 2), |a| a.pad(1, 1, 0).pad(0, 0, 1))?;
    assert_eq!(f.eval(&[1.0, 2.0])?, [0.0, 1.0, 2.0, 0.0, 0.0, 0.0]);
    assert_eq!(operations(&f), ["spread", "spread"]);
    let f = Function::trace((vector(2), vector(1)), |(x, y)| concat(&[*x, *y, *x], 0))?;
    assert_eq!(f.eval((&[1.0, 2.0], &[3.0]))?, [1.0, 2.0, 3.0, 1.0, 2.0]);
    assert_eq!(operations(&f), ["pack"]);
    let f = Function::trace(array(&[2, 2]), |a| stack(&[a.row(0), a.row(1)], 1))?;
    assert_eq!(f.eval(&[1.0, 2.0, 3.0, 4.0])?, [1.0, 3.0, 2.0, 4.0]);
    Ok(())
}

#[test]
fn reductions() -> Result<(), evolute_frontend::Error> {
    let data = [3.0, -1.0, 2.0, 5.0, 5.0, 0.5];
    let vectors = |f: fn(Array<'_>, usize) -> Array<'_>, axis: usize| {
        Function::trace(matrix(2, 3), move |a| f(*a, axis)).and_then(|f| f.eval(&data))
    };
    assert_eq!(vectors(|a, axis| a.sum_along(axis), 0)?, [8.0, 4.0, 2.5]);
    assert_eq!(vectors(|a, axis| a.sum_along(axis), 1)?, [4.0, 10.5]);
    assert_eq!(vectors(|a, axis| a.prod_along(axis), 1)?, [-6.0, 12.5]);
    assert_eq!(vectors(|a, axis| a.maximum_along(axis), 0)?, [5.0, 5.0, 2.0]);
    assert_eq!(vectors(|a, axis| a.mean_along(axis), 1)?, [4.0 / 3.0, 3.5]);
    assert_eq!(vectors(|a, axis| a.argmax_along(axis).to_f64(), 1)?, [0.0, 0.0]);
    assert_eq!(vectors(|a, axis| a.argmin_along(axis).to_f64(), 0)?, [0.0, 0.0, 1.0]);
    assert_eq!(vectors(|a, axis| a.cumsum(axis), 1)?, [3.0, 2.0, 4.0, 5.0, 10.0, 10.5]);
    assert_eq!(vectors(|a, axis| a.cumsum(axis), 0)?, [3.0, -1.0, 2.0, 8.0, 4.0, 2.5]);
    let norms = vectors(|a, axis| a.norm2_along(axis), 1)?;
    assert!((norms[0] - 14f64.sqrt()).abs() < 1e-15 && (norms[1] - 50.25f64.sqrt()).abs() < 1e-15);
    let softmax = vectors(|a, axis| a.softmax(axis), 1)?;
    assert!((softmax[..3].iter().sum::<f64>() - 1.0).abs() < 1e-15);
    let logsumexp = vectors(|a, axis| a.logsumexp_along(axis), 1)?;
    let plain = |row: &[f64]| row.iter().map(|x| x.exp()).sum::<f64>().ln();
    assert!((logsumexp[0] - plain(&data[..3])).abs() < 1e-15);
    Ok(())
}

#[test]
fn a_reduction_is_one_instruction() -> Result<(), evolute_frontend::Error> {
    assert_eq!(operations(&Function::trace(matrix(2, 3), |a| a.sum())?), ["reduce"]);
    assert_eq!(operations(&Function::trace(matrix(2, 3), |a| a.maximum_along(1))?), ["reduce"]);
    assert_eq!(operations(&Function::trace(matrix(2, 3), |a| a.prod_along(0))?), ["view", "reduce"]);
    Ok(())
}

#[test]
fn norms_at_their_edges() -> Result<(), evolute_frontend::Error> {
    let norm = Function::trace(vector(2), |x| x.norm2())?;
    assert_eq!(norm.eval(&[0.0, 0.0])?, 0.0);
    assert_eq!(norm.eval(&[f64::INFINITY, 1.0])?, f64::INFINITY);
    assert!(norm.eval(&[f64::NAN, 1.0])?.is_nan());
    assert_eq!(norm.eval(&[5e-324, 0.0])?, 5e-324);
    let none = Function::trace(vector(0), |x| x.norm2() + x.logsumexp().exp())?;
    assert_eq!(none.eval(&[])?, 0.0);
    let all = Function::trace(vector(2), |x| x.logsumexp())?;
    assert_eq!(all.eval(&[f64::NEG_INFINITY, f64::NEG_INFINITY])?, f64::NEG_INFINITY);
    Ok(())
}

#[test]
fn iterators_of_arrays() -> Result<(), evolute_frontend::Error> {
    let f = Function::trace(matrix(2, 2), |a| {
        let sum: Array = (0..2).map(|i| a.row(i)).sum();
        sum * (0..2).map(|i| a.row(i)).product::<Array>()
    })?;
    assert_eq!(f.eval(&[1.0, 2.0, 3.0, 4.0])?, [12.0, 48.0]);
    Ok(())
}

#[test]
fn one_element_of_any_rank() -> Result<(), evolute_frontend::Error> {
    let f = Function::trace(array(&[1, 1]), |a| {
        a.item() + a.sum_along(0).sum_along(0).item() + a.ravel().item()
    })?;
    assert_eq!(f.eval(&[2.0])?, 6.0);
    Ok(())
}

#[test]
fn places_are_the_users() -> Result<(), evolute_frontend::Error> {
    let f = Function::trace((matrix(3, 3), vector(3)), |(a, x)| {
        let rows: Array = (0..3).map(|i| a.row(i) + 1.0).sum();
        let y = concat(&[a.dot(x), rows.softmax(0), x.gather([0, 2]), x.slice(0, 1..3).max([1.0, 2.0])], 0);
        let z = scan(3, *x, |x, i| x.norm2() * a.row(i));
        cond(
            y.norm2().gt(0.0),
            || y.cumsum(0).sum() + sum(3, |i| z.at(i) * a.at((i, 2 - i))),
            || x.logsumexp(),
        )
    })?;
    let program = f.program();
    for place in program.locs().values().flatten() {
        assert!(place.file.ends_with("arrays.rs"), "{place}");
    }
    Ok(())
}

#[test]
fn constants_of_rank_0_are_computed_at_once() -> Result<(), evolute_frontend::Error> {
    let f = Function::trace(vector(2), |x| {
        let two: Array = Array::full(&[], 1.0) + 1.0;
        x * two
    })?;
    assert_eq!(f.eval(&[1.0, 2.0])?, [2.0, 4.0]);
    assert!(f.to_string().contains("const 2.0"), "{f}");
    Ok(())
}
