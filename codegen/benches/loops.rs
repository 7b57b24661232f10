//! Question: what does an iteration of a loop cost, and what does compiling a long body cost?
//! Baseline: the first row, a sum of a few operations; a scalar machine takes about a nanosecond. Unit: ns an
//! iteration, µs an operation to compile; medians.
//!
//! `cargo bench -p evolute-codegen --bench loops [-- filter]`

use evolute_codegen::{Code, CodegenOptions, compile};
use evolute_ir::{
    Builder, Elem, Literal, LoopSpec, Op, Prim, Program, Reduction, Shape, Strides, Trips, Type, Value,
};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// A program of so many iterations.
type Make = fn(usize) -> Program;

fn main() {
    let filter = std::env::args().skip(1).find(|a| !a.starts_with('-')).unwrap_or_default();
    let n = 10_000;
    let cases: [(&str, Make); 7] = [
        ("sum of squares", sum_of_squares),
        ("stencil gradient", stencil_gradient),
        ("scalar carry", scalar_carry),
        ("array carry of 4", array_carry),
        ("pairs", |n| pairs(n.isqrt())),
        ("pointwise and reduce", pointwise),
        ("dot", |n| dot(n.isqrt() / 4)),
    ];
    for (name, make) in cases {
        if name.contains(&filter) {
            let program = make(n);
            let code = compile(&program, &options()).expect("compiles");
            let iterations = if name == "dot" { (n.isqrt() / 4).pow(3) } else { n };
            let time = run(&code, &program).as_secs_f64() * 1e9 / iterations as f64;
            println!("{name}: {time:.2} ns, {} bytes of code", code.code_bytes());
        }
    }
    if "long bodies".contains(&filter) {
        for operations in [300, 1000, 3000, 10_000, 30_000, 100_000] {
            let program = long_body(operations);
            let start = Instant::now();
            let code = compile(&program, &options()).expect("compiles");
            let compiling = start.elapsed().as_secs_f64() * 1e6 / operations as f64;
            let running = run(&code, &program).as_secs_f64() * 1e9 / (20 * operations) as f64;
            println!("body of {operations}: {compiling:.1} µs to compile, {running:.2} ns an operation");
        }
    }
}

fn options() -> CodegenOptions {
    CodegenOptions { verify: false, ..Default::default() }
}

/// The median time of a call.
fn run(code: &Code, program: &Program) -> Duration {
    let buffer = |ty: &Type| (0..ty.shape.len()).map(|i| 0.5 + i as f64 * 1e-5).collect::<Vec<f64>>();
    let inputs: Vec<Vec<f64>> = program.param_types().iter().map(buffer).collect();
    let mut outputs: Vec<Vec<f64>> = program.result_types().iter().map(buffer).collect();
    let mut workspace = vec![0u64; code.workspace_bytes() / 8 + 8];
    let aligned = workspace.as_ptr().align_offset(64);
    let ins: Vec<*const u8> = inputs.iter().map(|x| x.as_ptr().cast()).collect();
    let outs: Vec<*mut u8> = outputs.iter_mut().map(|x| x.as_mut_ptr().cast()).collect();
    let mut times: Vec<Duration> = (0..41)
        .map(|_| {
            let start = Instant::now();
            // SAFETY: all parameters and results are `f64`s of the lengths of their types; the workspace has
            // room behind its first aligned address.
            let status =
                unsafe { code.call(ins.as_ptr(), outs.as_ptr(), workspace[aligned..].as_mut_ptr().cast()) };
            black_box(status);
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}

struct Writer(Builder);

impl Writer {
    fn array(&mut self, shape: &[usize]) -> Value {
        self.0.param(&Type::array(Elem::F64, shape).expect("small"))
    }

    fn scalar(&mut self) -> Value {
        self.0.param(&Type::scalar(Elem::F64))
    }

    fn number(&mut self) -> Value {
        self.0.param(&Type::scalar(Elem::I64))
    }

    fn real(&mut self, x: f64) -> Value {
        self.0.constant(Literal::from(x))
    }

    fn op(&mut self, prim: Prim, operands: &[Value]) -> Value {
        self.0.insert(Op::Prim(prim), operands).expect("well typed")
    }

    fn add_at(&mut self, operands: &[Value]) -> Value {
        self.0.insert(Op::AddAt, operands).expect("well typed")
    }

    fn view(&mut self, x: Value, shape: &[usize], offset: i64, strides: &[i64]) -> Value {
        let ty = Type { elem: Elem::F64, shape: Shape::new(shape).expect("small") };
        let strides = self.0.strides(&Strides { offset, strides: strides.into() });
        let ty = self.0.intern(&ty);
        self.0.insert(Op::View(ty, strides), &[x]).expect("in range")
    }

    fn looping(
        &mut self,
        n: usize,
        [carries, rows, sums]: [u32; 3],
        operands: &[Value],
        body: impl FnOnce(&mut Self) -> Vec<Value>,
    ) -> Vec<Value> {
        self.0.open_region();
        let results = body(self);
        let body = self.0.close_region(&results).expect("open");
        let spec = LoopSpec { carries, rows, sums, ..LoopSpec::new(Trips::Fixed(n as u32)) };
        self.0.looping(spec, None, body, operands).expect("well typed")
    }

    fn finish(self, results: &[Value]) -> Program {
        self.0.finish(results).expect("open")
    }
}

/// `Σ (a xᵢ − yᵢ)²`.
fn sum_of_squares(n: usize) -> Program {
    let mut w = Writer(Builder::new());
    let (a, x, y) = (w.scalar(), w.array(&[n]), w.array(&[n]));
    let zero = w.real(0.0);
    let results = w.looping(n, [0, 2, 1], &[x, y, zero], |w| {
        w.number();
        let (x, y, sum) = (w.scalar(), w.scalar(), w.scalar());
        let product = w.op(Prim::Mul, &[a, x]);
        let residual = w.op(Prim::Sub, &[product, y]);
        let square = w.op(Prim::Mul, &[residual, residual]);
        vec![w.add_at(&[sum, square])]
    });
    w.finish(&results)
}

/// `gᵢ += 2 xᵢ(xᵢ₊₁ − xᵢ)`, `gᵢ₊₁ −= …`, by computed indices.
fn stencil_gradient(n: usize) -> Program {
    let mut w = Writer(Builder::new());
    let x = w.array(&[n + 1]);
    let zero = w.real(0.0);
    let zeros = w.view(zero, &[n + 1], 0, &[0]);
    let results = w.looping(n, [0, 0, 1], &[zeros], |w| {
        let i = w.number();
        let sum = w.array(&[n + 1]);
        let one = w.0.constant(Literal::I64(1));
        let j = w.op(Prim::Add, &[i, one]);
        let [a, b] = [i, j].map(|k| w.0.insert(Op::At, &[x, k]).expect("well typed"));
        let difference = w.op(Prim::Sub, &[b, a]);
        let product = w.op(Prim::Mul, &[a, difference]);
        let negative = w.op(Prim::Neg, &[product]);
        let sum = w.add_at(&[sum, product, i]);
        vec![w.add_at(&[sum, negative, j])]
    });
    w.finish(&results)
}

/// `x ← r x (1 − x)`.
fn scalar_carry(n: usize) -> Program {
    let mut w = Writer(Builder::new());
    let (r, x) = (w.scalar(), w.scalar());
    let results = w.looping(n, [1, 0, 0], &[x], |w| {
        w.number();
        let x = w.scalar();
        let one = w.real(1.0);
        let rest = w.op(Prim::Sub, &[one, x]);
        let scaled = w.op(Prim::Mul, &[r, x]);
        vec![w.op(Prim::Mul, &[scaled, rest])]
    });
    w.finish(&results)
}

/// `x ← A x` of 4 elements, each product stacked.
fn array_carry(n: usize) -> Program {
    let mut w = Writer(Builder::new());
    let (a, x) = (w.array(&[1, 4, 4]), w.array(&[4]));
    let results = w.looping(n, [1, 0, 0], &[x], |w| {
        w.number();
        let x = w.array(&[4]);
        let column = w.view(x, &[1, 4, 1], 0, &[0, 1, 0]);
        let product = w.0.insert(Op::Dot, &[a, column]).expect("well typed");
        let next = w.view(product, &[4], 0, &[1]);
        vec![next, next]
    });
    w.finish(&results)
}

/// `Σᵢ Σⱼ 1 / (1 + (xᵢ − xⱼ)²)`.
fn pairs(n: usize) -> Program {
    let mut w = Writer(Builder::new());
    let x = w.array(&[n]);
    let zero = w.real(0.0);
    let results = w.looping(n, [0, 1, 1], &[x, zero], |w| {
        w.number();
        let (a, sum) = (w.scalar(), w.scalar());
        w.looping(n, [0, 1, 1], &[x, sum], |w| {
            w.number();
            let (b, sum) = (w.scalar(), w.scalar());
            let one = w.real(1.0);
            let difference = w.op(Prim::Sub, &[a, b]);
            let square = w.op(Prim::Mul, &[difference, difference]);
            let more = w.op(Prim::Add, &[one, square]);
            let term = w.op(Prim::Div, &[one, more]);
            vec![w.add_at(&[sum, term])]
        })
    });
    w.finish(&results)
}

/// `Σ (x y + x)²` over whole arrays.
fn pointwise(n: usize) -> Program {
    let mut w = Writer(Builder::new());
    let (x, y) = (w.array(&[n]), w.array(&[n]));
    let product = w.op(Prim::Mul, &[x, y]);
    let sum = w.op(Prim::Add, &[product, x]);
    let square = w.op(Prim::Mul, &[sum, sum]);
    let ty = w.0.intern(&Type::scalar(Elem::F64));
    let result = w.0.insert(Op::Reduce(Reduction::Sum, ty), &[square]).expect("well typed");
    w.finish(&[result])
}

fn dot(n: usize) -> Program {
    let mut w = Writer(Builder::new());
    let (a, b) = (w.array(&[1, n, n]), w.array(&[1, n, n]));
    let product = w.0.insert(Op::Dot, &[a, b]).expect("well typed");
    w.finish(&[product])
}

/// Twenty iterations of so many operations on two scalars.
fn long_body(operations: usize) -> Program {
    let mut w = Writer(Builder::new());
    let x = w.array(&[50]);
    let elements: Vec<Value> = (0..50).map(|i| w.0.insert(Op::Element(i), &[x]).expect("in range")).collect();
    let results = w.looping(20, [2, 0, 0], &elements[..2], |w| {
        w.number();
        let mut values = vec![w.scalar(), w.scalar()];
        for k in 0..operations {
            let near = values[values.len() - 1 - k % 2];
            let far = if k % 10 == 0 { values[(k * 7919) % values.len()] } else { elements[k % 50] };
            let prim = [Prim::Add, Prim::Mul, Prim::Sub][k % 3];
            values.push(w.op(prim, &[near, far]));
        }
        values.split_off(values.len() - 2)
    });
    w.finish(&results)
}
