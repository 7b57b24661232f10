//! Native code of arrays, loops and conditionals, and of their derivatives, against the interpreter, bit by bit: on the
//! programs by which the transforms are tested.

#[path = "../common/mod.rs"]
mod common;
mod joined;
#[path = "../../../transforms/tests/all/joined_programs.rs"]
mod joined_programs;
#[path = "../../../transforms/tests/all/matrix_files.rs"]
mod matrix_files;
#[path = "../../../transforms/tests/all/numbers.rs"]
mod numbers;
#[path = "../../../transforms/tests/all/random_structures.rs"]
mod random_structures;
mod structures;
