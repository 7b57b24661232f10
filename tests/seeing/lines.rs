//! Source lines: every value has one, and it is the user's.

use evolute::ir::Program;
use evolute::prelude::*;
use evolute::{Error, Spec, TraceError, nested};

/// Every line recorded in `program`, and in what each pass makes of it, is one of this file, and there are
/// some.
fn check_lines<S: Spec, R: Spec, A: Spec>(f: &Function<S, R, A>) {
    for stage in f.stages().unwrap() {
        let program = &stage.program;
        let lines: Vec<_> = program.locs().iter().filter_map(|(_, loc)| loc.clone()).collect();
        assert!(!lines.is_empty(), "no line is recorded:\n{program}");
        for line in lines {
            assert_eq!(&*line.file, file!(), "at line {} after {}:\n{program}", line.line, stage.pass);
        }
        check_every_instruction(program, stage.pass);
    }
}

/// All but constants have a line.
fn check_every_instruction(program: &Program, pass: &str) {
    for (value, _) in program.values().iter() {
        let constant = program.as_const(value).is_some();
        let seed = program.name(value).is_none() && program.def_inst(value).is_none();
        assert!(
            constant || seed || program.loc(value).is_some(),
            "{value} has no line after {pass}:\n{program}"
        );
    }
}

#[test]
#[allow(clippy::op_ref, reason = "operators on references are what is tested")]
fn operators_and_methods_are_at_their_lines() {
    let f = Function::scalar(4, |x| {
        let [a, b, c] = [x[0], x[1], x[2]];
        let mut y = a + b - c * a / b % c;
        y = -y + 1.0 - 2.0 * y / 3.0 + (4.0 - y) + 5.0 / y;
        y = &y + &a - &b * &c + (&y * 2.0) + (2.0 * &y) + -&y;
        y += a;
        y -= &b;
        y *= 2.0;
        y /= c;
        y %= 10.0;
        y = y.sin().cos().tan().exp().ln().sqrt().abs().tanh().sigmoid().softplus();
        y = y.powi(3).powf(2.0).hypot(a).atan2(b).min(c).max(0.1).mul_add(a, b);
        y += y.digamma()
            + y.polygamma(2)
            + y.stop_gradient()
            + y.with_slope(a, b)
            + y.to_f32().to_f64()
            + y.to_int().to_f64();
        let condition = y.lt(a) & !y.ge(b) | y.le(c) ^ y.gt(0.0) | y.eq(a) & y.ne(b);
        condition.select(y, a * b)
    })
    .unwrap();
    check_lines(&f);
    check_lines(&f.grad().unwrap());
    check_lines(&f.hvp().unwrap());
}

#[test]
fn iterators_and_slices_are_at_a_line_of_the_user() {
    let f = Function::scalar(4, |x| {
        let sum: Scalar = x.iter().sum();
        let product: Scalar = x.iter().copied().product();
        let squares: Scalar = x.iter().map(|x| x * x).sum();
        let folded = x.iter().fold(Scalar::from(0.0), |a, &b| a + b);
        let reduced = x.iter().copied().reduce(std::ops::Mul::mul).unwrap();
        sum + product + squares + folded + reduced + x.norm2() + x.logsumexp() + x.softmax()[1]
    })
    .unwrap();
    check_lines(&f);
    check_lines(&f.hvp().unwrap());
}

fn generic<T: Real64>(x: &[T]) -> T {
    let sum: T = x.iter().sum();
    let clipped = sum.gt(T::of(1.0)).select(sum, Real::min(sum, T::of(0.5)));
    x.norm2() * 2.0 + x.logsumexp() + Real::exp(clipped) + Real::powi(sum, 2) + x.softmax()[0]
}

#[test]
fn generic_code_is_at_its_lines() {
    let f = Function::scalar(3, |x| generic(x)).unwrap();
    check_lines(&f);
    check_lines(&f.hvp().unwrap());
}

#[test]
fn nested_derivatives_are_at_their_lines() {
    let inner = Function::scalar(2, |x| x[0].sin() * x[1]).unwrap();
    let f = Function::scalar(2, |x| {
        let (a, b) = (x[0], x[1]);
        let gradient = grad(|y| y.exp() * a, b);
        let (value, along) = jvp(|y: [Scalar; 2]| y[0] * y[1].sin(), [a, b], [b, a]);
        let (_, back) = vjp(|y: Vec<Scalar>| (y[0] * y[1], y[0]), vec![a, b], (a, b));
        let second = hvp(|y| y.powi(3) * grad(|z| z * z * y, a), b, a);
        let (_, first) = nested::value_and_grad(|y| y.cos(), a);
        gradient + value + along + back[0] + second + first + inner.call(&[a, b])
    })
    .unwrap();
    check_lines(&f);
    check_lines(&f.grad().unwrap());
    check_lines(&f.hvp().unwrap());
}

/// `Iterator::sum` has one place in the library; each use is at the line of its own inner derivative.
#[test]
fn the_library_is_at_the_line_of_the_enclosing_derivative() {
    fn sum<'t>(y: [Scalar<'t>; 2]) -> Scalar<'t> {
        [y[0].sin(), y[1]].into_iter().sum()
    }
    let mut lines = Vec::new();
    let f = Function::scalar(2, |x| {
        lines.push(line!() + 1);
        let a = grad(sum, [x[0], x[1]]);
        lines.push(line!() + 1);
        let b = grad(sum, [x[1], x[0]]);
        a[0] + b[0]
    })
    .unwrap();
    let program = f.program();
    let sums = program.values().iter().map(|(value, _)| value).filter(|&v| {
        let inst = program.def_inst(v);
        inst.is_some_and(|inst| evolute::ir::text::instruction(program, inst).to_string().contains(" = add "))
    });
    let found: Vec<u32> = sums.map(|v| program.loc(v).unwrap().line).collect();
    assert_eq!(found[..2], lines[..], "{program}");
}

#[test]
fn errors_in_the_library_are_at_a_line_of_the_user() {
    let error = Function::scalar(1, |x| {
        let kept = std::cell::Cell::new(x[0]);
        let inner = |y| {
            kept.set(y * y);
            y
        };
        let g = grad(inner, x[0]);
        [g, kept.get()].into_iter().sum()
    });
    let Err(Error::Trace(TraceError::At { at, .. })) = error else { panic!("{error:?}") };
    assert_eq!(&*at.file, file!());
}
