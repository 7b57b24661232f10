//! What does not fit is named by the way to it.

use super::*;
use evolute::{CallError, Error, TraceError};

fn sums() -> Function<(Shape, evolute::ArraySpec<F64>), Shape> {
    Function::trace_to((shape(), vector(3)), shape(), |(net, _)| net.clone()).expect("traces")
}

fn message<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    result.unwrap_err().to_string()
}

const X: [f64; 3] = [0.0; 3];

#[test]
fn arguments_of_the_wrong_length() {
    let f = sums();
    let mut net = numbers(0.0);
    net.hidden[1].w.pop();
    let expected = "input.0.hidden[1].w: expected f64[5, 4], found 19 elements of f64";
    for options in executions() {
        assert_eq!(message(f.compile_with(&options).unwrap().call((&net, &X))), expected);
    }
    assert_eq!(message(f.eval((&net, &X))), expected);
    assert_eq!(message(f.explain_nan((&net, &X))), "input 2: expected f64[5, 4], found 19 elements of f64");
}

#[test]
fn plain_arguments_are_known_by_their_number() {
    let error = sums().compile().unwrap().call((&numbers(0.0), &X[..2])).unwrap_err();
    assert!(
        matches!(error, Error::Call(CallError::Buffer { what: "input", index: 9, len: 2, .. })),
        "{error}"
    );
}

#[test]
fn lists_of_the_wrong_length() {
    let f = sums().compile().unwrap();
    let mut net = numbers(0.0);
    net.hidden.pop();
    let expected = "input.0.hidden: expected 2 items, found 1";
    assert_eq!(message(f.call((&net, &X))), expected);
    assert_eq!(message(sums().eval((&net, &X))), expected);
    assert_eq!(message(sums().explain_nan((&net, &X))), expected);
    assert_eq!(message(sums().check_derivatives((&net, &X))), expected);
    // The mistake costs no memory and leaves the workspace fit for use.
    let (mut workspace, mut result) = (f.workspace(), numbers(1.0));
    assert!(f.call_into((&net, &X), &mut result, &mut workspace).is_err());
    f.call_into((&numbers(0.0), &X), &mut result, &mut workspace).unwrap();
    assert_eq!(result, numbers(0.0));
}

#[derive(Clone, Debug, PartialEq, Params)]
struct Two<T> {
    a: Vec<T>,
    b: Vec<T>,
}

/// As many numbers, but others: no list takes over the items of another.
#[test]
fn lists_of_the_wrong_lengths_with_the_right_sum() {
    let spec = Two { a: vec![scalar(); 2], b: vec![scalar(); 3] };
    let f = Function::trace_to(spec.clone(), spec.clone(), |two| two.clone()).unwrap();
    let (two, three) = (vec![1.0; 2], vec![1.0; 3]);
    let right = Two { a: two.clone(), b: three.clone() };
    let wrong = Two { a: three, b: two };
    let f = f.compile().unwrap();
    assert_eq!(message(f.call(&wrong)), "input.a: expected 2 items, found 3");
    let (mut result, mut workspace) = (wrong.clone(), f.workspace());
    let into = f.call_into(&right, &mut result, &mut workspace);
    assert_eq!(message(into), "output.a: expected 2 items, found 3");
    result = right.clone();
    result.b.clear();
    assert_eq!(
        message(f.call_into(&right, &mut result, &mut workspace)),
        "output.b: expected 3 items, found 0"
    );

    let swapped = Function::trace_to(spec.clone(), spec, |two| Two { a: two.b.clone(), b: two.a.clone() });
    let line = line!() - 1;
    let message = message(swapped);
    assert!(message.ends_with("expected 2 items at .a, found 3"), "{message}");
    assert!(message.contains(&format!("tests/params/errors.rs:{line}")), "{message}");
}

#[test]
fn results_of_the_wrong_length() {
    let f = sums().compile().unwrap();
    let (mut result, mut workspace) = (numbers(0.0), f.workspace());
    result.last.b.push(0.0);
    let into = f.call_into((&numbers(0.0), &X), &mut result, &mut workspace);
    assert_eq!(message(into), "output.last.b: expected f64[2], found 3 elements of f64");
}

#[test]
fn made_results_of_the_wrong_shape() {
    let f = Function::trace_to((vector(3), shape()), (scalar(), shape()), |(x, net)| {
        let mut net = net.clone();
        net.last.w = net.last.w.transpose();
        (x.sum(), net)
    });
    let line = line!() - 5;
    let error = f.unwrap_err();
    assert!(matches!(error, Error::Trace(TraceError::Length { .. })));
    let message = error.to_string();
    assert!(message.ends_with("expected f64[2, 5] at .1.last.w, found f64[5, 2]"), "{message}");
    assert!(message.contains(&format!("tests/params/errors.rs:{line}")), "{message}");
}

#[test]
fn arguments_of_a_traced_function_of_the_wrong_shape() {
    let f = sums();
    let g = Function::trace_to((shape(), vector(3)), shape(), |(net, x)| {
        let mut net = net.clone();
        net.hidden[0].b = *x;
        f.call((net, *x))
    });
    let message = message(g);
    assert!(message.ends_with("expected f64[4] at .0.hidden[0].b, found f64[3]"), "{message}");
    let g = Function::trace_to((shape(), vector(3)), shape(), |(net, x)| {
        let mut net = net.clone();
        net.hidden.pop();
        f.call((net, *x))
    });
    let message = self::message(g);
    assert!(message.ends_with("expected 2 items at .0.hidden, found 1"), "{message}");
}

/// A loop's carry has the same lists in every iteration.
#[test]
fn carries_with_lists_of_changing_length() {
    let spec = vec![scalar(); 2];
    let f = Function::trace_to(spec.clone(), spec, |x| {
        scan(3, x.clone(), |mut x, _| {
            x.pop();
            x
        })
    });
    assert!(matches!(f, Err(Error::Trace(TraceError::Carry { .. }))));
}
