//! Functions of a program: what it calls, held once.
//!
//! A [`Callee`] is a program of its own, shared by all who call it. It is complete before anybody can call it, so no
//! function calls itself, however indirectly, and a pass that goes through a program goes through each callee once.

use crate::entity::CalleeId;
use crate::live::fallible_insts;
use crate::op::Op;
use crate::program::Program;
use rustc_hash::{FxHashSet, FxHasher};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

/// A program that others call.
#[derive(Clone)]
pub struct Callee(Arc<Body>);

struct Body {
    program: Program,
    facts: OnceLock<Facts>,
}

/// What is asked of a callee often, found once.
struct Facts {
    /// 1, and 1 more than the deepest of what it calls.
    depth: usize,
    fails: bool,
    hash: u64,
}

impl Callee {
    /// How deep calls may nest. So no pass exhausts a thread's stack.
    pub const MAX_DEPTH: usize = 64;

    /// A program to be called.
    pub fn new(program: Program) -> Callee {
        Callee(Arc::new(Body { program, facts: OnceLock::new() }))
    }

    /// The program.
    pub fn program(&self) -> &Program {
        &self.0.program
    }

    /// The program, moved if nobody else holds it.
    pub fn into_program(self) -> Program {
        Arc::try_unwrap(self.0).map_or_else(|shared| shared.program.clone(), |body| body.program)
    }

    /// How deep its calls nest: 1 if it calls nothing.
    pub fn depth(&self) -> usize {
        self.facts().depth
    }

    /// Whether its evaluation may fail.
    pub fn fails(&self) -> bool {
        self.facts().fails
    }

    /// What tells this callee, while it is held, from all others held.
    pub fn address(&self) -> usize {
        Arc::as_ptr(&self.0) as usize
    }

    fn facts(&self) -> &Facts {
        self.0.facts.get_or_init(|| Facts::of(self.program()))
    }
}

impl Facts {
    fn of(program: &Program) -> Facts {
        let depth = 1 + program.callees().values().map(Callee::depth).max().unwrap_or(0);
        let fails = fallible_insts(program).values().any(|&fails| fails);
        Facts { depth, fails, hash: hash(program) }
    }
}

/// Equal for equal programs.
fn hash(program: &Program) -> u64 {
    let mut hasher = FxHasher::default();
    for data in program.insts().values() {
        // Literals and ids are those of equal tables.
        data.op.hash(&mut hasher);
    }
    program.operands.hash(&mut hasher);
    for region in program.regions().values() {
        region.results.hash(&mut hasher);
    }
    program.callees().values().for_each(|callee| callee.facts().hash.hash(&mut hasher));
    hasher.finish()
}

impl Deref for Callee {
    type Target = Program;

    fn deref(&self) -> &Program {
        self.program()
    }
}

/// As programs compare; a callee is compared with itself at once.
impl PartialEq for Callee {
    fn eq(&self, other: &Callee) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.facts().hash == other.facts().hash && self.program() == other.program())
    }
}

impl Eq for Callee {}

impl fmt::Debug for Callee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.program().fmt(f)
    }
}

impl Program {
    /// All that this program calls, directly or not, each once and after what it calls itself: those of its text.
    pub fn all_callees(&self) -> Vec<&Callee> {
        let (mut all, mut met) = (Vec::new(), FxHashSet::default());
        add_callees(self, &mut all, &mut met);
        all
    }

    /// Whether an instruction of this program, or of what it calls, has an operation of this kind.
    pub fn any_op(&self, is: impl Fn(Op) -> bool) -> bool {
        let here = |program: &Program| program.insts().values().any(|inst| is(inst.op));
        here(self) || self.all_callees().into_iter().any(|callee| here(callee))
    }

    /// The number of instructions, with those of all that is called, once each.
    pub fn total_len(&self) -> usize {
        self.all_callees().into_iter().fold(self.len(), |sum, callee| sum + callee.len())
    }

    /// This program with others in place of those that it calls, in their order.
    ///
    /// # Panics
    /// If their number or signatures are not those of the callees.
    pub fn with_callees(mut self, callees: impl IntoIterator<Item = Callee>) -> Program {
        let callees = crate::entity::Table::<CalleeId, Callee>::from_rows(callees);
        let signature = |callee: &Callee| (callee.param_types(), callee.result_types());
        let same = callees.values().map(signature).eq(self.callees.values().map(signature));
        assert!(same, "a callee in the place of another has its signature");
        self.callees = callees;
        self
    }
}

/// Two that are equal but not the same are one in the text, so they are one here.
fn add_callees<'p>(program: &'p Program, all: &mut Vec<&'p Callee>, met: &mut FxHashSet<usize>) {
    for callee in program.callees().values() {
        if met.insert(callee.address()) {
            add_callees(callee, all, met);
            if !all.contains(&callee) {
                all.push(callee);
            }
        }
    }
}
