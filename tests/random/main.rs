//! Random programs through trace, every transform, simplification and machine code.
//!
//! | module | holds |
//! | --- | --- |
//! | `choices`, `run` | random choices as a tape that shrinks; running and reporting |
//! | `numbers` | random numbers of every kind; comparing bits |
//! | `ast`, `trees` | functions as trees, evaluated on plain and traced numbers; random ones |
//! | `graphs` | random programs of every element kind, built without tracing |
//! | `walk` | evaluation one operation at a time |
//! | `derived` | all derivatives of a program |
//! | `bits` | what is promised about bits, checked |
//! | `noise` | evaluation with rounding errors made larger: how exact a result can be |
//! | `differences` | derivatives as limits |
//! | `mathematics` | identities between derivatives, checked |
//!
//! `EVOLUTE_RANDOM_SECONDS=600 cargo test --release --test random -- --nocapture` runs for ten minutes.

mod ast;
mod bits;
mod choices;
mod derived;
mod differences;
mod graphs;
mod mathematics;
mod noise;
mod numbers;
mod run;
mod traced;
mod trees;
mod walk;

/// Functions traced from closures, with nested derivatives.
#[test]
fn traced_programs() {
    run::run("traced_programs", 1000, traced::check);
}

/// Programs of every element kind and operation.
#[test]
fn built_programs() {
    run::run("built_programs", 1200, graphs::check);
}

/// Derivatives of smooth functions by every route.
#[test]
fn derivatives_agree() {
    let tally = mathematics::Tally::default();
    run::run("derivatives_agree", 1500, |choices| mathematics::check(choices, &tally));
    tally.finish();
}
