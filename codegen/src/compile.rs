//! The road from a program to machine code, and to the texts on the way.
//!
//! There are two: straight-line code over scalars goes by the [`Schedule`], into many functions; all else by
//! the [`Plan`], into one, or into pieces that one calls.

use crate::code::{Code, Parts};
use crate::emitter::Constants;
use crate::error::CodegenError;
use crate::lower::{self, Lowering};
use crate::lower_plan;
use crate::memory::CodeMemory;
use crate::options::CodegenOptions;
use crate::plan::{self, Plan};
use crate::schedule::Schedule;
use crate::target::{self, Settings};
use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{Function, UserFuncName};
use cranelift_codegen::isa::{OwnedTargetIsa, TargetIsa};
use cranelift_frontend::FunctionBuilderContext;
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Module, ModuleError, default_libcall_names};
use evolute_ir::{External, Failure, Program};
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
    let route = Route::new(program, options)?;
    let isa = route.isa(options)?;
    let memory = CodeMemory::default();
    let mut builder = JITBuilder::with_isa(isa, default_libcall_names());
    builder.memory_provider(Box::new(memory.clone()));
    let mut module = JITModule::new(builder);
    let mut functions = Functions::new(&route, module.isa(), has_fma);
    let defined = define(&mut module, &memory, &mut functions)?;
    let entered = functions.entered();
    let mut addresses: Vec<*const u8> =
        defined.functions.iter().map(|&id| module.get_finalized_function(id)).collect();
    let pieces = addresses.split_off(entered);
    let constants = functions.constants();
    let externals = route.externals();
    let (workspace_bytes, checks) = route.into_parts();
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

/// What lies between a program and Cranelift's IR.
enum Route {
    Flat(Schedule),
    Structured(Plan),
}

impl Route {
    fn new(program: &Program, options: &CodegenOptions) -> Result<Route, CodegenError> {
        match plan::is_flat(program) {
            true => Schedule::new(program, options).map(Route::Flat),
            false => Plan::new(program, options).map(Route::Structured),
        }
    }

    fn isa(&self, options: &CodegenOptions) -> Result<OwnedTargetIsa, CodegenError> {
        let single_pass = match self {
            Route::Flat(schedule) => options.regalloc.is_single_pass(schedule.len()),
            Route::Structured(plan) => options.regalloc.is_single_pass(plan.operations()),
        };
        target::isa(Settings { single_pass, verify: options.verify })
    }

    /// The functions of the user's that are called.
    fn externals(&self) -> Vec<External> {
        match self {
            Route::Flat(_) => Vec::new(),
            Route::Structured(plan) => plan.externals.values().cloned().collect(),
        }
    }

    fn into_parts(self) -> (usize, Vec<Failure>) {
        match self {
            Route::Flat(schedule) => (schedule.workspace_bytes(), schedule.checks),
            Route::Structured(plan) => (plan.workspace_bytes(), plan.checks),
        }
    }
}

/// Writes the functions of a program, one after the other.
enum Functions<'r> {
    Flat { lowering: Lowering<'r>, chunks: Vec<Range<usize>> },
    Structured { lowering: lower_plan::PlanLowering<'r> },
}

impl<'r> Functions<'r> {
    fn new(route: &'r Route, isa: &dyn TargetIsa, has_fma: bool) -> Self {
        match route {
            Route::Flat(schedule) => {
                let lowering = Lowering::new(schedule, isa, has_fma);
                Functions::Flat { lowering, chunks: schedule.chunks().collect() }
            }
            Route::Structured(plan) => {
                Functions::Structured { lowering: lower_plan::PlanLowering::new(plan, isa, has_fma) }
            }
        }
    }

    fn len(&self) -> usize {
        match self {
            Functions::Flat { chunks, .. } => chunks.len(),
            Functions::Structured { lowering } => lowering.len(),
        }
    }

    /// How many of them, the first, a call enters; these call the others.
    fn entered(&self) -> usize {
        match self {
            Functions::Flat { chunks, .. } => chunks.len(),
            Functions::Structured { .. } => 1,
        }
    }

    /// Writes function `number` into `func`, whose signature is set.
    fn lower(&mut self, number: usize, func: &mut Function, context: &mut FunctionBuilderContext) {
        match self {
            Functions::Flat { lowering, chunks } => lowering.lower(chunks[number].clone(), func, context),
            Functions::Structured { lowering } => lowering.lower(number, func, context),
        }
    }

    fn constants(self) -> Vec<u64> {
        let Constants { slots, .. } = match self {
            Functions::Flat { lowering, .. } => lowering.constants,
            Functions::Structured { lowering } => lowering.constants,
        };
        slots
    }
}

fn for_each_function(
    program: &Program,
    options: &CodegenOptions,
    mut visit: impl FnMut(&OwnedTargetIsa, &mut Context) -> Result<(), CodegenError>,
) -> Result<(), CodegenError> {
    let route = Route::new(program, options)?;
    let isa = route.isa(options)?;
    let mut functions = Functions::new(&route, &*isa, target::has_fma());
    let mut builder_context = FunctionBuilderContext::new();
    let mut context = Context::new();
    for number in 0..functions.len() {
        let signature = lower::signature(isa.default_call_conv());
        context.func = Function::with_name_signature(UserFuncName::user(0, number as u32), signature);
        functions.lower(number, &mut context.func, &mut builder_context);
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
    for number in 0..functions.len() {
        context.func.signature = signature.clone();
        functions.lower(number, &mut context.func, &mut builder_context);
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
