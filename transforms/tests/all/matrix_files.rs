//! The files of `transforms/tests/matrix`: for each structural instruction a program that uses it alone, one that uses it in
//! a loop without carries, and one that uses it in a loop with carries.

use evolute_ir::{Elem, External, Program, Type, text, verify};
use std::path::{Path, PathBuf};

/// What surrounds the instruction: the names of the files.
pub(crate) const CONTEXTS: [&str; 3] = ["alone", "in_map", "in_scan"];

/// The folder, which has one of its own for each instruction.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../transforms/tests/matrix")
}

/// The program of a file.
pub(crate) fn read(path: &Path, source: &str) -> Program {
    let program = text::parse_with(source, &externals());
    let program = program.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    verify(&program).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    program
}

/// The functions that the files call.
pub(crate) fn externals() -> [External; 1] {
    let vector = Type::array(Elem::F64, &[2]).expect("small");
    let sine = |arguments: &[&[f64]], result: &mut [f64]| {
        for (y, x) in result.iter_mut().zip(arguments[0]) {
            *y = x.sin();
        }
    };
    [External::new("sine", std::slice::from_ref(&vector), vector.clone(), sine).expect("vectors of f64")]
}
