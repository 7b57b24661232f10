//! Rust functions that a program calls.

use crate::check;
use evolute_frontend::{Array, Error, F32, Function, array_of, map, matrix, scalar, scalar_of, scan, vector};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn with_a_rule_is_a_function_like_others() -> Result<(), Error> {
    // The derivatives of the sine and cosine of an array, by way of each other.
    let sin = Function::external("sin", vector(2), vector(2), |x, y| {
        x[0].iter().zip(&mut *y[0]).for_each(|(x, y)| *y = x.sin());
    })?;
    let cos = Function::external("cos", vector(2), vector(2), |x, y| {
        x[0].iter().zip(&mut *y[0]).for_each(|(x, y)| *y = x.cos());
    })?;
    let third = sin.with_rule(|x, _, u| cos.call(*x) * u)?;
    let second = cos.with_rule(|x, _, u| -(third.call(*x) * u))?;
    let first = sin.with_rule(|x, _, u| second.call(*x) * u)?;
    let f = Function::trace(vector(2), |x| (first.call(x * x) * x).sum())?;
    check(&f, &[0.4, 0.9])
}

#[test]
fn of_scalars_and_arrays_in_loops() -> Result<(), Error> {
    let blend = Function::external("blend", (scalar(), vector(2), scalar()), vector(2), |x, y| {
        for (y, v) in y[0].iter_mut().zip(x[1]) {
            *y = x[0][0] * v + x[2][0];
        }
    })?;
    let f = Function::trace_to((scalar(), vector(4)), (vector(2), vector(4)), |(a, x)| {
        let mapped = map(2, |i| blend.call((x.at(i), x.slice(0, 1..3), *a)));
        let strided = x.slice_step(0, 0..4, 2);
        (scan(3, strided, |c, i| blend.call((*a, c, i.to_f64()))), mapped.reshape(&[4]))
    })?;
    let (a, x) = (2.0, [1.0, 2.0, 3.0, 4.0]);
    let expected = (vec![8.0 + 2.0 + 2.0, 24.0 + 2.0 + 2.0], vec![4.0, 5.0, 6.0, 8.0]);
    assert_eq!(f.interpreted()?.call((&a, &x))?, expected);
    assert_eq!(f.compile()?.call((&a, &x))?, expected);
    Ok(())
}

#[test]
fn without_elements() -> Result<(), Error> {
    let nothing = Function::external("nothing", (vector(0), scalar()), vector(0), |x, y| {
        assert_eq!((x[0].len(), x[1].len(), y[0].len()), (0, 1, 0));
    })?;
    let f = Function::trace(scalar(), |x| x + nothing.call((Array::constants(&[0], &[]), *x)).sum())?;
    assert_eq!((f.eval(&1.0)?, f.compile()?.call(&1.0)?), (1.0, 1.0));
    Ok(())
}

#[test]
fn a_panic_passes_through() -> Result<(), Error> {
    let picky = Function::external("picky", scalar(), scalar(), |x, y| {
        assert!(x[0][0] > 0.0, "not positive");
        y[0][0] = x[0][0];
    })?;
    let f = Function::trace(scalar(), |x| picky.call(x * 2.0) + 1.0)?;
    for ready in [f.compile()?, f.interpreted()?] {
        let mut workspace = ready.workspace();
        let mut y = 0.0;
        let panic = catch_unwind(AssertUnwindSafe(|| ready.call_into(&-1.0, &mut y, &mut workspace)));
        let panic = panic.expect_err("it panics");
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"not positive"));
        ready.call_into(&1.0, &mut y, &mut workspace)?;
        assert_eq!(y, 3.0);
    }
    Ok(())
}

#[test]
fn is_freed_with_the_last_function() -> Result<(), Error> {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let f = Function::external("counted", scalar(), scalar(), move |x, y| {
        counted.fetch_add(1, Ordering::Relaxed);
        y[0][0] = x[0][0];
    })?;
    let compiled = Function::trace(scalar(), |x| f.call(*x) + f.call(*x))?.compile()?;
    assert_eq!(compiled.call(&1.0)?, 2.0);
    assert_eq!(count.load(Ordering::Relaxed), 1, "equal calls are one");
    drop((f, compiled));
    assert_eq!(Arc::strong_count(&count), 1);
    Ok(())
}

#[test]
fn has_no_derivative_of_its_own() -> Result<(), Error> {
    let f = Function::external("table", scalar(), scalar(), |x, y| y[0][0] = x[0][0])?;
    let made = line!() - 1;
    let g = Function::trace(scalar(), |x| {
        let constant = f.call(x.stop_gradient());
        f.call(*x) * x + constant
    })?;
    let called = line!() - 2;
    for error in [g.grad()?.compile().err(), g.grad()?.eval(&1.0).err(), g.jvp()?.eval((&1.0, &1.0)).err()] {
        let error = error.expect("there is no derivative").to_string();
        let [called, made] = [called, made].map(|line| format!("{}:{line}", file!()));
        let expected = format!("\"table\" (called at {called}) (made at {made})");
        assert!(error.contains(&expected) && error.contains("with_rule"), "{error}");
    }
    let alone = f.grad()?.compile().err().expect("there is no derivative").to_string();
    assert!(alone.contains(&format!("\"table\" (made at {}:{made})", file!())), "{alone}");
    // What it does not depend on has one.
    let h = Function::trace((scalar(), scalar()), |(x, y)| f.call(*x) * y)?;
    assert_eq!(h.wrt::<1>().grad()?.eval((&3.0, &1.0))?, 3.0);
    Ok(())
}

#[test]
fn of_other_types_is_refused() {
    let ints = evolute_frontend::scalar_of::<evolute_frontend::I64>();
    let error = Function::external("f", ints.clone(), scalar(), |_, _| ()).expect_err("it is no f64");
    assert!(error.to_string().contains("f64"), "{error}");
    let mixed = Function::external("f", scalar(), (scalar(), ints), |_, _| ()).expect_err("one is no f64");
    assert!(mixed.to_string().contains("f64"), "{mixed}");
    let nothing: Vec<evolute_frontend::Single<evolute_frontend::F64>> = Vec::new();
    let none = Function::external("f", scalar(), nothing, |_, _| ()).expect_err("no result");
    assert!(none.to_string().contains("between 1 and 16 results"), "{none}");
}

/// Several results, of which one is used, or none has elements; with a rule of several results.
#[test]
fn several_results() -> Result<(), Error> {
    let outputs = (scalar(), vector(3), vector(0), matrix(2, 2));
    let all = Function::external("all", (vector(2), scalar()), outputs, |x, y| {
        let ([a, b], k) = ([x[0][0], x[0][1]], x[1][0]);
        y[0][0] = a * b;
        y[1].copy_from_slice(&[a, b, k]);
        y[3].copy_from_slice(&[1.0, a, b, a + b + k]);
    })?;
    let expected = (6.0, vec![2.0, 3.0, 5.0], vec![], vec![1.0, 2.0, 3.0, 10.0]);
    for f in [all.interpreted()?, all.compile()?] {
        assert_eq!(f.call((&[2.0, 3.0], &5.0))?, expected);
    }
    let polar = Function::external("polar", (scalar(), vector(2)), (scalar(), vector(2)), |x, y| {
        let (k, v) = (x[0][0], x[1]);
        y[0][0] = k * (v[0] * v[0] + v[1] * v[1]);
        y[1].copy_from_slice(&[v[0] * v[1], k.sin()]);
    })?
    .with_rule(|(k, v), _, (dk, dv)| {
        let (a, b) = (v.at(0), v.at(1));
        let product = a * dv.at(1) + b * dv.at(0);
        (dk * (v * v).sum() + k * (v * dv).sum() * 2.0, Array::of(&[product, k.cos() * dk]))
    })?;
    let f = Function::trace(vector(3), |x| {
        let (length, others) = polar.call((x.at(0), x.slice(0, 1..3)));
        length * others.sum() + map(2, |i| polar.call((x.at(i), x.slice(0, 0..2))).0).sum()
    })?;
    check(&f, &[0.4, 0.9, -0.3])
}

#[test]
fn single_precision() -> Result<(), Error> {
    let f = Function::external(
        "f",
        (array_of::<F32>(&[2]), scalar()),
        (scalar_of::<F32>(), scalar()),
        |x, y| {
            y[0][0] = x[0][0] / 3.0;
            y[1][0] = x[0][1] * x[1][0];
        },
    )?;
    for f in [f.interpreted()?, f.compile()?] {
        assert_eq!(f.call((&[1f32, 0.1], &2.0))?, ((1.0 / 3.0) as f32, f64::from(0.1f32) * 2.0));
    }
    Ok(())
}

/// Functions of one name stay apart, and a text is read with the functions that it names.
#[test]
fn texts_name_them() -> Result<(), Error> {
    let [f, g] = [1.0, 2.0].map(|k| {
        Function::external("f", scalar(), scalar(), move |x, y| y[0][0] = k * x[0][0]).expect("f64")
    });
    let both = Function::trace(scalar(), |x| f.call(*x) + g.call(*x))?;
    assert_eq!(both.compile()?.call(&1.0)?, 3.0);
    let text = both.to_string();
    assert!(text.contains("external \"f\" v0") && text.contains("external \"f_2\" v0"), "{text}");
    let error = Function::parse(&text, scalar(), scalar()).expect_err("they are not supplied");
    assert!(
        error.to_string().contains("expected an external function that is supplied, found \"f\""),
        "{error}"
    );
    Ok(())
}
