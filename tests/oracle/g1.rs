//! Residual functions of least-squares problems (Moré, Garbow, Hillstrom; Luksan), in the arithmetic of
//! the oracle's pseudo-code.

use crate::problem::Problem;
use evolute::prelude::*;

macro_rules! residuals {
    ($($name:literal => $function:ident),+ $(,)?) => {
        /// The problem of this name.
        pub(crate) fn find(name: &str) -> Vec<Problem> {
            match name {
                $($name => vec![Problem::Residuals { traced: |x| $function(x), plain: Some(|x| $function(x)) }],)+
                _ => Vec::new(),
            }
        }
    };
}

residuals! {
    "MGH02_freudenstein_roth" => freudenstein_roth,
    "MGH04_brown_badly_scaled" => brown_badly_scaled,
    "MGH06_jennrich_sampson" => jennrich_sampson,
    "MGH08_bard" => bard,
    "MGH09_gaussian" => gaussian,
    "MGH11_gulf" => gulf,
    "MGH16_brown_dennis" => brown_dennis,
    "MGH17_osborne1" => osborne1,
    "MGH22_ext_powell" => ext_powell,
    "MGH24_penalty2" => penalty2,
    "MGH26_trigonometric" => trigonometric,
    "MGH27_brown_almost_linear" => brown_almost_linear,
    "MGH31_broyden_banded" => broyden_banded,
    "MGH34_linear_rank1_zero" => linear_rank1_zero,
}

/// A constant.
fn k<T: Real>(c: f64) -> T {
    T::of(c)
}

/// A whole number.
fn n<T: Real>(i: usize) -> T {
    T::of(i as f64)
}

fn freudenstein_roth<T: Real>(x: &[T]) -> Vec<T> {
    vec![
        k::<T>(-13.0) + x[0] + ((k::<T>(5.0) - x[1]) * x[1] - k(2.0)) * x[1],
        k::<T>(-29.0) + x[0] + ((x[1] + k(1.0)) * x[1] - k(14.0)) * x[1],
    ]
}

fn brown_badly_scaled<T: Real>(x: &[T]) -> Vec<T> {
    vec![x[0] - k(1000000.0), x[1] - k(2e-6), x[0] * x[1] - k(2.0)]
}

fn jennrich_sampson<T: Real>(x: &[T]) -> Vec<T> {
    (1..11).map(|i| n::<T>(2 + 2 * i) - ((n::<T>(i) * x[0]).exp() + (n::<T>(i) * x[1]).exp())).collect()
}

fn bard<T: Real>(x: &[T]) -> Vec<T> {
    let y = [0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39];
    let model = |i: usize| x[0] + n::<T>(i) / (n::<T>(16 - i) * x[1] + n::<T>(i.min(16 - i)) * x[2]);
    (1..16).map(|i| k::<T>(y[i - 1]) - model(i)).collect()
}

fn gaussian<T: Real>(x: &[T]) -> Vec<T> {
    let y = [
        0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521, 0.3989, 0.3521, 0.2420, 0.1295, 0.0540,
        0.0175, 0.0044, 0.0009,
    ];
    let t = |i: usize| k::<T>(8.0 - i as f64) / k(2.0);
    let model = |i: usize| x[0] * (-x[1] * (t(i) - x[2]).powi(2) / k(2.0)).exp();
    (1..16).map(|i| model(i) - k(y[i - 1])).collect()
}

fn gulf<T: Real>(x: &[T]) -> Vec<T> {
    let residual = |i: usize| {
        let t = n::<T>(i) / k(100.0);
        let y = k::<T>(25.0) + (k::<T>(-50.0) * t.ln()).powf(k::<T>(2.0) / k(3.0));
        (-((y - x[1]).abs().powf(x[2])) / x[0]).exp() - t
    };
    (1..100).map(residual).collect()
}

fn brown_dennis<T: Real>(x: &[T]) -> Vec<T> {
    let residual = |i: usize| {
        let t = n::<T>(i) / k(5.0);
        (x[0] + t * x[1] - t.exp()).powi(2) + (x[2] + x[3] * t.sin() - t.cos()).powi(2)
    };
    (1..21).map(residual).collect()
}

fn osborne1<T: Real>(x: &[T]) -> Vec<T> {
    let y = [
        0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.850, 0.818, 0.784, 0.751, 0.718, 0.685, 0.658,
        0.628, 0.603, 0.580, 0.558, 0.538, 0.522, 0.506, 0.490, 0.478, 0.467, 0.457, 0.448, 0.438, 0.431,
        0.424, 0.420, 0.414, 0.411, 0.406,
    ];
    let decay = |i: usize, rate: T| (k::<T>(-10.0 * i as f64) * rate).exp();
    let model = |i: usize| x[0] + x[1] * decay(i, x[3]) + x[2] * decay(i, x[4]);
    (0..33).map(|i| k::<T>(y[i]) - model(i)).collect()
}

fn ext_powell<T: Real>(x: &[T]) -> Vec<T> {
    let block = |x: &[T]| {
        [
            x[0] + k::<T>(10.0) * x[1],
            k::<T>(5.0).sqrt() * (x[2] - x[3]),
            (x[1] - k::<T>(2.0) * x[2]).powi(2),
            k::<T>(10.0).sqrt() * (x[0] - x[3]).powi(2),
        ]
    };
    x.chunks(4).flat_map(block).collect()
}

fn penalty2<T: Real>(x: &[T]) -> Vec<T> {
    let len = x.len();
    let a = (k::<T>(1.0) / k(100000.0)).sqrt();
    let mut r = vec![x[0] - k(0.2)];
    for i in 2..len + 1 {
        let y = (n::<T>(i) / k(10.0)).exp() + (n::<T>(i - 1) / k(10.0)).exp();
        r.push(a * ((x[i - 1] / k(10.0)).exp() + (x[i - 2] / k(10.0)).exp() - y));
    }
    for i in len + 1..2 * len {
        r.push(a * ((x[i - len] / k(10.0)).exp() - (k::<T>(-1.0) / k(10.0)).exp()));
    }
    let weighted: T = (0..len).map(|j| n::<T>(len - j) * x[j].powi(2)).sum();
    r.push(weighted - k(1.0));
    r
}

fn trigonometric<T: Real>(x: &[T]) -> Vec<T> {
    let s: T = x.iter().map(|t| t.cos()).sum();
    let residual = |i: usize| n::<T>(x.len()) - s + n::<T>(i + 1) * (k::<T>(1.0) - x[i].cos()) - x[i].sin();
    (0..x.len()).map(residual).collect()
}

fn brown_almost_linear<T: Real>(x: &[T]) -> Vec<T> {
    let len = x.len();
    let s: T = x.iter().sum();
    let product: T = x.iter().copied().product();
    let linear = (0..len - 1).map(|i| x[i] + s - n(len + 1));
    linear.chain([product - k(1.0)]).collect()
}

fn broyden_banded<T: Real>(x: &[T]) -> Vec<T> {
    let len = x.len();
    let residual = |i: usize| {
        let band = i.saturating_sub(5)..=(len - 1).min(i + 1);
        let s: T = band.filter(|&j| j != i).map(|j| x[j] * (k::<T>(1.0) + x[j])).sum();
        x[i] * (k::<T>(2.0) + k::<T>(5.0) * x[i].powi(2)) + k(1.0) - s
    };
    (0..len).map(residual).collect()
}

fn linear_rank1_zero<T: Real>(x: &[T]) -> Vec<T> {
    let s: T = (1..x.len() - 1).map(|j| n::<T>(j + 1) * x[j]).sum();
    let rows = (2..20).map(|i| n::<T>(i - 1) * s - k(1.0));
    [k(-1.0)].into_iter().chain(rows).chain([k(-1.0)]).collect()
}
