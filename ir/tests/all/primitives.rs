//! Every primitive against plain Rust, on points of its smooth domain and on edges; and what the table says of
//! its rows: which are commutative, what `rescale` gives.
//!
//! Where Rust's standard library has the function, its result is the oracle, within a few units in the last
//! place. The rows it does not have are compared with a formula that is accurate on the points taken; their
//! accuracy is proved in `evolute-kernels` against 50-digit references.

use crate::support::{self, Rng};
use evolute_ir::interp::{cast, eval_prim};
use evolute_ir::{Buffer, Builder, Elem, Interpreter, Literal, Op, Prim, Type};

/// What is allowed where the formula below, not the row, loses digits: about 10⁻¹³.
const LOOSE: u64 = 1 << 12;

/// The value of a row on these operands, in plain Rust, and the error allowed in units in the last place: 4 for
/// a function of the standard library, more where that function or the formula is known to be less accurate.
///
/// A row without an arm here is proved by its kernel's references, native code against the interpreter, and its
/// derivatives against finite differences alone.
fn oracle(prim: Prim, x: f64, y: f64, z: f64) -> Option<(f64, u64)> {
    Some(match prim {
        Prim::Add => (x + y, 0),
        Prim::Sub => (x - y, 0),
        Prim::Mul => (x * y, 0),
        Prim::Div => (x / y, 0),
        Prim::Neg => (-x, 0),
        Prim::Recip => (1.0 / x, 0),
        Prim::MulAdd => (x.mul_add(y, z), 0),
        Prim::Rem => (x % y, 0),
        Prim::Abs => (x.abs(), 0),
        Prim::Sign => (if x == 0.0 { x } else { x.signum() }, 0),
        Prim::Copysign => (x.copysign(y), 0),
        Prim::Min => (x.min(y), 0),
        Prim::Max => (x.max(y), 0),
        Prim::Relu => (x.max(0.0), 0),
        Prim::Floor => (x.floor(), 0),
        Prim::Ceil => (x.ceil(), 0),
        Prim::Round => (x.round(), 0),
        Prim::Trunc => (x.trunc(), 0),
        Prim::Rescale => (2f64.powf(-x.abs().log2().floor()), 0),
        Prim::StopGradient => (x, 0),
        Prim::WithSlope => (x, 0),
        Prim::Sqrt => (x.sqrt(), 0),
        Prim::Cbrt => (x.cbrt(), 4),
        Prim::Powf => (x.powf(y), 4),
        Prim::Powi => (x.powi(y as i32), 4),
        Prim::Hypot => (x.hypot(y), 4),
        Prim::Exp => (x.exp(), 4),
        Prim::Exp2 => (x.exp2(), 4),
        Prim::Expm1 => (x.exp_m1(), 4),
        Prim::Ln => (x.ln(), 4),
        Prim::Log2 => (x.log2(), 4),
        Prim::Log10 => (x.log10(), 4),
        Prim::Log1p => (x.ln_1p(), 4),
        Prim::LogAddExp => (x.max(y) + (-(x - y).abs()).exp().ln_1p(), LOOSE),
        Prim::Sin => (x.sin(), 4),
        Prim::Cos => (x.cos(), 4),
        Prim::Tan => (x.tan(), 4),
        Prim::Asin => (x.asin(), 4),
        Prim::Acos => (x.acos(), 4),
        Prim::Atan => (x.atan(), 4),
        Prim::Atan2 => (x.atan2(y), 4),
        Prim::Sinh => (x.sinh(), 4),
        Prim::Cosh => (x.cosh(), 4),
        Prim::Tanh => (x.tanh(), 4),
        Prim::Asinh => (x.asinh(), 16),
        Prim::Acosh => (x.acosh(), 16),
        Prim::Atanh => (x.atanh(), 16),
        Prim::Erf => (erf(x), LOOSE),
        Prim::Erfc => (1.0 - erf(x), LOOSE << 8),
        Prim::Gaussian => ((-x * x).exp(), 16),
        Prim::LnGamma => (ln_gamma(x), LOOSE << 8),
        Prim::Digamma => (digamma(x), LOOSE << 8),
        Prim::Polygamma => (polygamma(x, y as i32), LOOSE),
        Prim::Sigmoid => (1.0 / (1.0 + (-x).exp()), 8),
        Prim::LogSigmoid => (-(-x).exp().ln_1p(), 8),
        Prim::Softplus => (x.exp().ln_1p(), 8),
        Prim::Eq => (f64::from(x == y), 0),
        Prim::Ne => (f64::from(x != y), 0),
        Prim::Lt => (f64::from(x < y), 0),
        Prim::Le => (f64::from(x <= y), 0),
        Prim::Gt => (f64::from(x > y), 0),
        Prim::Ge => (f64::from(x >= y), 0),
        Prim::And => (f64::from(x != 0.0 && y != 0.0), 0),
        Prim::Or => (f64::from(x != 0.0 || y != 0.0), 0),
        Prim::Xor => (f64::from((x != 0.0) != (y != 0.0)), 0),
        Prim::Not => (f64::from(x == 0.0), 0),
        #[allow(unreachable_patterns, reason = "at present every row has one")]
        _ => return None,
    })
}

/// 2/√π Σ (-1)ⁿ x²ⁿ⁺¹ / (n! (2n+1)).
fn erf(x: f64) -> f64 {
    let (mut term, mut sum) = (x, x);
    for n in 1..80 {
        term *= -x * x / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    sum * std::f64::consts::FRAC_2_SQRT_PI
}

/// Stirling's series at x + 20, brought back by the recurrence.
fn ln_gamma(x: f64) -> f64 {
    let z = x + 20.0;
    let product: f64 = (0..20).map(|i| (x + f64::from(i)).ln()).sum();
    let series = 1.0 / (12.0 * z) - 1.0 / (360.0 * z.powi(3)) + 1.0 / (1260.0 * z.powi(5));
    (z - 0.5) * z.ln() - z + 0.5 * std::f64::consts::TAU.ln() + series - product
}

fn digamma(x: f64) -> f64 {
    let z = x + 20.0;
    let sum: f64 = (0..20).map(|i| 1.0 / (x + f64::from(i))).sum();
    z.ln() - 0.5 / z - 1.0 / (12.0 * z.powi(2)) + 1.0 / (120.0 * z.powi(4)) - 1.0 / (252.0 * z.powi(6)) - sum
}

/// (-1)ⁿ⁺¹ n! Σ 1/(x+i)ⁿ⁺¹, the rest of the sum by Euler and Maclaurin.
fn polygamma(x: f64, n: i32) -> f64 {
    if n == 0 {
        return digamma(x);
    }
    let (z, s) = (x + 200.0, f64::from(n + 1));
    let sum: f64 = (0..200).map(|i| (x + f64::from(i)).powi(-n - 1)).sum();
    let rest = z.powi(-n) / f64::from(n) + 0.5 * z.powi(-n - 1) + s / 12.0 * z.powi(-n - 2)
        - s * (s + 1.0) * (s + 2.0) / 720.0 * z.powi(-n - 4);
    let factorial: f64 = (1..=n).map(f64::from).product();
    if n % 2 == 0 { -factorial * (sum + rest) } else { factorial * (sum + rest) }
}

/// How many floating-point numbers lie between; zeros of either sign are one, as are NaNs.
fn distance(a: f64, b: f64) -> u64 {
    let ordered = |x: f64| {
        let bits = x.to_bits() as i64;
        if bits < 0 { i64::MIN - bits } else { bits }
    };
    if a.is_nan() && b.is_nan() { 0 } else { ordered(a).abs_diff(ordered(b)) }
}

/// The operands as the row takes them on reals of kind `elem`.
fn operands(prim: Prim, elem: Elem, point: [f64; 3]) -> Vec<Literal> {
    let elems = prim.operands().iter().map(|class| class.fixed().unwrap_or(elem));
    elems.zip(point).map(|(elem, x)| Literal::from_f64(elem, x)).collect()
}

fn as_f64(x: Literal) -> f64 {
    match cast(x, Elem::F64) {
        Literal::F64(bits) => f64::from_bits(bits),
        other => panic!("{other} is not an f64"),
    }
}

/// A point of the row's smooth domain; integers and truth values are drawn as such.
fn point(rng: &mut Rng, prim: Prim) -> [f64; 3] {
    let mut point = [0.0; 3];
    for ((x, range), class) in point.iter_mut().zip(prim.domain()).zip(prim.operands()) {
        *x = match class.fixed() {
            Some(_) => range.start + rng.below((range.end - range.start) as usize + 1) as f64,
            None => rng.between(range.start, range.end),
        };
    }
    point
}

#[test]
fn every_row_on_f64() {
    let rng = &mut Rng::new(1);
    for prim in Prim::ALL {
        for _ in 0..200 {
            let at = point(rng, prim);
            let found = as_f64(eval_prim(prim, &operands(prim, Elem::F64, at)).expect("reals do not fail"));
            let Some((expected, ulps)) = oracle(prim, at[0], at[1], at[2]) else { continue };
            let name = prim.name();
            assert!(distance(found, expected) <= ulps, "{name}{at:?} is {found}, expected {expected}");
        }
    }
}

/// On `f32` a row is the exact value, rounded: half a unit in the last place and what the oracle is off.
#[test]
fn every_row_on_f32() {
    let rng = &mut Rng::new(2);
    for prim in Prim::ALL {
        for _ in 0..200 {
            let at = point(rng, prim).map(|x| f64::from(x as f32));
            let found = eval_prim(prim, &operands(prim, Elem::F32, at)).expect("reals do not fail");
            let Some((exact, _)) = oracle(prim, at[0], at[1], at[2]) else { continue };
            let error = (as_f64(found) - exact).abs() / f64::from(f32::EPSILON) / exact.abs().max(1e-30);
            let name = prim.name();
            assert!(error <= 0.51 || exact == 0.0, "{name}{at:?} is {found}, expected {exact}");
        }
    }
}

/// 24929 · 673 is 2²⁴ + 1, halfway between two `f32`; in `f64` the small addend that decides is lost.
#[test]
fn mul_add_on_f32_rounds_once() {
    let [x, y, z] = [24929.0, 673.0 / 16777216.0, 2f64.powi(-80)].map(|x| Literal::from_f64(Elem::F32, x));
    assert_eq!(eval_prim(Prim::MulAdd, &[x, y, z]), Ok(Literal::F32((1.0 + f32::EPSILON).to_bits())));
}

/// The rows that Rust computes exactly agree on every kind of number, the sign of zero included.
#[test]
fn exact_rows_on_edges() {
    const EDGES: [f64; 12] =
        [0.0, -0.0, 0.5, -0.5, 1.5, 2.5, -2.5, 5e-324, 1e300, -1e300, f64::INFINITY, f64::NEG_INFINITY];
    let exact = [
        Prim::Add,
        Prim::Sub,
        Prim::Mul,
        Prim::Div,
        Prim::Neg,
        Prim::Recip,
        Prim::MulAdd,
        Prim::Rem,
        Prim::Abs,
        Prim::Sign,
        Prim::Copysign,
        Prim::Floor,
        Prim::Ceil,
        Prim::Round,
        Prim::Trunc,
        Prim::StopGradient,
        Prim::WithSlope,
        Prim::Sqrt,
        Prim::Eq,
        Prim::Ne,
        Prim::Lt,
        Prim::Le,
        Prim::Gt,
        Prim::Ge,
    ];
    for prim in exact {
        for (x, y) in EDGES.iter().flat_map(|&x| EDGES.map(|y| (x, y))) {
            let found =
                as_f64(eval_prim(prim, &operands(prim, Elem::F64, [x, y, x])).expect("reals do not fail"));
            let Some((expected, _)) = oracle(prim, x, y, x) else { continue };
            let same = found.to_bits() == expected.to_bits() || (found.is_nan() && expected.is_nan());
            assert!(same, "{}({x}, {y}) is {found}, expected {expected}", prim.name());
        }
    }
}

#[test]
fn integer_rows() {
    let rng = &mut Rng::new(3);
    for _ in 0..2000 {
        let [x, y] = [0, 1].map(|_| if rng.chance(2) { rng.bits() as i64 } else { rng.below(9) as i64 - 4 });
        let (order, quotient) = (x.cmp(&y), x.checked_div(y));
        let bool = Literal::Bool;
        let cases = [
            (Prim::Add, Some(Literal::I64(x.wrapping_add(y)))),
            (Prim::Sub, Some(Literal::I64(x.wrapping_sub(y)))),
            (Prim::Mul, Some(Literal::I64(x.wrapping_mul(y)))),
            (Prim::Div, quotient.map(Literal::I64)),
            (Prim::Rem, quotient.map(|q| Literal::I64(x - q * y))),
            (Prim::Min, Some(Literal::I64(x.min(y)))),
            (Prim::Max, Some(Literal::I64(x.max(y)))),
            (Prim::Eq, Some(bool(order.is_eq()))),
            (Prim::Ne, Some(bool(order.is_ne()))),
            (Prim::Lt, Some(bool(order.is_lt()))),
            (Prim::Le, Some(bool(order.is_le()))),
            (Prim::Gt, Some(bool(order.is_gt()))),
            (Prim::Ge, Some(bool(order.is_ge()))),
        ];
        for (prim, expected) in cases {
            let found = eval_prim(prim, &[Literal::I64(x), Literal::I64(y)]).ok();
            assert_eq!(found, expected, "{}({x}, {y})", prim.name());
        }
    }
}

/// Rows do not act outside their classes.
#[test]
fn classes() {
    for prim in Prim::ALL {
        for elem in Elem::ALL {
            let first = prim.operands()[0];
            let acts = first.contains(elem);
            let literals: Vec<Literal> = prim
                .operands()
                .iter()
                .map(|class| Literal::from_f64(class.fixed().filter(|_| acts).unwrap_or(elem), 1.0))
                .collect();
            assert_eq!(eval_prim(prim, &literals).is_ok(), acts, "{} on {elem}", prim.name());
        }
    }
}

/// A row is called commutative only if exchanging its operands changes no bit, NaNs being one class.
#[test]
fn commutative_rows() {
    let rng = &mut Rng::new(4);
    for prim in Prim::ALL.into_iter().filter(|prim| prim.is_commutative()) {
        for elem in Elem::ALL.into_iter().filter(|&elem| prim.operands()[0].contains(elem)) {
            for _ in 0..20_000 {
                let [x, y] = [0, 1].map(|_| support::literal(rng, elem));
                let [xy, yx] = [[x, y], [y, x]].map(|pair| eval_prim(prim, &pair).expect("it does not fail"));
                let nan = |r: Literal| r.as_real().is_some_and(f64::is_nan);
                assert!(xy == yx || (nan(xy) && nan(yx)), "{}({x}, {y}) = {xy}, {yx}", prim.name());
            }
        }
    }
}

/// `rescale` is a power of two that brings every normal number but the largest into [1, 2).
#[test]
fn rescale() {
    let rng = &mut Rng::new(5);
    for _ in 0..100_000 {
        let x = f64::from_bits(rng.bits());
        let s = rescaled(x);
        assert!(s.is_finite() && s > 0.0 && s.to_bits() << 12 == 0, "{x}: {s} is not a power of two");
        if x.is_normal() && x.abs() < 2f64.powi(1023) {
            assert!((1.0..2.0).contains(&(s * x.abs())), "{x}: {s}");
        }
    }
    for x in [0.0, 5e-324, f64::MAX, f64::INFINITY, f64::NAN] {
        assert!(rescaled(x).is_normal(), "{x}");
    }
}

fn rescaled(x: f64) -> f64 {
    as_f64(eval_prim(Prim::Rescale, &[Literal::from(x)]).expect("reals do not fail"))
}

/// Every row acts on each element of an array as on a scalar.
#[test]
fn arrays() {
    let rng = &mut Rng::new(6);
    for prim in Prim::ALL {
        let points = [0; 3].map(|_| point(rng, prim));
        let scalars = points.map(|at| operands(prim, Elem::F64, at));
        let mut builder = Builder::new();
        let mut inputs = Vec::new();
        let mut params = Vec::new();
        for index in 0..prim.arity() {
            let column = scalars.each_ref().map(|row| row[index]);
            inputs.push(buffer(&column));
            let ty = Type::array(column[0].elem(), &[3]).expect("small");
            params.push(builder.param(&ty));
        }
        let result = builder.insert(Op::Prim(prim), &params).expect("well typed");
        let program = builder.finish(&[result]).expect("in scope");
        let found =
            Interpreter::new(&program).expect("no operators").eval(&inputs).expect("it does not fail");
        let expected = scalars.map(|row| eval_prim(prim, &row).expect("it does not fail"));
        assert_eq!(found, [buffer(&expected)], "{}", prim.name());
    }
}

fn buffer(literals: &[Literal]) -> Buffer {
    let slots = literals.iter().map(|literal| literal.to_slot());
    match literals[0].elem() {
        Elem::F64 => Buffer::F64(slots.map(f64::from_bits).collect()),
        Elem::F32 => Buffer::F32(slots.map(|slot| f32::from_bits(slot as u32)).collect()),
        Elem::I64 => Buffer::I64(slots.map(|slot| slot as i64).collect()),
        Elem::Bool => Buffer::Bool(slots.map(|slot| slot == 1).collect()),
    }
}
