//! The `evolute` binary: what it prints, and how it fails. Runs with `cargo test --features cli`.
#![cfg(feature = "cli")]

use std::io::{Read, Write};
use std::process::{Command, Output, Stdio};

const SQUARE: &str = "evolute 0\nprogram (v0: f64[2]) -> (f64) {
  v1 = element v0, 0
  v2 = element v0, 1
  v3 = sin v1
  v4 = mul v3, v2
  return v4
}\n";

const DIVIDE: &str = "evolute 0\nprogram (v0: i64, v1: i64) -> (i64) {
  v2 = div v0, v1 @\"model.rs\":7
  return v2
}\n";

fn start(args: &[&str]) -> std::process::Child {
    let piped = || Stdio::piped();
    let mut command = Command::new(env!("CARGO_BIN_EXE_evolute"));
    command.args(args).stdin(piped()).stdout(piped()).stderr(piped()).spawn().expect("the binary starts")
}

fn run(args: &[&str], input: &str) -> Output {
    let mut child = start(args);
    // A command that fails early does not read.
    let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
    child.wait_with_output().expect("the binary ends")
}

/// What the command prints.
#[track_caller]
fn check(args: &[&str], input: &str, expect: &str) {
    let output = run(args, input);
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{args:?}: {stderr}");
    assert_eq!(stdout, expect, "{args:?}");
}

/// The message of a command that fails with exit code 1.
#[track_caller]
fn check_error(args: &[&str], input: &str, expect: &str) {
    let output = run(args, input);
    assert_eq!(String::from_utf8_lossy(&output.stderr), format!("error: {expect}\n"), "{args:?}");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{args:?}");
}

#[track_caller]
fn printed(args: &[&str], input: &str) -> String {
    let output = run(args, input);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn check_and_print() {
    check(&["check"], SQUARE, "");
    check(&["print"], SQUARE, SQUARE);
    check(&["print", "-"], &SQUARE.replace("sin v1", "  sin  v1 ; a comment"), SQUARE);
}

#[test]
fn files() {
    let path = std::env::temp_dir().join(format!("evolute-cli-{}.ir", std::process::id()));
    std::fs::write(&path, SQUARE).unwrap();
    let name = path.to_str().unwrap();
    check(&["print", name], "", SQUARE);
    std::fs::write(&path, SQUARE.replace("sin", "sine")).unwrap();
    let output = run(&["check", name], "");
    std::fs::remove_file(&path).unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.starts_with(&format!("error: {name}:5: ")), "{message}");
    let missing = String::from_utf8(run(&["check", name], "").stderr).unwrap();
    assert!(missing.starts_with(&format!("error: {name}: ")), "{missing}");
}

#[test]
fn evaluates() {
    check(&["run", "--input", "0,3"], SQUARE, "0.0\n");
    check(&["run", "--input", "-0.0, 3"], SQUARE, "-0.0\n");
    check(&["run", "--input", "nan,3", "--interpreted"], SQUARE, "NaN\n");
    check(&["run", "--input", "1e-999,3"], SQUARE, "0.0\n");
    check(&["run", "--input", "7", "--input=-2"], DIVIDE, "-3\n");
    let same = "evolute 0\nprogram (v0: f64[4]) -> (f64[4]) {\n  return v0\n}\n";
    check(
        &["run", "--input", "inf,-inf,+Infinity,1.7976931348623157e308"],
        same,
        "inf,-inf,inf,1.7976931348623157e308\n",
    );
    for options in [&["--strict"][..], &["--interpreted"], &["--strict", "--interpreted"]] {
        let args = [&["run", "--input", "0.3,1.5"][..], options].concat();
        check(&args, SQUARE, &printed(&["run", "--input", "0.3,1.5"], SQUARE));
    }
}

#[test]
fn differentiates() {
    let gradient = printed(&["grad"], SQUARE);
    check(&["run", "--input", "0,3"], &gradient, "3.0,0.0\n");
    check(&["run", "--input", "0,3"], &printed(&["grad", "--operator"], SQUARE), "3.0,0.0\n");
    check(&["simplify"], &printed(&["grad", "--operator"], SQUARE), &gradient);
    let product = printed(&["hvp", "--strict"], SQUARE);
    check(&["run", "--input", "0,3", "--input", "1,0"], &product, "0.0,1.0\n");
    check_error(
        &["grad", "--wrt", "2"],
        SQUARE,
        "<stdin>: cannot differentiate with respect to argument 2: the function has 1, each to be named once",
    );
    check_error(&["grad"], DIVIDE, "<stdin>: a gradient needs one real scalar result, found (i64)");
}

#[test]
fn shows_code_and_graphs() {
    assert!(printed(&["clif"], SQUARE).contains("function"));
    assert!(printed(&["asm"], SQUARE).contains("ret"));
    assert!(printed(&["dot"], SQUARE).starts_with("digraph"));
}

#[test]
fn failures_are_told() {
    check_error(
        &["run", "--input", "7", "--input", "0"],
        DIVIDE,
        "<stdin>: integer division by zero or overflow at model.rs:7",
    );
    check_error(&["run"], SQUARE, "<stdin>: expected 1 inputs, found 0");
    check_error(&["run", "--input", "1", "--input", "2"], SQUARE, "<stdin>: expected 1 inputs, found 2");
    check_error(
        &["run", "--input", "1,2,3"],
        SQUARE,
        "<stdin>: input 0: expected f64[2], found 3 elements of f64",
    );
    check_error(&["run", "--input", "1,x"], SQUARE, "--input 0: expected f64, found `x`");
    for item in ["1e999", "-1e999", "2e308"] {
        let message = format!("--input 0: {item} is out of the range of f64");
        check_error(&["run", "--input", &format!("1,{item}")], SQUARE, &message);
    }
    let wide = "9223372036854775808";
    let message = format!("--input 1: {wide} is out of the range of i64");
    check_error(&["run", "--input", "7", "--input", wide], DIVIDE, &message);
    let unknown = run(&["unknown"], "");
    assert_eq!(unknown.status.code(), Some(2), "a usage error");
    let nonsense = run(&["check"], "nonsense");
    assert_eq!(nonsense.status.code(), Some(1));
    assert!(String::from_utf8(nonsense.stderr).unwrap().starts_with("error: <stdin>:1: "));
}

#[test]
fn a_closed_pipe_is_no_error() {
    let mut long = String::from("evolute 0\nprogram (v0: f64) -> (f64) {\n");
    for i in 0..20_000 {
        long += &format!("  v{} = sin v{i}\n", i + 1);
    }
    long += "  return v20000\n}\n";
    let mut child = start(&["print"]);
    child.stdin.take().unwrap().write_all(long.as_bytes()).unwrap();
    let mut first = [0; 9];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((&first[..], String::from_utf8_lossy(&output.stderr)), (&b"evolute 0"[..], "".into()));
    assert!(output.status.success());
}
