//! Random programs with arrays, loops and conditionals, nested: native against interpreter, bit for bit,
//! and failure for failure.

mod common;

use common::{Random, check_code};
use evolute_codegen::{CodegenOptions, Plan, Regalloc, compile};
use evolute_ir::{
    Buffer, Builder, Callee, ClosedRegion, Elem, Literal, LoopSpec, Op, Prim, Program, Reduction, Strides,
    Trips, Type, Value, verify,
};
use std::panic::{AssertUnwindSafe, catch_unwind};

const REALS: [Elem; 2] = [Elem::F64, Elem::F32];

/// The rows that are tried: none that fails, but rarely.
const PRIMS: [Prim; 24] = [
    Prim::Add,
    Prim::Add,
    Prim::Sub,
    Prim::Mul,
    Prim::Mul,
    Prim::Div,
    Prim::Max,
    Prim::Min,
    Prim::Neg,
    Prim::Abs,
    Prim::Sin,
    Prim::Tanh,
    Prim::Sqrt,
    Prim::MulAdd,
    Prim::Lt,
    Prim::Le,
    Prim::Eq,
    Prim::Gt,
    Prim::Ne,
    Prim::And,
    Prim::Or,
    Prim::Not,
    Prim::Relu,
    Prim::Sign,
];

struct Generator {
    builder: Builder,
    random: Random,
    /// The values of the regions open.
    pool: Vec<Value>,
    depth: usize,
    /// Functions to be called.
    callees: Vec<Callee>,
}

impl Generator {
    fn ty(&self, value: Value) -> Type {
        self.builder.program().ty(value).clone()
    }

    /// A value that satisfies the condition, mostly a young one.
    fn pick(&mut self, fits: impl Fn(&Type) -> bool) -> Option<Value> {
        let program = self.builder.program();
        let found: Vec<Value> = self.pool.iter().copied().filter(|&v| fits(program.ty(v))).collect();
        let near = found.len().min(if self.random.below(3) == 0 { found.len() } else { 6 });
        (near > 0).then(|| found[found.len() - 1 - self.random.below(near)])
    }

    fn insert(&mut self, op: Op, operands: &[Value]) -> Option<Value> {
        let value = self.builder.insert(op, operands).ok()?;
        if self.ty(value).shape.len() <= 200 {
            self.pool.push(value);
        }
        Some(value)
    }

    fn shape(&mut self) -> Vec<usize> {
        let axes = self.random.below(4);
        (0..axes).map(|_| [1, 2, 3, 5, 4, 2, 9, 0][self.random.below(if axes > 2 { 4 } else { 8 })]).collect()
    }

    fn constant(&mut self, elem: Elem) -> Value {
        let x = [0.0, -0.0, 1.0, -2.0, 0.5, 3.0, f64::NAN, f64::INFINITY][self.random.below(8)];
        self.builder.constant(Literal::from_f64(elem, x))
    }

    /// An integer that is mostly below `extent`.
    fn index(&mut self, extent: usize) -> Value {
        let extent = extent as i64;
        if self.random.below(100) == 0 {
            let any = self.random.below(20) as i64 - 5;
            return self.builder.constant(Literal::I64(any));
        }
        let scalar = |ty: &Type| ty.is_scalar() && ty.elem == Elem::I64;
        if let (true, Some(value)) = (self.random.below(3) > 0, self.pick(scalar)) {
            let [zero, top] = [0, (extent - 1).max(0)].map(|x| self.builder.constant(Literal::I64(x)));
            let above = self.builder.insert(Op::Prim(Prim::Max), &[value, zero]).expect("well typed");
            return self.builder.insert(Op::Prim(Prim::Min), &[above, top]).expect("well typed");
        }
        let any = self.random.below(extent.max(1) as usize) as i64;
        self.builder.constant(Literal::I64(any))
    }

    /// Strides from indices of `shape` to flat indices below `len`.
    fn strides(&mut self, shape: &[usize], len: usize) -> Option<Strides> {
        for _ in 0..20 {
            let mut strides: Vec<i64> =
                shape.iter().map(|_| [0, 1, -1, 2, 3, 5, -3, len as i64][self.random.below(8)]).collect();
            if self.random.below(3) == 0 {
                let ty = Type::array(Elem::F64, shape)?;
                strides = Strides::row_major(&ty.shape).strides.to_vec();
            }
            let offset = self.random.below(len.max(1)) as i64;
            let strides = Strides { offset, strides: strides.into() };
            let shape = Type::array(Elem::F64, shape)?.shape;
            match strides.range(&shape) {
                Some((low, high)) if low >= 0 && high < len as i64 => return Some(strides),
                None if shape.is_empty() => return Some(strides),
                _ => {}
            }
        }
        None
    }

    fn step(&mut self) {
        let _ = match self.random.below(19) {
            18 if !self.callees.is_empty() => self.call(),
            0..=4 => self.pointwise(),
            5 => self.cast_or_select(),
            6 => self.view(),
            7 => self.spread(),
            8 => self.reduce(),
            9 => self.dot(),
            10 => self.pack(),
            11 => self.at(),
            12 => self.add_at(),
            13 => self.iota_or_element(),
            14 | 15 if self.depth < 3 => self.looping(),
            16 if self.depth < 3 => self.conditional(),
            _ => self.broadcast(),
        };
    }

    fn pointwise(&mut self) -> Option<Value> {
        let prim = PRIMS[self.random.below(PRIMS.len())];
        let first = self.pick(|ty| prim.operands()[0].contains(ty.elem))?;
        if prim.may_fail() && self.ty(first).elem == Elem::I64 && self.random.below(40) > 0 {
            return None;
        }
        let ty = self.ty(first);
        let mut operands = vec![first];
        for _ in 1..prim.arity() {
            operands.push(self.pick(|other| *other == ty)?);
        }
        self.insert(Op::Prim(prim), &operands)
    }

    fn cast_or_select(&mut self) -> Option<Value> {
        if self.random.below(2) == 0 {
            let value = self.pick(|_| true)?;
            let elem = Elem::ALL[self.random.below(4)];
            return self.insert(Op::Cast(elem), &[value]);
        }
        let condition = self.pick(|ty| ty.elem == Elem::Bool)?;
        let shape = self.ty(condition).shape;
        let yes = self.pick(|ty| ty.shape == shape)?;
        let ty = self.ty(yes);
        let no = self.pick(|other| *other == ty)?;
        self.insert(Op::Select, &[condition, yes, no])
    }

    fn view(&mut self) -> Option<Value> {
        let array = self.pick(|_| true)?;
        let ty = self.ty(array);
        let shape = self.shape();
        let strides = self.strides(&shape, ty.shape.len())?;
        let to = Type::array(ty.elem, &shape)?;
        if to.shape.len() > 200 {
            return None;
        }
        let (to, strides) = (self.builder.intern(&to), self.builder.strides(&strides));
        self.insert(Op::View(to, strides), &[array])
    }

    fn broadcast(&mut self) -> Option<Value> {
        let scalar = match self.random.below(2) {
            0 => self.constant(Elem::F64),
            _ => self.pick(Type::is_scalar)?,
        };
        let shape = self.shape();
        let strides = Strides { offset: 0, strides: vec![0; shape.len()].into() };
        let ty = Type::array(self.ty(scalar).elem, &shape)?;
        let (to, strides) = (self.builder.intern(&ty), self.builder.strides(&strides));
        self.insert(Op::View(to, strides), &[scalar])
    }

    fn spread(&mut self) -> Option<Value> {
        let array = self.pick(|ty| ty.elem != Elem::Bool)?;
        let ty = self.ty(array);
        let shape = self.shape();
        let to = Type::array(ty.elem, &shape)?;
        let from: Vec<usize> = ty.shape.extents().iter().map(|&e| e as usize).collect();
        let strides = self.strides(&from, to.shape.len())?;
        let (to, strides) = (self.builder.intern(&to), self.builder.strides(&strides));
        self.insert(Op::Spread(to, strides), &[array])
    }

    fn reduce(&mut self) -> Option<Value> {
        let array = self.pick(|ty| ty.elem != Elem::Bool && !ty.is_scalar())?;
        let ty = self.ty(array);
        let extents: Vec<usize> = ty.shape.extents().iter().map(|&e| e as usize).collect();
        let kept = self.random.below(extents.len() + 1);
        let reduction = Reduction::ALL[self.random.below(6)];
        let elem = if reduction.is_index() { Elem::I64 } else { ty.elem };
        let to = self.builder.intern(&Type::array(elem, &extents[..kept])?);
        self.insert(Op::Reduce(reduction, to), &[array])
    }

    fn dot(&mut self) -> Option<Value> {
        let elem = REALS[self.random.below(2)];
        let most = 4 + self.random.below(3);
        let [batch, m, k, n] = [0; 4].map(|_| [1, 2, 3, 4, 17, 0][self.random.below(most)]);
        let mut operands = Vec::new();
        for shape in [[batch, m, k], [batch, k, n]] {
            let array = self.pick(|ty| ty.elem == elem)?;
            let strides = self.strides(&shape, self.ty(array).shape.len())?;
            let to = self.builder.intern(&Type::array(elem, &shape)?);
            let strides = self.builder.strides(&strides);
            operands.push(self.builder.insert(Op::View(to, strides), &[array]).ok()?);
        }
        self.insert(Op::Dot, &operands)
    }

    fn pack(&mut self) -> Option<Value> {
        let elem = Elem::ALL[self.random.below(4)];
        let count = 1 + self.random.below(4);
        let operands: Vec<Value> = (0..count).filter_map(|_| self.pick(|ty| ty.elem == elem)).collect();
        let lens: Vec<usize> = operands.iter().map(|&v| self.ty(v).shape.len()).collect();
        let len: usize = lens.iter().sum();
        // Note: the interpreter takes as many operands as elements for scalars, even if one is empty.
        if len > 100 || len == lens.len() && lens.iter().any(|&len| len != 1) {
            return None;
        }
        let ty = self.builder.intern(&Type::array(elem, &[len])?);
        self.insert(Op::Pack(ty), &operands)
    }

    fn indices(&mut self, ty: &Type, least: usize) -> Vec<Value> {
        let extents = ty.shape.extents();
        let count = least + self.random.below(extents.len() + 1 - least);
        (0..count).map(|axis| self.index(extents[axis] as usize)).collect()
    }

    fn at(&mut self) -> Option<Value> {
        let array = self.pick(|ty| !ty.is_scalar() && (!ty.shape.is_empty()))?;
        let ty = self.ty(array);
        let mut operands = vec![array];
        operands.extend(self.indices(&ty, 1));
        self.insert(Op::At, &operands)
    }

    fn add_at(&mut self) -> Option<Value> {
        let array = self.pick(|ty| ty.elem != Elem::Bool && !ty.shape.is_empty())?;
        let value = self.add_to(array)?;
        self.pool.push(value);
        Some(value)
    }

    /// An addition of something to a part of `array`.
    fn add_to(&mut self, array: Value) -> Option<Value> {
        let ty = self.ty(array);
        let indices = self.indices(&ty, 0);
        let extents: Vec<usize> = ty.shape.extents()[indices.len()..].iter().map(|&e| e as usize).collect();
        let part = Type::array(ty.elem, &extents)?;
        let term = match self.pick(|ty| *ty == part) {
            Some(term) => term,
            None => self.filled(&part)?,
        };
        if term == array {
            return None;
        }
        let mut operands = vec![array, term];
        operands.extend(indices);
        self.builder.insert(Op::AddAt, &operands).ok()
    }

    /// An array of this type whose elements are one scalar, or a strided view of another array.
    fn filled(&mut self, ty: &Type) -> Option<Value> {
        let shape: Vec<usize> = ty.shape.extents().iter().map(|&e| e as usize).collect();
        let source = match self.pick(|other| other.elem == ty.elem && !other.shape.is_empty()) {
            Some(source) => source,
            None => self.constant(ty.elem),
        };
        let strides = self.strides(&shape, self.ty(source).shape.len())?;
        let (to, strides) = (self.builder.intern(ty), self.builder.strides(&strides));
        self.builder.insert(Op::View(to, strides), &[source]).ok()
    }

    fn iota_or_element(&mut self) -> Option<Value> {
        if self.random.below(2) == 0 {
            let n = self.random.below(12);
            let ty = self.builder.intern(&Type::array(Elem::I64, &[n])?);
            return self.insert(Op::Iota(ty), &[]);
        }
        let array = self.pick(|ty| !ty.is_scalar() && !ty.shape.is_empty())?;
        let index = self.random.below(self.ty(array).shape.len()) as u32;
        self.insert(Op::Element(index), &[array])
    }

    // ── regions ─────────────────────────────────────────────────────────────────────────────────

    fn steps(&mut self, count: usize) {
        for _ in 0..count {
            self.step();
        }
    }

    /// What becomes of a sum: some additions, perhaps by a nested loop or conditional.
    fn accumulated(&mut self, mut sum: Value) -> Value {
        for _ in 0..self.random.below(3) {
            let next = match self.random.below(4) {
                0 if self.depth < 3 => self.nested_sum(sum),
                1 if self.depth < 3 => self.conditional_sum(sum),
                _ => self.add_to(sum),
            };
            sum = next.unwrap_or(sum);
        }
        sum
    }

    fn nested_sum(&mut self, sum: Value) -> Option<Value> {
        let trips = Trips::Fixed([0, 3, 17][self.random.below(3)]);
        let reverse = self.random.below(2) == 0;
        let spec = LoopSpec { reverse, sums: 1, ordered: self.random.below(4) == 0, ..LoopSpec::new(trips) };
        let ty = self.ty(sum);
        let body = self.region(|g| {
            let number = g.builder.param(&Type::scalar(Elem::I64));
            let param = g.builder.param(&ty);
            g.pool.push(number);
            g.steps(2);
            vec![g.accumulated(param)]
        });
        self.builder.looping(spec, None, body, &[sum]).ok().map(|results| results[0])
    }

    fn conditional_sum(&mut self, sum: Value) -> Option<Value> {
        let condition = self.pick(|ty| ty.is_scalar() && ty.elem == Elem::Bool)?;
        let ty = self.ty(sum);
        let branches = [0, 1].map(|_| {
            self.region(|g| {
                let param = g.builder.param(&ty);
                g.steps(1);
                vec![g.accumulated(param)]
            })
        });
        let [yes, no] = branches;
        self.builder.conditional(condition, yes, no, &[sum]).ok().map(|results| results[0])
    }

    fn region(&mut self, fill: impl FnOnce(&mut Self) -> Vec<Value>) -> ClosedRegion {
        let known = self.pool.len();
        self.builder.open_region();
        self.depth += 1;
        let results = fill(self);
        self.depth -= 1;
        self.pool.truncate(known);
        self.builder.close_region(&results).expect("open")
    }

    fn looping(&mut self) -> Option<Value> {
        // Only the outermost are so long that their sums have segments.
        let long = self.depth == 0 && self.random.below(12) == 0;
        let cap = [0, 1, 2, 5, 7, 16, 19, 300, 523]
            [if long { 7 } else { 0 } + self.random.below(if long { 2 } else { 7 })];
        let trips = [Trips::Fixed(cap), Trips::Fixed(cap), Trips::Counted(cap), Trips::While(cap)]
            [self.random.below(4)];
        let reverse = !matches!(trips, Trips::While(_)) && self.random.below(2) == 0;
        let mut operands = Vec::new();
        if let Trips::Counted(cap) = trips {
            operands.push(self.index(cap as usize + 1));
        }
        let count = self.random.below(3);
        let carries: Vec<Value> = (0..count).filter_map(|_| self.pick(|_| true)).collect();
        let mut rows = Vec::new();
        for _ in 0..self.random.below(3) {
            let elem = Elem::ALL[self.random.below(4)];
            let mut shape = self.shape();
            shape.truncate(2);
            shape.insert(0, cap as usize);
            let ty = Type::array(elem, &shape)?;
            rows.extend(if ty.shape.len() > 200 { None } else { self.filled(&ty) });
        }
        let wanted = self.random.below(3);
        let sums: Vec<Value> = (0..wanted)
            .filter_map(|_| self.pick(|ty| ty.elem != Elem::Bool && ty.shape.len() <= 40))
            .collect();
        let types = |g: &Self, values: &[Value]| values.iter().map(|&v| g.ty(v)).collect::<Vec<Type>>();
        let [carry_types, sum_types] = [types(self, &carries), types(self, &sums)];
        let row_types: Vec<Type> = (rows.iter())
            .map(|&v| {
                let ty = self.ty(v);
                let rest: Vec<usize> = ty.shape.extents()[1..].iter().map(|&e| e as usize).collect();
                Type::array(ty.elem, &rest).expect("small")
            })
            .collect();
        let condition = matches!(trips, Trips::While(_)).then(|| {
            self.region(|g| {
                let number = g.builder.param(&Type::scalar(Elem::I64));
                let params: Vec<Value> = carry_types.iter().map(|ty| g.builder.param(ty)).collect();
                g.pool.push(number);
                g.pool.extend(params);
                g.steps(2);
                let bound = g.builder.constant(Literal::I64(i64::from(cap) - 1));
                let ends = g.builder.insert(Op::Prim(Prim::Lt), &[number, bound]).expect("well typed");
                let any = g.pick(|ty| ty.is_scalar() && ty.elem == Elem::Bool).unwrap_or(ends);
                let both = match g.random.below(20) {
                    0 => any,
                    _ => g.builder.insert(Op::Prim(Prim::And), &[ends, any]).expect("well typed"),
                };
                vec![both]
            })
        });
        let body = self.region(|g| {
            let number = g.builder.param(&Type::scalar(Elem::I64));
            g.pool.push(number);
            for ty in carry_types.iter().chain(&row_types) {
                let param = g.builder.param(ty);
                g.pool.push(param);
            }
            let sum_params: Vec<Value> = sum_types.iter().map(|ty| g.builder.param(ty)).collect();
            let count = 2 + g.random.below(5);
            g.steps(count);
            let mut results: Vec<Value> =
                carry_types.iter().map(|ty| g.pick(|other| other == ty).expect("its parameter")).collect();
            for _ in 0..g.random.below(3) {
                results.extend(g.pick(|ty| ty.shape.len() <= 10));
            }
            for sum in sum_params {
                let sum = g.accumulated(sum);
                results.push(sum);
            }
            results
        });
        let count = |values: &[Value]| values.len() as u32;
        let spec = LoopSpec {
            reverse,
            carries: count(&carries),
            rows: count(&rows),
            sums: count(&sums),
            ordered: self.random.below(4) == 0,
            ..LoopSpec::new(trips)
        };
        operands.extend([carries, rows, sums].concat());
        let results = self.builder.looping(spec, condition, body, &operands).expect("well typed");
        self.pool.extend(&results);
        results.first().copied()
    }

    fn call(&mut self) -> Option<Value> {
        let callee = self.callees[self.random.below(self.callees.len())].clone();
        let operands: Option<Vec<Value>> =
            callee.param_types().iter().map(|ty| self.pick(|other| other == ty)).collect();
        let results = self.builder.call(&callee, &operands?).expect("well typed");
        self.pool.extend(&results);
        results.first().copied()
    }

    fn conditional(&mut self) -> Option<Value> {
        let condition = self.pick(|ty| ty.is_scalar() && ty.elem == Elem::Bool)?;
        let count = self.random.below(4);
        let types: Vec<Type> = (0..count).filter_map(|_| self.pick(|_| true).map(|v| self.ty(v))).collect();
        let [yes, no] = [0, 1].map(|_| {
            self.region(|g| {
                g.steps(3);
                types.iter().map(|ty| g.pick(|other| other == ty).expect("there is one")).collect()
            })
        });
        let results = self.builder.conditional(condition, yes, no, &[]).expect("well typed");
        self.pool.extend(&results);
        results.first().copied()
    }
}

fn program(seed: u64) -> Program {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut callees = Vec::new();
    for _ in 0..random.below(3) {
        let size = 3 + random.below(8);
        // Loops in functions called in loops would take long.
        let (function, next) = function(random, &callees, size, 2);
        callees.push(Callee::new(function));
        random = next;
    }
    let size = 4 + random.below(20);
    function(random, &callees, size, 0).0
}

/// A random function that may call these, and what is random after it.
fn function(random: Random, callees: &[Callee], size: usize, depth: usize) -> (Program, Random) {
    let builder = Builder::new();
    let callees = callees.to_vec();
    let mut generator = Generator { builder, random, pool: Vec::new(), depth, callees };
    for (elem, shape) in [
        (Elem::F64, &[][..]),
        (Elem::F64, &[7]),
        (Elem::F64, &[3, 5]),
        (Elem::F32, &[2, 3, 4]),
        (Elem::I64, &[4]),
        (Elem::I64, &[]),
        (Elem::Bool, &[]),
        (Elem::Bool, &[3, 5]),
    ] {
        let param = generator.builder.param(&Type::array(elem, shape).expect("small"));
        generator.pool.push(param);
    }
    generator.steps(size);
    let results: Vec<Value> = (0..4).filter_map(|_| generator.pick(|_| true)).collect();
    let all = generator.random.below(4) == 0;
    let pool = generator.pool.clone();
    let program = generator.builder.finish(if all { &pool } else { &results }).expect("open");
    (program, generator.random)
}

fn input(ty: &Type, random: &mut Random) -> Buffer {
    let len = ty.shape.len();
    let mut real = || match random.below(12) {
        0 => -0.0,
        1 => f64::NAN,
        2 => f64::INFINITY,
        _ => random.real(),
    };
    match ty.elem {
        Elem::F64 => Buffer::F64((0..len).map(|_| real()).collect()),
        Elem::F32 => Buffer::F32((0..len).map(|_| real() as f32).collect()),
        Elem::I64 => Buffer::I64((0..len).map(|_| random.below(9) as i64 - 2).collect()),
        Elem::Bool => Buffer::Bool((0..len).map(|_| random.below(2) == 0).collect()),
    }
}

fn check(seed: u64) {
    let program = program(seed);
    verify(&program).expect("the builder makes well-formed programs");
    let regalloc = [Regalloc::Backtracking, Regalloc::SinglePass][(seed % 2) as usize];
    let chunk = [1000, 40, 4][(seed % 3) as usize];
    let options = CodegenOptions { verify: true, regalloc, chunk };
    let run = || {
        let code = compile(&program, &options).expect("compiles");
        let mut random = Random(seed + 1);
        for _ in 0..4 {
            let inputs: Vec<Buffer> = program.param_types().iter().map(|ty| input(ty, &mut random)).collect();
            check_code(&code, &program, &inputs);
        }
    };
    if let Err(panic) = catch_unwind(AssertUnwindSafe(run)) {
        let plan = catch_unwind(AssertUnwindSafe(|| {
            Plan::new(&program, &options).map_or_else(|error| error.to_string(), |plan| plan.to_string())
        }));
        eprintln!("seed {seed}:\n{program}\n{}", plan.unwrap_or_default());
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn random_structured_programs() {
    let many = std::env::var("EVOLUTE_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1500);
    let first = std::env::var("EVOLUTE_FIRST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    for seed in first..first + many {
        check(seed);
    }
}
