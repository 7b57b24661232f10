//! Loops in a trace: how their bodies are opened and closed, whatever the user's face of them.
//!
//! The body runs once, on the iteration number. What it gives decides the rest: the sums' parameters are made
//! when the terms' types are known. What it reads of an outer array at an affine index becomes one of the loop's
//! rows, over one `view` of that array, so iterations stay independent when the loop is differentiated. An index that
//! is affine in the numbers of several loops makes rows of rows.

use super::{Operand, Site, Trace};
use crate::error::TraceError;
use crate::tree::Leaf;
use evolute_ir::{Checkpoint, ClosedRegion, Elem, LoopSpec, Op, Region, Trips, Type, Value};
use rustc_hash::FxHashMap;

/// How often a loop runs, and in which order.
#[derive(Clone, Copy)]
pub(crate) struct Turns {
    pub(crate) trips: Trips,
    /// The traced integer that says so.
    pub(crate) count: Option<Value>,
    /// From the last iteration number to 0.
    pub(crate) reverse: bool,
    /// What reverse mode stores.
    pub(crate) checkpoint: Option<Checkpoint>,
}

impl Turns {
    fn of(trips: Trips) -> Turns {
        Turns { trips, count: None, reverse: false, checkpoint: None }
    }

    pub(crate) fn fixed(n: u32) -> Turns {
        Turns::of(Trips::Fixed(n))
    }

    /// At most `cap` times.
    pub(crate) fn counted(count: Value, cap: u32) -> Turns {
        Turns { count: Some(count), ..Turns::of(Trips::Counted(cap)) }
    }

    /// As long as a condition holds, at most `cap` times.
    pub(crate) fn at_most(cap: u32) -> Turns {
        Turns::of(Trips::While(cap))
    }

    fn cap(self) -> u32 {
        self.trips.cap()
    }

    fn spec(self) -> LoopSpec {
        LoopSpec { reverse: self.reverse, checkpoint: self.checkpoint, ..LoopSpec::new(self.trips) }
    }
}

/// What an iteration gives.
#[derive(Default)]
pub(crate) struct LoopBody {
    pub(crate) carries: Vec<Operand>,
    pub(crate) stacks: Vec<Operand>,
    pub(crate) sums: Vec<Term>,
}

/// What an iteration adds to a sum.
pub(crate) struct Term {
    /// What the sum starts from, or zeros of the term's type.
    pub(crate) start: Option<Value>,
    pub(crate) term: Operand,
    /// The indices to add it at.
    pub(crate) at: Vec<Value>,
}

/// The results of a loop.
#[derive(Default)]
pub(crate) struct Looped {
    pub(crate) carries: Vec<Value>,
    pub(crate) stacks: Vec<Value>,
    pub(crate) sums: Vec<Value>,
}

/// A loop whose body is open.
pub(super) struct OpenLoop {
    region: Region,
    /// The iteration number.
    index: Value,
    cap: u32,
    rows: Vec<Row>,
    /// The parameters of the rows that are viewed, by array and view.
    viewed: FxHashMap<(Value, RowView), Value>,
}

/// A row that a body reads.
struct Row {
    array: Value,
    view: Option<RowView>,
}

/// The array of a loop's rows in terms of an outer array: how it is viewed, without the axis of rows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RowView {
    pub(crate) offset: i64,
    /// What an iteration adds to the flat index.
    pub(crate) step: i64,
    pub(crate) extents: Vec<usize>,
    pub(crate) strides: Vec<i64>,
}

impl Trace {
    /// The iteration numbers of the open loops within which `x` stays what it is, the outermost first, and the most
    /// iterations of each.
    pub(crate) fn loops_within(&self, x: Value) -> Vec<(Value, u32)> {
        let builder = self.builder.borrow();
        let Some(home) = builder.depth(builder.program().value(x).region) else { return Vec::new() };
        let inner = |open: &&OpenLoop| builder.depth(open.region).is_some_and(|depth| depth > home);
        self.loops.borrow().iter().filter(inner).map(|open| (open.index, open.cap)).collect()
    }
}

impl Site<'_> {
    /// Row `i` of a view of an array, in iteration `i` of the loop with this iteration number.
    pub(crate) fn row(&self, index: Value, array: Value, view: RowView) -> Value {
        let ty = self.ty(self.elem(array), &view.extents);
        let mut loops = self.trace.loops.borrow_mut();
        let open = loops.iter_mut().find(|open| open.index == index).expect("the loop is open");
        let key = (array, view);
        if let Some(&param) = open.viewed.get(&key) {
            return param;
        }
        self.trace.at(self.caller);
        let param = self.trace.builder.borrow_mut().within(open.region, |builder| builder.param(&ty));
        open.rows.push(Row { array, view: Some(key.1.clone()) });
        open.viewed.insert(key, param);
        param
    }

    /// Runs a loop over `rows` with these initial carries. The body gets the iteration number, the carries and
    /// the rows.
    pub(crate) fn looped(
        &self,
        turns: Turns,
        start: &[Value],
        rows: &[Value],
        body: impl FnOnce(Value, &[Value], &[Value]) -> LoopBody,
    ) -> Looped {
        let cap = turns.cap();
        let carries: Vec<Type> = start.iter().map(|&v| self.trace.ty(v)).collect();
        let types: Vec<Type> = [Type::scalar(Elem::I64)]
            .into_iter()
            .chain(carries.iter().cloned())
            .chain(rows.iter().map(|&x| self.ty(self.elem(x), &self.extents(x)[1..])))
            .collect();
        let mut closing = Closing::default();
        let region = self.trace.region(self.caller, &types, |params| {
            let (own, given) = params[1..].split_at(start.len());
            let open = rows.iter().map(|&array| Row { array, view: None });
            let depth = self.open_loop(cap, open.collect(), params[0]);
            let results = body(params[0], own, given);
            let results = self.checked(results, &carries, own);
            closing = self.close(results, depth);
            closing.results.clone()
        });
        self.applied(turns, start, region, closing)
    }

    fn open_loop(&self, cap: u32, rows: Vec<Row>, index: Value) -> usize {
        self.trace.learn_index(index, cap);
        let region = self.trace.builder.borrow().current();
        let mut loops = self.trace.loops.borrow_mut();
        loops.push(OpenLoop { region, index, cap, rows, viewed: FxHashMap::default() });
        loops.len() - 1
    }

    /// The body's results, with its own carries where those that it gives do not fit.
    fn checked(&self, results: LoopBody, carries: &[Type], own: &[Value]) -> LoopBody {
        let found: Vec<Type> = results.carries.iter().map(|&x| self.trace.type_of(x)).collect();
        if found == carries {
            return results;
        }
        let at = self.trace.user_line(self.caller);
        let (expected, found) = (listed(carries), listed(&found));
        self.trace.fail(TraceError::Carry { expected, found, at });
        let carries = own.iter().zip(carries).map(|(&v, ty)| (self.trace.node(v), ty.elem)).collect();
        LoopBody { carries, ..results }
    }

    /// Adds the terms to the sums; a panic in an inner loop's body may have left that open.
    fn close(&self, results: LoopBody, depth: usize) -> Closing {
        let open = self.trace.loops.borrow_mut().drain(depth..).next().expect("the loop is open");
        let LoopBody { mut carries, stacks, sums } = results;
        let counts = [carries.len(), open.rows.len(), sums.len()];
        let (stacked, mut starts) = (types_of(self.trace, &stacks), Vec::new());
        carries.extend(stacks);
        for Term { start, term, at } in sums {
            let value = self.trace.value(term, self.caller);
            let ty = start.map_or_else(|| self.trace.ty(value), |start| self.trace.ty(start));
            self.trace.at(self.caller);
            let sum = self.trace.builder.borrow_mut().param(&ty);
            let sum = self.insert(Op::AddAt, &[&[sum, value], &at[..]].concat(), &ty);
            carries.push((self.trace.node(sum), ty.elem));
            starts.push((start, ty));
        }
        Closing { results: carries, rows: open.rows, counts, stacked, starts }
    }

    fn applied(
        &self,
        turns: Turns,
        start: &[Value],
        region: Option<ClosedRegion>,
        closing: Closing,
    ) -> Looped {
        let cap = turns.cap();
        let [carries, rows, sums] = closing.counts.map(|count| count as u32);
        // Without carries there is nothing to store, and sums keep their order.
        let checkpoint = turns.checkpoint.filter(|_| carries > 0);
        let spec = LoopSpec { carries, rows, sums, ordered: carries > 0, checkpoint, ..turns.spec() };
        let mut operands: Vec<Value> = turns.count.into_iter().collect();
        operands.extend(start);
        operands.extend(closing.rows.iter().map(|row| self.array_of_rows(row, cap)));
        let mut types: Vec<Type> = start.iter().map(|&v| self.trace.ty(v)).collect();
        types.extend(closing.stacked.iter().map(|row| self.stack(row, cap)));
        for (start, ty) in &closing.starts {
            operands.push(start.unwrap_or_else(|| self.full(ty, 0.0)));
            types.push(ty.clone());
        }
        let looped = |region| self.trace.build(self.caller, |b| b.looping(spec, None, region, &operands));
        let results = region.and_then(looped);
        let results = results.unwrap_or_else(|| types.iter().map(|ty| self.trace.placeholder(ty)).collect());
        let (carries, rest) = results.split_at(start.len());
        let (stacks, sums) = rest.split_at(closing.stacked.len());
        Looped { carries: carries.into(), stacks: stacks.into(), sums: sums.into() }
    }

    fn array_of_rows(&self, row: &Row, cap: u32) -> Value {
        let Some(RowView { offset, step, extents, strides }) = &row.view else { return row.array };
        let extents = [&[cap as usize], &extents[..]].concat();
        self.view(row.array, &extents, *offset, &[&[*step], &strides[..]].concat())
    }

    /// The type of so many rows.
    fn stack(&self, row: &Type, cap: u32) -> Type {
        let extents = row.shape.extents().iter().map(|&extent| extent as usize);
        self.ty(row.elem, &std::iter::once(cap as usize).chain(extents).collect::<Vec<_>>())
    }

    /// A loop that runs as long as `go` holds: its carries.
    pub(crate) fn while_loop(
        &self,
        turns: Turns,
        start: &[Value],
        go: impl FnOnce(&[Value]) -> Operand,
        step: impl FnOnce(&[Value]) -> Vec<Operand>,
    ) -> Vec<Value> {
        let carries: Vec<Type> = start.iter().map(|&v| self.trace.ty(v)).collect();
        let types = [&[Type::scalar(Elem::I64)], &carries[..]].concat();
        let condition = self.trace.region(self.caller, &types, |params| vec![go(&params[1..])]);
        let body = self.trace.region(self.caller, &types, |params| {
            let results = LoopBody { carries: step(&params[1..]), ..LoopBody::default() };
            self.checked(results, &carries, &params[1..]).carries
        });
        let spec = LoopSpec { carries: start.len() as u32, ..turns.spec() };
        let results = condition.zip(body).and_then(|(condition, body)| {
            self.trace.build(self.caller, |builder| builder.looping(spec, Some(condition), body, start))
        });
        match results {
            Some(results) => results[1..].to_vec(),
            None => carries.iter().map(|ty| self.trace.placeholder(ty)).collect(),
        }
    }

    /// What one of two closures gives, which must give values of the same types.
    pub(crate) fn conditional(
        &self,
        condition: Value,
        yes: impl FnOnce() -> Vec<Operand>,
        no: impl FnOnce() -> Vec<Operand>,
    ) -> Vec<Value> {
        let mut types = [Vec::new(), Vec::new()];
        let yes = self.trace.region(self.caller, &[], |_| given(self.trace, yes(), &mut types[0]));
        let no = self.trace.region(self.caller, &[], |_| given(self.trace, no(), &mut types[1]));
        if types[0] != types[1] {
            let at = self.trace.user_line(self.caller);
            let [yes, no] = types.each_ref().map(|types| listed(types));
            self.trace.fail(TraceError::Branches { yes, no, at });
        }
        let results = yes.zip(no).and_then(|(yes, no)| {
            self.trace.build(self.caller, |builder| builder.conditional(condition, yes, no, &[]))
        });
        results.unwrap_or_else(|| types[0].iter().map(|ty| self.trace.placeholder(ty)).collect())
    }
}

/// What is needed of a body after it is closed.
#[derive(Default)]
struct Closing {
    results: Vec<Operand>,
    rows: Vec<Row>,
    /// Of carries, rows and sums.
    counts: [usize; 3],
    /// The types of what is stacked.
    stacked: Vec<Type>,
    /// What sums start from, and their types.
    starts: Vec<(Option<Value>, Type)>,
}

fn types_of(trace: &Trace, operands: &[Operand]) -> Vec<Type> {
    operands.iter().map(|&x| trace.type_of(x)).collect()
}

fn given(trace: &Trace, operands: Vec<Operand>, types: &mut Vec<Type>) -> Vec<Operand> {
    *types = types_of(trace, &operands);
    operands
}

/// `(f64, f64[3])`.
fn listed(types: &[Type]) -> String {
    format!("({})", types.iter().map(Type::to_string).collect::<Vec<_>>().join(", "))
}

/// The leaves of these values, which are like `like`.
pub(crate) fn leaves_like<'t>(trace: &Trace, like: &[Leaf<'t>], values: &[Value]) -> Vec<Leaf<'t>> {
    like.iter().zip(values).map(|(&leaf, &value)| trace.leaf_like(leaf, value)).collect()
}
