//! Insertion of operations with regions: derivative operators, loops, conditionals, what has a derivative of its own; and
//! of calls.

use super::{Builder, ClosedRegion};
use crate::callee::Callee;
use crate::entity::{CalleeId, ExternalId, Region, StridesId, TypeId, Value};
use crate::error::IrError;
use crate::external::External;
use crate::infer;
use crate::op::Op;
use crate::program::{Def, Mode, Program};
use crate::signature::signature;
use crate::solver::Solver;
use crate::structure::{LoopSpec, Strides, Trips};

impl Builder {
    /// The id of strides.
    pub fn strides(&mut self, strides: &Strides) -> StridesId {
        if let Some(&id) = self.strides.get(strides) {
            return id;
        }
        let id = self.program.strides.push(strides.clone());
        self.strides.insert(strides.clone(), id);
        id
    }

    /// The id of a function of the user's. Another one of the same name is renamed, so that a text tells them apart.
    pub fn external(&mut self, external: &External) -> ExternalId {
        let externals = &self.program.externals;
        if let Some((id, _)) = externals.iter().find(|(_, known)| known.is_same(external)) {
            return id;
        }
        let taken = |name: &str| externals.values().any(|known| known.name() == name);
        let names = (2u32..).map(|number| format!("{}_{number}", external.name()));
        let other = match taken(external.name()) {
            true => names.into_iter().find(|name| !taken(name)),
            false => None,
        };
        let external = other.map_or_else(|| external.clone(), |name| external.renamed(name));
        self.program.externals.push(external)
    }

    /// The id of a function to be called. Equal functions have one.
    pub fn callee(&mut self, callee: &Callee) -> CalleeId {
        if let Some(&id) = self.callees.get(&callee.address()) {
            return id;
        }
        let equal = self.program.callees.iter().find(|(_, known)| *known == callee);
        let id = equal.map(|(id, _)| id).unwrap_or_else(|| self.program.callees.push(callee.clone()));
        self.callees.insert(callee.address(), id);
        // What is held keeps its address.
        self.held.push(callee.clone());
        id
    }

    /// Inserts a call, unless it is there already: the function's results on `operands`.
    ///
    /// # Errors
    /// Operands that do not fit the function's parameters; a function whose own calls nest as deep as they may.
    pub fn call(&mut self, callee: &Callee, operands: &[Value]) -> Result<Vec<Value>, IrError> {
        if callee.depth() > Callee::MAX_DEPTH {
            return Err(IrError::CallsTooDeep { limit: Callee::MAX_DEPTH });
        }
        let operands = operands.iter().map(|&v| self.resolve(v)).collect::<Result<Vec<_>, _>>()?;
        let op = Op::Call(self.callee(callee));
        let (region, signature) = (self.current(), signature(&self.program, op)?);
        signature.expect(&self.program, op, &operands)?;
        let key = self.key(region, op, &operands);
        if let Some(first) = self.find(&key, op, &operands) {
            let inst = self.program.def_inst(first).expect("a call is an instruction");
            return Ok(self.program.results(inst).collect());
        }
        let types: Vec<TypeId> = signature.results.iter().map(|ty| self.intern(ty)).collect();
        let inst = self.push_inst(region, op, &operands, &types)?;
        let results: Vec<Value> = self.program.results(inst).collect();
        if let Some(&first) = results.first() {
            self.share(key, first);
        }
        Ok(results)
    }

    /// Inserts a derivative operator on a closed region: its results are the region's, then the
    /// tangents of these (`Forward`) or the cotangents of the first `inputs.len()` parameters
    /// (`Reverse`).
    ///
    /// # Errors
    /// Inputs or seeds that do not fit the region: the first that does not, or how many there should be. A region with results that are not real.
    pub fn operator(
        &mut self,
        mode: Mode,
        body: ClosedRegion,
        inputs: &[Value],
        seeds: &[Value],
    ) -> Result<Vec<Value>, IrError> {
        let ClosedRegion { region, captured } = body;
        let wrt = inputs.len() as u32;
        let op = match mode {
            Mode::Forward => Op::Jvp { region, wrt },
            Mode::Reverse => Op::Vjp { region, wrt },
        };
        let expected = match mode {
            Mode::Forward => inputs.len(),
            Mode::Reverse => self.program.regions[region].results.len(),
        };
        if seeds.len() != expected {
            return Err(infer::mismatch(op, format!("{expected} seeds"), seeds.len()));
        }
        self.insert_with_regions(op, &[inputs, seeds, &captured].concat())
    }

    /// Inserts a loop; `operands` are its own, as [`LoopSpec`] lists them, without the captures.
    ///
    /// # Errors
    /// Regions that do not fit the specification, operands that do not fit the regions.
    pub fn looping(
        &mut self,
        spec: LoopSpec,
        condition: Option<ClosedRegion>,
        mut body: ClosedRegion,
        operands: &[Value],
    ) -> Result<Vec<Value>, IrError> {
        debug_assert_eq!(condition.is_some(), matches!(spec.trips, Trips::While(_)));
        let condition = condition.map(|mut condition| {
            self.share_captures(&mut condition, &mut body);
            condition.region
        });
        let id = self.program.loops.push(spec);
        let op = Op::Loop { body: body.region, condition, spec: id };
        let mut results = self.insert_with_regions(op, &[operands, &body.captured].concat())?;
        self.share_stacks(spec, body.region, &mut results);
        Ok(results)
    }

    /// Inserts a conditional: the results of `yes` or of `no`, which take the sums given as their
    /// parameters and give them as their last results.
    ///
    /// # Errors
    /// A condition that is not a `bool`, or regions that differ in their results.
    pub fn conditional(
        &mut self,
        condition: Value,
        mut yes: ClosedRegion,
        mut no: ClosedRegion,
        sums: &[Value],
    ) -> Result<Vec<Value>, IrError> {
        self.share_captures(&mut yes, &mut no);
        let op = Op::Cond { yes: yes.region, no: no.region, sums: sums.len() as u32 };
        self.insert_with_regions(op, &[&[condition], sums, &yes.captured].concat())
    }

    /// Inserts a function with a derivative of its own, on `operands` and what the regions capture; see [`Op::Custom`].
    ///
    /// # Errors
    /// Operands that do not fit the regions, or a rule that does not fit the primal region.
    pub fn custom(
        &mut self,
        mut primal: ClosedRegion,
        mut rule: ClosedRegion,
        operands: &[Value],
    ) -> Result<Vec<Value>, IrError> {
        self.share_captures(&mut rule, &mut primal);
        let op = Op::Custom { primal: primal.region, rule: rule.region };
        self.insert_with_regions(op, &[operands, &primal.captured].concat())
    }

    /// Inserts the solution of a linear system with the right-hand side `b`; see [`Op::LinearSolve`].
    ///
    /// # Errors
    /// A matrix that does not map vectors like `b` to such vectors; an inverse that does not, or that the method does not
    /// take or lacks.
    pub fn linear_solve(
        &mut self,
        solver: Solver,
        mut matrix: ClosedRegion,
        inverse: Option<ClosedRegion>,
        b: Value,
    ) -> Result<Value, IrError> {
        let inverse = inverse.map(|mut inverse| {
            self.share_captures(&mut matrix, &mut inverse);
            inverse.region
        });
        let solver = self.program.solvers.push(solver);
        let op = Op::LinearSolve { matrix: matrix.region, inverse, solver };
        let solution = self.insert_with_regions(op, &[&[b], &matrix.captured[..]].concat())?;
        Ok(solution[0])
    }

    /// A closed region as a program of its own, and the values that it captured: the program's last parameters.
    ///
    /// It costs the size of all that has been built.
    pub fn detach(&self, closed: ClosedRegion) -> (Program, Vec<Value>) {
        (self.program_of(&closed), closed.captured)
    }

    /// A closed region as a program of its own, whose last parameters are what it captured, at the same cost.
    pub fn program_of(&self, closed: &ClosedRegion) -> Program {
        crate::copy::of_region(&self.program, closed.region)
    }

    /// Gives both regions the captures of either, in one order.
    fn share_captures(&mut self, first: &mut ClosedRegion, second: &mut ClosedRegion) {
        let mut all = first.captured.clone();
        all.extend(second.captured.iter().filter(|v| !first.captured.contains(v)));
        for closed in [first, second] {
            let params = &self.program.regions[closed.region].params;
            let own = params.len() - closed.captured.len();
            let mut params = params.clone();
            let known: Vec<Value> = params.split_off(own);
            for &outer in &all {
                let place = closed.captured.iter().position(|&v| v == outer);
                params.push(place.map_or_else(|| self.capture_late(closed.region, outer), |i| known[i]));
            }
            for (index, &param) in params.iter().enumerate().skip(own) {
                self.program.values[param].def = Def::Param(index as u32);
            }
            self.program.regions[closed.region].params = params;
            closed.captured.clone_from(&all);
        }
    }

    /// A parameter that a closed region does not use.
    fn capture_late(&mut self, region: Region, outer: Value) -> Value {
        let data = &self.program.values[outer];
        let (ty, origin) = (data.ty, data.origin);
        let value = self.add_param(region, ty, origin);
        self.program.regions[region].params.pop();
        value
    }

    fn insert_with_regions(&mut self, op: Op, operands: &[Value]) -> Result<Vec<Value>, IrError> {
        let operands = operands.iter().map(|&v| self.resolve(v)).collect::<Result<Vec<_>, _>>()?;
        let signature = signature(&self.program, op)?;
        signature.expect(&self.program, op, &operands)?;
        if !self.long_stacks && signature.results.iter().any(|ty| ty.shape.is_past_limit()) {
            return Err(infer::too_large());
        }
        let types: Vec<TypeId> = signature.results.iter().map(|ty| self.intern(ty)).collect();
        let inst = self.push_inst(self.current(), op, &operands, &types)?;
        Ok(self.program.results(inst).collect())
    }
}
