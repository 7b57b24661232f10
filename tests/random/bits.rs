//! What DESIGN.md promises about bits, checked on one program and some inputs.
//!
//! - Every stage is valid, and its text reads back as the same program.
//! - Simplifying twice is simplifying once.
//! - In both modes native code gives the interpreter's bits on the simplified program, or fails where it fails.
//! - In `Strict` these are the bits of the differentiated program that is not simplified at all; a call fails only where
//!   that program fails, and where it does not, no result depends on what failed.

use crate::choices::Choices;
use crate::numbers::{self, difference};
use crate::run::Outcome;
use crate::walk;
use evolute::ir::{Buffer, EvalError, Failure, Interpreter, Literal, Program, interp, text, verify};
use evolute::transforms::inline::{Between, remove_operators};
use evolute::transforms::pipeline::{self, Pipeline};
use evolute::transforms::simplify::{When, simplify};
use evolute::{CallError, Executable, FpMode, Input, Options, Output};
use std::fmt::Display;

/// How many inputs a program is evaluated on.
const INPUTS: usize = 3;

/// Checks everything for `program` on random inputs, which are given back.
pub(crate) fn check(
    name: &str,
    program: &Program,
    choices: &mut Choices,
) -> Result<Vec<Vec<Buffer>>, String> {
    let types = program.param_types();
    let inputs: Vec<_> = (0..INPUTS).map(|_| numbers::inputs(choices, &types)).collect();
    let checked = check_on(program, &inputs, &options(choices));
    checked.map_err(|error| format!("── {name}\n{program}── {error}"))?;
    Ok(inputs)
}

/// Options in which no choice may change a bit.
fn options(choices: &mut Choices) -> Options {
    let mut options = Options::default();
    if choices.chance(4) {
        options.codegen.chunk = choices.pick(&[7, 1, 64]);
    }
    options
}

fn check_on(program: &Program, inputs: &[Vec<Buffer>], options: &Options) -> Outcome {
    check_form("trace", program)?;
    let plain = remove_operators(program, Between::Keep).map_err(text_of)?;
    check_form("remove_operators", &plain)?;
    let expected = evaluate(&plain, inputs)?;
    let mut compiled = None;
    for fp in [FpMode::Strict, FpMode::Contract] {
        let last = check_stages(program, fp)?;
        // The other mode has made the same program: the same code.
        if compiled.as_ref() == Some(&last) {
            continue;
        }
        let executable = Executable::new(program, &Options { fp, ..options.clone() }).map_err(text_of)?;
        if executable.program() != &last {
            return Err(format!("{fp:?}: the executable runs another program\n{}", executable.program()));
        }
        let interpreted = evaluate(&last, inputs)?;
        for (index, input) in inputs.iter().enumerate() {
            let found = call(&executable, input)?;
            compare(&found, &interpreted[index])
                .map_err(|error| report(&format!("{fp:?}: native: {error}"), &last, input))?;
            if fp == FpMode::Strict {
                let unsimplified = (&plain, input.as_slice(), &expected[index]);
                compare_unsimplified(&interpreted[index], unsimplified).map_err(|error| {
                    let context = format!("{plain}── Strict: simplified: {error}");
                    report(&context, &last, input)
                })?;
            }
        }
        compiled = Some(last);
    }
    Ok(())
}

fn report(error: &str, last: &Program, input: &[Buffer]) -> String {
    format!("{error}\n── inputs {input:?}\n── simplified\n{last}")
}

fn text_of(error: impl Display) -> String {
    error.to_string()
}

/// A program is valid, and its text says all of it.
fn check_form(stage: &str, program: &Program) -> Outcome {
    verify(program).map_err(|error| format!("invalid after {stage}: {error}\n{program}"))?;
    match text::parse(&program.to_string()) {
        Ok(read) if read == *program => Ok(()),
        Ok(read) => Err(format!("after {stage} the text\n{program}reads as\n{read}")),
        Err(error) => Err(format!("after {stage} the text\n{program}does not read: {error}")),
    }
}

/// Checks each stage of the pipeline and gives the last.
fn check_stages(program: &Program, fp: FpMode) -> Result<Program, String> {
    let pipeline = Pipeline::new(pipeline::Options { fp, ..pipeline::Options::default() });
    let when = match fp {
        FpMode::Strict => When::Last,
        FpMode::Contract => When::Contract,
    };
    let stages = pipeline.stages(program).map_err(text_of)?;
    for stage in &stages {
        check_form(stage.pass, &stage.program)?;
        if stage.pass == "simplify" {
            let again = simplify(&stage.program, when).map_err(text_of)?;
            if forget_of(&again.program) != forget_of(&stage.program) {
                let found = format!("{}── again ({:?})\n{}", stage.program, again.applied, again.program);
                return Err(format!("{fp:?}: simplifying again changes\n{found}"));
            }
        }
    }
    Ok(stages.last().expect("there is the traced program").program.clone())
}

/// The text without what values are the derivatives of. A value that is shared takes the origin of its outermost
/// use, where that may be the derivative of a later value, which the next copy forgets.
fn forget_of(program: &Program) -> String {
    let text = program.to_string();
    let mut parts = text.split(" of v");
    let first = parts.next().unwrap_or_default().to_string();
    let after_value =
        |part: &str| part.trim_start_matches(|c: char| c.is_alphanumeric() || c == '.').to_string();
    first + &parts.map(after_value).collect::<String>()
}

type Evaluated = Result<Vec<Buffer>, Failure>;

fn evaluate(program: &Program, inputs: &[Vec<Buffer>]) -> Result<Vec<Evaluated>, String> {
    let interpreter = Interpreter::new(program).map_err(text_of)?;
    let results = inputs.iter().map(|input| match interpreter.eval(input) {
        Ok(results) => Ok(Ok(results)),
        Err(EvalError::Failure(failure)) => Ok(Err(failure)),
        Err(error) => Err(error.to_string()),
    });
    results.collect()
}

/// Calls native code.
pub(crate) fn call(executable: &Executable, input: &[Buffer]) -> Result<Evaluated, String> {
    let zeros = executable.result_types().map(|ty| Buffer::zeros(ty.elem, ty.shape.len()));
    let mut results: Vec<Buffer> = zeros.collect();
    let inputs: Vec<Input<'_>> = input.iter().map(borrowed).collect();
    let mut outputs: Vec<Output<'_>> = results.iter_mut().map(borrowed_mut).collect();
    match executable.call_into(&inputs, &mut outputs, &mut executable.workspace()) {
        Ok(()) => Ok(Ok(results)),
        Err(CallError::Failure(failure)) => Ok(Err(failure)),
        Err(error) => Err(error.to_string()),
    }
}

fn borrowed(buffer: &Buffer) -> Input<'_> {
    match buffer {
        Buffer::F64(x) => Input::F64(x),
        Buffer::F32(x) => Input::F32(x),
        Buffer::I64(x) => Input::I64(x),
        Buffer::Bool(x) => Input::Bool(x),
    }
}

fn borrowed_mut(buffer: &mut Buffer) -> Output<'_> {
    match buffer {
        Buffer::F64(x) => Output::F64(x),
        Buffer::F32(x) => Output::F32(x),
        Buffer::I64(x) => Output::I64(x),
        Buffer::Bool(x) => Output::Bool(x),
    }
}

/// The same bits, or the same failure at the same line.
fn compare(found: &Evaluated, expected: &Evaluated) -> Outcome {
    match (found, expected) {
        (Ok(found), Ok(expected)) => difference(found, expected).map_or(Ok(()), Err),
        (Err(found), Err(expected)) if found == expected => Ok(()),
        _ => Err(format!("{found:?} instead of {expected:?}")),
    }
}

/// What an integer division that fails gives instead: no result may depend on it.
const POISONS: [i64; 2] = [0x5ca1_ab1e, -3];

/// The same bits, or a failure of both; which of two divisions fails first is not promised. What fails may be found not
/// to matter: then the results are the same whatever it gives.
fn compare_unsimplified(
    found: &Evaluated,
    (plain, input, expected): (&Program, &[Buffer], &Evaluated),
) -> Outcome {
    match (found, expected) {
        (Err(_), Err(_)) => Ok(()),
        (Ok(found), Err(failure)) => POISONS.into_iter().try_for_each(|poison| {
            let poisoned = evaluate_poisoned(plain, input, poison);
            difference(found, &poisoned)
                .map_or(Ok(()), |difference| Err(format!("{difference}, hiding {failure:?}")))
        }),
        _ => compare(found, expected),
    }
}

/// The results where every integer division that fails gives `poison`.
fn evaluate_poisoned(program: &Program, input: &[Buffer], poison: i64) -> Vec<Buffer> {
    let input: Vec<Vec<Literal>> = input.iter().map(|x| (0..x.len()).map(|i| x.get(i)).collect()).collect();
    let results = walk::evaluate(program, &input, |prim, arguments| {
        interp::eval_prim(prim, arguments).unwrap_or(Literal::I64(poison))
    });
    let types = program.result_types();
    types.iter().zip(&results).map(|(ty, result)| numbers::from_literals(ty.elem, result)).collect()
}
