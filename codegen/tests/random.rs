//! Random graphs of all primitives and element kinds, in chunks of every size, under both register
//! allocators: native against interpreter.

mod common;

use common::{Random, check_with};
use evolute_codegen::{CodegenOptions, Regalloc};
use evolute_ir::{Buffer, Builder, Elem, Op, Prim, Program, Type, Value};

const INPUTS: usize = 6;

/// The scalars available, by element kind.
struct Pool {
    values: [Vec<Value>; 4],
}

impl Pool {
    /// Mostly a recent value, so that chains form; sometimes any, so that live ranges are long.
    fn pick(&self, elem: Elem, random: &mut Random) -> Value {
        let values = &self.values[elem as usize];
        let near = values.len().min(if random.below(5) == 0 { values.len() } else { 12 });
        values[values.len() - 1 - random.below(near)]
    }
}

/// A program of about `size` operations whose results are spread over all of it.
fn program(random: &mut Random, size: usize) -> Program {
    let mut builder = Builder::new();
    let mut pool = Pool { values: Default::default() };
    for elem in Elem::ALL {
        let param = builder.param(&Type::array(elem, &[INPUTS]).expect("small"));
        let elements =
            (0..INPUTS as u32).map(|i| builder.insert(Op::Element(i), &[param]).expect("in range"));
        pool.values[elem as usize] = elements.collect();
    }
    for _ in 0..size {
        let (op, kinds) = operation(random);
        let operands: Vec<Value> = kinds.iter().map(|&elem| pool.pick(elem, random)).collect();
        if let Ok(value) = builder.insert(op, &operands) {
            let elem = builder.program().ty(value).elem;
            pool.values[elem as usize].push(value);
        }
    }
    let results: Vec<Value> =
        Elem::ALL.into_iter().flat_map(|elem| spread(&mut builder, &pool, elem)).collect();
    builder.finish(&results).expect("open")
}

/// A packed result of every seventh value, and the last as a scalar.
fn spread(builder: &mut Builder, pool: &Pool, elem: Elem) -> [Value; 2] {
    let values = &pool.values[elem as usize];
    let some: Vec<Value> = values.iter().copied().step_by(7).collect();
    let ty = builder.intern(&Type::array(elem, &[some.len()]).expect("small"));
    [builder.insert(Op::Pack(ty), &some).expect("well typed"), values[values.len() - 1]]
}

fn operation(random: &mut Random) -> (Op, Vec<Elem>) {
    let elem = Elem::ALL[random.below(4)];
    match random.below(10) {
        0 => (Op::Select, vec![Elem::Bool, elem, elem]),
        1 => (Op::Cast(Elem::ALL[random.below(4)]), vec![elem]),
        2..=5 => {
            let prim = [Prim::Add, Prim::Sub, Prim::Mul, Prim::Neg][random.below(4)];
            let elem = if random.below(4) == 0 { elem } else { Elem::F64 };
            (Op::Prim(prim), vec![elem; prim.arity()])
        }
        _ => {
            let mut prim = Prim::ALL[random.below(Prim::ALL.len())];
            if prim.may_fail() && elem == Elem::I64 {
                prim = Prim::Max;
            }
            (Op::Prim(prim), prim.operands().iter().map(|class| class.fixed().unwrap_or(elem)).collect())
        }
    }
}

fn inputs(random: &mut Random) -> Vec<Buffer> {
    vec![
        Buffer::F64((0..INPUTS).map(|_| random.real()).collect()),
        Buffer::F32((0..INPUTS).map(|_| random.real() as f32).collect()),
        Buffer::I64((0..INPUTS).map(|_| random.bits() as i64 >> random.below(64)).collect()),
        Buffer::Bool((0..INPUTS).map(|_| random.below(2) == 1).collect()),
    ]
}

fn check_sizes(seed: u64, sizes: &[usize], chunks: &[usize]) {
    let mut random = Random(seed);
    for &size in sizes {
        let program = program(&mut random, size);
        let inputs = inputs(&mut random);
        for &chunk in chunks {
            for regalloc in [Regalloc::Backtracking, Regalloc::SinglePass] {
                check_with(
                    &program,
                    &inputs,
                    &CodegenOptions { verify: true, regalloc, chunk, ..CodegenOptions::default() },
                );
            }
        }
    }
}

#[test]
fn small_programs() {
    for seed in 1..120 {
        check_sizes(seed, &[1, 3, 10, 40], &[1, 7, 64]);
    }
}

#[test]
fn middling_programs() {
    for seed in 1..8 {
        check_sizes(seed, &[200, 700], &[7, 64, 1000]);
    }
}

#[test]
fn large_programs() {
    check_sizes(99, &[5000], &[1, 64, 600, 2000]);
}
