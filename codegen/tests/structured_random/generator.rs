//! Random instructions without regions.

use crate::common::Random;
use evolute_ir::{Builder, Callee, Elem, Literal, Op, Prim, Reduction, Strides, Type, Value};

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

/// A program under construction.
pub(crate) struct Generator {
    pub(crate) builder: Builder,
    pub(crate) random: Random,
    /// The values of the regions open.
    pub(crate) pool: Vec<Value>,
    pub(crate) depth: usize,
    /// Functions to be called.
    pub(crate) callees: Vec<Callee>,
}

impl Generator {
    pub(crate) fn ty(&self, value: Value) -> Type {
        self.builder.program().ty(value).clone()
    }

    /// A value that satisfies the condition, mostly a young one.
    pub(crate) fn pick(&mut self, fits: impl Fn(&Type) -> bool) -> Option<Value> {
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

    pub(crate) fn shape(&mut self) -> Vec<usize> {
        let axes = self.random.below(4);
        (0..axes).map(|_| [1, 2, 3, 5, 4, 2, 9, 0][self.random.below(if axes > 2 { 4 } else { 8 })]).collect()
    }

    fn constant(&mut self, elem: Elem) -> Value {
        let x = [0.0, -0.0, 1.0, -2.0, 0.5, 3.0, f64::NAN, f64::INFINITY][self.random.below(8)];
        self.builder.constant(Literal::from_f64(elem, x))
    }

    /// An integer that is mostly below `extent`.
    pub(crate) fn index(&mut self, extent: usize) -> Value {
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

    pub(crate) fn step(&mut self) {
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
    pub(crate) fn add_to(&mut self, array: Value) -> Option<Value> {
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
    pub(crate) fn filled(&mut self, ty: &Type) -> Option<Value> {
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

    fn call(&mut self) -> Option<Value> {
        let callee = self.callees[self.random.below(self.callees.len())].clone();
        let operands: Option<Vec<Value>> =
            callee.param_types().iter().map(|ty| self.pick(|other| other == ty)).collect();
        let results = self.builder.call(&callee, &operands?).expect("well typed");
        self.pool.extend(&results);
        results.first().copied()
    }
}
