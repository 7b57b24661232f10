//! How long does one call of each kernel take, and one element of its block form?
//!
//! Baseline: the functions of the standard library (the system's libm), where it has them.
//! Unit: nanoseconds, the best of several runs. `latency` feeds each result into the next argument,
//! `call` makes independent calls through the table, `block` is [`Table::unary_block`].

use std::hint::black_box;
use std::time::Instant;

use evolute_kernels::{Kernel, Signature, Table, baseline, features, table};

const N: usize = 512;
const RUNS: usize = 300;

fn best(mut f: impl FnMut()) -> f64 {
    let time = |f: &mut dyn FnMut()| {
        let start = Instant::now();
        f();
        start.elapsed().as_secs_f64()
    };
    (0..RUNS).map(|_| time(&mut f)).fold(f64::INFINITY, f64::min) * 1e9 / N as f64
}

/// Arguments in the usual range of a kernel.
fn arguments(kernel: Kernel) -> Vec<f64> {
    let (lo, hi) = match kernel {
        Kernel::Asin | Kernel::Acos | Kernel::Atanh => (-0.99, 0.99),
        Kernel::Ln | Kernel::Log2 | Kernel::Log10 | Kernel::LnGamma | Kernel::Digamma | Kernel::Pow => {
            (0.1, 20.0)
        }
        Kernel::Acosh => (1.1, 20.0),
        Kernel::Log1p => (-0.9, 5.0),
        Kernel::Polygamma => (0.1, 10.0),
        _ => (-5.0, 5.0),
    };
    (0..N).map(|i| lo + (hi - lo) * ((i * 193) % N) as f64 / N as f64).collect()
}

fn evaluate(table: &Table, kernel: Kernel, x: f64) -> f64 {
    match kernel.signature() {
        Signature::Unary => table.unary(kernel, x),
        Signature::Binary => table.binary(kernel, x, 1.7),
        Signature::Ternary => table.ternary(kernel, x, 1.7, 0.3),
        Signature::UnaryInt => table.unary_int(kernel, x, if kernel == Kernel::Polygamma { 1 } else { 5 }),
    }
}

fn system(kernel: Kernel) -> Option<fn(f64) -> f64> {
    Some(match kernel {
        Kernel::Exp => f64::exp,
        Kernel::Ln => f64::ln,
        Kernel::Sin => f64::sin,
        Kernel::Cos => f64::cos,
        Kernel::Tan => f64::tan,
        Kernel::Tanh => f64::tanh,
        Kernel::Log1p => f64::ln_1p,
        Kernel::Expm1 => f64::exp_m1,
        Kernel::Pow => |x| x.powf(1.7),
        _ => return None,
    })
}

/// Time of a call whose argument waits for the previous result.
fn latency(x: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    best(|| {
        let mut last = 0.0;
        for &x in x {
            last = f(x + last * 0.0);
        }
        black_box(last);
    })
}

fn call(x: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    let mut out = vec![0.0; N];
    best(|| {
        for (out, &x) in out.iter_mut().zip(x) {
            *out = f(x);
        }
        black_box(&out);
    })
}

fn block(table: &Table, kernel: Kernel, x: &[f64]) -> Option<f64> {
    let mut out = vec![0.0; N];
    (kernel.signature() == Signature::Unary)
        .then(|| best(|| table.unary_block(kernel, x, black_box(&mut out))))
}

fn show(time: Option<f64>) -> String {
    time.map_or("-".into(), |t| format!("{t:.2}"))
}

fn main() {
    println!(
        "{:12} {:>8} {:>8} {:>8} | {:>8} {:>8} {:>8} | {:>8} {:>8}",
        "",
        features(),
        "",
        "",
        "baseline",
        "",
        "",
        "system",
        ""
    );
    println!(
        "{:12} {:>8} {:>8} {:>8} | {:>8} {:>8} {:>8} | {:>8} {:>8}",
        "kernel", "latency", "call", "block", "latency", "call", "block", "latency", "call"
    );
    for kernel in Kernel::ALL {
        let x = arguments(kernel);
        let row = |t: &'static Table| {
            let f = |x| evaluate(t, kernel, x);
            format!("{:8.2} {:8.2} {:>8}", latency(&x, f), call(&x, f), show(block(t, kernel, &x)))
        };
        let f = system(kernel);
        let reference = (show(f.map(|f| latency(&x, f))), show(f.map(|f| call(&x, f))));
        println!(
            "{:12} {} | {} | {:>8} {:>8}",
            kernel.name(),
            row(table()),
            row(baseline()),
            reference.0,
            reference.1
        );
    }
}
