//! Functions of several numbers: every derivative the oracle knows, by every route the library has.
//!
//! A [`Problem`] is a scalar function or residuals `r` with the objective `Σ rᵢ²`. [`measure`] computes at
//! some points, in both modes, natively and interpreted:
//!
//! | field | routes |
//! | --- | --- |
//! | `f` | with the gradient, by forward mode; the bits of plain `f64` arithmetic |
//! | `grad`, `d1` | alone; with the value; forward and reverse along the line `x + t·v` |
//! | `hvp` | forward over reverse, reverse over forward, forward over forward, reverse over reverse |
//! | `vHv` | forward alone; every nesting along the line |
//! | `hess` | dense, both triangles |
//! | `d3`, `d4` | nestings along the line |
//! | `r`, `jvp`, `vjp` | forward, reverse, and by the dense Jacobian |

use crate::nest::{BOTH, Diff, nth, sequences, unit};
use crate::report::Report;
use crate::run::{Flat, run, same_bits};
use evolute::prelude::*;
use evolute::{Error, FpMode, Spec};

/// A function under test, traced and (where it has neither derivatives nor loops inside) plain.
pub(crate) enum Problem {
    Scalar { traced: for<'t> fn(&[Scalar<'t>]) -> Scalar<'t>, plain: Option<fn(&[f64]) -> f64> },
    Residuals { traced: for<'t> fn(&[Scalar<'t>]) -> Vec<Scalar<'t>>, plain: Option<Plain> },
}

/// Residuals on plain numbers.
type Plain = fn(&[f64]) -> Vec<f64>;

/// Where to measure. `w` is empty without residuals.
pub(crate) struct Point {
    pub(crate) x: Vec<f64>,
    pub(crate) v: Vec<f64>,
    pub(crate) w: Vec<f64>,
}

/// One quantity, measured.
pub(crate) struct Measured {
    /// The field of the oracle.
    pub(crate) what: &'static str,
    /// The route.
    pub(crate) how: String,
    pub(crate) fp: FpMode,
    pub(crate) point: usize,
    pub(crate) values: Vec<f64>,
}

impl Problem {
    /// The objective.
    fn trace<'t>(&self, x: &[Scalar<'t>]) -> Scalar<'t> {
        match self {
            Problem::Scalar { traced, .. } => traced(x),
            Problem::Residuals { traced, .. } => sum_of_squares(&traced(x)),
        }
    }

    fn plain(&self, x: &[f64]) -> Option<f64> {
        match self {
            Problem::Scalar { plain, .. } => plain.map(|f| f(x)),
            Problem::Residuals { plain, .. } => plain.map(|r| sum_of_squares(&r(x))),
        }
    }
}

fn sum_of_squares<T: Real>(r: &[T]) -> T {
    r.iter().map(|&r| r * r).sum()
}

fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    a.iter().zip(b).map(|(&a, &b)| a * b).sum()
}

/// Everything the oracle knows of `problem`, at these points of one dimension.
pub(crate) fn measure(report: &mut Report, problem: &Problem, points: &[Point]) -> Vec<Measured> {
    let mut measure = Measure { report, problem, points, n: points[0].x.len(), measured: Vec::new() };
    let done = measure.first_and_second().and_then(|()| measure.second_by_nesting()).and_then(|()| {
        measure.along_the_line()?;
        measure.residuals()
    });
    if let Err(error) = done {
        measure.report.fail(error);
    }
    measure.measured
}

struct Measure<'a> {
    report: &'a mut Report,
    problem: &'a Problem,
    points: &'a [Point],
    n: usize,
    measured: Vec<Measured>,
}

type Objective = Function<evolute::Scalars<F64>, evolute::Single<F64>>;

impl<'a> Measure<'a> {
    /// Runs `f` and takes its results apart: so many for each field.
    fn take<S: Spec, R: Spec, A>(
        &mut self,
        how: &str,
        f: &Function<S, R, A>,
        arguments: impl Fn(&'a Point) -> S::Host<'a>,
        fields: &[(&'static str, usize)],
    ) where
        S::Host<'a>: Copy,
        R::Owned: Flat,
    {
        let arguments: Vec<S::Host<'a>> = self.points.iter().map(arguments).collect();
        for run in run(self.report, how, f, &arguments) {
            let mut rest = &run.values[..];
            for &(what, len) in fields {
                let (values, tail) = rest.split_at(len);
                rest = tail;
                let (how, values) = (how.to_string(), values.to_vec());
                self.measured.push(Measured { what, how, fp: run.fp, point: run.point, values });
            }
        }
    }

    fn objective(&self) -> Result<Objective, Error> {
        Function::scalar(self.n, |x| self.problem.trace(x))
    }

    fn first_and_second(&mut self) -> Result<(), Error> {
        let (f, n) = (self.objective()?, self.n);
        let x = |p: &'a Point| &p.x[..];
        let xv = |p: &'a Point| (&p.x[..], &p.v[..]);
        self.take("call", &f, x, &[("f", 1)]);
        self.plain_bits();
        self.take("grad", &f.grad()?, x, &[("grad", n)]);
        self.take("value_and_grad", &f.value_and_grad()?, x, &[("f", 1), ("grad", n)]);
        self.take("jvp", &f.jvp()?, xv, &[("f", 1), ("d1", 1)]);
        self.take("hvp", &f.hvp()?, xv, &[("hvp", n)]);
        self.take("value_grad_hvp", &f.value_grad_hvp()?, xv, &[("f", 1), ("grad", n), ("hvp", n)]);
        self.take("vhv", &f.vhv()?, xv, &[("f", 1), ("d1", 1), ("vHv", 1)]);
        self.take("hessian", &f.hessian()?, x, &[("hess", n * n)]);
        Ok(())
    }

    /// The function on plain numbers gives the bits of strict evaluation.
    fn plain_bits(&mut self) {
        for measured in &self.measured {
            let x = &self.points[measured.point].x;
            if let (FpMode::Strict, Some(plain)) = (measured.fp, self.problem.plain(x)) {
                self.report.check(same_bits(&[plain], &measured.values), || {
                    format!("plain f64 gives {plain:?}, compiled {:?}", measured.values)
                });
            }
        }
    }

    fn second_by_nesting(&mut self) -> Result<(), Error> {
        let (f, n) = (self.objective()?, self.n);
        let xv = |p: &'a Point| (&p.x[..], &p.v[..]);
        let pair = || (scalars(n), scalars(n));
        let (gradient, along) = (f.grad()?, f.jvp()?);
        let slope = Function::scalar(pair(), |&(x, v)| along.call((x, v)).1)?;
        self.take("reverse over forward", &slope.wrt::<0>().grad()?, xv, &[("hvp", n)]);
        let slope = Function::scalar(pair(), |&(x, v)| dot(&gradient.call(x), v))?;
        self.take("reverse over reverse", &slope.wrt::<0>().grad()?, xv, &[("hvp", n)]);
        let columns = Function::vector(pair(), |&(x, v)| {
            (0..n).map(|i| jvp(|x: Vec<_>| along.call((&x, v)).1, x.to_vec(), unit(n, i)).1).collect()
        })?;
        self.take("forward over forward", &columns, xv, &[("hvp", n)]);
        Ok(())
    }

    /// The derivatives of `t ↦ f(x + t·v)`.
    fn along_the_line(&mut self) -> Result<(), Error> {
        let large = self.objective()?.program().len() > LARGE;
        for diffs in line_nestings(large) {
            let (n, problem) = (self.n, self.problem);
            let derivative = Function::scalar((scalar(), scalars(n), scalars(n)), |&(t, x, v)| {
                nth(&diffs, &|t| problem.trace(&line(x, v, t)), t)
            })?;
            let field = ["d1", "vHv", "d3", "d4"][diffs.len() - 1];
            let arguments = |p: &'a Point| (&0.0, &p.x[..], &p.v[..]);
            self.take(&format!("{diffs:?} along the line"), &derivative, arguments, &[(field, 1)]);
        }
        Ok(())
    }

    fn residuals(&mut self) -> Result<(), Error> {
        let Problem::Residuals { traced, plain } = self.problem else { return Ok(()) };
        let r = Function::vector(self.n, |x| traced(x))?;
        let (n, m) = (self.n, self.points[0].w.len());
        let x = |p: &'a Point| &p.x[..];
        self.take("call", &r, x, &[("r", m)]);
        self.take("jvp", &r.jvp()?, |p| (&p.x[..], &p.v[..]), &[("r", m), ("jvp", m)]);
        self.take("vjp", &r.vjp()?, |p| (&p.x[..], &p.w[..]), &[("r", m), ("vjp", n)]);
        let jacobian = r.jacobian()?;
        let product = Function::vector((scalars(n), scalars(n)), |&(x, v)| {
            jacobian.call(x).chunks(n).map(|row| dot(row, v)).collect()
        })?;
        self.take("jacobian", &product, |p| (&p.x[..], &p.v[..]), &[("jvp", m)]);
        for measured in self.measured.iter().filter(|m| m.what == "r" && m.fp == FpMode::Strict) {
            let Some(plain) = plain.map(|r| r(&self.points[measured.point].x)) else { continue };
            self.report.check(same_bits(&plain, &measured.values), || "plain residuals differ");
        }
        Ok(())
    }
}

/// `x + t·v`.
fn line<T: Real>(x: &[T], v: &[T], t: T) -> Vec<T> {
    x.iter().zip(v).map(|(&x, &v)| x + t * v).collect()
}

/// A program of so many instructions is differentiated in fewer nestings, for the time it takes.
const LARGE: usize = 1000;

/// Every nesting up to the third order; of the fourth, the pure ones and some mixed.
fn line_nestings(large: bool) -> Vec<Vec<Diff>> {
    use Diff::{Grad as G, Jvp as J};
    let mut all: Vec<Vec<Diff>> = (1..=2).flat_map(|order| sequences(&BOTH, order)).collect();
    if large {
        all.extend([vec![J; 3], vec![J, G, J], vec![G; 3], vec![J; 4], vec![G, J, J, J]]);
    } else {
        all.extend(sequences(&BOTH, 3));
        all.extend([vec![J; 4], vec![J, J, J, G], vec![G, J, J, J]]);
        all.extend([vec![J, G, J, G], vec![G, J, G, J], vec![G; 4]]);
    }
    all
}
