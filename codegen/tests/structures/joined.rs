//! Loops that have become one fail in machine code as in the interpreter, by the same failure at the same line.

use crate::common::check_code;
use crate::joined_programs::{PROGRAMS, inputs, program};
use evolute_codegen::{CodegenOptions, compile};
use evolute_transforms::{FpMode, Options, Pipeline};

#[test]
fn joined_loops_fail_as_in_the_interpreter() {
    for (name, _, rest) in PROGRAMS {
        for simplify in [false, true] {
            let options = Options { fp: FpMode::Strict, simplify, ..Options::default() };
            let ready = Pipeline::new(options).run(&program(rest)).expect("small");
            for chunk in [1, 1000] {
                let options = CodegenOptions { verify: true, chunk, ..CodegenOptions::default() };
                let code =
                    compile(&ready, &options).unwrap_or_else(|error| panic!("{name}: {error}\n{ready}"));
                inputs().iter().for_each(|inputs| check_code(&code, &ready, inputs));
            }
        }
    }
}
