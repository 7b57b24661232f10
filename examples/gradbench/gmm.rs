//! `gmm`: the log posterior of a Gaussian mixture with a Wishart prior, and its gradient with respect to weights, means
//! and the factors of the precision matrices.

use super::job::{Job, Problem, job, parse, require, unknown};
use evolute::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};
use std::f64::consts::{PI, SQRT_2};

#[derive(Deserialize)]
struct Input {
    d: usize,
    k: usize,
    n: usize,
    x: Vec<Vec<f64>>,
    m: f64,
    gamma: f64,
    alpha: Vec<f64>,
    mu: Vec<Vec<f64>>,
    q: Vec<Vec<f64>>,
    l: Vec<Vec<f64>>,
}

/// The weights, the means, and the diagonals and lower triangles of the factors, of each component.
type Parameters<'t> = (Array<'t>, Array<'t>, Array<'t>, Array<'t>);

/// The lower triangular factors `[K, D, D]`: `exp q` on their diagonals, below them `l`, column by column.
fn factors<'t>(q: Array<'t>, l: Array<'t>) -> Array<'t> {
    let d = q.shape()[1];
    let diagonal = q.exp();
    let mut next = 0;
    let column = |c: usize| {
        let below = l.slice(1, next..next + d - 1 - c);
        next += d - 1 - c;
        concat(&[diagonal.slice(1, c..c + 1), below], 1).pad(1, c, 0)
    };
    let columns: Vec<Array> = (0..d).map(column).collect();
    stack(&columns, 2)
}

/// Its logarithm, but for terms that do not depend on the parameters.
fn posterior<'t>((alpha, mu, q, l): Parameters<'t>, x: Array<'t>, m: f64, gamma: f64) -> Scalar<'t> {
    let factors = factors(q, l);
    let log_weights = alpha + q.sum_along(1);
    let likelihood = sum_rows(x, |x| {
        let terms = map(alpha.size(), |k| {
            let deviation = factors.part(k).dot(x - mu.row(k));
            log_weights.at(k) - 0.5 * (deviation * deviation).sum()
        });
        terms.logsumexp()
    });
    let prior = m * q.sum() - 0.5 * gamma * gamma * (factors * factors).sum();
    likelihood - x.rows() as f64 * alpha.logsumexp() + prior
}

/// The terms that do not depend on the parameters.
fn constant(n: usize, d: usize, k: usize, m: f64, gamma: f64) -> f64 {
    let (n, d, k) = (n as f64, d as f64, k as f64);
    let freedom = d + m + 1.0;
    k * (freedom * d * (gamma / SQRT_2).ln() - ln_gamma(d, freedom / 2.0)) - n * d / 2.0 * (2.0 * PI).ln()
}

/// `ln Γ_d(a)`, the multivariate gamma function.
fn ln_gamma(d: f64, a: f64) -> f64 {
    let terms = (0..d as usize).map(|j| Real::ln_gamma(a - 0.5 * j as f64));
    0.25 * d * (d - 1.0) * PI.ln() + terms.sum::<f64>()
}

pub(crate) fn prepare(function: &str, input: Value) -> Result<Box<dyn Job>, Problem> {
    let Input { d, k, n, x, m, gamma, alpha, mu, q, l } = parse(input)?;
    require([d, k, n].into_iter().all(|count| count > 0), "dimensions, components and points")?;
    require([mu.len(), q.len(), l.len()] == [k; 3], "a row of `mu`, `q` and `l` for each component")?;
    require(mu.iter().chain(&q).all(|row| row.len() == d), "rows of length `d`")?;
    let [x, mu, q, l] = [x, mu, q, l].map(|rows| rows.concat());
    let below = d * (d - 1) / 2;
    let parameters = (vector(k), matrix(k, d), matrix(k, d), matrix(k, below));
    let constant = constant(n, d, k, m, gamma);
    let f = Function::trace((parameters, matrix(n, d)), |&(parameters, x)| {
        posterior(parameters, x, m, gamma) + constant
    })?;
    match function {
        "objective" => {
            let f = f.compile()?;
            let mut workspace = f.workspace();
            let run = move |y: &mut f64| f.call_into(((&alpha, &mu, &q, &l), &x), y, &mut workspace);
            Ok(job(0.0, run, |y| json!(y)))
        }
        "jacobian" => {
            let f = f.wrt::<0>().grad()?.compile()?;
            let mut workspace = f.workspace();
            let zeros = [&alpha, &mu, &q, &l].map(|parameters| vec![0.0; parameters.len()]);
            let run = move |g: &mut [Vec<f64>; 4]| {
                let [alpha_bar, mu_bar, q_bar, l_bar] = g;
                let gradient = (&mut alpha_bar[..], &mut mu_bar[..], &mut q_bar[..], &mut l_bar[..]);
                f.call_into(((&alpha, &mu, &q, &l), &x), gradient, &mut workspace)
            };
            let show = move |[alpha, mu, q, l]: &[Vec<f64>; 4]| {
                let rows = |flat: &[f64], width: usize| -> Vec<Vec<f64>> {
                    (0..k).map(|k| flat[k * width..(k + 1) * width].to_vec()).collect()
                };
                json!({ "alpha": alpha, "mu": rows(mu, d), "q": rows(q, d), "l": rows(l, below) })
            };
            Ok(job(zeros, run, show))
        }
        _ => Err(unknown(function)),
    }
}
