//! Random nests of loops, conditionals, array instructions, rules and linear systems, through all checks of [`structures`](super::structures).
//!
//! Everything is smooth and stays small: each new value passes through a sine, indices come from iteration numbers.

#[path = "random_structures/nests.rs"]
mod nests;

use crate::structures::{Case, Rng, check};
use evolute_ir::{
    Builder, Callee, Elem, IrError, Literal, Method, Op, Prim, Program, Reduction, Solver, Strides, Type,
    Value, verify,
};
use evolute_transforms::FpMode;
use evolute_transforms::pipeline::Options;

struct Generator<'a> {
    builder: Builder,
    rng: &'a mut Rng,
    /// Real values in sight, those of enclosing regions included.
    reals: Vec<Value>,
    /// Sums of the region at hand, which are only added to.
    sums: Vec<Value>,
    /// The iteration number of the loop at hand, below its trips.
    iteration: Option<(Value, u32)>,
    /// Functions to be called.
    callees: Vec<Callee>,
}

type Built<T> = Result<T, IrError>;

impl Generator<'_> {
    fn below(&mut self, end: usize) -> usize {
        (self.rng.next() * end as f64) as usize % end
    }

    fn extents(&self, value: Value) -> Vec<usize> {
        self.builder.program().ty(value).shape.extents().iter().map(|&e| e as usize).collect()
    }

    fn pick(&mut self) -> Value {
        let index = self.below(self.reals.len());
        self.reals[index]
    }

    fn scalar(&mut self) -> Built<Value> {
        let value = self.pick();
        if self.builder.program().ty(value).is_scalar() {
            return Ok(value);
        }
        let scalar = self.builder.intern(&Type::scalar(Elem::F64));
        self.builder.insert(Op::Reduce(Reduction::Sum, scalar), &[value])
    }

    /// A value of these extents: one in sight, or a view of one.
    fn of(&mut self, extents: &[usize]) -> Built<Value> {
        let value = self.pick();
        if self.extents(value) == extents {
            return Ok(value);
        }
        let len = self.extents(value).iter().product::<usize>().max(1) as i64;
        let mut room = len - 1;
        let mut strides = Vec::new();
        for &extent in extents {
            let reach = (extent as i64 - 1).max(1);
            let stride = self.below((room / reach + 1).min(4) as usize) as i64;
            room -= stride * (extent as i64 - 1);
            strides.push(stride);
        }
        let offset = self.below(room as usize + 1) as i64;
        let ty = Type::array(Elem::F64, extents).expect("small");
        let (ty, strides) =
            (self.builder.intern(&ty), self.builder.strides(&Strides { offset, strides: strides.into() }));
        self.builder.insert(Op::View(ty, strides), &[value])
    }

    fn any_extents(&mut self) -> Vec<usize> {
        (0..self.below(3)).map(|_| 2 + self.below(2)).collect()
    }

    fn prim(&mut self, prim: Prim, operands: &[Value]) -> Built<Value> {
        self.builder.insert(Op::Prim(prim), operands)
    }

    /// Keeps a value in sight, made small.
    fn keep(&mut self, value: Value) -> Built<()> {
        let value = self.prim(Prim::Sin, &[value])?;
        self.reals.push(value);
        Ok(())
    }

    /// An index below `extent`.
    fn index(&mut self, extent: usize) -> Built<Value> {
        match self.iteration {
            Some((number, trips)) if trips as usize <= extent => Ok(number),
            Some((number, _)) => {
                let extent = self.builder.constant(Literal::I64(extent as i64));
                self.prim(Prim::Rem, &[number, extent])
            }
            None => {
                let index = self.below(extent) as i64;
                Ok(self.builder.constant(Literal::I64(index)))
            }
        }
    }

    fn call(&mut self) -> Built<()> {
        let place = self.below(self.callees.len());
        let callee = self.callees[place].clone();
        let mut operands = Vec::new();
        for ty in callee.param_types() {
            let extents: Vec<usize> = ty.shape.extents().iter().map(|&e| e as usize).collect();
            operands.push(self.of(&extents)?);
        }
        for value in self.builder.call(&callee, &operands)? {
            self.keep(value)?;
        }
        Ok(())
    }

    fn instructions(&mut self, count: usize, depth: usize) -> Built<()> {
        for _ in 0..count {
            if !self.callees.is_empty() && self.rng.next() < 0.15 {
                self.call()?;
                continue;
            }
            match self.below(if depth == 0 { 8 } else { 13 }) {
                0 => {
                    let extents = self.any_extents();
                    let (a, b) = (self.of(&extents)?, self.of(&extents)?);
                    let product = self.prim(Prim::Mul, &[a, b])?;
                    self.keep(product)?;
                }
                1 => {
                    let extents = self.any_extents();
                    let (a, b) = (self.of(&extents)?, self.of(&extents)?);
                    let sum = self.prim(Prim::Add, &[a, b])?;
                    self.keep(sum)?;
                }
                2 => {
                    let (x, extents) = (self.pick(), self.any_extents());
                    let view = self.of(&extents)?;
                    let spread = self.extents(x);
                    let len = spread.iter().product::<usize>().max(1);
                    let strides: Vec<i64> =
                        extents.iter().map(|_| i64::from(self.rng.next() < 0.5)).collect();
                    let reach: usize =
                        extents.iter().zip(&strides).map(|(&e, &s)| (e - 1) * s as usize).sum();
                    if reach < len {
                        let offset = self.below(len - reach) as i64;
                        let ty = Type::array(Elem::F64, &spread).expect("small");
                        let ty = self.builder.intern(&ty);
                        let strides = self.builder.strides(&Strides { offset, strides: strides.into() });
                        let value = self.builder.insert(Op::Spread(ty, strides), &[view])?;
                        self.keep(value)?;
                    }
                }
                3 => {
                    let value = self.pick();
                    let extents = self.extents(value);
                    let kept = self.below(extents.len() + 1);
                    let ty = Type::array(Elem::F64, &extents[..kept]).expect("small");
                    let ty = self.builder.intern(&ty);
                    let reduction = if self.rng.next() < 0.7 { Reduction::Sum } else { Reduction::Prod };
                    let value = self.builder.insert(Op::Reduce(reduction, ty), &[value])?;
                    self.keep(value)?;
                }
                4 => {
                    let array = self.of(&[3, 2])?;
                    let index = self.index(3)?;
                    let part = self.builder.insert(Op::At, &[array, index])?;
                    self.keep(part)?;
                }
                5 => {
                    let (array, term) = (self.of(&[3, 2])?, self.of(&[2])?);
                    let index = self.index(3)?;
                    let value = self.builder.insert(Op::AddAt, &[array, term, index])?;
                    self.keep(value)?;
                }
                6 => {
                    let (a, b) = (self.of(&[1, 2, 3])?, self.of(&[1, 3, 2])?);
                    let product = self.builder.insert(Op::Dot, &[a, b])?;
                    self.keep(product)?;
                }
                7 => self.add_to_a_sum()?,
                8 => self.conditional(depth - 1)?,
                9 => self.custom()?,
                10 => self.linear_solve()?,
                _ => self.looping(depth - 1)?,
            }
        }
        Ok(())
    }

    /// The product of a value and a scalar, by a rule.
    fn custom(&mut self) -> Built<()> {
        let (x, k) = (self.pick(), self.scalar()?);
        // As small as all else, though a sum.
        let k = self.prim(Prim::Sin, &[k])?;
        let (ty, scalar) = (self.builder.program().ty(x).clone(), Type::scalar(Elem::F64));
        let scaled = |builder: &mut Builder, x: Value, k: Value| {
            let strides = vec![0; ty.shape.extents().len()].into();
            let repeat = builder.strides(&Strides { offset: 0, strides });
            let id = builder.intern(&ty);
            let k = if ty.is_scalar() { k } else { builder.insert(Op::View(id, repeat), &[k])? };
            builder.insert(Op::Prim(Prim::Mul), &[x, k])
        };
        let region = |builder: &mut Builder, types: &[&Type], rule: bool| {
            builder.open_region();
            let params: Vec<Value> = types.iter().map(|ty| builder.param(ty)).collect();
            let value = match (&params[..], rule) {
                (&[u, u_k, _, x, k], true) => {
                    let (first, second) = (scaled(builder, u, k)?, scaled(builder, x, u_k)?);
                    builder.insert(Op::Prim(Prim::Add), &[first, second])?
                }
                (params, _) => scaled(builder, params[0], params[1])?,
            };
            builder.close_region(&[value])
        };
        let primal = region(&mut self.builder, &[&ty, &scalar], false)?;
        let rule = region(&mut self.builder, &[&ty, &scalar, &ty, &ty, &scalar], true)?;
        let product = self.builder.custom(primal, rule, &[x, k])?[0];
        self.keep(product)
    }

    /// `x` with 4 x + c · (x, backwards) = b.
    fn linear_solve(&mut self) -> Built<()> {
        let (b, c) = (self.of(&[3])?, self.of(&[3])?);
        let ty = Type::array(Elem::F64, &[3]).expect("small");
        self.builder.open_region();
        let v = self.builder.param(&ty);
        let four = self.builder.constant(Literal::from(4.0));
        let mut view = |x, offset, stride: i64| {
            let strides = self.builder.strides(&Strides { offset, strides: [stride].into() });
            let id = self.builder.intern(&ty);
            self.builder.insert(Op::View(id, strides), &[x])
        };
        let (fours, backwards) = (view(four, 0, 0)?, view(v, 2, -1)?);
        let (own, other) = (self.prim(Prim::Mul, &[fours, v])?, self.prim(Prim::Mul, &[c, backwards])?);
        let product = self.prim(Prim::Add, &[own, other])?;
        let matrix = self.builder.close_region(&[product])?;
        let solver = Solver::new(Method::Gmres, 0.0, 100);
        let x = self.builder.linear_solve(solver, matrix, None, b)?;
        self.keep(x)
    }

    fn add_to_a_sum(&mut self) -> Built<()> {
        if self.sums.is_empty() {
            return Ok(());
        }
        let number = self.below(self.sums.len());
        let (sum, extents) = (self.sums[number], self.extents(self.sums[number]));
        let deep = self.below(extents.len() + 1);
        let term = self.of(&extents[deep..])?;
        let mut operands = vec![sum, term];
        for &extent in &extents[..deep] {
            operands.push(self.index(extent)?);
        }
        self.sums[number] = self.builder.insert(Op::AddAt, &operands)?;
        Ok(())
    }
}

pub(crate) fn program(rng: &mut Rng) -> Built<Program> {
    let mut callees = Vec::new();
    while callees.len() < 3 && rng.next() < 0.5 {
        let function = function(rng, &[&[], &[3]], &callees, (4, 1))?;
        callees.push(Callee::new(function));
    }
    function(rng, &[&[], &[3], &[3, 2]], &callees, (6, 2))
}

/// A function of parameters of these extents.
fn function(
    rng: &mut Rng,
    params: &[&[usize]],
    callees: &[Callee],
    (count, depth): (usize, usize),
) -> Built<Program> {
    let mut builder = Builder::new();
    let types = params.iter().map(|extents| Type::array(Elem::F64, extents).expect("small"));
    let reals = types.map(|ty| builder.param(&ty)).collect();
    let callees = callees.to_vec();
    let mut generator = Generator { builder, rng, reals, sums: Vec::new(), iteration: None, callees };
    generator.instructions(count, depth)?;
    let last = generator.reals.len();
    let mut results = vec![generator.reals[last - 1], generator.reals[last - 2]];
    results.push(generator.scalar()?);
    generator.builder.finish_live(&results)
}

#[test]
fn derivatives_of_random_structures() {
    let count = std::env::var("EVOLUTE_STRUCTURES").map_or(150, |n| n.parse().expect("a number"));
    let first = std::env::var("EVOLUTE_SEED").map_or(1, |n| n.parse().expect("a number"));
    let (mut structures, mut calls) = (0, 0);
    for seed in first..first + count {
        let rng = &mut Rng::new(seed);
        let program = program(rng).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        verify(&program).unwrap_or_else(|error| panic!("seed {seed}: {error}\n{program}"));
        structures += program.regions().len() - 1;
        calls += usize::from(!program.callees().is_empty());
        let case = Case::new(program);
        let modes = [(FpMode::Strict, false), (FpMode::Strict, true), (FpMode::Contract, true)];
        let (fp, simplify) = modes[seed as usize % modes.len()];
        let name = format!("seed {seed}\n{}", case.program);
        check(&name, &case, Options { fp, simplify, fma: true, ..Options::default() }, rng);
    }
    assert!(structures as u64 > count, "only {structures} loops and conditionals");
    assert!(calls as u64 > count / 4, "only {calls} programs with calls");
}
