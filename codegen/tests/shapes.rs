//! Programs at the edges: what is empty, repeated, constant, passed through, or wide.

mod common;

use common::{call, check, check_with};
use evolute_codegen::{CodegenError, CodegenOptions, Schedule, clif, compile, disassembly};
use evolute_ir::{
    Buffer, Builder, Elem, Failure, FailureKind, Literal, Mode, Op, Origin, Prim, Reduction, SourceLoc,
    Strides, Type, Value,
};

fn array(len: usize) -> Type {
    Type::array(Elem::F64, &[len]).expect("small")
}

fn pack(builder: &mut Builder, elements: &[Value]) -> Value {
    let ty = builder.intern(&array(elements.len()));
    builder.insert(Op::Pack(ty), elements).expect("well typed")
}

#[test]
fn no_parameters_and_no_results() {
    check(&Builder::new().finish(&[]).expect("open"), &[]);
    let mut builder = Builder::new();
    builder.param(&array(3));
    check(&builder.finish(&[]).expect("open"), &[Buffer::F64(vec![1.0; 3])]);
}

#[test]
fn constants_of_every_kind() {
    let mut builder = Builder::new();
    let mut literals =
        vec![Literal::Bool(true), Literal::Bool(false), Literal::I64(-5), Literal::I64(i64::MIN)];
    literals.extend([0.0, -0.0, 1.5, f64::NAN, f64::INFINITY].map(Literal::from));
    literals.extend([0.0f32, -0.0, 0.1].map(|x| Literal::F32(x.to_bits())));
    let results: Vec<Value> = literals.into_iter().map(|literal| builder.constant(literal)).collect();
    check(&builder.finish(&results).expect("open"), &[]);
}

#[test]
fn parameters_as_results() {
    let mut builder = Builder::new();
    let (x, y) = (builder.param(&array(3)), builder.param(&Type::scalar(Elem::Bool)));
    let program = builder.finish(&[x, y, x]).expect("open");
    check(&program, &[Buffer::F64(vec![1.0, -0.0, 3.0]), Buffer::Bool(vec![true])]);
}

#[test]
fn empty_arrays() {
    let mut builder = Builder::new();
    let x = builder.param(&array(0));
    let y = builder.insert(Op::Prim(Prim::Add), &[x, x]).expect("well typed");
    check(&builder.finish(&[x, y]).expect("open"), &[Buffer::F64(vec![])]);
}

#[test]
fn repeated_values_and_results() {
    let mut builder = Builder::new();
    let x = builder.param(&array(2));
    let first = builder.insert(Op::Element(0), &[x]).expect("in range");
    let square = builder.insert(Op::Prim(Prim::Mul), &[first, first]).expect("well typed");
    let zero = builder.constant(Literal::from(0.0));
    let packed = pack(&mut builder, &[square, first, square, zero, square]);
    let sum = builder.insert(Op::Prim(Prim::Add), &[packed, packed]).expect("well typed");
    let program = builder.finish(&[packed, square, square, sum, packed]).expect("open");
    check(&program, &[Buffer::F64(vec![3.0, 4.0])]);
}

#[test]
fn wide_fan_in_and_fan_out() {
    let mut builder = Builder::new();
    let x = builder.param(&array(200));
    let elements: Vec<Value> =
        (0..200).map(|i| builder.insert(Op::Element(i), &[x]).expect("in range")).collect();
    let sines: Vec<Value> =
        elements.iter().map(|&e| builder.insert(Op::Prim(Prim::Sin), &[e]).expect("well typed")).collect();
    let sum = sines
        .iter()
        .copied()
        .reduce(|a, b| builder.insert(Op::Prim(Prim::Add), &[a, b]).expect("well typed"));
    let sum = sum.expect("200 terms");
    let scaled: Vec<Value> =
        sines.iter().map(|&s| builder.insert(Op::Prim(Prim::Mul), &[s, sum]).expect("well typed")).collect();
    let packed = pack(&mut builder, &scaled);
    let program = builder.finish(&[packed]).expect("open");
    check(&program, &[Buffer::F64((0..200).map(|i| f64::from(i) * 0.1).collect())]);
}

#[test]
fn many_scalar_parameters_and_results() {
    let mut builder = Builder::new();
    let params: Vec<Value> = (0..150).map(|_| builder.param(&Type::scalar(Elem::F32))).collect();
    let results: Vec<Value> = (0..150)
        .map(|i| {
            builder.insert(Op::Prim(Prim::Sub), &[params[i], params[(i * 7 + 3) % 150]]).expect("well typed")
        })
        .collect();
    let inputs: Vec<Buffer> = (0..150).map(|i| Buffer::F32(vec![i as f32 * 0.3])).collect();
    check(&builder.finish(&results).expect("open"), &inputs);
}

#[test]
fn long_chains_do_not_recurse() {
    let mut builder = Builder::new();
    let x = builder.param(&Type::scalar(Elem::F64));
    let mut y = x;
    for _ in 0..100_000 {
        y = builder.insert(Op::Prim(Prim::Add), &[y, x]).expect("well typed");
    }
    let program = builder.finish(&[y]).expect("open");
    check_with(&program, &[Buffer::F64(vec![0.1])], &CodegenOptions { verify: false, ..Default::default() });
}

#[test]
fn the_first_failure_is_reported_with_its_line() {
    let mut builder = Builder::new();
    let params: Vec<Value> = (0..4).map(|_| builder.param(&Type::scalar(Elem::I64))).collect();
    let mut results = Vec::new();
    for (line, prim) in [(10, Prim::Div), (20, Prim::Rem)] {
        for pair in [[params[0], params[1]], [params[2], params[3]]] {
            let loc =
                builder.add_loc(SourceLoc { file: "user.rs".into(), line: line + results.len() as u32 });
            builder.set_origin(Origin { loc, ..Origin::default() });
            results.push(builder.insert(Op::Prim(prim), &pair).expect("well typed"));
        }
    }
    // The last division is not a result: it fails all the same.
    let program = builder.finish(&results[..3]).expect("open");
    for [a, b, c, d] in [[7, 2, 9, 4], [7, 0, 9, 4], [7, 2, i64::MIN, -1], [1, 0, 1, 0], [i64::MIN, -1, 5, 0]]
    {
        check(&program, &[a, b, c, d].map(|x| Buffer::I64(vec![x])));
    }
    let code = compile(&program, &CodegenOptions::default()).expect("compiles");
    let failure = call(&code, &program, &[7, 2, 9, 0].map(|x| Buffer::I64(vec![x])));
    let loc = Some(SourceLoc { file: "user.rs".into(), line: 11 });
    assert_eq!(failure, Err(Failure { kind: FailureKind::IntegerDivision, loc }));
}

/// A comparison and the selection by it in one function, and apart.
#[test]
fn selections_by_comparisons() {
    for elem in [Elem::F64, Elem::F32, Elem::I64] {
        for prim in [Prim::Lt, Prim::Le, Prim::Gt, Prim::Ge, Prim::Eq, Prim::Ne] {
            let mut builder = Builder::new();
            let [x, y] = [0, 1].map(|_| builder.param(&Type::scalar(elem)));
            let condition = builder.insert(Op::Prim(prim), &[x, y]).expect("well typed");
            let same = builder.insert(Op::Select, &[condition, x, y]).expect("well typed");
            let [a, b] = [x, y].map(|v| builder.insert(Op::Cast(Elem::F64), &[v]).expect("well typed"));
            let other = builder.insert(Op::Select, &[condition, b, a]).expect("well typed");
            let program = builder.finish(&[same, other]).expect("open");
            let values = [0.0, -0.0, 1.0, -2.0, f64::NAN, f64::INFINITY];
            for (a, b) in values.iter().flat_map(|&a| values.map(|b| (a, b))) {
                check(&program, &[a, b].map(|x| single(elem, x)));
            }
        }
    }
}

fn single(elem: Elem, x: f64) -> Buffer {
    match elem {
        Elem::F64 => Buffer::F64(vec![x]),
        Elem::F32 => Buffer::F32(vec![x as f32]),
        Elem::I64 => Buffer::I64(vec![x as i64]),
        Elem::Bool => Buffer::Bool(vec![x != 0.0]),
    }
}

#[test]
fn operators_are_refused() {
    let mut builder = Builder::new();
    let x = builder.param(&Type::scalar(Elem::F64));
    builder.open_region();
    let y = builder.param(&Type::scalar(Elem::F64));
    let body = builder.insert(Op::Prim(Prim::Sin), &[y]).expect("well typed");
    let body = builder.close_region(&[body]).expect("open");
    let results = builder.operator(Mode::Forward, body, &[x], &[x]).expect("well typed");
    let program = builder.finish(&results).expect("open");
    let error = compile(&program, &CodegenOptions::default()).expect_err("an operator is left");
    assert!(matches!(error, CodegenError::OperatorsLeft { count: 1 }), "{error}");
}

#[test]
fn texts() {
    let mut builder = Builder::new();
    let x = builder.param(&array(2));
    let [a, b] = [0, 1].map(|i| builder.insert(Op::Element(i), &[x]).expect("in range"));
    let product = builder.insert(Op::Prim(Prim::Mul), &[a, b]).expect("well typed");
    let root = builder.insert(Op::Prim(Prim::Exp), &[product]).expect("well typed");
    let one = builder.constant(Literal::from(1.0));
    let packed = pack(&mut builder, &[root, one]);
    let program = builder.finish(&[packed]).expect("open");
    let options = CodegenOptions { chunk: 1, ..Default::default() };
    let schedule = Schedule::new(&program, &options).expect("compiles").to_string();
    let expected = "schedule: 3 steps, 3 chunks, 1 slots
chunk0:
  s2 = mul in0[0], in0[1] -> slot0
chunk1:
  s3 = exp s2 -> out0[0]
chunk2:
  out0[1] = 1.0
";
    assert_eq!(schedule, expected);
    assert!(clif(&program, &options).expect("compiles").contains("fmul"));
    assert!(!disassembly(&program, &options).expect("compiles").is_empty());
}

/// More elements than the program says one by one are moved by loops.
#[test]
fn many_elements_of_few_values() {
    let mut builder = Builder::new();
    let (x, y) = (builder.param(&array(1000)), builder.param(&Type::scalar(Elem::F64)));
    let square = builder.insert(Op::Prim(Prim::Mul), &[y, y]).expect("well typed");
    let ty = builder.intern(&array(3000));
    let strides = builder.strides(&Strides { offset: 0, strides: [0].into() });
    let repeated = builder.insert(Op::View(ty, strides), &[square]).expect("well typed");
    let program = builder.finish(&[x, repeated, x]).expect("open");
    check(&program, &[Buffer::F64((0..1000).map(f64::from).collect()), Buffer::F64(vec![-0.5])]);
    let clif = clif(&program, &CodegenOptions::default()).expect("compiles");
    assert!(clif.lines().count() < 300, "{clif}");
}

#[test]
fn straight_line_code_of_huge_arrays_is_refused() {
    let mut builder = Builder::new();
    let x = builder.param(&array(1 << 30));
    let square = builder.insert(Op::Prim(Prim::Mul), &[x, x]).expect("well typed");
    let program = builder.finish(&[square]).expect("open");
    let refused = Schedule::new(&program, &CodegenOptions::default()).err();
    assert!(matches!(refused, Some(CodegenError::TooLarge { .. })), "{refused:?}");
}

#[test]
fn a_workspace_of_huge_arrays_is_refused() {
    let mut builder = Builder::new();
    let x = builder.param(&array(1 << 30));
    // 8 GiB each, all of which are read at the end.
    let mut arrays = vec![x];
    for _ in 0..130 {
        let last = arrays[arrays.len() - 1];
        arrays.push(builder.insert(Op::Prim(Prim::Exp), &[last]).expect("well typed"));
    }
    let ty = builder.intern(&Type::scalar(Elem::F64));
    let reductions = [Reduction::Sum, Reduction::Prod];
    let each = arrays.iter().flat_map(|&array| reductions.map(|reduction| (reduction, array)));
    let results: Vec<Value> =
        each.map(|(r, array)| builder.insert(Op::Reduce(r, ty), &[array]).expect("well typed")).collect();
    let program = builder.finish(&results).expect("open");
    let refused = compile(&program, &CodegenOptions::default()).err();
    assert!(matches!(refused, Some(CodegenError::Workspace { bytes: 0x100_0000_0000.., .. })), "{refused:?}");
}
