//! The text of a plan: memories, then steps.

use super::{
    Access, Crossing, FunctionCall, Home, KernelCall, LaneKind, Lanes, Library, Loop, Nest, Node, Plan, Sink,
    Step, To, WideNest,
};
use crate::scalars::Operation;
use crate::wide;
use evolute_ir::{LANES, Strides, Trips, Value};
use std::fmt;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "plan: {} memories, {} bytes of workspace", self.mems.len(), self.workspace_bytes())?;
        for (mem, memory) in self.mems.iter() {
            let (elem, len) = (memory.elem, memory.len);
            match memory.home {
                Home::Input(number) => writeln!(f, "  {mem}: {elem}[{len}] = in{number}")?,
                Home::Output(number) => writeln!(f, "  {mem}: {elem}[{len}] = out{number}")?,
                Home::Workspace(start) => {
                    writeln!(f, "  {mem}: {elem}[{len}] at {start}, {}..{}", memory.first, memory.last)?;
                }
                Home::Within(of, offset) => writeln!(f, "  {mem}: {elem}[{len}] = {of} from {offset}")?,
                Home::Moving(_) | Home::Either => writeln!(f, "  {mem}: {elem}[{len}]")?,
            }
        }
        let text = Text { plan: self, indent: 0 };
        for (number, steps) in self.pieces.iter().enumerate() {
            writeln!(f, "piece{number}:")?;
            text.deeper().steps(f, steps)?;
        }
        text.steps(f, &self.steps)
    }
}

/// Steps, so far to the right.
#[derive(Clone, Copy)]
struct Text<'a> {
    plan: &'a Plan,
    indent: usize,
}

impl Text<'_> {
    fn deeper(self) -> Self {
        Text { indent: self.indent + 2, ..self }
    }

    fn steps(self, f: &mut fmt::Formatter<'_>, steps: &[Step]) -> fmt::Result {
        steps.iter().try_for_each(|step| self.step(f, step))
    }

    fn step(self, f: &mut fmt::Formatter<'_>, step: &Step) -> fmt::Result {
        write!(f, "{:1$}", "", self.indent)?;
        match step {
            Step::Compute { value, operation, operands, check } => {
                let operands = self.list(operands.iter().map(|&v| self.scalar(v)));
                writeln!(
                    f,
                    "{value} = {} {operands}{}{}",
                    name(*operation),
                    check_name(*check),
                    self.slot(*value)
                )
            }
            Step::Constant { value, literal } => writeln!(f, "{value} = {literal}"),
            Step::Load { value, from } => writeln!(f, "{value} = {}", access(from)),
            Step::Store { value, to } => writeln!(f, "{} = {}", access(to), self.scalar(*value)),
            Step::Affine { value, offset, terms } => {
                writeln!(f, "{value} = {offset}{}", self.terms(terms))
            }
            Step::Check { indices, check } => {
                let below = |&(v, extent): &(Value, u32)| format!("{} below {extent}", self.scalar(v));
                writeln!(f, "check {}{}", self.list(indices.iter().map(below)), check_name(*check))
            }
            Step::Part { mem, of, offset, terms } => {
                writeln!(f, "{mem} = {of} from {offset}{}", self.terms(terms))
            }
            Step::Nest(nest) => self.nest(f, nest),
            Step::External { function, operands, to, check } => {
                let name = self.plan.externals[*function].name();
                let operands = self.list(operands.iter().map(|operand| access(operand).to_string()));
                writeln!(f, "{} = {name:?} {operands}{}", access(to), check_name(*check))
            }
            Step::Function(FunctionCall { unit, operands, results, workspace, .. }) => {
                let list = |all: &[Access]| self.list(all.iter().map(access));
                let with = workspace.iter().map(|place| format!(" with {}", place.mem)).collect::<String>();
                writeln!(f, "{} = f{unit} {}{with}", list(results), list(operands))
            }
            Step::Kernel(KernelCall { kernel, from, to, len }) => {
                writeln!(f, "{} = {kernel:?} of {len} from {}", access(to), access(from))
            }
            Step::Product(multiplication) => {
                write!(f, "product with {}: ", multiplication.scratch)?;
                self.nest(f, &multiplication.nest)
            }
            Step::Library(library) => {
                let operands = self.list(library.operands.iter().map(access));
                let Library { function, to, scratch, extents, .. } = library;
                writeln!(f, "{to} = {function:?} {extents:?} {operands} with {scratch}")
            }
            Step::Call(piece) => writeln!(f, "call piece{piece}"),
            Step::Loop(looping) => self.looping(f, looping),
            Step::Choice(choice) => {
                writeln!(f, "if {}", self.scalar(choice.condition))?;
                self.deeper().steps(f, &choice.branches[0])?;
                writeln!(f, "{:1$}else", "", self.indent)?;
                self.deeper().steps(f, &choice.branches[1])?;
                for &(value, [yes, no]) in &choice.scalars {
                    let [yes, no] = [yes, no].map(|v| self.scalar(v));
                    self.line(f, format_args!("{value} = {yes} or {no}"))?;
                }
                Ok(())
            }
        }
    }

    fn list(self, items: impl Iterator<Item = String>) -> String {
        items.collect::<Vec<_>>().join(", ")
    }

    fn scalar(self, value: Value) -> String {
        self.plan.constants[value].map_or_else(|| value.to_string(), |literal| literal.to_string())
    }

    /// An array in registers.
    fn elements(self, elements: &[Value]) -> String {
        format!("({})", self.list(elements.iter().map(|&v| self.scalar(v))))
    }

    /// Where a scalar is kept for other functions.
    fn slot(self, value: Value) -> String {
        let slot = self.plan.slots.get(&Crossing::Scalar(value));
        slot.map(|slot| format!(" -> slot{slot}")).unwrap_or_default()
    }

    fn terms(self, terms: &[(Value, i64)]) -> String {
        terms.iter().map(|&(value, step)| format!(" + {step}*{}", self.scalar(value))).collect()
    }

    fn nest(self, f: &mut fmt::Formatter<'_>, nest: &Nest) -> fmt::Result {
        let mut texts: Vec<String> = Vec::new();
        for node in &nest.nodes {
            let text = match node {
                Node::Load(from) => access(from),
                Node::Element(elements, at) => format!("{}{}", self.elements(elements), strides(at)),
                &Node::Scalar(value) => self.scalar(value),
                Node::Constant(literal) => literal.to_string(),
                Node::Index(at) => format!("index{}", strides(at)),
                Node::Compute { operation, operands, check, .. } => {
                    let operands = self.list(operands.iter().map(|&i| texts[i as usize].clone()));
                    format!("{}({operands}){}", name(*operation), check_name(*check))
                }
            };
            texts.push(text);
        }
        let term = texts.pop().unwrap_or_default();
        let (outer, reduced) = nest.extents.split_at(nest.extents.len() - nest.reduced);
        let to = match &nest.to {
            To::Memory(to) => access(to),
            To::Scalar(value) => value.to_string(),
            To::Elements(elements, at) => format!("{}{}", self.elements(elements), strides(at)),
        };
        let [by_kept, by_reduced] = match nest.wide {
            None => [String::new(), String::new()],
            Some(WideNest::Kept(copies)) => [pairs(copies), String::new()],
            Some(WideNest::Reduced) => [String::new(), pairs(LANES / wide::LANES)],
        };
        match nest.sink {
            Sink::Store => writeln!(f, "for {outer:?}{by_kept} {to} = {term}"),
            Sink::Add => writeln!(f, "for {outer:?}{by_kept} {to} += {term}"),
            Sink::Reduce(reduction) => {
                let name = reduction.name();
                writeln!(f, "for {outer:?}{by_kept} {to} = {name} {reduced:?}{by_reduced} {term}")
            }
        }
    }

    fn looping(self, f: &mut fmt::Formatter<'_>, looping: &Loop) -> fmt::Result {
        let spec = looping.spec;
        let direction = if spec.reverse { " reverse" } else { "" };
        let trips = match (spec.trips, looping.count) {
            (Trips::Counted(cap), Some(count)) => format!("{} at most {cap}", self.scalar(count)),
            (Trips::While(cap), _) => format!("while at most {cap}"),
            (trips, _) => trips.cap().to_string(),
        };
        let by = looping.wide.as_ref().map(|wide| pairs(wide.copies)).unwrap_or_default();
        writeln!(f, "loop {} {trips}{direction}{by}{}", looping.number, check_name(looping.check))?;
        let text = self.deeper();
        for carried in &looping.scalars {
            let [initial, next] = [carried.initial, carried.next].map(|v| self.scalar(v));
            text.line(f, format_args!("{} from {initial} becomes {next}", carried.param))?;
        }
        for pair in &looping.pairs {
            let even = pair.even;
            match pair.even == pair.odd {
                true => text.line(f, format_args!("{} in {even}", pair.present))?,
                false => {
                    text.line(f, format_args!("{}, {} in {even}, {}", pair.present, pair.next, pair.odd))?;
                }
            }
        }
        for lanes in &looping.lanes {
            text.line(f, format_args!("{}", sum(lanes)))?;
        }
        if let Some((steps, holds)) = &looping.condition {
            text.steps(f, steps)?;
            text.line(f, format_args!("while {}", self.scalar(*holds)))?;
        }
        text.steps(f, &looping.body)?;
        writeln!(f, "{:1$}end{2}", "", self.indent, self.results(looping))
    }

    fn results(self, looping: &Loop) -> String {
        let made = looping.made.map(|made| format!(" {made} = count"));
        let scalars = looping.scalars.iter().map(|c| format!(" {} = {}", c.result, c.param));
        let lanes = looping.lanes.iter().map(|lanes| match lanes.to {
            LaneKind::Scalar(result) => format!(" {result} = sum of {}", lanes.all),
            LaneKind::Array { to } => format!(" {to} = sum of {}", lanes.all),
        });
        let tails = looping.tails.iter().map(|(mem, _)| format!(" rest of {mem} = 0"));
        made.into_iter().chain(scalars).chain(lanes).chain(tails).collect()
    }

    fn line(self, f: &mut fmt::Formatter<'_>, text: fmt::Arguments<'_>) -> fmt::Result {
        writeln!(f, "{:1$}{text}", "", self.indent)
    }
}

/// ` by 4×2`: so many pairs at a time.
fn pairs(copies: usize) -> String {
    format!(" by {copies}×{}", wide::LANES)
}

/// `m4 of 8 lanes m3, segments of 128 to m5`.
fn sum(lanes: &Lanes) -> String {
    let Lanes { order, all, lane, before, .. } = lanes;
    let segments = order.segment.map_or(String::new(), |length| format!(", segments of {length}"));
    let before = before.map_or(String::new(), |before| format!(" to {before}"));
    format!("{lane} of {} lanes {all}{segments}{before}", order.lanes)
}

fn name(operation: Operation) -> String {
    match operation {
        Operation::Prim(prim) => prim.name().into(),
        Operation::Cast(elem) => format!("cast<{elem}>"),
        Operation::Select => "select".into(),
    }
}

fn check_name(check: u32) -> String {
    if check == 0 { String::new() } else { format!(" check{check}") }
}

fn access(access: &Access) -> String {
    format!("{}{}", access.mem, strides(&access.at))
}

/// `[2 + 4i + j]`.
fn strides(at: &Strides) -> String {
    let letters = "ijklmnopqrstuvwxyz".chars().chain(std::iter::repeat('?'));
    let terms = at.strides.iter().zip(letters).filter(|&(&stride, _)| stride != 0);
    let mut parts: Vec<String> = terms
        .map(|(&stride, letter)| if stride == 1 { letter.to_string() } else { format!("{stride}{letter}") })
        .collect();
    if at.offset != 0 || parts.is_empty() {
        parts.insert(0, at.offset.to_string());
    }
    format!("[{}]", parts.join(" + "))
}
