//! Loops and conditionals of the interpreter.

use super::eval::Run;
use super::steps::{Step, Work, nothing};
use super::{Interpreter, Machine, Slots};
use crate::structure::{LoopSpec, Trips};
use crate::summation::{LANES, SumOrder};
use crate::types::Elem;

/// A loop. Captures need nothing: a body's parameter is where the captured value lies.
pub(super) struct Loop {
    pub(super) spec: LoopSpec,
    /// The count of a counted loop.
    pub(super) count: Option<u32>,
    /// The slot of the number of iterations of a `while`.
    pub(super) trips: Option<u32>,
    /// The slot of the iteration number.
    pub(super) iteration: u32,
    pub(super) condition: Option<Condition>,
    pub(super) carries: Vec<Carry>,
    /// Arrays, and the parameters for their rows.
    pub(super) rows: Vec<(Slots, Slots)>,
    /// Results of the body, and the arrays that they are stacked in.
    pub(super) stacks: Vec<(Slots, Slots)>,
    pub(super) sums: Vec<Sum>,
    pub(super) body: Vec<Step>,
    /// The check of a count out of range, or of an endless loop.
    pub(super) check: u32,
}

/// The region that says whether to go on.
pub(super) struct Condition {
    pub(super) steps: Vec<Step>,
    pub(super) iteration: u32,
    /// The parameters for the carries.
    pub(super) carries: Vec<Slots>,
    pub(super) holds: u32,
}

pub(super) struct Carry {
    pub(super) initial: Slots,
    pub(super) param: Slots,
    pub(super) next: Slots,
    pub(super) result: Slots,
}

/// A sum; its parameter and what the body makes of it lie in the same place.
pub(super) struct Sum {
    pub(super) order: SumOrder,
    pub(super) initial: Slots,
    pub(super) param: Slots,
    pub(super) result: Slots,
    /// The slots of all lanes, if there are several.
    pub(super) lanes: Option<Slots>,
    /// The sum of the segments before the one at hand, if there are several.
    pub(super) before: Option<Slots>,
    pub(super) elem: Elem,
    pub(super) add: Run,
    pub(super) work: Work,
}

/// A conditional. Captures and sums lie where its parameters do.
pub(super) struct Choice {
    pub(super) condition: u32,
    /// Steps, and copies to the results: for `no`, for `yes`.
    pub(super) branches: [Vec<Step>; 2],
    /// Initial sums and their place.
    pub(super) sums: Vec<(Slots, Slots)>,
}

impl Interpreter {
    pub(super) fn execute_choice(&self, choice: &Choice, m: &mut Machine) {
        for (initial, place) in &choice.sums {
            m.copy(initial, place);
        }
        let branch = usize::from(m.bool(choice.condition));
        self.execute(&choice.branches[branch], m);
    }

    pub(super) fn execute_loop(&self, looping: &Loop, m: &mut Machine) {
        let cap = looping.spec.trips.cap();
        let trips = looping.count.map_or(cap, |slot| {
            let count = m.i64(slot);
            if !(0..=i64::from(cap)).contains(&count) {
                m.fail(looping.check);
            }
            count.clamp(0, i64::from(cap)) as u32
        });
        looping.start(m);
        let mut done = 0;
        while done < trips && self.goes_on(looping, done, m) {
            let i = if looping.spec.reverse { trips - 1 - done } else { done };
            if done > 0 {
                looping.begin_segments(m, i);
            }
            looping.enter(m, i);
            self.execute(&looping.body, m);
            looping.leave(m, i);
            done += 1;
        }
        let endless = done == cap && matches!(looping.spec.trips, Trips::While(_));
        if endless && self.goes_on(looping, done, m) {
            m.fail(looping.check);
        }
        looping.finish(m, done);
        if let Some(slot) = looping.trips {
            m.slots[slot as usize] = u64::from(done);
        }
    }

    fn goes_on(&self, looping: &Loop, done: u32, m: &mut Machine) -> bool {
        let Some(condition) = &looping.condition else { return true };
        m.slots[condition.iteration as usize] = u64::from(done);
        for (carry, param) in looping.carries.iter().zip(&condition.carries) {
            m.copy(&carry.param, param);
        }
        self.execute(&condition.steps, m);
        m.bool(condition.holds)
    }
}

impl Loop {
    fn start(&self, m: &mut Machine) {
        for carry in &self.carries {
            m.copy(&carry.initial, &carry.param);
        }
        for sum in &self.sums {
            sum.start(m);
        }
    }

    /// Where iteration `i` begins a segment of a sum, that of the one before is added.
    fn begin_segments(&self, m: &mut Machine, i: u32) {
        for sum in self.sums.iter().filter(|sum| sum.order.begins_segment(i, self.spec.reverse)) {
            sum.end_segment(m);
            sum.begin_segment(m);
        }
    }

    fn enter(&self, m: &mut Machine, i: u32) {
        m.slots[self.iteration as usize] = u64::from(i);
        for (array, row) in &self.rows {
            for k in 0..row.len() {
                m.put(row, k, m.get(array, i as usize * row.len() + k));
            }
        }
        for sum in &self.sums {
            sum.choose(m, i, true);
        }
    }

    fn leave(&self, m: &mut Machine, i: u32) {
        for (row, stack) in &self.stacks {
            for k in 0..row.len() {
                m.put(stack, i as usize * row.len() + k, m.get(row, k));
            }
        }
        for sum in &self.sums {
            sum.choose(m, i, false);
        }
        let mut next = std::mem::take(&mut m.scratch);
        next.clear();
        for carry in &self.carries {
            next.extend((0..carry.next.len()).map(|k| m.get(&carry.next, k)));
        }
        let mut values = next.iter();
        for carry in &self.carries {
            for (k, &value) in (0..carry.param.len()).zip(values.by_ref()) {
                m.put(&carry.param, k, value);
            }
        }
        m.scratch = next;
    }

    fn finish(&self, m: &mut Machine, done: u32) {
        for carry in &self.carries {
            m.copy(&carry.param, &carry.result);
        }
        for (row, stack) in &self.stacks {
            (done as usize * row.len()..stack.len()).for_each(|i| m.put(stack, i, 0));
        }
        for sum in &self.sums {
            sum.finish(m);
        }
    }
}

impl Sum {
    /// Lane 0 starts from the initial value, the others from nothing.
    fn start(&self, m: &mut Machine) {
        if let Some(before) = &self.before {
            m.fill(before, nothing(self.elem));
        }
        let Some(lanes) = &self.lanes else { return m.copy(&self.initial, &self.param) };
        m.fill(lanes, nothing(self.elem));
        for k in 0..self.param.len() {
            m.put(lanes, k, m.get(&self.initial, k));
        }
    }

    /// A further segment starts from nothing.
    fn begin_segment(&self, m: &mut Machine) {
        m.fill(self.lanes.as_ref().unwrap_or(&self.param), nothing(self.elem));
    }

    /// Adds what the segment at hand has summed to that of the segments before.
    fn end_segment(&self, m: &mut Machine) {
        let Some(before) = &self.before else { return };
        for k in 0..self.param.len() {
            let (before_it, own) = (m.get(before, k), self.summed(m, k));
            let sum = self.work.combine(m, self.add, before_it, own);
            m.put(before, k, sum);
        }
    }

    /// Element `k` of what the segment at hand has summed.
    fn summed(&self, m: &mut Machine, k: usize) -> u64 {
        let Some(lanes) = &self.lanes else { return m.get(&self.param, k) };
        let each = std::array::from_fn(|lane| m.get(lanes, lane * self.param.len() + k));
        self.work.tree(m, self.add, each)
    }

    /// Moves the lane of iteration `i` to the parameter, or back.
    fn choose(&self, m: &mut Machine, i: u32, enter: bool) {
        let Some(lanes) = &self.lanes else { return };
        let len = self.param.len();
        let first = i as usize % LANES * len;
        for k in 0..len {
            match enter {
                true => m.put(&self.param, k, m.get(lanes, first + k)),
                false => m.put(lanes, first + k, m.get(&self.param, k)),
            }
        }
    }

    fn finish(&self, m: &mut Machine) {
        if let Some(before) = &self.before {
            self.end_segment(m);
            return m.copy(before, &self.result);
        }
        for k in 0..self.param.len() {
            let sum = self.summed(m, k);
            m.put(&self.result, k, sum);
        }
    }
}
