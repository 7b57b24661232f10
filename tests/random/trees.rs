//! Random trees: [`wild`] ones for comparing bits, [`tame`] ones for comparing derivatives.
//!
//! In a tame tree every operand lies inside the domain in which its row of THE table is smooth: what may lie
//! outside is first sent through a sine scaled to the domain. Both sides of a `select` occur, but no operand is
//! near the point where it switches. So every derivative exists and finite differences converge.
//!
//! Note [The sign of a NaN]: NaNs are one class, whose sign rewrites and compilers may change. `copysign` shows it in a
//! number, so in random programs neither of its operands is a NaN (the partial is a `copysign` of the first).
//! `transforms/tests/all/rules.rs` asserts what happens otherwise.

use crate::ast::{Block, Condition, Derivative, Node, Operator};
use crate::choices::Choices;
use crate::numbers;
use evolute::ir::{Class, Elem, Prim};
use std::ops::Range;

/// How a tree is generated.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    /// The most nodes of the outermost block, not counting what makes operands tame.
    pub(crate) nodes: usize,
    /// How deep derivatives nest.
    pub(crate) depth: usize,
    /// The most results.
    pub(crate) results: usize,
}

/// A tree of any operations on any numbers, in an environment of `inputs` values.
pub(crate) fn wild(choices: &mut Choices, inputs: usize, size: Size) -> Block {
    let mut tree = Tree { choices, tame: false, bounds: vec![f64::INFINITY; inputs] };
    tree.block(size)
}

/// A smooth tree, for inputs between −2 and 2.
pub(crate) fn tame(choices: &mut Choices, inputs: usize, size: Size) -> Block {
    let mut tree = Tree { choices, tame: true, bounds: vec![2.0; inputs] };
    tree.block(size)
}

/// The rows of THE table that give real numbers from real numbers and an integer.
fn rows() -> Vec<Prim> {
    let real = |class: &Class| class.contains(Elem::F64) || *class == Class::I;
    Prim::ALL.into_iter().filter(|p| p.result() != Class::B && p.operands().iter().all(real)).collect()
}

/// Often one that many rewrites look for.
pub(crate) fn row(choices: &mut Choices, rows: &[Prim]) -> Prim {
    use Prim::{Add, Div, Max, Mul, MulAdd, Neg, Powi, Sub};
    if choices.chance(2) {
        choices.pick(rows)
    } else {
        choices.pick(&[Add, Mul, Sub, Neg, Div, MulAdd, Powi, Max])
    }
}

struct Tree<'c> {
    choices: &'c mut Choices,
    tame: bool,
    /// For each value of the environment, how large it may be.
    bounds: Vec<f64>,
}

/// The operands of rows that are smooth everywhere may be this large.
const LARGE: f64 = 100.0;

impl Tree<'_> {
    fn block(&mut self, size: Size) -> Block {
        let mut nodes = Vec::new();
        for _ in 0..1 + self.choices.below(size.nodes) {
            match self.choices.below(12) {
                0 => self.constant(&mut nodes),
                1 => self.select(&mut nodes),
                2 | 3 if size.depth > 0 => self.derivative(&mut nodes, size),
                _ => self.prim(&mut nodes),
            }
        }
        let results = (0..1 + self.choices.below(size.results)).map(|_| self.recent()).collect();
        Block { nodes, results }
    }

    /// Mostly the latest value or one not far from it, so that programs are deep.
    fn recent(&mut self) -> usize {
        let len = self.bounds.len();
        let reach = self.choices.pick(&[1, 7.min(len), len]);
        len - 1 - self.choices.below(reach)
    }

    fn push(&mut self, nodes: &mut Vec<Node>, node: Node, bound: f64) -> usize {
        nodes.push(node);
        self.bounds.push(bound);
        self.bounds.len() - 1
    }

    fn constant(&mut self, nodes: &mut Vec<Node>) {
        let literal = numbers::literal(self.choices, Elem::F64, !self.tame);
        self.push(nodes, Node::Constant(literal.as_real().unwrap_or_default()), 2.0);
    }

    fn prim(&mut self, nodes: &mut Vec<Node>) {
        let mut prim = row(self.choices, &rows());
        // What it gives is not the derivative of a function.
        if self.tame && matches!(prim, Prim::StopGradient | Prim::WithSlope) {
            prim = Prim::Neg;
        }
        let mut operands = [0; 3];
        let mut n = self.choices.below(9) as i32 - 3;
        for (index, (class, domain)) in prim.operands().iter().zip(prim.domain()).enumerate() {
            if *class != Class::I {
                let place = self.operand(nodes, domain.clone());
                let guarded = prim == Prim::Copysign && !self.tame;
                operands[index] = if guarded { self.not_nan(nodes, place) } else { place };
            } else if self.tame {
                n = domain.start as i32 + self.choices.below(2) as i32;
            }
        }
        let bound = self.bound(prim, operands);
        self.push(nodes, Node::Prim { prim, operands, n }, bound);
    }

    /// The value, or 1 for a NaN. See Note [The sign of a NaN].
    fn not_nan(&mut self, nodes: &mut Vec<Node>, place: usize) -> usize {
        let one = self.push(nodes, Node::Constant(1.0), 1.0);
        let condition = Condition::Compare(1, [place, place]);
        self.push(nodes, Node::Select { condition, yes: place, no: one }, f64::INFINITY)
    }

    /// How large a row's result is, roughly, on tame operands.
    fn bound(&self, prim: Prim, [x, y, z]: [usize; 3]) -> f64 {
        let [x, y, z] = [x, y, z].map(|place| self.bounds[place]);
        match prim {
            Prim::Add | Prim::Sub => x + y,
            Prim::Mul => x * y,
            Prim::MulAdd => x * y + z,
            Prim::Neg | Prim::StopGradient | Prim::WithSlope => x,
            _ => 30.0,
        }
    }

    /// A value inside the domain, if the tree is tame.
    fn operand(&mut self, nodes: &mut Vec<Node>, domain: Range<f64>) -> usize {
        let place = self.recent();
        let everywhere = domain == (-9.0..9.0) && self.bounds[place] < LARGE;
        if !self.tame || everywhere { place } else { self.confined(nodes, place, domain) }
    }

    /// `middle + 0.9 · radius · sin(x)`.
    fn confined(&mut self, nodes: &mut Vec<Node>, place: usize, domain: Range<f64>) -> usize {
        let [middle, radius] = [domain.end + domain.start, domain.end - domain.start].map(|x| x / 2.0);
        let sine = self.push(nodes, Node::Prim { prim: Prim::Sin, operands: [place; 3], n: 0 }, 1.0);
        let radius = self.push(nodes, Node::Constant(0.9 * radius), radius);
        let middle = self.push(nodes, Node::Constant(middle), middle.abs());
        let bound = domain.end.abs().max(domain.start.abs());
        self.push(nodes, Node::Prim { prim: Prim::MulAdd, operands: [sine, radius, middle], n: 0 }, bound)
    }

    fn select(&mut self, nodes: &mut Vec<Node>) {
        let condition = self.condition(nodes, 2);
        let [yes, no] = [self.recent(), self.recent()];
        let bound = self.bounds[yes].max(self.bounds[no]);
        self.push(nodes, Node::Select { condition, yes, no }, bound);
    }

    fn condition(&mut self, nodes: &mut Vec<Node>, depth: usize) -> Condition {
        let kind = if depth == 0 { 0 } else { self.choices.below(6) };
        let mut part = || self.condition(nodes, depth - 1);
        match kind {
            1 => Condition::Not(Box::new(part())),
            2 => Condition::And(Box::new([part(), part()])),
            3 => Condition::Or(Box::new([part(), part()])),
            _ => {
                let order = self.choices.below(4);
                let [low, high] = [0.1..0.9, 1.1..1.9].map(|domain| self.operand(nodes, domain));
                let swap = self.choices.chance(2);
                Condition::Compare(order, if swap { [high, low] } else { [low, high] })
            }
        }
    }

    fn derivative(&mut self, nodes: &mut Vec<Node>, size: Size) {
        let operator = self.choices.pick(&Operator::ALL);
        let inputs = if self.choices.chance(30) { 0 } else { 1 + self.choices.below(3) };
        let at: Vec<usize> = (0..inputs).map(|_| self.recent()).collect();
        let outside = self.bounds.len();
        self.bounds.extend(at.iter().map(|&place| self.bounds[place]).collect::<Vec<_>>());
        let body = self.block(Size { nodes: size.nodes.div_ceil(2), depth: size.depth - 1, results: 2 });
        self.bounds.truncate(outside);
        let seeds = match operator {
            Operator::Jvp | Operator::Hvp => at.len(),
            Operator::Vjp => body.results.len(),
            Operator::Grad | Operator::ValueAndGrad => 0,
        };
        let seeds: Vec<usize> = (0..seeds).map(|_| self.recent()).collect();
        let results = match operator {
            Operator::Grad | Operator::Hvp => at.len(),
            Operator::ValueAndGrad => 1 + at.len(),
            Operator::Jvp => 2 * body.results.len(),
            Operator::Vjp => body.results.len() + at.len(),
        };
        self.bounds.resize(outside + results, f64::INFINITY);
        nodes.push(Node::Derivative(Derivative { operator, at, seeds, body }));
    }
}
