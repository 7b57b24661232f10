//! The types that an operation with regions takes and gives, given those of its regions; and those of a call.

use crate::entity::{CalleeId, Region, Value};
use crate::error::{IrError, Operand};
use crate::infer::{mismatch, op_name};
use crate::op::Op;
use crate::program::Program;
use crate::solver::{Method, Taken};
use crate::structure::{LoopSpec, Trips};
use crate::types::{Elem, Shape, Type};

/// What an operation takes and gives.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Signature {
    /// What the operands before the captures are.
    own: Vec<Operand>,
    pub(crate) operands: Vec<Type>,
    pub(crate) results: Vec<Type>,
}

impl Signature {
    /// Whether the operands are those of this signature; if not, the first that is not.
    pub(crate) fn expect(&self, program: &Program, op: Op, operands: &[Value]) -> Result<(), IrError> {
        if self.operands.len() != operands.len() {
            let found = list(operands.iter().map(|&v| program.ty(v)));
            return Err(mismatch(op, list(&self.operands), found));
        }
        let mut pairs = self.operands.iter().zip(operands.iter().map(|&v| program.ty(v)));
        let Some(number) = pairs.position(|(expected, found)| expected != found) else { return Ok(()) };
        let captured = || Operand::Capture(number - self.own.len());
        Err(IrError::Operand {
            op: op_name(op),
            operand: self.own.get(number).copied().unwrap_or_else(captured),
            expected: self.operands[number].clone(),
            found: program.ty(operands[number]).clone(),
        })
    }
}

/// The signature of a call, or of an operation with regions, which are complete.
pub(crate) fn signature(program: &Program, op: Op) -> Result<Signature, IrError> {
    match op {
        Op::Jvp { region, wrt } => operator(program, op, region, wrt as usize),
        Op::Vjp { region, wrt } => operator(program, op, region, wrt as usize),
        Op::Custom { primal, rule } => custom(program, op, primal, rule),
        Op::LinearSolve { matrix, inverse, solver } => {
            let solver = program.solvers.get(solver).ok_or_else(|| mismatch(op, "a known solver", "none"))?;
            linear_solve(program, op, matrix, inverse, solver.method)
        }
        Op::Loop { body, condition, spec } => {
            let spec = program.loops.get(spec).ok_or_else(|| mismatch(op, "a known loop", "none"))?;
            looping(program, op, *spec, body, condition)
        }
        Op::Cond { yes, no, sums } => conditional(program, op, yes, no, sums as usize),
        Op::Call(id) => call(program, op, id),
        _ => Err(mismatch(op, "an operation with regions or a call", "another")),
    }
}

fn call(program: &Program, op: Op, id: CalleeId) -> Result<Signature, IrError> {
    let callee = program.callees.get(id).ok_or_else(|| mismatch(op, "a known function", "none"))?;
    let operands = callee.param_types();
    Ok(Signature {
        own: roles(Operand::Input, operands.len()).collect(),
        operands,
        results: callee.result_types(),
    })
}

fn types(program: &Program, values: &[Value]) -> Vec<Type> {
    values.iter().map(|&v| program.ty(v).clone()).collect()
}

/// How many of a region's values an operation needs at least.
fn at_least(op: Op, what: &str, values: &[Value], count: usize) -> Result<(), IrError> {
    if values.len() >= count {
        return Ok(());
    }
    Err(mismatch(op, format!("at least {count} {what}"), values.len()))
}

fn expect(op: Op, what: &str, expected: &[Type], found: &[Type]) -> Result<(), IrError> {
    if expected == found {
        return Ok(());
    }
    Err(mismatch(op, format!("{what} {}", list(expected)), list(found)))
}

/// `(f64, i64[3])`.
pub(crate) fn list<'a>(types: impl IntoIterator<Item = &'a Type>) -> String {
    let names: Vec<String> = types.into_iter().map(Type::to_string).collect();
    format!("({})", names.join(", "))
}

/// So many operands of one role.
fn roles(role: fn(usize) -> Operand, count: usize) -> impl Iterator<Item = Operand> {
    (0..count).map(role)
}

fn operator(program: &Program, op: Op, region: Region, wrt: usize) -> Result<Signature, IrError> {
    let body = program.region(region);
    at_least(op, "parameters", &body.params, wrt)?;
    let (active, captured) = body.params.split_at(wrt);
    if let Some(&v) = active.iter().chain(&body.results).find(|&&v| !program.ty(v).elem.is_real()) {
        return Err(mismatch(op, "real parameters and results", program.ty(v)));
    }
    let (active, captured) = (types(program, active), types(program, captured));
    let given = types(program, &body.results);
    let reverse = matches!(op, Op::Vjp { .. });
    let (seeds, derivatives) = if reverse { (&given, &active) } else { (&active, &given) };
    Ok(Signature {
        own: roles(Operand::Input, wrt).chain(roles(Operand::Seed, seeds.len())).collect(),
        operands: [&active[..], seeds, &captured].concat(),
        results: [&given[..], derivatives].concat(),
    })
}

fn custom(program: &Program, op: Op, primal: Region, rule: Region) -> Result<Signature, IrError> {
    let [primal, rule] = [primal, rule].map(|region| program.region(region));
    let (operands, results) = (types(program, &primal.params), types(program, &primal.results));
    let reals = |types: &[Type]| types.iter().filter(|ty| ty.elem.is_real()).cloned().collect::<Vec<_>>();
    let params = [reals(&operands), results.clone(), operands.clone()].concat();
    expect(op, "as parameters of its rule", &params, &types(program, &rule.params))?;
    expect(op, "from its rule", &reals(&results), &types(program, &rule.results))?;
    Ok(Signature { own: roles(Operand::Input, operands.len()).collect(), operands, results })
}

fn linear_solve(
    program: &Program,
    op: Op,
    matrix: Region,
    inverse: Option<Region>,
    method: Method,
) -> Result<Signature, IrError> {
    let data = program.region(matrix);
    at_least(op, "parameters of its matrix", &data.params, 1)?;
    let operands = types(program, &data.params);
    let results = types(program, &data.results);
    expect(op, "from its matrix", &operands[..1], &results)?;
    if !results[0].elem.is_real() || results[0].shape.extents().len() != 1 {
        return Err(mismatch(op, "a vector of reals", &results[0]));
    }
    check_inverse(program, op, inverse, method, &operands)?;
    Ok(Signature { own: roles(Operand::Input, 1).collect(), operands, results })
}

fn check_inverse(
    program: &Program,
    op: Op,
    inverse: Option<Region>,
    method: Method,
    operands: &[Type],
) -> Result<(), IrError> {
    let inverse = match (method.takes_inverse(), inverse) {
        (Taken::Optionally | Taken::Always, Some(inverse)) => inverse,
        (Taken::Never | Taken::Optionally, None) => return Ok(()),
        (taken, found) => {
            let expected = if taken == Taken::Always { "an inverse" } else { "no inverse" };
            let found = if found.is_some() { "one" } else { "none" };
            return Err(mismatch(op, format!("{expected} with the method `{}`", method.name()), found));
        }
    };
    let data = program.region(inverse);
    let params = [&operands[..1], operands].concat();
    expect(op, "as parameters of its inverse", &params, &types(program, &data.params))?;
    let pair = [operands[0].clone(), operands[0].clone()];
    expect(op, "from its inverse", &pair, &types(program, &data.results))
}

fn looping(
    program: &Program,
    op: Op,
    spec: LoopSpec,
    body: Region,
    condition: Option<Region>,
) -> Result<Signature, IrError> {
    let [carries, rows, sums] = [spec.carries, spec.rows, spec.sums].map(|count| count as usize);
    if spec.checkpoint.is_some() && spec.sums > 0 && !spec.ordered {
        return Err(mismatch(op, "with checkpoints, ordered sums", "sums in lanes"));
    }
    let data = program.region(body);
    at_least(op, "parameters of its body", &data.params, spec.own_params())?;
    at_least(op, "results of its body", &data.results, carries + sums)?;
    let (own, captured) = data.params.split_at(spec.own_params());
    let integer = Type::scalar(Elem::I64);
    expect(op, "as the iteration number", std::slice::from_ref(&integer), &types(program, &own[..1]))?;
    let [carry, row, sum] = [&own[1..=carries], &own[1 + carries..][..rows], &own[1 + carries + rows..]]
        .map(|values| types(program, values));
    let captured = types(program, captured);
    let given = types(program, &data.results);
    let (given_carries, given) = given.split_at(carries);
    let (stacked, given_sums) = given.split_at(given.len() - sums);
    expect(op, "carries", &carry, given_carries)?;
    expect(op, "sums", &sum, given_sums)?;
    check_condition(program, op, spec, condition, [&carry, &captured])?;
    let cap = spec.trips.cap();
    let arrays = |rows: &[Type]| rows.iter().map(|row| stack(row, cap)).collect::<Vec<_>>();
    let count = |wanted: bool| if wanted { vec![integer.clone()] } else { Vec::new() };
    Ok(Signature {
        own: roles(|_| Operand::Count, spec.first_carry_operand())
            .chain(roles(Operand::Carry, carries))
            .chain(roles(Operand::Row, rows))
            .chain(roles(Operand::Sum, sums))
            .collect(),
        operands: [
            count(matches!(spec.trips, Trips::Counted(_))),
            carry.clone(),
            arrays(&row),
            sum.clone(),
            captured,
        ]
        .concat(),
        results: [count(matches!(spec.trips, Trips::While(_))), carry, arrays(stacked), sum].concat(),
    })
}

fn check_condition(
    program: &Program,
    op: Op,
    spec: LoopSpec,
    condition: Option<Region>,
    [carry, captured]: [&[Type]; 2],
) -> Result<(), IrError> {
    match (spec.trips, condition) {
        (Trips::While(_), Some(region)) if !spec.reverse => {
            let expected = [&[Type::scalar(Elem::I64)], carry, captured].concat();
            let data = program.region(region);
            expect(op, "as its condition's parameters", &expected, &types(program, &data.params))?;
            expect(op, "as its condition", &[Type::scalar(Elem::Bool)], &types(program, &data.results))
        }
        (Trips::While(_), _) => Err(mismatch(op, "a condition, and to run forwards", "another")),
        (Trips::Fixed(_) | Trips::Counted(_), None) => Ok(()),
        (Trips::Fixed(_) | Trips::Counted(_), Some(_)) => Err(mismatch(op, "no condition", "one")),
    }
}

/// The array of `count` rows of this type, which may be past the limit.
fn stack(row: &Type, count: u32) -> Type {
    Type { elem: row.elem, shape: Shape::of_rows(count, &row.shape) }
}

fn conditional(
    program: &Program,
    op: Op,
    yes: Region,
    no: Region,
    sums: usize,
) -> Result<Signature, IrError> {
    let [yes, no] = [yes, no].map(|region| program.region(region));
    at_least(op, "parameters", &yes.params, sums)?;
    at_least(op, "results", &yes.results, sums)?;
    let (params, results) = (types(program, &yes.params), types(program, &yes.results));
    expect(op, "in its other region the parameters", &params, &types(program, &no.params))?;
    expect(op, "from its other region", &results, &types(program, &no.results))?;
    expect(op, "sums", &params[..sums], &results[results.len() - sums..])?;
    Ok(Signature {
        own: roles(|_| Operand::Condition, 1).chain(roles(Operand::Sum, sums)).collect(),
        operands: [&[Type::scalar(Elem::Bool)], &params[..]].concat(),
        results,
    })
}
