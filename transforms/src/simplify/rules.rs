//! The table of rewrites: name, root, whether it is exact, and what replaces the root.
//!
//! A rewrite is *exact* if the result has the same bits for all operands, infinities, subnormals and
//! signed zeros included, NaNs being one class. The others change a rounding or the sign of a zero, never more as long
//! as what they replace stays within the normal numbers: merged constants may keep in range what left it. They apply in
//! [`FpMode::Contract`](crate::FpMode::Contract) only. Some exact ones wait until all derivatives are taken: strength
//! reductions, whose sides have derivatives that round differently, and the removal of `stop_gradient` and
//! `with_slope`. What would lose a NaN or an infinity of an operand (`x·0 → 0`) is in neither mode.

use super::matching::Matching;
use evolute_ir::{Builder, Elem, IrError, Op, Prim, Value};
use std::ops::{Range, RangeInclusive};
use std::sync::LazyLock;

/// What replaces an instruction, or `None` where the rule does not match.
type Replacement = Option<Result<Value, IrError>>;

/// When a rewrite may be applied.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum When {
    /// Exact, and the derivatives of both sides are computed alike: also between two derivatives.
    Always,
    /// Exact, once nothing is to be differentiated any more.
    Last,
    /// Inexact: last, and in `Contract` only.
    Contract,
}

/// A row of the table.
pub struct Rewrite {
    /// What it does, as `pattern → replacement`.
    pub name: &'static str,
    /// When it may be applied.
    pub when: When,
    root: Root,
    pub(crate) apply: fn(&mut Builder, &[Value]) -> Replacement,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Root {
    Prim(Prim),
    Select,
}

macro_rules! table {
    ($($root:ident $name:literal $when:ident |$round:ident, $($x:pat_param),+| $body:expr;)*) => {
        /// Every rewrite. Those of one root stand together, in the order in which they are tried.
        pub static TABLE: &[Rewrite] = &[$(Rewrite {
            name: $name,
            when: table!(@when $when),
            root: table!(@root $root),
            apply: |$round, operands| {
                let [$($x),+] = *operands else { return None };
                $body
            },
        }),*];
    };
    (@when exact) => { When::Always };
    (@when last) => { When::Last };
    (@when contract) => { When::Contract };
    (@root Select) => { Root::Select };
    (@root $prim:ident) => { Root::Prim(Prim::$prim) };
}

table! {
    Add "x + -0 → x"             exact    |s, x, y| if s.is_real(y, -0.0) { ok(x) } else if s.is_real(x, -0.0) { ok(y) } else { None };
    Add "x + 0 → x"              contract |s, x, y| if s.is_real(y, 0.0) { ok(x) } else if s.is_real(x, 0.0) { ok(y) } else { None };
    Add "x + -y → x - y"         exact    |s, x, y| neg(s, y).map(|y| s.prim(Prim::Sub, &[x, y]));
    Add "-x + y → y - x"         exact    |s, x, y| neg(s, x).map(|x| s.prim(Prim::Sub, &[y, x]));
    Add "select(c, x, 0) + select(c, 0, y) → select(c, x, y)" contract |s, x, y| in_turn(s, x, y);
    Sub "x - 0 → x"              exact    |s, x, y| if s.is_real(y, 0.0) { ok(x) } else { None };
    Sub "x - -0 → x"             contract |s, x, y| if s.is_real(y, -0.0) { ok(x) } else { None };
    Sub "-0 - x → -x"            exact    |s, x, y| if s.is_real(x, -0.0) { Some(s.prim(Prim::Neg, &[y])) } else { None };
    Sub "0 - x → -x"             contract |s, x, y| if s.is_real(x, 0.0) { Some(s.prim(Prim::Neg, &[y])) } else { None };
    Sub "x - -y → x + y"         exact    |s, x, y| neg(s, y).map(|y| s.prim(Prim::Add, &[x, y]));
    Sub "-x - y → -(x + y)"      contract |s, x, y| neg(s, x).map(|x| { let sum = s.prim(Prim::Add, &[x, y])?; s.prim(Prim::Neg, &[sum]) });
    Neg "-(-x) → x"              exact    |s, x| s.match_prim(Prim::Neg, x).map(|[x]| Ok(x));
    Neg "-(x - y) → y - x"       contract |s, x| s.match_prim(Prim::Sub, x).filter(|&[a, _]| s.acts_on_reals(a)).map(|[a, b]| s.prim(Prim::Sub, &[b, a]));
    Mul "x · 1 → x"              exact    |s, x, y| if s.is_real(y, 1.0) { ok(x) } else if s.is_real(x, 1.0) { ok(y) } else { None };
    Mul "x · -1 → -x"            exact    |s, x, y| other(s, x, y, -1.0).map(|x| s.prim(Prim::Neg, &[x]));
    Mul "-x · c → x · -c"        exact    |s, x, y| negated_constant(s, x, y).or_else(|| negated_constant(s, y, x));
    Mul "-x · y → -(x · y)"      exact    |s, x, y| match (neg(s, x), neg(s, y)) {
        (Some(x), Some(y)) => Some(s.prim(Prim::Mul, &[x, y])),
        (Some(x), None) => Some(negative(s, Prim::Mul, x, y)),
        (None, Some(y)) => Some(negative(s, Prim::Mul, x, y)),
        (None, None) => None,
    };
    Mul "c · (2ᵏ · x) → (c · 2ᵏ) · x" last  |s, x, y| merged(s, x, y, doubles).or_else(|| merged(s, y, x, doubles));
    Mul "a · (b · x) → (a · b) · x" contract |s, x, y| merged(s, x, y, |a, b| (a * b).is_normal()).or_else(|| merged(s, y, x, |a, b| (a * b).is_normal()));
    Div "x / 1 → x"              exact    |s, x, y| if s.is_real(y, 1.0) { ok(x) } else { None };
    Div "1 / x → recip x"        last     |s, x, y| if s.is_real(x, 1.0) { Some(s.prim(Prim::Recip, &[y])) } else { None };
    Div "x / 2ᵏ → x · 2⁻ᵏ"       last     |s, x, y| {
        let inverse = s.real(y).and_then(exact_inverse).and_then(|c| s.constant_like(y, c))?;
        Some(s.prim(Prim::Mul, &[x, inverse]))
    };
    Div "x / c → x · (1/c)"      contract |s, x, y| {
        let inverse = s.real(y).map(f64::recip).filter(|c| c.is_normal())?;
        let inverse = s.constant_like(y, inverse)?;
        Some(s.prim(Prim::Mul, &[x, inverse]))
    };
    Div "-x / y → -(x / y)"      exact    |s, x, y| match (real_neg(s, x), real_neg(s, y)) {
        (Some(x), Some(y)) => Some(s.prim(Prim::Div, &[x, y])),
        (Some(x), None) => Some(negative(s, Prim::Div, x, y)),
        (None, Some(y)) => Some(negative(s, Prim::Div, x, y)),
        (None, None) => None,
    };
    Recip "recip(-x) → -recip x" exact    |s, x| neg(s, x).map(|x| { let r = s.prim(Prim::Recip, &[x])?; s.prim(Prim::Neg, &[r]) });
    Abs "|-x| → |x|"             exact    |s, x| real_neg(s, x).map(|x| s.prim(Prim::Abs, &[x]));
    Abs "||x|| → |x|"            exact    |s, x| s.match_prim::<1>(Prim::Abs, x).map(|_| Ok(x));
    MulAdd "fma(x, 1, z) → x + z" exact   |s, x, y, z| other(s, x, y, 1.0).map(|x| s.prim(Prim::Add, &[x, z]));
    MulAdd "fma(x, -1, z) → z - x" exact  |s, x, y, z| other(s, x, y, -1.0).map(|x| s.prim(Prim::Sub, &[z, x]));
    Powi "x⁰ → 1"                exact    |s, x, n| if s.int(n) == Some(0) { s.constant_like(x, 1.0).map(Ok) } else { None };
    Powi "x¹ → x"                exact    |s, x, n| if s.int(n) == Some(1) { ok(x) } else { None };
    Powi "x² → x·x"              last     |s, x, n| if s.int(n) == Some(2) && is_f64(s, x) { Some(s.prim(Prim::Mul, &[x, x])) } else { None };
    Powi "x³ → x·x·x"            last     |s, x, n| if s.int(n) == Some(3) && is_f64(s, x) { Some(power(s, x, 3)) } else { None };
    Powi "x⁻¹ → recip x"         last     |s, x, n| if s.int(n) == Some(-1) { Some(s.prim(Prim::Recip, &[x])) } else { None };
    Powi "xⁿ → x·x·…"            contract |s, x, n| exponent(s, n, 4..=8).map(|n| power(s, x, n));
    Powi "x⁻ⁿ → (recip x)ⁿ"      contract |s, x, n| exponent(s, n, -8..=-2).map(|n| { let r = s.prim(Prim::Recip, &[x])?; power(s, r, n) });
    Powf "powf(x, 0) → 1"        exact    |s, x, y| if s.is_real(y, 0.0) { s.constant_like(x, 1.0).map(Ok) } else { None };
    Powf "powf(x, 1) → x"        exact    |s, x, y| if s.is_real(y, 1.0) { ok(x) } else { None };
    Powf "powf(x, n) → powi(x, n)" contract |s, x, y| {
        let n = s.real(y).filter(|y| y.fract() == 0.0 && y.abs() <= 4.0)?;
        let n = s.integer_like(x, n as i64)?;
        Some(s.prim(Prim::Powi, &[x, n]))
    };
    StopGradient "stop_gradient x → x" last  |_s, x| ok(x);
    WithSlope "with_slope(v, k, x) → v" last |_s, v, _k, _x| ok(v);
    And "x ∧ true → x, x ∧ false → false, x ∧ x → x" exact |s, x, y| match (s.truth(x), s.truth(y)) {
        (Some(true), _) | (_, Some(false)) => ok(y),
        (Some(false), _) | (_, Some(true)) => ok(x),
        (None, None) => if x == y { ok(x) } else { None },
    };
    Or "x ∨ false → x, x ∨ true → true, x ∨ x → x" exact |s, x, y| match (s.truth(x), s.truth(y)) {
        (Some(false), _) | (_, Some(true)) => ok(y),
        (Some(true), _) | (_, Some(false)) => ok(x),
        (None, None) => if x == y { ok(x) } else { None },
    };
    Not "¬¬x → x"                exact    |s, x| s.match_prim(Prim::Not, x).map(|[x]| Ok(x));
    Select "select(¬c, a, b) → select(c, b, a)" exact |s, c, a, b| s.match_prim(Prim::Not, c).map(|[c]| s.insert(Op::Select, &[c, b, a]));
    Select "select(c, a, a) → a" exact    |_s, _c, a, b| if a == b { ok(a) } else { None };
}

/// The rows of each primitive, and after them those of `select`.
static ROWS: LazyLock<Vec<Range<usize>>> = LazyLock::new(|| {
    let roots = Prim::ALL.into_iter().map(Root::Prim).chain([Root::Select]);
    let rows = |root| {
        let start = TABLE.iter().position(|row| row.root == root).unwrap_or(0);
        start..start + TABLE[start..].iter().take_while(|row| row.root == root).count()
    };
    roots.map(rows).collect()
});

impl Rewrite {
    /// The rewrites whose root is `op`.
    pub(crate) fn of(op: Op) -> &'static [Rewrite] {
        let index = match op {
            Op::Prim(prim) => prim as usize,
            Op::Select => Prim::ALL.len(),
            Op::Const(_)
            | Op::Cast(_)
            | Op::Element(_)
            | Op::Pack(_)
            | Op::Iota(_)
            | Op::View(..)
            | Op::Spread(..)
            | Op::Reduce(..)
            | Op::Dot
            | Op::At
            | Op::AddAt
            | Op::External(_)
            | Op::Linalg(_)
            | Op::Call(_)
            | Op::Loop { .. }
            | Op::Cond { .. }
            | Op::Custom { .. }
            | Op::LinearSolve { .. }
            | Op::Jvp { .. }
            | Op::Vjp { .. } => {
                return &[];
            }
        };
        &TABLE[ROWS[index].clone()]
    }
}

fn ok(value: Value) -> Replacement {
    Some(Ok(value))
}

fn neg(s: &Builder, value: Value) -> Option<Value> {
    s.match_prim(Prim::Neg, value).map(|[x]| x)
}

/// Integer division does not commute with negation at `i64::MIN`.
fn real_neg(s: &Builder, value: Value) -> Option<Value> {
    neg(s, value).filter(|&x| s.acts_on_reals(x))
}

/// The factor that is not the constant `c`.
fn other(s: &Builder, x: Value, y: Value, c: f64) -> Option<Value> {
    if s.is_real(y, c) {
        Some(x)
    } else if s.is_real(x, c) {
        Some(y)
    } else {
        None
    }
}

/// A sum of two that are chosen alike, if one of them is 0 either way.
fn in_turn(s: &mut Builder, x: Value, y: Value) -> Replacement {
    let ([c, yes, no], [d, other_yes, other_no]) = (s.match_select(x)?, s.match_select(y)?);
    let sum = |x, y| match (s.real(x), s.real(y)) {
        (Some(0.0), _) => Some(y),
        (_, Some(0.0)) => Some(x),
        _ => None,
    };
    let arms = if c == d { [sum(yes, other_yes)?, sum(no, other_no)?] } else { return None };
    Some(s.insert(Op::Select, &[c, arms[0], arms[1]]))
}

fn negative(s: &mut Builder, prim: Prim, x: Value, y: Value) -> Result<Value, IrError> {
    let value = s.prim(prim, &[x, y])?;
    s.prim(Prim::Neg, &[value])
}

fn negated_constant(s: &mut Builder, x: Value, c: Value) -> Replacement {
    let inner = real_neg(s, x)?;
    let negated = s.real(c)?;
    let negated = s.constant_like(c, -negated)?;
    Some(s.prim(Prim::Mul, &[inner, negated]))
}

/// `a · (b · x)` as `(a · b) · x`, if `a` and `b` are constants that may be merged.
fn merged(s: &mut Builder, a: Value, product: Value, may: fn(f64, f64) -> bool) -> Replacement {
    let outer = s.real(a)?;
    let [p, q] = s.match_prim(Prim::Mul, product)?;
    let (inner, x) = match (s.real(p), s.real(q)) {
        (Some(inner), None) => (inner, q),
        (None, Some(inner)) => (inner, p),
        _ => return None,
    };
    if !may(outer, inner) {
        return None;
    }
    let factor = s.constant_like(a, outer * inner)?;
    Some(s.prim(Prim::Mul, &[factor, x]))
}

/// Whether `a · (b · x) = (a · b) · x` for every `x`: `b` is ±2ᵏ with k ≥ 0, so `b · x` is exact unless it
/// overflows, and |a| ≥ 1, so that then the merged product overflows too.
fn doubles(a: f64, b: f64) -> bool {
    let product = a * b;
    a.abs() >= 1.0 && b.abs() >= 1.0 && is_power_of_two(b) && product.is_finite()
}

fn is_power_of_two(x: f64) -> bool {
    x.is_normal() && x.to_bits() << 12 == 0
}

/// `1 / c` if multiplying by it is exact.
fn exact_inverse(c: f64) -> Option<f64> {
    let inverse = 1.0 / c;
    (is_power_of_two(c) && inverse.is_normal()).then_some(inverse)
}

/// On `f32` a kernel's value is rounded once from `f64`, so products of `f32` differ from it.
fn is_f64(s: &Builder, x: Value) -> bool {
    s.is_elem(x, Elem::F64)
}

/// The size of an exponent that is one of these.
fn exponent(s: &Builder, n: Value, range: RangeInclusive<i64>) -> Option<u32> {
    let n = s.int(n).filter(|n| range.contains(n))?;
    u32::try_from(n.unsigned_abs()).ok()
}

fn power(s: &mut Builder, x: Value, n: u32) -> Result<Value, IrError> {
    if n == 1 {
        return Ok(x);
    }
    let half = power(s, x, n / 2)?;
    let square = s.prim(Prim::Mul, &[half, half])?;
    if n.is_multiple_of(2) { Ok(square) } else { s.prim(Prim::Mul, &[square, x]) }
}
