//! Builds programs: every insertion is typed, hash-consed and folded.
//!
//! Inserting an instruction that the region already holds gives the existing value, so tracing is
//! common-subexpression elimination. Candidates are found without a hash table: each instruction is
//! chained to its youngest operand, and a search walks at most [`CHAIN_LIMIT`] links. A constant
//! expression folds to a constant, `select` on a constant to its arm, `element` of a `pack` to the
//! element; these change no bit.
//!
//! Regions are isolated: they read only their own parameters and results. A value of an enclosing
//! region is captured when it is used, as a further parameter of every region in between; a value of
//! a region that is no longer open is refused ([`IrError::Escaped`]).

mod insert;
mod share;
mod structure;
mod views;

use crate::callee::Callee;
use crate::entity::{CalleeId, Level, Loc, Region, StridesId, Table, TypeId, Value};
use crate::error::{Closure, IrError};
use crate::op::Op;
use crate::program::{Def, LevelData, Limit, Mode, Origin, Program, RegionData, SourceLoc, ValueData};
use crate::structure::Strides;
use crate::text::MAX_DEPTH;
use crate::types::{Literal, Type};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many candidates a search for an equal instruction compares.
pub const CHAIN_LIMIT: usize = 16;

/// Offered each instruction before it is inserted, with its operands resolved: gives the value to use
/// instead, or `None` to have the instruction inserted as it is. It may insert instructions itself, which
/// are offered to it in turn.
pub type Rewriter = fn(&mut Builder, Op, &[Value]) -> Option<Result<Value, IrError>>;

/// Builds one [`Program`]. See the [module](self).
#[derive(Debug)]
pub struct Builder {
    program: Program,
    open: Vec<OpenRegion>,
    links: Table<Value, Links>,
    /// The result of the instruction of a hash of region, operation and operands, if sharing is global. Where
    /// two hashes collide the later instruction is not shared.
    global: Option<FxHashMap<u64, Value>>,
    constants: FxHashMap<(Region, Literal), Value>,
    captures: FxHashMap<(Region, Value), Value>,
    types: FxHashMap<Type, TypeId>,
    strides: FxHashMap<Strides, StridesId>,
    locs: FxHashMap<SourceLoc, Loc>,
    /// The functions met, by their addresses, and what keeps these.
    callees: FxHashMap<usize, CalleeId>,
    held: Vec<Callee>,
    origin: Origin,
    rewriter: Option<Rewriter>,
    /// Whether stacks may be past the limit of an array.
    long_stacks: bool,
    rewrites: BTreeMap<&'static str, usize>,
}

/// A value's place in the chains by which equal instructions are found. The first result of an instruction that may be
/// shared stands for it.
#[derive(Clone, Copy, Debug, Default)]
struct Links {
    /// The youngest of those chained to this value.
    youngest: Option<Value>,
    /// The next older one chained where this one is.
    older: Option<Value>,
}

#[derive(Debug)]
struct OpenRegion {
    region: Region,
    /// The enclosing region's values that became parameters.
    captured: Vec<Value>,
}

/// A region whose body is complete, and the values of the enclosing region that it captured: its last
/// parameters, in this order. It is the body of one operator, so it cannot be cloned.
#[derive(Debug)]
pub struct ClosedRegion {
    region: Region,
    captured: Vec<Value>,
}

impl ClosedRegion {
    /// The values that it captured.
    pub fn captured(&self) -> &[Value] {
        &self.captured
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// A builder of a program without parameters yet.
    pub fn new() -> Builder {
        let program = Program::empty();
        let types = program.types.iter().map(|(id, ty)| (ty.clone(), id)).collect();
        Builder {
            program,
            open: vec![OpenRegion { region: Program::ROOT, captured: Vec::new() }],
            links: Table::new(),
            global: None,
            constants: FxHashMap::default(),
            captures: FxHashMap::default(),
            types,
            strides: FxHashMap::default(),
            locs: FxHashMap::default(),
            callees: FxHashMap::default(),
            held: Vec::new(),
            origin: Origin::default(),
            rewriter: None,
            long_stacks: false,
            rewrites: BTreeMap::new(),
        }
    }

    /// A builder that shares every repeated instruction, at the price of a hash table: global value
    /// numbering.
    pub fn sharing_globally() -> Builder {
        Builder { global: Some(FxHashMap::default()), ..Builder::new() }
    }

    /// Offers every instruction inserted from now on to `rewriter`.
    pub fn set_rewriter(&mut self, rewriter: Rewriter) {
        self.rewriter = Some(rewriter);
    }

    /// Counts an application of the rewrite of this name.
    pub fn note_rewrite(&mut self, name: &'static str) {
        *self.rewrites.entry(name).or_insert(0) += 1;
    }

    /// How often each rewrite has been noted; the counts start again.
    pub fn take_rewrites(&mut self) -> BTreeMap<&'static str, usize> {
        std::mem::take(&mut self.rewrites)
    }

    /// Refuses programs of more than `limit` instructions, at most [`Program::MAX_INSTRUCTIONS`]. What is made of the
    /// program has the same limit.
    pub fn set_limit(&mut self, limit: usize) {
        self.program.limit = Limit(limit.min(Program::MAX_INSTRUCTIONS));
    }

    /// Allows loops whose stacks are past the limit of an array, for a pass that removes them again: the program is not
    /// valid before.
    pub fn allow_long_stacks(&mut self) {
        self.long_stacks = true;
    }

    /// What has been built so far.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The program with these results.
    ///
    /// # Errors
    /// A result that belongs to a closed region.
    pub fn finish(mut self, results: &[Value]) -> Result<Program, IrError> {
        self.set_results(results)?;
        Ok(crate::copy::compact(self.program))
    }

    /// As [`Builder::finish`], without the instructions on which no result depends.
    ///
    /// # Errors
    /// As [`Builder::finish`].
    pub fn finish_live(mut self, results: &[Value]) -> Result<Program, IrError> {
        self.set_results(results)?;
        Ok(crate::copy::into_live(self.program))
    }

    fn set_results(&mut self, results: &[Value]) -> Result<(), IrError> {
        let results = results.iter().map(|&v| self.resolve(v)).collect::<Result<_, _>>()?;
        self.program.regions[Program::ROOT].results = results;
        Ok(())
    }

    // ── provenance ──────────────────────────────────────────────────────────────────────────────

    /// What the values inserted from now on come from.
    pub fn set_origin(&mut self, origin: Origin) {
        self.origin = origin;
    }

    /// What values inserted now come from.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Says where `value` comes from: of several results each may have an origin of its own.
    pub fn set_origin_of(&mut self, value: Value, origin: Origin) {
        self.program.values[value].origin = origin;
    }

    /// The id of a place in the user's source.
    pub fn add_loc(&mut self, loc: SourceLoc) -> Loc {
        if let Some(&id) = self.locs.get(&loc) {
            return id;
        }
        let id = self.program.locs.push(Some(loc.clone()));
        self.locs.insert(loc, id);
        id
    }

    /// Registers an application of a derivative operator.
    pub fn add_level(&mut self, mode: Mode, loc: Loc) -> Level {
        self.program.levels.push(LevelData { mode: Some(mode), loc })
    }

    /// Gives `value` a name for dumps.
    pub fn set_name(&mut self, value: Value, name: &str) {
        self.program.names.insert(value, Arc::from(name));
    }

    /// The id of a type.
    pub fn intern(&mut self, ty: &Type) -> TypeId {
        if let Some(&id) = self.types.get(ty) {
            return id;
        }
        let id = self.program.types.push(ty.clone());
        self.types.insert(ty.clone(), id);
        id
    }

    // ── regions ─────────────────────────────────────────────────────────────────────────────────

    /// Adds a parameter to the innermost open region, before what that region has captured.
    pub fn param(&mut self, ty: &Type) -> Value {
        let id = self.intern(ty);
        let OpenRegion { region, ref captured } = self.open[self.open.len() - 1];
        let captured = captured.len();
        let value = self.add_param(region, id, self.origin);
        let params = &mut self.program.regions[region].params;
        let own = params.len() - 1 - captured;
        params[own..].rotate_right(1);
        for (index, &param) in params.iter().enumerate().skip(own) {
            self.program.values[param].def = Def::Param(index as u32);
        }
        value
    }

    /// Opens a region within the innermost open one; parameters and instructions go to it until it
    /// is closed.
    pub fn open_region(&mut self) -> Region {
        let region = self.program.regions.push(RegionData::default());
        self.open.push(OpenRegion { region, captured: Vec::new() });
        region
    }

    /// Closes the innermost region, with these results.
    ///
    /// # Errors
    /// A result that belongs to a region closed earlier, or more than [`MAX_DEPTH`] regions nested. The
    /// region is closed all the same.
    ///
    /// # Panics
    /// If only the root is open.
    pub fn close_region(&mut self, results: &[Value]) -> Result<ClosedRegion, IrError> {
        assert!(self.open.len() > 1, "the root region is closed by `finish`");
        let results: Result<Vec<Value>, IrError> = results.iter().map(|&v| self.resolve(v)).collect();
        let depth = self.open.len();
        let OpenRegion { region, captured } = self.open.pop().expect("a region is open");
        self.program.regions[region].results = results?;
        if depth > MAX_DEPTH {
            return Err(IrError::TooDeep { limit: MAX_DEPTH });
        }
        Ok(ClosedRegion { region, captured })
    }

    /// The region of what `body` builds, with the results that it gives. An error leaves none open.
    ///
    /// # Errors
    /// That of `body`, or as [`close_region`](Builder::close_region).
    pub fn in_region(
        &mut self,
        body: impl FnOnce(&mut Builder) -> Result<Vec<Value>, IrError>,
    ) -> Result<ClosedRegion, IrError> {
        self.open_region();
        let results = body(self);
        let closed = self.close_region(results.as_deref().unwrap_or_default());
        results?;
        closed
    }

    /// The innermost open region.
    pub fn current(&self) -> Region {
        self.open[self.open.len() - 1].region
    }

    /// How many regions an open one is nested in.
    pub fn depth(&self, region: Region) -> Option<usize> {
        self.open.iter().position(|open| open.region == region)
    }

    /// Builds in an open region that encloses the innermost one.
    ///
    /// # Panics
    /// If the region is not open, or `body` leaves a region open.
    pub fn within<R>(&mut self, region: Region, body: impl FnOnce(&mut Builder) -> R) -> R {
        let depth = self.depth(region).expect("the region is open");
        let mut inner = self.open.split_off(depth + 1);
        let result = body(self);
        assert_eq!(self.open.len(), depth + 1, "what is opened is closed");
        self.open.append(&mut inner);
        result
    }

    /// `value` as the innermost open region sees it: itself, or the parameter that captures it.
    ///
    /// # Errors
    /// [`IrError::Escaped`] if its region is closed.
    pub fn resolve(&mut self, value: Value) -> Result<Value, IrError> {
        let home = self.program.values[value].region;
        if home == self.current() {
            return Ok(value);
        }
        let Some(depth) = self.open.iter().position(|open| open.region == home) else {
            return Err(self.escaped(value));
        };
        let mut inner = value;
        for depth in depth + 1..self.open.len() {
            inner = self.capture(depth, inner);
        }
        Ok(inner)
    }

    #[cold]
    fn escaped(&self, value: Value) -> IrError {
        let home = self.program.values[value].region;
        let mut nested = self.program.insts.values().filter_map(|inst| inst.op.nested());
        let owner = nested.find(|(_, regions)| regions.contains(&Some(home)));
        let closure = owner.map_or(Closure::Sibling, |(closure, _)| closure);
        IrError::Escaped { value, closure, defined: self.program.loc(value).cloned() }
    }

    /// `outer`, of the region open just outside `depth`, as a parameter there; a constant is repeated.
    fn capture(&mut self, depth: usize, outer: Value) -> Value {
        let region = self.open[depth].region;
        if let Some(literal) = self.program.as_const(outer) {
            return self.constant_in(region, literal);
        }
        if let Some(&inner) = self.captures.get(&(region, outer)) {
            return inner;
        }
        let ValueData { ty, origin, .. } = self.program.values[outer];
        let inner = self.add_param(region, ty, origin);
        self.captures.insert((region, outer), inner);
        self.open[depth].captured.push(outer);
        inner
    }

    pub(super) fn add_param(&mut self, region: Region, ty: TypeId, origin: Origin) -> Value {
        let index = self.program.regions[region].params.len() as u32;
        let value = self.add_value(ValueData { ty, region, def: Def::Param(index), origin });
        self.program.regions[region].params.push(value);
        value
    }

    #[inline(always)]
    fn add_value(&mut self, data: ValueData) -> Value {
        self.links.push(Links::default());
        self.program.values.push(data)
    }
}
