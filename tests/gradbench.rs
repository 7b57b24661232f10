//! The evals of the GradBench tool (`examples/gradbench.rs`) on small inputs.
//!
//! `tests/data/gradbench.jsonl` has an evaluation a line, with the output that the suite's own hand-written derivatives
//! give (of `ode` on four unknowns, where the method is exact as they are); of `saddle` and `particle` the outputs that the
//! suite states. The comparison is the suite's, but sharper. Whole sessions are read and answered in memory.

#[path = "../examples/gradbench/tool.rs"]
mod tool;

use serde_json::{Value, json};
use tool::{evals, serve};

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

/// What the tool answers to these lines.
fn answers(lines: &[u8]) -> Vec<Value> {
    let mut output = Vec::new();
    serve(lines, &mut output).expect("nothing but memory is written to");
    let output = String::from_utf8(output).expect("JSON");
    output.lines().map(|line| serde_json::from_str(line).expect("an answer a line")).collect()
}

#[test]
fn a_session_is_answered_line_by_line() {
    let lines = concat!(
        r#"{"id": 0, "kind": "start", "eval": "lse"}"#,
        "\n",
        r#"{"id": 1, "kind": "define", "module": "lse"}"#,
        "\n",
        r#"{"id": 2, "kind": "define", "module": "nothing"}"#,
        "\n",
        r#"{"id": 3, "kind": "evaluate", "module": "hello", "function": "double", "input": 3.0}"#,
        "\n",
        r#"{"id": 4, "kind": "analysis", "of": 3, "valid": true}"#,
        "\n",
    );
    let mut answers = answers(lines.as_bytes());
    let timings = answers[3]["timings"].take();
    let names: Vec<&Value> =
        timings.as_array().expect("a list").iter().map(|timing| &timing["name"]).collect();
    assert_eq!(names, ["prepare", "evaluate"]);
    let expected = [
        json!({ "id": 0, "tool": "evolute" }),
        json!({ "id": 1, "success": true }),
        json!({ "id": 2, "success": false }),
        json!({ "id": 3, "success": true, "output": 6.0, "timings": null }),
        json!({ "id": 4 }),
    ];
    assert_eq!(answers, expected);
}

#[test]
fn lines_that_are_no_messages_are_answered() {
    let answers =
        answers(b"\n{\n\xff\xfe\n[]\n{\"id\": 1}\n{\"id\": 2, \"kind\": \"define\", \"module\": \"ba\"}\n");
    assert_eq!(answers.len(), 6);
    for answer in &answers[..5] {
        assert_eq!(answer["success"], json!(false));
        assert!(answer["error"].as_str().is_some_and(|error| error.starts_with("not a message")), "{answer}");
    }
    assert_eq!(answers[5], json!({ "id": 2, "success": true }));
}

/// An input of `ht` of two bones, without a finger, with changes.
fn hand(changes: Value) -> Value {
    let eye = [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]];
    let mut input = json!({
        "theta": [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        "us": [],
        "parents": [-1, 0],
        "correspondences": [0],
    });
    for (key, value) in changes.as_object().expect("changes") {
        input[key] = value.clone();
    }
    let data = json!({
        "model": {
            "parents": input["parents"], "base_relatives": [eye, eye], "inverse_base_absolutes": [eye, eye],
            "base_positions": [[1.0, 2.0, 3.0, 1.0]], "weights": [[0.5, 0.5]], "triangles": [[0, 0, 0]],
            "is_mirrored": false,
        },
        "correspondences": input["correspondences"],
        "points": [[1.0, 2.0, 3.0]],
    });
    json!({ "theta": input["theta"], "data": data, "us": input["us"] })
}

#[test]
fn bad_inputs_are_errors() {
    let [cam, zeros, x, feat] = [11, 10, 3, 2].map(|n| vec![0.0; n]);
    let ba =
        |[n, m, p]: [u64; 3]| json!({ "n": n, "m": m, "p": p, "cam": cam, "x": x, "w": 1.0, "feat": feat });
    let gmm = json!({
        "d": 0, "k": 0, "n": 0, "x": [], "m": 0.0, "gamma": 1.0, "alpha": [], "mu": [], "q": [], "l": [],
    });
    let empty = json!({ "main_params": [], "extra_params": [], "state": [], "sequence": [] });
    let cases = [
        ("nothing", "primal", json!({})),
        ("lse", "nothing", json!({ "x": [1.0] })),
        ("lse", "primal", json!({ "x": 1.0 })),
        ("lse", "primal", json!({ "x": [] })),
        ("ba", "objective", ba([0, 1, 1])),
        ("ba", "jacobian", ba([1, 0, 1])),
        ("ba", "objective", ba([1, 1, 0])),
        ("ba", "objective", ba([1 << 62, 1, 1])),
        ("det", "primal", json!({ "A": [1.0], "ell": 1u64 << 62 })),
        ("det", "gradient", json!({ "A": [], "ell": 0 })),
        ("gmm", "objective", gmm),
        ("kmeans", "dir", json!({ "points": [], "centroids": [[1.0]] })),
        ("kmeans", "dir", json!({ "points": [[1.0]], "centroids": [] })),
        ("kmeans", "cost", json!({ "points": [[1.0], [1.0, 2.0]], "centroids": [[1.0]] })),
        ("lstm", "objective", empty.clone()),
        ("lstm", "jacobian", empty),
        ("ode", "primal", json!({ "x": [], "s": 1 })),
        ("ode", "gradient", json!({ "x": [], "s": 1 })),
        ("ht", "objective", hand(json!({ "theta": [0.0, 0.0] }))),
        ("ht", "jacobian", hand(json!({ "theta": zeros[..8] }))),
        ("ht", "objective", hand(json!({ "theta": zeros }))),
        ("ht", "objective", hand(json!({ "parents": [1, 0] }))),
        ("ht", "objective", hand(json!({ "parents": [] }))),
        ("ht", "objective", hand(json!({ "correspondences": [7] }))),
        ("ht", "objective", hand(json!({ "us": [[0.5, 0.5]], "correspondences": [-1] }))),
    ];
    for (module, function, input) in cases {
        let name = format!("{module}.{function} of {input}");
        let message =
            json!({ "id": 5, "kind": "evaluate", "module": module, "function": function, "input": input });
        let answer = &answers(message.to_string().as_bytes())[0];
        assert_eq!((&answer["id"], &answer["success"]), (&json!(5), &json!(false)), "{name}: {answer}");
        assert!(answer["error"].is_string(), "{name}: {answer}");
    }
}

#[test]
fn the_hand_of_two_bones_is_a_good_input() {
    let changes = json!({});
    let (errors, _) = evals::evaluate("ht", "objective", hand(changes)).expect("an evaluation");
    assert_eq!(errors, json!([0.0, 0.0, 0.0]));
}
