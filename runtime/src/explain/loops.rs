//! Loops: their iterations, evaluated again one by one and searched from the last to the first.
//!
//! The state between iterations (carries, and the lanes of sums) is kept for every √n-th iteration; those between
//! are computed again when the search comes to them. So a loop of n iterations is evaluated three times, in memory
//! for 2√n states.

use super::failure::Failing;
use super::frame::Frame;
use super::search::{Search, Trail};
use super::{ExplainError, Within};
use evolute_ir::{Inst, Literal, LoopId, LoopSpec, Program, Region, SourceLoc, SumOrder, Trips, Type, Value};
use std::collections::BTreeSet;

/// The carries, then the lanes of each sum one behind the other.
type State = Vec<Vec<u64>>;

/// A loop whose iterations can be evaluated.
struct Iterations<'p> {
    program: &'p Program,
    spec: LoopSpec,
    operands: &'p [Value],
    body: Frame<'p>,
    /// The arrays of rows.
    rows: Vec<Vec<u64>>,
    trips: usize,
}

/// What of the state after an iteration is wanted: carries, and lanes of sums.
struct Wanted {
    carries: BTreeSet<usize>,
    /// Sum and lane.
    lanes: BTreeSet<(usize, usize)>,
}

impl<'p> Search<'p> {
    pub(super) fn through_loop(
        &mut self,
        frame: &Frame<'p>,
        inst: Inst,
        region: Region,
        spec: LoopId,
        results: &[Value],
    ) -> Result<Trail, ExplainError> {
        let mut iterations = self.iterations(frame, inst, region, spec)?;
        let spec = iterations.spec;
        let all: Vec<Value> = self.program.results(inst).collect();
        let given: Vec<bool> = all[spec.first_carry_result()..].iter().map(|v| results.contains(v)).collect();
        let loc = self.loop_line(region);
        let checkpoints = iterations.checkpoints(frame)?;
        let mut wanted = iterations.wanted(&given, &checkpoints.last);
        let mut trail = Trail::default();
        for (number, checkpoint) in checkpoints.states.into_iter().enumerate().rev() {
            let first = number * checkpoints.every;
            let end = (first + checkpoints.every).min(iterations.trips);
            let states = iterations.states(checkpoint, first..end)?;
            for (step, state) in (first..end).zip(&states).rev() {
                iterations.run(step, state)?;
                let targets = iterations.targets(step, &wanted, &given);
                let inner = self.trace(&iterations.body, &targets)?;
                wanted = iterations.before(step, wanted, &inner.sources, &mut trail.sources);
                let iteration = iterations.number(step) as u64;
                let within = Within::Iteration { number: iteration, loc: loc.clone() };
                trail.found = inner.found.map(|found| found.inside(within)).or(trail.found);
            }
        }
        iterations.at_start(&wanted, &mut trail.sources);
        Ok(trail)
    }

    /// The failing instruction of the first iteration that fails, if one does.
    pub(super) fn failing_iteration(
        &mut self,
        frame: &Frame<'p>,
        inst: Inst,
        region: Region,
        spec: LoopId,
    ) -> Result<Option<Failing>, ExplainError> {
        let mut iterations = self.iterations(frame, inst, region, spec)?;
        let mut state = iterations.start(frame);
        for step in 0..iterations.trips {
            if iterations.run(step, &state).is_err() {
                let number = iterations.number(step) as u64;
                let within = Within::Iteration { number, loc: self.loop_line(region) };
                return Ok(self.failing(&iterations.body)?.map(|failing| failing.inside(within)));
            }
            iterations.advance(step, &mut state);
        }
        Ok(None)
    }

    /// The iterations of a loop that a frame has evaluated.
    fn iterations(
        &mut self,
        frame: &Frame<'p>,
        inst: Inst,
        region: Region,
        spec: LoopId,
    ) -> Result<Iterations<'p>, ExplainError> {
        let spec = self.program.loop_spec(spec);
        let operands = self.program.operands(inst);
        let trips = match spec.trips {
            Trips::Fixed(n) => i64::from(n),
            Trips::Counted(_) => frame.integer(operands[0]),
            Trips::While(_) => frame.integer(self.program.results(inst).next().expect("it gives its trips")),
        };
        let body = self.frames.enter(region)?;
        Ok(Iterations::new(self.program, spec, operands, body, trips as usize, frame))
    }

    /// The line of a loop with this body. The results of a derivative's loop come from the lines of what they are derivatives
    /// of.
    fn loop_line(&self, region: Region) -> Option<SourceLoc> {
        self.program.loc(self.program.region(region).params[0]).cloned()
    }
}

/// States of a loop.
struct Checkpoints {
    every: usize,
    /// Before iterations 0, `every`, 2·`every`, …
    states: Vec<State>,
    /// After all.
    last: State,
}

impl<'p> Iterations<'p> {
    fn new(
        program: &'p Program,
        spec: LoopSpec,
        operands: &'p [Value],
        mut body: Frame<'p>,
        trips: usize,
        frame: &Frame<'_>,
    ) -> Self {
        for (number, &captured) in operands[spec.own_operands()..].iter().enumerate() {
            body.set(spec.own_params() + number, frame.slots(captured));
        }
        let first = spec.first_carry_operand() + spec.carries as usize;
        let rows =
            operands[first..][..spec.rows as usize].iter().map(|&v| frame.slots(v).collect()).collect();
        Iterations { program, spec, operands, body, rows, trips }
    }

    /// The iteration that is made in this step: a loop may run backwards.
    fn number(&self, step: usize) -> usize {
        if self.spec.reverse { self.trips - 1 - step } else { step }
    }

    fn carries(&self) -> usize {
        self.spec.carries as usize
    }

    /// The number of the first sum among the operands.
    fn first_sum(&self) -> usize {
        self.spec.own_operands() - self.spec.sums as usize
    }

    fn sum_type(&self, sum: usize) -> &'p Type {
        self.program.ty(self.operands[self.first_sum() + sum])
    }

    fn order(&self, sum: usize) -> SumOrder {
        self.spec.order(self.sum_type(sum).shape.len())
    }

    /// The lane of a sum that an iteration adds to, among those of all segments.
    fn lane(&self, sum: usize, step: usize) -> usize {
        let (number, order) = (self.number(step), self.order(sum));
        self.first_lane(sum, step) + number % order.lanes
    }

    /// The first lane of an iteration's segment.
    fn first_lane(&self, sum: usize, step: usize) -> usize {
        let order = self.order(sum);
        order.segment.map_or(0, |length| self.number(step) / length as usize * order.lanes)
    }

    /// The number of lanes of all segments.
    fn lanes(&self, sum: usize) -> usize {
        let order = self.order(sum);
        let segments = order.segment.map_or(1, |length| self.spec.trips.cap().div_ceil(length) as usize);
        segments * order.lanes
    }

    /// The slots of this lane within those of all.
    fn lane_slots(&self, sum: usize, step: usize) -> std::ops::Range<usize> {
        let (len, lane) = (self.sum_type(sum).shape.len(), self.lane(sum, step));
        lane * len..(lane + 1) * len
    }

    fn start(&self, frame: &Frame<'_>) -> State {
        let carries = &self.operands[self.spec.first_carry_operand()..][..self.carries()];
        let mut state: State = carries.iter().map(|&v| frame.slots(v).collect()).collect();
        for sum in 0..self.spec.sums as usize {
            let ty = self.sum_type(sum);
            let len = ty.shape.len();
            let mut lanes = vec![Literal::from_f64(ty.elem, -0.0).to_slot(); self.lanes(sum) * len];
            let initial = frame.slots(self.operands[self.first_sum() + sum]);
            let first = if self.trips > 0 { self.first_lane(sum, 0) } else { 0 };
            lanes[first * len..].iter_mut().zip(initial).for_each(|(lane, slot)| *lane = slot);
            state.push(lanes);
        }
        state
    }

    /// Evaluates one iteration from this state.
    fn run(&mut self, step: usize, state: &State) -> Result<(), ExplainError> {
        let (number, carries) = (self.number(step), self.carries());
        self.body.set(0, [number as u64]);
        for (carry, slots) in state[..carries].iter().enumerate() {
            self.body.set(1 + carry, slots.iter().copied());
        }
        let len = |array: &[u64]| array.len() / (self.spec.trips.cap() as usize).max(1);
        for (row, array) in self.rows.iter().enumerate() {
            let len = len(array);
            self.body.set(1 + carries + row, array[number * len..][..len].iter().copied());
        }
        for (sum, lanes) in state[carries..].iter().enumerate() {
            let slots = self.lane_slots(sum, step);
            self.body.set(1 + carries + self.rows.len() + sum, lanes[slots].iter().copied());
        }
        self.body.run()
    }

    fn results(&self) -> &'p [Value] {
        &self.program.region(self.body.region).results
    }

    /// The results that are sums.
    fn sums(&self) -> &'p [Value] {
        let results = self.results();
        &results[results.len() - self.spec.sums as usize..]
    }

    /// The state after the iteration that has been evaluated.
    fn advance(&self, step: usize, state: &mut State) {
        for (carry, &next) in self.results()[..self.carries()].iter().enumerate() {
            state[carry] = self.body.slots(next).collect();
        }
        for (sum, &next) in self.sums().iter().enumerate() {
            let slots = self.lane_slots(sum, step);
            let lane = &mut state[self.carries() + sum][slots];
            lane.iter_mut().zip(self.body.slots(next)).for_each(|(lane, slot)| *lane = slot);
        }
    }

    fn checkpoints(&mut self, frame: &Frame<'_>) -> Result<Checkpoints, ExplainError> {
        let every = self.trips.isqrt() + 1;
        let (mut state, mut states) = (self.start(frame), Vec::new());
        for step in 0..self.trips {
            if step % every == 0 {
                states.push(state.clone());
            }
            self.run(step, &state)?;
            self.advance(step, &mut state);
        }
        Ok(Checkpoints { every, states, last: state })
    }

    /// The states before each of these iterations, from that before the first.
    fn states(&mut self, first: State, steps: std::ops::Range<usize>) -> Result<Vec<State>, ExplainError> {
        let mut states = vec![first];
        for step in steps.start..steps.end - 1 {
            let mut state = states[states.len() - 1].clone();
            self.run(step, &state)?;
            self.advance(step, &mut state);
            states.push(state);
        }
        Ok(states)
    }

    /// What is wanted of the state after the last iteration, `given` telling it of the carries, stacks and sums.
    fn wanted(&self, given: &[bool], last: &State) -> Wanted {
        let carries = (0..self.carries()).filter(|&carry| given[carry]).collect();
        let first = given.len() - self.spec.sums as usize;
        let mut lanes = BTreeSet::new();
        for sum in (0..self.spec.sums as usize).filter(|&sum| given[first + sum]) {
            let ty = self.sum_type(sum);
            let bad =
                |slot: &u64| Literal::from_slot(ty.elem, *slot).as_real().is_some_and(|x| !x.is_finite());
            let each = last[self.carries() + sum].chunks(ty.shape.len().max(1)).enumerate();
            lanes.extend(each.filter(|(_, lane)| lane.iter().any(bad)).map(|(lane, _)| (sum, lane)));
        }
        Wanted { carries, lanes }
    }

    /// The results of the body that are wanted of an iteration.
    fn targets(&self, step: usize, wanted: &Wanted, given: &[bool]) -> Vec<Value> {
        let (results, sums) = (self.results(), self.sums());
        let stacked = self.carries()..results.len() - sums.len();
        let mut targets: Vec<Value> = wanted.carries.iter().map(|&carry| results[carry]).collect();
        targets.extend(stacked.filter(|&number| given[number]).map(|number| results[number]));
        let added = |&sum: &usize| wanted.lanes.contains(&(sum, self.lane(sum, step)));
        targets.extend((0..sums.len()).filter(added).map(|sum| sums[sum]));
        targets
    }

    /// What is wanted before an iteration, these being the parameters of the body from which come what is wanted
    /// after it. What comes from outside goes to `sources`.
    fn before(
        &self,
        step: usize,
        mut wanted: Wanted,
        params: &BTreeSet<usize>,
        sources: &mut BTreeSet<usize>,
    ) -> Wanted {
        let (carries, sums) = (self.carries(), self.spec.sums as usize);
        let first_sum = 1 + carries + self.rows.len();
        wanted.carries = (0..carries).filter(|carry| params.contains(&(1 + carry))).collect();
        for sum in (0..sums).filter(|sum| !params.contains(&(first_sum + sum))) {
            wanted.lanes.remove(&(sum, self.lane(sum, step)));
        }
        // Without the iteration's number parameters are numbered as operands without a count are.
        let outer = |param: usize| param - 1 + self.spec.first_carry_operand();
        let rows = params.range(1 + carries..first_sum);
        sources.extend(rows.chain(params.range(first_sum + sums..)).map(|&param| outer(param)));
        wanted
    }

    /// The operands that the loop starts from.
    fn at_start(&self, wanted: &Wanted, sources: &mut BTreeSet<usize>) {
        sources.extend(wanted.carries.iter().map(|carry| self.spec.first_carry_operand() + carry));
        sources.extend(wanted.lanes.iter().map(|(sum, _)| self.first_sum() + sum));
    }
}
