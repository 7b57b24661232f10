//! Decoding: a program becomes a list of scalar instructions over slots.

use super::eval::{cast_code, prim_code};
use super::{Code, Interpreter, Machine, Slots};
use crate::entity::{Table, Value};
use crate::error::IrError;
use crate::infer;
use crate::program::{Op, Program, SourceLoc};
use crate::types::Elem;

/// The most scalars an evaluation may hold: 4 GiB of slots.
const MAX_SLOTS: usize = 1 << 29;

#[derive(Default)]
pub(super) struct Decoder {
    codes: Vec<Code>,
    initial: Vec<u64>,
    places: Table<Value, Slots>,
    fallible: Vec<(u32, Option<SourceLoc>)>,
}

impl Decoder {
    pub(super) fn decode(mut self, program: &Program) -> Result<Interpreter, IrError> {
        for (value, _) in program.values().iter() {
            let slots = match program.def_inst(value) {
                None => self.fresh(program.ty(value).shape.len())?,
                Some(inst) => self.decode_inst(program, value, program.op(inst), program.operands(inst))?,
            };
            self.places.push(slots);
        }
        let place = |&v: &Value| (program.ty(v).clone(), self.places[v].clone());
        Ok(Interpreter {
            params: program.root().params.iter().map(place).collect(),
            results: program.root().results.iter().map(place).collect(),
            codes: self.codes,
            initial: self.initial,
            places: self.places,
            fallible: self.fallible,
        })
    }

    fn fresh(&mut self, len: usize) -> Result<Slots, IrError> {
        let start = self.initial.len();
        if len > MAX_SLOTS - start {
            return Err(IrError::TooLarge { limit: MAX_SLOTS });
        }
        self.initial.resize(start + len, 0);
        Ok(Slots::Range(start as u32..(start + len) as u32))
    }

    fn decode_inst(
        &mut self,
        program: &Program,
        value: Value,
        op: Op,
        operands: &[Value],
    ) -> Result<Slots, IrError> {
        let elem = operands.first().map_or(Elem::F64, |&v| program.ty(v).elem);
        let run: fn(&mut Machine, &Code) = match op {
            Op::Const(literal) => {
                let slot = self.fresh(1)?;
                self.initial[slot.get(0) as usize] = literal.to_slot();
                return Ok(slot);
            }
            Op::Element(index) => {
                let slot = self.places[operands[0]].get(index as usize);
                return Ok(Slots::Range(slot..slot + 1));
            }
            Op::Pack(_) => {
                return Ok(Slots::List(operands.iter().map(|&v| self.places[v].get(0)).collect()));
            }
            Op::Prim(prim) => prim_code(prim, elem).ok_or_else(|| {
                infer::mismatch(op, format!("an element of `{}`", prim.name()), elem.to_string())
            })?,
            Op::Cast(to) => cast_code(elem, to),
            Op::Select => |m, c| {
                let chosen = if m.bool(c.a) { c.b } else { c.c };
                m.slots[c.dst as usize] = m.slots[chosen as usize];
            },
            Op::Iota(_)
            | Op::View(..)
            | Op::Spread(..)
            | Op::Reduce(..)
            | Op::Dot
            | Op::At
            | Op::AddAt
            | Op::Loop { .. }
            | Op::Cond { .. }
            | Op::Jvp { .. }
            | Op::Vjp { .. } => {
                return Err(infer::mismatch(op, "a program without derivative operators", "one"));
            }
        };
        let dst = self.fresh(program.ty(value).shape.len())?;
        for i in 0..dst.len() {
            let slot = |n: usize| operands.get(n).map_or(0, |&v| self.places[v].get(i));
            let (a, b, c) = (slot(0), slot(1), slot(2));
            self.codes.push(Code { run, dst: dst.get(i), a, b, c });
            if matches!(op, Op::Prim(prim) if prim.may_fail()) && elem == Elem::I64 {
                self.fallible.push((dst.get(i), program.loc(value).cloned()));
            }
        }
        Ok(dst)
    }
}
