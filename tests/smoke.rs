//! Smoke.
use evolute::prelude::*;
fn rosen<T: Real>(x: &[T]) -> T {
    let mut f = T::of(0.0);
    for i in 0..x.len() - 1 {
        f += T::of(100.0) * (x[i + 1] - x[i].powi(2)).powi(2) + (T::of(1.0) - x[i]).powi(2);
    }
    f
}
#[test]
fn rosenbrock() {
    let f = Function::scalar(10, |x| rosen(x)).unwrap();
    let x: Vec<f64> = (0..10).map(|i| 0.5 + 0.3 * (i as f64).sin()).collect();
    let v: Vec<f64> = (0..10).map(|i| (i as f64).cos()).collect();
    let h = f.value_grad_hvp().unwrap().compile().unwrap();
    let (y, g, hv) = h.call((&x, &v)).unwrap();
    println!("{y} {g:?} {hv:?}");
    let h = f.value_grad_hvp().unwrap().interpreted().unwrap();
    assert_eq!((y, g, hv), h.call((&x, &v)).unwrap());
    println!("{}", f.check_derivatives(&x).unwrap());
    let (a, b, c) = f.vhv().unwrap().compile().unwrap().call((&x, &v)).unwrap();
    println!("{a} {b} {c}");
    println!("{}", f.hvp().unwrap().compile().unwrap().disassembly().unwrap().lines().count());
}
#[test]
fn multi() {
    let f = Function::scalar((scalars(2), scalars(3), scalar()), |(w, d, s)| {
        (w[0] * d[0]).sin() * s + w[1] * d[2]
    }).unwrap();
    let g = f.wrt::<0>().grad().unwrap().compile().unwrap();
    println!("{:?}", g.call((&[1.0, 2.0], &[3.0, 4.0, 5.0], &2.0)).unwrap());
    let h = f.wrt::<0>().hvp().unwrap().compile().unwrap();
    println!("{:?}", h.call(((&[1.0, 2.0], &[3.0, 4.0, 5.0], &2.0), &[1.0, 0.0])).unwrap());
    let e = Function::scalar(1, |x| {
        let cell = std::cell::Cell::new(None);
        let g = grad(|y| { cell.set(Some(y * y)); y * x[0] }, x[0]);
        g + cell.get().unwrap()
    });
    println!("{}", e.unwrap_err());
    let n = Function::scalar(1, |x| (x[0] - 1.0).sqrt() * 0.0).unwrap();
    println!("{}", n.grad().unwrap().explain_nan(&[1.0]).unwrap().unwrap());
    let v = Function::vector(2, |x| vec![x[0], x[0] * x[1]]).unwrap();
    println!("{:?}", v.jacobian().unwrap().compile().unwrap().call(&[2.0, 3.0]));
    println!("{}", v.grad().unwrap_err());
}
