//! The order in which operations are executed.
//!
//! In goes the graph, out comes a list of the operations that reach a result. Three kinds of order are
//! tried and the one whose operands lie nearest is taken ([`distance`]):
//!
//! - the program's own;
//! - depth first from the results, so that every cone stands next to its use, *eagerly*: as soon as a
//!   value has one use left and that use has all its operands, it is executed. This never raises the
//!   number of live values, and it drains accumulators (`s + t₁ + t₂ …`) as their terms appear, so
//!   that a value and its gradient are computed in one sweep;
//! - the same, but with kernel calls and what they need first: a call leaves nothing in registers, so
//!   arithmetic between two calls is stored and loaded again, after the last it is not.
//!
//! An operation that can fail is always executed, and then the program's own order is kept, so that
//! the failure reported is the first. Everything here is linear in the size of the graph.

use crate::scalars::{Scalar, Scalars};
use evolute_ir::{Entity, Table};

/// How many operations back a value is still taken to be in a register.
const WINDOW: u32 = 16;

/// The operations to execute, in order.
pub(crate) fn choose(scalars: &Scalars) -> Vec<Scalar> {
    let live = live(scalars);
    let own: Vec<Scalar> = scalars.nodes.keys().filter(|&s| live[s]).collect();
    if !scalars.fallible.is_empty() {
        return own;
    }
    let roots = roots(scalars);
    let mut youngest_first = roots.clone();
    youngest_first.sort_unstable_by(|a, b| b.cmp(a));
    let mut calls_first: Vec<Scalar> = own.iter().copied().filter(|&s| scalars.nodes[s].is_call()).collect();
    let mut all_roots = vec![roots.clone(), youngest_first];
    if !calls_first.is_empty() {
        calls_first.extend(&roots);
        all_roots.push(calls_first);
    }
    let depth_first = all_roots.into_iter().map(|roots| DepthFirst::new(scalars, &live).run(&roots));
    depth_first.chain([own]).min_by_key(|order| distance(scalars, order)).unwrap_or_default()
}

/// The computed scalars that are results.
fn roots(scalars: &Scalars) -> Vec<Scalar> {
    let computed = |scalar: &Scalar| scalars.nodes[*scalar].is_computed();
    scalars.outputs.iter().map(|output| output.scalar).filter(computed).collect()
}

/// The operations on which a result depends, or that can fail.
fn live(scalars: &Scalars) -> Table<Scalar, bool> {
    let mut live = Table::filled(scalars.nodes.len(), false);
    let mark = |scalar: Scalar, live: &mut Table<Scalar, bool>| {
        live[scalar] |= scalars.nodes[scalar].is_computed();
    };
    for output in &scalars.outputs {
        mark(output.scalar, &mut live);
    }
    for &scalar in &scalars.fallible {
        mark(scalar, &mut live);
    }
    for scalar in scalars.nodes.keys().rev() {
        if live[scalar] {
            for &operand in scalars.nodes[scalar].operands() {
                mark(operand, &mut live);
            }
        }
    }
    live
}

/// How far operands lie behind their uses: nothing within [`WINDOW`], then the logarithm of the number
/// of operations since a value was last touched, as it moves from registers to the stack, to other
/// chunks' workspace and down the caches. A call in between moves it to the stack at once.
fn distance(scalars: &Scalars, order: &[Scalar]) -> u64 {
    let mut touched: Table<Scalar, (u32, u32)> = Table::filled(scalars.nodes.len(), (0, 0));
    let (mut total, mut calls) = (0, 0);
    for (position, &scalar) in order.iter().enumerate() {
        let position = position as u32;
        for &operand in scalars.nodes[scalar].operands() {
            if scalars.nodes[operand].is_computed() {
                let (last, calls_then) = touched[operand];
                let windows = ((position - last) / WINDOW).max(u32::from(calls > calls_then));
                total += u64::from(windows.checked_ilog2().map_or(0, |log| log + 1));
                touched[operand] = (position, calls);
            }
        }
        calls += u32::from(scalars.nodes[scalar].is_call());
        touched[scalar] = (position, calls);
    }
    total
}

/// What the eager rule needs of a value: how many uses are not executed yet, and the exclusive or of
/// these users' numbers, which is the last user once one is left.
#[derive(Clone, Copy, Default)]
struct Pending {
    uses: u32,
    users: u32,
}

struct DepthFirst<'a> {
    scalars: &'a Scalars,
    live: &'a Table<Scalar, bool>,
    pending: Table<Scalar, Pending>,
    done: Table<Scalar, bool>,
    order: Vec<Scalar>,
    /// Executed, but their operands' last users have not been looked at.
    fresh: Vec<Scalar>,
}

impl<'a> DepthFirst<'a> {
    fn new(scalars: &'a Scalars, live: &'a Table<Scalar, bool>) -> Self {
        let len = scalars.nodes.len();
        let mut pending: Table<Scalar, Pending> = Table::filled(len, Pending::default());
        for scalar in scalars.nodes.keys().filter(|&s| live[s]) {
            for operand in scalars.nodes[scalar].distinct_operands() {
                pending[operand].uses += 1;
                pending[operand].users ^= scalar.index() as u32;
            }
        }
        let (done, order, fresh) = (Table::filled(len, false), Vec::new(), Vec::new());
        DepthFirst { scalars, live, pending, done, order, fresh }
    }

    fn run(mut self, roots: &[Scalar]) -> Vec<Scalar> {
        let mut stack = Vec::new();
        for &root in roots {
            stack.push(root);
            while let Some(&scalar) = stack.last() {
                match self.missing_operand(scalar) {
                    Some(operand) => stack.push(operand),
                    None => {
                        stack.pop();
                        self.execute(scalar);
                    }
                }
            }
        }
        self.order
    }

    fn is_pending(&self, scalar: Scalar) -> bool {
        self.live[scalar] && !self.done[scalar]
    }

    fn missing_operand(&self, scalar: Scalar) -> Option<Scalar> {
        if !self.is_pending(scalar) {
            return None;
        }
        self.scalars.nodes[scalar].operands().iter().copied().find(|&operand| self.is_pending(operand))
    }

    /// Executes `scalar`, then whatever the eager rule finds.
    fn execute(&mut self, scalar: Scalar) {
        self.append(scalar);
        while let Some(scalar) = self.fresh.pop() {
            self.append_last_user(scalar);
            for &operand in self.scalars.nodes[scalar].operands() {
                self.append_last_user(operand);
            }
        }
    }

    fn append(&mut self, scalar: Scalar) {
        if !self.is_pending(scalar) {
            return;
        }
        self.done[scalar] = true;
        self.order.push(scalar);
        self.fresh.push(scalar);
        for operand in self.scalars.nodes[scalar].distinct_operands() {
            self.pending[operand].uses -= 1;
            self.pending[operand].users ^= scalar.index() as u32;
        }
    }

    /// Executes the one user that `scalar` has left, if that can be done now.
    fn append_last_user(&mut self, scalar: Scalar) {
        let Pending { uses, users } = self.pending[scalar];
        if uses != 1 || !self.done[scalar] {
            return;
        }
        let user = Scalar::new(users as usize);
        if self.missing_operand(user).is_none() {
            self.append(user);
        }
    }
}
