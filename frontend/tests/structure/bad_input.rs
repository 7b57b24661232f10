//! Bad input of loops and indices: a typed error of the call with the user's line, in every mode, interpreted and
//! native; or a mistake of the trace.

use crate::mistake;
use evolute_frontend::{
    ArraySpec, Error, F64, Function, I64, Single, TraceError, cond, map, map_rows, scalar, scalar_of, scan,
    scan_stacked, sum, sum_rows, vector, while_at_most, while_loop,
};
use evolute_runtime::{CallError, Options};

/// A function of a vector and an index into it.
type Indexed = Function<(ArraySpec<F64>, Single<I64>), Single<F64>>;

fn everywhere() -> [Options; 4] {
    let strict = || Options::default().strict();
    [Options::default(), Options::default().interpreted(), strict(), strict().interpreted()]
}

/// The message of a call that failed.
#[track_caller]
fn failure<T>(result: Result<T, Error>) -> String {
    let Err(Error::Call(CallError::Failure(failure))) = result else { panic!("a failure was expected") };
    failure.to_string()
}

/// Indices, and the nearest that are in range.
const OUTSIDE: [(i64, i64); 4] = [(3, 2), (-1, 0), (i64::MIN, 0), (i64::MAX, 2)];

/// Indices out of range fail, at this line, in value and derivatives. Not checked, they count as the nearest.
#[track_caller]
fn check_indices(f: Result<Indexed, Error>, line: u32) -> Result<(), Error> {
    let x = &[0.5, 1.0, -0.3][..];
    let place = format!("` at {}:{line}", file!());
    let fails_here =
        |message: String| message.starts_with("index out of range in `") && message.ends_with(&place);
    let f = f?;
    let f = f.wrt::<0>();
    for options in everywhere() {
        let unchecked = options.clone().unchecked_indices();
        macro_rules! check {
            ($derived:expr, |$n:ident| $inputs:expr) => {{
                let derived = $derived;
                let checked = derived.compile_with(&options)?;
                let limited = derived.compile_with(&unchecked)?;
                for (outside, nearest) in &OUTSIDE {
                    let $n = outside;
                    assert!(fails_here(failure(checked.call($inputs))), "{f}");
                    let found = limited.call($inputs)?;
                    let $n = nearest;
                    assert_eq!(found, checked.call($inputs)?, "{f}");
                    assert_eq!(found, limited.call($inputs)?, "{f}");
                }
            }};
        }
        check!(&f, |n| (x, n));
        check!(f.value_and_grad()?, |n| (x, n));
        check!(f.jvp()?, |n| ((x, n), x));
        check!(f.hvp()?, |n| ((x, n), x));
        check!(f.jvp()?.jvp()?, |n| (((x, n), x), x));
        check!(f.jvp()?.vjp()?, |n| (((x, n), x), (&1.0, &0.5)));
        check!(f.vjp()?.vjp()?, |n| (((x, n), &1.0), (&1.0, x)));
    }
    Ok(())
}

fn inputs() -> (ArraySpec<F64>, Single<I64>) {
    (vector(3), scalar_of::<I64>())
}

#[test]
#[rustfmt::skip]
fn indices_of_what_is_read() -> Result<(), Error> {
    check_indices(Function::trace(inputs(), |(x, n)| x.at(*n).sin() * x.sum()), line!())?;
    check_indices(Function::trace(inputs(), |(x, n)| sum(2, |i| (x.at(*n) * i.to_f64()).sin())), line!())?;
    check_indices(Function::trace(inputs(), |(x, n)| map(2, |_| x.at(*n).exp()).prod()), line!())?;
    check_indices(Function::trace(inputs(), |(x, n)| scan(2, x.at(0), |c, _| (c * x.at(*n)).sin())), line!())
}

#[test]
#[rustfmt::skip]
fn indices_within_nested_structures() -> Result<(), Error> {
    check_indices(Function::trace(inputs(), |(x, n)| sum(2, |_| scan(2, x.at(1), |c, _| c.sin() * x.at(*n)))), line!())?;
    check_indices(Function::trace(inputs(), |(x, n)| cond(x.at(0).gt(0.0), || x.at(*n) * x.at(*n), || x.at(1))), line!())?;
    check_indices(Function::trace(inputs(), |(x, n)| while_at_most(3, x.at(0), |c| c.lt(0.6), |c| c + 0.2 + x.at(*n).abs())), line!())
}

#[test]
#[rustfmt::skip]
fn indices_of_what_is_added_to() -> Result<(), Error> {
    // In reverse, what is read at an index is added to there, and the other way round.
    check_indices(Function::trace(inputs(), |(x, n)| (x.scatter_add(map(1, |_| *n), x.slice(0, 1..2).sin()) * x).sum()), line!())?;
    check_indices(Function::trace(inputs(), |(x, n)| scan(2, *x, |y, _| y.scatter_add(map(1, |_| *n), y.slice(0, 1..2).sin())).sum()), line!())
}

#[test]
fn indices_known_to_be_right_are_not_checked() -> Result<(), Error> {
    let known =
        Function::trace(inputs(), |(x, n)| sum(3, |i| (x * i.to_f64()).at(i) * x.at(n.max(0).min(2))))?;
    let unknown =
        Function::trace(inputs(), |(x, n)| sum(3, |i| (x * i.to_f64()).at(i) * x.at(n.max(0).min(3))))?;
    let checks = |f: &Indexed| -> Result<usize, Error> { Ok(f.compile()?.clif()?.matches(" uge ").count()) };
    assert_eq!((checks(&known)?, checks(&unknown)?), (0, 1));
    Ok(())
}

#[test]
fn arrays_without_elements() -> Result<(), Error> {
    let f = Function::trace((vector(0), vector(2)), |(e, x)| {
        let rows = map_rows(*e, |e| e.item() * x.sum()).sum() + sum_rows(*e, |e| e.item().sin() * x.at(0));
        let scanned = scan(2, *e, |e, i| e * i.to_f64() + x.sum()).sum();
        rows + scanned + e.sum() + x.prod()
    })?;
    for options in everywhere() {
        let f = f.wrt::<1>();
        assert_eq!(f.compile_with(&options)?.call((&[], &[2.0, 3.0]))?, 6.0);
        assert_eq!(f.grad()?.compile_with(&options)?.call((&[], &[2.0, 3.0]))?, [3.0, 2.0]);
        assert_eq!(f.hvp()?.compile_with(&options)?.call(((&[], &[2.0, 3.0]), &[1.0, 0.0]))?, [0.0, 1.0]);
    }
    let f = Function::trace((vector(0), scalar_of::<I64>()), |(x, n)| x.at(*n))?;
    for options in everywhere().into_iter().chain(everywhere().map(Options::unchecked_indices)) {
        for n in [0, -1, i64::MAX] {
            let message = failure(f.compile_with(&options)?.call((&[], &n)));
            assert_eq!(message, format!("index out of range in `at` at {}:{}", file!(), line!() - 4));
        }
    }
    Ok(())
}

#[test]
fn loops_without_iterations() -> Result<(), Error> {
    let f = Function::trace((scalar(), scalar_of::<I64>()), |(x, n)| {
        let n = || n.at_most(4);
        let (carry, stack) = scan_stacked(n(), *x, |c, _| (c.sin(), c * x));
        let never = scan(0, *x, |c, _| c.sin()) + while_loop(*x, |c| c.gt(100.0), |c| c * 0.5);
        carry + stack.sum() + sum(n(), |i| x * i.to_f64()) + map(0, |_| *x).sum() + never
    })?;
    for options in everywhere() {
        let f = f.wrt::<0>();
        assert_eq!(f.compile_with(&options)?.call((&0.5, &0))?, 1.5);
        assert_eq!(f.grad()?.compile_with(&options)?.call((&0.5, &0))?, 3.0);
        assert_eq!(f.hvp()?.compile_with(&options)?.call(((&0.5, &0), &1.0))?, 0.0);
        assert_eq!(f.vjp()?.vjp()?.compile_with(&options)?.call((((&0.5, &0), &1.0), (&0.0, &1.0)))?.1, 0.0);
    }
    Ok(())
}

#[test]
fn numbers_of_iterations_out_of_range() -> Result<(), Error> {
    let f = Function::trace((scalar(), scalar_of::<I64>()), |(x, n)| {
        sum(n.at_most(9), |i| x.sin() * i.to_f64())
    })?;
    let expected = format!("number of iterations out of range at {}:{}", file!(), line!() - 2);
    for options in everywhere() {
        let f = f.wrt::<0>();
        for n in [-1, 10, i64::MIN, i64::MAX] {
            assert_eq!(failure(f.compile_with(&options)?.call((&1.0, &n))), expected);
            assert_eq!(failure(f.grad()?.compile_with(&options)?.call((&1.0, &n))), expected);
            assert_eq!(failure(f.hvp()?.compile_with(&options)?.call(((&1.0, &n), &1.0))), expected);
        }
    }
    let f = Function::trace(scalar(), |x| sum(1 << 32, |_| *x));
    let mistaken = mistake(f, file!(), line!() - 1);
    assert!(matches!(mistaken, TraceError::Trips { count: 4_294_967_296, .. }), "{mistaken}");
    let f = Function::trace(scalar(), |x| while_at_most(usize::MAX, *x, |x| x.gt(1.0), |x| x));
    mistake(f, file!(), line!() - 1);
    Ok(())
}

#[test]
fn a_while_that_never_ends() -> Result<(), Error> {
    let f = Function::trace(scalar(), |x| while_loop(*x, |x| x.gt(0.0), |x| x + 1.0))?;
    let expected = format!("the loop goes on past its limit of iterations at {}:{}", file!(), line!() - 1);
    for options in everywhere() {
        assert_eq!(failure(f.compile_with(&options)?.call(&1.0)), expected);
        assert_eq!(failure(f.grad()?.compile_with(&options)?.call(&1.0)), expected);
        assert_eq!(f.grad()?.compile_with(&options)?.call(&-1.0)?, 1.0);
    }
    Ok(())
}

#[test]
fn states_of_changing_shape() {
    let f = Function::trace(vector(3), |x| scan(2, *x, |x, _| x.slice(0, 0..2)).sum());
    let error = mistake(f, file!(), line!() - 1);
    assert!(error.to_string().contains("is given (f64[3]) and gives (f64[2])"), "{error}");
    let f = Function::trace(vector(3), |x| while_loop(*x, |x| x.sum().gt(1.0), |x| x.reshape(&[3, 1])).sum());
    mistake(f, file!(), line!() - 1);
    let f = Function::trace(vector(3), |x| scan_stacked(2, *x, |x, _| (x.outer(x), x.sum())).1.sum());
    assert!(matches!(mistake(f, file!(), line!() - 1), TraceError::Carry { .. }));
}
