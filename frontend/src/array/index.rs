//! Elements and parts of arrays at constant and at traced indices.
//!
//! A constant index is checked at once, and makes a `view`. A traced index that is affine in the numbers of loops,
//! and always within the array, makes the array one of their rows; any other is checked by the call.

use super::join::element;
use super::{Array, IntoArray, make};
use crate::kind::{I64, Kind, Number};
use crate::trace::{Affine, LoopBody, Operand, RowView, Site, Term, Turns, row_major};
use crate::traced::{Int, Traced};
use evolute_ir::Value;
use std::panic::Location;

/// An index: a number, or a traced integer.
pub trait Index<'t> {
    /// The traced integer.
    fn index(self) -> Int<'t>;
}

impl<'t> Index<'t> for Int<'t> {
    fn index(self) -> Int<'t> {
        self
    }
}

impl<'t> Index<'t> for &Int<'t> {
    fn index(self) -> Int<'t> {
        *self
    }
}

// `i32` is what a literal is without another choice.
macro_rules! index_numbers {
    ($($number:ident)*) => {$(
        impl<'t> Index<'t> for $number {
            fn index(self) -> Int<'t> {
                Int::constant(i64::try_from(self).unwrap_or(i64::MAX))
            }
        }
    )*};
}
index_numbers!(i32 i64 usize);

/// Indices of the first axes: one, or a tuple of them.
pub trait Indices<'t> {
    /// The traced integers.
    fn indices(self) -> Vec<Int<'t>>;
}

impl<'t, I: Index<'t>> Indices<'t> for I {
    fn indices(self) -> Vec<Int<'t>> {
        vec![self.index()]
    }
}

macro_rules! index_tuples {
    ($($($I:ident $i:tt)+;)*) => {$(
        impl<'t, $($I: Index<'t>),+> Indices<'t> for ($($I,)+) {
            fn indices(self) -> Vec<Int<'t>> {
                vec![$(self.$i.index()),+]
            }
        }
    )*};
}
index_tuples! {
    A 0;
    A 0 B 1;
    A 0 B 1 C 2;
    A 0 B 1 C 2 D 3;
}

impl<'t, K: Kind> Array<'t, K> {
    /// The element at an index, a tuple of them for several axes. An index is a number or a traced [`Int`].
    ///
    /// # Errors
    /// A number out of range is an error of the trace, a traced index out of range one of the call.
    ///
    /// ```
    /// use evolute_frontend::{Function, matrix, scalar_of, I64};
    ///
    /// let f = Function::trace((matrix(2, 2), scalar_of::<I64>()), |(a, i)| a.at((*i, 1)) - a.at((0, 0)))?;
    /// assert_eq!(f.eval((&[1.0, 2.0, 3.0, 4.0], &1))?, 3.0);
    /// assert!(f.eval((&[1.0, 2.0, 3.0, 4.0], &2)).is_err());
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn at(self, indices: impl Indices<'t>) -> Traced<'t, K> {
        self.indexed("at", indices.indices(), |site, x, count| match site.extents(x).len() {
            rank if rank == count => Ok(()),
            rank => Err((format!("{rank} indices"), format!("{count}; `part` gives an array"))),
        })
    }

    /// The part at indices of the first axes, with errors as of [`at`](Array::at).
    ///
    /// ```
    /// use evolute_frontend::{Function, array};
    ///
    /// let f = Function::trace(array(&[2, 2, 2]), |a| a.part((1, 0)))?;
    /// assert_eq!(f.eval(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])?, [4.0, 5.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn part(self, indices: impl Indices<'t>) -> Self {
        self.indexed("part", indices.indices(), within_rank)
    }

    /// Row `i`: the part at an index of the first axis, with errors as of [`at`](Array::at).
    ///
    /// ```
    /// use evolute_frontend::{Function, matrix};
    ///
    /// let f = Function::trace(matrix(2, 2), |a| a.row(0) + a.row(1))?;
    /// assert_eq!(f.eval(&[1.0, 2.0, 3.0, 4.0])?, [4.0, 6.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn row(self, i: impl Index<'t>) -> Self {
        self.indexed("row", vec![i.index()], within_rank)
    }

    #[track_caller]
    fn indexed<F: crate::kind::Form>(
        self,
        operation: &'static str,
        indices: Vec<Int<'t>>,
        fits: impl FnOnce(Site<'_>, Value, usize) -> Result<(), (String, String)>,
    ) -> Traced<'t, F> {
        let operands: Vec<Operand> =
            std::iter::once(self.operand()).chain(indices.iter().map(|i| i.operand())).collect();
        make(&operands, Location::caller(), |site, values| {
            let x = values[0];
            if let Err((expected, found)) = fits(site, x, indices.len()) {
                let rest = site.extents(x).get(indices.len()..).unwrap_or_default().to_vec();
                let rest = if F::ARRAY { &rest[..] } else { &[] };
                return site.misfit(operation, expected, found, &site.ty(K::ELEM, rest));
            }
            part(site, operation, x, &operands[1..], &values[1..])
        })
    }

    /// The rows whose numbers `indices` holds, in its shape.
    ///
    /// # Errors
    /// A number out of range is an error of the call.
    ///
    /// ```
    /// use evolute_frontend::{Function, I64, vector, vector_of};
    ///
    /// let f = Function::trace((vector(3), vector_of::<I64>(2)), |(x, i)| x.gather(i))?;
    /// assert_eq!(f.eval((&[5.0, 6.0, 7.0], &[2, 2]))?, [7.0, 7.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn gather(self, indices: impl IntoArray<'t, I64>) -> Self {
        let operands = [self.operand(), indices.into_array().operand()];
        make(&operands, Location::caller(), |site, values| {
            let &[x, indices] = values else { unreachable!("two operands") };
            let (own, shape) = (site.extents(x), site.extents(indices));
            let Some((_, row)) = own.split_first() else {
                return site.misfit("gather", "rows", site.trace.ty(x), &site.ty(K::ELEM, &shape));
            };
            let count = shape.iter().product();
            let list = site.reshape(indices, &[count]);
            let looped = site.looped(Turns::fixed(count as u32), &[], &[list], |_, _, rows| LoopBody {
                stacks: vec![site.operand(site.part(x, &[rows[0]]))],
                ..LoopBody::default()
            });
            site.reshape(looped.stacks[0], &[&shape[..], row].concat())
        })
    }
}

impl<'t, K: Number> Array<'t, K> {
    /// This array with row `k` of `updates` added to its row number `indices[k]`, for each `k`.
    ///
    /// # Errors
    /// A number out of range is an error of the call, updates of another shape one of the trace.
    ///
    /// ```
    /// use evolute_frontend::{Array, Function, I64, vector, vector_of};
    ///
    /// let f = Function::trace((vector_of::<I64>(3), vector(3)), |(bins, weights)| {
    ///     Array::full(&[2], 0.0).scatter_add(bins, weights)
    /// })?;
    /// assert_eq!(f.eval((&[0, 1, 1], &[1.0, 2.0, 4.0]))?, [1.0, 6.0]);
    /// # Ok::<(), evolute_frontend::Error>(())
    /// ```
    #[track_caller]
    pub fn scatter_add(self, indices: impl IntoArray<'t, I64>, updates: impl IntoArray<'t, K>) -> Self {
        let operands = [self.operand(), indices.into_array().operand(), updates.into_array().operand()];
        make(&operands, Location::caller(), |site, values| {
            let &[x, indices, updates] = values else { unreachable!("three operands") };
            let (own, shape) = (site.extents(x), site.extents(indices));
            let Some((_, row)) = own.split_first() else {
                return site.misfit("scatter_add", "rows", site.trace.ty(x), &site.trace.ty(x));
            };
            let expected = [&shape[..], row].concat();
            if site.extents(updates) != expected {
                let found = format!("{:?}", site.extents(updates));
                return site.misfit("scatter_add", format!("updates {expected:?}"), found, &site.trace.ty(x));
            }
            let count = shape.iter().product();
            let list = site.reshape(indices, &[count]);
            let updates = site.reshape(updates, &[&[count], row].concat());
            let body = |_: Value, _: &[Value], rows: &[Value]| LoopBody {
                sums: vec![Term { start: Some(x), term: site.operand(rows[1]), at: vec![rows[0]] }],
                ..LoopBody::default()
            };
            site.looped(Turns::fixed(count as u32), &[], &[list, updates], body).sums[0]
        })
    }
}

/// Whether there are as many axes as indices, or more.
fn within_rank(site: Site<'_>, x: Value, count: usize) -> Result<(), (String, String)> {
    match site.extents(x).len() {
        rank if rank >= count => Ok(()),
        rank => Err((format!("at most {rank} indices"), count.to_string())),
    }
}

/// How an axis is read.
#[derive(Clone)]
enum Read {
    /// At an index affine in iteration numbers of loops, or at a constant one.
    Affine(Affine),
    /// At this index, to be checked by the call.
    Computed(Value),
    /// All of it.
    Whole,
}

/// How many times as large as an axis the rows may be that overlap in it, as those of `x.at(i + j)` do.
const OVERLAP: i64 = 4;

/// The part of `x` at indices of its first axes. What is constant or affine is views and rows of loops, of which the
/// rest is computed.
fn part(site: Site<'_>, operation: &'static str, x: Value, operands: &[Operand], values: &[Value]) -> Value {
    let extents = site.extents(x);
    let loops = site.trace.loops_within(x);
    let mut reads = Vec::new();
    for (axis, &extent) in extents.iter().enumerate() {
        let Some(&operand) = operands.get(axis) else {
            reads.push(Read::Whole);
            continue;
        };
        let constant = site.trace.constant_integer(operand);
        if let Some(odd) = constant.filter(|&i| i < 0 || i >= extent as i64) {
            let expected = format!("an index in 0..{extent} for axis {axis}");
            let ty = site.ty(site.elem(x), &extents[operands.len()..]);
            return site.misfit(operation, expected, odd, &ty);
        }
        let affine = site.trace.affine_below(operand, extent);
        let affine = affine.filter(|affine| makes_rows(site, affine, extent, &loops));
        reads.push(affine.map_or(Read::Computed(values[axis]), Read::Affine));
    }
    read(site, x, reads, &loops)
}

/// Whether what is read at this index of an axis is made of rows of these loops, and these are not much more than
/// the axis.
fn makes_rows(site: Site<'_>, affine: &Affine, extent: usize, loops: &[(Value, u32)]) -> bool {
    let (mut rest, mut extent) = (affine.clone(), extent as i64);
    for &(index, cap) in loops {
        let (step, without) = rest.without(index);
        rest = without;
        if step != 0 {
            let (low, high) = site.trace.range(&rest);
            let length = high - low + 1;
            if length.saturating_mul(i64::from(cap)) > OVERLAP * extent {
                return false;
            }
            extent = length;
        }
    }
    rest.terms.is_empty()
}

/// Goes into the loops on which an index depends, from the outside: the array is each time a row of the one before.
fn read(site: Site<'_>, mut x: Value, mut reads: Vec<Read>, loops: &[(Value, u32)]) -> Value {
    let depends = |read: &Read, index: Value| match read {
        Read::Affine(affine) => affine.without(index).0 != 0,
        Read::Computed(_) | Read::Whole => false,
    };
    for &(index, _) in loops {
        if reads.iter().any(|read| depends(read, index)) {
            let (view, rest) = row_view(site, x, &reads, Some(index));
            (x, reads) = (site.row(index, x, view), rest);
        }
    }
    let (RowView { offset, extents, strides, .. }, rest) = row_view(site, x, &reads, None);
    if extents.is_empty() {
        return element(site, x, offset as u32);
    }
    let computed = rest.into_iter().filter_map(|read| match read {
        Read::Computed(index) => Some(index),
        Read::Affine(_) | Read::Whole => None,
    });
    site.part(site.view(x, &extents, offset, &strides), &computed.collect::<Vec<_>>())
}

/// The view of `x` that is read, a row in each iteration of the loop of this number if there is one, and how its axes
/// are read then.
fn row_view(site: Site<'_>, x: Value, reads: &[Read], index: Option<Value>) -> (RowView, Vec<Read>) {
    let mut view = RowView { offset: 0, step: 0, extents: Vec::new(), strides: Vec::new() };
    let mut rest = Vec::new();
    let extents = site.extents(x);
    for ((read, &extent), stride) in reads.iter().zip(&extents).zip(row_major(&extents)) {
        let mut extent = extent;
        let read = match read {
            Read::Affine(affine) => {
                let (step, mut inner) =
                    index.map_or_else(|| (0, affine.clone()), |index| affine.without(index));
                view.step += step * stride;
                if inner.terms.is_empty() {
                    view.offset += inner.start * stride;
                    continue;
                }
                if step != 0 {
                    let (low, high) = site.trace.range(&inner);
                    view.offset += low * stride;
                    inner.start -= low;
                    extent = (high - low + 1) as usize;
                }
                Read::Affine(inner)
            }
            Read::Computed(_) | Read::Whole => read.clone(),
        };
        view.extents.push(extent);
        view.strides.push(stride);
        rest.push(read);
    }
    (view, rest)
}

impl Site<'_> {
    pub(crate) fn operand(&self, value: Value) -> Operand {
        (self.trace.node(value), self.elem(value))
    }
}
