//! `kmeans`: the sum of squared distances of points from the nearest of some centroids, and Newton's step for the
//! centroids: the gradient over the Hessian's diagonal. The Hessian has nothing beside its diagonal, so its product
//! with a vector of ones is that diagonal.

use super::job::{Job, Problem, job, parse, require, unknown};
use evolute::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Input {
    points: Vec<Vec<f64>>,
    centroids: Vec<Vec<f64>>,
}

fn cost<'t>(points: Array<'t>, centroids: Array<'t>) -> Scalar<'t> {
    sum_rows(points, |point| {
        let distances = map_rows(centroids, |centroid| {
            let difference = centroid - point;
            (difference * difference).sum()
        });
        distances.minimum()
    })
}

/// Newton's step.
fn direction<'t>(points: Array<'t>, centroids: Array<'t>) -> Array<'t> {
    let ones = Array::full(&centroids.shape(), 1.0);
    let (gradient, curvature) = jvp(|c| grad(|c| cost(points, c), c), centroids, ones);
    gradient / curvature
}

pub(crate) fn prepare(function: &str, input: Value) -> Result<Box<dyn Job>, Problem> {
    let Input { points, centroids } = parse(input)?;
    let (n, k, d) = (points.len(), centroids.len(), points.first().map_or(0, Vec::len));
    require(k > 0 && d > 0, "a centroid, a point and a coordinate")?;
    let [points, centroids] = [points, centroids].map(|rows| rows.concat());
    let inputs = (matrix(n, d), matrix(k, d));
    match function {
        "cost" => {
            let f = Function::trace(inputs, |&(p, c)| cost(p, c))?.compile()?;
            let mut workspace = f.workspace();
            let run = move |y: &mut f64| f.call_into((&points, &centroids), y, &mut workspace);
            Ok(job(0.0, run, |y| json!(y)))
        }
        "dir" => {
            let f = Function::trace(inputs, |&(p, c)| direction(p, c))?.compile()?;
            let mut workspace = f.workspace();
            let run = move |step: &mut Vec<f64>| f.call_into((&points, &centroids), step, &mut workspace);
            let show = move |step: &Vec<f64>| json!(step.chunks(d).collect::<Vec<_>>());
            Ok(job(vec![0.0; k * d], run, show))
        }
        _ => Err(unknown(function)),
    }
}
