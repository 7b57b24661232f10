//! Tests of the transforms: text in and text out, every rewrite, and what derivatives exist.

mod checkpoints;
mod derive;
mod filetests;
mod random_structures;
mod rules;
mod structures;
