//! Primitives of two and three operands: the value and all partial derivatives to the third order, in
//! every nesting of the modes and in every order of the operands; the gradient and Hessian of all at once.

use crate::data::{Case, by_name};
use crate::functions::symmetric;
use crate::nest::{BOTH, Diff, d, sequences};
use crate::report::Report;
use crate::run::{run, same_bits};
use crate::ulps::{Expected, Tally, compare};
use evolute::prelude::*;
use evolute::{Error, FpMode, Scalars};
use std::fmt;

/// A primitive of several operands, traced and plain.
struct Multi {
    traced: for<'t> fn(&[Scalar<'t>]) -> Scalar<'t>,
    plain: fn(&[f64]) -> f64,
}

macro_rules! multi_functions {
    ($($name:literal => |$x:ident| $body:expr;)+) => {
        fn find(name: &str) -> Option<Multi> {
            match name {
                $($name => {
                    fn f<T: Real>($x: &[T]) -> T {
                        $body
                    }
                    Some(Multi { traced: |x| f(x), plain: |x| f(x) })
                })+
                _ => None,
            }
        }
    };
}

multi_functions! {
    "add" => |x| x[0] + x[1];
    "sub" => |x| x[0] - x[1];
    "mul" => |x| x[0] * x[1];
    "div" => |x| x[0] / x[1];
    "atan2" => |x| x[0].atan2(x[1]);
    "hypot" => |x| x[0].hypot(x[1]);
    "pow" => |x| x[0].powf(x[1]);
    "max" => |x| Real::max(x[0], x[1]);
    "min" => |x| Real::min(x[0], x[1]);
    "logaddexp" => |x| x[0].logaddexp(x[1]);
    "fma" => |x| x[0].mul_add(x[1], x[2]);
}

/// Checks the cases `kind = binary` and `kind = ternary`.
pub(crate) fn check(report: &mut Report, tally: &mut Tally, cases: Vec<Case>) {
    for cases in by_name(cases) {
        let Some(function) = find(cases[0].name()) else {
            cases.iter().for_each(|case| report.fail(format!("{}: there is no such function", case.id())));
            continue;
        };
        let points: Vec<Vec<f64>> = cases.iter().map(|case| case.numbers("x")).collect();
        let mut check = Check { report, tally, cases: &cases, function: &function, points: &points };
        let checked = (0..4).try_for_each(|order| check.partials(order)).and_then(|()| check.together());
        checked.unwrap_or_else(|error| check.report.fail(format!("{}: {error}", cases[0].id())));
    }
}

struct Check<'a> {
    report: &'a mut Report,
    tally: &'a mut Tally,
    cases: &'a [Case],
    function: &'a Multi,
    points: &'a [Vec<f64>],
}

impl Check<'_> {
    /// One partial derivative after the other: each operator acts on one operand.
    fn partials(&mut self, order: usize) -> Result<(), Error> {
        let arity = self.points[0].len();
        let paths = paths(arity, order);
        let traced = self.function.traced;
        let f = Function::vector(arity, |x| paths.iter().map(|path| partial(path, &traced, x)).collect())?;
        let indices: Vec<Vec<usize>> =
            paths.iter().map(|path| path.iter().map(|step| step.operand).collect()).collect();
        self.entries(&f, &indices, |i| format!("{:?}", paths[i]))?;
        Ok(())
    }

    /// All operands at once.
    fn together(&mut self) -> Result<(), Error> {
        let arity = self.points[0].len();
        let f = Function::scalar(arity, |x| (self.function.traced)(x))?;
        let first: Vec<Vec<usize>> = (0..arity).map(|i| vec![i]).collect();
        let second: Vec<Vec<usize>> = (0..arity * arity).map(|k| vec![k / arity, k % arity]).collect();
        self.entries(&f.grad()?, &first, |i| format!("gradient {i}"))?;
        self.entries(&f.hessian()?, &second, |i| format!("hessian {i}"))
    }

    /// Compares the results of `f`, each the derivative by the operands of its index.
    fn entries(
        &mut self,
        f: &Function<Scalars<F64>, Scalars<F64>>,
        indices: &[Vec<usize>],
        what: impl Fn(usize) -> String,
    ) -> Result<(), Error> {
        let arguments: Vec<&[f64]> = self.points.iter().map(|x| &x[..]).collect();
        for run in run(self.report, self.cases[0].id(), f, &arguments) {
            let case = &self.cases[run.point];
            for (i, (index, &got)) in indices.iter().zip(&run.values).enumerate() {
                if index.is_empty() && run.fp == FpMode::Strict {
                    let plain = (self.function.plain)(&self.points[run.point]);
                    self.report
                        .check(same_bits(&[plain], &[got]), || format!("{}: plain {plain:e}", case.id()));
                }
                let what = format!("{} ({:?})", what(i), run.fp);
                compare(self.report, self.tally, case, &what, got, &expected(case, index));
            }
        }
        Ok(())
    }
}

/// One operator on one operand.
#[derive(Clone, Copy)]
struct Step {
    operand: usize,
    diff: Diff,
}

/// For messages: `Jvp(0)`.
impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({})", self.diff, self.operand)
    }
}

/// Every sequence of `order` operands with every nesting of the modes.
fn paths(arity: usize, order: usize) -> Vec<Vec<Step>> {
    let mut operands = vec![Vec::new()];
    for _ in 0..order {
        operands = operands.iter().flat_map(|o| (0..arity).map(|i| [&o[..], &[i]].concat())).collect();
    }
    let step = |(&operand, &diff): (&usize, &Diff)| Step { operand, diff };
    let nestings = sequences(&BOTH, order);
    let all =
        operands.iter().flat_map(|o| nestings.iter().map(|diffs| o.iter().zip(diffs).map(step).collect()));
    all.collect()
}

fn partial<'t>(path: &[Step], f: &dyn Fn(&[Scalar<'t>]) -> Scalar<'t>, x: &[Scalar<'t>]) -> Scalar<'t> {
    let [Step { operand, diff }, inner @ ..] = path else { return f(x) };
    let along = |xi| {
        let mut x = x.to_vec();
        x[*operand] = xi;
        partial(inner, f, &x)
    };
    d(*diff, along, x[*operand])
}

/// The derivative by the operands of an index.
fn expected(case: &Case, index: &[usize]) -> Expected {
    let (order, x) = (index.len(), case.numbers("x"));
    let entries = entries(case, order);
    let position = match (x.len(), order) {
        (2, _) => index.iter().sum(),
        (_, 2) => index[0] * x.len() + index[1],
        (_, 1) => index[0],
        _ => 0,
    };
    let value = if tie(case, order) { convention(index) } else { entries[position] };
    // Mixed entries of these are sums of terms that cancel.
    let cancels = case.has("hard") || (matches!(case.name(), "pow" | "hypot") && order >= 2);
    let largest = entries.iter().filter(|x| x.is_finite()).fold(0.0, |a: f64, x| a.max(x.abs()));
    // The note: at a zero divisor a NaN is allowed for the higher orders.
    let nan_allowed = case.name() == "div" && x[1] == 0.0 && order >= 2;
    Expected { value, order, scale: cancels.then_some(largest), nan_allowed }
}

/// The distinct entries of an order: of two operands by the number of times the second is taken, of three the
/// square matrix.
fn entries(case: &Case, order: usize) -> Vec<f64> {
    if case.text("kind") == "ternary" && order >= 2 {
        return match order {
            2 => symmetric(&case.numbers("exact/hess_lower"), 3),
            _ => vec![0.0],
        };
    }
    case.numbers(["f64/v", "f64/g", "f64/h", "f64/t"][order])
}

/// Where the derivative of `max` and `min` is a convention: any weights ≥ 0 of sum 1 are valid.
fn tie(case: &Case, order: usize) -> bool {
    matches!(case.name(), "max" | "min") && !case.has("derivative_unique") && order > 0
}

/// Ours, which the rows of the primitive table state: the derivative of the first operand.
fn convention(index: &[usize]) -> f64 {
    f64::from(index == [0])
}
