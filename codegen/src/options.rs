//! What a caller may choose about compilation. No choice changes a bit of any result.

/// How machine code is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodegenOptions {
    /// Runs Cranelift's verifier on every function: for tests, at half again the compile time.
    pub verify: bool,
    /// Which register allocator.
    pub regalloc: Regalloc,
    /// The most scalar operations in one machine function. Compile time grows faster than linearly
    /// within a function, and every function boundary sends live values through memory.
    pub chunk: usize,
    /// Whether loops and nests use vectors.
    pub vectors: bool,
}

/// Which register allocator Cranelift uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Regalloc {
    /// `Backtracking`, or `SinglePass` for programs of more than [`Regalloc::LARGE`] operations.
    #[default]
    Auto,
    /// The better code.
    Backtracking,
    /// The faster compilation.
    SinglePass,
}

impl Regalloc {
    /// Past this many operations the caller notices the time to compile. It is not lower because the
    /// single pass makes twice the code, and large straight-line code is limited by its own fetching.
    pub const LARGE: usize = 500_000;

    /// Whether `operations` are compiled in a single pass.
    pub(crate) fn is_single_pass(self, operations: usize) -> bool {
        match self {
            Regalloc::Auto => operations > Self::LARGE,
            Regalloc::Backtracking => false,
            Regalloc::SinglePass => true,
        }
    }
}

impl Default for CodegenOptions {
    fn default() -> Self {
        CodegenOptions {
            verify: cfg!(debug_assertions),
            regalloc: Regalloc::Auto,
            chunk: 1000,
            vectors: true,
        }
    }
}
