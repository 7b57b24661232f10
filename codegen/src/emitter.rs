//! Emits the operation of one scalar as Cranelift instructions.
//!
//! The operands are Cranelift values already; what is still needed from memory (constants, kernels'
//! addresses) is loaded through the frame. Which function of `inline` emits a primitive, or which
//! kernel computes it, is read from THE table by [`emit_prim`].

use crate::constants::Constants;
use crate::inline;
use crate::lower::{FRAME, READ_ONLY};
use crate::scalars::Operation;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{AbiParam, Block, InstBuilder, SigRef, Signature, Type, Value, types};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::{FuncInstBuilder, FunctionBuilder};
use evolute_ir::{Elem, Literal, Prim, for_each_prim};
use evolute_kernels::Kernel;
use std::collections::HashMap;

/// What emission needs to know of the function it emits into.
pub(crate) struct Emitter<'a, 'b> {
    pub(crate) builder: &'a mut FunctionBuilder<'b>,
    pub(crate) constants: &'a mut Constants,
    pub(crate) frame: Value,
    /// The frame's fields loaded so far, by offset. One is not loaded before it is needed: Cranelift
    /// keeps a load without a use.
    fields: [Option<Value>; FRAME.fields],
    /// Whether a kernel was called since this was last cleared: calls leave no value in vector registers.
    pub(crate) called: bool,
    pub(crate) has_fma: bool,
    /// Whether the operation at hand is one on vectors: then its constants are.
    pub(crate) wide: bool,
    /// Where a failed check goes on instead of leaving the function.
    pub(crate) bail: Option<Block>,
    /// The element kind of the operands, and the number of the check, of the operation at hand.
    pub(crate) elem: Elem,
    pub(crate) check: u32,
    /// How many checks other units have before.
    first_check: u32,
    /// The number of the first check that failed, once there is one that may.
    pub(crate) status: Option<Value>,
    /// In functions of several blocks: the first, which loads what all need, and the last, which a failed
    /// check leaves by.
    frame_blocks: Option<[Block; 2]>,
    kernel_signatures: HashMap<(usize, bool), SigRef>,
    call_conv: CallConv,
    /// The sign bits of scalars of each kind and of vectors, where functions have several blocks.
    signs: HashMap<Type, Value>,
    /// What was negated, by what came of it.
    negated: HashMap<Value, Value>,
}

/// The type of a scalar in Cranelift's terms.
pub(crate) fn clif_type(elem: Elem) -> Type {
    match elem {
        Elem::F64 => types::F64,
        Elem::F32 => types::F32,
        Elem::I64 => types::I64,
        Elem::Bool => types::I8,
    }
}

impl<'a, 'b> Emitter<'a, 'b> {
    /// An emitter at the start of a function that takes a frame.
    pub(crate) fn new(
        builder: &'a mut FunctionBuilder<'b>,
        constants: &'a mut Constants,
        frame: Value,
        has_fma: bool,
    ) -> Self {
        let call_conv = builder.func.signature.call_conv;
        Emitter {
            builder,
            constants,
            frame,
            fields: [None; FRAME.fields],
            called: false,
            has_fma,
            wide: false,
            bail: None,
            elem: Elem::F64,
            check: 0,
            first_check: 0,
            status: None,
            frame_blocks: None,
            kernel_signatures: HashMap::new(),
            call_conv,
            signs: HashMap::new(),
            negated: HashMap::new(),
        }
    }

    pub(crate) fn with_first_check(self, first_check: u32) -> Self {
        Emitter { first_check, ..self }
    }

    pub(crate) fn ins(&mut self) -> FuncInstBuilder<'_, 'b> {
        self.builder.ins()
    }

    /// Splits the function at its start: what all blocks need is loaded in the first, checks that fail leave
    /// by the last.
    pub(crate) fn with_blocks(mut self) -> Self {
        let first = self.builder.current_block().expect("the function has begun");
        let [start, last] = [0, 1].map(|_| self.builder.create_block());
        self.builder.append_block_param(last, types::I32);
        self.builder.set_cold_block(last);
        self.ins().jump(start, &[]);
        self.builder.switch_to_block(start);
        self.frame_blocks = Some([first, last]);
        self
    }

    /// Ends a function of several blocks, with 0 for its status.
    pub(crate) fn finish_blocks(&mut self) {
        let none = self.ins().iconst(types::I32, 0);
        self.ins().return_(&[none]);
        if let Some([_, last]) = self.frame_blocks {
            self.builder.switch_to_block(last);
            let status = self.builder.block_params(last)[0];
            self.ins().return_(&[status]);
        }
        self.builder.seal_all_blocks();
    }

    /// A pointer of the frame, by its offset in [`FRAME`].
    pub(crate) fn field(&mut self, offset: i32) -> Value {
        let number = offset as usize / size_of::<u64>();
        if let Some(value) = self.fields[number] {
            return value;
        }
        let frame = self.frame;
        let value = self.load_early(frame, offset);
        self.fields[number] = Some(value);
        value
    }

    /// Loads a pointer that does not change during the call, where all blocks see it.
    pub(crate) fn load_early(&mut self, base: Value, offset: i32) -> Value {
        self.load_early_as(types::I64, base, offset)
    }

    fn load_early_as(&mut self, ty: Type, base: Value, offset: i32) -> Value {
        match self.frame_blocks {
            None => self.ins().load(ty, READ_ONLY, base, offset),
            Some([first, _]) => {
                let mut cursor = FuncCursor::new(self.builder.func).at_last_inst(first);
                cursor.ins().load(ty, READ_ONLY, base, offset)
            }
        }
    }

    /// The sign bit of the operands at hand. In functions of several blocks it is loaded once.
    pub(crate) fn sign(&mut self) -> Value {
        if self.frame_blocks.is_none() {
            return self.real(-0.0);
        }
        let literal = Literal::from_f64(self.elem, -0.0);
        let ty = if self.wide { types::F64X2 } else { clif_type(self.elem) };
        if let Some(&sign) = self.signs.get(&ty) {
            return sign;
        }
        let place = if self.wide { self.constants.pair(literal) } else { self.constants.place(literal) };
        let table = self.field(FRAME.constants);
        let sign = self.load_early_as(ty, table, place as i32 * 8);
        self.signs.insert(ty, sign);
        sign
    }

    /// `result` is the negation of `x`.
    pub(crate) fn note_negation(&mut self, result: Value, x: Value) {
        if self.frame_blocks.is_some() {
            self.negated.insert(result, x);
        }
    }

    /// The same value, as a negation of Cranelift's where it is one: fused operations take that along.
    pub(crate) fn shown_negated(&mut self, value: Value) -> Value {
        match self.negated.get(&value) {
            Some(&x) => self.ins().fneg(x),
            None => value,
        }
    }

    pub(crate) fn value_type(&self, x: Value) -> Type {
        self.builder.func.dfg.value_type(x)
    }

    /// A constant, loaded from the table. Zero is cheaper made than loaded.
    pub(crate) fn constant(&mut self, literal: Literal) -> Value {
        if self.wide {
            return self.wide_constant(literal);
        }
        match literal {
            Literal::F64(0) => return self.ins().f64const(0.0),
            Literal::F32(0) => return self.ins().f32const(0.0),
            Literal::Bool(x) => return self.ins().iconst(types::I8, i64::from(x)),
            Literal::I64(x) if i32::try_from(x).is_ok() => return self.ins().iconst(types::I64, x),
            Literal::F64(_) | Literal::F32(_) | Literal::I64(_) => {}
        }
        let offset = self.constants.place(literal) as i32 * 8;
        let table = self.field(FRAME.constants);
        self.ins().load(clif_type(literal.elem()), READ_ONLY, table, offset)
    }

    /// A vector of two copies of a constant.
    pub(crate) fn constant_pair(&mut self, literal: Literal) -> Value {
        let offset = self.constants.pair(literal) as i32 * 8;
        let table = self.field(FRAME.constants);
        self.ins().load(types::F64X2, READ_ONLY, table, offset)
    }

    /// A constant of the operands' kind.
    pub(crate) fn real(&mut self, x: f64) -> Value {
        let literal = Literal::from_f64(self.elem, x);
        self.constant(literal)
    }

    /// The operand as an `f64`, in which kernels and fused operations are computed.
    pub(crate) fn widen(&mut self, x: Value) -> Value {
        if self.value_type(x) == types::F32 { self.ins().fpromote(types::F64, x) } else { x }
    }

    /// An `f64` as the element kind at hand.
    pub(crate) fn narrow(&mut self, x: Value) -> Value {
        if self.elem == Elem::F32 { self.ins().fdemote(types::F32, x) } else { x }
    }

    /// Calls a kernel of the table on `f64`s, or on an `f64` and an `i64`.
    pub(crate) fn call(&mut self, kernel: Kernel, args: &[Value]) -> Value {
        let signature = self.kernel_signature(args);
        let table = self.field(FRAME.kernels);
        self.called = true;
        let kernel = self.ins().load(types::I64, READ_ONLY, table, kernel as i32 * 8);
        let call = self.ins().call_indirect(signature, kernel, args);
        self.builder.inst_results(call)[0]
    }

    fn kernel_signature(&mut self, args: &[Value]) -> SigRef {
        let last_is_int = args.last().is_some_and(|&x| self.value_type(x) == types::I64);
        let key = (args.len(), last_is_int);
        if let Some(&signature) = self.kernel_signatures.get(&key) {
            return signature;
        }
        let mut signature = Signature::new(self.call_conv);
        signature.params.extend(args.iter().map(|&x| AbiParam::new(self.value_type(x))));
        signature.returns.push(AbiParam::new(types::F64));
        let signature = self.builder.import_signature(signature);
        self.kernel_signatures.insert(key, signature);
        signature
    }

    /// Where `bad` holds the operation's check has failed. The first failure is kept.
    pub(crate) fn fail_if(&mut self, bad: Value) {
        let number = self.builder.ins().iconst(types::I32, i64::from(self.first_check + self.check));
        if self.frame_blocks.is_some() {
            return self.leave_if(bad, number);
        }
        let before = match self.status {
            Some(status) => status,
            None => self.builder.ins().iconst(types::I32, 0),
        };
        let failed = self.builder.ins().select(bad, number, before);
        let status = match self.status {
            Some(status) => self.builder.ins().select(status, status, failed),
            None => failed,
        };
        self.status = Some(status);
    }

    /// Leaves the function with `status` where `condition` is not 0.
    fn leave_if(&mut self, condition: Value, status: Value) {
        let Some([_, last]) = self.frame_blocks else { unreachable!("a function of one block has no other") };
        let next = self.builder.create_block();
        match self.bail {
            Some(bail) => self.ins().brif(condition, bail, &[], next, &[]),
            None => self.ins().brif(condition, last, &[status.into()], next, &[]),
        };
        self.builder.switch_to_block(next);
    }

    /// Leaves the function with `status` where that is not 0.
    pub(crate) fn leave_with(&mut self, status: Value) {
        self.leave_if(status, status);
    }

    /// Emits an operation on operands of the kind `elem`.
    pub(crate) fn operation(
        &mut self,
        operation: Operation,
        elem: Elem,
        check: u32,
        operands: &[Value],
    ) -> Value {
        match operands.iter().any(|&x| self.is_vector(x)) {
            true => self.wide_operation(operation, elem, operands),
            false => self.scalar_operation(operation, elem, check, operands),
        }
    }

    pub(crate) fn scalar_operation(
        &mut self,
        operation: Operation,
        elem: Elem,
        check: u32,
        operands: &[Value],
    ) -> Value {
        (self.elem, self.check) = (elem, check);
        match operation {
            Operation::Prim(prim) => emit_prim(self, prim, operands),
            Operation::Cast(to) => self.emit_cast(operands[0], to),
            Operation::Select => inline::select(self, operands[0], operands[1], operands[2]),
        }
    }

    /// Converts as [`evolute_ir::Op::Cast`] does.
    pub(crate) fn emit_cast(&mut self, x: Value, to: Elem) -> Value {
        match (self.elem, to) {
            (Elem::F64, Elem::F32) => self.ins().fdemote(types::F32, x),
            (Elem::F32, Elem::F64) => self.ins().fpromote(types::F64, x),
            (Elem::F64 | Elem::F32, Elem::I64) => self.ins().fcvt_to_sint_sat(types::I64, x),
            (Elem::F64 | Elem::F32, Elem::Bool) => {
                let zero = self.real(0.0);
                self.ins().fcmp(FloatCC::NotEqual, x, zero)
            }
            (Elem::I64, Elem::F64 | Elem::F32) => self.ins().fcvt_from_sint(clif_type(to), x),
            (Elem::I64, Elem::Bool) => self.ins().icmp_imm_s(IntCC::NotEqual, x, 0),
            (Elem::Bool, Elem::F64 | Elem::F32) => {
                let int = self.ins().uextend(types::I64, x);
                self.ins().fcvt_from_sint(clif_type(to), int)
            }
            (Elem::Bool, Elem::I64) => self.ins().uextend(types::I64, x),
            (Elem::F64, Elem::F64)
            | (Elem::F32, Elem::F32)
            | (Elem::I64, Elem::I64)
            | (Elem::Bool, Elem::Bool) => x,
        }
    }
}

/// The emission of one of a row's kinds, if it acts on the elements at hand.
macro_rules! emit_kind {
    (real $native:ident $e:ident ($($x:ident)+)) => {
        if $e.elem.is_real() { return inline::$native($e, $($x),+); }
    };
    (int $native:ident $e:ident ($($x:ident)+)) => {
        if $e.elem == Elem::I64 { return inline::$native($e, $($x),+); }
    };
    (bool $native:ident $e:ident ($($x:ident)+)) => {
        if $e.elem == Elem::Bool { return inline::$native($e, $($x),+); }
    };
    (kernel $native:ident $e:ident ($($x:ident)+)) => {
        if $e.elem.is_real() {
            let args = [$($e.widen($x)),+];
            let result = $e.call(Kernel::$native, &args);
            return $e.narrow(result);
        }
    };
}

macro_rules! define_emit {
    ($($Variant:ident $name:ident ($($x:ident: $class:ident),+) -> $r:ident: $result:ident,
       { $($kind:ident $eval:tt $native:ident);+ }, $([$($partial:tt)+])* $(/ $divisor:ident)?, [$($domain:expr),+], $doc:literal;)*) => {
        /// Emits a primitive on operands of the kind `e.elem`.
        pub(crate) fn emit_prim(e: &mut Emitter<'_, '_>, prim: Prim, operands: &[Value]) -> Value {
            match prim {
                $(Prim::$Variant => {
                    if let &[$($x),+] = operands {
                        emit_row!([$($kind $native)+] e ($($x)+));
                    }
                })*
            }
            unreachable!("the builder checked the operands of `{}`", prim.name())
        }
    };
}

macro_rules! emit_row {
    ([] $e:ident $args:tt) => {};
    ([$kind:ident $native:ident $($rest:tt)*] $e:ident $args:tt) => {
        emit_kind!($kind $native $e $args);
        emit_row!([$($rest)*] $e $args);
    };
}
for_each_prim!(define_emit);
