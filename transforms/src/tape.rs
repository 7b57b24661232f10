//! Linear code as data: what reverse mode records on the way forward.
//!
//! Entry `i` defines tangent `i` from earlier ones. The tape holds no numbers: its coefficients are
//! known values of the program under construction, which [`transpose`](crate::transpose) multiplies
//! the cotangents by.

use crate::differentiate::Walk;
use crate::linear::{Coefficient, Linear, LinearMap};
use evolute_ir::{Builder, Inst, IrError, TypeId, Value};
use smallvec::SmallVec;
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
    /// The sum of these [`Record::terms`].
    Combine(Range<u32>),
    /// The same divided by this value.
    Quotient(Range<u32>, Value),
    /// A map of one tangent: a number in [`Record::maps`].
    Map(Tangent, u32),
    /// An array of these [`Record::parts`].
    Pack(Range<u32>),
    /// An array with a term added: a number in [`Record::additions`].
    AddAt(u32),
    /// The first result of a structure that has a tangent: a number in [`Record::structures`].
    Structure(u32),
    /// A further result of the structure before.
    FurtherResult,
}

/// An addition to a part of an array.
#[derive(Clone, Debug)]
pub(crate) struct Addition {
    pub(crate) array: Option<Tangent>,
    pub(crate) term: Option<Tangent>,
    pub(crate) indices: SmallVec<[Value; 2]>,
}

/// A loop, a conditional or a linear system, to be run backwards.
#[derive(Clone, Debug)]
pub(crate) struct Structure {
    pub(crate) inst: Inst,
    /// Its operands as known values.
    pub(crate) known: Vec<Value>,
    /// The tangents of its operands, and of its results.
    pub(crate) operands: Vec<Option<Tangent>>,
    pub(crate) results: Vec<Option<Tangent>>,
    /// Of a loop, the carries as each iteration found them, stacked.
    pub(crate) carries: Vec<Value>,
    /// Of a `while`, how often it ran.
    pub(crate) count: Option<Value>,
}

/// The entries of a tape and what they name.
#[derive(Default)]
pub(crate) struct Record {
    /// Each entry with the known value whose tangent it is.
    pub(crate) entries: Vec<(Entry, Value)>,
    pub(crate) terms: Vec<(Coefficient, Tangent)>,
    pub(crate) maps: Vec<LinearMap>,
    /// Parts of arrays, with the flat index at which each begins.
    pub(crate) parts: Vec<(Tangent, u32)>,
    pub(crate) additions: Vec<Addition>,
    pub(crate) structures: Vec<Structure>,
}

/// Linear code, recorded. See the [module](self).
pub(crate) struct Tape<'b> {
    pub(crate) builder: &'b mut Builder,
    pub(crate) record: Record,
}

impl<'b> Tape<'b> {
    pub(crate) fn new(builder: &'b mut Builder) -> Self {
        Tape { builder, record: Record::default() }
    }

    /// The tangent of the input `of`.
    pub(crate) fn input(&mut self, of: Value) -> Tangent {
        self.push(Entry::Input, of)
    }

    pub(crate) fn push(&mut self, entry: Entry, of: Value) -> Tangent {
        let tangent = Tangent(self.record.entries.len() as u32);
        self.record.entries.push((entry, of));
        tangent
    }
}

/// Appends `items` and gives their place.
fn append<T>(list: &mut Vec<T>, items: impl IntoIterator<Item = T>) -> Range<u32> {
    let start = list.len() as u32;
    list.extend(items);
    start..list.len() as u32
}

impl Linear for Tape<'_> {
    type Tangent = Tangent;

    fn builder(&mut self) -> &mut Builder {
        self.builder
    }

    fn combine(&mut self, terms: &[(Coefficient, Tangent)], of: Value) -> Result<Tangent, IrError> {
        let terms = append(&mut self.record.terms, terms.iter().copied());
        Ok(self.push(Entry::Combine(terms), of))
    }

    fn quotient(
        &mut self,
        terms: &[(Coefficient, Tangent)],
        divisor: Value,
        of: Value,
    ) -> Result<Tangent, IrError> {
        let terms = append(&mut self.record.terms, terms.iter().copied());
        Ok(self.push(Entry::Quotient(terms, divisor), of))
    }

    fn map(&mut self, map: LinearMap, x: Tangent, of: Value) -> Result<Tangent, IrError> {
        let number = append(&mut self.record.maps, [map]).start;
        Ok(self.push(Entry::Map(x, number), of))
    }

    fn pack(&mut self, _: TypeId, parts: &[(Option<Tangent>, Value)], of: Value) -> Result<Tangent, IrError> {
        let program = self.builder.program();
        let mut start = 0;
        let placed = parts.iter().filter_map(|&(tangent, like)| {
            let place = start;
            start += program.ty(like).shape.len() as u32;
            Some((tangent?, place))
        });
        let parts = append(&mut self.record.parts, placed);
        Ok(self.push(Entry::Pack(parts), of))
    }

    fn add_at(
        &mut self,
        array: Option<Tangent>,
        term: Option<Tangent>,
        indices: &[Value],
        of: Value,
    ) -> Result<Tangent, IrError> {
        let addition = Addition { array, term, indices: indices.into() };
        let number = append(&mut self.record.additions, [addition]).start;
        Ok(self.push(Entry::AddAt(number), of))
    }

    fn solve(walk: &mut Walk<'_, Self>, inst: Inst, rhs: Tangent, of: Value) -> Result<Tangent, IrError> {
        walk.record_solve(inst, rhs, of)
    }

    fn structured(walk: &mut Walk<'_, Self>, inst: Inst) -> Result<(), IrError> {
        walk.record_structure(inst)
    }
}
