//! Reads operations with regions: derivative operators, loops, conditionals, what has a derivative of its own.

use super::cursor::{Name, Read};
use super::parse::{Parser, at_line};
use crate::entity::{Region, TypeId, Value};
use crate::error::IrError;
use crate::infer;
use crate::op::Op;
use crate::program::{Mode, RegionData};
use crate::signature::{list, signature};
use crate::solver::Solver;
use crate::structure::{LoopSpec, Trips};

/// A region whose end has not been read, and the operation that it is part of.
pub(super) struct Open {
    pub(super) region: Region,
    pub(super) operation: Option<Operation>,
}

/// An operation of which not all regions have been read.
pub(super) struct Operation {
    kind: Kind,
    results: Vec<Name>,
    operands: Vec<Value>,
    /// The first of its two regions, once that is read.
    first: Option<Region>,
}

#[derive(Clone, Copy)]
enum Kind {
    Derivative(Mode, u32),
    Loop(LoopSpec),
    Cond { sums: u32 },
    Custom,
    LinearSolve(Solver),
}

impl Kind {
    /// What stands between its two regions, if it has two or may have.
    fn between(self) -> Option<&'static str> {
        match self {
            Kind::Loop(LoopSpec { trips: Trips::While(_), .. }) => Some("do"),
            Kind::Cond { .. } => Some("else"),
            Kind::Custom => Some("rule"),
            Kind::LinearSolve(_) => Some("inverse"),
            Kind::Loop(_) | Kind::Derivative(..) => None,
        }
    }

    /// Whether the second region may be missing.
    fn may_end(self) -> bool {
        matches!(self, Kind::LinearSolve(_))
    }
}

impl Parser<'_> {
    /// An operation up to the end of the line on which its first region opens.
    pub(super) fn operation_with_regions(&mut self, results: Vec<Name>) -> Read<()> {
        let word = self.text.word("an operation")?;
        let operands = self.values()?;
        let kind = match word {
            "loop" => Kind::Loop(self.text.loop_spec()?),
            "custom" => Kind::Custom,
            "linear_solve" => Kind::LinearSolve(self.text.solver()?),
            "cond" => {
                self.text.keyword("sums")?;
                Kind::Cond { sums: self.text.number("how many sums there are")? }
            }
            _ => {
                let mode = if word == "jvp" { Mode::Forward } else { Mode::Reverse };
                self.text.keyword("wrt")?;
                Kind::Derivative(mode, self.text.number("how many parameters are differentiated")?)
            }
        };
        self.begin_region(Operation { kind, results, operands, first: None })
    }

    /// The next region of an operation, up to the end of the line on which it opens.
    fn begin_region(&mut self, operation: Operation) -> Read<()> {
        let region = self.tables.program.regions.push(RegionData::default());
        self.parameters(region)?;
        self.begin_body(Open { region, operation: Some(operation) })
    }

    /// The results of the innermost region, and the end of its operation or what comes between its regions.
    pub(super) fn end_body(&mut self) -> Read<()> {
        let line = self.text.line;
        self.text.advance()?;
        let results = self.values()?;
        self.text.end_line()?;
        self.text.mark('}')?;
        let Some(Open { region, operation }) = self.open.pop() else { return self.text.expected("a region") };
        self.tables.program.regions[region].results = results;
        match operation {
            None => self.check_result_types(line)?,
            Some(operation) if self.another_region(&operation)? => {
                return self.begin_region(Operation { first: Some(region), ..operation });
            }
            Some(operation) => self.apply(region, operation)?,
        }
        self.text.end_line()
    }

    /// Whether an operation goes on with a second region; what stands before that is read.
    fn another_region(&mut self, operation: &Operation) -> Read<bool> {
        let Some(word) = operation.kind.between().filter(|_| operation.first.is_none()) else {
            return Ok(false);
        };
        if operation.kind.may_end() {
            return self.text.skip_word(word);
        }
        self.text.keyword(word)?;
        Ok(true)
    }

    fn check_result_types(&self, line: usize) -> Read<()> {
        let found = self.tables.program.result_types();
        if found == self.result_types {
            return Ok(());
        }
        let (expected, found) = (list(&self.result_types), list(&found));
        Err(IrError::Parse { line, message: format!("expected results of types {expected}, found {found}") })
    }

    fn apply(&mut self, region: Region, operation: Operation) -> Read<()> {
        let line = self.text.line;
        let Operation { kind, results, operands, first } = operation;
        let op = match kind {
            Kind::Derivative(Mode::Forward, wrt) => Op::Jvp { region, wrt },
            Kind::Derivative(Mode::Reverse, wrt) => Op::Vjp { region, wrt },
            Kind::Loop(spec) => {
                Op::Loop { body: region, condition: first, spec: self.tables.program.loops.push(spec) }
            }
            Kind::Cond { sums } => Op::Cond { yes: first.unwrap_or(region), no: region, sums },
            Kind::Custom => Op::Custom { primal: first.unwrap_or(region), rule: region },
            Kind::LinearSolve(solver) => {
                let (matrix, inverse) = first.map_or((region, None), |matrix| (matrix, Some(region)));
                Op::LinearSolve { matrix, inverse, solver: self.tables.program.solvers.push(solver) }
            }
        };
        self.structure(line, op, results, &operands)
    }

    /// Inserts an operation with regions, or a call, once the origins of its results are read.
    pub(super) fn structure(
        &mut self,
        line: usize,
        op: Op,
        results: Vec<Name>,
        operands: &[Value],
    ) -> Read<()> {
        let signature = signature(&self.tables.program, op).map_err(|error| at_line(line, error))?;
        let found = || operands.iter().map(|&v| self.tables.program.ty(v));
        if !found().eq(&signature.operands) {
            return Err(at_line(line, infer::mismatch(op, list(&signature.operands), list(found()))));
        }
        let types: Vec<TypeId> = signature.results.into_iter().map(|ty| self.tables.intern(ty)).collect();
        if results.len() != types.len() {
            return self.text.fail(format!("expected {} results, found {}", types.len(), results.len()));
        }
        let mut rows = Vec::with_capacity(types.len());
        for (name, ty) in results.into_iter().zip(types) {
            if !rows.is_empty() {
                self.text.skip(',')?;
            }
            rows.push((name, ty, self.written()?));
        }
        self.insert(line, op, operands, rows)
    }
}
