//! Tests of the transforms: text in and text out, every rewrite, and what derivatives exist.

mod accumulated;
mod calls;
mod checkpoints;
mod deep;
mod derive;
mod filetests;
mod fused;
mod joined;
mod joined_programs;
mod matrix;
mod matrix_files;
mod numbers;
mod random_structures;
mod rules;
mod solve;
mod structures;
#[path = "../../../ir/tests/all/texts.rs"]
mod texts;
