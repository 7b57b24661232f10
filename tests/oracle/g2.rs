//! Sparse scalar functions of the CUTE and Luksan collections, in the arithmetic of the oracle's
//! pseudo-code.

use crate::problem::Problem;
use evolute::prelude::*;

macro_rules! scalar_functions {
    ($($name:literal => $function:expr),+ $(,)?) => {
        /// The problem of this name.
        pub(crate) fn find(name: &str) -> Vec<Problem> {
            match name {
                $($name => vec![Problem::Scalar { traced: |x| $function(x), plain: Some(|x| $function(x)) }],)+
                _ => Vec::new(),
            }
        }
    };
}

scalar_functions! {
    "ARWHEAD" => arwhead,
    "BROYDN7D" => broydn7d,
    "BROYDEN_TRIDIAG_73" => broyden_tridiag_73,
    "CRAGGLVY" => cragglvy,
    "EDENSCH" => edensch,
    "EXTROSNB" => extrosnb,
    "FLETCHCR" => fletchcr,
    "GENHUMPS" => genhumps,
    "GENROSE" => genrose,
    "INDEF" => indef,
    "LIARWHD" => liarwhd,
    "NONDQUAR" => nondquar,
    "POWELLSG" => powellsg,
    "VARDIM" => vardim,
    "COSINE" => cosine,
    "DIXON3DQ" => dixon3dq,
    "CURLY3" => curly3,
    "ERRINROS" => errinros,
    "RAYDAN1" => raydan1,
    "HAGER" => hager,
    "EXT_HIMMELBLAU" => ext_himmelblau,
    "DIAGONAL5" => diagonal5,
    "PERT_QUAD_DIAG" => pert_quad_diag,
    "TRIGB" => trigb,
    "DIXMAANB" => |x| dixmaan(x, [1.0, 0.0625, 0.0625, 0.0625], [0, 0, 0, 1]),
    "DIXMAANE" => |x| dixmaan(x, [1.0, 0.0, 0.125, 0.125], [1, 0, 0, 1]),
}

/// A constant.
fn k<T: Real>(c: f64) -> T {
    T::of(c)
}

/// A whole number.
fn n<T: Real>(i: usize) -> T {
    T::of(i as f64)
}

fn arwhead<T: Real>(x: &[T]) -> T {
    let last = x[x.len() - 1];
    let term = |x: &T| (x.powi(2) + last.powi(2)).powi(2) - k::<T>(4.0) * *x + k(3.0);
    x[..x.len() - 1].iter().map(term).sum()
}

fn broydn7d<T: Real>(x: &[T]) -> T {
    let len = x.len();
    let p = k::<T>(7.0) / k(3.0);
    let mut f = k::<T>(0.0);
    for i in 0..len {
        let mut t = k::<T>(1.0) + (k::<T>(3.0) - x[i] / k(2.0)) * x[i];
        if i > 0 {
            t -= x[i - 1];
        }
        if i < len - 1 {
            t -= k::<T>(2.0) * x[i + 1];
        }
        f += t.abs().powf(p);
    }
    for i in 0..len / 2 {
        f += (x[i] + x[i + len / 2]).abs().powf(p);
    }
    f
}

fn broyden_tridiag_73<T: Real>(x: &[T]) -> T {
    let len = x.len();
    let p = k::<T>(7.0) / k(3.0);
    let mut f = k::<T>(0.0);
    for i in 0..len {
        let mut t = (k::<T>(3.0) - k::<T>(2.0) * x[i]) * x[i] + k(1.0);
        if i > 0 {
            t -= x[i - 1];
        }
        if i < len - 1 {
            t -= x[i + 1];
        }
        f += t.abs().powf(p);
    }
    f
}

fn cragglvy<T: Real>(x: &[T]) -> T {
    let mut f = k::<T>(0.0);
    for i in (0..x.len() - 3).step_by(2) {
        let (a, b, c, d) = (x[i], x[i + 1], x[i + 2], x[i + 3]);
        let tangent = ((c - d).tan() + c - d).powi(4);
        f = f
            + (a.exp() - b).powi(4)
            + k::<T>(100.0) * (b - c).powi(6)
            + tangent
            + a.powi(8)
            + (d - k(1.0)).powi(2);
    }
    f
}

fn edensch<T: Real>(x: &[T]) -> T {
    let term = |a: T, b: T| (a - k(2.0)).powi(4) + (a * b - k::<T>(2.0) * b).powi(2) + (b + k(1.0)).powi(2);
    let sum: T = x.windows(2).map(|x| term(x[0], x[1])).sum();
    k::<T>(16.0) + sum
}

fn extrosnb<T: Real>(x: &[T]) -> T {
    let sum: T = x.windows(2).map(|x| (x[1] - x[0].powi(2)).powi(2)).sum();
    (x[0] - k(1.0)).powi(2) + k::<T>(100.0) * sum
}

fn fletchcr<T: Real>(x: &[T]) -> T {
    let sum: T = x.windows(2).map(|x| (x[1] - x[0] + k(1.0) - x[0].powi(2)).powi(2)).sum();
    k::<T>(100.0) * sum
}

fn genhumps<T: Real>(x: &[T]) -> T {
    let wave = |x: T| (k::<T>(20.0) * x).sin().powi(2);
    let term = |a: T, b: T| wave(a) * wave(b) + (a.powi(2) + b.powi(2)) / k(20.0);
    x.windows(2).map(|x| term(x[0], x[1])).sum()
}

fn genrose<T: Real>(x: &[T]) -> T {
    let term = |a: T, b: T| k::<T>(100.0) * (b - a.powi(2)).powi(2) + (b - k(1.0)).powi(2);
    let sum: T = x.windows(2).map(|x| term(x[0], x[1])).sum();
    k::<T>(1.0) + sum
}

fn indef<T: Real>(x: &[T]) -> T {
    let len = x.len();
    let sines: T = x.iter().map(|&t| k::<T>(100.0) * (t / k(100.0)).sin()).sum();
    let cosines: T = (1..len - 1).map(|i| (k::<T>(2.0) * x[i] - x[len - 1] - x[0]).cos()).sum();
    sines + cosines / k(2.0)
}

fn liarwhd<T: Real>(x: &[T]) -> T {
    let term = |&t: &T| k::<T>(4.0) * (t.powi(2) - x[0]).powi(2) + (t - k(1.0)).powi(2);
    x.iter().map(term).sum()
}

fn nondquar<T: Real>(x: &[T]) -> T {
    let len = x.len();
    let sum: T = (0..len - 2).map(|i| (x[i] + x[i + 1] + x[len - 1]).powi(4)).sum();
    (x[0] - x[1]).powi(2) + (x[len - 2] - x[len - 1]).powi(2) + sum
}

fn powellsg<T: Real>(x: &[T]) -> T {
    let mut f = k::<T>(0.0);
    for x in x.chunks(4) {
        let (a, b, c, d) = (x[0], x[1], x[2], x[3]);
        f = f
            + (a + k::<T>(10.0) * b).powi(2)
            + k::<T>(5.0) * (c - d).powi(2)
            + (b - k::<T>(2.0) * c).powi(4)
            + k::<T>(10.0) * (a - d).powi(4);
    }
    f
}

fn vardim<T: Real>(x: &[T]) -> T {
    let s: T = (0..x.len()).map(|i| n::<T>(i + 1) * (x[i] - k(1.0))).sum();
    let squares: T = x.iter().map(|&t| (t - k(1.0)).powi(2)).sum();
    squares + s.powi(2) + s.powi(4)
}

fn cosine<T: Real>(x: &[T]) -> T {
    x.windows(2).map(|x| (x[0].powi(2) - x[1] / k(2.0)).cos()).sum()
}

fn dixon3dq<T: Real>(x: &[T]) -> T {
    let len = x.len();
    let sum: T = (1..len - 1).map(|i| (x[i] - x[i + 1]).powi(2)).sum();
    (x[0] - k(1.0)).powi(2) + sum + (x[len - 1] - k(1.0)).powi(2)
}

fn curly3<T: Real>(x: &[T]) -> T {
    let mut f = k::<T>(0.0);
    for i in 0..x.len() {
        let q: T = x[i..=(i + 3).min(x.len() - 1)].iter().sum();
        f += q * (q * (q.powi(2) - k(20.0)) - k::<T>(1.0) / k(10.0));
    }
    f
}

fn errinros<T: Real>(x: &[T]) -> T {
    let a = |i: usize| k::<T>(1.5) + n::<T>(i + 1).sin();
    let term =
        |i: usize| (x[i - 1] - k::<T>(16.0) * a(i).powi(2) * x[i].powi(2)).powi(2) + (x[i] - k(1.0)).powi(2);
    (1..x.len()).map(term).sum()
}

fn raydan1<T: Real>(x: &[T]) -> T {
    (0..x.len()).map(|i| n::<T>(i + 1) / k(10.0) * (x[i].exp() - x[i])).sum()
}

fn hager<T: Real>(x: &[T]) -> T {
    (0..x.len()).map(|i| x[i].exp() - n::<T>(i + 1).sqrt() * x[i]).sum()
}

fn ext_himmelblau<T: Real>(x: &[T]) -> T {
    let term = |a: T, b: T| (a.powi(2) + b - k(11.0)).powi(2) + (a + b.powi(2) - k(7.0)).powi(2);
    x.chunks(2).map(|x| term(x[0], x[1])).sum()
}

fn diagonal5<T: Real>(x: &[T]) -> T {
    x.iter().map(|&t| (t.exp() + (-t).exp()).ln()).sum()
}

fn pert_quad_diag<T: Real>(x: &[T]) -> T {
    let sum: T = x.iter().sum();
    let squares: T = (0..x.len()).map(|i| n::<T>(i + 1) / k(100.0) * x[i].powi(2)).sum();
    sum.powi(2) + squares
}

fn trigb<T: Real>(x: &[T]) -> T {
    let mut f = k::<T>(0.0);
    for i in 0..x.len() {
        let mut t = k::<T>(1.0) - x[i].cos();
        if i > 0 {
            t += x[i - 1].sin();
        }
        if i < x.len() - 1 {
            t -= x[i + 1].sin();
        }
        f += n::<T>(i + 1) * t;
    }
    f
}

/// The DIXMAAN family, by its parameters α, β, γ, δ (a β of 0 means no such term) and exponents.
fn dixmaan<T: Real>(x: &[T], [alpha, beta, gamma, delta]: [f64; 4], powers: [i32; 4]) -> T {
    let (len, m) = (x.len(), x.len() / 3);
    let weight = |i: usize, term: usize| (n::<T>(i + 1) / n(len)).powi(powers[term]);
    let mut f = k::<T>(1.0);
    for (i, x) in x.iter().enumerate() {
        f += k::<T>(alpha) * x.powi(2) * weight(i, 0);
    }
    if beta != 0.0 {
        for i in 0..len - 1 {
            f += k::<T>(beta) * x[i].powi(2) * (x[i + 1] + x[i + 1].powi(2)).powi(2) * weight(i, 1);
        }
    }
    for i in 0..2 * m {
        f += k::<T>(gamma) * x[i].powi(2) * x[i + m].powi(4) * weight(i, 2);
    }
    for i in 0..m {
        f += k::<T>(delta) * x[i] * x[i + 2 * m] * weight(i, 3);
    }
    f
}
