//! A plan as a Cranelift function `fn(*const Frame) -> u32`.
//!
//! Scalars are Cranelift values, memories are addresses: a base and a number of bytes. Nothing here
//! decides what is computed where; that is the plan's. A check that fails leaves the function at once: what
//! the first failure is, is then known, and nothing is ever read or written at an index out of range.

mod address;
mod external;
mod function;
mod library;
mod looping;
mod nest;
mod product;
mod reduce;
mod sums;
mod wide;

use crate::constants::Constants;
use crate::emitter::{Emitter, clif_type};
use crate::lower::FRAME;
use crate::plan::{Access, Crossing, Mem, Plan, Step};
use crate::units::First;
use address::{Across, Place};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, Function, InstBuilder, types};
use cranelift_codegen::isa::TargetFrontendConfig;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use evolute_ir::{Elem, Value};
use std::collections::HashMap;
use wide::Wide;

/// Lowers one plan.
pub(crate) struct PlanLowering<'p> {
    plan: &'p Plan,
    target: TargetFrontendConfig,
    has_fma: bool,
    first: First,
    pub(crate) constants: Constants,
}

impl<'p> PlanLowering<'p> {
    pub(crate) fn new(
        plan: &'p Plan,
        target: TargetFrontendConfig,
        has_fma: bool,
        (first, constants): (First, Constants),
    ) -> Self {
        PlanLowering { plan, target, has_fma, first, constants }
    }

    /// The number of functions: the plan's own, which is called, and its pieces.
    pub(crate) fn len(&self) -> usize {
        1 + self.plan.pieces.len()
    }

    /// Writes function `number` into `func`, whose signature is set.
    pub(crate) fn lower(&mut self, number: usize, func: &mut Function, context: &mut FunctionBuilderContext) {
        let mut builder = FunctionBuilder::new(func, context);
        let block = builder.create_block();
        builder.append_block_params_for_function_params(block);
        builder.switch_to_block(block);
        let frame = builder.block_params(block)[0];
        let emitter = Emitter::new(&mut builder, &mut self.constants, frame, self.has_fma)
            .with_first_check(self.first.check)
            .with_blocks();
        let mut lowering = Lowering {
            emitter,
            plan: self.plan,
            first: self.first,
            scalars: HashMap::new(),
            places: HashMap::new(),
            lanes: None,
            product: None,
            signature: None,
            frame: None,
            wide: None,
            varying: HashMap::new(),
            multiples: HashMap::new(),
        };
        lowering.steps(match number {
            0 => &self.plan.steps,
            _ => &self.plan.pieces[number - 1],
        });
        lowering.emitter.finish_blocks();
        builder.finalize(self.target);
    }
}

/// A function being written.
struct Lowering<'a, 'b, 'p> {
    emitter: Emitter<'a, 'b>,
    plan: &'p Plan,
    first: First,
    scalars: HashMap<Value, ir::Value>,
    /// Of the memories met so far.
    places: HashMap<Mem, Place>,
    /// Room for the lanes of a reduction.
    lanes: Option<ir::StackSlot>,
    /// Room for what a product is.
    product: Option<ir::StackSlot>,
    /// That of pieces and functions.
    signature: Option<ir::SigRef>,
    /// Room for the frame of a function that is called.
    frame: Option<ir::StackSlot>,
    /// Where two iterations of a loop are made at once. See `wide`.
    wide: Option<Wide>,
    /// Integers that differ between the two.
    varying: HashMap<Value, Place>,
    /// Multiples of integers, and the blocks that have them.
    multiples: HashMap<(ir::Value, i64), (ir::Value, ir::Block)>,
}

impl<'b, 'p> Lowering<'_, 'b, 'p> {
    fn ins(&mut self) -> cranelift_frontend::FuncInstBuilder<'_, 'b> {
        self.emitter.ins()
    }

    fn steps(&mut self, steps: &'p [Step]) {
        for step in steps {
            self.step(step);
        }
    }

    fn step(&mut self, step: &'p Step) {
        match step {
            Step::Compute { value, operation, operands, check } => {
                if operands.iter().any(|v| self.varying.contains_key(v))
                    || self.chooses_integers(*value, operands)
                {
                    return self.compute_lanes(*value, *operation, operands);
                }
                let operands: Vec<ir::Value> = operands.iter().map(|&v| self.scalar(v)).collect();
                let elem = self.elem(operands[0]);
                let result = self.emitter.operation(*operation, elem, *check, &operands);
                self.define(*value, result);
            }
            Step::Constant { value, literal } => {
                let constant = self.emitter.constant(*literal);
                self.define(*value, constant);
            }
            Step::Load { value, from } => {
                let place = self.access(from);
                let elem = self.plan.mems[from.mem].elem;
                if elem == Elem::I64 && place.across != Across::Same {
                    return self.load_integers(*value, place);
                }
                let loaded = self.load(elem, place);
                self.define(*value, loaded);
            }
            Step::Store { value, to } => {
                let scalar = self.scalar(*value);
                let place = self.access(to);
                self.store(scalar, place);
            }
            Step::Affine { value, offset, terms } => {
                let place = self.moved(Place::ZERO.plus(*offset), terms, 1);
                if place.across != Across::Same {
                    self.varying.insert(*value, place);
                    return;
                }
                let result = self.address(place);
                self.define(*value, result);
            }
            Step::Check { indices, check } => self.check(indices, *check),
            Step::Part { mem, of, offset, terms } => {
                let size = self.pitch(*of);
                let place = self.place(*of);
                let place = self.moved(place.plus(offset * size), terms, size);
                self.bind(*mem, place);
            }
            Step::Nest(nest) => self.nest(nest),
            Step::Loop(looping) => self.looping(looping),
            Step::Choice(choice) => self.choice(choice),
            Step::External { function, operands, to, check } => {
                self.external(*function, operands, to, *check)
            }
            Step::Kernel(call) => self.kernel(call),
            Step::Product(multiplication) => self.product(multiplication),
            Step::Library(library) => self.library(library),
            Step::Function(call) => self.function(call),
            Step::Call(piece) => self.call(self.first.piece + piece, self.emitter.frame),
        }
    }

    /// `value` is this from now on.
    fn define(&mut self, value: Value, scalar: ir::Value) {
        self.scalars.insert(value, scalar);
        if self.wide.is_some() {
            self.varying.remove(&value);
            return;
        }
        if let Some(slot) = self.slot(Crossing::Scalar(value)) {
            self.store(scalar, slot);
        }
    }

    /// A memory is there from now on.
    fn bind(&mut self, mem: Mem, place: Place) {
        self.places.insert(mem, place);
        if self.wide.is_none()
            && let Some(slot) = self.slot(Crossing::Address(mem))
        {
            let address = self.address(place);
            self.store(address, slot);
        }
    }

    /// Where it is kept for other functions, if it is read there.
    fn slot(&mut self, key: Crossing) -> Option<Place> {
        let slot = *self.plan.slots.get(&key)?;
        let offset = (self.plan.first_slot + slot as usize * size_of::<u64>()) as i64;
        Some(Place::at(self.emitter.field(FRAME.workspace)).plus(offset))
    }

    /// A scalar of the program.
    fn scalar(&mut self, value: Value) -> ir::Value {
        if let Some(literal) = self.plan.constants[value] {
            return self.literal(literal);
        }
        if let Some(&scalar) = self.scalars.get(&value) {
            return scalar;
        }
        let slot = self.slot(Crossing::Scalar(value));
        let slot = slot.unwrap_or_else(|| unreachable!("{value} is not computed yet"));
        self.load(self.plan.elems[value], slot)
    }

    /// The kind of a scalar.
    fn elem(&self, value: ir::Value) -> Elem {
        match self.emitter.value_type(value) {
            types::F64 | types::F64X2 => Elem::F64,
            types::F32 => Elem::F32,
            types::I64 => Elem::I64,
            _ => Elem::Bool,
        }
    }

    fn check(&mut self, indices: &[(Value, u32)], check: u32) {
        self.emitter.check = check;
        for &(index, extent) in indices {
            for index in self.integers(index) {
                let extent = self.ins().iconst(types::I64, i64::from(extent));
                let outside = self.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, index, extent);
                self.emitter.fail_if(outside);
            }
        }
    }

    /// The place of the first element of an access.
    fn access(&mut self, access: &Access) -> Place {
        let size = self.pitch(access.mem);
        self.place(access.mem).plus(access.at.offset * size)
    }

    fn load(&mut self, elem: Elem, place: Place) -> ir::Value {
        match place.across {
            Across::Same => self.load_as(clif_type(elem), place),
            Across::Step(_) | Across::Apart(_) => self.load_lanes(elem, place),
        }
    }

    fn load_as(&mut self, ty: ir::Type, place: Place) -> ir::Value {
        let (base, offset) = self.operand(place);
        self.ins().load(ty, ir::MemFlagsData::trusted(), base, offset)
    }

    fn store(&mut self, value: ir::Value, place: Place) {
        match place.across {
            Across::Same => self.store_as(value, place),
            Across::Step(_) | Across::Apart(_) => self.store_lanes(value, place),
        }
    }

    fn store_as(&mut self, value: ir::Value, place: Place) {
        let (base, offset) = self.operand(place);
        self.ins().store(ir::MemFlagsData::trusted(), value, base, offset);
    }

    /// Runs `body` for 0, 1, … below `extent`, which is not 0; `carried` goes from one to the next.
    fn repeat(
        &mut self,
        extent: i64,
        carried: &[ir::Value],
        body: impl FnOnce(&mut Self, ir::Value, &[ir::Value]) -> Vec<ir::Value>,
    ) -> Vec<ir::Value> {
        let [block, exit] = [0, 1].map(|_| self.emitter.builder.create_block());
        let zero = self.ins().iconst(types::I64, 0);
        let mut args: Vec<ir::BlockArg> = vec![zero.into()];
        self.emitter.builder.append_block_param(block, types::I64);
        for &value in carried {
            let ty = self.emitter.value_type(value);
            self.emitter.builder.append_block_param(block, ty);
            self.emitter.builder.append_block_param(exit, ty);
            args.push(value.into());
        }
        self.ins().jump(block, &args);
        self.emitter.builder.switch_to_block(block);
        let params = self.emitter.builder.block_params(block).to_vec();
        let carried = body(self, params[0], &params[1..]);
        let next = self.ins().iadd_imm_s(params[0], 1);
        let goes_on = self.ins().icmp_imm_s(IntCC::SignedLessThan, next, extent);
        let results: Vec<ir::BlockArg> = carried.iter().map(|&value| value.into()).collect();
        let args: Vec<ir::BlockArg> = std::iter::once(next.into()).chain(results.iter().copied()).collect();
        self.ins().brif(goes_on, block, &args, exit, &results);
        self.emitter.builder.switch_to_block(exit);
        self.emitter.builder.block_params(exit).to_vec()
    }
}
