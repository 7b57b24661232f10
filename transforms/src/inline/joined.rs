//! Copying several loops over the same iterations as one.

use super::Copy;
use evolute_ir::{Builder, ClosedRegion, Inst, IrError, LoopSpec, Op, Region, Value};

/// A loop that is copied together with others.
struct Member {
    inst: Inst,
    condition: Option<Region>,
    body: Region,
    spec: LoopSpec,
    /// Copies of its operands.
    operands: Vec<Value>,
}

impl Member {
    /// Copies of its operands after the count and the carries.
    fn read(&self) -> &[Value] {
        &self.operands[self.spec.first_carry_operand() + self.spec.carries as usize..]
    }

    fn rows(&self) -> &[Value] {
        &self.read()[..self.spec.rows as usize]
    }

    fn sums(&self) -> &[Value] {
        &self.read()[self.spec.rows as usize..][..self.spec.sums as usize]
    }

    fn captures(&self) -> &[Value] {
        &self.operands[self.spec.own_operands()..]
    }
}

/// The arrays of which a joined loop has rows, each once.
fn arrays(members: &[Member]) -> Vec<Value> {
    let mut arrays: Vec<Value> = Vec::new();
    for &array in members.iter().flat_map(Member::rows) {
        if !arrays.contains(&array) {
            arrays.push(array);
        }
    }
    arrays
}

impl Copy<'_> {
    /// Copies loops with the same trips, direction and carries as one: its carries are those of the first.
    pub(super) fn joined(&mut self, builder: &mut Builder, insts: &[Inst]) -> Result<(), IrError> {
        let members: Vec<Member> = insts.iter().map(|&inst| self.member(inst)).collect();
        let (first, arrays) = (&members[0], arrays(&members));
        let condition = self.joined_condition(builder, first)?;
        let body = builder.in_region(|builder| self.joined_body(builder, &members, &arrays))?;
        let head = first.operands.len() - first.read().len();
        let sums = members.iter().flat_map(Member::sums);
        let operands: Vec<Value> =
            first.operands[..head].iter().chain(&arrays).chain(sums).copied().collect();
        let sums = members.iter().map(|member| member.spec.sums).sum();
        let checkpoint = first.spec.checkpoint.filter(|_| first.spec.carries > 0);
        let spec = LoopSpec { rows: arrays.len() as u32, sums, checkpoint, ..first.spec };
        let copies = builder.looping(spec, condition, body, &operands)?;
        self.define_members(builder, &members, &copies);
        Ok(())
    }

    fn member(&self, inst: Inst) -> Member {
        let Op::Loop { body, condition, spec } = self.from.op(inst) else {
            unreachable!("only loops are joined")
        };
        let operands = self.from.operands(inst).iter().map(|&v| self.at(v)).collect();
        Member { inst, condition, body, spec: self.from.loop_spec(spec), operands }
    }

    fn joined_condition(
        &mut self,
        builder: &mut Builder,
        first: &Member,
    ) -> Result<Option<ClosedRegion>, IrError> {
        let own = 1 + first.spec.carries as usize;
        first.condition.map(|region| self.nested(builder, region, own, first.captures())).transpose()
    }

    /// The bodies one after the other: what they carry, stack and add.
    fn joined_body(
        &mut self,
        builder: &mut Builder,
        members: &[Member],
        arrays: &[Value],
    ) -> Result<Vec<Value>, IrError> {
        let args = self.joined_params(builder, members, arrays);
        let (mut carries, mut stacks, mut sums) = (Vec::new(), Vec::new(), Vec::new());
        for (member, args) in members.iter().zip(&args) {
            let mut given = self.region(builder, member.body, args)?;
            sums.extend(given.split_off(given.len() - member.spec.sums as usize));
            stacks.extend(given.split_off(member.spec.carries as usize));
            if carries.is_empty() {
                carries = given;
            }
        }
        Ok([carries, stacks, sums].concat())
    }

    /// The parameters of a joined body, as arguments of each member's.
    fn joined_params(
        &mut self,
        builder: &mut Builder,
        members: &[Member],
        arrays: &[Value],
    ) -> Vec<Vec<Value>> {
        let carries = members[0].spec.carries as usize;
        let shared: Vec<Value> =
            (0..=carries).map(|k| self.shared_param(builder, members, |_| Some(k))).collect();
        let mut rows = Vec::with_capacity(arrays.len());
        for array in arrays {
            let row = |member: &Member| member.rows().iter().position(|other| other == array);
            rows.push(self.shared_param(builder, members, |member| Some(1 + carries + row(member)?)));
        }
        let row = |array: &Value| rows[place(arrays, *array)];
        let mut all = Vec::with_capacity(members.len());
        for member in members {
            let mut args: Vec<Value> = shared.iter().copied().chain(member.rows().iter().map(row)).collect();
            for &sum in &self.from.region(member.body).params[args.len()..member.spec.own_params()] {
                args.push(self.parameter(builder, sum));
            }
            args.extend(member.captures());
            all.push(args);
        }
        all
    }

    /// A parameter in place of those that the members have at these places, like that of the outermost level.
    fn shared_param(
        &self,
        builder: &mut Builder,
        members: &[Member],
        place: impl Fn(&Member) -> Option<usize>,
    ) -> Value {
        let param = |member: &Member| Some(self.from.region(member.body).params[place(member)?]);
        let params = members.iter().filter_map(param);
        let outermost = params.min_by_key(|&param| self.from.value(param).origin.level);
        self.parameter(builder, outermost.expect("a member has it"))
    }

    /// Gives each member its part of a joined loop's results.
    fn define_members(&mut self, builder: &mut Builder, members: &[Member], copies: &[Value]) {
        let spec = members[0].spec;
        let head = spec.first_carry_result() + spec.carries as usize;
        let sums: usize = members.iter().map(|member| member.spec.sums as usize).sum();
        let (mut stacked, mut added) = (head, copies.len() - sums);
        for member in members {
            let sums = member.spec.sums as usize;
            let stacks = self.from.results(member.inst).count() - head - sums;
            let parts = [&copies[..head], &copies[stacked..][..stacks], &copies[added..][..sums]];
            let own = parts.concat();
            self.define(builder, member.inst, &own);
            (stacked, added) = (stacked + stacks, added + sums);
        }
        self.originate_each(builder, members.iter().flat_map(|member| self.from.results(member.inst)));
    }
}

fn place(arrays: &[Value], array: Value) -> usize {
    arrays.iter().position(|&other| other == array).expect("it is one of them")
}
