//! What a user can choose about compiling a program.

use evolute_codegen::CodegenOptions;
use evolute_transforms::{FpMode, pipeline};

/// How a program is run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Execution {
    /// As machine code.
    #[default]
    Native,
    /// By the reference interpreter: no compiling, works where executable memory is refused, gives the
    /// same bits.
    Interpreted,
}

/// How a program is compiled.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What may be done to floating-point arithmetic.
    pub fp: FpMode,
    /// Machine code or interpreter.
    pub execution: Execution,
    /// Takes indices as right: see [`Options::unchecked_indices`].
    pub unchecked_indices: bool,
    /// Choices of the code generator.
    pub codegen: CodegenOptions,
}

impl Options {
    /// The options of the passes.
    pub(crate) fn pipeline(&self) -> pipeline::Options {
        let checked_indices = !self.unchecked_indices;
        pipeline::Options { fp: self.fp, checked_indices, ..pipeline::Options::default() }
    }

    /// These options with every bit as the program is written ([`FpMode::Strict`]).
    pub fn strict(self) -> Options {
        Options { fp: FpMode::Strict, ..self }
    }

    /// These options with the interpreter in place of machine code.
    pub fn interpreted(self) -> Options {
        Options { execution: Execution::Interpreted, ..self }
    }

    /// These options for code whose computed indices are right: no call fails for one that is out of range. Memory is
    /// safe all the same: such an index stands for the nearest in range, in values and derivatives alike. An array
    /// without elements has none, and reading it is an error of the call even so.
    ///
    /// This is for code that must not stop, not for speed: limiting an index costs a little more than checking it. An
    /// index that the program itself shows to be in range is neither limited nor checked.
    pub fn unchecked_indices(self) -> Options {
        Options { unchecked_indices: true, ..self }
    }
}
