//! Linear systems solved, or preconditioned, by a closure of the user's.

use crate::check;
use crate::mistakes::fails;
use evolute_frontend::{
    Array, Error, Function, Scalar, Solver, System, cond, linear_solve, linear_solve_by, map, matrix, scalar,
    scan, scan_stacked, vector, vmap, while_at_most,
};
use evolute_ir::FailureKind::{NotConverged, Rejected, Singular};
use std::panic::Location;

/// The bands of a tridiagonal matrix that is not symmetric, one row each: lower, diagonal, upper.
#[derive(Clone, Copy)]
struct Bands<'t>([Array<'t>; 3]);

fn previous(x: Array<'_>) -> Array<'_> {
    x.pad(0, 1, 0).slice(0, 0..x.size())
}

fn next(x: Array<'_>) -> Array<'_> {
    x.pad(0, 0, 1).slice(0, 1..x.size() + 1)
}

impl<'t> Bands<'t> {
    fn of(p: Array<'t>) -> Self {
        Bands([p.sin(), 4.0 + p * p, p.cos() * 0.8])
    }

    fn transposed(self) -> Self {
        let Bands([lower, diagonal, upper]) = self;
        Bands([previous(upper), diagonal, next(lower)])
    }

    fn times(self, x: Array<'t>) -> Array<'t> {
        let Bands([lower, diagonal, upper]) = self;
        lower * previous(x) + diagonal * x + upper * next(x)
    }

    /// Thomas's elimination: a scan down and one up.
    fn eliminated(self, b: Array<'t>) -> Array<'t> {
        let (Bands([lower, diagonal, upper]), n) = (self, b.size());
        let zero = Scalar::from(0.0);
        let (_, (c, g)) = scan_stacked(n, (zero, zero), |(c, g), i| {
            let pivot = diagonal.at(i) - lower.at(i) * c;
            let next = (upper.at(i) / pivot, (b.at(i) - lower.at(i) * g) / pivot);
            (next, next)
        });
        let (c, g) = (c.reversed(0), g.reversed(0));
        let (_, x) = scan_stacked(n, zero, |x, i| {
            let x = g.at(i) - c.at(i) * x;
            (x, x)
        });
        x.reversed(0)
    }

    /// Jacobi's iteration until the residual is small, which needs the product alone.
    fn iterated(self, system: &System<'_, Array<'t>>, b: Array<'t>) -> Array<'t> {
        let Bands([_, diagonal, _]) = self;
        let go = |(_, r): (Array<'t>, Array<'t>)| r.inner(r).gt(1e-30 * b.inner(b));
        let step = |(x, r): (Array<'t>, Array<'t>)| {
            let x = x + r / diagonal;
            (x, b - system.times(x))
        };
        while_at_most(200, (b * 0.0, b), go, step).0
    }

    fn solved(self, b: Array<'t>) -> Array<'t> {
        let by = |system: &System<'_, Array<'t>>, v| match system.is_transposed() {
            true => self.transposed().eliminated(v),
            false => self.eliminated(v),
        };
        linear_solve_by(|x| self.times(x), b, Solver::given().to_tolerance(1e-13), by)
    }
}

const POINT: [f64; 4] = [0.6, -0.3, 0.8, 0.4];

#[test]
fn by_elimination_of_a_tridiagonal_matrix() -> Result<(), Error> {
    let f = Function::trace(vector(4), |p| {
        let x = Bands::of(*p).solved(p.exp());
        (x * x * p).sum()
    })?;
    check(&f, &POINT)?;
    let dense = Function::trace(vector(4), |p| {
        let x = linear_solve(|x| Bands::of(*p).times(x), p.exp(), Solver::dense());
        (x * x * p).sum()
    })?;
    let v = [1.0, -0.5, 0.2, 0.7];
    let [given, dense] = [f, dense].map(|f| f.value_grad_hvp()?.compile()?.call((&POINT, &v)));
    let ((value, gradient, product), (expected, other_gradient, other_product)) = (given?, dense?);
    assert!((value - expected).abs() < 1e-14);
    for (found, expected) in gradient.iter().zip(&other_gradient).chain(product.iter().zip(&other_product)) {
        assert!((found - expected).abs() < 1e-13, "{found} instead of {expected}");
    }
    Ok(())
}

#[test]
fn by_iterations() -> Result<(), Error> {
    let f = Function::trace(vector(4), |p| {
        let (bands, solver) = (Bands::of(*p), Solver::given().to_tolerance(1e-14));
        let x = linear_solve_by(|x| bands.times(x), p.exp(), solver, |system, v| bands.iterated(system, v));
        (x * x * p).sum()
    })?;
    check(&f, &POINT)
}

#[test]
fn in_loops_and_calls() -> Result<(), Error> {
    let solve = Function::trace_to((vector(2), vector(2)), vector(2), |(p, b)| Bands::of(*p).solved(*b))?;
    let f = Function::trace(vector(4), |p| {
        let rows = p.reshape(&[2, 2]);
        let mapped = map(3, |i| Bands::of(p * (i.to_f64() + 0.5)).solved(*p).sum());
        let scanned = scan(3, *p, |x, i| Bands::of(x * 0.5).solved(x + i.to_f64()));
        let called = vmap(|row: Array<'_>| solve.call((row, row.exp())), rows);
        let chosen = cond(p.at(0).gt(0.0), || Bands::of(p + 1.0).solved(*p), || p * 1.0);
        mapped.sum() + (scanned * p).sum() + called.sum() + chosen.inner(p)
    })?;
    check(&f, &POINT)
}

#[test]
fn preconditioned() -> Result<(), Error> {
    let f = Function::trace(vector(4), |p| {
        let bands = Bands::of(*p);
        let Bands([_, diagonal, _]) = bands;
        let general = linear_solve_by(|x| bands.times(x), p.exp(), Solver::gmres(), |_, v| v / diagonal);
        let symmetric = linear_solve_by(
            |x: Array<'_>| x * diagonal + p * (p * x).sum(),
            *p,
            Solver::conjugate_gradient(),
            |_, v| v / (diagonal + p * p),
        );
        (general * symmetric).sum()
    })?;
    check(&f, &POINT)?;
    // A preconditioner that is itself a few iterations, and another one for the transposed system.
    let f = Function::trace(vector(4), |p| {
        let bands = Bands::of(*p);
        let x = linear_solve_by(
            |x| bands.times(x),
            p.exp(),
            Solver::gmres(),
            |system, v| scan(3, v * 0.0, |x, _| x + (v - system.times(x)) * 0.2),
        );
        (x * x).sum()
    })?;
    check(&f, &POINT)
}

/// The unknown is a pair, and the closure solves by substitution.
#[test]
fn of_a_tuple() -> Result<(), Error> {
    let f = Function::trace(vector(4), |p| {
        let (a, b, k) = (p.at(0) + 2.0, p.slice(0, 1..3), p.at(3));
        let (s, x) = linear_solve_by(
            |(s, x): (Scalar<'_>, Array<'_>)| (s * a, x * k + b * s),
            (k, b.exp()),
            Solver::given(),
            |system, (s, x): (Scalar<'_>, Array<'_>)| match system.is_transposed() {
                true => ((s - (b * x).sum() / k) / a, x / k),
                false => (s / a, (x - b * (s / a)) / k),
            },
        );
        s * x.sum()
    })?;
    check(&f, &POINT)
}

#[test]
fn with_respect_to_chosen_arguments() -> Result<(), Error> {
    let f = Function::trace((matrix(2, 2), vector(2)), |(a, b)| {
        let inverse = a.inverse();
        let x = linear_solve_by(
            |x| a.dot(x),
            *b,
            Solver::given(),
            |system, v: Array<'_>| {
                if system.is_transposed() { inverse.transpose().dot(v) } else { inverse.dot(v) }
            },
        );
        (x * x).sum()
    })?;
    let (a, b) = (&[2.0, 1.0, 0.5, 4.0][..], &[4.0, 8.0][..]);
    let direct = Function::trace((matrix(2, 2), vector(2)), |(a, b)| a.solve(b).powi(2).sum())?;
    let close = |found: &[f64], expected: &[f64]| {
        found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-12)
    };
    let [found, expected] = [&f, &direct].map(|f| f.wrt::<0>().grad()?.compile()?.call((a, b)));
    assert!(close(&found?, &expected?));
    let [found, expected] = [&f, &direct].map(|f| -> Result<Vec<f64>, Error> {
        let mixed = f.wrt::<0>().grad()?.wrt::<1>().jvp()?.compile()?;
        Ok(mixed.call(((a, b), &[1.0, 0.3]))?.1)
    });
    let (found, expected) = (found?, expected?);
    assert!(close(&found, &expected), "{found:?} instead of {expected:?}");
    assert!(f.explain_nan((a, b))?.is_none());
    let nan = f.explain_nan((&[f64::NAN, 1.0, 0.5, 4.0][..], b))?;
    assert!(nan.is_some());
    Ok(())
}

#[test]
fn outside_of_a_trace() {
    let y = linear_solve_by(|y: Scalar<'_>| y * 4.0, Scalar::from(2.0), Solver::given(), |_, v| v * 0.25);
    assert_eq!(y.as_constant(), Some(0.5));
}

#[test]
fn no_solution() -> Result<(), Error> {
    let f = Function::trace(scalar(), |a| {
        linear_solve_by(|x: Scalar<'_>| x * 2.0, *a, Solver::given(), |_, v| v * 0.4)
    })?;
    let line = line!() - 2;
    assert_eq!(f.eval(&0.0)?, 0.0);
    assert!(f.eval(&f64::NAN)?.is_nan());
    fails(&f, 1.0, Rejected, line)?;
    fails(&f.grad()?, 0.0, Rejected, line)?;
    // The transposed one is missing: the value is there, its gradient is not.
    let f = Function::trace(scalar(), |a| {
        let b = Array::of(&[*a, a * 2.0]);
        let x = linear_solve_by(
            |x: Array<'_>| x * 2.0 + x.pad(0, 0, 1).slice(0, 1..3),
            b,
            Solver::given(),
            |_, v| v * 0.5 - v.pad(0, 0, 1).slice(0, 1..3) * 0.25,
        );
        x.sum()
    })?;
    let line = line!() - 8;
    assert_eq!(f.eval(&1.0)?, 1.0);
    fails(&f.grad()?, 1.0, Rejected, line)?;
    // Not a number, though what was asked is one; and a preconditioner that is.
    let f = Function::trace(scalar(), |a| {
        linear_solve_by(|x: Scalar<'_>| x * 2.0, *a, Solver::given(), |_, v| (v * 0.0 - 1.0).ln() + v * 0.5)
    })?;
    fails(&f, 1.0, Rejected, line!() - 2)?;
    let f = Function::trace(scalar(), |a| linear_solve(|x| x * a, Scalar::from(1.0), Solver::default()))?;
    fails(&f, 0.0, Singular, line!() - 1)
}

/// Iterations that break down on numbers: the line of the system, also in its derivatives.
#[test]
fn breakdowns() -> Result<(), Error> {
    let f = Function::trace(scalar(), |a| {
        let signs = Array::constants(&[2], &[1.0, -1.0]);
        linear_solve(|x: Array<'_>| x * signs, Array::of(&[*a, *a]), Solver::conjugate_gradient()).sum()
    })?;
    let line = line!() - 2;
    assert_eq!(f.eval(&0.0)?, 0.0);
    assert!(f.eval(&f64::NAN)?.is_nan());
    fails(&f, 1.0, NotConverged, line)?;
    fails(&f.grad()?, 0.0, NotConverged, line)?;
    let f = Function::trace(scalar(), |a| {
        let b = Array::of(&[*a, a * 2.0]);
        linear_solve_by(|x: Array<'_>| x * 2.0, b, Solver::conjugate_gradient(), |_, v| v * 0.0).sum()
    })?;
    fails(&f, 1.0, NotConverged, line!() - 2)
}

/// An error of the trace on this line that says this.
#[track_caller]
pub(crate) fn is_refused<T: std::fmt::Debug>(traced: Result<T, Error>, line: u32, message: &str) {
    let error = traced.expect_err("it is a mistake").to_string();
    let expected = format!("at {}:{line}: {message}", Location::caller().file());
    assert!(error.starts_with(&expected), "{error}\ninstead of\n{expected}");
}

#[test]
fn solvers_that_take_no_closure() {
    for solver in [Solver::default(), Solver::dense()] {
        let f = Function::trace(scalar(), |a| linear_solve_by(|x: Scalar<'_>| x * 2.0, *a, solver, |_, v| v));
        is_refused(f, line!() - 1, "`linear_solve` expects no inverse with the method");
    }
    let f = Function::trace(scalar(), |a| linear_solve(|x| x * 2.0, *a, Solver::given()));
    is_refused(f, line!() - 1, "`linear_solve` expects an inverse with the method `given`");
    let f = Function::trace(vector(2), |a| {
        linear_solve_by(|x| x * 2.0, *a, Solver::given(), |_, v| v.slice(0, 0..1))
    });
    is_refused(f, line!() - 2, "`linear_solve_by` expects (f64[2]), found (f64[1])");
    let f = Function::trace(vector(2), |a| {
        linear_solve_by(|x| x * 2.0, *a, Solver::given(), |system, v| system.times(v.slice(0, 0..1)))
    });
    is_refused(f, line!() - 2, "`linear_solve_by` expects (f64[2]), found (f64[1])");
}
