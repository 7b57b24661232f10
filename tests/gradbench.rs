//! The evals of the GradBench tool (`examples/gradbench.rs`) on small inputs.
//!
//! `tests/data/gradbench.jsonl` has an evaluation a line, with the output that the suite's own hand-written derivatives
//! give (of `ode` on four unknowns, where the method is exact as they are); of `saddle` and `particle` the outputs that the suite states. The comparison is the suite's, but sharper.

#[path = "../examples/gradbench/evals.rs"]
mod evals;

use serde_json::Value;

/// Allowed difference of two numbers, relative to their magnitudes or 1.
const TOLERANCE: f64 = 1e-10;

/// That of results of an iteration that ends as soon as it is near.
const ITERATED: f64 = 1e-6;

#[test]
fn outputs_are_those_of_the_suite() {
    let cases: Vec<Value> = include_str!("data/gradbench.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).expect("a case a line"))
        .collect();
    assert_eq!(cases.len(), 30);
    for case in &cases {
        let [module, function] = ["module", "function"].map(|key| case[key].as_str().expect("a name"));
        let (output, timings) =
            evals::evaluate(module, function, case["input"].clone()).expect("an evaluation");
        let timings: Vec<&str> = timings.iter().map(|timing| timing.name).collect();
        assert_eq!(timings, ["prepare", "evaluate"]);
        let tolerance = if matches!(module, "saddle" | "particle") { ITERATED } else { TOLERANCE };
        let name = format!("{module}.{function}");
        compare(&name, &output, &case["output"], tolerance);
    }
}

fn compare(place: &str, got: &Value, expected: &Value, tolerance: f64) {
    match (got, expected) {
        (Value::Array(got), Value::Array(expected)) => {
            assert_eq!(got.len(), expected.len(), "{place}");
            for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
                compare(&format!("{place}[{i}]"), got, expected, tolerance);
            }
        }
        (Value::Object(got), Value::Object(expected)) => {
            assert!(got.keys().eq(expected.keys()), "{place}: {got:?}");
            for (key, expected) in expected {
                compare(&format!("{place}.{key}"), &got[key], expected, tolerance);
            }
        }
        _ => {
            let [got, expected] = [got, expected].map(|x| x.as_f64().expect("a number"));
            let scale = 1.0 + got.abs() + expected.abs();
            assert!((got - expected).abs() <= tolerance * scale, "{place}: {got}, not {expected}");
        }
    }
}

#[test]
fn unknown_evals_and_functions_and_broken_inputs_are_errors() {
    for (module, function, input) in [
        ("nothing", "primal", "{}"),
        ("lse", "nothing", r#"{"x": [1.0]}"#),
        ("lse", "primal", r#"{"x": 1.0}"#),
    ] {
        let input = serde_json::from_str(input).expect("JSON");
        assert!(evals::find(module).is_none() || evals::evaluate(module, function, input).is_err());
    }
}
