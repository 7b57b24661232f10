//! The plan: what lies between a structured program and Cranelift's IR, as data.
//!
//! In goes a program with arrays, loops or conditionals; out come the steps of each region, in which arrays
//! are gone: there are scalars, memories, and loop nests ([`Nest`]) that move elements from memory to memory.
//! Printing it shows all of it. A nest that is a product of matrices may be a call of a kernel instead
//! ([`Multiplication`]).
//!
//! Note [Arrays]: an array value is one of six things ([`Form`]). It lies in memory, whole or strided: a
//! view of memory costs nothing. It is in registers, if it is small (Note \[Registers\] in `registers`). It is one
//! scalar repeated, or affine in its index. Or it is an expression
//! computed where its only use needs the elements. What is computed and used otherwise gets a memory:
//! the place where it is wanted at last (a result, a row of a stack, a part of a `pack`) if that is free
//! already, else a stretch of the workspace.
//!
//! Note [In place]: an operation that replaces an array (`add_at`, a carry, a sum, a pointwise
//! operation) takes over its operand's memory if the operand is not read afterwards, neither itself nor
//! through views or expressions, and nobody outside its region knows it. So a sum is accumulated in place
//! through any number of nested loops, and a carry needs a second memory only where its next value is
//! computed while the present one is still read.
//!
//! Note [Lifetimes]: time is counted over the steps in order. A memory of the workspace lives from the
//! step that first writes it to the last that reads it, through whatever name, and shares its place with
//! memories of other times. What a loop takes from outside lives to the loop's end.

mod access;
mod arrays;
mod blocks;
mod crossing;
mod external;
mod flat;
mod function;
mod indices;
mod linalg;
mod looping;
mod memory;
mod nest;
mod outline;
mod print;
mod product;
mod region;
mod registers;
mod sums;
mod usage;
mod wide;
mod wide_nest;

pub(crate) use access::count;
pub(crate) use blocks::KernelCall;
pub(crate) use crossing::Crossing;
pub(crate) use flat::is_flat;
pub(crate) use function::FunctionCall;
pub(crate) use memory::{Home, Mem, Memory};
pub(crate) use nest::{Node, Sink, UNROLLED};
pub(crate) use product::Multiplication;
pub(crate) use wide::WideLoop;
pub(crate) use wide_nest::{WideNest, node_elem};

use crate::error::CodegenError;
use crate::options::CodegenOptions;
use crate::scalars::Operation;
use crate::units::{Called, Units};
use evolute_ir::{
    CalleeId, Elem, External, ExternalId, Failure, Literal, LoopSpec, Program, Strides, SumOrder, Table,
    Value,
};
use evolute_kernels::Dense;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

/// Elements in memory: a memory, and where in it they lie.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Access {
    pub(crate) mem: Mem,
    pub(crate) at: Strides,
}

/// What a value is. See Note \[Arrays\].
#[derive(Clone, Debug)]
pub(crate) enum Form {
    /// Not met yet, or dead.
    None,
    /// A scalar, in a register: this value, which may be another one's.
    Scalar(Value),
    /// An array in memory.
    Memory(Access),
    /// An array in registers: its elements.
    Elements(Rc<[Value]>),
    /// An array whose elements are all this scalar.
    Splat(Value),
    /// An array of integers, each affine in its index.
    Index(Strides),
    /// Computed where it is used, of so many operations.
    Inline(usize),
}

/// One thing to do.
#[derive(Debug)]
pub(crate) enum Step {
    /// An operation on scalars.
    Compute { value: Value, operation: Operation, operands: Vec<Value>, check: u32 },
    /// A constant that the program does not name.
    Constant { value: Value, literal: Literal },
    /// Reads a scalar. Without a memory, as of an array without elements, it is never reached.
    Load { value: Value, from: Access },
    /// Writes a scalar.
    Store { value: Value, to: Access },
    /// An integer affine in others.
    Affine { value: Value, offset: i64, terms: Vec<(Value, i64)> },
    /// Checks indices against extents.
    Check { indices: Vec<(Value, u32)>, check: u32 },
    /// A memory within another, some elements from its start, or as many times an integer.
    Part { mem: Mem, of: Mem, offset: i64, terms: Vec<(Value, i64)> },
    /// A loop nest.
    Nest(Nest),
    /// A kernel's block form.
    Kernel(KernelCall),
    /// A product of matrices.
    Product(Box<Multiplication>),
    /// A function of dense linear algebra.
    Library(Library),
    /// A loop.
    Loop(Box<Loop>),
    /// A conditional.
    Choice(Box<Choice>),
    /// A call of a function of the user's, on elements that lie one after the other.
    External { function: ExternalId, operands: Vec<Access>, to: Access, check: u32 },
    /// A call of a function of the program's.
    Function(FunctionCall),
    /// The steps of a piece, which are a function of their own.
    Call(u32),
}

/// A loop nest without dependences but those of its sink: for each index of `extents`, in row-major order,
/// the last node goes to its sink.
#[derive(Debug)]
pub(crate) struct Nest {
    pub(crate) extents: Vec<u32>,
    /// How many of the last axes are reduced.
    pub(crate) reduced: usize,
    /// Each after those it uses.
    pub(crate) nodes: Vec<Node>,
    pub(crate) sink: Sink,
    pub(crate) to: To,
    pub(crate) wide: Option<WideNest>,
}

/// Where the elements of a nest go to.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum To {
    /// Strides along reduced axes are 0.
    Memory(Access),
    /// The one element that is left is this scalar.
    Scalar(Value),
    /// Each is the scalar at its place in this list.
    Elements(Rc<[Value]>, Strides),
}

/// A call of a function of dense linear algebra, whose memories are row-major and apart from each other.
#[derive(Debug)]
pub(crate) struct Library {
    pub(crate) function: Dense,
    pub(crate) operands: Vec<Access>,
    pub(crate) to: Mem,
    pub(crate) scratch: Mem,
    pub(crate) extents: [usize; 2],
}

/// A loop.
#[derive(Debug)]
pub(crate) struct Loop {
    pub(crate) spec: LoopSpec,
    /// The number of iterations, of a counted loop.
    pub(crate) count: Option<Value>,
    pub(crate) check: u32,
    /// The number of iterations made, of a `while`.
    pub(crate) made: Option<Value>,
    pub(crate) number: Value,
    /// Whether to go on, of a `while`.
    pub(crate) condition: Option<(Vec<Step>, Value)>,
    pub(crate) scalars: Vec<Carried>,
    pub(crate) pairs: Vec<Pair>,
    pub(crate) lanes: Vec<Lanes>,
    pub(crate) body: Vec<Step>,
    /// Stacks, and their rows' numbers of elements, of which the rows not given are zeros.
    pub(crate) tails: Vec<(Mem, usize)>,
    /// The numbers of the memories that were made for the body.
    pub(crate) private: Range<usize>,
    pub(crate) wide: Option<WideLoop>,
}

/// A scalar that an iteration passes to the next: a carry, or a sum with one lane.
#[derive(Debug)]
pub(crate) struct Carried {
    pub(crate) initial: Value,
    pub(crate) param: Value,
    pub(crate) next: Value,
    pub(crate) result: Value,
}

/// An array carry with two memories: an iteration reads one and writes the other.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) present: Mem,
    pub(crate) next: Mem,
    /// Where the initial value lies, and the final one if the number of iterations may be even.
    pub(crate) even: Mem,
    pub(crate) odd: Mem,
    /// How many iterations there are, if that is known; else the final value is moved to `even`.
    pub(crate) trips: Option<u32>,
}

/// A sum of a loop in lanes, in segments, or in both.
#[derive(Debug)]
pub(crate) struct Lanes {
    pub(crate) order: SumOrder,
    /// All lanes of the segment at hand. Without lanes, the memory of all segments but the first.
    pub(crate) all: Mem,
    /// What the iteration at hand adds to: its lane; without lanes `all`, or the sum itself.
    pub(crate) lane: Mem,
    /// What the segments before have summed, of lanes in segments.
    pub(crate) before: Option<Mem>,
    pub(crate) elements: usize,
    pub(crate) to: LaneKind,
}

/// What the sum becomes at last.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LaneKind {
    Scalar(Value),
    Array { to: Mem },
}

/// A conditional.
#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) condition: Value,
    /// What is done if it holds, and if it does not.
    pub(crate) branches: [Vec<Step>; 2],
    /// Scalar results and what they are in each branch.
    pub(crate) scalars: Vec<(Value, [Value; 2])>,
}

/// What lies between a structured program and Cranelift's IR: memories and their places in the workspace,
/// and steps over scalars and memories. Printing shows all of it.
pub struct Plan {
    pub(crate) mems: Table<Mem, Memory>,
    pub(crate) steps: Vec<Step>,
    /// Steps that are functions of their own.
    pub(crate) pieces: Vec<Vec<Step>>,
    /// The workspace's slots of eight bytes, from this byte on, for what crosses between functions.
    pub(crate) slots: HashMap<Crossing, u32>,
    pub(crate) first_slot: usize,
    /// The most arguments and results of a function that is called.
    pub(crate) most_addresses: u32,
    pub(crate) constants: Table<Value, Option<Literal>>,
    /// Of every value.
    pub(crate) elems: Table<Value, Elem>,
    pub(crate) checks: Vec<Failure>,
    pub(crate) externals: Table<ExternalId, External>,
    workspace_bytes: usize,
    /// About how many instructions it becomes.
    weight: usize,
}

/// The most bytes of workspace: 1 TiB of addresses. Memory is had of the system as a call writes to it, so that loops may
/// reserve for many more iterations than they make.
const MAX_WORKSPACE: usize = 1 << 40;

/// What a scalar operation weighs, for chunks of so many of them.
const WEIGHT: usize = 2;

impl Plan {
    /// Plans `program`.
    ///
    /// # Errors
    /// If derivative operators are left, or arrays need too much memory.
    pub fn new(program: &Program, options: &CodegenOptions) -> Result<Plan, CodegenError> {
        let called = Units::of_callees(program, options)?.called(program);
        Plan::calling(program, options, &called)
    }

    /// Plans a program that calls these functions.
    pub(crate) fn calling(
        program: &Program,
        options: &CodegenOptions,
        called: &Table<CalleeId, Called>,
    ) -> Result<Plan, CodegenError> {
        let count =
            program.insts().values().filter(|inst| inst.op.is_derivative() || inst.op.is_implicit()).count();
        if count > 0 {
            return Err(CodegenError::OperatorsLeft { count });
        }
        let mut planner = region::Planner::new(program, called);
        let mut steps = planner.program();
        let fresh = &planner.fresh;
        let constants = program.values().keys().map(|value| program.as_const(value));
        let constants = Table::from_rows(constants.chain(fresh.iter().map(|_| None)));
        let elems = program.values().keys().map(|value| program.ty(value).elem);
        let elems = Table::from_rows(elems.chain(fresh.iter().copied()));
        let limit = options.chunk.saturating_mul(WEIGHT);
        if options.vectors {
            wide::widen(&mut steps, &mut planner.mems, &elems, limit);
        }
        let first_slot = memory::place(&mut planner.mems);
        let weight = steps.iter().map(Step::weight).sum();
        let mut pieces = Vec::new();
        let steps = outline::outline(steps, limit, &mut pieces);
        let (slots, count) = match pieces.is_empty() {
            true => (HashMap::new(), 0),
            false => crossing::slots(&steps, &pieces, &planner.mems, &constants),
        };
        let workspace_bytes = first_slot + count * size_of::<u64>();
        if workspace_bytes > MAX_WORKSPACE {
            return Err(CodegenError::Workspace { bytes: workspace_bytes, limit: MAX_WORKSPACE });
        }
        Ok(Plan {
            workspace_bytes,
            mems: planner.mems,
            checks: planner.checks,
            externals: program.externals().clone(),
            steps,
            pieces,
            slots,
            first_slot,
            most_addresses: function::most_addresses(program),
            constants,
            elems,
            weight,
        })
    }

    /// About how many scalar operations the code is made of.
    pub(crate) fn operations(&self) -> usize {
        self.weight / WEIGHT
    }

    /// Bytes of workspace that a call needs.
    pub fn workspace_bytes(&self) -> usize {
        self.workspace_bytes
    }
}

impl Loop {
    /// The number of iterations after which a segment of some sum ends. Those of the others are multiples of it.
    pub(crate) fn segment(&self) -> Option<u32> {
        self.lanes.iter().filter_map(|lanes| lanes.order.segment).min()
    }
}

impl Step {
    /// About how many instructions it becomes.
    pub(crate) fn weight(&self) -> usize {
        let sum = |steps: &[Step]| steps.iter().map(Step::weight).sum::<usize>();
        match self {
            Step::Compute { .. } | Step::Constant { .. } | Step::Load { .. } | Step::Store { .. } => 2,
            Step::Affine { terms, .. } | Step::Part { terms, .. } => 1 + 2 * terms.len(),
            Step::Check { indices, .. } => 3 * indices.len(),
            Step::Nest(nest) => nest.weight(),
            Step::Loop(looping) => {
                let condition = looping.condition.as_ref().map_or(0, |(steps, _)| sum(steps));
                let lanes =
                    looping.lanes.iter().map(|lanes| if lanes.order.segment.is_some() { 60 } else { 20 });
                let copies = looping.wide.as_ref().map_or(1, |wide| 1 + wide.copies);
                20 + copies * sum(&looping.body) + condition + lanes.sum::<usize>() + 10 * looping.pairs.len()
            }
            Step::Call(_) => 4,
            Step::Function(FunctionCall { operands, results, .. }) => {
                24 + 2 * (operands.len() + results.len())
            }
            Step::External { operands, .. } => 8 + 4 * operands.len(),
            Step::Kernel(_) => 12,
            Step::Product(_) => 32,
            Step::Library(library) => 8 + library.operands.len(),
            Step::Choice(choice) => 4 + sum(&choice.branches[0]) + sum(&choice.branches[1]),
        }
    }
}
