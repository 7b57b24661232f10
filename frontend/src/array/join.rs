//! Arrays made of numbers, of scalars, and of other arrays: one `pack` each.

use super::shape::{no_axis, spread};
use super::{Array, make};
use crate::kind::{I64, Kind, Number, RealKind};
use crate::trace::{Operand, Site};
use crate::traced::Traced;
use evolute_ir::{Elem, Literal, Op, Prim, Value};
use std::panic::Location;

impl<'t, K: Kind> Array<'t, K> {
    /// The array of these numbers, row-major. Each is an instruction: data belongs into an argument.
    ///
    /// # Errors
    /// Another number of them than the extents say is an error of the trace.
    ///
    /// ```
    /// use evolute_frontend::{Array, Function, vector};
    ///
    /// let f = Function::trace(vector(2), |x| Array::constants(&[2, 2], &[0.0, 1.0, 1.0, 0.0]).dot(x))?;
    /// assert_eq!(f.eval(&[1.0, 2.0])?, [2.0, 1.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn constants(extents: &[usize], numbers: &[K::Host]) -> Self {
        let operands: Vec<Operand> = numbers.iter().map(|&x| Traced::<K>::constant(x).operand()).collect();
        make(&operands, Location::caller(), |site, values| packed::<K>(site, values, extents))
    }

    /// The array of these scalars.
    ///
    /// ```
    /// use evolute_frontend::{Array, Function};
    ///
    /// let f = Function::trace(2, |x| Array::of(&[x[0].sin(), x[1] * 0.0]))?;
    /// assert_eq!(f.eval(&[0.0, 2.0])?, [0.0, 0.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn of(scalars: &[Traced<'t, K>]) -> Self {
        let operands: Vec<Operand> = scalars.iter().map(|x| x.operand()).collect();
        make(&operands, Location::caller(), |site, values| packed::<K>(site, values, &[values.len()]))
    }

    /// An array of this scalar, repeated.
    ///
    /// # Errors
    /// More elements than an array may have are an error of the trace.
    ///
    /// ```
    /// use evolute_frontend::{Array, Function, scalar};
    ///
    /// let f = Function::trace(scalar(), |x| Array::full(&[2, 2], x + 1.0))?;
    /// assert_eq!(f.eval(&1.0)?, [2.0; 4]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn full(extents: &[usize], x: impl Into<Traced<'t, K>>) -> Self {
        make(&[x.into().operand()], Location::caller(), |site, values| site.broadcast(values[0], extents))
    }

    /// The elements, row-major, an instruction each: for code over scalars.
    ///
    /// ```
    /// use evolute_frontend::{Function, RealSlice, vector};
    ///
    /// let f = Function::trace(vector(2), |x| x.elements().norm2())?;
    /// assert_eq!(f.eval(&[3.0, 4.0])?, 5.0);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn elements(self) -> Vec<Traced<'t, K>> {
        let mut elements = Vec::new();
        for index in 0..self.size() as u32 {
            elements.push(self.to(|site, x| element(site, x, index)));
        }
        elements
    }
}

/// The scalar at a flat index that there is.
pub(super) fn element(site: Site<'_>, x: Value, index: u32) -> Value {
    match site.extents(x).is_empty() {
        true => x,
        false => site.insert(Op::Element(index), &[x], &evolute_ir::Type::scalar(site.elem(x))),
    }
}

impl<K: Number> Array<'_, K> {
    /// Zeros.
    ///
    /// # Errors
    /// More elements than an array may have are an error of the trace, here as of [`full`](Array::full).
    ///
    /// ```
    /// use evolute_frontend::{Array, Function, vector};
    ///
    /// let f = Function::trace(vector(2), |x| Array::zeros(&[2, 2]) + x)?;
    /// assert_eq!(f.eval(&[1.0, 2.0])?, [1.0, 2.0, 1.0, 2.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn zeros(extents: &[usize]) -> Self {
        make(&[], Location::caller(), |site, _| site.full(&site.ty(K::ELEM, extents), 0.0))
    }

    /// Ones.
    ///
    /// ```
    /// use evolute_frontend::{Array, Function, matrix};
    ///
    /// let row_sums = Function::trace(matrix(2, 2), |a| a.dot(Array::ones(&[2])))?;
    /// assert_eq!(row_sums.eval(&[1.0, 2.0, 3.0, 4.0])?, [3.0, 7.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn ones(extents: &[usize]) -> Self {
        make(&[], Location::caller(), |site, _| site.full(&site.ty(K::ELEM, extents), 1.0))
    }

    /// The identity matrix `[n, n]`: three instructions, whatever its size.
    ///
    /// ```
    /// use evolute_frontend::{Array, Function, matrix};
    ///
    /// let shifted = Function::trace(matrix(2, 2), |a| a - Array::eye(2))?;
    /// assert_eq!(shifted.eval(&[5.0, 1.0, 2.0, 5.0])?, [4.0, 1.0, 2.0, 4.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[doc(alias = "identity")]
    #[track_caller]
    pub fn eye(n: usize) -> Self {
        make(&[], Location::caller(), |site, _| {
            let ones = site.full(&site.ty(K::ELEM, &[n]), 1.0);
            spread(site, ones, &site.ty(K::ELEM, &[n, n]), 0, &[n as i64 + 1])
        })
    }
}

impl<'t, K: RealKind> Array<'t, K> {
    /// `n` numbers at equal distances from `start` to `end`, both of which are exact: `(1 − t)·start + t·end` for
    /// `t = i/(n − 1)`. One number is the start.
    ///
    /// ```
    /// use evolute_frontend::{Array, Function, scalar};
    ///
    /// let f = Function::trace(scalar(), |end| Array::linspace(1.0, *end, 5))?;
    /// assert_eq!(f.eval(&3.0)?, [1.0, 1.5, 2.0, 2.5, 3.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn linspace(start: impl Into<Traced<'t, K>>, end: impl Into<Traced<'t, K>>, n: usize) -> Self {
        let ends = [start.into().operand(), end.into().operand()];
        make(&ends, Location::caller(), |site, ends| {
            let number = |x: f64| site.constant(Literal::from_f64(K::ELEM, x));
            let steps = site.pointwise(Op::Cast(K::ELEM), "linspace", &[iota(site, n)], K::ELEM);
            let t = site.prim(Prim::Div, &[steps, number(n.saturating_sub(1).max(1) as f64)]);
            let rest = site.prim(Prim::Sub, &[number(1.0), t]);
            let [start, end] = [(rest, ends[0]), (t, ends[1])].map(|(t, x)| site.prim(Prim::Mul, &[t, x]));
            site.prim(Prim::Add, &[start, end])
        })
    }
}

impl Array<'_, I64> {
    /// The integers from 0 to below `n`.
    ///
    /// ```
    /// use evolute_frontend::{Array, Function, scalar};
    ///
    /// let grid = Function::trace(scalar(), |dx| Array::iota(3).to_f64() * dx)?;
    /// assert_eq!(grid.eval(&0.5)?, [0.0, 0.5, 1.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn iota(n: usize) -> Self {
        make(&[], Location::caller(), |site, _| iota(site, n))
    }
}

fn iota(site: Site<'_>, n: usize) -> Value {
    let ty = site.ty(Elem::I64, &[n]);
    let id = site.trace.build(site.caller, |builder| Ok(builder.intern(&ty)));
    id.map_or_else(|| site.trace.placeholder(&ty), |id| site.insert(Op::Iota(id), &[], &ty))
}

fn packed<K: Kind>(site: Site<'_>, values: &[Value], extents: &[usize]) -> Value {
    let ty = site.ty(K::ELEM, extents);
    if ty.shape.len() != values.len() {
        let expected = format!("{} elements", ty.shape.len());
        return site.misfit("constants", expected, values.len(), &ty);
    }
    match values {
        &[value] if extents.is_empty() => value,
        values => site.pack(K::ELEM, values, extents),
    }
}

/// Arrays one after the other along an axis.
///
/// # Errors
/// Other extents that differ, and no arrays, are an error of the trace.
///
/// ```
/// use evolute_frontend::{Function, concat, matrix, vector};
///
/// let f = Function::trace((matrix(2, 2), matrix(2, 1)), |(a, b)| concat(&[*a, *b], 1))?;
/// assert_eq!(f.eval((&[1.0, 2.0, 3.0, 4.0], &[8.0, 9.0]))?, [1.0, 2.0, 8.0, 3.0, 4.0, 9.0]);
/// # Ok::<(), evolute_frontend::Error>(())
/// ```
#[track_caller]
pub fn concat<'t, K: Kind>(arrays: &[Array<'t, K>], axis: usize) -> Array<'t, K> {
    joined("concat", arrays, |site, values| {
        let first = site.extents(values[0]);
        if axis >= first.len() {
            return no_axis(site, "concat", values[0], axis);
        }
        let without = |mut extents: Vec<usize>| {
            (axis < extents.len()).then(|| extents.remove(axis));
            extents
        };
        let rest = without(first.clone());
        let odd = values.iter().find(|&&v| {
            let extents = site.extents(v);
            extents.len() != first.len() || without(extents) != rest
        });
        if let Some(&odd) = odd {
            let expected = format!("arrays like {first:?} but for axis {axis}");
            return site.misfit(
                "concat",
                expected,
                format!("{:?}", site.extents(odd)),
                &site.trace.ty(values[0]),
            );
        }
        let total = values.iter().map(|&v| site.extents(v)[axis]).sum();
        let parts: Vec<Value> = values.iter().map(|&v| site.move_axis(v, axis, 0)).collect();
        let whole = site.pack(K::ELEM, &parts, &[&[total], &rest[..]].concat());
        site.move_axis(whole, 0, axis)
    })
}

/// Arrays of one shape as the parts of an array with one more axis, this one.
///
/// # Errors
/// Other shapes, and no arrays, are an error of the trace.
///
/// ```
/// use evolute_frontend::{Function, stack, vector};
///
/// let f = Function::trace(vector(2), |x| stack(&[*x, x * 10.0], 1))?;
/// assert_eq!(f.eval(&[1.0, 2.0])?, [1.0, 10.0, 2.0, 20.0]);
/// # Ok::<(), evolute_frontend::Error>(())
/// ```
#[track_caller]
pub fn stack<'t, K: Kind>(arrays: &[Array<'t, K>], axis: usize) -> Array<'t, K> {
    joined("stack", arrays, |site, values| {
        let first = site.extents(values[0]);
        if axis > first.len() {
            return no_axis(site, "stack", values[0], axis);
        }
        if let Some(&odd) = values.iter().find(|&&v| site.extents(v) != first) {
            let found = format!("{:?}", site.extents(odd));
            return site.misfit("stack", format!("arrays like {first:?}"), found, &site.trace.ty(values[0]));
        }
        let whole = site.pack(K::ELEM, values, &[&[values.len()], &first[..]].concat());
        site.move_axis(whole, 0, axis)
    })
}

#[track_caller]
fn joined<'t, K: Kind>(
    operation: &'static str,
    arrays: &[Array<'t, K>],
    join: impl FnOnce(Site<'_>, &[Value]) -> Value,
) -> Array<'t, K> {
    let operands: Vec<Operand> = arrays.iter().map(|x| x.operand()).collect();
    make(&operands, Location::caller(), |site, values| match values {
        [] => site.misfit(operation, "an array", "none", &site.ty(K::ELEM, &[0])),
        values => join(site, values),
    })
}
