//! What derivatives of smooth functions satisfy, whatever the route by which they are computed.
//!
//! - ⟨J·v, w⟩ = ⟨v, Jᵀ·w⟩;
//! - u·H·v is the same by forward over reverse, reverse over forward, reverse over reverse, forward over forward,
//!   by `vhv`, by the dense Hessian, and with u and v exchanged;
//! - derivatives are limits of differences;
//! - contracting changes roundings only.
//!
//! Two numbers agree if they differ by no more than each one's scatter under enlarged rounding errors (see
//! `noise`). Where that exceeds a thousandth of the number nothing is compared; this must be rare.

use crate::choices::Choices;
use crate::derived::keep;
use crate::differences;
use crate::noise::{Measured, dot, exact, measure};
use crate::run::Outcome;
use crate::traced::{self, INPUTS};
use crate::trees::{self, Size};
use evolute::ir::Program;
use evolute::transforms::derive;
use evolute::transforms::inline::{Between, remove_operators};
use evolute::transforms::pipeline::{self, Pipeline};
use evolute::{F64, FpMode};
use std::cell::Cell;

const SIZE: Size = Size { nodes: 7, depth: 2, results: 2 };

/// How many comparisons said something.
#[derive(Default)]
pub(crate) struct Tally {
    certain: Cell<u64>,
    uncertain: Cell<u64>,
}

impl Tally {
    fn count(&self, certain: bool) {
        let cell = if certain { &self.certain } else { &self.uncertain };
        cell.set(cell.get() + 1);
    }

    /// Panics if much was not compared.
    pub(crate) fn finish(&self) {
        let (certain, uncertain) = (self.certain.get(), self.uncertain.get());
        println!("{certain} comparisons; {uncertain} were uncertain");
        assert!(certain >= 9 * uncertain, "{uncertain} of {} comparisons say nothing", certain + uncertain);
    }
}

/// Checks one random function.
pub(crate) fn check(choices: &mut Choices, tally: &Tally) -> Outcome {
    let block = trees::tame(choices, INPUTS, SIZE);
    let vector = traced::vector::<F64>(&block).map_err(|error| error.to_string())?;
    let scalar = traced::scalar::<F64>(&block).map_err(|error| error.to_string())?;
    let wrt = choices.pick(&[&[0][..], &[0, 2], &[2], &[2, 0], &[1, 0]]);
    let checks = [(vector, adjoint as fn(&mut Case<'_>) -> Outcome), (scalar, second_order)];
    for (function, check) in checks {
        let mut case = Case::new(function, wrt, choices, tally);
        check(&mut case).map_err(|error| format!("{}── wrt {wrt:?}, x {:?}\n── {error}", case.f, case.x))?;
    }
    Ok(())
}

/// A function, a point, and directions there.
struct Case<'c> {
    f: Program,
    wrt: &'c [usize],
    x: Vec<Vec<f64>>,
    /// Directions in the arguments `wrt`.
    u: Vec<Vec<f64>>,
    v: Vec<Vec<f64>>,
    /// Weights of the results.
    w: Vec<Vec<f64>>,
    choices: &'c mut Choices,
    tally: &'c Tally,
}

impl<'c> Case<'c> {
    fn new(f: Program, wrt: &'c [usize], choices: &'c mut Choices, tally: &'c Tally) -> Self {
        let lens: Vec<usize> = f.param_types().iter().map(|ty| ty.shape.len()).collect();
        let x = lens.iter().map(|&len| (0..len).map(|_| choices.between(-2.0, 2.0)).collect()).collect();
        let active: Vec<usize> = wrt.iter().map(|&i| lens[i]).collect();
        let results: Vec<usize> = f.result_types().iter().map(|ty| ty.shape.len()).collect();
        let [u, v, w] = [&active, &active, &results].map(|lens| directions(choices, lens));
        Case { f, wrt, x, u, v, w, choices, tally }
    }

    /// The arguments of a derivative: the point, then these.
    fn with(&self, more: &[&[Vec<f64>]]) -> Vec<Vec<f64>> {
        [&[&self.x[..]], more].concat().concat()
    }

    /// The inner product of `weights` with the results of `program` from number `first` on. What it is contracted, is
    /// compared too.
    fn product(
        &mut self,
        program: &Program,
        inputs: &[Vec<f64>],
        first: usize,
        weights: &[Vec<f64>],
    ) -> Result<Measured, String> {
        let quantity =
            |results: &[Vec<f64>]| dot(results[first..].iter().flatten(), weights.iter().flatten());
        let plain = remove_operators(program, Between::Keep).map_err(|error| error.to_string())?;
        let strict = measure(&plain, inputs, self.choices, quantity);
        let options = pipeline::Options { fp: FpMode::Contract, fma: true, ..Default::default() };
        let contracted = Pipeline::new(options).run(program).map_err(|error| error.to_string())?;
        let contracted_value = measure(&contracted, inputs, self.choices, quantity);
        self.agree("contracted", contracted_value, "strict", strict)
            .map_err(|error| format!("{error}\n── contracted\n{contracted}"))?;
        Ok(strict)
    }

    fn agree(&self, name: &str, a: Measured, other: &str, b: Measured) -> Outcome {
        let certain = a.is_certain() && b.is_certain();
        self.tally.count(certain);
        match !certain || a.agrees(b) {
            true => Ok(()),
            false => Err(format!("{name} {a:?}, but {other} {b:?}")),
        }
    }

    fn derived(&self, operator: Derive, f: &Program) -> Result<Program, String> {
        operator(f, self.wrt, None).map_err(|error| error.to_string())
    }

    /// The point, moved along `v`.
    fn moved(&self, t: f64) -> Vec<Vec<f64>> {
        let mut x = self.x.clone();
        for (&argument, direction) in self.wrt.iter().zip(&self.v) {
            x[argument].iter_mut().zip(direction).for_each(|(x, v)| *x += t * v);
        }
        x
    }

    /// `claimed` is the derivative along `v` of the inner product of `weights` with the results of `program`.
    fn differences(
        &mut self,
        name: &str,
        program: &Program,
        weights: &[Vec<f64>],
        claimed: Measured,
    ) -> Outcome {
        let plain = remove_operators(program, Between::Keep).map_err(|error| error.to_string())?;
        let along = |t| {
            let results = exact(&plain, &self.moved(t));
            dot(results.iter().flatten(), weights.iter().flatten())
        };
        let estimates = differences::derivative(along);
        let certain: Vec<Measured> = estimates.into_iter().filter(|estimate| estimate.is_certain()).collect();
        self.tally.count(!certain.is_empty() && claimed.is_certain());
        match certain.is_empty()
            || !claimed.is_certain()
            || certain.iter().any(|&estimate| estimate.agrees(claimed))
        {
            true => Ok(()),
            false => Err(format!("{name} {claimed:?}, but differences {certain:?}")),
        }
    }
}

/// Vectors without small entries.
fn directions(choices: &mut Choices, lens: &[usize]) -> Vec<Vec<f64>> {
    let mut entry = || choices.between(0.5, 1.5) * choices.pick(&[1.0, -1.0]);
    lens.iter().map(|&len| (0..len).map(|_| entry()).collect()).collect()
}

type Derive = fn(&Program, &[usize], Option<evolute::ir::SourceLoc>) -> Result<Program, derive::DeriveError>;

/// ⟨J·v, w⟩ = ⟨v, Jᵀ·w⟩, and the limit of differences.
fn adjoint(case: &mut Case<'_>) -> Outcome {
    let (f, v, w) = (case.f.clone(), case.v.clone(), case.w.clone());
    let (jvp, vjp) = (case.derived(derive::jvp, &f)?, case.derived(derive::vjp, &f)?);
    let forward = case.product(&jvp, &case.with(&[&v]), w.len(), &w)?;
    let reverse = case.product(&vjp, &case.with(&[&w]), w.len(), &v)?;
    case.agree("⟨J·v, w⟩", forward, "⟨v, Jᵀ·w⟩", reverse)?;
    case.differences("⟨J·v, w⟩", &f, &w, forward)
}

/// u·H·v by every route.
fn second_order(case: &mut Case<'_>) -> Outcome {
    let (f, u, v) = (case.f.clone(), case.u.clone(), case.v.clone());
    let n = v.len();
    let [at_u, at_v] = [case.with(&[&u]), case.with(&[&v])];
    let hvp = case.derived(derive::hvp, &f)?;
    let expected = case.product(&hvp, &at_v, 0, &u)?;
    let swapped = case.product(&hvp, &at_u, 0, &v)?;
    case.agree("v·H·u", swapped, "u·H·v", expected)?;

    let grad = case.derived(derive::grad, &f)?;
    let reverse_reverse = case.derived(derive::vjp, &grad)?;
    let reverse_reverse = case.product(&reverse_reverse, &at_u, n, &v)?;
    case.agree("reverse over reverse", reverse_reverse, "u·H·v", expected)?;

    let slope = keep(&case.derived(derive::jvp, &f)?, |i| i == 1).map_err(|error| error.to_string())?;
    let reverse_forward = case.derived(derive::grad, &slope)?;
    let reverse_forward = case.product(&reverse_forward, &at_v, 0, &u)?;
    case.agree("reverse over forward", reverse_forward, "u·H·v", expected)?;
    let forward_forward = case.derived(derive::jvp, &slope)?;
    let one = [vec![1.0]];
    let forward_forward = case.product(&forward_forward, &case.with(&[&v, &u]), 1, &one)?;
    case.agree("forward over forward", forward_forward, "u·H·v", expected)?;

    let all = case.derived(derive::value_grad_hvp, &f)?;
    let hvp_of_all = case.product(&all, &at_v, 1 + n, &u)?;
    case.agree("value_grad_hvp", hvp_of_all, "u·H·v", expected)?;
    let vhv = case.derived(derive::vhv, &f)?;
    let [along_v, claimed] = [case.product(&hvp, &at_v, 0, &v)?, case.product(&vhv, &at_v, 2, &one)?];
    case.agree("vhv", claimed, "v·H·v", along_v)?;
    dense(case, &f, expected)?;

    let slope = case.product(&grad, &case.x.clone(), 0, &v)?;
    let slope_of_vhv =
        case.product(&keep(&vhv, |i| i == 1).map_err(|error| error.to_string())?, &at_v, 0, &one)?;
    case.agree("∇f·v of vhv", slope_of_vhv, "∇f·v", slope)?;
    case.differences("∇f·v", &f, &one, slope)?;
    case.differences("u·H·v", &grad, &u, expected)
}

/// The dense Hessian.
fn dense(case: &mut Case<'_>, f: &Program, expected: Measured) -> Outcome {
    let (u, v) = (case.u.concat(), case.v.concat());
    let hessian = case.derived(derive::hessian, f)?;
    let weights = vec![u.iter().flat_map(|u| v.iter().map(move |v| u * v)).collect()];
    let found = case.product(&hessian, &case.x.clone(), 0, &weights)?;
    case.agree("dense Hessian", found, "u·H·v", expected)
}
