//! What [`random_structures`](super::random_structures) asks of a test: numbers, a case, and the check; which
//! hand-written structures pass too.

pub(crate) use crate::numbers::Rng;
use evolute_codegen::{CodegenOptions, compile};
use evolute_ir::{Buffer, Elem, Interpreter, Program, Type, text};
use evolute_transforms::pipeline::{Options, Pipeline};
use evolute_transforms::{FpMode, derive};
use std::path::Path;

impl Rng {
    fn point(&mut self, types: &[Type]) -> Vec<Vec<f64>> {
        types.iter().map(|ty| (0..ty.shape.len()).map(|_| self.next() - 0.3).collect()).collect()
    }
}

pub(crate) struct Case {
    pub(crate) program: Program,
}

impl Case {
    pub(crate) fn new(program: Program) -> Case {
        Case { program }
    }
}

/// Results of machine code, if it does not fail. Outputs and workspace hold rubbish before.
fn call(program: &Program, inputs: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
    let options = CodegenOptions { verify: true, ..CodegenOptions::default() };
    let code = compile(program, &options).unwrap_or_else(|error| panic!("{error}\n{program}"));
    let mut results: Vec<Vec<f64>> =
        program.result_types().iter().map(|ty| vec![f64::NAN; ty.shape.len()]).collect();
    let mut workspace = vec![0xffu8; code.workspace_bytes() + 64];
    let aligned = workspace.as_ptr().align_offset(64);
    let ins: Vec<*const u8> = inputs.iter().map(|x| x.as_ptr().cast()).collect();
    let outs: Vec<*mut u8> = results.iter_mut().map(|x| x.as_mut_ptr().cast()).collect();
    // SAFETY: all parameters and results are `f64`s of the lengths of their types, and there is room for the
    // workspace behind the first address aligned to 64.
    let status = unsafe { code.call(ins.as_ptr(), outs.as_ptr(), workspace[aligned..].as_mut_ptr()) };
    (status == 0).then_some(results)
}

fn compare(name: &str, program: &Program, options: Options, rng: &mut Rng) {
    let ready = Pipeline::new(options).run(program).expect("small");
    let inputs = rng.point(&ready.param_types());
    let buffers: Vec<Buffer> = inputs.iter().cloned().map(Buffer::F64).collect();
    let interpreter = Interpreter::new(&ready).expect("no operators");
    let (expected, found) = match (interpreter.eval(&buffers), call(&ready, &inputs)) {
        (Ok(expected), Some(found)) => (expected, found),
        (Err(_), None) => return,
        (expected, found) => panic!("{name}: {expected:?} against {found:?}\n{ready}"),
    };
    for (number, (expected, found)) in expected.iter().zip(&found).enumerate() {
        let Buffer::F64(expected) = expected else { unreachable!("all results are f64") };
        let same = |(e, f): (&f64, &f64)| e.to_bits() == f.to_bits() || (e.is_nan() && f.is_nan());
        let differs = expected.iter().zip(found).position(|pair| !same(pair));
        if let Some(i) = differs {
            panic!(
                "{name}: result {number}, element {i}: {:e} instead of {:e}\n{ready}",
                found[i], expected[i]
            );
        }
    }
}

/// The function, its tangents, its cotangents, and two second derivatives.
pub(crate) fn check(name: &str, case: &Case, options: Options, rng: &mut Rng) {
    let wrt: Vec<usize> = (0..case.program.param_types().len()).collect();
    let jvp = derive::jvp(&case.program, &wrt, None).expect("real");
    let vjp = derive::vjp(&case.program, &wrt, None).expect("real");
    let forward_over_reverse = derive::jvp(&vjp, &wrt, None).expect("real");
    let reverse_over_reverse = derive::vjp(&vjp, &wrt, None).expect("real");
    for program in [&case.program, &jvp, &vjp, &forward_over_reverse, &reverse_over_reverse] {
        compare(name, program, options, rng);
    }
}

/// The hand-written structures by which the transforms are tested, those of `f64`s alone.
#[test]
fn structures_of_the_transforms() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../transforms/tests/structures");
    let mut checked = 0;
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let source = std::fs::read_to_string(&path).expect("a text");
        let program = text::parse(&source).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let types = [program.param_types(), program.result_types()].concat();
        if types.iter().all(|ty| ty.elem == Elem::F64) {
            let case = Case::new(program);
            for (fp, simplify) in [(FpMode::Strict, false), (FpMode::Contract, true)] {
                let options = Options { fp, simplify, fma: true, ..Options::default() };
                check(&path.display().to_string(), &case, options, &mut Rng::new(3));
            }
            checked += 1;
        }
    }
    assert!(checked >= 20, "only {checked} files");
}
