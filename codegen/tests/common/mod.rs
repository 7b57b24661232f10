//! What the tests share: calling code on buffers, and comparing it with the interpreter bit for bit.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use evolute_codegen::{Code, CodegenOptions, Regalloc, compile};
use evolute_ir::{Buffer, Elem, EvalError, Failure, Interpreter, Literal, Program, Type};

#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line([u8; 64]);

/// Calls `code` on buffers that fit `program`.
pub fn call(code: &Code, program: &Program, inputs: &[Buffer]) -> Result<Vec<Buffer>, Failure> {
    let mut outputs: Vec<Buffer> = program.result_types().iter().map(rubbish).collect();
    let input_pointers: Vec<*const u8> = inputs.iter().map(address).collect();
    let output_pointers: Vec<*mut u8> = outputs.iter_mut().map(address_mut).collect();
    let mut workspace = vec![Line([0xa5; 64]); code.workspace_bytes().div_ceil(64)];
    let workspace = workspace.as_mut_ptr().cast();
    // SAFETY: inputs were checked by the interpreter, outputs are made for the result types.
    match unsafe { code.call(input_pointers.as_ptr(), output_pointers.as_ptr(), workspace) } {
        0 => Ok(outputs),
        status => Err(code.failure(status)),
    }
}

/// What an output may hold before it is written.
fn rubbish(ty: &Type) -> Buffer {
    let len = ty.shape.len();
    match ty.elem {
        Elem::F64 => Buffer::F64(vec![f64::NAN; len]),
        Elem::F32 => Buffer::F32(vec![f32::NAN; len]),
        Elem::I64 => Buffer::I64(vec![i64::MIN; len]),
        Elem::Bool => Buffer::Bool(vec![true; len]),
    }
}

fn address(buffer: &Buffer) -> *const u8 {
    match buffer {
        Buffer::F64(x) => x.as_ptr().cast(),
        Buffer::F32(x) => x.as_ptr().cast(),
        Buffer::I64(x) => x.as_ptr().cast(),
        Buffer::Bool(x) => x.as_ptr().cast(),
    }
}

fn address_mut(buffer: &mut Buffer) -> *mut u8 {
    address(buffer).cast_mut()
}

/// Native code gives the interpreter's bits or its failure.
pub fn check_with(program: &Program, inputs: &[Buffer], options: &CodegenOptions) {
    let code = compile(program, options).expect("the program compiles");
    check_code(&code, program, inputs);
}

/// The same for code already compiled.
pub fn check_code(code: &Code, program: &Program, inputs: &[Buffer]) {
    let expected = Interpreter::new(program).expect("an operator-free program").eval(inputs);
    match (call(code, program, inputs), expected) {
        (Ok(native), Ok(expected)) => assert_same(&native, &expected, inputs),
        (Err(native), Err(EvalError::Failure(expected))) => assert_eq!(native, expected),
        (native, expected) => panic!("native {native:?}, interpreter {expected:?} on {inputs:?}"),
    }
}

/// The same under every register allocator, in one function and in many.
pub fn check(program: &Program, inputs: &[Buffer]) {
    for regalloc in [Regalloc::Backtracking, Regalloc::SinglePass] {
        for chunk in [1, 7, 64, 1000] {
            check_with(
                program,
                inputs,
                &CodegenOptions { verify: true, regalloc, chunk, ..CodegenOptions::default() },
            );
        }
    }
}

fn assert_same(native: &[Buffer], expected: &[Buffer], inputs: &[Buffer]) {
    assert_eq!(native.len(), expected.len());
    for (result, (native, expected)) in native.iter().zip(expected).enumerate() {
        assert_eq!(native.len(), expected.len());
        for i in 0..native.len() {
            let (a, b) = (canonical(native.get(i)), canonical(expected.get(i)));
            assert_eq!(a, b, "result {result}[{i}]: native {a}, interpreter {b} on {}", brief(inputs));
        }
    }
}

fn brief(inputs: &[Buffer]) -> String {
    let mut text = format!("{inputs:?}");
    text.truncate(text.char_indices().nth(300).map_or(text.len(), |(i, _)| i));
    text
}

/// NaNs are one class.
fn canonical(x: Literal) -> Literal {
    match x {
        Literal::F64(bits) if f64::from_bits(bits).is_nan() => Literal::F64(f64::NAN.to_bits()),
        Literal::F32(bits) if f32::from_bits(bits).is_nan() => Literal::F32(f32::NAN.to_bits()),
        other => other,
    }
}

/// A small generator: xorshift64*.
pub struct Random(pub u64);

impl Random {
    pub fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, n: usize) -> usize {
        ((self.bits() >> 33) as usize) % n
    }

    /// Uniform in −2..2.
    pub fn real(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 51) as f64 - 2.0
    }
}
