//! The intermediate representation of Evolute.
//!
//! A closure is traced into a [`Program`]: pure static single assignment in tables, typed, with nested
//! regions for loops, conditionals and derivative operators, and with the origin of every value. In the order in which a
//! program meets them:
//!
//! | module | holds |
//! | --- | --- |
//! | `entity`, `types` | `u32` names and their tables; element kinds, shapes, constants |
//! | [`prim`] | THE table of pointwise primitives, one row each |
//! | `op`, `program` | what an instruction does; the tables of a program, provenance |
//! | `structure`, `summation` | strided access, reductions, what a loop takes and gives; the order of sums |
//! | `external`, `callee` | functions of the user's; functions of the program's |
//! | `solver` | how a linear system is solved |
//! | [`mod@linalg`] | factorisations and solves of matrices |
//! | `builder`, `infer`, `signature` | typed, hash-consed, folding construction |
//! | `expr` | the language of the table's partial derivatives |
//! | `copy`, `live`, `bounds` | renumbering and dead code; what is known of integers |
//! | [`mod@verify`] | every invariant: the IR's specification |
//! | [`text`] | the printed form, and reading it back |
//! | [`interp`] | the reference interpreter |
//! | `dot` | a drawing of a program for Graphviz |
//!
//! ```
//! use evolute_ir::{Buffer, Builder, Elem, Interpreter, Op, Prim, Type, text};
//!
//! let mut builder = Builder::new();
//! let x = builder.param(&Type::scalar(Elem::F64));
//! let square = builder.insert(Op::Prim(Prim::Mul), &[x, x])?;
//! let program = builder.finish(&[square])?;
//! assert_eq!(text::parse(&program.to_string())?, program);
//!
//! let result = Interpreter::new(&program)?.eval(&[Buffer::F64(vec![3.0])])?;
//! assert_eq!(result, [Buffer::F64(vec![9.0])]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod bounds;
mod builder;
mod callee;
mod copy;
mod dot;
mod entity;
mod error;
mod expr;
mod external;
mod infer;
pub mod interp;
pub mod linalg;
mod live;
mod op;
pub mod prim;
mod program;
mod signature;
mod solver;
mod structure;
mod summation;
pub mod text;
mod types;
pub mod verify;

pub use bounds::Bounds;
pub use builder::{Builder, CHAIN_LIMIT, ClosedRegion, Rewriter};
pub use callee::Callee;
pub use copy::without_dead_code;
pub use dot::dot;
pub use entity::{
    CalleeId, Entity, ExternalId, Inst, Level, Loc, LoopId, Region, SolverId, StridesId, Table, TypeId, Value,
};
pub use error::{Closure, IrError, Operand};
pub use expr::{Expr, ExprBuilder, Partial};
pub use external::{External, ExternalFn};
pub use interp::{Buffer, EvalError, Failure, FailureKind, Interpreter, Machine};
pub use linalg::Linalg;
pub use live::{fallible_insts, live_insts, region_owners};
pub use op::Op;
pub use prim::{Class, Prim};
pub use program::{Def, InstData, LevelData, Mode, Origin, Program, RegionData, Role, SourceLoc, ValueData};
pub use solver::{Method, Solver, Taken};
pub use structure::{Aim, Checkpoint, LoopSpec, Reduction, Strides, Trips};
pub use summation::{LANES, MAX_LANE_ELEMENTS, MOST_SEGMENTS, REDUCED, SHORTEST, SumOrder};
pub use types::{Elem, Literal, Shape, Type};
pub use verify::verify;

/// Whether a fused multiply-add is one instruction on this machine.
pub fn has_fast_fma() -> bool {
    matches!(evolute_kernels::features(), "avx2+fma" | "neon")
}
