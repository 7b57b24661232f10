//! Which closures are products of a matrix and a vector, as far as their operations tell.

use crate::check;
use crate::systems::is_refused;
use evolute_frontend::{
    Array, ArraySpec, Error, F64, Function, Solver, TraceError, cond, grad, hvp, linear_solve, scan, sum,
    vector, while_at_most,
};

/// Solves for an unknown like `p` with the matrix that a closure makes of the unknown and of `p`.
macro_rules! traced {
    (|$x:ident, $p:ident| $product:expr) => {
        Function::trace(vector(2), |$p| {
            let $p = *$p;
            linear_solve(|$x: Array<'_>| $product, $p, Solver::default())
        })
    };
}

#[test]
#[rustfmt::skip]
fn what_is_not_linear() {
    let is_not = |traced: Result<_, Error>, line: u32, what: &str| {
        let Err(Error::Trace(TraceError::NotLinear { .. })) = &traced else { panic!("{traced:?}") };
        is_refused(traced, line, what);
    };
    is_not(traced!(|x, p| x * x + p), line!(), "`mul` is not linear in the unknown of the linear system");
    is_not(traced!(|x, p| x.sin() * p), line!(), "`sin` is not linear");
    is_not(traced!(|x, p| p / x), line!(), "`div` is not linear");
    is_not(traced!(|x, p| x * 2.0 + p), line!(), "`add` has a part that does not depend on the unknown");
    is_not(traced!(|x, _p| x - 1.0), line!(), "`sub` has a part");
    is_not(traced!(|_x, p| p * 3.0), line!(), "`mul` has a part");
    is_not(traced!(|x, p| x.gt(0.0).select(x, p * x)), line!(), "`gt` is not linear");
    is_not(traced!(|x, _p| x * x.maximum()), line!(), "`reduce` is not linear");
    is_not(traced!(|x, p| x.stop_gradient() * p), line!(), "`stop_gradient` is not linear");
    is_not(traced!(|x, p| p * x.inner(x)), line!(), "`mul` is not linear");
    is_not(traced!(|x, p| hvp(|y: Array<'_>| (y * y * y * x).sum(), p, x)), line!(), "`mul` is not linear");
    is_not(traced!(|x, p| scan(3, p, |c, _| c + x)), line!(), "`add` has a part");
    is_not(traced!(|x, p| x * sum(2, |i| x.at(i) * p.at(i))), line!(), "`mul` is not linear");
    is_not(traced!(|x, p| cond(p.at(0).gt(0.0), || x, || p)), line!(), "`cond` has a part");
    is_not(traced!(|x, p| cond(x.at(0).gt(0.0), || x, || p * x)), line!(), "`gt` is not linear");
    is_not(traced!(|x, p| while_at_most(9, x * p, |c| c.sum().lt(1.0), |c| c + x)), line!(), "`lt` is not linear");
}

/// A value that carries the unknown into a second loop, and a function that is called.
#[test]
fn what_is_not_linear_in_what_is_called() -> Result<(), Error> {
    let heavy = Function::trace_to((vector(2), vector(2)), vector(2), |(x, p)| {
        scan(3, *x, |c, _| scan(2, c, |d, _| (d * p).sin() + d) + (c * p).cos() * p.exp().sum())
    })?;
    let line = line!() - 2;
    let f = Function::trace(vector(2), |p| {
        linear_solve(|x| heavy.call((x, *p)) + heavy.call((x, p * 2.0)), *p, Solver::default())
    });
    is_refused(f, line, "`sin` is not linear in the unknown");
    let f = Function::trace(vector(2), |p| {
        linear_solve(|x| x * heavy.call((*p, *p)) + x * 9.0, *p, Solver::default())
    })?;
    assert!(f.eval(&[0.3, 0.4])?[0].is_finite());
    Ok(())
}

/// Closures that are linear, each with its derivatives.
#[test]
fn what_is_linear() -> Result<(), Error> {
    let quarter = Function::trace(vector(2), |x| x * 0.25)?.with_rule(|_, _, u| u * 0.25)?;
    let product = Function::external("product", vector(2), vector(2), |x, y| {
        y[0].copy_from_slice(&[3.0 * x[0][0] + x[0][1], 2.0 * x[0][1]]);
    })?
    .with_rule(|_, _, u| Array::of(&[u.at(0) * 3.0 + u.at(1), u.at(1) * 2.0]))?;
    let summed = |f: Result<Function<ArraySpec<F64>, ArraySpec<F64>>, Error>| -> Result<(), Error> {
        let f = f?;
        let f = Function::trace(vector(2), |p| (f.call(*p) * p).sum())?;
        check(&f, &[0.6, 0.8])
    };
    summed(traced!(|x, p| hvp(|y: Array<'_>| (y.exp() * p).sum() + (y * y).sum(), p, x)))?;
    summed(traced!(|x, p| grad(|y: Array<'_>| (y * y * p).sum() + y.at(0) * y.at(1), x)))?;
    summed(traced!(|x, p| scan(3, x, |c, _| c * p + x) - x * p.at(0)))?;
    summed(traced!(|x, p| x * 3.0 + p * sum(2, |i| x.at(i) / (p.at(i) + 1.0))))?;
    summed(traced!(|x, p| cond(p.at(0).gt(0.0), || x * p, || -x) + p.gt(0.7).select(x, x * 0.0)))?;
    summed(traced!(|x, p| x * 2.0 + linear_solve(|y| y * 2.0 + p * y.sum(), x * 0.1, Solver::default())))?;
    summed(traced!(|x, _p| x * 2.0 + quarter.call(x) + product.call(x).reversed(0)))?;
    summed(traced!(|x, p| (p.outer(p) + Array::constants(&[2, 2], &[3.0, 1.0, 0.0, 2.0])).dot(x) * p))
}

/// Loops as deep as they may be nested, whose carries become linear from the innermost one outwards: the closure is gone
/// through in proportion to their number.
#[test]
fn deep_loops() -> Result<(), Error> {
    fn nest<'t>(depth: usize, x: Array<'t>, c: Array<'t>) -> Array<'t> {
        match depth {
            0 => c * 0.5 + x * 0.25,
            _ => scan(1, c, |c, _| nest(depth - 1, x, c)),
        }
    }
    let f = traced!(|x, p| nest(30, x, p * 0.0) + x)?;
    assert_eq!(f.eval(&[2.5, 5.0])?, [2.0, 4.0]);
    Ok(())
}
