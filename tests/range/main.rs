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

/// Second derivatives of a norm at (x, y), with a tiny y: (y², −xy, x²)/r³, of which `norm2` has the first to roundings
/// of 1/r, also among subnormal numbers, and `hypot` to its own.
#[test]
fn lengths_along_an_axis() {
    for (x, y, expected) in [
        (1.0, 5e-14, [2.5e-27, -5e-14, 1.0]),
        (1e-300, 5e-314, [2.5e273, -5e286, 1e300]),
        // y is 4.94…e-324.
        (1e-310, 5e-324, [2.441_008_6e283, -4.940_656_458e296, f64::INFINITY]),
    ] {
        for (n, name, length) in lengths::<F64>() {
            let f = Function::scalar(n, |x| length(x)).unwrap().hessian().unwrap().compile().unwrap();
            let found = f.call(&[&[x, y][..], &vec![0.0; n - 2]].concat()).unwrap();
            let cancelled = if name.starts_with("hypot") { 0.0 } else { 4.0 * f64::EPSILON / x };
            for (found, expected, error) in [
                (found[0], expected[0], cancelled),
                (found[1], expected[1], 0.0),
                (found[n + 1], expected[2], 0.0),
            ] {
                let close = (found - expected).abs() <= 1e-8 * expected.abs() + error;
                assert!(close || found == expected, "{name} at {x:e}, {y:e}: {found:e}, not {expected:e}");
            }
        }
    }
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

/// What quotients of numbers of very different sizes have for derivatives: by `x`, by `y`, by both, and twice by `y`.
/// NaN stands for what is not claimed: reverse over reverse, `1/y` itself is a cotangent and out of range.
const QUOTIENTS: [([f64; 2], [f64; 4]); 6] = [
    ([3.0, 2.0], [0.5, -0.75, -0.25, 0.75]),
    ([1e300, 1e162], [1e-162, -1e-24, -1e-324, 2e-186]),
    ([1e300, 1e160], [1e-160, -1e-20, -1e-320, 2e-180]),
    ([0.0, 1e-160], [1e160, 0.0, f64::NEG_INFINITY, 0.0]),
    ([1e-310, 1e-160], [1e160, -1e10, f64::NEG_INFINITY, 2e170]),
    ([0.0, 1e-310], [f64::INFINITY, 0.0, f64::NEG_INFINITY, f64::NAN]),
];

/// The derivatives of `f` in this order, for two modes.
fn of_two<'t>(f: Quotient, x: &[Scalar<'t>], outer: bool, inner: bool) -> Vec<Scalar<'t>> {
    let by = |k: usize, mode, f: &dyn Fn([Scalar<'t>; 2]) -> Scalar<'t>, mut x: [Scalar<'t>; 2]| {
        slope(mode, |t| {
            x[k] += t;
            f(x)
        })
    };
    let x = [x[0], x[1]];
    let (by_x, by_y) = (|x| by(0, inner, &|x| f(x), x), |x| by(1, inner, &|x| f(x), x));
    vec![by_x(x), by_y(x), by(1, outer, &by_x, x), by(1, outer, &by_y, x)]
}

/// A function of two numbers.
type Quotient = for<'t> fn([Scalar<'t>; 2]) -> Scalar<'t>;

#[test]
fn quotients_of_numbers_of_different_sizes() {
    let quotients: [(&str, Quotient); 2] =
        [("a quotient", |[x, y]| x / y), ("a quotient of arrays", |[x, y]| (Array::of(&[x]) / y).sum())];
    for (name, quotient) in quotients {
        for (outer, inner) in [(false, false), (false, true), (true, false), (true, true)] {
            let f = Function::vector(2, |x| of_two(quotient, x, outer, inner)).unwrap().compile().unwrap();
            for (x, expected) in QUOTIENTS {
                for (found, expected) in f.call(&x).unwrap().into_iter().zip(expected) {
                    let close = (found - expected).abs() <= 1e-14 * expected.abs() + 1e-323;
                    assert!(
                        close || found == expected || expected.is_nan(),
                        "{name} at {x:?}: {found:e}, not {expected:e}"
                    );
                }
            }
        }
    }
}

/// A derivative that is too large is infinite with its sign; orders 1 to 3 are (1/3) x^(−2/3), (−2/9) x^(−5/3) and
/// (10/27) x^(−8/3).
#[test]
fn the_cube_root_of_small_numbers() {
    const INF: f64 = f64::INFINITY;
    let third = 1.0 / 3.0;
    for (x, expected) in [
        (8.0, [1.0 / 12.0, -1.0 / 144.0, 5.0 / 3456.0]),
        (1e-90, [third * 1e60, -2.0 / 9.0 * 1e150, 10.0 / 27.0 * 1e240]),
        (1e-150, [third * 1e100, -2.0 / 9.0 * 1e250, INF]),
        (-1e-150, [third * 1e100, 2.0 / 9.0 * 1e250, INF]),
        (1e-300, [third * 1e200, -INF, INF]),
        (-1e-300, [third * 1e200, INF, INF]),
        (0.0, [INF, -INF, INF]),
        (1e300, [third * 1e-200, 0.0, 0.0]),
    ] {
        check_unary("cbrt", |x| x.cbrt(), x, expected);
    }
}

/// Where it saturates, the partial of `tanh` is right to a rounding of 1 and 0 from 20 on; that of the logistic function is
/// right in its tail.
#[test]
fn the_hyperbolic_tangent_where_it_saturates() {
    const SLOPES: [(f64, [f64; 3]); 7] = [
        (0.5, [0.786_447_732_965_927_4, -0.726_861_981_383_587_3, -0.565_209_288_259_770_3]),
        (5.0, [0.000_181_583_230_943_806_67, -0.000_363_133_487_920_905_6, 0.000_726_135_088_956_666_8]),
        (10.0, [8.244_614_455_767_397e-09, -1.648_922_884_356_112_7e-08, 3.297_845_741_522_758_4e-08]),
        (15.0, [3.743_049_187_535_369e-13, -7.486_098_375_069_338e-13, 1.497_219_675_013_307_2e-12]),
        (19.0, [1.255_653_116_819_211_8e-16, -2.511_306_233_638_423e-16, 5.022_612_467_276_846e-16]),
        (25.0, [7.714_999_391_855_671e-22, -1.542_999_878_371_134_3e-21, 3.085_999_756_742_268_5e-21]),
        (300.0, [1.060_158_621_201_724_3e-260, -2.120_317_242_403_448_6e-260, 4.240_634_484_806_897e-260]),
    ];
    for (x, expected) in SLOPES {
        check_unary("logistic", |x| 2.0 * (2.0 * x).sigmoid() - 1.0, x, expected);
        for (order, found) in in_every_nesting(|x| x.tanh(), x) {
            let error = (found - expected[order - 1]).abs();
            assert!(error <= 8.0 * f64::EPSILON, "order {order} at {x}: {found:e}");
            assert!(x < 20.0 || found == 0.0, "order {order} at {x}: {found:e}");
        }
    }
}

/// The second derivative of xʸ is y·(y − 1)·xʸ⁻². Known: where xʸ⁻² alone is too large it is infinite, with its sign, though a
/// tiny `y` would bring it into range: at 1e-160 it is −1e300. The first one, and those of larger numbers, have their value.
#[test]
fn powers_with_tiny_exponents() {
    const INF: f64 = f64::INFINITY;
    for (x, expected) in
        [(1.0, [1e-20, -1e-20, 2e-20]), (1e-100, [1e80, -1e180, 2e280]), (1e-160, [1e140, -INF, INF])]
    {
        check_unary("power", |x| x.powf(1e-20), x, expected);
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
