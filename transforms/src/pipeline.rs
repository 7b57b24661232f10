//! The pipeline: every pass from a traced program to one ready for code generation, in this order and
//! nowhere else.
//!
//! In debug builds the verifier runs after each pass; a violation there is a bug of ours and panics
//! with the printed program.

use crate::accumulate::accumulate;
use crate::calls::in_all;
use crate::contract::contract;
use crate::derive::copy_params;
use crate::fuse::fuse;
use crate::inline::{Between, expand, inline_clamped, inline_few, is_implicit, remove_operators};
use crate::simplify::{When, simplify};
use evolute_ir::{Builder, IrError, Program, verify};
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

/// What may be done to floating-point arithmetic.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum FpMode {
    /// Every bit is that of the program as written: only exact rewrites.
    Strict,
    /// Roundings and signs of zeros may change: products fuse with sums, constants merge. So an intermediate result may
    /// stay in range that overflowed before, and a difference that was 0 become a rounding error of either sign. A NaN
    /// or infinity of an operand is never simplified away.
    #[default]
    Contract,
}

/// Choices of the pipeline.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Options {
    /// What may be done to floating-point arithmetic.
    pub fp: FpMode,
    /// Whether to simplify at all; `false` is for seeing and testing.
    pub simplify: bool,
    /// Whether an index out of range is an error of the call; else the nearest in range is taken.
    pub checked_indices: bool,
    /// Whether a fused multiply-add is one instruction on the target, so that `Contract` makes them.
    pub fma: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            fp: FpMode::default(),
            simplify: true,
            checked_indices: true,
            fma: evolute_ir::has_fast_fma(),
        }
    }
}

/// A program after a pass.
#[derive(Clone, Debug)]
pub struct Stage {
    /// The pass, or `trace` for what it was given.
    pub pass: &'static str,
    /// Its result.
    pub program: Program,
    /// How long it took.
    pub time: Duration,
    /// How often each rewrite applied.
    pub rewrites: BTreeMap<&'static str, usize>,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.time.as_secs_f64() * 1e6;
        writeln!(f, "; after {}: {} instructions, {time:.1} µs", self.pass, self.program.total_len())?;
        for (name, count) in &self.rewrites {
            writeln!(f, ";   {count} × {name}")?;
        }
        write!(f, "{}", self.program)
    }
}

/// Whether a pass has something to do in this program.
type Applies = fn(&Program) -> bool;

type Pass = fn(&Program, &Options) -> Result<(Program, BTreeMap<&'static str, usize>), IrError>;

/// The program with indices limited to their arrays.
fn clamp(program: &Program) -> Result<Program, IrError> {
    let mut builder = Builder::new();
    builder.set_limit(program.limit());
    let params = copy_params(&mut builder, program);
    let results = inline_clamped(&mut builder, program, &params)?;
    builder.finish_live(&results)
}

/// The passes of a set of options. See the [module](self).
pub struct Pipeline {
    options: Options,
    passes: Vec<(&'static str, Applies, Pass)>,
}

impl Pipeline {
    /// The passes that `options` ask for.
    pub fn new(options: Options) -> Pipeline {
        let always: Applies = |_| true;
        let calls: Applies = |program| !program.callees().is_empty();
        let mut passes: Vec<(&'static str, Applies, Pass)> = Vec::new();
        // A copy's cotangents are summed in another order than a call's, so `Strict` waits until all are taken.
        if options.simplify && options.fp == FpMode::Contract {
            passes.push(("inline", calls, |program, _| Ok((inline_few(program)?, BTreeMap::new()))));
        }
        passes.push(("differentiate", always, |program, options| {
            // A rewrite before a derivative reorders its sums, so `Strict` waits until all are taken.
            let simplifies = options.simplify && options.fp == FpMode::Contract;
            let between = if simplifies { Between::Simplify } else { Between::Keep };
            let plain = remove_operators(program, between);
            Ok((plain.map_err(|error| error.building("the derivative"))?, BTreeMap::new()))
        }));
        if options.simplify {
            // The derivative of a function may be called in one place where the function was called in many.
            passes.push(("inline", calls, |program, _| Ok((inline_few(program)?, BTreeMap::new()))));
        }
        passes.push(("expand", is_implicit, |program, _| Ok((expand(program)?, BTreeMap::new()))));
        if !options.checked_indices {
            passes.push(("clamp", always, |program, _| Ok((in_all(program, clamp)?, BTreeMap::new()))));
        }
        if options.simplify {
            passes.push(("fuse", always, |program, options| {
                let shorter = options.fp == FpMode::Contract;
                let joined = |program: &Program| accumulate(fuse(program.clone())?, shorter);
                Ok((in_all(program, joined)?, BTreeMap::new()))
            }));
            passes.push(("simplify", always, |program, options| {
                let when = match options.fp {
                    FpMode::Strict => When::Last,
                    FpMode::Contract => When::Contract,
                };
                let mut applied = BTreeMap::new();
                let program = in_all(program, |program| {
                    let simplified = simplify(program, when)?;
                    for (name, count) in simplified.applied {
                        *applied.entry(name).or_insert(0) += count;
                    }
                    Ok(simplified.program)
                })?;
                Ok((program, applied))
            }));
            if options.fp == FpMode::Contract && options.fma {
                passes.push(("contract", always, |program, _| {
                    Ok((in_all(program, contract)?, BTreeMap::new()))
                }));
            }
        }
        Pipeline { options, passes }
    }

    /// The program after all passes.
    ///
    /// # Errors
    /// A program that differentiation makes larger than the limit.
    pub fn run(&self, program: &Program) -> Result<Program, IrError> {
        self.run_noting(program, |_| {})
    }

    /// As [`Pipeline::run`], showing each stage to `note`.
    ///
    /// # Errors
    /// As [`Pipeline::run`].
    pub fn run_noting(&self, program: &Program, mut note: impl FnMut(&Stage)) -> Result<Program, IrError> {
        let mut current = None;
        for &(pass, applies, run) in &self.passes {
            let start = Instant::now();
            let before = current.as_ref().unwrap_or(program);
            if !applies(before) {
                continue;
            }
            let (result, rewrites) = run(before, &self.options)?;
            if cfg!(debug_assertions)
                && let Err(error) = verify(&result)
            {
                panic!("pass `{pass}` broke the program: {error}\n{result}");
            }
            let stage = Stage { pass, program: result, time: start.elapsed(), rewrites };
            note(&stage);
            current = Some(stage.program);
        }
        Ok(current.unwrap_or_else(|| program.clone()))
    }

    /// The program before and after each pass.
    ///
    /// # Errors
    /// As [`Pipeline::run`].
    pub fn stages(&self, program: &Program) -> Result<Vec<Stage>, IrError> {
        let time = Duration::ZERO;
        let traced = Stage { pass: "trace", program: program.clone(), time, rewrites: BTreeMap::new() };
        let mut stages = vec![traced];
        self.run_noting(program, |stage| stages.push(stage.clone()))?;
        Ok(stages)
    }
}
