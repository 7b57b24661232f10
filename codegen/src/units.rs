//! What is compiled: the functions that a program calls, each once and before those that call it, and the program.
//!
//! A function is compiled as a program is, and called as one: with a frame of its own, in which stand the addresses of
//! its arguments, of its results, and of a part of the caller's workspace. So that is known before the call, and
//! shares its place with memories of other times. Machine functions, checks and functions of the user's are numbered
//! through all units; [`First`] says where a unit's own begin.

use crate::error::CodegenError;
use crate::options::CodegenOptions;
use crate::plan::{self, Plan};
use crate::schedule::Schedule;
use evolute_ir::{Callee, CalleeId, External, Failure, Program, Table};
use std::ops::Range;

/// A function, or the program itself.
pub(crate) struct Unit {
    pub(crate) route: Route,
    pub(crate) first: First,
    /// Its machine functions among those that can be called. Of the program itself only those that it calls are.
    entries: Range<u32>,
}

/// Where the numbers of a unit begin among those of all.
#[derive(Clone, Copy, Default)]
pub(crate) struct First {
    pub(crate) check: u32,
    pub(crate) external: u32,
    pub(crate) piece: u32,
}

/// What lies between a program and Cranelift's IR.
pub(crate) enum Route {
    Flat(Schedule),
    Structured(Plan),
}

/// What a caller needs to know of a function.
#[derive(Clone, Debug)]
pub(crate) struct Called {
    /// Its number among the units.
    pub(crate) unit: u32,
    /// The machine functions to be called one after the other.
    pub(crate) entries: Range<u32>,
    pub(crate) workspace_bytes: usize,
}

/// The units of a program.
pub(crate) struct Units<'p> {
    callees: Vec<&'p Callee>,
    pub(crate) units: Vec<Unit>,
    next: First,
}

impl<'p> Units<'p> {
    /// The program's, after those of all that it calls.
    pub(crate) fn new(program: &'p Program, options: &CodegenOptions) -> Result<Self, CodegenError> {
        let mut units = Units::of_callees(program, options)?;
        units.add(program, options, true)?;
        Ok(units)
    }

    /// Those of what a program calls.
    pub(crate) fn of_callees(program: &'p Program, options: &CodegenOptions) -> Result<Self, CodegenError> {
        let callees = program.all_callees();
        let units = Vec::with_capacity(callees.len() + 1);
        let mut units = Units { callees: callees.clone(), units, next: First::default() };
        for callee in callees {
            units.add(callee, options, false)?;
        }
        Ok(units)
    }

    /// What is known of the functions that `program` calls.
    pub(crate) fn called(&self, program: &Program) -> Table<CalleeId, Called> {
        let called = |callee: &Callee| {
            let place = self.callees.iter().position(|&other| other == callee);
            let unit = place.expect("the units are those of all that is called");
            let Unit { route, entries, .. } = &self.units[unit];
            let workspace_bytes = route.workspace_bytes();
            Called { unit: unit as u32, entries: entries.clone(), workspace_bytes }
        };
        Table::from_rows(program.callees().values().map(called))
    }

    fn add(
        &mut self,
        program: &Program,
        options: &CodegenOptions,
        entered: bool,
    ) -> Result<(), CodegenError> {
        let route = Route::new(program, options, &self.called(program))?;
        let (entries, pieces) = (route.entries() as u32, route.pieces() as u32);
        let start = self.next.piece;
        let end = if entered { start } else { start + entries };
        let first = First { piece: end, ..self.next };
        self.next = First {
            check: first.check + route.checks().len() as u32,
            external: first.external + route.externals().len() as u32,
            piece: end + pieces,
        };
        self.units.push(Unit { route, first, entries: start..end });
        Ok(())
    }

    /// The program's own.
    pub(crate) fn program(&self) -> &Route {
        &self.units.last().expect("the program is one").route
    }

    /// About how many scalar operations there are.
    pub(crate) fn operations(&self) -> usize {
        self.units.iter().map(|unit| unit.route.operations()).sum()
    }

    pub(crate) fn checks(&self) -> Vec<Failure> {
        self.units.iter().flat_map(|unit| unit.route.checks()).cloned().collect()
    }

    /// The functions of the user's that are called.
    pub(crate) fn externals(&self) -> Vec<External> {
        self.units.iter().flat_map(|unit| unit.route.externals()).collect()
    }
}

impl Route {
    fn new(
        program: &Program,
        options: &CodegenOptions,
        called: &Table<CalleeId, Called>,
    ) -> Result<Route, CodegenError> {
        match plan::is_flat(program) {
            true => Schedule::new(program, options).map(Route::Flat),
            false => Plan::calling(program, options, called).map(Route::Structured),
        }
    }

    /// How many machine functions are called one after the other.
    pub(crate) fn entries(&self) -> usize {
        match self {
            Route::Flat(schedule) => schedule.chunks().len(),
            Route::Structured(_) => 1,
        }
    }

    /// How many further ones these call.
    pub(crate) fn pieces(&self) -> usize {
        match self {
            Route::Flat(_) => 0,
            Route::Structured(plan) => plan.pieces.len(),
        }
    }

    pub(crate) fn workspace_bytes(&self) -> usize {
        match self {
            Route::Flat(schedule) => schedule.workspace_bytes(),
            Route::Structured(plan) => plan.workspace_bytes(),
        }
    }

    fn operations(&self) -> usize {
        match self {
            Route::Flat(schedule) => schedule.len(),
            Route::Structured(plan) => plan.operations(),
        }
    }

    fn checks(&self) -> &[Failure] {
        match self {
            Route::Flat(schedule) => &schedule.checks,
            Route::Structured(plan) => &plan.checks,
        }
    }

    fn externals(&self) -> Vec<External> {
        match self {
            Route::Flat(_) => Vec::new(),
            Route::Structured(plan) => plan.externals.values().cloned().collect(),
        }
    }
}
