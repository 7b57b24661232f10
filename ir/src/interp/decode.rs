//! Decoding: a program becomes steps over slots.

use super::decode_calls::Decoded;
use super::eval::{Run, cast_code, prim_code};
use super::linalg::RoomSize;
use super::steps::{Dot, Pointwise, Reduce, Step, Work, nothing};
use super::{Code, Failure, FailureKind, Interpreter, Machine, Slots};
use crate::entity::{Inst, Region, Table, Value};
use crate::error::IrError;
use crate::infer;
use crate::op::Op;
use crate::prim::Prim;
use crate::program::{Program, SourceLoc};
use crate::structure::Reduction;
use crate::types::{Elem, Literal};
use rustc_hash::FxHashMap;
use std::ops::Range;

/// The most scalars an evaluation may hold: 4 GiB of slots.
const MAX_SLOTS: usize = 1 << 29;

/// Operations on more elements are one step, not an instruction an element.
const MAX_UNROLLED: usize = 64;

pub(super) struct Decoder<'p> {
    pub(super) program: &'p Program,
    codes: Vec<Code>,
    slots: usize,
    constants: Vec<(u32, u64)>,
    iotas: Vec<Range<u32>>,
    pub(super) places: Table<Value, Slots>,
    fallible: Vec<(Slots, Option<SourceLoc>)>,
    checks: Vec<Failure>,
    /// Values that are only added to, so that this can be done in their place.
    pub(super) sums: Table<Value, bool>,
    pub(super) dense: RoomSize,
    /// The most that the carries of a loop hold.
    pub(super) carried: usize,
    /// The functions decoded, and where each is, by its address.
    pub(super) callees: Vec<Vec<Step>>,
    pub(super) decoded: FxHashMap<usize, Decoded>,
    /// The steps of the region at hand, and its first code that no step names.
    steps: Vec<Step>,
    unnamed: usize,
}

impl<'p> Decoder<'p> {
    pub(super) fn new(program: &'p Program) -> Self {
        let count = program.values().len();
        Decoder {
            program,
            codes: Vec::new(),
            slots: 0,
            constants: Vec::new(),
            iotas: Vec::new(),
            places: Table::filled(count, Slots::Range(0..0)),
            fallible: Vec::new(),
            checks: Vec::new(),
            sums: Table::filled(count, false),
            dense: RoomSize::default(),
            carried: 0,
            callees: Vec::new(),
            decoded: FxHashMap::default(),
            steps: Vec::new(),
            unnamed: 0,
        }
    }

    pub(super) fn decode(mut self, region: Region) -> Result<Interpreter, IrError> {
        let program = self.program;
        let body = program.region(region);
        for &param in &body.params {
            self.define(param)?;
        }
        let steps = self.region(region)?;
        let place = |&v: &Value| (program.ty(v).clone(), self.places[v].clone());
        Ok(Interpreter {
            params: body.params.iter().map(place).collect(),
            results: body.results.iter().map(place).collect(),
            codes: self.codes,
            steps,
            callees: self.callees,
            slots: self.slots,
            constants: self.constants,
            iotas: self.iotas,
            places: self.places,
            fallible: self.fallible,
            checks: self.checks,
            dense: self.dense,
            carried: self.carried,
        })
    }

    /// The steps of a region whose parameters have places.
    pub(super) fn region(&mut self, region: Region) -> Result<Vec<Step>, IrError> {
        self.name_codes();
        let outer = std::mem::take(&mut self.steps);
        for &inst in &self.program.region(region).insts {
            self.inst(inst)?;
        }
        self.name_codes();
        Ok(std::mem::replace(&mut self.steps, outer))
    }

    /// The primal region stands where the operation does.
    fn custom(&mut self, inst: Inst, primal: Region) -> Result<(), IrError> {
        let program = self.program;
        let data = program.region(primal);
        for (&param, &operand) in data.params.iter().zip(program.operands(inst)) {
            self.places[param] = self.places[operand].clone();
        }
        for &inst in &data.insts {
            self.inst(inst)?;
        }
        for (result, &given) in program.results(inst).zip(&data.results) {
            self.places[result] = self.places[given].clone();
        }
        Ok(())
    }

    /// Makes a step of the codes that belong to none.
    fn name_codes(&mut self) {
        let end = self.codes.len();
        if self.unnamed < end {
            self.steps.push(Step::Scalars(self.unnamed..end));
            self.unnamed = end;
        }
    }

    pub(super) fn push(&mut self, step: Step) {
        self.name_codes();
        self.steps.push(step);
    }

    fn fresh_range(&mut self, len: usize) -> Result<Range<u32>, IrError> {
        let start = self.slots;
        if len > MAX_SLOTS - start {
            return Err(IrError::Memory { limit: MAX_SLOTS });
        }
        self.slots += len;
        Ok(start as u32..self.slots as u32)
    }

    pub(super) fn fresh(&mut self, len: usize) -> Result<Slots, IrError> {
        self.fresh_range(len).map(Slots::Range)
    }

    /// Gives `value` a place of its own.
    pub(super) fn define(&mut self, value: Value) -> Result<Slots, IrError> {
        let slots = self.fresh(self.program.ty(value).shape.len())?;
        self.places[value] = slots.clone();
        Ok(slots)
    }

    pub(super) fn work(&mut self) -> Result<Work, IrError> {
        Ok(Work(self.fresh(3)?.get(0)))
    }

    pub(super) fn check(&mut self, kind: FailureKind, value: Option<Value>) -> u32 {
        let loc = value.and_then(|value| self.program.loc(value).cloned());
        self.checks.push(Failure { kind, loc });
        self.checks.len() as u32 - 1
    }

    pub(super) fn prim(&self, prim: Prim, elem: Elem) -> Result<Run, IrError> {
        prim_code(prim, elem).ok_or_else(|| {
            infer::mismatch(Op::Prim(prim), format!("an element of `{}`", prim.name()), elem.to_string())
        })
    }

    pub(super) fn elem(&self, value: Value) -> Elem {
        self.program.ty(value).elem
    }

    fn inst(&mut self, inst: Inst) -> Result<(), IrError> {
        let program = self.program;
        let (op, operands) = (program.op(inst), program.operands(inst));
        let value = || program.result(inst);
        match op {
            Op::Const(literal) => self.constant(value(), literal),
            Op::Element(index) => self.element(value(), operands[0], index as usize),
            Op::Pack(_) => self.pack(value(), operands),
            Op::Iota(_) => self.iota(value()),
            Op::Prim(prim) => self.primitive(value(), prim, operands),
            Op::Cast(to) => self.pointwise(value(), cast_code(self.elem(operands[0]), to), operands, false),
            Op::Select => self.pointwise(value(), select, operands, false),
            Op::View(_, strides) => self.view(value(), operands[0], strides),
            Op::Spread(_, strides) => self.spread(value(), operands[0], strides),
            Op::Reduce(reduction, _) => self.reduce(value(), reduction, operands[0]),
            Op::Dot => self.dot(value(), operands),
            Op::At => self.at(value(), operands),
            Op::AddAt => self.add_at(value(), operands),
            Op::Linalg(linalg) => self.linalg(value(), linalg, operands),
            Op::External(id) => self.external(value(), id, operands),
            Op::Loop { body, condition, spec } => {
                self.looping(inst, body, condition, program.loop_spec(spec))
            }
            Op::Cond { yes, no, sums } => self.choice(inst, yes, no, sums as usize),
            Op::Custom { primal, .. } => self.custom(inst, primal),
            Op::Call(id) => self.call(inst, id),
            Op::Jvp { .. } | Op::Vjp { .. } => {
                Err(infer::mismatch(op, "a program without derivative operators", "one"))
            }
            Op::LinearSolve { .. } => {
                Err(infer::mismatch(op, "to be replaced by the steps of its method", "a system"))
            }
        }
    }

    fn constant(&mut self, value: Value, literal: Literal) -> Result<(), IrError> {
        let slot = self.define(value)?;
        self.constants.push((slot.get(0), literal.to_slot()));
        Ok(())
    }

    /// An element lies in its array.
    fn element(&mut self, value: Value, array: Value, index: usize) -> Result<(), IrError> {
        let slot = self.places[array].get(index);
        self.places[value] = Slots::Range(slot..slot + 1);
        Ok(())
    }

    fn iota(&mut self, value: Value) -> Result<(), IrError> {
        let range = self.fresh_range(self.program.ty(value).shape.len())?;
        self.places[value] = Slots::Range(range.clone());
        self.iotas.push(range);
        Ok(())
    }

    fn primitive(&mut self, value: Value, prim: Prim, operands: &[Value]) -> Result<(), IrError> {
        let elem = self.elem(operands[0]);
        let run = self.prim(prim, elem)?;
        self.pointwise(value, run, operands, prim.may_fail() && elem == Elem::I64)
    }

    /// Scalars stay where they are; arrays are copied behind each other.
    fn pack(&mut self, value: Value, operands: &[Value]) -> Result<(), IrError> {
        if operands.len() == self.program.ty(value).shape.len() {
            self.places[value] = Slots::List(operands.iter().map(|&v| self.places[v].get(0)).collect());
            return Ok(());
        }
        let all = self.define(value)?;
        let mut start = all.get(0);
        for &operand in operands {
            let from = self.places[operand].clone();
            let end = start + from.len() as u32;
            self.push(Step::Copy { from, to: Slots::Range(start..end) });
            start = end;
        }
        Ok(())
    }

    fn pointwise(
        &mut self,
        value: Value,
        run: Run,
        operands: &[Value],
        can_fail: bool,
    ) -> Result<(), IrError> {
        let to = self.define(value)?;
        if can_fail {
            self.fallible.push((to.clone(), self.program.loc(value).cloned()));
        }
        if to.len() > MAX_UNROLLED {
            let slots = |n: usize| operands.get(n).map_or(Slots::Range(0..0), |&v| self.places[v].clone());
            let operands = [slots(0), slots(1), slots(2)];
            self.push(Step::Pointwise(Pointwise { run, to, operands }));
            return Ok(());
        }
        for i in 0..to.len() {
            let slot = |n: usize| operands.get(n).map_or(0, |&v| self.places[v].get(i));
            let (a, b, c) = (slot(0), slot(1), slot(2));
            self.codes.push(Code { run, dst: to.get(i), a, b, c });
        }
        Ok(())
    }

    fn reduce(&mut self, value: Value, reduction: Reduction, operand: Value) -> Result<(), IrError> {
        let elem = self.elem(operand);
        let real = |x: f64| Literal::from_f64(elem, x).to_slot();
        let extreme = |x: f64, int: i64| if elem == Elem::I64 { int as u64 } else { real(x) };
        let (combine, start, empty) = match reduction {
            Reduction::Sum => (self.prim(Prim::Add, elem)?, nothing(elem), 0),
            Reduction::Prod => (self.prim(Prim::Mul, elem)?, real(1.0), real(1.0)),
            Reduction::Max => (self.prim(Prim::Max, elem)?, 0, extreme(f64::NEG_INFINITY, i64::MIN)),
            Reduction::Min => (self.prim(Prim::Min, elem)?, 0, extreme(f64::INFINITY, i64::MAX)),
            Reduction::ArgMax => (better(elem, true), 0, 0),
            Reduction::ArgMin => (better(elem, false), 0, 0),
        };
        let extents = self.program.ty(operand).shape.extents();
        let kept = self.program.ty(value).shape.extents().len();
        let count = extents[kept..].iter().map(|&e| e as usize).product();
        let (from, to) = (self.places[operand].clone(), self.define(value)?);
        let work = self.work()?;
        self.push(Step::Reduce(Reduce { reduction, from, to, count, combine, start, empty, work }));
        Ok(())
    }

    fn dot(&mut self, value: Value, operands: &[Value]) -> Result<(), IrError> {
        let [a, b] = [0, 1].map(|i| self.program.ty(operands[i]).shape.extents());
        let extents = [a[0], a[1], a[2], b[2]].map(|e| e as usize);
        let elem = self.elem(value);
        let operands = [0, 1].map(|i| self.places[operands[i]].clone());
        let (mul, add) = (self.prim(Prim::Mul, elem)?, self.prim(Prim::Add, elem)?);
        let (to, work) = (self.define(value)?, self.work()?);
        self.push(Step::Dot(Dot { operands, to, extents, mul, add, start: nothing(elem), work }));
        Ok(())
    }
}

fn select(m: &mut Machine, c: &Code) {
    let chosen = if m.bool(c.a) { c.b } else { c.c };
    m.slots[c.dst as usize] = m.slots[chosen as usize];
}

/// Whether the second operand is to be taken for the largest, or the smallest: it is better, or the first NaN.
fn better(elem: Elem, largest: bool) -> Run {
    macro_rules! compare {
        ($get:ident, $op:tt) => {
            |m, c| {
                let (a, b) = (m.$get(c.a), m.$get(c.b));
                #[allow(clippy::eq_op, reason = "only a NaN differs from itself")]
                let better = b $op a || (b != b && a == a);
                m.slots[c.dst as usize] = u64::from(better);
            }
        };
    }
    match (elem, largest) {
        (Elem::F64, true) => compare!(f64, >),
        (Elem::F64, false) => compare!(f64, <),
        (Elem::F32, true) => compare!(f32, >),
        (Elem::F32, false) => compare!(f32, <),
        (Elem::I64 | Elem::Bool, true) => compare!(i64, >),
        (Elem::I64 | Elem::Bool, false) => compare!(i64, <),
    }
}
