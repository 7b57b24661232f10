//! All that a program is turned into: every derivative, and derivatives of derivatives.

use evolute::ir::{IrError, Program};
use evolute::transforms::derive::{self, DeriveError};

/// The largest number of entries of a dense Jacobian or Hessian.
const DENSE: usize = 12;

/// The derivatives of `f`, whose results are real, with respect to the parameters `wrt`, each with a name; those of
/// a scalar function if `f` is one.
pub(crate) fn all(f: &Program, wrt: &[usize]) -> Result<Vec<(&'static str, Program)>, DeriveError> {
    let jvp = derive::jvp(f, wrt, None)?;
    let vjp = derive::vjp(f, wrt, None)?;
    let jvp_of_vjp = derive::jvp(&vjp, wrt, None)?;
    let vjp_of_jvp = derive::vjp(&jvp, wrt, None)?;
    let mut list = vec![("jvp", jvp), ("vjp", vjp), ("jvp of vjp", jvp_of_vjp), ("vjp of jvp", vjp_of_jvp)];
    let [rows, columns] = [elements(f.root().results.iter(), f), inputs(f, wrt)];
    if rows * columns <= DENSE && of_one_kind(f, wrt) {
        list.push(("jacobian", derive::jacobian(f, wrt, None)?));
    }
    if is_scalar(f) {
        scalar(f, wrt, &mut list)?;
    }
    Ok(list)
}

fn scalar(f: &Program, wrt: &[usize], list: &mut Vec<(&'static str, Program)>) -> Result<(), DeriveError> {
    let grad = derive::grad(f, wrt, None)?;
    let vjp_of_grad = derive::vjp(&grad, wrt, None)?;
    list.push(("grad", grad));
    list.push(("vjp of grad", vjp_of_grad));
    list.push(("hvp", derive::hvp(f, wrt, None)?));
    list.push(("value_grad_hvp", derive::value_grad_hvp(f, wrt, None)?));
    list.push(("vhv", derive::vhv(f, wrt, None)?));
    if inputs(f, wrt).pow(2) <= DENSE && of_one_kind(f, wrt) {
        list.push(("hessian", derive::hessian(f, wrt, None)?));
    }
    Ok(())
}

/// Whether `f` gives one real scalar.
pub(crate) fn is_scalar(f: &Program) -> bool {
    matches!(f.result_types().as_slice(), [ty] if ty.is_scalar() && ty.elem.is_real())
}

/// The program with only its results of these numbers.
pub(crate) fn keep(program: &Program, wanted: impl Fn(usize) -> bool) -> Result<Program, IrError> {
    derive::keep(program, wanted)
}

fn elements<'a>(values: impl Iterator<Item = &'a evolute::ir::Value>, f: &Program) -> usize {
    values.map(|&v| f.ty(v).shape.len()).sum()
}

fn inputs(f: &Program, wrt: &[usize]) -> usize {
    elements(wrt.iter().map(|&i| &f.root().params[i]), f)
}

/// A matrix has one kind of element.
fn of_one_kind(f: &Program, wrt: &[usize]) -> bool {
    let params = f.param_types();
    let mut elems = wrt.iter().map(|&i| params[i].elem).chain(f.result_types().into_iter().map(|ty| ty.elem));
    let first = elems.next();
    elems.all(|elem| Some(elem) == first)
}
