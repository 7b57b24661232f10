//! Traced functions: the user's handle of a program.

use crate::compiled::Compiled;
use crate::error::{Error, TraceError};
use crate::kind::{F64, RealKind, Store};
use crate::spec::{Argument, Cursor, Extents, IntoSpec, Scalars, Single, Spec, count};
use crate::trace::{self, Caller, Trace};
use crate::traced::{Repr, Traced};
use crate::tree::Leaf;
use evolute_ir::{Elem, Op, Program, SourceLoc, Type, Value, text, verify};
use evolute_runtime::check::{DerivativeCheck, check_derivatives};
use evolute_runtime::explain::{NanOrigin, explain_nan};
use evolute_runtime::{Executable, Options};
use evolute_transforms::derive::{self, DeriveError};
use evolute_transforms::pipeline::{self, Pipeline, Stage};
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

/// A function traced from a Rust closure: from `S` to `R`, differentiated with respect to `A`.
///
/// Cheap to clone, and shared between threads. Derivatives are functions again, so they nest in any
/// order; nothing is differentiated or compiled until [`compile`](Function::compile).
///
/// ```
/// use evolute_frontend::{Function, Scalar};
///
/// let f = Function::scalar(2, |x| (x[0] * x[1]).sin() + 3.0 * x[0].powi(2))?;
/// let hvp = f.hvp()?.compile()?;
/// let h = hvp.call((&[0.5, 2.0], &[1.0, 0.0]))?;
/// assert!((h[0] - (6.0 - 4.0 * 1f64.sin())).abs() < 1e-14);
/// # Ok::<(), evolute_frontend::Error>(())
/// ```
pub struct Function<S, R, A = S> {
    program: Arc<Program>,
    inputs: S,
    outputs: R,
    active: A,
    /// The program's parameters that `A` stands for.
    wrt: Vec<usize>,
}

impl<S: Clone, R: Clone, A: Clone> Clone for Function<S, R, A> {
    fn clone(&self) -> Self {
        Function {
            program: self.program.clone(),
            inputs: self.inputs.clone(),
            outputs: self.outputs.clone(),
            active: self.active.clone(),
            wrt: self.wrt.clone(),
        }
    }
}

/// Prints the program as traced, with its derivative operators.
impl<S, R, A> fmt::Display for Function<S, R, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.program.fmt(f)
    }
}

impl<S, R, A> fmt::Debug for Function<S, R, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Function of {} instructions", self.program.len())
    }
}

impl<S: Spec> Function<S, Single<F64>> {
    /// Traces a function with one `f64` as result. `inputs` is a number of `f64` scalars, which the closure
    /// gets as a slice, or any [`Spec`].
    ///
    /// # Errors
    /// The first mistake made in the closure, with its line.
    #[track_caller]
    pub fn scalar<I, F>(inputs: I, f: F) -> Result<Self, Error>
    where
        I: IntoSpec<Spec = S>,
        F: for<'t> FnOnce(&'t S::Traced<'t, 't>) -> Traced<'t, F64>,
    {
        Self::scalar_of(inputs, f)
    }
}

impl<S: Spec, K: RealKind> Function<S, Single<K>> {
    /// As [`Function::scalar`], with a result of any real kind.
    ///
    /// # Errors
    /// The first mistake made in the closure, with its line.
    #[track_caller]
    pub fn scalar_of<I, F>(inputs: I, f: F) -> Result<Self, Error>
    where
        I: IntoSpec<Spec = S>,
        F: for<'t> FnOnce(&'t S::Traced<'t, 't>) -> Traced<'t, K>,
    {
        let leaf = |x: Traced<'_, K>| vec![(x.repr(), K::ELEM)];
        let caller = Location::caller();
        let output = |_: usize| Ok(crate::spec::scalar_of::<K>());
        trace_with(inputs.into_spec(), caller, |x| leaf(f(x)), |_, values| values, output)
    }
}

impl<S: Spec, K: RealKind> Function<S, Scalars<K>> {
    /// Traces a function with several scalars as result.
    ///
    /// # Errors
    /// The first mistake made in the closure, with its line.
    #[track_caller]
    pub fn vector<I, F>(inputs: I, f: F) -> Result<Self, Error>
    where
        I: IntoSpec<Spec = S>,
        F: for<'t> FnOnce(&'t S::Traced<'t, 't>) -> Vec<Traced<'t, K>>,
    {
        let leaves = |x: Vec<Traced<'_, K>>| x.into_iter().map(|x| (x.repr(), K::ELEM)).collect();
        let caller = Location::caller();
        let pack = |trace: &Trace, values: Vec<Value>| pack_one(trace, caller, K::ELEM, &values);
        let output = |len| Ok(crate::spec::scalars_of::<K>(len));
        trace_with(inputs.into_spec(), caller, |x| leaves(f(x)), pack, output)
    }
}

fn pack_one(trace: &Trace, caller: Caller, elem: Elem, values: &[Value]) -> Vec<Value> {
    let Some(ty) = Type::array(elem, &[values.len()]) else {
        let limit = evolute_ir::Shape::MAX_ELEMENTS;
        trace.fail(TraceError::Extent { len: values.len(), limit, at: SourceLoc::of(caller) });
        return Vec::new();
    };
    let packed = trace.build(caller, |builder| {
        let id = builder.intern(&ty);
        builder.insert(Op::Pack(id), values)
    });
    packed.into_iter().collect()
}

fn types_of(spec: &impl Spec, caller: Caller) -> Result<Vec<Type>, TraceError> {
    let mut list = Vec::new();
    spec.extents(&mut list);
    let limit = evolute_ir::Shape::MAX_ELEMENTS;
    let error = |len| TraceError::Extent { len, limit, at: SourceLoc::of(caller) };
    list.iter().map(|extents: &Extents| extents.ty().map_err(error)).collect()
}

fn trace_with<S: Spec, R: Spec>(
    inputs: S,
    caller: Caller,
    f: impl for<'t> FnOnce(&'t S::Traced<'t, 't>) -> Vec<(Repr, Elem)>,
    pack: impl FnOnce(&Trace, Vec<Value>) -> Vec<Value>,
    output: impl FnOnce(usize) -> Result<R, Error>,
) -> Result<Function<S, R>, Error> {
    let types = types_of(&inputs, caller)?;
    let mut len = 0;
    let body = |id: u32, params: &[Value]| {
        let trace = trace::current().expect("`record` runs its body within the trace");
        let mut leaves = elements(&trace, id, caller, params, &types).into_iter();
        let mut store = Store::default();
        inputs.store(&mut leaves, &mut store);
        let bound = inputs.bind(&mut Cursor::new(&store));
        let results = f(&bound);
        len = results.len();
        results
    };
    let program = trace::record(caller, Program::MAX_INSTRUCTIONS, &types, body, pack)?;
    let outputs = output(len)?;
    Ok(Function::new(program, inputs, outputs))
}

/// The scalars of all parameters.
fn elements(trace: &Trace, id: u32, caller: Caller, params: &[Value], types: &[Type]) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    for (&param, ty) in params.iter().zip(types) {
        let leaf = |value| Leaf { repr: Repr::Node { trace: id, value }, elem: ty.elem };
        if ty.is_scalar() {
            leaves.push(leaf(param));
            continue;
        }
        for index in 0..ty.shape.len() as u32 {
            let element = trace.build(caller, |builder| builder.insert(Op::Element(index), &[param]));
            leaves.push(element.map_or(Leaf { repr: Repr::NAN, elem: ty.elem }, leaf));
        }
    }
    leaves
}

impl<S: Spec, R: Spec> Function<S, R> {
    /// A function differentiated with respect to everything.
    fn new(program: Program, inputs: S, outputs: R) -> Self {
        let wrt = (0..count(&inputs)).collect();
        let active = inputs.clone();
        Function { program: Arc::new(program), inputs, outputs, active, wrt }
    }

    /// The function of a program in text form.
    ///
    /// # Errors
    /// A text that is not a valid program, or one of another signature.
    pub fn parse(source: &str, inputs: S, outputs: R) -> Result<Self, Error> {
        let program = text::parse(source)?;
        verify(&program)?;
        let caller = Location::caller();
        let expected = (types_of(&inputs, caller)?, types_of(&outputs, caller)?);
        let found = (program.param_types(), program.result_types());
        if expected != found {
            return Err(Error::Signature { expected: signature(&expected), found: signature(&found) });
        }
        Ok(Function::new(program, inputs, outputs))
    }

    /// This function, differentiated with respect to its argument number `I` only; the others are data.
    pub fn wrt<const I: usize>(&self) -> Function<S, R, <S as Argument<I>>::Spec>
    where
        S: Argument<I>,
    {
        let active = self.inputs.argument().clone();
        let offset = self.inputs.offset();
        let wrt = (offset..offset + count(&active)).collect();
        let (program, inputs, outputs) = (self.program.clone(), self.inputs.clone(), self.outputs.clone());
        Function { program, inputs, outputs, active, wrt }
    }
}

fn signature((params, results): &(Vec<Type>, Vec<Type>)) -> String {
    let list = |types: &[Type]| types.iter().map(Type::to_string).collect::<Vec<_>>().join(", ");
    format!("({}) -> ({})", list(params), list(results))
}

impl<S: Spec, R: Spec, A: Spec> Function<S, R, A> {
    // ── derivatives ─────────────────────────────────────────────────────────────────────────────

    /// `(x, ẋ) ↦ (f(x), f'(x)·ẋ)`, by forward mode.
    ///
    /// # Errors
    /// Arguments or results that are not real.
    #[track_caller]
    #[allow(clippy::type_complexity, reason = "the tuple is the documentation")]
    pub fn jvp(&self) -> Result<Function<(S, A), (R, R), A>, Error> {
        let outputs = (self.outputs.clone(), self.outputs.clone());
        self.derived(derive::jvp, (self.inputs.clone(), self.active.clone()), outputs)
    }

    /// `(x, ȳ) ↦ (f(x), f'(x)ᵀ·ȳ)`, by reverse mode.
    ///
    /// # Errors
    /// Arguments or results that are not real.
    #[track_caller]
    #[allow(clippy::type_complexity, reason = "the tuple is the documentation")]
    pub fn vjp(&self) -> Result<Function<(S, R), (R, A), A>, Error> {
        let outputs = (self.outputs.clone(), self.active.clone());
        self.derived(derive::vjp, (self.inputs.clone(), self.outputs.clone()), outputs)
    }

    /// `x ↦ ∇f(x)`, by reverse mode.
    ///
    /// # Errors
    /// A result that is not one real scalar; arguments that are not real.
    #[track_caller]
    pub fn grad(&self) -> Result<Function<S, A, A>, Error> {
        self.derived(derive::grad, self.inputs.clone(), self.active.clone())
    }

    /// `x ↦ (f(x), ∇f(x))`.
    ///
    /// # Errors
    /// As [`grad`](Function::grad).
    #[track_caller]
    pub fn value_and_grad(&self) -> Result<Function<S, (R, A), A>, Error> {
        let outputs = (self.outputs.clone(), self.active.clone());
        self.derived(derive::value_and_grad, self.inputs.clone(), outputs)
    }

    /// `(x, v) ↦ H(x)·v`: the forward derivative of the gradient.
    ///
    /// # Errors
    /// As [`grad`](Function::grad).
    #[track_caller]
    pub fn hvp(&self) -> Result<Function<(S, A), A, A>, Error> {
        self.derived(derive::hvp, (self.inputs.clone(), self.active.clone()), self.active.clone())
    }

    /// `(x, v) ↦ (f(x), ∇f(x), H(x)·v)`, at little more than the cost of [`hvp`](Function::hvp).
    ///
    /// # Errors
    /// As [`grad`](Function::grad).
    #[track_caller]
    #[allow(clippy::type_complexity, reason = "the tuple is the documentation")]
    pub fn value_grad_hvp(&self) -> Result<Function<(S, A), (R, A, A), A>, Error> {
        let outputs = (self.outputs.clone(), self.active.clone(), self.active.clone());
        self.derived(derive::value_grad_hvp, (self.inputs.clone(), self.active.clone()), outputs)
    }

    /// `(x, v) ↦ (f(x), ∇f(x)·v, vᵀ·H(x)·v)`, by forward mode alone.
    ///
    /// # Errors
    /// As [`grad`](Function::grad).
    #[track_caller]
    #[allow(clippy::type_complexity, reason = "the tuple is the documentation")]
    pub fn vhv(&self) -> Result<Function<(S, A), (R, R, R), A>, Error> {
        let outputs = (self.outputs.clone(), self.outputs.clone(), self.outputs.clone());
        self.derived(derive::vhv, (self.inputs.clone(), self.active.clone()), outputs)
    }

    /// The Jacobian, dense and row-major: a row a result, a column an argument. For small problems.
    ///
    /// # Errors
    /// Arguments or results that are not real.
    #[track_caller]
    pub fn jacobian(&self) -> Result<Function<S, Scalars<F64>, A>, Error> {
        let [rows, columns] = [len(&self.outputs), len(&self.active)];
        self.derived(derive::jacobian, self.inputs.clone(), Scalars::matrix(rows, columns))
    }

    /// The Hessian, dense and row-major. For small problems.
    ///
    /// # Errors
    /// As [`grad`](Function::grad).
    #[track_caller]
    pub fn hessian(&self) -> Result<Function<S, Scalars<F64>, A>, Error> {
        let n = len(&self.active);
        self.derived(derive::hessian, self.inputs.clone(), Scalars::matrix(n, n))
    }

    #[track_caller]
    fn derived<T: Spec, U: Spec>(
        &self,
        operator: impl FnOnce(&Program, &[usize], Option<SourceLoc>) -> Result<Program, DeriveError>,
        inputs: T,
        outputs: U,
    ) -> Result<Function<T, U, A>, Error> {
        let at = SourceLoc::of(Location::caller());
        let program = operator(&self.program, &self.wrt, Some(at.clone()));
        let program = Arc::new(program.map_err(|source| Error::Derive { source, at })?);
        Ok(Function { program, inputs, outputs, active: self.active.clone(), wrt: self.wrt.clone() })
    }

    // ── use inside another trace ────────────────────────────────────────────────────────────────

    /// Applies this function inside a traced closure; it is inlined.
    #[track_caller]
    pub fn call<'a, 't>(&self, x: S::Traced<'a, 't>) -> R::Made<'t> {
        let caller = Location::caller();
        let leaves = trace::current().and_then(|trace| self.inlined(&trace, caller, x));
        self.outputs.make(&mut leaves.unwrap_or_default().into_iter())
    }

    fn inlined(&self, trace: &Trace, caller: Caller, x: S::Traced<'_, '_>) -> Option<Vec<Leaf>> {
        let mut leaves = Vec::new();
        let types = self.program.param_types();
        if !self.inputs.unbind(x, &mut leaves) {
            let expected = format!("{} scalars", len(&self.inputs));
            let found = format!("{}", leaves.len());
            trace.fail(TraceError::Length { expected, found, at: SourceLoc::of(caller) });
            return None;
        }
        let values: Vec<Value> = leaves.iter().map(|leaf| trace.value(leaf.repr, leaf.elem)).collect();
        let mut rest = &values[..];
        let mut args = Vec::with_capacity(types.len());
        for ty in &types {
            let (scalars, tail) = rest.split_at(ty.shape.len());
            rest = tail;
            args.push(match ty.is_scalar() {
                true => scalars[0],
                false => trace.build(caller, |builder| {
                    let id = builder.intern(ty);
                    builder.insert(Op::Pack(id), scalars)
                })?,
            });
        }
        let inline = evolute_transforms::inline::inline;
        let results = trace.build(caller, |builder| inline(builder, &self.program, &args))?;
        Some(elements(trace, trace.id(), caller, &results, &self.program.result_types()))
    }

    // ── running ─────────────────────────────────────────────────────────────────────────────────

    /// Differentiates, simplifies and compiles to machine code.
    ///
    /// # Errors
    /// A program too large, or no machine code here; then [`interpreted`](Function::interpreted) works.
    pub fn compile(&self) -> Result<Compiled<S, R>, Error> {
        self.compile_with(&Options::default())
    }

    /// As [`compile`](Function::compile), with a choice of options.
    ///
    /// # Errors
    /// As [`compile`](Function::compile).
    pub fn compile_with(&self, options: &Options) -> Result<Compiled<S, R>, Error> {
        let executable = Executable::new(&self.program, options)?;
        Ok(Compiled::new(executable, self.outputs.clone()))
    }

    /// This function to be run by the interpreter: the same interface and the same bits, without machine
    /// code.
    ///
    /// # Errors
    /// A program too large.
    pub fn interpreted(&self) -> Result<Compiled<S, R>, Error> {
        self.compile_with(&Options::default().interpreted())
    }

    // ── seeing ──────────────────────────────────────────────────────────────────────────────────

    /// The program as traced, with its derivative operators.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The program after each pass of the default options.
    ///
    /// # Errors
    /// A program too large.
    pub fn stages(&self) -> Result<Vec<Stage>, Error> {
        Ok(Pipeline::new(pipeline::Options::default()).stages(&self.program)?)
    }

    /// The simplified program as a Graphviz graph.
    ///
    /// # Errors
    /// A program too large.
    pub fn dot(&self) -> Result<String, Error> {
        let program = Pipeline::new(pipeline::Options::default()).run(&self.program)?;
        Ok(evolute_ir::dot(&program))
    }

    /// Where a NaN or infinity in the results at `x` first arises; `None` if all results are finite.
    ///
    /// # Errors
    /// Inputs that do not fit the function, or an evaluation that fails.
    pub fn explain_nan(&self, x: S::Host<'_>) -> Result<Option<NanOrigin>, Error> {
        let mut inputs = Default::default();
        S::inputs(x, &mut inputs);
        Ok(explain_nan(&self.program, &inputs)?)
    }

    /// Compares the derivatives of this function at `x` with finite differences.
    ///
    /// # Errors
    /// Inputs that do not fit the function or are not real, or an evaluation that fails.
    pub fn check_derivatives(&self, x: S::Host<'_>) -> Result<DerivativeCheck, Error> {
        let mut inputs = Default::default();
        S::inputs(x, &mut inputs);
        Ok(check_derivatives(&self.program, &self.wrt, &inputs)?)
    }
}

/// The number of scalars.
fn len(spec: &impl Spec) -> usize {
    let mut list = Vec::new();
    spec.extents(&mut list);
    list.iter().filter_map(|extents| extents.ty().ok()).map(|ty| ty.shape.len()).sum()
}
