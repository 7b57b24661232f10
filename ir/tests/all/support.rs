//! What the tests share: a seeded source of random numbers, and random programs that use every operation,
//! arrays, nested derivative operators with captures, and all of a value's provenance.

use evolute_ir::{
    Builder, Class, Elem, Entity, Level, Literal, Loc, Mode, Op, Origin, Prim, Program, Role, SourceLoc,
    Type, Value,
};

/// Xorshift: small, seeded, good enough to choose.
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Rng {
        Rng(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        ((self.bits() >> 33) % end.max(1) as u64) as usize
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    pub(crate) fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }

    /// Uniform in the interval.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// A constant, often a strange one.
pub(crate) fn literal(rng: &mut Rng, elem: Elem) -> Literal {
    const STRANGE: [f64; 11] = [
        0.0,
        -0.0,
        1.0,
        -1.5,
        1e300,
        5e-324,
        2.2250738585072014e-308,
        f64::INFINITY,
        f64::NEG_INFINITY,
        0.1,
        f64::MAX,
    ];
    match elem {
        Elem::F64 if rng.chance(2) => Literal::F64(rng.bits()),
        Elem::F32 if rng.chance(2) => Literal::F32(rng.bits() as u32),
        Elem::I64 => Literal::I64(if rng.chance(2) { rng.bits() as i64 } else { rng.below(7) as i64 - 3 }),
        Elem::Bool => Literal::Bool(rng.chance(2)),
        Elem::F64 | Elem::F32 => Literal::from_f64(elem, rng.pick(&STRANGE)),
    }
}

/// A random program of about `size` instructions.
pub(crate) fn program(rng: &mut Rng, size: usize) -> Program {
    let mut generator =
        Generator { rng, builder: Builder::new(), pools: vec![Vec::new()], locs: vec![Loc::UNKNOWN] };
    generator.provenance_tables();
    for _ in 0..1 + generator.rng.below(4) {
        generator.param();
    }
    for _ in 0..size {
        generator.step();
    }
    let results: Vec<Value> = (0..generator.rng.below(4)).map(|_| generator.any()).collect();
    generator.builder.finish(&results).expect("all values are in scope")
}

struct Generator<'r> {
    rng: &'r mut Rng,
    builder: Builder,
    /// The values of each open region.
    pools: Vec<Vec<Value>>,
    locs: Vec<Loc>,
}

impl Generator<'_> {
    fn provenance_tables(&mut self) {
        for i in 0..self.rng.below(5) {
            let file = self.rng.pick(&["src/main.rs", "C:\\x \"y\".rs", "a;b\nc\t\u{1}é.rs", ""]);
            self.locs.push(self.builder.add_loc(SourceLoc { file: file.into(), line: i as u32 * 7 }));
        }
        for _ in 0..self.rng.below(4) {
            let mode = self.rng.pick(&[Mode::Forward, Mode::Reverse]);
            let loc = self.rng.pick(&self.locs);
            self.builder.add_level(mode, loc);
        }
    }

    fn param(&mut self) {
        self.origin(&[]);
        let ty = self.ty();
        let value = self.builder.param(&ty);
        self.add(value);
    }

    fn ty(&mut self) -> Type {
        let elem = self.rng.pick(&[Elem::F64, Elem::F64, Elem::F32, Elem::I64, Elem::Bool]);
        let extents: [&[usize]; 6] = [&[], &[], &[3], &[2, 2], &[0], &[1, 3, 1]];
        Type::array(elem, self.rng.pick(&extents)).expect("small")
    }

    fn add(&mut self, value: Value) {
        if self.rng.chance(6) {
            let name = self.rng.pick(&["x", "a name", "quote \" ; \\ \n", "", "ñ"]);
            self.builder.set_name(value, name);
        }
        self.pools.last_mut().expect("a region is open").push(value);
    }

    /// A value of the innermost region or, now and then, of one around it.
    fn any(&mut self) -> Value {
        let mut depth = self.pools.len() - 1;
        while depth > 0 && (self.pools[depth].is_empty() || self.rng.chance(4)) {
            depth -= 1;
        }
        self.rng.pick(&self.pools[depth])
    }

    /// A value of this type: one there is, or a constant, or an array of constants.
    fn of_type(&mut self, ty: &Type) -> Value {
        for _ in 0..20 {
            let value = self.any();
            if self.builder.program().ty(value) == ty {
                return value;
            }
        }
        let constants: Vec<Value> = (0..ty.shape.len())
            .map(|_| {
                let literal = literal(self.rng, ty.elem);
                self.builder.constant(literal)
            })
            .collect();
        if ty.is_scalar() {
            return constants[0];
        }
        let id = self.builder.intern(ty);
        self.origin(&constants);
        self.builder.insert(Op::Pack(id), &constants).expect("well typed")
    }

    /// Sets an origin that may use these operands.
    fn origin(&mut self, operands: &[Value]) {
        let program = self.builder.program();
        let lowest = operands.iter().map(|&v| program.value(v).origin.level.index()).max().unwrap_or(0);
        let values = program.values().len();
        let level = Level::new(lowest + self.rng.below(program.levels().len() - lowest));
        let role = match level {
            Level::PRIMAL => Role::Primal,
            _ => self.rng.pick(&[Role::Primal, Role::Tangent, Role::Cotangent]),
        };
        let of = (values > 0 && self.rng.chance(3)).then(|| Value::new(self.rng.below(values)));
        let loc = self.rng.pick(&self.locs);
        self.builder.set_origin(Origin { loc, level, role, of });
    }

    fn insert(&mut self, op: Op, operands: &[Value]) {
        self.origin(operands);
        let value = self.builder.insert(op, operands).expect("well typed");
        self.add(value);
    }

    fn step(&mut self) {
        match self.rng.below(12) {
            0 => self.constant(),
            1 => {
                let (elem, x) = (self.rng.pick(&Elem::ALL), self.any());
                self.insert(Op::Cast(elem), &[x]);
            }
            2 => self.select(),
            3 | 4 => self.element(),
            5 => self.pack(),
            6 if self.pools.len() < 4 => self.operator(),
            _ => self.prim(),
        }
    }

    fn constant(&mut self) {
        let elem = self.rng.pick(&Elem::ALL);
        let literal = literal(self.rng, elem);
        let value = self.builder.constant(literal);
        self.add(value);
    }

    fn select(&mut self) {
        let yes = self.any();
        let ty = self.builder.program().ty(yes).clone();
        let condition = Type { elem: Elem::Bool, shape: ty.shape.clone() };
        let operands = [self.of_type(&condition), yes, self.of_type(&ty)];
        self.insert(Op::Select, &operands);
    }

    fn element(&mut self) {
        let array = self.any();
        let ty = self.builder.program().ty(array).clone();
        if !ty.is_scalar() && !ty.shape.is_empty() {
            let index = self.rng.below(ty.shape.len());
            self.insert(Op::Element(index as u32), &[array]);
        }
    }

    fn pack(&mut self) {
        let ty = self.ty();
        if !ty.is_scalar() {
            let elements: Vec<Value> =
                (0..ty.shape.len()).map(|_| self.of_type(&Type::scalar(ty.elem))).collect();
            let id = self.builder.intern(&ty);
            self.insert(Op::Pack(id), &elements);
        }
    }

    fn prim(&mut self) {
        let prim = self.rng.pick(&Prim::ALL);
        let (mut ty, candidates) = (self.ty(), classes(prim));
        if !candidates.contains(&ty.elem) {
            ty.elem = self.rng.pick(&candidates);
        }
        let operands: Vec<Value> = prim
            .operands()
            .iter()
            .map(|class| {
                let elem = class.fixed().unwrap_or(ty.elem);
                self.of_type(&Type { elem, shape: ty.shape.clone() })
            })
            .collect();
        self.insert(Op::Prim(prim), &operands);
    }

    fn operator(&mut self) {
        let inputs: Vec<Value> = (0..self.rng.below(3))
            .map(|_| {
                let elem = self.rng.pick(&[Elem::F64, Elem::F32]);
                let ty = Type { elem, ..self.ty() };
                self.of_type(&ty)
            })
            .collect();
        self.builder.open_region();
        self.pools.push(Vec::new());
        for &input in &inputs {
            self.origin(&[]);
            let ty = self.builder.program().ty(input).clone();
            let param = self.builder.param(&ty);
            self.add(param);
        }
        for _ in 0..self.rng.below(8) {
            self.step();
        }
        let results: Vec<Value> = (0..self.rng.below(3)).map(|_| self.any_real()).collect();
        let body = self.builder.close_region(&results).expect("all values are in scope");
        self.pools.pop();
        self.apply(body, &inputs, &results);
    }

    fn any_real(&mut self) -> Value {
        for _ in 0..20 {
            let value = self.any();
            if self.builder.program().ty(value).elem.is_real() {
                return value;
            }
        }
        self.builder.constant(Literal::from(0.5))
    }

    fn apply(&mut self, body: evolute_ir::ClosedRegion, inputs: &[Value], results: &[Value]) {
        let mode = self.rng.pick(&[Mode::Forward, Mode::Reverse]);
        let like = match mode {
            Mode::Forward => inputs,
            Mode::Reverse => results,
        };
        let types: Vec<Type> = like.iter().map(|&v| self.builder.program().ty(v).clone()).collect();
        let seeds: Vec<Value> = types.iter().map(|ty| self.of_type(ty)).collect();
        self.latest_origin();
        for value in self.builder.operator(mode, body, inputs, &seeds).expect("well typed") {
            self.add(value);
        }
    }

    /// An origin that may use everything there is.
    fn latest_origin(&mut self) {
        let level = Level::new(self.builder.program().levels().len() - 1);
        let loc = self.rng.pick(&self.locs);
        self.builder.set_origin(Origin { loc, level, ..Origin::default() });
    }
}

fn classes(prim: Prim) -> Vec<Elem> {
    let free = prim.operands().iter().find(|class| class.fixed().is_none());
    Elem::ALL.into_iter().filter(|&elem| free.is_none_or(|class: &Class| class.contains(elem))).collect()
}
