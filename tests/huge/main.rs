//! Small programs over huge arrays: whatever is made of them takes memory and time in proportion to the text, or is
//! refused with a typed error.
//!
//! An allocator refuses what a mistake here would ask for, so that it ends the test and not the machine.

mod texts;

use evolute::ir::{Interpreter, IrError, Program, SourceLoc, text, verify};
use evolute::transforms::derive::{self, DeriveError};
use evolute::{CompileError, Executable, FpMode, Options};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// The most bytes that one program may take, all its derivatives and their machine code included.
const MOST: usize = 256 << 20;

/// The most instructions of a derivative. A program of so many takes some of these bytes.
const LIMIT: usize = 1 << 18;

/// The system's allocator, keeping account.
struct Limited;

static PRESENT: AtomicUsize = AtomicUsize::new(0);

fn take(bytes: usize) -> bool {
    let fits = PRESENT.fetch_add(bytes, Relaxed) + bytes <= MOST;
    if !fits {
        PRESENT.fetch_sub(bytes, Relaxed);
    }
    fits
}

// SAFETY: every method passes its arguments on to `System`, or refuses, as an allocator may.
unsafe impl GlobalAlloc for Limited {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        if take(layout.size()) { unsafe { System.alloc(layout) } } else { std::ptr::null_mut() }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        if take(layout.size()) { unsafe { System.alloc_zeroed(layout) } } else { std::ptr::null_mut() }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        PRESENT.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Limited = Limited;

type Operator = fn(&Program, &[usize], Option<SourceLoc>) -> Result<Program, DeriveError>;

const OPERATORS: [(&str, Operator); 7] = [
    ("jvp", derive::jvp),
    ("vjp", derive::vjp),
    ("grad", derive::grad),
    ("hvp", derive::hvp),
    ("vhv", derive::vhv),
    ("jacobian", derive::jacobian),
    ("hessian", derive::hessian),
];

/// Everything that is made of a program without evaluating it.
fn make(what: &str, program: &Program) {
    assert_eq!(text::parse(&program.to_string()).as_ref(), Ok(program), "{what}");
    for fp in [FpMode::Strict, FpMode::Contract] {
        let options = Options { fp, ..Options::default() };
        match Executable::new(program, &options) {
            Ok(native) => {
                assert_eq!(verify(native.program()), Ok(()), "{what}");
                native.clif().and_then(|_| native.disassembly()).unwrap_or_else(|e| panic!("{what}: {e}"));
                decode(what, native.program());
            }
            Err(CompileError::Codegen(error)) => {
                assert!(error.to_string().contains("limit"), "{what}: {error}")
            }
            Err(CompileError::Ir(error)) => {
                assert!(matches!(error, IrError::Array { .. } | IrError::Stored { .. }), "{what}: {error}")
            }
        }
        drop(Executable::new(program, &options.interpreted()));
    }
}

fn decode(what: &str, program: &Program) {
    match Interpreter::new(program) {
        Ok(_) | Err(IrError::Memory { .. }) => {}
        Err(error) => panic!("{what}: {error}"),
    }
}

fn check(name: &str, source: &str) {
    let start = Instant::now();
    let program = text::parse(source).unwrap_or_else(|error| panic!("{name}: {error}\n{source}"));
    let program = program.with_limit(LIMIT);
    make(name, &program);
    let real = program
        .param_types()
        .iter()
        .enumerate()
        .filter(|(_, ty)| ty.elem.is_real())
        .map(|(i, _)| i)
        .collect::<Vec<_>>();
    for (operator, derive) in OPERATORS {
        let what = format!("{operator} of {name}");
        match derive(&program, &real, None) {
            Ok(derived) => make(&what, &derived),
            Err(DeriveError::NotScalar { .. }) => {}
            Err(DeriveError::Ir(IrError::TooLarge { limit, .. })) => assert_eq!(limit, program.limit()),
            Err(DeriveError::Ir(IrError::Type { .. })) => {}
            Err(error) => panic!("{what}: {error}"),
        }
    }
    assert!(start.elapsed() < Duration::from_secs(60), "{name}: {:?}", start.elapsed());
}

#[test]
fn small_texts_of_huge_arrays_take_little() {
    for n in [16, 1_usize << 20, (1 << 31) - 8, 1 << 31] {
        for (name, source) in texts::TEXTS {
            let (half, eighth, last) = (n / 2, n / 8, n - 1);
            let source = source
                .replace("HALF", &half.to_string())
                .replace("EIGHTH", &eighth.to_string())
                .replace("LAST", &last.to_string())
                .replace('N', &n.to_string());
            check(&format!("{name} of {n}"), &source);
        }
    }
}
