//! Prints programs, and single instructions for messages.
//!
//! Nothing here panics or loops on a program whose tables are inconsistent, because the verifier prints what
//! it complains about: what does not exist is shown as `?`, and a nested region is shown once.

use super::MAX_DEPTH;
use crate::callee::Callee;
use crate::entity::{CalleeId, Entity, Inst, Level, Loc, Region, Value};
use crate::infer::op_name;
use crate::op::Op;
use crate::program::{Mode, Origin, Program, Role};
use std::fmt::{self, Display, Formatter, Write};

impl Display for Program {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "evolute 0")?;
        let callees = self.all_callees();
        for (number, callee) in callees.iter().enumerate() {
            definition(callee, &format!("function {}", CalleeId::new(number)), &callees, f)?;
        }
        definition(self, "program", &callees, f)
    }
}

/// A function or the program itself, with its levels.
fn definition(program: &Program, what: &str, callees: &[&Callee], f: &mut Formatter<'_>) -> fmt::Result {
    for (level, data) in program.levels.iter().filter(|(level, _)| *level != Level::PRIMAL) {
        let mode = data.mode.map_or("?", mode_name);
        writeln!(f, "level {} = {mode}{}", level.index(), place(program, data.loc))?;
    }
    let root = program.regions.get(Program::ROOT);
    let results = root.map_or(&[][..], |root| &root.results);
    let types = list(results, |f, &v| type_of(program, v).fmt(f));
    writeln!(f, "{what} {} -> ({types}) {{", parameters(program, Program::ROOT))?;
    let shown = vec![false; program.regions.len()];
    Printer { program, callees, f, shown }.body(Program::ROOT, 1)?;
    writeln!(f, "}}")
}

/// A value as the text names it: its number, then its role and level.
pub fn value_name(program: &Program, value: Value) -> impl Display {
    let origin = program.values.get(value).map(|data| data.origin).unwrap_or_default();
    fmt::from_fn(move |f| write!(f, "{value}{}", suffix(origin)))
}

/// One instruction as the text shows it, without the regions in it.
pub fn instruction(program: &Program, inst: Inst) -> impl Display {
    fmt::from_fn(move |f| {
        head(program, None, inst, f)?;
        tail(program, inst, f)
    })
}

pub(super) fn suffix(Origin { role, level, .. }: Origin) -> impl Display {
    fmt::from_fn(move |f| match (role, level) {
        (Role::Primal, Level::PRIMAL) => Ok(()),
        (Role::Primal, level) => write!(f, ".p{}", level.as_u32()),
        (Role::Tangent, level) => write!(f, ".t{}", level.as_u32()),
        (Role::Cotangent, level) => write!(f, ".a{}", level.as_u32()),
    })
}

pub(super) fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Forward => "jvp",
        Mode::Reverse => "vjp",
    }
}

struct Printer<'a, 'f> {
    program: &'a Program,
    /// The functions of the text, in its order.
    callees: &'a [&'a Callee],
    f: &'a mut Formatter<'f>,
    /// The regions printed, so that a cycle ends.
    shown: Vec<bool>,
}

impl Printer<'_, '_> {
    fn body(&mut self, region: Region, depth: usize) -> fmt::Result {
        let indent = depth * 2;
        let shown = self.shown.get_mut(region.index()).map(|shown| std::mem::replace(shown, true));
        let (Some(false), Some(data), true) = (shown, self.program.regions.get(region), depth <= MAX_DEPTH)
        else {
            return writeln!(self.f, "{:indent$}?", "");
        };
        for &inst in &data.insts {
            write!(self.f, "{:indent$}", "")?;
            head(self.program, Some(self.callees), inst, self.f)?;
            let op = self.program.insts.get(inst).map(|data| data.op);
            for (number, nested) in op.into_iter().flat_map(Op::regions).enumerate() {
                if number > 0 {
                    let word = match op {
                        Some(Op::Cond { .. }) => "else",
                        Some(Op::Custom { .. }) => "rule",
                        Some(Op::LinearSolve { .. }) => "inverse",
                        _ => "do",
                    };
                    write!(self.f, " {word} {}", parameters(self.program, nested))?;
                }
                writeln!(self.f, " {{")?;
                self.body(nested, depth + 1)?;
                write!(self.f, "{:indent$}}}", "")?;
            }
            tail(self.program, inst, self.f)?;
            writeln!(self.f)?;
        }
        let end = if region == Program::ROOT { "return" } else { "yield" };
        let results = list(&data.results, |f, &v| write!(f, "{}", value_name(self.program, v)));
        let space = if data.results.is_empty() { "" } else { " " };
        writeln!(self.f, "{:indent$}{end}{space}{results}", "")
    }
}

/// What is called, by its number in the text, or else in the program's own table.
fn called(program: &Program, callees: Option<&[&Callee]>, id: CalleeId) -> impl Display {
    let number = program.callees.get(id).map(|callee| {
        let place = callees.and_then(|all| all.iter().position(|&other| other == callee));
        place.map_or(id, CalleeId::new)
    });
    known(number)
}

/// Everything of an instruction that stands before its body.
fn head(program: &Program, callees: Option<&[&Callee]>, inst: Inst, f: &mut Formatter<'_>) -> fmt::Result {
    let Some(data) = program.insts.get(inst) else { return write!(f, "{inst}?") };
    let name = |f: &mut Formatter<'_>, v: Value| write!(f, "{}", value_name(program, v));
    let operands = program.operand_list(inst).unwrap_or_default();
    for (i, value) in program.results_in_range(inst).enumerate() {
        f.write_str(if i == 0 { "" } else { ", " })?;
        name(f, value)?;
    }
    f.write_str(if data.result_count == 0 { "" } else { " = " })?;
    f.write_str(&op_name(data.op))?;
    before_operands(program, callees, data.op, f)?;
    let all = list(operands, |f, &v| name(f, v));
    match data.op {
        // Behind it may stand the origins of several results, with commas too.
        Op::Call(_) => write!(f, " ({all})")?,
        _ if operands.is_empty() => {}
        _ => write!(f, " {all}")?,
    }
    behind_operands(program, data.op, f)
}

/// What belongs to the name of the instruction.
fn before_operands(
    program: &Program,
    callees: Option<&[&Callee]>,
    op: Op,
    f: &mut Formatter<'_>,
) -> fmt::Result {
    match op {
        Op::Const(literal) => write!(f, " {literal}"),
        Op::Cast(elem) => write!(f, " {elem}"),
        Op::Pack(ty) | Op::Iota(ty) | Op::View(ty, _) | Op::Spread(ty, _) => {
            known(program.types.get(ty)).fmt(f)
        }
        Op::Reduce(reduction, ty) => {
            write!(f, " {}{}", reduction.name(), known(program.types.get(ty)))
        }
        Op::External(id) => match program.externals.get(id) {
            Some(external) => write!(f, " {}", quoted(external.name())),
            None => f.write_str(" ?"),
        },
        Op::Call(id) => called(program, callees, id).fmt(f),
        Op::Prim(_)
        | Op::Select
        | Op::Element(_)
        | Op::Dot
        | Op::At
        | Op::AddAt
        | Op::Linalg(_)
        | Op::Loop { .. }
        | Op::Cond { .. }
        | Op::Custom { .. }
        | Op::LinearSolve { .. }
        | Op::Jvp { .. }
        | Op::Vjp { .. } => Ok(()),
    }
}

/// What says how the operands are used.
fn behind_operands(program: &Program, op: Op, f: &mut Formatter<'_>) -> fmt::Result {
    match op {
        Op::Element(index) => write!(f, ", {index}"),
        Op::Jvp { region, wrt } | Op::Vjp { region, wrt } => {
            write!(f, " wrt {wrt} {}", parameters(program, region))
        }
        Op::View(_, strides) | Op::Spread(_, strides) => known(program.strides.get(strides)).fmt(f),
        Op::Loop { body, condition, spec } => {
            known(program.loops.get(spec)).fmt(f)?;
            write!(f, " {}", parameters(program, condition.unwrap_or(body)))
        }
        Op::Custom { primal, .. } => write!(f, " {}", parameters(program, primal)),
        Op::LinearSolve { matrix, solver, .. } => {
            known(program.solvers.get(solver)).fmt(f)?;
            write!(f, " {}", parameters(program, matrix))
        }
        Op::Cond { yes, sums, .. } => write!(f, " sums {sums} {}", parameters(program, yes)),
        Op::Const(_)
        | Op::Prim(_)
        | Op::Cast(_)
        | Op::Select
        | Op::Pack(_)
        | Op::Iota(_)
        | Op::Reduce(..)
        | Op::Dot
        | Op::At
        | Op::AddAt
        | Op::Linalg(_)
        | Op::External(_)
        | Op::Call(_) => Ok(()),
    }
}

/// ` x`, or ` ?` for what does not exist.
fn known<T: Display>(x: Option<T>) -> impl Display {
    fmt::from_fn(move |f| match &x {
        Some(x) => write!(f, " {x}"),
        None => f.write_str(" ?"),
    })
}

/// The origins of an instruction's results.
fn tail(program: &Program, inst: Inst, f: &mut Formatter<'_>) -> fmt::Result {
    let mut gap = String::new();
    for value in program.results_in_range(inst) {
        let origin = origin(program, value).to_string();
        if !origin.is_empty() {
            f.write_str(&std::mem::take(&mut gap))?;
        }
        f.write_str(&origin)?;
        gap.push(',');
    }
    Ok(())
}

fn parameters(program: &Program, region: Region) -> impl Display {
    fmt::from_fn(move |f| {
        let params = program.regions.get(region).map_or(&[][..], |region| &region.params);
        let param = |f: &mut Formatter<'_>, &v: &Value| {
            write!(f, "{}: {}{}", value_name(program, v), type_of(program, v), origin(program, v))
        };
        write!(f, "({})", list(params, param))
    })
}

fn type_of(program: &Program, value: Value) -> impl Display {
    let ty = program.values.get(value).and_then(|data| program.types.get(data.ty));
    fmt::from_fn(move |f| match ty {
        Some(ty) => ty.fmt(f),
        None => f.write_str("?"),
    })
}

/// ` of v2 @"src/main.rs":14 "energy"`, as far as it is known.
fn origin(program: &Program, value: Value) -> impl Display {
    fmt::from_fn(move |f| {
        let Some(data) = program.values.get(value) else { return f.write_str(" ?") };
        if let Some(of) = data.origin.of {
            write!(f, " of {}", value_name(program, of))?;
        }
        place(program, data.origin.loc).fmt(f)?;
        match program.names.get(&value) {
            Some(name) => write!(f, " {}", quoted(name)),
            None => Ok(()),
        }
    })
}

/// ` @"src/main.rs":14`, or nothing.
fn place(program: &Program, loc: Loc) -> impl Display {
    fmt::from_fn(move |f| match program.locs.get(loc) {
        Some(Some(place)) => write!(f, " @{}:{}", quoted(&place.file), place.line),
        Some(None) => Ok(()),
        None => f.write_str(" @?"),
    })
}

fn quoted(text: &str) -> impl Display {
    fmt::from_fn(move |f| {
        f.write_char('"')?;
        for c in text.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                '\n' => f.write_str("\\n")?,
                ';' => f.write_str("\\u{3b}")?,
                c if c.is_control() => write!(f, "\\u{{{:x}}}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    })
}

/// `items` with commas between them.
fn list<'a, T>(items: &'a [T], item: impl Fn(&mut Formatter<'_>, &T) -> fmt::Result + 'a) -> impl Display {
    fmt::from_fn(move |f| {
        for (i, x) in items.iter().enumerate() {
            f.write_str(if i == 0 { "" } else { ", " })?;
            item(f, x)?;
        }
        Ok(())
    })
}
