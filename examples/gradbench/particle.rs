//! `particle`: where to place a charge so that a particle, repelled by it and by another, meets the origin: a descent
//! whose objective follows the particle in a `while` loop, with a gradient in each step.

use super::argmin::{Mode, Point, argmin, distance_squared};
use super::job::{Job, Problem, job, parse, unknown};
use evolute::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Input {
    w: f64,
}

/// The length of a step in time.
const STEP: f64 = 0.1;

/// The most steps until the particle is down.
const MOST: usize = 100_000;

/// The squared distance from the origin at which the particle meets the axis, by Euler steps.
fn miss<'t>(inner: Mode, w: Scalar<'t>) -> Scalar<'t> {
    let charges = [[Scalar::from(10.0), 10.0 - w], [Scalar::from(10.0), Scalar::from(0.0)]];
    let potential =
        |x: Point<'t>| charges.iter().map(|charge| distance_squared(charge, &x).sqrt().recip()).sum();
    let start = (point(0.0, 8.0), point(0.75, 0.0));
    let (x, velocity) = while_at_most(
        MOST,
        start,
        |(x, velocity)| (x[1] + STEP * velocity[1]).gt(0.0),
        |(x, velocity)| {
            let slope = inner.gradient(potential, x.clone());
            (moved(&x, &velocity, Scalar::from(STEP)), moved(&velocity, &slope, Scalar::from(-STEP)))
        },
    );
    let rest = -x[1] / velocity[1];
    moved(&x, &velocity, rest)[0].powi(2)
}

fn point<'t>(x: f64, y: f64) -> Point<'t> {
    vec![Scalar::from(x), Scalar::from(y)]
}

/// `x + t·direction`.
fn moved<'t>(x: &[Scalar<'t>], direction: &[Scalar<'t>], t: Scalar<'t>) -> Point<'t> {
    x.iter().zip(direction).map(|(x, d)| x + t * d).collect()
}

pub(crate) fn prepare(function: &str, input: Value) -> Result<Box<dyn Job>, Problem> {
    let Input { w } = parse(input)?;
    let [outer, inner] = Mode::pair(function).ok_or_else(|| unknown(function))?;
    let best = Function::scalar(scalar(), |w| argmin(outer, |w: Point| miss(inner, w[0]), vec![*w])[0])?
        .compile()?;
    let mut workspace = best.workspace();
    Ok(job(0.0, move |y| best.call_into(&w, y, &mut workspace), |y| json!(y)))
}
