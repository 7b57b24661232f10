//! Copying several loops over the same iterations as one.

use super::Copy;
use evolute_ir::{Builder, Inst, IrError, LoopSpec, Op, Region, Value};

/// A loop that is copied together with others.
struct Member {
    inst: Inst,
    body: Region,
    spec: LoopSpec,
    /// Copies of its operands but for the count.
    operands: Vec<Value>,
}

impl Member {
    fn rows(&self) -> &[Value] {
        &self.operands[..self.spec.rows as usize]
    }

    fn sums(&self) -> &[Value] {
        &self.operands[self.spec.rows as usize..][..self.spec.sums as usize]
    }

    fn captures(&self) -> &[Value] {
        &self.operands[(self.spec.rows + self.spec.sums) as usize..]
    }
}

impl Copy<'_> {
    /// Copies loops without carries, with the same trips and direction, as one: rows of the same array are one row.
    pub(super) fn joined(&mut self, builder: &mut Builder, insts: &[Inst]) -> Result<(), IrError> {
        let members: Vec<Member> = insts.iter().map(|&inst| self.member(inst)).collect();
        let first = members[0].spec;
        let mut operands: Vec<Value> =
            self.from.operands(insts[0])[..first.first_carry_operand()].iter().map(|&v| self.at(v)).collect();
        let mut arrays: Vec<Value> = Vec::new();
        for &array in members.iter().flat_map(Member::rows) {
            if !arrays.contains(&array) {
                arrays.push(array);
            }
        }
        builder.open_region();
        let results = self.joined_body(builder, &members, &arrays);
        let closed = builder.close_region(results.as_ref().map_or(&[], |(all, _)| all));
        let (stacks, places) = results.map(|(all, places)| (all.len(), places))?;
        let sums: u32 = members.iter().map(|member| member.spec.sums).sum();
        operands.extend(&arrays);
        operands.extend(members.iter().flat_map(Member::sums));
        let spec = LoopSpec { rows: arrays.len() as u32, sums, ..first };
        let copies = builder.looping(spec, None, closed?, &operands)?;
        debug_assert_eq!(copies.len(), stacks, "a result for each of the body's");
        for (member, places) in members.iter().zip(places) {
            let own: Vec<Value> = places.into_iter().map(|place| copies[place]).collect();
            self.define(builder, member.inst, &own);
            self.originate_each(builder, member.inst, &own);
        }
        Ok(())
    }

    fn member(&self, inst: Inst) -> Member {
        let Op::Loop { body, spec, .. } = self.from.op(inst) else { unreachable!("only loops are joined") };
        let spec = self.from.loop_spec(spec);
        let operands = &self.from.operands(inst)[spec.first_carry_operand()..];
        Member { inst, body, spec, operands: operands.iter().map(|&v| self.at(v)).collect() }
    }

    /// The bodies one after the other: what they give, equal rows once, and where in it each member's results are.
    fn joined_body(
        &mut self,
        builder: &mut Builder,
        members: &[Member],
        arrays: &[Value],
    ) -> Result<(Vec<Value>, Vec<Vec<usize>>), IrError> {
        let index = self.parameter(builder, self.from.region(members[0].body).params[0]);
        let mut rows: Vec<Option<Value>> = vec![None; arrays.len()];
        for member in members {
            let params = &self.from.region(member.body).params[1..];
            for (array, &param) in member.rows().iter().zip(params) {
                let place = arrays.iter().position(|other| other == array).expect("it is one of them");
                if rows[place].is_none() {
                    rows[place] = Some(self.parameter(builder, param));
                }
            }
        }
        let mut args = Vec::new();
        for member in members {
            let row = |array: &Value| {
                let place = arrays.iter().position(|other| other == array).expect("it is one of them");
                rows[place].expect("each array has a row")
            };
            let mut own: Vec<Value> = std::iter::once(index).chain(member.rows().iter().map(row)).collect();
            let params = &self.from.region(member.body).params;
            for &param in &params[own.len()..member.spec.own_params()] {
                own.push(self.parameter(builder, param));
            }
            own.extend(member.captures());
            args.push(own);
        }
        let (mut stacks, mut sums, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for (member, args) in members.iter().zip(&args) {
            let mut given = self.region(builder, member.body, args)?;
            let added = given.split_off(given.len() - member.spec.sums as usize);
            let place = |value: &Value| match stacks.iter().position(|other| other == value) {
                Some(place) => place,
                None => {
                    stacks.push(*value);
                    stacks.len() - 1
                }
            };
            let stacked: Vec<usize> = given.iter().map(place).collect();
            places.push((stacked, sums.len()..sums.len() + added.len()));
            sums.extend(added);
        }
        let first_sum = stacks.len();
        let place = |(stacked, sums): (Vec<usize>, std::ops::Range<usize>)| {
            stacked.into_iter().chain(sums.map(|sum| first_sum + sum)).collect()
        };
        let places = places.into_iter().map(place).collect();
        Ok(([stacks, sums].concat(), places))
    }
}
