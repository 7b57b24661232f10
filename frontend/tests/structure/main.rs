//! Arrays, loops and conditionals as a user writes them: what they compute, which instructions they become, what
//! is a mistake, and that they are differentiated.

mod arrays;
mod bad_input;
mod calls;
mod checkpoints;
mod contract;
mod control;
mod derivatives;
mod index;
mod linalg;
mod mistakes;
mod mixed;
mod params;
mod residuals;
mod specs;
mod untaken;

use evolute_frontend::{Error, Function, Spec, TraceError};

/// The names of a program's operations in order, without constants and places.
fn operations<S: Spec, R: Spec>(f: &Function<S, R>) -> Vec<String> {
    let text = f.to_string();
    let operation = |line: &str| {
        let (_, operation) = line.trim().split_once(" = ")?;
        let name = operation.split_whitespace().next()?;
        (name != "const").then(|| name.to_string())
    };
    text.lines().filter_map(operation).collect()
}

/// The mistake that a closure made, which stands in this file.
#[track_caller]
fn mistake<S: Spec, R: Spec>(f: Result<Function<S, R>, Error>, file: &str, line: u32) -> TraceError {
    let Err(Error::Trace(error)) = f else { panic!("a mistake of the trace was expected") };
    let place = format!("{file}:{line}");
    assert!(error.to_string().contains(&place), "{error}\nis not at {place}");
    error
}

/// The message of a mistake that is found when a function is compiled, which names a line of this file.
#[track_caller]
fn mistake_of_compiling<T>(compiled: Result<T, Error>, file: &str, line: u32) -> String {
    let Err(Error::Compile(error)) = compiled else { panic!("a mistake was expected") };
    let (message, place) = (error.to_string(), format!("{file}:{line}"));
    assert!(message.contains(&place), "{message}\nis not at {place}");
    message
}
