//! Addresses: where memories and their elements are.

use super::Lowering;
use crate::lower::FRAME;
use crate::plan::{Crossing, Home, Mem};
use crate::wide;
use cranelift_codegen::ir::{self, InstBuilder, types};
use evolute_ir::{Elem, Value};

/// An integer: a base and a constant. Of a memory, the address of its first byte. Where two iterations are made at
/// once, that of the first, and how the second's differs.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) base: Option<ir::Value>,
    pub(super) offset: i64,
    pub(super) across: Across,
}

/// The integer of the second of two iterations.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Across {
    /// That of the first.
    Same,
    /// So much more.
    Step(i64),
    /// This base and the same constant.
    Apart(ir::Value),
}

impl Place {
    pub(super) const ZERO: Place = Place { base: None, offset: 0, across: Across::Same };

    pub(super) fn at(base: ir::Value) -> Place {
        Place { base: Some(base), ..Place::ZERO }
    }

    pub(super) fn plus(self, offset: i64) -> Place {
        Place { offset: self.offset + offset, ..self }
    }

    pub(super) fn across(self, across: Across) -> Place {
        Place { across, ..self }
    }

    /// That of one of two iterations.
    pub(super) fn of_lane(self, lane: usize) -> Place {
        let first = self.across(Across::Same);
        match self.across {
            _ if lane == 0 => first,
            Across::Same => first,
            Across::Step(step) => first.plus(step),
            Across::Apart(base) => Place { base: Some(base), ..first },
        }
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
            Home::Workspace(start) => Place::at(self.emitter.field(FRAME.workspace))
                .plus(start as i64)
                .across(self.between_lanes(mem)),
            Home::Within(of, offset) => return self.place(of).plus(offset * self.pitch(of)),
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

    /// The distance in bytes of a memory's elements.
    pub(super) fn pitch(&self, mem: Mem) -> i64 {
        let memory = &self.plan.mems[mem];
        let lanes = if self.is_private(mem) { wide::LANES } else { 1 };
        (memory.elem.size() * memory.spacing * lanes) as i64
    }

    /// A place as one integer, that of the first iteration.
    pub(super) fn address(&mut self, place: Place) -> ir::Value {
        match (place.base, place.offset) {
            (Some(base), 0) => base,
            (Some(base), offset) => self.ins().iadd_imm_s(base, offset),
            (None, offset) => self.ins().iconst(types::I64, offset),
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
            place = match self.varying.get(&value) {
                Some(&lanes) => self.stepped_apart(place, lanes, stride * size),
                None => {
                    let value = self.scalar(value);
                    self.stepped(place, value, stride * size)
                }
            };
        }
        place
    }

    /// A place moved by an integer that differs between two iterations, times `step`.
    fn stepped_apart(&mut self, place: Place, value: Place, step: i64) -> Place {
        let second = |lowering: &mut Self| {
            let value = lowering.address(value.of_lane(1));
            lowering.stepped(place.of_lane(1), value, step)
        };
        let across = match (place.across, value.across) {
            (across, Across::Same) => across,
            (Across::Same, Across::Step(distance)) => Across::Step(distance * step),
            (Across::Step(apart), Across::Step(distance)) => Across::Step(apart + distance * step),
            (Across::Apart(_), _) | (_, Across::Apart(_)) => {
                let second = second(self);
                let offset = place.offset;
                Across::Apart(self.address(second.plus(-offset)))
            }
        };
        let first = self.address(value);
        self.stepped(place.of_lane(0), first, step).across(across)
    }

    /// `value` times `step`, which the block at hand may have already.
    fn multiple(&mut self, value: ir::Value, step: i64) -> ir::Value {
        let block = self.emitter.builder.current_block();
        if let Some(&(found, at)) = self.multiples.get(&(value, step))
            && Some(at) == block
        {
            return found;
        }
        let multiple = match step > 0 && step.count_ones() == 1 {
            true => self.ins().ishl_imm_u(value, u64::from(step.trailing_zeros()) as i64),
            false => self.ins().imul_imm_s(value, step),
        };
        if let Some(block) = block {
            self.multiples.insert((value, step), (multiple, block));
        }
        multiple
    }

    /// A place moved by `value` times `step`.
    pub(super) fn stepped(&mut self, place: Place, value: ir::Value, step: i64) -> Place {
        let moved = match step {
            0 => return place,
            1 => value,
            _ => self.multiple(value, step),
        };
        let across = match place.across {
            Across::Apart(base) => Across::Apart(self.ins().iadd(base, moved)),
            across => across,
        };
        let base = match place.base {
            Some(base) => self.ins().iadd(base, moved),
            None => moved,
        };
        Place { base: Some(base), across, ..place }
    }
}
