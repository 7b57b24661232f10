//! What is not chosen does not enter a derivative, whatever its own derivative is: in every mode, in every nesting of two,
//! interpreted and native, in both modes of rounding.
//!
//! Each function stands beside what it is near the point without the choice.

use crate::operations;
use evolute_frontend::{
    Array, Error, F32, Function, Int, Scalar, cond, grad, hvp, jvp, map, matrix_of, scan, sum, vector,
    while_at_most,
};
use evolute_runtime::Options;

type Of = for<'t> fn(Array<'t>) -> Scalar<'t>;

/// A function, what it is near a point, and the point.
type Case = (Of, Of, &'static [f64]);

const DIRECTION: [f64; 6] = [0.5, -0.75, 1.25, 0.25, -1.5, 2.0];

/// A derivative of `f` at `x` along `v`.
type Derivative = for<'t> fn(Of, Array<'t>, Array<'t>) -> Array<'t>;

/// The slope along `v`; the gradient; the second derivative along `v` twice; the Hessian times `v` in the other nestings.
const DERIVATIVES: [(&str, Derivative); 6] = [
    ("forward", |f, x, v| Array::of(&[jvp(f, x, v).1])),
    ("reverse", |f, x, _| grad(f, x)),
    ("forward over forward", |f, x, v| Array::of(&[jvp(|x| jvp(f, x, v).1, x, v).1])),
    ("forward over reverse", |f, x, v| hvp(f, x, v)),
    ("reverse over forward", |f, x, v| grad(|x| jvp(f, x, v).1, x)),
    ("reverse over reverse", |f, x, v| grad(|x| grad(f, x).inner(v), x)),
];

/// The derivative in every way to compute it.
fn evaluated(f: Of, derivative: Derivative, x: &[f64]) -> Result<Vec<Vec<f64>>, Error> {
    let n = x.len();
    let derived = Function::trace((vector(n), vector(n)), |(x, v)| derivative(f, *x, *v))?;
    let strict = Options::default().strict();
    let options =
        [strict.clone().interpreted(), strict, Options::default().interpreted(), Options::default()];
    options.iter().map(|options| derived.compile_with(options)?.call((x, &DIRECTION[..n]))).collect()
}

#[track_caller]
fn check(cases: &[Case]) -> Result<(), Error> {
    let mut wrong = Vec::new();
    for (number, &(f, near, x)) in cases.iter().enumerate() {
        for (name, derivative) in DERIVATIVES {
            let expected = evaluated(near, derivative, x)?.swap_remove(0);
            for found in evaluated(f, derivative, x)? {
                let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-12 * (1.0 + b.abs());
                if !found.iter().zip(&expected).all(near) {
                    wrong.push(format!("case {number}, {name}: {found:?} is not {expected:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// A norm's gradient at 0 is 0, and so are its further derivatives.
#[test]
fn norms_along_an_axis() -> Result<(), Error> {
    check(&[
        (|x| x.reshape(&[2, 2]).norm2_along(1).sum(), |x| x.slice(0, 2..4).norm2(), &[0.0, 0.0, 3.0, 4.0]),
        (
            |x| x.reshape(&[2, 2]).norm2_along(0).sum(),
            |x| (x.at(0) * x.at(0) + x.at(2) * x.at(2)).sqrt(),
            &[0.0, 0.0, 3.0, 0.0],
        ),
        (|x| x.reshape(&[1, 3]).norm2_along(1).sum(), |x| x.sum() * 0.0, &[0.0; 3]),
        (
            |x| x.reshape(&[3, 2]).norm2_along(1).powi(2).sum(),
            |x| x.slice(0, 2..6).powi(2).sum(),
            &[0.0, 0.0, 3.0, 4.0, 1.0, 2.0],
        ),
        (
            |x| (x.reshape(&[3, 1, 2]) - x.reshape(&[1, 3, 2])).norm2_along(2).sum(),
            |x| {
                let apart = |i: usize, j: usize| (x.slice(0, i..i + 2) - x.slice(0, j..j + 2)).norm2();
                2.0 * (apart(0, 2) + apart(0, 4) + apart(2, 4))
            },
            &[0.5, 1.0, 2.0, -1.0, 1.5, 0.25],
        ),
        (
            |x| {
                let rows = x.reshape(&[2, 3]).norm2_along(1);
                rows.gt(0.0).select(rows * rows.ln(), 0.0).sum()
            },
            |x| x.slice(0, 3..6).norm2() * x.slice(0, 3..6).norm2().ln(),
            &[0.0, 0.0, 0.0, 1.0, 2.0, 2.0],
        ),
    ])
}

/// A value that several choices use, one of them or none.
#[test]
fn values_in_several_choices() -> Result<(), Error> {
    check(&[
        (
            |x| {
                let (x, y) = (x.at(0), x.at(0).sqrt());
                x.gt(0.5).select(y, x) + x.gt(0.7).select(y, x)
            },
            |x| 2.0 * x.at(0),
            &[0.0],
        ),
        (
            |x| {
                let (x, y) = (x.at(0), x.at(0).sqrt());
                x.gt(0.01).select(x.gt(1.0).select(2.0 * y, y.powi(3)), x * x)
            },
            |x| x.at(0) * x.at(0),
            &[0.0],
        ),
        (
            |x| {
                let y = x.sqrt();
                (x.gt(0.5).select(y, x) * x.gt(0.7).select(y.powi(3), x.sin())).sum()
            },
            |x| x.at(0) * x.at(0).sin() + x.at(1).powi(2),
            &[0.0, 2.0],
        ),
        (
            |x| {
                let (x, y, z) = (x.at(0), x.at(0).sqrt(), x.at(1));
                let a = z.gt(0.0).select(x.gt(0.1).select(y, x), x.gt(0.2).select(y * z, x * z));
                a * z.lt(0.0).select(x.gt(0.3).select(y * y * y, z), z)
            },
            |x| x.at(0) * x.at(1),
            &[0.0, 1.5],
        ),
    ])
}

/// Masks that differ from element to element, through what repeats and sums elements.
#[test]
fn masks_of_arrays() -> Result<(), Error> {
    check(&[
        (
            |x| {
                let m = x.reshape(&[2, 2]);
                let rows = m.sum_along(1);
                rows.reshape(&[2, 1]).gt(0.0).select(m * rows.sqrt().reshape(&[2, 1]), m).sum()
            },
            |x| x.at(0) + x.at(1) + (x.at(2) + x.at(3)) * (x.at(2) + x.at(3)).sqrt(),
            &[0.0, 0.0, 3.0, 4.0],
        ),
        (
            |x| {
                let m = x.reshape(&[2, 2]);
                let rows = m.powi(2).sum_along(1).sqrt().reshape(&[2, 1]);
                rows.gt(0.0).select(m / rows, 0.0).at((1, 0))
            },
            |x| x.at(2) / x.slice(0, 2..4).norm2(),
            &[0.0, 0.0, 3.0, 4.0],
        ),
        (
            |x| {
                let m = x.reshape(&[2, 2]);
                let rows = m.norm2_along(1).reshape(&[2, 1]);
                rows.gt(0.0).select(m / rows, 0.0).powi(3).sum()
            },
            |x| (x.slice(0, 2..4) / x.slice(0, 2..4).norm2()).powi(3).sum(),
            &[0.0, 0.0, 3.0, 4.0],
        ),
        (|x| x.gt(0.0).select(x.powi(3), (-x).sqrt()).powi(2).sum(), |x| x.powi(6).sum(), &[0.5]),
        (
            |x| {
                let y = x.sqrt().reversed(0).reshape(&[2, 2]).transpose();
                let z = x.reversed(0).reshape(&[2, 2]).transpose();
                z.gt(0.0).select(y * z, z.sin()).pad(0, 1, 1).slice(0, 1..3).cumsum(1).powi(2).sum()
            },
            |x| {
                let (a, b) = (x.at(3) * x.at(3).sqrt(), x.at(1).sin());
                let (c, d) = (x.at(2) * x.at(2).sqrt(), x.at(0) * x.at(0).sqrt());
                a * a + (a + b) * (a + b) + c * c + (c + d) * (c + d)
            },
            &[1.0, 0.0, 3.0, 2.0],
        ),
        (
            |x| {
                let y = x.sqrt();
                let parts: Vec<_> =
                    (0..3).map(|i| x.at(i).gt(0.0).select(y.at(i) * x.at(i), x.at(i))).collect();
                Array::of(&parts).powi(2).sum()
            },
            |x| x.at(0) * x.at(0) + x.at(1).powi(3) + x.at(2) * x.at(2),
            &[0.0, 1.5, 0.0],
        ),
    ])
}

fn guarded(x: Array<'_>) -> Scalar<'_> {
    x.gt(0.0).select(x.norm2_along(0).broadcast_to(&[2]) * x.ln(), x.powi(2)).sum()
}

fn unguarded(x: Array<'_>) -> Scalar<'_> {
    x.at(0).powi(2) + x.norm2() * x.at(1).ln()
}

/// The choice is around a structure.
#[test]
fn structures_in_choices() -> Result<(), Error> {
    check(&[
        (
            |x| {
                let z = scan(3, x.at(0), |c, _| c.sqrt());
                x.at(0).gt(0.0).select(z * z.ln(), x.at(0) * x.at(1))
            },
            |x| x.at(0) * x.at(1),
            &[0.0, 1.1],
        ),
        (
            |x| {
                let r = x.norm2();
                r.gt(0.0).select((x / r).powi(3).sum(), x.at(0))
            },
            |x| x.at(0) + 0.0 * x.at(1),
            &[0.0, 0.0],
        ),
        (
            |x| {
                let z = x.at(0).powf(x.at(1)) * x.at(0).ln().hypot(x.at(1));
                x.at(0).gt(0.0).select(z, x.at(0) * x.at(1))
            },
            |x| x.at(0) * x.at(1),
            &[-0.5, 1.1],
        ),
        (
            |x| {
                let l = x.reshape(&[2, 2]).cholesky();
                x.at(0).gt(0.0).select(l.at((1, 1)).ln(), x.at(0) * x.at(3))
            },
            |x| x.at(0) * x.at(3) + 0.0 * x.sum(),
            &[-1.0, 0.5, 0.5, 2.0],
        ),
        (
            |x| {
                x.at(0).gt(0.0).select(sum(3, |i| (x.at(0) * i.to_f64()).sqrt() * x.at(1)), x.at(0) * x.at(1))
            },
            |x| x.at(0) * x.at(1),
            &[0.0, 1.1],
        ),
        (
            |x| {
                let roots = map(3, |i| x.at(i).sqrt() * x.at(1));
                (x * x).gt(0.5).select(roots, x.sin()).sum()
            },
            |x| x.at(0).sin() + x.at(1).powf(1.5) + x.at(2).sqrt() * x.at(1),
            &[0.0, 1.1, 2.0],
        ),
        (
            |x| {
                let z = cond(x.at(1).gt(0.0), || x.at(0).sqrt(), || x.at(0).powi(3));
                x.at(0).gt(0.0).select(z.ln(), x.at(0) * x.at(1))
            },
            |x| x.at(0) * x.at(1),
            &[0.0, 1.1],
        ),
        (
            |x| scan(2, x, |c, _| c - grad(|c| guarded(c).sin(), c) * 0.01).sum(),
            |x| {
                let step = |c| c - grad(|c| unguarded(c).sin(), c) * 0.01;
                step(step(x)).sum()
            },
            &[0.0, 1.1],
        ),
    ])
}

/// The choice is a structure, and what it leaves was computed before.
#[test]
fn captures_that_are_not_read() -> Result<(), Error> {
    check(&[
        (
            |x| {
                let y = x.at(0).sqrt();
                cond(x.at(1).gt(0.5), || y, || x.at(0))
            },
            |x| x.at(0) + 0.0 * x.at(1),
            &[0.0, 0.1],
        ),
        (
            |x| {
                let y = x.at(0).sqrt();
                sum(3, |i| cond((x.at(1) * i.to_f64()).gt(0.5), || y * x.at(1), || x.at(0) * x.at(1)))
            },
            |x| 3.0 * x.at(0) * x.at(1),
            &[0.0, 0.1],
        ),
        (
            |x| {
                let y = x.sqrt();
                sum(3, |i| cond(x.at(i).gt(0.5), || y.at(i) * x.at(1), || x.at(i) * x.at(1)))
            },
            |x| x.at(0) * x.at(1) + x.at(1).sqrt() * x.at(1) + x.at(2).sqrt() * x.at(1),
            &[0.0, 1.1, 2.0],
        ),
        (
            |x| {
                let y = x.sqrt();
                sum(3, |i| x.at(i).gt(0.5).select(y.at(i) * x.at(1), x.at(i) * x.at(1)))
            },
            |x| x.at(0) * x.at(1) + x.at(1).sqrt() * x.at(1) + x.at(2).sqrt() * x.at(1),
            &[0.0, 1.1, 2.0],
        ),
        (
            |x| {
                let y = x.at(0).sqrt();
                while_at_most(5, x.at(1), |c| c.lt(0.0), |c| c + y) * x.at(1) + x.at(0)
            },
            |x| x.at(1) * x.at(1) + x.at(0),
            &[0.0, 0.1],
        ),
        (
            |x| {
                let y = x.at(0).sqrt();
                let n = x.at(0).gt(0.5).select(Int::from(3), Int::from(0));
                sum(n.at_most(4), |_| y) + x.at(0) * x.at(1)
            },
            |x| x.at(0) * x.at(1),
            &[0.0, 0.1],
        ),
        (
            |x| {
                let y = x.sqrt();
                sum(2, |i| cond(x.at(0).gt(i.to_f64()), || sum(2, |j| y.at(j)), || x.at(1).powi(2)))
            },
            |x| 2.0 * x.at(1).powi(2) + 0.0 * x.at(0),
            &[0.0, 0.1],
        ),
    ])
}

#[test]
fn norms_of_single_precision() -> Result<(), Error> {
    let f = Function::trace(matrix_of::<F32>(2, 2), |x| x.norm2_along(1).sum())?;
    let gradient = f.grad()?;
    assert_eq!(gradient.eval(&[0.0, 0.0, 3.0, 4.0])?, [0.0, 0.0, 0.6, 0.8]);
    assert_eq!(gradient.compile()?.call(&[0.0; 4])?, [0.0; 4]);
    Ok(())
}

/// Choices of one value, one in the other.
fn choices(n: usize, x: Array<'_>) -> Scalar<'_> {
    let (x, y) = (x.at(0), x.at(0).sqrt());
    (0..n).fold(x, |sum, k| x.gt(k as f64).select(y * sum, sum.sin() + x))
}

/// Each choice costs the same number of instructions, in the gradient and in the gradient of that.
#[test]
fn choices_of_one_value_do_not_grow_with_their_number() -> Result<(), Error> {
    let sizes = |n: usize| -> Result<[usize; 2], Error> {
        let gradient = Function::trace(vector(1), |x| choices(n, *x))?.grad()?;
        let second = Function::trace(vector(1), |x| grad(|x| choices(n, x), *x).at(0))?.grad()?;
        Ok([operations(&gradient).len(), operations(&second).len()])
    };
    let [few, more, most] = [sizes(5)?, sizes(10)?, sizes(20)?];
    for order in 0..2 {
        let [small, large] = [more[order] - few[order], most[order] - more[order]];
        assert!(large <= 2 * small + 4, "{few:?} {more:?} {most:?}");
    }
    Ok(())
}
