//! The evals by name, and running one.

mod argmin;
mod ba;
mod det;
mod gmm;
mod hello;
mod ht;
pub(crate) mod job;
mod kmeans;
mod llsq;
mod lse;
mod lstm;
mod ode;
mod particle;
mod saddle;

use job::{Job, Problem, Runs, Timing};
use serde_json::Value;

/// Makes a function of an eval ready for an input.
type Prepare = fn(function: &str, input: Value) -> Result<Box<dyn Job>, Problem>;

const EVALS: [(&str, Prepare); 12] = [
    ("ba", ba::prepare),
    ("det", det::prepare),
    ("gmm", gmm::prepare),
    ("hello", hello::prepare),
    ("ht", ht::prepare),
    ("kmeans", kmeans::prepare),
    ("llsq", llsq::prepare),
    ("lse", lse::prepare),
    ("lstm", lstm::prepare),
    ("ode", ode::prepare),
    ("particle", particle::prepare),
    ("saddle", saddle::prepare),
];

/// The eval of this name.
pub(crate) fn find(module: &str) -> Option<Prepare> {
    EVALS.iter().find(|(name, _)| *name == module).map(|&(_, prepare)| prepare)
}

/// Evaluates a function of an eval: its output, and how long everything took.
pub(crate) fn evaluate(module: &str, function: &str, input: Value) -> Result<(Value, Vec<Timing>), Problem> {
    let prepare = find(module).ok_or_else(|| format!("there is no eval {module:?}"))?;
    let runs = Runs::of(&input);
    let (job, preparation) = job::timed("prepare", || prepare(function, input));
    let mut job = job?;
    let mut timings = vec![preparation];
    timings.extend(job::repeat(job.as_mut(), runs)?);
    Ok((job.output(), timings))
}
