//! Functions that are called: once compiled, in loops and branches, with their lines.

use evolute_frontend::{Error, F64, Function, Scalar, Scalars, Single, cond, scalar, scan, vector};
use evolute_ir::Program;
use evolute_runtime::{CallError, Options};

type Two = Function<Scalars<F64>, Single<F64>>;

fn options() -> [Options; 4] {
    let strict = || Options::default().strict();
    [Options::default(), Options::default().interpreted(), strict(), strict().interpreted()]
}

/// Of some size, so that it is called.
fn swing<'t>(x: Scalar<'t>, y: Scalar<'t>) -> Scalar<'t> {
    (0..30).fold(x, |z, k| (z * y + f64::from(k) * 0.1).sin())
}

fn swinging() -> Result<Two, Error> {
    Function::scalar(2, |x| swing(x[0], x[1]))
}

fn calls(program: &Program) -> usize {
    program.callees().len()
}

#[test]
fn a_call_is_the_function() -> Result<(), Error> {
    let f = swinging()?;
    let called = Function::scalar(2, |x| (0..20).fold(x[0], |z, _| f.call(&[z, x[1]])))?;
    let copied = Function::scalar(2, |x| (0..20).fold(x[0], |z, _| swing(z, x[1])))?;
    assert_eq!((calls(called.program()), calls(copied.program())), (1, 0));
    let (x, v) = ([0.3, 0.8], [1.0, -0.5]);
    for options in options() {
        let value = |f: &Two| f.compile_with(&options)?.call(&x);
        let slope = |f: &Two| f.jvp()?.compile_with(&options)?.call((&x, &v));
        if options.fp == evolute_transforms::FpMode::Strict {
            assert_eq!((value(&called)?, slope(&called)?), (value(&copied)?, slope(&copied)?));
        }
        let product = |f: &Two| f.hvp()?.compile_with(&options)?.call((&x, &v));
        for (found, expected) in product(&called)?.iter().zip(product(&copied)?) {
            assert!((found - expected).abs() <= 1e-9 * expected.abs(), "{found} {expected}");
        }
    }
    Ok(())
}

#[test]
fn in_loops_and_branches() -> Result<(), Error> {
    let f = swinging()?;
    let along = |call: &dyn for<'t> Fn(Scalar<'t>, Scalar<'t>) -> Scalar<'t>| {
        Function::trace((vector(5), scalar()), |(x, y)| {
            let y = *y;
            let last = scan(5, y, |z, i| call(z, x.at(i)));
            cond(last.lt(y), || call(last, y), || call(call(y, last), last))
        })
    };
    let called = along(&|x, y| f.call(&[x, y]))?;
    let copied = along(&swing)?;
    let (x, y) = ([0.1, 0.9, -0.4, 0.2, 0.7], 0.5);
    for options in options() {
        let [found, expected] = [&called, &copied].map(|f| f.grad()?.compile_with(&options)?.call((&x, &y)));
        let ((a, b), (c, d)) = (found?, expected?);
        for (found, expected) in a.iter().chain([&b]).zip(c.iter().chain([&d])) {
            assert!((found - expected).abs() <= 1e-12 * (1.0 + expected.abs()), "{found} {expected}");
        }
    }
    Ok(())
}

/// What fails in a function fails in each call of it, at the function's line.
#[test]
fn failures_have_the_functions_line() -> Result<(), Error> {
    let pick = Function::trace((vector(3), scalar()), |(x, i)| {
        let line = x.at(i.to_int()); // this line
        swing(line, line)
    })?;
    let line = line!() - 3;
    let twice = Function::trace((vector(3), scalar()), |(x, i)| {
        let first = pick.call((*x, *i));
        pick.call((*x, *i + 1.0)) + first
    })?;
    assert_eq!(calls(twice.program()), 1);
    for options in options() {
        let compiled = twice.grad()?.compile_with(&options)?;
        assert!(compiled.call((&[1.0, 2.0, 3.0], &1.0)).is_ok());
        let Err(Error::Call(CallError::Failure(failure))) = compiled.call((&[1.0, 2.0, 3.0], &2.0)) else {
            panic!("a failure was expected");
        };
        assert_eq!(failure.to_string(), format!("index out of range in `at` at {}:{line}", file!()));
    }
    Ok(())
}

/// A thousand calls take what a call takes, a thousand times, and the function once: in the program, in its derivatives
/// and in machine code.
#[test]
fn programs_and_code_grow_by_calls_alone() -> Result<(), Error> {
    let f = Function::scalar(2, |x| (0..8).fold(x[0], |z, _| swing(z, x[1])))?;
    let sizes = |count: usize| {
        let many = Function::scalar(2, |x| (0..count).fold(x[0], |z, _| f.call(&[z, x[1]])))?;
        let compiled = many.hvp()?.compile()?;
        let report = compiled.executable().report();
        let (_, len, _) = *report.passes.last().expect("there are passes");
        Ok::<_, Error>([many.program().total_len(), len, report.code_bytes, report.workspace_bytes])
    };
    let [few, many] = [sizes(100)?, sizes(1000)?];
    let grown: Vec<usize> = many.iter().zip(few).map(|(many, few)| (many - few) / 900).collect();
    assert!(f.program().len() > 400 && grown[0] <= 4 && grown[1] <= 16 && grown[2] <= 2000, "{grown:?}");
    assert!(few[1] < 20 * f.program().len(), "{few:?}");
    Ok(())
}

/// A NaN that arises in a function is explained there.
#[test]
fn explained_within_a_function() -> Result<(), Error> {
    let f = Function::scalar(1, |x| (0..40).fold(x[0].ln(), |z, _| z.sin() + 1.0))?;
    let line = line!() - 1;
    let twice = Function::scalar(1, |x| f.call(&[f.call(x) - 10.0]))?;
    let origin = twice.explain_nan(&[1.0])?.expect("a logarithm of a negative number");
    assert_eq!(origin.loc.map(|loc| loc.line), Some(line));
    Ok(())
}
