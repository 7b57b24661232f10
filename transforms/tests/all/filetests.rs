//! Runs every file of `filetests/`: a program, passes, and the program that they are expected to make.
//!
//! The first line, `;! passes …`, names the passes in order, separated by commas:
//!
//! - `jvp 0 1`, `vjp`, `grad`, `value_and_grad`, `hvp`, `value_grad_hvp`, `vhv`, `jacobian`, `hessian`: what
//!   [`derive`] makes, with respect to the parameters of these numbers;
//! - `differentiate`: operators are removed and nothing is simplified;
//! - `simplify always`, `simplify last`, `simplify contract`: the rewrites that may be applied then;
//! - `strict`, `contract`: the whole pipeline, with fused multiply-adds.
//!
//! The expectation stands at the end of the file, each line after `;! `: how often each rewrite applied, and the
//! last program; or the error. `EVOLUTE_BLESS=1 cargo test` rewrites it in place; read the difference before you
//! commit it.

use crate::texts;
use evolute_ir::{Program, SourceLoc, text, verify};
use evolute_transforms::derive::{self, DeriveError};
use evolute_transforms::inline::{Between, expand, remove_operators};
use evolute_transforms::simplify::{When, simplify};
use evolute_transforms::{FpMode, Options, Pipeline};
use std::fmt::Write;
use std::path::Path;

#[test]
fn files() {
    texts::check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/filetests"), 70, outcome);
}

fn outcome(path: &Path, source: &str, _expected: &str) -> String {
    let passes = texts::tested(path, source, "passes");
    let mut program = text::parse(source).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut rewrites = String::new();
    for words in passes.split(", ") {
        program = match pass(words, &program, &mut rewrites) {
            Ok(program) => program,
            Err(error) => return format!("{words}: {error}\n"),
        };
        verify(&program).unwrap_or_else(|error| panic!("{} after {words}: {error}", path.display()));
    }
    let printed = program.to_string();
    assert_eq!(text::parse(&printed).as_ref(), Ok(&program), "{}", path.display());
    format!("{rewrites}{printed}")
}

fn pass(words: &str, program: &Program, rewrites: &mut String) -> Result<Program, DeriveError> {
    let (name, rest) = words.split_once(' ').unwrap_or((words, ""));
    let wrt = || rest.split_whitespace().map(|i| i.parse().expect("a number")).collect::<Vec<usize>>();
    // The line of the file's first line stands for the user's.
    let here = || Some(SourceLoc { file: "user.rs".into(), line: 1 });
    match name {
        "jvp" => derive::jvp(program, &wrt(), here()),
        "vjp" => derive::vjp(program, &wrt(), here()),
        "grad" => derive::grad(program, &wrt(), here()),
        "value_and_grad" => derive::value_and_grad(program, &wrt(), here()),
        "hvp" => derive::hvp(program, &wrt(), here()),
        "value_grad_hvp" => derive::value_grad_hvp(program, &wrt(), here()),
        "vhv" => derive::vhv(program, &wrt(), here()),
        "jacobian" => derive::jacobian(program, &wrt(), here()),
        "hessian" => derive::hessian(program, &wrt(), here()),
        "differentiate" => Ok(remove_operators(program, Between::Keep)?),
        "expand" => Ok(expand(program)?),
        "simplify" => simplified(program, rest, rewrites),
        "strict" => pipeline(program, FpMode::Strict),
        "contract" => pipeline(program, FpMode::Contract),
        _ => panic!("there is no pass `{name}`"),
    }
}

fn simplified(program: &Program, when: &str, rewrites: &mut String) -> Result<Program, DeriveError> {
    let when = match when {
        "always" => When::Always,
        "last" => When::Last,
        "contract" => When::Contract,
        _ => panic!("simplify when? not `{when}`"),
    };
    let simplified = simplify(program, when)?;
    for (name, count) in &simplified.applied {
        writeln!(rewrites, "{count} × {name}").expect("a string");
    }
    Ok(simplified.program)
}

fn pipeline(program: &Program, fp: FpMode) -> Result<Program, DeriveError> {
    Ok(Pipeline::new(Options { fp, simplify: true, fma: true, ..Options::default() }).run(program)?)
}
