//! A network as a struct against the same network over one flat vector.

use super::*;
use evolute::{ArraySpec, Scalars, Single, Spec};

const X: [f64; 3] = [0.5, -1.0, 2.0];

fn structured() -> Function<(Shape, ArraySpec<F64>), Single<F64>> {
    Function::trace((shape(), vector(3)), |(net, x)| net.loss(*x)).expect("traces")
}

/// Cuts the vector into the same arrays by hand.
fn flattened() -> Function<(ArraySpec<F64>, ArraySpec<F64>), Single<F64>> {
    let n = flat(&numbers(0.0)).len();
    let f = Function::trace((vector(n), vector(3)), |(p, x)| {
        let mut start = 0;
        let mut cut = |len: usize| {
            start += len;
            p.slice(0, start - len..start)
        };
        let [first, second, last] = WIDTHS.map(|(m, n)| Layer { w: cut(m * n).reshape(&[m, n]), b: cut(m) });
        let [gain, left, right] = [0, 1, 2].map(|i| p.at(n - 3 + i));
        Net { hidden: vec![first, second], last, gain, slopes: [left, right] }.loss(*x)
    });
    f.expect("traces")
}

#[test]
fn values_gradients_and_products_are_those_of_the_flat_network() {
    let (f, g) = (structured().wrt::<0>(), flattened().wrt::<0>());
    let (net, v) = (numbers(0.1), numbers(0.2));
    for options in executions() {
        let f = f.value_grad_hvp().unwrap().compile_with(&options).unwrap();
        let g = g.value_grad_hvp().unwrap().compile_with(&options).unwrap();
        let (value, gradient, product) = f.call(((&net, &X), &v)).unwrap();
        let flat_results = g.call(((&flat(&net), &X), &flat(&v))).unwrap();
        assert_close(&[value], &[flat_results.0]);
        assert_close(&flat(&gradient), &flat_results.1);
        assert_close(&flat(&product), &flat_results.2);
    }
}

#[test]
fn derivatives_are_those_of_finite_differences() {
    let check = structured().wrt::<0>().check_derivatives((&numbers(0.3), &X)).unwrap();
    assert!(check.passed(), "{check}");
}

#[test]
fn tangents_are_structs_as_well() {
    let f = structured().wrt::<0>();
    let (net, v) = (numbers(0.4), numbers(0.5));
    let (_, slope) = f.jvp().unwrap().eval(((&net, &X), &v)).unwrap();
    let (_, gradient) = f.vjp().unwrap().eval(((&net, &X), &1.0)).unwrap();
    let expected: f64 = flat(&gradient).iter().zip(flat(&v)).map(|(g, v)| g * v).sum();
    assert_close(&[slope], &[expected]);
}

#[test]
fn hessians_are_matrices_over_all_numbers() {
    let f = structured().wrt::<0>();
    let (net, v) = (numbers(0.6), numbers(0.7));
    let n = flat(&net).len();
    let hessian: Vec<f64> = f.hessian().unwrap().eval((&net, &X)).unwrap();
    let product = flat(&f.hvp().unwrap().eval(((&net, &X), &v)).unwrap());
    let rows = hessian.chunks(n).map(|row| row.iter().zip(flat(&v)).map(|(h, v)| h * v).sum());
    let rows: Vec<f64> = rows.collect();
    assert_eq!(rows.len(), n);
    rows.iter().zip(&product).for_each(|(row, h)| assert!((row - h).abs() < 1e-11, "{row} is not {h}"));
}

/// The other argument is data in turn.
#[test]
fn each_of_two_structs_can_be_what_is_differentiated() {
    let layer = || Layer { w: matrix(2, 2), b: vector(2) };
    let f = Function::trace((layer(), layer()), |(p, q)| (p.w.dot(q.b) * p.b + q.w.sum()).sum()).unwrap();
    let p = Layer { w: vec![1.0, 2.0, 3.0, 4.0], b: vec![5.0, 6.0] };
    let q = Layer { w: vec![0.0; 4], b: vec![7.0, 8.0] };
    let by_p = f.wrt::<0>().grad().unwrap().eval((&p, &q)).unwrap();
    assert_eq!(by_p, Layer { w: vec![35.0, 40.0, 42.0, 48.0], b: vec![23.0, 53.0] });
    let by_q = f.wrt::<1>().grad().unwrap().eval((&p, &q)).unwrap();
    assert_eq!(by_q, Layer { w: vec![2.0; 4], b: vec![23.0, 34.0] });
    let by_both = f.grad().unwrap().eval((&p, &q)).unwrap();
    assert_eq!(by_both, (by_p, by_q));
}

#[test]
fn results_are_structs_that_go_in_again() {
    let step = Function::trace_to((shape(), vector(3)), shape(), |(net, x)| {
        let slope = grad(|net: Net<Array, Scalar>| net.loss(*x), net.clone());
        let trained = axpy(-0.01, slope, net.clone());
        Net { gain: net.gain, slopes: net.slopes, ..trained }
    });
    let step = step.unwrap().compile().unwrap();
    let loss = structured().compile().unwrap();
    let mut net = numbers(0.8);
    let start = loss.call((&net, &X)).unwrap();
    for _ in 0..100 {
        net = step.call((&net, &X)).unwrap();
    }
    assert_eq!(net.gain, numbers(0.8).gain);
    let end = loss.call((&net, &X)).unwrap();
    assert!(end < 0.5 * start, "{start} became {end}");
}

/// A closure's slices and vectors are of different types; the leaf is what differs.
#[test]
fn leaves_of_scalars_are_slices_in_a_closure_and_vectors_when_made() {
    let spec: Layer<Scalars<F64>> = Layer { w: scalars(2), b: scalars(1) };
    let square = Function::trace_to(spec.clone(), spec.clone(), |layer| Layer {
        w: vec![layer.w[0] * layer.b[0], layer.w[1]],
        b: vec![layer.b[0] * layer.b[0]],
    });
    let square = square.unwrap();
    let twice = Function::trace_to(spec.clone(), spec, |layer| {
        let once = square.call(*layer);
        square.call(Layer { w: &once.w, b: &once.b })
    });
    let layer = Layer { w: vec![3.0, 5.0], b: vec![2.0] };
    assert_eq!(twice.unwrap().eval(&layer).unwrap(), Layer { w: vec![24.0, 5.0], b: vec![16.0] });
}

#[test]
fn a_traced_function_is_called_with_structs() {
    let f = structured();
    let g = Function::trace((shape(), vector(3)), |(net, x)| f.call((net.clone(), *x)) * 2.0).unwrap();
    let net = numbers(0.9);
    assert_eq!(g.eval((&net, &X)).unwrap(), 2.0 * f.eval((&net, &X)).unwrap());
}

#[test]
fn zeros_are_made_from_the_specification() {
    let zeros = shape().allocate();
    assert_eq!(flat(&zeros), vec![0.0; flat(&numbers(0.0)).len()]);
    assert_eq!(structured().eval((&zeros, &X)).unwrap(), 0.0);
}
