//! Random programs of every element kind, arrays and nested derivatives, built without tracing.

use crate::bits;
use crate::choices::Choices;
use crate::derived;
use crate::numbers;
use crate::run::Outcome;
use crate::trees::row;
use evolute::ir::{Builder, ClosedRegion, Elem, IrError, Literal, Mode, Op, Prim, Program, Type, Value};

/// The most instructions of a region.
const SIZE: usize = 28;
/// How deep derivatives nest.
const DEPTH: usize = 2;

pub(crate) fn check(choices: &mut Choices) -> Outcome {
    let program = program(choices).map_err(|error| error.to_string())?;
    bits::check("program", &program, choices)?;
    let params = program.param_types();
    let wrt: Vec<usize> =
        (0..params.len()).filter(|&i| params[i].elem.is_real() && !choices.chance(3)).collect();
    let results = program.result_types();
    let real = derived::keep(&program, |i| results[i].elem.is_real()).map_err(|error| error.to_string())?;
    check_derived(&real, &wrt, choices)?;
    match results.iter().position(|ty| ty.elem.is_real() && ty.is_scalar()) {
        None => Ok(()),
        Some(scalar) => {
            let scalar = derived::keep(&program, |i| i == scalar).map_err(|error| error.to_string())?;
            check_derived(&scalar, &wrt, choices)
        }
    }
}

fn check_derived(f: &Program, wrt: &[usize], choices: &mut Choices) -> Outcome {
    for (name, program) in derived::all(f, wrt).map_err(|error| error.to_string())? {
        bits::check(&format!("{name}, wrt {wrt:?}"), &program, choices)?;
    }
    Ok(())
}

fn program(choices: &mut Choices) -> Result<Program, IrError> {
    let mut builder = Builder::new();
    let params = 1 + choices.below(4);
    let mut pool = Vec::new();
    for _ in 0..params {
        let ty = ty(choices);
        pool.push(builder.param(&ty));
    }
    let divides = choices.chance(4);
    let mut graph = Graph { choices, builder, pools: vec![pool], divides };
    for _ in 0..1 + graph.choices.below(SIZE) {
        graph.step()?;
    }
    let results: Vec<Value> = (0..1 + graph.choices.below(3)).map(|_| graph.any()).collect();
    graph.builder.finish(&results)
}

fn ty(choices: &mut Choices) -> Type {
    let elem = choices.pick(&[Elem::F64, Elem::F64, Elem::F32, Elem::I64, Elem::Bool]);
    let extents: [&[usize]; 7] = [&[], &[], &[], &[3], &[2, 2], &[1], &[0]];
    Type::array(elem, choices.pick(&extents)).expect("small")
}

struct Graph<'c> {
    choices: &'c mut Choices,
    builder: Builder,
    /// The values of each open region.
    pools: Vec<Vec<Value>>,
    /// Whether integers are divided, and nothing else is done with them: that mostly fails.
    divides: bool,
}

impl Graph<'_> {
    fn ty(&self, value: Value) -> Type {
        self.builder.program().ty(value).clone()
    }

    fn add(&mut self, value: Value) {
        self.pools.last_mut().expect("a region is open").push(value);
    }

    /// A value of the innermost region or, now and then, of one around it: that is captured.
    fn any(&mut self) -> Value {
        let mut depth = self.pools.len() - 1;
        while depth > 0 && (self.pools[depth].is_empty() || self.choices.chance(4)) {
            depth -= 1;
        }
        let pool = &self.pools[depth];
        let reach = self.choices.pick(&[1, pool.len().min(6), pool.len()]);
        pool[pool.len() - 1 - self.choices.below(reach)]
    }

    /// A value of this type: one there is, or made of constants.
    fn of_type(&mut self, ty: &Type) -> Result<Value, IrError> {
        for _ in 0..8 {
            let value = self.any();
            if self.ty(value) == *ty {
                return Ok(value);
            }
        }
        let mut constants = Vec::new();
        for _ in 0..ty.shape.len() {
            let literal = numbers::literal(self.choices, ty.elem, true);
            constants.push(self.builder.constant(literal));
        }
        if ty.is_scalar() {
            return Ok(constants[0]);
        }
        let id = self.builder.intern(ty);
        self.builder.insert(Op::Pack(id), &constants)
    }

    fn insert(&mut self, op: Op, operands: &[Value]) -> Result<(), IrError> {
        let value = self.builder.insert(op, operands)?;
        self.add(value);
        Ok(())
    }

    fn step(&mut self) -> Result<(), IrError> {
        match self.choices.below(14) {
            0 => {
                let (elem, x) = (self.choices.pick(&Elem::ALL), self.any());
                self.insert(Op::Cast(elem), &[x])
            }
            1 => self.select(),
            2 | 3 => self.element(),
            4 => self.pack(),
            5 | 6 if self.pools.len() <= DEPTH => self.operator(),
            _ => self.prim(),
        }
    }

    fn prim(&mut self) -> Result<(), IrError> {
        let mut prim = row(self.choices, &Prim::ALL);
        let like = self.any();
        let mut ty = self.ty(like);
        if self.divides && ty.elem == Elem::I64 {
            prim = self.choices.pick(&[Prim::Div, Prim::Rem]);
        }
        let free = prim.operands().iter().find(|class| class.fixed().is_none());
        if free.is_some_and(|class| !class.contains(ty.elem)) {
            ty.elem = Elem::F64;
        }
        if prim.may_fail() && ty.elem == Elem::I64 && !self.divides {
            prim = Prim::Max;
        }
        let mut operands = Vec::new();
        for class in prim.operands() {
            let elem = class.fixed().unwrap_or(ty.elem);
            let operand = self.of_type(&Type { elem, shape: ty.shape.clone() })?;
            operands.push(if prim == Prim::Copysign { self.not_nan(operand)? } else { operand });
        }
        self.insert(Op::Prim(prim), &operands)
    }

    /// The value, or 1 for a NaN. See Note [The sign of a NaN] in `trees`.
    fn not_nan(&mut self, value: Value) -> Result<Value, IrError> {
        let ty = self.ty(value);
        let mut one = self.builder.constant(Literal::from_f64(ty.elem, 1.0));
        if !ty.is_scalar() {
            let id = self.builder.intern(&ty);
            one = self.builder.insert(Op::Pack(id), &vec![one; ty.shape.len()])?;
        }
        let is_number = self.builder.insert(Op::Prim(Prim::Eq), &[value, value])?;
        self.builder.insert(Op::Select, &[is_number, value, one])
    }

    fn select(&mut self) -> Result<(), IrError> {
        let yes = self.any();
        let ty = self.ty(yes);
        let condition = self.of_type(&Type { elem: Elem::Bool, shape: ty.shape.clone() })?;
        let no = self.of_type(&ty)?;
        self.insert(Op::Select, &[condition, yes, no])
    }

    fn element(&mut self) -> Result<(), IrError> {
        let array = self.any();
        let ty = self.ty(array);
        if ty.is_scalar() || ty.shape.is_empty() {
            return Ok(());
        }
        let index = self.choices.below(ty.shape.len());
        self.insert(Op::Element(index as u32), &[array])
    }

    fn pack(&mut self) -> Result<(), IrError> {
        let ty = ty(self.choices);
        if ty.is_scalar() {
            return Ok(());
        }
        let mut elements = Vec::new();
        for _ in 0..ty.shape.len() {
            elements.push(self.of_type(&Type::scalar(ty.elem))?);
        }
        let id = self.builder.intern(&ty);
        self.insert(Op::Pack(id), &elements)
    }

    /// A derivative operator on a region that captures what it likes.
    fn operator(&mut self) -> Result<(), IrError> {
        let mut inputs = Vec::new();
        for _ in 0..self.choices.below(4) {
            let value = self.any_real();
            inputs.push(value);
        }
        self.builder.open_region();
        let params: Vec<Value> = inputs
            .iter()
            .map(|&input| {
                let ty = self.ty(input);
                self.builder.param(&ty)
            })
            .collect();
        self.pools.push(params);
        for _ in 0..self.choices.below(SIZE / 3) {
            self.step()?;
        }
        let results: Vec<Value> = (0..self.choices.below(3)).map(|_| self.any_real()).collect();
        self.pools.pop();
        let body = self.builder.close_region(&results)?;
        self.apply(body, &inputs, &results)
    }

    fn apply(&mut self, body: ClosedRegion, inputs: &[Value], results: &[Value]) -> Result<(), IrError> {
        let mode = self.choices.pick(&[Mode::Forward, Mode::Reverse]);
        let like = match mode {
            Mode::Forward => inputs,
            Mode::Reverse => results,
        };
        let mut seeds = Vec::new();
        for &value in like {
            let ty = self.ty(value);
            seeds.push(self.of_type(&ty)?);
        }
        for value in self.builder.operator(mode, body, inputs, &seeds)? {
            self.add(value);
        }
        Ok(())
    }

    fn any_real(&mut self) -> Value {
        for _ in 0..8 {
            let value = self.any();
            if self.ty(value).elem.is_real() {
                return value;
            }
        }
        self.builder.constant(0.5.into())
    }
}
