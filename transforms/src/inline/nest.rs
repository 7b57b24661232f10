//! A loop as a nest of loops, for reverse mode to store fewer carries.
//!
//! The loop's iterations in their order are those of the nest in theirs, and each computes what it did: no bit changes,
//! in no derivative, since what reverse mode sums over the iterations of a loop with carries is ordered. Where the
//! nest has room for more iterations than there are, its inner loops are counted, and arrays of rows are filled
//! up with zeros. A `while` becomes a nest of such, each of which asks the same condition.

use super::{Copy, Operators};
use crate::checkpoint::{Stored, arrays, nest};
use evolute_ir::{
    Builder, Checkpoint, ClosedRegion, Elem, Inst, IrError, Literal, LoopSpec, Mode, Op, Prim, Region, Shape,
    Strides, Trips, Type, Value,
};

/// The loop that becomes a nest.
struct Loop<'a> {
    inst: Inst,
    spec: LoopSpec,
    body: Region,
    condition: Option<Region>,
    /// What it captures, in the new program.
    captured: &'a [Value],
    /// The numbers of iterations of the nest.
    extents: &'a [u32],
}

/// The iterations of one loop of the nest.
#[derive(Clone, Copy)]
struct Part {
    /// Which loop it is, from outside.
    depth: usize,
    /// The number of the first iteration, if it is not 0.
    first: Option<Value>,
    /// How many iterations there are, if they may not fill the loop.
    count: Option<Value>,
}

impl Loop<'_> {
    /// How many iterations an iteration of the loop at `depth` stands for.
    fn step(&self, depth: usize) -> i64 {
        self.extents[depth + 1..].iter().map(|&k| i64::from(k)).product()
    }

    fn is_last(&self, depth: usize) -> bool {
        depth + 1 == self.extents.len()
    }

    /// Whether the loop at `depth` counts the iterations of a `while` in a carry of its own.
    fn counts(&self, depth: usize) -> bool {
        self.condition.is_some() && !self.is_last(depth)
    }

    /// Whether the nest has as many iterations as the loop.
    fn is_exact(&self) -> bool {
        self.step(0) * i64::from(self.extents[0]) == i64::from(self.spec.trips.cap())
    }

    /// What the loop at `depth` is.
    fn spec_at(&self, depth: usize) -> LoopSpec {
        let extent = self.extents[depth];
        let trips = match self.spec.trips {
            Trips::Fixed(_) if depth == 0 || self.is_exact() => Trips::Fixed(extent),
            Trips::Fixed(_) | Trips::Counted(_) => Trips::Counted(extent),
            Trips::While(_) => Trips::While(extent),
        };
        let carries = self.spec.carries + u32::from(self.counts(depth));
        LoopSpec { trips, carries, checkpoint: None, ..self.spec }
    }
}

impl Copy<'_> {
    /// The numbers of iterations of the nest that a loop becomes, if it is cut.
    pub(super) fn checkpoints(&self, inst: Inst, spec: LoopSpec) -> Result<Option<Vec<u32>>, IrError> {
        let (Operators::Remove(_, within), Some(checkpoint)) = (&self.operators, spec.checkpoint) else {
            return Ok(None);
        };
        if spec.carries == 0 || !within.contains(&Mode::Reverse) {
            return Ok(None);
        }
        let operands = &self.from.operands(inst)[spec.first_carry_operand()..];
        let bytes = |&v: &Value| (self.from.ty(v).shape.len() * self.from.ty(v).elem.size()) as u64;
        let carries = operands[..spec.carries as usize].iter().map(bytes).collect();
        let stored = Stored { carries, arrays: arrays(within) };
        match (nest(spec.trips.cap(), checkpoint, &stored), checkpoint) {
            (Ok(extents), _) => Ok((extents.len() > 1).then_some(extents)),
            (Err(needed), Checkpoint::Memory(budget)) => {
                let loc = self.from.results(inst).next().and_then(|v| self.from.loc(v).cloned());
                Err(IrError::Checkpoint { budget, needed, loc })
            }
            (Err(_), Checkpoint::Sqrt | Checkpoint::Segments(_)) => unreachable!("they have no budget"),
        }
    }

    /// The results of a loop as a nest of these extents.
    pub(super) fn checkpointed(
        &mut self,
        builder: &mut Builder,
        inst: Inst,
        extents: &[u32],
        operands: &[Value],
    ) -> Result<Vec<Value>, IrError> {
        let Op::Loop { body, condition, spec } = self.from.op(inst) else { unreachable!("it is a loop") };
        let spec = self.from.loop_spec(spec);
        let (own, captured) = operands.split_at(spec.own_operands());
        let nest = Loop { inst, spec, body, condition, captured, extents };
        let (count, own) = own.split_at(spec.first_carry_operand());
        let [carries, rows] = [spec.carries, spec.rows].map(|count| count as usize);
        let mut own = own.to_vec();
        for array in &mut own[carries..carries + rows] {
            *array = filled(builder, &nest, *array)?;
        }
        let count = self.count(builder, &nest, count)?;
        let results = self.level(builder, &nest, Part { depth: 0, first: None, count }, &own)?;
        let (given, sums) = results.split_at(results.len() - spec.sums as usize);
        let stacked = self.from.region(body).results.len() - (spec.carries + spec.sums) as usize;
        let (carried, stacks) = given.split_at(given.len() - stacked);
        let mut all = match condition {
            // Before the carries stands the number of segments, behind them that of iterations.
            Some(_) => [&carried[carries + 1..], &carried[1..=carries]].concat(),
            None => carried.to_vec(),
        };
        for &stack in stacks {
            all.push(flattened(builder, &nest, stack)?);
        }
        all.extend_from_slice(sums);
        Ok(all)
    }

    /// How many iterations there are, if they may not fill the nest.
    fn count(
        &self,
        builder: &mut Builder,
        nest: &Loop<'_>,
        count: &[Value],
    ) -> Result<Option<Value>, IrError> {
        let cap = builder.constant(Literal::I64(i64::from(nest.spec.trips.cap())));
        match *count {
            [count] => in_range(builder, count, cap).map(Some),
            _ => Ok((!nest.is_exact()).then_some(cap)),
        }
    }

    /// One loop of the nest with those in it; `own` are its carries but for the counter, its rows and sums.
    fn level(
        &mut self,
        builder: &mut Builder,
        nest: &Loop<'_>,
        part: Part,
        own: &[Value],
    ) -> Result<Vec<Value>, IrError> {
        let spec = nest.spec_at(part.depth);
        let condition = match nest.condition {
            Some(region) => Some(self.condition(builder, nest, region, part)?),
            None => None,
        };
        let body = self.body(builder, nest, part)?;
        self.originate(builder, nest);
        let mut operands = own.to_vec();
        if nest.counts(part.depth) {
            let zero = builder.constant(Literal::I64(0));
            operands.insert(nest.spec.carries as usize, zero);
        }
        if let (Trips::Counted(_), Some(count)) = (spec.trips, part.count) {
            operands.insert(0, rounded_up(builder, count, nest.step(part.depth))?);
        }
        builder.looping(spec, condition, body, &operands)
    }

    /// What is inserted from now on comes from where the loop does.
    fn originate(&self, builder: &mut Builder, nest: &Loop<'_>) {
        let first = self.from.results(nest.inst).next();
        let origin = first.map(|result| self.provenance.map(self.from, result, &self.values));
        builder.set_origin(origin.unwrap_or_default());
    }

    fn body(&mut self, builder: &mut Builder, nest: &Loop<'_>, part: Part) -> Result<ClosedRegion, IrError> {
        builder.in_region(|builder| {
            let index = self.param(builder, self.from.region(nest.body).params[0], &[]);
            let (own, counter) = self.own_params(builder, nest, part.depth);
            self.originate(builder, nest);
            let first = number(builder, nest, part, index)?;
            if nest.is_last(part.depth) {
                let args = [&[first], &own[..], nest.captured].concat();
                return self.region(builder, nest.body, &args);
            }
            let count = match part.count {
                Some(count) => Some(remaining(builder, nest, part.depth, count, index)?),
                None => None,
            };
            let inner = Part { depth: part.depth + 1, first: Some(first), count };
            let mut results = self.level(builder, nest, inner, &own)?;
            if let Some(counter) = counter {
                let carries = nest.spec.carries as usize;
                let number = results.remove(0);
                let made = if nest.is_last(inner.depth) { number } else { results.remove(carries) };
                results.insert(carries, builder.insert(Op::Prim(Prim::Add), &[counter, made])?);
            }
            Ok(results)
        })
    }

    /// Whether to go on with the iteration of the `while` that an iteration of one of the nest's loops begins with. An
    /// inner loop ends with its segment, whatever the condition says.
    fn condition(
        &mut self,
        builder: &mut Builder,
        nest: &Loop<'_>,
        region: Region,
        part: Part,
    ) -> Result<ClosedRegion, IrError> {
        self.forget(region);
        builder.in_region(|builder| {
            let params = &self.from.region(region).params[..=nest.spec.carries as usize];
            let own: Vec<Value> = params.iter().map(|&param| self.param(builder, param, &[])).collect();
            self.counter(builder, nest, part.depth);
            self.originate(builder, nest);
            let first = number(builder, nest, part, own[0])?;
            let args = [&[first], &own[1..], nest.captured].concat();
            let holds = self.region(builder, region, &args)?[0];
            if part.depth == 0 {
                return Ok(vec![holds]);
            }
            self.originate(builder, nest);
            let limit = match part.count {
                Some(count) => rounded_up(builder, count, nest.step(part.depth))?,
                None => builder.constant(Literal::I64(i64::from(nest.extents[part.depth]))),
            };
            let inside = builder.insert(Op::Prim(Prim::Lt), &[own[0], limit])?;
            Ok(vec![builder.insert(Op::Prim(Prim::And), &[inside, holds])?])
        })
    }

    /// Nothing of a region is copied yet: it is copied once for each loop of the nest.
    fn forget(&mut self, region: Region) {
        for &inst in &self.from.region(region).insts {
            self.from.results(inst).for_each(|v| self.values[v] = None);
            self.from.op(inst).regions().for_each(|nested| self.forget(nested));
        }
    }

    /// Parameters for the loop's own at this depth, and the counter's, which stands behind the carries.
    fn own_params(
        &mut self,
        builder: &mut Builder,
        nest: &Loop<'_>,
        depth: usize,
    ) -> (Vec<Value>, Option<Value>) {
        let [carries, rows] = [nest.spec.carries, nest.spec.rows].map(|count| count as usize);
        let params = &self.from.region(nest.body).params[1..nest.spec.own_params()];
        let (first, rest) = params.split_at(carries);
        let mut own: Vec<Value> = first.iter().map(|&param| self.param(builder, param, &[])).collect();
        let counter = self.counter(builder, nest, depth);
        for (k, &param) in rest.iter().enumerate() {
            let axes = if k < rows { &nest.extents[depth + 1..] } else { &[] };
            own.push(self.param(builder, param, axes));
        }
        (own, counter)
    }

    fn counter(&self, builder: &mut Builder, nest: &Loop<'_>, depth: usize) -> Option<Value> {
        self.originate(builder, nest);
        nest.counts(depth).then(|| builder.param(&Type::scalar(Elem::I64)))
    }

    /// A parameter like this one, with further axes before its own.
    fn param(&mut self, builder: &mut Builder, param: Value, axes: &[u32]) -> Value {
        builder.set_origin(self.provenance.map(self.from, param, &self.values));
        let ty = with_axes(self.from.ty(param), axes).expect("no larger than the array that it is a row of");
        let copy = builder.param(&ty);
        self.provenance.copy_name(builder, self.from, param, copy);
        copy
    }
}

// ── rows and stacks ─────────────────────────────────────────────────────────────────────────────

/// The type with further axes before its own.
fn with_axes(ty: &Type, axes: &[u32]) -> Option<Type> {
    let extents: Vec<usize> = axes.iter().chain(ty.shape.extents()).map(|&e| e as usize).collect();
    Type::array(ty.elem, &extents)
}

/// The type without its first axes.
fn without_axes(ty: &Type, axes: usize) -> Type {
    let extents: Vec<usize> = ty.shape.extents()[axes..].iter().map(|&e| e as usize).collect();
    Type::array(ty.elem, &extents).expect("no larger than the array")
}

fn too_large() -> IrError {
    IrError::Array { limit: Shape::MAX_ELEMENTS }
}

/// An array of rows as one with an axis for each loop of the nest; the rows that it lacks are zeros.
fn filled(builder: &mut Builder, nest: &Loop<'_>, array: Value) -> Result<Value, IrError> {
    let ty = builder.program().ty(array).clone();
    let nested = with_axes(&without_axes(&ty, 1), nest.extents).ok_or_else(too_large)?;
    let missing = nested.shape.len() - ty.shape.len();
    let mut whole = array;
    if missing > 0 {
        let [zeros, all] = [missing, nested.shape.len()].map(|len| Type::array(ty.elem, &[len]));
        let zero = builder.constant(Literal::from_f64(ty.elem, 0.0));
        let strides = Strides { offset: 0, strides: [0].into() };
        let zeros = view(builder, zero, &zeros.ok_or_else(too_large)?, &strides)?;
        let all = builder.intern(&all.ok_or_else(too_large)?);
        whole = builder.insert(Op::Pack(all), &[array, zeros])?;
    }
    view(builder, whole, &nested, &Strides::row_major(&nested.shape))
}

/// What the nest has stacked, as the loop would have.
fn flattened(builder: &mut Builder, nest: &Loop<'_>, stack: Value) -> Result<Value, IrError> {
    let row = without_axes(builder.program().ty(stack), nest.extents.len());
    let flat = with_axes(&row, &[nest.spec.trips.cap()]).ok_or_else(too_large)?;
    view(builder, stack, &flat, &Strides::row_major(&flat.shape))
}

fn view(builder: &mut Builder, x: Value, ty: &Type, strides: &Strides) -> Result<Value, IrError> {
    let (ty, strides) = (builder.intern(ty), builder.strides(strides));
    builder.insert(Op::View(ty, strides), &[x])
}

// ── iteration numbers ───────────────────────────────────────────────────────────────────────────

/// The number of the first iteration that iteration `index` of one of the nest's loops stands for; where a `while` may
/// have none left, that after the last.
fn number(builder: &mut Builder, nest: &Loop<'_>, part: Part, index: Value) -> Result<Value, IrError> {
    let mut number = scaled(builder, index, nest.step(part.depth))?;
    if let (Some(count), true) = (part.count, nest.counts(part.depth)) {
        number = builder.insert(Op::Prim(Prim::Min), &[number, count])?;
    }
    match part.first {
        Some(first) => builder.insert(Op::Prim(Prim::Add), &[first, number]),
        None => Ok(number),
    }
}

fn scaled(builder: &mut Builder, x: Value, factor: i64) -> Result<Value, IrError> {
    if factor == 1 {
        return Ok(x);
    }
    let factor = builder.constant(Literal::I64(factor));
    builder.insert(Op::Prim(Prim::Mul), &[x, factor])
}

/// How many iterations a loop makes for `count` of the loop that was cut, of which each is `step`.
fn rounded_up(builder: &mut Builder, count: Value, step: i64) -> Result<Value, IrError> {
    if step == 1 {
        return Ok(count);
    }
    let [more, step] = [step - 1, step].map(|x| builder.constant(Literal::I64(x)));
    let sum = builder.insert(Op::Prim(Prim::Add), &[count, more])?;
    builder.insert(Op::Prim(Prim::Div), &[sum, step])
}

/// How many iterations are left for the loop within iteration `index`, of the `count` of the loop at `depth`.
fn remaining(
    builder: &mut Builder,
    nest: &Loop<'_>,
    depth: usize,
    count: Value,
    index: Value,
) -> Result<Value, IrError> {
    let done = scaled(builder, index, nest.step(depth))?;
    let left = builder.insert(Op::Prim(Prim::Sub), &[count, done])?;
    let step = builder.constant(Literal::I64(nest.step(depth)));
    builder.insert(Op::Prim(Prim::Min), &[left, step])
}

/// The count, or one that is out of every range if it is out of this: negative, also after rounding up.
fn in_range(builder: &mut Builder, count: Value, cap: Value) -> Result<Value, IrError> {
    let zero = builder.constant(Literal::I64(0));
    let low = builder.insert(Op::Prim(Prim::Ge), &[count, zero])?;
    let high = builder.insert(Op::Prim(Prim::Le), &[count, cap])?;
    let inside = builder.insert(Op::Prim(Prim::And), &[low, high])?;
    let outside = builder.constant(Literal::I64(i64::MIN / 2));
    builder.insert(Op::Select, &[inside, count, outside])
}
