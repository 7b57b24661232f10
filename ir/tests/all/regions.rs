//! Building nested regions: what is captured, in which order, and what is refused.

use evolute_ir::{Builder, Closure, Elem, IrError, Literal, Mode, Op, Prim, Type, verify};

fn real() -> Type {
    Type::scalar(Elem::F64)
}

#[test]
fn parameters_precede_captures_in_whatever_order_they_are_made() {
    let mut builder = Builder::new();
    let [x, y, outer] = [0; 3].map(|_| builder.param(&real()));
    builder.open_region();
    let first = builder.param(&real());
    let product = builder.insert(Op::Prim(Prim::Mul), &[first, outer]).expect("well typed");
    let second = builder.param(&real());
    let difference = builder.insert(Op::Prim(Prim::Sub), &[product, second]).expect("well typed");
    let body = builder.close_region(&[difference]).expect("in scope");
    let results = builder.operator(Mode::Forward, body, &[x, y], &[x, y]).expect("well typed");
    check(
        builder,
        &results,
        "  v8, v9 = jvp v0, v1, v0, v1, v2 wrt 2 (v3: f64, v4: f64, v5: f64) {
    v6 = mul v3, v5
    v7 = sub v6, v4
    yield v7
  }
",
    );
}

/// A value captured two regions deep passes through the region in between; a constant is repeated in both.
#[test]
fn captures_pass_through() {
    let mut builder = Builder::new();
    let [x, outer] = [0; 2].map(|_| builder.param(&real()));
    let two = builder.constant(Literal::from(2.0));
    builder.open_region();
    let y = builder.param(&real());
    builder.open_region();
    let z = builder.param(&real());
    let product = builder.insert(Op::Prim(Prim::MulAdd), &[z, outer, two]).expect("well typed");
    let inner = builder.close_region(&[product]).expect("in scope");
    let slopes = builder.operator(Mode::Forward, inner, &[y], &[outer]).expect("well typed");
    let body = builder.close_region(&slopes[1..]).expect("in scope");
    let results = builder.operator(Mode::Reverse, body, &[x], &[two]).expect("well typed");
    check(
        builder,
        &results,
        "  v2 = const 2.0
  v12, v13 = vjp v0, v2, v1 wrt 1 (v3: f64, v4: f64) {
    v5 = const 2.0
    v10, v11 = jvp v3, v4, v4 wrt 1 (v6: f64, v7: f64) {
      v8 = const 2.0
      v9 = mul_add v6, v7, v8
      yield v9
    }
    yield v11
  }
",
    );
}

fn check(builder: Builder, results: &[evolute_ir::Value], expected: &str) {
    let program = builder.finish(results).expect("in scope");
    assert_eq!(verify(&program), Ok(()));
    let printed = program.to_string();
    assert!(printed.contains(expected), "expected\n{expected}found\n{printed}");
}

#[test]
fn escaped_values_are_refused() {
    let mut builder = Builder::new();
    let x = builder.param(&real());
    builder.open_region();
    let y = builder.param(&real());
    builder.close_region(&[y]).expect("in scope");
    let refused = Err(IrError::Escaped { value: y, closure: Closure::Sibling, defined: None });
    assert_eq!(builder.insert(Op::Prim(Prim::Mul), &[x, y]), refused);
    assert_eq!(builder.finish(&[y]).map(|_| y), refused);
}
