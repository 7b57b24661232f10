//! Two iterations at once.
//!
//! In this mode a scalar that differs between the two is a vector, an integer a [`Place`] with what lies between them,
//! and an array that an iteration has to itself has the elements of both side by side. All else is as it was: a loop
//! within is run through once for both, and what neither depends on is done once.
//!
//! What is added to one place by both is added one after the other. A check that fails goes back to where the iterations
//! are made one by one, which then fails in its turn.

use super::Lowering;
use super::address::{Across, Place};
use super::looping::State;
use crate::emitter::clif_type;
use crate::plan::{Home, Loop, Mem, WideLoop};
use crate::scalars::Operation;
use crate::wide::LANES;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, Block, InstBuilder, types};
use evolute_ir::{Elem, Entity, Literal, Value};
use std::ops::Range;

/// What is known while two iterations are made at once.
#[derive(Clone)]
pub(super) struct Wide {
    /// The numbers of the memories that each iteration has to itself.
    pub(super) private: Range<usize>,
}

impl<'p> Lowering<'_, '_, 'p> {
    /// Runs `body` for two iterations at once, each of which has the memories of these numbers to itself.
    pub(super) fn at_once<T>(&mut self, private: Range<usize>, body: impl FnOnce(&mut Self) -> T) -> T {
        self.wide = Some(Wide { private });
        let result = body(self);
        self.wide = None;
        result
    }

    /// The iterations of a wide loop. `entry` is where the first iteration of a segment begins, `body` where one alone
    /// is made and `end` where there are no more in the segment.
    pub(super) fn wide_iterations(
        &mut self,
        looping: &'p Loop,
        wide: &WideLoop,
        (like, trips): (&State, ir::Value),
        [entry, body, end]: [Block; 3],
    ) {
        let span = (wide.copies * LANES) as i64;
        let (state, limit) = self.begin(like, entry);
        let pairs = self.block_of(&state, limit);
        let (fits, args) = (self.fits(&state, span, limit.unwrap_or(trips)), state.args(limit));
        self.ins().brif(fits, pairs, &args, body, &args);
        let (state, limit) = self.begin(like, pairs);
        let alone = self.emitter.builder.create_block();
        self.emitter.builder.set_cold_block(alone);
        let (scalars, places) = (self.scalars.clone(), self.places.clone());
        self.emitter.bail = Some(alone);
        for copy in 0..wide.copies {
            let number = self.ins().iadd_imm_s(state.number, (copy * LANES) as i64);
            self.at_once(wide.private.clone(), |lowering| {
                lowering.pair_of_iterations(looping, &state, number)
            });
            self.varying.clear();
        }
        self.emitter.bail = None;
        (self.scalars, self.places) = (scalars, places);
        let next = State { number: self.ins().iadd_imm_s(state.number, span), ..state.clone() };
        let rest = self.emitter.builder.create_block();
        let fits = self.fits(&next, span, limit.unwrap_or(trips));
        self.ins().brif(fits, pairs, &next.args(limit), rest, &[]);
        self.emitter.builder.switch_to_block(rest);
        let more = self.fits(&next, 1, limit.unwrap_or(trips));
        self.ins().brif(more, body, &next.args(limit), end, &next.args(None));
        self.emitter.builder.switch_to_block(alone);
        self.ins().jump(body, &state.args(limit));
    }

    /// Whether there are so many iterations left before `end`.
    fn fits(&mut self, state: &State, span: i64, end: ir::Value) -> ir::Value {
        let last = self.ins().iadd_imm_s(state.number, span - 1);
        self.ins().icmp(IntCC::SignedLessThan, last, end)
    }

    fn pair_of_iterations(&mut self, looping: &'p Loop, state: &State, number: ir::Value) {
        self.varying.insert(looping.number, Place::at(number).across(Across::Step(1)));
        let state = State { number, ..state.clone() };
        self.enter_sums(looping, &state);
        self.steps(&looping.body);
    }

    /// Whether each of two iterations made at once has this memory to itself.
    pub(super) fn is_private(&self, mut mem: Mem) -> bool {
        let Some(Wide { private }) = &self.wide else { return false };
        while let Home::Within(of, _) | Home::Moving(of) = self.plan.mems[mem].home {
            mem = of;
        }
        private.contains(&mem.index())
    }

    /// How the memory of the second iteration lies to that of the first.
    pub(super) fn between_lanes(&self, mem: Mem) -> Across {
        match self.is_private(mem) {
            true => Across::Step(self.plan.mems[mem].elem.size() as i64),
            false => Across::Same,
        }
    }

    pub(super) fn literal(&mut self, literal: Literal) -> ir::Value {
        match literal {
            Literal::F64(_) if self.wide.is_some() => self.emitter.wide_constant(literal),
            Literal::F64(_) | Literal::F32(_) | Literal::I64(_) | Literal::Bool(_) => {
                self.emitter.constant(literal)
            }
        }
    }

    /// A scalar that may come to differ between two iterations made at once.
    pub(super) fn carried(&mut self, value: ir::Value) -> ir::Value {
        match self.wide {
            Some(_) => self.emitter.spread(value),
            None => value,
        }
    }

    // ── memory ──────────────────────────────────────────────────────────────────────────────────

    pub(super) fn load_lanes(&mut self, elem: Elem, place: Place) -> ir::Value {
        if elem == Elem::F64 && place.across == Across::Step(Elem::F64.size() as i64) {
            return self.load_as(types::F64X2, place);
        }
        // A load folds into the instruction that comes next.
        let first = self.load_as(clif_type(elem), place.of_lane(0));
        let low = self.emitter.low(first);
        let second = self.load_as(clif_type(elem), place.of_lane(1));
        self.emitter.with_high(low, second)
    }

    pub(super) fn store_lanes(&mut self, value: ir::Value, place: Place) {
        if place.across == Across::Step(Elem::F64.size() as i64) {
            let vector = self.emitter.spread(value);
            return self.store_as(vector, place);
        }
        for lane in 0..LANES {
            let value = self.emitter.lane(value, lane);
            self.store_as(value, place.of_lane(lane));
        }
    }

    /// Adds to what is at a place: both terms, one after the other, unless they certainly go to different ones.
    pub(super) fn add_to(&mut self, term: ir::Value, place: Place) {
        let elem = self.elem(term);
        let together = match (&self.wide, place.across) {
            (None, _) | (Some(_), Across::Step(_)) => true,
            (Some(_), Across::Same | Across::Apart(_)) => false,
        };
        if together {
            let sum = self.load(elem, place);
            let sum = self.sum(sum, term);
            return self.store(sum, place);
        }
        for lane in 0..LANES {
            let (place, term) = (place.of_lane(lane), self.emitter.lane(term, lane));
            let sum = self.load(elem, place);
            let sum = self.sum(sum, term);
            self.store(sum, place);
        }
    }

    // ── integers ────────────────────────────────────────────────────────────────────────────────

    /// An integer in each of the iterations, or the one that it is.
    pub(super) fn integers(&mut self, value: Value) -> Vec<ir::Value> {
        match self.varying.get(&value) {
            Some(&place) => (0..LANES).map(|lane| self.address(place.of_lane(lane))).collect(),
            None => vec![self.scalar(value)],
        }
    }

    pub(super) fn load_integers(&mut self, value: Value, place: Place) {
        let lanes = std::array::from_fn(|lane| self.load_as(types::I64, place.of_lane(lane)));
        self.define_integers(value, lanes);
    }

    fn define_integers(&mut self, value: Value, [first, second]: [ir::Value; LANES]) {
        self.varying.insert(value, Place::at(first).across(Across::Apart(second)));
    }

    /// Whether a computed value is an integer that may differ although no integer operand does.
    pub(super) fn chooses_integers(&mut self, value: Value, operands: &[Value]) -> bool {
        self.wide.is_some()
            && self.plan.elems[value] == Elem::I64
            && operands
                .iter()
                .any(|&v| self.scalars.get(&v).is_some_and(|&found| self.emitter.is_vector(found)))
    }

    /// An operation on integers that differ, or that gives such, in each iteration by itself.
    pub(super) fn compute_lanes(&mut self, value: Value, operation: Operation, operands: &[Value]) {
        let lanes = std::array::from_fn(|lane| {
            let operands: Vec<ir::Value> = operands.iter().map(|&v| self.in_lane(v, lane)).collect();
            let elem = self.elem(operands[0]);
            self.emitter.operation(operation, elem, 0, &operands)
        });
        match self.plan.elems[value] {
            Elem::I64 => self.define_integers(value, lanes),
            Elem::F64 | Elem::F32 | Elem::Bool => {
                let vector = self.emitter.vector(lanes);
                self.define(value, vector);
            }
        }
    }

    fn in_lane(&mut self, value: Value, lane: usize) -> ir::Value {
        match self.varying.get(&value) {
            Some(&place) => self.address(place.of_lane(lane)),
            None => {
                let scalar = self.scalar(value);
                self.emitter.lane(scalar, lane)
            }
        }
    }
}
