//! Error of every kernel against references of mpmath, for both builds.
//!
//! `data/<kernel>.csv` is written by `data/generate.py`, which describes the format. Errors are in
//! units of the last place of the rounded true value, measured against the unrounded one. Set
//! `KERNEL_DATA` to a directory with larger samples of the same format to check those instead.

use evolute_kernels::{Kernel, Signature, Table, baseline, table};

/// The promised bound of a kernel and an absolute error that is accepted as well (roots).
fn bound(kernel: Kernel) -> (f64, f64) {
    use Kernel::*;
    match kernel {
        Exp | Ln | Sin | Cos | Cbrt | Hypot | Pow => (1.0, 0.0),
        Exp2 | Expm1 | Log2 | Log10 | Log1p | Tan | Asin | Acos | Atan | Sinh | Cosh | Tanh | Asinh
        | Acosh | Atanh | Erf | Erfc | Gaussian | Sigmoid | Softplus | Atan2 | LogAddExp | Powi => (2.0, 0.0),
        Rem | MulAdd => (0.5, 0.0),
        LnGamma => (4.0, 4.0 * f64::EPSILON),
        Digamma | Polygamma => (16.0, 2e-15),
    }
}

/// One line of a reference file.
struct Reference {
    arguments: Vec<String>,
    value: f64,
    rest: f64,
}

fn number(hex: &str) -> f64 {
    f64::from_bits(u64::from_str_radix(hex, 16).expect("hexadecimal bits"))
}

fn references(kernel: Kernel) -> Vec<Reference> {
    let own = std::env::var("KERNEL_DATA").ok();
    let directory = own.as_deref().unwrap_or(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data"));
    let text = std::fs::read_to_string(format!("{directory}/{}.csv", kernel.name())).unwrap_or_default();
    assert!(own.is_some() || !text.is_empty(), "no references for {kernel:?}");
    text.lines().map(parse).collect()
}

fn parse(line: &str) -> Reference {
    let mut words: Vec<String> = line.split(',').map(String::from).collect();
    let rest = words.pop().expect("rest").parse().expect("decimal");
    let value = number(&words.pop().expect("value"));
    Reference { arguments: words, value, rest }
}

fn evaluate(table: &Table, kernel: Kernel, a: &[String]) -> f64 {
    match kernel.signature() {
        Signature::Unary => table.unary(kernel, number(&a[0])),
        Signature::Binary => table.binary(kernel, number(&a[0]), number(&a[1])),
        Signature::Ternary => table.ternary(kernel, number(&a[0]), number(&a[1]), number(&a[2])),
        Signature::UnaryInt => table.unary_int(kernel, number(&a[0]), a[1].parse().expect("integer")),
    }
}

fn ulp(x: f64) -> f64 {
    let below = f64::from_bits(x.abs().to_bits().max(1) - 1);
    let above = f64::from_bits(x.abs().to_bits() + 1);
    if above.is_finite() { above - x.abs() } else { x.abs() - below }
}

/// Error in ulps; infinity counts as the power of two that overflows, as rounding has it.
fn error(got: f64, expected: &Reference) -> f64 {
    let value = expected.value;
    if got.to_bits() == value.to_bits() {
        expected.rest.abs()
    } else if got.is_nan() {
        f64::INFINITY
    } else if got.is_infinite() || value.is_infinite() {
        let half = |x: f64| if x.is_infinite() { 2f64.powi(1023).copysign(x) } else { x / 2.0 };
        ((half(got) - half(value)) / 2f64.powi(970) - expected.rest).abs()
    } else {
        ((got - value) / ulp(value) - expected.rest).abs()
    }
}

/// The size of the terms that cancel at the roots of a kernel, for its absolute error.
fn cancelling_terms(kernel: Kernel, a: &[String]) -> f64 {
    let negative = number(&a[0]) < 0.0;
    match (kernel, a) {
        // Between two poles both contribute `k! / (1/2)^(k+1)` halfway.
        (Kernel::Polygamma, [_, k]) if negative => {
            let k: i32 = k.parse().expect("integer");
            (1..=k).fold(2.0, |product, i| product * 2.0 * f64::from(i))
        }
        _ => 1.0,
    }
}

fn check(build: &str, table: &Table) {
    let mut failures = Vec::new();
    for kernel in Kernel::ALL {
        let (limit, absolute) = bound(kernel);
        let mut worst = (0.0, String::new());
        for reference in references(kernel) {
            let got = evaluate(table, kernel, &reference.arguments);
            let size = error(got, &reference);
            let absolute = absolute * cancelling_terms(kernel, &reference.arguments);
            let near_root = absolute > 0.0 && (got - reference.value).abs() <= absolute;
            if size > worst.0 && !near_root {
                worst = (size, format!("at {:?}: {got:e} for {:e}", reference.arguments, reference.value));
            }
        }
        println!("{build:9} {:12} {:8.3} ulp {}", kernel.name(), worst.0, worst.1);
        if worst.0 > limit {
            failures.push((kernel, worst));
        }
    }
    assert!(failures.is_empty(), "{build}: {failures:#?}");
}

#[test]
fn this_cpu_is_within_bounds() {
    check("this cpu", table());
}

#[test]
fn baseline_is_within_bounds() {
    check("baseline", baseline());
}
