//! Random loops and conditionals.

use super::{Built, Generator};
use evolute_ir::{Checkpoint, ClosedRegion, Elem, Literal, LoopSpec, Prim, Trips, Type, Value};

impl Generator<'_> {
    /// Runs `body` in a region with parameters of these types, which are its sums from `sums` on.
    fn region(
        &mut self,
        params: &[Type],
        sums: usize,
        body: impl FnOnce(&mut Self, &[Value]) -> Built<Vec<Value>>,
    ) -> Built<ClosedRegion> {
        let (reals, outer_sums) = (self.reals.clone(), std::mem::take(&mut self.sums));
        self.builder.open_region();
        let params: Vec<Value> = params.iter().map(|ty| self.builder.param(ty)).collect();
        self.sums = params[sums..].to_vec();
        let mut results = body(self, &params[..sums])?;
        results.append(&mut self.sums);
        (self.reals, self.sums) = (reals, outer_sums);
        self.builder.close_region(&results)
    }

    /// Sums for a nested structure: of the region at hand, or fresh ones.
    fn inner_sums(&mut self) -> Built<Vec<(Option<usize>, Value)>> {
        let mut sums = Vec::new();
        for number in 0..self.sums.len() {
            if self.rng.next() < 0.5 {
                sums.push((Some(number), self.sums[number]));
            }
        }
        if self.rng.next() < 0.6 {
            let extents = self.any_extents();
            sums.push((None, self.of(&extents)?));
        }
        Ok(sums)
    }

    fn types(&self, values: impl IntoIterator<Item = Value>) -> Vec<Type> {
        values.into_iter().map(|v| self.builder.program().ty(v).clone()).collect()
    }

    fn take_sums(&mut self, sums: &[(Option<usize>, Value)], results: &[Value]) -> Built<()> {
        for (&(outer, _), &result) in sums.iter().zip(results) {
            match outer {
                Some(number) => self.sums[number] = result,
                None => self.keep(result)?,
            }
        }
        Ok(())
    }

    pub(super) fn conditional(&mut self, depth: usize) -> Built<()> {
        let (index, limit) = (self.index(3)?, self.builder.constant(Literal::I64(1)));
        let condition = self.prim(Prim::Lt, &[index, limit])?;
        let sums = self.inner_sums()?;
        let types = self.types(sums.iter().map(|&(_, v)| v));
        let results: Vec<Vec<usize>> = (0..1 + self.below(2)).map(|_| self.any_extents()).collect();
        let mut branches = Vec::new();
        for _ in 0..2 {
            let count = 1 + self.below(3);
            branches.push(self.region(&types, 0, |generator, _| {
                generator.instructions(count, depth)?;
                results.iter().map(|extents| generator.of(extents)).collect()
            })?);
        }
        let [yes, no] = <[_; 2]>::try_from(branches).expect("two");
        let initial: Vec<Value> = sums.iter().map(|&(_, v)| v).collect();
        let given = self.builder.conditional(condition, yes, no, &initial)?;
        for &value in &given[..results.len()] {
            self.keep(value)?;
        }
        self.take_sums(&sums, &given[results.len()..])
    }

    pub(super) fn looping(&mut self, depth: usize) -> Built<()> {
        let cap = [2, 3, 16][self.below(if depth == 0 { 3 } else { 2 })];
        let trips = match (self.iteration, self.below(4)) {
            (Some((_, outer)), 0) if outer <= cap => Trips::Counted(cap),
            (_, 1) => Trips::While(cap),
            _ => Trips::Fixed(cap),
        };
        let count = match (trips, self.iteration) {
            (Trips::Counted(_), Some((number, _))) => vec![number],
            _ => Vec::new(),
        };
        let reverse = self.rng.next() < 0.3 && !matches!(trips, Trips::While(_));
        let mut carries = Vec::new();
        for _ in 0..self.below(3) {
            let extents = self.any_extents();
            carries.push(self.of(&extents)?);
        }
        let mut rows = Vec::new();
        for _ in 0..self.below(3) {
            let extents = [vec![cap as usize], self.any_extents()].concat();
            rows.push(self.of(&extents)?);
        }
        let sums = self.inner_sums()?;
        let integer = Type::scalar(Elem::I64);
        let row = |ty: Type| {
            let extents: Vec<usize> = ty.shape.extents()[1..].iter().map(|&e| e as usize).collect();
            Type::array(Elem::F64, &extents).expect("small")
        };
        let carry_types = self.types(carries.iter().copied());
        let row_types: Vec<Type> = self.types(rows.iter().copied()).into_iter().map(row).collect();
        let sum_types = self.types(sums.iter().map(|&(_, v)| v));
        let own = [vec![integer.clone()], carry_types.clone(), row_types].concat();
        let stacks: Vec<Vec<usize>> = (0..self.below(2)).map(|_| self.any_extents()).collect();
        let condition = match trips {
            Trips::While(_) => {
                let params = [vec![integer], carry_types.clone()].concat();
                let stop = 1 + self.below(cap as usize) as i64;
                Some(self.region(&params, params.len(), |generator, params| {
                    let stop = generator.builder.constant(Literal::I64(stop));
                    Ok(vec![generator.prim(Prim::Lt, &[params[0], stop])?])
                })?)
            }
            Trips::Fixed(_) | Trips::Counted(_) => None,
        };
        let outer = self.iteration;
        let count_inside = 1 + self.below(4);
        let body = self.region(&[own.clone(), sum_types].concat(), own.len(), |generator, params| {
            generator.iteration = Some((params[0], cap));
            generator.reals.extend_from_slice(&params[1..]);
            generator.instructions(count_inside, depth)?;
            let mut results = Vec::new();
            for ty in &carry_types {
                let extents: Vec<usize> = ty.shape.extents().iter().map(|&e| e as usize).collect();
                let value = generator.of(&extents)?;
                results.push(generator.prim(Prim::Sin, &[value])?);
            }
            for extents in &stacks {
                results.push(generator.of(extents)?);
            }
            Ok(results)
        })?;
        self.iteration = outer;
        let checkpoint = match self.below(4) {
            0 => Some(Checkpoint::Sqrt),
            1 => Some(Checkpoint::Segments(self.below(5) as u32)),
            _ => None,
        };
        let spec = LoopSpec {
            checkpoint,
            reverse,
            carries: carries.len() as u32,
            rows: rows.len() as u32,
            sums: sums.len() as u32,
            ordered: checkpoint.is_some() || self.rng.next() < 0.3,
            ..LoopSpec::new(trips)
        };
        let initial: Vec<Value> = sums.iter().map(|&(_, v)| v).collect();
        let operands = [count, carries.clone(), rows, initial].concat();
        let results = self.builder.looping(spec, condition, body, &operands)?;
        let results = &results[spec.first_carry_result()..];
        let (values, sum_results) = results.split_at(results.len() - sums.len());
        for &value in values {
            self.keep(value)?;
        }
        self.take_sums(&sums, sum_results)
    }
}
