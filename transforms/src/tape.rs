//! Linear code as data: what reverse mode records on the way forward.
//!
//! Entry `i` defines tangent `i` from earlier ones. The tape holds no numbers: its coefficients are
//! known values of the program under construction, which [`transpose`](crate::transpose) multiplies
//! the cotangents by.

use crate::linear::{Coefficient, Linear};
use evolute_ir::{Builder, IrError, TypeId, Value};
use std::ops::Range;

/// A tangent: an entry of a [`Tape`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Tangent(pub(crate) u32);

impl Tangent {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// How an entry's tangent arises.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    /// It is an input.
    Input,
    /// The sum of these [`Tape::terms`].
    Combine(Range<u32>),
    /// An element of an array's tangent.
    Element(Tangent, u32),
    /// An array of these [`Tape::elements`].
    Pack(Range<u32>),
}

/// Linear code, recorded. See the [module](self).
pub(crate) struct Tape<'b> {
    pub(crate) builder: &'b mut Builder,
    /// Each entry with the known value whose tangent it is.
    pub(crate) entries: Vec<(Entry, Value)>,
    pub(crate) terms: Vec<(Coefficient, Tangent)>,
    pub(crate) elements: Vec<Option<Tangent>>,
}

impl<'b> Tape<'b> {
    pub(crate) fn new(builder: &'b mut Builder) -> Self {
        Tape { builder, entries: Vec::new(), terms: Vec::new(), elements: Vec::new() }
    }

    /// The tangent of the input `of`.
    pub(crate) fn input(&mut self, of: Value) -> Tangent {
        self.push(Entry::Input, of)
    }

    fn push(&mut self, entry: Entry, of: Value) -> Tangent {
        let tangent = Tangent(self.entries.len() as u32);
        self.entries.push((entry, of));
        tangent
    }
}

/// Appends `items` and gives their place.
fn append<T: Copy>(list: &mut Vec<T>, items: &[T]) -> Range<u32> {
    let start = list.len() as u32;
    list.extend_from_slice(items);
    start..list.len() as u32
}

impl Linear for Tape<'_> {
    type Tangent = Tangent;

    fn builder(&mut self) -> &mut Builder {
        self.builder
    }

    fn combine(&mut self, terms: &[(Coefficient, Tangent)], of: Value) -> Result<Tangent, IrError> {
        let terms = append(&mut self.terms, terms);
        Ok(self.push(Entry::Combine(terms), of))
    }

    fn element(&mut self, array: Tangent, index: u32, of: Value) -> Result<Tangent, IrError> {
        Ok(self.push(Entry::Element(array, index), of))
    }

    fn pack(&mut self, _: TypeId, elements: &[Option<Tangent>], of: Value) -> Result<Tangent, IrError> {
        let elements = append(&mut self.elements, elements);
        Ok(self.push(Entry::Pack(elements), of))
    }
}
