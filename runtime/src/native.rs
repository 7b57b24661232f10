//! The call into machine code.
//!
//! **Contract** with `evolute_codegen::Code::call`: (1) input pointer i addresses as many elements as parameter i
//! has, of its element type, valid to read during the call; (2) output pointer i likewise for result i,
//! valid to write and disjoint from all else; (3) the workspace has at least `workspace_bytes` bytes,
//! aligned to 64. The code keeps none of them.

use crate::buffers::{Input, Output};
use crate::error::CallError;
use crate::workspace::Workspace;
use evolute_codegen::Code;
use std::ptr;

/// The pointer arrays of a call, kept for their room. The pointers are valid only within it.
#[derive(Debug, Default)]
pub(crate) struct Pointers {
    inputs: Vec<*const u8>,
    outputs: Vec<*mut u8>,
}

// SAFETY: the pointers are written and read within one call, which holds `&mut` to this; between
// calls they are never dereferenced, so another thread may own them.
unsafe impl Send for Pointers {}
// SAFETY: there is no access through a shared reference.
unsafe impl Sync for Pointers {}

impl Pointers {
    /// Makes room for the pointers of a call.
    #[inline]
    pub(crate) fn reserve(&mut self, inputs: usize, outputs: usize) {
        if self.inputs.len() < inputs || self.outputs.len() < outputs {
            self.grow(inputs, outputs);
        }
    }

    #[cold]
    fn grow(&mut self, inputs: usize, outputs: usize) {
        self.inputs.resize(inputs.max(self.inputs.len()), ptr::null());
        self.outputs.resize(outputs.max(self.outputs.len()), ptr::null_mut());
    }
}

/// Calls `code` and returns its status, if there is memory for it. The buffers have been checked against the signature of the
/// program that `code` was compiled from.
#[inline(always)]
pub(crate) fn call(
    code: &Code,
    inputs: &[Input<'_>],
    outputs: &mut [Output<'_>],
    workspace: &mut Workspace,
) -> Result<u32, CallError> {
    if !workspace.reserve(code.workspace_bytes()) {
        return Err(CallError::Memory { bytes: code.workspace_bytes() });
    }
    workspace.pointers.reserve(inputs.len(), outputs.len());
    let start = workspace.start();
    let pointers = &mut workspace.pointers;
    let (ins, outs) = (&mut pointers.inputs[..inputs.len()], &mut pointers.outputs[..outputs.len()]);
    ins.iter_mut().zip(inputs).for_each(|(pointer, input)| *pointer = input.as_ptr());
    outs.iter_mut().zip(outputs).for_each(|(pointer, output)| *pointer = output.as_mut_ptr());
    // SAFETY: (1), (2) by the check of the signature and since `Output` borrows mutably; (3) by
    // `reserve`, `start` being aligned to 64.
    Ok(unsafe { code.call(ins.as_ptr(), outs.as_ptr(), start) })
}
