//! The interpreter step by step: a state is kept between evaluations, and every value can be looked at.

use crate::support::{self, Rng};
use evolute_ir::interp::cast;
use evolute_ir::{Elem, Failure, FailureKind, Interpreter, Literal, Program, SourceLoc, Value, text};

const DIVIDE: &str = r#"evolute 0
program (v0: i64[2], v1: i64) -> (i64[2]) {
  v2 = element v0, 0
  v3 = element v0, 1
  v4 = div v2, v1 @"first.rs":1
  v5 = rem v3, v1 @"second.rs":2
  v6 = pack i64[2] v5, v4
  return v6
}"#;

fn read(text: &str) -> Program {
    text::parse(text).expect("well formed")
}

#[test]
fn a_state_serves_many_evaluations() {
    let program = read(DIVIDE);
    let interpreter = Interpreter::new(&program).expect("no operators");
    assert_eq!((interpreter.len(), interpreter.is_empty()), (2, false), "element and pack cost nothing");
    let mut machine = interpreter.machine();
    interpreter.set_all(&mut machine, 0, [17, 23].into_iter());
    for (divisor, expected) in [(5, [3, 3]), (0, [0, 0]), (4, [3, 4])] {
        interpreter.set(&mut machine, 1, 0, Literal::I64(divisor));
        let outcome = interpreter.run(&mut machine);
        if divisor == 0 {
            let loc = Some(SourceLoc { file: "first.rs".into(), line: 1 });
            assert_eq!(outcome, Err(Failure { kind: FailureKind::IntegerDivision, loc }));
            continue;
        }
        assert_eq!(outcome, Ok(()));
        assert!(interpreter.result(&machine, 0).eq(expected));
        let quotient = program.values().keys().nth(4).expect("v4");
        assert!(interpreter.peek(&machine, quotient).eq([expected[1]]));
    }
}

#[test]
fn values_can_be_looked_at() {
    let program = read("evolute 0\nprogram (v0: f64[2]) -> () {\nv1 = mul v0, v0\nv2 = const 3.0\nreturn\n}");
    let interpreter = Interpreter::new(&program).expect("no operators");
    let mut machine = interpreter.machine();
    interpreter.set_all(&mut machine, 0, [1.5f64, -2.0].map(f64::to_bits).into_iter());
    interpreter.run(&mut machine).expect("reals do not fail");
    let look = |value: Value| interpreter.peek(&machine, value).map(f64::from_bits).collect::<Vec<_>>();
    let seen: Vec<_> = program.values().keys().map(look).collect();
    assert_eq!(seen, [vec![1.5, -2.0], vec![2.25, 4.0], vec![3.0]]);
    assert_eq!(interpreter.params().collect::<Vec<_>>(), [&program.param_types()[0]]);
}

/// Casts are Rust's `as`, but that anything becomes `bool` by asking whether it differs from zero.
#[test]
fn casts() {
    let rng = &mut Rng::new(1);
    for _ in 0..10_000 {
        let Literal::I64(n) = support::literal(rng, Elem::I64) else { panic!("not an integer") };
        let x = f64::from_bits(rng.bits());
        let cases = [
            (Literal::from(x), Elem::F32, Literal::F32((x as f32).to_bits())),
            (Literal::from(x), Elem::I64, Literal::I64(x as i64)),
            (Literal::from(x), Elem::Bool, Literal::Bool(x != 0.0)),
            (Literal::F32((x as f32).to_bits()), Elem::F64, Literal::from(f64::from(x as f32))),
            (Literal::F32((x as f32).to_bits()), Elem::I64, Literal::I64((x as f32) as i64)),
            (Literal::I64(n), Elem::F64, Literal::from(n as f64)),
            (Literal::I64(n), Elem::F32, Literal::F32((n as f32).to_bits())),
            (Literal::I64(n), Elem::Bool, Literal::Bool(n != 0)),
            (Literal::Bool(n > 0), Elem::I64, Literal::I64(i64::from(n > 0))),
        ];
        for (from, elem, expected) in cases {
            let found = cast(from, elem);
            let both_nan =
                found.as_real().zip(expected.as_real()).is_some_and(|(a, b)| a.is_nan() && b.is_nan());
            assert!(found == expected || both_nan, "{from} as {elem} is {found}, expected {expected}");
        }
    }
}
