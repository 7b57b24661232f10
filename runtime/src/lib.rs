//! Running programs: compiled or interpreted functions, workspaces, options, errors, and the tools that
//! examine a program on given inputs.
//!
//! | module | holds |
//! | --- | --- |
//! | `options` | what a user can choose |
//! | `error` | what can go wrong when compiling and when calling |
//! | `buffers` | borrowed arrays at the border, checked against the signature |
//! | `executable` | a program made ready to run, native or interpreted |
//! | `workspace` | the memory of a call |
//! | `native` | the call into machine code: the only `unsafe` here |
//! | [`explain`] | where a NaN came from |
//! | [`check`] | derivatives against finite differences |
//! | [`rule`] | whether a rule is the derivative of its function |
//!
//! ```
//! use evolute_ir::text;
//! use evolute_runtime::{Executable, Input, Options, Output};
//!
//! let square = text::parse("evolute 0\nprogram (v0: f64) -> (f64) {\n  v1 = mul v0, v0\n  return v1\n}\n")?;
//! let compiled = Executable::new(&square, &Options::default())?;
//! let mut result = [0.0];
//! let mut workspace = compiled.workspace();
//! compiled.call_into(&[Input::F64(&[3.0])], &mut [Output::F64(&mut result)], &mut workspace)?;
//! assert_eq!(result, [9.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![deny(unsafe_code, unsafe_op_in_unsafe_fn)]

mod buffers;
pub mod check;
mod error;
mod executable;
pub mod explain;
#[allow(unsafe_code, reason = "calls machine code; see its contract")]
mod native;
mod options;
pub mod rule;
mod workspace;

pub use buffers::{Input, Output};
pub use error::{CallError, CompileError};
pub use executable::{CompileReport, Executable};
pub use options::{Execution, Options};
pub use workspace::Workspace;

pub use evolute_codegen::{CodegenError, CodegenOptions};
pub use evolute_transforms::FpMode;
