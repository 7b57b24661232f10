//! Machine code, callable: the one place where it is entered.
//!
//! Native ABI: a chunk is `extern "C" fn(*const Frame) -> u32`. It reads inputs, the pointers of the
//! frame and the constants, writes outputs and workspace, and returns 0 or the number of the check
//! that failed. It calls nothing but the kernels of the frame's table and the pieces, which are functions like
//! itself. Chunks are executed in order
//! until one fails.

use crate::lower::FRAME;
use crate::memory::Mappings;
use evolute_ir::{Failure, FailureKind};
use std::mem::offset_of;

/// What a chunk is given.
#[repr(C)]
struct Frame {
    inputs: *const *const u8,
    outputs: *const *mut u8,
    workspace: *mut u8,
    kernels: *const *const (),
    constants: *const u64,
    pieces: *const *const u8,
}

const _: () = {
    assert!(offset_of!(Frame, inputs) == FRAME.inputs as usize);
    assert!(offset_of!(Frame, outputs) == FRAME.outputs as usize);
    assert!(offset_of!(Frame, workspace) == FRAME.workspace as usize);
    assert!(offset_of!(Frame, kernels) == FRAME.kernels as usize);
    assert!(offset_of!(Frame, constants) == FRAME.constants as usize);
    assert!(offset_of!(Frame, pieces) == FRAME.pieces as usize);
    assert!(size_of::<Frame>() == FRAME.fields * size_of::<u64>());
};

/// Code may be called from many threads at once, each with its own workspace and outputs.
const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<Code>();
};

/// Addresses within pages that are never written.
struct Pieces(Box<[*const u8]>);

// SAFETY: the pages are executable and not writable, and what owns the addresses owns the pages.
unsafe impl Send for Pieces {}
// SAFETY: as above.
unsafe impl Sync for Pieces {}

type Chunk = unsafe extern "C" fn(*const Frame) -> u32;

/// The machine code of one program. Dropping it unmaps its pages.
pub struct Code {
    chunks: Box<[Chunk]>,
    /// The addresses of functions that chunks call, each a `Chunk` itself.
    pieces: Pieces,
    constants: Box<[u64]>,
    kernels: &'static evolute_kernels::Table,
    workspace_bytes: usize,
    code_bytes: usize,
    checks: Vec<Failure>,
    /// Keeps the pages that `chunks` and `pieces` point into.
    mappings: Mappings,
}

/// What [`Code::new`] is made of.
pub(crate) struct Parts {
    /// The addresses of the chunks' functions within `mappings`, in order.
    pub(crate) addresses: Vec<*const u8>,
    /// Those of the functions that chunks call.
    pub(crate) pieces: Vec<*const u8>,
    pub(crate) mappings: Mappings,
    pub(crate) constants: Vec<u64>,
    pub(crate) workspace_bytes: usize,
    pub(crate) code_bytes: usize,
    pub(crate) checks: Vec<Failure>,
}

impl Code {
    pub(crate) fn new(parts: Parts) -> Code {
        // SAFETY: the addresses are those that the module gave to the functions that `lower` wrote with
        // the signature of `Chunk`; the pages are executable and `mappings` outlives the pointers.
        let enter = |&address: &*const u8| unsafe { std::mem::transmute::<*const u8, Chunk>(address) };
        Code {
            chunks: parts.addresses.iter().map(enter).collect(),
            pieces: Pieces(parts.pieces.into()),
            constants: parts.constants.into(),
            kernels: evolute_kernels::table(),
            workspace_bytes: parts.workspace_bytes,
            code_bytes: parts.code_bytes,
            checks: parts.checks,
            mappings: parts.mappings,
        }
    }

    /// Bytes of workspace that a call needs.
    pub fn workspace_bytes(&self) -> usize {
        self.workspace_bytes
    }

    /// Bytes of machine code.
    pub fn code_bytes(&self) -> usize {
        self.code_bytes
    }

    /// Bytes of mapped pages, of which the code occupies the most.
    pub fn mapped_bytes(&self) -> usize {
        self.mappings.bytes()
    }

    /// The number of machine functions.
    pub fn chunks(&self) -> usize {
        self.chunks.len()
    }

    /// Evaluates the program: 0, or the status of the first check that failed (see [`Code::failure`];
    /// the outputs are then unspecified). Allocates nothing; may run on many threads at once.
    ///
    /// # Safety
    /// `inputs` points to one pointer a parameter, `outputs` to one a result. Each of these points to
    /// memory for all elements of its type, row-major and contiguous, aligned for the element;
    /// `bool`s are 0 or 1. `workspace` points to [`Code::workspace_bytes`] bytes, aligned to 64.
    /// Outputs and workspace are writable, overlap nothing else, and nothing else accesses them during
    /// the call. A pointer to no bytes may dangle.
    #[inline]
    pub unsafe fn call(&self, inputs: *const *const u8, outputs: *const *mut u8, workspace: *mut u8) -> u32 {
        let (kernels, constants) = (self.kernels.as_ptr(), self.constants.as_ptr());
        let pieces = self.pieces.0.as_ptr();
        let frame = Frame { inputs, outputs, workspace, kernels, constants, pieces };
        for chunk in &self.chunks {
            // SAFETY: the frame's pointers are valid by this function's contract, the kernels' table is
            // the one of this processor, the constants are those the code was made with.
            let status = unsafe { chunk(&frame) };
            if status != 0 {
                return status;
            }
        }
        0
    }

    /// What the non-zero status of a call means.
    pub fn failure(&self, status: u32) -> Failure {
        let number = (status as usize).wrapping_sub(1);
        let unknown = Failure { kind: FailureKind::IntegerDivision, loc: None };
        self.checks.get(number).cloned().unwrap_or(unknown)
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Code { workspace_bytes, code_bytes, .. } = self;
        let chunks = self.chunks.len();
        write!(f, "Code {{ chunks: {chunks}, code_bytes: {code_bytes}, workspace_bytes: {workspace_bytes} }}")
    }
}
