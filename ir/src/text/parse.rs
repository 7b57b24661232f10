//! Reads a program from its text, in one pass and linear time.
//!
//! The tables are filled as the text stands, without sharing or folding, so duplicates and dead code come
//! back. Types are inferred where the text leaves them out; an operand that is not defined, belongs to
//! another region or has the wrong type is refused here, with its line. What only concerns levels and roles,
//! and how sums are used, is left to [`verify`](crate::verify). Nested regions are kept on a stack of at most [`MAX_DEPTH`], not in
//! recursion, so no text exhausts the thread's.

use super::cursor::{Cursor, Name, Read};
use super::lex::Token;
use super::parse_regions::Open;
use super::print::mode_name;
use super::tables::{Tables, Written};
use crate::callee::Callee;
use crate::entity::{CalleeId, Entity, Inst, Region, TypeId, Value};
use crate::error::IrError;
use crate::external::External;
use crate::infer;
use crate::linalg::Linalg;
use crate::op::Op;
use crate::prim::Prim;
use crate::program::{Def, InstData, LevelData, Mode, Origin, Program, ValueData};
use crate::types::Type;

/// How deep regions may nest, the root being at depth 1.
pub const MAX_DEPTH: usize = 64;

/// Reads a program.
///
/// # Errors
/// [`IrError::Parse`] with the line, what was expected and what was found.
pub fn parse(text: &str) -> Result<Program, IrError> {
    parse_with(text, &[])
}

/// Reads a program that calls these functions of the user's, by their names.
///
/// # Errors
/// As [`parse`]; a function that is not among these.
pub fn parse_with(text: &str, externals: &[External]) -> Result<Program, IrError> {
    let mut parser = Parser::new(text)?;
    parser.externals = externals;
    parser.file()
}

pub(super) struct Parser<'t> {
    pub(super) text: Cursor<'t>,
    pub(super) tables: Tables,
    pub(super) open: Vec<Open>,
    /// The types of the results, as the program's first line has them.
    pub(super) result_types: Vec<Type>,
    /// The functions of the user's that the program may call.
    pub(super) externals: &'t [External],
    /// The functions read.
    callees: Vec<Callee>,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Read<Self> {
        let (text, tables) = (Cursor::new(text)?, Tables::new());
        let (open, result_types, callees) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Parser { text, tables, open, result_types, externals: &[], callees })
    }

    fn file(mut self) -> Read<Program> {
        self.text.keyword("evolute")?;
        self.text.keyword("0")?;
        self.text.end_line()?;
        loop {
            self.levels()?;
            if self.text.next != Token::Word("function") {
                break;
            }
            self.function()?;
        }
        self.text.keyword("program")?;
        self.definition_of_all()?;
        if self.text.next != Token::End {
            return self.text.expected("the end of the text");
        }
        self.tables.finish()
    }

    fn levels(&mut self) -> Read<()> {
        while self.text.next == Token::Word("level") {
            self.level()?;
        }
        Ok(())
    }

    /// A function that is called below, whose tables are its own.
    fn function(&mut self) -> Read<()> {
        self.text.keyword("function")?;
        let line = self.text.line;
        let (expected, found) = (CalleeId::new(self.callees.len()), self.text.callee()?);
        if found != expected {
            let message = format!("expected {expected} to be defined next, found {found}");
            return Err(IrError::Parse { line, message });
        }
        self.definition_of_all()?;
        let callee = Callee::new(std::mem::replace(&mut self.tables, Tables::new()).finish()?);
        if callee.depth() > Callee::MAX_DEPTH {
            return Err(at_line(line, IrError::CallsTooDeep { limit: Callee::MAX_DEPTH }));
        }
        self.result_types.clear();
        self.callees.push(callee);
        Ok(())
    }

    /// What is defined, from its parameters to its end.
    fn definition_of_all(&mut self) -> Read<()> {
        self.signature()?;
        while !self.open.is_empty() {
            self.statement()?;
        }
        Ok(())
    }

    fn level(&mut self) -> Read<()> {
        self.text.keyword("level")?;
        let expected = self.tables.program.levels.len();
        let line = self.text.line;
        let found = self.text.number("a level")?;
        if found as usize != expected {
            let message = format!("expected level {expected}, found level {found}: they are numbered from 1");
            return Err(IrError::Parse { line, message });
        }
        self.text.mark('=')?;
        let Some(mode) = mode_of(&self.text.next) else { return self.text.expected("`jvp` or `vjp`") };
        self.text.advance()?;
        let loc = self.place()?;
        self.tables.program.levels.push(LevelData { mode: Some(mode), loc });
        self.text.end_line()
    }

    /// The rest of a definition's first line.
    fn signature(&mut self) -> Read<()> {
        self.parameters(Program::ROOT)?;
        self.text.arrow()?;
        let types = &mut self.result_types;
        self.text.parenthesized(|text| text.ty().map(|ty| types.push(ty)))?;
        self.begin_body(Open { region: Program::ROOT, operation: None })
    }

    pub(super) fn begin_body(&mut self, open: Open) -> Read<()> {
        if self.open.len() == MAX_DEPTH {
            return self.text.fail(format!("expected regions nested at most {MAX_DEPTH} deep"));
        }
        self.text.mark('{')?;
        self.text.end_line()?;
        self.open.push(open);
        Ok(())
    }

    pub(super) fn parameters(&mut self, region: Region) -> Read<()> {
        self.text.mark('(')?;
        while !self.text.skip(')')? {
            self.parameter(region)?;
            if self.text.next != Token::Mark(')') {
                self.text.mark(',')?;
            }
        }
        Ok(())
    }

    fn parameter(&mut self, region: Region) -> Read<()> {
        let line = self.text.line;
        let name = self.text.name()?;
        self.text.mark(':')?;
        let ty = self.text.ty()?;
        let ty = self.tables.intern(ty);
        let def = Def::Param(self.tables.program.regions[region].params.len() as u32);
        let written = self.written()?;
        let value = self.tables.define(
            line,
            name,
            written,
            ValueData { ty, region, def, origin: Origin::default() },
        )?;
        self.tables.program.regions[region].params.push(value);
        Ok(())
    }

    // ── statements ──────────────────────────────────────────────────────────────────────────────

    fn statement(&mut self) -> Read<()> {
        let end = if self.open.len() == 1 { "return" } else { "yield" };
        match self.text.next {
            Token::Word(word) if word == end => self.end_body(),
            Token::Word("jvp" | "vjp" | "loop" | "cond" | "custom" | "linear_solve") => {
                self.operation_with_regions(Vec::new())
            }
            Token::Word("call") => self.call(Vec::new()),
            Token::Word(word) if word.starts_with('v') => self.definition(),
            _ => self.text.expected(&format!("an instruction or `{end}`")),
        }
    }

    fn definition(&mut self) -> Read<()> {
        let mut results = vec![self.text.name()?];
        while self.text.skip(',')? {
            results.push(self.text.name()?);
        }
        self.text.mark('=')?;
        match (&self.text.next, &results[..]) {
            (Token::Word("jvp" | "vjp" | "loop" | "cond" | "custom" | "linear_solve"), _) => {
                self.operation_with_regions(results)
            }
            (Token::Word("call"), _) => self.call(results),
            (_, &[result]) => self.instruction(result),
            _ => self.text.expected(
                "`jvp`, `vjp`, `loop`, `cond`, `custom` or `call`, which alone have several results",
            ),
        }
    }

    fn instruction(&mut self, result: Name) -> Read<()> {
        let line = self.text.line;
        let (op, operands) = self.operation()?;
        let inferred =
            infer::infer(&self.tables.program, op, &operands).map_err(|error| at_line(line, error))?;
        let ty = self.tables.inferred(inferred);
        let written = self.written()?;
        self.insert(line, op, &operands, vec![(result, ty, written)])?;
        self.text.end_line()
    }

    fn operation(&mut self) -> Read<(Op, Vec<Value>)> {
        let line = self.text.line;
        let op = match self.text.word("an operation")? {
            "const" => return Ok((Op::Const(self.text.literal()?), Vec::new())),
            "element" => {
                let array = self.value()?;
                self.text.mark(',')?;
                return Ok((Op::Element(self.text.number("an index")?), vec![array]));
            }
            "cast" => Op::Cast(self.text.elem()?),
            "select" => Op::Select,
            "pack" => Op::Pack(self.type_id()?),
            "iota" => return Ok((Op::Iota(self.type_id()?), Vec::new())),
            "view" => {
                let ty = self.type_id()?;
                let operand = self.value()?;
                return Ok((Op::View(ty, self.strides()?), vec![operand]));
            }
            "spread" => {
                let ty = self.type_id()?;
                let operand = self.value()?;
                return Ok((Op::Spread(ty, self.strides()?), vec![operand]));
            }
            "reduce" => {
                let reduction = self.text.reduction()?;
                Op::Reduce(reduction, self.type_id()?)
            }
            "dot" => Op::Dot,
            "at" => Op::At,
            "add_at" => Op::AddAt,
            "external" => Op::External(self.external()?),
            name => match (Prim::from_name(name), Linalg::from_name(name)) {
                (Some(prim), _) => Op::Prim(prim),
                (None, Some(linalg)) => Op::Linalg(linalg),
                (None, None) => {
                    let found = Token::Word(name).describe();
                    return Err(IrError::Parse {
                        line,
                        message: format!("expected an operation, found {found}"),
                    });
                }
            },
        };
        Ok((op, self.values()?))
    }

    fn call(&mut self, results: Vec<Name>) -> Read<()> {
        self.text.keyword("call")?;
        let line = self.text.line;
        let id = self.text.callee()?;
        let Some(callee) = self.callees.get(id.index()) else {
            let message = format!("expected a function defined above, found {id}");
            return Err(IrError::Parse { line, message });
        };
        let op = Op::Call(self.tables.callee(callee));
        self.text.mark('(')?;
        let operands = self.values()?;
        self.text.mark(')')?;
        self.structure(line, op, results, &operands)?;
        self.text.end_line()
    }

    // ── instructions ──────────────────────────────────────────────────────────────────────────────────

    /// Appends an instruction to the innermost region.
    pub(super) fn insert(
        &mut self,
        line: usize,
        op: Op,
        operands: &[Value],
        results: Vec<(Name, TypeId, Written)>,
    ) -> Read<()> {
        if self.tables.program.insts.len() >= Program::MAX_INSTRUCTIONS {
            return Err(at_line(
                line,
                IrError::TooLarge { what: "the text", limit: Program::MAX_INSTRUCTIONS },
            ));
        }
        let region = self.current();
        let inst = Inst::new(self.tables.program.insts.len());
        let data = InstData {
            op,
            first_operand: self.tables.program.operands.len() as u32,
            operand_count: operands.len() as u32,
            first_result: Value::new(self.tables.program.values.len()),
            result_count: results.len() as u32,
        };
        for (name, ty, written) in results {
            let origin = Origin::default();
            self.tables.define(
                line,
                name,
                written,
                ValueData { ty, region, def: Def::Result(inst), origin },
            )?;
        }
        self.tables.program.operands.extend_from_slice(operands);
        self.tables.program.insts.push(data);
        self.tables.program.regions[region].insts.push(inst);
        Ok(())
    }

    pub(super) fn current(&self) -> Region {
        self.open.last().map_or(Program::ROOT, |open| open.region)
    }
}

pub(super) fn at_line(line: usize, error: IrError) -> IrError {
    IrError::Parse { line, message: error.to_string() }
}

fn mode_of(token: &Token<'_>) -> Option<Mode> {
    [Mode::Forward, Mode::Reverse].into_iter().find(|&mode| *token == Token::Word(mode_name(mode)))
}
