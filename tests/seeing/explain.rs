//! The origin of a NaN.

use evolute::ir::{Level, Mode, Role};
use evolute::prelude::*;
use evolute::{Scalars, Spec};

/// The origin at `x` is at `line`, of this mode and role.
fn check_origin<R: Spec, A>(
    f: &Function<Scalars<F64>, R, A>,
    x: &[f64],
    (line, mode, role): (u32, Option<Mode>, Role),
) {
    let origin = f.explain_nan(x).unwrap().expect("a result that is not finite");
    let found = origin.loc.as_ref().map(|loc| (&*loc.file, loc.line));
    assert_eq!((found, origin.mode, origin.role), (Some((file!(), line)), mode, role), "{origin}");
    assert_eq!(origin.level == Level::PRIMAL, mode.is_none());
    assert!(!origin.number.is_finite());
    assert!(origin.to_string().contains(&format!(":{line}")), "{origin}");
}

#[test]
fn a_nan_of_the_function_is_explained() {
    let line = line!() + 2;
    let f = Function::scalar(2, |x| {
        let root = (x[0] - 2.0).sqrt();
        root * x[1] + root.sin()
    })
    .unwrap();
    check_origin(&f, &[1.0, 1.0], (line, None, Role::Primal));
    check_origin(&f.hvp().unwrap().at(1.0), &[1.0, 1.0], (line, None, Role::Primal));
    assert!(f.explain_nan(&[3.0, 1.0]).unwrap().is_none());
}

#[test]
fn a_nan_of_the_derivative_is_explained() {
    let line = line!() + 2;
    let f = Function::scalar(1, |x| {
        let root = (x[0] - 1.0).sqrt();
        root * 0.0 + x[0]
    })
    .unwrap();
    assert!(f.explain_nan(&[1.0]).unwrap().is_none(), "the value is finite");
    check_origin(&f.grad().unwrap(), &[1.0], (line, Some(Mode::Reverse), Role::Cotangent));
    let second = f.grad().unwrap().jacobian().unwrap();
    check_origin(&second, &[1.0], (line, Some(Mode::Forward), Role::Tangent));
}

/// The program explained is the one that runs: a contracted difference of squares may be negative.
#[test]
fn a_nan_of_one_mode_is_explained_in_that_mode() {
    let line = line!() + 1;
    let f = Function::scalar(2, |x| (x[0] * x[0] - x[1] * x[1]).sqrt()).unwrap();
    let contracted = f.compile().unwrap();
    let mut found = 0;
    for x in (1..50).map(|i| f64::from(i) / 10.0) {
        assert!(f.explain_nan_with(&[x, x], &Options::default().strict()).unwrap().is_none());
        let finite = contracted.call(&[x, x]).unwrap().is_finite();
        assert_eq!(f.explain_nan(&[x, x]).unwrap().is_none(), finite);
        if !finite {
            found += 1;
            check_origin(&f, &[x, x], (line, None, Role::Primal));
        }
    }
    assert_eq!(found > 0, evolute::ir::has_fast_fma(), "without one nothing is contracted");
}

#[test]
fn a_nan_of_the_input_is_explained() {
    let f = Function::scalar(2, |x| x[0] * x[1]).unwrap();
    let origin = f.explain_nan(&[f64::NAN, 1.0]).unwrap().unwrap();
    assert_eq!(origin.level, Level::PRIMAL);
    assert!(origin.instruction.contains("v0"), "{origin}");
    assert!(f.explain_nan(&[1.0]).is_err(), "too few inputs");
}

/// The Hessian-vector product of a function along a constant direction, to take one argument.
trait At {
    fn at(&self, direction: f64) -> Function<Scalars<F64>, Scalars<F64>>;
}

impl At for Function<(Scalars<F64>, Scalars<F64>), Scalars<F64>, Scalars<F64>> {
    fn at(&self, direction: f64) -> Function<Scalars<F64>, Scalars<F64>> {
        let n = 2;
        Function::vector(n, |x| self.call((x, &vec![Scalar::from(direction); n]))).unwrap()
    }
}
