//! Functions that a program calls: passes over all of them, and their derivatives.
//!
//! A call is differentiated by calling the derivative of what it calls. That is made once for each pattern in which the
//! callee is differentiated: for the parameters that are active and, in reverse mode, the results whose cotangents are
//! there. It calls the derivatives of what the callee calls in its turn. So differentiating takes time, and gives
//! instructions, in proportion to the functions and not to how often they are called; and of what is nested each
//! derivative has its own level, in its own program.
//!
//! The reverse of a call computes the call again (Note \[Recomputation\] in `structure.rs`), as far as it is needed.

use crate::differentiate::{Application, forward, reverse};
use crate::inline::{Between, Provenance, removed};
use crate::residuals::thinned;
use crate::simplify::{When, rewriter};
use crate::structure::active_results;
use evolute_ir::{
    Builder, Callee, IrError, Level, Loc, Mode, Op, Origin, Program, Role, SourceLoc, Type, Value,
};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Applies a pass to all functions that a program calls, once each, and to the program.
pub(crate) fn in_all(
    program: &Program,
    mut pass: impl FnMut(&Program) -> Result<Program, IrError>,
) -> Result<Program, IrError> {
    rebuilt(program, |_, after| pass(after))
}

/// As [`in_all`], of a pass that sees each also as it was before what it calls was changed.
pub(crate) fn rebuilt(
    program: &Program,
    mut pass: impl FnMut(&Program, &Program) -> Result<Program, IrError>,
) -> Result<Program, IrError> {
    let all = program.all_callees();
    if all.is_empty() {
        return pass(program, program);
    }
    let mut done: Vec<Callee> = Vec::with_capacity(all.len());
    let renewed = |of: &Program, done: &[Callee]| {
        let place = |callee: &Callee| all.iter().position(|other| *other == callee);
        let renewed = |callee| done[place(callee).expect("what is called comes first")].clone();
        of.clone().with_callees(of.callees().values().map(renewed))
    };
    for &callee in &all {
        let result = pass(callee, &renewed(callee, &done))?;
        done.push(Callee::new(result));
    }
    pass(program, &renewed(program, &done))
}

/// The derivatives of callees made so far in the removal of a program's operators.
pub(crate) struct Calls {
    between: Between,
    made: RefCell<BTreeMap<Key, Made>>,
    active: RefCell<Active>,
}

/// Which results depend on the active parameters, of a callee by its address.
type Active = BTreeMap<(usize, Vec<bool>), Rc<[bool]>>;

/// A callee, by its address, and what is made of it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key(usize, Pattern);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Pattern {
    /// The callee without its own operators, called within operators of these modes (whether reverse).
    Plain(Vec<bool>),
    /// Its tangents, for these active parameters.
    Forward(Vec<bool>),
    /// Its cotangents, for these active parameters and these results with cotangents.
    Reverse(Vec<bool>, Vec<bool>),
}

struct Made {
    derived: Derived,
    /// Keeps its address.
    _of: Callee,
}

/// A function made of a callee.
#[derive(Clone)]
pub(crate) struct Derived {
    pub(crate) callee: Callee,
    /// Forward, for each result of the callee, whether it has a tangent, which is given after all results. In reverse,
    /// for each active parameter whether it has a cotangent, which alone are given.
    pub(crate) given: Rc<[bool]>,
}

impl Calls {
    pub(crate) fn new(between: Between) -> Rc<Calls> {
        Rc::new(Calls { between, made: RefCell::default(), active: RefCell::default() })
    }

    /// What is done to a derivative before it is differentiated again.
    pub(crate) fn between(&self) -> Between {
        self.between
    }

    /// A builder of what is differentiated, with this limit.
    pub(crate) fn builder(&self, limit: usize) -> Builder {
        let mut builder = Builder::new();
        builder.set_limit(limit);
        builder.allow_long_stacks();
        if self.between == Between::Simplify {
            builder.set_rewriter(rewriter(When::Always));
        }
        builder
    }

    /// What such a builder has built. What its loops stack for others is chosen at once, but where the order of the sums
    /// of further derivatives is to stay.
    pub(crate) fn finished(&self, builder: Builder, results: &[Value]) -> Result<Program, IrError> {
        let program = builder.finish_live(results)?;
        match self.between {
            Between::Simplify => thinned(program),
            Between::Keep => Ok(program),
        }
    }

    /// Makes it, unless it is there. Nothing is borrowed meanwhile: a callee calls others.
    fn once(
        &self,
        callee: &Callee,
        pattern: Pattern,
        make: impl FnOnce() -> Result<Derived, IrError>,
    ) -> Result<Derived, IrError> {
        let key = Key(callee.address(), pattern);
        if let Some(made) = self.made.borrow().get(&key) {
            return Ok(made.derived.clone());
        }
        let derived = make()?;
        let made = Made { derived: derived.clone(), _of: callee.clone() };
        self.made.borrow_mut().insert(key, made);
        Ok(derived)
    }

    /// The callee without derivative operators, called within operators of these modes.
    pub(crate) fn plain(self: &Rc<Self>, callee: &Callee, within: &[Mode]) -> Result<Callee, IrError> {
        let modes: Vec<bool> = within.iter().map(|&mode| mode == Mode::Reverse).collect();
        let make = || match depends_on_modes(callee) || within.is_empty() {
            true => {
                let program = removed(callee, Program::ROOT, self, within.to_vec())?;
                Ok(Derived { callee: Callee::new(program), given: Rc::default() })
            }
            // One serves all.
            false => Ok(Derived { callee: self.plain(callee, &[])?, given: Rc::default() }),
        };
        Ok(self.once(callee, Pattern::Plain(modes), make)?.callee)
    }

    /// The results of a plain callee, and the tangents of those that depend on an active parameter. It takes the
    /// parameters, and the tangents of the active ones.
    pub(crate) fn forward(
        self: &Rc<Self>,
        callee: &Callee,
        active: &[bool],
        loc: Option<&SourceLoc>,
    ) -> Result<Derived, IrError> {
        self.once(callee, Pattern::Forward(active.to_vec()), || {
            let mut making = Making::new(self, callee, Mode::Forward, loc);
            let args = making.params(callee);
            let seeds = making.seeds(&args, active, Role::Tangent);
            let application = making.application(self, callee, &args);
            let (mut results, tangents) = forward(&mut making.builder, application, &seeds)?;
            results.extend(tangents.iter().flatten());
            let given = tangents.iter().map(Option::is_some).collect();
            making.finish(self, &results, given)
        })
    }

    /// The cotangents of the active parameters of a plain callee, those that are not zero. It takes the parameters, and
    /// the cotangents of the results that are `seeded`.
    pub(crate) fn reverse(
        self: &Rc<Self>,
        callee: &Callee,
        active: &[bool],
        seeded: &[bool],
        loc: Option<&SourceLoc>,
    ) -> Result<Derived, IrError> {
        self.once(callee, Pattern::Reverse(active.to_vec(), seeded.to_vec()), || {
            let mut making = Making::new(self, callee, Mode::Reverse, loc);
            let args = making.params(callee);
            let seeds = making.cotangents(callee, seeded);
            let application = making.application(self, callee, &args);
            let (_, cotangents) = reverse(&mut making.builder, application, active, &seeds)?;
            let results: Vec<Value> = cotangents.iter().flatten().copied().collect();
            making.finish(self, &results, cotangents.iter().map(Option::is_some).collect())
        })
    }

    /// Which results of a plain callee depend on its active parameters.
    pub(crate) fn active(&self, callee: &Callee, params: &[bool]) -> Rc<[bool]> {
        let key = (callee.address(), params.to_vec());
        if let Some(found) = self.active.borrow().get(&key) {
            return found.clone();
        }
        let found: Rc<[bool]> = active_results(callee, params, self).into();
        self.active.borrow_mut().insert(key, found.clone());
        found
    }
}

/// Whether what becomes of a callee depends on the operators around its call: those of its own nest in them, and loops
/// are cut for them.
fn depends_on_modes(callee: &Callee) -> bool {
    let depends = |program: &Program| {
        program.insts().values().any(|inst| match inst.op {
            Op::Loop { spec, .. } => program.loop_spec(spec).checkpoint.is_some(),
            op => op.is_derivative(),
        })
    };
    depends(callee) || callee.all_callees().into_iter().any(|callee| depends(callee))
}

/// A derivative of a callee under construction.
struct Making {
    builder: Builder,
    provenance: Option<Provenance>,
    level: Level,
}

impl Making {
    fn new(calls: &Calls, callee: &Callee, mode: Mode, loc: Option<&SourceLoc>) -> Making {
        let mut builder = calls.builder(callee.limit());
        // What was differentiated earlier has the lower level.
        let provenance = Provenance::new(&mut builder, callee);
        let loc = loc.map_or(Loc::UNKNOWN, |loc| builder.add_loc(loc.clone()));
        let level = builder.add_level(mode, loc);
        Making { builder, provenance: Some(provenance), level }
    }

    fn params(&mut self, callee: &Callee) -> Vec<Value> {
        let provenance = self.provenance.as_ref().expect("until it is applied");
        provenance.params(&mut self.builder, callee, Program::ROOT)
    }

    /// Parameters for the derivatives of the values that are marked.
    fn seeds(&mut self, of: &[Value], marked: &[bool], role: Role) -> Vec<Option<Value>> {
        let mut seeds = Vec::with_capacity(of.len());
        for (&value, &marked) in of.iter().zip(marked) {
            let data = self.builder.program().value(value);
            let (ty, loc) = (self.builder.program().ty(value).clone(), data.origin.loc);
            self.builder.set_origin(Origin { loc, level: self.level, role, of: Some(value) });
            seeds.push(marked.then(|| self.builder.param(&ty)));
        }
        seeds
    }

    /// Parameters for the cotangents of the results that are marked. What they are cotangents of is not there yet.
    fn cotangents(&mut self, callee: &Callee, marked: &[bool]) -> Vec<Option<Value>> {
        let origin = Origin { level: self.level, role: Role::Cotangent, ..Origin::default() };
        self.builder.set_origin(origin);
        let param = |(ty, &marked): (&Type, &bool)| marked.then(|| self.builder.param(ty));
        callee.result_types().iter().zip(marked).map(param).collect()
    }

    fn application<'a>(
        &mut self,
        calls: &Rc<Calls>,
        body: &'a Program,
        args: &'a [Value],
    ) -> Application<'a> {
        let provenance = self.provenance.take().expect("it is applied once");
        Application { body, provenance, calls: calls.clone(), level: self.level, args }
    }

    fn finish(self, calls: &Calls, results: &[Value], given: Rc<[bool]>) -> Result<Derived, IrError> {
        Ok(Derived { callee: Callee::new(calls.finished(self.builder, results)?), given })
    }
}
