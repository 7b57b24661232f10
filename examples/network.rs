//! A network as a struct, trained by gradient descent to tell two interleaved half circles apart.
//!
//!     cargo run --release --example network
//!
//! The parameters are one struct: an argument of the loss, what a gradient and an `H·v` come back as, and the carry of the
//! loop of descent. So a hundred steps are one compiled function, from network to network.

use evolute::prelude::*;
use std::f64::consts::PI;

#[derive(Clone, Copy, Debug, Params)]
struct Layer<T> {
    weights: T,
    bias: T,
}

#[derive(Clone, Debug, Params)]
struct Network<T> {
    hidden: Vec<Layer<T>>,
    last: Layer<T>,
}

impl<'t> Layer<Array<'t>> {
    /// Of points, a row each.
    fn apply(self, x: Array<'t>) -> Array<'t> {
        x.dot(self.weights) + self.bias
    }
}

impl<'t> Network<Array<'t>> {
    /// A number for each point, of the sign of its label.
    fn score(&self, points: Array<'t>) -> Array<'t> {
        let hidden = self.hidden.iter().fold(points, |x, layer| layer.apply(x).tanh());
        self.last.apply(hidden).ravel()
    }

    /// The mean logistic loss, labels being ±1.
    fn loss(&self, points: Array<'t>, labels: Array<'t>) -> Scalar<'t> {
        (-(labels * self.score(points))).softplus().mean()
    }
}

/// A network of the layers that `layer` makes for so many inputs and outputs.
fn network<T>(mut layer: impl FnMut(usize, usize) -> Layer<T>) -> Network<T> {
    Network { hidden: vec![layer(2, 12), layer(12, 12)], last: layer(12, 1) }
}

fn main() -> Result<(), evolute::Error> {
    let n = 200;
    let (points, labels) = half_circles(n);
    let shape = network(|inputs, outputs| Layer { weights: matrix(inputs, outputs), bias: vector(outputs) });
    let arguments = (shape.clone(), matrix(n, 2), vector(n));

    let train = Function::trace_to(arguments.clone(), shape, |(start, x, y)| {
        scan(100, start.clone(), |net, _| {
            let gradient = grad(|net: Network<_>| net.loss(*x, *y), net.clone());
            axpy(-1.0, gradient, net)
        })
    });
    let margin = Function::trace(arguments.clone(), |(net, x, y)| y * net.score(*x))?.compile()?;
    let loss = Function::trace(arguments, |(net, x, y)| net.loss(*x, *y))?.wrt::<0>();
    let (train, gradient, product) =
        (train?.compile()?, loss.value_and_grad()?.compile()?, loss.vhv()?.compile()?);

    let mut net = start();
    println!("steps     loss   curvature   told apart");
    for steps in (0..=1000).step_by(100) {
        let data = (&net, &points[..], &labels[..]);
        let (value, g) = gradient.call(data)?;
        let (_, square, bend) = product.call((data, &g))?;
        let right = margin.call(data)?.iter().filter(|margin| **margin > 0.0).count();
        println!("{steps:>5}  {value:>7.4}  {:>10.3}   {right} of {n}", bend / square);
        net = train.call(data)?;
    }
    Ok(())
}

/// Weights that differ, scaled to the number of inputs.
fn start() -> Network<Vec<f64>> {
    let mut numbers = (1..).map(|i| (f64::from(i * i) * 0.7).sin());
    network(|inputs, outputs| {
        let scale = (inputs as f64).sqrt().recip();
        let weights = numbers.by_ref().take(inputs * outputs).map(|x| x * scale).collect();
        Layer { weights, bias: vec![0.0; outputs] }
    })
}

/// Points row by row, alternately of either half circle, and their labels.
fn half_circles(n: usize) -> (Vec<f64>, Vec<f64>) {
    let point = |i: usize| {
        let (sin, cos) = (PI * (i as f64 + 0.5) / n as f64).sin_cos();
        if i.is_multiple_of(2) { [cos, sin] } else { [1.0 - cos, 0.5 - sin] }
    };
    let label = |i: usize| if i.is_multiple_of(2) { 1.0 } else { -1.0 };
    ((0..n).flat_map(point).collect(), (0..n).map(label).collect())
}
