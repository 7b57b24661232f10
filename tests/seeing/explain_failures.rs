//! What a failed call says, and what `explain_nan` adds: the numbers, the iteration, the branch.

use evolute::explain::{ExplainError, FailureOrigin, OutOfRange, Within};
use evolute::ir::FailureKind;
use evolute::prelude::*;
use evolute::{CallError, Error};

/// What is said of an evaluation that fails.
#[track_caller]
fn explained<T: std::fmt::Debug>(result: Result<T, Error>) -> FailureOrigin {
    match result {
        Err(Error::Explain(ExplainError::Failed(origin))) => *origin,
        other => panic!("a failure was expected, not {other:?}"),
    }
}

#[test]
fn an_index_in_an_iteration() -> Result<(), Error> {
    let line = line!() + 2;
    let f =
        Function::trace((vector(3), vector_of::<I64>(4)), |(x, picks)| sum(4, |i| x.at(picks.at(i)).sin()))?;
    let (x, picks) = ([0.1, 0.2, 0.3], [0, 2, 7, -1]);
    let origin = explained(f.explain_nan((&x, &picks)));
    assert_eq!(origin.numbers, OutOfRange::Index { index: 7, axis: 0, extent: 3 });
    assert_eq!(origin.failure.kind, FailureKind::Index);
    assert_eq!(origin.failure.loc.as_ref().map(|loc| loc.line), Some(line));
    let [Within::Iteration { number: 2, loc: Some(_) }] = &origin.within[..] else { panic!("{origin:?}") };
    let text = origin.to_string();
    assert!(text.starts_with("index out of range in `at` at "), "{text}");
    assert!(text.contains("index 7 of axis 0, whose extent is 3, in `v"), "{text}");
    assert!(text.contains("\n  in iteration 2 of the loop at "), "{text}");

    let Err(Error::Call(CallError::Failure(failure))) = f.compile()?.call((&x, &picks)) else {
        panic!("a failure was expected")
    };
    assert_eq!(failure, origin.failure);
    Ok(())
}

#[test]
fn an_index_of_a_derivative() -> Result<(), Error> {
    let f = Function::trace((matrix(2, 3), scalar_of::<I64>()), |(a, i)| a.at((1, *i)))?;
    let origin = explained(f.wrt::<0>().grad()?.explain_nan((&[0.0; 6], &-4)));
    assert_eq!(origin.failure.kind, FailureKind::AddedIndex);
    assert!(origin.failure.to_string().starts_with("index out of range in `add_at` at "), "{origin}");
    assert!(matches!(origin.numbers, OutOfRange::Index { index: -4, extent: 3, .. }), "{origin}");
    Ok(())
}

#[test]
fn a_number_of_iterations() -> Result<(), Error> {
    let f = Function::trace(scalar_of::<I64>(), |n| sum(n.at_most(10), |i| i.to_f64()))?;
    for count in [-1, 11] {
        let origin = explained(f.explain_nan(&count));
        assert_eq!(origin.numbers, OutOfRange::Count { count, limit: 10 });
        assert!(origin.to_string().contains(&format!("{count} iterations, of at most 10, in `")), "{origin}");
    }
    Ok(())
}

#[test]
fn a_division_in_a_branch_in_a_while_loop() -> Result<(), Error> {
    let f = Function::trace((scalar_of::<I64>(), scalar()), |(n, x)| {
        while_at_most(
            9,
            (*n, *x),
            |(n, _)| n.gt(-3),
            |(n, x)| (n - 1, cond(n.lt(1), || x * (7 / n).to_f64(), || x.sin())),
        )
        .1
    })?;
    let origin = explained(f.explain_nan((&2, &0.5)));
    assert_eq!(origin.numbers, OutOfRange::Division { dividend: 7, divisor: 0 });
    let [Within::Iteration { number: 2, .. }, Within::Branch { taken: true, .. }] = &origin.within[..] else {
        panic!("{origin:?}")
    };
    Ok(())
}

#[test]
fn an_index_in_a_function_that_is_called() -> Result<(), Error> {
    let pick = Function::trace((vector(2), scalar_of::<I64>()), |(x, i)| {
        (0..30).fold(x.at(*i), |y, k| (y + f64::from(k)).sin())
    })?;
    let f = Function::trace((vector(2), vector_of::<I64>(3)), |(x, i)| {
        sum(3, |k| pick.call((*x, i.at(k))) * pick.call((*x, i.at(k) - 1)))
    })?;
    let origin = explained(f.explain_nan((&[1.0, 2.0], &[1, 1, 0])));
    assert_eq!(origin.numbers, OutOfRange::Index { index: -1, axis: 0, extent: 2 });
    let [Within::Iteration { number: 2, .. }] = &origin.within[..] else { panic!("{origin:?}") };
    Ok(())
}
