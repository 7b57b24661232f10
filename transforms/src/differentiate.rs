//! The jvp rule of every instruction, stated once: forward mode emits it, reverse mode transposes it.
//!
//! [`Walk`] goes through an operator-free program, copies each instruction as known code, and adds to each
//! value that depends on an active input its tangent, in the representation `L`. An inactive value has
//! no tangent: zeros are absent, not 0.0. A pointwise primitive contributes, for each active operand,
//! the partial of its row in THE table times the operand's tangent. Loops and conditionals are the business of
//! the representation ([`Linear::structured`]).

use crate::calls::Calls;
use crate::inline::Provenance;
use crate::linear::{Coefficient, Forward, Linear, LinearMap, constant_like};
use crate::share::Share;
use crate::tape::Tape;
use evolute_ir::{
    Builder, ExprBuilder, ExternalId, Inst, IrError, Level, Mode, Op, Origin, Partial, Prim, Program,
    Reduction, Region, Role, Strides, Table, Type, TypeId, Value,
};
use smallvec::SmallVec;
use std::rc::Rc;

/// Inserts the derivative of `body` into `builder`: the body's results, then their tangents
/// (`Forward`) or the cotangents of the active parameters (`Reverse`).
///
/// The first `wrt` parameters are active; `seeds` are the tangents of these, or the cotangents of the results.
pub(crate) fn differentiate(
    builder: &mut Builder,
    application: Application<'_>,
    (mode, wrt): (Mode, usize),
    seeds: &[Value],
) -> Result<Vec<Value>, IrError> {
    let (params, args) = (application.args.len(), application.args);
    let seeds = seeds.iter().copied().map(Some);
    let (mut all, derivatives, like) = match mode {
        Mode::Forward => {
            let seeds: Vec<_> = seeds.chain(std::iter::repeat(None)).take(params).collect();
            let (results, tangents) = forward(builder, application, &seeds)?;
            (results.clone(), tangents, results)
        }
        Mode::Reverse => {
            let active: Vec<bool> = (0..params).map(|param| param < wrt).collect();
            let seeds: Vec<_> = seeds.collect();
            let (results, cotangents) = reverse(builder, application, &active, &seeds)?;
            (results, cotangents, args[..wrt].to_vec())
        }
    };
    for (derivative, like) in derivatives.into_iter().zip(like) {
        all.push(derivative.map_or_else(|| constant_like(builder, like, 0.0), Ok)?);
    }
    Ok(all)
}

/// A program to be differentiated in another.
pub(crate) struct Application<'a> {
    pub(crate) body: &'a Program,
    /// What the body knows of its values.
    pub(crate) provenance: Provenance,
    /// The derivatives of what it calls.
    pub(crate) calls: Rc<Calls>,
    /// The application's own.
    pub(crate) level: Level,
    /// The body's parameters.
    pub(crate) args: &'a [Value],
}

/// Inserts the body's results and their tangents, given those of the parameters. An absent one is a zero.
pub(crate) fn forward(
    builder: &mut Builder,
    application: Application<'_>,
    seeds: &[Option<Value>],
) -> Result<(Vec<Value>, Vec<Option<Value>>), IrError> {
    let (body, level) = (application.body, application.level);
    let origin = Origin { level, role: Role::Tangent, ..Origin::default() };
    let mut walk = Walk::new(application, Forward { builder, origin });
    for (&param, &seed) in body.root().params.iter().zip(seeds) {
        walk.tangents[param] = seed;
    }
    walk.region(Program::ROOT)?;
    let results = &body.root().results;
    Ok((walk.known_all(results), results.iter().map(|&v| walk.tangents[v]).collect()))
}

/// Inserts the body's results, and the cotangents of the active parameters, given those of the results. An absent one is
/// a zero.
pub(crate) fn reverse(
    builder: &mut Builder,
    application: Application<'_>,
    active: &[bool],
    seeds: &[Option<Value>],
) -> Result<(Vec<Value>, Vec<Option<Value>>), IrError> {
    let (body, level, args) = (application.body, application.level, application.args);
    let mut walk = Walk::new(application, Tape::new(builder));
    let mut inputs = Vec::new();
    for ((&param, &arg), _) in body.root().params.iter().zip(args).zip(active).filter(|&(_, &active)| active)
    {
        let input = walk.linear.input(arg);
        walk.tangents[param] = Some(input);
        inputs.push(input);
    }
    walk.region(Program::ROOT)?;
    let seeded = body.root().results.iter().zip(seeds);
    let outputs: Vec<_> =
        seeded.filter_map(|(&v, &seed)| Some((walk.tangents[v], Share::of(seed?)))).collect();
    let known = walk.known_all(&body.root().results);
    let origin = Origin { level, role: Role::Cotangent, ..Origin::default() };
    let (cotangents, _) = walk.run_back(&outputs, &inputs, &[], origin)?;
    Ok((known, cotangents.into_iter().map(|cotangent| Some(cotangent?.0)).collect()))
}

/// The terms of a linear combination: no primitive has more than three operands.
type Terms<L> = SmallVec<[(Coefficient, <L as Linear>::Tangent); 3]>;

pub(crate) struct Walk<'a, L: Linear> {
    pub(crate) body: &'a Program,
    pub(crate) linear: L,
    pub(crate) provenance: Provenance,
    pub(crate) calls: Rc<Calls>,
    pub(crate) level: Level,
    /// The known value of each of the body's.
    pub(crate) known: Table<Value, Option<Value>>,
    /// Its tangent, if it depends on an active parameter.
    pub(crate) tangents: Table<Value, Option<L::Tangent>>,
    /// Which values of nested regions depend on one, where that has been found out.
    pub(crate) active: Table<Value, bool>,
}

impl<'a, L: Linear> Walk<'a, L> {
    fn new(application: Application<'a>, linear: L) -> Self {
        let Application { body, provenance, calls, level, args } = application;
        let count = body.values().len();
        let mut known = Table::filled(count, None);
        for (&param, &arg) in body.root().params.iter().zip(args) {
            known[param] = Some(arg);
        }
        // Only programs with loops, conditionals or calls ask.
        let nested = if body.regions().len() > 1 || !body.callees().is_empty() { count } else { 0 };
        let active = Table::filled(nested, false);
        Walk { body, linear, provenance, calls, level, known, tangents: Table::filled(count, None), active }
    }

    pub(crate) fn known(&self, value: Value) -> Value {
        self.known[value].expect("definitions precede uses")
    }

    /// The known values of an instruction's operands.
    pub(crate) fn known_operands(&self, inst: Inst) -> Vec<Value> {
        self.body.operands(inst).iter().map(|&v| self.known(v)).collect()
    }

    /// What is inserted from now on is the copy of this value's computation.
    pub(crate) fn originate(&mut self, value: Value) {
        let origin = self.provenance.map(self.body, value, &self.known);
        self.linear.builder().set_origin(origin);
    }

    /// Copies the instructions of a region whose parameters are known, with their tangents.
    pub(crate) fn region(&mut self, region: Region) -> Result<(), IrError> {
        let mut known = Vec::new();
        for &inst in &self.body.region(region).insts {
            let operands = self.body.operands(inst);
            let active = operands.iter().any(|&v| self.tangents[v].is_some());
            if self.body.op(inst).is_structure() {
                match (active, self.body.op(inst)) {
                    (false, _) => _ = self.copy_structure(inst, false)?,
                    (true, Op::Custom { rule, .. }) => self.custom(inst, rule)?,
                    (true, Op::LinearSolve { matrix, .. }) => self.linear_solve(inst, matrix)?,
                    (true, _) => L::structured(self, inst)?,
                }
                continue;
            }
            known.clear();
            known.extend(operands.iter().map(|&v| self.known(v)));
            let (op, value) = self.copy_plain(inst, &known)?;
            let result = self.body.result(inst);
            if self.body.ty(result).elem.is_real() && active {
                self.tangents[result] = self.tangent(inst, op, &known, value)?;
            }
        }
        Ok(())
    }

    /// Copies an instruction without regions as known code; its result has no tangent yet.
    pub(crate) fn copy_plain(&mut self, inst: Inst, known: &[Value]) -> Result<(Op, Value), IrError> {
        let result = self.body.result(inst);
        self.originate(result);
        let builder = self.linear.builder();
        let op = self.provenance.map_op(builder, self.body, self.body.op(inst));
        let value = builder.insert(op, known)?;
        self.provenance.copy_name(builder, self.body, result, value);
        self.known[result] = Some(value);
        self.tangents[result] = None;
        Ok((op, value))
    }

    /// The tangent of `result`, given that an operand has one.
    fn tangent(
        &mut self,
        inst: Inst,
        op: Op,
        known: &[Value],
        result: Value,
    ) -> Result<Option<L::Tangent>, IrError> {
        let operands = self.body.operands(inst);
        let tangent = |n: usize| self.tangents[operands[n]];
        let mut terms: Terms<L> = SmallVec::new();
        let map = match op {
            Op::Const(_) | Op::Iota(_) => return Ok(None),
            Op::Prim(prim) => return self.tangent_of_prim(prim, operands, known, result),
            Op::Cast(to) => {
                let from_real = self.body.ty(operands[0]).elem.is_real();
                terms.extend(tangent(0).filter(|_| from_real).map(|t| (Coefficient::Cast(to), t)));
                return self.combined(&terms, result);
            }
            Op::Select => {
                terms.extend(tangent(1).map(|t| (Coefficient::When(known[0], true), t)));
                terms.extend(tangent(2).map(|t| (Coefficient::When(known[0], false), t)));
                return self.combined(&terms, result);
            }
            Op::Pack(ty) => {
                let parts: Vec<_> =
                    operands.iter().zip(known).map(|(&v, &known)| (self.tangents[v], known)).collect();
                return self.linear.pack(ty, &parts, result).map(Some);
            }
            Op::Reduce(reduction, ty) => {
                return self.tangent_of_reduction(reduction, ty, operands[0], result);
            }
            Op::Dot => {
                let products =
                    [(tangent(0), LinearMap::Right(known[1])), (tangent(1), LinearMap::Left(known[0]))];
                for (tangent, map) in products {
                    if let Some(tangent) = tangent {
                        terms.push((Coefficient::One, self.linear.map(map, tangent, result)?));
                    }
                }
                return self.combined(&terms, result);
            }
            Op::Linalg(linalg) => return self.tangent_of_linalg(linalg, operands, known, result),
            Op::AddAt => {
                let (array, term) = (tangent(0), tangent(1));
                return self.linear.add_at(array, term, &known[2..], result).map(Some);
            }
            Op::External(id) => return Err(self.no_derivative(id, result)),
            Op::Element(index) => LinearMap::Element(index),
            Op::View(ty, strides) => LinearMap::View(ty, strides),
            Op::Spread(ty, strides) => LinearMap::Spread(ty, strides),
            Op::At => LinearMap::At(known[1..].into()),
            Op::Loop { .. }
            | Op::Cond { .. }
            | Op::Call(_)
            | Op::Custom { .. }
            | Op::LinearSolve { .. }
            | Op::Jvp { .. }
            | Op::Vjp { .. } => {
                unreachable!("operators are removed innermost first, structures have their own rule")
            }
        };
        match tangent(0) {
            Some(tangent) => self.linear.map(map, tangent, result).map(Some),
            None => Ok(None),
        }
    }

    fn no_derivative(&mut self, id: ExternalId, result: Value) -> IrError {
        let program = self.linear.builder().program();
        let external = &program.externals()[id];
        IrError::NoDerivative {
            name: external.name().into(),
            called: program.loc(result).cloned(),
            defined: external.defined().cloned(),
        }
    }

    pub(crate) fn combined(
        &mut self,
        terms: &[(Coefficient, L::Tangent)],
        result: Value,
    ) -> Result<Option<L::Tangent>, IrError> {
        if terms.is_empty() { Ok(None) } else { self.linear.combine(terms, result).map(Some) }
    }

    /// Known code of the derivative's own, on the line that `result` comes from.
    pub(crate) fn originate_partial(&mut self, result: Value) {
        let loc = self.linear.builder().program().value(result).origin.loc;
        let origin = Origin { loc, level: self.level, role: Role::Primal, of: None };
        self.linear.builder().set_origin(origin);
    }

    /// The derivative of a maximum is that of the element found; a product's is the sum over elements of the
    /// product of all others.
    fn tangent_of_reduction(
        &mut self,
        reduction: Reduction,
        ty: TypeId,
        operand: Value,
        result: Value,
    ) -> Result<Option<L::Tangent>, IrError> {
        let Some(tangent) = self.tangents[operand] else { return Ok(None) };
        let known = self.known(operand);
        let shape = self.linear.builder().program().ty(known).shape.clone();
        let (kept, reduced) =
            shape.extents().split_at(self.linear.builder().program().ty(result).shape.extents().len());
        let empty = reduced.contains(&0);
        let coefficient = match reduction {
            Reduction::Sum => return self.linear.map(LinearMap::Sum(ty), tangent, result).map(Some),
            Reduction::ArgMax | Reduction::ArgMin => return Ok(None),
            _ if empty => return Ok(None),
            Reduction::Max => Coefficient::When(self.found(Reduction::ArgMax, known, kept, result)?, true),
            Reduction::Min => Coefficient::When(self.found(Reduction::ArgMin, known, kept, result)?, true),
            Reduction::Prod => {
                self.originate_partial(result);
                let kept: usize = kept.iter().map(|&e| e as usize).product();
                let others = crate::products::of_others(self.linear.builder(), known, kept)?;
                Coefficient::Times(others)
            }
        };
        let terms = self.linear.combine(&[(coefficient, tangent)], known)?;
        self.linear.map(LinearMap::Sum(ty), terms, result).map(Some)
    }

    /// Where in `array` the element that `reduction` finds is: a `bool` for each element.
    fn found(
        &mut self,
        reduction: Reduction,
        array: Value,
        kept: &[u32],
        result: Value,
    ) -> Result<Value, IrError> {
        self.originate_partial(result);
        let builder = self.linear.builder();
        let shape = builder.program().ty(array).shape.clone();
        let extents: Vec<usize> = shape.extents().iter().map(|&e| e as usize).collect();
        let array_of = |builder: &mut Builder, extents: &[usize]| {
            let ty = Type::array(evolute_ir::Elem::I64, extents).expect("no larger than the operand");
            builder.intern(&ty)
        };
        let kept_extents = &extents[..kept.len()];
        let places = array_of(builder, kept_extents);
        let place = builder.insert(Op::Reduce(reduction, places), &[array])?;
        let count: usize = extents[kept.len()..].iter().product();
        let numbers = array_of(builder, &[count]);
        let numbers = builder.insert(Op::Iota(numbers), &[])?;
        let all = array_of(builder, &extents);
        let own = Strides::row_major(&shape).strides;
        let repeat_kept =
            own.iter().enumerate().map(|(k, &s)| if k < kept.len() { s / count as i64 } else { 0 });
        let repeat_kept = Strides { offset: 0, strides: repeat_kept.collect() };
        let repeat_rest = own.iter().enumerate().map(|(k, &s)| if k < kept.len() { 0 } else { s });
        let repeat_rest = Strides { offset: 0, strides: repeat_rest.collect() };
        let (repeat_kept, repeat_rest) = (builder.strides(&repeat_kept), builder.strides(&repeat_rest));
        let place = builder.insert(Op::View(all, repeat_kept), &[place])?;
        let number = builder.insert(Op::View(all, repeat_rest), &[numbers])?;
        builder.insert(Op::Prim(Prim::Eq), &[place, number])
    }

    fn tangent_of_prim(
        &mut self,
        prim: Prim,
        operands: &[Value],
        known: &[Value],
        result: Value,
    ) -> Result<Option<L::Tangent>, IrError> {
        let mut terms: Terms<L> = SmallVec::new();
        for (index, &operand) in operands.iter().enumerate() {
            let Some(tangent) = self.tangents[operand] else { continue };
            self.originate_partial(result);
            let partial = partial(self.linear.builder(), prim, index, known, result)?;
            let coefficient = match partial {
                Partial::Zero => continue,
                Partial::One => Coefficient::One,
                Partial::MinusOne => Coefficient::MinusOne,
                Partial::When(condition) => Coefficient::When(condition, true),
                Partial::Times(k) => Coefficient::Times(k),
            };
            terms.push((coefficient, tangent));
        }
        if terms.is_empty() {
            return Ok(None);
        }
        match prim.divisor(known, result) {
            None => self.linear.combine(&terms, result).map(Some),
            Some(divisor) => self.linear.quotient(&terms, divisor, result).map(Some),
        }
    }
}

fn partial(
    builder: &mut Builder,
    prim: Prim,
    index: usize,
    known: &[Value],
    result: Value,
) -> Result<Partial, IrError> {
    let exprs = ExprBuilder::new(builder);
    let partial = {
        let operands: SmallVec<[_; 3]> = known.iter().map(|&v| exprs.expr(v)).collect();
        prim.partial(index, &operands, exprs.expr(result))
    };
    exprs.finish()?;
    Ok(partial)
}
