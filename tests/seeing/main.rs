//! What a user sees: source lines, names, graphs, the origin of a NaN, checks of derivatives, and errors.
//! One `check` an area.

mod calls;
mod check;
mod dumps;
mod errors;
mod explain;
mod explain_failures;
mod explain_loops;
mod lines;
mod outside;
