//! The derivative operators as functions of a program.
//!
//! Each wraps the program in operator instructions, [`Op::Jvp`] and [`Op::Vjp`], and nothing more: all the others are sugar over these two, and they nest
//! in any order. The operators are removed by [`remove_operators`](crate::inline::remove_operators).
//! `wrt` lists the parameters to differentiate with respect to; the others are data. `loc` is the
//! user's line that asks.

use crate::inline::inline;
use evolute_ir::{Builder, Elem, IrError, Literal, Loc, Mode, Op, Origin, Program, SourceLoc, Type, Value};
use thiserror::Error;

/// Why a derivative does not exist. The caller's mistake.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DeriveError {
    /// There is no such argument, or it is named twice.
    #[error(
        "cannot differentiate with respect to argument {index}: the function has {count}, each to be named once"
    )]
    Argument {
        /// The index given.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// The argument is not real. Declare it `f64` or `f32`, or leave it out.
    #[error("cannot differentiate with respect to argument {index} of type {found}: expected a real type")]
    NotReal {
        /// The argument.
        index: usize,
        /// Its type.
        found: Type,
    },
    /// A gradient needs a function with one real scalar result; use a Jacobian, `jvp` or `vjp`.
    #[error("a gradient needs one real scalar result, found ({found})")]
    NotScalar {
        /// The types of the results.
        found: String,
    },
    /// The derivative cannot be built.
    #[error(transparent)]
    Ir(#[from] IrError),
}

/// `(x…) ↦ f(x)` becomes `(x…, ẋ…) ↦ (f(x)…, f'(x)·ẋ…)`, `ẋ` for the arguments `wrt`. Costs at most about
/// three evaluations of `f`.
///
/// # Errors
/// Arguments that do not exist or are not real; results that are not.
pub fn jvp(f: &Program, wrt: &[usize], loc: Option<SourceLoc>) -> Result<Program, DeriveError> {
    tangents(f, wrt, loc, |_| true)
}

/// The results of [`jvp`] whose number `wanted` accepts.
fn tangents(
    f: &Program,
    wrt: &[usize],
    loc: Option<SourceLoc>,
    wanted: impl Fn(usize) -> bool,
) -> Result<Program, DeriveError> {
    let mut wrap = Wrap::new(f, wrt, loc)?;
    let seeds = wrap.seeds(wrt.iter().map(|&i| f.root().params[i]).collect());
    let results = wrap.apply(Mode::Forward, &seeds)?;
    let numbered = results.into_iter().enumerate();
    let results: Vec<Value> = numbered.filter(|&(i, _)| wanted(i)).map(|(_, v)| v).collect();
    wrap.finish(&results)
}

/// `(x…) ↦ f(x)` becomes `(x…, ȳ…) ↦ (f(x)…, f'(x)ᵀ·ȳ…)`, the cotangents for the arguments `wrt`. Costs at
/// most about four evaluations of `f`, whatever the number of arguments.
///
/// # Errors
/// Arguments that do not exist or are not real; results that are not.
pub fn vjp(f: &Program, wrt: &[usize], loc: Option<SourceLoc>) -> Result<Program, DeriveError> {
    let mut wrap = Wrap::new(f, wrt, loc)?;
    let seeds = wrap.seeds(f.root().results.clone());
    let results = wrap.apply(Mode::Reverse, &seeds)?;
    wrap.finish(&results)
}

/// The value and the gradient of a scalar function, by reverse mode.
///
/// # Errors
/// As [`vjp`], and a function whose result is not one real scalar.
pub fn value_and_grad(f: &Program, wrt: &[usize], loc: Option<SourceLoc>) -> Result<Program, DeriveError> {
    gradient(f, wrt, loc, 0)
}

/// The results of [`value_and_grad`] from number `first` on.
fn gradient(
    f: &Program,
    wrt: &[usize],
    loc: Option<SourceLoc>,
    first: usize,
) -> Result<Program, DeriveError> {
    let elem = scalar_result(f)?;
    let mut wrap = Wrap::new(f, wrt, loc)?;
    let one = wrap.builder.constant(Literal::from_f64(elem, 1.0));
    let results = wrap.apply(Mode::Reverse, &[one])?;
    wrap.finish(&results[first..])
}

/// The gradient of a scalar function.
///
/// # Errors
/// As [`value_and_grad`].
pub fn grad(f: &Program, wrt: &[usize], loc: Option<SourceLoc>) -> Result<Program, DeriveError> {
    gradient(f, wrt, loc, 1)
}

/// `(x…, v…) ↦ H(x)·v` for the Hessian of a scalar function: the forward derivative of the gradient.
/// Costs at most about ten evaluations of `f`, whatever the number of arguments.
///
/// # Errors
/// As [`value_and_grad`].
pub fn hvp(f: &Program, wrt: &[usize], loc: Option<SourceLoc>) -> Result<Program, DeriveError> {
    let gradient = grad(f, wrt, loc.clone())?;
    tangents(&gradient, wrt, loc, |index| index >= wrt.len())
}

/// `(x…, v…) ↦ (f, ∇f…, H·v…)` of a scalar function, at little more than the cost of [`hvp`].
///
/// # Errors
/// As [`value_and_grad`].
pub fn value_grad_hvp(f: &Program, wrt: &[usize], loc: Option<SourceLoc>) -> Result<Program, DeriveError> {
    let first = value_and_grad(f, wrt, loc.clone())?;
    tangents(&first, wrt, loc, |index| index != wrt.len() + 1)
}

/// `(x…, v…) ↦ (f, ∇f·v, vᵀH·v)` of a scalar function, by forward mode twice: no reverse sweep.
///
/// # Errors
/// As [`value_and_grad`].
pub fn vhv(f: &Program, wrt: &[usize], loc: Option<SourceLoc>) -> Result<Program, DeriveError> {
    scalar_result(f)?;
    let inner = jvp(f, wrt, loc.clone())?;
    let mut wrap = Wrap::new(f, wrt, loc)?;
    let seeds = wrap.seeds(wrt.iter().map(|&i| f.root().params[i]).collect());
    wrap.function = inner;
    wrap.extra = seeds.clone();
    let results = wrap.apply(Mode::Forward, &seeds)?;
    wrap.finish(&[results[0], results[1], results[3]])
}

/// The Jacobian of all results with respect to the arguments `wrt`, flattened: a matrix of a row a result
/// element and a column an argument element, by one forward derivative a column. A convenience for
/// small problems: the program grows with the number of columns.
///
/// # Errors
/// As [`jvp`].
pub fn jacobian(f: &Program, wrt: &[usize], loc: Option<SourceLoc>) -> Result<Program, DeriveError> {
    matrix(f, wrt, loc, "the Jacobian")
}

/// The [`jacobian`], called `what` in errors.
fn matrix(
    f: &Program,
    wrt: &[usize],
    loc: Option<SourceLoc>,
    what: &'static str,
) -> Result<Program, DeriveError> {
    let mut wrap = Wrap::new(f, wrt, loc)?;
    let elem = wrap.common_elem()?;
    let elements = |values: &mut dyn Iterator<Item = Value>| values.map(|v| f.ty(v).shape.len()).sum();
    let rows: usize = elements(&mut f.root().results.iter().copied());
    let count: usize = elements(&mut wrt.iter().map(|&index| f.root().params[index]));
    wrap.room_for(rows, count).map_err(|error| error.building(what))?;
    let mut columns = Vec::with_capacity(count);
    for &argument in wrt {
        for element in 0..f.ty(f.root().params[argument]).shape.len() {
            columns.push(wrap.column(argument, element)?);
        }
    }
    let ty = Type::array(elem, &[rows, count]).expect("within the limit");
    let entries: Vec<Value> = (0..rows).flat_map(|row| columns.iter().map(move |c| c[row])).collect();
    let id = wrap.builder.intern(&ty);
    let matrix = wrap.builder.insert(Op::Pack(id), &entries)?;
    wrap.finish(&[matrix])
}

/// The Hessian of a scalar function, dense: the [`jacobian`] of its [`grad`].
///
/// # Errors
/// As [`value_and_grad`].
pub fn hessian(f: &Program, wrt: &[usize], loc: Option<SourceLoc>) -> Result<Program, DeriveError> {
    matrix(&grad(f, wrt, loc.clone())?, wrt, loc, "the Hessian")
}

/// The program with only the results whose number `wanted` accepts.
///
/// # Errors
/// None for a valid program.
pub fn keep(program: &Program, wanted: impl Fn(usize) -> bool) -> Result<Program, IrError> {
    let mut builder = Builder::new();
    builder.set_limit(program.limit());
    let args = copy_params(&mut builder, program);
    let results = inline(&mut builder, program, &args)?;
    let numbered = results.into_iter().enumerate();
    let kept: Vec<Value> = numbered.filter(|&(i, _)| wanted(i)).map(|(_, v)| v).collect();
    builder.finish_live(&kept)
}

/// Parameters like those of `program`, with their origins and names.
pub(crate) fn copy_params(builder: &mut Builder, program: &Program) -> Vec<Value> {
    let mut copy = |&param: &Value| {
        let loc = program.loc(param).map_or(Loc::UNKNOWN, |loc| builder.add_loc(loc.clone()));
        builder.set_origin(Origin { loc, ..Origin::default() });
        let value = builder.param(program.ty(param));
        if let Some(name) = program.name(param) {
            builder.set_name(value, name);
        }
        value
    };
    let params = program.root().params.iter().map(&mut copy).collect();
    builder.set_origin(Origin::default());
    params
}

fn scalar_result(f: &Program) -> Result<Elem, DeriveError> {
    match f.result_types().as_slice() {
        [ty] if ty.is_scalar() && ty.elem.is_real() => Ok(ty.elem),
        types => {
            let found: Vec<String> = types.iter().map(Type::to_string).collect();
            Err(DeriveError::NotScalar { found: found.join(", ") })
        }
    }
}

/// A program under construction that applies operators to a function of its parameters.
struct Wrap {
    builder: Builder,
    function: Program,
    wrt: Vec<usize>,
    args: Vec<Value>,
    /// Arguments of the function past the parameters: captured by the operators.
    extra: Vec<Value>,
    origin: Origin,
}

impl Wrap {
    fn new(f: &Program, wrt: &[usize], loc: Option<SourceLoc>) -> Result<Wrap, DeriveError> {
        let types = f.param_types();
        for (position, &index) in wrt.iter().enumerate() {
            match types.get(index) {
                None => return Err(DeriveError::Argument { index, count: types.len() }),
                Some(_) if wrt[..position].contains(&index) => {
                    return Err(DeriveError::Argument { index, count: types.len() });
                }
                Some(ty) if !ty.elem.is_real() => {
                    return Err(DeriveError::NotReal { index, found: ty.clone() });
                }
                Some(_) => {}
            }
        }
        let mut builder = Builder::new();
        builder.set_limit(f.limit());
        let args = copy_params(&mut builder, f);
        let loc = loc.map_or(Loc::UNKNOWN, |loc| builder.add_loc(loc));
        let origin = Origin { loc, ..Origin::default() };
        builder.set_origin(origin);
        Ok(Wrap { builder, function: f.clone(), wrt: wrt.to_vec(), args, extra: Vec::new(), origin })
    }

    /// Parameters for seeds of the types of these values of the function.
    fn seeds(&mut self, like: Vec<Value>) -> Vec<Value> {
        let types: Vec<Type> = like.iter().map(|&v| self.function.ty(v).clone()).collect();
        types.iter().map(|ty| self.builder.param(ty)).collect()
    }

    fn apply(&mut self, mode: Mode, seeds: &[Value]) -> Result<Vec<Value>, IrError> {
        let inputs: Vec<Value> = self.wrt.iter().map(|&i| self.args[i]).collect();
        self.builder.open_region();
        let mut args = self.args.clone();
        for (&index, &input) in self.wrt.iter().zip(&inputs) {
            let ty = self.builder.program().ty(input).clone();
            args[index] = self.builder.param(&ty);
        }
        args.extend_from_slice(&self.extra);
        self.operator(mode, &args, &inputs, seeds)
    }

    /// Closes the open region with the function's results on `args`, and applies the operator.
    fn operator(
        &mut self,
        mode: Mode,
        args: &[Value],
        inputs: &[Value],
        seeds: &[Value],
    ) -> Result<Vec<Value>, IrError> {
        let results = inline(&mut self.builder, &self.function, args)?;
        let body = self.builder.close_region(&results)?;
        self.builder.set_origin(self.origin);
        self.builder.operator(mode, body, inputs, seeds)
    }

    /// Whether a matrix of so many rows and columns fits into the limit. Each column has a copy of the function, in
    /// which every instruction but the constants and those that move elements is there once, and of the array that
    /// varies, an operand an element.
    fn room_for(&self, rows: usize, columns: usize) -> Result<(), IrError> {
        let moves = |op| matches!(op, Op::Const(_) | Op::Element(_) | Op::Pack(_) | Op::View(..));
        let copied = self.function.insts().values().filter(|inst| !moves(inst.op)).count();
        let params = &self.function.root().params;
        let packed =
            self.wrt.iter().map(|&index| self.function.ty(params[index]).shape.len()).max().unwrap_or(0);
        let limit = self.function.limit();
        let column = copied.max(rows).max(packed / Program::OPERANDS);
        match column.saturating_mul(columns) <= limit {
            true => Ok(()),
            false => Err(IrError::TooLarge { what: "the program", limit }),
        }
    }

    /// The derivatives of all results' elements with respect to one element of one argument.
    fn column(&mut self, argument: usize, element: usize) -> Result<Vec<Value>, IrError> {
        let array = self.args[argument];
        let ty = self.builder.program().ty(array).clone();
        let elements = elements(&mut self.builder, array)?;
        let one = self.builder.constant(Literal::from_f64(ty.elem, 1.0));
        self.builder.open_region();
        let mut varied = elements.clone();
        varied[element] = self.builder.param(&Type::scalar(ty.elem));
        let mut args = self.args.clone();
        args[argument] = match ty.is_scalar() {
            true => varied[0],
            false => {
                let id = self.builder.intern(&ty);
                self.builder.insert(Op::Pack(id), &varied)?
            }
        };
        let all = self.operator(Mode::Forward, &args, &[elements[element]], &[one])?;
        let mut column = Vec::new();
        for &tangent in &all[all.len() / 2..] {
            column.extend(self::elements(&mut self.builder, tangent)?);
        }
        Ok(column)
    }

    /// The element kind shared by results and differentiated arguments, as one matrix has one.
    fn common_elem(&self) -> Result<Elem, DeriveError> {
        let params = self.function.param_types();
        let mut types = self.wrt.iter().map(|&i| params[i].clone()).chain(self.function.result_types());
        let Some(first) = types.next() else { return Ok(Elem::F64) };
        match types.find(|ty| ty.elem != first.elem) {
            None => Ok(first.elem),
            Some(odd) => Err(DeriveError::Ir(IrError::Type {
                op: "jacobian".into(),
                expected: format!("arguments and results of one element, like {}", first.elem),
                found: odd.to_string(),
            })),
        }
    }

    fn finish(self, results: &[Value]) -> Result<Program, DeriveError> {
        Ok(self.builder.finish(results)?)
    }
}

/// The scalars of a value.
fn elements(builder: &mut Builder, value: Value) -> Result<Vec<Value>, IrError> {
    let ty = builder.program().ty(value).clone();
    if ty.is_scalar() {
        return Ok(vec![value]);
    }
    (0..ty.shape.len() as u32).map(|i| builder.insert(Op::Element(i), &[value])).collect()
}
