//! The memory of a call, kept between calls so that they allocate nothing.

use crate::buffers::{Input, Output};
use evolute_ir::Machine;

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
    /// The interpreter's state, and the executable it belongs to.
    pub(crate) machine: Option<(u64, Machine)>,
    pub(crate) pointers: crate::native::Pointers,
    /// Empty vectors, kept for their memory.
    buffers: (Vec<Input<'static>>, Vec<Output<'static>>),
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
