//! Every row of the table of rewrites: it applies, and what it promises about bits holds.
//!
//! Small random expressions of the operations and constants that rows look for are simplified, until every row has
//! applied often; each is then evaluated before and after on all special values. So a row that is added is tested, too.

use evolute_ir::{Builder, Class, Elem, Interpreter, Literal, Op, Prim, Program, Type, Value};
use evolute_transforms::simplify::rules::TABLE;
use evolute_transforms::simplify::{When, simplify};
use std::collections::BTreeMap;

/// How often every row must apply.
const OFTEN: usize = 50;
/// How many expressions may be tried.
const TRIES: usize = 200_000;
/// By how many units in the last place an inexact row may change a number.
const ULPS: u64 = 16;

/// What the rows' roots and their operands are made of, some more often.
const PRIMS: [Prim; 23] = [
    Prim::Add,
    Prim::Sub,
    Prim::Sub,
    Prim::Neg,
    Prim::Neg,
    Prim::Mul,
    Prim::Mul,
    Prim::Mul,
    Prim::Mul,
    Prim::Div,
    Prim::Recip,
    Prim::Abs,
    Prim::MulAdd,
    Prim::Powi,
    Prim::Powf,
    Prim::StopGradient,
    Prim::WithSlope,
    Prim::And,
    Prim::Or,
    Prim::Not,
    Prim::Sqrt,
    Prim::Max,
    Prim::Lt,
];

const CONSTANTS: [f64; 16] =
    [0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, 4.0, 3.0, -3.0, 0.1, 1.5, 1e300, 1e-300, 8.0, 1.0 / 1024.0];

const SPECIAL: [f64; 20] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    5e-324,
    -5e-324,
    f64::MIN_POSITIVE,
    -2.225_073_858_507_201e-308,
    f64::MAX,
    f64::MIN,
    0.1,
    -0.7,
    2.5,
    -3.0,
    1e200,
    -1e-200,
    1.0 + f64::EPSILON,
];

struct Rng(u64);

impl Rng {
    fn bits(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        ((self.bits() >> 33) % end as u64) as usize
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// A scalar of any kind: often special, else random bits.
fn literal(rng: &mut Rng, elem: Elem) -> Literal {
    match elem {
        Elem::F64 if rng.below(4) == 0 => Literal::F64(rng.bits()),
        Elem::F32 if rng.below(4) == 0 => Literal::F32(rng.bits() as u32),
        Elem::F64 | Elem::F32 => Literal::from_f64(elem, rng.pick(&SPECIAL)),
        Elem::I64 => Literal::I64(match rng.below(3) {
            0 => rng.bits() as i64,
            1 => rng.pick(&[i64::MIN, i64::MAX, -1, 0]),
            _ => rng.below(9) as i64 - 4,
        }),
        Elem::Bool => Literal::Bool(rng.below(2) == 1),
    }
}

/// An expression of at most `depth` operations above each other.
fn expression(rng: &mut Rng, builder: &mut Builder, params: &[Value], elem: Elem, depth: usize) -> Value {
    match rng.below(8) {
        _ if depth == 0 => leaf(rng, builder, params, elem),
        0 | 1 => leaf(rng, builder, params, elem),
        2 => {
            let condition = expression(rng, builder, params, Elem::Bool, depth - 1);
            let [yes, no] = [(); 2].map(|()| expression(rng, builder, params, elem, depth - 1));
            builder.insert(Op::Select, &[condition, yes, no]).expect("well typed")
        }
        3 if elem.is_real() && rng.below(8) == 0 => in_turn(rng, builder, params, elem, depth),
        _ => primitive(rng, builder, params, elem, depth),
    }
}

/// One thing or another, as a sum of two of which one is 0.
fn in_turn(rng: &mut Rng, builder: &mut Builder, params: &[Value], elem: Elem, depth: usize) -> Value {
    let condition = expression(rng, builder, params, Elem::Bool, depth - 1);
    let terms = [false, true].map(|first| {
        let x = expression(rng, builder, params, elem, depth - 1);
        let zero = builder.constant(Literal::from_f64(elem, rng.pick(&[0.0, -0.0])));
        let arms = if first { [condition, x, zero] } else { [condition, zero, x] };
        builder.insert(Op::Select, &arms).expect("well typed")
    });
    builder.insert(Op::Prim(Prim::Add), &terms).expect("well typed")
}

/// A row of THE table that gives `elem`.
fn primitive(rng: &mut Rng, builder: &mut Builder, params: &[Value], elem: Elem, depth: usize) -> Value {
    loop {
        let prim = rng.pick(&PRIMS);
        let compared = prim.result() == Class::B && prim.operands()[0] != Class::B;
        let operand = if compared { rng.pick(&[Elem::F64, Elem::I64]) } else { elem };
        if !prim.result().contains(elem) || !prim.operands()[0].contains(operand) {
            continue;
        }
        let mut operands = Vec::new();
        for class in prim.operands() {
            let kind = class.fixed().unwrap_or(operand);
            operands.push(expression(rng, builder, params, kind, depth - 1));
        }
        return builder.insert(Op::Prim(prim), &operands).expect("well typed");
    }
}

fn leaf(rng: &mut Rng, builder: &mut Builder, params: &[Value], elem: Elem) -> Value {
    let fitting: Vec<Value> =
        params.iter().copied().filter(|&v| builder.program().ty(v).elem == elem).collect();
    if rng.below(5) < 3 && !fitting.is_empty() {
        return rng.pick(&fitting);
    }
    let literal = match elem {
        Elem::F64 | Elem::F32 => Literal::from_f64(elem, rng.pick(&CONSTANTS)),
        Elem::I64 => Literal::I64(rng.below(19) as i64 - 9),
        Elem::Bool => Literal::Bool(rng.below(2) == 1),
    };
    builder.constant(literal)
}

/// A random expression of two numbers and a truth value.
fn program(rng: &mut Rng) -> Program {
    let mut builder = Builder::new();
    let elem = rng.pick(&[Elem::F64, Elem::F64, Elem::F32, Elem::I64, Elem::Bool]);
    let number = if elem == Elem::Bool { Elem::F64 } else { elem };
    let params: Vec<Value> = [number, number, Elem::Bool, Elem::I64]
        .iter()
        .map(|&elem| builder.param(&Type::scalar(elem)))
        .collect();
    let depth = 1 + rng.below(3);
    let result = expression(rng, &mut builder, &params, elem, depth);
    builder.finish(&[result]).expect("open")
}

/// The result on each of these inputs, and whether an operation on finite numbers left the range of normal ones.
/// A failing integer division gives no result.
fn evaluate(program: &Program, inputs: &[Vec<Literal>]) -> Vec<(Option<Literal>, bool)> {
    let interpreter = Interpreter::new(program).expect("no operators");
    let mut machine = interpreter.machine();
    let elem = program.result_types()[0].elem;
    let mut results = Vec::new();
    for input in inputs {
        for (param, &value) in input.iter().enumerate() {
            interpreter.set(&mut machine, param, 0, value);
        }
        if interpreter.run(&mut machine).is_err() {
            results.push((None, false));
            continue;
        }
        let slot = interpreter.result(&machine, 0).next().expect("a scalar");
        let at = |v: Value| {
            let slot = interpreter.peek(&machine, v).next().expect("a scalar");
            Literal::from_slot(program.ty(v).elem, slot)
        };
        let left = program.root().insts.iter().any(|&inst| {
            let finite = program.operands(inst).iter().all(|&v| at(v).as_real().is_none_or(f64::is_finite));
            finite && leaves_range(at(program.result(inst)))
        });
        results.push((Some(Literal::from_slot(elem, slot)), left));
    }
    results
}

fn leaves_range(x: Literal) -> bool {
    match x {
        Literal::F64(bits) => !f64::from_bits(bits).is_normal(),
        Literal::F32(bits) => !f32::from_bits(bits).is_normal(),
        Literal::I64(_) | Literal::Bool(_) => false,
    }
}

fn is_nan(x: Literal) -> bool {
    x.as_real().is_some_and(f64::is_nan)
}

fn same_bits(a: Literal, b: Literal) -> bool {
    a == b || (is_nan(a) && is_nan(b))
}

/// The distance in units of the last place; zeros of both signs are one number.
fn ulps(a: Literal, b: Literal) -> u64 {
    let ordered = |x: Literal| match x {
        Literal::F64(bits) => {
            let magnitude = (bits & !(1 << 63)) as i64;
            if bits >> 63 == 1 { -magnitude } else { magnitude }
        }
        Literal::F32(bits) => {
            let magnitude = i64::from(bits & !(1 << 31));
            if bits >> 31 == 1 { -magnitude } else { magnitude }
        }
        Literal::I64(x) => x,
        Literal::Bool(x) => i64::from(x),
    };
    ordered(a).abs_diff(ordered(b))
}

/// Whether a rounding of an operand stays a few roundings of the result: sums may cancel, powers and comparisons
/// amplify, so their operands must be exact.
fn keeps_roundings_small(program: &Program) -> bool {
    use Prim::{Add, Lt, Max, MulAdd, Powf, Powi, Sub};
    program.root().insts.iter().all(|&inst| match program.op(inst) {
        Op::Prim(Add | Sub | MulAdd | Powf | Powi | Lt | Max) => {
            program.operands(inst).iter().all(|&v| is_exact(program, v))
        }
        _ => true,
    })
}

/// A parameter, a constant, or one of these with another sign, or one or another of them.
fn is_exact(program: &Program, value: Value) -> bool {
    program.def_inst(value).is_none_or(|inst| match program.op(inst) {
        Op::Const(_) => true,
        Op::Prim(Prim::Neg | Prim::Abs) => is_exact(program, program.operands(inst)[0]),
        Op::Select => program.operands(inst)[1..].iter().all(|&v| is_exact(program, v)),
        _ => false,
    })
}

/// What `when` promises of the simplified program holds on these inputs.
fn check(original: &Program, simplified: &Program, when: When, inputs: &[Vec<Literal>]) {
    let (before, after) = (evaluate(original, inputs), evaluate(simplified, inputs));
    for (input, ((x, left), (y, _))) in inputs.iter().zip(before.into_iter().zip(after)) {
        let holds = match (x, y) {
            (None, None) => true,
            (Some(x), Some(y)) => allowed(when, (x, left), y),
            // What fails may be found not to matter.
            (None, Some(_)) => simplified.len() < original.len(),
            (Some(_), None) => false,
        };
        assert!(
            holds,
            "{when:?}: {y:?} instead of {x:?} on {input:?}\n{original}── simplified\n{simplified}"
        );
    }
}

/// Whether `x`, on the way to which the range of normal numbers was `left` or not, may become `y`.
fn allowed(when: When, (x, left): (Literal, bool), y: Literal) -> bool {
    match when {
        When::Always | When::Last => same_bits(x, y),
        // Merged constants may keep a number within the range.
        When::Contract if left => true,
        When::Contract if is_nan(x) || is_nan(y) => is_nan(x) && is_nan(y),
        When::Contract => ulps(x, y) <= ULPS,
    }
}

fn inputs(rng: &mut Rng, program: &Program) -> Vec<Vec<Literal>> {
    let types = program.param_types();
    (0..60).map(|_| types.iter().map(|ty| literal(rng, ty.elem)).collect()).collect()
}

#[test]
fn every_rewrite_applies_and_keeps_its_promise() {
    let mut rng = Rng(0x1234_5678_9abc_def1);
    let mut applied: BTreeMap<&str, usize> = TABLE.iter().map(|row| (row.name, 0)).collect();
    assert_eq!(applied.len(), TABLE.len(), "names are distinct");
    let mut tries = 0;
    while applied.values().any(|&count| count < OFTEN) {
        let rare: Vec<_> = applied.iter().filter(|(_, count)| **count < OFTEN).collect();
        assert!(tries < TRIES, "these rewrites rarely apply: {rare:?}");
        tries += 1;
        let program = program(&mut rng);
        let inputs = inputs(&mut rng, &program);
        for when in [When::Always, When::Last, When::Contract] {
            let simplified = simplify(&program, when).expect("valid");
            let again = simplify(&simplified.program, when).expect("valid").program;
            assert_eq!(again, simplified.program, "{when:?}: again\n{program}");
            if simplified.applied.is_empty() {
                continue;
            }
            if when != When::Contract || keeps_roundings_small(&program) {
                check(&program, &simplified.program, when, &inputs);
                for (name, count) in simplified.applied {
                    *applied.get_mut(name).expect("a row of the table") += count;
                }
            }
        }
    }
    println!("{tries} expressions: {applied:?}");
}

/// A row applies no earlier than it says.
#[test]
fn rewrites_wait_for_their_time() {
    let mut rng = Rng(0x0fed_cba9_8765_4321);
    let times: BTreeMap<&str, When> = TABLE.iter().map(|row| (row.name, row.when)).collect();
    for _ in 0..5_000 {
        let program = program(&mut rng);
        for when in [When::Always, When::Last, When::Contract] {
            for name in simplify(&program, when).expect("valid").applied.keys() {
                assert!(times[name] <= when, "`{name}` applied at {when:?}");
            }
        }
    }
}

/// Known wrong: NaNs are one class, but `copysign` makes a number of the sign of a NaN, which rewrites change. So no
/// row may be tested under a `copysign`, and random programs give it no NaN.
#[test]
fn copysign_shows_the_sign_of_a_nan() {
    let source = "evolute 0\nprogram (v0: f64) -> (f64) {
  v1 = neg v0
  v2 = div v0, v1
  v3 = const 1.0
  v4 = copysign v3, v2
  return v4
}";
    let program = evolute_ir::text::parse(source).expect("valid");
    let simplified = simplify(&program, When::Always).expect("valid").program;
    let zero = [vec![Literal::from(0.0)]];
    assert_ne!(evaluate(&program, &zero)[0].0, evaluate(&simplified, &zero)[0].0);
}
