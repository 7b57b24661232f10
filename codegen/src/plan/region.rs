//! Planning a region: one instruction after the other, with what is known of each value.

use super::memory::{Home, Mem, Memory};
use super::registers::in_registers;
use super::usage::{Usage, pointwise};
use super::{Access, Form, Nest, Node, Step, access};
use crate::units::Called;
use evolute_ir::{
    Bounds, CalleeId, Def, Elem, Entity, Failure, FailureKind, Inst, Literal, Op, Program, Region, Table,
    Value, fallible_insts,
};

/// Plans one program.
pub(super) struct Planner<'p> {
    pub(super) program: &'p Program,
    /// What is known of the functions that it calls.
    pub(super) called: &'p Table<CalleeId, Called>,
    pub(super) mems: Table<Mem, Memory>,
    pub(super) checks: Vec<Failure>,
    pub(super) usage: Table<Value, Usage>,
    pub(super) bounds: Bounds<'p>,
    pub(super) fails: Table<Inst, bool>,
    pub(super) needed: Table<Inst, bool>,
    /// The arrays that are kept in registers. See Note \[Registers\].
    pub(super) registers: Table<Value, bool>,
    /// The kinds of the scalars that the program does not name.
    pub(super) fresh: Vec<Elem>,
    pub(super) forms: Table<Value, Form>,
    /// The arrays that are all of a memory which nothing outside their region knows. See Note \[In place\].
    pub(super) owned: Table<Value, bool>,
    /// Where an array is wanted at last.
    pub(super) wishes: Table<Value, Option<Mem>>,
    /// The wishes that were granted: one each.
    pub(super) granted: Vec<bool>,
    /// The steps of the region at hand, the position in it, and the memories not read after each position.
    pub(super) steps: Vec<Step>,
    pub(super) position: u32,
    ending: Vec<Vec<Mem>>,
    pub(super) clock: u32,
}

impl<'p> Planner<'p> {
    pub(super) fn new(program: &'p Program, called: &'p Table<CalleeId, Called>) -> Self {
        let (values, insts) = (program.values().len(), program.insts().len());
        let bounds = Bounds::new(program);
        Planner {
            program,
            called,
            mems: Table::new(),
            checks: Vec::new(),
            usage: Table::filled(values, Usage::default()),
            fails: fallible_insts(program),
            bounds,
            needed: Table::filled(insts, false),
            registers: in_registers(program),
            fresh: Vec::new(),
            forms: Table::filled(values, Form::None),
            owned: Table::filled(values, false),
            wishes: Table::filled(values, None),
            granted: Vec::new(),
            steps: Vec::new(),
            position: 0,
            ending: Vec::new(),
            clock: 0,
        }
    }

    /// The steps of the whole program.
    pub(super) fn program(&mut self) -> Vec<Step> {
        let root = self.program.root();
        let outputs: Vec<Mem> = (root.results.iter().enumerate())
            .map(|(number, &result)| self.mem_like(Home::Output(number as u32), result))
            .collect();
        let wishes: Vec<Option<Mem>> = outputs.iter().copied().map(Some).collect();
        self.find_usage(Program::ROOT);
        let mut loads = Vec::new();
        for (number, &param) in root.params.iter().enumerate() {
            let mem = self.mem_like(Home::Input(number as u32), param);
            self.forms[param] = Form::Memory(Access::whole(mem, self.extents(param)));
            if self.program.ty(param).is_scalar() {
                self.forms[param] = Form::Scalar(param);
                if self.usage[param].uses > 0 {
                    loads.push(Step::Load { value: param, from: Access::scalar(mem, 0) });
                }
            }
        }
        let steps = self.region(Program::ROOT, &wishes, |planner| {
            for (&result, mem) in root.results.iter().zip(outputs) {
                planner.deliver(result, mem);
            }
        });
        loads.extend(steps);
        loads
    }

    /// The steps of a region whose usage is found and whose parameters have their forms. Each of its results
    /// is wanted in a memory, or anywhere; `finish` adds the last steps.
    pub(super) fn region(
        &mut self,
        region: Region,
        wishes: &[Option<Mem>],
        finish: impl FnOnce(&mut Self),
    ) -> Vec<Step> {
        let program = self.program;
        let data = program.region(region);
        let end = data.insts.len();
        let outer_steps = std::mem::take(&mut self.steps);
        let outer_ending = std::mem::replace(&mut self.ending, vec![Vec::new(); end + 1]);
        let outer_position = self.position;
        for (&result, &wish) in data.results.iter().zip(wishes) {
            self.wish(result, wish);
        }
        for (position, &inst) in data.insts.iter().enumerate().rev() {
            self.position = position as u32;
            self.pass_wishes_on(inst);
        }
        for (position, &inst) in data.insts.iter().enumerate() {
            self.position = position as u32;
            self.clock += 1;
            if self.needed[inst] {
                self.inst(inst);
            }
            self.end(position);
        }
        self.position = end as u32;
        self.clock += 1;
        finish(self);
        self.end(end);
        self.position = outer_position;
        self.ending = outer_ending;
        std::mem::replace(&mut self.steps, outer_steps)
    }

    /// The memories not read after `position` end now.
    fn end(&mut self, position: usize) {
        self.clock += 1;
        for mem in std::mem::take(&mut self.ending[position]) {
            let root = self.origin(mem);
            self.mems[root].last = self.clock;
        }
    }

    // ── wishes ──────────────────────────────────────────────────────────────────────────────────

    /// An array that is computed here is wanted in this memory.
    fn wish(&mut self, value: Value, mem: Option<Mem>) {
        if let (Def::Result(_), false) = (self.program.value(value).def, self.program.ty(value).is_scalar()) {
            self.wishes[value] = self.wishes[value].or(mem);
        }
    }

    /// What is wanted of an instruction's results is wanted of the operands that they take over.
    fn pass_wishes_on(&mut self, inst: Inst) {
        let program = self.program;
        if !self.needed[inst] {
            return;
        }
        let operands = program.operands(inst);
        let results: Vec<Value> = program.results(inst).collect();
        let mut pairs = Vec::new();
        match program.op(inst) {
            Op::AddAt => pairs.push((operands[0], results[0])),
            Op::View(_, strides) if self.usage[operands[0]].uses == 1 => {
                let strides = program.strides(strides);
                let same = program.ty(operands[0]).shape.len() == program.ty(results[0]).shape.len();
                if same
                    && strides.offset == 0
                    && access::is_row_major(&strides.strides, self.extents(results[0]))
                {
                    let wish = self.wishes[results[0]];
                    return self.wish(operands[0], wish);
                }
            }
            Op::Loop { spec, .. } => {
                let spec = program.loop_spec(spec);
                let (carries, sums) = (spec.carries as usize, spec.sums as usize);
                let carry = (spec.first_carry_operand(), spec.first_carry_result());
                pairs.extend((0..carries).map(|k| (operands[carry.0 + k], results[carry.1 + k])));
                let sum = (spec.own_operands() - sums, results.len() - sums);
                pairs.extend((0..sums).map(|k| (operands[sum.0 + k], results[sum.1 + k])));
            }
            Op::Cond { sums, .. } => {
                let sums = sums as usize;
                let first = results.len() - sums;
                pairs.extend((0..sums).map(|k| (operands[1 + k], results[first + k])));
            }
            Op::Pack(_) if self.registers[results[0]] => {}
            Op::Pack(_) => self.reserve_pack(results[0], operands),
            Op::Const(_)
            | Op::Prim(_)
            | Op::Cast(_)
            | Op::Select
            | Op::Element(_)
            | Op::Iota(_)
            | Op::View(..)
            | Op::Spread(..)
            | Op::Reduce(..)
            | Op::Dot
            | Op::At
            | Op::External(_)
            | Op::Call(_)
            | Op::Custom { .. }
            | Op::LinearSolve { .. }
            | Op::Linalg(_)
            | Op::Jvp { .. }
            | Op::Vjp { .. } => {}
        }
        for (operand, result) in pairs {
            if self.usage[operand].last == self.position {
                let wish = self.wishes[result];
                self.wish(operand, wish);
            }
        }
    }

    /// Gives a `pack` its memory, and wishes its operands to be computed there.
    fn reserve_pack(&mut self, result: Value, operands: &[Value]) {
        let mem = match self.wishes[result] {
            Some(mem) if !self.granted[mem.index()] => mem,
            Some(_) | None => self.mem_like(Home::Workspace(0), result),
        };
        self.granted[mem.index()] = true;
        self.wishes[result] = Some(mem);
        let mut offset = 0;
        for &operand in operands {
            let len = self.program.ty(operand).shape.len();
            let usage = self.usage[operand];
            let def = self.program.def_inst(operand).map(|inst| self.program.op(inst));
            let inline = usage.inlinable && def.is_some_and(|op| pointwise(op).is_some());
            // One that is read later must not change when the pack is taken over.
            let free = usage.last == self.position && !inline;
            if self.wishes[operand].is_none() && free && len > 0 {
                let part = self.mem_like(Home::Within(mem, offset), operand);
                self.wish(operand, Some(part));
            }
            offset += len as i64;
        }
    }

    // ── memories ────────────────────────────────────────────────────────────────────────────────

    pub(super) fn extents(&self, value: Value) -> &'p [u32] {
        self.program.ty(value).shape.extents()
    }

    pub(super) fn mem(&mut self, home: Home, elem: Elem, len: usize) -> Mem {
        self.granted.push(false);
        self.mems.push(Memory { home, elem, len, first: u32::MAX, last: 0 })
    }

    /// A memory for a value of this type.
    pub(super) fn mem_like(&mut self, home: Home, value: Value) -> Mem {
        let ty = self.program.ty(value);
        self.mem(home, ty.elem, ty.shape.len())
    }

    /// The memory that this one is a part of.
    pub(super) fn origin(&self, mut mem: Mem) -> Mem {
        while let Home::Within(of, _) | Home::Moving(of) = self.mems[mem].home {
            mem = of;
        }
        mem
    }

    /// A memory of the workspace for this step alone.
    pub(super) fn scratch(&mut self, elem: Elem, len: usize) -> Mem {
        let mem = self.mem(Home::Workspace(0), elem, len);
        self.hold(mem, self.position);
        mem
    }

    /// From now until after `position` the memory is needed.
    pub(super) fn hold(&mut self, mem: Mem, position: u32) {
        let origin = self.origin(mem);
        let memory = &mut self.mems[origin];
        memory.first = memory.first.min(self.clock);
        self.ending[position as usize].push(mem);
    }

    /// `value` is from now on what lies in all of `mem`.
    pub(super) fn settle(&mut self, value: Value, mem: Mem) {
        self.hold(mem, self.usage[value].last);
        self.forms[value] = Form::Memory(Access::whole(mem, self.extents(value)));
        self.owned[value] = true;
    }

    /// The memory in which to compute `value`: where it is wanted, if that is free.
    pub(super) fn destination(&mut self, value: Value) -> Mem {
        let mem = match self.wishes[value] {
            Some(mem) if !self.granted[mem.index()] => mem,
            Some(_) | None => self.mem_like(Home::Workspace(0), value),
        };
        self.granted[mem.index()] = true;
        self.settle(value, mem);
        mem
    }

    /// The memory of `value`, if the instruction at hand may take it over; `others` are what else it reads.
    pub(super) fn take_over(&self, value: Value, others: &[Mem]) -> Option<Mem> {
        let Form::Memory(Access { mem, .. }) = self.forms[value] else { return None };
        let free = self.owned[value] && self.usage[value].last == self.position;
        let origin = self.origin(mem);
        (free && others.iter().all(|&other| self.origin(other) != origin)).then_some(mem)
    }

    /// Where an array lies, if it does in memory.
    pub(super) fn memory_of(&self, value: Value) -> Option<Mem> {
        match &self.forms[value] {
            Form::Memory(access) => Some(access.mem),
            Form::None
            | Form::Scalar(_)
            | Form::Elements(_)
            | Form::Splat(_)
            | Form::Index(_)
            | Form::Inline(_) => None,
        }
    }

    // ── moving ──────────────────────────────────────────────────────────────────────────────────

    /// Makes `mem` hold `value`, unless it does.
    pub(super) fn deliver(&mut self, value: Value, mem: Mem) {
        if let Form::Scalar(value) = self.forms[value] {
            return self.steps.push(Step::Store { value, to: Access::scalar(mem, 0) });
        }
        if !self.lies_in(value, mem) {
            self.copy(value, Access::whole(mem, self.extents(value)));
        }
    }

    /// Whether an array is all of `mem`, in row-major order.
    pub(super) fn lies_in(&self, value: Value, mem: Mem) -> bool {
        match &self.forms[value] {
            Form::Memory(Access { mem: found, at }) => {
                *found == mem && at.offset == 0 && access::is_row_major(&at.strides, self.extents(value))
            }
            Form::None
            | Form::Scalar(_)
            | Form::Elements(_)
            | Form::Splat(_)
            | Form::Index(_)
            | Form::Inline(_) => false,
        }
    }

    /// Computes or copies the elements of `value` to where they shall lie.
    pub(super) fn copy(&mut self, value: Value, to: Access) {
        let mut nodes = Vec::new();
        self.expression(value, &mut nodes);
        self.nest(Nest::store(self.extents(value), nodes, to));
    }

    /// Writes a constant to all elements of a stretch.
    pub(super) fn fill(&mut self, literal: Literal, mem: Mem, offset: i64, len: usize) {
        let at = evolute_ir::Strides { offset, strides: [1].into() };
        self.nest(Nest::store(&[len as u32], vec![Node::Constant(literal)], Access { mem, at }));
    }

    pub(super) fn nest(&mut self, nest: Nest) {
        let step = self.nest_step(nest.simplified());
        self.steps.push(step);
    }

    /// The number of a further check.
    pub(super) fn check(&mut self, kind: FailureKind, inst: Inst) -> u32 {
        let loc = self.program.results(inst).next().and_then(|value| self.program.loc(value).cloned());
        self.checks.push(Failure { kind, loc });
        self.checks.len() as u32
    }

    /// The scalar that `value` is.
    pub(super) fn scalar(&self, value: Value) -> Value {
        match self.forms[value] {
            Form::Scalar(value) => value,
            Form::None
            | Form::Memory(_)
            | Form::Elements(_)
            | Form::Splat(_)
            | Form::Index(_)
            | Form::Inline(_) => {
                unreachable!("{value} is not a scalar")
            }
        }
    }
}
