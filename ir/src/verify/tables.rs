//! The invariants of tables: their rows exist, are distinct and stand in order.

use super::{Verifier, distinct, in_order};
use crate::callee::Callee;
use crate::entity::{Entity, Inst, Level, Loc, TypeId, Value};
use crate::op::Op;
use crate::program::{Def, Origin, Program, Role};
use crate::types::{Elem, Type};

impl Verifier<'_> {
    pub(super) fn tables(&mut self) {
        let Program { types, levels, locs, regions, insts, .. } = self.program;
        let scalars = Elem::ALL.map(Type::scalar);
        let given = types.values().take(scalars.len());
        self.require(given.eq(&scalars), || "the first types are not the scalars".into());
        self.require(distinct(types.values()), || "two types are equal".into());
        self.require(distinct(locs.values()), || "two source lines are equal".into());
        self.require(locs.get(Loc::UNKNOWN) == Some(&None), || "place 0 is not unknown".into());
        for (level, data) in levels.iter() {
            let user = level == Level::PRIMAL;
            self.require(user == data.mode.is_none(), || {
                format!("{level}: level 0, and no other, has no mode")
            });
            self.require(!user || data.loc == Loc::UNKNOWN, || "level 0 has a place".into());
            self.require(locs.get(data.loc).is_some(), || format!("{level}: its place does not exist"));
        }
        self.require(!levels.is_empty(), || "there is no level 0".into());
        self.require(!regions.is_empty(), || "there is no root region".into());
        let limit = Program::MAX_INSTRUCTIONS;
        self.require(insts.len() <= limit, || format!("there are more than {limit} instructions"));
    }

    pub(super) fn indices(&mut self) {
        let program = self.program;
        for value in program.values.keys() {
            self.value_indices(value);
        }
        for inst in program.insts.keys() {
            self.inst_indices(inst);
        }
        for (region, data) in program.regions.iter() {
            let exists = |&v: &Value| program.values.get(v).is_some();
            let values = data.params.iter().chain(&data.results).all(exists);
            self.require(values, || format!("{region}: a parameter or result does not exist"));
            let insts = data.insts.iter().all(|&inst| program.insts.get(inst).is_some());
            self.require(insts, || format!("{region}: an instruction does not exist"));
        }
        for value in program.names.keys() {
            let exists = program.values.get(*value).is_some();
            self.require(exists, || format!("{value} has a name but does not exist"));
        }
    }

    fn value_indices(&mut self, value: Value) {
        let program = self.program;
        let data = &program.values[value];
        let Origin { loc, level, role, of } = data.origin;
        let defined = match data.def {
            Def::Param(_) => true,
            Def::Result(inst) => program.insts.get(inst).is_some(),
        };
        self.require_value(value, program.types.get(data.ty).is_some(), "its type does not exist");
        self.require_value(value, program.regions.get(data.region).is_some(), "its region does not exist");
        self.require_value(value, defined, "its instruction does not exist");
        self.require_value(value, program.locs.get(loc).is_some(), "its place does not exist");
        self.require_value(value, program.levels.get(level).is_some(), "its level does not exist");
        let of_exists = of.is_none_or(|of| program.values.get(of).is_some());
        self.require_value(value, of_exists, "what it is the derivative of does not exist");
        let derivative = match role {
            Role::Primal => false,
            Role::Tangent | Role::Cotangent => true,
        };
        let leveled = !derivative || level != Level::PRIMAL;
        self.require_value(value, leveled, "a derivative belongs to a level above 0");
    }

    fn inst_indices(&mut self, inst: Inst) {
        let program = self.program;
        let data = &program.insts[inst];
        let exist = program.operand_list(inst).is_some_and(|list| list.iter().all(|&v| self.exists(v)));
        self.require_inst(inst, exist, || "an operand does not exist".into());
        let end = data.first_result.index() + data.result_count as usize;
        self.require_inst(inst, end <= program.values.len(), || "a result does not exist".into());
        let bodies = data.op.regions().all(|region| program.regions.get(region).is_some());
        self.require_inst(inst, bodies, || "its region does not exist".into());
        let spec = match data.op {
            Op::Loop { spec, .. } => program.loops.get(spec).is_some(),
            _ => true,
        };
        self.require_inst(inst, spec, || "its loop does not exist".into());
        let solver = match data.op {
            Op::LinearSolve { solver, .. } => program.solvers.get(solver).is_some(),
            _ => true,
        };
        self.require_inst(inst, solver, || "its solver does not exist".into());
        let external = match data.op {
            Op::External(id) => program.externals.get(id).is_some(),
            _ => true,
        };
        self.require_inst(inst, external, || "its function does not exist".into());
        let callee = match data.op {
            Op::Call(id) => program.callees.get(id).is_some(),
            _ => true,
        };
        self.require_inst(inst, callee, || "what it calls does not exist".into());
    }

    pub(super) fn exists(&self, value: Value) -> bool {
        self.program.values.get(value).is_some_and(|data| self.program.types.get(data.ty).is_some())
    }

    /// Invariant 5.
    pub(super) fn first_appearances(&mut self) {
        let Program { types, values, levels, locs, .. } = self.program;
        let places = levels.values().map(|data| data.loc).chain(values.values().map(|data| data.origin.loc));
        let ordered = in_order(places.map(Loc::index), 1, locs.len());
        self.require(ordered, || "source lines are not numbered as they first appear".into());
        let ids = values.values().map(|data| data.ty);
        let ordered = in_order(ids.map(TypeId::index), Elem::ALL.len(), types.len());
        self.require(ordered, || "types are not numbered as they first appear".into());
    }

    /// Invariant 15, but for the types of calls.
    pub(super) fn callees(&mut self) {
        let Program { callees, insts, .. } = self.program;
        let called = insts.values().filter_map(|inst| match inst.op {
            Op::Call(id) => Some(id.index()),
            _ => None,
        });
        let ordered = in_order(called, 0, callees.len());
        self.require(ordered, || "callees are not numbered as they are first called".into());
        let repeated =
            callees.iter().any(|(id, callee)| callees.values().take(id.index()).any(|c| c == callee));
        self.require(!repeated, || "two callees are equal".into());
        let deep = callees.values().any(|callee| callee.depth() > Callee::MAX_DEPTH);
        self.require(!deep, || format!("calls nest more than {} deep", Callee::MAX_DEPTH));
    }
}
