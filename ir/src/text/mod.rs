//! The text form of a program: what dumps show, tests speak and caches key.
//!
//! `Program`'s `Display` prints it, [`parse`] reads it back identically: all tables are equal, so
//! `parse(&p.to_string()) == Ok(p)` for every program that a [`Builder`](crate::Builder) finished.
//!
//! ```text
//! file        = "evolute 0" { { level } function } { level } program
//! level       = "level" number "=" ("jvp" | "vjp") [place]
//! function    = "function" callee parameters "->" "(" [type {"," type}] ")" "{" {instruction} "return" values "}"
//! program     = "program" parameters "->" "(" [type {"," type}] ")" "{" {instruction} "return" values "}"
//! instruction = value "=" ( "const" literal | "cast" elem value | "select" value "," value "," value
//!                         | "element" value "," number | "pack" type values | primitive values ) origin
//!             | [values "="] ("jvp" | "vjp") values "wrt" number parameters "{"
//!                   {instruction} "yield" values "}" [origin {"," origin}]
//!             | [values "="] "call" callee "(" values ")" [origin {"," origin}]
//! parameters  = "(" [value ":" type origin {"," value ":" type origin}] ")"
//! origin      = ["of" value] [place] [string]
//! place       = "@" string ":" number
//! value       = "v" number ["." ("p" | "t" | "a") number]
//! callee      = "f" number
//! values      = [value {"," value}]
//! literal     = "2.0" | "2.0:f32" | "2:i64" | "true" | "nan(0x7ff8000000000000)" | "-inf" …
//! ```
//!
//! A statement is a line; `;` starts a comment wherever it stands (a string spells it `\u{3b}`). Values are
//! numbered from 0 in the order in which they are complete, so those of a region come before the results of
//! its operator. After the number of a value stand its role and level: `.t2` a tangent, `.a1` a cotangent
//! (adjoint), `.p1` a primal of a derivative; nothing means the user's own primal. A use may leave that out
//! but not contradict it. `origin` gives what the value is the derivative of, the user's source line, and the
//! user's name for it; an operator has one for each result, and so has a call.
//!
//! The functions that a program calls stand before it, numbered from 0, each once and after those that it calls itself.
//! Values and levels are each definition's own.

mod cursor;
mod lex;
mod parse;
mod parse_phrases;
mod parse_regions;
mod print;
mod tables;

pub use parse::{MAX_DEPTH, parse, parse_with};
pub use print::{instruction, value_name};
