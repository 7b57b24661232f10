//! Runs a tape backwards: from the cotangents of its outputs to those of its inputs.
//!
//! Each entry hands its cotangent to the tangents it was made of, times the same coefficient. An
//! absent cotangent is a zero and costs nothing. See Note [Masks] for what an untaken branch sends, and Note [Scales] in
//! `cotangents` for powers of two, Note [Quotients] there for divisors.
//!
//! Note [Masks]: the transpose of `When(c)` is `select(c, ȳ, 0)`, but multiplying that zero further on by a
//! partial that is infinite (`select(x > 0, ln x, 0)` at 0 has 1/x) would give NaN. So a share of a cotangent carries
//! its mask beside its value; coefficients multiply the bare value, and the `select` is made only where
//! the share meets another one (see Note [Joint masks] in `share`), is mixed with other elements, or leaves the
//! tape. What is infinite is then computed and not selected.

mod structures;

pub(crate) use structures::{Seeds, common_scalar, seed};

use crate::cotangents::Cell;
use crate::differentiate::Walk;
use crate::linear::{LinearMap, constant_like};
use crate::matrices::{product, turned};
use crate::placement::{condensed, place};
use crate::reach::Sum;
use crate::share::Share;
use crate::tape::{Entry, Record, Tangent, Tape};
use evolute_ir::{Builder, IrError, Linalg, Op, Origin, Role, Strides, StridesId, Type, Value};
use std::collections::BTreeMap;

/// A cotangent, and where it may be other than 0, if that is known.
pub(crate) type Masked = (Value, Option<Value>);

/// The cotangents gathered so far, on the way back through one record.
pub(crate) struct Backward {
    cells: Vec<Cell>,
    /// The known value whose tangent each entry is.
    of: Vec<Value>,
    origin: Origin,
}

impl Walk<'_, Tape<'_>> {
    /// The cotangents of `inputs`, each with its mask beside it, and what becomes of `sums`, given the cotangents of the outputs (an output that is no
    /// tangent needs none). What is added to a sum's tangent is added to the value beside it.
    pub(crate) fn transpose(
        &mut self,
        outputs: &[(Option<Tangent>, Share)],
        inputs: &[Tangent],
        sums: &[(Tangent, Sum)],
        origin: Origin,
    ) -> Result<(Vec<Masked>, Vec<Sum>), IrError> {
        let like: Vec<Value> =
            inputs.iter().map(|input| self.linear.record.entries[input.index()].1).collect();
        let (cotangents, sums) = self.run_back(outputs, inputs, sums, origin)?;
        let mut all = Vec::with_capacity(like.len());
        for (cotangent, like) in cotangents.into_iter().zip(like) {
            all.push(match cotangent {
                Some(masked) => masked,
                None => (constant_like(self.linear.builder, like, 0.0)?, None),
            });
        }
        Ok((all, sums))
    }

    /// As [`Walk::transpose`]; an absent cotangent is a zero.
    pub(crate) fn run_back(
        &mut self,
        outputs: &[(Option<Tangent>, Share)],
        inputs: &[Tangent],
        sums: &[(Tangent, Sum)],
        origin: Origin,
    ) -> Result<(Vec<Option<Masked>>, Vec<Sum>), IrError> {
        let record = std::mem::take(&mut self.linear.record);
        let mut backward = Backward {
            cells: vec![Cell::default(); record.entries.len()],
            of: record.entries.iter().map(|&(_, of)| of).collect(),
            origin: Origin { role: Role::Cotangent, ..origin },
        };
        for &(tangent, sum) in sums {
            backward.cells[tangent.index()].sum = Some(sum);
        }
        for &(tangent, seed) in outputs {
            if let Some(tangent) = tangent {
                backward.derivative_of(self.linear.builder, tangent);
                backward.add(self.linear.builder, tangent, seed)?;
            }
        }
        for (index, (entry, _)) in record.entries.iter().enumerate().rev() {
            match entry {
                Entry::Input | Entry::FurtherResult => {}
                Entry::Structure(number) => {
                    self.transpose_structure(&mut backward, &record.structures[*number as usize])?;
                }
                _ => backward.entry(self.linear.builder, &record, Tangent(index as u32))?,
            }
        }
        let mut cotangents = Vec::new();
        for &input in inputs {
            backward.derivative_of(self.linear.builder, input);
            let share = backward.share(self.linear.builder, input)?;
            let masked = share.map(|share| Ok((share.plain(self.linear.builder)?, share.mask)));
            cotangents.push(masked.transpose()?);
        }
        let sum = |&(tangent, _): &(Tangent, Sum)| backward.cells[tangent.index()].sum;
        Ok((cotangents, sums.iter().map(|pair| sum(pair).expect("a sum stays one")).collect()))
    }
}

impl Backward {
    fn derivative_of(&self, builder: &mut Builder, tangent: Tangent) {
        let of = self.of[tangent.index()];
        let loc = builder.program().value(of).origin.loc;
        builder.set_origin(Origin { loc, of: Some(of), ..self.origin });
    }

    /// Hands an entry's cotangent on.
    fn entry(&mut self, builder: &mut Builder, record: &Record, tangent: Tangent) -> Result<(), IrError> {
        let cell = std::mem::take(&mut self.cells[tangent.index()]);
        if cell.is_empty() {
            return Ok(());
        }
        self.derivative_of(builder, tangent);
        let of = self.of[tangent.index()];
        match &record.entries[tangent.index()].0 {
            Entry::Input | Entry::Structure(_) | Entry::FurtherResult => {}
            Entry::Combine(range) => {
                let share = cell.gather(builder, of)?;
                for &(coefficient, to) in &record.terms[range.start as usize..range.end as usize] {
                    self.derivative_of(builder, to);
                    let share = share.scaled(builder, coefficient, self.of[to.index()])?;
                    self.add(builder, to, share)?;
                }
            }
            Entry::Quotient(range, divisor) => {
                let share = cell.gather(builder, of)?;
                for &(coefficient, to) in &record.terms[range.start as usize..range.end as usize] {
                    self.derivative_of(builder, to);
                    let share = share.scaled(builder, coefficient, self.of[to.index()])?;
                    self.add(builder, to, share.over(builder, *divisor))?;
                }
            }
            Entry::Map(to, map) => {
                let share = match record.maps[*map as usize] {
                    LinearMap::View(..) => cell.gather_undivided(builder, of)?,
                    _ => cell.gather(builder, of)?,
                };
                self.derivative_of(builder, *to);
                self.map(builder, &record.maps[*map as usize], *to, share)?;
            }
            Entry::Pack(range) => {
                let parts = &record.parts[range.start as usize..range.end as usize];
                self.unpack(builder, cell, parts, of)?;
            }
            Entry::AddAt(number) => {
                let addition = &record.additions[*number as usize];
                let share = cell.gather(builder, of)?;
                if let Some(array) = addition.array {
                    self.add(builder, array, share)?;
                }
                if let Some(term) = addition.term {
                    self.derivative_of(builder, term);
                    let indices = &addition.indices[..];
                    let part = match indices.is_empty() {
                        true => share,
                        false => share.moved(builder, |builder, value| {
                            builder.insert(Op::At, &[&[value], indices].concat())
                        })?,
                    };
                    self.add(builder, term, part)?;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn add(
        &mut self,
        builder: &mut Builder,
        tangent: Tangent,
        share: Share,
    ) -> Result<(), IrError> {
        self.cells[tangent.index()].add(builder, share)
    }

    /// The transpose of a map.
    fn map(
        &mut self,
        builder: &mut Builder,
        map: &LinearMap,
        to: Tangent,
        share: Share,
    ) -> Result<(), IrError> {
        let of = self.of[to.index()];
        let ty = builder.program().ty(of).clone();
        let share = match *map {
            LinearMap::Element(index) => {
                return self.cells[to.index()].add_element(builder, index as usize, share, of);
            }
            LinearMap::At(ref indices) => {
                return self.cells[to.index()].add_at(builder, share, indices, of);
            }
            LinearMap::View(_, strides) => return self.view(builder, strides, to, share),
            LinearMap::Spread(_, strides) => share.moved(builder, |builder, value| {
                let elem = builder.program().ty(value).elem;
                let id = builder.intern(&Type { elem, ..ty.clone() });
                builder.insert(Op::View(id, strides), &[value])
            })?,
            LinearMap::Sum(_) => share.moved(builder, |builder, value| repeat(builder, value, &ty))?,
            LinearMap::Left(k) => share.mapped(builder, |builder, value| {
                let k = turned(builder, k)?;
                product(builder, k, value)
            })?,
            LinearMap::Right(k) => share.mapped(builder, |builder, value| {
                let k = turned(builder, k)?;
                product(builder, value, k)
            })?,
            LinearMap::SolveTriangular { k, upper, transposed } => {
                share.mapped(builder, |builder, value| {
                    let transposed = !transposed;
                    builder.insert(Op::Linalg(Linalg::SolveTriangular { upper, transposed }), &[k, value])
                })?
            }
            LinearMap::LuSolve { k: [a, f], transposed } => share.mapped(builder, |builder, value| {
                let transposed = !transposed;
                builder.insert(Op::Linalg(Linalg::LuSolve { transposed }), &[a, f, value])
            })?,
        };
        self.add(builder, to, share)
    }

    /// The transpose of a view adds to a part, too, if that is elements one after the other.
    fn view(
        &mut self,
        builder: &mut Builder,
        strides: StridesId,
        to: Tangent,
        share: Share,
    ) -> Result<(), IrError> {
        let of = self.of[to.index()];
        let whole = builder.program().strides(strides).clone();
        let mut strides = whole.clone();
        let share = share.summed(builder, |builder, value| {
            let (value, rest) = condensed(builder, value, &whole)?;
            strides = rest;
            Ok(value)
        })?;
        let ty = builder.program().ty(of).clone();
        let shape = &builder.program().ty(share.value).shape;
        let is_block = strides.strides == Strides::row_major(shape).strides;
        let is_part = !shape.is_empty() && shape.len() < ty.shape.len();
        match usize::try_from(strides.offset) {
            Ok(start) if is_block && is_part => self.cells[to.index()].add_block(builder, start, share, of),
            _ => {
                let share = share.moved(builder, |builder, value| place(builder, value, &ty, &strides))?;
                self.add(builder, to, share)
            }
        }
    }

    /// Hands an array's cotangent to the tangents of its parts.
    fn unpack(
        &mut self,
        builder: &mut Builder,
        cell: Cell,
        parts: &[(Tangent, u32)],
        of: Value,
    ) -> Result<(), IrError> {
        let scalars = parts.iter().all(|&(to, _)| builder.program().ty(self.of[to.index()]).is_scalar());
        let split = if scalars { cell.split() } else { Err(cell) };
        let (whole, elements) = match split {
            Ok((whole, elements)) => (whole.map(|share| share.divided(builder)).transpose()?, elements),
            Err(cell) => (Some(cell.gather(builder, of)?), BTreeMap::new()),
        };
        for &(to, place) in parts {
            self.derivative_of(builder, to);
            if let Some(array) = whole {
                let ty = builder.program().ty(self.of[to.index()]).clone();
                let share = array.moved(builder, |builder, array| part(builder, array, &ty, place))?;
                self.add(builder, to, share)?;
            }
            if let Some(&share) = elements.get(&(place as usize)) {
                self.add(builder, to, share)?;
            }
        }
        Ok(())
    }
}

/// `x` repeated along the last axes of the shape of `ty`, which it lacks.
fn repeat(builder: &mut Builder, x: Value, ty: &Type) -> Result<Value, IrError> {
    let own = Strides::row_major(&builder.program().ty(x).shape).strides;
    let mut strides = own.into_vec();
    strides.resize(ty.shape.extents().len(), 0);
    let ty = Type { elem: builder.program().ty(x).elem, ..ty.clone() };
    let (ty, strides) =
        (builder.intern(&ty), builder.strides(&Strides { offset: 0, strides: strides.into() }));
    builder.insert(Op::View(ty, strides), &[x])
}

/// The part of `array` in the shape of `ty` from flat index `place` on.
fn part(builder: &mut Builder, array: Value, ty: &Type, place: u32) -> Result<Value, IrError> {
    if ty.is_scalar() {
        return builder.insert(Op::Element(place), &[array]);
    }
    let strides = Strides { offset: i64::from(place), ..Strides::row_major(&ty.shape) };
    let ty = &Type { elem: builder.program().ty(array).elem, ..ty.clone() };
    let (ty, strides) = (builder.intern(ty), builder.strides(&strides));
    builder.insert(Op::View(ty, strides), &[array])
}
