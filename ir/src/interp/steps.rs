//! What an interpreter executes besides scalar instructions: arrays, one step an instruction.

use super::eval::Run;
use super::linalg::Library;
use super::regions::{Choice, Loop};
use super::{Code, Failed, Interpreter, Machine, Slots};
use crate::external::External;
use crate::structure::{Reduction, Strides};
use crate::summation::{LANES, REDUCED};
use crate::types::{Elem, Shape};
use std::ops::Range;

/// One step of an evaluation.
pub(super) enum Step {
    /// A stretch of [`Interpreter::codes`].
    Scalars(Range<usize>),
    /// A scalar instruction for each element.
    Pointwise(Pointwise),
    Copy {
        from: Slots,
        to: Slots,
    },
    View {
        from: Slots,
        to: Slots,
        strides: Strides,
        shape: Shape,
    },
    Spread {
        from: Slots,
        to: Slots,
        strides: Strides,
        shape: Shape,
        add: Run,
    },
    Reduce(Reduce),
    Dot(Dot),
    At {
        from: Slots,
        to: Slots,
        indices: Indices,
    },
    /// `to` holds what is added to.
    AddAt {
        from: Slots,
        to: Slots,
        indices: Indices,
        add: Run,
    },
    External(Call),
    Call(CalleeCall),
    Library(Library),
    Loop(Box<Loop>),
    Choice(Box<Choice>),
}

/// A call of a function of the user's.
pub(super) struct Call {
    pub(super) function: External,
    pub(super) operands: Vec<Slots>,
    pub(super) to: Slots,
}

/// A call of a function of the program's: its arguments are copied to its parameters, what it gives to the results.
pub(super) struct CalleeCall {
    /// Its number in [`Interpreter::callees`].
    pub(super) callee: usize,
    pub(super) arguments: Vec<(Slots, Slots)>,
    pub(super) results: Vec<(Slots, Slots)>,
}

pub(super) struct Pointwise {
    pub(super) run: Run,
    pub(super) to: Slots,
    pub(super) operands: [Slots; 3],
}

/// Elements `n·k…n·(k+1)` are combined to element `k`.
pub(super) struct Reduce {
    pub(super) reduction: Reduction,
    pub(super) from: Slots,
    pub(super) to: Slots,
    /// How many elements are combined to one.
    pub(super) count: usize,
    /// What combines two, or for an index whether the second is to be taken.
    pub(super) combine: Run,
    /// Where lanes start.
    pub(super) start: u64,
    /// The result of no elements.
    pub(super) empty: u64,
    pub(super) work: Work,
}

/// Slots for a combination: two operands and a result.
#[derive(Clone, Copy)]
pub(super) struct Work(pub(super) u32);

/// `[b, m, k] · [b, k, n]`.
pub(super) struct Dot {
    pub(super) operands: [Slots; 2],
    pub(super) to: Slots,
    pub(super) extents: [usize; 4],
    pub(super) mul: Run,
    pub(super) add: Run,
    pub(super) start: u64,
    pub(super) work: Work,
}

/// Computed indices of an array's first axes.
pub(super) struct Indices {
    pub(super) slots: Vec<u32>,
    pub(super) extents: Vec<u32>,
    /// The number of elements of the part.
    pub(super) part: usize,
    /// The check that an index out of range fails.
    pub(super) check: u32,
}

impl Work {
    pub(super) fn combine(self, m: &mut Machine, run: Run, a: u64, b: u64) -> u64 {
        let Work(slot) = self;
        m.slots[slot as usize] = a;
        m.slots[slot as usize + 1] = b;
        run(m, &Code { run, dst: slot + 2, a: slot, b: slot + 1, c: slot });
        m.slots[slot as usize + 2]
    }

    /// The lanes' sum, in the order of Note [Summation].
    pub(super) fn tree(self, m: &mut Machine, run: Run, mut lanes: [u64; LANES]) -> u64 {
        for width in [4, 2, 1] {
            for lane in 0..width {
                lanes[lane] = self.combine(m, run, lanes[lane], lanes[lane + width]);
            }
        }
        lanes[0]
    }

    /// `count` terms, of which there is at least one, in the order of Note [Summation]: a lane starts from `start`.
    fn in_segments(
        self,
        m: &mut Machine,
        run: Run,
        start: u64,
        count: usize,
        term: impl Fn(&mut Machine, usize) -> u64,
    ) -> u64 {
        let segment = |m: &mut Machine, first: usize| {
            let mut lanes = [start; LANES];
            for k in first..count.min(first + REDUCED) {
                let term = term(m, k);
                lanes[k % LANES] = self.combine(m, run, lanes[k % LANES], term);
            }
            self.tree(m, run, lanes)
        };
        let mut sum = segment(m, 0);
        for first in (REDUCED..count).step_by(REDUCED) {
            let next = segment(m, first);
            sum = self.combine(m, run, sum, next);
        }
        sum
    }
}

impl Machine {
    pub(super) fn get(&self, slots: &Slots, index: usize) -> u64 {
        self.slots[slots.get(index) as usize]
    }

    pub(super) fn put(&mut self, slots: &Slots, index: usize, value: u64) {
        self.slots[slots.get(index) as usize] = value;
    }

    pub(super) fn copy(&mut self, from: &Slots, to: &Slots) {
        for index in 0..to.len() {
            self.put(to, index, self.get(from, index));
        }
    }

    pub(super) fn fill(&mut self, slots: &Slots, value: u64) {
        for index in 0..slots.len() {
            self.put(slots, index, value);
        }
    }

    pub(super) fn fail(&mut self, check: u32) {
        self.failed.get_or_insert(Failed::Check(check));
    }

    /// The first element of the part, or `None` if there is nothing at all. Indices out of range fail and are
    /// clamped.
    fn offset(&mut self, indices: &Indices) -> Option<usize> {
        let mut offset = 0;
        for (&slot, &extent) in indices.slots.iter().zip(&indices.extents) {
            let (index, extent) = (self.i64(slot), i64::from(extent));
            if !(0..extent).contains(&index) {
                self.fail(indices.check);
            }
            if extent == 0 {
                return None;
            }
            offset = offset * extent as usize + index.clamp(0, extent - 1) as usize;
        }
        Some(offset * indices.part)
    }
}

impl Interpreter {
    pub(super) fn execute(&self, steps: &[Step], m: &mut Machine) {
        for step in steps {
            self.step(step, m);
        }
    }

    /// No function calls itself, so its slots are free.
    fn execute_call(&self, call: &CalleeCall, m: &mut Machine) {
        call.arguments.iter().for_each(|(from, to)| m.copy(from, to));
        self.execute(&self.callees[call.callee], m);
        call.results.iter().for_each(|(from, to)| m.copy(from, to));
    }

    fn step(&self, step: &Step, m: &mut Machine) {
        match step {
            Step::Scalars(range) => {
                for code in &self.codes[range.clone()] {
                    (code.run)(m, code);
                }
            }
            Step::Pointwise(pointwise) => pointwise.execute(m),
            Step::Copy { from, to } => m.copy(from, to),
            Step::View { from, to, strides, shape } => {
                for_each_index(shape, strides, |number, place| {
                    let element = m.get(from, place);
                    m.put(to, number, element);
                });
            }
            Step::Spread { from, to, strides, shape, add } => {
                (0..to.len()).for_each(|i| m.put(to, i, 0));
                for_each_index(shape, strides, |number, place| {
                    let slot = to.get(place);
                    add(m, &Code { run: *add, dst: slot, a: slot, b: from.get(number), c: slot });
                });
            }
            Step::Reduce(reduce) => reduce.execute(m),
            Step::Dot(dot) => dot.execute(m),
            Step::At { from, to, indices } => {
                let offset = m.offset(indices);
                for i in 0..to.len() {
                    let element = offset.map_or(0, |offset| m.get(from, offset + i));
                    m.put(to, i, element);
                }
            }
            Step::AddAt { from, to, indices, add } => {
                let Some(offset) = m.offset(indices) else { return };
                for i in 0..indices.part {
                    let slot = to.get(offset + i);
                    add(m, &Code { run: *add, dst: slot, a: slot, b: from.get(i), c: slot });
                }
            }
            Step::External(call) => call.execute(m),
            Step::Call(call) => self.execute_call(call, m),
            Step::Library(library) => library.execute(m),
            Step::Loop(looping) => self.execute_loop(looping, m),
            Step::Choice(choice) => self.execute_choice(choice, m),
        }
    }
}

/// Calls `f` for every index of `shape`, in row-major order, with its number and the flat index that `strides` give.
fn for_each_index(shape: &Shape, strides: &Strides, mut f: impl FnMut(usize, usize)) {
    along_axes(shape.extents(), &strides.strides, strides.offset, &mut 0, &mut f);
}

fn along_axes(
    extents: &[u32],
    strides: &[i64],
    place: i64,
    number: &mut usize,
    f: &mut impl FnMut(usize, usize),
) {
    let (Some((&extent, extents)), Some((&stride, strides))) = (extents.split_first(), strides.split_first())
    else {
        f(*number, place as usize);
        *number += 1;
        return;
    };
    for i in 0..extent {
        along_axes(extents, strides, place + stride * i64::from(i), number, f);
    }
}

impl Pointwise {
    fn execute(&self, m: &mut Machine) {
        for i in 0..self.to.len() {
            let [a, b, c] = self.operands.each_ref().map(|x| if x.len() == 0 { 0 } else { x.get(i) });
            (self.run)(m, &Code { run: self.run, dst: self.to.get(i), a, b, c });
        }
    }
}

impl Call {
    /// The elements are moved to where they are slices, and back.
    fn execute(&self, m: &mut Machine) {
        let mut numbers = std::mem::take(&mut m.numbers);
        numbers.clear();
        for slots in &self.operands {
            numbers.extend((0..slots.len()).map(|k| f64::from_bits(m.get(slots, k))));
        }
        let given = numbers.len();
        numbers.resize(given + self.to.len(), 0.0);
        let (mut rest, result) = numbers.split_at_mut(given);
        let mut arguments: [&[f64]; External::MAX_PARAMS] = [&[]; External::MAX_PARAMS];
        for (argument, slots) in arguments.iter_mut().zip(&self.operands) {
            let (own, others) = std::mem::take(&mut rest).split_at_mut(slots.len());
            (*argument, rest) = (own, others);
        }
        self.function.call(&arguments[..self.operands.len()], result);
        for (k, number) in result.iter().enumerate() {
            m.put(&self.to, k, number.to_bits());
        }
        m.numbers = numbers;
    }
}

impl Reduce {
    fn execute(&self, m: &mut Machine) {
        for k in 0..self.to.len() {
            let value = match self.reduction {
                _ if self.count == 0 => self.empty,
                Reduction::Sum | Reduction::Prod => self.sum(m, k * self.count),
                Reduction::Max | Reduction::Min => self.fold(m, k * self.count),
                Reduction::ArgMax | Reduction::ArgMin => self.find(m, k * self.count),
            };
            m.put(&self.to, k, value);
        }
    }

    fn sum(&self, m: &mut Machine, first: usize) -> u64 {
        self.work.in_segments(m, self.combine, self.start, self.count, |m, k| m.get(&self.from, first + k))
    }

    fn fold(&self, m: &mut Machine, first: usize) -> u64 {
        let mut best = m.get(&self.from, first);
        for i in 1..self.count {
            let element = m.get(&self.from, first + i);
            best = self.work.combine(m, self.combine, best, element);
        }
        best
    }

    /// `combine` tells whether the second is better than the first.
    fn find(&self, m: &mut Machine, first: usize) -> u64 {
        let (mut best, mut place) = (m.get(&self.from, first), 0);
        for i in 1..self.count {
            let element = m.get(&self.from, first + i);
            if self.work.combine(m, self.combine, best, element) != 0 {
                (best, place) = (element, i);
            }
        }
        place as u64
    }
}

impl Dot {
    fn execute(&self, m: &mut Machine) {
        let [batches, rows, depth, columns] = self.extents;
        for batch in 0..batches {
            for row in 0..rows {
                for column in 0..columns {
                    let product = |m: &mut Machine, k: usize| {
                        let a = m.get(&self.operands[0], (batch * rows + row) * depth + k);
                        let b = m.get(&self.operands[1], (batch * depth + k) * columns + column);
                        self.work.combine(m, self.mul, a, b)
                    };
                    let sum = match depth {
                        0 => 0,
                        _ => self.work.in_segments(m, self.add, self.start, depth, product),
                    };
                    m.put(&self.to, (batch * rows + row) * columns + column, sum);
                }
            }
        }
    }
}

/// `−0`, which added to a number leaves it as it is.
pub(super) fn nothing(elem: Elem) -> u64 {
    match elem {
        Elem::F64 => (-0.0f64).to_bits(),
        Elem::F32 => u64::from((-0.0f32).to_bits()),
        Elem::I64 | Elem::Bool => 0,
    }
}
