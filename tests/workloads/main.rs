//! The benchmark workloads against the values on which other systems agree, and what their programs do not depend
//! on.

mod cases;

use cases::{Case, known, scaled, small};
use evolute::prelude::*;

/// The relative error of what is found.
const TOLERANCE: f64 = 1e-12;

fn check(case: &dyn Case, options: &Options) {
    let [found, known] = case.evaluate(options).expect("a workload evaluates");
    for (found, known) in found.numbers().zip(known.numbers()) {
        let error = (found - known).abs() / known.abs();
        assert!(error <= TOLERANCE, "{}: {found} is not {known}, by {error:e}", case.name());
    }
}

#[test]
fn native_code_gives_the_known_values() {
    let cases = known();
    assert_eq!(cases.len(), 18);
    cases.iter().for_each(|case| check(&**case, &Options::default()));
}

#[test]
fn the_interpreter_gives_the_known_values() {
    small().iter().for_each(|case| check(&**case, &Options::default().interpreted()));
}

/// Neither do tracing, differentiating and compiling. Machine code grows once, where a sum has several segments.
#[test]
fn programs_do_not_depend_on_the_size() {
    let [small, large, larger] = [1, 10, 100].map(scaled);
    for ((small, large), larger) in small.iter().zip(&large).zip(&larger) {
        let [small, large, larger] = [small, large, larger].map(|case| {
            let made = case.hvp(&Options::default()).expect("a workload compiles");
            (made.instructions, made.report.code_bytes)
        });
        assert_eq!((small.0, large.0), (large.0, larger.0), "instructions");
        for other in [large.1, larger.1] {
            assert!(other * 2 < small.1 * 3, "{} and {other} bytes of code", small.1);
        }
    }
}

/// What is read and added to at computed indices is neither gathered nor spread out: only scalars are kept, and where
/// there are several segments of observations, the sums of one, for the parameters of all cameras and points.
#[test]
fn bundle_adjustment_needs_no_memory_for_observations() {
    for factor in [1, 10, 100] {
        let cases = scaled(factor);
        let case = cases.iter().find(|case| case.name().starts_with("W4b")).expect("a workload");
        let made = case.hvp(&Options::default()).expect("a workload compiles");
        assert!(
            made.report.workspace_bytes < 1000 + 8 * (1100 + 3000),
            "{} bytes",
            made.report.workspace_bytes
        );
    }
}

/// The value of a sum of terms, its gradient and its Hessian-vector product are one loop, or one nest; the mixture
/// needs the terms of a point before their derivatives, so it has two loops over components in that over points.
#[test]
fn value_gradient_and_product_are_one_loop() {
    for (name, expected) in [("W1 n=1000", 1), ("W3", 3), ("W4b", 1), ("W6 N=38", 2), ("W7m 100", 2)] {
        let cases = small();
        let case = cases.iter().find(|case| case.name().starts_with(name)).expect("a workload");
        let last = case.stages().expect("a workload is differentiated").pop().expect("a stage");
        let loops = last.program.to_string().matches(" = loop ").count();
        assert_eq!(loops, expected, "{name}\n{}", last.program);
    }
}
