//! The tests of the crate that speak text or build programs; those that corrupt tables stand beside the
//! verifier. One binary, so that it links once.
//!
//! | module | asks |
//! | --- | --- |
//! | `filetests` | Does each text of `filetests/` do what its comments say? |
//! | `round_trip` | Does a program's text read back as the same tables? Can every program be drawn? |
//! | `mutations` | Does a damaged text make anything panic? |
//! | `primitives` | Does each row of THE table compute what plain Rust does? |
//! | `regions` | Do captured values reach the body they are used in? |
//! | `interpreter` | Do evaluations that share a state agree with those that do not? |
//! | `views` | Do views of views show the same elements? |

mod filetests;
mod interpreter;
mod mutations;
mod primitives;
mod regions;
mod round_trip;
mod support;
mod texts;
mod views;
