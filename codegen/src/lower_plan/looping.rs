//! Loops and conditionals.
//!
//! A loop is a block that jumps to itself, entered if there is an iteration at all; a `while` has a block
//! before it that asks. What an iteration passes to the next are the parameters of the loop's block: the
//! iteration number, scalars, and of each array with two memories the one to read and the one to write.

use super::Lowering;
use super::address::Place;
use crate::plan::{Choice, LaneKind, Lanes, Loop, Mem, Pair};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, Block, BlockArg, InstBuilder, types};
use evolute_ir::{LANES, Reduction, Trips};

/// What one iteration passes to the next.
struct State {
    /// The iteration number, counting down in a loop that runs in reverse.
    number: ir::Value,
    scalars: Vec<ir::Value>,
    pairs: Vec<[ir::Value; 2]>,
}

impl State {
    fn args(&self) -> Vec<BlockArg> {
        let pairs = self.pairs.iter().flatten();
        std::iter::once(&self.number).chain(&self.scalars).chain(pairs).map(|&value| value.into()).collect()
    }

    fn of(params: &[ir::Value], scalars: usize) -> State {
        let (number, rest) = params.split_first().expect("the number is always there");
        let (scalars, pairs) = rest.split_at(scalars);
        State {
            number: *number,
            scalars: scalars.to_vec(),
            pairs: pairs.chunks(2).map(|pair| [pair[0], pair[1]]).collect(),
        }
    }
}

impl<'p> Lowering<'_, '_, 'p> {
    pub(super) fn looping(&mut self, looping: &'p Loop) {
        let trips = self.trips(looping);
        let one = self.ins().iconst(types::I64, 1);
        let number = match looping.spec.reverse {
            true => self.ins().isub(trips, one),
            false => self.ins().iconst(types::I64, 0),
        };
        let (double, single): (Vec<&Pair>, Vec<&Pair>) =
            looping.pairs.iter().partition(|pair| pair.even != pair.odd);
        for pair in single {
            let place = self.place(pair.even);
            self.bind(pair.present, place);
        }
        let state = State {
            number,
            scalars: looping.scalars.iter().map(|carried| self.scalar(carried.initial)).collect(),
            pairs: double
                .iter()
                .map(|pair| [pair.even, pair.odd].map(|mem| self.whole_address(mem)))
                .collect(),
        };
        let body = self.block_of(&state);
        let exit = self.block_of(&state);
        let count = state.scalars.len();
        match looping.spec.trips {
            Trips::Fixed(0) => drop(self.ins().jump(exit, &state.args())),
            Trips::Fixed(_) => drop(self.ins().jump(body, &state.args())),
            Trips::Counted(_) => {
                let zero = self.ins().iconst(types::I64, 0);
                let any = self.ins().icmp(IntCC::SignedGreaterThan, trips, zero);
                self.ins().brif(any, body, &state.args(), exit, &state.args());
            }
            Trips::While(_) => drop(self.ins().jump(body, &state.args())),
        }
        self.emitter.builder.switch_to_block(body);
        let state = State::of(self.emitter.builder.block_params(body), count);
        self.enter(looping, &double, &state);
        self.ask(looping, &state, exit);
        self.enter_lanes(looping, state.number);
        self.steps(&looping.body);
        self.leave(looping, &state, trips, [body, exit]);
        self.emitter.builder.switch_to_block(exit);
        let state = State::of(self.emitter.builder.block_params(exit), count);
        self.finish(looping, &double, &state, trips);
    }

    /// How often the loop runs, but for a `while`'s condition.
    fn trips(&mut self, looping: &Loop) -> ir::Value {
        let cap = i64::from(looping.spec.trips.cap());
        let cap_value = self.ins().iconst(types::I64, cap);
        let Some(count) = looping.count else { return cap_value };
        let count = self.scalar(count);
        let outside = self.ins().icmp(IntCC::UnsignedGreaterThan, count, cap_value);
        self.emitter.check = looping.check;
        self.emitter.fail_if(outside);
        count
    }

    fn whole_address(&mut self, mem: Mem) -> ir::Value {
        let place = self.place(mem);
        self.address(place)
    }

    /// A block that takes such a state.
    fn block_of(&mut self, state: &State) -> Block {
        let block = self.emitter.builder.create_block();
        let values = std::iter::once(&state.number).chain(&state.scalars).chain(state.pairs.iter().flatten());
        for &value in values {
            let ty = self.emitter.value_type(value);
            self.emitter.builder.append_block_param(block, ty);
        }
        block
    }

    /// What an iteration takes from the one before.
    fn enter(&mut self, looping: &Loop, double: &[&Pair], state: &State) {
        self.define(looping.number, state.number);
        for (carried, &value) in looping.scalars.iter().zip(&state.scalars) {
            self.define(carried.param, value);
        }
        for (pair, &[present, next]) in double.iter().zip(&state.pairs) {
            self.bind(pair.present, Place::at(present));
            self.bind(pair.next, Place::at(next));
        }
    }

    /// The condition of a `while`, which must not hold when the loop has run as often as it may.
    fn ask(&mut self, looping: &'p Loop, state: &State, exit: Block) {
        let Some((steps, holds)) = &looping.condition else { return };
        self.steps(steps);
        let holds = self.scalar(*holds);
        let next = self.emitter.builder.create_block();
        self.ins().brif(holds, next, &[], exit, &state.args());
        self.emitter.builder.switch_to_block(next);
        let cap = self.ins().iconst(types::I64, i64::from(looping.spec.trips.cap()));
        let endless = self.ins().icmp(IntCC::Equal, state.number, cap);
        self.emitter.check = looping.check;
        self.emitter.fail_if(endless);
    }

    fn enter_lanes(&mut self, looping: &Loop, number: ir::Value) {
        for Lanes { all, lane, elements, .. } in &looping.lanes {
            let size = (*elements * self.plan.mems[*all].elem.size()) as i64;
            let place = self.place(*all);
            let which = self.ins().band_imm_u(number, LANES as i64 - 1);
            let place = self.stepped(place, which, size);
            self.bind(*lane, place);
        }
    }

    /// The end of an iteration.
    fn leave(&mut self, looping: &Loop, state: &State, trips: ir::Value, [body, exit]: [Block; 2]) {
        let reverse = looping.spec.reverse;
        let next = State {
            number: self.ins().iadd_imm_s(state.number, if reverse { -1 } else { 1 }),
            scalars: looping.scalars.iter().map(|carried| self.scalar(carried.next)).collect(),
            pairs: state.pairs.iter().map(|&[present, next]| [next, present]).collect(),
        };
        if looping.condition.is_some() {
            self.ins().jump(body, &next.args());
            return;
        }
        let goes_on = match (reverse, looping.spec.trips) {
            (true, _) => self.ins().icmp_imm_s(IntCC::SignedGreaterThanOrEqual, next.number, 0),
            (false, Trips::Fixed(n)) if i32::try_from(n).is_ok() => {
                self.ins().icmp_imm_s(IntCC::SignedLessThan, next.number, i64::from(n))
            }
            (false, _) => self.ins().icmp(IntCC::SignedLessThan, next.number, trips),
        };
        self.ins().brif(goes_on, body, &next.args(), exit, &next.args());
    }

    /// What the loop gives.
    fn finish(&mut self, looping: &Loop, double: &[&Pair], state: &State, trips: ir::Value) {
        if let Some(made) = looping.made {
            self.define(made, state.number);
        }
        for (carried, &value) in looping.scalars.iter().zip(&state.scalars) {
            self.define(carried.result, value);
        }
        for (pair, &[present, _]) in double.iter().zip(&state.pairs) {
            if pair.trips.is_none() {
                self.move_to(pair.even, present);
            }
        }
        for lanes in &looping.lanes {
            self.finish_lanes(lanes);
        }
        let made = if looping.made.is_some() { state.number } else { trips };
        for &(mem, row) in &looping.tails {
            self.clear_tail(mem, row, made);
        }
    }

    /// Copies an array of this memory's size there from `from`, if that is elsewhere.
    fn move_to(&mut self, mem: Mem, from: ir::Value) {
        let memory = &self.plan.mems[mem];
        let (elem, len) = (memory.elem, memory.len as i64);
        let to = self.whole_address(mem);
        let [copy, done] = [0, 1].map(|_| self.emitter.builder.create_block());
        let same = self.ins().icmp(IntCC::Equal, from, to);
        self.ins().brif(same, done, &[], copy, &[]);
        self.emitter.builder.switch_to_block(copy);
        if len > 0 {
            let size = elem.size() as i64;
            self.repeat(len, &[], |lowering, index, _| {
                let source = lowering.stepped(Place::at(from), index, size);
                let value = lowering.load(elem, source);
                let target = lowering.stepped(Place::at(to), index, size);
                lowering.store(value, target);
                Vec::new()
            });
        }
        self.ins().jump(done, &[]);
        self.emitter.builder.switch_to_block(done);
    }

    /// Adds up the lanes of a sum.
    fn finish_lanes(&mut self, lanes: &Lanes) {
        let all = self.place(lanes.all);
        match lanes.to {
            LaneKind::Scalar(result) => {
                let sum = self.lane_sum(lanes, all);
                self.define(result, sum);
            }
            LaneKind::Array { to } if lanes.elements > 0 => {
                let to = self.place(to);
                let size = self.plan.mems[lanes.all].elem.size() as i64;
                self.repeat(lanes.elements as i64, &[], |lowering, index, _| {
                    let from = lowering.stepped(all, index, size);
                    let sum = lowering.lane_sum(lanes, from);
                    let to = lowering.stepped(to, index, size);
                    lowering.store(sum, to);
                    Vec::new()
                });
            }
            LaneKind::Array { .. } => {}
        }
    }

    /// The sum of an element over all lanes, the first of which is at `place`.
    fn lane_sum(&mut self, lanes: &Lanes, place: Place) -> ir::Value {
        let elem = self.plan.mems[lanes.all].elem;
        let step = (lanes.elements * elem.size()) as i64;
        let each = std::array::from_fn(|lane| Some(self.load(elem, place.plus(lane as i64 * step))));
        self.tree(Reduction::Sum, each)
    }

    /// Zeros for the rows of a stack from number `made` on.
    fn clear_tail(&mut self, mem: Mem, row: usize, made: ir::Value) {
        let memory = &self.plan.mems[mem];
        let (elem, len) = (memory.elem, memory.len);
        if len == 0 {
            return;
        }
        let end = self.ins().iconst(types::I64, len as i64);
        let first = self.ins().imul_imm_s(made, row as i64);
        let [block, done] = [0, 1].map(|_| self.emitter.builder.create_block());
        let index = self.emitter.builder.append_block_param(block, types::I64);
        let any = self.ins().icmp(IntCC::SignedLessThan, first, end);
        self.ins().brif(any, block, &[first.into()], done, &[]);
        self.emitter.builder.switch_to_block(block);
        let zero = self.emitter.constant(evolute_ir::Literal::from_f64(elem, 0.0));
        let place = self.place(mem);
        let place = self.stepped(place, index, elem.size() as i64);
        self.store(zero, place);
        let next = self.ins().iadd_imm_s(index, 1);
        let more = self.ins().icmp(IntCC::SignedLessThan, next, end);
        self.ins().brif(more, block, &[next.into()], done, &[]);
        self.emitter.builder.switch_to_block(done);
    }

    pub(super) fn choice(&mut self, choice: &'p Choice) {
        let condition = self.scalar(choice.condition);
        let [yes, no, done] = [0, 1, 2].map(|_| self.emitter.builder.create_block());
        self.ins().brif(condition, yes, &[], no, &[]);
        for (number, block) in [yes, no].into_iter().enumerate() {
            self.emitter.builder.switch_to_block(block);
            self.steps(&choice.branches[number]);
            let given: Vec<ir::Value> =
                choice.scalars.iter().map(|(_, given)| self.scalar(given[number])).collect();
            if number == 0 {
                for &value in &given {
                    let ty = self.emitter.value_type(value);
                    self.emitter.builder.append_block_param(done, ty);
                }
            }
            let args: Vec<BlockArg> = given.into_iter().map(BlockArg::from).collect();
            self.ins().jump(done, &args);
        }
        self.emitter.builder.switch_to_block(done);
        let results = self.emitter.builder.block_params(done).to_vec();
        for ((value, _), result) in choice.scalars.iter().zip(results) {
            self.define(*value, result);
        }
    }
}
