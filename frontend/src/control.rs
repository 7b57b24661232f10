//! Loops and conditionals that stay loops and conditionals in the program.
//!
//! Each closure runs once, while the function is traced, and may use every traced value around it. What it
//! computes is returned from it: as a tree of scalars and arrays, a tuple, say. A value that leaves it otherwise (through a
//! captured `Cell`) is an error of the trace when it is used.
//!
//! | | iterations | an iteration | gives |
//! | --- | --- | --- | --- |
//! | [`sum`] | independent | `i ↦ term` | the sum of the terms |
//! | [`map`], [`map_rows`], [`vmap`] | independent | `i`, or rows of arrays, `↦ row` | the array of the rows |
//! | [`scan`], [`scan_stacked`] | in order | `(carry, i) ↦ carry` | the last carry |
//! | [`while_loop`] | in order, as long as a condition holds | `carry ↦ carry` | the last carry |
//! | [`cond`] | | one of two closures | what it gives |
//!
//! Reverse mode stores the carry of every iteration, or what it needs of an array if that is little (an element, a slice, a
//! reduction), or carries of few iterations ([`checkpoint`]). A carry that an iteration gives on as it is, is not stored.
//!
//! How often a loop runs is a number, or a traced integer: a loop's own index, whose bound is known, or any other with
//! [`Int::at_most`]. [`Count::rev`] runs it from the last iteration number to 0. Whether an array is read at `x.at(i)`,
//! or `x.row(2 * i + 1)`, is seen while tracing: then the loop goes over its rows.
//!
//! # Functions beside closures
//!
//! A closure that is kept in a variable has one lifetime chosen where it is written, and what it takes and gives belongs to
//! a trace: `let f = |x: Array| Array::of(&[x.sum(), x.prod()])` does not compile (`lifetime may not live long enough`). Where
//! it cannot stand at its place of use, write a function with the trace's lifetime, inside or outside:
//!
//! ```
//! use evolute_frontend::{Array, Function, jvp, vector};
//!
//! let f = Function::trace((vector(2), vector(2)), |(x, v)| {
//!     fn moments<'t>(x: Array<'t>) -> Array<'t> {
//!         Array::of(&[x.sum(), x.prod()])
//!     }
//!     moments(*x) + jvp(moments, *x, *v).1
//! })?;
//! assert_eq!(f.eval((&[2.0, 3.0], &[1.0, 0.0]))?, [6.0, 9.0]);
//! # Ok::<(), evolute_frontend::Error>(())
//! ```
//!
//! # Errors
//!
//! A mistake in a closure is an error of the trace, with its line: a value that leaves its loop or branch, an iteration that
//! gives other shapes than it was given, branches that give different ones. What only a call can know, an index or a number
//! of iterations, is an error of the call.
//!
//! ```
//! use evolute_frontend::{Function, matrix, sum};
//!
//! // Σ over pairs j < i of 1/distance.
//! let energy = Function::trace(matrix(3, 2), |r| {
//!     sum(r.rows(), |i| {
//!         let ri = r.row(i);
//!         sum(i, |j| 1.0 / (ri - r.row(j)).norm2())
//!     })
//! })?;
//! assert_eq!(energy.eval(&[0.0, 0.0, 3.0, 4.0, 0.0, 1.0])?, 0.2 + 1.0 + 1.0 / 18f64.sqrt());
//! # Ok::<(), evolute_frontend::Error>(())
//! ```

mod checkpoint;
mod count;
mod rows;

pub use checkpoint::{Checkpoint, Checkpointed, Limit, checkpoint};
pub use count::Count;
pub use rows::{map_rows, sum_rows, vmap};

use crate::trace::{self, Caller, LoopBody, Looped, Site, Term, Trace};
use crate::traced::{Condition, Int};
use crate::tree::{Leaf, Leaves, Stack, Tree, leaves, operands};
use evolute_ir::Value;
use std::panic::Location;

/// How often a [`while_loop`] runs at most.
pub const WHILE_CAP: usize = 1 << 20;

/// The sum of what a closure gives for `i` from 0 to below `n`: of a scalar, an array, a tuple of them; zeros if `n` is
/// 0.
///
/// # Errors
/// A traced `n` of which no bound is known is an error of the trace, one that is out of its bounds one of the call.
///
/// ```
/// use evolute_frontend::{Function, sum, vector};
///
/// let rosenbrock = Function::trace(vector(1000), |x| {
///     sum(999, |i| 100.0 * (x.at(i + 1) - x.at(i).powi(2)).powi(2) + (1.0 - x.at(i)).powi(2))
/// })?;
/// assert_eq!(rosenbrock.eval(&[0.0; 1000])?, 999.0);
/// assert!(rosenbrock.program().len() < 30);
/// # Ok::<(), evolute_frontend::Error>(())
/// ```
#[track_caller]
pub fn sum<'t, O: Tree<'t>>(n: impl Into<Count<'t>>, f: impl FnOnce(Int<'t>) -> O) -> O {
    let (n, caller) = (n.into(), Location::caller());
    let (output, leaves) = looped(caller, |site, output: &mut Option<O>| {
        let results = site.looped(n.turns(site), &[], &[], |index, _, _| {
            let given = output.insert(f(integer(site.trace, index)));
            LoopBody { sums: terms(&leaves(given)), ..LoopBody::default() }
        });
        like(site.trace, output, &results.sums)
    });
    output.rebuild(&mut leaves.into_iter())
}

/// The array whose row `i` is what a closure gives for `i`, from 0 to below `n`. Of a tuple it is a tuple of arrays, of
/// arrays an array with one more axis. If `n` is a traced integer, the rows from there on up to its bound are zeros.
///
/// # Errors
/// As of [`sum`]; a stack of more elements than an array may have is an error of the trace.
///
/// ```
/// use evolute_frontend::{Function, map, vector};
///
/// let f = Function::trace(vector(3), |x| map(2, |i| x.at(i + 1) - x.at(i)))?;
/// assert_eq!(f.eval(&[1.0, 2.0, 4.0])?, [1.0, 2.0]);
/// # Ok::<(), evolute_frontend::Error>(())
/// ```
#[track_caller]
pub fn map<'t, O: Stack<'t>>(n: impl Into<Count<'t>>, f: impl FnOnce(Int<'t>) -> O) -> O::Stacked {
    let (n, caller) = (n.into(), Location::caller());
    let (output, leaves) = looped(caller, |site, output: &mut Option<O>| {
        let results = site.looped(n.turns(site), &[], &[], |index, _, _| {
            let given = output.insert(f(integer(site.trace, index)));
            LoopBody { stacks: operands(&leaves(given)), ..LoopBody::default() }
        });
        arrays(like(site.trace, output, &results.stacks))
    });
    output.stacked(&mut leaves.into_iter())
}

/// The last carry: `f(… f(f(init, 0), 1) …, n − 1)`. What the closure gives has the elements and shapes that it is
/// given.
///
/// # Errors
/// As of [`sum`]; another carry than the closure was given, by elements or shapes, is an error of the trace.
///
/// ```
/// use evolute_frontend::{Function, scalar, scan};
///
/// // Newton's method for the square root.
/// let f = Function::trace(scalar(), |a| scan(6, *a, |x, _| 0.5 * (x + a / x)))?;
/// assert_eq!(f.eval(&4.0)?, 2.0);
/// # Ok::<(), evolute_frontend::Error>(())
/// ```
#[track_caller]
pub fn scan<'t, C: Tree<'t>>(n: impl Into<Count<'t>>, init: C, f: impl FnOnce(C, Int<'t>) -> C) -> C {
    let (n, caller) = (n.into(), Location::caller());
    let start = leaves(&init);
    let leaves = trace::within(caller, |trace| {
        let site = Site { trace, caller };
        let results =
            site.looped(n.turns(site), &trace.values(&operands(&start), caller), &[], |i, carry, _| {
                let carry = init.rebuild(&mut trace::leaves_like(trace, &start, carry).into_iter());
                let next = f(carry, integer(trace, i));
                LoopBody { carries: operands(&leaves(&next)), ..LoopBody::default() }
            });
        trace::leaves_like(trace, &start, &results.carries)
    });
    init.rebuild(&mut leaves.into_iter())
}

/// As [`scan`], with an array of what each iteration gives beside its carry, as [`map`] makes it.
///
/// # Errors
/// As of [`scan`] and of [`map`].
///
/// ```
/// use evolute_frontend::{Function, scalar, scan_stacked, vector};
///
/// let doubling = Function::trace_to(scalar(), (scalar(), vector(3)), |x| scan_stacked(3, *x, |c, _| (c + c, c)))?;
/// assert_eq!(doubling.eval(&1.0)?, (8.0, vec![1.0, 2.0, 4.0]));
/// # Ok::<(), evolute_frontend::Error>(())
/// ```
#[track_caller]
pub fn scan_stacked<'t, C: Tree<'t>, O: Stack<'t>>(
    n: impl Into<Count<'t>>,
    init: C,
    f: impl FnOnce(C, Int<'t>) -> (C, O),
) -> (C, O::Stacked) {
    let (n, caller) = (n.into(), Location::caller());
    let start = leaves(&init);
    let (output, leaves) = looped(caller, |site, output: &mut Option<O>| {
        let trace = site.trace;
        let values = trace.values(&operands(&start), caller);
        let results = site.looped(n.turns(site), &values, &[], |i, carry, _| {
            let carry = init.rebuild(&mut trace::leaves_like(trace, &start, carry).into_iter());
            let (next, row) = f(carry, integer(trace, i));
            let stacks = operands(&leaves(output.insert(row)));
            LoopBody { carries: operands(&leaves(&next)), stacks, sums: Vec::new() }
        });
        let Looped { carries, stacks, .. } = results;
        let mut results = trace::leaves_like(trace, &start, &carries);
        results.extend(arrays(like(trace, output, &stacks)));
        results
    });
    let mut leaves = leaves.into_iter();
    (init.rebuild(&mut leaves), output.stacked(&mut leaves))
}

/// The first carry for which `go` does not hold: `init`, `step(init)`, `step(step(init))`, …
///
/// # Errors
/// If `go` holds for the first [`WHILE_CAP`] of them, that is an error of the call; [`while_at_most`] has another limit.
/// Another carry than `step` was given is an error of the trace.
///
/// ```
/// use evolute_frontend::{Function, scalar, while_loop};
///
/// let f = Function::trace(scalar(), |x| while_loop(*x, |x| x.gt(1.0), |x| x / 2.0))?;
/// assert_eq!(f.eval(&12.0)?, 0.75);
/// # Ok::<(), evolute_frontend::Error>(())
/// ```
#[track_caller]
pub fn while_loop<'t, C: Tree<'t>>(
    init: C,
    go: impl FnOnce(C) -> Condition<'t>,
    step: impl FnOnce(C) -> C,
) -> C {
    while_at_most(WHILE_CAP, init, go, step)
}

/// As [`while_loop`], with at most so many iterations. Reverse mode has room for what it needs of each, which is taken
/// of the system as iterations use it: a small limit, or a [`checkpoint`], is small memory.
///
/// # Errors
/// If `go` still holds after so many, that is an error of the call.
///
/// ```
/// use evolute_frontend::{Function, scalar, while_at_most};
///
/// let f = Function::trace(scalar(), |x| while_at_most(3, *x, |x| x.gt(1.0), |x| x / 2.0))?;
/// assert_eq!(f.eval(&8.0)?, 1.0);
/// assert!(f.eval(&12.0).is_err());
/// # Ok::<(), evolute_frontend::Error>(())
/// ```
#[track_caller]
pub fn while_at_most<'t, C: Tree<'t>>(
    limit: impl Into<Limit>,
    init: C,
    go: impl FnOnce(C) -> Condition<'t>,
    step: impl FnOnce(C) -> C,
) -> C {
    let (limit, caller) = (limit.into(), Location::caller());
    let start = leaves(&init);
    let leaves = trace::within(caller, |trace| {
        let carry =
            |values: &[Value]| init.rebuild(&mut trace::leaves_like(trace, &start, values).into_iter());
        let values = trace.values(&operands(&start), caller);
        let go = |values: &[Value]| go(carry(values)).operand();
        let step = |values: &[Value]| operands(&leaves(&step(carry(values))));
        let site = Site { trace, caller };
        let results = site.while_loop(limit.turns(site), &values, go, step);
        trace::leaves_like(trace, &start, &results)
    });
    init.rebuild(&mut leaves.into_iter())
}

/// What `yes` gives where the condition holds, else what `no` gives: only that one is evaluated, unlike with
/// [`select`](Condition::select). Of a constant condition the other closure is not even traced.
///
/// # Errors
/// Closures that give different elements or shapes are an error of the trace.
///
/// ```
/// use evolute_frontend::{Function, I64, cond, scalar_of};
///
/// let f = Function::trace(scalar_of::<I64>(), |n| cond(n.eq(0), || *n, || 100 / n))?;
/// assert_eq!((f.eval(&0)?, f.eval(&7)?), (0, 14));
/// # Ok::<(), evolute_frontend::Error>(())
/// ```
#[track_caller]
pub fn cond<'t, O: Tree<'t>>(condition: Condition<'t>, yes: impl FnOnce() -> O, no: impl FnOnce() -> O) -> O {
    match condition.as_constant() {
        Some(true) => return yes(),
        Some(false) => return no(),
        None => {}
    }
    let caller = Location::caller();
    let (output, leaves) = looped(caller, |site, output: &mut Option<O>| {
        let condition = site.trace.values(&[condition.operand()], caller)[0];
        let yes = || operands(&leaves(output.insert(yes())));
        let results = site.conditional(condition, yes, || operands(&leaves(&no())));
        like(site.trace, output, &results)
    });
    output.rebuild(&mut leaves.into_iter())
}

/// Runs `body` in the innermost trace: what a closure gave it in there, and the leaves of the results.
fn looped<'t, O>(
    caller: Caller,
    body: impl FnOnce(Site<'_>, &mut Option<O>) -> Leaves<'t>,
) -> (O, Leaves<'t>) {
    let mut output = None;
    let leaves = trace::within(caller, |trace| body(Site { trace, caller }, &mut output));
    (output.expect("the closure of a region has run"), leaves)
}

fn integer<'t>(trace: &Trace, value: Value) -> Int<'t> {
    Int::new(trace.node(value))
}

fn terms(leaves: &[Leaf<'_>]) -> Vec<Term> {
    operands(leaves).into_iter().map(|term| Term { start: None, term, at: Vec::new() }).collect()
}

/// The leaves of these values, like those of what a closure gave.
fn like<'t, O: Tree<'t>>(trace: &Trace, output: &Option<O>, values: &[Value]) -> Leaves<'t> {
    let given = output.as_ref().map(leaves).unwrap_or_default();
    trace::leaves_like(trace, &given, values)
}

fn arrays(leaves: Leaves<'_>) -> Leaves<'_> {
    leaves.into_iter().map(Leaf::as_array).collect()
}
