//! A program made ready to run.

use crate::buffers::{Input, Output, Slot, check, fit};
use crate::error::{CallError, CompileError};
use crate::native;
use crate::options::{Execution, Options};
use crate::workspace::{State, Workspace};
use evolute_codegen::Code;
use evolute_ir::{Interpreter, Program, Type};
use evolute_transforms::Pipeline;
use evolute_transforms::pipeline::Stage;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A program made ready to run: differentiated, simplified, and compiled or decoded. Callable from many
/// threads at once, with one [`Workspace`] each; its code is freed when it is dropped.
pub struct Executable {
    params: Vec<Slot>,
    results: Vec<Slot>,
    backend: Backend,
    program: Arc<Program>,
    options: Options,
    report: CompileReport,
}

enum Backend {
    Native(Code),
    Interpreted(Arc<Interpreter>),
}

/// What making a program ready took.
#[derive(Clone, Debug)]
pub struct CompileReport {
    /// Each pass: its name, the number of instructions after it (those of functions that are called once), and its time.
    pub passes: Vec<(&'static str, usize, Duration)>,
    /// The time of code generation or decoding.
    pub codegen: Duration,
    /// Bytes of machine code; 0 for the interpreter.
    pub code_bytes: usize,
    /// Bytes of workspace that a call needs.
    pub workspace_bytes: usize,
}

impl Executable {
    /// Differentiates, simplifies and compiles `program`.
    ///
    /// # Errors
    /// A program that differentiation makes too large, or no machine code here; see [`CompileError`].
    pub fn new(program: &Program, options: &Options) -> Result<Executable, CompileError> {
        let mut passes = Vec::new();
        let note = |stage: &Stage| passes.push((stage.pass, stage.program.total_len(), stage.time));
        let program = Pipeline::new(options.pipeline()).run_noting(program, note)?;
        let start = Instant::now();
        let backend = match options.execution {
            Execution::Native => Backend::Native(evolute_codegen::compile(&program, &options.codegen)?),
            Execution::Interpreted => Backend::Interpreted(Arc::new(Interpreter::new(&program)?)),
        };
        let (code_bytes, workspace_bytes) = match &backend {
            Backend::Native(code) => (code.code_bytes(), code.workspace_bytes()),
            Backend::Interpreted(_) => (0, 0),
        };
        Ok(Executable {
            params: program.param_types().into_iter().map(Slot::new).collect(),
            results: program.result_types().into_iter().map(Slot::new).collect(),
            backend,
            program: Arc::new(program),
            options: options.clone(),
            report: CompileReport { passes, codegen: start.elapsed(), code_bytes, workspace_bytes },
        })
    }

    /// The types of the parameters.
    pub fn param_types(&self) -> impl ExactSizeIterator<Item = &Type> {
        self.params.iter().map(|slot| &slot.ty)
    }

    /// The types of the results.
    pub fn result_types(&self) -> impl ExactSizeIterator<Item = &Type> {
        self.results.iter().map(|slot| &slot.ty)
    }

    /// The program that runs: after all passes.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// What compiling took.
    pub fn report(&self) -> &CompileReport {
        &self.report
    }

    /// Memory for calls of this function.
    pub fn workspace(&self) -> Workspace {
        let mut workspace = Workspace::new();
        match &self.backend {
            Backend::Native(code) => {
                // Where there is no such room, the call says so.
                let _ = workspace.reserve(code.workspace_bytes());
                workspace.pointers.reserve(self.params.len(), self.results.len());
            }
            Backend::Interpreted(interpreter) => {
                workspace.state = Some(State::of(interpreter));
            }
        }
        workspace
    }

    /// Evaluates the function on `inputs` into `outputs`. With a workspace from
    /// [`Executable::workspace`] nothing is allocated.
    ///
    /// # Errors
    /// Buffers that do not fit the signature, and failing integer divisions. The outputs are then
    /// unspecified.
    // Inlined where the number of buffers is known, its loops become a few instructions.
    #[inline(always)]
    pub fn call_into(
        &self,
        inputs: &[Input<'_>],
        outputs: &mut [Output<'_>],
        workspace: &mut Workspace,
    ) -> Result<(), CallError> {
        let fits = fit(&self.params, inputs.iter().map(Input::extent))
            && fit(&self.results, outputs.iter().map(Output::extent));
        if !fits {
            return self.misfit(inputs, outputs);
        }
        match &self.backend {
            Backend::Native(code) => match native::call(code, inputs, outputs, workspace)? {
                0 => Ok(()),
                status => Err(failure(code, status)),
            },
            Backend::Interpreted(interpreter) => Self::interpret(interpreter, inputs, outputs, workspace),
        }
    }

    /// What is wrong with buffers that do not fit.
    #[cold]
    fn misfit(&self, inputs: &[Input<'_>], outputs: &[Output<'_>]) -> Result<(), CallError> {
        check(["input", "inputs"], &self.params, inputs.iter().map(Input::extent))?;
        check(["output", "outputs"], &self.results, outputs.iter().map(Output::extent))
    }

    #[inline(never)]
    fn interpret(
        interpreter: &Arc<Interpreter>,
        inputs: &[Input<'_>],
        outputs: &mut [Output<'_>],
        workspace: &mut Workspace,
    ) -> Result<(), CallError> {
        let machine = workspace.machine_of(interpreter);
        for (param, input) in inputs.iter().enumerate() {
            input.set(interpreter, machine, param);
        }
        interpreter.run(machine)?;
        for (result, output) in outputs.iter_mut().enumerate() {
            output.fill(interpreter.result(machine, result));
        }
        Ok(())
    }

    /// Cranelift's intermediate form of the machine code.
    ///
    /// # Errors
    /// No machine code can be made here.
    pub fn clif(&self) -> Result<String, CompileError> {
        Ok(evolute_codegen::clif(&self.program, &self.options.codegen)?)
    }

    /// The machine code, disassembled.
    ///
    /// # Errors
    /// No machine code can be made here.
    pub fn disassembly(&self) -> Result<String, CompileError> {
        Ok(evolute_codegen::disassembly(&self.program, &self.options.codegen)?)
    }
}

#[cold]
fn failure(code: &Code, status: u32) -> CallError {
    code.failure(status).into()
}
