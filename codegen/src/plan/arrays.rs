//! Planning instructions: arrays here, the others elsewhere.

use super::memory::{Home, Mem};
use super::region::Planner;
use super::registers::WRITTEN_OUT;
use super::usage::{may_fail, pointwise};
use super::{Access, Form, Nest, Node, Sink, Step, To, access};
use crate::scalars::Operation;
use evolute_ir::{Entity, FailureKind, Inst, Literal, Op, Prim, Reduction, Strides, Value};

/// The most operations that one nest computes for an element.
const HEAVIEST: usize = 48;

impl Planner<'_> {
    pub(super) fn inst(&mut self, inst: Inst) {
        let program = self.program;
        let operands = program.operands(inst);
        let op = program.op(inst);
        if let Some(operation) = pointwise(op) {
            return self.pointwise(inst, operation);
        }
        let result = || program.result(inst);
        match op {
            Op::Const(_) => self.forms[result()] = Form::Scalar(result()),
            Op::Element(index) => self.element(result(), operands[0], index),
            Op::Pack(_) => self.pack(result(), operands),
            Op::Iota(_) => {
                let strides = [1].into();
                self.forms[result()] = Form::Index(Strides { offset: 0, strides });
            }
            Op::View(_, strides) => self.view(result(), operands[0], program.strides(strides)),
            Op::Spread(_, strides) => self.spread(result(), operands[0], program.strides(strides)),
            Op::Reduce(reduction, _) => self.reduce(result(), operands[0], reduction),
            Op::Dot => self.dot(result(), operands),
            Op::At => self.at(inst, result(), operands),
            Op::AddAt => self.add_at(inst, result(), operands),
            Op::External(id) => self.external(inst, result(), operands, id),
            Op::Call(id) => self.function(inst, operands, id),
            Op::Linalg(linalg) => self.linalg(result(), linalg, operands),
            Op::Loop { body, condition, spec } => {
                self.looping(inst, program.loop_spec(spec), body, condition);
            }
            Op::Cond { yes, no, sums } => self.conditional(inst, [yes, no], sums as usize),
            Op::Prim(_) | Op::Cast(_) | Op::Select => {}
            Op::Custom { .. } | Op::LinearSolve { .. } | Op::Jvp { .. } | Op::Vjp { .. } => {
                unreachable!("`Plan::new` refuses operators")
            }
        }
    }

    // ── elementwise ─────────────────────────────────────────────────────────────────────────────

    fn pointwise(&mut self, inst: Inst, operation: Operation) {
        let program = self.program;
        let (result, operands) = (program.result(inst), program.operands(inst));
        let fails = may_fail(operation, program.ty(operands[0]).elem);
        if program.ty(result).is_scalar() {
            let check = if fails { self.check(FailureKind::IntegerDivision, inst) } else { 0 };
            let operands = operands.iter().map(|&v| self.scalar(v)).collect();
            self.forms[result] = Form::Scalar(result);
            return self.steps.push(Step::Compute { value: result, operation, operands, check });
        }
        let weights = operands.iter().map(|&v| match self.forms[v] {
            Form::Inline(weight) => weight,
            Form::None
            | Form::Scalar(_)
            | Form::Memory(_)
            | Form::Elements(_)
            | Form::Splat(_)
            | Form::Index(_) => 0,
        });
        let weight = 1 + weights.sum::<usize>();
        self.forms[result] = Form::Inline(weight);
        if self.usage[result].inlinable && !fails && weight < HEAVIEST {
            return;
        }
        let mut nodes = Vec::new();
        self.expression(result, &mut nodes);
        if self.registers[result] {
            let (extents, to) = (self.extents(result).to_vec(), self.in_elements(result));
            return self.nest(Nest { extents, reduced: 0, nodes, sink: Sink::Store, to, wide: None });
        }
        let mem = match self.taken_pointwise(result, operands, &nodes) {
            Some(mem) => {
                self.settle(result, mem);
                mem
            }
            None => self.destination(result),
        };
        let extents = self.extents(result);
        self.nest(Nest::store(extents, nodes, Access::whole(mem, extents)));
    }

    /// The memory of an operand that the result may take over element by element: each of its elements is read
    /// only for the element that replaces it. Where the result is wanted elsewhere, only that of a carry.
    fn taken_pointwise(&self, result: Value, operands: &[Value], nodes: &[Node]) -> Option<Mem> {
        let extents = self.extents(result);
        let wished = self.wishes[result].is_some_and(|mem| !self.granted[mem.index()]);
        operands.iter().find_map(|&operand| {
            let mem = self.take_over(operand, &[])?;
            let origin = self.origin(mem);
            let same = |node: &Node| match node {
                Node::Load(access) => {
                    self.origin(access.mem) != origin || *access == Access::whole(mem, extents)
                }
                Node::Element(..)
                | Node::Scalar(_)
                | Node::Constant(_)
                | Node::Index(_)
                | Node::Compute { .. } => true,
            };
            let fits = self.program.ty(operand) == self.program.ty(result) && nodes.iter().all(same);
            let allowed = !wished || self.mems[origin].home == Home::Either;
            (fits && allowed).then_some(mem)
        })
    }

    /// Appends the nodes that compute `value` for an index; the last is its element.
    pub(super) fn expression(&mut self, value: Value, nodes: &mut Vec<Node>) -> u32 {
        let node = match &self.forms[value] {
            Form::Inline(_) => {
                let inst = self.program.def_inst(value).expect("only what is computed is inline");
                let operation =
                    pointwise(self.program.op(inst)).expect("only pointwise operations are inline");
                let operands = self.program.operands(inst);
                let elem = self.program.ty(operands[0]).elem;
                let fails = may_fail(operation, elem);
                let operands = operands.iter().map(|&v| self.expression(v, nodes)).collect();
                let check = if fails { self.check(FailureKind::IntegerDivision, inst) } else { 0 };
                Node::Compute { operation, elem, operands, check }
            }
            _ => self.leaf(value),
        };
        let place = nodes.iter().position(|other| *other == node).unwrap_or_else(|| {
            nodes.push(node);
            nodes.len() - 1
        });
        place as u32
    }

    /// A value that is not computed in the nest.
    fn leaf(&mut self, value: Value) -> Node {
        match &self.forms[value] {
            Form::Memory(access) => Node::Load(access.clone()),
            Form::Elements(elements) => self.element_node(value, elements),
            Form::Index(strides) => Node::Index(strides.clone()),
            &Form::Splat(scalar) | &Form::Scalar(scalar) => match self.literal(scalar) {
                Some(literal) => Node::Constant(literal),
                None => Node::Scalar(scalar),
            },
            Form::None | Form::Inline(_) => unreachable!("{value} is not there"),
        }
    }

    // ── moving elements ─────────────────────────────────────────────────────────────────────────

    fn element(&mut self, result: Value, array: Value, index: u32) {
        let extents = self.extents(array);
        self.forms[result] = Form::Scalar(result);
        let step = match &self.forms[array] {
            Form::Memory(access) => {
                let place = access::element(&access.at, extents, index);
                Step::Load { value: result, from: Access::scalar(access.mem, place) }
            }
            Form::Index(strides) => {
                let literal = Literal::I64(access::element(strides, extents, index));
                Step::Constant { value: result, literal }
            }
            &Form::Splat(scalar) => return self.forms[result] = Form::Scalar(scalar),
            Form::Elements(elements) => return self.forms[result] = Form::Scalar(elements[index as usize]),
            Form::None | Form::Scalar(_) | Form::Inline(_) => unreachable!("{array} is not there"),
        };
        self.steps.push(step);
    }

    fn pack(&mut self, result: Value, operands: &[Value]) {
        if self.registers[result] {
            return self.pack_elements(result, operands);
        }
        let mem = self.wishes[result].expect("reserved with the wishes");
        self.settle(result, mem);
        let mut offset = 0;
        for &operand in operands {
            let len = self.program.ty(operand).shape.len();
            let in_place = self
                .memory_of(operand)
                .is_some_and(|part| self.mems[part].home == Home::Within(mem, offset) && self.owned[operand]);
            match self.forms[operand] {
                Form::Scalar(value) => {
                    self.steps.push(Step::Store { value, to: Access::scalar(mem, offset) });
                }
                // From now on it is the pack's: nothing may take it over while that is read.
                _ if in_place => self.owned[operand] = false,
                _ => {
                    let strides = access::row_major(self.extents(operand)).into();
                    self.copy(operand, Access { mem, at: Strides { offset, strides } });
                }
            }
            offset += len as i64;
        }
    }

    /// What an array of these elements is, once they are found: a scalar if it has but one.
    pub(super) fn found(&mut self, result: Value, from: Form) {
        let scalar = self.program.ty(result).is_scalar();
        self.forms[result] = match (scalar, from) {
            (true, Form::Memory(from)) => {
                self.steps.push(Step::Load { value: result, from });
                Form::Scalar(result)
            }
            (true, Form::Index(strides)) => {
                let literal = Literal::I64(strides.offset);
                self.steps.push(Step::Constant { value: result, literal });
                Form::Scalar(result)
            }
            (true, Form::Splat(value)) => Form::Scalar(value),
            (_, form) => form,
        };
    }

    fn view(&mut self, result: Value, array: Value, strides: &Strides) {
        let (shape, extents) = (self.extents(result), self.extents(array));
        let compose = |inner: &Strides| access::through(strides, shape, inner, extents);
        let form = match &self.forms[array] {
            Form::Memory(access) => {
                compose(&access.at).map(|at| Form::Memory(Access { mem: access.mem, at }))
            }
            Form::Index(inner) => compose(inner).map(Form::Index),
            &Form::Splat(value) | &Form::Scalar(value) => Some(Form::Splat(value)),
            Form::Elements(elements) if self.program.ty(result).is_scalar() || self.registers[result] => {
                let elements = elements.clone();
                return self.view_elements(result, &elements, strides);
            }
            Form::Elements(_) => None,
            Form::None | Form::Inline(_) => unreachable!("{array} is not there"),
        };
        let form = form.unwrap_or_else(|| {
            let mem = self.laid_out(array);
            let whole = Access::whole(mem, extents);
            let at = access::through(strides, shape, &whole.at, extents).expect("row-major is affine");
            Form::Memory(Access { mem, at })
        });
        self.found(result, form);
    }

    /// A row-major copy of an array, which lives as long as the array would.
    pub(super) fn laid_out(&mut self, array: Value) -> Mem {
        let mem = self.mem_like(Home::Workspace(0), array);
        self.hold(mem, self.usage[array].last);
        self.copy(array, Access::whole(mem, self.extents(array)));
        mem
    }

    /// An array in memory: where it is, or a copy.
    pub(super) fn in_memory(&mut self, array: Value) -> Access {
        if let Form::Memory(access) = &self.forms[array] {
            return access.clone();
        }
        let mem = self.laid_out(array);
        Access::whole(mem, self.extents(array))
    }

    // ── combining elements ──────────────────────────────────────────────────────────────────────

    fn spread(&mut self, result: Value, array: Value, strides: &Strides) {
        let ty = self.program.ty(result);
        let scalar = ty.is_scalar();
        if self.registers[result] && self.program.ty(array).shape.len() <= WRITTEN_OUT {
            return self.spread_elements(result, array, strides);
        }
        let mem = if scalar { self.scratch(ty.elem, 1) } else { self.destination(result) };
        self.fill(Literal::from_f64(ty.elem, 0.0), mem, 0, ty.shape.len());
        let mut nodes = Vec::new();
        self.expression(array, &mut nodes);
        let extents = self.extents(array);
        let len = ty.shape.len() as u32;
        let row_major = Strides { offset: 0, strides: [1].into() };
        let at = access::through(strides, extents, &row_major, &[len]).expect("row-major is affine");
        self.add(extents, nodes, Access { mem, at });
        if scalar {
            self.found(result, Form::Memory(Access::scalar(mem, 0)));
        }
    }

    pub(super) fn add(&mut self, extents: &[u32], nodes: Vec<Node>, to: Access) {
        let to = To::Memory(to);
        self.nest(Nest { extents: extents.to_vec(), reduced: 0, nodes, sink: Sink::Add, to, wide: None });
    }

    fn reduce(&mut self, result: Value, array: Value, reduction: Reduction) {
        let mut nodes = Vec::new();
        self.expression(array, &mut nodes);
        self.reduce_nodes(result, self.extents(array), nodes, reduction);
    }

    /// `result` has the first of `extents`; along the others elements are combined.
    fn reduce_nodes(&mut self, result: Value, extents: &[u32], nodes: Vec<Node>, reduction: Reduction) {
        let kept = self.extents(result);
        let reduced = extents.len() - kept.len();
        let to = if kept.is_empty() {
            self.forms[result] = Form::Scalar(result);
            To::Scalar(result)
        } else if self.registers[result] && access::count(extents) <= WRITTEN_OUT {
            self.reduced_elements(result, extents)
        } else {
            let mem = self.destination(result);
            let mut strides = access::row_major(kept);
            strides.resize(extents.len(), 0);
            To::Memory(Access { mem, at: Strides { offset: 0, strides: strides.into() } })
        };
        self.nest(Nest {
            extents: extents.to_vec(),
            reduced,
            nodes,
            sink: Sink::Reduce(reduction),
            to,
            wide: None,
        });
    }

    fn dot(&mut self, result: Value, operands: &[Value]) {
        let [a, b] = [0, 1].map(|i| self.extents(operands[i]));
        let extents = [a[0], a[1], b[2], a[2]];
        // The axes of `[b, m, n, k]` of which each operand has strides.
        let axes = [[Some(0), Some(1), None, Some(2)], [Some(0), None, Some(2), Some(1)]];
        let mut nodes: Vec<Node> = Vec::new();
        for (&operand, axes) in operands.iter().zip(axes) {
            let mut node = self.leaf(operand);
            if access::count(&extents) > WRITTEN_OUT && matches!(node, Node::Element(..)) {
                node = Node::Load(self.in_memory(operand));
            }
            if let Node::Load(Access { at, .. }) | Node::Element(_, at) | Node::Index(at) = &mut node {
                at.strides = axes.iter().map(|axis| axis.map_or(0, |axis: usize| at.strides[axis])).collect();
            }
            nodes.push(node);
        }
        let elem = self.program.ty(result).elem;
        let operation = Operation::Prim(Prim::Mul);
        nodes.push(Node::Compute { operation, elem, operands: vec![0, 1], check: 0 });
        self.reduce_nodes(result, &extents, nodes, Reduction::Sum);
    }
}

/// The memories that an expression reads.
pub(super) fn loads(nodes: &[Node]) -> impl Iterator<Item = Mem> {
    nodes.iter().filter_map(|node| match node {
        Node::Load(access) => Some(access.mem),
        Node::Element(..) | Node::Scalar(_) | Node::Constant(_) | Node::Index(_) | Node::Compute { .. } => {
            None
        }
    })
}
