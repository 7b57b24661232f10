//! How a loop with checkpoints is cut.
//!
//! A loop of N iterations in reverse mode becomes a nest of loops: an outer one over segments and an inner one over the
//! iterations of a segment, which may be cut again. Each loop of the nest stores its carries, as any loop does
//! (Note \[Recomputation\] in `structure.rs`), but an inner one only while the reverse of its segment runs. So a nest of
//! d loops of k₁, …, k_d iterations, k₁⋯k_d ≥ N, stores k₁ + … + k_d carries at a time in place of N, and runs each
//! iteration d + 1 times in place of twice. (Griewank and Walther, *Evaluating Derivatives*, 2008, ch. 12: multilevel
//! checkpointing.)
//!
//! In go a number of iterations, what the user wants and what a carry takes, out come k₁, …, k_d.

use evolute_ir::{Checkpoint, Mode};

/// The most loops of a nest. More would save little, and be nested deeply.
const DEEPEST: u32 = 12;

/// Every array in memory starts at a cache line.
const LINE: u64 = 64;

/// What is stored of an iteration.
pub(crate) struct Stored {
    /// The bytes of each carry.
    pub(crate) carries: Vec<u64>,
    /// How many arrays the derivatives store of each carry: see [`arrays`].
    pub(crate) arrays: u64,
}

impl Stored {
    /// The bytes that a nest stores at a time.
    pub(crate) fn bytes(&self, nest: &[u32]) -> u64 {
        let stack =
            |k: u32, bytes: u64| u64::from(k).saturating_mul(bytes).div_ceil(LINE).saturating_mul(LINE);
        let level =
            |&k: &u32| self.carries.iter().fold(0u64, |sum, &bytes| sum.saturating_add(stack(k, bytes)));
        let all = nest.iter().map(level).fold(0u64, u64::saturating_add);
        all.saturating_mul(self.arrays)
    }
}

/// How many arrays are stored of a carry in a loop within derivative operators of these modes. The first reverse mode
/// stores the carries, which a forward mode doubles. A further reverse mode stores the cotangents too, and the
/// cotangents of all that is stored and of what is stored again for these: with r of them that makes r².
pub(crate) fn arrays(modes: &[Mode]) -> u64 {
    let of = |mode: Mode| modes.iter().filter(|&&m| m == mode).count() as u64;
    let (forward, reverse) = (of(Mode::Forward), of(Mode::Reverse));
    (reverse * reverse).saturating_mul(1u64.checked_shl(forward as u32).unwrap_or(u64::MAX))
}

/// The numbers of iterations of the nest, the outermost loop first: one alone for a loop that stays as it is.
///
/// # Errors
/// The fewest bytes that are possible, if they are more than allowed.
pub(crate) fn nest(trips: u32, checkpoint: Checkpoint, stored: &Stored) -> Result<Vec<u32>, u64> {
    let whole = vec![trips];
    if trips < 2 {
        return Ok(whole);
    }
    match checkpoint {
        Checkpoint::Sqrt => Ok(even(trips).unwrap_or_else(|| balanced(trips, 2))),
        Checkpoint::Segments(count) => Ok(segments(trips, count)),
        Checkpoint::Memory(bytes) => {
            let nests = (2..=DEEPEST).map(|depth| balanced(trips, depth));
            let nests: Vec<Vec<u32>> =
                [Some(whole), even(trips)].into_iter().flatten().chain(nests).collect();
            let fits = |nest: &&Vec<u32>| stored.bytes(nest) <= bytes;
            let fewest = nests.iter().map(|nest| stored.bytes(nest)).min().unwrap_or_default();
            nests.iter().find(fits).cloned().ok_or(fewest)
        }
    }
}

fn segments(trips: u32, count: u32) -> Vec<u32> {
    let length = trips.div_ceil(count.clamp(1, trips));
    match trips.div_ceil(length) {
        1 => vec![trips],
        count if length == 1 => vec![count],
        count => vec![count, length],
    }
}

/// Two loops whose iterations are exactly so many, and neither much longer than the other: then no array of rows
/// is copied to fill the last segment.
fn even(trips: u32) -> Option<Vec<u32>> {
    let root = trips.isqrt();
    let length = (root / 2 + 1..=root).rev().find(|length| trips.is_multiple_of(*length))?;
    (length > 1).then(|| vec![trips / length, length])
}

/// So many loops of about equally many iterations, whose sum is small.
fn balanced(trips: u32, depth: u32) -> Vec<u32> {
    let trips = u128::from(trips);
    let enough = |k: u32| u128::from(k).checked_pow(depth).is_none_or(|product| product >= trips);
    let longest = (2..).find(|&k| enough(k)).expect("2³² is the most");
    let mut nest = vec![longest; depth as usize];
    for place in 0..nest.len() {
        nest[place] -= 1;
        let product = nest.iter().try_fold(1u128, |product, &k| product.checked_mul(u128::from(k)));
        if product.is_some_and(|product| product < trips) {
            nest[place] += 1;
            break;
        }
    }
    nest.retain(|&k| k > 1);
    let inner: u128 = nest[1..].iter().map(|&k| u128::from(k)).product();
    nest[0] = trips.div_ceil(inner) as u32;
    nest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(bytes: u64) -> Stored {
        Stored { carries: vec![bytes], arrays: 1 }
    }

    #[test]
    fn a_nest_has_room_for_all_iterations_and_little_more() {
        for trips in [2, 3, 4, 7, 100, 997, 1000, 65_537, 1_000_000, u32::MAX] {
            for depth in 2..=DEEPEST {
                let nest = balanced(trips, depth);
                let product: u128 = nest.iter().map(|&k| u128::from(k)).product();
                let inner = product / u128::from(nest[0]);
                assert!(product >= u128::from(trips) && product - inner < u128::from(trips), "{nest:?}");
            }
        }
        assert_eq!(balanced(1_000_000, 3), [100, 100, 100]);
        assert_eq!(balanced(7, 2), [3, 3]);
    }

    #[test]
    fn the_root_is_exact_where_there_is_a_divisor() {
        assert_eq!(nest(1_000_000, Checkpoint::Sqrt, &stored(8)), Ok(vec![1000, 1000]));
        assert_eq!(nest(12, Checkpoint::Sqrt, &stored(8)), Ok(vec![4, 3]));
        assert_eq!(nest(13, Checkpoint::Sqrt, &stored(8)), Ok(vec![4, 4]));
        assert_eq!(nest(2, Checkpoint::Sqrt, &stored(8)), Ok(vec![2]));
    }

    #[test]
    fn a_number_of_segments() {
        assert_eq!(segments(10, 0), [10]);
        assert_eq!(segments(10, 3), [3, 4]);
        assert_eq!(segments(10, 4), [4, 3]);
        assert_eq!(segments(10, 100), [10]);
    }

    #[test]
    fn a_budget_decides_the_depth() {
        let nest = |bytes| nest(1_000_000, Checkpoint::Memory(bytes), &stored(8));
        assert_eq!(nest(8_000_000), Ok(vec![1_000_000]));
        assert_eq!(nest(20_000), Ok(vec![1000, 1000]));
        assert_eq!(nest(3000), Ok(vec![100, 100, 100]));
        let fewest = nest(100).expect_err("too little");
        assert!(nest(fewest).is_ok_and(|found| stored(8).bytes(&found) == fewest));
    }
}
