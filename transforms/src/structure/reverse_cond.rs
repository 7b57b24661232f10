//! The reverse of a conditional: a conditional on the same, whose branches add to the cotangents of what they capture.
//!
//! A branch that is not taken adds nothing: the cotangent of a captured value is masked by what was. Each branch says,
//! for each captured value, under which scalar condition it adds to it (see [`reach`](crate::reach)).

use crate::differentiate::Walk;
use crate::masks;
use crate::reach::{Counter, Reach, Sum};
use crate::tape::{Structure, Tangent, Tape};
use crate::transpose::{Backward, Seeds, seed};
use evolute_ir::{Builder, IrError, Literal, Op, Origin, Prim, Region, Value};

/// A conditional that is run backwards.
struct Choice<'a> {
    structure: &'a Structure,
    sums: usize,
    seeds: &'a Seeds,
    /// Which operands are captured values with tangents.
    captures: Vec<usize>,
}

impl Choice<'_> {
    fn tangent(&self, k: usize) -> Tangent {
        self.structure.operands[k].expect("an active capture has a tangent")
    }
}

impl Walk<'_, Tape<'_>> {
    pub(super) fn transpose_cond(
        &mut self,
        backward: &mut Backward,
        structure: &Structure,
        regions: [Region; 2],
        sums: usize,
        seeds: &Seeds,
    ) -> Result<(), IrError> {
        self.restore(structure);
        let count = self.body.operands(structure.inst).len();
        let captures = (1 + sums..count).filter(|&k| structure.operands[k].is_some()).collect();
        let choice = Choice { structure, sums, seeds, captures };
        let mut reached = [Vec::new(), Vec::new()];
        let [mut yes, mut no] = [None, None];
        for (region, (closed, reached)) in
            regions.into_iter().zip([&mut yes, &mut no].into_iter().zip(&mut reached))
        {
            *closed = Some(self.nested(|walk| {
                walk.with_record(|walk| {
                    let (results, added) = walk.reverse_branch(&choice, region)?;
                    *reached = added;
                    Ok(results)
                })
            })?);
        }
        self.cotangent_origin(structure.known[0]);
        let mut begun = Vec::new();
        for &k in &choice.captures {
            begun.push(backward.sum(self.linear.builder, choice.tangent(k), structure.known[k])?);
        }
        let initial: Vec<Value> = begun.iter().map(|&(value, _)| value).collect();
        let [yes, no] = [yes, no].map(|closed| closed.expect("both are built"));
        let results = self.linear.builder.conditional(structure.known[0], yes, no, &initial)?;
        let (conditions, values) = results.split_at(choice.captures.len());
        for (n, &k) in choice.captures.iter().enumerate() {
            self.originate_cotangent(structure, values[n], structure.known[k]);
            let added = added(self.linear.builder, &choice, [reached[0][n], reached[1][n]], conditions[n])?;
            let reach = self.joined(begun[n].1, added, values[n])?;
            backward.replace(self.linear.builder, choice.tangent(k), (values[n], reach))?;
        }
        for (k, &cotangent) in seeds.values[seeds.values.len() - sums..].iter().enumerate() {
            if let (Some(tangent), Some(cotangent)) = (structure.operands[1 + k], cotangent) {
                let share = seed(self.linear.builder, cotangent, seeds.condition)?;
                backward.add(self.linear.builder, tangent, share)?;
            }
        }
        Ok(())
    }

    /// What was reached before, and what a structure adds under a condition; nothing is said of one that it adds nothing.
    pub(super) fn joined(
        &mut self,
        before: Reach,
        added: Option<Condition>,
        like: Value,
    ) -> Result<Reach, IrError> {
        let builder = &mut *self.linear.builder;
        match added {
            None => Ok(before),
            Some(Condition::Always) => Ok(Reach::Everywhere),
            Some(Condition::When(scalar)) => {
                let mask = masks::over(builder, scalar, like)?;
                before.with(builder, Some(mask))
            }
        }
    }

    /// The reverse of a branch: for each captured value the condition under which something is added to its cotangent, then
    /// the cotangents. Beside them, what is added where.
    fn reverse_branch(
        &mut self,
        choice: &Choice<'_>,
        region: Region,
    ) -> Result<(Vec<Value>, Vec<Reach>), IrError> {
        let data = self.body.region(region);
        let operands = self.body.operands(choice.structure.inst);
        let likes: Vec<Value> = choice.captures.iter().map(|&k| choice.structure.known[k]).collect();
        let accumulators: Vec<Value> = likes.into_iter().map(|like| self.cotangent_param(like)).collect();
        self.captured(&data.params, &operands[1..]);
        self.inputs(&data.params[..choice.sums]);
        let captured: Vec<Value> = choice.captures.iter().map(|&k| data.params[k - 1]).collect();
        let captured = self.inputs(&captured);
        self.region(region)?;
        let mut outputs = Vec::new();
        for (&v, &cotangent) in data.results.iter().zip(&choice.seeds.values) {
            if let Some(cotangent) = cotangent {
                outputs
                    .push((self.tangents[v], seed(self.linear.builder, cotangent, choice.seeds.condition)?));
            }
        }
        let sum = |value| Sum { value, reach: Reach::Nowhere, counter: Counter::Impossible };
        let sums: Vec<_> = captured.into_iter().zip(accumulators.into_iter().map(sum)).collect();
        let origin = Origin { level: self.level, ..Origin::default() };
        let (_, sums) = self.transpose(&outputs, &[], &sums, origin)?;
        let mut results = Vec::with_capacity(2 * sums.len());
        for sum in &sums {
            results.push(condition(self.linear.builder, sum.reach)?);
        }
        results.extend(sums.iter().map(|sum| sum.value));
        Ok((results, sums.iter().map(|sum| sum.reach).collect()))
    }
}

/// Under which condition something is added.
#[derive(Clone, Copy)]
pub(super) enum Condition {
    Always,
    When(Value),
}

/// When a conditional adds something to a captured value's cotangent, if it ever does: its branches add it there, and one
/// of its results says whether that was done.
fn added(
    builder: &mut Builder,
    choice: &Choice<'_>,
    branches: [Reach; 2],
    done: Value,
) -> Result<Option<Condition>, IrError> {
    let taken = choice.structure.known[0];
    Ok(match branches {
        [Reach::Nowhere, Reach::Nowhere] => None,
        [Reach::Everywhere, Reach::Everywhere] => Some(Condition::Always),
        [Reach::Everywhere, Reach::Nowhere] => Some(Condition::When(taken)),
        [Reach::Nowhere, Reach::Everywhere] => {
            Some(Condition::When(builder.insert(Op::Prim(Prim::Not), &[taken])?))
        }
        [_, _] => Some(Condition::When(done)),
    })
}

/// A scalar without which nothing is added.
fn condition(builder: &mut Builder, reach: Reach) -> Result<Value, IrError> {
    let scalar = match reach {
        Reach::Where(mask) => masks::scalar_part(builder, mask),
        Reach::Nowhere => Some(builder.constant(Literal::Bool(false))),
        Reach::Counted(_) | Reach::Everywhere => None,
    };
    Ok(scalar.unwrap_or_else(|| builder.constant(Literal::Bool(true))))
}
