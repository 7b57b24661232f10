//! Tests of what only shows on other processors: a fused multiply-add without the instruction rounds
//! once, in both real kinds. The oracle is the standard library.

use crate::compile::compile_with;
use crate::options::CodegenOptions;
use evolute_ir::{Builder, Elem, Op, Prim, Program, Type};

fn fused(elem: Elem) -> Program {
    let mut builder = Builder::new();
    let [x, y, z] = [0, 1, 2].map(|_| builder.param(&Type::scalar(elem)));
    let r = builder.insert(Op::Prim(Prim::MulAdd), &[x, y, z]).expect("well typed");
    builder.finish(&[r]).expect("open")
}

/// Calls code of three scalars to one.
fn call<T: Default>(program: &Program, inputs: &[[T; 3]], mut result: impl FnMut(&[T; 3], T)) {
    let code = compile_with(program, &CodegenOptions::default(), false).expect("compiles");
    for row in inputs {
        let pointers: [*const u8; 3] = std::array::from_fn(|i| (&raw const row[i]).cast());
        let mut output = T::default();
        let outputs = [(&raw mut output).cast::<u8>()];
        // SAFETY: three scalars in, one out; nothing crosses chunks, so no workspace.
        let status = unsafe { code.call(pointers.as_ptr(), outputs.as_ptr(), std::ptr::null_mut()) };
        assert_eq!(status, 0);
        result(row, output);
    }
}

/// Triples whose sums cancel, tie, overflow and underflow.
fn triples() -> Vec<[f32; 3]> {
    let special = [0.0, 1e-45, 1e-38, 1.0, 1.0f32.next_up(), 3.0, 1e30, f32::MAX, f32::INFINITY, f32::NAN];
    let signed: Vec<f32> = special.iter().flat_map(|&x| [x, -x]).collect();
    let pairs = signed.iter().flat_map(|&x| signed.iter().map(move |&y| (x, y)));
    let mut rows: Vec<[f32; 3]> = pairs.flat_map(|(x, y)| signed.iter().map(move |&z| [x, y, z])).collect();
    let mut state = 1u64;
    let mut random = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        f32::from_bits((state >> 32) as u32)
    };
    for _ in 0..100_000 {
        let [x, y, z] = [random(), random(), random()];
        let scale = f32::from_bits(z.to_bits() & 0x807f_ffff | 0x3f80_0000);
        rows.push([x, y, z]);
        rows.push([x, y, -x * y * scale]);
        rows.push([x, y, x * y * f32::EPSILON * scale / 4.0]);
    }
    rows
}

#[test]
fn multiply_add_without_the_instruction_rounds_once() {
    call(&fused(Elem::F32), &triples(), |&[x, y, z], r| {
        let expected = x.mul_add(y, z);
        assert!(
            r.to_bits() == expected.to_bits() || r.is_nan() && expected.is_nan(),
            "{x:e} {y:e} {z:e}: {r:e}"
        );
    });
    let wide: Vec<[f64; 3]> = triples().iter().map(|row| row.map(f64::from)).collect();
    call(&fused(Elem::F64), &wide, |&[x, y, z], r| {
        let expected = x.mul_add(y, z);
        assert!(
            r.to_bits() == expected.to_bits() || r.is_nan() && expected.is_nan(),
            "{x:e} {y:e} {z:e}: {r:e}"
        );
    });
}
