//! Primitives of one operand: the value and three derivatives, in every nesting of the modes.

use crate::data::{Case, by_name};
use crate::nest::{BOTH, nth, sequences};
use crate::report::Report;
use crate::run::{run, same_bits};
use crate::ulps::{Expected, Tally, compare};
use evolute::prelude::*;
use evolute::{FpMode, Logic};

/// A function of one number and of the constant in its name, traced and plain.
struct Unary {
    traced: for<'t> fn(Scalar<'t>, f64) -> Scalar<'t>,
    plain: fn(f64, f64) -> f64,
}

macro_rules! unary_functions {
    ($($name:literal => |$x:ident, $c:pat_param| $body:expr;)+) => {
        /// The functions of this name: an integer power has two.
        fn find(name: &str) -> Vec<Unary> {
            let mut functions = Vec::new();
            $(if name == $name {
                #[allow(clippy::eq_op, reason = "`x - x` is a case")]
                fn f<T: Real>($x: T, $c: f64) -> T {
                    $body
                }
                functions.push(Unary { traced: |x, c| f(x, c), plain: |x, c| f(x, c) });
            })+
            functions
        }
    };
}

unary_functions! {
    "neg" => |x, _| -x;
    "recip" => |x, _| x.recip();
    "sqrt" => |x, _| x.sqrt();
    "cbrt" => |x, _| x.cbrt();
    "exp" => |x, _| x.exp();
    "exp2" => |x, _| x.exp2();
    "expm1" => |x, _| x.expm1();
    "log" => |x, _| x.ln();
    "log2" => |x, _| x.log2();
    "log10" => |x, _| x.log10();
    "log1p" => |x, _| x.log1p();
    "sin" => |x, _| x.sin();
    "cos" => |x, _| x.cos();
    "tan" => |x, _| x.tan();
    "asin" => |x, _| x.asin();
    "acos" => |x, _| x.acos();
    "atan" => |x, _| x.atan();
    "sinh" => |x, _| x.sinh();
    "cosh" => |x, _| x.cosh();
    "tanh" => |x, _| x.tanh();
    "asinh" => |x, _| x.asinh();
    "acosh" => |x, _| x.acosh();
    "atanh" => |x, _| x.atanh();
    "abs" => |x, _| x.abs();
    "sign" => |x, _| x.sign();
    "floor" => |x, _| x.floor();
    "ceil" => |x, _| x.ceil();
    "trunc" => |x, _| x.trunc();
    "round" => |x, _| x.round();
    "erf" => |x, _| x.erf();
    "erfc" => |x, _| x.erfc();
    "lgamma" => |x, _| x.ln_gamma();
    "digamma" => |x, _| x.digamma();
    "sigmoid" => |x, _| x.sigmoid();
    "softplus" => |x, _| x.softplus();
    "log_sigmoid" => |x, _| x.log_sigmoid();
    "relu" => |x, _| x.relu();
    "pow_c" => |x, c| x.powf(T::of(c));
    "powi_c" => |x, c| x.powi(c as i32);
    "const_pow" => |x, c| T::of(c).powf(x);
    "where_sqrt" => |x, _| x.gt(T::of(0.0)).select(x.sqrt(), T::of(0.0));
    "where_log1p" => |x, _| x.gt(T::of(-1.0)).select(x.log1p(), T::of(-5.0));
    "identity_cancel" => |x, _| x - x;
}

/// `pow_c(2)` is the function `pow_c` with the constant 2.
fn parse(name: &str) -> (&str, f64) {
    match name.split_once('(') {
        Some((name, c)) => (name, c.trim_end_matches(')').parse().expect("a constant")),
        None => (name, 0.0),
    }
}

/// Checks the cases `kind = unary`.
pub(crate) fn check(report: &mut Report, tally: &mut Tally, cases: Vec<Case>) {
    for cases in by_name(cases) {
        let (name, c) = parse(cases[0].name());
        let mut functions = find(name);
        if name == "pow_c" && c.fract() == 0.0 {
            functions.extend(find("powi_c"));
        }
        if functions.is_empty() {
            cases.iter().for_each(|case| report.fail(format!("{}: there is no such function", case.id())));
        }
        for (variant, function) in functions.iter().enumerate() {
            (0..4).for_each(|order| check_order(report, tally, &cases, (function, c, variant), order));
        }
    }
}

fn check_order(
    report: &mut Report,
    tally: &mut Tally,
    cases: &[Case],
    (function, c, variant): (&Unary, f64, usize),
    order: usize,
) {
    let nestings = sequences(&BOTH, order);
    let derivatives = Function::vector(1, |x| {
        nestings.iter().map(|diffs| nth(diffs, &|x| (function.traced)(x, c), x[0])).collect()
    });
    let derivatives = match derivatives {
        Ok(derivatives) => derivatives,
        Err(error) => return report.fail(format!("{}: {error}", cases[0].id())),
    };
    let points: Vec<Vec<f64>> = cases.iter().map(|case| case.numbers("x")).collect();
    let arguments: Vec<&[f64]> = points.iter().map(|x| &x[..]).collect();
    let what = format!("{} order {order}", cases[0].name());
    for run in run(report, &what, &derivatives, &arguments) {
        let (case, x) = (&cases[run.point], points[run.point][0]);
        if order == 0 && run.fp == FpMode::Strict {
            let plain = (function.plain)(x, c);
            report.check(same_bits(&[plain], &run.values), || {
                format!("{}: plain f64 gives {plain:e}", case.id())
            });
        }
        for (diffs, &got) in nestings.iter().zip(&run.values) {
            let what = format!("variant {variant} order {order} by {diffs:?} ({:?})", run.fp);
            compare(report, tally, case, &what, got, &expected(case, order));
        }
    }
}

fn expected(case: &Case, order: usize) -> Expected {
    let value = case.numbers("f64")[order];
    let scale = case.has("hard").then(|| value.abs().max(1.0));
    Expected { value, order, scale, nan_allowed: nan_allowed(case.name(), case.numbers("x")[0], order) }
}

/// The notes: a NaN is as good as the value at these poles.
fn nan_allowed(name: &str, x: f64, order: usize) -> bool {
    match name {
        "log" => x < 0.0,
        "cbrt" => x == 0.0 && order >= 2,
        "lgamma" | "digamma" => x <= 0.0 && x.fract() == 0.0,
        _ => false,
    }
}
