//! The layers of the workspace: which crate may depend on which, and where `unsafe` may stand.
//!
//! Both are tables here, and in ARCHITECTURE.md in words; a change of either is a decision.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The crates of the workspace that each crate depends on.
const LAYERS: [(&str, &[&str]); 7] = [
    ("derive", &[]),
    ("kernels", &[]),
    ("ir", &["kernels"]),
    ("transforms", &["ir"]),
    ("codegen", &["ir", "kernels"]),
    ("runtime", &["codegen", "ir", "transforms"]),
    ("frontend", &["derive", "ir", "runtime", "transforms"]),
];

/// What tests need beyond that: derivatives as programs to compile.
const TESTED_WITH: [(&str, &[&str]); 1] = [("codegen", &["transforms"])];

/// The only crate that names Cranelift or maps memory.
const NATIVE: &str = "codegen";

/// The only files with unsafe code: mapping code memory, calling it, reading the caller's buffers, and
/// calling functions compiled for an instruction set that was found at run time.
const UNSAFE: [&str; 4] =
    ["codegen/src/code.rs", "codegen/src/memory.rs", "kernels/src/table.rs", "runtime/src/native.rs"];

/// The same in tests and benchmarks: those that call machine code without the runtime, that count
/// allocations, that have the system refuse memory, and hand-written vector code to compare with.
const UNSAFE_TESTS: [&str; 7] = [
    "benches/hand/",
    "codegen/benches/",
    "codegen/src/without_fma.rs",
    "codegen/tests/",
    "tests/huge/",
    "tests/refusal.rs",
    "tests/resources.rs",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The dependencies of a manifest, by section. Reads what cargo accepts of the form we write: sections in
/// brackets, a dependency a line.
fn dependencies(manifest: &str) -> BTreeMap<String, Vec<String>> {
    let mut sections: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut section = String::new();
    for line in manifest.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').into();
        } else if section.ends_with("dependencies") && !line.is_empty() && !line.starts_with('#') {
            let name = line.split(['.', '=', ' ']).next().expect("a line has a first word");
            sections.entry(section.clone()).or_default().push(name.into());
        }
    }
    sections
}

#[test]
fn crates_depend_only_downwards() {
    for (name, allowed) in LAYERS {
        let manifest = fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
        let sections = dependencies(&manifest);
        let ours = |tests: bool| {
            let sections = sections.iter().filter(|(section, _)| (*section == "dev-dependencies") == tests);
            let mut ours: Vec<&str> =
                sections.flat_map(|(_, all)| all).filter_map(|d| d.strip_prefix("evolute-")).collect();
            ours.sort_unstable();
            ours
        };
        assert_eq!(ours(false), allowed, "the layers below `{name}`");
        let tested_with =
            TESTED_WITH.iter().find(|(tested, _)| *tested == name).map_or(&[][..], |(_, with)| with);
        assert_eq!(ours(true), tested_with, "what the tests of `{name}` need");
    }
}

#[test]
fn the_table_names_every_crate() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let members = manifest.lines().find(|line| line.starts_with("members")).expect("a list of members");
    let mut named: Vec<&str> = members.split('"').skip(1).step_by(2).collect();
    let mut known: Vec<&str> = LAYERS.iter().map(|(name, _)| *name).collect();
    named.sort_unstable();
    known.sort_unstable();
    assert_eq!(named, known);
}

#[test]
fn only_codegen_names_cranelift() {
    let native = ["cranelift", "memmap", "target-lexicon"];
    for (name, _) in LAYERS.iter().filter(|(name, _)| *name != NATIVE) {
        let manifest = fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
        let found =
            dependencies(&manifest).into_values().flatten().find(|d| native.iter().any(|n| d.starts_with(n)));
        assert_eq!(found, None, "a dependency of `{name}`");
        for (path, source) in sources(&root().join(name)) {
            assert!(!source.contains("cranelift_"), "{} uses Cranelift", path.display());
        }
    }
}

#[test]
fn unsafe_code_is_where_the_table_says() {
    let mut found = Vec::new();
    for folder in LAYERS.iter().map(|(name, _)| *name).chain(["src", "tests", "benches", "examples"]) {
        for (path, source) in sources(&root().join(folder)) {
            let path = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
            if is_unsafe(&source) && !UNSAFE_TESTS.iter().any(|allowed| path.starts_with(allowed)) {
                found.push(path);
            }
        }
    }
    found.sort();
    assert_eq!(found, UNSAFE);
}

#[test]
fn crates_without_unsafe_code_forbid_it() {
    for name in ["derive", "ir", "transforms", "frontend", "."] {
        let lib = fs::read_to_string(root().join(name).join("src/lib.rs")).unwrap();
        assert!(lib.contains("#![forbid(unsafe_code)]"), "{name}/src/lib.rs");
    }
}

/// Whether a line outside comments has the keyword. Attributes about it do not.
fn is_unsafe(source: &str) -> bool {
    let keyword = concat!("un", "safe");
    source.lines().any(|line| {
        let code = line.split("//").next().unwrap_or_default();
        let words = code.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        words.into_iter().any(|word| word == keyword)
    })
}

/// The Rust files of a folder and the folders in it.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((path.clone(), fs::read_to_string(&path).unwrap()));
        }
    }
    found
}
