//! A program as a graph of scalars: arrays are gone, every operation has scalar operands.
//!
//! In comes an operator-free [`Program`], out go nodes in the program's order and the list of the
//! elements of its results. `element` and `pack` cost nothing: an array is the list of its elements'
//! nodes. A primitive on arrays becomes one node an element. Nodes on which no result depends are
//! still here; choosing is left to the order.

use crate::calls::calls_kernel;
use crate::error::CodegenError;
use evolute_ir::{Def, Elem, Entity, Failure, FailureKind, Inst, Literal, Op, Prim, Program, Table, Value};
use std::fmt;

/// One scalar: an element of a parameter, a constant, or the result of an operation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Scalar(u32);

impl Entity for Scalar {
    fn new(index: usize) -> Self {
        Scalar(index as u32)
    }
    fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s{}", self.0)
    }
}

/// Where a scalar comes from.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Source {
    /// An element of a parameter, in place in the caller's memory.
    Input { param: u32, index: u32 },
    /// A constant.
    Constant(Literal),
    /// An operation on the node's operands.
    Compute(Operation),
}

/// What is computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Operation {
    Prim(Prim),
    Cast(Elem),
    Select,
}

/// A scalar and how it comes about.
#[derive(Clone, Copy)]
pub(crate) struct Node {
    pub(crate) source: Source,
    /// The element kind of the scalar itself.
    pub(crate) elem: Elem,
    operands: [Scalar; 3],
    arity: u8,
    /// The number of the check that the operation makes, 0 for none.
    pub(crate) check: u32,
}

impl Node {
    fn leaf(source: Source, elem: Elem) -> Node {
        Node { source, elem, operands: [Scalar(0); 3], arity: 0, check: 0 }
    }

    pub(crate) fn operands(&self) -> &[Scalar] {
        &self.operands[..usize::from(self.arity)]
    }

    /// Whether executing it calls a kernel.
    pub(crate) fn is_call(&self) -> bool {
        matches!(self.source, Source::Compute(Operation::Prim(prim)) if calls_kernel(prim))
            && self.elem.is_real()
    }

    /// The operands without repetition, as in `x * x`.
    pub(crate) fn distinct_operands(&self) -> impl Iterator<Item = Scalar> {
        let operands = self.operands();
        operands.iter().enumerate().filter(|(i, x)| !operands[..*i].contains(x)).map(|(_, &x)| x)
    }

    /// Whether there is an operation to execute.
    pub(crate) fn is_computed(&self) -> bool {
        matches!(self.source, Source::Compute(_))
    }
}

/// An element of a result.
#[derive(Clone, Copy)]
pub(crate) struct Output {
    pub(crate) scalar: Scalar,
    pub(crate) result: u32,
    pub(crate) index: u32,
}

/// A program as a graph of scalars.
pub(crate) struct Scalars {
    pub(crate) nodes: Table<Scalar, Node>,
    pub(crate) outputs: Vec<Output>,
    /// The operations that can fail, by the number of their check less one.
    pub(crate) fallible: Vec<Scalar>,
    pub(crate) checks: Vec<Failure>,
}

/// Where the elements of a value are.
#[derive(Clone, Copy)]
enum Place {
    /// In the caller's memory; they become nodes when they are read.
    Param(u32),
    /// Consecutive nodes.
    Range(Scalar),
    /// A stretch of `Flattener::lists`.
    List(usize),
}

/// The most scalars; so many take some gigabytes.
const LIMIT: usize = 4 * Program::MAX_INSTRUCTIONS;

impl Scalars {
    /// The scalars of `program`.
    pub(crate) fn new(program: &Program) -> Result<Scalars, CodegenError> {
        let mut flattener = Flattener {
            program,
            scalars: Scalars {
                nodes: Table::new(),
                outputs: Vec::new(),
                fallible: Vec::new(),
                checks: Vec::new(),
            },
            places: Table::new(),
            lists: Vec::new(),
        };
        flattener.check_size()?;
        for (value, data) in program.values().iter() {
            let place = match data.def {
                Def::Param(param) => Place::Param(param),
                Def::Result(inst) => flattener.flatten(value, inst),
            };
            flattener.places.push(place);
        }
        flattener.collect_outputs();
        Ok(flattener.scalars)
    }
}

struct Flattener<'a> {
    program: &'a Program,
    scalars: Scalars,
    places: Table<Value, Place>,
    lists: Vec<Scalar>,
}

impl Flattener<'_> {
    fn check_size(&self) -> Result<(), CodegenError> {
        let count = self.program.insts().values().filter(|inst| inst.op.regions().next().is_some()).count();
        if count > 0 || self.program.regions().len() > 1 {
            return Err(CodegenError::OperatorsLeft { count });
        }
        let len = |v: Value| self.program.ty(v).shape.len();
        let scalars = |inst: Inst| match self.program.op(inst) {
            Op::Element(_) | Op::Pack(_) => self.program.operands(inst).len(),
            // An operation for each element, and for each operand that it reads in place.
            _ => len(self.program.result(inst)).saturating_mul(1 + self.program.operands(inst).len()),
        };
        let outputs = self.program.root().results.iter().map(|&v| len(v));
        let total = self.program.insts().keys().map(scalars).chain(outputs).fold(0, usize::saturating_add);
        if total > LIMIT { Err(CodegenError::TooLarge { limit: LIMIT }) } else { Ok(()) }
    }

    fn flatten(&mut self, value: Value, inst: Inst) -> Place {
        let operands = self.program.operands(inst);
        match self.program.op(inst) {
            Op::Const(literal) => {
                Place::Range(self.push(Node::leaf(Source::Constant(literal), literal.elem())))
            }
            Op::Element(index) => Place::Range(self.element(operands[0], index as usize)),
            Op::Pack(_) => {
                let start = self.lists.len();
                for &operand in operands {
                    let scalar = self.element(operand, 0);
                    self.lists.push(scalar);
                }
                Place::List(start)
            }
            // Of a scalar, which every element is.
            Op::View(..) => {
                let start = self.lists.len();
                let scalar = self.element(operands[0], 0);
                self.lists.extend(std::iter::repeat_n(scalar, self.program.ty(value).shape.len()));
                Place::List(start)
            }
            Op::Prim(prim) => self.pointwise(value, Operation::Prim(prim), operands),
            Op::Cast(elem) => self.pointwise(value, Operation::Cast(elem), operands),
            Op::Select => self.pointwise(value, Operation::Select, operands),
            Op::Iota(_)
            | Op::Spread(..)
            | Op::Reduce(..)
            | Op::Dot
            | Op::At
            | Op::AddAt
            | Op::External(_)
            | Op::Call(_)
            | Op::Linalg(_)
            | Op::Loop { .. }
            | Op::Cond { .. }
            | Op::Custom { .. }
            | Op::LinearSolve { .. }
            | Op::Jvp { .. }
            | Op::Vjp { .. } => unreachable!("the program is flat"),
        }
    }

    /// One node an element.
    fn pointwise(&mut self, value: Value, operation: Operation, operands: &[Value]) -> Place {
        let ty = self.program.ty(value);
        let can_fail = matches!(operation, Operation::Prim(prim) if prim.may_fail()) && ty.elem == Elem::I64;
        let scalars: Vec<[Scalar; 3]> = (0..ty.shape.len())
            .map(|i| [0, 1, 2].map(|n| operands.get(n).map_or(Scalar(0), |&v| self.element(v, i))))
            .collect();
        let first = Scalar::new(self.scalars.nodes.len());
        for operands_of in scalars {
            let check = if can_fail { self.add_check(value) } else { 0 };
            let arity = operands.len() as u8;
            let source = Source::Compute(operation);
            self.push(Node { source, elem: ty.elem, operands: operands_of, arity, check });
        }
        Place::Range(first)
    }

    /// The check of the node that comes next.
    fn add_check(&mut self, value: Value) -> u32 {
        self.scalars.fallible.push(Scalar::new(self.scalars.nodes.len()));
        let (kind, loc) = (FailureKind::IntegerDivision, self.program.loc(value).cloned());
        self.scalars.checks.push(Failure { kind, loc });
        self.scalars.fallible.len() as u32
    }

    fn element(&mut self, value: Value, index: usize) -> Scalar {
        match self.places[value] {
            Place::Range(first) => Scalar(first.0 + index as u32),
            Place::List(start) => self.lists[start + index],
            Place::Param(param) => {
                let elem = self.program.ty(value).elem;
                self.push(Node::leaf(Source::Input { param, index: index as u32 }, elem))
            }
        }
    }

    fn push(&mut self, node: Node) -> Scalar {
        self.scalars.nodes.push(node)
    }

    fn collect_outputs(&mut self) {
        for (result, &value) in self.program.root().results.iter().enumerate() {
            for index in 0..self.program.ty(value).shape.len() {
                let scalar = self.element(value, index);
                self.scalars.outputs.push(Output { scalar, result: result as u32, index: index as u32 });
            }
        }
    }
}
