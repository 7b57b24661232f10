//! Nested derivatives of functions of one number, by any sequence of operators.

use evolute::{Scalar, grad, jvp, vjp};

/// A derivative operator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Diff {
    /// Forward mode.
    Jvp,
    /// Reverse mode.
    Grad,
    /// Reverse mode with a seed.
    Vjp,
}

/// The forward and the reverse operator.
pub(crate) const BOTH: [Diff; 2] = [Diff::Jvp, Diff::Grad];
/// Every operator.
pub(crate) const ALL: [Diff; 3] = [Diff::Jvp, Diff::Grad, Diff::Vjp];

/// The derivative of `f` at `x`.
#[track_caller]
pub(crate) fn d<'t>(diff: Diff, f: impl FnOnce(Scalar<'t>) -> Scalar<'t>, x: Scalar<'t>) -> Scalar<'t> {
    match diff {
        Diff::Jvp => jvp(f, x, Scalar::from(1.0)).1,
        Diff::Grad => grad(f, x),
        Diff::Vjp => vjp(f, x, Scalar::from(1.0)).1,
    }
}

/// The derivative of order `diffs.len()`, the outermost operator first.
pub(crate) fn nth<'t>(diffs: &[Diff], f: &dyn Fn(Scalar<'t>) -> Scalar<'t>, x: Scalar<'t>) -> Scalar<'t> {
    match diffs {
        [] => f(x),
        [outer, inner @ ..] => d(*outer, |x| nth(inner, f, x), x),
    }
}

/// Every sequence of `len` of these operators.
pub(crate) fn sequences(diffs: &[Diff], len: usize) -> Vec<Vec<Diff>> {
    let mut all = vec![Vec::new()];
    for _ in 0..len {
        let longer =
            |sequence: &Vec<Diff>| diffs.iter().map(|&diff| [&sequence[..], &[diff]].concat()).collect();
        all = all.iter().flat_map(|sequence| -> Vec<Vec<Diff>> { longer(sequence) }).collect();
    }
    all
}

/// The gradient of `f` at `x`; forward mode takes it component by component.
#[track_caller]
pub(crate) fn gradient<'t>(
    diff: Diff,
    f: &dyn Fn(&[Scalar<'t>]) -> Scalar<'t>,
    x: &[Scalar<'t>],
) -> Vec<Scalar<'t>> {
    let f = |x: Vec<_>| f(&x);
    match diff {
        Diff::Jvp => (0..x.len()).map(|i| jvp(f, x.to_vec(), unit(x.len(), i)).1).collect(),
        Diff::Grad => grad(f, x.to_vec()),
        Diff::Vjp => vjp(f, x.to_vec(), Scalar::from(1.0)).1,
    }
}

/// The unit vector `i` of dimension `n`.
pub(crate) fn unit<'t>(n: usize, i: usize) -> Vec<Scalar<'t>> {
    (0..n).map(|j| Scalar::from(f64::from(i == j))).collect()
}
