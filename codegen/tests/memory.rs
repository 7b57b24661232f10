//! Code memory: pages are never writable and executable at once, and dropped code is unmapped.
//! There is one test, as others running beside it would blur resident memory.
#![cfg(target_os = "linux")]

mod common;
#[path = "common/mappings.rs"]
mod mappings;

use common::check_code;
use evolute_codegen::{Code, CodegenOptions, compile};
use evolute_ir::{Buffer, Builder, Elem, Literal, Op, Prim, Program, Type};
use mappings::{executable_mappings, resident_bytes};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

fn polynomial(degree: usize) -> Program {
    let mut builder = Builder::new();
    let x = builder.param(&Type::scalar(Elem::F64));
    let mut y = builder.constant(Literal::from(0.5));
    for i in 0..degree {
        let coefficient = builder.constant(Literal::from(i as f64 + 0.25));
        let product = builder.insert(Op::Prim(Prim::Mul), &[y, x]).expect("well typed");
        y = builder.insert(Op::Prim(Prim::Add), &[product, coefficient]).expect("well typed");
    }
    builder.finish(&[y]).expect("open")
}

#[test]
fn mappings_are_exclusive_and_freed() {
    let options = CodegenOptions { verify: false, chunk: 50, ..CodegenOptions::default() };
    let (small, large) = (polynomial(3), polynomial(2000));
    let before = executable_mappings();
    let compiling = AtomicBool::new(true);
    let codes: Vec<Code> = std::thread::scope(|scope| {
        scope.spawn(|| {
            while compiling.load(Relaxed) {
                executable_mappings();
            }
        });
        let codes = (0..20).map(|_| compile(&large, &options).expect("compiles")).collect();
        compiling.store(false, Relaxed);
        codes
    });
    assert!(executable_mappings() > before);
    std::thread::scope(|scope| {
        for code in &codes {
            scope.spawn(|| check_code(code, &large, &[Buffer::F64(vec![0.9])]));
        }
    });
    drop(codes);
    assert_eq!(executable_mappings(), before);

    let cycle = || drop(compile(&small, &options).expect("compiles"));
    (0..500).for_each(|_| cycle());
    let start = resident_bytes();
    (0..10_000).for_each(|_| cycle());
    let growth = resident_bytes().saturating_sub(start);
    assert!(growth < 5 << 20, "{growth} bytes in 10 000 cycles");
}
