//! The call into machine code.
//!
//! **Contract** with `evolute_codegen::Code::call`: (1) input pointer i addresses as many elements as parameter i
//! has, of its element type, valid to read during the call; (2) output pointer i likewise for result i,
//! valid to write and disjoint from all else; (3) the workspace has at least `workspace_bytes` bytes,
//! aligned to 64. The code keeps none of them.

use crate::buffers::{Input, Output};
use crate::workspace::Workspace;
use evolute_codegen::Code;

/// Room for the pointer arrays of a call. The pointers are valid only within it.
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
    pub(crate) fn with_capacity(inputs: usize, outputs: usize) -> Pointers {
        Pointers { inputs: Vec::with_capacity(inputs), outputs: Vec::with_capacity(outputs) }
    }
}

/// Calls `code` and returns its status. The buffers have been checked against the signature of the
/// program that `code` was compiled from.
pub(crate) fn call(
    code: &Code,
    inputs: &[Input<'_>],
    outputs: &mut [Output<'_>],
    workspace: &mut Workspace,
) -> u32 {
    workspace.reserve(code.workspace_bytes());
    let Workspace { lines, pointers, .. } = workspace;
    pointers.inputs.clear();
    pointers.inputs.extend(inputs.iter().map(Input::as_ptr));
    pointers.outputs.clear();
    pointers.outputs.extend(outputs.iter_mut().map(Output::as_mut_ptr));
    // SAFETY: (1), (2) by the check of the signature and since `Output` borrows mutably; (3) by
    // `reserve`, lines being aligned to 64.
    unsafe {
        code.call(pointers.inputs.as_ptr(), pointers.outputs.as_ptr(), lines.as_mut_ptr().cast())
    }
}
