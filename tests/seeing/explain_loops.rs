//! The origin of a NaN inside loops and conditionals: the iteration, the branch, the line, the derivative.

use evolute::explain::{NanOrigin, Within};
use evolute::ir::{Mode, Role};
use evolute::prelude::*;

/// The lines that an origin names: its own, and those of what it lies in.
fn lines(origin: &NanOrigin) -> Vec<Option<u32>> {
    let within = origin.within.iter().map(|within| match within {
        Within::Iteration { loc, .. } | Within::Branch { loc, .. } => loc,
    });
    within.chain([&origin.loc]).map(|loc| loc.as_ref().map(|loc| loc.line)).collect()
}

/// The iterations and branches (as 1 or 0) that an origin lies in.
fn path(origin: &NanOrigin) -> Vec<u64> {
    let step = |within: &Within| match within {
        Within::Iteration { number, .. } => *number,
        Within::Branch { taken, .. } => u64::from(*taken),
    };
    origin.within.iter().map(step).collect()
}

/// The root of `x[7]` is taken in iteration 7 of the inner loop. The outer one uses it in its iteration 2, and 0 times
/// it in the others. The lines are those of the loops and of the root.
fn nested() -> (Function<ArraySpec<F64>, Single<F64>>, [u32; 3]) {
    let lines = [line!() + 2, line!() + 3, line!() + 4];
    let f = Function::trace(vector(10), |x| {
        sum(4, |i| {
            let inner = sum(10, |j| {
                let root = x.at(j).sqrt();
                root * (i + 1).to_f64()
            });
            cond(i.eq(2), || inner, || inner * 0.0 + x.at(0))
        })
    });
    (f.unwrap(), lines)
}

/// Ones, but for element 7.
fn point(seventh: f64) -> [f64; 10] {
    let mut x = [1.0; 10];
    x[7] = seventh;
    x
}

#[test]
fn in_an_inner_loop() {
    let (f, expected) = nested();
    let origin = f.explain_nan(&point(-1.0)).unwrap().unwrap();
    assert_eq!(lines(&origin), expected.map(Some), "{origin}");
    assert_eq!((path(&origin), origin.mode), (vec![0, 7], None), "{origin}");
    assert_eq!(origin.operands[0].1, -1.0);
    assert!(origin.to_string().contains("\n  in iteration 7 of the loop at tests/seeing"), "{origin}");
    assert!(f.explain_nan(&point(0.5)).unwrap().is_none());
}

#[test]
fn in_the_derivatives_of_an_inner_loop() {
    let (f, expected) = nested();
    let line = expected[2];
    assert!(f.explain_nan(&point(0.0)).unwrap().is_none(), "the value is finite");
    let origin = f.grad().unwrap().explain_nan(&point(0.0)).unwrap().unwrap();
    assert_eq!(origin.loc.as_ref().map(|loc| loc.line), Some(line), "{origin}");
    assert_eq!((path(&origin).last(), origin.mode), (Some(&7), Some(Mode::Reverse)), "{origin}");
    assert_eq!(lines(&origin), expected.map(Some), "{origin}");
    let (_, of) = origin.derivative_of.as_ref().expect("it is a derivative");
    assert_eq!(of.as_ref().map(|loc| loc.line), Some(line), "{origin}");

    // The gradient is finite where its derivative overflows.
    let tiny = point(1e-220);
    assert!(f.grad().unwrap().explain_nan(&tiny).unwrap().is_none());
    let hvp = f.hvp().unwrap();
    let origin = hvp.explain_nan((&tiny, &[1.0; 10])).unwrap().unwrap();
    assert_eq!(origin.loc.as_ref().map(|loc| loc.line), Some(line), "{origin}");
    assert_eq!((path(&origin).last(), origin.level.to_string().as_str()), (Some(&7), "level2"), "{origin}");
    assert_ne!(origin.role, Role::Primal, "{origin}");
}

#[test]
fn in_a_scan() {
    let line = line!() + 1;
    let f = Function::trace(scalar(), |x| scan(100, *x, |c, _| c.ln() + 1.0));
    // 1.0 stays as it is, and so does what follows a NaN.
    let f = f.unwrap();
    assert!(f.explain_nan(&1.0).unwrap().is_none());
    let mut steps = 0;
    let mut c: f64 = 0.9;
    while c > 0.0 {
        c = c.ln() + 1.0;
        steps += 1;
    }
    let origin = f.explain_nan(&0.9).unwrap().unwrap();
    assert_eq!((path(&origin), lines(&origin)), (vec![steps], vec![Some(line); 2]), "{origin}");
    let origin = f.explain_nan(&f64::NAN).unwrap().unwrap();
    assert!(origin.within.is_empty() && origin.instruction.contains("input v0"), "{origin}");
}

#[test]
fn in_a_while_loop() {
    let line = line!() + 3;
    let f = Function::trace(vector(2), |x| {
        let start = (Scalar::from(0.0), x.at(0));
        while_loop(start, |(i, _)| i.lt(8.0), |(i, y)| (i + 1.0, y + (x.at(1) - i).sqrt())).1
    });
    let f = f.unwrap();
    let origin = f.explain_nan(&[1.0, 6.5]).unwrap().unwrap();
    assert_eq!((path(&origin), lines(&origin)), (vec![7], vec![Some(line); 2]), "{origin}");
    assert_eq!(origin.operands[0].1, -0.5);
    let slope = f.grad().unwrap().explain_nan(&[1.0, 7.0]).unwrap().unwrap();
    assert_eq!(path(&slope).last(), Some(&7), "{slope}");
}

/// What is selected counts, in arrays element by element; the conditional's branch is named.
#[test]
fn what_is_not_chosen_is_not_named() {
    let line = line!() + 6;
    let f = Function::trace(vector(3), |x| {
        let logarithms = x.ln();
        let guarded = x.gt(0.0).select(logarithms, x);
        let total = sum(3, |i| {
            let y = x.at(i);
            let root = y.gt(0.0).select(y.sqrt(), (y + 1.0).recip());
            cond(y.lt(0.0), || root * 2.0, || root)
        });
        guarded.sum() + total
    });
    let f = f.unwrap();
    assert!(f.explain_nan(&[1.0, -2.0, 0.0]).unwrap().is_none(), "ln and the root are not chosen");
    let origin = f.explain_nan(&[1.0, -2.0, -1.0]).unwrap().unwrap();
    assert_eq!((path(&origin), origin.number), (vec![2], f64::INFINITY), "{origin}");
    assert_eq!(origin.loc.as_ref().map(|loc| loc.line), Some(line), "{origin}");
}

#[test]
fn in_a_branch() {
    let line = line!() + 1;
    let f = Function::trace(vector(3), |x| map(3, |i| cond(x.at(i).gt(0.0), || x.at(i), || x.at(i).ln())));
    let origin = f.unwrap().explain_nan(&[1.0, 0.5, -1.0]).unwrap().unwrap();
    assert_eq!((path(&origin), lines(&origin)[1..].to_vec()), (vec![2, 0], vec![Some(line); 2]), "{origin}");
    assert!(origin.to_string().contains("in the branch where the condition does not hold at"), "{origin}");
}

/// A sum that overflows has its origin in the iteration that is added last, or in the loop where lanes meet.
#[test]
fn in_the_sum_itself() {
    let f = Function::trace(vector(20), |x| sum(20, |i| x.at(i))).unwrap();
    let mut x = [0.0; 20];
    [x[3], x[11]] = [f64::MAX; 2];
    let origin = f.explain_nan(&x).unwrap().unwrap();
    assert_eq!(path(&origin), [11], "{origin}");
    [x[11], x[12]] = [0.0, f64::MAX];
    let origin = f.explain_nan(&x).unwrap().unwrap();
    assert!(origin.within.is_empty() && origin.instruction.contains("loop"), "{origin}");
}
