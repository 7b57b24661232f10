//! One function: its derivatives against differences, and forward against reverse.

use super::comparison::compared;
use super::difference::{Sides, Steps};
use super::evaluation::Evaluation;
use super::{CheckError, Identity, InputCheck, Law, Verdict};
use crate::buffers::Input;
use evolute_ir::{Elem, Program, Type};
use evolute_transforms::derive;

/// A function to check.
pub(super) struct Subject<'a> {
    pub(super) program: &'a Program,
    pub(super) wrt: &'a [usize],
    pub(super) inputs: &'a [Input<'a>],
    /// Its arguments past the inputs.
    pub(super) data: Vec<Vec<f64>>,
    /// Smaller results are rounded as if they were as large.
    pub(super) floor: f64,
}

/// What is found of a function.
pub(super) struct Checked {
    pub(super) inputs: Vec<InputCheck>,
    /// The magnitude of the results over that of the active inputs.
    pub(super) slope: f64,
    /// For each active element, the derivative of the weighted sum of all results by forward mode.
    forward: Vec<f64>,
    /// The magnitude up to which rounding may change it.
    tolerance: Vec<f64>,
}

impl Subject<'_> {
    /// The largest relative rounding error of the program's numbers.
    fn epsilon(&self) -> f64 {
        let single =
            self.program.values().values().any(|value| self.program.type_of_id(value.ty).elem == Elem::F32);
        if single { f64::from(f32::EPSILON) } else { f64::EPSILON }
    }

    pub(super) fn arguments(&self) -> usize {
        self.inputs.len() + self.data.len()
    }

    fn evaluation(&self, program: &Program) -> Result<Evaluation, CheckError> {
        let mut evaluation = Evaluation::new(program, self.inputs)?;
        evaluation.set_all(self.inputs.len(), &self.data);
        Ok(evaluation)
    }

    /// The magnitude of the active inputs.
    fn reach(&self, types: &[Type]) -> f64 {
        let elements = |&argument: &usize| {
            let input = self.inputs[argument];
            (0..types[argument].shape.len()).map(move |i| input.get(i).as_real().unwrap_or(0.0))
        };
        match largest(self.wrt.iter().flat_map(elements)) {
            0.0 => 1.0,
            reach => reach,
        }
    }

    /// Weights of the results: of a single scalar, 1; else numbers of the magnitude of 1, the same each time.
    pub(super) fn weights(&self) -> Vec<Vec<f64>> {
        let types = self.program.result_types();
        if matches!(&types[..], [ty] if ty.is_scalar()) {
            return vec![vec![1.0]];
        }
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut weight = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let unit = (state >> 40) as f64 / (1u64 << 24) as f64;
            if state & (1 << 39) == 0 { 0.5 + unit } else { -0.5 - unit }
        };
        types.iter().map(|ty: &Type| (0..ty.shape.len()).map(|_| weight()).collect()).collect()
    }

    /// Each active element's derivatives against differences.
    pub(super) fn check(&self) -> Result<Checked, CheckError> {
        let types = self.program.param_types();
        let results = self.program.result_types().len();
        let weights: Vec<f64> = self.weights().concat();
        let mut value = self.evaluation(self.program)?;
        let mut tangent = self.evaluation(&derive::jvp(self.program, self.wrt, None)?)?;
        let epsilon = self.epsilon();
        let slope = largest(value.run(0)?) / self.reach(&types);
        let mut checked = Checked { inputs: Vec::new(), slope, forward: Vec::new(), tolerance: Vec::new() };
        for (position, &argument) in self.wrt.iter().enumerate() {
            let seed = self.arguments() + position;
            for element in 0..types[argument].shape.len() {
                let x = self.inputs[argument].get(element).as_real().unwrap_or(0.0);
                tangent.set(seed, element, 1.0);
                let derivatives = tangent.run(results)?;
                tangent.set(seed, element, 0.0);
                let steps = Steps::new(types[argument].elem, x, epsilon, self.floor);
                let sides = steps.differences(x, |x| {
                    value.set(argument, element, x);
                    value.run(0)
                })?;
                value.set(argument, element, x);
                checked.inputs.push(worst((argument, element), &derivatives, &sides, epsilon));
                checked.weigh(&weights, &derivatives, &sides, epsilon);
            }
        }
        Ok(checked)
    }

    /// ⟨J·eᵢ, w⟩ by forward mode against (Jᵀw)ᵢ by reverse mode.
    pub(super) fn adjoint(&self, law: Law, checked: &Checked) -> Result<Identity, CheckError> {
        let mut cotangent = self.evaluation(&derive::vjp(self.program, self.wrt, None)?)?;
        cotangent.set_all(self.arguments(), &self.weights());
        let reverse = cotangent.run(self.program.result_types().len())?;
        Ok(checked.against(law, &reverse))
    }

    /// ⟨H·eᵢ, v⟩ against (H·v)ᵢ, of a gradient.
    pub(super) fn symmetry(&self, checked: &Checked) -> Result<Identity, CheckError> {
        let mut tangent = self.evaluation(&derive::jvp(self.program, self.wrt, None)?)?;
        tangent.set_all(self.arguments(), &self.weights());
        let along = tangent.run(self.program.result_types().len())?;
        Ok(checked.against(Law::Symmetry, &along))
    }
}

impl Checked {
    fn weigh(&mut self, weights: &[f64], derivatives: &[f64], sides: &[Sides], epsilon: f64) {
        let terms = || weights.iter().zip(derivatives).map(|(w, d)| w * d);
        let bars = weights
            .iter()
            .zip(sides)
            .map(|(w, sides)| sides.central.as_ref().map_or(0.0, |d| w.abs() * d.best.uncertainty));
        self.forward.push(terms().sum());
        self.tolerance.push(epsilon.sqrt() * terms().map(f64::abs).sum::<f64>() + bars.sum::<f64>());
    }

    /// The comparison that fits worst; where neither side is finite, that is left to the differences.
    fn against(&self, law: Law, others: &[f64]) -> Identity {
        let each = self.inputs.iter().zip(&self.forward).zip(others).zip(&self.tolerance);
        let worst = each
            .filter(|(((_, left), right), _)| left.is_finite() || right.is_finite())
            .map(|(((input, &left), &right), &tolerance)| Identity {
                law,
                argument: input.argument,
                element: input.element,
                left,
                right,
                tolerance,
            })
            .max_by(|a, b| a.excess().total_cmp(&b.excess()));
        let none = Identity { law, argument: 0, element: 0, left: 0.0, right: 0.0, tolerance: 0.0 };
        worst.unwrap_or(none)
    }
}

/// Of all results' elements the one that fits worst.
fn worst(
    (argument, element): (usize, usize),
    derivatives: &[f64],
    sides: &[Sides],
    epsilon: f64,
) -> InputCheck {
    let compare = |(result, (&derivative, sides)): (usize, (&f64, &Sides))| {
        let (estimate, verdict) = compared(derivative, sides, epsilon);
        let (difference, uncertainty) = (estimate.value, estimate.uncertainty);
        InputCheck { argument, element, result, derivative, difference, uncertainty, verdict }
    };
    let all = derivatives.iter().zip(sides).enumerate().map(compare);
    let ratio = |check: &InputCheck| (check.derivative - check.difference).abs() / check.uncertainty;
    let worse = |a: &InputCheck, b: &InputCheck| {
        a.verdict.rank().cmp(&b.verdict.rank()).then(ratio(a).total_cmp(&ratio(b)))
    };
    // Without results there is nothing that could be wrong.
    let none = InputCheck {
        argument,
        element,
        result: 0,
        derivative: 0.0,
        difference: 0.0,
        uncertainty: 0.0,
        verdict: Verdict::Agrees,
    };
    all.max_by(worse).unwrap_or(none)
}

/// The largest finite magnitude.
fn largest(numbers: impl IntoIterator<Item = f64>) -> f64 {
    numbers.into_iter().map(f64::abs).filter(|x| x.is_finite()).fold(0.0, f64::max)
}
