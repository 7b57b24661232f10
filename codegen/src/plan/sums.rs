//! Planning the sums of loops.
//!
//! A sum in one lane and one segment is added to where it lies: a scalar in a register, an array in the memory of
//! its initial value. Else it has memory for what the segment at hand has summed, and what the segments before have;
//! threads would each have their own. See Note \[Summation\] of `evolute_ir`'s `summation`.

use super::looping::{Draft, Line, Parts};
use super::memory::Home;
use super::region::Planner;
use super::{Access, Form, LaneKind, Lanes, Step, access};
use evolute_ir::{LANES, Literal, LoopSpec, Strides, SumOrder};

impl Planner<'_> {
    pub(super) fn start_sums(&mut self, spec: LoopSpec, parts: &Parts<'_>, draft: &mut Draft) {
        for &line in &parts.sums {
            let ty = self.program.ty(line.param);
            let order = spec.order(ty.shape.len());
            match (ty.is_scalar(), order.lanes, order.segment) {
                (true, 1, _) => {
                    self.forms[line.param] = Form::Scalar(line.param);
                    draft.scalars.push(line);
                }
                (false, 1, segment) => {
                    let read = self.other_memories(parts.operands, line.initial);
                    let to = self.replaced(line.initial, line.result, &read);
                    let mem =
                        if segment.is_some() { self.start_segments(order, line, to, draft) } else { to };
                    self.lend(line.param, mem);
                    draft.accumulated.push((line.next, mem));
                }
                (scalar, ..) => self.start_lanes(order, line, scalar, parts, draft),
            }
        }
    }

    /// The first segment adds to the sum itself, the others in turn to a memory beside it.
    fn start_segments(
        &mut self,
        order: SumOrder,
        line: Line,
        to: super::Mem,
        draft: &mut Draft,
    ) -> super::Mem {
        let ty = self.program.ty(line.param);
        let elements = ty.shape.len();
        let all = self.scratch(ty.elem, elements);
        let lane = self.mem_like(Home::Either, line.param);
        let to = LaneKind::Array { to };
        draft.lanes.push(Lanes { order, all, lane, before: None, elements, to });
        lane
    }

    /// Lane 0 starts from the initial value, the others from nothing. The lanes of an element lie side by side.
    fn start_lanes(
        &mut self,
        order: SumOrder,
        line: Line,
        scalar: bool,
        parts: &Parts<'_>,
        draft: &mut Draft,
    ) {
        let ty = self.program.ty(line.param);
        let (elem, elements) = (ty.elem, ty.shape.len());
        let nothing = Literal::from_f64(elem, -0.0);
        let all = self.scratch(elem, LANES * elements);
        let lane = self.mem(Home::Moving(all), elem, elements);
        self.mems[lane].spacing = LANES;
        self.fill(nothing, all, 0, LANES * elements);
        let before = order.segment.map(|_| self.scratch(elem, elements));
        if let Some(before) = before {
            self.fill(nothing, before, 0, elements);
        }
        let to = if scalar {
            let value = self.scalar(line.initial);
            self.steps.push(Step::Store { value, to: Access::scalar(all, 0) });
            self.forms[line.param] = Form::Scalar(line.param);
            self.forms[line.result] = Form::Scalar(line.result);
            draft.entering.push(Step::Load { value: line.param, from: Access::scalar(lane, 0) });
            LaneKind::Scalar(line.result)
        } else {
            let apart =
                access::row_major(self.extents(line.param)).iter().map(|step| step * LANES as i64).collect();
            self.copy(line.initial, Access { mem: all, at: Strides { offset: 0, strides: apart } });
            let read = self.other_memories(parts.operands, line.initial);
            let to = self.take_over(line.initial, &read).inspect(|&mem| self.settle(line.result, mem));
            self.lend(line.param, lane);
            LaneKind::Array { to: to.unwrap_or_else(|| self.destination(line.result)) }
        };
        draft.accumulated.push((line.next, lane));
        draft.lanes.push(Lanes { order, all, lane, before, elements, to });
    }
}
