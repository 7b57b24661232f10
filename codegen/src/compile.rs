//! The road from a program to machine code, and to the texts on the way.
//!
//! There are two: straight-line code over scalars goes by the [`Schedule`](crate::Schedule), into many functions; all
//! else by the [`Plan`](crate::Plan), into one, or into pieces that one calls. Each function that a program calls goes its own.

use crate::code::{Code, Parts};
use crate::constants::Constants;
use crate::error::CodegenError;
use crate::lower::{self, Lowering};
use crate::lower_plan;
use crate::memory::CodeMemory;
use crate::options::CodegenOptions;
use crate::target::{self, Settings};
use crate::units::{Route, Unit, Units};
use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{Function, UserFuncName};
use cranelift_codegen::isa::{OwnedTargetIsa, TargetFrontendConfig, TargetIsa};
use cranelift_frontend::FunctionBuilderContext;
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Module, ModuleError, default_libcall_names};
use evolute_ir::Program;
use std::fmt::Write;
use std::ops::Range;

/// Compiles `program` for the processor it runs on, in time linear in its operations.
///
/// # Errors
/// See [`CodegenError`]. The interpreter evaluates what has no machine code.
pub fn compile(program: &Program, options: &CodegenOptions) -> Result<Code, CodegenError> {
    compile_with(program, options, target::has_fma())
}

pub(crate) fn compile_with(
    program: &Program,
    options: &CodegenOptions,
    has_fma: bool,
) -> Result<Code, CodegenError> {
    let units = Units::new(program, options)?;
    let isa = isa(&units, options)?;
    let memory = CodeMemory::default();
    let mut builder = JITBuilder::with_isa(isa, default_libcall_names());
    builder.memory_provider(Box::new(memory.clone()));
    let mut module = JITModule::new(builder);
    let mut functions = Functions::new(&units, module.isa(), has_fma);
    let defined = define(&mut module, &memory, &mut functions)?;
    let mut pieces: Vec<*const u8> =
        defined.functions.iter().map(|&id| module.get_finalized_function(id)).collect();
    // The program's own come after those of what it calls.
    let (route, len) = (units.program(), pieces.len());
    let entered = len - route.pieces() - route.entries()..len - route.pieces();
    let addresses: Vec<*const u8> = pieces.drain(entered).collect();
    let constants = functions.constants();
    let (externals, checks, workspace_bytes) = (units.externals(), units.checks(), route.workspace_bytes());
    let (mappings, code_bytes) = (memory.take(), defined.code_bytes);
    Ok(Code::new(Parts {
        addresses,
        pieces,
        mappings,
        constants,
        workspace_bytes,
        code_bytes,
        checks,
        externals,
    }))
}

/// Cranelift's IR of every function, as text.
///
/// # Errors
/// As [`compile`].
pub fn clif(program: &Program, options: &CodegenOptions) -> Result<String, CodegenError> {
    let mut text = String::new();
    for_each_function(program, options, |_, context| {
        let _ = writeln!(text, "{}", context.func.display());
        Ok(())
    })?;
    Ok(text)
}

/// The machine code of every function, in Cranelift's assembly notation.
///
/// # Errors
/// As [`compile`].
pub fn disassembly(program: &Program, options: &CodegenOptions) -> Result<String, CodegenError> {
    let mut text = String::new();
    for_each_function(program, options, |isa, context| {
        context.set_disasm(true);
        let compiled = context.compile(&**isa, &mut ControlPlane::default());
        let compiled = compiled.map_err(|e| CodegenError::Cranelift(format!("{:?}", e.inner)))?;
        let _ = writeln!(text, "{}", compiled.vcode.as_deref().unwrap_or_default());
        Ok(())
    })?;
    Ok(text)
}

fn isa(units: &Units<'_>, options: &CodegenOptions) -> Result<OwnedTargetIsa, CodegenError> {
    let single_pass = options.regalloc.is_single_pass(units.operations());
    target::isa(Settings { single_pass, verify: options.verify })
}

/// Writes the functions of all units, one after the other.
struct Functions<'r> {
    units: std::slice::Iter<'r, Unit>,
    isa: TargetFrontendConfig,
    has_fma: bool,
    /// The unit at hand, and which of its functions comes next.
    current: Current<'r>,
    next: usize,
    len: usize,
}

enum Current<'r> {
    None(Constants),
    Flat { lowering: Lowering<'r>, chunks: Vec<Range<usize>> },
    Structured { lowering: lower_plan::PlanLowering<'r> },
}

impl<'r> Functions<'r> {
    fn new(units: &'r Units<'_>, isa: &dyn TargetIsa, has_fma: bool) -> Self {
        let functions = |unit: &Unit| unit.route.entries() + unit.route.pieces();
        Functions {
            units: units.units.iter(),
            isa: isa.frontend_config(),
            has_fma,
            current: Current::None(Constants::default()),
            next: 0,
            len: units.units.iter().map(functions).sum(),
        }
    }

    fn len(&self) -> usize {
        self.len
    }

    /// Writes the next function into `func`, whose signature is set.
    fn lower(&mut self, func: &mut Function, context: &mut FunctionBuilderContext) {
        while self.next == self.current.len() {
            self.begin_unit();
        }
        match &mut self.current {
            Current::None(_) => unreachable!("it has no function"),
            Current::Flat { lowering, chunks } => lowering.lower(chunks[self.next].clone(), func, context),
            Current::Structured { lowering } => lowering.lower(self.next, func, context),
        }
        self.next += 1;
    }

    /// All units share one table of constants.
    fn begin_unit(&mut self) {
        let current = std::mem::replace(&mut self.current, Current::None(Constants::default()));
        let Unit { route, first, .. } = self.units.next().expect("a unit has the function asked for");
        let with = (*first, current.constants());
        self.next = 0;
        self.current = match route {
            Route::Flat(schedule) => {
                let lowering = Lowering::new(schedule, self.isa, self.has_fma, with);
                Current::Flat { lowering, chunks: schedule.chunks().collect() }
            }
            Route::Structured(plan) => {
                let lowering = lower_plan::PlanLowering::new(plan, self.isa, self.has_fma, with);
                Current::Structured { lowering }
            }
        };
    }

    fn constants(self) -> Vec<u64> {
        self.current.constants().slots
    }
}

impl Current<'_> {
    fn len(&self) -> usize {
        match self {
            Current::None(_) => 0,
            Current::Flat { chunks, .. } => chunks.len(),
            Current::Structured { lowering } => lowering.len(),
        }
    }

    fn constants(self) -> Constants {
        match self {
            Current::None(constants) => constants,
            Current::Flat { lowering, .. } => lowering.constants,
            Current::Structured { lowering } => lowering.constants,
        }
    }
}

fn for_each_function(
    program: &Program,
    options: &CodegenOptions,
    mut visit: impl FnMut(&OwnedTargetIsa, &mut Context) -> Result<(), CodegenError>,
) -> Result<(), CodegenError> {
    let units = Units::new(program, options)?;
    let isa = isa(&units, options)?;
    let mut functions = Functions::new(&units, &*isa, target::has_fma());
    let mut builder_context = FunctionBuilderContext::new();
    let mut context = Context::new();
    for number in 0..functions.len() {
        let signature = lower::signature(isa.default_call_conv());
        context.func = Function::with_name_signature(UserFuncName::user(0, number as u32), signature);
        functions.lower(&mut context.func, &mut builder_context);
        visit(&isa, &mut context)?;
        context.clear();
    }
    Ok(())
}

struct Defined {
    functions: Vec<FuncId>,
    code_bytes: usize,
}

/// Compiles all functions into the module and makes them executable.
fn define(
    module: &mut JITModule,
    memory: &CodeMemory,
    functions: &mut Functions<'_>,
) -> Result<Defined, CodegenError> {
    let refused = |error| refusal(memory, error);
    let mut builder_context = FunctionBuilderContext::new();
    let mut context = module.make_context();
    let signature = lower::signature(module.isa().default_call_conv());
    let mut defined = Defined { functions: Vec::new(), code_bytes: 0 };
    for _ in 0..functions.len() {
        context.func.signature = signature.clone();
        functions.lower(&mut context.func, &mut builder_context);
        let id = module.declare_anonymous_function(&signature).map_err(refused)?;
        module.define_function(id, &mut context).map_err(refused)?;
        defined.functions.push(id);
        defined.code_bytes += relocatable_bytes(&context)?;
        module.clear_context(&mut context);
    }
    module.finalize_definitions().map_err(refused)?;
    Ok(defined)
}

/// The size of the function just compiled, which must be position-independent and self-contained.
fn relocatable_bytes(context: &Context) -> Result<usize, CodegenError> {
    let compiled = context.compiled_code().map(|code| (code.buffer.relocs(), code.code_buffer().len()));
    match compiled {
        Some(([], bytes)) => Ok(bytes),
        Some(_) | None => Err(CodegenError::Cranelift("the code has relocations".into())),
    }
}

/// The system's refusal if there was one, else an error of Cranelift's.
fn refusal(memory: &CodeMemory, error: ModuleError) -> CodegenError {
    match memory.take_refusal() {
        Some(source) => CodegenError::ExecutableMemory { source },
        None => CodegenError::Cranelift(error.to_string()),
    }
}
