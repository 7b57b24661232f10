//! What all evals share: a function made ready for an input, run as often as it asks for.

use evolute::Error;
use evolute::prelude::*;
use evolute::{ArraySpec, Single};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::fmt;
use std::time::{Duration, Instant};

/// Why an evaluation fails.
pub(crate) type Problem = Box<dyn std::error::Error>;

/// A function of one vector.
pub(crate) type VectorFunction = Function<ArraySpec<F64>, Single<F64>>;

/// A function made ready for an input.
pub(crate) trait Job {
    /// Evaluates it.
    fn run(&mut self) -> Result<(), Error>;
    /// What the last run gave.
    fn output(&self) -> Value;
}

struct Ready<T, Run, Show> {
    output: T,
    run: Run,
    show: Show,
}

impl<T, Run, Show> Job for Ready<T, Run, Show>
where
    Run: FnMut(&mut T) -> Result<(), Error>,
    Show: Fn(&T) -> Value,
{
    fn run(&mut self) -> Result<(), Error> {
        (self.run)(&mut self.output)
    }
    fn output(&self) -> Value {
        (self.show)(&self.output)
    }
}

/// A job that writes to `output`, shown as JSON by `show`.
pub(crate) fn job<T: 'static>(
    output: T,
    run: impl FnMut(&mut T) -> Result<(), Error> + 'static,
    show: impl Fn(&T) -> Value + 'static,
) -> Box<dyn Job> {
    Box::new(Ready { output, run, show })
}

/// The value at `x` of a function of a vector.
pub(crate) fn value(f: &VectorFunction, x: Vec<f64>) -> Result<Box<dyn Job>, Problem> {
    let f = f.compile()?;
    let mut workspace = f.workspace();
    Ok(job(0.0, move |y| f.call_into(&x, y, &mut workspace), |y| json!(y)))
}

/// The gradient at `x` of a function of a vector.
pub(crate) fn gradient(f: &VectorFunction, x: Vec<f64>) -> Result<Box<dyn Job>, Problem> {
    let f = f.grad()?.compile()?;
    let mut workspace = f.workspace();
    Ok(job(vec![0.0; x.len()], move |g| f.call_into(&x, g, &mut workspace), |g| json!(g)))
}

/// An eval's functions `primal` and `gradient` of a vector.
pub(crate) fn primal_or_gradient(
    function: &str,
    f: &VectorFunction,
    x: Vec<f64>,
) -> Result<Box<dyn Job>, Problem> {
    match function {
        "primal" => value(f, x),
        "gradient" => gradient(f, x),
        _ => Err(unknown(function)),
    }
}

/// The eval has no such function.
pub(crate) fn unknown(function: &str) -> Problem {
    format!("there is no function {function:?}").into()
}

/// An eval's input.
pub(crate) fn parse<T: DeserializeOwned>(input: Value) -> Result<T, Problem> {
    Ok(serde_json::from_value(input)?)
}

/// An input that an eval has no answer to.
#[derive(Debug)]
pub(crate) struct Unfit {
    expected: &'static str,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the input does not have {}", self.expected)
    }
}

impl std::error::Error for Unfit {}

/// Whether the input has what is `expected` of it, where that is more than its types say.
pub(crate) fn require(holds: bool, expected: &'static str) -> Result<(), Unfit> {
    if holds { Ok(()) } else { Err(Unfit { expected }) }
}

/// How often an input wants its function to be evaluated.
#[derive(Clone, Copy)]
pub(crate) struct Runs {
    times: u64,
    time: Duration,
}

impl Runs {
    /// Once, where an input does not say.
    pub(crate) fn of(input: &Value) -> Runs {
        let times = input["min_runs"].as_u64().unwrap_or(1).max(1);
        let seconds = input["min_seconds"].as_f64().unwrap_or(0.0);
        Runs { times, time: Duration::try_from_secs_f64(seconds).unwrap_or_default() }
    }
}

/// How long something took, as the protocol has it. A function of some nanoseconds has tens of millions of them.
#[derive(Serialize)]
pub(crate) struct Timing {
    pub(crate) name: &'static str,
    nanoseconds: u64,
}

/// Does something and takes the time.
pub(crate) fn timed<T>(name: &'static str, f: impl FnOnce() -> T) -> (T, Timing) {
    let start = Instant::now();
    let result = f();
    let nanoseconds = start.elapsed().as_nanos() as u64;
    (result, Timing { name, nanoseconds })
}

/// Runs a job as often as asked for. The time that it is to take includes that of reading the clock.
pub(crate) fn repeat(job: &mut dyn Job, runs: Runs) -> Result<Vec<Timing>, Error> {
    let (mut timings, start) = (Vec::new(), Instant::now());
    while (timings.len() as u64) < runs.times || start.elapsed() < runs.time {
        let (result, timing) = timed("evaluate", || job.run());
        result?;
        timings.push(timing);
    }
    Ok(timings)
}
