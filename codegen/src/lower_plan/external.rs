//! Calls of the user's functions, by way of the frame: `(frame, which, arguments, result) → failed`.

use super::Lowering;
use crate::lower::{FRAME, READ_ONLY};
use crate::plan::Access;
use cranelift_codegen::ir::{self, AbiParam, InstBuilder, Signature, StackSlotData, StackSlotKind, types};
use evolute_ir::{Entity, ExternalId};

impl<'p> Lowering<'_, '_, 'p> {
    pub(super) fn external(
        &mut self,
        function: ExternalId,
        operands: &'p [Access],
        to: &'p Access,
        check: u32,
    ) {
        let arguments = self.arguments(operands);
        let place = self.access(to);
        let result = self.address(place);
        let number = i64::from(self.first.external) + function.index() as i64;
        let number = self.ins().iconst(types::I64, number);
        let table = self.emitter.frame;
        let entry = self.ins().load(types::I64, READ_ONLY, table, FRAME.external);
        let mut signature = Signature::new(self.emitter.builder.func.signature.call_conv);
        signature.params = vec![AbiParam::new(types::I64); 4];
        signature.returns.push(AbiParam::new(types::I32));
        let signature = self.emitter.builder.import_signature(signature);
        let call = self.ins().call_indirect(signature, entry, &[table, number, arguments, result]);
        let failed = self.emitter.builder.inst_results(call)[0];
        self.emitter.check = check;
        self.emitter.fail_if(failed);
    }

    /// The address of the arguments' addresses.
    fn arguments(&mut self, operands: &'p [Access]) -> ir::Value {
        let bytes = (operands.len().max(1) * 8) as u32;
        let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, bytes, 3);
        let slot = self.emitter.builder.create_sized_stack_slot(slot);
        for (number, operand) in operands.iter().enumerate() {
            let place = self.access(operand);
            let address = self.address(place);
            self.ins().stack_store(types::I64, address, slot, number as i32 * 8);
        }
        self.ins().stack_addr(types::I64, slot, 0)
    }
}
