//! Every primitive, cast and `select` on every element kind it acts on, over special and random
//! values: native against interpreter. Rows are read from THE table, so a row added is tested.

mod common;

use common::{Random, check, check_code};
use evolute_codegen::{CodegenOptions, compile};
use evolute_ir::{Buffer, Builder, Elem, IrError, Op, Prim, Program, Type, Value};

/// How many random values join the special ones, and how many combinations are tried at most.
const RANDOM: usize = 40;
const MOST_ROWS: usize = 120_000;

fn f64s() -> Vec<f64> {
    let mut values = vec![0.0, 5e-324, 1e-310, f64::MIN_POSITIVE, 1e-300, 1e-20, 0.1, 0.25, 1.0 / 3.0];
    values.extend([
        0.5f64.next_down(),
        0.5,
        0.5f64.next_up(),
        0.7,
        1.0f64.next_down(),
        1.0,
        1.0f64.next_up(),
    ]);
    values.extend([1.5, 2.0, 2.5, 3.0, 10.0, 170.5, 709.7, 710.0, 745.2, 1e5, 1e10, 4503599627370495.5]);
    values.extend([
        4503599627370496.5,
        9007199254740993.0,
        9.3e18,
        1e30,
        1e155,
        1e300,
        f64::MAX,
        f64::INFINITY,
        f64::NAN,
    ]);
    let mut random = Random(7);
    values.extend((0..RANDOM).map(|_| f64::from_bits(random.bits())));
    values.extend((0..RANDOM).map(|_| random.real() * 5.0));
    values.iter().flat_map(|&x| [x, -x]).collect()
}

fn f32s() -> Vec<f32> {
    let mut values: Vec<f32> =
        vec![1e-45, 1e-40, f32::MIN_POSITIVE, 0.5f32.next_down(), 8388607.5, 16777217.0, f32::MAX];
    values.extend(f64s().iter().map(|&x| x as f32));
    let mut random = Random(9);
    values.extend((0..RANDOM).map(|_| f32::from_bits(random.bits() as u32)));
    values.iter().flat_map(|&x| [x, -x]).collect()
}

fn i64s() -> Vec<i64> {
    let mut values = vec![0, 1, 2, 3, 5, 7, 20, 63, 64, 1 << 31, (1 << 53) + 1, i64::MAX, i64::MAX - 1];
    let mut random = Random(11);
    values.extend((0..RANDOM / 4).map(|_| random.bits() as i64));
    values.iter().flat_map(|&x: &i64| [x, x.wrapping_neg(), !x]).collect()
}

/// For each row the value of one operand: all combinations in turn if there is room for them, random
/// ones otherwise.
fn column(elem: Elem, stride: usize, rows: Option<usize>) -> Buffer {
    macro_rules! fill {
        ($values:expr) => {{
            let values = $values;
            let mut random = Random(stride as u64 + 1);
            match rows {
                Some(rows) => (0..rows).map(|i| values[(i / stride) % values.len()]).collect(),
                None => (0..MOST_ROWS).map(|_| values[random.below(values.len())]).collect(),
            }
        }};
    }
    match elem {
        Elem::F64 => Buffer::F64(fill!(f64s())),
        Elem::F32 => Buffer::F32(fill!(f32s())),
        Elem::I64 => Buffer::I64(fill!(i64s())),
        Elem::Bool => Buffer::Bool(fill!([false, true])),
    }
}

/// How many special values a kind has.
fn special(elem: Elem) -> usize {
    match elem {
        Elem::F64 => f64s().len(),
        Elem::F32 => f32s().len(),
        Elem::I64 => i64s().len(),
        Elem::Bool => 2,
    }
}

/// One operation on scalar parameters of these kinds.
fn program(op: Op, elems: &[Elem]) -> Result<Program, IrError> {
    let mut builder = Builder::new();
    let params: Vec<Value> = elems.iter().map(|&elem| builder.param(&Type::scalar(elem))).collect();
    let result = builder.insert(op, &params)?;
    builder.finish(&[result])
}

/// The kinds of operands that a row takes, for each kind its common operands may have.
fn signatures(prim: Prim) -> Vec<Vec<Elem>> {
    let kinds = Elem::ALL
        .into_iter()
        .filter(|&elem| prim.operands().iter().all(|class| class.fixed().is_some() || class.contains(elem)));
    kinds.map(|elem| prim.operands().iter().map(|class| class.fixed().unwrap_or(elem)).collect()).collect()
}

/// Native against interpreter on all combinations of special values, or a sample of triples.
fn check_everywhere(op: Op, elems: &[Elem]) {
    let program = program(op, elems).expect("well typed");
    let code = compile(&program, &CodegenOptions { verify: true, ..Default::default() }).expect("compiles");
    let combinations = |elems: &[Elem]| elems.iter().map(|&elem| special(elem)).product::<usize>();
    let all = Some(combinations(elems)).filter(|&all| all <= MOST_ROWS);
    let columns: Vec<Buffer> =
        (0..elems.len()).map(|n| column(elems[n], combinations(&elems[..n]), all)).collect();
    for row in 0..all.unwrap_or(MOST_ROWS) {
        let inputs: Vec<Buffer> = columns.iter().map(|column| single(column, row)).collect();
        check_code(&code, &program, &inputs);
    }
}

fn single(column: &Buffer, row: usize) -> Buffer {
    match column {
        Buffer::F64(x) => Buffer::F64(vec![x[row]]),
        Buffer::F32(x) => Buffer::F32(vec![x[row]]),
        Buffer::I64(x) => Buffer::I64(vec![x[row]]),
        Buffer::Bool(x) => Buffer::Bool(vec![x[row]]),
    }
}

#[test]
fn primitives() {
    for prim in Prim::ALL {
        let signatures = signatures(prim);
        assert!(!signatures.is_empty(), "`{}` acts on something", prim.name());
        for elems in signatures {
            if program(Op::Prim(prim), &elems).is_ok() {
                check_everywhere(Op::Prim(prim), &elems);
            }
        }
    }
}

#[test]
fn casts() {
    for from in Elem::ALL {
        for to in Elem::ALL {
            check_everywhere(Op::Cast(to), &[from]);
        }
    }
}

#[test]
fn selects() {
    for elem in Elem::ALL {
        check_everywhere(Op::Select, &[Elem::Bool, elem, elem]);
    }
}

/// Arrays act element by element, under every option.
#[test]
fn arrays() {
    for prim in Prim::ALL {
        for elems in signatures(prim) {
            let mut builder = Builder::new();
            let ty = |elem| Type::array(elem, &[3, 2]).expect("small");
            let params: Vec<Value> = elems.iter().map(|&elem| builder.param(&ty(elem))).collect();
            let result = builder.insert(Op::Prim(prim), &params).expect("well typed");
            let inputs: Vec<Buffer> = elems.iter().map(|&elem| column(elem, 1, Some(6))).collect();
            check(&builder.finish(&[result]).expect("open"), &inputs);
        }
    }
}
