//! Elements and parts of arrays at constant and at traced indices.
//!
//! A constant index is checked at once, and makes a `view`. A traced index that is affine in the number of the
//! innermost loop, and always within the array, makes the array one of the loop's rows; any other is checked by
//! the call.

use super::join::element;
use super::{Array, IntoArray, make};
use crate::kind::{I64, Kind, Number};
use crate::trace::{LoopBody, Operand, RowView, Site, Term, Turns, row_major};
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
    /// The element at an index, a tuple of them for several axes. An index is a number or a traced [`Int`]. A
    /// number out of range is an error of the trace, a traced index out of range one of the call.
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

    /// The part at indices of the first axes.
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
        self.indexed("part", indices.indices(), |site, x, count| match site.extents(x).len() {
            rank if rank >= count => Ok(()),
            rank => Err((format!("at most {rank} indices"), count.to_string())),
        })
    }

    /// Row `i`: the part at an index of the first axis.
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
        self.part(i.index())
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

    /// The rows whose numbers `indices` holds, in its shape. A number out of range is an error of the call.
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

/// How an axis is read.
enum Read {
    /// Always at this index.
    Constant(i64),
    /// At `start + step · i` in iteration `i` of the innermost loop.
    Affine { start: i64, step: i64 },
    /// At this index, to be checked by the call.
    Computed(Value),
    /// All of it.
    Whole,
}

/// The part of `x` at indices of its first axes. What is constant or affine is one view, of which the rest is computed.
fn part(site: Site<'_>, operation: &'static str, x: Value, operands: &[Operand], values: &[Value]) -> Value {
    let extents = site.extents(x);
    let outer = site.trace.is_outer(x);
    let mut reads = Vec::new();
    for (axis, &extent) in extents.iter().enumerate() {
        let Some(&operand) = operands.get(axis) else {
            reads.push(Read::Whole);
            continue;
        };
        let constant = site.trace.constant_integer(operand);
        if let Some(odd) = constant.filter(|&i| i < 0 || i >= extent as i64) {
            let expected = format!("an index below {extent} for axis {axis}");
            let ty = site.ty(site.elem(x), &extents[operands.len()..]);
            return site.misfit(operation, expected, odd, &ty);
        }
        let affine =
            site.trace.affine_below(operand, extent).filter(|&a| outer && site.trace.is_innermost(a));
        reads.push(match (constant, affine) {
            (Some(i), _) => Read::Constant(i),
            (None, Some(affine)) => Read::Affine { start: affine.start, step: affine.step },
            (None, None) => Read::Computed(values[axis]),
        });
    }
    let (base, computed) = viewed(site, x, &extents, &reads);
    site.part(base, &computed)
}

/// The view of `x`, a row of the innermost loop if something is affine, and the indices of its first axes.
fn viewed(site: Site<'_>, x: Value, extents: &[usize], reads: &[Read]) -> (Value, Vec<Value>) {
    let mut view = RowView { offset: 0, step: 0, extents: Vec::new(), strides: Vec::new() };
    let (mut computed, mut in_loop) = (Vec::new(), false);
    for ((read, &extent), stride) in reads.iter().zip(extents).zip(row_major(extents)) {
        match *read {
            Read::Constant(i) => view.offset += i * stride,
            Read::Affine { start, step } => {
                view.offset += start * stride;
                view.step += step * stride;
                in_loop = true;
            }
            Read::Computed(index) => {
                computed.push(index);
                view.extents.push(extent);
                view.strides.push(stride);
            }
            Read::Whole => {
                view.extents.push(extent);
                view.strides.push(stride);
            }
        }
    }
    let RowView { offset, ref extents, ref strides, .. } = view;
    let base = match () {
        () if in_loop => site.row(x, view),
        () if extents.is_empty() => element(site, x, offset as u32),
        () => site.view(x, extents, offset, strides),
    };
    (base, computed)
}

impl Site<'_> {
    pub(crate) fn operand(&self, value: Value) -> Operand {
        (self.trace.node(value), self.elem(value))
    }
}
