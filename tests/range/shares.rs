//! Derivatives of `logsumexp` and `softmax` of slices and arrays where elements are far apart, against digits by
//! multi-precision arithmetic: every entry of every order up to the third, in every nesting of the modes.

use crate::{Length, same, slope};
use evolute::prelude::*;
use evolute::{RealKind, Traced, scalars_of};

/// Numbers, the logarithm of the sum of their exponentials, and the shares in that sum.
type Shares = (&'static [f64], f64, &'static [f64]);

/// No element dominates, or one does: barely, or by far, at any place.
const SHARES: [Shares; 8] = [
    (&[53.0, 0.0], 53.0, &[1.0, 9.602_680_054_508_676e-24]),
    (&[0.0, 30.5], 30.500_000_000_000_057, &[5.675_685_232_632_4e-14, 0.999_999_999_999_943_2]),
    (&[0.0, -700.0], 9.859_676_543_759_77e-305, &[1.0, 9.859_676_543_759_77e-305]),
    (
        &[1.0, 0.0, -1.0],
        1.407_605_964_444_380_4,
        &[0.665_240_955_774_821_9, 0.244_728_471_054_797_64, 0.090_030_573_170_380_46],
    ),
    (&[53.0, 0.0, -20.0], 53.0, &[1.0, 9.602_680_054_508_676e-24, 1.979_259_877_946_904_5e-32]),
    (
        &[1.5, 2.0, -40.0],
        2.474_076_984_180_107,
        &[0.377_540_668_798_145_46, 0.622_459_331_201_854_6, 3.578_843_783_362_342e-19],
    ),
    (
        &[0.0, 0.0, -1.0],
        0.861_994_804_058_251_1,
        &[0.422_318_798_251_518_2, 0.422_318_798_251_518_2, 0.155_362_403_496_963_6],
    ),
    (&[3.0], 3.0, &[1.0]),
];

/// What is derived of the numbers: `logsumexp`, or the share of one.
fn exponentials<K: RealKind>(n: usize) -> Vec<(&'static str, Option<usize>, Length<K>)> {
    let mut all: Vec<(_, _, Length<K>)> = vec![
        ("logsumexp of a slice", None, |x| x.logsumexp()),
        ("logsumexp of an array", None, |x| Array::of(x).logsumexp()),
        ("softmax of a slice", Some(0), |x| x.softmax()[0]),
        ("softmax of an array", Some(0), |x| Array::of(x).softmax(0).at(0)),
    ];
    if n > 1 {
        all.push(("softmax of a slice", Some(1), |x| x.softmax()[1]));
        all.push(("softmax of an array", Some(1), |x| Array::of(x).softmax(0).at(1)));
    }
    all
}

/// The derivative by the elements numbered so, each in its mode.
fn entry<'t, K: RealKind>(
    f: Length<K>,
    x: &[Traced<'t, K>],
    numbered: &[usize],
    modes: usize,
) -> Traced<'t, K> {
    let Some((&i, rest)) = numbered.split_first() else { return f(x) };
    slope(modes & 1 == 1, |t| {
        let mut x = x.to_vec();
        x[i] += t;
        entry(f, &x, rest, modes >> 1)
    })
}

/// All lists of so many numbers below `n`.
fn lists(n: usize, length: usize) -> Vec<Vec<usize>> {
    (0..n.pow(length as u32)).map(|k| (0..length).map(|d| k / n.pow(d as u32) % n).collect()).collect()
}

/// The derivative of `logsumexp` by these elements, in whatever order: a cumulant of the distribution with these
/// probabilities. `1 − pᵢ` is the sum of the others.
fn cumulant(p: &[f64], numbered: &[usize]) -> f64 {
    let count = |i: usize| numbered.iter().filter(|&&k| k == i).count();
    let mut found: Vec<usize> = (0..p.len()).filter(|&i| count(i) > 0).collect();
    found.sort_by_key(|&i| std::cmp::Reverse(count(i)));
    let other = |i: usize| (0..p.len()).filter(|&j| j != i).map(|j| p[j]).sum::<f64>();
    let skew = |i: usize| other(i) - p[i];
    let product: f64 = found.iter().map(|&i| p[i]).product();
    let (i, counts) = (found[0], found.iter().map(|&i| count(i)).collect::<Vec<_>>());
    match counts[..] {
        [1] => p[i],
        [2] => product * other(i),
        [1, 1] => -product,
        [3] => product * other(i) * skew(i),
        [2, 1] => -product * skew(i),
        [1, 1, 1] => 2.0 * product,
        [4] => product * other(i) * (1.0 - 6.0 * p[i] * other(i)),
        [3, 1] => -product * (1.0 - 6.0 * p[i] * other(i)),
        [2, 2] => -product * (skew(i) * skew(found[1]) + 2.0 * product),
        [2, 1, 1] => 2.0 * product * (other(i) - 2.0 * p[i]),
        _ => unreachable!("no fourth number"),
    }
}

macro_rules! check_shares {
    ($Kind:ident $Host:ident up to $order:expr, $tolerance:expr) => {
        for (x, sum, shares) in SHARES {
            let point: Vec<$Host> = x.iter().map(|&x| x as $Host).collect();
            let all = || {
                (0..=$order)
                    .flat_map(|m| lists(x.len(), m))
                    .flat_map(|l| (0..1 << l.len()).map(move |modes| (l.clone(), modes)))
            };
            for (name, component, f) in exponentials::<$Kind>(x.len()) {
                let f = Function::vector(scalars_of::<$Kind>(x.len()), |x| {
                    all().map(|(numbered, modes)| entry(f, x, &numbered, modes)).collect::<Vec<_>>()
                })
                .unwrap();
                for options in [Options::default(), Options::default().strict()] {
                    let found = f.compile_with(&options).unwrap().call(&point).unwrap();
                    for ((mut numbered, modes), found) in all().zip(found) {
                        numbered.extend(component);
                        let expected = if numbered.is_empty() { sum } else { cumulant(shares, &numbered) };
                        let bound = $tolerance * expected.abs() + f64::from(<$Host>::MIN_POSITIVE);
                        let close = (f64::from(found) - expected).abs() <= bound;
                        assert!(
                            close,
                            "{name} by {numbered:?} in modes {modes:b} at {x:?}: {found:e}, not {expected:e}"
                        );
                    }
                }
            }
        }
    };
}

#[test]
fn in_double_precision() {
    check_shares!(F64 f64 up to 3, 2e-14);
}

#[test]
fn in_single_precision() {
    check_shares!(F32 f32 up to 2, 1e-5);
}

/// Of many elements of one size none has a share of which 1 minus the others' would keep the digits.
#[test]
fn of_many() {
    const N: usize = 1000;
    let f = Function::trace(evolute::vector(N), |x| x.logsumexp()).unwrap().hvp().unwrap().compile().unwrap();
    for largest in [0.0, 30.0] {
        let (mut x, mut v) = ([0.0; N], [0.0; N]);
        (x[0], v[0]) = (largest, 1.0);
        let others = (N - 1) as f64 * (-largest).exp();
        let share = 1.0 / (1.0 + others);
        let column = f.call((&x, &v)).unwrap();
        let entry =
            |i: usize| if i == 0 { share * share * others } else { -share * share * (-largest).exp() };
        for (i, found) in column.iter().enumerate() {
            assert!(
                (found / entry(i) - 1.0).abs() < 1e-14,
                "{i} with {largest}: {found:e}, not {:e}",
                entry(i)
            );
        }
    }
}

/// An infinite element is the sum, and no share is defined but 0; of what is −∞ nothing is left, or nothing is defined.
#[test]
fn of_what_is_infinite() {
    const INF: f64 = f64::INFINITY;
    const NAN: f64 = f64::NAN;
    for (x, sum, shares) in [
        ([INF, 0.0], INF, [NAN, 0.0]),
        ([-INF, INF], INF, [0.0, NAN]),
        ([INF, INF], INF, [NAN, NAN]),
        ([-INF, 0.0], 0.0, [0.0, 1.0]),
        ([-INF, -INF], -INF, [NAN, NAN]),
        ([NAN, INF], NAN, [NAN, NAN]),
        ([1e308, -1e308], 1e308, [1.0, 0.0]),
    ] {
        for (name, component, f) in exponentials::<F64>(2) {
            let f = Function::trace(2, |x| f(x)).unwrap();
            let found = f.compile().unwrap().call(&x).unwrap();
            assert!(same(found, component.map_or(sum, |i| shares[i])), "{name} at {x:?}: {found}");
            let gradient = f.grad().unwrap().compile().unwrap().call(&x).unwrap();
            let stated = component.is_some() || gradient.iter().zip(shares).all(|(&g, share)| same(g, share));
            assert!(stated, "{name} at {x:?}: {gradient:?}");
        }
    }
}
