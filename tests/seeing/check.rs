//! Checks of derivatives against finite differences.

use evolute::prelude::*;

#[test]
fn right_derivatives_pass_and_wrong_ones_do_not() {
    let right = Function::scalar(3, |x| x[0].sin() * x[1].exp() + x.norm2() + x.logsumexp()).unwrap();
    let check = right.check_derivatives(&[0.3, -0.2, 1.5]).unwrap();
    assert!(check.passed(), "{check}");
    assert_eq!(check.inputs.len(), 3);
    assert!(right.grad().unwrap().check_derivatives(&[0.3, -0.2, 1.5]).unwrap().passed());

    let wrong = Function::scalar(2, |x| x[0] * x[1].stop_gradient()).unwrap();
    let check = wrong.check_derivatives(&[2.0, 3.0]).unwrap();
    assert!(!check.passed());
    let agrees: Vec<bool> = check.inputs.iter().map(|input| input.agrees).collect();
    assert_eq!(agrees, [true, false], "{check}");
    assert_eq!(check.inputs[1].derivative, 0.0);
    assert!((check.inputs[1].difference - 2.0).abs() < 1e-6);
    assert!(check.to_string().contains("disagrees"));
}

#[test]
fn only_what_is_differentiated_is_checked() {
    let f = Function::scalar((scalars(2), scalars(2)), |(x, data)| {
        x[0] * data[0] + x[1] * data[1].stop_gradient()
    });
    let check = f.unwrap().wrt::<0>().check_derivatives((&[1.0, 2.0], &[3.0, 4.0])).unwrap();
    assert!(check.passed() && check.inputs.len() == 2, "{check}");
}
