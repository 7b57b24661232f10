//! Derivatives of lengths near the ends of the range of numbers: `hypot`, and `norm2` of slices and arrays.
//!
//! Points are a moderate point times a size from 1e-308 to 1e300. The reference is the closed form at the moderate
//! point, scaled: `r`, `n·v` and `(u·v − (n·u)(n·v))/r` with the unit vector `n`. All of it is in range, so no
//! intermediate result may leave it: forward and reverse, in every nesting of two, in both modes.

use evolute::prelude::*;
use evolute::{RealKind, Traced, grad, jvp, scalars_of};

const P: [f64; 3] = [0.3, -0.4, 1.2];
const U: [f64; 3] = [0.25, -0.5, 0.75];
const V: [f64; 3] = [-0.125, 0.5, 0.625];

/// A function of a few numbers.
type Length<K> = for<'t> fn(&[Traced<'t, K>]) -> Traced<'t, K>;

/// The derivative of `f` at 0 by forward (`false`) or reverse mode.
#[track_caller]
fn slope<'t, K: RealKind>(reverse: bool, f: impl FnOnce(Traced<'t, K>) -> Traced<'t, K>) -> Traced<'t, K> {
    let (zero, one) = (Real::of(0.0), Real::of(1.0));
    if reverse { grad(f, zero) } else { jvp(f, zero, one).1 }
}

/// `x + t·v`.
fn moved<'t, K: RealKind>(x: &[Traced<'t, K>], v: &[f64], t: Traced<'t, K>) -> Vec<Traced<'t, K>> {
    x.iter().zip(v).map(|(&x, &v)| x + t * <Traced<K> as Real>::of(v)).collect()
}

/// The length, its derivative along `V` in both modes, and along `U` and `V` in every nesting.
fn derivatives<'t, K: RealKind>(length: Length<K>, x: &[Traced<'t, K>]) -> Vec<Traced<'t, K>> {
    let mut all = vec![length(x)];
    all.extend([false, true].map(|mode| slope(mode, |t| length(&moved(x, &V, t)))));
    for (outer, inner) in [(false, false), (false, true), (true, false), (true, true)] {
        let along = |x: &[Traced<'t, K>]| slope(inner, |t| length(&moved(x, &V, t)));
        all.push(slope(outer, |t| along(&moved(x, &U, t))));
    }
    all
}

/// What [`derivatives`] should give at `x = size · p`.
fn expected(p: &[f64], size: f64) -> Vec<f64> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let r = dot(p, p).sqrt();
    let first = dot(p, &V) / r;
    let second = (dot(&U[..p.len()], &V) - first * dot(p, &U) / r) / r / size;
    [vec![r * size], vec![first; 2], vec![second; 4]].concat()
}

macro_rules! check {
    ($Kind:ident $Host:ident $sizes:expr, $tolerance:expr) => {
        let lengths: [(usize, &str, Length<$Kind>); 3] = [
            (2, "hypot", |x| x[0].hypot(x[1])),
            (3, "norm2 of a slice", |x| x.norm2()),
            (3, "norm2 of an array", |x| Array::of(x).norm2()),
        ];
        for (n, name, length) in lengths {
            let f = Function::vector(scalars_of::<$Kind>(n), |x| derivatives(length, x)).unwrap();
            for options in [Options::default(), Options::default().strict()] {
                let f = f.compile_with(&options).unwrap();
                for size in $sizes {
                    let x: Vec<$Host> = P[..n].iter().map(|&p| (p * f64::from(size)) as $Host).collect();
                    for (found, expected) in
                        f.call(&x).unwrap().iter().zip(expected(&P[..n], f64::from(size)))
                    {
                        let error = (f64::from(*found) - expected).abs();
                        assert!(
                            error <= $tolerance * expected.abs(),
                            "{name} at {size:e}: {found:e}, not {expected:e}"
                        );
                    }
                }
            }
        }
    };
}

#[test]
fn lengths_in_double_precision() {
    check!(F64 f64 [1e-307f64, 1e-300, 1e-160, 1.0, 1e150, 1e300], 1e-14);
}

#[test]
fn lengths_in_single_precision() {
    check!(F32 f32 [1e-37f32, 1e-30, 1e-26, 1.0, 1e18, 1e30], 1e-5);
}
