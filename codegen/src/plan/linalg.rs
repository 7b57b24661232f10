//! Planning dense linear algebra: calls of a library, on memories that are planned as all others.
//!
//! Operands lie row-major; what does not is copied. Scratch memory belongs to the step alone. Of a factorisation, what is
//! a part of it is a view.

use super::region::Planner;
use super::{Access, Form, Library, Step, access};
use evolute_ir::linalg::Run;
use evolute_ir::{Elem, Linalg, Strides, Value};
use evolute_kernels::Dense;

impl Planner<'_> {
    pub(super) fn linalg(&mut self, result: Value, linalg: Linalg, operands: &[Value]) {
        let read = &operands[linalg.read()];
        match linalg.run() {
            Run::Library(function) => self.library(result, function, read),
            Run::FirstRows => self.part_of_factorisation(result, read[0], 0),
            Run::LastRows => {
                let [all, part] = [read[0], result].map(|v| self.program.ty(v).shape.len());
                self.part_of_factorisation(result, read[0], (all - part) as i64);
            }
        }
    }

    fn library(&mut self, result: Value, function: Dense, operands: &[Value]) {
        let extents = match *self.extents(operands[operands.len() - 1]) {
            [m, n] => [m as usize, n as usize],
            _ => unreachable!("the builder checked the operands"),
        };
        let operands = operands.iter().map(|&operand| self.row_major(operand)).collect();
        let scalar = self.program.ty(result).is_scalar();
        let to = if scalar { self.scratch(Elem::F64, 1) } else { self.destination(result) };
        let scratch = self.scratch(Elem::F64, function.scratch_len(extents));
        self.steps.push(Step::Library(Library { function, operands, to, scratch, extents }));
        if scalar {
            self.found(result, Form::Memory(Access::scalar(to, 0)));
        }
    }

    /// An array as one stretch of memory: where it is, or a copy.
    fn row_major(&mut self, array: Value) -> Access {
        let extents = self.extents(array);
        let access = self.in_memory(array);
        if access::is_row_major(&access.at.strides, extents) {
            return access;
        }
        let mem = self.laid_out(array);
        Access::whole(mem, extents)
    }

    fn part_of_factorisation(&mut self, result: Value, factorisation: Value, offset: i64) {
        let mem = self.row_major(factorisation);
        let extents = self.extents(result);
        let at = Strides { offset: mem.at.offset + offset, strides: access::row_major(extents).into() };
        self.forms[result] = Form::Memory(Access { mem: mem.mem, at });
    }
}
