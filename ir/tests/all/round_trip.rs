//! A program's text reads back as the same program, and the same text.

use crate::support::{self, Rng};
use evolute_ir::{
    Buffer, Builder, Callee, Elem, External, Interpreter, IrError, Mode, Op, Prim, Program, Type, dot, text,
    verify,
};
use std::fmt::Write;

fn check(program: &Program, context: &str) {
    let printed = program.to_string();
    if let Err(error) = verify(program) {
        panic!("{context}: {error}\n{printed}");
    }
    let parsed = text::parse(&printed).unwrap_or_else(|error| panic!("{context}: {error}\n{printed}"));
    assert_eq!(parsed.to_string(), printed, "{context}");
    assert_eq!(&parsed, program, "{context}: a table differs\n{printed}");
}

#[test]
fn random_programs() {
    for seed in 0..600 {
        let rng = &mut Rng::new(seed);
        let size = rng.below(60);
        let program = support::program(rng, size);
        check(&program, &format!("seed {seed}"));
        check(&evolute_ir::without_dead_code(&program), &format!("seed {seed} without dead code"));
    }
}

/// Every bit pattern of a constant comes back, also where no instruction can make it.
#[test]
fn constants() {
    let rng = &mut Rng::new(7);
    for elem in Elem::ALL {
        let mut builder = Builder::new();
        for _ in 0..20_000 {
            let literal = support::literal(rng, elem);
            builder.constant(literal);
        }
        check(&builder.finish(&[]).expect("no results"), elem.name());
    }
}

/// Regions nest as deep as the limit.
#[test]
fn nesting() {
    let mut builder = Builder::new();
    for _ in 1..text::MAX_DEPTH {
        builder.open_region();
    }
    for _ in 1..text::MAX_DEPTH {
        let body = builder.close_region(&[]).expect("no results");
        builder.operator(Mode::Forward, body, &[], &[]).expect("well typed");
    }
    check(&builder.finish(&[]).expect("no results"), "nested");
}

/// A large text is read in time proportional to its length: this would take minutes if it were quadratic.
#[test]
fn large_texts() {
    let count = 100_000;
    let mut text = String::from("evolute 0\nprogram (v0: f64) -> () {\n");
    for i in 1..=count {
        writeln!(text, "v{i} = mul v{}, v0 of v{} @\"file {i}\":{i} \"name {i}\"", i - 1, count - i)
            .expect("a string");
    }
    text.push_str("return\n}\n");
    check(&text::parse(&text).expect("well formed"), "large");

    for garbage in
        ["(", "v", "\"", "\\", "v0 = ", ",", "; ", "\n", "v1 = mul v0, v0 ", "é", "{", "-", "@", "f64[1,"]
    {
        let garbage = garbage.repeat(10_000_000 / garbage.len());
        for context in [
            "",
            "evolute 0\nprogram (",
            "evolute 0\nprogram (v0: f64) -> () {\n",
            "evolute 0\nprogram (v0: f64 \"",
        ] {
            assert!(matches!(text::parse(&format!("{context}{garbage}")), Err(IrError::Parse { .. })));
        }
    }
}

/// The drawing of every program is well formed: quotes pair up, braces balance, nodes are declared.
#[test]
fn drawings() {
    for seed in 0..100 {
        let drawn = dot(&support::program(&mut Rng::new(seed), 40));
        let (mut depth, mut quoted, mut escaped) = (0, false, false);
        for c in drawn.chars() {
            match c {
                _ if std::mem::take(&mut escaped) => {}
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                '\n' => assert!(!quoted, "{drawn}"),
                '{' if !quoted => depth += 1,
                '}' if !quoted => depth -= 1,
                _ => {}
            }
        }
        assert_eq!((depth, quoted), (0, false), "{drawn}");
        for edge in drawn.lines().filter(|line| line.contains(" -> ")) {
            let end = edge.trim().trim_end_matches([';', ']']).split([' ', ';']).next().expect("a node");
            assert!(drawn.contains(&format!("{end} [label=")), "{end} is not declared\n{drawn}");
        }
    }
}

/// A text names functions of the user's, which are supplied where it is read.
#[test]
fn external_functions() {
    let scalar = Type::scalar(Elem::F64);
    let vector = Type::array(Elem::F64, &[2]).expect("small");
    let params = [vector, scalar.clone()];
    let blend = External::new("blend \"of\" two; ", &params, scalar.clone(), |x, y| y[0] = x[0][1] * x[1][0]);
    let blend = blend.expect("f64");
    let mut builder = Builder::new();
    let (x, k) = (builder.param(&params[0]), builder.param(&scalar));
    let id = builder.external(&blend);
    let once = builder.insert(Op::External(id), &[x, k]).expect("well typed");
    assert_eq!(builder.insert(Op::External(id), &[x, k]), Ok(once), "equal calls are one");
    let twice = builder.insert(Op::External(id), &[x, once]).expect("well typed");
    assert!(builder.insert(Op::External(id), &[k, x]).is_err());
    let program = builder.finish(&[twice]).expect("in scope");
    assert_eq!(verify(&program), Ok(()));

    let printed = program.to_string();
    let again = text::parse_with(&printed, std::slice::from_ref(&blend)).expect("it is supplied");
    assert_eq!((again.to_string(), &again), (printed.clone(), &program));
    let error = text::parse(&printed).expect_err("it is not supplied").to_string();
    assert!(error.starts_with("line 3: expected an external function that is supplied"), "{error}");
    dot(&program);
    let inputs = [Buffer::F64(vec![5.0, 3.0]), Buffer::F64(vec![2.0])];
    let results = Interpreter::new(&again).expect("small").eval(&inputs);
    assert_eq!(results, Ok(vec![Buffer::F64(vec![18.0])]));

    let many = vec![scalar.clone(); External::MAX_PARAMS + 1];
    assert!(External::new("f", &many, scalar.clone(), |_, _| ()).is_err());
    assert!(External::new("f", &[Type::scalar(Elem::I64)], scalar, |_, _| ()).is_err());
}

/// Functions that are equal are one, whoever made them, and equal calls of them too.
#[test]
fn calls() {
    let square = || {
        let mut builder = Builder::new();
        let x = builder.param(&Type::scalar(Elem::F64));
        let square = builder.insert(Op::Prim(Prim::Mul), &[x, x]).expect("well typed");
        Callee::new(builder.finish(&[square, x]).expect("in scope"))
    };
    let (f, again) = (square(), square());
    let mut builder = Builder::new();
    let x = builder.param(&Type::scalar(Elem::F64));
    let once = builder.call(&f, &[x]).expect("well typed");
    assert_eq!(builder.call(&again, &[x]), Ok(once.clone()), "equal calls are one");
    let twice = builder.call(&again, &[once[0]]).expect("well typed");
    assert!(builder.call(&f, &[]).is_err());
    let program = builder.finish(&[twice[0]]).expect("in scope");
    assert_eq!((program.callees().len(), program.len(), program.total_len()), (1, 2, 3));
    assert_eq!(verify(&program), Ok(()));
    assert_eq!(text::parse(&program.to_string()).as_ref(), Ok(&program));
    dot(&program);
    let results = Interpreter::new(&program).expect("small").eval(&[Buffer::F64(vec![3.0])]);
    assert_eq!(results, Ok(vec![Buffer::F64(vec![81.0])]));
}

/// The builder refuses what nests deeper than passes go.
#[test]
fn calls_too_deep() {
    let mut callee = None::<Callee>;
    for depth in 0.. {
        let mut builder = Builder::new();
        let x = builder.param(&Type::scalar(Elem::F64));
        let y = match &callee {
            Some(callee) => builder.call(callee, &[x]),
            None => builder.insert(Op::Prim(Prim::Sin), &[x]).map(|y| vec![y]),
        };
        match y {
            Ok(y) => callee = Some(Callee::new(builder.finish(&y).expect("in scope"))),
            Err(error) => {
                assert_eq!((depth, error), (65, IrError::CallsTooDeep { limit: Callee::MAX_DEPTH }));
                return;
            }
        }
    }
}
