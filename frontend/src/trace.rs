//! The trace under construction: where operations on traced values go.
//!
//! [`record`] runs a closure with a fresh trace on a stack of the current thread. A traced value names its
//! trace by number, so that an operation finds it there; a constant needs none ([`outside`]). Operations do not
//! fail where they stand: the first error is kept with the user's line and returned by `record`, and
//! what comes after it is not inserted any more. No borrow is held while user code runs, so closures may
//! nest and panic: guards close what they opened.

mod integers;
mod loops;
mod outside;
mod region;
pub(crate) mod site;
mod vectors;

use crate::error::TraceError;
use crate::tree::Leaf;
use evolute_ir::{Builder, Elem, IrError, Literal, Loc, Op, Origin, Program, SourceLoc, Type, Value};
use rustc_hash::FxHashMap;
use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::panic::Location;
use std::rc::Rc;

pub(crate) use integers::Affine;
pub(crate) use loops::{LoopBody, Looped, RowView, Term, Turns, leaves_like};
pub(crate) use outside::{Failed, failed, within};
pub(crate) use site::{Site, broadcast, row_major};
pub(crate) use vectors::Layout;

/// What a traced value is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Repr {
    /// A constant's slot.
    Const(u64),
    /// A value of a trace.
    Node { trace: u32, value: Value },
    /// A mistake that no trace could keep. It is one of every trace that it enters.
    Failed(Failed),
}

/// A user's line, as the compiler passes it.
pub(crate) type Caller = &'static Location<'static>;

/// A traced value of any kind.
pub(crate) type Operand = (Repr, Elem);

/// What a trace builds, as errors call it.
pub(crate) const TRACED: &str = "the traced function";

/// How many call sites are remembered without hashing: those of a loop body.
const RECENT: usize = 64;

/// One trace. See the [module](self).
pub(crate) struct Trace {
    id: u32,
    /// The most instructions there may be. The builder keeps it but for constants.
    limit: usize,
    builder: RefCell<Builder>,
    error: RefCell<Option<TraceError>>,
    /// Ids of callers by address; the compiler makes one `Location` a call site.
    locs: RefCell<FxHashMap<usize, Loc>>,
    /// The latest callers, each in the place that its address selects.
    recent: [Cell<(usize, Loc)>; RECENT],
    /// The innermost enclosing combinator's line, for operations called by the standard library.
    enclosing: Cell<Caller>,
    /// What is known of integers.
    integers: RefCell<FxHashMap<Value, integers::Known>>,
    /// The loops whose body is open, the innermost last.
    loops: RefCell<Vec<loops::OpenLoop>>,
    /// What stands for arrays that there are not.
    placeholders: RefCell<FxHashMap<Type, Value>>,
}

thread_local! {
    /// Every operation looks here, so it does without the check that a thread's destructor needs: an empty stack holds
    /// nothing to drop.
    static STACK: ManuallyDrop<RefCell<Vec<Rc<Trace>>>> = const { ManuallyDrop::new(RefCell::new(Vec::new())) };
    static NEXT: Cell<u32> = const { Cell::new(0) };
}

/// Removes the trace from the stack, also when the closure panics.
struct OnStack;

impl Drop for OnStack {
    fn drop(&mut self) {
        STACK.with(|stack| {
            let mut stack = stack.borrow_mut();
            stack.pop();
            if stack.is_empty() {
                *stack = Vec::new();
            }
        });
    }
}

/// Traces `body`, which gets the parameters' values and returns the results'.
pub(crate) fn record(
    caller: Caller,
    limit: usize,
    types: &[Type],
    body: impl FnOnce(&Trace, &[Value]) -> Vec<Operand>,
    pack: impl FnOnce(&Trace, Vec<Value>) -> Vec<Value>,
) -> Result<Program, TraceError> {
    let id = NEXT.replace(NEXT.get().wrapping_add(1));
    let mut builder = Builder::new();
    builder.set_limit(limit);
    let trace = Rc::new(Trace {
        id,
        limit,
        builder: RefCell::new(builder),
        error: RefCell::new(None),
        locs: RefCell::default(),
        recent: [const { Cell::new((0, Loc::UNKNOWN)) }; RECENT],
        enclosing: Cell::new(caller),
        integers: RefCell::default(),
        loops: RefCell::default(),
        placeholders: RefCell::default(),
    });
    trace.at(caller);
    let params: Vec<Value> = types.iter().map(|ty| trace.builder.borrow_mut().param(ty)).collect();
    STACK.with(|stack| stack.borrow_mut().push(trace.clone()));
    let results = {
        let _guard = OnStack;
        let leaves = body(&trace, &params);
        let values = trace.values(&leaves, caller);
        trace.at(caller);
        pack(&trace, values)
    };
    let error = trace.error.take();
    let trace = Rc::into_inner(trace).expect("the stack has let go of the trace");
    if let Some(error) = error {
        return Err(error);
    }
    let program = trace.builder.into_inner().finish(&results);
    program.map_err(|source| TraceError::At { source, at: SourceLoc::of(caller) })
}

/// The innermost trace of this thread.
pub(crate) fn current() -> Option<Rc<Trace>> {
    STACK.with(|stack| stack.borrow().last().cloned())
}

/// Runs `f` on the trace of this number, if it is still being recorded.
#[inline(always)]
fn with<R>(id: u32, f: impl FnOnce(&Trace) -> R) -> Option<R> {
    STACK.with(|stack| {
        let stack = stack.borrow();
        let innermost = stack.last().filter(|trace| trace.id == id);
        innermost.or_else(|| stack.iter().rev().find(|trace| trace.id == id)).map(|trace| f(trace))
    })
}

/// Inserts an operation with a result of kind `elem` into the trace of its operands; on constants, into the
/// innermost one.
pub(crate) fn insert<const N: usize>(op: Op, operands: [Operand; N], elem: Elem, caller: Caller) -> Repr {
    let insert = |trace: &Trace| trace.insert(op, operands, elem, caller);
    match home(&operands) {
        Some(id) => with(id, insert).unwrap_or_else(|| failed(foreign(caller))),
        None => within(caller, |trace| vec![Leaf::new(insert(trace), elem)])[0].operand().0,
    }
}

/// The trace to which operands belong that are not all constants.
#[inline(always)]
fn home(operands: &[Operand]) -> Option<u32> {
    operands.iter().find_map(|(repr, _)| match repr {
        Repr::Node { trace, .. } => Some(*trace),
        Repr::Const(_) | Repr::Failed(_) => None,
    })
}

fn foreign(caller: Caller) -> TraceError {
    TraceError::Foreign { at: SourceLoc::of(caller) }
}

/// Names a value for dumps.
pub(crate) fn name(repr: Repr, name: &str) {
    if let Repr::Node { trace, value } = repr {
        with(trace, |trace| trace.builder.borrow_mut().set_name(value, name));
    }
}

impl Trace {
    pub(crate) fn node(&self, value: Value) -> Repr {
        Repr::Node { trace: self.id, value }
    }

    /// A scalar of this trace.
    pub(crate) fn leaf<'t>(&self, value: Value, elem: Elem) -> Leaf<'t> {
        Leaf::new(self.node(value), elem)
    }

    /// A value of this trace in place of a leaf.
    pub(crate) fn leaf_like<'t>(&self, like: Leaf<'t>, value: Value) -> Leaf<'t> {
        like.replaced(self.node(value))
    }

    /// The type of a value that belongs to this trace, or is a constant.
    pub(crate) fn type_of(&self, (repr, elem): Operand) -> Type {
        match repr {
            Repr::Node { trace, value } if trace == self.id => self.ty(value),
            Repr::Node { .. } | Repr::Const(_) | Repr::Failed(_) => Type::scalar(elem),
        }
    }

    pub(crate) fn ty(&self, value: Value) -> Type {
        self.builder.borrow().program().ty(value).clone()
    }

    /// What is inserted from now on comes from this line.
    #[inline(always)]
    fn at(&self, caller: Caller) {
        let loc = self.loc(caller);
        self.builder.borrow_mut().set_origin(Origin { loc, ..Origin::default() });
    }

    /// The user's line that a caller stands for. A line of the standard library (`Iterator::sum` calls
    /// our `Sum`) says nothing to the user: then it is the enclosing combinator's.
    fn user(&self, caller: Caller) -> Caller {
        if is_std(caller) { self.enclosing.get() } else { caller }
    }

    pub(crate) fn user_line(&self, caller: Caller) -> SourceLoc {
        SourceLoc::of(self.user(caller))
    }

    /// The id of the caller's line. A line of the library is never remembered, since what it stands for
    /// changes.
    #[inline(always)]
    fn loc(&self, caller: Caller) -> Loc {
        self.recent(caller).unwrap_or_else(|| {
            let user = self.user(caller);
            self.recent(user).unwrap_or_else(|| self.remember(user))
        })
    }

    /// The place in `recent` of a caller; locations are a few words apart.
    fn slot(&self, caller: Caller) -> (usize, &Cell<(usize, Loc)>) {
        let address = std::ptr::from_ref(caller).addr();
        (address, &self.recent[(address >> 3) % RECENT])
    }

    fn recent(&self, caller: Caller) -> Option<Loc> {
        let (address, slot) = self.slot(caller);
        let (known, loc) = slot.get();
        (known == address).then_some(loc)
    }

    fn remember(&self, user: Caller) -> Loc {
        let (address, slot) = self.slot(user);
        let known = self.locs.borrow().get(&address).copied();
        let loc = known.unwrap_or_else(|| {
            let loc = self.builder.borrow_mut().add_loc(SourceLoc::of(user));
            self.locs.borrow_mut().insert(address, loc);
            loc
        });
        slot.set((address, loc));
        loc
    }

    /// The value of an operand; a constant enters the program.
    #[inline(always)]
    fn value(&self, operand: Operand, caller: Caller) -> Value {
        match operand.0 {
            Repr::Node { trace, value } if trace == self.id => value,
            Repr::Node { .. } | Repr::Const(_) | Repr::Failed(_) => self.value_made(operand, caller),
        }
    }

    /// The value of an operand that is none of this trace yet.
    fn value_made(&self, (repr, elem): Operand, caller: Caller) -> Value {
        match repr {
            Repr::Const(slot) => self.constant(Literal::from_slot(elem, slot), caller),
            Repr::Node { .. } => self.failed(foreign(self.user(caller)), elem),
            Repr::Failed(failed) => self.failed(failed.error(), elem),
        }
    }

    pub(crate) fn values(&self, operands: &[Operand], caller: Caller) -> Vec<Value> {
        operands.iter().map(|&operand| self.value(operand, caller)).collect()
    }

    /// The builder limits all instructions but constants.
    fn constant(&self, literal: Literal, caller: Caller) -> Value {
        let mut builder = self.builder.borrow_mut();
        let value = builder.constant(literal);
        if builder.program().len() > self.limit {
            self.refuse(IrError::TooLarge { what: TRACED, limit: self.limit }, caller);
        }
        value
    }

    /// Inserts an operation, unless an earlier one failed.
    #[inline(always)]
    fn insert<const N: usize>(&self, op: Op, operands: [Operand; N], elem: Elem, caller: Caller) -> Repr {
        if self.has_failed() {
            return self.node(self.nan(elem));
        }
        let values = operands.map(|operand| self.value(operand, caller));
        self.at(caller);
        let result = self.builder.borrow_mut().insert(op, &values);
        let result = result.unwrap_or_else(|source| {
            self.refuse(source, caller);
            self.nan(elem)
        });
        if elem == Elem::I64 {
            self.learn(op, &operands, result);
        }
        self.node(result)
    }

    /// Whether a mistake has been made.
    #[inline(always)]
    pub(crate) fn has_failed(&self) -> bool {
        self.error.borrow().is_some()
    }

    /// What stands for a scalar that there is not.
    pub(crate) fn nan(&self, elem: Elem) -> Value {
        self.builder.borrow_mut().constant(Literal::from_f64(elem, f64::NAN))
    }

    fn failed(&self, error: TraceError, elem: Elem) -> Value {
        self.fail(error);
        self.nan(elem)
    }

    fn refuse(&self, source: IrError, caller: Caller) {
        self.fail(TraceError::At { source: source.building(TRACED), at: self.user_line(caller) });
    }

    /// Keeps the first error.
    pub(crate) fn fail(&self, error: TraceError) {
        self.error.borrow_mut().get_or_insert(error);
    }

    /// Inserts several instructions with one error handling.
    pub(crate) fn build<R>(
        &self,
        caller: Caller,
        f: impl FnOnce(&mut Builder) -> Result<R, IrError>,
    ) -> Option<R> {
        self.at(caller);
        let result = f(&mut self.builder.borrow_mut());
        result.map_err(|source| self.refuse(source, caller)).ok()
    }
}

/// Whether the line is one of the standard library, as shipped or built from its sources.
fn is_std(caller: Caller) -> bool {
    caller.file().starts_with("/rustc/") || caller.file().contains("rustlib/src/rust")
}

#[cfg(test)]
mod tests {
    use super::*;
    use evolute_ir::Prim;

    #[test]
    fn nothing_is_inserted_past_the_limit() {
        let caller = Location::caller();
        let limit = 10;
        let recorded = record(
            caller,
            limit,
            &[Type::scalar(Elem::F64)],
            |trace, params| {
                let mut x = (trace.node(params[0]), Elem::F64);
                for i in 0..1000 {
                    let constant = (Repr::Const(f64::from(i).to_bits()), Elem::F64);
                    x.0 = insert(Op::Prim(Prim::Add), [x, constant], Elem::F64, caller);
                }
                assert!(trace.builder.borrow().program().len() <= 2 * limit);
                vec![x]
            },
            |_, values| values,
        );
        assert!(recorded.is_err());
    }
}
