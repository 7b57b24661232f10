//! Structs wherever a closure takes or gives traced values: loops, conditionals, inner derivatives.

use super::*;

#[derive(Clone, Copy, Debug, PartialEq, Params)]
struct Body<A, S> {
    position: A,
    velocity: A,
    energy: S,
}

fn body() -> Body<evolute::ArraySpec<F64>, evolute::Single<F64>> {
    Body { position: vector(2), velocity: vector(2), energy: scalar() }
}

fn at(position: [f64; 2], velocity: [f64; 2]) -> Body<Vec<f64>, f64> {
    Body { position: position.into(), velocity: velocity.into(), energy: 0.0 }
}

type State<'t> = Body<Array<'t>, Scalar<'t>>;

fn potential<'t>(x: Array<'t>) -> Scalar<'t> {
    x.powi(2).sum() / 2.0
}

/// One step of an oscillator.
fn step<'t>(state: State<'t>, dt: f64) -> State<'t> {
    let velocity = state.velocity - dt * grad(potential, state.position);
    let position = state.position + dt * velocity;
    Body { position, velocity, energy: potential(position) + velocity.powi(2).sum() / 2.0 }
}

#[test]
fn carries() {
    let steps = 50;
    let looped =
        Function::trace_to(body(), body(), |start| scan(steps, *start, |state, _| step(state, 0.01)));
    let unrolled =
        Function::trace_to(body(), body(), |start| (0..steps).fold(*start, |state, _| step(state, 0.01)));
    let start = at([1.0, 0.5], [0.0, -0.5]);
    for options in executions() {
        let [looped, unrolled] =
            [&looped, &unrolled].map(|f| f.as_ref().unwrap().compile_with(&options).unwrap());
        let (end, expected) = (looped.call(&start).unwrap(), unrolled.call(&start).unwrap());
        assert_close(&end.position, &expected.position);
        assert!((end.energy - 0.75).abs() < 0.01);
    }
}

#[test]
fn carries_of_loops_with_a_condition_and_their_derivatives() {
    let f = Function::trace(body(), |start| {
        while_at_most(1000, *start, |state| state.position.sum().gt(0.0), |state| step(state, 0.1)).energy
    });
    let f = f.unwrap();
    let start = at([1.0, 0.5], [0.0, -0.5]);
    assert!((f.eval(&start).unwrap() - 0.75).abs() < 0.1);
    let (_, slope) = f.jvp().unwrap().eval((&start, &start)).unwrap();
    let gradient = f.grad().unwrap().eval(&start).unwrap();
    let pair = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let sum = pair(&gradient.position, &start.position) + pair(&gradient.velocity, &start.velocity);
    assert_close(&[slope], &[sum]);
}

#[test]
fn what_sums_and_maps_give() {
    let summed = Function::trace_to(vector(3), Layer { w: scalar(), b: vector(3) }, |a| {
        sum(3, |i| Layer { w: a.at(i) * a.at(i), b: a * a.at(i) })
    });
    let a = [1.0, 2.0, 3.0];
    assert_eq!(summed.unwrap().eval(&a).unwrap(), Layer { w: 14.0, b: vec![6.0, 12.0, 18.0] });

    // Each field of what is stacked has an axis more.
    let mapped = Function::trace_to(vector(3), Layer { w: vector(3), b: matrix(3, 3) }, |a| {
        map(3, |i| Layer { w: a.at(i) * a.at(i), b: a * a.at(i) })
    });
    let mapped = mapped.unwrap().eval(&a).unwrap();
    assert_eq!(mapped.w, [1.0, 4.0, 9.0]);
    assert_eq!(mapped.b[3..6], [2.0, 4.0, 6.0]);
}

#[test]
fn rows_of_arrays_in_a_struct() {
    let layers = Layer { w: array(&[4, 2, 2]), b: matrix(4, 2) };
    let f = Function::trace((layers, vector(2)), |(layers, x)| {
        vmap(|layer: Layer<Array>| (layer.w.dot(x) + layer.b).sum(), *layers)
    });
    let layers = Layer { w: (0..16).map(f64::from).collect(), b: vec![0.5; 8] };
    assert_eq!(f.unwrap().eval((&layers, &[1.0, 1.0])).unwrap(), [7.0, 23.0, 39.0, 55.0]);
}

#[test]
fn results_of_branches() {
    let spec = Layer { w: scalar(), b: scalar() };
    let f = Function::trace_to(spec.clone(), spec, |l| {
        cond(l.w.gt(l.b), || Layer { w: l.b, b: l.w }, || Layer { w: l.w * 2.0, b: l.b })
    });
    let f = f.unwrap();
    assert_eq!(f.eval(&Layer { w: 2.0, b: 1.0 }).unwrap(), Layer { w: 1.0, b: 2.0 });
    assert_eq!(f.eval(&Layer { w: 1.0, b: 2.0 }).unwrap(), Layer { w: 2.0, b: 2.0 });
}

fn cube<'t>(l: Layer<Scalar<'t>>) -> Scalar<'t> {
    l.w.powi(3) * l.b
}

/// A struct of every inner derivative, nested once more by the outer one.
#[test]
fn inner_derivatives() {
    let spec = || Layer { w: scalar(), b: scalar() };
    let at = Layer { w: 2.0, b: 3.0 };
    let gradient = Function::trace_to(spec(), spec(), |l| grad(cube, *l)).unwrap();
    assert_eq!(gradient.eval(&at).unwrap(), Layer { w: 36.0, b: 8.0 });
    let product = Function::trace_to(spec(), spec(), |l| hvp(cube, *l, *l)).unwrap();
    assert_eq!(product.eval(&at).unwrap(), Layer { w: 108.0, b: 24.0 });
    let tangents = Function::trace_to(spec(), (spec(), spec()), |l| {
        jvp(|l: Layer<Scalar>| Layer { w: l.w * l.b, b: l.b }, *l, *l)
    });
    let expected = (Layer { w: 6.0, b: 3.0 }, Layer { w: 12.0, b: 3.0 });
    assert_eq!(tangents.unwrap().eval(&at).unwrap(), expected);
    let outer = gradient.jvp().unwrap().eval((&at, &at)).unwrap();
    assert_eq!(outer.1, Layer { w: 108.0, b: 24.0 });
}
