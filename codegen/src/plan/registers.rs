//! Small arrays in registers: one scalar an element.
//!
//! Note [Registers]: an array of at most [`MOST`] elements that is computed here is not written to memory but kept as its
//! elements, through carries too. A nest that reads or gives such elements is written out, so that each is at a
//! constant index. What something else than a nest needs, at a computed index or as the rows of a loop, stays in
//! memory, and so do what a conditional gives and sums of loops, which are added to where they lie. An array that lies in
//! memory anyway, like a row, stays there and is read from there.

use super::access;
use super::region::Planner;
use super::{Carried, Form, Nest, Node, Sink, Step, To};
use crate::scalars::Operation;
use evolute_ir::{
    Def, Elem, Entity, Inst, Literal, Op, Prim, Program, Region, Strides, Table, Value, region_owners,
};
use std::rc::Rc;

/// The most elements of an array in registers.
const MOST: usize = 16;

/// The most terms of a nest that is written out.
pub(super) const WRITTEN_OUT: usize = 64;

/// The values that are kept in registers where they are computed here.
pub(super) fn in_registers(program: &Program) -> Table<Value, bool> {
    let small = |value: Value| {
        let shape = &program.ty(value).shape;
        !program.ty(value).is_scalar() && (1..=MOST).contains(&shape.len())
    };
    let mut registers = Table::from_rows(program.values().keys().map(small));
    let owners = region_owners(program);
    let mut work: Vec<Value> =
        program.insts().keys().flat_map(|inst| wanted_in_memory(program, inst)).collect();
    while let Some(value) = work.pop() {
        if std::mem::replace(&mut registers[value], false) {
            work.extend(also_in_memory(program, &owners, value));
        }
    }
    registers
}

/// The operands that an instruction needs in memory.
fn wanted_in_memory(program: &Program, inst: Inst) -> Vec<Value> {
    let operands = program.operands(inst);
    match program.op(inst) {
        Op::At | Op::AddAt => vec![operands[0]],
        Op::External(_) | Op::Call(_) | Op::Linalg(_) => operands.to_vec(),
        Op::Loop { spec, .. } => {
            let spec = program.loop_spec(spec);
            operands[spec.first_carry_operand() + spec.carries as usize..spec.own_operands()].to_vec()
        }
        Op::Cond { sums, .. } => operands[1..1 + sums as usize].to_vec(),
        Op::Const(_)
        | Op::Prim(_)
        | Op::Cast(_)
        | Op::Select
        | Op::Element(_)
        | Op::Pack(_)
        | Op::Iota(_)
        | Op::View(..)
        | Op::Spread(..)
        | Op::Reduce(..)
        | Op::Dot
        | Op::Custom { .. }
        | Op::LinearSolve { .. }
        | Op::Jvp { .. }
        | Op::Vjp { .. } => Vec::new(),
    }
}

/// What is another name of `value`, at another time or in another region.
fn also_in_memory(program: &Program, owners: &Table<Region, Option<Inst>>, value: Value) -> Vec<Value> {
    match program.value(value).def {
        Def::Result(inst) => match program.op(inst) {
            Op::View(..) => vec![program.operands(inst)[0]],
            _ => Vec::new(),
        },
        Def::Param(index) => {
            let region = program.value(value).region;
            owners[region].map_or_else(Vec::new, |inst| passed(program, inst, region, index as usize))
        }
    }
}

/// What a parameter of a region is at first, and becomes.
fn passed(program: &Program, inst: Inst, region: Region, index: usize) -> Vec<Value> {
    let operands = program.operands(inst);
    match program.op(inst) {
        Op::Loop { body, condition, spec } => {
            let spec = program.loop_spec(spec);
            let carries = spec.carries as usize;
            let own = if condition == Some(region) { 1 + carries } else { spec.own_params() };
            if (1..=carries).contains(&index) {
                let carry = spec.first_carry_operand() + index - 1;
                vec![
                    operands[carry],
                    program.region(body).params[index],
                    program.region(body).results[index - 1],
                ]
            } else {
                index
                    .checked_sub(own)
                    .map(|capture| operands[spec.own_operands() + capture])
                    .into_iter()
                    .collect()
            }
        }
        Op::Cond { .. } => vec![operands[1 + index]],
        _ => Vec::new(),
    }
}

impl Planner<'_> {
    /// A scalar that the program does not name.
    pub(super) fn fresh(&mut self, elem: Elem) -> Value {
        self.fresh.push(elem);
        Value::new(self.program.values().len() + self.fresh.len() - 1)
    }

    /// One scalar for each element of an array like this one.
    pub(super) fn fresh_elements(&mut self, like: Value) -> Rc<[Value]> {
        let ty = self.program.ty(like);
        (0..ty.shape.len()).map(|_| self.fresh(ty.elem)).collect()
    }

    /// The elements of an array of few.
    pub(super) fn elements(&mut self, array: Value) -> Rc<[Value]> {
        if let Form::Elements(elements) = &self.forms[array] {
            return elements.clone();
        }
        let elements = self.fresh_elements(array);
        let mut nodes = Vec::new();
        self.expression(array, &mut nodes);
        let to = self.to_elements(array, elements.clone());
        let extents = self.extents(array).to_vec();
        self.nest(Nest { extents, reduced: 0, nodes, sink: Sink::Store, to, wide: None });
        elements
    }

    fn to_elements(&self, array: Value, elements: Rc<[Value]>) -> To {
        let strides = access::row_major(self.extents(array)).into();
        To::Elements(elements, Strides { offset: 0, strides })
    }

    /// Where a nest leaves the elements of `result`, which from now on are in registers.
    pub(super) fn in_elements(&mut self, result: Value) -> To {
        let elements = self.fresh_elements(result);
        self.forms[result] = Form::Elements(elements.clone());
        self.to_elements(result, elements)
    }

    /// As [`Planner::in_elements`], of a nest that has further axes.
    pub(super) fn reduced_elements(&mut self, result: Value, extents: &[u32]) -> To {
        let mut to = self.in_elements(result);
        if let To::Elements(_, at) = &mut to {
            let kept = at.strides.iter().copied();
            at.strides = kept.chain(std::iter::repeat(0)).take(extents.len()).collect();
        }
        to
    }

    /// The constant that a scalar is.
    pub(super) fn literal(&self, scalar: Value) -> Option<Literal> {
        (scalar.index() < self.program.values().len()).then(|| self.program.as_const(scalar)).flatten()
    }

    /// The elements of an array in registers as a nest reads them.
    pub(super) fn element_node(&self, array: Value, elements: &Rc<[Value]>) -> Node {
        let strides = access::row_major(self.extents(array)).into();
        Node::Element(elements.clone(), Strides { offset: 0, strides })
    }

    /// A `pack` of few elements.
    pub(super) fn pack_elements(&mut self, result: Value, operands: &[Value]) {
        let mut elements = Vec::new();
        for &operand in operands {
            match self.forms[operand] {
                Form::Scalar(value) => elements.push(value),
                _ => elements.extend_from_slice(&self.elements(operand)),
            }
        }
        self.forms[result] = Form::Elements(elements.into());
    }

    /// A view of elements: a choice of them.
    pub(super) fn view_elements(&mut self, result: Value, elements: &[Value], strides: &Strides) {
        let extents = self.extents(result);
        let chosen = |index: usize| elements[access::element(strides, extents, index as u32) as usize];
        self.forms[result] = match self.program.ty(result).is_scalar() {
            true => Form::Scalar(chosen(0)),
            false => Form::Elements((0..access::count(extents)).map(chosen).collect()),
        };
    }

    /// The transpose of a view, with few elements: each is a sum, from 0 on.
    pub(super) fn spread_elements(&mut self, result: Value, array: Value, strides: &Strides) {
        let terms = match self.forms[array] {
            Form::Scalar(value) => [value].into(),
            _ => self.elements(array),
        };
        let mut sums = self.fresh_elements(result);
        let sums = Rc::make_mut(&mut sums);
        let elem = self.program.ty(result).elem;
        for &value in &*sums {
            self.steps.push(Step::Constant { value, literal: Literal::from_f64(elem, 0.0) });
        }
        let extents = self.extents(array);
        for (index, &term) in terms.iter().enumerate() {
            let sum = &mut sums[access::element(strides, extents, index as u32) as usize];
            let operands = vec![std::mem::replace(sum, self.fresh(elem)), term];
            self.steps.push(Step::Compute {
                value: *sum,
                operation: Operation::Prim(Prim::Add),
                operands,
                check: 0,
            });
        }
        self.forms[result] = match self.program.ty(result).is_scalar() {
            true => Form::Scalar(sums[0]),
            false => Form::Elements(sums.into()),
        };
    }

    /// The carries of an array in registers.
    pub(super) fn carried_elements(&mut self, result: Value, from: [&[Value]; 3]) -> Vec<Carried> {
        let results = self.fresh_elements(result);
        self.forms[result] = Form::Elements(results.clone());
        let [initial, params, next] = from;
        let carried =
            |i: usize| Carried { initial: initial[i], param: params[i], next: next[i], result: results[i] };
        (0..results.len()).map(carried).collect()
    }
}

impl Nest {
    /// Whether each of its elements is written out, as some are in registers.
    pub(crate) fn is_written_out(&self) -> bool {
        let reads = |node: &Node| matches!(node, Node::Element(..));
        matches!(self.to, To::Elements(..)) || self.nodes.iter().any(reads)
    }
}
