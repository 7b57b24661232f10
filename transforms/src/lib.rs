//! Transforms of Evolute programs: differentiation and simplification.
//!
//! In the order in which a program meets them:
//!
//! | module | holds |
//! | --- | --- |
//! | [`derive`](mod@derive) | the derivative operators as functions of a program: `jvp`, `vjp`, `grad`, `hvp`, … |
//! | [`inline`](mod@inline) | copying a program into another under construction; removing operators innermost first |
//! | [`rule`] | functions with a derivative that the user states |
//! | [`implicit`](mod@implicit) | solutions of equations, with derivatives by the implicit function theorem |
//! | `linearity` | whether a system's matrix is one: what is not linear in its unknown |
//! | `checkpoint` | how loops are cut for reverse mode to store less |
//! | `calls` | functions that are called, differentiated once |
//! | `differentiate` | the jvp rule of every instruction, stated once for both modes |
//! | `structure` | those of loops, conditionals, calls, rules and solutions |
//! | `products`, `linalg`, `matrices` | those of products of many factors and of dense linear algebra |
//! | `linear` | what such a rule may emit: the vocabulary of linear code |
//! | `tape`, `transpose` | linear code as data, and running it backwards: reverse mode |
//! | `cotangents`, `share`, `pieces`, `masks`, `reach` | what is gathered on the way back |
//! | `placement` | the transpose of strided reading |
//! | `residuals` | what a loop stacks for its reverse |
//! | `solve` | the steps that solve a linear system: factorisation or iterations |
//! | [`simplify`](mod@simplify) | the table of rewrites and its driver |
//! | `fuse`, `accumulate` | loops over the same iterations become one, and add what they would stack to be added |
//! | `contract` | fused multiply-adds |
//! | [`pipeline`] | the order of the passes, with what each did |
//!
//! ```
//! use evolute_ir::text;
//! use evolute_transforms::{derive, pipeline::{Options, Pipeline}};
//!
//! let square = text::parse("evolute 0\nprogram (v0: f64) -> (f64) {\n  v1 = mul v0, v0\n  return v1\n}\n")?;
//! let gradient = derive::grad(&square, &[0], None)?;
//! let simplified = Pipeline::new(Options::default()).run(&gradient)?;
//! assert_eq!(simplified.len(), 1, "x + x, and nothing else:\n{simplified}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod accumulate;
mod calls;
mod checkpoint;
mod contract;
mod cotangents;
pub mod derive;
mod differentiate;
mod fuse;
pub mod implicit;
pub mod inline;
mod linalg;
mod linear;
mod linearity;
mod masks;
mod matrices;
mod pieces;
pub mod pipeline;
mod placement;
mod products;
mod reach;
mod residuals;
pub mod rule;
mod share;
pub mod simplify;
mod solve;
mod structure;
mod tape;
mod transpose;
mod uses;

pub use pipeline::{FpMode, Options, Pipeline};
