//! A program's text reads back as the same program, and the same text.

use crate::support::{self, Rng};
use evolute_ir::{Builder, Elem, IrError, Mode, Program, dot, text, verify};
use std::fmt::Write;

fn check(program: &Program, context: &str) {
    let printed = program.to_string();
    if let Err(error) = verify(program) {
        panic!("{context}: {error}\n{printed}");
    }
    let parsed = text::parse(&printed).unwrap_or_else(|error| panic!("{context}: {error}\n{printed}"));
    assert_eq!(parsed.to_string(), printed, "{context}");
    assert_eq!(&parsed, program, "{context}: a table differs\n{printed}");
}

#[test]
fn random_programs() {
    for seed in 0..600 {
        let rng = &mut Rng::new(seed);
        let size = rng.below(60);
        let program = support::program(rng, size);
        check(&program, &format!("seed {seed}"));
        check(&evolute_ir::without_dead_code(&program), &format!("seed {seed} without dead code"));
    }
}

/// Every bit pattern of a constant comes back, also where no instruction can make it.
#[test]
fn constants() {
    let rng = &mut Rng::new(7);
    for elem in Elem::ALL {
        let mut builder = Builder::new();
        for _ in 0..20_000 {
            let literal = support::literal(rng, elem);
            builder.constant(literal);
        }
        check(&builder.finish(&[]).expect("no results"), elem.name());
    }
}

/// Regions nest as deep as the limit.
#[test]
fn nesting() {
    let mut builder = Builder::new();
    for _ in 1..text::MAX_DEPTH {
        builder.open_region();
    }
    for _ in 1..text::MAX_DEPTH {
        let body = builder.close_region(&[]).expect("no results");
        builder.operator(Mode::Forward, body, &[], &[]).expect("well typed");
    }
    check(&builder.finish(&[]).expect("no results"), "nested");
}

/// A large text is read in time proportional to its length: this would take minutes if it were quadratic.
#[test]
fn large_texts() {
    let count = 100_000;
    let mut text = String::from("evolute 0\nprogram (v0: f64) -> () {\n");
    for i in 1..=count {
        writeln!(text, "v{i} = mul v{}, v0 of v{} @\"file {i}\":{i} \"name {i}\"", i - 1, count - i)
            .expect("a string");
    }
    text.push_str("return\n}\n");
    check(&text::parse(&text).expect("well formed"), "large");

    for garbage in
        ["(", "v", "\"", "\\", "v0 = ", ",", "; ", "\n", "v1 = mul v0, v0 ", "é", "{", "-", "@", "f64[1,"]
    {
        let garbage = garbage.repeat(10_000_000 / garbage.len());
        for context in [
            "",
            "evolute 0\nprogram (",
            "evolute 0\nprogram (v0: f64) -> () {\n",
            "evolute 0\nprogram (v0: f64 \"",
        ] {
            assert!(matches!(text::parse(&format!("{context}{garbage}")), Err(IrError::Parse { .. })));
        }
    }
}

/// The drawing of every program is well formed: quotes pair up, braces balance, nodes are declared.
#[test]
fn drawings() {
    for seed in 0..100 {
        let drawn = dot(&support::program(&mut Rng::new(seed), 40));
        let (mut depth, mut quoted, mut escaped) = (0, false, false);
        for c in drawn.chars() {
            match c {
                _ if std::mem::take(&mut escaped) => {}
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                '\n' => assert!(!quoted, "{drawn}"),
                '{' if !quoted => depth += 1,
                '}' if !quoted => depth -= 1,
                _ => {}
            }
        }
        assert_eq!((depth, quoted), (0, false), "{drawn}");
        for edge in drawn.lines().filter(|line| line.contains(" -> ")) {
            let end = edge.trim().trim_end_matches([';', ']']).split([' ', ';']).next().expect("a node");
            assert!(drawn.contains(&format!("{end} [label=")), "{end} is not declared\n{drawn}");
        }
    }
}
