//! Random programs with arrays, loops and conditionals, nested: native against interpreter, bit for bit,
//! and failure for failure.

#[path = "../common/mod.rs"]
mod common;
mod generator;
mod nests;

use common::{Random, check_code};
use evolute_codegen::{CodegenOptions, Plan, Regalloc, compile};
use evolute_ir::{Buffer, Builder, Callee, Elem, Program, Type, Value, verify};
use generator::Generator;
use std::panic::{AssertUnwindSafe, catch_unwind};

fn program(seed: u64) -> Program {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut callees = Vec::new();
    for _ in 0..random.below(3) {
        let size = 3 + random.below(8);
        // Loops in functions called in loops would take long.
        let (function, next) = function(random, &callees, size, 2);
        callees.push(Callee::new(function));
        random = next;
    }
    let size = 4 + random.below(20);
    function(random, &callees, size, 0).0
}

/// A random function that may call these, and what is random after it.
fn function(random: Random, callees: &[Callee], size: usize, depth: usize) -> (Program, Random) {
    let builder = Builder::new();
    let callees = callees.to_vec();
    let mut generator = Generator { builder, random, pool: Vec::new(), depth, callees };
    for (elem, shape) in [
        (Elem::F64, &[][..]),
        (Elem::F64, &[7]),
        (Elem::F64, &[3, 5]),
        (Elem::F32, &[2, 3, 4]),
        (Elem::I64, &[4]),
        (Elem::I64, &[]),
        (Elem::Bool, &[]),
        (Elem::Bool, &[3, 5]),
    ] {
        let param = generator.builder.param(&Type::array(elem, shape).expect("small"));
        generator.pool.push(param);
    }
    generator.steps(size);
    let results: Vec<Value> = (0..4).filter_map(|_| generator.pick(|_| true)).collect();
    let all = generator.random.below(4) == 0;
    let pool = generator.pool.clone();
    let program = generator.builder.finish(if all { &pool } else { &results }).expect("open");
    (program, generator.random)
}

fn input(ty: &Type, random: &mut Random) -> Buffer {
    let len = ty.shape.len();
    let mut real = || match random.below(12) {
        0 => -0.0,
        1 => f64::NAN,
        2 => f64::INFINITY,
        _ => random.real(),
    };
    match ty.elem {
        Elem::F64 => Buffer::F64((0..len).map(|_| real()).collect()),
        Elem::F32 => Buffer::F32((0..len).map(|_| real() as f32).collect()),
        Elem::I64 => Buffer::I64((0..len).map(|_| random.below(9) as i64 - 2).collect()),
        Elem::Bool => Buffer::Bool((0..len).map(|_| random.below(2) == 0).collect()),
    }
}

/// Checks a program; whether its code uses vectors.
fn check(seed: u64) -> bool {
    let program = program(seed);
    verify(&program).expect("the builder makes well-formed programs");
    let regalloc = [Regalloc::Backtracking, Regalloc::SinglePass][(seed % 2) as usize];
    let chunk = [1000, 40, 4][(seed % 3) as usize];
    let vectors = !seed.is_multiple_of(5);
    let options = CodegenOptions { verify: true, regalloc, chunk, vectors };
    let run = || {
        let code = compile(&program, &options).expect("compiles");
        let mut random = Random(seed + 1);
        for _ in 0..4 {
            let inputs: Vec<Buffer> = program.param_types().iter().map(|ty| input(ty, &mut random)).collect();
            check_code(&code, &program, &inputs);
        }
    };
    if let Err(panic) = catch_unwind(AssertUnwindSafe(run)) {
        let plan = catch_unwind(AssertUnwindSafe(|| {
            Plan::new(&program, &options).map_or_else(|error| error.to_string(), |plan| plan.to_string())
        }));
        eprintln!("seed {seed}:\n{program}\n{}", plan.unwrap_or_default());
        std::panic::resume_unwind(panic);
    }
    Plan::new(&program, &options).is_ok_and(|plan| plan.to_string().contains("×2"))
}

#[test]
fn random_structured_programs() {
    let many = std::env::var("EVOLUTE_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1500);
    let first = std::env::var("EVOLUTE_FIRST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let wide = (first..first + many).filter(|&seed| check(seed)).count() as u64;
    assert!(wide * 20 > many, "only {wide} of {many} programs use vectors");
}
