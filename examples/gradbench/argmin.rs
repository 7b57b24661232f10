//! Gradient descent with a step that grows after ten successes and shrinks after a failure, as `saddle` and `particle`
//! prescribe it: a traced `while` loop around traced derivatives.

use evolute::prelude::*;

/// A vector of traced numbers.
pub(crate) type Point<'t> = Vec<Scalar<'t>>;

/// How a gradient is computed.
#[derive(Clone, Copy)]
pub(crate) enum Mode {
    Forward,
    Reverse,
}

impl Mode {
    /// The two modes that the name of an eval's function states, `fr` say: of the outer derivative, of the inner one.
    pub(crate) fn pair(function: &str) -> Option<[Mode; 2]> {
        let mode = |letter| match letter {
            'f' => Some(Mode::Forward),
            'r' => Some(Mode::Reverse),
            _ => None,
        };
        let mut letters = function.chars().map(mode);
        let pair = [letters.next()??, letters.next()??];
        letters.next().is_none().then_some(pair)
    }

    /// The gradient of `f` at `x`: by one sweep back, or by one sweep forward for each coordinate.
    pub(crate) fn gradient<'t>(self, f: impl Fn(Point<'t>) -> Scalar<'t>, x: Point<'t>) -> Point<'t> {
        match self {
            Mode::Reverse => grad(f, x),
            Mode::Forward => (0..x.len()).map(|k| jvp(&f, x.clone(), unit(x.len(), k)).1).collect(),
        }
    }
}

fn unit<'t>(n: usize, k: usize) -> Point<'t> {
    (0..n).map(|i| Scalar::from(if i == k { 1.0 } else { 0.0 })).collect()
}

/// The squared length of the difference of two points.
pub(crate) fn distance_squared<'t>(a: &[Scalar<'t>], b: &[Scalar<'t>]) -> Scalar<'t> {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum()
}

/// Where the descent is: the point, the value and the gradient there, the step and the successes since it changed; and
/// whether there is more to do.
type State<'t> = ((Point<'t>, Scalar<'t>, Point<'t>), (Scalar<'t>, Int<'t>), Scalar<'t>);

const TOLERANCE: f64 = 1e-5;

/// The most steps of a descent.
const MOST: usize = 100_000;

/// The point at which `f` is least, by descent from `start`.
pub(crate) fn argmin<'t>(mode: Mode, f: impl Fn(Point<'t>) -> Scalar<'t>, start: Point<'t>) -> Point<'t> {
    let at = |x: Point<'t>| (x.clone(), f(x.clone()), mode.gradient(&f, x));
    let initial: State = (at(start), (Scalar::from(TOLERANCE), Int::from(0)), Scalar::from(1.0));
    let ((x, _, _), _, _) = while_at_most(
        MOST,
        initial,
        |(_, _, more)| more.gt(0.0),
        |((x, y, slope), (step, successes), _)| {
            let next: Point = x.iter().zip(&slope).map(|(x, s)| x - step * s).collect();
            let level = slope.iter().map(|s| s * s).sum::<Scalar>().sqrt().le(TOLERANCE);
            let near = distance_squared(&x, &next).sqrt().le(TOLERANCE);
            let stay = (x.clone(), y, slope.clone());
            let stop = level | (successes.ne(10) & near);
            cond(
                stop,
                || (stay.clone(), (step, successes), Scalar::from(0.0)),
                || {
                    cond(
                        successes.eq(10),
                        || (stay.clone(), (step * 2.0, Int::from(0)), Scalar::from(1.0)),
                        || {
                            cond(
                                f(next.clone()).lt(y),
                                || (at(next.clone()), (step, successes + 1), Scalar::from(1.0)),
                                || (stay.clone(), (step / 2.0, Int::from(0)), Scalar::from(1.0)),
                            )
                        },
                    )
                },
            )
        },
    );
    x
}

/// The point at which `f` is greatest, by ascent from `start`.
pub(crate) fn argmax<'t>(mode: Mode, f: impl Fn(Point<'t>) -> Scalar<'t>, start: Point<'t>) -> Point<'t> {
    argmin(mode, |x| -f(x), start)
}
