//! Addresses: where memories and their elements are.

use super::Lowering;
use crate::lower::FRAME;
use crate::plan::{Crossing, Home, Mem};
use cranelift_codegen::ir::{self, InstBuilder, types};
use evolute_ir::{Elem, Value};

/// An integer: a base and a constant. Of a memory, the address of its first byte.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) base: Option<ir::Value>,
    pub(super) offset: i64,
}

impl Place {
    pub(super) fn at(base: ir::Value) -> Place {
        Place { base: Some(base), offset: 0 }
    }

    pub(super) fn plus(self, offset: i64) -> Place {
        Place { offset: self.offset + offset, ..self }
    }
}

impl Lowering<'_, '_, '_> {
    /// Where a memory is.
    pub(super) fn place(&mut self, mem: Mem) -> Place {
        if let Some(&place) = self.places.get(&mem) {
            return place;
        }
        let memory = &self.plan.mems[mem];
        let place = match memory.home {
            Home::Input(number) => Place::at(self.pointer(FRAME.inputs, number)),
            Home::Output(number) => Place::at(self.pointer(FRAME.outputs, number)),
            Home::Workspace(start) => Place::at(self.emitter.field(FRAME.workspace)).plus(start as i64),
            Home::Within(of, offset) => {
                return self.place(of).plus(offset * memory.elem.size() as i64);
            }
            Home::Moving(_) | Home::Either => {
                let slot = self.slot(Crossing::Address(mem));
                let slot = slot.unwrap_or_else(|| unreachable!("{mem} is not bound"));
                return Place::at(self.load(Elem::I64, slot));
            }
        };
        self.places.insert(mem, place);
        place
    }

    /// A pointer of the caller's.
    fn pointer(&mut self, field: i32, number: u32) -> ir::Value {
        let table = self.emitter.field(field);
        self.emitter.load_early(table, number as i32 * 8)
    }

    /// A place as one integer.
    pub(super) fn address(&mut self, place: Place) -> ir::Value {
        match place {
            Place { base: Some(base), offset: 0 } => base,
            Place { base: Some(base), offset } => self.ins().iadd_imm_s(base, offset),
            Place { base: None, offset } => self.ins().iconst(types::I64, offset),
        }
    }

    /// An address as loads and stores take it: their own offset has 32 bits.
    pub(super) fn operand(&mut self, place: Place) -> (ir::Value, i32) {
        match (place.base, i32::try_from(place.offset)) {
            (Some(base), Ok(offset)) => (base, offset),
            _ => (self.address(place), 0),
        }
    }

    /// A place moved by scalars, each times a number of steps of `size`.
    pub(super) fn moved(&mut self, mut place: Place, terms: &[(Value, i64)], size: i64) -> Place {
        for &(value, stride) in terms {
            let value = self.scalar(value);
            place = self.stepped(place, value, stride * size);
        }
        place
    }

    /// A place moved by `value` times `step`.
    pub(super) fn stepped(&mut self, place: Place, value: ir::Value, step: i64) -> Place {
        let moved = match step {
            0 => return place,
            1 => value,
            _ if step > 0 && step.count_ones() == 1 => {
                self.ins().ishl_imm_u(value, u64::from(step.trailing_zeros()) as i64)
            }
            _ => self.ins().imul_imm_s(value, step),
        };
        let base = match place.base {
            Some(base) => self.ins().iadd(base, moved),
            None => moved,
        };
        Place { base: Some(base), ..place }
    }
}
