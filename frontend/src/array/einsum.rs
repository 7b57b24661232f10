//! Sums of products over named axes.
//!
//! Two operands become batches of matrices, `[b, m, k]` and `[b, k, n]`: axes of both that stay, of one that
//! stay, and of both that are summed. What only one has and is summed, is summed before. So an einsum of two is views,
//! at most two `reduce`s, and one `dot`. Of more, the first two are replaced by their product, and so on.

use super::{Array, make};
use crate::kind::RealKind;
use crate::trace::{Site, row_major};
use evolute_ir::{Op, Reduction, Value};
use std::panic::Location;

/// Sums of products of the elements of arrays, as in NumPy: each letter is an axis, those missing behind the arrow
/// are summed over. A letter repeated in one operand is its diagonal. Products of more than two are formed from the
/// left: the order of the operands decides what it costs.
///
/// # Errors
/// Subscripts that do not fit the operands are an error of the trace.
///
/// ```
/// use evolute_frontend::{Function, einsum, matrix, vector};
///
/// let f = Function::trace((matrix(2, 2), matrix(2, 2)), |(a, b)| einsum("ij,kj->ik", &[*a, *b]))?;
/// assert_eq!(f.eval((&[1.0, 2.0, 3.0, 4.0], &[1.0, 0.0, 1.0, 1.0]))?, [1.0, 3.0, 3.0, 7.0]);
///
/// let sums = Function::trace(matrix(2, 2), |a| einsum("ij->j", &[*a]))?;
/// assert_eq!(sums.eval(&[1.0, 2.0, 3.0, 4.0])?, [4.0, 6.0]);
///
/// let form = Function::trace((vector(2), matrix(2, 2)), |(x, a)| einsum("i,ij,j->", &[*x, *a, *x]))?;
/// assert_eq!(form.eval((&[1.0, 2.0], &[1.0, 2.0, 3.0, 4.0]))?, [27.0]);
/// # Ok::<(), evolute_frontend::Error>(())
/// ```
#[track_caller]
pub fn einsum<'t, K: RealKind>(subscripts: &str, arrays: &[Array<'t, K>]) -> Array<'t, K> {
    let operands: Vec<_> = arrays.iter().map(|x| x.operand()).collect();
    make(&operands, Location::caller(), |site, values| match parsed(site, subscripts, values) {
        Ok((inputs, result)) => product(site, values, &inputs, &result),
        Err((expected, found)) => site.misfit("einsum", expected, found, &site.ty(K::ELEM, &[])),
    })
}

/// The einsum of as many operands as there are labels, one at least.
fn product(site: Site<'_>, values: &[Value], labels: &[Vec<usize>], result: &[usize]) -> Value {
    let (mut x, mut own) = (values[0], labels[0].clone());
    for (place, (&y, others)) in values.iter().zip(labels).enumerate().skip(1) {
        let later = labels[place + 1..].iter().flatten().chain(result);
        let mut kept: Vec<usize> =
            own.iter().chain(others).copied().filter(|l| later.clone().any(|k| k == l)).collect();
        kept.sort_unstable();
        kept.dedup();
        let kept = if place + 1 == values.len() { result } else { &kept };
        x = contract(site, [x, y], [&own, others], kept);
        own = kept.to_vec();
    }
    if values.len() == 1 { arranged(site, x, &own, &[result]) } else { x }
}

type Mistake = (String, String);

/// The labels of each operand and of the result.
fn parsed(site: Site<'_>, text: &str, values: &[Value]) -> Result<(Vec<Vec<usize>>, Vec<usize>), Mistake> {
    let malformed = |expected: &str| (expected.to_string(), format!("{text:?}"));
    let (inputs, result) = text.split_once("->").ok_or_else(|| malformed("subscripts with an arrow"))?;
    let labels = |text: &str| -> Result<Vec<usize>, Mistake> {
        let label = |c: char| c.is_ascii_alphabetic().then_some(c as usize);
        let letters = text.chars().filter(|c| !c.is_whitespace()).map(label);
        letters.collect::<Option<_>>().ok_or_else(|| malformed("letters as subscripts"))
    };
    let inputs = inputs.split(',').map(labels).collect::<Result<Vec<_>, _>>()?;
    let result = labels(result)?;
    if inputs.len() != values.len() {
        return Err((format!("{} operands", inputs.len()), values.len().to_string()));
    }
    check_extents(site, &inputs, values)?;
    let odd = |(place, label): (usize, &usize)| {
        result[..place].contains(label) || !inputs.iter().any(|labels| labels.contains(label))
    };
    match result.iter().enumerate().any(odd) {
        true => Err(malformed("each label of the result once, and in an operand")),
        false => Ok((inputs, result)),
    }
}

/// Whether each operand has an axis a label, and those of one label have one extent.
fn check_extents(site: Site<'_>, inputs: &[Vec<usize>], values: &[Value]) -> Result<(), Mistake> {
    let mut known: Vec<(usize, usize, usize)> = Vec::new();
    for (operand, (labels, &value)) in inputs.iter().zip(values).enumerate() {
        let extents = site.extents(value);
        let found = format!("{extents:?}");
        if labels.len() != extents.len() {
            return Err((format!("operand {operand} with {} axes", labels.len()), found));
        }
        for (&label, extent) in labels.iter().zip(extents) {
            match known.iter().find(|(other, ..)| *other == label) {
                Some(&(_, expected, first)) if expected != extent => {
                    let name = label as u8 as char;
                    let expected =
                        format!("operand {operand} with extent {expected} of {name}, as operand {first}");
                    return Err((expected, found));
                }
                Some(_) => {}
                None => known.push((label, extent, operand)),
            }
        }
    }
    Ok(())
}

/// `x` with the axes of these labels, those of a group merged to one if there are several groups; the others are
/// summed.
fn arranged(site: Site<'_>, x: Value, labels: &[usize], groups: &[&[usize]]) -> Value {
    let wanted = groups.concat();
    let extents = site.extents(x);
    let strides = row_major(&extents);
    let axis = |label: usize| {
        let axes = || labels.iter().enumerate().filter(|(_, l)| **l == label).map(|(axis, _)| axis);
        let first = axes().next().expect("the operand has the label");
        (extents[first], axes().map(|axis| strides[axis]).sum::<i64>())
    };
    let mut summed: Vec<usize> = Vec::new();
    for &label in labels.iter().filter(|label| !wanted.contains(label)) {
        if !summed.contains(&label) {
            summed.push(label);
        }
    }
    let (shape, steps): (Vec<usize>, Vec<i64>) =
        wanted.iter().chain(&summed).map(|&label| axis(label)).unzip();
    let x = site.view(x, &shape, 0, &steps);
    let x = if summed.is_empty() { x } else { site.reduce(Reduction::Sum, x, wanted.len()) };
    if groups.len() == 1 {
        return x;
    }
    let merged = groups.iter().map(|group| group.iter().map(|&label| axis(label).0).product());
    site.reshape(x, &merged.collect::<Vec<usize>>())
}

/// The sums of products over all labels that the result does not have.
pub(super) fn contract(
    site: Site<'_>,
    [a, b]: [Value; 2],
    [left, right]: [&[usize]; 2],
    result: &[usize],
) -> Value {
    let in_both = |label: &usize| left.contains(label) && right.contains(label);
    let of = |keep: &dyn Fn(&usize) -> bool| result.iter().copied().filter(|l| keep(l)).collect::<Vec<_>>();
    let batch = of(&in_both);
    let rows = of(&|label| left.contains(label) && !right.contains(label));
    let columns = of(&|label| right.contains(label) && !left.contains(label));
    let mut summed: Vec<usize> = left.iter().copied().filter(|l| in_both(l) && !result.contains(l)).collect();
    summed.sort_unstable();
    summed.dedup();
    let extent = |label: &usize| match left.iter().position(|l| l == label) {
        Some(axis) => site.extents(a)[axis],
        None => site.extents(b)[right.iter().position(|l| l == label).expect("an operand has the label")],
    };
    let size = |labels: &[usize]| labels.iter().map(extent).product::<usize>();
    let ty = site.ty(site.elem(a), &[size(&batch), size(&rows), size(&columns)]);
    let a_parts = arranged(site, a, left, &[&batch, &rows, &summed]);
    let b_parts = arranged(site, b, right, &[&batch, &summed, &columns]);
    let product = site.insert(Op::Dot, &[a_parts, b_parts], &ty);
    let labels = [&batch[..], &rows, &columns].concat();
    let parts = site.reshape(product, &labels.iter().map(extent).collect::<Vec<_>>());
    let axes: Vec<usize> =
        result.iter().map(|label| labels.iter().position(|l| l == label).expect("a label")).collect();
    site.permute(parts, &axes)
}
