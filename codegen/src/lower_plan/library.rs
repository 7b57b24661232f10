//! Calls of the kernels' block forms, and of the library for dense linear algebra.

use super::Lowering;
use crate::lower::{FRAME, READ_ONLY};
use crate::plan::{KernelCall, Library};
use crate::wide;
use cranelift_codegen::ir::{self, AbiParam, InstBuilder, Signature, types};
use evolute_kernels::Table;

/// The addresses of two operands, of the result and of scratch memory; two extents; which function.
const PARAMS: usize = 7;

impl Lowering<'_, '_, '_> {
    pub(super) fn kernel(&mut self, call: &KernelCall) {
        let [from, to] = [&call.from, &call.to].map(|access| {
            let place = self.access(access);
            self.address(place)
        });
        let lanes = if self.is_private(call.to.mem) { wide::LANES } else { 1 };
        let [kernel, len] = [call.kernel as usize, call.len * lanes]
            .map(|number| self.ins().iconst(types::I64, number as i64));
        let table = self.emitter.field(FRAME.kernels);
        self.call_table(Table::BLOCK, &[table, kernel, from, to, len]);
    }

    pub(super) fn library(&mut self, library: &Library) {
        let Library { function, operands, to, scratch, extents } = library;
        let mut places = Vec::with_capacity(PARAMS);
        for access in operands {
            places.push(self.access(access));
        }
        // A function of one operand does not look at the second.
        places.resize(2, places[0]);
        places.push(self.place(*to));
        places.push(self.place(*scratch));
        let mut args: Vec<_> = places.into_iter().map(|place| self.address(place)).collect();
        for number in [extents[0], extents[1], *function as usize] {
            args.push(self.ins().iconst(types::I64, number as i64));
        }
        self.call_table(Table::DENSE, &args);
    }

    /// Calls an entry of the kernels' table that takes words and gives nothing.
    pub(super) fn call_table(&mut self, entry: usize, args: &[ir::Value]) {
        let mut signature = Signature::new(self.emitter.builder.func.signature.call_conv);
        signature.params.extend(args.iter().map(|_| AbiParam::new(types::I64)));
        let signature = self.emitter.builder.import_signature(signature);
        let table = self.emitter.field(FRAME.kernels);
        let entry = self.ins().load(types::I64, READ_ONLY, table, entry as i32 * 8);
        self.ins().call_indirect(signature, entry, args);
    }
}
