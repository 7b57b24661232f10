//! Calls of the kernel for products of matrices: `(which, operands, result, scratch memory)`.

use super::Lowering;
use crate::lower::{FRAME, READ_ONLY};
use crate::plan::{Multiplication, Node, To};
use cranelift_codegen::ir::{self, AbiParam, InstBuilder, Signature, StackSlotData, StackSlotKind, types};
use evolute_kernels::{Product, Table};

/// The address of the [`Product`], those of two operands, of the result and of scratch memory.
const PARAMS: usize = 5;

impl Lowering<'_, '_, '_> {
    pub(super) fn product(&mut self, multiplication: &Multiplication) {
        let Multiplication { nest, product, scratch } = multiplication;
        let ([Node::Load(a), Node::Load(b), ..], To::Memory(to)) = (&nest.nodes[..], &nest.to) else {
            unreachable!("it was found to be a product")
        };
        let places = [self.access(a), self.access(b), self.access(to), self.place(*scratch)];
        let mut args = vec![self.described(product)];
        args.extend(places.map(|place| self.address(place)));
        let mut signature = Signature::new(self.emitter.builder.func.signature.call_conv);
        signature.params.extend([AbiParam::new(types::I64); PARAMS]);
        let signature = self.emitter.builder.import_signature(signature);
        let table = self.emitter.field(FRAME.kernels);
        let entry = self.ins().load(types::I64, READ_ONLY, table, Table::PRODUCT as i32 * 8);
        self.ins().call_indirect(signature, entry, &args);
    }

    /// The address of a product: its numbers in their order, which is that of C.
    fn described(&mut self, product: &Product) -> ir::Value {
        let slot = *self.product.get_or_insert_with(|| {
            let data = StackSlotData::new(StackSlotKind::ExplicitSlot, size_of::<Product>() as u32, 3);
            self.emitter.builder.create_sized_stack_slot(data)
        });
        let Product { extents, a, b, c } = product;
        let numbers = extents.iter().chain(a).chain(b).chain(c);
        for (place, &number) in numbers.enumerate() {
            let number = self.ins().iconst(types::I64, number as i64);
            self.ins().stack_store(types::I64, number, slot, place as i32 * 8);
        }
        self.ins().stack_addr(types::I64, slot, 0)
    }
}
