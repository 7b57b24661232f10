//! Loops and conditionals.
//!
//! A loop is a block that jumps to itself, entered if there is an iteration at all; a `while` has a block
//! before it that asks. What an iteration passes to the next are the parameters of the loop's block: the
//! iteration number, scalars, of each array with two memories the one to read and the one to write, and of each array
//! summed in segments where to add; at last, where the segment at hand ends.

use super::Lowering;
use super::address::Place;
use crate::plan::{Choice, Loop, Mem, Pair};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, Block, BlockArg, InstBuilder, types};
use evolute_ir::{Trips, Value};

/// What one iteration passes to the next.
#[derive(Clone)]
pub(super) struct State {
    /// The iteration number, counting down in a loop that runs in reverse.
    pub(super) number: ir::Value,
    pub(super) scalars: Vec<ir::Value>,
    pub(super) pairs: Vec<[ir::Value; 2]>,
    /// Where sums in segments without lanes are added to.
    pub(super) addresses: Vec<ir::Value>,
}

impl State {
    fn values(&self) -> impl Iterator<Item = ir::Value> {
        let pairs = self.pairs.iter().flatten();
        std::iter::once(&self.number).chain(&self.scalars).chain(pairs).chain(&self.addresses).copied()
    }

    /// The arguments of a loop's block: the limit is the body's alone.
    pub(super) fn args(&self, limit: Option<ir::Value>) -> Vec<BlockArg> {
        self.values().chain(limit).map(BlockArg::from).collect()
    }

    /// The parameters of a block that takes a state like this one, and then at most a limit.
    fn like(&self, params: &[ir::Value]) -> (State, Option<ir::Value>) {
        let (number, rest) = params.split_first().expect("the number is always there");
        let (scalars, rest) = rest.split_at(self.scalars.len());
        let (pairs, rest) = rest.split_at(2 * self.pairs.len());
        let (addresses, limit) = rest.split_at(self.addresses.len());
        let state = State {
            number: *number,
            scalars: scalars.to_vec(),
            pairs: pairs.chunks(2).map(|pair| [pair[0], pair[1]]).collect(),
            addresses: addresses.to_vec(),
        };
        (state, limit.first().copied())
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
            scalars: looping.scalars.iter().map(|carried| self.carried_scalar(carried.initial)).collect(),
            pairs: double
                .iter()
                .map(|pair| [pair.even, pair.odd].map(|mem| self.whole_address(mem)))
                .collect(),
            addresses: self.first_addresses(looping),
        };
        let limit = self.limit(looping, state.number, trips);
        let body = self.block_of(&state, limit);
        let exit = self.block_of(&state, None);
        let boundary = limit.map(|_| self.block_of(&state, None));
        let wide = looping.wide.as_ref().filter(|_| self.wide.is_none());
        let entry = if wide.is_some() { self.block_of(&state, limit) } else { body };
        let [to_body, to_exit] = [limit, None].map(|limit| state.args(limit));
        match looping.spec.trips {
            Trips::Fixed(0) => drop(self.ins().jump(exit, &to_exit)),
            Trips::Fixed(_) => drop(self.ins().jump(entry, &to_body)),
            Trips::Counted(_) => {
                let zero = self.ins().iconst(types::I64, 0);
                let any = self.ins().icmp(IntCC::SignedGreaterThan, trips, zero);
                self.ins().brif(any, entry, &to_body, exit, &to_exit);
            }
            Trips::While(_) => drop(self.ins().jump(entry, &to_body)),
        }
        if let Some(wide) = wide {
            let end = boundary.unwrap_or(exit);
            self.wide_iterations(looping, wide, (&state, trips), [entry, body, end]);
        }
        let (state, limit) = self.begin(&state, body);
        self.enter(looping, &double, &state);
        self.ask(looping, &state, exit);
        self.enter_sums(looping, &state);
        self.steps(&looping.body);
        let next = self.next(looping, &state);
        match limit {
            None => self.goes_on(looping, &next, trips, [body, exit]),
            Some(limit) => {
                let boundary = boundary.expect("a loop with segments has boundaries");
                self.goes_on_in_segment(looping, &next, limit, [body, boundary]);
                self.ends_segment(looping, (&next, trips), [boundary, entry, exit]);
            }
        }
        let (state, _) = self.begin(&state, exit);
        self.finish(looping, &double, &state, trips);
    }

    /// Goes on in a block that takes a state like this one.
    pub(super) fn begin(&mut self, like: &State, block: Block) -> (State, Option<ir::Value>) {
        self.emitter.builder.switch_to_block(block);
        like.like(self.emitter.builder.block_params(block))
    }

    /// What a loop passes on.
    fn carried_scalar(&mut self, value: Value) -> ir::Value {
        let scalar = self.scalar(value);
        self.carried(scalar)
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

    pub(super) fn whole_address(&mut self, mem: Mem) -> ir::Value {
        let place = self.place(mem);
        self.address(place)
    }

    /// A block that takes such a state.
    pub(super) fn block_of(&mut self, state: &State, limit: Option<ir::Value>) -> Block {
        let block = self.emitter.builder.create_block();
        for value in state.values().chain(limit) {
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
            for (mem, address) in [(pair.present, present), (pair.next, next)] {
                let across = self.between_lanes(mem);
                self.bind(mem, Place::at(address).across(across));
            }
        }
    }

    /// The condition of a `while`, which must not hold when the loop has run as often as it may.
    fn ask(&mut self, looping: &'p Loop, state: &State, exit: Block) {
        let Some((steps, holds)) = &looping.condition else { return };
        self.steps(steps);
        let holds = self.scalar(*holds);
        let next = self.emitter.builder.create_block();
        self.ins().brif(holds, next, &[], exit, &state.args(None));
        self.emitter.builder.switch_to_block(next);
        let cap = self.ins().iconst(types::I64, i64::from(looping.spec.trips.cap()));
        let endless = self.ins().icmp(IntCC::Equal, state.number, cap);
        self.emitter.check = looping.check;
        self.emitter.fail_if(endless);
    }

    /// What an iteration passes to the next.
    fn next(&mut self, looping: &Loop, state: &State) -> State {
        State {
            number: self.ins().iadd_imm_s(state.number, if looping.spec.reverse { -1 } else { 1 }),
            scalars: looping.scalars.iter().map(|carried| self.carried_scalar(carried.next)).collect(),
            pairs: state.pairs.iter().map(|&[present, next]| [next, present]).collect(),
            addresses: state.addresses.clone(),
        }
    }

    /// The end of an iteration.
    fn goes_on(&mut self, looping: &Loop, next: &State, trips: ir::Value, [body, exit]: [Block; 2]) {
        let args = next.args(None);
        match self.has_more(looping, next.number, trips) {
            None => self.ins().jump(body, &args),
            Some(more) => self.ins().brif(more, body, &args, exit, &args),
        };
    }

    /// The end of an iteration that may be the last of a segment.
    fn goes_on_in_segment(
        &mut self,
        looping: &Loop,
        next: &State,
        limit: ir::Value,
        [body, boundary]: [Block; 2],
    ) {
        let code = match looping.spec.reverse {
            true => IntCC::SignedGreaterThanOrEqual,
            false => IntCC::SignedLessThan,
        };
        let inside = self.ins().icmp(code, next.number, limit);
        self.ins().brif(inside, body, &next.args(Some(limit)), boundary, &next.args(None));
    }

    /// The end of a segment: the next one begins at `entry`.
    fn ends_segment(
        &mut self,
        looping: &Loop,
        (like, trips): (&State, ir::Value),
        [boundary, entry, exit]: [Block; 3],
    ) {
        let (state, _) = self.begin(like, boundary);
        if let Some(more) = self.has_more(looping, state.number, trips) {
            let begin = self.emitter.builder.create_block();
            self.ins().brif(more, begin, &[], exit, &state.args(None));
            self.emitter.builder.switch_to_block(begin);
        }
        self.next_segment(looping, state, trips, entry);
    }

    /// Whether there is an iteration of this number; a `while` asks its condition.
    fn has_more(&mut self, looping: &Loop, number: ir::Value, trips: ir::Value) -> Option<ir::Value> {
        let code = IntCC::SignedLessThan;
        Some(match (looping.spec.reverse, looping.spec.trips) {
            (_, Trips::While(_)) => return None,
            (true, _) => self.ins().icmp_imm_s(IntCC::SignedGreaterThanOrEqual, number, 0),
            (false, Trips::Fixed(n)) if i32::try_from(n).is_ok() => {
                self.ins().icmp_imm_s(code, number, i64::from(n))
            }
            (false, _) => self.ins().icmp(code, number, trips),
        })
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
        self.finish_sums(looping, state);
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
            let (size, across) = (self.pitch(mem), self.between_lanes(mem));
            self.repeat(len, &[], |lowering, index, _| {
                let source = lowering.stepped(Place::at(from).across(across), index, size);
                let value = lowering.load(elem, source);
                let target = lowering.stepped(Place::at(to).across(across), index, size);
                lowering.store(value, target);
                Vec::new()
            });
        }
        self.ins().jump(done, &[]);
        self.emitter.builder.switch_to_block(done);
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
        let zero = self.literal(evolute_ir::Literal::from_f64(elem, 0.0));
        let (place, step) = (self.place(mem), self.pitch(mem));
        let place = self.stepped(place, index, step);
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
