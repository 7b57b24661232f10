//! Loops that become one: what they give stays the same to the bit, and they fail when they did, by a failure that one of them
//! had. Which of several is met first is not promised.

use crate::joined_programs::{PROGRAMS, inputs, program};
use evolute_ir::{Buffer, Builder, EvalError, Failure, Interpreter, Op, Program, Value};
use evolute_transforms::inline::inline;
use evolute_transforms::pipeline::Stage;
use evolute_transforms::{FpMode, Options, Pipeline};

const STRICT: Options = Options { fp: FpMode::Strict, simplify: true, checked_indices: true, fma: false };

fn ready(program: &Program, simplify: bool) -> Program {
    Pipeline::new(Options { simplify, ..STRICT }).run(program).expect("small")
}

fn evaluated(program: &Program, inputs: &[Buffer]) -> Result<Vec<Buffer>, Failure> {
    match Interpreter::new(program).expect("no operators").eval(inputs) {
        Ok(results) => Ok(results),
        Err(EvalError::Failure(failure)) => Err(failure),
        Err(error) => panic!("{error}"),
    }
}

/// A program for each of the results, with nothing that it does not need.
fn of_each_result(program: &Program) -> Vec<Program> {
    let count = program.root().results.len();
    let alone = |k: usize| {
        let mut builder = Builder::new();
        let params: Vec<Value> = program.param_types().iter().map(|ty| builder.param(ty)).collect();
        let results = inline(&mut builder, program, &params).expect("small");
        ready(&builder.finish(&results[k..=k]).expect("open"), false)
    };
    (0..count).map(alone).collect()
}

fn same_bits(a: &[Buffer], b: &[Buffer]) -> bool {
    let slots = |buffers: &[Buffer]| -> Vec<u64> {
        buffers.iter().flat_map(|buffer| (0..buffer.len()).map(|i| buffer.get(i).to_slot())).collect()
    };
    slots(a) == slots(b)
}

#[test]
fn what_is_joined_gives_the_same_and_fails_alike() {
    for (name, loops, rest) in PROGRAMS {
        let program = program(rest);
        let joined = ready(&program, true);
        let found = joined.insts().values().filter(|inst| matches!(inst.op, Op::Loop { .. })).count();
        assert_eq!(found, loops, "{name}\n{joined}");
        let apart = of_each_result(&program);
        for inputs in inputs() {
            let expected: Vec<_> = apart.iter().map(|program| evaluated(program, &inputs)).collect();
            let failures: Vec<&Failure> =
                expected.iter().filter_map(|result| result.as_ref().err()).collect();
            match evaluated(&joined, &inputs) {
                Ok(results) => {
                    assert_eq!(failures, [] as [&Failure; 0], "{name} on {inputs:?}");
                    let expected: Vec<Buffer> = expected.into_iter().flatten().flatten().collect();
                    assert!(same_bits(&results, &expected), "{name} on {inputs:?}: {results:?}\n{joined}");
                }
                Err(failure) => {
                    assert!(failures.contains(&&failure), "{name} on {inputs:?}: {failure}\n{joined}");
                }
            }
        }
    }
}

/// Joining and clamping make programs of the same limit.
#[test]
fn every_pass_keeps_the_limit() {
    for (name, _, rest) in PROGRAMS {
        let limited = program(rest).with_limit(1000);
        for checked_indices in [false, true] {
            let passes = Pipeline::new(Options { checked_indices, ..STRICT });
            let check =
                |stage: &Stage| assert_eq!(stage.program.limit(), 1000, "{name} after {}", stage.pass);
            passes.run_noting(&limited, check).expect("small");
        }
    }
}
