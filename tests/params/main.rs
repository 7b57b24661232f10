//! Structs as arguments and results: `#[derive(Params)]`.

mod errors;
mod lists;
mod network;
mod places;

use evolute::prelude::*;

/// A layer of a network.
#[derive(Clone, Copy, Debug, PartialEq, Params)]
struct Layer<W, B = W> {
    w: W,
    b: B,
}

/// A network with scalars among its parameters.
#[derive(Clone, Debug, PartialEq, Params)]
struct Net<A, S> {
    hidden: Vec<Layer<A>>,
    last: Layer<A>,
    gain: S,
    slopes: [S; 2],
}

impl<'t> Net<Array<'t>, Scalar<'t>> {
    fn output(&self, x: Array<'t>) -> Array<'t> {
        let [left, right] = self.slopes;
        let bend = |x: Array<'t>| left * x.tanh() + right * x.sin();
        let hidden = self.hidden.iter().fold(x, |x, layer| bend(layer.w.dot(x) + layer.b));
        self.gain * (self.last.w.dot(hidden) + self.last.b)
    }

    fn loss(&self, x: Array<'t>) -> Scalar<'t> {
        self.output(x).powi(2).sum()
    }
}

type Shape = Net<evolute::ArraySpec<F64>, evolute::Single<F64>>;
type Numbers = Net<Vec<f64>, f64>;

const WIDTHS: [(usize, usize); 3] = [(4, 3), (5, 4), (2, 5)];

fn shape() -> Shape {
    let layer = |(m, n)| Layer { w: matrix(m, n), b: vector(m) };
    let [first, second, last] = WIDTHS.map(layer);
    Net { hidden: vec![first, second], last, gain: scalar(), slopes: [scalar(), scalar()] }
}

/// The same numbers as a flat vector, in the order of the fields.
fn flat(net: &Numbers) -> Vec<f64> {
    let layers = net.hidden.iter().chain([&net.last]);
    let mut flat: Vec<f64> = layers.flat_map(|layer| [&layer.w, &layer.b]).flatten().copied().collect();
    flat.push(net.gain);
    flat.extend(net.slopes);
    flat
}

/// A network of different numbers for each phase.
fn numbers(phase: f64) -> Numbers {
    let mut next = (0..).map(|i| (phase + 1.7 * f64::from(i)).sin());
    let mut take = |n: usize| next.by_ref().take(n).collect::<Vec<f64>>();
    let [first, second, last] = WIDTHS.map(|(m, n)| Layer { w: take(m * n), b: take(m) });
    let scalars = take(3);
    Net { hidden: vec![first, second], last, gain: scalars[0], slopes: [scalars[1], scalars[2]] }
}

fn executions() -> [Options; 2] {
    [Options::default(), Options::default().interpreted()]
}

fn assert_close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= 1e-13 * (1.0 + expected.abs()), "{found} is not {expected}");
    }
}
