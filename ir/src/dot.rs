//! Draws a program for Graphviz: `evolute … | dot -Tsvg`.
//!
//! A node is a parameter or an instruction, an edge leads from a definition to its use, a box encloses a
//! nested region. Colour tells for whom a value is computed: primal values are green, tangents blue,
//! cotangents orange, and the deeper the colour, the higher the level; the user's own program is white.
//! The tooltip of a node gives the user's name for the value and the source line.

use crate::entity::{Inst, Level, Region, Value};
use crate::infer::op_name;
use crate::op::Op;
use crate::program::{Def, Program, Role};
use crate::text::value_name;
use std::fmt::Write;

/// The graph of a program that [`verify`](crate::verify()) accepts, in the DOT language.
pub fn dot(program: &Program) -> String {
    let mut graph = Graph { program, out: String::new() };
    graph.line(0, "digraph program {");
    graph.line(1, "node [shape=box, style=filled, fontname=monospace, fontsize=10];");
    graph.region(Program::ROOT, 1);
    graph.line(1, "return [shape=plain, style=\"\"];");
    for &result in &program.root().results {
        graph.edge(1, result, "return", "");
    }
    graph.line(0, "}");
    graph.out
}

struct Graph<'a> {
    program: &'a Program,
    out: String,
}

impl Graph<'_> {
    fn line(&mut self, depth: usize, text: &str) {
        let indent = depth * 2;
        self.out.extend(std::iter::repeat_n(' ', indent));
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn region(&mut self, region: Region, depth: usize) {
        let program = self.program;
        let data = program.region(region);
        for &param in &data.params {
            let label = format!("{}: {}", value_name(program, param), program.ty(param));
            self.node(depth, &param.to_string(), &label, Some(param));
        }
        for &inst in &data.insts {
            self.inst(inst, depth);
        }
    }

    fn inst(&mut self, inst: Inst, depth: usize) {
        let program = self.program;
        for body in program.op(inst).regions() {
            self.body(inst, body, depth);
        }
        let id = inst.to_string();
        self.node(depth, &id, &label(program, inst), program.results(inst).next());
        for &operand in program.operands(inst) {
            self.edge(depth, operand, &id, "");
        }
    }

    /// The box of an operator's region; its results flow to the operator.
    fn body(&mut self, inst: Inst, body: Region, depth: usize) {
        let program = self.program;
        self.line(depth, &format!("subgraph cluster_{body} {{"));
        self.line(depth + 1, &format!("label={};", quoted(&op_name(program.op(inst)))));
        self.region(body, depth + 1);
        self.line(depth, "}");
        for &result in &program.region(body).results {
            self.edge(depth, result, &inst.to_string(), " [style=dashed]");
        }
    }

    fn node(&mut self, depth: usize, id: &str, label: &str, value: Option<Value>) {
        let tooltip = value.map_or(String::new(), |value| tooltip(self.program, value));
        let color = value.map_or("0 0 1".into(), |value| color(self.program, value));
        let (label, tooltip) = (quoted(label), quoted(&tooltip));
        self.line(depth, &format!("{id} [label={label}, tooltip={tooltip}, fillcolor=\"{color}\"];"));
    }

    fn edge(&mut self, depth: usize, from: Value, to: &str, style: &str) {
        let from = match self.program.value(from).def {
            Def::Param(_) => from.to_string(),
            Def::Result(inst) => inst.to_string(),
        };
        self.line(depth, &format!("{from} -> {to}{style};"));
    }
}

/// `v7.a1 mul`, and what the operation says of itself.
fn label(program: &Program, inst: Inst) -> String {
    let names: Vec<String> = program.results(inst).map(|v| value_name(program, v).to_string()).collect();
    let mut label = format!("{} {}", names.join(", "), op_name(program.op(inst)));
    let detail = match program.op(inst) {
        Op::Const(literal) => write!(label, " {literal}"),
        Op::Cast(elem) => write!(label, " {elem}"),
        Op::Element(index) => write!(label, " {index}"),
        Op::Pack(ty) => write!(label, " {}", program.type_of_id(ty)),
        Op::Jvp { wrt, .. } | Op::Vjp { wrt, .. } => write!(label, " wrt {wrt}"),
        Op::Iota(ty) => write!(label, " {}", program.type_of_id(ty)),
        Op::View(ty, strides) | Op::Spread(ty, strides) => {
            write!(label, " {} {}", program.type_of_id(ty), program.strides(strides))
        }
        Op::Reduce(reduction, ty) => write!(label, " {} {}", reduction.name(), program.type_of_id(ty)),
        Op::Loop { spec, .. } => write!(label, " {}", program.loop_spec(spec)),
        Op::Cond { sums, .. } => write!(label, " sums {sums}"),
        Op::External(id) => write!(label, " {}", program.externals()[id].name()),
        Op::Call(id) => write!(label, " {id}"),
        Op::LinearSolve { solver, .. } => write!(label, " {}", program.solver(solver)),
        Op::Prim(_) | Op::Select | Op::Dot | Op::At | Op::AddAt | Op::Linalg(_) | Op::Custom { .. } => Ok(()),
    };
    detail.expect("a string can be written to");
    label
}

fn tooltip(program: &Program, value: Value) -> String {
    let place = program.loc(value).map(|place| place.to_string());
    let parts = [program.name(value).map(String::from), place];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Hue, saturation and value.
fn color(program: &Program, value: Value) -> String {
    let origin = program.value(value).origin;
    let hue = match origin.role {
        Role::Primal => 0.33,
        Role::Tangent => 0.58,
        Role::Cotangent => 0.08,
    };
    let saturation = match origin.level {
        Level::PRIMAL => 0.0,
        level => (0.15 + 0.12 * f64::from(level.as_u32())).min(0.9),
    };
    format!("{hue} {saturation:.2} 1")
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            c if c.is_control() => quoted.push(' '),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
