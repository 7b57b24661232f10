//! The invariants of a program. This page is the specification of the IR's structure; what instructions
//! compute is said at [`Op`] and in [`prim`](crate::prim).
//!
//! Tables
//! 1. The first types are the four scalars in the order of [`Elem::ALL`](crate::Elem::ALL); no two types are equal.
//! 2. The first place, and no other, is unknown; no two places are equal.
//! 3. Level 0 has neither mode nor place; every other level has a mode. A level's place exists.
//! 4. Every index stored exists: of a value its type, region, definition, place, level and what it is the
//!    derivative of; of an instruction its operands, results, nested region and type; of a region its
//!    parameters, instructions and results; a name's value.
//! 5. Types and places are numbered in the order in which levels, then values, first have them, and each is
//!    had by one. (The scalar types are exempt.)
//!
//! Structure
//! 6. Regions form a tree: each region but the root belongs to exactly one operation, and none is nested,
//!    however indirectly, in itself. At most [`MAX_DEPTH`] regions are nested.
//! 7. Each instruction stands exactly once in exactly one region's list.
//! 8. Numbers follow the text. The walk that meets the parameters of a region, then its instructions in order,
//!    each after the region nested in it, meets values v0, v1, v2, … and instructions, and their operands, in
//!    the order of their tables, and leaves none out. Regions are numbered as they open.
//! 9. A region's parameter `i` is defined as its parameter `i`; the results of an instruction are defined as
//!    its results, in the region in whose list the instruction stands.
//! 10. Regions are isolated: the operands of an instruction and the results of a region are values of that
//!     same region. Definition precedes use.
//!
//! Types
//! 11. An instruction without regions, but for a call, has one result, of the type that `infer` gives for its
//!     operands; there it is also said how many operands of which types it takes.
//! 12. A derivative operator takes the first `wrt` parameters of its region, then a tangent for each
//!     (`jvp`) or a cotangent for each result (`vjp`), then the other parameters: what the region captures.
//!     It gives the region's results, then a tangent for each or a cotangent for each of the first `wrt`
//!     parameters. What is differentiated, and what is given, is real.
//! 13. The parameters and results of loops and conditionals are as [`LoopSpec`](crate::LoopSpec) and
//!     [`Op::Cond`] say; their sums are only added to, and each is given back. The sums of a loop with checkpoints
//!     are ordered.
//! 14. A `custom` takes the parameters of its primal region and gives its results. Its rule has as parameters a tangent
//!     for each real one of these parameters, the results, the parameters; and gives a tangent for each real
//!     result. A `linear_solve` takes the parameters of its matrix, of which the first is a vector of reals, as
//!     the matrix's one result is and its own. Its inverse, which is there as the method takes one
//!     ([`Method::takes_inverse`](crate::Method::takes_inverse)), has another such parameter before these, and gives two
//!     such vectors.
//!
//! Calls
//! 15. A call takes the parameters of its callee and gives its results. Callees are valid programs, numbered in the order
//!     in which the text first calls them; each is called, no two are equal, and their own calls nest at most
//!     [`Callee::MAX_DEPTH`](crate::Callee::MAX_DEPTH) deep. None calls itself, since each is complete before it is called.
//!
//! Provenance
//! 16. A tangent or a cotangent belongs to a level above 0.
//! 17. Levels say where a value comes from and constrain nothing: level 0, the user's own program, may use what
//!     its derivatives gave.
//!
//! Limits
//! 18. At most [`Program::MAX_INSTRUCTIONS`] instructions; arrays of at most
//!     [`Shape::MAX_ELEMENTS`](crate::Shape::MAX_ELEMENTS) elements (no larger `Shape` exists).
//!
//! Not claimed: that dead code is absent, that equal instructions are shared, or that a value said to be a
//! derivative is one.

use crate::entity::{Entity, Inst, Region, Table, Value};
use crate::error::IrError;
use crate::infer::{self, Inferred};
use crate::op::Op;
use crate::program::{Def, Program};
use crate::text::{MAX_DEPTH, instruction, value_name};
use std::collections::HashSet;
use std::hash::Hash;

mod regions;
mod tables;
#[cfg(test)]
mod tests;

/// Checks every invariant of the [module](mod@crate::verify).
///
/// # Errors
/// [`IrError::Invalid`] with every violation, those of an instruction with its line of text. A violation may
/// hide others of the same instruction: types are not checked where an operand does not exist.
pub fn verify(program: &Program) -> Result<(), IrError> {
    let mut violations = Vec::new();
    for (number, callee) in program.all_callees().into_iter().enumerate() {
        violations.extend(verified(callee).into_iter().map(|violation| format!("f{number}: {violation}")));
    }
    violations.extend(verified(program));
    if violations.is_empty() { Ok(()) } else { Err(IrError::Invalid { violations }) }
}

/// The violations of a program, but for those of what it calls.
fn verified(program: &Program) -> Vec<String> {
    let mut verifier = Verifier::new(program);
    verifier.tables();
    verifier.indices();
    verifier.region(Program::ROOT, 1);
    verifier.omissions();
    verifier.first_appearances();
    verifier.callees();
    verifier.violations
}

struct Verifier<'a> {
    program: &'a Program,
    violations: Vec<String>,
    /// What the walk has met.
    values: Table<Value, bool>,
    insts: Table<Inst, bool>,
    regions: Table<Region, bool>,
    /// What it should meet next.
    next_value: usize,
    next_inst: usize,
    next_region: usize,
    next_operand: usize,
}

impl<'a> Verifier<'a> {
    fn new(program: &'a Program) -> Self {
        Verifier {
            program,
            violations: Vec::new(),
            values: Table::filled(program.values.len(), false),
            insts: Table::filled(program.insts.len(), false),
            regions: Table::filled(program.regions.len(), false),
            next_value: 0,
            next_inst: 0,
            next_region: 0,
            next_operand: 0,
        }
    }

    fn require(&mut self, holds: bool, violation: impl FnOnce() -> String) {
        if !holds {
            self.violations.push(violation());
        }
    }

    fn require_inst(&mut self, inst: Inst, holds: bool, violation: impl FnOnce() -> String) {
        let program = self.program;
        self.require(holds, || format!("`{}`: {}", instruction(program, inst), violation()));
    }

    fn require_value(&mut self, value: Value, holds: bool, violation: &str) {
        let program = self.program;
        match program.values.get(value).map(|data| data.def) {
            Some(Def::Result(inst)) => self.require_inst(inst, holds, || format!("{value}: {violation}")),
            Some(Def::Param(_)) | None => {
                self.require(holds, || format!("{}: {violation}", value_name(program, value)));
            }
        }
    }

    // ── the walk ────────────────────────────────────────────────────────────────────────────────

    fn region(&mut self, region: Region, depth: usize) {
        let Some(data) = self.program.regions.get(region) else { return };
        let again = std::mem::replace(&mut self.regions[region], true);
        self.require(!again, || format!("{region} is the body of several operators"));
        self.require(depth <= MAX_DEPTH, || format!("{region} is nested more than {MAX_DEPTH} deep"));
        if again || depth > MAX_DEPTH {
            return;
        }
        let expected = std::mem::replace(&mut self.next_region, region.index() + 1);
        self.require(region.index() == expected, || format!("{region} stands where region{expected} should"));
        for (index, &param) in data.params.iter().enumerate() {
            self.definition(param, Def::Param(index as u32), region);
        }
        for &inst in &data.insts {
            self.inst(inst, region, depth);
        }
        for &result in &data.results {
            let usable = self.usable(result, region);
            self.require(usable, || format!("{region}: its result {result} is not one of its values"));
        }
    }

    fn definition(&mut self, value: Value, def: Def, region: Region) {
        let Some(data) = self.program.values.get(value) else { return };
        self.require_value(value, data.def == def, "it is not defined where it stands");
        self.require_value(value, data.region == region, "it belongs to another region than where it stands");
        let expected = std::mem::replace(&mut self.next_value, value.index() + 1);
        let found = value.index();
        self.require(found == expected, || format!("v{found} is defined where v{expected} should be"));
        self.values[value] = true;
    }

    /// Whether `value` belongs to `region` and has been defined.
    fn usable(&self, value: Value, region: Region) -> bool {
        let home = self.program.values.get(value).map(|data| data.region);
        home == Some(region) && self.values[value]
    }

    fn inst(&mut self, inst: Inst, region: Region, depth: usize) {
        let Some(data) = self.program.insts.get(inst) else { return };
        let again = std::mem::replace(&mut self.insts[inst], true);
        self.require_inst(inst, !again, || "it stands in several places".into());
        if again {
            return;
        }
        let operands = self.program.operand_list(inst).unwrap_or_default();
        for &operand in operands {
            let usable = self.usable(operand, region);
            self.require_inst(inst, usable, || {
                format!("{operand} is not a value defined above in its region")
            });
        }
        for body in data.op.regions() {
            self.region(body, depth + 1);
        }
        self.inst_order(inst);
        for result in self.program.results_in_range(inst) {
            self.definition(result, Def::Result(inst), region);
        }
        self.types(inst, operands);
    }

    fn inst_order(&mut self, inst: Inst) {
        let data = &self.program.insts[inst];
        let expected = std::mem::replace(&mut self.next_inst, inst.index() + 1);
        self.require_inst(inst, inst.index() == expected, || {
            format!("{inst} stands where inst{expected} should")
        });
        let first = data.first_operand as usize;
        let expected = std::mem::replace(&mut self.next_operand, first + data.operand_count as usize);
        self.require_inst(inst, first == expected, || {
            "its operands are not where the text's order has them".into()
        });
    }

    /// What the walk has not met.
    fn omissions(&mut self) {
        let (values, insts, regions) = (self.values.clone(), self.insts.clone(), self.regions.clone());
        for (value, _) in values.iter().filter(|(_, met)| !**met) {
            self.require_value(value, false, "no region defines it");
        }
        for (inst, _) in insts.iter().filter(|(_, met)| !**met) {
            self.require_inst(inst, false, || "it stands in no region".into());
        }
        for (region, _) in regions.iter().filter(|(_, met)| !**met) {
            self.require(false, || format!("{region} is the body of no operator"));
        }
        let operands = self.program.operands.len();
        self.require(self.next_operand == operands, || "an operand belongs to no instruction".into());
    }

    // ── types and levels ────────────────────────────────────────────────────────────────────────

    fn types(&mut self, inst: Inst, operands: &[Value]) {
        let mut results = self.program.results_in_range(inst);
        if !operands.iter().all(|&v| self.exists(v)) || !results.all(|v| self.exists(v)) {
            return;
        }
        match self.program.op(inst) {
            op @ (Op::Call(_)
            | Op::Jvp { .. }
            | Op::Vjp { .. }
            | Op::Loop { .. }
            | Op::Cond { .. }
            | Op::Custom { .. }
            | Op::LinearSolve { .. }) => {
                self.with_regions(inst, op, operands);
            }
            op @ (Op::Const(_)
            | Op::Prim(_)
            | Op::Cast(_)
            | Op::Select
            | Op::Element(_)
            | Op::Pack(_)
            | Op::Iota(_)
            | Op::View(..)
            | Op::Spread(..)
            | Op::Reduce(..)
            | Op::Dot
            | Op::At
            | Op::AddAt
            | Op::Linalg(_)
            | Op::External(_)) => self.result(inst, op, operands),
        }
    }

    fn result(&mut self, inst: Inst, op: Op, operands: &[Value]) {
        let program = self.program;
        let count = program.insts[inst].result_count;
        self.require_inst(inst, count == 1, || format!("it has {count} results instead of one"));
        let inferred = match infer::infer(program, op, operands) {
            Ok(inferred) => inferred,
            Err(error) => return self.require_inst(inst, false, || error.to_string()),
        };
        let Some(result) = program.results_in_range(inst).next() else { return };
        let found = program.ty(result);
        let fits = match inferred {
            Inferred::Known(id) => program.types.get(id) == Some(found),
            Inferred::WithElem(v, elem) => found.elem == elem && found.shape == program.ty(v).shape,
            Inferred::New(ty) => ty == *found,
        };
        self.require_inst(inst, fits, || format!("its result cannot be of type {found}"));
    }
}

fn distinct<'a, T: Eq + Hash + 'a>(mut rows: impl Iterator<Item = &'a T>) -> bool {
    let mut met = HashSet::new();
    rows.all(|row| met.insert(row))
}

/// Whether `ids` has each of `first..end` for the first time after all smaller ones.
fn in_order(ids: impl Iterator<Item = usize>, first: usize, end: usize) -> bool {
    let mut next = first;
    let ordered = ids.fold(true, |ordered, id| {
        next += usize::from(id == next);
        ordered && id < next
    });
    ordered && next == end
}
