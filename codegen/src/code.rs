//! Machine code, callable: the one place where it is entered.
//!
//! Native ABI: a chunk is `extern "C" fn(*const Frame) -> u32`. It reads inputs, the pointers of the
//! frame and the constants, writes outputs and workspace, and returns 0 or the number of the check
//! that failed. It calls nothing but the kernels of the frame's table, the pieces, which are functions like
//! itself, and functions of the user's, by way of [`call_external`]. The functions of the program are such chunks too:
//! machine code calls them with a frame that it makes on the stack, which differs in inputs, outputs and workspace.
//! Chunks are executed in order until one fails.

use crate::lower::FRAME;
use crate::memory::Mappings;
use evolute_ir::{External, Failure, FailureKind};
use std::any::Any;
use std::mem::offset_of;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::slice;

/// What a chunk is given.
#[repr(C)]
struct Frame {
    inputs: *const *const u8,
    outputs: *const *mut u8,
    workspace: *mut u8,
    kernels: *const *const (),
    constants: *const u64,
    pieces: *const *const u8,
    external: CallExternal,
    externals: *const External,
    panicked: *mut Option<Box<dyn Any + Send>>,
}

const _: () = {
    assert!(offset_of!(Frame, inputs) == FRAME.inputs as usize);
    assert!(offset_of!(Frame, outputs) == FRAME.outputs as usize);
    assert!(offset_of!(Frame, workspace) == FRAME.workspace as usize);
    assert!(offset_of!(Frame, kernels) == FRAME.kernels as usize);
    assert!(offset_of!(Frame, constants) == FRAME.constants as usize);
    assert!(offset_of!(Frame, pieces) == FRAME.pieces as usize);
    assert!(offset_of!(Frame, external) == FRAME.external as usize);
    assert!(offset_of!(Frame, externals) == FRAME.externals as usize);
    assert!(offset_of!(Frame, panicked) == FRAME.panicked as usize);
    assert!(size_of::<Frame>() >= FRAME.fields * size_of::<u64>());
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

/// `(frame, which, arguments, result)`, giving whether it failed.
type CallExternal = unsafe extern "C" fn(*const Frame, usize, *const *const f64, *mut f64) -> u32;

/// Calls a function of the user's. Machine code has no tables for unwinding, so a panic is kept in the frame, and goes
/// on where the code was entered.
///
/// # Safety
/// The frame is that of a call; `which` numbers a function of its program; `arguments` points to as many pointers as
/// that has parameters, each to as many numbers as the parameter has elements; `result` likewise, and it
/// overlaps none of them. A pointer to no numbers may dangle.
unsafe extern "C" fn call_external(
    frame: *const Frame,
    which: usize,
    arguments: *const *const f64,
    result: *mut f64,
) -> u32 {
    // SAFETY: by this function's contract, which the plan's calls keep: they give the memories of their operands, and
    // the memory of a result is never an operand's.
    let (frame, external) = unsafe { (&*frame, &*(*frame).externals.add(which)) };
    let result = match external.result().shape.len() {
        0 => &mut [],
        // SAFETY: as above.
        len => unsafe { slice::from_raw_parts_mut(result, len) },
    };
    let mut slices: [&[f64]; External::MAX_PARAMS] = [&[]; External::MAX_PARAMS];
    for (number, (slice, ty)) in slices.iter_mut().zip(external.params()).enumerate() {
        if !ty.shape.is_empty() {
            // SAFETY: as above.
            *slice = unsafe { slice::from_raw_parts(*arguments.add(number), ty.shape.len()) };
        }
    }
    let slices = &slices[..external.params().len()];
    match catch_unwind(AssertUnwindSafe(|| external.call(slices, result))) {
        Ok(()) => 0,
        Err(panic) => {
            // SAFETY: the place belongs to the call, which does nothing else until this returns.
            unsafe { *frame.panicked = Some(panic) };
            1
        }
    }
}

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
    externals: Box<[External]>,
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
    pub(crate) externals: Vec<External>,
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
            externals: parts.externals.into(),
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
    /// the outputs are then unspecified). Allocates nothing; may run on many threads at once. A panic of a function of
    /// the user's passes through.
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
        let (external, externals) = (call_external as CallExternal, self.externals.as_ptr());
        let mut panicked = None;
        let frame = Frame {
            inputs,
            outputs,
            workspace,
            kernels,
            constants,
            pieces,
            external,
            externals,
            panicked: &raw mut panicked,
        };
        for chunk in &self.chunks {
            // SAFETY: the frame's pointers are valid by this function's contract, the kernels' table is
            // the one of this processor, the constants are those the code was made with.
            let status = unsafe { chunk(&frame) };
            if status != 0 {
                return panicked.map_or(status, |panic| resume_unwind(panic));
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
