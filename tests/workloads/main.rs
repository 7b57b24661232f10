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
