//! In which order sums are taken.
//!
//! Note [Summation]: the order of every sum is part of a program's meaning, so that the interpreter, vectors and
//! threads give the same bits. It is a function of sizes that the program states, never of the machine.
//!
//! - *Lanes*, for vectors. Term number `k` is added to lane `k mod L`, and the lanes are then added in a fixed tree
//!   (`l₀+l₄`, `l₁+l₅`, …, then `l₀+l₂`, …). `L` is [`LANES`], or 1 where the accumulator is large: then a vector
//!   holds elements of that.
//! - *Segments*, for threads. The terms of a long sum are cut into segments of equal length, the last one shorter, each
//!   summed by itself in lanes; then they are added one after the other, as the loop runs through them. In order and
//!   not in a tree, since then one thread needs room for one segment beside the sum so far, however many there are;
//!   and one addition a segment is no work worth dividing.
//! - *Ordered*: one term after the other. A loop says so ([`LoopSpec::ordered`](crate::LoopSpec)). Sums that reverse
//!   mode adds to a loop with carries are ordered: its iterations follow each other anyway, and it can be
//!   cut into nested loops without changing a bit.
//!
//! The segment, and in it the lane, that a loop runs through first starts from the sum's initial value, every other
//! from −0, which changes no term. So what a segment costs is only paid from the second on. A reduction has
//! segments of [`REDUCED`] terms. Those of a loop have at least [`SHORTEST`] iterations and are so long that there
//! are at most [`MOST_SEGMENTS`], and that the accumulators of all but the first have together at most a quarter as many
//! elements as the loop has iterations. Lengths are [`SHORTEST`] times a power of two, so that the boundaries of several
//! sums of one loop coincide.

/// The number of lanes of a sum that has them.
pub const LANES: usize = 8;

/// The largest accumulator, in elements, that a loop keeps in lanes.
pub const MAX_LANE_ELEMENTS: usize = 16;

/// The number of terms in a segment of a reduction.
pub const REDUCED: usize = 4096;

/// The fewest iterations in a segment of a loop.
pub const SHORTEST: u32 = 128;

/// The most segments of a loop's sum.
pub const MOST_SEGMENTS: u64 = 64;

/// The order of a loop's sum.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SumOrder {
    /// The number of lanes.
    pub lanes: usize,
    /// The number of iterations in a segment, if there are several: iteration `i` belongs to segment `i / length`.
    pub segment: Option<u32>,
}

impl SumOrder {
    /// One term after the other.
    pub const ORDERED: SumOrder = SumOrder { lanes: 1, segment: None };

    /// The order of a sum of so many elements over at most `cap` iterations.
    pub const fn of(cap: u32, elements: usize) -> SumOrder {
        let in_lanes = elements <= MAX_LANE_ELEMENTS && cap as usize >= 2 * LANES;
        SumOrder { lanes: if in_lanes { LANES } else { 1 }, segment: segment(cap, elements) }
    }

    /// Whether iteration `i` is the first of its segment in a loop that runs forwards, or in `reverse`.
    pub const fn begins_segment(self, i: u32, reverse: bool) -> bool {
        match self.segment {
            Some(length) => (if reverse { i + 1 } else { i }) % length == 0,
            None => false,
        }
    }
}

/// The length of a segment, if there are several.
const fn segment(cap: u32, elements: usize) -> Option<u32> {
    let mut length = SHORTEST;
    loop {
        if length > cap / 2 {
            return None;
        }
        let segments = cap.div_ceil(length) as u64;
        let private = (segments - 1).saturating_mul(elements as u64);
        if segments <= MOST_SEGMENTS && private <= cap as u64 / 4 {
            return Some(length);
        }
        length *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_loops_are_one_segment() {
        for cap in [0, 1, 128, 255] {
            assert_eq!(SumOrder::of(cap, 1).segment, None);
        }
        assert_eq!(SumOrder::of(256, 1).segment, Some(128));
    }

    #[test]
    fn segments_are_few_and_their_accumulators_small() {
        for cap in [300, 4096, 10_000, 1_000_000, u32::MAX] {
            for elements in [0, 1, 16, 17, 1000, 100_000, usize::MAX] {
                let Some(length) = SumOrder::of(cap, elements).segment else { continue };
                let segments = u64::from(cap.div_ceil(length));
                assert!((2..=MOST_SEGMENTS).contains(&segments));
                assert!((segments - 1) * elements as u64 <= u64::from(cap) / 4);
                assert!((length / SHORTEST).is_power_of_two());
            }
        }
        assert_eq!(SumOrder::of(10_000, 100_000).segment, None);
    }
}
