//! Resources through the public interface: calls allocate nothing, dropped code is unmapped, no page is
//! writable and executable, and one function serves many threads.
//!
//! Tests take turns, as resident memory and mappings are those of the whole process.

use evolute::prelude::*;
use evolute::{Compiled, Execution, Scalars, Single};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::{Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

/// The system's allocator, counting what this thread asks of it.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    // A thread that is ending has no counter any more, and nobody who would read it.
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: every method passes its arguments on to `System`.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(f: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    f();
    ALLOCATIONS.get() - before
}

/// Held by the test whose turn it is.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn executions() -> [Options; 2] {
    [Options::default(), Options::default().interpreted()]
}

// ── allocations ─────────────────────────────────────────────────────────────────────────────────

type Chain = Compiled<(Scalars<F64>, Scalars<F64>), Scalars<F64>>;

/// A Hessian-vector product of `n` scalars: large ones take several functions and a workspace.
fn chain(n: usize, options: &Options) -> Chain {
    let f = Function::scalar(n, |x| x.windows(2).map(|x| (x[0] * x[1]).exp().sin()).sum::<Scalar>());
    f.and_then(|f| f.hvp()?.compile_with(options)).expect("compiles")
}

fn filled(n: usize) -> Vec<f64> {
    (0..n).map(|i| 0.5 + 0.3 * (i as f64).sin()).collect()
}

#[test]
fn calls_with_their_own_workspace_allocate_nothing() {
    let _turn = turn();
    for options in executions() {
        for n in [2, 2000] {
            let hvp = chain(n, &options);
            let needs_workspace = n == 2000 && options.execution == Execution::Native;
            assert_eq!(hvp.workspace().bytes() > 0, needs_workspace);
            let (x, mut h, mut workspace) = (filled(n), vec![0.0; n], hvp.workspace());
            let first = allocations(|| hvp.call_into((&x, &x), &mut h, &mut workspace).expect("fits"));
            assert_eq!(first, 0, "{n} scalars, {:?}", options.execution);
        }
    }
}

/// Functions that are called have frames on the stack and their part of the workspace.
#[test]
fn calls_of_functions_that_call_functions_allocate_nothing() {
    let _turn = turn();
    for options in executions() {
        let inner = Function::scalar(2, |x| (0..60).fold(x[0], |z, k| (z * x[1] + f64::from(k)).sin()));
        let inner = inner.expect("traced");
        let outer = Function::scalar(2, |x| {
            let z = (0..40).fold(x[0], |z, _| (z + x[1]).cos());
            inner.call(&[inner.call(&[z, x[1]]), z])
        });
        let outer = outer.expect("traced");
        let f = Function::scalar(2, |x| (0..9).fold(x[0], |z, _| outer.call(&[z, x[1]])));
        let hvp = f.and_then(|f| f.hvp()?.compile_with(&options)).expect("compiles");
        assert!(!hvp.executable().program().callees().is_empty());
        let (x, mut h, mut workspace) = ([0.3, 0.7], [0.0; 2], hvp.workspace());
        let call = || hvp.call_into((&x, &x), &mut h, &mut workspace).expect("fits");
        assert_eq!(allocations(call), 0, "{:?}", options.execution);
    }
}

#[test]
fn calls_with_many_arguments_allocate_nothing() {
    let _turn = turn();
    for options in executions() {
        let spec = ((scalars(2), scalar_of::<F32>(), scalar_of::<I64>()), scalar(), scalars(3));
        let f = Function::scalar(spec, |((a, b, c), d, e)| a[1] * *d + e[2] + b.to_f64() * c.to_f64());
        let f = f.and_then(|f| f.compile_with(&options)).expect("compiles");
        let (mut y, mut workspace) = (0.0, f.workspace());
        let mut call = || {
            let x = ((&[1.0, 2.0][..], &3.0f32, &4), &5.0, &[6.0, 7.0, 8.0][..]);
            f.call_into(x, &mut y, &mut workspace).expect("fits");
        };
        assert_eq!(allocations(&mut call), 0);
        assert_eq!(y, 2.0 * 5.0 + 8.0 + 3.0 * 4.0);
    }
}

/// Arrays, loops and conditionals, in both executions.
#[test]
fn calls_of_loops_and_arrays_allocate_nothing() {
    let _turn = turn();
    for options in executions() {
        let f = Function::trace((matrix(4, 3), vector_of::<I64>(5)), |(a, indices)| {
            let products = einsum("ij,kj->ik", &[*a, *a]).cumsum(0).transpose().sum_along(1);
            let gathered = a.gather(indices).powi(3).sum();
            let pairs = sum(4, |i| sum(i, |j| (a.row(i) * a.row(j)).sum().sin()));
            let scanned = scan(6, a.row(0), |x, i| cond(i.gt(2), || x * 0.5, || x.reversed(0) + a.row(1)));
            let halved = while_loop(gathered, |x| x.gt(1.0), |x| x / 2.0);
            products.prod() + pairs + scanned.maximum() + halved
        });
        let hvp = f.and_then(|f| f.wrt::<0>().hvp()?.compile_with(&options)).expect("compiles");
        let (a, indices) = (filled(12), [0, 3, 3, 1, 2]);
        let (mut h, mut workspace) = (vec![0.0; 12], hvp.workspace());
        for _ in 0..2 {
            let mut call = || hvp.call_into(((&a, &indices), &a), &mut h, &mut workspace).expect("fits");
            assert_eq!(allocations(&mut call), 0, "{options:?}");
        }
        assert!(h.iter().all(|x| x.is_finite()));
    }
}

#[test]
fn calls_of_external_functions_and_solvers_allocate_nothing() {
    let _turn = turn();
    let external = Function::external("double", vector(3), vector(3), |x, y| {
        y[0].iter_mut().zip(x[0]).for_each(|(y, x)| *y = 2.0 * x);
    });
    let external = external.expect("f64");
    let f = Function::trace(vector(3), |x| {
        linear_solve(|v: Array<'_>| v * 3.0 + x * v.sum(), external.call(*x), Solver::gmres())
    });
    let f = f.and_then(|f| f.compile()).expect("compiles");
    let (mut y, mut workspace) = (vec![0.0; 3], f.workspace());
    let mut call = || f.call_into(&[0.1, 0.2, 0.3], &mut y, &mut workspace).expect("it converges");
    assert_eq!(allocations(&mut call), 0);
}

/// What a factorisation needs is in the workspace. Products of large matrices keep memory of their own for each thread: the
/// first call may ask for that.
#[test]
fn linear_algebra_allocates_nothing() {
    let _turn = turn();
    for n in [3, 60] {
        let f = Function::trace((matrix(n, n), vector(n)), |(a, b)| {
            let x = a.solve(b);
            let (q, r) = a.qr();
            a.cholesky().solve_lower(x).sum() + a.logdet() + a.eigvalsh().maximum() + q.dot(r).sum()
        });
        let hvp = f.and_then(|f| f.wrt::<0>().hvp()?.compile()).expect("compiles");
        let mut a = filled(n * n);
        (0..n).for_each(|i| a[i * (n + 1)] = (n + i) as f64);
        let (b, mut h, mut workspace) = (filled(n), vec![0.0; n * n], hvp.workspace());
        let mut call = || hvp.call_into(((&a, &b), &a), &mut h, &mut workspace).expect("fits");
        call();
        assert_eq!(allocations(&mut call), 0, "{n} rows");
        assert!(h.iter().all(|x| x.is_finite()));
    }
}

#[derive(Clone, Params)]
struct Layers<T> {
    w: Vec<T>,
    b: [T; 2],
}

/// More buffers than are kept on the stack of a call: the workspace keeps them.
#[test]
fn calls_with_large_structs_allocate_nothing() {
    let _turn = turn();
    let layers = Layers { w: vec![vec![0.5, 0.25]; 20], b: [vec![1.0], vec![2.0]] };
    for options in executions() {
        let spec = Layers { w: vec![scalars(2); 20], b: [scalars(1), scalars(1)] };
        let f = Function::scalar(spec, |layers| {
            let numbers = layers.w.iter().chain(&layers.b).copied().flatten();
            numbers.map(|x| x.powi(3)).sum()
        });
        let hvp = f.and_then(|f| f.hvp()?.compile_with(&options)).expect("compiles");
        let (mut h, mut workspace) = (layers.clone(), hvp.workspace());
        for _ in 0..3 {
            let mut call = || hvp.call_into((&layers, &layers), &mut h, &mut workspace).expect("fits");
            assert_eq!(allocations(&mut call), 0);
        }
        assert_eq!((&h.w[19], &h.b[1]), (&vec![1.5, 0.375], &vec![24.0]));
    }
}

/// An empty workspace, or one of another function, grows in the first call and then serves.
#[test]
fn workspaces_serve_other_functions() {
    let _turn = turn();
    for options in executions() {
        let (small, large) = (chain(2, &options), chain(2000, &options));
        for mut workspace in [Workspace::new(), small.workspace()] {
            let (x, mut h) = (filled(2000), vec![0.0; 2000]);
            let mut call = || large.call_into((&x, &x), &mut h, &mut workspace).expect("fits");
            call();
            assert_eq!(allocations(&mut call), 0);
            assert_eq!(h, large.call((&x, &x)).expect("fits"));

            let (x, mut h) = (filled(2), vec![0.0; 2]);
            small.call_into((&x, &x), &mut h, &mut workspace).expect("fits");
            assert_eq!(h, small.call((&x, &x)).expect("fits"));
        }
    }
}

// ── threads ─────────────────────────────────────────────────────────────────────────────────────

#[test]
fn threads_share_one_function() {
    let _turn = turn();
    for options in executions() {
        let n = 500;
        let (hvp, x) = (chain(n, &options), filled(n));
        let expected = hvp.call((&x, &x)).expect("fits");
        let many_calls = || {
            let (mut h, mut workspace) = (vec![0.0; n], hvp.workspace());
            for _ in 0..100 {
                h.fill(f64::NAN);
                hvp.call_into((&x, &x), &mut h, &mut workspace).expect("fits");
                assert_eq!(h, expected);
            }
        };
        thread::scope(|scope| (0..8).for_each(|_| drop(scope.spawn(many_calls))));
    }
}

// ── code memory ─────────────────────────────────────────────────────────────────────────────────

#[cfg(target_os = "linux")]
#[path = "../codegen/tests/common/mappings.rs"]
mod mappings;

#[cfg(target_os = "linux")]
mod code_memory {
    use super::mappings::{executable_mappings, resident_bytes};
    use super::*;

    fn square(n: usize) -> Compiled<Scalars<F64>, Single<F64>> {
        let f = Function::scalar(n, |x| x[0] * x[0] + 1.0);
        f.and_then(|f| f.compile()).expect("compiles")
    }

    /// Runs `f` on another thread while this one examines the mappings.
    fn watched(f: impl FnOnce() + Send) {
        thread::scope(|scope| {
            let running = scope.spawn(f);
            while !running.is_finished() {
                executable_mappings();
                thread::sleep(Duration::from_micros(200));
            }
        });
    }

    #[test]
    fn cycles_of_compiling_and_dropping_leave_nothing() {
        let _turn = turn();
        let cycle = || {
            let f = square(1);
            assert_eq!(f.call(&[3.0]).expect("fits"), 10.0);
        };
        (0..500).for_each(|_| cycle());
        let (mappings, start) = (executable_mappings(), resident_bytes());
        watched(|| (0..10_000).for_each(|_| cycle()));
        assert_eq!(executable_mappings(), mappings);
        let growth = resident_bytes().saturating_sub(start);
        assert!(growth < 5_000_000, "{growth} bytes in 10 000 cycles");
    }

    #[test]
    fn a_tape_takes_the_memory_that_its_iterations_use() {
        let _turn = turn();
        // Room for 2²⁰ states of 64 numbers, of which a call needs six.
        let f = Function::trace(vector(64), |x| while_loop(*x, |x| x.at(0).gt(1.0), |x| x * x * 0.25).sum());
        let gradient = f.and_then(|f| f.grad()?.compile()).expect("compiles");
        assert!(gradient.executable().report().workspace_bytes > 64 << 23);
        let start = resident_bytes();
        let (mut workspace, mut result) = (gradient.workspace(), vec![0.0; 64]);
        gradient.call_into(&[3.9; 64], &mut result, &mut workspace).expect("it ends");
        assert!(result.iter().all(|&x| x > 1.0), "{result:?}");
        let growth = resident_bytes().saturating_sub(start);
        assert!(growth < 4_000_000, "{growth} bytes");
    }

    #[test]
    fn functions_may_be_dropped_on_other_threads() {
        let _turn = turn();
        drop(square(1));
        let before = executable_mappings();
        watched(|| {
            let functions: Vec<_> = (1..20).map(square).collect();
            assert!(executable_mappings() > before);
            thread::scope(|scope| drop(scope.spawn(move || drop(functions))));
        });
        assert_eq!(executable_mappings(), before);
    }
}
