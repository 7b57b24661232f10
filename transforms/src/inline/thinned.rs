//! Copying loops that stack and read less than they did: see Note \[Residuals\] in `residuals.rs`.

use super::Copy;
use crate::residuals::{Residual, Thinned};
use evolute_ir::{Builder, ClosedRegion, Inst, IrError, Literal, LoopSpec, Op, Region, Value};
use std::collections::BTreeSet;

impl Copy<'_> {
    /// Copies a loop that changes.
    pub(super) fn thinned_loop(
        &mut self,
        builder: &mut Builder,
        inst: Inst,
        operands: &[Value],
        thinned: &Thinned,
    ) -> Result<Vec<Value>, IrError> {
        let Op::Loop { body, condition, spec } = self.from.op(inst) else { unreachable!("it is a loop") };
        let spec = self.from.loop_spec(spec);
        let (own, captured) = operands.split_at(spec.own_operands());
        let of_condition = 1 + spec.carries as usize;
        let condition =
            condition.map(|region| self.nested(builder, region, of_condition, captured)).transpose()?;
        let (body, places) = self.thinned_body(builder, (inst, body, spec), captured, thinned)?;
        let operands = self.thinned_operands(spec, own, thinned);
        let origin = self.from.results(inst).next().map(|v| self.provenance.map(self.from, v, &self.values));
        builder.set_origin(origin.unwrap_or_default());
        let spec =
            LoopSpec { rows: spec.rows - thinned.unread.len() as u32 + thinned.rows.len() as u32, ..spec };
        let results = builder.looping(spec, condition, body, &operands)?;
        Ok(self.thinned_results(builder, (inst, spec), &results, &places, thinned))
    }

    /// The loop's own operands, with other arrays of rows.
    fn thinned_operands(&self, spec: LoopSpec, own: &[Value], thinned: &Thinned) -> Vec<Value> {
        let (first, rest) = own.split_at(spec.first_carry_operand() + spec.carries as usize);
        let (rows, sums) = rest.split_at(spec.rows as usize);
        let kept = rows.iter().enumerate().filter(|(row, _)| !thinned.unread.contains(row));
        let stacks = thinned.rows.iter().map(|value| self.residuals[value]);
        first
            .iter()
            .copied()
            .chain(kept.map(|(_, &row)| row))
            .chain(stacks)
            .chain(sums.iter().copied())
            .collect()
    }

    /// The body, and the place among its stacks of each that it gives in place of others.
    fn thinned_body(
        &mut self,
        builder: &mut Builder,
        (inst, body, spec): (Inst, Region, LoopSpec),
        captured: &[Value],
        thinned: &Thinned,
    ) -> Result<(ClosedRegion, Vec<usize>), IrError> {
        builder.open_region();
        let mut places = Vec::new();
        let given = self.thinned_region(builder, (inst, body, spec), captured, thinned, &mut places);
        let closed = builder.close_region(given.as_deref().unwrap_or_default());
        given?;
        Ok((closed?, places))
    }

    fn thinned_region(
        &mut self,
        builder: &mut Builder,
        (inst, body, spec): (Inst, Region, LoopSpec),
        captured: &[Value],
        thinned: &Thinned,
        places: &mut Vec<usize>,
    ) -> Result<Vec<Value>, IrError> {
        self.thinned_params(builder, (body, spec), thinned);
        for (&param, &outer) in self.from.region(body).params[spec.own_params()..].iter().zip(captured) {
            self.values[param] = Some(outer);
        }
        self.moved.extend(&thinned.moved);
        let results = self.insts(builder, body)?;
        let (carries, rest) = results.split_at(spec.carries as usize);
        let (stacks, sums) = rest.split_at(rest.len() - spec.sums as usize);
        let mut kept: Vec<Value> =
            (0..stacks.len()).filter(|k| !thinned.dropped.contains(k)).map(|k| stacks[k]).collect();
        let mut computed = BTreeSet::new();
        for &residual in &thinned.stacked {
            let value = self.residual(builder, (inst, body, spec), residual, stacks, &mut computed)?;
            let place = kept.iter().position(|&v| v == value).unwrap_or(kept.len());
            places.push(place);
            if place == kept.len() {
                kept.push(value);
            }
        }
        Ok([carries, &kept, sums].concat())
    }

    /// Parameters for the body's own, and for the rows that it has in place of others.
    fn thinned_params(&mut self, builder: &mut Builder, (body, spec): (Region, LoopSpec), thinned: &Thinned) {
        let params = &self.from.region(body).params[..spec.own_params()];
        let (first, sums) = params.split_at(params.len() - spec.sums as usize);
        for (place, &param) in first.iter().enumerate() {
            let row = place.checked_sub(1 + spec.carries as usize);
            let read = row.is_none_or(|row| !thinned.unread.contains(&row));
            self.values[param] = read.then(|| self.parameter(builder, param));
        }
        for &param in thinned.rows.iter().chain(sums) {
            self.values[param] = Some(self.parameter(builder, param));
        }
    }

    /// A value of another loop's body, computed in this one, which is copied and whose stacks are these.
    fn residual(
        &mut self,
        builder: &mut Builder,
        looping: (Inst, Region, LoopSpec),
        residual: Residual,
        stacks: &[Value],
        computed: &mut BTreeSet<Inst>,
    ) -> Result<Value, IrError> {
        let other = self.bind_params(looping, residual.reader, stacks);
        let mut operands = Vec::new();
        for inst in needed(self, other, residual.value) {
            if computed.insert(inst) {
                operands.clear();
                self.inst(builder, inst, &mut operands)?;
            }
        }
        Ok(self.at(residual.value))
    }

    /// Gives the parameters of another loop's body what they are in this one: the number, rows of what both read and of
    /// the stacks of this one, captures. The others are not there.
    fn bind_params(
        &mut self,
        (inst, body, spec): (Inst, Region, LoopSpec),
        reader: Inst,
        stacks: &[Value],
    ) -> Region {
        let Op::Loop { body: other, spec: other_spec, .. } = self.from.op(reader) else {
            unreachable!("it is a loop")
        };
        let other_spec = self.from.loop_spec(other_spec);
        let (params, others) = (&self.from.region(body).params, &self.from.region(other).params);
        self.values[others[0]] = self.values[params[0]];
        let first = |spec: LoopSpec| spec.first_carry_operand() + spec.carries as usize;
        let rows = &self.from.operands(inst)[first(spec)..][..spec.rows as usize];
        let first_stack = spec.first_carry_result() + spec.carries as usize;
        let given: Vec<Value> = self.from.results(inst).skip(first_stack).take(stacks.len()).collect();
        let other_rows = &self.from.operands(reader)[first(other_spec)..];
        for (row, array) in other_rows[..other_spec.rows as usize].iter().enumerate() {
            let stack = given.iter().position(|v| v == array).map(|k| stacks[k]);
            let own = rows.iter().position(|v| v == array);
            let own = own.and_then(|k| self.values[params[1 + spec.carries as usize + k]]);
            self.values[others[1 + other_spec.carries as usize + row]] = stack.or(own);
        }
        let captured = &self.from.operands(reader)[other_spec.own_operands()..];
        for (&param, &outer) in others[other_spec.own_params()..].iter().zip(captured) {
            self.values[param] = self.values[outer];
        }
        other
    }

    /// The loop's results in their places; what stands for the dropped stacks is not used.
    fn thinned_results(
        &mut self,
        builder: &mut Builder,
        (inst, spec): (Inst, LoopSpec),
        results: &[Value],
        places: &[usize],
        thinned: &Thinned,
    ) -> Vec<Value> {
        let (head, rest) = results.split_at(spec.first_carry_result() + spec.carries as usize);
        let (stacks, sums) = rest.split_at(rest.len() - spec.sums as usize);
        for (residual, &place) in thinned.stacked.iter().zip(places) {
            self.residuals.insert(residual.value, stacks[place]);
            let origin = self.provenance.map(self.from, residual.value, &self.values);
            builder.set_origin_of(stacks[place], origin);
        }
        let count = self.from.results(inst).count() - head.len() - sums.len();
        let mut kept = stacks.iter();
        let mut all = head.to_vec();
        for k in 0..count {
            match thinned.dropped.contains(&k) {
                true => all.push(builder.constant(Literal::I64(0))),
                false => all.extend(kept.next()),
            }
        }
        all.extend_from_slice(sums);
        all
    }
}

/// The instructions of a region that lead to one of its values, in order.
fn needed(copy: &Copy<'_>, region: Region, value: Value) -> Vec<Inst> {
    let mut wanted = BTreeSet::from([value]);
    let mut needed = Vec::new();
    for &inst in copy.from.region(region).insts.iter().rev() {
        if copy.from.results(inst).any(|v| wanted.contains(&v)) {
            wanted.extend(copy.from.operands(inst));
            needed.push(inst);
        }
    }
    needed.reverse();
    needed
}
