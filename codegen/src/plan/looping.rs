//! Planning loops and conditionals.

use super::memory::{Home, Mem};
use super::region::Planner;
use super::usage::Reach;
use super::{Access, Carried, Choice, Form, Lanes, Loop, Pair, Step};
use evolute_ir::{FailureKind, Inst, LoopSpec, Region, Strides, Trips, Value};
use std::rc::Rc;

/// The values of a loop, by what they are.
pub(super) struct Parts<'p> {
    carries: Vec<Line>,
    rows: Vec<(Value, Value)>,
    /// Rows given and the arrays that they are stacked in.
    stacks: Vec<(Value, Value)>,
    pub(super) sums: Vec<Line>,
    captured: (&'p [Value], &'p [Value]),
    pub(super) operands: &'p [Value],
}

/// What goes through a loop: the operand, the body's parameter, what the body gives, the result.
#[derive(Clone, Copy)]
pub(super) struct Line {
    pub(super) initial: Value,
    pub(super) param: Value,
    pub(super) next: Value,
    pub(super) result: Value,
}

/// What is planned of a loop besides its body's steps.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) scalars: Vec<Line>,
    pub(super) lanes: Vec<Lanes>,
    /// Of array carries the memory of the initial value, those of the body, and whether one is enough.
    carries: Vec<(Line, Mem, [Mem; 2], bool)>,
    /// Carries in registers: of each element what it is at first, in the body, and next.
    registers: Vec<(Line, [Rc<[Value]>; 3])>,
    /// Sums in memory, with the memories that their next value must lie in.
    pub(super) accumulated: Vec<(Value, Mem)>,
    /// Stacks and the memories of their rows.
    stacks: Vec<(Value, Mem, Mem)>,
    /// The first steps of the body.
    pub(super) entering: Vec<Step>,
}

fn parts<'p>(planner: &Planner<'p>, inst: Inst, spec: LoopSpec, body: Region) -> Parts<'p> {
    let program = planner.program;
    let operands = program.operands(inst);
    let data = program.region(body);
    let results: Vec<Value> = program.results(inst).collect();
    let [carries, rows, sums] = [spec.carries, spec.rows, spec.sums].map(|count| count as usize);
    let (first_operand, first_result) = (spec.first_carry_operand(), spec.first_carry_result());
    let line = |operand: usize, param: usize, given: usize, result: usize| Line {
        initial: operands[operand],
        param: data.params[param],
        next: data.results[given],
        result: results[result],
    };
    let first_row = first_operand + carries;
    let stacked = data.results.len() - carries - sums;
    let last = [first_row + rows, 1 + carries + rows, carries + stacked, first_result + carries + stacked];
    Parts {
        carries: (0..carries).map(|k| line(first_operand + k, 1 + k, k, first_result + k)).collect(),
        rows: (0..rows).map(|k| (operands[first_row + k], data.params[1 + carries + k])).collect(),
        stacks: (0..stacked)
            .map(|k| (data.results[carries + k], results[first_result + carries + k]))
            .collect(),
        sums: (0..sums).map(|k| line(last[0] + k, last[1] + k, last[2] + k, last[3] + k)).collect(),
        captured: (&operands[spec.own_operands()..], &data.params[spec.own_params()..]),
        operands,
    }
}

impl Planner<'_> {
    pub(super) fn looping(&mut self, inst: Inst, spec: LoopSpec, body: Region, condition: Option<Region>) {
        let program = self.program;
        let parts = parts(self, inst, spec, body);
        let number = program.region(body).params[0];
        let count = matches!(spec.trips, Trips::Counted(_)).then(|| self.scalar(program.operands(inst)[0]));
        let made = matches!(spec.trips, Trips::While(_)).then(|| program.result(inst));
        let check = match spec.trips {
            Trips::Fixed(_) => 0,
            Trips::Counted(_) => self.check(FailureKind::Count, inst),
            Trips::While(_) => self.check(spec.aim.missed(), inst),
        };
        for value in made.into_iter().chain([number]) {
            self.forms[value] = Form::Scalar(value);
        }
        self.share(parts.captured.0, parts.captured.1);
        let start = self.clock;
        let mut draft = Draft::default();
        self.find_usage(body);
        self.start_carries(&parts, &mut draft);
        self.start_sums(spec, &parts, &mut draft);
        self.start_stacks(&parts, number, &mut draft);
        self.enter_rows(&parts, number, &mut draft);
        let condition = condition.map(|region| self.condition(region, body, spec));
        let wishes = wishes(program.region(body).results.len(), &draft, &parts);
        let private = self.mems.len();
        let steps = self.region(body, &wishes, |planner| planner.finish_body(&mut draft));
        let private = private..self.mems.len();
        draft.entering.extend(steps);
        let pairs = self.pairs(spec, &draft, start);
        let tails = self.tails(inst, spec, &parts, &draft);
        let mut scalars: Vec<Carried> = draft.scalars.iter().map(|line| self.carried(line)).collect();
        for (line, [initial, params, next]) in &draft.registers {
            scalars.extend(self.carried_elements(line.result, [initial, params, next]));
        }
        let (lanes, body) = (draft.lanes, draft.entering);
        let planned = Loop {
            spec,
            count,
            check,
            made,
            number,
            condition,
            scalars,
            pairs,
            lanes,
            body,
            tails,
            private,
            wide: None,
        };
        self.steps.push(Step::Loop(Box::new(planned)));
    }

    /// The stacks whose rows past the last iteration are read: not those of which other loops read as many rows as
    /// there are iterations.
    fn tails(&self, inst: Inst, spec: LoopSpec, parts: &Parts<'_>, draft: &Draft) -> Vec<(Mem, usize)> {
        let given = match spec.trips {
            Trips::Fixed(_) => return Vec::new(),
            Trips::Counted(_) => parts.operands[0],
            Trips::While(_) => self.program.result(inst),
        };
        let read = |stack: Value| match self.usage[stack].reach {
            Reach::None => false,
            Reach::Below(count) => count != given,
            Reach::All => true,
        };
        let stacks = parts.stacks.iter().zip(&draft.stacks);
        stacks
            .filter(|((_, stack), _)| read(*stack))
            .map(|(_, &(_, all, row))| (all, self.mems[row].len))
            .collect()
    }

    /// Parameters that are operands.
    fn share(&mut self, operands: &[Value], params: &[Value]) {
        for (&operand, &param) in operands.iter().zip(params) {
            self.forms[param] = self.forms[operand].clone();
        }
    }

    /// The memories that an operation with regions reads besides the operand of this number.
    pub(super) fn other_memories(&self, operands: &[Value], operand: Value) -> Vec<Mem> {
        let mut same = 0;
        let others = operands.iter().filter(|&&other| {
            same += u32::from(other == operand);
            other != operand || same > 1
        });
        others.filter_map(|&other| self.memory_of(other)).collect()
    }

    fn carried(&mut self, line: &Line) -> Carried {
        let &Line { initial, param, next, result } = line;
        self.forms[result] = Form::Scalar(result);
        Carried { initial: self.scalar(initial), param, next: self.scalar(next), result }
    }

    fn start_carries(&mut self, parts: &Parts<'_>, draft: &mut Draft) {
        for &line in &parts.carries {
            if self.program.ty(line.param).is_scalar() {
                self.forms[line.param] = Form::Scalar(line.param);
                draft.scalars.push(line);
                continue;
            }
            if self.registers[line.param] {
                let (initial, params) = (self.elements(line.initial), self.fresh_elements(line.param));
                self.forms[line.param] = Form::Elements(params.clone());
                draft.registers.push((line, [initial, params.clone(), params]));
                continue;
            }
            let read = self.other_memories(parts.operands, line.initial);
            let start = self.replaced(line.initial, line.result, &read);
            let pair = [0, 1].map(|_| self.mem_like(Home::Either, line.param));
            self.lend(line.param, pair[0]);
            draft.carries.push((line, start, pair, false));
        }
    }

    /// `param` is the only name in its region of all of a memory.
    pub(super) fn lend(&mut self, param: Value, mem: Mem) {
        self.forms[param] = Form::Memory(Access::whole(mem, self.extents(param)));
        self.owned[param] = true;
    }

    fn start_stacks(&mut self, parts: &Parts<'_>, number: Value, draft: &mut Draft) {
        for &(given, stack) in &parts.stacks {
            let all = self.destination(stack);
            let row = self.mem_like(Home::Moving(all), given);
            let terms = vec![(number, self.mems[row].len as i64)];
            draft.entering.push(Step::Part { mem: row, of: all, offset: 0, terms });
            draft.stacks.push((given, all, row));
        }
    }

    /// A row is a part of its array.
    fn enter_rows(&mut self, parts: &Parts<'_>, number: Value, draft: &mut Draft) {
        for &(array, row) in &parts.rows {
            let scalar = self.program.ty(row).is_scalar();
            if self.usage[row].uses == 0 {
                continue;
            }
            let form = match &self.forms[array] {
                &Form::Splat(value) if scalar => Form::Scalar(value),
                &Form::Splat(value) => Form::Splat(value),
                Form::Index(strides) if scalar => {
                    let terms = vec![(number, strides.strides[0])];
                    draft.entering.push(Step::Affine { value: row, offset: strides.offset, terms });
                    Form::Scalar(row)
                }
                _ => {
                    let Access { mem: of, at } = self.in_memory(array);
                    let mem = self.mem_like(Home::Moving(of), row);
                    let terms = vec![(number, at.strides[0])];
                    draft.entering.push(Step::Part { mem, of, offset: at.offset, terms });
                    let at = Strides { offset: 0, strides: at.strides[1..].into() };
                    Form::Memory(Access { mem, at })
                }
            };
            self.forms[row] = match form {
                Form::Memory(from) if scalar => {
                    draft.entering.push(Step::Load { value: row, from });
                    Form::Scalar(row)
                }
                form => form,
            };
        }
    }

    /// The condition of a `while` reads what the body does.
    fn condition(&mut self, region: Region, body: Region, spec: LoopSpec) -> (Vec<Step>, Value) {
        let (condition, body) = (self.program.region(region), self.program.region(body));
        let own = 1 + spec.carries as usize;
        self.share(&body.params[..own], &condition.params[..own]);
        self.share(&body.params[spec.own_params()..], &condition.params[own..]);
        self.find_usage(region);
        let steps = self.region(region, &[], |_| {});
        (steps, self.scalar(condition.results[0]))
    }

    /// The last steps of a body move what does not lie where it must.
    fn finish_body(&mut self, draft: &mut Draft) {
        for (line, _, [present, next], single) in &mut draft.carries {
            *single = self.lies_in(line.next, *present);
            if !*single {
                self.deliver(line.next, *next);
            }
        }
        for (line, [.., next]) in &mut draft.registers {
            *next = self.elements(line.next);
        }
        for &(given, _, row) in &draft.stacks {
            self.deliver(given, row);
        }
        for &(next, mem) in &draft.accumulated {
            self.deliver(next, mem);
        }
    }

    /// The array carries' memories. A second one is needed where the next value is not made in place.
    fn pairs(&mut self, spec: LoopSpec, draft: &Draft, start: u32) -> Vec<Pair> {
        let trips = match spec.trips {
            Trips::Fixed(trips) => Some(trips),
            Trips::Counted(_) | Trips::While(_) => None,
        };
        let mut pairs = Vec::new();
        for &(line, even, [present, next], single) in &draft.carries {
            let odd = match single {
                true => even,
                false => self.mem_like(Home::Workspace(0), line.param),
            };
            if !single {
                self.hold(odd, self.position);
                self.mems[odd].first = start;
            }
            if trips.is_some_and(|trips| trips % 2 == 1) {
                self.settle(line.result, odd);
            }
            pairs.push(Pair { present, next, even, odd, trips });
        }
        pairs
    }

    // ── conditionals ────────────────────────────────────────────────────────────────────────────

    pub(super) fn conditional(&mut self, inst: Inst, branches: [Region; 2], sums: usize) {
        let program = self.program;
        let operands = program.operands(inst);
        let results: Vec<Value> = program.results(inst).collect();
        let others = results.len() - sums;
        let mut mems: Vec<Option<Mem>> = Vec::new();
        for (number, &result) in results.iter().enumerate() {
            let sum = number.checked_sub(others).map(|sum| operands[1 + sum]);
            mems.push(match sum {
                _ if program.ty(result).is_scalar() => None,
                Some(sum) => {
                    let read = self.other_memories(operands, sum);
                    Some(self.replaced(sum, result, &read))
                }
                None => Some(self.destination(result)),
            });
        }
        let planned = branches.map(|region| {
            let data = program.region(region);
            self.share(&operands[1..], &data.params);
            for (&param, mem) in data.params.iter().zip(&mems[others..]) {
                if let &Some(mem) = mem {
                    self.lend(param, mem);
                }
            }
            self.find_usage(region);
            let places = self.branch_places(&data.results, &mems, others);
            self.region(region, &places, |planner| {
                for (&value, place) in data.results.iter().zip(&places) {
                    if let &Some(place) = place {
                        planner.deliver(value, place);
                    }
                }
            })
        });
        let scalars = results.iter().enumerate().filter(|&(number, _)| mems[number].is_none());
        let given =
            |number: usize| branches.map(|region| self.scalar(program.region(region).results[number]));
        let scalars: Vec<(Value, [Value; 2])> =
            scalars.map(|(number, &result)| (result, given(number))).collect();
        for &(result, _) in &scalars {
            self.forms[result] = Form::Scalar(result);
        }
        let condition = self.scalar(operands[0]);
        self.steps.push(Step::Choice(Box::new(Choice { condition, branches: planned, scalars })));
    }

    /// Where a branch leaves its results: a place of its own within the memory of each, so that it may grant
    /// it; a sum stays where it is.
    fn branch_places(&mut self, given: &[Value], mems: &[Option<Mem>], others: usize) -> Vec<Option<Mem>> {
        let place = |(number, (&value, &mem)): (usize, (&Value, &Option<Mem>))| {
            let mem = mem?;
            Some(if number < others { self.mem_like(Home::Within(mem, 0), value) } else { mem })
        };
        given.iter().zip(mems).enumerate().map(place).collect()
    }
}

/// Where each result of a body is wanted.
fn wishes(results: usize, draft: &Draft, parts: &Parts<'_>) -> Vec<Option<Mem>> {
    let mut wishes = vec![None; results];
    let mut arrays = draft.carries.iter();
    let mut array = arrays.next();
    for (number, line) in parts.carries.iter().enumerate() {
        if let Some((_, _, [_, next], _)) = array.filter(|(carry, ..)| carry.param == line.param) {
            wishes[number] = Some(*next);
            array = arrays.next();
        }
    }
    for (number, &(_, _, row)) in draft.stacks.iter().enumerate() {
        wishes[parts.carries.len() + number] = Some(row);
    }
    wishes
}
