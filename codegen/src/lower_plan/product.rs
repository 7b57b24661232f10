//! Calls of the kernel for products of matrices: `(which, operands, result, scratch memory)`.

use super::Lowering;
use crate::plan::{Multiplication, Node, To};
use cranelift_codegen::ir::{self, InstBuilder, StackSlotData, StackSlotKind, types};
use evolute_kernels::{Product, Table};

impl Lowering<'_, '_, '_> {
    pub(super) fn product(&mut self, multiplication: &Multiplication) {
        let Multiplication { nest, product, scratch } = multiplication;
        let ([Node::Load(a), Node::Load(b), ..], To::Memory(to)) = (&nest.nodes[..], &nest.to) else {
            unreachable!("it was found to be a product")
        };
        let places = [self.access(a), self.access(b), self.access(to), self.place(*scratch)];
        let mut args = vec![self.described(product)];
        args.extend(places.map(|place| self.address(place)));
        self.call_table(Table::PRODUCT, &args);
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
