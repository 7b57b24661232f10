//! The processor that code is made for: the one we run on.
//!
//! Code is only ever made for the host, with every feature it has that Cranelift knows. The kernels'
//! table is chosen by the same features, so native code and interpreter agree to the bit.

use crate::error::CodegenError;
use cranelift_codegen::isa::{self, Builder, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable, SetError};
use std::sync::OnceLock;
use target_lexicon::{Architecture, PointerWidth, Triple};

/// What of Cranelift's settings varies.
#[derive(Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) single_pass: bool,
    pub(crate) verify: bool,
}

/// Cranelift's target of these settings, made once a process.
pub(crate) fn isa(settings: Settings) -> Result<OwnedTargetIsa, CodegenError> {
    static CACHE: [OnceLock<OwnedTargetIsa>; 4] = [const { OnceLock::new() }; 4];
    let cell = &CACHE[usize::from(settings.single_pass) * 2 + usize::from(settings.verify)];
    if let Some(isa) = cell.get() {
        return Ok(isa.clone());
    }
    let isa = build(settings)?;
    Ok(cell.get_or_init(|| isa).clone())
}

/// Whether the processor has a fused multiply-add, so that Cranelift's is one instruction.
pub(crate) fn has_fma() -> bool {
    has("avx") && has("fma")
}

fn build(settings: Settings) -> Result<OwnedTargetIsa, CodegenError> {
    let triple = Triple::host();
    let unsupported = |reason| CodegenError::UnsupportedTarget { target: Triple::host().to_string(), reason };
    if triple.pointer_width() != Ok(PointerWidth::U64) {
        return Err(unsupported("pointers are not 64 bits wide"));
    }
    // Elsewhere fresh code needs an instruction cache flush, which has no stable Rust interface.
    if triple.architecture != Architecture::X86_64 {
        return Err(unsupported("only x86-64 is supported"));
    }
    // Without it rounding becomes a call out of the code, which needs a relocation.
    if !has("sse4.1") {
        return Err(unsupported("SSE4.1 is missing"));
    }
    let mut builder = isa::lookup(triple).map_err(|e| CodegenError::Cranelift(e.to_string()))?;
    enable_features(&mut builder).map_err(|e| CodegenError::Cranelift(e.to_string()))?;
    let flags = flags(settings).map_err(|e| CodegenError::Cranelift(e.to_string()))?;
    builder.finish(flags).map_err(|e| CodegenError::Cranelift(e.to_string()))
}

fn flags(settings: Settings) -> Result<settings::Flags, SetError> {
    let mut flags = settings::builder();
    // Simplification is done on our own IR, where it is linear.
    flags.set("opt_level", "none")?;
    flags.set("is_pic", "false")?;
    flags.set("regalloc_algorithm", if settings.single_pass { "single_pass" } else { "backtracking" })?;
    flags.set("enable_verifier", if settings.verify { "true" } else { "false" })?;
    // A frame larger than a page must touch every page, or it could step over the guard page.
    flags.set("enable_probestack", "true")?;
    flags.set("probestack_strategy", "inline")?;
    flags.set("unwind_info", "false")?;
    Ok(settings::Flags::new(flags))
}

/// Processor features by Rust's name and Cranelift's.
const FEATURES: [(&str, &str); 11] = [
    ("sse3", "has_sse3"),
    ("ssse3", "has_ssse3"),
    ("sse4.1", "has_sse41"),
    ("sse4.2", "has_sse42"),
    ("avx", "has_avx"),
    ("avx2", "has_avx2"),
    ("fma", "has_fma"),
    ("bmi1", "has_bmi1"),
    ("bmi2", "has_bmi2"),
    ("lzcnt", "has_lzcnt"),
    ("popcnt", "has_popcnt"),
];

fn enable_features(builder: &mut Builder) -> Result<(), SetError> {
    for (name, flag) in FEATURES {
        if has(name) {
            builder.enable(flag)?;
        }
    }
    Ok(())
}

/// Whether the processor has a feature of [`FEATURES`].
fn has(name: &str) -> bool {
    macro_rules! detect {
        ($($feature:tt)*) => {
            match name {
                $($feature => std::arch::is_x86_feature_detected!($feature),)*
                _ => false,
            }
        };
    }
    #[cfg(target_arch = "x86_64")]
    return detect!("sse3" "ssse3" "sse4.1" "sse4.2" "avx" "avx2" "fma" "bmi1" "bmi2" "lzcnt" "popcnt");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}
