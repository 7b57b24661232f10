//! Derivatives near the ends of the range of numbers: of lengths (`hypot`, and `norm2` of slices and arrays), and of functions
//! of one number, against digits by multi-precision arithmetic.
//!
//! Points of lengths are a moderate point times a size from 1e-308 to 1e300. The reference is the closed form at the moderate
//! point, scaled: `r`, `n·v` and `(u·v − (n·u)(n·v))/r` with the unit vector `n`. All of it is in range, so no
//! intermediate result may leave it: forward and reverse, in every nesting of two, in both modes. Where an element is no
//! number, so is every derivative.

mod shares;

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

/// The third derivative by the first number in every nesting.
fn third<'t, K: RealKind>(length: Length<K>, x: &[Traced<'t, K>]) -> Vec<Traced<'t, K>> {
    let along = |mode: bool, f: &dyn Fn(&[Traced<'t, K>]) -> Traced<'t, K>, x: &[Traced<'t, K>]| {
        slope(mode, |t| f(&[&[x[0] + t], &x[1..]].concat()))
    };
    let mut all = Vec::new();
    for modes in 0..8 {
        let [a, b, c] = [1, 2, 4].map(|bit| modes & bit != 0);
        all.push(along(a, &|x| along(b, &|x| along(c, &length, x), x), x));
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

fn lengths<K: RealKind>() -> [(usize, &'static str, Length<K>); 4] {
    [
        (2, "hypot", |x| x[0].hypot(x[1])),
        (2, "hypot of arrays", |x| Array::of(&x[..1]).hypot(Array::of(&x[1..])).sum()),
        (3, "norm2 of a slice", |x| x.norm2()),
        (3, "norm2 of an array", |x| Array::of(x).norm2()),
    ]
}

macro_rules! check {
    ($Kind:ident $Host:ident $sizes:expr, $tolerance:expr) => {
        for (n, name, length) in lengths::<$Kind>() {
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

/// The third derivative by one number, −3·n₀·(1 − n₀²)/r², is negative and out of range at these sizes. (Along a line it
/// is a sum of such numbers of either sign.)
#[test]
fn what_overflows_has_the_right_sign() {
    for (n, name, length) in lengths::<F64>() {
        let f = Function::vector(n, |x| third(length, x)).unwrap();
        for options in [Options::default(), Options::default().strict()] {
            let f = f.compile_with(&options).unwrap();
            for size in [1e-160, 1e-200, 1e-300] {
                let x: Vec<f64> = P[..n].iter().map(|p| p * size).collect();
                let found = f.call(&x).unwrap();
                assert_eq!(found[1..], [f64::NEG_INFINITY; 7], "{name} at {size:e}");
                // By forward mode alone the zero tangents of an array's other elements meet infinite entries.
                let zeros = name == "norm2 of an array";
                assert!(found[0] == f64::NEG_INFINITY || (zeros && found[0].is_nan()), "{name} at {size:e}");
            }
        }
    }
}

#[test]
fn lengths_in_double_precision() {
    check!(F64 f64 [1e-308f64, 1e-300, 1e-160, 1.0, 1e150, 1e300], 1e-14);
}

#[test]
fn lengths_in_single_precision() {
    check!(F32 f32 [1e-38f32, 1e-30, 1e-26, 1.0, 1e18, 1e30], 1e-5);
}

/// Where an element is no number, the norm is what `hypot` is, and every derivative is NaN.
#[test]
fn lengths_of_what_is_no_number() {
    const POINTS: [([f64; 2], f64); 6] = [
        ([f64::NAN, 1.0], f64::NAN),
        ([1.0, f64::NAN], f64::NAN),
        ([f64::NAN, 0.0], f64::NAN),
        ([f64::NAN, f64::NAN], f64::NAN),
        ([f64::INFINITY, f64::NAN], f64::INFINITY),
        ([f64::NAN, f64::NEG_INFINITY], f64::INFINITY),
    ];
    for (n, name, length) in lengths::<F64>() {
        let f = Function::vector(n, |x| derivatives(length, x)).unwrap().compile().unwrap();
        let gradient = Function::trace(n, |x| length(x)).unwrap().grad().unwrap().compile().unwrap();
        for (point, expected) in POINTS {
            let x = [&point[..], &vec![1.0; n - 2]].concat();
            let found = [f.call(&x).unwrap(), gradient.call(&x).unwrap()].concat();
            assert!(same(found[0], expected), "{name} at {x:?}: {found:?}");
            assert!(found[1..].iter().all(|d| d.is_nan()), "{name} at {x:?}: {found:?}");
        }
        assert_eq!(f.call(&vec![0.0; n]).unwrap(), [0.0; 7], "{name} at 0");
    }
}

/// Whether `found` is this number, or also a NaN.
fn same(found: f64, expected: f64) -> bool {
    found == expected || (found.is_nan() && expected.is_nan())
}

/// A function of one number.
type Unary = for<'t> fn(Scalar<'t>) -> Scalar<'t>;

/// Derivatives of orders 1, 2 and 3 at `x` in every nesting of the modes, with their order.
fn in_every_nesting(f: Unary, x: f64) -> Vec<(usize, f64)> {
    fn nested<'t>(f: Unary, x: Scalar<'t>, order: usize, modes: usize) -> Scalar<'t> {
        match order {
            0 => f(x),
            _ => slope(modes & 1 == 1, |t| nested(f, x + t, order - 1, modes >> 1)),
        }
    }
    let all = || (1..=3).flat_map(|order| (0..1 << order).map(move |modes| (order, modes)));
    let traced =
        Function::vector(1, |x| all().map(|(n, modes)| nested(f, x[0], n, modes)).collect::<Vec<_>>());
    let found = traced.unwrap().compile().unwrap().call(&[x]).unwrap();
    all().map(|(order, _)| order).zip(found).collect()
}

/// Compares the first three derivatives at `x` with these, of 20 digits: to 1e-14, or what is left of that below the
/// normal numbers.
#[track_caller]
fn check_unary(name: &str, f: Unary, x: f64, expected: [f64; 3]) {
    for (order, found) in in_every_nesting(f, x) {
        let expected = expected[order - 1];
        let close = (found - expected).abs() <= 1e-14 * expected.abs() + 1e-323;
        assert!(close || found == expected, "{name}, order {order} at {x:e}: {found:e}, not {expected:e}");
    }
}

#[test]
fn the_arc_tangent_of_large_numbers() {
    for (x, expected) in [
        (1e-300, [1.0, -2e-300, -2.0]),
        (3.0, [0.1, -0.06, 0.052]),
        (1e75, [1e-150, -2e-225, 6e-300]),
        (1e100, [1e-200, -2e-300, 0.0]),
        (1.4e154, [5.102_040_816_326_53e-309, 0.0, 0.0]),
        (-1e308, [0.0; 3]),
    ] {
        check_unary("atan", |x| x.atan(), x, expected);
        check_unary("atan2", |x| x.atan2(1.0), x, expected);
    }
}

/// With `sigmoid(x)` and `sigmoid(−x)` stand the derivatives of `sigmoid`, which are those of all four; near 0 the second
/// is a difference of equals.
#[test]
fn the_logistic_functions() {
    for (x, [up, down], [bell, second, third]) in [
        (2e-32, [0.5, 0.5], [0.25, -2.5e-33, -0.125]),
        (
            0.1249,
            [0.531_184_470_698_556, 0.468_815_529_301_444_05],
            [0.249_027_528_787_250_9, -0.015_531_583_349_199_652, -0.123_060_731_776_059_57],
        ),
        (
            -0.126,
            [0.468_541_608_443_683_1, 0.531_458_391_556_316_9],
            [0.249_010_369_600_689_45, 0.015_666_931_416_963_372, -0.123_026_615_411_342_33],
        ),
        (
            0.7,
            [0.668_187_772_168_166, 0.331_812_227_831_833_9],
            [0.221_712_873_293_109_04, -0.074_578_788_440_341_81, -0.073_226_715_810_208_33],
        ),
        (
            -3.0,
            [0.047_425_873_177_566_78, 0.952_574_126_822_433_3],
            [0.045_176_659_730_912_13, 0.040_891_574_660_943_48, 0.032_931_076_224_256_42],
        ),
        (
            40.0,
            [1.0, 4.248_354_255_291_589e-18],
            [4.248_354_255_291_589e-18, -4.248_354_255_291_589e-18, 4.248_354_255_291_589e-18],
        ),
        (-700.0, [9.859_676_543_759_77e-305, 1.0], [9.859_676_543_759_77e-305; 3]),
    ] {
        check_unary("sigmoid", |x| x.sigmoid(), x, [bell, second, third]);
        check_unary("softplus", |x| x.softplus(), x, [up, bell, second]);
        check_unary("log_sigmoid", |x| x.log_sigmoid(), x, [down, -bell, -second]);
        check_unary("logaddexp", |x| x.logaddexp(0.0), x, [up, bell, second]);
        check_unary("logaddexp, the other way", |x| Scalar::from(0.0).logaddexp(x), x, [up, bell, second]);
    }
}
