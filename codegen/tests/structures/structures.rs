//! What [`random_structures`](super::random_structures) asks of a test: numbers, a case, and the check; which
//! hand-written structures pass too.

use crate::common::check_code;
use crate::matrix_files;
pub(crate) use crate::numbers::Rng;
use evolute_codegen::{CodegenOptions, compile};
use evolute_ir::{Buffer, Elem, Program, Type};
use evolute_transforms::pipeline::{Options, Pipeline};
use evolute_transforms::{FpMode, derive};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

pub(crate) struct Case {
    pub(crate) program: Program,
}

impl Case {
    pub(crate) fn new(program: Program) -> Case {
        Case { program }
    }
}

/// An input of this type: real numbers of either sign, indices below 3.
fn input(ty: &Type, rng: &mut Rng) -> Buffer {
    let len = ty.shape.len();
    match ty.elem {
        Elem::F64 => Buffer::F64((0..len).map(|_| rng.next() - 0.3).collect()),
        Elem::F32 => Buffer::F32((0..len).map(|_| rng.next() as f32).collect()),
        Elem::I64 => Buffer::I64((0..len).map(|_| (3.0 * rng.next()) as i64).collect()),
        Elem::Bool => Buffer::Bool((0..len).map(|_| rng.next() < 0.5).collect()),
    }
}

fn compare(name: &str, program: &Program, options: Options, rng: &mut Rng) {
    let ready = Pipeline::new(options).run(program).expect("small");
    let code = compile(&ready, &CodegenOptions { verify: true, ..CodegenOptions::default() });
    let code = code.unwrap_or_else(|error| panic!("{name}: {error}\n{ready}"));
    let inputs: Vec<Buffer> = ready.param_types().iter().map(|ty| input(ty, rng)).collect();
    let same = catch_unwind(AssertUnwindSafe(|| check_code(&code, &ready, &inputs)));
    same.unwrap_or_else(|_| panic!("{name}:\n{ready}"));
}

/// The function, its tangents, its cotangents, and two second derivatives.
pub(crate) fn check(name: &str, case: &Case, options: Options, rng: &mut Rng) {
    let types = case.program.param_types();
    let wrt: Vec<usize> = (0..types.len()).filter(|&i| types[i].elem.is_real()).collect();
    let jvp = derive::jvp(&case.program, &wrt, None).expect("real");
    let vjp = derive::vjp(&case.program, &wrt, None).expect("real");
    let forward_over_reverse = derive::jvp(&vjp, &wrt, None).expect("real");
    let reverse_over_reverse = derive::vjp(&vjp, &wrt, None).expect("real");
    for program in [&case.program, &jvp, &vjp, &forward_over_reverse, &reverse_over_reverse] {
        compare(name, program, options, rng);
    }
}

/// The options under which hand-written programs are compared.
fn both() -> [Options; 2] {
    [(FpMode::Strict, false), (FpMode::Contract, true)].map(|(fp, simplify)| Options {
        fp,
        simplify,
        fma: true,
        ..Options::default()
    })
}

fn check_file(path: &Path) {
    let source = std::fs::read_to_string(path).expect("a text");
    let case = Case::new(matrix_files::read(path, &source));
    for options in both() {
        check(&path.display().to_string(), &case, options, &mut Rng::new(3));
    }
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

/// The hand-written structures by which the transforms are tested.
#[test]
fn structures_of_the_transforms() {
    let files = files_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../transforms/tests/structures"));
    assert!(files.len() >= 30, "only {} files", files.len());
    files.iter().for_each(|file| check_file(file));
}

/// Every structural instruction alone, in a loop without carries and in one with carries.
#[test]
fn every_instruction() {
    let folders = files_in(&matrix_files::folder());
    assert!(folders.len() >= 50, "only {} instructions", folders.len());
    for folder in folders {
        for context in matrix_files::CONTEXTS {
            check_file(&folder.join(context).with_extension("ir"));
        }
    }
}
