//! Runs a function at several points natively and interpreted, strictly and contracted.

use crate::report::Report;
use evolute::{FpMode, Function, Options, Spec};

/// The results of a call as a list.
pub(crate) trait Flat {
    fn flat(self) -> Vec<f64>;
}

impl Flat for f64 {
    fn flat(self) -> Vec<f64> {
        vec![self]
    }
}

impl Flat for Vec<f64> {
    fn flat(self) -> Vec<f64> {
        self
    }
}

impl<A: Flat, B: Flat> Flat for (A, B) {
    fn flat(self) -> Vec<f64> {
        [self.0.flat(), self.1.flat()].concat()
    }
}

impl<A: Flat, B: Flat, C: Flat> Flat for (A, B, C) {
    fn flat(self) -> Vec<f64> {
        [self.0.flat(), self.1.flat(), self.2.flat()].concat()
    }
}

/// The results at one point in one mode.
pub(crate) struct Run {
    pub(crate) fp: FpMode,
    pub(crate) point: usize,
    pub(crate) values: Vec<f64>,
}

pub(crate) const MODES: [FpMode; 2] = [FpMode::Strict, FpMode::Contract];

/// The results at every point in both modes. Native code and the interpreter must give the same bits; if
/// something cannot be done at all, `report` has it and there are no results.
pub(crate) fn run<'a, S: Spec, R: Spec, A>(
    report: &mut Report,
    what: &str,
    f: &Function<S, R, A>,
    points: &[S::Host<'a>],
) -> Vec<Run>
where
    S::Host<'a>: Copy,
    R::Owned: Flat,
{
    let mut runs = Vec::new();
    for fp in MODES {
        let options = Options { fp, ..Options::default() };
        let both =
            f.compile_with(&options).and_then(|native| Ok((native, f.compile_with(&options.interpreted())?)));
        let (native, interpreted) = match both {
            Ok(both) => both,
            Err(error) => {
                report.fail(format!("{what} ({fp:?}): {error}"));
                continue;
            }
        };
        for (point, &x) in points.iter().enumerate() {
            match native.call(x).and_then(|values| Ok((values.flat(), interpreted.call(x)?.flat()))) {
                Ok((values, reference)) => {
                    report.check(same_bits(&values, &reference), || {
                        format!(
                            "{what} ({fp:?}, point {point}): native {values:?}, interpreted {reference:?}"
                        )
                    });
                    runs.push(Run { fp, point, values });
                }
                Err(error) => report.fail(format!("{what} ({fp:?}, point {point}): {error}")),
            }
        }
    }
    runs
}

/// Equality of bits, NaNs being one class.
pub(crate) fn same_bits(a: &[f64], b: &[f64]) -> bool {
    let same = |(a, b): (&f64, &f64)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
    a.len() == b.len() && a.iter().zip(b).all(same)
}
