//! What has a derivative that is not that of its steps, as a user writes it: solutions of equations, functions with a
//! rule, external functions.

mod equations;
mod external;
mod linearity;
mod mistakes;
mod rules;
mod systems;

use evolute_frontend::{Error, F64, Function, Single, Spec};

/// Numbers of a call.
type Numbers = Vec<f64>;

/// A closure to be used more than once in a trace: its argument's lifetime is that of the trace.
fn body<A, B>(f: impl Fn(A) -> B + Copy) -> impl Fn(A) -> B + Copy {
    f
}

/// Derivatives of a scalar function of `n` numbers to the third order: against differences, in the four nestings of two
/// modes, and by machine code against the interpreter.
#[track_caller]
fn check<S>(f: &Function<S, Single<F64>>, x: &[f64]) -> Result<(), Error>
where
    S: Spec<Owned = Numbers> + for<'a> Spec<Host<'a> = &'a [f64]>,
{
    let derivatives = f.check_derivatives(x)?;
    assert!(derivatives.passed(), "{derivatives}");
    let gradient = f.grad()?;
    let second = gradient.check_derivatives(x)?;
    assert!(second.passed(), "{second}");
    let (v, w): (Numbers, Numbers) =
        (0..x.len()).map(|i| (1.0 - 0.3 * i as f64, 0.4 + 0.2 * i as f64)).unzip();
    let inner = |a: &[f64]| a.iter().zip(&w).map(|(a, w)| a * w).sum::<f64>();
    let (_, forward_over_reverse) = gradient.jvp()?.eval((x, &v))?;
    let expected = inner(&forward_over_reverse);
    let (_, reverse_over_reverse) = gradient.vjp()?.eval((x, &v))?;
    let (_, (_, forward_over_forward)) = f.jvp()?.jvp()?.eval(((x, &w), &v))?;
    let (_, reverse_over_forward) = f.jvp()?.vjp()?.eval(((x, &v), (&0.0, &1.0)))?;
    for found in [inner(&reverse_over_reverse), forward_over_forward, inner(&reverse_over_forward)] {
        assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{found} instead of {expected}");
    }
    let third = f.hvp()?.jvp()?;
    let along = |h: f64| -> Result<f64, Error> {
        let x: Numbers = x.iter().zip(&w).map(|(x, w)| x + h * w).collect();
        Ok(inner(&f.hvp()?.eval((&x, &v))?))
    };
    let difference = (along(1e-5)? - along(-1e-5)?) / 2e-5;
    let found = inner(&third.eval(((x, &v), &w))?.1);
    assert!(
        (found - difference).abs() <= 1e-4 * difference.abs().max(1.0),
        "{found} instead of {difference}"
    );
    let hvp = f.hvp()?;
    let (native, interpreted) = (hvp.compile()?.call((x, &v))?, hvp.interpreted()?.call((x, &v))?);
    assert_eq!(native, interpreted, "machine code against the interpreter");
    Ok(())
}
