//! A chunk of the schedule as a Cranelift function `fn(*const Frame) -> u32`.
//!
//! Operands are fetched where they are used: a value of this chunk is there already, anything else is
//! loaded from its home, from the caller's memory or from the table of constants. A load is repeated
//! when its last use lies more than [`RELOAD_AFTER`] steps back: a load with one use folds into the
//! instruction that uses it, while a value kept longer would occupy a register or be spilled. The same
//! holds after a call, which leaves no value in a vector register.

use crate::constants::Constants;
use crate::emitter::{Emitter, clif_type};
use crate::scalars::{Output, Scalar, Source};
use crate::schedule::{Home, Schedule, Step};
use crate::units::First;
use cranelift_codegen::entity::EntityRef;
use cranelift_codegen::ir::{AbiParam, Function, InstBuilder, MemFlagsData, Signature, Type, Value, types};
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use evolute_ir::Table;
use std::ops::Range;

/// After how many steps without a use a value is loaded again.
const RELOAD_AFTER: u32 = 16;

/// The same for the address of a parameter or a result, and the number of those up to which all are
/// kept: integer registers have little else to hold.
const POINTER_RELOAD_AFTER: u32 = 64;
const POINTERS_KEPT: usize = 6;

/// Loads of memory that no store of the function changes.
pub(crate) const READ_ONLY: MemFlagsData = MemFlagsData::trusted().with_readonly().with_can_move();

/// The byte offsets of the fields of the frame. `call` holds the frame's definition and asserts these.
pub(crate) struct FrameOffsets {
    pub(crate) inputs: i32,
    pub(crate) outputs: i32,
    pub(crate) workspace: i32,
    pub(crate) kernels: i32,
    pub(crate) constants: i32,
    pub(crate) pieces: i32,
    /// What calls functions of the user's, these, and where a panic of theirs is kept.
    pub(crate) external: i32,
    pub(crate) externals: i32,
    pub(crate) panicked: i32,
    /// How many fields machine code knows.
    pub(crate) fields: usize,
}

pub(crate) const FRAME: FrameOffsets = FrameOffsets {
    inputs: 0,
    outputs: 8,
    workspace: 16,
    kernels: 24,
    constants: 32,
    pieces: 40,
    external: 48,
    externals: 56,
    panicked: 64,
    fields: 9,
};

/// The signature of a chunk.
pub(crate) fn signature(call_conv: CallConv) -> Signature {
    let mut signature = Signature::new(call_conv);
    signature.params.push(AbiParam::new(types::I64));
    signature.returns.push(AbiParam::new(types::I32));
    signature
}

/// A value, the step that made or touched it last, and whether it was computed, not loaded.
#[derive(Clone, Copy)]
struct Fetched {
    value: Value,
    step: u32,
    computed: bool,
}

/// Lowers the chunks of one schedule, one after the other.
pub(crate) struct Lowering<'s> {
    schedule: &'s Schedule,
    target: TargetFrontendConfig,
    has_fma: bool,
    pub(crate) constants: Constants,
    first: First,
    fetched: Table<Scalar, Option<Fetched>>,
    inputs: Pointers,
    outputs: Pointers,
}

/// The addresses of parameters or results loaded so far; those of earlier chunks are told by their step,
/// as clearing the table for every chunk would not be linear.
struct Pointers {
    fetched: Vec<Option<Fetched>>,
    reload_after: u32,
}

impl Pointers {
    fn new(count: usize) -> Self {
        let reload_after = if count <= POINTERS_KEPT { u32::MAX } else { POINTER_RELOAD_AFTER };
        Pointers { fetched: vec![None; count], reload_after }
    }
}

impl<'s> Lowering<'s> {
    pub(crate) fn new(
        schedule: &'s Schedule,
        target: TargetFrontendConfig,
        has_fma: bool,
        (first, constants): (First, Constants),
    ) -> Self {
        Lowering {
            first,
            schedule,
            target,
            has_fma,
            constants,
            fetched: Table::filled(schedule.nodes.len(), None),
            inputs: Pointers::new(schedule.params),
            outputs: Pointers::new(schedule.results),
        }
    }

    /// Writes the function of the steps `range` into `func`, whose signature is set.
    pub(crate) fn lower(
        &mut self,
        range: Range<usize>,
        func: &mut Function,
        context: &mut FunctionBuilderContext,
    ) {
        let mut builder = FunctionBuilder::new(func, context);
        let block = builder.create_block();
        builder.append_block_params_for_function_params(block);
        builder.switch_to_block(block);
        builder.seal_block(block);
        let frame = builder.block_params(block)[0];
        let mut constants = std::mem::take(&mut self.constants);
        let emitter = Emitter::new(&mut builder, &mut constants, frame, self.has_fma);
        let emitter = emitter.with_first_check(self.first.check);
        let start = range.start as u32;
        Chunk { lowering: self, emitter, start, step: start, last_call: None }.emit(range);
        builder.finalize(self.target);
        self.constants = constants;
    }
}

/// The emission of one chunk.
struct Chunk<'l, 's, 'a, 'b> {
    lowering: &'l mut Lowering<'s>,
    emitter: Emitter<'a, 'b>,
    /// The first step of the chunk, and the one at hand.
    start: u32,
    step: u32,
    /// The last step that called a kernel.
    last_call: Option<u32>,
}

impl Chunk<'_, '_, '_, '_> {
    fn emit(mut self, range: Range<usize>) {
        for position in range {
            self.step = position as u32;
            match self.lowering.schedule.steps[position] {
                Step::Compute(scalar) => self.compute(scalar),
                Step::Copy(number) => {
                    let output = self.lowering.schedule.outputs[number as usize];
                    let value = self.fetch(output.scalar);
                    self.store_output(output, value);
                }
            }
        }
        let status = match self.emitter.status {
            Some(status) => status,
            None => self.emitter.ins().iconst(types::I32, 0),
        };
        self.emitter.ins().return_(&[status]);
    }

    fn compute(&mut self, scalar: Scalar) {
        let schedule = self.lowering.schedule;
        let node = &schedule.nodes[scalar];
        let mut operands = [Value::new(0); 3];
        for (slot, &operand) in operands.iter_mut().zip(node.operands()) {
            *slot = self.fetch(operand);
        }
        let operands = &operands[..node.operands().len()];
        let Source::Compute(operation) = node.source else { unreachable!("leaves are not scheduled") };
        let elem = schedule.nodes[node.operands()[0]].elem;
        let value = self.emitter.operation(operation, elem, node.check, operands);
        self.lowering.fetched[scalar] = Some(Fetched { value, step: self.step, computed: true });
        if std::mem::take(&mut self.emitter.called) {
            self.last_call = Some(self.step);
        }
        self.store(scalar, value);
    }

    // ── reading ─────────────────────────────────────────────────────────────────────────────────

    /// The value of a scalar.
    fn fetch(&mut self, scalar: Scalar) -> Value {
        let schedule = self.lowering.schedule;
        let node = &schedule.nodes[scalar];
        if let Some(Fetched { value, step, computed }) = self.lowering.fetched[scalar]
            && step >= self.start
            && (computed || self.is_near(step))
        {
            self.lowering.fetched[scalar] = Some(Fetched { value, step: self.step, computed });
            return value;
        }
        let value = match node.source {
            Source::Constant(literal) => self.emitter.constant(literal),
            Source::Input { param, index } => {
                let base = self.pointer(false, param);
                self.load(clif_type(node.elem), base, index as usize * node.elem.size())
            }
            Source::Compute(_) => match schedule.homes[scalar] {
                Home::Slot(slot) => {
                    let base = self.emitter.field(FRAME.workspace);
                    self.load(clif_type(node.elem), base, slot as usize * 8)
                }
                Home::Output { result, index } => {
                    let base = self.pointer(true, result);
                    self.load(clif_type(node.elem), base, index as usize * node.elem.size())
                }
                Home::Register => unreachable!("{scalar} is used outside its chunk and has no home"),
            },
        };
        self.lowering.fetched[scalar] = Some(Fetched { value, step: self.step, computed: false });
        value
    }

    /// Whether a value loaded at `step` or before, and last used then, is probably in a register still.
    fn is_near(&self, step: u32) -> bool {
        self.step - step <= RELOAD_AFTER && self.last_call.is_none_or(|call| step > call)
    }

    /// The address of a parameter or a result.
    fn pointer(&mut self, output: bool, number: u32) -> Value {
        let (field, pointers) = match output {
            true => (FRAME.outputs, &mut self.lowering.outputs),
            false => (FRAME.inputs, &mut self.lowering.inputs),
        };
        let table = self.emitter.field(field);
        let entry = &mut pointers.fetched[number as usize];
        let value = match *entry {
            Some(Fetched { value, step, .. })
                if step >= self.start && self.step - step <= pointers.reload_after =>
            {
                value
            }
            Some(_) | None => self.emitter.ins().load(types::I64, READ_ONLY, table, number as i32 * 8),
        };
        *entry = Some(Fetched { value, step: self.step, computed: false });
        value
    }

    fn load(&mut self, ty: Type, base: Value, offset: usize) -> Value {
        let (base, offset) = self.address(base, offset);
        self.emitter.ins().load(ty, READ_ONLY, base, offset)
    }

    /// An address as Cranelift's load and store take it: their own offset has 31 bits.
    fn address(&mut self, base: Value, offset: usize) -> (Value, i32) {
        match i32::try_from(offset) {
            Ok(offset) => (base, offset),
            Err(_) => (self.emitter.ins().iadd_imm_s(base, offset as i64), 0),
        }
    }

    // ── writing ─────────────────────────────────────────────────────────────────────────────────

    /// Stores a scalar just computed wherever it is wanted.
    fn store(&mut self, scalar: Scalar, value: Value) {
        let schedule = self.lowering.schedule;
        if let Home::Slot(slot) = schedule.homes[scalar] {
            let base = self.emitter.field(FRAME.workspace);
            self.store_at(base, slot as usize * 8, value);
        }
        for output in schedule.outputs_of(scalar) {
            self.store_output(output, value);
        }
    }

    fn store_output(&mut self, output: Output, value: Value) {
        let base = self.pointer(true, output.result);
        let size = self.lowering.schedule.nodes[output.scalar].elem.size();
        self.store_at(base, output.index as usize * size, value);
    }

    fn store_at(&mut self, base: Value, offset: usize, value: Value) {
        let (base, offset) = self.address(base, offset);
        self.emitter.ins().store(MemFlagsData::trusted(), value, base, offset);
    }
}
