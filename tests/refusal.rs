//! Where the system refuses executable memory `compile` says so, and the interpreter serves.
//!
//! The refusal is Linux's own, by `PR_SET_MDWE` (from version 6.3 on). It holds for the rest of the process, so
//! this is the only test here.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use evolute::prelude::*;
use evolute::{CodegenError, CompileError, Error, Scalars};
use std::ffi::{c_int, c_ulong};
use std::fs;

const PR_SET_MDWE: c_int = 65;
const PR_MDWE_REFUSE_EXEC_GAIN: c_ulong = 1;

unsafe extern "C" {
    fn prctl(option: c_int, ...) -> c_int;
}

/// From now on no page becomes executable; whether the system knows this request.
fn refuse_executable_memory() -> bool {
    let unused: c_ulong = 0;
    // SAFETY: this request reads four words and no memory.
    unsafe { prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, unused, unused, unused) == 0 }
}

fn mappings() -> usize {
    fs::read_to_string("/proc/self/maps").expect("Linux").lines().count()
}

fn check_refused(f: &Function<Scalars<F64>, Scalars<F64>>) {
    let Err(error) = f.compile() else { panic!("a page became executable") };
    assert!(
        matches!(&error, Error::Compile(CompileError::Codegen(CodegenError::ExecutableMemory { .. }))),
        "{error:?}"
    );
}

#[test]
fn refused_executable_memory_is_an_error_and_the_interpreter_serves() {
    let f = Function::scalar(2, |x| x[0].sin() * x[1]).and_then(|f| f.grad()).expect("traces");
    let (x, before) = ([0.5, 2.0], f.compile().expect("compiles"));
    let expected = before.call(&x).expect("fits");
    if !refuse_executable_memory() {
        eprintln!("this system has no way to refuse executable memory");
        return;
    }
    check_refused(&f);
    let start = mappings();
    (0..100).for_each(|_| check_refused(&f));
    assert!(mappings() <= start + 5, "what is refused is unmapped");
    assert_eq!(before.call(&x).expect("fits"), expected, "code made before");
    assert_eq!(f.interpreted().and_then(|f| f.call(&x)).expect("fits"), expected);
}
