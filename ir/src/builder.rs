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

mod share;
mod structure;
mod views;

use share::Key;

use crate::entity::{Entity, Inst, Level, Loc, Region, StridesId, Table, TypeId, Value};
use crate::error::IrError;
use crate::infer::{self, Inferred, scalar_type};
use crate::op::Op;
use crate::program::{Def, InstData, LevelData, Mode, Origin, Program, RegionData, SourceLoc, ValueData};
use crate::structure::Strides;
use crate::text::MAX_DEPTH;
use crate::types::{Elem, Literal, Type};
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
    /// The youngest instruction chained to a value, and the next older one of an instruction.
    chain_head: Table<Value, Option<Inst>>,
    chain_next: Table<Inst, Option<Inst>>,
    /// The instruction of a hash of region, operation and operands, if sharing is global. Where two
    /// hashes collide the later instruction is not shared.
    global: Option<FxHashMap<u64, Inst>>,
    constants: FxHashMap<(Region, Literal), Value>,
    captures: FxHashMap<(Region, Value), Value>,
    types: FxHashMap<Type, TypeId>,
    strides: FxHashMap<Strides, StridesId>,
    locs: FxHashMap<SourceLoc, Loc>,
    origin: Origin,
    rewriter: Option<Rewriter>,
    rewrites: BTreeMap<&'static str, usize>,
    limit: usize,
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
            chain_head: Table::new(),
            chain_next: Table::new(),
            global: None,
            constants: FxHashMap::default(),
            captures: FxHashMap::default(),
            types,
            strides: FxHashMap::default(),
            locs: FxHashMap::default(),
            origin: Origin::default(),
            rewriter: None,
            rewrites: BTreeMap::new(),
            limit: Program::MAX_INSTRUCTIONS,
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

    /// Refuses programs of more than `limit` instructions, at most [`Program::MAX_INSTRUCTIONS`].
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit.min(Program::MAX_INSTRUCTIONS);
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

    /// The innermost open region.
    pub fn current(&self) -> Region {
        self.open[self.open.len() - 1].region
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
            return Err(IrError::Escaped { value, defined: self.program.loc(value).cloned() });
        };
        let mut inner = value;
        for depth in depth + 1..self.open.len() {
            inner = self.capture(depth, inner);
        }
        Ok(inner)
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

    fn add_value(&mut self, data: ValueData) -> Value {
        self.chain_head.push(None);
        self.program.values.push(data)
    }

    // ── instructions ────────────────────────────────────────────────────────────────────────────

    /// Inserts an instruction with one result.
    ///
    /// # Errors
    /// Operands of the wrong number or type, or of a closed region; a program too large.
    pub fn insert(&mut self, op: Op, operands: &[Value]) -> Result<Value, IrError> {
        match *operands {
            [x] => {
                let x = self.resolve(x)?;
                self.insert_resolved(op, &[x])
            }
            [x, y] => {
                let pair = [self.resolve(x)?, self.resolve(y)?];
                self.insert_resolved(op, &pair)
            }
            [x, y, z] => {
                let triple = [self.resolve(x)?, self.resolve(y)?, self.resolve(z)?];
                self.insert_resolved(op, &triple)
            }
            _ => {
                let operands: Vec<Value> =
                    operands.iter().map(|&v| self.resolve(v)).collect::<Result<_, _>>()?;
                self.insert_resolved(op, &operands)
            }
        }
    }

    fn insert_resolved(&mut self, op: Op, operands: &[Value]) -> Result<Value, IrError> {
        if let Op::Const(literal) = op {
            self.room(0)?;
            return Ok(self.constant_in(self.current(), literal));
        }
        if matches!(op, Op::Pack(_)) && operands.iter().any(|&v| self.program.ty(v).shape.is_empty()) {
            let parts: Vec<Value> =
                operands.iter().copied().filter(|&v| !self.program.ty(v).shape.is_empty()).collect();
            return self.insert_resolved(op, &parts);
        }
        if let Some(value) = self.rewriter.and_then(|rewrite| rewrite(self, op, operands)) {
            return value;
        }
        let ty = match infer::infer(&self.program, op, operands)? {
            Inferred::Known(id) => id,
            Inferred::WithElem(v, elem) => self.with_elem(v, elem),
            Inferred::New(ty) => self.intern(&ty),
        };
        if let Some(value) = self.fold(op, operands) {
            return Ok(value);
        }
        let region = self.current();
        let key = self.key(region, op, operands);
        if let Some(value) = self.find(&key, op, operands) {
            self.lower_level(value);
            return Ok(value);
        }
        let inst = self.push_inst(region, op, operands, &[ty])?;
        match (key, &mut self.global) {
            (Key::Hash(hash), Some(global)) => drop(global.entry(hash).or_insert(inst)),
            (Key::Chain(youngest), _) => {
                self.chain_next[inst] = self.chain_head[youngest].replace(inst);
            }
            (Key::Hash(_) | Key::None, _) => {}
        }
        Ok(self.program.result(inst))
    }

    /// A scalar constant.
    pub fn constant(&mut self, literal: Literal) -> Value {
        self.constant_in(self.current(), literal)
    }

    fn constant_in(&mut self, region: Region, literal: Literal) -> Value {
        if let Some(&value) = self.constants.get(&(region, literal)) {
            return value;
        }
        let origin = std::mem::take(&mut self.origin);
        let ty = scalar_type(literal.elem());
        let inst = self.push(region, Op::Const(literal), &[], &[ty]);
        self.origin = origin;
        let value = self.program.result(inst);
        self.constants.insert((region, literal), value);
        value
    }

    fn with_elem(&mut self, like: Value, elem: Elem) -> TypeId {
        let ty = self.program.ty(like);
        if ty.is_scalar() {
            return scalar_type(elem);
        }
        let ty = Type { elem, shape: ty.shape.clone() };
        self.intern(&ty)
    }

    fn push_inst(
        &mut self,
        region: Region,
        op: Op,
        operands: &[Value],
        types: &[TypeId],
    ) -> Result<Inst, IrError> {
        self.room(operands.len())?;
        Ok(self.push(region, op, operands, types))
    }

    /// Whether one more instruction of so many operands may be inserted.
    fn room(&self, operands: usize) -> Result<(), IrError> {
        let fits = self.program.operands.len() + operands < u32::MAX as usize / 2;
        match fits && self.program.insts.len() < self.limit {
            true => Ok(()),
            false => Err(IrError::TooLarge { limit: self.limit }),
        }
    }

    fn push(&mut self, region: Region, op: Op, operands: &[Value], types: &[TypeId]) -> Inst {
        let first_operand = self.program.operands.len() as u32;
        self.program.operands.extend_from_slice(operands);
        let inst = Inst::new(self.program.insts.len());
        let first_result = Value::new(self.program.values.len());
        for &ty in types {
            self.add_value(ValueData { ty, region, def: Def::Result(inst), origin: self.origin });
        }
        self.program.insts.push(InstData {
            op,
            first_operand,
            operand_count: operands.len() as u32,
            first_result,
            result_count: types.len() as u32,
        });
        self.chain_next.push(None);
        self.program.regions[region].insts.push(inst);
        inst
    }
}
