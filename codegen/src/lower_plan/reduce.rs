//! Reductions: the elements of a nest combined along its last axes.
//!
//! Sums and products go in lanes (Note \[Summation\] of `evolute_ir`'s `structure`). A lane starts from what
//! changes no term, so a lane without terms is left out of the tree, and the first term of a lane is the
//! lane.

use super::Lowering;
use super::nest::Places;
use crate::emitter::clif_type;
use crate::inline;
use crate::plan::{Nest, Node, count};
use crate::scalars::Operation;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{self, InstBuilder, StackSlotData, StackSlotKind, types};
use evolute_ir::{Elem, LANES, Literal, Prim, Reduction};

/// The most nodes of an expression of which each lane has its copy.
const HEAVIEST: usize = 24;

impl Lowering<'_, '_, '_> {
    /// The elements at `places` combined along the last axes.
    pub(super) fn reduce(&mut self, nest: &Nest, reduction: Reduction, places: &Places) -> ir::Value {
        let elem = self.node_elem(nest, nest.nodes.len() - 1);
        let first = nest.extents.len() - nest.reduced;
        let terms = count(&nest.extents[first..]);
        let start = Start { elem, reduction };
        match reduction {
            _ if terms == 0 => self.emitter.constant(start.of_none()),
            Reduction::Sum | Reduction::Prod => {
                let one_axis = nest.reduced <= 1 && nest.nodes.len() <= HEAVIEST;
                let lanes = match one_axis {
                    true => self.lanes_in_registers(nest, start, first, places),
                    false => self.lanes_in_memory(nest, start, first, places),
                };
                self.tree(reduction, lanes)
            }
            Reduction::Max | Reduction::Min => {
                let best = self.emitter.constant(start.of_lane());
                self.fold(nest, start, first, places, &[best])[0]
            }
            Reduction::ArgMax | Reduction::ArgMin => {
                let best = self.emitter.constant(start.of_lane());
                let zero = self.ins().iconst(types::I64, 0);
                self.fold(nest, start, first, places, &[best, zero, zero])[1]
            }
        }
    }

    /// The kind of the elements that a node of a nest gives.
    fn node_elem(&self, nest: &Nest, node: usize) -> Elem {
        match &nest.nodes[node] {
            Node::Load(access) => self.plan.mems[access.mem].elem,
            &Node::Scalar(value) => self.plan.elems[value],
            Node::Constant(literal) => literal.elem(),
            Node::Index(_) => Elem::I64,
            Node::Compute { operation, elem, operands, .. } => match operation {
                Operation::Prim(prim) => prim.result().fixed().unwrap_or(*elem),
                Operation::Cast(elem) => *elem,
                Operation::Select => self.node_elem(nest, operands[1] as usize),
            },
        }
    }

    fn combined(&mut self, reduction: Reduction, a: ir::Value, b: ir::Value) -> ir::Value {
        let prim = match reduction {
            Reduction::Sum => Prim::Add,
            Reduction::Prod => Prim::Mul,
            Reduction::Max | Reduction::ArgMax => Prim::Max,
            Reduction::Min | Reduction::ArgMin => Prim::Min,
        };
        let elem = self.elem(a);
        self.emitter.operation(Operation::Prim(prim), elem, 0, &[a, b])
    }

    /// The lanes added in their tree.
    pub(super) fn tree(&mut self, reduction: Reduction, mut lanes: [Option<ir::Value>; LANES]) -> ir::Value {
        for width in [4, 2, 1] {
            for lane in 0..width {
                lanes[lane] = match (lanes[lane], lanes[lane + width]) {
                    (Some(a), Some(b)) => Some(self.combined(reduction, a, b)),
                    (a, b) => a.or(b),
                };
            }
        }
        lanes[0].expect("there is a term")
    }

    // ── lanes ───────────────────────────────────────────────────────────────────────────────────

    fn lanes_in_registers(
        &mut self,
        nest: &Nest,
        start: Start,
        axis: usize,
        places: &Places,
    ) -> [Option<ir::Value>; LANES] {
        let terms = count(&nest.extents[axis..]);
        let mut lanes = [None; LANES];
        let rounds = terms / LANES;
        if rounds > 1 {
            let nothing = self.emitter.constant(start.of_lane());
            let sums = self.repeat(rounds as i64, &[nothing; LANES], |lowering, round, lanes| {
                let places = lowering.at_index(nest, axis, places, round, LANES as i64);
                let add = |(lane, &sum): (usize, &ir::Value)| {
                    let places = lowering.at_constant(nest, axis, &places, lane as i64);
                    let term = lowering.term(nest, &places);
                    lowering.combined(start.reduction, sum, term)
                };
                lanes.iter().enumerate().map(add).collect()
            });
            lanes = std::array::from_fn(|lane| Some(sums[lane]));
        }
        let done = if rounds > 1 { rounds * LANES } else { 0 };
        for number in done..terms {
            let places = match nest.reduced {
                0 => places.clone(),
                _ => self.at_constant(nest, axis, places, number as i64),
            };
            let term = self.term(nest, &places);
            let lane = &mut lanes[number % LANES];
            *lane = Some(match *lane {
                Some(sum) => self.combined(start.reduction, sum, term),
                None => term,
            });
        }
        lanes
    }

    fn lanes_in_memory(
        &mut self,
        nest: &Nest,
        start: Start,
        first: usize,
        places: &Places,
    ) -> [Option<ir::Value>; LANES] {
        let slot = *self.lanes.get_or_insert_with(|| {
            let data = StackSlotData::new(StackSlotKind::ExplicitSlot, LANES as u32 * 8, 3);
            self.emitter.builder.create_sized_stack_slot(data)
        });
        let nothing = self.emitter.constant(start.of_lane());
        for lane in 0..LANES {
            self.ins().stack_store(types::I64, nothing, slot, lane as i32 * 8);
        }
        let zero = self.ins().iconst(types::I64, 0);
        self.add_to_lanes(nest, start, first, places, zero);
        let ty = clif_type(start.elem);
        std::array::from_fn(|lane| Some(self.ins().stack_load(types::I64, ty, slot, lane as i32 * 8)))
    }

    /// The loops from `axis` on; `number` is that of the next term. Returns the number after the last.
    fn add_to_lanes(
        &mut self,
        nest: &Nest,
        start: Start,
        axis: usize,
        places: &Places,
        number: ir::Value,
    ) -> ir::Value {
        if axis == nest.extents.len() {
            let term = self.term(nest, places);
            let slot = self.lanes.expect("made before");
            let base = self.ins().stack_addr(types::I64, slot, 0);
            let lane = self.ins().band_imm_u(number, LANES as i64 - 1);
            let place = self.stepped(super::Place::at(base), lane, 8);
            let sum = self.load(start.elem, place);
            let sum = self.combined(start.reduction, sum, term);
            self.store(sum, place);
            return self.ins().iadd_imm_s(number, 1);
        }
        let extent = i64::from(nest.extents[axis]);
        self.repeat(extent, &[number], |lowering, index, carried| {
            let places = lowering.at_index(nest, axis, places, index, 1);
            vec![lowering.add_to_lanes(nest, start, axis + 1, &places, carried[0])]
        })[0]
    }

    // ── extremes ────────────────────────────────────────────────────────────────────────────────

    /// The loops from `axis` on. Carried is the best so far, and for its place that and the next number.
    fn fold(
        &mut self,
        nest: &Nest,
        start: Start,
        axis: usize,
        places: &Places,
        carried: &[ir::Value],
    ) -> Vec<ir::Value> {
        if axis == nest.extents.len() {
            let term = self.term(nest, places);
            return match *carried {
                [best, place, number] => {
                    let better = self.better(start, best, term);
                    let best = inline::select(&mut self.emitter, better, term, best);
                    let place = self.ins().select(better, number, place);
                    vec![best, place, self.ins().iadd_imm_s(number, 1)]
                }
                _ => vec![self.combined(start.reduction, carried[0], term)],
            };
        }
        let extent = i64::from(nest.extents[axis]);
        self.repeat(extent, carried, |lowering, index, carried| {
            let places = lowering.at_index(nest, axis, places, index, 1);
            lowering.fold(nest, start, axis + 1, &places, carried)
        })
    }

    /// Whether `term` is better than the best so far: beyond it, or a NaN where that is none.
    fn better(&mut self, start: Start, best: ir::Value, term: ir::Value) -> ir::Value {
        let largest = start.reduction == Reduction::ArgMax;
        if start.elem == Elem::I64 {
            let code = if largest { IntCC::SignedGreaterThan } else { IntCC::SignedLessThan };
            return self.ins().icmp(code, term, best);
        }
        let code = if largest { FloatCC::GreaterThan } else { FloatCC::LessThan };
        let beyond = self.ins().fcmp(code, term, best);
        let is_nan = self.ins().fcmp(FloatCC::Unordered, term, term);
        let was_number = self.ins().fcmp(FloatCC::Ordered, best, best);
        let first_nan = self.ins().band(is_nan, was_number);
        self.ins().bor(beyond, first_nan)
    }
}

/// What a reduction of elements of a kind starts from.
#[derive(Clone, Copy)]
struct Start {
    elem: Elem,
    reduction: Reduction,
}

impl Start {
    /// What changes no term.
    fn of_lane(self) -> Literal {
        let real = |x: f64| Literal::from_f64(self.elem, x);
        match (self.reduction, self.elem) {
            (Reduction::Sum, _) => real(-0.0),
            (Reduction::Prod, _) => real(1.0),
            (Reduction::Max | Reduction::ArgMax, Elem::I64) => Literal::I64(i64::MIN),
            (Reduction::Min | Reduction::ArgMin, Elem::I64) => Literal::I64(i64::MAX),
            (Reduction::Max | Reduction::ArgMax, _) => real(f64::NEG_INFINITY),
            (Reduction::Min | Reduction::ArgMin, _) => real(f64::INFINITY),
        }
    }

    /// The result of no elements.
    fn of_none(self) -> Literal {
        match self.reduction {
            Reduction::Sum => Literal::from_f64(self.elem, 0.0),
            Reduction::Prod | Reduction::Max | Reduction::Min | Reduction::ArgMax | Reduction::ArgMin => {
                self.of_lane()
            }
        }
    }
}
