//! How often a loop runs, and in which order.

use super::Checkpoint;
use crate::error::TraceError;
use crate::trace::{Site, Turns};
use crate::traced::Int;

/// How often a loop runs: a number, or a traced integer; and what reverse mode stores of it ([`checkpoint`](super::checkpoint)).
#[derive(Clone, Copy, Debug)]
pub struct Count<'t> {
    number: Number<'t>,
    reverse: bool,
    checkpoint: Option<Checkpoint>,
}

#[derive(Clone, Copy, Debug)]
enum Number<'t> {
    Fixed(usize),
    Traced(Int<'t>, Option<usize>),
}

impl From<usize> for Count<'_> {
    fn from(n: usize) -> Self {
        Count::new(Number::Fixed(n))
    }
}

impl<'t> From<Int<'t>> for Count<'t> {
    fn from(n: Int<'t>) -> Self {
        Count::new(Number::Traced(n, None))
    }
}

impl<'t> From<&Int<'t>> for Count<'t> {
    fn from(n: &Int<'t>) -> Self {
        Count::new(Number::Traced(*n, None))
    }
}

impl<'t> Int<'t> {
    /// This many iterations, of which there are never more than `cap`: a larger or a negative number is an error of
    /// the call.
    ///
    /// ```
    /// use evolute_frontend::{Function, I64, scalar_of, sum};
    ///
    /// let f = Function::trace(scalar_of::<I64>(), |n| sum(n.at_most(10), |i| i * i))?;
    /// assert_eq!(f.eval(&4)?, 14);
    /// assert!(f.eval(&11).is_err());
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    pub fn at_most(self, cap: usize) -> Count<'t> {
        Count::new(Number::Traced(self, Some(cap)))
    }
}

impl<'t> Count<'t> {
    fn new(number: Number<'t>) -> Self {
        Count { number, reverse: false, checkpoint: None }
    }

    /// The same iterations in the other order: from the last number to 0.
    ///
    /// ```
    /// use evolute_frontend::{Count, Function, scan, vector};
    ///
    /// // By Horner's rule, the coefficient of the constant first.
    /// let f = Function::trace((vector(3), vector(1)), |(a, x)| {
    ///     scan(Count::from(3).rev(), x * 0.0, |sum, i| sum * x + a.at(i))
    /// })?;
    /// assert_eq!(f.eval((&[1.0, 2.0, 3.0], &[10.0]))?, [321.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    pub fn rev(self) -> Self {
        Count { reverse: !self.reverse, ..self }
    }

    pub(super) fn with_checkpoint(self, checkpoint: Checkpoint) -> Self {
        Count { checkpoint: Some(checkpoint), ..self }
    }

    pub(super) fn turns(self, site: Site<'_>) -> Turns {
        let turns = match self.number {
            Number::Fixed(n) => Turns::fixed(trips(site, n)),
            Number::Traced(n, most) => {
                let count = site.trace.values(&[n.operand()], site.caller)[0];
                Turns::counted(count, trips(site, bound(site, n, most)))
            }
        };
        Turns { reverse: self.reverse, checkpoint: self.checkpoint.map(Checkpoint::in_program), ..turns }
    }
}

/// The most that a count may be.
fn bound(site: Site<'_>, n: Int<'_>, most: Option<usize>) -> usize {
    let known = site.trace.upper_bound(n.operand()).map(|bound| bound.max(0) as usize);
    let bounds = known.into_iter().chain(most);
    bounds.min().unwrap_or_else(|| {
        site.trace.fail(TraceError::Unbounded { at: site.trace.user_line(site.caller) });
        0
    })
}

/// A number of iterations, of which a loop has fewer than 2³².
pub(super) fn trips(site: Site<'_>, n: usize) -> u32 {
    u32::try_from(n).unwrap_or_else(|_| {
        site.trace.fail(TraceError::Trips { count: n, at: site.trace.user_line(site.caller) });
        0
    })
}
