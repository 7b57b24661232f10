//! The library against reference values: every case of `tests/data/oracle.json`.
//!
//! | group | what | functions in | compared in |
//! | --- | --- | --- | --- |
//! | G1 | residuals of least-squares problems | `g1` | `functions` |
//! | G2 | sparse scalar functions | `g2` | `functions` |
//! | G3 | nested derivatives | `g3_functions`, `g3_nested` | `functions`, `g3_nested` |
//! | G4 | primitives | `g4_unary`, `g4_multi`, `g4_vector` | `ulps` |
//! | G5 | models: arrays, loops, conditionals | `g5` | `functions` |
//!
//! Every quantity is computed by every route and nesting the library has (see `problem`), natively and
//! interpreted with the same bits, strictly and contracted. A case without a function fails, and the
//! number of cases is asserted. A group reports all its failures; its summary goes to standard error.

mod data;
mod functions;
mod g1;
mod g2;
mod g3_escape;
mod g3_functions;
mod g3_nested;
mod g4_multi;
mod g4_unary;
mod g4_vector;
mod g5;
mod nest;
mod problem;
mod report;
mod run;
mod ulps;

use report::Report;

#[test]
fn g1_residuals() {
    let mut report = Report::new("G1");
    functions::check(&mut report, functions::load("G1", 28), g1::find);
    report.finish(28);
}

#[test]
fn g2_scalar_functions() {
    let mut report = Report::new("G2");
    functions::check(&mut report, functions::load("G2", 52), g2::find);
    report.finish(52);
}

#[test]
fn g3_nested_derivatives() {
    let mut report = Report::new("G3");
    let (nested, functions) =
        functions::load("G3", 18).into_iter().partition::<Vec<_>, _>(|case| case.text("kind") == "nested");
    assert_eq!(nested.len(), 13);
    g3_nested::check(&mut report, &nested);
    let escapes: usize = nested.iter().map(|case| g3_escape::check(&mut report, case.name())).sum();
    assert_eq!(escapes, 9);
    functions::check(&mut report, functions, g3_functions::find);
    report.finish(18);
}

#[test]
fn g4_primitives() {
    let (mut report, mut tally) = (Report::new("G4"), ulps::Tally::default());
    let mut cases = functions::load("G4", 321);
    let mut take = |kind: &str| cases.extract_if(.., |case| case.text("kind") == kind).collect::<Vec<_>>();
    g4_unary::check(&mut report, &mut tally, take("unary"));
    g4_multi::check(&mut report, &mut tally, take("binary"));
    g4_multi::check(&mut report, &mut tally, take("ternary"));
    g4_vector::check(&mut report, &mut tally, take("vector"));
    assert!(cases.is_empty(), "cases of an unknown kind");
    tally.finish(&mut report);
    report.finish(321);
}

#[test]
fn g5_models() {
    let mut report = Report::new("G5");
    functions::check(&mut report, functions::load("G5", 10), g5::find);
    report.finish(10);
}
