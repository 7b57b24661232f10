//! Question: what do compiling and running straight-line code cost, by size, chunk and allocator?
//! Baseline: the same Rosenbrock product as a plain Rust loop. Unit: µs an operation to compile, ns an
//! operation to run, ns a call; medians.
//!
//! `cargo bench -p evolute-codegen --bench straight_line [-- filter]`

use evolute_codegen::{Code, CodegenOptions, Regalloc, Schedule, compile};
use evolute_ir::{Builder, Elem, Literal, Op, Prim, Program, Type, Value};
use std::hint::black_box;
use std::time::{Duration, Instant};

fn main() {
    let filter = std::env::args().skip(1).find(|a| !a.starts_with('-')).unwrap_or_default();
    let cases: [(&str, fn()); 6] = [
        ("call", call_overhead),
        ("rosenbrock", rosenbrock_hvp),
        ("constructs", constructs),
        ("sizes", sizes),
        ("chunks", chunks),
        ("allocators", allocators),
    ];
    for (name, run) in cases {
        if name.contains(&filter) {
            println!("── {name}");
            run();
        }
    }
}

fn call_overhead() {
    let mut builder = Builder::new();
    builder.param(&array(1));
    report("empty", &builder.finish(&[]).expect("open"), &options());
}

fn rosenbrock_hvp() {
    for n in [10, 100, 1000, 10_000] {
        let program = rosenbrock(n, false);
        for chunk in [300, 1000, 3000] {
            let options = CodegenOptions { chunk, ..options() };
            report(&format!("hvp n={n} chunk={chunk}"), &program, &options);
        }
        report(&format!("value+gradient+hvp n={n}"), &rosenbrock(n, true), &options());
        let (x, v, mut h) = (values(n), values(n), vec![0.0; n]);
        let time = median(|| plain_loop(black_box(&x), black_box(&v), black_box(&mut h)));
        println!("plain Rust loop n={n}: {:.1} ns", nanos(time));
    }
}

/// Kernel calls between arithmetic, and selections with unpredictable conditions.
fn constructs() {
    for (name, program) in [("softplus", softplus(100)), ("kinks", kinks(100))] {
        report(name, &program, &options());
    }
}

/// `Σ softplus(−x v)` and its gradient in `x`.
fn softplus(n: usize) -> Program {
    let mut w = Writer(Builder::new());
    let (x, v) = (w.elements(n), w.elements(n));
    let mut sum = w.0.constant(Literal::from(0.0));
    let mut gradient = Vec::new();
    for i in 0..n {
        let product = w.mul(x[i], v[i]);
        let t = w.prim(Prim::Neg, &[product]);
        let term = w.prim(Prim::Softplus, &[t]);
        sum = w.add(sum, term);
        let sigmoid = w.prim(Prim::Sigmoid, &[t]);
        let slope = w.mul(sigmoid, v[i]);
        gradient.push(w.prim(Prim::Neg, &[slope]));
    }
    let gradient = w.pack(&gradient);
    w.0.finish(&[sum, gradient]).expect("open")
}

/// `x` where it exceeds `v`, else `x v`, on a chain that makes the conditions depend on each other.
fn kinks(n: usize) -> Program {
    let mut w = Writer(Builder::new());
    let (x, v) = (w.elements(n), w.elements(n));
    let mut y = x[0];
    for i in 1..n {
        let exceeds = w.prim(Prim::Gt, &[y, v[i]]);
        let (scaled, moved) = (w.scale(0.1, y), w.add(y, x[i]));
        y = w.0.insert(Op::Select, &[exceeds, scaled, moved]).expect("well typed");
    }
    w.0.finish(&[y]).expect("open")
}

fn sizes() {
    for size in [100, 1000, 10_000, 100_000, 1_000_000] {
        report(&format!("mixed {size}"), &mixed(size, 10), &options());
        report(&format!("rosenbrock {size}"), &rosenbrock(size / 13, false), &options());
    }
}

fn chunks() {
    let programs = [
        ("scattered", mixed(100_000, 1)),
        ("mixed", mixed(100_000, 10)),
        ("rosenbrock", rosenbrock(7_700, false)),
    ];
    for (name, program) in programs {
        for regalloc in [Regalloc::Backtracking, Regalloc::SinglePass] {
            for chunk in [125, 500, 1000, 2000, 4000] {
                let options = CodegenOptions { chunk, regalloc, ..options() };
                report(&format!("{name} {regalloc:?} chunk={chunk}"), &program, &options);
            }
        }
    }
}

fn allocators() {
    for size in [1000, 10_000, 100_000, 300_000, 1_000_000] {
        for (name, program) in [("mixed", mixed(size, 10)), ("rosenbrock", rosenbrock(size / 13, false))] {
            for regalloc in [Regalloc::Backtracking, Regalloc::SinglePass] {
                report(
                    &format!("{name} {size} {regalloc:?}"),
                    &program,
                    &CodegenOptions { regalloc, ..options() },
                );
            }
        }
    }
}

fn options() -> CodegenOptions {
    CodegenOptions { verify: false, ..CodegenOptions::default() }
}

/// Compiles and runs a program of `f64` arrays.
fn report(name: &str, program: &Program, options: &CodegenOptions) {
    let start = Instant::now();
    let schedule = Schedule::new(program, options).expect("schedules");
    let scheduled = start.elapsed();
    let start = Instant::now();
    let code = compile(program, options).expect("compiles");
    let mut compiled = start.elapsed();
    if compiled < Duration::from_millis(50) {
        compiled = median(|| drop(compile(program, options)));
    }
    let run = run(&code, program);
    let steps = schedule.len().max(1) as f64;
    println!(
        "{name:44} {steps:8} steps  schedule {:5.2} compile {:6.2} µs/op  run {:10.1} ns {:6.3} ns/op  {:5.1} B/op  ws {}",
        nanos(scheduled) / 1e3 / steps,
        nanos(compiled) / 1e3 / steps,
        nanos(run),
        nanos(run) / steps,
        code.code_bytes() as f64 / steps,
        code.workspace_bytes()
    );
}

fn run(code: &Code, program: &Program) -> Duration {
    let inputs: Vec<Vec<f64>> = program.param_types().iter().map(|ty| values(ty.shape.len())).collect();
    let mut outputs: Vec<Vec<f64>> =
        program.result_types().iter().map(|ty| vec![0.0; ty.shape.len()]).collect();
    let inputs: Vec<*const u8> = inputs.iter().map(|x| x.as_ptr().cast()).collect();
    let outputs: Vec<*mut u8> = outputs.iter_mut().map(|x| x.as_mut_ptr().cast()).collect();
    let mut workspace = vec![0u64; code.workspace_bytes() / 8 + 16];
    let start = workspace.as_mut_ptr().cast::<u8>();
    let workspace = start.wrapping_add(start.align_offset(64));
    // SAFETY: buffers of the program's types; the 16 spare words leave room to align.
    median(|| {
        black_box(unsafe { code.call(inputs.as_ptr(), outputs.as_ptr(), workspace) });
    })
}

/// The median over batches that last long enough to be timed.
fn median(mut f: impl FnMut()) -> Duration {
    let start = Instant::now();
    f();
    let once = start.elapsed().max(Duration::from_nanos(1));
    let repeat = (Duration::from_millis(3).as_nanos() / once.as_nanos()).clamp(1, 300_000) as u32;
    let mut times: Vec<Duration> = (0..15)
        .map(|_| {
            let start = Instant::now();
            (0..repeat).for_each(|_| f());
            start.elapsed() / repeat * 1000
        })
        .collect();
    times.sort();
    times[times.len() / 2] / 1000
}

fn nanos(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9
}

fn values(n: usize) -> Vec<f64> {
    (0..n).map(|i| 1.0 + 0.01 * (i % 17) as f64).collect()
}

fn array(n: usize) -> Type {
    Type::array(Elem::F64, &[n]).expect("small")
}

/// A thin layer for writing programs by hand.
struct Writer(Builder);

impl Writer {
    fn elements(&mut self, n: usize) -> Vec<Value> {
        let x = self.0.param(&array(n));
        (0..n as u32).map(|i| self.0.insert(Op::Element(i), &[x]).expect("in range")).collect()
    }
    fn prim(&mut self, prim: Prim, operands: &[Value]) -> Value {
        self.0.insert(Op::Prim(prim), operands).expect("well typed")
    }
    fn add(&mut self, x: Value, y: Value) -> Value {
        self.prim(Prim::Add, &[x, y])
    }
    fn sub(&mut self, x: Value, y: Value) -> Value {
        self.prim(Prim::Sub, &[x, y])
    }
    fn mul(&mut self, x: Value, y: Value) -> Value {
        self.prim(Prim::Mul, &[x, y])
    }
    fn scale(&mut self, c: f64, x: Value) -> Value {
        let c = self.0.constant(Literal::from(c));
        self.mul(c, x)
    }
    fn pack(&mut self, elements: &[Value]) -> Value {
        let ty = self.0.intern(&array(elements.len()));
        self.0.insert(Op::Pack(ty), elements).expect("well typed")
    }
}

/// `Σ 100 (x[i+1] − x[i]²)² + (1 − x[i])²`: the Hessian-vector product, as forward over reverse leaves
/// it: one sweep up for the primal and its tangent, one down for the cotangents.
fn rosenbrock(n: usize, all: bool) -> Program {
    let mut w = Writer(Builder::new());
    let (x, v) = (w.elements(n), w.elements(n));
    let one = w.0.constant(Literal::from(1.0));
    let mut f = w.0.constant(Literal::from(0.0));
    let mut terms = Vec::new();
    for i in 0..n - 1 {
        let square = w.mul(x[i], x[i]);
        let a = w.sub(x[i + 1], square);
        let b = w.sub(one, x[i]);
        let xv = w.mul(x[i], v[i]);
        let square_dot = w.add(xv, xv);
        let a_dot = w.sub(v[i + 1], square_dot);
        if all {
            let (aa, bb) = (w.mul(a, a), w.mul(b, b));
            let aa = w.scale(100.0, aa);
            let term = w.add(aa, bb);
            f = w.add(f, term);
        }
        terms.push((a, b, a_dot));
    }
    let zero = w.0.constant(Literal::from(0.0));
    let (mut g, mut h) = (vec![zero; n], vec![zero; n]);
    for i in (0..n - 1).rev() {
        let (a, b, a_dot) = terms[i];
        let (a_bar, a_bar_dot) = (w.scale(200.0, a), w.scale(200.0, a_dot));
        let (x2, v2) = (w.add(x[i], x[i]), w.add(v[i], v[i]));
        h[i + 1] = w.add(h[i + 1], a_bar_dot);
        let (p, q) = (w.mul(a_bar_dot, x2), w.mul(a_bar, v2));
        let sum = w.add(p, q);
        h[i] = w.sub(v2, sum);
        if all {
            g[i + 1] = w.add(g[i + 1], a_bar);
            let (p, b2) = (w.mul(a_bar, x2), w.add(b, b));
            let sum = w.add(p, b2);
            g[i] = w.prim(Prim::Neg, &[sum]);
        }
    }
    let h = w.pack(&h);
    let results = if all { vec![f, w.pack(&g), h] } else { vec![h] };
    w.0.finish(&results).expect("open")
}

fn plain_loop(x: &[f64], v: &[f64], h: &mut [f64]) {
    h.fill(0.0);
    for i in 0..x.len() - 1 {
        let a = x[i + 1] - x[i] * x[i];
        let a_dot = v[i + 1] - 2.0 * x[i] * v[i];
        let (a_bar, a_bar_dot) = (200.0 * a, 200.0 * a_dot);
        h[i + 1] += a_bar_dot;
        h[i] += 2.0 * v[i] - (a_bar_dot * 2.0 * x[i] + a_bar * 2.0 * v[i]);
    }
}

/// A forward sweep with one operand in `near` from afar and one operation in a hundred a kernel, and a
/// reverse sweep that uses its values in the opposite order.
fn mixed(size: usize, near: usize) -> Program {
    let mut w = Writer(Builder::new());
    let inputs = w.elements(64);
    let mut values = inputs.clone();
    let mut state = 1u64;
    let mut below = |n: usize| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize % n
    };
    for i in 0..size / 4 {
        let last = values[values.len() - 1];
        let reach = if below(near) == 0 { values.len() } else { 20 };
        let other = values[values.len() - 1 - below(reach.min(values.len()))];
        let value = match below(100) {
            0 => w.prim(Prim::Sin, &[last]),
            1..50 => w.mul(last, other),
            _ => w.add(inputs[i % 64], other),
        };
        values.push(value);
    }
    let mut bar = w.0.constant(Literal::from(1.0));
    let mut sum = bar;
    for &value in values[64..].iter().rev() {
        let term = w.mul(bar, value);
        bar = w.scale(0.5, term);
        sum = w.add(sum, bar);
    }
    w.0.finish(&[sum]).expect("open")
}
