//! Calls: the derivative of a call is a call of the derivative, which is made once; see [`calls`](crate::calls).
//!
//! What a call gives is linear in the cotangents that it takes. So the mask, scale and sign of a cotangent (Note \[Masks\]
//! in `transpose.rs`) go round the call where all its cotangents have the same, and else the mask that holds where any of
//! theirs does: what was not chosen is not multiplied by what is infinite in the function either.

use crate::differentiate::Walk;
use crate::linear::{Forward, Linear};
use crate::masks;
use crate::share::Share;
use crate::tape::{Structure, Tangent, Tape};
use crate::transpose::{Backward, common_scalar};
use evolute_ir::{Builder, Callee, CalleeId, Inst, IrError, SourceLoc, Value};

impl<'a, L: Linear> Walk<'a, L> {
    fn callee(&self, id: CalleeId) -> &'a Callee {
        &self.body.callees()[id]
    }

    /// The user's line that asks for the derivative at hand.
    fn asked(&mut self) -> Option<SourceLoc> {
        let level = self.level;
        let program = self.linear.builder().program();
        program.source(program.levels()[level].loc).cloned()
    }

    pub(super) fn copy_call(&mut self, inst: Inst, id: CalleeId) -> Result<(), IrError> {
        let known = self.known_operands(inst);
        let callee = self.callee(id);
        self.originate_inst(inst);
        let results = self.linear.builder().call(callee, &known)?;
        self.define(inst, &results);
        Ok(())
    }
}

impl Walk<'_, Forward<'_>> {
    pub(super) fn forward_call(&mut self, inst: Inst, id: CalleeId) -> Result<(), IrError> {
        let operands = self.body.operands(inst);
        let active: Vec<bool> = operands.iter().map(|&v| self.tangents[v].is_some()).collect();
        let (callee, asked) = (self.callee(id), self.asked());
        let derived = self.calls.clone().forward(callee, &active, asked.as_ref())?;
        let mut all = self.known_operands(inst);
        all.extend(operands.iter().filter_map(|&v| self.tangents[v]));
        self.originate_inst(inst);
        let copies = self.linear.builder.call(&derived.callee, &all)?;
        let (known, tangents) = copies.split_at(derived.given.len());
        self.define(inst, known);
        let with_tangent = self.body.results(inst).zip(&*derived.given).filter(|&(_, &given)| given);
        for ((result, _), &tangent) in with_tangent.zip(tangents) {
            self.tangents[result] = Some(tangent);
            let known = self.known(result);
            self.linear.derivative_of(known);
            let origin = self.linear.builder.origin();
            self.linear.builder.set_origin_of(tangent, origin);
        }
        Ok(())
    }
}

impl Walk<'_, Tape<'_>> {
    /// Runs a call backwards.
    pub(super) fn transpose_call(
        &mut self,
        backward: &mut Backward,
        structure: &Structure,
        id: CalleeId,
    ) -> Result<(), IrError> {
        let shares = gathered(self.linear.builder, backward, &structure.results)?;
        if shares.iter().all(Option::is_none) {
            return Ok(());
        }
        let [active, seeded] = [marks(&structure.operands), marks(&shares)];
        let (callee, asked) = (self.callee(id), self.asked());
        let derived = self.calls.clone().reverse(callee, &active, &seeded, asked.as_ref())?;
        let (around, seeds) = Around::of(self.linear.builder, shares.into_iter().flatten().collect())?;
        self.cotangent_origin(structure.known[0]);
        let operands = [&structure.known[..], &seeds].concat();
        let cotangents = self.linear.builder.call(&derived.callee, &operands)?;
        let active = structure.operands.iter().zip(&structure.known).filter_map(|(t, &v)| Some(((*t)?, v)));
        let given = active.zip(&*derived.given).filter(|&(_, &given)| given);
        for (((tangent, of), _), value) in given.zip(cotangents) {
            self.originate_cotangent(structure, value, of);
            self.cotangent_origin(of);
            let share = around.put(self.linear.builder, value)?;
            backward.add(self.linear.builder, tangent, share)?;
        }
        Ok(())
    }
}

fn marks<T>(optional: &[Option<T>]) -> Vec<bool> {
    optional.iter().map(Option::is_some).collect()
}

/// The cotangents of a call's results, as far as there are some.
fn gathered(
    builder: &mut Builder,
    backward: &mut Backward,
    results: &[Option<Tangent>],
) -> Result<Vec<Option<Share>>, IrError> {
    let share = |tangent: &Option<Tangent>| match tangent {
        Some(tangent) => backward.share(builder, *tangent),
        None => Ok(None),
    };
    results.iter().map(share).collect()
}

/// What all cotangents that go into a call are multiplied by, each a scalar.
#[derive(Clone, Copy, PartialEq, Default)]
struct Around {
    mask: Option<Value>,
    scale: Option<Value>,
    negated: bool,
}

impl Around {
    /// What goes round the call, and what goes in.
    fn of(builder: &mut Builder, shares: Vec<Share>) -> Result<(Around, Vec<Value>), IrError> {
        let mut parts = Vec::with_capacity(shares.len());
        for share in shares {
            parts.push((share, Around::split(builder, share)?));
        }
        let first = parts[0].1.0;
        if parts.iter().all(|(_, (around, _))| *around == first) {
            return Ok((first, parts.into_iter().map(|(_, (_, value))| value).collect()));
        }
        let mask = common_scalar(builder, parts.iter().map(|(share, _)| share))?;
        let plain = parts.into_iter().map(|(share, _)| share.plain(builder)).collect::<Result<_, _>>()?;
        Ok((Around { mask, ..Around::default() }, plain))
    }

    /// The scalars that a share is multiplied by, and the rest of it.
    fn split(builder: &mut Builder, share: Share) -> Result<(Around, Value), IrError> {
        let is_scalar = |value: Value| builder.program().ty(value).is_scalar();
        let mask = share.mask.and_then(|mask| masks::uniform(builder, mask));
        if mask.is_some() == share.mask.is_some() && share.scale.is_none_or(is_scalar) {
            return Ok((Around { mask, scale: share.scale, negated: share.negated }, share.value));
        }
        let (negated, value) = share.signed(builder)?;
        Ok((Around { negated, ..Around::default() }, value))
    }

    /// The share that a value given by the call is.
    fn put(self, builder: &mut Builder, value: Value) -> Result<Share, IrError> {
        let mask = self.mask.map(|mask| masks::over(builder, mask, value)).transpose()?;
        Ok(Share { mask, scale: self.scale, negated: self.negated, ..Share::of(value) })
    }
}
