//! The memory of a call, kept between calls so that they allocate nothing.

use crate::buffers::{Input, Output};
use evolute_ir::{Interpreter, Machine};
use std::sync::{Arc, Weak};

/// One cache line.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Line([u8; 64]);

/// Memory for calls of one function at a time. [`Executable::workspace`](crate::Executable::workspace) gives one of the
/// right size; used with another function it grows when first needed. One thread uses it at a time;
/// each thread has its own.
#[derive(Debug, Default)]
pub struct Workspace {
    pub(crate) lines: Vec<Line>,
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
        self.lines.len() * size_of::<Line>()
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

    /// Makes room for `bytes`.
    #[inline]
    pub(crate) fn reserve(&mut self, bytes: usize) {
        if self.bytes() < bytes {
            self.grow(bytes);
        }
    }

    #[cold]
    fn grow(&mut self, bytes: usize) {
        self.lines.resize(bytes.div_ceil(size_of::<Line>()), Line([0; 64]));
    }
}
