//! Runs a tape backwards: from the cotangents of its outputs to those of its inputs.
//!
//! Each entry hands its cotangent to the tangents it was made of, times the same coefficient. An
//! absent cotangent is a zero and costs nothing. See Note [Masks] for what an untaken branch sends.
//!
//! Note [Masks]: the transpose of `When(c)` is `select(c, ȳ, 0)`, but multiplying that zero further on by a
//! partial that is infinite (`select(x > 0, ln x, 0)` at 0 has 1/x) would give NaN. So a share of a cotangent carries
//! its mask beside its value; coefficients multiply the bare value, and the `select` is made only where
//! the share meets another one or leaves the tape. What is infinite is then computed and not selected.

use crate::linear::{Coefficient, add_signed, constant_like};
use crate::tape::{Entry, Tangent, Tape};
use evolute_ir::{Builder, IrError, Literal, Op, Origin, Prim, Role, Value};

/// A contribution to a cotangent: `±value` where `mask` holds, else zero.
#[derive(Clone, Copy)]
struct Share {
    mask: Option<Value>,
    negated: bool,
    value: Value,
}

/// The cotangent gathered so far for one tangent.
#[derive(Clone, Default)]
struct Cell {
    whole: Option<Share>,
    /// Contributions to single elements of an array; empty if there are none.
    parts: Vec<Option<Share>>,
}

impl Cell {
    fn is_empty(&self) -> bool {
        self.whole.is_none() && self.parts.is_empty()
    }
}

/// The cotangents of `inputs`, given those of `outputs` (an output that is no tangent needs none).
pub(crate) fn transpose(
    tape: &mut Tape<'_>,
    outputs: &[(Option<Tangent>, Value)],
    inputs: &[Tangent],
    origin: Origin,
) -> Result<Vec<Value>, IrError> {
    let cells = vec![Cell::default(); tape.entries.len()];
    let Tape { builder, entries, terms, elements } = tape;
    let mut run = Run { builder, cells, origin };
    for &(tangent, seed) in outputs {
        if let Some(tangent) = tangent {
            run.derivative_of(entries[tangent.index()].1);
            run.add(tangent, Share { mask: None, negated: false, value: seed })?;
        }
    }
    for (index, (entry, of)) in entries.iter().enumerate().rev() {
        if matches!(entry, Entry::Input) || run.cells[index].is_empty() {
            continue;
        }
        run.derivative_of(*of);
        let cell = std::mem::take(&mut run.cells[index]);
        match entry {
            Entry::Input => {}
            Entry::Combine(range) => {
                let share = run.gather(cell, *of)?;
                for &(coefficient, tangent) in &terms[range.start as usize..range.end as usize] {
                    run.derivative_of(entries[tangent.index()].1);
                    let share = run.scaled(share, coefficient, entries[tangent.index()].1)?;
                    run.add(tangent, share)?;
                }
            }
            Entry::Element(array, element) => {
                let share = run.gather(cell, *of)?;
                run.add_part(*array, *element as usize, share, entries[array.index()].1)?;
            }
            Entry::Pack(range) => {
                let elements = &elements[range.start as usize..range.end as usize];
                run.unpack(cell, elements, |tangent| entries[tangent.index()].1)?;
            }
        }
    }
    let finish = |tangent: &Tangent| {
        let of = entries[tangent.index()].1;
        run.derivative_of(of);
        let cell = std::mem::take(&mut run.cells[tangent.index()]);
        if cell.is_empty() {
            return constant_like(run.builder, of, 0.0);
        }
        let share = run.gather(cell, of)?;
        let (negated, value) = run.unmask(share)?;
        if negated { run.builder.insert(Op::Prim(Prim::Neg), &[value]) } else { Ok(value) }
    };
    inputs.iter().map(finish).collect()
}

struct Run<'a> {
    builder: &'a mut Builder,
    cells: Vec<Cell>,
    origin: Origin,
}

impl Run<'_> {
    fn derivative_of(&mut self, of: Value) {
        let loc = self.builder.program().value(of).origin.loc;
        self.builder.set_origin(Origin { loc, of: Some(of), role: Role::Cotangent, ..self.origin });
    }

    fn add(&mut self, tangent: Tangent, share: Share) -> Result<(), IrError> {
        let sum = match self.cells[tangent.index()].whole {
            None => share,
            Some(present) => self.sum(present, share)?,
        };
        self.cells[tangent.index()].whole = Some(sum);
        Ok(())
    }

    fn add_part(&mut self, array: Tangent, element: usize, share: Share, of: Value) -> Result<(), IrError> {
        let len = self.builder.program().ty(of).shape.len();
        self.cells[array.index()].parts.resize(len, None);
        let sum = match self.cells[array.index()].parts[element] {
            None => share,
            Some(present) => self.sum(present, share)?,
        };
        self.cells[array.index()].parts[element] = Some(sum);
        Ok(())
    }

    /// Shares under one mask stay under it; others are selected first.
    fn sum(&mut self, a: Share, b: Share) -> Result<Share, IrError> {
        if a.mask == b.mask {
            let (negated, value) = add_signed(self.builder, (a.negated, a.value), (b.negated, b.value))?;
            return Ok(Share { mask: a.mask, negated, value });
        }
        let (a, b) = (self.unmask(a)?, self.unmask(b)?);
        let (negated, value) = add_signed(self.builder, a, b)?;
        Ok(Share { mask: None, negated, value })
    }

    /// The share as (negated, value), its mask applied.
    fn unmask(&mut self, share: Share) -> Result<(bool, Value), IrError> {
        let Some(mask) = share.mask else { return Ok((share.negated, share.value)) };
        let zero = constant_like(self.builder, share.value, 0.0)?;
        Ok((share.negated, self.builder.insert(Op::Select, &[mask, share.value, zero])?))
    }

    fn scaled(&mut self, share: Share, coefficient: Coefficient, of: Value) -> Result<Share, IrError> {
        match coefficient {
            Coefficient::One => Ok(share),
            Coefficient::MinusOne => Ok(Share { negated: !share.negated, ..share }),
            Coefficient::Times(k) => {
                let value = self.builder.insert(Op::Prim(Prim::Mul), &[share.value, k])?;
                Ok(Share { value, ..share })
            }
            Coefficient::Over(k) => {
                let value = self.builder.insert(Op::Prim(Prim::Div), &[share.value, k])?;
                Ok(Share { value, ..share })
            }
            Coefficient::Cast(_) => {
                let elem = self.builder.program().ty(of).elem;
                let value = self.builder.insert(Op::Cast(elem), &[share.value])?;
                Ok(Share { value, ..share })
            }
            Coefficient::When(condition, holds) => {
                let condition =
                    if holds { condition } else { self.builder.insert(Op::Prim(Prim::Not), &[condition])? };
                let mask = match share.mask {
                    None => condition,
                    Some(mask) => self.builder.insert(Op::Prim(Prim::And), &[mask, condition])?,
                };
                Ok(Share { mask: Some(mask), ..share })
            }
        }
    }

    /// A cell's contributions as one share; those to single elements become one `pack`.
    fn gather(&mut self, cell: Cell, of: Value) -> Result<Share, IrError> {
        if cell.parts.is_empty() {
            return Ok(cell.whole.expect("a cell that is not empty"));
        }
        let ty = self.builder.program().ty(of).clone();
        let zero = self.builder.constant(Literal::from_f64(ty.elem, 0.0));
        let mut elements = Vec::with_capacity(cell.parts.len());
        for part in cell.parts {
            elements.push(match part {
                None => zero,
                Some(share) => match self.unmask(share)? {
                    (false, value) => value,
                    (true, value) => self.builder.insert(Op::Prim(Prim::Neg), &[value])?,
                },
            });
        }
        let id = self.builder.intern(&ty);
        let value = self.builder.insert(Op::Pack(id), &elements)?;
        let packed = Share { mask: None, negated: false, value };
        match cell.whole {
            None => Ok(packed),
            Some(whole) => self.sum(whole, packed),
        }
    }

    /// Hands an array's cotangent to the tangents of its elements, each that of the value `of` gives.
    fn unpack(
        &mut self,
        cell: Cell,
        elements: &[Option<Tangent>],
        of: impl Fn(Tangent) -> Value,
    ) -> Result<(), IrError> {
        let whole = match cell.whole {
            None => None,
            Some(share) => Some(self.unmask(share)?),
        };
        for (index, &tangent) in elements.iter().enumerate() {
            let Some(tangent) = tangent else { continue };
            self.derivative_of(of(tangent));
            if let Some((negated, array)) = whole {
                let value = self.builder.insert(Op::Element(index as u32), &[array])?;
                self.add(tangent, Share { mask: None, negated, value })?;
            }
            if let Some(&Some(share)) = cell.parts.get(index) {
                self.add(tangent, share)?;
            }
        }
        Ok(())
    }
}
