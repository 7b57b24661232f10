//! Where values come from, in another program: their levels, source lines and names, and operations in terms of its tables.

use evolute_ir::{Builder, Entity, Level, Loc, Op, Origin, Program, Region, Table, Value};

/// Carries levels, source lines and names from one program to another.
pub(crate) struct Provenance {
    levels: Table<Level, Level>,
    locs: Table<Loc, Loc>,
}

impl Provenance {
    /// Registers the levels and source lines of `from` in `to`.
    pub(crate) fn new(to: &mut Builder, from: &Program) -> Provenance {
        let mut locs = Table::new();
        for loc in from.locs().keys() {
            locs.push(from.source(loc).map_or(Loc::UNKNOWN, |source| to.add_loc(source.clone())));
        }
        let mut levels = Table::new();
        for (level, data) in from.levels().iter() {
            let mapped = match data.mode {
                None => Level::PRIMAL,
                Some(mode) => to.add_level(mode, locs[data.loc]),
            };
            debug_assert_eq!(level.index() == 0, data.mode.is_none());
            levels.push(mapped);
        }
        Provenance { levels, locs }
    }

    /// What has no line of its own is at this one.
    pub(crate) fn call(&mut self, line: Loc) {
        self.locs[Loc::UNKNOWN] = line;
    }

    /// The origin of the copy of `value`.
    pub(crate) fn map(&self, from: &Program, value: Value, values: &Table<Value, Option<Value>>) -> Origin {
        let origin = from.value(value).origin;
        Origin {
            loc: self.locs[origin.loc],
            level: self.levels[origin.level],
            role: origin.role,
            of: origin.of.and_then(|of| values[of]),
        }
    }

    /// The operation in terms of the other program's types.
    pub(crate) fn map_op(&self, to: &mut Builder, from: &Program, op: Op) -> Op {
        match op {
            Op::Pack(ty) => Op::Pack(to.intern(from.type_of_id(ty))),
            Op::Iota(ty) => Op::Iota(to.intern(from.type_of_id(ty))),
            Op::View(ty, strides) => {
                Op::View(to.intern(from.type_of_id(ty)), to.strides(from.strides(strides)))
            }
            Op::Spread(ty, strides) => {
                Op::Spread(to.intern(from.type_of_id(ty)), to.strides(from.strides(strides)))
            }
            Op::Reduce(reduction, ty) => Op::Reduce(reduction, to.intern(from.type_of_id(ty))),
            Op::External(id) => Op::External(to.external(&from.externals()[id])),
            Op::Const(_)
            | Op::Prim(_)
            | Op::Cast(_)
            | Op::Select
            | Op::Element(_)
            | Op::Dot
            | Op::At
            | Op::AddAt
            | Op::Linalg(_) => op,
            Op::Loop { .. }
            | Op::Cond { .. }
            | Op::Call(_)
            | Op::Custom { .. }
            | Op::LinearSolve { .. }
            | Op::Jvp { .. }
            | Op::Vjp { .. } => {
                unreachable!("calls and operations with regions are copied with these")
            }
        }
    }

    /// Parameters like those of a region.
    pub(crate) fn params(&self, to: &mut Builder, from: &Program, region: Region) -> Vec<Value> {
        let none = Table::filled(from.values().len(), None);
        let param = |&param: &Value| {
            to.set_origin(self.map(from, param, &none));
            let copy = to.param(from.ty(param));
            self.copy_name(to, from, param, copy);
            copy
        };
        from.region(region).params.iter().map(param).collect()
    }

    pub(crate) fn copy_name(&self, to: &mut Builder, from: &Program, value: Value, copy: Value) {
        if let Some(name) = from.name(value) {
            to.set_name(copy, name);
        }
    }
}
