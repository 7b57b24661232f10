//! The schedule: what lies between the program and Cranelift's IR, as data.
//!
//! In goes a program; out comes the order of its scalar operations, cut into chunks that become one
//! machine function each, and for every scalar the memory it lives in when a register will not do.
//! Printing it shows all of this.
//!
//! Note [Homes]: a scalar that another chunk needs is stored where it is computed and loaded where it
//! is used. A result's home is the output itself; another scalar's is a workspace slot, given back
//! after the chunk of its last use. So within one chunk a home is either written or read, never both,
//! and its loads may move freely. Inputs and constants have no home: they are loaded from the caller's
//! memory and from the table of constants.

use crate::error::CodegenError;
use crate::options::CodegenOptions;
use crate::order;
use crate::scalars::{Node, Operation, Output, Scalar, Scalars, Source};
use evolute_ir::{Failure, Program, Table};
use std::fmt;
use std::ops::Range;

/// Where a scalar lies in memory between chunks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home {
    /// Nowhere: it never leaves its chunk.
    Register,
    /// A workspace slot of eight bytes.
    Slot(u32),
    /// The element of a result.
    Output { result: u32, index: u32 },
}

/// One thing to do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Execute the operation of a scalar and store it wherever it is wanted.
    Compute(Scalar),
    /// Copy an input or a constant to an output.
    Copy(u32),
}

/// What lies between a program and Cranelift's IR: the order of its scalar operations, cut into chunks
/// that become one machine function each, and the memory of the scalars that leave their chunk.
/// Printing shows all of it: `s7 = mul s3, in0[2] -> slot0` computes scalar 7 from scalar 3 and element
/// 2 of parameter 0, and keeps it in workspace slot 0 for a later chunk.
pub struct Schedule {
    pub(crate) nodes: Table<Scalar, Node>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) checks: Vec<Failure>,
    pub(crate) steps: Vec<Step>,
    pub(crate) homes: Table<Scalar, Home>,
    /// The numbers of each computed scalar's outputs, as a linked list.
    first_output: Table<Scalar, Option<u32>>,
    next_output: Vec<Option<u32>>,
    /// The numbers of parameters and of results.
    pub(crate) params: usize,
    pub(crate) results: usize,
    chunk: usize,
    slots: usize,
}

impl Schedule {
    /// Schedules `program` in time linear in its scalar operations.
    ///
    /// # Errors
    /// If operators are left or the program is too large.
    pub fn new(program: &Program, options: &CodegenOptions) -> Result<Schedule, CodegenError> {
        let scalars = Scalars::new(program)?;
        let order = order::choose(&scalars);
        let Scalars { nodes, outputs, checks, .. } = scalars;
        let mut schedule = Schedule {
            homes: Table::filled(nodes.len(), Home::Register),
            first_output: Table::filled(nodes.len(), None),
            next_output: vec![None; outputs.len()],
            steps: order.into_iter().map(Step::Compute).collect(),
            params: program.root().params.len(),
            results: program.root().results.len(),
            chunk: options.chunk.max(1),
            slots: 0,
            nodes,
            outputs,
            checks,
        };
        schedule.link_outputs();
        schedule.place();
        Ok(schedule)
    }

    /// The number of scalar operations and copies.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Bytes of workspace that a call needs.
    pub fn workspace_bytes(&self) -> usize {
        self.slots * 8
    }

    /// The stretches of steps that become one machine function each; at least one.
    pub(crate) fn chunks(&self) -> impl ExactSizeIterator<Item = Range<usize>> + use<> {
        let (len, chunk) = (self.steps.len(), self.chunk);
        (0..len.div_ceil(chunk).max(1)).map(move |i| i * chunk..((i + 1) * chunk).min(len))
    }

    /// The outputs that a computed scalar is.
    pub(crate) fn outputs_of(&self, scalar: Scalar) -> impl Iterator<Item = Output> {
        let mut next = self.first_output[scalar];
        std::iter::from_fn(move || {
            let number = next? as usize;
            next = self.next_output[number];
            Some(self.outputs[number])
        })
    }

    fn link_outputs(&mut self) {
        for (number, output) in self.outputs.iter().enumerate().rev() {
            if self.nodes[output.scalar].is_computed() {
                self.next_output[number] = self.first_output[output.scalar].replace(number as u32);
            }
        }
        let copied = |&(_, output): &(usize, &Output)| !self.nodes[output.scalar].is_computed();
        let copies = self.outputs.iter().enumerate().filter(copied);
        self.steps.extend(copies.map(|(number, _)| Step::Copy(number as u32)));
    }

    /// Gives every scalar that leaves its chunk a home. See Note [Homes].
    fn place(&mut self) {
        let last_chunk = self.last_chunks();
        let mut free: Vec<u32> = Vec::new();
        let mut returned: Vec<Vec<u32>> = vec![Vec::new(); self.chunks().len()];
        for (chunk, range) in self.chunks().enumerate() {
            for position in range {
                let Step::Compute(scalar) = self.steps[position] else { continue };
                let last = last_chunk[scalar] as usize;
                if last > chunk {
                    self.homes[scalar] = self.home(scalar, &mut free);
                }
                if let Home::Slot(slot) = self.homes[scalar] {
                    returned[last].push(slot);
                }
            }
            free.append(&mut returned[chunk]);
        }
    }

    fn home(&mut self, scalar: Scalar, free: &mut Vec<u32>) -> Home {
        if let Some(number) = self.first_output[scalar] {
            let Output { result, index, .. } = self.outputs[number as usize];
            return Home::Output { result, index };
        }
        Home::Slot(free.pop().unwrap_or_else(|| self.add_slot()))
    }

    fn add_slot(&mut self) -> u32 {
        self.slots += 1;
        self.slots as u32 - 1
    }

    /// The number of the last chunk that uses each scalar.
    fn last_chunks(&self) -> Table<Scalar, u32> {
        let mut last = Table::filled(self.nodes.len(), 0);
        for (chunk, range) in self.chunks().enumerate() {
            for step in &self.steps[range] {
                let Step::Compute(scalar) = *step else { continue };
                for &operand in self.nodes[scalar].operands() {
                    last[operand] = chunk as u32;
                }
            }
        }
        last
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (steps, chunks, slots) = (self.len(), self.chunks().len(), self.slots);
        writeln!(f, "schedule: {steps} steps, {chunks} chunks, {slots} slots")?;
        for (number, range) in self.chunks().enumerate() {
            writeln!(f, "chunk{number}:")?;
            for step in &self.steps[range] {
                match *step {
                    Step::Compute(scalar) => self.fmt_compute(f, scalar)?,
                    Step::Copy(number) => {
                        let Output { scalar, result, index } = self.outputs[number as usize];
                        writeln!(f, "  out{result}[{index}] = {}", Named(self, scalar))?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl Schedule {
    fn fmt_compute(&self, f: &mut fmt::Formatter<'_>, scalar: Scalar) -> fmt::Result {
        let node = &self.nodes[scalar];
        write!(f, "  {scalar} = ")?;
        match node.source {
            Source::Compute(Operation::Prim(prim)) => f.write_str(prim.name())?,
            Source::Compute(Operation::Cast(elem)) => write!(f, "cast<{elem}>")?,
            Source::Compute(Operation::Select) => f.write_str("select")?,
            Source::Input { .. } | Source::Constant(_) => unreachable!("leaves are not computed"),
        }
        for (i, &operand) in node.operands().iter().enumerate() {
            write!(f, "{} {}", if i == 0 { "" } else { "," }, Named(self, operand))?;
        }
        if let Home::Slot(slot) = self.homes[scalar] {
            write!(f, " -> slot{slot}")?;
        }
        for Output { result, index, .. } in self.outputs_of(scalar) {
            write!(f, " -> out{result}[{index}]")?;
        }
        writeln!(f)
    }
}

/// A scalar as operands show it.
struct Named<'a>(&'a Schedule, Scalar);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.nodes[self.1].source {
            Source::Input { param, index } => write!(f, "in{param}[{index}]"),
            Source::Constant(literal) => write!(f, "{literal}"),
            Source::Compute(_) => write!(f, "{}", self.1),
        }
    }
}
