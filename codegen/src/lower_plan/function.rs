//! Calls of the program's functions, each with a frame of its own on the stack.

use super::Lowering;
use crate::lower::{self, FRAME, READ_ONLY};
use crate::plan::{Access, FunctionCall};
use cranelift_codegen::ir::{self, InstBuilder, StackSlotData, StackSlotKind, types};

const WORD: i32 = size_of::<u64>() as i32;

/// The size of a frame; behind it stand the addresses of arguments and results.
const FRAME_BYTES: i32 = FRAME.fields as i32 * WORD;

/// The fields that a function has in common with its caller.
const SHARED: [i32; 6] =
    [FRAME.kernels, FRAME.constants, FRAME.pieces, FRAME.external, FRAME.externals, FRAME.panicked];

impl<'p> Lowering<'_, '_, 'p> {
    /// Calls a function, and leaves with its status if that is not 0.
    pub(super) fn function(&mut self, call: &'p FunctionCall) {
        let slot = self.frame_slot();
        let outputs = FRAME_BYTES + call.operands.len() as i32 * WORD;
        for (place, access) in
            (FRAME_BYTES..).step_by(WORD as usize).zip(call.operands.iter().chain(&call.results))
        {
            let address = self.address_of(access);
            self.ins().stack_store(types::I64, address, slot, place);
        }
        for (field, place) in [(FRAME.inputs, FRAME_BYTES), (FRAME.outputs, outputs)] {
            let table = self.ins().stack_addr(types::I64, slot, place);
            self.ins().stack_store(types::I64, table, slot, field);
        }
        for field in SHARED {
            let shared = self.emitter.field(field);
            self.ins().stack_store(types::I64, shared, slot, field);
        }
        let workspace = match &call.workspace {
            Some(access) => self.address_of(access),
            None => self.emitter.field(FRAME.workspace),
        };
        self.ins().stack_store(types::I64, workspace, slot, FRAME.workspace);
        let frame = self.ins().stack_addr(types::I64, slot, 0);
        call.entries.clone().for_each(|entry| self.call(entry, frame));
    }

    fn address_of(&mut self, access: &'p Access) -> ir::Value {
        let place = self.access(access);
        self.address(place)
    }

    /// Calls a machine function, and leaves with its status if that is not 0.
    pub(super) fn call(&mut self, number: u32, frame: ir::Value) {
        let signature = *self.signature.get_or_insert_with(|| {
            let call_conv = self.emitter.builder.func.signature.call_conv;
            self.emitter.builder.import_signature(lower::signature(call_conv))
        });
        let table = self.emitter.field(FRAME.pieces);
        let address = self.ins().load(types::I64, READ_ONLY, table, number as i32 * WORD);
        let call = self.ins().call_indirect(signature, address, &[frame]);
        let status = self.emitter.builder.inst_results(call)[0];
        self.emitter.leave_with(status);
    }

    /// Room for a frame: the calls of a machine function use one after the other.
    fn frame_slot(&mut self) -> ir::StackSlot {
        *self.frame.get_or_insert_with(|| {
            let bytes = FRAME_BYTES as u32 + self.plan.most_addresses * WORD as u32;
            let data = StackSlotData::new(StackSlotKind::ExplicitSlot, bytes, 3);
            self.emitter.builder.create_sized_stack_slot(data)
        })
    }
}
