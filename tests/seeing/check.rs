//! Checks of derivatives against finite differences: right ones pass and wrong ones do not, at every scale.

use evolute::check::{DerivativeCheck, Law, Verdict};
use evolute::prelude::*;

/// From 1e-8 to 1e8.
fn scales() -> impl Iterator<Item = f64> {
    (-8..=8).map(|exponent| 1.7 * 10f64.powi(exponent))
}

fn verdicts(check: &DerivativeCheck) -> Vec<Verdict> {
    check.first.iter().map(|input| input.verdict).collect()
}

fn at(f: impl for<'t> Fn(Scalar<'t>) -> Scalar<'t>, x: f64) -> DerivativeCheck {
    Function::scalar(1, |x| f(x[0])).unwrap().check_derivatives(&[x]).unwrap()
}

#[test]
fn right_derivatives_pass_at_every_scale() {
    type Plain = for<'t> fn(Scalar<'t>) -> Scalar<'t>;
    let functions: [(&str, Plain); 12] = [
        ("square", |x| x * x),
        ("reciprocal", |x| 1.0 / x),
        ("root", |x| x.sqrt()),
        ("logarithm", |x| x.ln()),
        ("sine", |x| x.sin()),
        ("hyperbolic", |x| x.tanh()),
        ("shifted", |x| (x + 3.0).ln() * x),
        ("cubic", |x| x.powi(3) - x * 1e3),
        ("power", |x| x.powf(2.5)),
        ("arc", |x| x.atan() + x.asinh()),
        ("bell", |x| (-(x * x)).exp()),
        ("constant", |_| Scalar::from(1e9)),
    ];
    for (name, function) in functions {
        let f = Function::scalar(1, |x| function(x[0])).unwrap();
        for x in scales() {
            let check = f.check_derivatives(&[x]).unwrap();
            assert!(check.passed(), "{name} at {x:e}\n{check}");
        }
    }
}

#[test]
fn wrong_derivatives_are_found_at_every_scale() {
    let hidden = Function::scalar(2, |x| x[0] * x[1].stop_gradient()).unwrap();
    let slightly = Function::scalar(1, |x| x[0].powi(2) * (1.0 - 1e-4) + x[0].stop_gradient().powi(2) * 1e-4);
    let second = Function::scalar(1, |x| {
        let slope = 2.0 * x[0].stop_gradient();
        slope * x[0] - (x[0] * x[0]).stop_gradient()
    });
    let (slightly, second) = (slightly.unwrap(), second.unwrap());
    for x in scales() {
        let check = hidden.check_derivatives(&[x, 2.0 * x]).unwrap();
        assert_eq!(verdicts(&check), [Verdict::Agrees, Verdict::Disagrees], "at {x:e}\n{check}");
        assert!(!check.passed() && (check.first[1].difference / x - 1.0).abs() < 1e-6, "{check}");
        assert!(check.to_string().contains("← disagrees"), "{check}");
        assert!(!slightly.check_derivatives(&[x]).unwrap().passed(), "one part in 10⁴, at {x:e}");

        // x² with the right value and gradient, but a Hessian of 0.
        let check = second.check_derivatives(&[x]).unwrap();
        assert_eq!(check.second[0].verdict, Verdict::Disagrees, "at {x:e}\n{check}");
        assert_eq!(check.second[0].derivative, 0.0);
    }
}

#[test]
fn numbers_of_single_precision() {
    let right = Function::scalar_of(scalars_of::<F32>(2), |x| x[0].sin() * x[1] + x[1].powi(3)).unwrap();
    let wrong = Function::scalar_of(scalars_of::<F32>(1), |x| x[0] * x[0].stop_gradient()).unwrap();
    for exponent in -6..=2 {
        let x = 1.3 * 10f32.powi(exponent);
        let check = right.check_derivatives(&[x, -x]).unwrap();
        assert!(check.passed(), "at {x:e}\n{check}");
        assert!(!wrong.check_derivatives(&[x]).unwrap().passed(), "at {x:e}");
    }
    let mixed = Function::scalar((scalar(), scalar_of::<F32>()), |(x, y)| x.sin() * y.to_f64()).unwrap();
    let check = mixed.check_derivatives((&0.7, &1.9)).unwrap();
    assert!(check.passed() && check.first.len() == 2, "{check}");
}

#[test]
fn arrays_loops_and_several_results() {
    let x = [0.3, -0.7, 1.2, 0.4];
    let f =
        Function::trace(vector(4), |x| sum(3, |i| (x.at(i + 1) - x.at(i)).powi(2) * x.at(i).sin())).unwrap();
    let check = f.check_derivatives(&x).unwrap();
    assert!(check.passed() && check.is_complete() && check.second.len() == 4, "{check}");
    let f = Function::trace_to(vector(4), (scalar(), matrix(2, 2)), |x| {
        (x.norm2(), x.reshape(&[2, 2]).dot(x.reshape(&[2, 2])))
    });
    let check = f.unwrap().check_derivatives(&x).unwrap();
    assert!(check.passed() && check.is_complete(), "{check}");
    assert!(check.laws.iter().all(|law| law.holds() && law.left != 0.0), "{check}");
    let none = Function::vector(2, |_| Vec::<Scalar>::new()).unwrap();
    assert!(none.check_derivatives(&[1.0, 2.0]).unwrap().passed());
}

/// Integers and truth values are data, and so is what is not chosen.
#[test]
fn only_what_is_differentiated_is_checked() {
    let f = Function::scalar(
        (scalars(2), scalars(2), scalar_of::<I64>(), scalar_of::<Bool>()),
        |(x, data, n, b)| {
            let scaled = x[1] * data[1].stop_gradient() * n.to_f64();
            b.select(x[0] * data[0] + scaled, scaled)
        },
    );
    let f = f.unwrap();
    let check = f.wrt::<0>().check_derivatives((&[1.0, 2.0], &[3.0, 4.0], &5, &true)).unwrap();
    assert!(check.passed() && check.first.len() == 2, "{check}");
    assert!(f.check_derivatives((&[1.0, 2.0], &[3.0, 4.0], &5, &true)).is_err(), "an i64 has no derivative");
}

#[test]
fn kinks_are_reported_as_such() {
    type Plain = for<'t> fn(&[Scalar<'t>]) -> Scalar<'t>;
    let kinks: [(Plain, [f64; 2], [f64; 2]); 4] = [
        (|x| x[0].abs() + x[1], [0.0, 1.0], [-1.0, 1.0]),
        (|x| x[0].relu() * x[1], [0.0, 3e6], [0.0, 3e6]),
        (|x| x[0].max(x[1]), [1e-6, 1e-6], [0.0, 1.0]),
        (|x| (x[0] - 7e5).abs() * 2.0 + x[1], [7e5, 1.0], [-2.0, 2.0]),
    ];
    for (f, x, slopes) in kinks {
        let check = Function::scalar(2, |x| f(x)).unwrap().check_derivatives(&x).unwrap();
        let Verdict::Kink { left, right } = check.first[0].verdict else { panic!("{check}") };
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-6 * b.abs().max(1e-6);
        assert!(near(left, slopes[0]) && near(right, slopes[1]), "{check}");
        assert!(check.passed() && !check.is_complete() && check.to_string().contains("kink"), "{check}");
    }
    let beside = Function::scalar(1, |x| (x[0] - 1.0).abs() * x[0]).unwrap();
    let check = beside.check_derivatives(&[1.01]).unwrap();
    assert_eq!(verdicts(&check), [Verdict::Agrees], "{check}");
}

#[test]
fn edges_of_the_domain() {
    let near = at(|x| x.ln(), 1e-5);
    assert!(near.passed() && near.is_complete(), "{near}");
    assert_eq!(verdicts(&near), [Verdict::Agrees]);
    let edge = at(|x| x.powf(2.5), 0.0);
    assert_eq!(verdicts(&edge), [Verdict::AgreesOneSided], "{edge}");
    let wrong = at(|x| x.sqrt() * 0.0 + (x * x).stop_gradient() + x, 0.0);
    assert_eq!(verdicts(&wrong), [Verdict::NotANumber], "{wrong}");
    let wrong = at(|x| x.stop_gradient().sqrt().powi(2) + x.powf(1.5), 0.0);
    assert_eq!(verdicts(&wrong), [Verdict::Disagrees], "{wrong}");
    assert_eq!(verdicts(&at(|x| x.sqrt(), 0.0)), [Verdict::Unchecked]);
    assert_eq!(verdicts(&at(|x| x.cbrt(), 0.0)), [Verdict::Unchecked]);
    assert_eq!(verdicts(&at(|x| (x - 1.0).floor() / 0.0 + x, 0.5)), [Verdict::Unchecked]);
}

#[test]
fn a_nan_does_not_agree_with_a_nan() {
    let f = Function::scalar(1, |x| (x[0] - 2.0).sqrt()).unwrap();
    let check = f.check_derivatives(&[1.0]).unwrap();
    assert_eq!(verdicts(&check), [Verdict::NotANumber], "{check}");
    assert!(!check.passed());
}

/// A law that does not hold: of the functions of a program none can break it, so the report is made by hand.
#[test]
fn a_broken_law_is_no_pass() {
    let f = Function::scalar(2, |x| x[0].sin() * x[1].exp()).unwrap();
    let mut check = f.check_derivatives(&[0.3, -0.2]).unwrap();
    let laws: Vec<Law> = check.laws.iter().map(|law| law.law).collect();
    assert_eq!(laws, [Law::Adjoint, Law::SecondAdjoint, Law::Symmetry]);
    assert!(check.passed(), "{check}");
    check.laws[2].right *= 1.0 + 1e-6;
    assert!(!check.passed() && check.to_string().contains("symmetry of the Hessian: ← fails"), "{check}");
}

/// Within an error as large as the numbers anything would agree.
/// An element that is not read has an infinite slope: forward mode says 0, reverse mode NaN.
#[test]
fn a_nan_is_no_number() {
    let f = Function::trace(vector(2), |x| x.sqrt().at(1)).unwrap();
    let check = f.check_derivatives(&[0.0, 1.0]).unwrap();
    let law = check.laws.iter().find(|identity| identity.law == Law::Adjoint).unwrap();
    assert!(law.left == 0.0 && law.right.is_nan() && law.element == 0, "{check}");
    assert!(!law.holds() && !check.passed(), "{check}");
    assert!(check.to_string().contains("forward against reverse: ← fails at element 0"), "{check}");
}

#[test]
fn what_no_difference_tells_is_not_agreement() {
    for slope in [5.0, -3.0, 1.0, 1e-3, 0.0] {
        let check = at(|x| (x.sin() + 1e15).with_slope(slope, x), 0.3);
        assert_eq!(verdicts(&check), [Verdict::Unchecked], "{slope}\n{check}");
        assert!(check.passed() && !check.is_complete(), "{check}");
    }
    let wrong = at(|x| (x.sin() + 1e15).with_slope(1e6, x), 0.3);
    assert_eq!(verdicts(&wrong), [Verdict::Disagrees], "{wrong}");
}

/// What is small beside the function's slope nearby is known, though no difference is sure of its digits.
#[test]
fn derivatives_at_extrema_are_checked() {
    let pi = std::f64::consts::PI;
    for check in [
        at(|x| x.sin(), pi / 2.0),
        at(|x| x.cos() * 1e6 + 3.0, pi),
        at(|x| (x - 0.7).powi(2), 0.7),
        at(|x| x * 0.0 + 1e9, 3.0),
        at(|x| (-(x - 1e5) * (x - 1e5) * 1e-6).exp(), 1e5),
    ] {
        assert!(check.passed() && check.is_complete(), "{check}");
        assert_eq!(verdicts(&check), [Verdict::Agrees], "{check}");
    }
}

#[test]
fn jumps_are_reported_as_such() {
    let jumps = [
        (at(|x| (x.floor() * x).stop_gradient().with_slope(-100.0, x), 2.0), [2.0, 0.0]),
        (at(|x| x.ge(1.0).select(1.0, 0.0), 1.0), [1.0, 0.0]),
        (at(|x| x.gt(1e-5).select(x, x - 3e4), 1e-5), [0.0, 3e4]),
        (at(|x| x.sign(), 0.0), [1.0, 1.0]),
        (at(|x| x.eq(7e6).select(x.sin() + 5.0, x.sin()), 7e6), [5.0, -5.0]),
    ];
    for (check, heights) in jumps {
        let Verdict::Jump { left, right } = check.first[0].verdict else { panic!("{check}") };
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-5 * b.abs();
        assert!(near(left, heights[0]) && near(right, heights[1]), "{check}");
        assert!(check.passed() && !check.is_complete() && check.to_string().contains("jump: by"), "{check}");
    }
    let single = Function::scalar_of(scalars_of::<F32>(1), |x| x[0].floor() + x[0]).unwrap();
    let check = single.check_derivatives(&[3.0f32]).unwrap();
    assert!(matches!(check.first[0].verdict, Verdict::Jump { .. }), "{check}");
    let root = at(|x| x.powf(0.1), 0.0);
    assert_eq!(verdicts(&root), [Verdict::Unchecked], "{root}");
}

/// A function that no large step resolves, with slopes that two of them take for sure by chance; from x·1e10 on the
/// smallest steps do not resolve it either. Slow terms do not hide that.
#[test]
fn fast_functions_have_no_kinks() {
    for exponent in 0..=15 {
        for x in (0..60).map(|i| 0.013 * 1.17f64.powi(i)).chain([0.3, 0.7, 1.1, 2.9, 55.0]) {
            let check = at(|x| (x * 10f64.powi(exponent)).sin(), x);
            let [verdict] = verdicts(&check)[..] else { panic!("{check}") };
            assert!(
                x * 10f64.powi(exponent) > 1e4 || verdict == Verdict::Agrees,
                "1e{exponent} at {x}\n{check}"
            );
            let slow = at(|x| (x * 10f64.powi(exponent)).sin() + x * x * 1e3, x);
            for input in [&check.first, &check.second, &slow.first, &slow.second].into_iter().flatten() {
                let is_right = matches!(input.verdict, Verdict::Agrees | Verdict::Unchecked);
                assert!(is_right, "1e{exponent} at {x}\n{check}{slow}");
            }
        }
    }
}

/// What is wrong by however much is seen where the steps resolve the function.
#[test]
fn steep_derivatives_of_slow_functions_are_wrong() {
    for slope in [1e3, 1e10, 1e15] {
        for x in [0.3, 55.0, 1e6] {
            for check in [at(|x| x.sin().with_slope(slope, x), x), at(|x| x.powi(2).with_slope(slope, x), x)]
            {
                let verdict = check.first[0].verdict;
                assert_eq!(verdict, Verdict::Disagrees, "{slope:e} at {x}\n{check}");
            }
        }
    }
}
