//! Files of a folder, each a text and what is expected of it: the expectation stands at the end of the file, each line
//! after `;! `. The file's first line, `;! …` too, belongs to the text and says what is tested.

use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Compares what `outcome` makes of each text (given its path, the text and the expectation) with the expectation. There
/// are at least so many files. With `EVOLUTE_BLESS` set, the expectations are rewritten.
pub(crate) fn check(folder: &Path, at_least: usize, outcome: impl Fn(&Path, &str, &str) -> String) {
    let bless = std::env::var_os("EVOLUTE_BLESS").is_some();
    let mut failures = String::new();
    let files = files_in(folder);
    assert!(files.len() >= at_least, "found only {} files", files.len());
    for path in files {
        let (text, expected) = read(&path);
        let found = outcome(&path, &text, &expected);
        if found != expected && bless {
            std::fs::write(&path, with_expectation(&text, &found)).expect("the file can be written");
        } else if found != expected {
            writeln!(failures, "{}\n── expected\n{expected}── found\n{found}", path.display())
                .expect("a string");
        }
    }
    assert!(failures.is_empty(), "{failures}EVOLUTE_BLESS=1 rewrites the expectations");
}

/// What is tested: the rest of the first line.
pub(crate) fn tested<'a>(path: &Path, text: &'a str, word: &str) -> &'a str {
    let first = text.lines().next().unwrap_or_default();
    let rest = first.strip_prefix(";! ").and_then(|line| line.strip_prefix(word));
    rest.unwrap_or_else(|| panic!("{}: {first}", path.display())).trim()
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            files.extend(files_in(&path));
        } else if path.extension().is_some_and(|extension| extension == "ir") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The text before the expectation, and the expectation.
fn read(path: &Path) -> (String, String) {
    let content = std::fs::read_to_string(path).expect("the file can be read");
    let (mut text, mut expected) = (String::new(), String::new());
    for (index, line) in content.lines().enumerate() {
        match line.strip_prefix(";!") {
            Some(line) if index > 0 => writeln!(expected, "{}", line.strip_prefix(' ').unwrap_or(line)),
            _ => writeln!(text, "{line}"),
        }
        .expect("a string");
    }
    (text, expected)
}

fn with_expectation(text: &str, found: &str) -> String {
    let lines = found.lines().map(|line| format!(";! {line}\n").replace(";! \n", ";!\n"));
    format!("{text}{}", lines.collect::<String>())
}
