//! The tables of a program while its text is read: rows are appended as they are defined.

use super::cursor::{Name, Read};
use super::print::suffix;
use super::value_name;
use crate::callee::Callee;
use crate::entity::{CalleeId, Entity, Loc, StridesId, TypeId, Value};
use crate::error::IrError;
use crate::infer::Inferred;
use crate::program::{Origin, Program, SourceLoc, ValueData};
use crate::structure::Strides;
use crate::types::Type;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// What follows a definition.
#[derive(Default)]
pub(super) struct Written {
    pub(super) of: Option<Name>,
    pub(super) loc: Loc,
    pub(super) name: Option<Arc<str>>,
}

pub(super) struct Tables {
    pub(super) program: Program,
    types: FxHashMap<Type, TypeId>,
    strides: FxHashMap<Strides, StridesId>,
    places: FxHashMap<SourceLoc, Loc>,
    /// Derivatives, what they are derivatives of, and the line that says so.
    links: Vec<(Value, Name, usize)>,
}

impl Tables {
    pub(super) fn new() -> Self {
        let program = Program::empty();
        let types = program.types.iter().map(|(id, ty)| (ty.clone(), id)).collect();
        Tables {
            program,
            types,
            strides: FxHashMap::default(),
            places: FxHashMap::default(),
            links: Vec::new(),
        }
    }

    pub(super) fn define(
        &mut self,
        line: usize,
        name: Name,
        written: Written,
        mut data: ValueData,
    ) -> Read<Value> {
        let expected = Value::new(self.program.values.len());
        if name.number != expected.as_u32() {
            let message = format!("expected {expected} to be defined next, found v{}", name.number);
            return Err(IrError::Parse { line, message });
        }
        let (role, level) = name.suffix.unwrap_or_default();
        data.origin = Origin { role, level, loc: written.loc, of: None };
        let value = self.program.values.push(data);
        self.links.extend(written.of.map(|of| (value, of, line)));
        if let Some(name) = written.name {
            self.program.names.insert(value, name);
        }
        Ok(value)
    }

    /// The program. Values may be derivatives of later ones, so these links come last.
    pub(super) fn finish(mut self) -> Read<Program> {
        for (value, name, line) in std::mem::take(&mut self.links) {
            self.program.values[value].origin.of = Some(self.known(line, name)?);
        }
        Ok(self.program)
    }

    pub(super) fn intern(&mut self, ty: Type) -> TypeId {
        let types = &mut self.program.types;
        *self.types.entry(ty).or_insert_with_key(|ty| types.push(ty.clone()))
    }

    pub(super) fn strides(&mut self, strides: Strides) -> StridesId {
        let rows = &mut self.program.strides;
        *self.strides.entry(strides).or_insert_with_key(|strides| rows.push(strides.clone()))
    }

    /// The id of a function that is called; equal functions have one.
    pub(super) fn callee(&mut self, callee: &Callee) -> CalleeId {
        let callees = &mut self.program.callees;
        let known = callees.iter().find(|(_, known)| *known == callee).map(|(id, _)| id);
        known.unwrap_or_else(|| callees.push(callee.clone()))
    }

    pub(super) fn inferred(&mut self, inferred: Inferred) -> TypeId {
        match inferred {
            Inferred::Known(id) => id,
            Inferred::New(ty) => self.intern(ty),
            Inferred::WithElem(like, elem) => {
                let shape = self.program.ty(like).shape.clone();
                self.intern(Type { elem, shape })
            }
        }
    }

    pub(super) fn place(&mut self, place: SourceLoc) -> Loc {
        let locs = &mut self.program.locs;
        *self.places.entry(place).or_insert_with_key(|place| locs.push(Some(place.clone())))
    }

    /// The value of this name, wherever it is defined.
    pub(super) fn known(&self, line: usize, name: Name) -> Read<Value> {
        let value = Value::from_u32(name.number);
        let error = |message| Err(IrError::Parse { line, message });
        let Some(data) = self.program.values.get(value) else {
            return error(format!("expected a value that is defined, found {value}"));
        };
        match name.suffix {
            Some((role, level)) if (role, level) != (data.origin.role, data.origin.level) => {
                let found = suffix(Origin { role, level, ..Origin::default() });
                error(format!("expected {}, found {value}{found}", value_name(&self.program, value)))
            }
            Some(_) | None => Ok(value),
        }
    }
}
