//! Planning what is read and added to at computed indices.

use super::arrays::loads;
use super::memory::{Home, Mem};
use super::region::Planner;
use super::{Access, Form, Step, access};
use crate::scalars::Operation;
use evolute_ir::{Elem, FailureKind, Inst, Prim, Strides, Value};

impl Planner<'_> {
    /// Checks indices of the first axes of an array that are not known to be in range; gives the scalars that they are.
    fn check_indices(&mut self, inst: Inst, extents: &[u32], indices: &[Value]) -> Vec<Value> {
        let unknown = indices.iter().zip(extents).filter(|&(&v, &extent)| !self.bounds.is_below(v, extent));
        let checked: Vec<(Value, u32)> = unknown.map(|(&v, &extent)| (self.scalar(v), extent)).collect();
        if !checked.is_empty() {
            let check = self.check(FailureKind::index_of(self.program.op(inst)), inst);
            self.steps.push(Step::Check { indices: checked, check });
        }
        indices.iter().map(|&v| self.scalar(v)).collect()
    }

    pub(super) fn at(&mut self, inst: Inst, result: Value, operands: &[Value]) {
        let array = operands[0];
        let indices = self.check_indices(inst, self.extents(array), &operands[1..]);
        let scalar = self.program.ty(result).is_scalar();
        match &self.forms[array] {
            &Form::Splat(value) => self.found(result, Form::Splat(value)),
            Form::Index(strides) if scalar => {
                let terms = indices.into_iter().zip(strides.strides.iter().copied()).collect();
                self.steps.push(Step::Affine { value: result, offset: strides.offset, terms });
                self.forms[result] = Form::Scalar(result);
            }
            _ => {
                let Access { mem, at } = self.in_memory(array);
                let (leading, rest) = at.strides.split_at(indices.len());
                let terms = indices.into_iter().zip(leading.iter().copied()).collect();
                let part = self.part(mem, at.offset, terms, self.program.ty(result).elem, result);
                let at = Strides { offset: 0, strides: rest.into() };
                self.found(result, Form::Memory(Access { mem: part, at }));
            }
        }
    }

    fn part(&mut self, of: Mem, offset: i64, terms: Vec<(Value, i64)>, elem: Elem, like: Value) -> Mem {
        let len = self.program.ty(like).shape.len();
        let mem = self.mem(Home::Moving(of), elem, len);
        self.steps.push(Step::Part { mem, of, offset, terms });
        mem
    }

    pub(super) fn add_at(&mut self, inst: Inst, result: Value, operands: &[Value]) {
        let (array, term) = (operands[0], operands[1]);
        let ty = self.program.ty(result);
        if ty.is_scalar() {
            let operands = operands[..2].iter().map(|&v| self.scalar(v)).collect();
            self.forms[result] = Form::Scalar(result);
            let operation = Operation::Prim(Prim::Add);
            return self.steps.push(Step::Compute { value: result, operation, operands, check: 0 });
        }
        let extents = self.extents(array);
        let indices = self.check_indices(inst, extents, &operands[2..]);
        let mut nodes = Vec::new();
        self.expression(term, &mut nodes);
        let read: Vec<Mem> = loads(&nodes).collect();
        let mem = self.replaced(array, result, &read);
        let leading = access::row_major(extents);
        let terms: Vec<(Value, i64)> = indices.into_iter().zip(leading).collect();
        let part = if terms.is_empty() { mem } else { self.part(mem, 0, terms, ty.elem, term) };
        let extents = self.extents(term);
        self.add(extents, nodes, Access::whole(part, extents));
    }

    /// The memory of `array`, taken over by `result`; if that cannot be, a copy.
    pub(super) fn replaced(&mut self, array: Value, result: Value, read: &[Mem]) -> Mem {
        if let Some(mem) = self.take_over(array, read) {
            self.settle(result, mem);
            return mem;
        }
        let mem = self.destination(result);
        self.copy(array, Access::whole(mem, self.extents(array)));
        mem
    }
}
