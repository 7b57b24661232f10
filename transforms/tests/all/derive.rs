//! Which derivatives exist, and the odd ones: of nothing, to nothing, of arrays, of what does not depend.
//! Values are compared after every pass, in both modes.

use evolute_ir::{Buffer, Elem, Interpreter, Program, text};
use evolute_transforms::derive::{self, DeriveError};
use evolute_transforms::{FpMode, Options, Pipeline};

fn parse(source: &str) -> Program {
    text::parse(&format!("evolute 0\n{source}")).unwrap_or_else(|error| panic!("{error}\n{source}"))
}

/// `x · y + c`, where `y` is an integer.
const SCALED: &str = "program (v0: f64, v1: i64, v2: f64[2]) -> (f64) {
  v3 = cast f64 v1
  v4 = mul v0, v3
  return v4
}";

const PAIR: &str = "program (v0: f64) -> (f64, f64) {
  v1 = mul v0, v0
  return v0, v1
}";

// ── errors ──────────────────────────────────────────────────────────────────────────────────────────

type Derive = fn(&Program, &[usize], Option<evolute_ir::SourceLoc>) -> Result<Program, DeriveError>;

const ALL: [Derive; 9] = [
    derive::jvp,
    derive::vjp,
    derive::value_and_grad,
    derive::grad,
    derive::hvp,
    derive::value_grad_hvp,
    derive::vhv,
    derive::jacobian,
    derive::hessian,
];

/// Every derivative is refused with this message.
#[track_caller]
fn check_errors(derivatives: &[Derive], source: &str, wrt: &[usize], expected: &str) {
    for derivative in derivatives {
        let error = derivative(&parse(source), wrt, None).expect_err("it does not exist");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn arguments_that_do_not_exist() {
    let expected =
        "cannot differentiate with respect to argument 3: the function has 3, each to be named once";
    check_errors(&ALL, SCALED, &[0, 3], expected);
}

#[test]
fn arguments_named_twice() {
    let expected =
        "cannot differentiate with respect to argument 0: the function has 3, each to be named once";
    check_errors(&ALL, SCALED, &[0, 2, 0], expected);
}

#[test]
fn arguments_that_are_not_real() {
    let expected = "cannot differentiate with respect to argument 1 of type i64: expected a real type";
    check_errors(&ALL, SCALED, &[1], expected);
}

#[test]
fn gradients_of_what_is_not_a_real_scalar() {
    let scalar = &ALL[2..7];
    check_errors(scalar, PAIR, &[0], "a gradient needs one real scalar result, found (f64, f64)");
    let none = "program (v0: f64) -> () {\n  return\n}";
    check_errors(scalar, none, &[0], "a gradient needs one real scalar result, found ()");
    let array = "program (v0: f64[2]) -> (f64[2]) {\n  return v0\n}";
    check_errors(scalar, array, &[0], "a gradient needs one real scalar result, found (f64[2])");
    let integer = "program (v0: f64) -> (i64) {\n  v1 = cast i64 v0\n  return v1\n}";
    check_errors(scalar, integer, &[0], "a gradient needs one real scalar result, found (i64)");
}

#[test]
fn derivatives_of_integers() {
    let integer = parse("program (v0: f64) -> (i64) {\n  v1 = cast i64 v0\n  return v1\n}");
    for derivative in [derive::jvp, derive::vjp, derive::jacobian] {
        let error = derivative(&integer, &[0], None).expect_err("results are not real");
        assert!(matches!(error, DeriveError::Ir(_)), "{error}");
    }
}

#[test]
fn matrices_of_two_kinds_of_elements() {
    let mixed =
        parse("program (v0: f64, v1: f32) -> (f64) {\n  v2 = cast f64 v1\n  v3 = mul v0, v2\n  return v3\n}");
    let error = derive::jacobian(&mixed, &[0, 1], None).expect_err("one matrix has one kind");
    assert!(error.to_string().contains("one element"), "{error}");
    assert!(derive::jacobian(&mixed, &[0], None).is_ok());
}

// ── odd functions ───────────────────────────────────────────────────────────────────────────────────

/// Evaluates the derivative after every pass in every mode; all must give `expected`.
#[track_caller]
fn check(derivative: Derive, source: &str, wrt: &[usize], inputs: &[Buffer], expected: &[Buffer]) {
    let derived = derivative(&parse(source), wrt, None).unwrap_or_else(|error| panic!("{error}"));
    for fp in [FpMode::Strict, FpMode::Contract] {
        for simplify in [false, true] {
            let program = Pipeline::new(Options { fp, simplify, fma: true, ..Options::default() })
                .run(&derived)
                .expect("small");
            let found =
                Interpreter::new(&program).expect("no operators").eval(inputs).expect("inputs that fit");
            assert_eq!(found, expected, "{fp:?}\n{program}");
        }
    }
}

fn real(x: f64) -> Buffer {
    Buffer::F64(vec![x])
}

fn array(x: &[f64]) -> Buffer {
    Buffer::F64(x.to_vec())
}

#[test]
fn without_results() {
    let none = "program (v0: f64) -> () {\n  return\n}";
    check(derive::jvp, none, &[0], &[real(2.0), real(1.0)], &[]);
    check(derive::vjp, none, &[0], &[real(2.0)], &[real(0.0)]);
    check(derive::jacobian, none, &[0], &[real(2.0)], &[array(&[])]);
}

#[test]
fn with_respect_to_nothing() {
    check(derive::jvp, PAIR, &[], &[real(3.0)], &[real(3.0), real(9.0), real(0.0), real(0.0)]);
    check(derive::vjp, PAIR, &[], &[real(3.0), real(1.0), real(1.0)], &[real(3.0), real(9.0)]);
    check(derive::jacobian, PAIR, &[], &[real(3.0)], &[array(&[])]);
    let square = "program (v0: f64) -> (f64) {\n  v1 = mul v0, v0\n  return v1\n}";
    check(derive::grad, square, &[], &[real(3.0)], &[]);
    check(derive::hvp, square, &[], &[real(3.0)], &[]);
    check(derive::value_grad_hvp, square, &[], &[real(3.0)], &[real(9.0)]);
    check(derive::vhv, square, &[], &[real(3.0)], &[real(9.0), real(0.0), real(0.0)]);
}

#[test]
fn without_parameters() {
    let constant = "program () -> (f64) {\n  v0 = const 2.0\n  return v0\n}";
    check(derive::grad, constant, &[], &[], &[]);
    check(derive::jvp, constant, &[], &[], &[real(2.0), real(0.0)]);
}

#[test]
fn of_what_does_not_depend() {
    let constant = "program (v0: f64[2], v1: f64) -> (f64) {\n  v2 = mul v1, v1\n  return v2\n}";
    let x = [array(&[1.0, 2.0]), real(3.0)];
    let v = array(&[1.0, 1.0]);
    check(derive::grad, constant, &[0], &x, &[array(&[0.0, 0.0])]);
    let with_v = [&x[..], &[v]].concat();
    check(derive::hvp, constant, &[0], &with_v, &[array(&[0.0, 0.0])]);
    check(derive::jvp, constant, &[0], &with_v, &[real(9.0), real(0.0)]);
    check(derive::hessian, constant, &[0], &x, &[array(&[0.0; 4])]);
}

#[test]
fn of_repeated_results() {
    let twice = "program (v0: f64) -> (f64, f64) {\n  v1 = mul v0, v0\n  return v1, v1\n}";
    check(derive::jvp, twice, &[0], &[real(3.0), real(1.0)], &[9.0, 9.0, 6.0, 6.0].map(real));
    check(derive::vjp, twice, &[0], &[real(3.0), real(1.0), real(10.0)], &[9.0, 9.0, 66.0].map(real));
    check(derive::jacobian, twice, &[0], &[real(3.0)], &[array(&[6.0, 6.0])]);
}

#[test]
fn of_parameters() {
    let swap = "program (v0: f64, v1: f64[2]) -> (f64[2], f64) {\n  return v1, v0\n}";
    let x = [real(1.0), array(&[2.0, 3.0])];
    let [x_dot, y_dot] = [real(4.0), array(&[5.0, 6.0])];
    let forward = [&x[..], &[x_dot.clone(), y_dot.clone()]].concat();
    check(derive::jvp, swap, &[0, 1], &forward, &[x[1].clone(), x[0].clone(), y_dot.clone(), x_dot.clone()]);
    let reverse = [&x[..], &[y_dot.clone(), x_dot.clone()]].concat();
    check(derive::vjp, swap, &[0, 1], &reverse, &[x[1].clone(), x[0].clone(), x_dot.clone(), y_dot.clone()]);
    check(derive::vjp, swap, &[1], &reverse, &[x[1].clone(), x[0].clone(), y_dot]);
    let identity = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];
    check(derive::jacobian, swap, &[1], &x, &[array(&identity)]);
    let scalar = "program (v0: f64) -> (f64) {\n  return v0\n}";
    check(derive::grad, scalar, &[0], &[real(2.0)], &[real(1.0)]);
    check(derive::hvp, scalar, &[0], &[real(2.0), real(1.0)], &[real(0.0)]);
}

#[test]
fn of_arrays() {
    let pointwise = "program (v0: f64[2], v1: f64[2]) -> (f64[2]) {
  v2 = mul v0, v1
  v3 = max v2, v0
  return v3
}";
    let x = [array(&[2.0, -1.0]), array(&[3.0, 5.0])];
    let v = array(&[1.0, 10.0]);
    let with_v = [&x[..], &[v]].concat();
    let value = array(&[6.0, -1.0]);
    check(derive::jvp, pointwise, &[0], &with_v, &[value.clone(), array(&[3.0, 10.0])]);
    check(derive::vjp, pointwise, &[0], &with_v, &[value.clone(), array(&[3.0, 10.0])]);
    check(derive::vjp, pointwise, &[1], &with_v, &[value, array(&[2.0, 0.0])]);
    check(derive::jacobian, pointwise, &[0], &x, &[array(&[3.0, 0.0, 0.0, 1.0])]);
}

#[test]
fn of_empty_arrays() {
    let empty = "program (v0: f64[0]) -> (f64[0]) {\n  v1 = sin v0\n  return v1\n}";
    let none = || array(&[]);
    check(derive::jvp, empty, &[0], &[none(), none()], &[none(), none()]);
    check(derive::vjp, empty, &[0], &[none(), none()], &[none(), none()]);
    check(derive::jacobian, empty, &[0], &[none()], &[none()]);
}

/// An `f32` seed, tangent and gradient are `f32`; a cast carries them to `f64` and back.
#[test]
fn of_single_precision() {
    let source = "program (v0: f32) -> (f64) {\n  v1 = cast f64 v0\n  v2 = mul v1, v1\n  return v2\n}";
    let x = || Buffer::F32(vec![3.0]);
    check(derive::grad, source, &[0], &[x()], &[Buffer::F32(vec![6.0])]);
    check(derive::hvp, source, &[0], &[x(), Buffer::F32(vec![1.0])], &[Buffer::F32(vec![2.0])]);
    assert_eq!(
        derive::grad(&parse(source), &[0], None).expect("it exists").result_types()[0].elem,
        Elem::F32
    );
}

/// A result may be kept more than never: `keep` selects, in order.
#[test]
fn kept_results() {
    let program = parse(PAIR);
    let kept = derive::keep(&program, |index| index == 1).expect("valid");
    assert_eq!((kept.root().results.len(), kept.len()), (1, 1));
    let none = derive::keep(&program, |_| false).expect("valid");
    assert!(none.root().results.is_empty());
}

/// A fault of the untaken side of a `select`, at every order and in every mode, does not reach the derivative.
#[test]
fn of_untaken_branches() {
    let source = "program (v0: f64) -> (f64) {
  v1 = const 0.0
  v2 = gt v0, v1
  v3 = ln v0
  v4 = sqrt v0
  v5 = mul v3, v4
  v6 = select v2, v5, v1
  return v6
}";
    check(derive::grad, source, &[0], &[real(0.0)], &[real(0.0)]);
    check(derive::hvp, source, &[0], &[real(0.0), real(1.0)], &[real(0.0)]);
    check(derive::vhv, source, &[0], &[real(0.0), real(1.0)], &[real(0.0), real(0.0), real(0.0)]);
}

/// The operand whose NaN is the value has the derivative too, so what it depends on shows the NaN.
#[test]
fn of_operands_that_are_nan() {
    for prim in ["max", "min"] {
        let source = format!("program (v0: f64, v1: f64) -> (f64) {{\n  v2 = {prim} v0, v1\n  return v2\n}}");
        let nan = real(f64::NAN);
        check(derive::grad, &source, &[0, 1], &[nan.clone(), real(1.0)], &[real(1.0), real(0.0)]);
        check(derive::grad, &source, &[0, 1], &[real(1.0), nan], &[real(0.0), real(1.0)]);
    }
}

/// 0.5 / 0.1 rounds up to 5, but the remainder is that of the quotient 4.
#[test]
fn of_a_remainder_whose_quotient_rounds_up() {
    let (x, y): (f64, f64) = (0.5, 0.1);
    assert_eq!(((x / y).trunc(), x - 4.0 * y), (5.0, x % y));
    let source = "program (v0: f64, v1: f64) -> (f64) {\n  v2 = rem v0, v1\n  return v2\n}";
    check(derive::grad, source, &[0, 1], &[real(x), real(y)], &[real(1.0), real(-4.0)]);
}

/// The Hessian of `prim` at `x`, in every mode.
fn hessians(prim: &str, x: &[f64]) -> Vec<Vec<f64>> {
    let params: Vec<String> = (0..x.len()).map(|i| format!("v{i}: f64")).collect();
    let operands: Vec<String> = (0..x.len()).map(|i| format!("v{i}")).collect();
    let (params, operands, wrt) = (params.join(", "), operands.join(", "), Vec::from_iter(0..x.len()));
    let source = format!("program ({params}) -> (f64) {{\n  v2 = {prim} {operands}\n  return v2\n}}");
    let derived = derive::hessian(&parse(&source), &wrt, None).expect("a real scalar");
    let inputs: Vec<Buffer> = x.iter().map(|&x| real(x)).collect();
    first(&derived, &inputs)
}

/// The numbers of the first result in every mode.
fn first(program: &Program, inputs: &[Buffer]) -> Vec<Vec<f64>> {
    let run = |fp| {
        let program = Pipeline::new(Options { fp, simplify: true, fma: true, ..Options::default() })
            .run(program)
            .expect("small");
        let found = Interpreter::new(&program).expect("no operators").eval(inputs).expect("inputs that fit");
        match found.into_iter().next() {
            Some(Buffer::F64(numbers)) => numbers,
            found => panic!("{found:?} is not real"),
        }
    };
    [FpMode::Strict, FpMode::Contract].map(run).into()
}

/// Mixed derivatives of a power agree. At `x = 0` they are 0 for `y ≥ 0`, the limit where that is finite.
#[test]
fn of_powers_twice() {
    let (ln, nan, inf) = (2f64.ln(), f64::NAN, f64::INFINITY);
    let cases = [
        ([0.0, 0.0], [0.0, 0.0, 0.0]),
        ([0.0, 0.5], [-inf, 0.0, 0.0]),
        ([0.0, 1.0], [0.0, 0.0, 0.0]),
        ([0.0, 2.0], [2.0, 0.0, 0.0]),
        ([0.0, 3.0], [0.0, 0.0, 0.0]),
        ([0.0, -1.0], [inf, inf, inf]),
        ([2.0, 0.0], [0.0, 0.5, ln * ln]),
        ([2.0, 1.0], [0.0, 1.0 + ln, 2.0 * ln * ln]),
        ([2.0, 3.0], [12.0, 4.0 + 12.0 * ln, 8.0 * ln * ln]),
        ([-2.0, 3.0], [-12.0, nan, nan]),
        ([-2.0, 0.0], [0.0, nan, nan]),
    ];
    for (x, [xx, xy, yy]) in cases {
        for found in hessians("powf", &x) {
            for (found, expected) in found.iter().zip([xx, xy, xy, yy]) {
                let same = found == &expected || (found.is_nan() && expected.is_nan());
                assert!(
                    same || (found - expected).abs() < 1e-14 * expected.abs(),
                    "{x:?}: {found}, not {expected}"
                );
            }
        }
    }
}

/// Where a logarithm is NaN, so are its derivatives, also that of 1/x in reverse mode; elsewhere they are not.
#[test]
fn of_logarithms_outside_their_domain() {
    for (prim, edge) in [("ln", 0.0), ("log2", 0.0), ("log10", 0.0), ("log1p", -1.0)] {
        let source = format!("program (v0: f64) -> (f64) {{\n  v1 = {prim} v0\n  return v1\n}}");
        check(derive::grad, &source, &[0], &[real(edge)], &[real(f64::INFINITY)]);
        let gradient = derive::grad(&parse(&source), &[0], None).expect("it exists");
        for derived in [gradient.clone(), derive::grad(&gradient, &[0], None).expect("it exists")] {
            let at = |x| first(&derived, &[real(x)]);
            assert!(at(edge - 0.5).iter().all(|x| x[0].is_nan()), "{prim}: {:?}", at(edge - 0.5));
            assert!(at(edge + 0.5).iter().all(|x| x[0].is_finite()), "{prim}: {:?}", at(edge + 0.5));
        }
    }
}

// ── deep nests ──────────────────────────────────────────────────────────────────────────────────────

/// Loops in loops, so many, of one carry, which the innermost changes.
fn nested_loops(depth: usize) -> Program {
    let param = |level: usize| 2 * level;
    let result = |level: usize| 3 * depth + 2 - level;
    let mut text = String::from("program (v0: f64) -> (f64) {\n");
    for level in 0..depth {
        let [carried, number, inner] = [param(level), param(level) + 1, param(level + 1)];
        text += &format!("v{} = loop v{carried} trips 2 carries 1 rows 0 sums 0 ", result(level));
        text += &format!("(v{number}: i64, v{inner}: f64) {{\n");
    }
    let [sine, square] = [2 * depth + 1, 2 * depth + 2];
    text +=
        &format!("v{sine} = sin v{}\nv{square} = mul v{sine}, v{sine}\nyield v{square}\n}}\n", param(depth));
    (1..depth).rev().for_each(|level| text += &format!("yield v{}\n}}\n", result(level)));
    parse(&(text + &format!("return v{}\n}}", result(0))))
}

#[test]
fn derivatives_of_deep_nests_are_small() {
    const DEPTH: usize = 40;
    let program = nested_loops(DEPTH);
    for options in [FpMode::Strict, FpMode::Contract].map(|fp| Options { fp, ..Options::default() }) {
        for (derive, most) in [(derive::grad as Derive, DEPTH * DEPTH), (derive::hvp, 4 * DEPTH * DEPTH)] {
            let derived = derive(&program, &[0], None).expect("a scalar function");
            let ready = Pipeline::new(options).run(&derived).expect("small");
            assert!(ready.len() <= most, "{} instructions", ready.len());
        }
    }
}
