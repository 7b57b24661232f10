//! Native code for Evolute programs.
//!
//! An operator-free [`Program`](evolute_ir::Program) comes in, [`Code`] that can be called comes out.
//! In the order in which a program meets them:
//!
//! | module | holds |
//! | --- | --- |
//! | `options`, `error` | what a caller chooses, what can go wrong |
//! | `scalars` | the program as a graph of scalars |
//! | `order` | the order of execution |
//! | [`Schedule`] | chunks and the memory of scalars that cross them |
//! | `plan` | a program with arrays, loops or conditionals as steps over memories |
//! | `units` | the functions of a program, each compiled once |
//! | `lower`, `lower_plan` | a chunk, and a plan, as Cranelift functions |
//! | `emitter`, `inline`, `wide`, `calls` | one operation as Cranelift instructions, by THE table; on vectors |
//! | `constants`, `target`, `memory` | the table of constants, the processor, executable pages |
//! | `compile`, `code` | all of it in a row, and calling the result |
//!
//! **Invariant**: native code gives the interpreter's bits, NaNs being one class. **Invariant**: code
//! has no relocations: it reaches everything through the frame it is given. Operations
//! are optimised on the program, before; here only what changes no bit and is seen in no program goes: padding zeros that
//! are added, and negations that a fused operation does anyway.
//!
//! ```
//! use evolute_codegen::{CodegenOptions, compile};
//! use evolute_ir::{Builder, Elem, Op, Prim, Type};
//!
//! let mut builder = Builder::new();
//! let x = builder.param(&Type::scalar(Elem::F64));
//! let square = builder.insert(Op::Prim(Prim::Mul), &[x, x])?;
//! let code = compile(&builder.finish(&[square])?, &CodegenOptions::default())?;
//!
//! let (input, mut output) = (3.0f64, 0.0f64);
//! let inputs = [(&raw const input).cast::<u8>()];
//! let outputs = [(&raw mut output).cast::<u8>()];
//! assert_eq!(code.workspace_bytes(), 0);
//! // SAFETY: one scalar in, one out, no workspace, as the program says.
//! let status = unsafe { code.call(inputs.as_ptr(), outputs.as_ptr(), std::ptr::null_mut()) };
//! assert_eq!((status, output), (0, 9.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![deny(unsafe_op_in_unsafe_fn)]

mod calls;
mod code;
mod compile;
mod constants;
mod emitter;
mod error;
mod inline;
mod lower;
mod lower_plan;
mod memory;
mod options;
mod order;
mod plan;
mod scalars;
mod schedule;
mod target;
mod units;
mod wide;
#[cfg(test)]
mod without_fma;

pub use code::Code;
pub use compile::{clif, compile, disassembly};
pub use error::CodegenError;
pub use options::{CodegenOptions, Regalloc};
pub use plan::Plan;
pub use schedule::Schedule;
