//! Runs a tape backwards: from the cotangents of its outputs to those of its inputs.
//!
//! Each entry hands its cotangent to the tangents it was made of, times the same coefficient. An
//! absent cotangent is a zero and costs nothing. See Note [Masks] for what an untaken branch sends, and Note [Scales] in
//! `cotangents` for powers of two, Note [Quotients] there for divisors.
//!
//! Note [Masks]: the transpose of `When(c)` is `select(c, ȳ, 0)`, but multiplying that zero further on by a
//! partial that is infinite (`select(x > 0, ln x, 0)` at 0 has 1/x) would give NaN. So a share of a cotangent carries
//! its mask beside its value; coefficients multiply the bare value, and the `select` is made only where
//! the share meets another one or leaves the tape. What is infinite is then computed and not selected.

use crate::cotangents::{Cell, Share};
use crate::differentiate::Walk;
use crate::linear::{LinearMap, constant_like};
use crate::matrices::{product, turned};
use crate::placement::{condensed, place};
use crate::tape::{Entry, Record, Tangent, Tape};
use evolute_ir::{Builder, IrError, Linalg, Op, Origin, Role, Strides, StridesId, Type, Value};
use std::collections::BTreeMap;

/// The cotangents gathered so far, on the way back through one record.
pub(crate) struct Backward {
    cells: Vec<Cell>,
    /// The known value whose tangent each entry is.
    of: Vec<Value>,
    origin: Origin,
}

impl Walk<'_, Tape<'_>> {
    /// The cotangents of `inputs`, then what becomes of `sums`, given the cotangents of the outputs (an output that is
    /// no tangent needs none). What is added to a sum's tangent is added to the value beside it.
    pub(crate) fn transpose(
        &mut self,
        outputs: &[(Option<Tangent>, Value)],
        inputs: &[Tangent],
        sums: &[(Tangent, Value)],
        origin: Origin,
    ) -> Result<Vec<Value>, IrError> {
        let like: Vec<Value> =
            inputs.iter().map(|input| self.linear.record.entries[input.index()].1).collect();
        let (cotangents, sums) = self.run_back(outputs, inputs, sums, origin)?;
        let mut all = Vec::with_capacity(like.len() + sums.len());
        for (cotangent, like) in cotangents.into_iter().zip(like) {
            all.push(cotangent.map_or_else(|| constant_like(self.linear.builder, like, 0.0), Ok)?);
        }
        all.extend(sums);
        Ok(all)
    }

    /// As [`Walk::transpose`], apart; an absent cotangent is a zero.
    pub(crate) fn run_back(
        &mut self,
        outputs: &[(Option<Tangent>, Value)],
        inputs: &[Tangent],
        sums: &[(Tangent, Value)],
        origin: Origin,
    ) -> Result<(Vec<Option<Value>>, Vec<Value>), IrError> {
        let record = std::mem::take(&mut self.linear.record);
        let mut backward = Backward {
            cells: vec![Cell::default(); record.entries.len()],
            of: record.entries.iter().map(|&(_, of)| of).collect(),
            origin: Origin { role: Role::Cotangent, ..origin },
        };
        for &(tangent, value) in sums {
            backward.cells[tangent.index()].sum = Some(value);
        }
        for &(tangent, seed) in outputs {
            if let Some(tangent) = tangent {
                backward.derivative_of(self.linear.builder, tangent);
                backward.add(self.linear.builder, tangent, Share::of(seed))?;
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
            cotangents.push(backward.take(self.linear.builder, input)?);
        }
        let sum = |&(tangent, _): &(Tangent, Value)| backward.cells[tangent.index()].sum;
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
                        false => share.mapped(builder, |builder, value| {
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
                let value = share.plain(builder)?;
                return self.cells[to.index()].add_at(builder, value, indices, of);
            }
            LinearMap::View(_, strides) => return self.view(builder, strides, to, share),
            LinearMap::Spread(_, strides) => share.mapped(builder, |builder, value| {
                let id = builder.intern(&ty);
                builder.insert(Op::View(id, strides), &[value])
            })?,
            LinearMap::Sum(_) => share.mapped(builder, |builder, value| repeat(builder, value, &ty))?,
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
        let mut strides = builder.program().strides(strides).clone();
        let share = share.summed(builder, |builder, value| {
            let (value, rest) = condensed(builder, value, &strides)?;
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
                let share = share.mapped(builder, |builder, value| place(builder, value, &ty, &strides))?;
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
                let share = array.mapped(builder, |builder, array| part(builder, array, &ty, place))?;
                self.add(builder, to, share)?;
            }
            if let Some(&share) = elements.get(&(place as usize)) {
                self.add(builder, to, share)?;
            }
        }
        Ok(())
    }

    // ── for structures ──────────────────────────────────────────────────────────────────────────

    /// The cotangent gathered for a tangent, which is then absent.
    pub(crate) fn take(&mut self, builder: &mut Builder, tangent: Tangent) -> Result<Option<Value>, IrError> {
        let share = self.share(builder, tangent)?;
        share.map(|share| share.plain(builder)).transpose()
    }

    /// As [`Backward::take`], with its mask and scale beside it.
    pub(crate) fn share(
        &mut self,
        builder: &mut Builder,
        tangent: Tangent,
    ) -> Result<Option<Share>, IrError> {
        let cell = std::mem::take(&mut self.cells[tangent.index()]);
        if cell.is_empty() {
            return Ok(None);
        }
        self.derivative_of(builder, tangent);
        cell.gather(builder, self.of[tangent.index()]).map(Some)
    }

    /// What a structure adds to in place of the tangent's cotangent; [`Backward::replace`] gives it back.
    pub(crate) fn sum(
        &mut self,
        builder: &mut Builder,
        tangent: Tangent,
        like: Value,
    ) -> Result<Value, IrError> {
        if let Some(sum) = self.cells[tangent.index()].sum {
            return Ok(sum);
        }
        match self.take(builder, tangent)? {
            Some(value) => Ok(value),
            None => constant_like(builder, like, 0.0),
        }
    }

    /// What became of [`Backward::sum`]: before anything else is added to this cotangent.
    pub(crate) fn replace(
        &mut self,
        builder: &mut Builder,
        tangent: Tangent,
        value: Value,
    ) -> Result<(), IrError> {
        match &mut self.cells[tangent.index()].sum {
            Some(sum) => *sum = value,
            None => self.give(builder, tangent, value)?,
        }
        Ok(())
    }

    /// Adds to the cotangent of a tangent.
    pub(crate) fn give(
        &mut self,
        builder: &mut Builder,
        tangent: Tangent,
        value: Value,
    ) -> Result<(), IrError> {
        self.add(builder, tangent, Share::of(value))
    }
}

/// `x` repeated along the last axes of `ty`, which it lacks.
fn repeat(builder: &mut Builder, x: Value, ty: &Type) -> Result<Value, IrError> {
    let own = Strides::row_major(&builder.program().ty(x).shape).strides;
    let mut strides = own.into_vec();
    strides.resize(ty.shape.extents().len(), 0);
    let (ty, strides) =
        (builder.intern(ty), builder.strides(&Strides { offset: 0, strides: strides.into() }));
    builder.insert(Op::View(ty, strides), &[x])
}

/// The part of `array` of type `ty` from flat index `place` on.
fn part(builder: &mut Builder, array: Value, ty: &Type, place: u32) -> Result<Value, IrError> {
    if ty.is_scalar() {
        return builder.insert(Op::Element(place), &[array]);
    }
    let strides = Strides { offset: i64::from(place), ..Strides::row_major(&ty.shape) };
    let (ty, strides) = (builder.intern(ty), builder.strides(&strides));
    builder.insert(Op::View(ty, strides), &[array])
}
