//! Truncated Newton with conjugate gradients, on compiled Hessian-vector products.
//!
//!     cargo run --release --example newton_cg
//!
//! Each step solves `H p = -g` approximately by conjugate gradients, which need no Hessian, only its products
//! with vectors. First on the chained Rosenbrock function in 1000 dimensions, whose valley bends once a
//! coordinate, so that any descent takes thousands of steps; then on a logistic regression of the Wisconsin
//! breast-cancer data (see `examples/data/README.md`).

use evolute::prelude::*;
use evolute::{Error, F64, Scalars, Single};
use std::time::{Duration, Instant};

fn main() -> Result<(), Error> {
    let n = 1000;
    let start: Vec<f64> = (0..n).map(|i| 0.5 + 0.3 * (i as f64).sin()).collect();
    let x =
        report("Chained Rosenbrock function, n = 1000", || Function::scalar(n, |x| rosenbrock(x)), &start)?;
    let farthest = x.iter().map(|x| (x - 1.0).abs()).fold(0.0, f64::max);
    println!("largest |x − 1|: {farthest:.1e}\n");

    let data = Data::breast_cancer();
    let title = format!("Logistic regression, {} masses × {} features", data.labels.len(), data.features);
    let start = vec![0.0; data.features + 1];
    let w = report(&title, || Function::scalar(start.len(), |w| logistic(w, &data)), &start)?;
    println!("diagnosed correctly: {:.1} %", 100.0 * data.accuracy(&w));
    Ok(())
}

// ── the functions to minimise: plain Rust, generic over the number ──────────────────────────────────

fn rosenbrock<T: Real64>(x: &[T]) -> T {
    let mut f = T::of(0.0);
    for x in x.windows(2) {
        f += (x[1] - x[0].powi(2)).powi(2) * 100.0 + (x[0] - 1.0).powi(2);
    }
    f
}

/// The mean logistic loss of the weights `w`, the last of which is the intercept, with an L2 penalty.
fn logistic<T: Real64>(w: &[T], data: &Data) -> T {
    let mut loss = T::of(0.0);
    for (row, label) in data.rows() {
        loss += (score(w, row) * -label).softplus();
    }
    let weights = &w[..data.features];
    let penalty: T = weights.iter().map(|w| w.powi(2)).sum();
    loss / data.labels.len() as f64 + penalty * 0.005
}

fn score<T: Real64>(w: &[T], row: &[f64]) -> T {
    row.iter().zip(w).fold(w[row.len()], |score, (&a, &w)| score + w * a)
}

// ── the method ──────────────────────────────────────────────────────────────────────────────────────

type Objective = Function<Scalars<F64>, Single<F64>>;

/// An objective, compiled three ways.
struct Newton {
    value: Compiled<Scalars<F64>, Single<F64>>,
    value_and_grad: Compiled<Scalars<F64>, (Single<F64>, Scalars<F64>)>,
    hvp: Compiled<(Scalars<F64>, Scalars<F64>), Scalars<F64>>,
}

impl Newton {
    fn new(f: &Objective) -> Result<Newton, Error> {
        Ok(Newton {
            value: f.compile()?,
            value_and_grad: f.value_and_grad()?.compile()?,
            hvp: f.hvp()?.compile()?,
        })
    }

    /// Minimises from `x` until the gradient is `tolerance` times shorter than at the start, or shorter
    /// than `tolerance`.
    fn minimise(&self, mut x: Vec<f64>, tolerance: f64) -> Result<Minimum, Error> {
        let (mut products, mut hvp_time) = (0, Duration::ZERO);
        let (mut f, mut g) = self.value_and_grad.call(&x)?;
        let target = tolerance * norm(&g).max(1.0);
        println!("{:>4}  {:>22}  {:>9}  {:>4}  {:>6}", "iter", "f", "‖g‖", "CG", "step");
        for iteration in 0u32.. {
            if norm(&g) <= target || iteration == 5000 {
                println!("{iteration:>4}  {f:>22.14e}  {:>9.2e}", norm(&g));
                break;
            }
            let clock = Instant::now();
            let (p, steps) = self.direction(&x, &g)?;
            (products, hvp_time) = (products + steps, hvp_time + clock.elapsed());
            let Some((t, next)) = self.line_search(&x, f, &p, dot(&g, &p))? else { break };
            if iteration.is_multiple_of(round(iteration)) {
                println!("{iteration:>4}  {f:>22.14e}  {:>9.2e}  {steps:>4}  {t:>6.3}", norm(&g));
            }
            x = next;
            (f, g) = self.value_and_grad.call(&x)?;
        }
        Ok(Minimum { x, products, hvp_time })
    }

    /// An approximate solution of `H p = -g` by conjugate gradients, and the number of products it took.
    /// Stops early far from the minimum, and where the curvature is not positive (Nocedal & Wright,
    /// *Numerical Optimization*, algorithm 7.1).
    fn direction(&self, x: &[f64], g: &[f64]) -> Result<(Vec<f64>, usize), Error> {
        let tolerance = norm(g) * norm(g).sqrt().min(0.5);
        let mut p = vec![0.0; g.len()];
        let mut r = g.to_vec();
        let mut d: Vec<f64> = g.iter().map(|g| -g).collect();
        let (mut hd, mut workspace) = (vec![0.0; g.len()], self.hvp.workspace());
        for step in 1..=10 * g.len() {
            self.hvp.call_into((x, &d), &mut hd, &mut workspace)?; // allocates nothing
            let (rr, curvature) = (dot(&r, &r), dot(&d, &hd));
            if curvature <= 1e-12 * dot(&d, &d) {
                return Ok((if step == 1 { d } else { p }, step));
            }
            let alpha = rr / curvature;
            add(&mut p, alpha, &d);
            add(&mut r, alpha, &hd);
            if norm(&r) <= tolerance {
                return Ok((p, step));
            }
            let beta = dot(&r, &r) / rr;
            d.iter_mut().zip(&r).for_each(|(d, r)| *d = beta * *d - r);
        }
        Ok((p, 10 * g.len()))
    }

    /// The first of the steps 1, 1/2, 1/4, … along `p` that decreases `f` as much as its slope promises
    /// (Armijo), up to rounding; `None` if there is none.
    fn line_search(
        &self,
        x: &[f64],
        f: f64,
        p: &[f64],
        slope: f64,
    ) -> Result<Option<(f64, Vec<f64>)>, Error> {
        for t in (0..40).map(|halvings| 0.5f64.powi(halvings)) {
            let mut next = x.to_vec();
            add(&mut next, t, p);
            if self.value.call(&next)? <= f + 1e-4 * t * slope + 1e-15 * f.abs() {
                return Ok(Some((t, next)));
            }
        }
        Ok(None)
    }
}

struct Minimum {
    x: Vec<f64>,
    /// How many Hessian-vector products were taken, and the time spent in the method's inner iterations.
    products: usize,
    hvp_time: Duration,
}

/// The largest power of ten up to `n`: the table shows iterations 0, 1, … 9, 10, 20, … 90, 100, 200, …
fn round(n: u32) -> u32 {
    10u32.pow(n.checked_ilog10().unwrap_or(0))
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

/// `y += a · x`
fn add(y: &mut [f64], a: f64, x: &[f64]) {
    y.iter_mut().zip(x).for_each(|(y, x)| *y += a * x);
}

// ── the figures ─────────────────────────────────────────────────────────────────────────────────────

/// Traces, compiles and minimises, and says what took how long.
fn report(
    title: &str,
    trace: impl FnOnce() -> Result<Objective, Error>,
    start: &[f64],
) -> Result<Vec<f64>, Error> {
    println!("{title}\n");
    let clock = Instant::now();
    let f = trace()?;
    let traced = clock.elapsed();
    let newton = Newton::new(&f)?;
    let compiled = clock.elapsed() - traced;
    let minimum = newton.minimise(start.to_vec(), 1e-9)?;
    let total = clock.elapsed();

    let interpreted = f.hvp()?.interpreted()?;
    let [native, interpreted] = [&newton.hvp, &interpreted].map(|hvp| time_per_call(hvp, start));
    let within = minimum.hvp_time / minimum.products.max(1) as u32;
    println!("\ntracing {traced:.1?}, compiling value, gradient and HVP {compiled:.1?}");
    println!("total {total:.1?}, of which {} CG steps of {within:.1?} each", minimum.products);
    println!("one HVP: compiled {:.2?}, interpreted {:.2?}", native?, interpreted?);
    Ok(minimum.x)
}

/// The fastest of several series of calls, by call: what the machine can do when left alone.
fn time_per_call(
    hvp: &Compiled<(Scalars<F64>, Scalars<F64>), Scalars<F64>>,
    x: &[f64],
) -> Result<Duration, Error> {
    let (mut hv, mut workspace) = (vec![0.0; x.len()], hvp.workspace());
    let mut fastest = Duration::MAX;
    for _ in 0..10 {
        let clock = Instant::now();
        for _ in 0..20 {
            hvp.call_into((x, x), &mut hv, &mut workspace)?;
        }
        fastest = fastest.min(clock.elapsed() / 20);
    }
    Ok(fastest)
}

// ── the data ────────────────────────────────────────────────────────────────────────────────────────

struct Data {
    features: usize,
    /// Row-major, each feature with mean 0 and variance 1.
    table: Vec<f64>,
    /// 1 for benign, −1 for malignant.
    labels: Vec<f64>,
}

impl Data {
    fn breast_cancer() -> Data {
        let mut lines = include_str!("data/breast_cancer.csv").lines();
        let features =
            lines.next().and_then(|head| head.split(',').nth(1)?.parse().ok()).expect("a head line");
        let mut data = Data { features, table: Vec::new(), labels: Vec::new() };
        for line in lines {
            let row: Vec<f64> = line.split(',').map(|item| item.parse().expect("a number")).collect();
            data.table.extend(&row[..features]);
            data.labels.push(if row[features] == 1.0 { 1.0 } else { -1.0 });
        }
        data.standardise();
        data
    }

    fn standardise(&mut self) {
        let (columns, rows) = (self.features, self.labels.len() as f64);
        for column in 0..columns {
            let mean = self.table.iter().skip(column).step_by(columns).sum::<f64>() / rows;
            let squares = self.table.iter().skip(column).step_by(columns).map(|x| (x - mean).powi(2));
            let deviation = (squares.sum::<f64>() / rows).sqrt();
            self.table.iter_mut().skip(column).step_by(columns).for_each(|x| *x = (*x - mean) / deviation);
        }
    }

    fn rows(&self) -> impl Iterator<Item = (&[f64], f64)> {
        self.table.chunks(self.features).zip(self.labels.iter().copied())
    }

    /// The fraction of rows on whose side of the plane `w` their label says.
    fn accuracy(&self, w: &[f64]) -> f64 {
        let right = self.rows().filter(|&(row, label)| score(w, row) * label > 0.0);
        right.count() as f64 / self.labels.len() as f64
    }
}
