//! Reductions: the elements of a nest combined along its last axes.
//!
//! Sums and products go in lanes and segments (Note \[Summation\] of `evolute_ir`'s `summation`). A lane starts from what
//! changes no term, so a lane without terms is left out of the tree, and the first term of a lane is the
//! lane.

use super::Lowering;
use super::address::{Across, Place};
use super::nest::Places;
use crate::inline;
use crate::plan::{Nest, WideNest, count, node_elem};
use crate::scalars::Operation;
use crate::wide;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{self, InstBuilder, StackSlotData, StackSlotKind, types};
use evolute_ir::{Elem, LANES, Literal, Prim, REDUCED, Reduction};

/// The most nodes of an expression of which each lane has its copy.
const HEAVIEST: usize = 24;

impl Lowering<'_, '_, '_> {
    /// The elements at `places` combined along the last axes.
    pub(super) fn reduce(&mut self, nest: &Nest, reduction: Reduction, places: &Places) -> ir::Value {
        let elem = node_elem(&nest.nodes, nest.nodes.len() - 1, &self.plan.mems, &self.plan.elems);
        let first = nest.extents.len() - nest.reduced;
        let terms = count(&nest.extents[first..]);
        let start = Start { elem, reduction };
        match reduction {
            _ if terms == 0 => self.literal(start.of_none()),
            Reduction::Sum | Reduction::Prod if nest.is_written_out() => {
                let mut lanes = ([None; LANES], 0);
                self.add_written_out(nest, start, first, places, &mut lanes);
                self.tree(reduction, lanes.0)
            }
            Reduction::Sum | Reduction::Prod => match nest.reduced <= 1 && nest.nodes.len() <= HEAVIEST {
                true => self.sum_in_registers(nest, start, first, places),
                false => self.sum_in_memory(nest, start, first, places),
            },
            Reduction::Max | Reduction::Min => {
                let best = self.literal(start.of_lane());
                self.fold(nest, start, first, places, &[best])[0]
            }
            Reduction::ArgMax | Reduction::ArgMin => {
                let best = self.literal(start.of_lane());
                let zero = self.ins().iconst(types::I64, 0);
                self.fold(nest, start, first, places, &[best, zero, zero])[1]
            }
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

    fn sum_in_registers(&mut self, nest: &Nest, start: Start, axis: usize, places: &Places) -> ir::Value {
        let terms = count(&nest.extents[axis..]);
        let (segments, rest) = (terms / REDUCED, terms % REDUCED);
        if terms <= REDUCED {
            return self.segment(nest, start, axis, places, terms);
        }
        let nothing = self.literal(start.of_lane());
        let sum = self.repeat(segments as i64, &[nothing], |lowering, number, sum| {
            let places = lowering.at_index(nest, axis, places, number, REDUCED as i64);
            let next = lowering.segment(nest, start, axis, &places, REDUCED);
            vec![lowering.combined(start.reduction, sum[0], next)]
        })[0];
        if rest == 0 {
            return sum;
        }
        let places = self.at_constant(nest, axis, places, (segments * REDUCED) as i64);
        let last = self.segment(nest, start, axis, &places, rest);
        self.combined(start.reduction, sum, last)
    }

    /// So many terms in lanes.
    fn segment(
        &mut self,
        nest: &Nest,
        start: Start,
        axis: usize,
        places: &Places,
        terms: usize,
    ) -> ir::Value {
        let rounds = terms / LANES;
        if nest.wide == Some(WideNest::Reduced) && self.wide.is_none() && rounds > 1 {
            return self.segment_of_pairs(nest, start, axis, places, terms);
        }
        let mut lanes = [None; LANES];
        if rounds > 1 {
            let nothing = self.literal(start.of_lane());
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
        self.tree(start.reduction, lanes)
    }

    /// So many terms in lanes, two lanes at once.
    fn segment_of_pairs(
        &mut self,
        nest: &Nest,
        start: Start,
        axis: usize,
        places: &Places,
        terms: usize,
    ) -> ir::Value {
        let nothing = self.emitter.wide_constant(start.of_lane());
        let rounds = terms / LANES;
        let pairs = self.repeat(rounds as i64, &[nothing; LANES / wide::LANES], |lowering, round, pairs| {
            let places = lowering.at_index(nest, axis, places, round, LANES as i64);
            let add = |(pair, &sum): (usize, &ir::Value)| {
                let places = lowering.at_constant(nest, axis, &places, (pair * wide::LANES) as i64);
                let places = lowering.of_pair(nest, axis, &places);
                let term = lowering.at_once(0..0, |lowering| lowering.term(nest, &places));
                lowering.combined(start.reduction, sum, term)
            };
            pairs.iter().enumerate().map(add).collect()
        });
        if terms.is_multiple_of(LANES) {
            return self.tree_of_pairs(start.reduction, [pairs[0], pairs[1], pairs[2], pairs[3]]);
        }
        let mut lanes: [Option<ir::Value>; LANES] = std::array::from_fn(|lane| {
            Some(self.emitter.lane(pairs[lane / wide::LANES], lane % wide::LANES))
        });
        for number in rounds * LANES..terms {
            let places = self.at_constant(nest, axis, places, number as i64);
            let term = self.term(nest, &places);
            let lane = &mut lanes[number % LANES];
            *lane = lane.map(|sum| self.combined(start.reduction, sum, term));
        }
        self.tree(start.reduction, lanes)
    }

    /// The lanes added in their tree, two at once as long as there are more.
    fn tree_of_pairs(&mut self, reduction: Reduction, [a, b, c, d]: [ir::Value; 4]) -> ir::Value {
        let [ac, bd] = [(a, c), (b, d)].map(|(x, y)| self.combined(reduction, x, y));
        let both = self.combined(reduction, ac, bd);
        let [first, second] = [0, 1].map(|lane| self.emitter.lane(both, lane));
        self.combined(reduction, first, second)
    }

    /// The terms from `axis` on, one by one. Counted are those before.
    fn add_written_out(
        &mut self,
        nest: &Nest,
        start: Start,
        axis: usize,
        places: &Places,
        lanes: &mut ([Option<ir::Value>; LANES], usize),
    ) {
        if axis < nest.extents.len() {
            for index in 0..i64::from(nest.extents[axis]) {
                let places = self.at_constant(nest, axis, places, index);
                self.add_written_out(nest, start, axis + 1, &places, lanes);
            }
            return;
        }
        let term = self.term(nest, places);
        let (lanes, number) = lanes;
        let lane = &mut lanes[*number % LANES];
        *lane = Some(lane.map_or(term, |sum| self.combined(start.reduction, sum, term)));
        *number += 1;
    }

    fn sum_in_memory(&mut self, nest: &Nest, start: Start, first: usize, places: &Places) -> ir::Value {
        let slot = *self.lanes.get_or_insert_with(|| {
            let data = StackSlotData::new(StackSlotKind::ExplicitSlot, (LANES * wide::LANES * 8) as u32, 4);
            self.emitter.builder.create_sized_stack_slot(data)
        });
        self.clear_lanes(start, slot);
        let zero = self.ins().iconst(types::I64, 0);
        let nothing = self.literal(start.of_lane());
        let segmented = count(&nest.extents[first..]) > REDUCED;
        let carried = if segmented { vec![zero, nothing] } else { vec![zero] };
        let sums = self.add_to_lanes(nest, start, first, places, &carried);
        let last = self.lanes_of(start, slot);
        sums.get(1).map_or(last, |&sum| self.combined(start.reduction, sum, last))
    }

    fn clear_lanes(&mut self, start: Start, slot: ir::StackSlot) {
        let nothing = self.literal(start.of_lane());
        let (base, step) = self.lane_places(start, slot);
        for lane in 0..LANES as i64 {
            self.store(nothing, base.plus(lane * step));
        }
    }

    fn lanes_of(&mut self, start: Start, slot: ir::StackSlot) -> ir::Value {
        let (base, step) = self.lane_places(start, slot);
        let lanes = std::array::from_fn(|lane| Some(self.load(start.elem, base.plus(lane as i64 * step))));
        self.tree(start.reduction, lanes)
    }

    /// The place of the first lane, and the distance of the others.
    fn lane_places(&mut self, start: Start, slot: ir::StackSlot) -> (Place, i64) {
        let base = Place::at(self.ins().stack_addr(types::I64, slot, 0));
        match (&self.wide, start.elem) {
            (Some(_), Elem::F64) => (base.across(Across::Step(8)), 8 * wide::LANES as i64),
            (Some(_) | None, _) => (base, 8),
        }
    }

    /// The loops from `axis` on. Carried are the number of the next term and, if there are segments, the sum of those
    /// before the one at hand.
    fn add_to_lanes(
        &mut self,
        nest: &Nest,
        start: Start,
        axis: usize,
        places: &Places,
        carried: &[ir::Value],
    ) -> Vec<ir::Value> {
        if axis < nest.extents.len() {
            let extent = i64::from(nest.extents[axis]);
            return self.repeat(extent, carried, |lowering, index, carried| {
                let places = lowering.at_index(nest, axis, places, index, 1);
                lowering.add_to_lanes(nest, start, axis + 1, &places, carried)
            });
        }
        let term = self.term(nest, places);
        let slot = self.lanes.expect("made before");
        let (base, step) = self.lane_places(start, slot);
        let lane = self.ins().band_imm_u(carried[0], LANES as i64 - 1);
        let place = self.stepped(base, lane, step);
        let sum = self.load(start.elem, place);
        let sum = self.combined(start.reduction, sum, term);
        self.store(sum, place);
        let next = self.ins().iadd_imm_s(carried[0], 1);
        match carried.get(1) {
            None => vec![next],
            Some(&before) => vec![next, self.after_term(start, slot, next, before)],
        }
    }

    /// The sum of the segments that are complete before term `next`, of which `before` were before the last one.
    fn after_term(
        &mut self,
        start: Start,
        slot: ir::StackSlot,
        next: ir::Value,
        before: ir::Value,
    ) -> ir::Value {
        let [end, done] = [0, 1].map(|_| self.emitter.builder.create_block());
        let ty = self.emitter.value_type(before);
        let sum = self.emitter.builder.append_block_param(done, ty);
        let inside = self.ins().band_imm_u(next, REDUCED as i64 - 1);
        self.ins().brif(inside, done, &[before.into()], end, &[]);
        self.emitter.builder.switch_to_block(end);
        let segment = self.lanes_of(start, slot);
        let complete = self.combined(start.reduction, before, segment);
        self.clear_lanes(start, slot);
        self.ins().jump(done, &[complete.into()]);
        self.emitter.builder.switch_to_block(done);
        sum
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
        if nest.is_written_out() {
            return (0..extent).fold(carried.to_vec(), |carried, index| {
                let places = self.at_constant(nest, axis, places, index);
                self.fold(nest, start, axis + 1, &places, &carried)
            });
        }
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
