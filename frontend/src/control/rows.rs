//! Loops over the rows of arrays, several at once if they are given as a tuple.

use super::{arrays, like, looped, terms};
use crate::trace::{self, Caller, LoopBody, Looped, Site, Turns};
use crate::tree::{Leaf, Leaves, Stack, Tree, leaves, operands};
use evolute_ir::Value;
use std::panic::Location;

/// The array whose rows are what a closure gives for the rows of an array, or of a tuple of arrays with equally many
/// rows. The rows are arrays with one axis less; of a vector they have rank 0, see [`item`](crate::Array::item).
///
/// # Errors
/// Other numbers of rows are an error of the trace.
///
/// ```
/// use evolute_frontend::{Function, map_rows, matrix, vector};
///
/// let f = Function::trace((matrix(2, 2), vector(2)), |(a, b)| map_rows((*a, *b), |(a, b)| a.sum() * b.item()))?;
/// assert_eq!(f.eval((&[1.0, 2.0, 3.0, 4.0], &[10.0, 100.0]))?, [30.0, 700.0]);
/// # Ok::<(), evolute_frontend::Error>(())
/// ```
#[track_caller]
pub fn map_rows<'t, A: Tree<'t>, O: Stack<'t>>(x: A, f: impl FnOnce(A) -> O) -> O::Stacked {
    mapped("map_rows", Location::caller(), x, f)
}

/// A function of rows as one of arrays of rows: [`map_rows`] with its arguments in the order of
/// [`grad`](crate::grad).
///
/// # Errors
/// As of [`map_rows`].
///
/// ```
/// use evolute_frontend::{Function, grad, matrix, vmap};
///
/// // The gradient of a function at many points.
/// let f = Function::trace(matrix(2, 2), |x| vmap(|x| grad(|x| x.prod(), x), *x))?;
/// assert_eq!(f.eval(&[2.0, 3.0, 4.0, 5.0])?, [3.0, 2.0, 5.0, 4.0]);
/// # Ok::<(), evolute_frontend::Error>(())
/// ```
#[track_caller]
pub fn vmap<'t, A: Tree<'t>, O: Stack<'t>>(f: impl FnOnce(A) -> O, x: A) -> O::Stacked {
    mapped("vmap", Location::caller(), x, f)
}

/// The sum of what a closure gives for the rows of an array, or of a tuple of arrays with equally many rows.
///
/// # Errors
/// As of [`map_rows`].
///
/// ```
/// use evolute_frontend::{Function, matrix, sum_rows};
///
/// let f = Function::trace(matrix(2, 2), |a| sum_rows(*a, |row| row.prod()))?;
/// assert_eq!(f.eval(&[1.0, 2.0, 3.0, 4.0])?, 14.0);
/// # Ok::<(), evolute_frontend::Error>(())
/// ```
#[track_caller]
pub fn sum_rows<'t, A: Tree<'t>, O: Tree<'t>>(x: A, f: impl FnOnce(A) -> O) -> O {
    let (output, leaves) = looped(Location::caller(), |site, output: &mut Option<O>| {
        let results = over(site, "sum_rows", &x, |row| {
            let given = output.insert(f(row));
            LoopBody { sums: terms(&leaves(given)), ..LoopBody::default() }
        });
        like(site.trace, output, &results.sums)
    });
    output.rebuild(&mut leaves.into_iter())
}

fn mapped<'t, A: Tree<'t>, O: Stack<'t>>(
    operation: &'static str,
    caller: Caller,
    x: A,
    f: impl FnOnce(A) -> O,
) -> O::Stacked {
    let (output, leaves) = looped(caller, |site, output: &mut Option<O>| {
        let results = over(site, operation, &x, |row| {
            let given = output.insert(f(row));
            LoopBody { stacks: operands(&leaves(given)), ..LoopBody::default() }
        });
        arrays(like(site.trace, output, &results.stacks))
    });
    output.stacked(&mut leaves.into_iter())
}

/// Runs `body` over the rows of the arrays of `x`, for an operation of this name.
fn over<'t, A: Tree<'t>>(
    site: Site<'_>,
    operation: &'static str,
    x: &A,
    body: impl FnOnce(A) -> LoopBody,
) -> Looped {
    let given = leaves(x);
    let mut values = site.trace.values(&operands(&given), site.caller);
    let count = row_count(site, operation, &given, &mut values);
    site.looped(Turns::fixed(count as u32), &[], &values, |_, _, rows| {
        body(x.rebuild(&mut trace::leaves_like(site.trace, &given, rows).into_iter()))
    })
}

/// The common number of rows. After a mistake the arrays are replaced by ones that have a row.
fn row_count(site: Site<'_>, operation: &'static str, given: &Leaves<'_>, values: &mut [Value]) -> usize {
    let rows = |value: Value| site.extents(value).first().copied();
    let count = values.first().and_then(|&value| rows(value));
    let odd = values.iter().zip(given).find(|&(&value, leaf): &(&Value, &Leaf<'_>)| {
        !leaf.is_array() || rows(value).is_none() || rows(value) != count
    });
    match (odd, count) {
        (None, Some(count)) => count,
        (odd, count) => {
            let expected = count.map_or_else(|| "arrays with rows".into(), |n| format!("arrays of {n} rows"));
            let found =
                odd.map_or_else(|| "none".to_string(), |(&value, _)| site.trace.ty(value).to_string());
            site.mistake(operation, expected, found);
            for value in values {
                let extents = site.extents(*value);
                let row = extents.get(1..).unwrap_or_default();
                let ty = site.ty(site.elem(*value), &[&[1], row].concat());
                *value = site.trace.placeholder(&ty);
            }
            1
        }
    }
}
