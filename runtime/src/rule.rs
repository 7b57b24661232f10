//! Is a rule the derivative of its function?
//!
//! At each point: the rule is linear in the tangents; what it gives for a tangent of one argument is what central
//! differences of the function give along it; forward and reverse mode are each other's transpose. Directions are
//! random, so a rule that is wrong passes only by an accident of numbers.

use crate::error::CallError;
use evolute_ir::{Interpreter, IrError, Literal, Machine, Program, Type};
use evolute_transforms::derive::{self, DeriveError};
use evolute_transforms::inline::{Between, evaluable};
use thiserror::Error;

/// Where a rule is compared with its function.
#[derive(Clone, Debug, PartialEq)]
pub enum RuleCheck {
    /// At random points with real elements between these bounds; integers are 1, 2 or 3.
    Within(f64, f64),
    /// At these points: the elements of all arguments, one after the other.
    At(Vec<Vec<f64>>),
    /// Nowhere: the rule is taken as it is.
    Skip,
}

/// Between 0.1 and 0.9, where most elementary functions are smooth.
impl Default for RuleCheck {
    fn default() -> Self {
        RuleCheck::Within(0.1, 0.9)
    }
}

/// What is wrong with a rule. The user's mistake in every case.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum RuleError {
    /// The rule gives another derivative than differences of the function.
    #[error(
        "the rule gives {found:e} as the derivative of element {element} of result {result} along a direction of \
         argument {argument}, and differences give {expected:e}"
    )]
    Differences {
        /// The argument that varies, from 0.
        argument: usize,
        /// The result, from 0.
        result: usize,
        /// Its element, row-major.
        element: usize,
        /// The difference.
        expected: f64,
        /// What the rule gives.
        found: f64,
    },
    /// The rule is not linear in the tangents.
    #[error(
        "the rule is not linear in the tangents: element {element} of result {result} is {found:e} for a sum of tangents, \
         and the sum of what it is for each is {expected:e}"
    )]
    Nonlinear {
        /// The result, from 0.
        result: usize,
        /// Its element, row-major.
        element: usize,
        /// The sum of what the rule gives.
        expected: f64,
        /// What it gives for the sum.
        found: f64,
    },
    /// ⟨Jv, w⟩ by forward mode differs from ⟨v, Jᵀw⟩ by reverse mode.
    #[error("forward mode gives {expected:e} and reverse mode {found:e} for one derivative")]
    Transpose {
        /// By forward mode.
        expected: f64,
        /// By reverse mode.
        found: f64,
    },
    /// The function is finite at none of the points that were tried.
    #[error("the function is not finite at any point tried: say where it is smooth, by `RuleCheck`")]
    NoPoint,
    /// A point has too few or too many numbers.
    #[error("a point of {found} numbers, where the arguments have {expected} elements")]
    Point {
        /// The elements of all arguments.
        expected: usize,
        /// The numbers given.
        found: usize,
    },
    /// The function has a result that is not real, or the rule cannot be differentiated.
    #[error(transparent)]
    Derive(#[from] DeriveError),
    /// The function or its rule fails at a point.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl From<IrError> for RuleError {
    fn from(error: IrError) -> Self {
        RuleError::Derive(error.into())
    }
}

/// Relative agreement asked of a smooth function in `f64`.
const TOLERANCE: f64 = 1e-7;

/// The most random points tried, and how many of them the function is to be finite at.
const TRIES: u64 = 30;
const POINTS: usize = 3;

/// Checks the rule of `custom`, one custom instruction made of `f` and `rule` by
/// [`with_rule`](evolute_transforms::rule::with_rule). It takes about twenty evaluations a point and argument.
///
/// # Errors
/// What is wrong with the rule; points that do not fit; a function that fails.
pub fn check_rule(f: &Program, rule: &Program, custom: &Program, check: &RuleCheck) -> Result<(), RuleError> {
    let types = f.param_types();
    let (low, high) = match check {
        RuleCheck::Skip => return Ok(()),
        RuleCheck::At(points) => {
            let mut checker = Checker::new(f, rule, custom)?;
            for (seed, point) in points.iter().enumerate() {
                let point = split(point, &types)?;
                checker.check(&point, &mut Rng(seed as u64 * 2 + 1))?;
            }
            return Ok(());
        }
        RuleCheck::Within(low, high) => (*low, *high),
    };
    let mut checker = Checker::new(f, rule, custom)?;
    let mut met = 0;
    for seed in 0..TRIES {
        let mut rng = Rng(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let point = types.iter().map(|ty| rng.array(ty, low, high)).collect();
        met += usize::from(checker.check(&point, &mut rng)?);
        if met == POINTS {
            break;
        }
    }
    if met > 0 { Ok(()) } else { Err(RuleError::NoPoint) }
}

/// The elements of one array a parameter.
type Arrays = Vec<Vec<f64>>;

fn split(point: &[f64], types: &[Type]) -> Result<Arrays, RuleError> {
    let expected = types.iter().map(|ty| ty.shape.len()).sum();
    if point.len() != expected {
        return Err(RuleError::Point { expected, found: point.len() });
    }
    let mut rest = point;
    let mut next = |ty: &Type| {
        let (own, others) = rest.split_at(ty.shape.len());
        rest = others;
        own.to_vec()
    };
    Ok(types.iter().map(&mut next).collect())
}

/// The programs that are compared.
struct Checker {
    types: Vec<Type>,
    /// The real arguments.
    reals: Vec<usize>,
    value: Evaluated,
    rule: Evaluated,
    forward: Evaluated,
    reverse: Evaluated,
}

impl Checker {
    fn new(f: &Program, rule: &Program, custom: &Program) -> Result<Checker, RuleError> {
        let types = f.param_types();
        let reals: Vec<usize> = (0..types.len()).filter(|&i| types[i].elem.is_real()).collect();
        Ok(Checker {
            value: Evaluated::new(f)?,
            rule: Evaluated::new(rule)?,
            forward: Evaluated::new(&derive::jvp(custom, &reals, None)?)?,
            reverse: Evaluated::new(&derive::vjp(custom, &reals, None)?)?,
            types,
            reals,
        })
    }

    /// Checks at a point; `false` if the function is not finite there.
    fn check(&mut self, x: &Arrays, rng: &mut Rng) -> Result<bool, RuleError> {
        let y = self.value.run(&[x])?;
        if !finite(&y) {
            return Ok(false);
        }
        let v = self.direction(rng);
        let w = self.direction(rng);
        let along = self.forward_along(x, &v)?;
        self.linear(x, &y, [&v, &w], &along)?;
        self.transposed(x, &y, &v, &along, rng)?;
        for argument in self.reals.clone() {
            self.differences(x, argument, rng)?;
        }
        Ok(true)
    }

    fn direction(&self, rng: &mut Rng) -> Arrays {
        self.types.iter().map(|ty| rng.array(ty, -1.0, 1.0)).collect()
    }

    /// The tangents of the results, by forward mode.
    fn forward_along(&mut self, x: &Arrays, v: &Arrays) -> Result<Arrays, RuleError> {
        let seeds: Arrays = self.reals.iter().map(|&i| v[i].clone()).collect();
        let results = self.forward.run(&[x, &seeds])?;
        Ok(results[results.len() / 2..].to_vec())
    }

    /// The rule of v + 2 w is that of v and twice that of w; it is also what forward mode gives.
    fn linear(
        &mut self,
        x: &Arrays,
        y: &Arrays,
        [v, w]: [&Arrays; 2],
        along: &Arrays,
    ) -> Result<(), RuleError> {
        let reals = &self.reals;
        let masked = |v: &Arrays| -> Arrays {
            let masked =
                |(i, v): (usize, &Vec<f64>)| if reals.contains(&i) { v.clone() } else { vec![0.0; v.len()] };
            v.iter().enumerate().map(masked).collect()
        };
        let (v, w) = (masked(v), masked(w));
        let of_v = self.rule.run(&[&v, y, x])?;
        let of_w = self.rule.run(&[&w, y, x])?;
        let of_sum = self.rule.run(&[&combined(&v, 2.0, &w), y, x])?;
        self.equal(&combined(&of_v, 2.0, &of_w), &of_sum)?;
        self.equal(&of_v, along)
    }

    fn equal(&self, expected: &Arrays, found: &Arrays) -> Result<(), RuleError> {
        for (result, (expected, found)) in expected.iter().zip(found).enumerate() {
            for (element, (&expected, &found)) in expected.iter().zip(found).enumerate() {
                if !close(expected, found, self.rounding()) {
                    return Err(RuleError::Nonlinear { result, element, expected, found });
                }
            }
        }
        Ok(())
    }

    /// ⟨Jv, w⟩ = ⟨v, Jᵀw⟩.
    fn transposed(
        &mut self,
        x: &Arrays,
        y: &Arrays,
        v: &Arrays,
        along: &Arrays,
        rng: &mut Rng,
    ) -> Result<(), RuleError> {
        let w: Arrays = y.iter().map(|y| y.iter().map(|_| rng.between(-1.0, 1.0)).collect()).collect();
        let results = self.reverse.run(&[x, &w])?;
        let cotangents = results[y.len()..].iter();
        let expected = inner(along.iter().zip(&w));
        let found = inner(cotangents.zip(self.reals.iter().map(|&i| &v[i])));
        if close(expected, found, 100.0 * self.rounding()) {
            return Ok(());
        }
        Err(RuleError::Transpose { expected, found })
    }

    /// Differences along a direction of one argument.
    fn differences(&mut self, x: &Arrays, argument: usize, rng: &mut Rng) -> Result<(), RuleError> {
        let mut v: Arrays = x.iter().map(|x| vec![0.0; x.len()]).collect();
        v[argument] = rng.array(&self.types[argument], -1.0, 1.0);
        let derivatives = self.forward_along(x, &v)?;
        let single = self.rounding() > TOLERANCE;
        let epsilon = if single { f64::from(f32::EPSILON) } else { f64::EPSILON };
        let differences = central(epsilon, |h| {
            let values = self.value.run(&[&combined(x, h, &v)])?;
            Ok::<_, RuleError>(values.concat())
        })?;
        let mut differences = differences.into_iter();
        for (result, derivatives) in derivatives.iter().enumerate() {
            for (element, (&found, (expected, uncertainty))) in
                derivatives.iter().zip(differences.by_ref()).enumerate()
            {
                let tolerance = if single { 1e-3 } else { TOLERANCE };
                let scale = expected.abs().max(found.abs()).max(1.0);
                let agrees = (found - expected).abs() <= tolerance * scale + 8.0 * uncertainty;
                if expected.is_finite() && !agrees {
                    return Err(RuleError::Differences { argument, result, element, expected, found });
                }
            }
        }
        Ok(())
    }

    /// What rounding may change.
    fn rounding(&self) -> f64 {
        let single = self.types.iter().any(|ty| ty.elem == evolute_ir::Elem::F32);
        if single { 1e-4 } else { 1e-10 }
    }
}

/// Central differences of two step sizes at 0, combined by Richardson's extrapolation: each with its estimated error.
fn central<E>(epsilon: f64, mut f: impl FnMut(f64) -> Result<Vec<f64>, E>) -> Result<Vec<(f64, f64)>, E> {
    // The fifth root balances the rounding error ε/h with the extrapolated error h⁴.
    let h = epsilon.powf(0.2) * 0.25;
    let samples = [f(-h)?, f(-h / 2.0)?, f(h / 2.0)?, f(h)?];
    let difference = |i: usize| {
        let [a, b, c, d] = [0, 1, 2, 3].map(|s| samples[s][i]);
        let (wide, narrow) = ((d - a) / (2.0 * h), (c - b) / h);
        let best = narrow + (narrow - wide) / 3.0;
        let rounding = epsilon * [a, b, c, d].iter().fold(0.0, |m: f64, y| m.max(y.abs())) / h;
        (best, (best - narrow).abs() * 0.1 + rounding)
    };
    Ok((0..samples[0].len()).map(difference).collect())
}

fn finite(arrays: &Arrays) -> bool {
    arrays.iter().flatten().all(|x| x.is_finite())
}

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1.0)
}

fn inner<'a>(pairs: impl Iterator<Item = (&'a Vec<f64>, &'a Vec<f64>)>) -> f64 {
    pairs.flat_map(|(a, b)| a.iter().zip(b)).map(|(a, b)| a * b).sum()
}

/// `a + k b`.
fn combined(a: &Arrays, k: f64, b: &Arrays) -> Arrays {
    a.iter().zip(b).map(|(a, b)| a.iter().zip(b).map(|(a, b)| a + k * b).collect()).collect()
}

/// A program on numbers.
struct Evaluated {
    interpreter: Interpreter,
    machine: Machine,
    params: Vec<Type>,
    results: Vec<Type>,
}

impl Evaluated {
    fn new(program: &Program) -> Result<Evaluated, RuleError> {
        let program = evaluable(program, Between::Keep)?;
        let interpreter = Interpreter::new(&program)?;
        let (params, results) = (program.param_types(), program.result_types());
        Ok(Evaluated { machine: interpreter.machine(), interpreter, params, results })
    }

    /// The results for these parameters, given in groups.
    fn run(&mut self, groups: &[&Arrays]) -> Result<Arrays, RuleError> {
        let arrays = groups.iter().flat_map(|group| group.iter());
        for (param, (array, ty)) in arrays.zip(&self.params).enumerate() {
            let slots = array.iter().map(|&x| Literal::from_f64(ty.elem, x).to_slot());
            self.interpreter.set_all(&mut self.machine, param, slots);
        }
        self.interpreter.run(&mut self.machine).map_err(CallError::from)?;
        let real = |(index, ty): (usize, &Type)| {
            let number = |slot| match Literal::from_slot(ty.elem, slot) {
                Literal::I64(n) => n as f64,
                literal => literal.as_real().unwrap_or_default(),
            };
            self.interpreter.result(&self.machine, index).map(number).collect()
        };
        Ok(self.results.iter().enumerate().map(real).collect())
    }
}

/// Xorshift.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.next()
    }

    /// Elements within the bounds; integers are 1, 2 or 3.
    fn array(&mut self, ty: &Type, low: f64, high: f64) -> Vec<f64> {
        let mut element = || match ty.elem.is_real() {
            true => self.between(low, high),
            false => 1.0 + (3.0 * self.next()).floor(),
        };
        (0..ty.shape.len()).map(|_| element()).collect()
    }
}
