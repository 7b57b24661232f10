//! Texts damaged at random never make the reader, the verifier or the printer panic, and what can be read
//! survives a print and another reading.
//!
//! `EVOLUTE_MUTATIONS=1000000 EVOLUTE_SEED=7 cargo test --release -p evolute-ir --test all mutations` runs more.

use crate::support::{self, Rng};
use evolute_ir::{dot, text, verify};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn damaged_texts() {
    let (count, seed) = (number("EVOLUTE_MUTATIONS", 20_000), number("EVOLUTE_SEED", 1));
    let corpus = corpus();
    let (mut read, mut valid) = (0, 0);
    for i in 0..count {
        let rng = &mut Rng::new(seed.wrapping_mul(1 << 32).wrapping_add(i));
        let text = mutated(rng, &corpus);
        match catch_unwind(AssertUnwindSafe(|| survives(&text))) {
            Ok(outcome) => {
                read += u64::from(outcome.is_some());
                valid += u64::from(outcome == Some(true));
            }
            Err(_) => panic!("seed {seed}, mutation {i} panics:\n{text}"),
        }
    }
    println!("seed {seed}: of {count} mutations {read} were read, {valid} valid");
    assert!(valid * 20 > count, "too few mutations are valid to test anything: {valid} of {count}");
}

/// Whether the text is that of a program, and of a valid one.
fn survives(text: &str) -> Option<bool> {
    let program = text::parse(text).ok()?;
    let verdict = verify(&program);
    let printed = program.to_string();
    let again = text::parse(&printed).unwrap_or_else(|error| panic!("{error}\n{printed}"));
    assert_eq!(again.to_string(), printed);
    assert_eq!(again, program, "a table differs");
    dot(&program);
    let message = verdict.as_ref().err().map(|error| error.to_string()).unwrap_or_default();
    // The reader refuses what is wrong in any other respect.
    let left = |line: &str| line.contains("level") || line.contains("only added to");
    assert!(message.lines().skip(1).all(left), "{message}");
    Some(verdict.is_ok())
}

/// The texts of the file tests, and random programs.
fn corpus() -> Vec<String> {
    let mut texts: Vec<String> =
        (0..40).map(|seed| support::program(&mut Rng::new(seed), 12).to_string()).collect();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/filetests")];
    while let Some(folder) = folders.pop() {
        let mut paths: Vec<_> = std::fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                folders.push(path);
            } else {
                texts.push(std::fs::read_to_string(path).expect("a text"));
            }
        }
    }
    texts
}

fn mutated(rng: &mut Rng, corpus: &[String]) -> String {
    let mut text = corpus[rng.below(corpus.len())].clone();
    for _ in 0..1 + rng.below(4) / 2 {
        text = match rng.below(3) {
            0 => bytes(rng, text),
            1 => tokens(rng, &text),
            _ => lines(rng, &text, corpus),
        };
    }
    text
}

/// Changes, removes or adds one byte; what is no longer UTF-8 is replaced.
fn bytes(rng: &mut Rng, text: String) -> String {
    const LIKELY: &[u8] = b"\n\" ;,:@(){}[]=-.vpta0123456789\\";
    let mut bytes = text.into_bytes();
    let at = rng.below(bytes.len());
    let byte = if rng.chance(4) { rng.bits() as u8 } else { rng.pick(LIKELY) };
    match rng.below(3) {
        0 if at < bytes.len() => bytes[at] = byte,
        1 if at < bytes.len() => drop(bytes.remove(at)),
        _ => bytes.insert(at, byte),
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Replaces one word by another of the text or by one that is often wrong.
fn tokens(rng: &mut Rng, text: &str) -> String {
    const WRONG: [&str; 14] = [
        "v0",
        "v4294967295",
        "v1.t9",
        "v2.a1",
        "4294967296",
        "f64[0]",
        "f64[2147483649]",
        "nan",
        "-",
        "->",
        "wrt",
        "level",
        "999999999999999999999",
        "inf",
    ];
    let words: Vec<&str> = text.split_inclusive([' ', '\n', ',', '(', ')']).collect();
    let at = rng.below(words.len());
    let other = if rng.chance(3) { rng.pick(&WRONG) } else { rng.pick(&words) };
    let mut mutated: Vec<&str> = words.clone();
    match rng.below(4) {
        0 => mutated.insert(at, other),
        1 => drop(mutated.remove(at)),
        _ => mutated[at] = other,
    }
    mutated.concat()
}

/// Removes, repeats, moves or imports one line.
fn lines(rng: &mut Rng, text: &str, corpus: &[String]) -> String {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (at, to) = (rng.below(lines.len()), rng.below(lines.len()));
    let foreign: Vec<&str> = corpus[rng.below(corpus.len())].split_inclusive('\n').collect();
    match rng.below(4) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(to, lines[at]),
        2 => lines.swap(at, to),
        _ => lines.insert(at, foreign[rng.below(foreign.len())]),
    }
    lines.concat()
}
