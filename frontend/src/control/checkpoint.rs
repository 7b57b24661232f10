//! What reverse mode stores of a loop, as its user chooses.

use super::count::{Count, trips};
use crate::trace::{Site, Turns};

/// Of which iterations of a loop reverse mode stores the carry. What lies between is computed again, from one
/// iteration that is stored to the next. (Griewank and Walther, *Evaluating Derivatives*, 2008, chapter 12.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Checkpoint {
    /// Of √N of N, and of as many between two of these: the loop runs once more.
    Sqrt,
    /// Of so many, equally far apart, and of all between two of these: the loop runs once more. 0 stands for 1.
    Segments(usize),
    /// Of as many as so many bytes hold. Where these are too few for √N of N, what lies between two stored
    /// iterations is divided again, and so on; with each level the loop runs once more. With d levels about d·N^(1/d)
    /// carries are stored. The bytes are those of all carries, tangents and cotangents that the derivatives store of
    /// the loop at a time, not those of what they compute.
    ///
    /// A budget below what 12 levels take is an error of compiling, with the fewest bytes possible and the loop's
    /// line.
    Memory(usize),
}

impl Checkpoint {
    pub(super) fn in_program(self) -> evolute_ir::Checkpoint {
        match self {
            Checkpoint::Sqrt => evolute_ir::Checkpoint::Sqrt,
            Checkpoint::Segments(count) => {
                evolute_ir::Checkpoint::Segments(u32::try_from(count).unwrap_or(u32::MAX))
            }
            Checkpoint::Memory(bytes) => evolute_ir::Checkpoint::Memory(bytes as u64),
        }
    }
}

/// A number of iterations with checkpoints: see [`checkpoint`].
#[derive(Clone, Copy, Debug)]
pub struct Checkpointed<N> {
    number: N,
    checkpoint: Checkpoint,
}

/// So many iterations, of few of which reverse mode stores the carry: for [`scan`](crate::scan),
/// [`scan_stacked`](crate::scan_stacked) and [`while_at_most`](crate::while_at_most). Loops without carries, as of
/// [`sum`](crate::sum), store nothing in any case. It is time for memory, and changes neither values nor tangents; a cotangent has the same bits
/// too, but that reverse mode of reverse mode rounds differently.
///
/// A loop reads rows of arrays without a copy if the number of its iterations has a divisor near its root.
///
/// ```
/// use evolute_frontend::{Checkpoint, Function, checkpoint, scalar, scan};
///
/// let n = 1_000_000;
/// let logistic = Function::trace(scalar(), |x| {
///     scan(checkpoint(n, Checkpoint::Sqrt), *x, |x, _| 3.7 * x * (1.0 - x))
/// })?;
/// let gradient = logistic.grad()?.compile()?;
/// assert!(gradient.executable().report().workspace_bytes < 20_000); // in place of eight million
///
/// let budget = Checkpoint::Memory(4096);
/// let logistic = Function::trace(scalar(), |x| scan(checkpoint(n, budget), *x, |x, _| 3.7 * x * (1.0 - x)))?;
/// assert!(logistic.grad()?.compile()?.executable().report().workspace_bytes < 5000);
/// # Ok::<(), evolute_frontend::Error>(())
/// ```
pub fn checkpoint<N>(number: N, checkpoint: Checkpoint) -> Checkpointed<N> {
    Checkpointed { number, checkpoint }
}

impl<'t, N: Into<Count<'t>>> From<Checkpointed<N>> for Count<'t> {
    fn from(checkpointed: Checkpointed<N>) -> Self {
        let Checkpointed { number, checkpoint } = checkpointed;
        number.into().with_checkpoint(checkpoint)
    }
}

/// How often a `while` runs at most: a number.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    cap: usize,
    checkpoint: Option<Checkpoint>,
}

impl From<usize> for Limit {
    fn from(cap: usize) -> Self {
        Limit { cap, checkpoint: None }
    }
}

impl From<Checkpointed<usize>> for Limit {
    fn from(checkpointed: Checkpointed<usize>) -> Self {
        Limit { cap: checkpointed.number, checkpoint: Some(checkpointed.checkpoint) }
    }
}

impl Limit {
    pub(super) fn turns(self, site: Site<'_>) -> Turns {
        let checkpoint = self.checkpoint.map(Checkpoint::in_program);
        Turns { checkpoint, ..Turns::at_most(trips(site, self.cap)) }
    }
}
