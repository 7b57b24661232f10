//! The road from a program to machine code, and to the texts on the way.

use crate::code::{Code, Parts};
use crate::error::CodegenError;
use crate::lower::{self, Lowering};
use crate::memory::CodeMemory;
use crate::options::CodegenOptions;
use crate::schedule::Schedule;
use crate::target::{self, Settings};
use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{Function, UserFuncName};
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_frontend::FunctionBuilderContext;
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Module, ModuleError, default_libcall_names};
use evolute_ir::Program;
use std::fmt::Write;

/// Compiles `program` for the processor it runs on, in time linear in its scalar operations.
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
    let schedule = Schedule::new(program, options)?;
    let isa = isa_for(&schedule, options)?;
    let memory = CodeMemory::default();
    let mut builder = JITBuilder::with_isa(isa, default_libcall_names());
    builder.memory_provider(Box::new(memory.clone()));
    let mut module = JITModule::new(builder);
    let mut lowering = Lowering::new(&schedule, module.isa(), has_fma);
    let defined = define(&mut module, &memory, &schedule, &mut lowering)?;
    let addresses = defined.functions.iter().map(|&id| module.get_finalized_function(id)).collect();
    Ok(Code::new(Parts {
        addresses,
        mappings: memory.take(),
        constants: lowering.constants.slots,
        workspace_bytes: schedule.workspace_bytes(),
        code_bytes: defined.code_bytes,
        check_locs: schedule.check_locs,
    }))
}

/// Cranelift's IR of every chunk, as text.
///
/// # Errors
/// As [`compile`].
pub fn clif(program: &Program, options: &CodegenOptions) -> Result<String, CodegenError> {
    let mut text = String::new();
    for_each_chunk(program, options, |_, context| {
        let _ = writeln!(text, "{}", context.func.display());
        Ok(())
    })?;
    Ok(text)
}

/// The machine code of every chunk in Cranelift's assembly notation.
///
/// # Errors
/// As [`compile`].
pub fn disassembly(program: &Program, options: &CodegenOptions) -> Result<String, CodegenError> {
    let mut text = String::new();
    for_each_chunk(program, options, |isa, context| {
        context.set_disasm(true);
        let compiled = context.compile(&**isa, &mut ControlPlane::default());
        let compiled = compiled.map_err(|e| CodegenError::Cranelift(format!("{:?}", e.inner)))?;
        let _ = writeln!(text, "{}", compiled.vcode.as_deref().unwrap_or_default());
        Ok(())
    })?;
    Ok(text)
}

fn for_each_chunk(
    program: &Program,
    options: &CodegenOptions,
    mut visit: impl FnMut(&OwnedTargetIsa, &mut Context) -> Result<(), CodegenError>,
) -> Result<(), CodegenError> {
    let schedule = Schedule::new(program, options)?;
    let isa = isa_for(&schedule, options)?;
    let mut lowering = Lowering::new(&schedule, &*isa, target::has_fma());
    let mut builder_context = FunctionBuilderContext::new();
    let mut context = Context::new();
    for (number, range) in schedule.chunks().enumerate() {
        let signature = lower::signature(isa.default_call_conv());
        context.func = Function::with_name_signature(UserFuncName::user(0, number as u32), signature);
        lowering.lower(range, &mut context.func, &mut builder_context);
        visit(&isa, &mut context)?;
        context.clear();
    }
    Ok(())
}

fn isa_for(schedule: &Schedule, options: &CodegenOptions) -> Result<OwnedTargetIsa, CodegenError> {
    let single_pass = options.regalloc.is_single_pass(schedule.len());
    target::isa(Settings { single_pass, verify: options.verify })
}

struct Defined {
    functions: Vec<FuncId>,
    code_bytes: usize,
}

/// Compiles all chunks into the module and makes them executable.
fn define(
    module: &mut JITModule,
    memory: &CodeMemory,
    schedule: &Schedule,
    lowering: &mut Lowering<'_>,
) -> Result<Defined, CodegenError> {
    let refused = |error| refusal(memory, error);
    let mut builder_context = FunctionBuilderContext::new();
    let mut context = module.make_context();
    let signature = lower::signature(module.isa().default_call_conv());
    let mut defined = Defined { functions: Vec::new(), code_bytes: 0 };
    for range in schedule.chunks() {
        context.func.signature = signature.clone();
        lowering.lower(range, &mut context.func, &mut builder_context);
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
