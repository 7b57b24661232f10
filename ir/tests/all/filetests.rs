//! Runs every file of `filetests/`: a text, and what is expected of it in comments.
//!
//! The first line says what is tested:
//!
//! - `;! test parse-error` — the text is refused; the expectation is the error.
//! - `;! test verify-error` — it is read, and violates invariants; the expectation is all of them.
//! - `;! test print` — it is read and verified; the expectation is its print.
//! - `;! test run` — it is read, verified and interpreted, once for each expectation of the form
//!   `;! run (1.0, [2.0, 3.0]) = (4.0)`; after `=` may stand `error` and a message.
//!
//! Expectations stand at the end of the file, each line after `;! `. `EVOLUTE_BLESS=1 cargo test` rewrites
//! them in place; read the difference before you commit it.

use crate::texts;
use evolute_ir::{Buffer, Elem, Interpreter, Literal, Program, text, verify};
use std::fmt::Write;
use std::path::Path;

#[test]
fn files() {
    texts::check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/filetests"), 25, outcome);
}

fn outcome(path: &Path, text: &str, expected: &str) -> String {
    match (texts::tested(path, text, "test"), text::parse(text)) {
        ("parse-error", Err(error)) => format!("{error}\n"),
        ("parse-error", Ok(program)) => format!("read as\n{program}"),
        (_, Err(error)) => format!("{error}\n"),
        ("verify-error", Ok(program)) => match verify(&program) {
            Ok(()) => "valid\n".into(),
            Err(error) => format!("{error}\n"),
        },
        ("print", Ok(program)) => print(&program),
        ("run", Ok(program)) => runs(&program, expected),
        (test, Ok(_)) => panic!("{}: there is no test `{test}`", path.display()),
    }
}

fn print(program: &Program) -> String {
    if let Err(error) = verify(program) {
        return format!("{error}\n");
    }
    let printed = program.to_string();
    assert_eq!(text::parse(&printed).as_ref(), Ok(program));
    printed
}

/// The expectation with the results that are found.
fn runs(program: &Program, expected: &str) -> String {
    if let Err(error) = verify(program) {
        return format!("{error}\n");
    }
    let interpreter = match Interpreter::new(program) {
        Ok(interpreter) => interpreter,
        Err(error) => return format!("{error}\n"),
    };
    let mut found = String::new();
    for line in expected.lines() {
        let call = line.strip_prefix("run ").unwrap_or_else(|| panic!("expected `run`, found `{line}`"));
        let inputs = call.split_once(" = ").map_or(call, |(inputs, _)| inputs);
        let outcome = match interpreter.eval(&buffers(inputs)) {
            Ok(results) => format!("({})", results.iter().map(shown).collect::<Vec<_>>().join(", ")),
            Err(error) => format!("error {error}"),
        };
        writeln!(found, "run {inputs} = {outcome}").expect("a string");
    }
    found
}

/// `(1.0, [2:i64, 3:i64])` as inputs; an empty array is written `[]:f64`.
fn buffers(text: &str) -> Vec<Buffer> {
    let text = text.trim().strip_prefix('(').and_then(|text| text.strip_suffix(')')).expect("parentheses");
    let mut buffers = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (item, tail) = match rest.strip_prefix('[') {
            Some(list) => list.split_once(']').expect("a closing bracket"),
            None => rest.split_at(rest.find(',').unwrap_or(rest.len())),
        };
        let (elem, tail) = match tail.strip_prefix(':') {
            Some(tail) => tail.split_at(tail.find(',').unwrap_or(tail.len())),
            None => ("", tail),
        };
        buffers.push(buffer(item, elem));
        rest = tail.trim_start_matches([',', ' ']);
    }
    buffers
}

fn buffer(items: &str, elem: &str) -> Buffer {
    let literals: Vec<Literal> = items.split(',').filter(|s| !s.trim().is_empty()).map(literal).collect();
    let elem = literals.first().map(|literal| literal.elem()).or(Elem::from_name(elem)).unwrap_or(Elem::F64);
    let slots = literals.iter().map(|literal| literal.to_slot());
    match elem {
        Elem::F64 => Buffer::F64(slots.map(f64::from_bits).collect()),
        Elem::F32 => Buffer::F32(slots.map(|slot| f32::from_bits(slot as u32)).collect()),
        Elem::I64 => Buffer::I64(slots.map(|slot| slot as i64).collect()),
        Elem::Bool => Buffer::Bool(slots.map(|slot| slot == 1).collect()),
    }
}

/// A constant, read as a program reads it.
fn literal(text: &str) -> Literal {
    let elem = match text.trim() {
        "true" | "false" => "bool",
        constant => constant.rsplit_once(':').map_or("f64", |(_, elem)| elem),
    };
    let program = format!("evolute 0\nprogram () -> ({elem}) {{\nv0 = const {text}\nreturn v0\n}}");
    let program = text::parse(&program).unwrap_or_else(|error| panic!("{text}: {error}"));
    program.as_const(program.root().results[0]).expect("a constant")
}

fn shown(buffer: &Buffer) -> String {
    let literals: Vec<String> = (0..buffer.len()).map(|i| buffer.get(i).to_string()).collect();
    if literals.len() == 1 { literals.join("") } else { format!("[{}]", literals.join(", ")) }
}
