//! What is joined is bounded, and the work that it takes grows no faster than the program.

use super::{MAX_SIZE, fuse, loop_of, round, sizes};
use evolute_ir::{Program, text, verify};
use std::fmt::Write;

/// So many sums over one array, each of its elements' sines times a number.
fn sums(count: usize) -> Program {
    let mut lines = "  v1 = const 0.0\n".to_owned();
    let (mut next, mut results) = (2, Vec::new());
    for _ in 0..count {
        let [index, x, sum, c, product, sine, added, result] = std::array::from_fn(|k| next + k);
        let head = "trips 7 carries 0 rows 1 sums 1";
        writeln!(lines, "  v{result} = loop v0, v1 {head} (v{index}: i64, v{x}: f64, v{sum}: f64) {{")
            .unwrap();
        writeln!(lines, "    v{c} = const {result}.0\n    v{product} = mul v{x}, v{c}").unwrap();
        writeln!(lines, "    v{sine} = sin v{product}\n    v{added} = add_at v{sum}, v{sine}").unwrap();
        writeln!(lines, "    yield v{added}\n  }}").unwrap();
        results.push(result);
        next = result + 1;
    }
    let types = vec!["f64"; count].join(", ");
    let results: Vec<String> = results.iter().map(|v| format!("v{v}")).collect();
    let results = results.join(", ");
    let text = format!("evolute 0\nprogram (v0: f64[7]) -> ({types}) {{\n{lines}  return {results}\n}}\n");
    text::parse(&text).expect("a program")
}

/// The sizes of a program's loops.
fn loops(program: &Program) -> Vec<usize> {
    let sizes = sizes(program);
    let size = |inst| {
        let spec = loop_of(program, inst)?;
        Some(program.op(inst).regions().map(|region| sizes[region]).sum::<usize>() + spec.sums as usize)
    };
    program.insts().keys().filter_map(size).collect()
}

/// How many rounds join something.
fn rounds(mut program: Program) -> usize {
    let mut rounds = 0;
    while let Some(next) = round(&program).expect("small") {
        (program, rounds) = (next, rounds + 1);
    }
    rounds
}

#[test]
fn joined_loops_are_of_bounded_size_however_many_there_are() {
    for count in [64, 512, 2048] {
        let joined = fuse(sums(count)).expect("small");
        verify(&joined).expect("valid");
        let sizes = loops(&joined);
        assert!(sizes.iter().all(|&size| size <= MAX_SIZE), "{sizes:?}");
        // Pieces are as long as the bound allows, but for the windows that they consist of.
        assert!(sizes.len() <= 1 + 5 * count / (MAX_SIZE / 2), "{sizes:?}");
    }
}

/// A round takes time in proportion to the program, so their number is what must not grow with it.
#[test]
fn rounds_do_not_grow_with_the_number_of_loops() {
    assert_eq!([128, 512, 2048].map(|count| rounds(sums(count))), [2, 2, 2]);
}
