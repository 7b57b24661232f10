//! The memory of a call, kept between calls so that they allocate nothing.

use crate::buffers::{Input, Output};
use evolute_ir::{Interpreter, Machine};
use std::hint::black_box;
use std::sync::{Arc, Weak};

/// One cache line. Zeros of this type are had from the system untouched.
type Line = [u64; 8];

const LINE: usize = size_of::<Line>();

/// Memory for calls of one function at a time. [`Executable::workspace`](crate::Executable::workspace) gives one of the
/// right size; used with another function it grows when first needed. One thread uses it at a time;
/// each thread has its own.
///
/// The system gives its memory page by page as a call first writes to it, so that what loops have reserved for more
/// iterations than they make costs nothing.
#[derive(Debug, Default)]
pub struct Workspace {
    /// One more than asked for: the first aligned one may be one later.
    lines: Vec<Line>,
    pub(crate) state: Option<State>,
    pub(crate) pointers: crate::native::Pointers,
    /// Empty vectors, kept for their memory.
    buffers: (Vec<Input<'static>>, Vec<Output<'static>>),
}

/// The state of an interpreter.
#[derive(Debug)]
pub(crate) struct State {
    /// Whose state it is. It does not keep the interpreter, only its address from being used again.
    owner: Weak<Interpreter>,
    machine: Machine,
}

impl State {
    pub(crate) fn of(interpreter: &Arc<Interpreter>) -> State {
        State { owner: Arc::downgrade(interpreter), machine: interpreter.machine() }
    }

    fn belongs_to(&self, interpreter: &Arc<Interpreter>) -> bool {
        std::ptr::eq(self.owner.as_ptr(), Arc::as_ptr(interpreter))
    }
}

impl Workspace {
    /// An empty workspace.
    pub fn new() -> Workspace {
        Workspace::default()
    }

    /// Bytes at present.
    pub fn bytes(&self) -> usize {
        self.lines.len().saturating_sub(1) * LINE
    }

    /// The state of this interpreter: the one that is here, or another in its place.
    pub(crate) fn machine_of(&mut self, interpreter: &Arc<Interpreter>) -> &mut Machine {
        if self.state.as_ref().is_some_and(|state| !state.belongs_to(interpreter)) {
            self.state = None;
        }
        &mut self.state.get_or_insert_with(|| State::of(interpreter)).machine
    }

    /// Empty vectors for the buffers of a call: those that [`take_buffers`](Workspace::take_buffers) was given.
    pub fn lend_buffers<'a>(&mut self) -> (Vec<Input<'a>>, Vec<Output<'a>>) {
        std::mem::take(&mut self.buffers)
    }

    /// Keeps the memory of these vectors for the next call.
    pub fn take_buffers(&mut self, inputs: Vec<Input<'_>>, outputs: Vec<Output<'_>>) {
        // No element is collected, so only the lifetime changes; in place, as the sizes are equal.
        let inputs = inputs.into_iter().map_while(|_| None).collect();
        self.buffers = (inputs, outputs.into_iter().map_while(|_| None).collect());
    }

    /// Makes room for `bytes`; tells whether there is.
    #[inline]
    pub(crate) fn reserve(&mut self, bytes: usize) -> bool {
        self.bytes() >= bytes || self.grow(bytes)
    }

    #[cold]
    fn grow(&mut self, bytes: usize) -> bool {
        let lines = bytes.div_ceil(LINE) + 1;
        self.lines = Vec::new();
        // Asked for first, as `vec!` would end the process where there is not so much.
        let mut asked = Vec::<Line>::new();
        let there = asked.try_reserve_exact(lines).is_ok();
        drop(black_box(asked));
        if there {
            self.lines = vec![[0; 8]; lines];
        }
        there
    }

    /// The first byte, at a cache line.
    #[inline]
    pub(crate) fn start(&mut self) -> *mut u8 {
        let start = self.lines.as_mut_ptr().cast::<u8>();
        start.wrapping_add(start.addr().wrapping_neg() % LINE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_aligned_and_what_cannot_be_had_is_told() {
        let mut workspace = Workspace::new();
        for bytes in [0, 1, 64, 1000, 100_000] {
            assert!(workspace.reserve(bytes) && workspace.bytes() >= bytes);
            assert_eq!(workspace.start().addr() % LINE, 0);
        }
        assert!(!workspace.reserve(1 << 55) && !workspace.reserve(usize::MAX / 2));
        assert!(workspace.reserve(64));
    }
}
