//! Random loops and conditionals, and what becomes of sums in them.

use crate::generator::Generator;
use evolute_ir::{ClosedRegion, Elem, Literal, LoopSpec, Op, Prim, Trips, Type, Value};

impl Generator {
    pub(crate) fn steps(&mut self, count: usize) {
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

    pub(crate) fn looping(&mut self) -> Option<Value> {
        // Only the outermost are so long that their sums have segments.
        let long = self.depth == 0 && self.random.below(12) == 0;
        let cap = [0, 1, 2, 5, 7, 16, 19, 300, 523]
            [if long { 7 } else { 0 } + self.random.below(if long { 2 } else { 7 })];
        // One in three has what vectors want: no carries, and f64s.
        let plain = self.random.below(3) == 0;
        let trips = [Trips::Fixed(cap), Trips::Fixed(cap), Trips::Counted(cap), Trips::While(cap)]
            [self.random.below(if plain { 3 } else { 4 })];
        let reverse = !plain && !matches!(trips, Trips::While(_)) && self.random.below(2) == 0;
        let mut operands = Vec::new();
        if let Trips::Counted(cap) = trips {
            operands.push(self.index(cap as usize + 1));
        }
        let count = if plain { 0 } else { self.random.below(3) };
        let carries: Vec<Value> = (0..count).filter_map(|_| self.pick(|_| true)).collect();
        let mut rows = Vec::new();
        for _ in 0..self.random.below(3) {
            let elem = if plain { Elem::F64 } else { Elem::ALL[self.random.below(4)] };
            let mut shape = self.shape();
            shape.truncate(2);
            shape.insert(0, cap as usize);
            let ty = Type::array(elem, &shape)?;
            rows.extend(if ty.shape.len() > 200 { None } else { self.filled(&ty) });
        }
        let wanted = self.random.below(3);
        let sums: Vec<Value> = (0..wanted)
            .filter_map(|_| {
                let kind = |elem: Elem| if plain { elem == Elem::F64 } else { elem != Elem::Bool };
                self.pick(|ty| kind(ty.elem) && ty.shape.len() <= 40)
            })
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

    pub(crate) fn conditional(&mut self) -> Option<Value> {
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
