//! What reverse mode stores of a loop: what its reverse needs, not more.

use crate::mistake_of_compiling;
use evolute_frontend::{
    Array, ArraySpec, Checkpoint, Count, Error, F64, Function, Single, checkpoint, scalar, scan, sum, vector,
    while_at_most, while_loop,
};
use evolute_runtime::Options;

type Sum = Function<ArraySpec<F64>, Single<F64>>;

/// A vector whose elements are found one after the other: the reverse needs one of each iteration.
fn filled(n: usize) -> Result<Sum, Error> {
    Function::trace(vector(n), |x| {
        scan(n - 1, *x, |c, i| c.scatter_add(Array::of(&[i + 1]), Array::of(&[c.at(i).sin()]))).at(n - 1)
    })
}

/// `cₖ₊₁ = xₖ₊₁ + sin cₖ`: the last, and its gradient.
fn expected(x: &[f64]) -> (f64, Vec<f64>) {
    let mut c = x.to_vec();
    (1..x.len()).for_each(|k| c[k] += c[k - 1].sin());
    let mut gradient = vec![1.0; x.len()];
    (0..x.len() - 1).rev().for_each(|k| gradient[k] = gradient[k + 1] * c[k].cos());
    (c[x.len() - 1], gradient)
}

fn numbers(n: usize) -> Vec<f64> {
    (0..n).map(|k| 0.3 * (k as f64).sin()).collect()
}

#[track_caller]
fn check_close(found: &[f64], expected: &[f64]) {
    let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-12 * b.abs().max(1e-3);
    assert_eq!(found.len(), expected.len());
    assert!(found.iter().zip(expected).all(close), "{found:?} instead of {expected:?}");
}

/// An element is stored of each iteration, where the carry has `n`: in every nesting of two.
#[test]
fn an_element_of_each_carry() -> Result<(), Error> {
    let (n, x) = (1000, numbers(1000));
    let f = filled(n)?;
    let (value, gradient) = f.value_and_grad()?.compile()?.call(&x)?;
    let (expected_value, expected_gradient) = expected(&x);
    check_close(&[value], &[expected_value]);
    check_close(&gradient, &expected_gradient);
    let most = 40 * n * size_of::<f64>();
    macro_rules! check {
        ($($derivative:expr),*) => {$(
            for options in [Options::default(), Options::default().strict()] {
                let bytes = $derivative.compile_with(&options)?.executable().report().workspace_bytes;
                // In `Strict` the reverse of the reverse is that of all of the carry.
                let is_twice = stringify!($derivative).matches("vjp").count() == 2;
                assert!(bytes < most || is_twice, "{}: {bytes} bytes", stringify!($derivative));
            }
        )*};
    }
    check!(f.grad()?, f.hvp()?, f.vjp()?.jvp()?, f.jvp()?.vjp()?, f.vjp()?.vjp()?);
    let twice = f.vjp()?.vjp()?.compile()?.executable().report().workspace_bytes;
    assert!(twice < most, "{twice} bytes");
    Ok(())
}

/// Native code and interpreter agree to the bit, and orders of differentiation to rounding.
#[track_caller]
fn check_modes(f: &Sum, x: &[f64]) -> Result<(), Error> {
    let v: Vec<f64> = (0..x.len()).map(|k| 0.5 - 0.1 * k as f64).collect();
    let mut products = Vec::new();
    for options in [Options::default(), Options::default().strict()] {
        let [native, interpreted] = [options.clone(), options.interpreted()];
        let hvp = |options| f.grad()?.jvp()?.compile_with(&options)?.call((x, &v));
        assert_eq!(hvp(native.clone())?, hvp(interpreted.clone())?);
        let (gradient, product) = hvp(native.clone())?;
        let reversed = |options| f.grad()?.vjp()?.compile_with(&options)?.call((x, &v));
        assert_eq!(reversed(native.clone())?, reversed(interpreted)?);
        // The Hessian is symmetric.
        check_close(&reversed(native)?.1, &product);
        products.push((gradient, product));
    }
    check_close(&products[0].1, &products[1].1);
    let h = 1e-5;
    let gradient = f.grad()?.compile()?;
    let at = |h: f64| gradient.call(&x.iter().zip(&v).map(|(x, v)| x + h * v).collect::<Vec<_>>());
    for ((up, down), product) in at(h)?.iter().zip(&at(-h)?).zip(&products[0].1) {
        assert!(((up - down) / (2.0 * h) - product).abs() < 1e-7 * (1.0 + product.abs()));
    }
    Ok(())
}

#[test]
fn parts_of_carries() -> Result<(), Error> {
    let x = numbers(6);
    check_modes(&filled(6)?, &x)?;
    // A reduction, and a view, of what is made of the carry.
    check_modes(
        &Function::trace(vector(6), |x| scan(4, *x, |c, _| c * 0.5 + c.sin().sum().cos()).sum())?,
        &x,
    )?;
    check_modes(
        &Function::trace(vector(6), |x| {
            let end = scan(4, *x, |c, i| {
                let part = c.slice(0, 1..3).exp() * c.slice(0, 2..4);
                c * 0.9 + part.pad(0, 0, 4) * x.at(i) + c.at(5 - i).sin()
            });
            end.at(0) + end.at(3)
        })?,
        &x,
    )?;
    // One carry whole, another in part, in a loop that is within a loop.
    check_modes(
        &Function::trace(vector(6), |x| {
            sum(3, |j| {
                let (a, b) = scan(4, (*x * j.to_f64(), x.sin()), |(a, b), i| {
                    (a + b.at(i) * x.at(j), b * 0.5 + (a.at(j) * b.at(5 - i)).cos())
                });
                (a * b).sum()
            })
        })?,
        &x,
    )?;
    // As often as a condition says.
    check_modes(
        &Function::trace(vector(6), |x| {
            let (c, k) = while_at_most(
                20,
                (*x, *x),
                |(c, _)| c.at(0).lt(3.0),
                |(c, k)| (c + c.at(1).exp(), k + c.at(2).sin()),
            );
            c.sum() + (k * k).sum()
        })?,
        &x,
    )
}

/// Checkpoints change no bit of a gradient.
#[test]
fn checkpoints() -> Result<(), Error> {
    let traced = |how: Option<Checkpoint>| {
        Function::trace(vector(30), move |x| {
            let n = match how {
                Some(how) => Count::from(checkpoint(29, how)),
                None => Count::from(29),
            };
            let end = scan(n, *x, |c, i| {
                c.scatter_add(Array::of(&[i + 1]), Array::of(&[(c.at(i) * x.at(3)).sin()]))
            });
            end.at(29)
        })
    };
    let x = numbers(30);
    let plain = traced(None)?;
    let (gradient, hvp) = (plain.grad()?.eval(&x)?, plain.hvp()?.eval((&x, &x))?);
    for how in [Checkpoint::Sqrt, Checkpoint::Segments(3), Checkpoint::Memory(40_000)] {
        let f = traced(Some(how))?;
        assert_eq!(f.grad()?.eval(&x)?, gradient);
        assert_eq!(f.hvp()?.eval((&x, &x))?, hvp);
        check_modes(&f, &x)?;
    }
    Ok(())
}

/// What is not stored needs no room, however many iterations there are.
#[test]
fn nothing_to_store() -> Result<(), Error> {
    let f = Function::trace(scalar(), |x| scan(u32::MAX as usize, *x, |c, _| c + 1.0))?;
    for options in [Options::default(), Options::default().strict()] {
        let gradient = f.grad()?.compile_with(&options)?;
        assert!(gradient.executable().report().workspace_bytes < 100);
    }
    // The reverse reads an element of each of a million carries of 4096.
    let f =
        Function::trace(vector(4096), |x| while_loop(*x, |c| c.at(0).lt(2.0), |c| c + c.at(1).exp()).sum())?;
    let x = vec![0.5; 4096];
    let gradient = f.grad()?.compile()?.call(&x)?;
    // After one step, as exp 0.5 > 1.5.
    check_close(&gradient[..3], &[1.0, 1.0 + 4096.0 * 0.5f64.exp(), 1.0]);
    Ok(())
}

/// The line of the loop, and what to do.
#[test]
fn too_much_to_store() -> Result<(), Error> {
    let f = Function::trace(vector(2049), |x| while_loop(*x, |c| c.at(0).lt(2.0), |c| c * c + 1.0).sum())?;
    let line = line!() - 1;
    for options in [Options::default(), Options::default().strict()] {
        let message = mistake_of_compiling(f.grad()?.compile_with(&options), file!(), line);
        let expected =
            "reverse mode needs 2049 elements of each of at most 1048576 iterations of the loop at";
        assert!(message.contains(expected), "{message}");
        assert!(message.contains("`while_at_most`") && message.contains("`checkpoint`"), "{message}");
        mistake_of_compiling(f.hvp()?.compile_with(&options), file!(), line);
        mistake_of_compiling(f.vjp()?.vjp()?.compile_with(&options), file!(), line);
    }
    assert!(f.jvp()?.compile().is_ok() && f.compile().is_ok());
    let few = Function::trace(vector(2049), |x| {
        while_at_most(checkpoint(1 << 20, Checkpoint::Sqrt), *x, |c| c.at(0).lt(2.0), |c| c * c + 1.0).sum()
    })?;
    assert!(few.grad()?.compile().is_ok());
    Ok(())
}

/// A carry that does not change is captured: in each mode the same as one that is captured to begin with.
#[test]
fn carries_that_do_not_change() -> Result<(), Error> {
    let carried = |how: Option<Checkpoint>| {
        Function::trace((vector(50), scalar()), move |(c, s)| {
            let n = how.map_or(Count::from(50), |how| checkpoint(50, how).into());
            let (_, s) = scan(n, (*c, *s), |(c, s), i| {
                // Also through an inner loop.
                let (c, s) = scan(2, (c, s), |(c, s), _| (c, s * c.at(i).sin() * 2.0));
                (c, s)
            });
            s
        })
    };
    let captured = Function::trace((vector(50), scalar()), |(c, s)| {
        scan(50, *s, |s, i| scan(2, s, |s, _| s * c.at(i).sin() * 2.0))
    })?;
    let (c, s) = (vec![0.5; 50], 1.5);
    let f = carried(None)?;
    let bytes = f.grad()?.compile()?.executable().report().workspace_bytes;
    assert_eq!(bytes, captured.grad()?.compile()?.executable().report().workspace_bytes);
    assert!(bytes < 3000, "{bytes} bytes");
    assert_eq!(f.eval((&c, &s))?, captured.eval((&c, &s))?);
    for options in [Options::default(), Options::default().strict(), Options::default().interpreted()] {
        for f in [&f, &carried(Some(Checkpoint::Sqrt))?] {
            let [found, expected] = [f, &captured].map(|f| f.grad()?.compile_with(&options)?.call((&c, &s)));
            assert_eq!(found?, expected?);
            let seed = ((&c[..], &s), (&c[..], &0.5));
            let [found, expected] =
                [f, &captured].map(|f| f.grad()?.jvp()?.compile_with(&options)?.call(seed));
            assert_eq!(found?, expected?);
        }
    }
    // How often a `while` runs depends on one.
    let f = Function::trace((scalar(), scalar()), |(x, most)| {
        while_at_most(100, (*x, *most), |(x, most)| x.lt(most), |(x, most)| (x * x + x, most)).0
    })?;
    assert_eq!(f.grad()?.eval((&1.0, &5.0))?, (15.0, 0.0));
    Ok(())
}
