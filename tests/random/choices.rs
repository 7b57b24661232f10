//! Random choices as a tape of numbers, so that whatever is generated from them can be shrunk.
//!
//! A generator draws numbers and turns each into a choice of its own, the simplest one for 0. A case that
//! fails is shrunk by shortening its tape and lowering its numbers while it keeps failing, without knowing
//! what they mean (MacIver and Donaldson, *Test-case reduction via test-case generation*, 2020).

use std::time::{Duration, Instant};

/// Choices drawn at random and recorded, or replayed.
pub(crate) struct Choices {
    tape: Vec<u64>,
    next: usize,
    /// The generator; a replay has none, and past its tape every choice is 0.
    state: Option<u64>,
}

impl Choices {
    pub(crate) fn seeded(seed: u64) -> Choices {
        Choices { tape: Vec::new(), next: 0, state: Some(seed) }
    }

    pub(crate) fn replay(tape: &[u64]) -> Choices {
        Choices { tape: tape.to_vec(), next: 0, state: None }
    }

    /// What has been drawn.
    pub(crate) fn into_tape(mut self) -> Vec<u64> {
        self.tape.truncate(self.next);
        self.tape
    }

    pub(crate) fn bits(&mut self) -> u64 {
        if self.next == self.tape.len() {
            let drawn = self.state.as_mut().map_or(0, split_mix);
            self.tape.push(drawn);
        }
        self.next += 1;
        self.tape[self.next - 1]
    }

    /// Less than `end`, and 0 if `end` is 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.bits() % end.max(1) as u64) as usize
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// True once in `one_in` times.
    pub(crate) fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == one_in - 1
    }

    /// Uniform in the interval; its middle is the simplest.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        let unit = (self.bits() >> 11) as f64 / (1u64 << 53) as f64;
        low + (high - low) * (unit + 0.5).fract()
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// How long a failing case is shrunk.
const PATIENCE: Duration = Duration::from_secs(30);

/// A tape that still fails, of which no part can be left out or lowered.
pub(crate) fn shrink(tape: Vec<u64>, fails: impl Fn(&[u64]) -> bool) -> Vec<u64> {
    let start = Instant::now();
    let mut search = Search { best: tape, fails: |tape: &[u64]| start.elapsed() < PATIENCE && fails(tape) };
    loop {
        let before = search.best.clone();
        search.shorten();
        search.lower();
        if search.best == before || start.elapsed() >= PATIENCE {
            return search.best;
        }
    }
}

struct Search<F> {
    best: Vec<u64>,
    fails: F,
}

impl<F: Fn(&[u64]) -> bool> Search<F> {
    fn accept(&mut self, tape: Vec<u64>) -> bool {
        let better = (self.fails)(&tape);
        if better {
            self.best = tape;
        }
        better
    }

    /// Leaves out ever smaller parts, from the end, as what is drawn late is what least depends on.
    fn shorten(&mut self) {
        let mut size = self.best.len();
        while size > 0 {
            let mut end = self.best.len();
            while end >= size {
                let mut tape = self.best.clone();
                tape.drain(end - size..end);
                self.accept(tape);
                end = (end - size).min(self.best.len());
            }
            size /= 2;
        }
    }

    fn lower(&mut self) {
        for index in 0..self.best.len() {
            let value = self.best[index];
            for lower in [0, 1, 2, 3, value >> 32, value >> 8, value >> 1, value.saturating_sub(1)] {
                let mut tape = self.best.clone();
                tape[index] = lower;
                if lower < value && self.accept(tape) {
                    break;
                }
            }
        }
    }
}
