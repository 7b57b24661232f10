//! Sums of loops: lanes and segments.
//!
//! A loop with segments asks after each iteration only whether it has come to its limit, the end of the segment at
//! hand; what happens there is in blocks of its own. An array that is summed in segments without lanes moves from
//! its own memory to another at the first boundary: its address is part of the loop's state.

use super::Lowering;
use super::address::{Across, Place};
use super::looping::State;
use crate::plan::{LaneKind, Lanes, Loop, Mem};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, Block, BlockArg, InstBuilder, types};
use evolute_ir::{LANES, Literal, Reduction};

impl Lowering<'_, '_, '_> {
    /// The addresses that sums in segments without lanes start with.
    pub(super) fn first_addresses(&mut self, looping: &Loop) -> Vec<ir::Value> {
        let moving: Vec<Mem> = looping.lanes.iter().filter_map(moving).collect();
        moving.into_iter().map(|mem| self.whole_address(mem)).collect()
    }

    /// Where the segment of an iteration ends: the number after its last, or in reverse its last.
    pub(super) fn limit(&mut self, looping: &Loop, number: ir::Value, trips: ir::Value) -> Option<ir::Value> {
        let length = i64::from(looping.segment()?);
        if looping.spec.reverse {
            return Some(self.ins().band_imm_s(number, -length));
        }
        let last = self.ins().bor_imm_u(number, length - 1);
        let end = self.ins().iadd_imm_s(last, 1);
        let whole = self.ins().icmp(IntCC::SignedLessThan, end, trips);
        Some(self.ins().select(whole, end, trips))
    }

    pub(super) fn enter_sums(&mut self, looping: &Loop, state: &State) {
        let mut addresses = state.addresses.iter();
        for lanes in &looping.lanes {
            let place = match moving(lanes) {
                Some(_) => Place::at(*addresses.next().expect("an address each")),
                None => {
                    let step = self.pitch(lanes.all);
                    let place = self.place(lanes.all);
                    let which = self.ins().band_imm_u(state.number, LANES as i64 - 1);
                    let place = self.stepped(place, which, step);
                    // Of two iterations at once the second adds to the next lane.
                    match (&self.wide, place.across) {
                        (Some(_), Across::Same) => place.across(Across::Step(step)),
                        (None, _) | (Some(_), Across::Step(_) | Across::Apart(_)) => place,
                    }
                }
            };
            self.bind(lanes.lane, place);
        }
    }

    /// Between two iterations of which the second begins a segment: `state` is what that finds. Goes on with `body`.
    pub(super) fn next_segment(&mut self, looping: &Loop, state: State, trips: ir::Value, body: Block) {
        let State { number, scalars, pairs, addresses } = state;
        let mut addresses = addresses.into_iter();
        let mut moved = Vec::new();
        for lanes in looping.lanes.iter().filter(|lanes| lanes.order.segment.is_some()) {
            let address = moving(lanes).and_then(|_| addresses.next());
            let begins = self.begins_segment(looping, lanes, number);
            moved.extend(self.when(begins, address, |lowering| lowering.end_segment(lanes, address)));
        }
        let limit = self.limit(looping, number, trips);
        let state = State { number, scalars, pairs, addresses: moved };
        self.ins().jump(body, &state.args(limit));
    }

    /// Whether iteration `number`, which begins a segment of some sum, begins one of this; `None` if certainly.
    fn begins_segment(&mut self, looping: &Loop, lanes: &Lanes, number: ir::Value) -> Option<ir::Value> {
        if lanes.order.segment == looping.segment() {
            return None;
        }
        let length = i64::from(lanes.order.segment?);
        let boundary = if looping.spec.reverse { self.ins().iadd_imm_s(number, 1) } else { number };
        let rest = self.ins().band_imm_u(boundary, length - 1);
        Some(self.ins().icmp_imm_s(IntCC::Equal, rest, 0))
    }

    /// Runs `body` if the condition holds, which gives what becomes of `carried`.
    fn when(
        &mut self,
        condition: Option<ir::Value>,
        carried: Option<ir::Value>,
        body: impl FnOnce(&mut Self) -> Option<ir::Value>,
    ) -> Option<ir::Value> {
        let Some(condition) = condition else { return body(self) };
        let [then, done] = [0, 1].map(|_| self.emitter.builder.create_block());
        let args = |value: Option<ir::Value>| value.map(BlockArg::from).into_iter().collect::<Vec<_>>();
        carried.iter().for_each(|_| _ = self.emitter.builder.append_block_param(done, types::I64));
        self.ins().brif(condition, then, &[], done, &args(carried));
        self.emitter.builder.switch_to_block(then);
        let given = body(self);
        self.ins().jump(done, &args(given));
        self.emitter.builder.switch_to_block(done);
        self.emitter.builder.block_params(done).first().copied()
    }

    /// Adds the segment at hand to those before, and starts the next one from nothing; gives its address, if that
    /// moves.
    fn end_segment(&mut self, lanes: &Lanes, address: Option<ir::Value>) -> Option<ir::Value> {
        match (address, lanes.before) {
            (Some(address), _) => self.add_private(lanes, address),
            (None, Some(before)) => self.each_element(lanes, |lowering, place, index| {
                let to = lowering.element_of(before, index);
                lowering.add_lanes(lanes, place, to);
            }),
            (None, None) => unreachable!("lanes in segments have a sum of those before"),
        }
        self.clear(lanes);
        address.map(|_| self.whole_address(lanes.all))
    }

    /// What the loop has summed.
    pub(super) fn finish_sums(&mut self, looping: &Loop, state: &State) {
        let mut addresses = state.addresses.iter();
        for lanes in &looping.lanes {
            match (moving(lanes), lanes.to) {
                (Some(_), _) => {
                    let address = *addresses.next().expect("an address each");
                    self.add_private(lanes, address);
                }
                (None, LaneKind::Scalar(result)) => {
                    let all = self.place(lanes.all);
                    let sum = self.total(lanes, all, None);
                    self.define(result, sum);
                }
                (None, LaneKind::Array { to }) => self.each_element(lanes, |lowering, place, index| {
                    let sum = lowering.total(lanes, place, index);
                    let to = lowering.element_of(to, index);
                    lowering.store(sum, to);
                }),
            }
        }
    }

    /// Adds the memory of later segments to the sum, if `address` is there.
    fn add_private(&mut self, lanes: &Lanes, address: ir::Value) {
        let LaneKind::Array { to } = lanes.to else { return };
        let all = self.whole_address(lanes.all);
        let is_private = self.ins().icmp(IntCC::Equal, address, all);
        self.when(Some(is_private), None, |lowering| {
            lowering.each_element(lanes, |lowering, place, index| {
                let elem = lowering.plan.mems[lanes.all].elem;
                let to = lowering.element_of(to, index);
                let (sum, term) = (lowering.load(elem, to), lowering.load(elem, place));
                let sum = lowering.sum(sum, term);
                lowering.store(sum, to);
            });
            None
        });
    }

    /// The sum of an element over all segments: `place` is that of its first lane.
    fn total(&mut self, lanes: &Lanes, place: Place, index: Option<ir::Value>) -> ir::Value {
        let own = self.lane_sum(lanes, place);
        let Some(before) = lanes.before else { return own };
        let place = self.element_of(before, index);
        let before = self.load(self.plan.mems[lanes.all].elem, place);
        self.sum(before, own)
    }

    /// Adds the sum of the lanes of the element at `place` to what is at `to`.
    fn add_lanes(&mut self, lanes: &Lanes, place: Place, to: Place) {
        let own = self.lane_sum(lanes, place);
        let before = self.load(self.plan.mems[lanes.all].elem, to);
        let sum = self.sum(before, own);
        self.store(sum, to);
    }

    /// The sum of an element over all lanes, the first of which is at `place`.
    fn lane_sum(&mut self, lanes: &Lanes, place: Place) -> ir::Value {
        let elem = self.plan.mems[lanes.all].elem;
        let step = self.pitch(lanes.all);
        let each = std::array::from_fn(|lane| Some(self.load(elem, place.plus(lane as i64 * step))));
        self.tree(Reduction::Sum, each)
    }

    /// Runs `body` on the place of each element in the first lane, and its number, if that is not 0.
    fn each_element(&mut self, lanes: &Lanes, body: impl FnOnce(&mut Self, Place, Option<ir::Value>)) {
        let all = self.place(lanes.all);
        let step = self.pitch(lanes.all) * lanes.order.lanes as i64;
        match lanes.elements {
            0 => {}
            1 => body(self, all, None),
            elements => {
                self.repeat(elements as i64, &[], |lowering, index, _| {
                    let place = lowering.stepped(all, index, step);
                    body(lowering, place, Some(index));
                    Vec::new()
                });
            }
        }
    }

    /// The place of an element of a memory, the first if no number is given.
    fn element_of(&mut self, mem: Mem, index: Option<ir::Value>) -> Place {
        let (place, step) = (self.place(mem), self.pitch(mem));
        index.map_or(place, |index| self.stepped(place, index, step))
    }

    /// Makes the memory of a segment what changes no term.
    fn clear(&mut self, lanes: &Lanes) {
        let memory = &self.plan.mems[lanes.all];
        let (elem, len) = (memory.elem, memory.len);
        let nothing = self.literal(Literal::from_f64(elem, -0.0));
        let (all, size) = (self.place(lanes.all), self.pitch(lanes.all));
        if len <= LANES {
            (0..len as i64).for_each(|k| self.store(nothing, all.plus(k * size)));
            return;
        }
        self.repeat(len as i64, &[], |lowering, index, _| {
            let place = lowering.stepped(all, index, size);
            lowering.store(nothing, place);
            Vec::new()
        });
    }
}

/// The sum's own memory, if what an iteration adds to moves from there to another with the segments.
fn moving(lanes: &Lanes) -> Option<Mem> {
    match (lanes.order.lanes, lanes.to) {
        (1, LaneKind::Array { to }) => Some(to),
        (_, LaneKind::Array { .. } | LaneKind::Scalar(_)) => None,
    }
}
