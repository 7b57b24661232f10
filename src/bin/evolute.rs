//! The command line: examines, differentiates, compiles and runs programs in text form.
//!
//! A program comes from a file or from standard input and goes to standard output, so commands chain:
//! `evolute grad f.ir | evolute asm`. Errors go to standard error with the file and line, and the exit
//! code is 1; a reader that closes the pipe early is no error.
#![forbid(unsafe_code)]

use clap::{Args, Parser, Subcommand};
use evolute::ir::{self, Buffer, Elem, IrError, Program, Type, text, verify};
use evolute::transforms::{
    derive::{self, DeriveError},
    pipeline::{self, Pipeline},
};
use evolute::{CallError, CompileError, Executable, FpMode, Input, Options, Output};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use thiserror::Error;

/// Differentiates and compiles programs in Evolute's text form.
#[derive(Parser)]
#[command(name = "evolute", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Checks every invariant of a program; prints nothing if they hold
    Check(Source),
    /// Prints a program in canonical form
    Print(Source),
    /// Prints the gradient of a scalar function
    Grad(Derivative),
    /// Prints the Hessian-vector product of a scalar function: its parameters, then the vectors
    Hvp(Derivative),
    /// Prints a program as it is compiled: derivatives carried out, simplified
    Simplify(Passes),
    /// Prints Cranelift's intermediate form of a program
    Clif(Passes),
    /// Prints the machine code of a program
    Asm(Passes),
    /// Evaluates a program and prints a line a result
    Run(Run),
    /// Draws a program in Graphviz's language: `evolute dot f.ir | dot -Tsvg`
    Dot(Source),
}

#[derive(Args)]
struct Source {
    /// The program; standard input if absent or `-`
    file: Option<PathBuf>,
}

#[derive(Args)]
struct Passes {
    #[command(flatten)]
    source: Source,
    /// Keep every bit of the program as written; the default fuses products with sums
    #[arg(long)]
    strict: bool,
}

#[derive(Args)]
struct Derivative {
    #[command(flatten)]
    passes: Passes,
    /// The parameters to differentiate with respect to, by number from 0; all real ones if absent
    #[arg(long, value_delimiter = ',')]
    wrt: Option<Vec<usize>>,
    /// Do not carry the derivative out: print the operator
    #[arg(long)]
    operator: bool,
}

#[derive(Args)]
struct Run {
    #[command(flatten)]
    passes: Passes,
    /// The elements of a parameter, separated by commas; once a parameter, in order
    #[arg(long, allow_hyphen_values = true)]
    input: Vec<String>,
    /// Interpret the program instead of compiling it
    #[arg(long)]
    interpreted: bool,
}

/// Why a command failed.
#[derive(Debug, Error)]
enum Failure {
    #[error("{name}: {source}")]
    Read { name: String, source: io::Error },
    #[error("{name}:{line}: {message}")]
    Parse { name: String, line: usize, message: String },
    #[error("{name}: {source}")]
    Ir { name: String, source: IrError },
    #[error("{name}: {source}")]
    Derive { name: String, source: DeriveError },
    #[error("{name}: {source}")]
    Compile { name: String, source: CompileError },
    #[error("{name}: {source}")]
    Call { name: String, source: CallError },
    #[error("--input {index}: expected {expected}, found `{found}`")]
    Element { index: usize, expected: Elem, found: String },
    #[error("--input {index}: {found} is out of the range of {elem}")]
    Range { index: usize, elem: Elem, found: String },
    #[error("cannot write: {0}")]
    Write(#[source] io::Error),
}

fn main() -> ExitCode {
    let command = Cli::parse().command;
    match execute(&command).and_then(|text| show(&text)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nothing is left to be told if standard error is closed too.
            let _ = writeln!(io::stderr(), "error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn show(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Write(error)),
        _ => Ok(()),
    }
}

/// What a command prints.
fn execute(command: &Command) -> Result<String, Failure> {
    match command {
        Command::Check(source) => Loaded::read(source).map(|_| String::new()),
        Command::Print(source) => Ok(Loaded::read(source)?.program.to_string()),
        Command::Dot(source) => Ok(ir::dot(&Loaded::read(source)?.program)),
        Command::Grad(derivative) => differentiated(derivative, derive::grad),
        Command::Hvp(derivative) => differentiated(derivative, derive::hvp),
        Command::Simplify(passes) => Loaded::read(&passes.source)?.simplified(passes.strict),
        Command::Clif(passes) => printed_code(passes, Executable::clif),
        Command::Asm(passes) => printed_code(passes, Executable::disassembly),
        Command::Run(run) => evaluated(run),
    }
}

/// A valid program and what to call it in messages.
struct Loaded {
    name: String,
    program: Program,
}

impl Loaded {
    fn read(source: &Source) -> Result<Loaded, Failure> {
        let file = source.file.as_deref().filter(|&path| path != Path::new("-"));
        let name = file.map_or("<stdin>".into(), |path| path.display().to_string());
        let text = match file {
            Some(path) => std::fs::read_to_string(path),
            None => io::read_to_string(io::stdin().lock().by_ref()),
        };
        let text = text.map_err(|source| Failure::Read { name: name.clone(), source })?;
        let valid = text::parse(&text).and_then(|program| verify(&program).map(|()| program));
        match valid {
            Ok(program) => Ok(Loaded { name, program }),
            Err(IrError::Parse { line, message }) => Err(Failure::Parse { name, line, message }),
            Err(source) => Err(Failure::Ir { name, source }),
        }
    }

    fn simplified(&self, strict: bool) -> Result<String, Failure> {
        let passes = pipeline::Options { fp: options(strict).fp, ..pipeline::Options::default() };
        let program = Pipeline::new(passes).run(&self.program);
        let program = program.map_err(|source| Failure::Ir { name: self.name.clone(), source })?;
        Ok(program.to_string())
    }

    fn executable(&self, options: &Options) -> Result<Executable, Failure> {
        let executable = Executable::new(&self.program, options);
        executable.map_err(|source| Failure::Compile { name: self.name.clone(), source })
    }
}

fn options(strict: bool) -> Options {
    Options { fp: if strict { FpMode::Strict } else { FpMode::Contract }, ..Options::default() }
}

type Operator = fn(&Program, &[usize], Option<ir::SourceLoc>) -> Result<Program, DeriveError>;

fn differentiated(derivative: &Derivative, operator: Operator) -> Result<String, Failure> {
    let Derivative { passes, wrt, operator: keep } = derivative;
    let Loaded { name, program } = Loaded::read(&passes.source)?;
    let real = || (0..).zip(program.param_types()).filter(|(_, ty)| ty.elem.is_real()).map(|(i, _)| i);
    let wrt = wrt.clone().unwrap_or_else(|| real().collect());
    match operator(&program, &wrt, None) {
        Err(source) => Err(Failure::Derive { name, source }),
        Ok(program) if *keep => Ok(program.to_string()),
        Ok(program) => Loaded { name, program }.simplified(passes.strict),
    }
}

fn printed_code(
    passes: &Passes,
    print: fn(&Executable) -> Result<String, CompileError>,
) -> Result<String, Failure> {
    let loaded = Loaded::read(&passes.source)?;
    let text = print(&loaded.executable(&options(passes.strict))?);
    text.map_err(|source| Failure::Compile { name: loaded.name, source })
}

fn evaluated(run: &Run) -> Result<String, Failure> {
    let loaded = Loaded::read(&run.passes.source)?;
    let options = options(run.passes.strict);
    let options = if run.interpreted { options.interpreted() } else { options };
    let executable = loaded.executable(&options)?;
    let mut inputs = Vec::new();
    for (index, text) in run.input.iter().enumerate() {
        // One too many for the program is left to the call, which counts.
        let elem = executable.param_types().nth(index).map_or(Elem::F64, |ty| ty.elem);
        inputs.push(parse(index, text, elem)?);
    }
    let zeros = |ty: &Type| Buffer::zeros(ty.elem, ty.shape.len());
    let mut results: Vec<Buffer> = executable.result_types().map(zeros).collect();
    let inputs: Vec<Input<'_>> = inputs.iter().map(input).collect();
    let mut outputs: Vec<Output<'_>> = results.iter_mut().map(output).collect();
    let called = executable.call_into(&inputs, &mut outputs, &mut executable.workspace());
    called.map_err(|source| Failure::Call { name: loaded.name, source })?;
    Ok(results.iter().map(line).collect())
}

/// The elements of a parameter, as the user wrote them.
fn parse(index: usize, text: &str, elem: Elem) -> Result<Buffer, Failure> {
    Ok(match elem {
        Elem::F64 => Buffer::F64(elements(index, text, elem, f64::is_infinite)?),
        Elem::F32 => Buffer::F32(elements(index, text, elem, f32::is_infinite)?),
        Elem::I64 => Buffer::I64(elements(index, text, elem, |_| false)?),
        Elem::Bool => Buffer::Bool(elements(index, text, elem, |_| false)?),
    })
}

/// A number is infinite if it is written in letters. One that only rounding makes infinite is refused, and so is an
/// integer with too many digits.
fn elements<T: std::str::FromStr + Copy>(
    index: usize,
    text: &str,
    elem: Elem,
    infinite: fn(T) -> bool,
) -> Result<Vec<T>, Failure> {
    let items = text.split(',').map(str::trim).filter(|_| !text.trim().is_empty());
    let element = |item: &str| match item.parse() {
        Ok(x) if infinite(x) && item.contains(|c: char| c.is_ascii_digit()) => Err(range(index, elem, item)),
        Ok(x) => Ok(x),
        Err(_) if elem == Elem::I64 && is_integer(item) => Err(range(index, elem, item)),
        Err(_) => Err(Failure::Element { index, expected: elem, found: item.into() }),
    };
    items.map(element).collect()
}

fn range(index: usize, elem: Elem, item: &str) -> Failure {
    Failure::Range { index, elem, found: item.into() }
}

fn is_integer(item: &str) -> bool {
    let digits = item.strip_prefix(['-', '+']).unwrap_or(item);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

fn input(buffer: &Buffer) -> Input<'_> {
    match buffer {
        Buffer::F64(x) => Input::F64(x),
        Buffer::F32(x) => Input::F32(x),
        Buffer::I64(x) => Input::I64(x),
        Buffer::Bool(x) => Input::Bool(x),
    }
}

fn output(buffer: &mut Buffer) -> Output<'_> {
    match buffer {
        Buffer::F64(x) => Output::F64(x),
        Buffer::F32(x) => Output::F32(x),
        Buffer::I64(x) => Output::I64(x),
        Buffer::Bool(x) => Output::Bool(x),
    }
}

/// The elements, separated by commas; they read back exactly.
fn line(buffer: &Buffer) -> String {
    fn all<T: std::fmt::Debug>(x: &[T]) -> String {
        x.iter().map(|x| format!("{x:?}")).collect::<Vec<_>>().join(",") + "\n"
    }
    match buffer {
        Buffer::F64(x) => all(x),
        Buffer::F32(x) => all(x),
        Buffer::I64(x) => all(x),
        Buffer::Bool(x) => all(x),
    }
}
