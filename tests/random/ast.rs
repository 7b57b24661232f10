//! Functions of real numbers as syntax trees, and their evaluation on plain and on traced numbers.
//!
//! A [`Block`] sees the values of an environment and appends to it; the body of a nested derivative is a block
//! that sees its parameters and all of its surroundings: these it captures. Evaluated on traced numbers a tree runs through
//! the public tracing interface, as a user's generic function does; without derivatives it runs on `f64` and
//! `f32` too.

use evolute::ir::{Prim, for_each_prim};
use evolute::{Logic, Real, RealKind, Traced, grad, hvp, jvp, value_and_grad, vjp};

/// A sequence of nodes, each adding values to the environment, and the places of the results in it.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) nodes: Vec<Node>,
    pub(crate) results: Vec<usize>,
}

/// What adds values to the environment. Operands are places in it.
#[derive(Debug)]
pub(crate) enum Node {
    Constant(f64),
    /// A row of THE table that gives a real number; `n` stands for an integer operand.
    Prim {
        prim: Prim,
        operands: [usize; 3],
        n: i32,
    },
    Select {
        condition: Condition,
        yes: usize,
        no: usize,
    },
    Derivative(Derivative),
}

/// A truth value.
#[derive(Debug)]
pub(crate) enum Condition {
    /// Two values compared by one of the four orders.
    Compare(usize, [usize; 2]),
    Not(Box<Condition>),
    And(Box<[Condition; 2]>),
    Or(Box<[Condition; 2]>),
}

/// A nested derivative of a block at some values, along some others.
#[derive(Debug)]
pub(crate) struct Derivative {
    pub(crate) operator: Operator,
    pub(crate) at: Vec<usize>,
    /// As many as `at` (`Jvp`, `Hvp`) or as the body's results (`Vjp`), else none.
    pub(crate) seeds: Vec<usize>,
    pub(crate) body: Block,
}

/// The derivative operators on closures.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Operator {
    Grad,
    ValueAndGrad,
    Jvp,
    Vjp,
    Hvp,
}

impl Operator {
    pub(crate) const ALL: [Operator; 5] =
        [Operator::Grad, Operator::Jvp, Operator::Vjp, Operator::Hvp, Operator::ValueAndGrad];
}

/// Numbers that trees are evaluated on.
pub(crate) trait Number: Real {
    /// The values that a nested derivative gives.
    fn derivative(derivative: &Derivative, env: &[Self]) -> Vec<Self>;
}

impl Number for f64 {
    fn derivative(_: &Derivative, _: &[f64]) -> Vec<f64> {
        unreachable!("only trees without derivatives are evaluated on plain numbers")
    }
}

impl Number for f32 {
    fn derivative(_: &Derivative, _: &[f32]) -> Vec<f32> {
        unreachable!("only trees without derivatives are evaluated on plain numbers")
    }
}

impl<'t, K: RealKind> Number for Traced<'t, K> {
    fn derivative(derivative: &Derivative, env: &[Self]) -> Vec<Self> {
        let [at, seeds] = [&derivative.at, &derivative.seeds]
            .map(|places| places.iter().map(|&i| env[i]).collect::<Vec<_>>());
        let body = |x: Vec<Self>| derivative.body.eval(&[env, &x].concat());
        let scalar = |x: Vec<Self>| body(x)[0];
        match derivative.operator {
            Operator::Grad => grad(scalar, at),
            Operator::ValueAndGrad => {
                let (value, gradient) = value_and_grad(scalar, at);
                [vec![value], gradient].concat()
            }
            Operator::Jvp => <[_; 2]>::from(jvp(body, at, seeds)).concat(),
            Operator::Vjp => <[_; 2]>::from(vjp(body, at, seeds)).concat(),
            Operator::Hvp => hvp(scalar, at, seeds),
        }
    }
}

impl Block {
    /// The results, given the environment.
    pub(crate) fn eval<T: Number>(&self, env: &[T]) -> Vec<T> {
        let mut env = env.to_vec();
        for node in &self.nodes {
            match node {
                Node::Constant(x) => env.push(T::of(*x)),
                Node::Prim { prim, operands, n } => {
                    let value = apply(*prim, operands.map(|place| env[place]), *n);
                    env.push(value.expect("nodes are made of rows that give real numbers"));
                }
                Node::Select { condition, yes, no } => {
                    env.push(condition.eval(&env).select(env[*yes], env[*no]));
                }
                Node::Derivative(derivative) => env.extend(T::derivative(derivative, &env)),
            }
        }
        self.results.iter().map(|&place| env[place]).collect()
    }

    /// Whether no derivative is nested in it.
    pub(crate) fn is_plain(&self) -> bool {
        !self.nodes.iter().any(|node| matches!(node, Node::Derivative(_)))
    }
}

impl Condition {
    fn eval<T: Number>(&self, env: &[T]) -> T::Bool {
        match self {
            Condition::Compare(order, [x, y]) => [T::lt, T::le, T::gt, T::ge][*order % 4](env[*x], env[*y]),
            Condition::Not(x) => !x.eval(env),
            Condition::And(both) => both[0].eval(env) & both[1].eval(env),
            Condition::Or(both) => both[0].eval(env) | both[1].eval(env),
        }
    }
}

macro_rules! define_apply {
    ($($Variant:ident $name:ident ($($x:ident: $class:ident),+) -> $r:ident: $result:ident,
       { $($kind:ident $eval:tt $native:ident);+ }, $([$($partial:tt)+])* $(/ $divisor:ident)?, [$($domain:expr),+], $doc:literal;)*) => {
        /// A row of THE table on numbers, through the methods that users call; `None` if it gives no real number.
        pub(crate) fn apply<T: Real>(prim: Prim, [x, y, z]: [T; 3], n: i32) -> Option<T> {
            match prim {
                $(Prim::$Variant => define_apply!(@row $name ($($class)+) $result x y z n),)*
            }
        }
    };
    (@row polygamma $classes:tt $result:ident $x:ident $y:ident $z:ident $n:ident) => {
        Some($x.polygamma($n.unsigned_abs()))
    };
    (@row $name:ident ($a:ident I) R $x:ident $y:ident $z:ident $n:ident) => { Some(T::$name($x, $n)) };
    (@row $name:ident ($a:ident) B $($x:ident)+) => { None };
    (@row $name:ident ($a:ident $b:ident) B $($x:ident)+) => { None };
    (@row $name:ident ($a:ident) $result:ident $x:ident $y:ident $z:ident $n:ident) => { Some(T::$name($x)) };
    (@row $name:ident ($a:ident $b:ident) $result:ident $x:ident $y:ident $z:ident $n:ident) => { Some(T::$name($x, $y)) };
    (@row $name:ident ($a:ident $b:ident $c:ident) $result:ident $x:ident $y:ident $z:ident $n:ident) => { Some(T::$name($x, $y, $z)) };
}
for_each_prim!(define_apply);
