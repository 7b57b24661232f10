//! A user's line in a trace, from which arrays are built.
//!
//! What works on arrays knows the shape of its result before it inserts anything. So after a mistake, of shape or of
//! another kind, it gives a placeholder of that shape, and the closure runs on: what it asks of shapes
//! stays what it would be. The first mistake is kept, with its line.

use super::{Caller, Operand, Repr, Trace, current, failed, foreign, home, with};
use crate::error::TraceError;
use crate::kind::Form;
use crate::traced::Traced;
use evolute_ir::{Elem, Literal, Op, Prim, Reduction, Shape, SourceLoc, Strides, Type, Value};

/// A line in a trace. See the [module](self).
#[derive(Clone, Copy)]
pub(crate) struct Site<'a> {
    pub(crate) trace: &'a Trace,
    pub(crate) caller: Caller,
}

/// What `body` makes in the trace of `operands`, or in the innermost one if these are constants.
pub(crate) fn at<'t, F: Form>(
    operands: &[Operand],
    caller: Caller,
    body: impl FnOnce(Site<'_>, &[Value]) -> Value,
) -> Traced<'t, F> {
    let make = |trace: &Trace| {
        let values = trace.values(operands, caller);
        trace.node(body(Site { trace, caller }, &values))
    };
    Traced::new(match (home(operands), current()) {
        (Some(id), _) => with(id, make).unwrap_or_else(|| failed(foreign(caller))),
        (None, Some(trace)) => make(&trace),
        (None, None) => failed(TraceError::Outside { at: SourceLoc::of(caller) }),
    })
}

/// The extents of a traced value; of a scalar, or after a mistake outside of every trace, none.
pub(crate) fn extents((repr, _): Operand) -> Vec<usize> {
    match repr {
        Repr::Node { trace, value } => with(trace, |trace| trace.extents(value)).unwrap_or_default(),
        Repr::Const(_) | Repr::Failed(_) => Vec::new(),
    }
}

impl Trace {
    pub(crate) fn extents(&self, value: Value) -> Vec<usize> {
        let builder = self.builder.borrow();
        builder.program().ty(value).shape.extents().iter().map(|&extent| extent as usize).collect()
    }

    /// What stands for a value of this type that there is not, after a mistake: the program will not be used, so an
    /// array may be a parameter that nothing gives.
    pub(crate) fn placeholder(&self, ty: &Type) -> Value {
        debug_assert!(self.error.borrow().is_some(), "a mistake has been made");
        if ty.is_scalar() {
            return self.nan(ty.elem);
        }
        let known = self.placeholders.borrow().get(ty).copied();
        known.unwrap_or_else(|| {
            let value = self.builder.borrow_mut().param(ty);
            self.placeholders.borrow_mut().insert(ty.clone(), value);
            value
        })
    }

    /// What stands for another value like this one.
    pub(crate) fn placeholder_of(&self, operand: Operand) -> Value {
        self.placeholder(&self.type_of(operand))
    }
}

impl Site<'_> {
    pub(crate) fn extents(&self, value: Value) -> Vec<usize> {
        self.trace.extents(value)
    }

    pub(crate) fn elem(&self, value: Value) -> Elem {
        self.trace.builder.borrow().program().ty(value).elem
    }

    /// An array type; a scalar's, and a mistake, if it is too large.
    pub(crate) fn ty(&self, elem: Elem, extents: &[usize]) -> Type {
        Type::array(elem, extents).unwrap_or_else(|| {
            let (len, limit) = (Shape::asked(extents), Shape::MAX_ELEMENTS);
            self.trace.fail(TraceError::Extent { len, limit, at: self.line() });
            Type::scalar(elem)
        })
    }

    fn line(&self) -> SourceLoc {
        self.trace.user_line(self.caller)
    }

    /// A mistake of shape.
    pub(crate) fn mistake(&self, operation: &'static str, expected: impl ToString, found: impl ToString) {
        let (expected, found) = (expected.to_string(), found.to_string());
        self.trace.fail(TraceError::Shape { operation, expected, found, at: self.line() });
    }

    /// A mistake of shape, and what stands for the result.
    pub(crate) fn misfit(
        &self,
        operation: &'static str,
        expected: impl ToString,
        found: impl ToString,
        like: &Type,
    ) -> Value {
        self.mistake(operation, expected, found);
        self.trace.placeholder(like)
    }

    /// Inserts an operation whose result is of type `ty`.
    pub(crate) fn insert(&self, op: Op, operands: &[Value], ty: &Type) -> Value {
        let value = self.trace.build(self.caller, |builder| builder.insert(op, operands));
        value.unwrap_or_else(|| self.trace.placeholder(ty))
    }

    pub(crate) fn constant(&self, literal: Literal) -> Value {
        self.trace.constant(literal, self.caller)
    }

    pub(crate) fn integer(&self, x: usize) -> Value {
        self.constant(Literal::I64(x as i64))
    }

    /// An array of equal numbers.
    pub(crate) fn full(&self, ty: &Type, x: f64) -> Value {
        let scalar = self.constant(Literal::from_f64(ty.elem, x));
        let extents: Vec<usize> = ty.shape.extents().iter().map(|&extent| extent as usize).collect();
        self.broadcast(scalar, &extents)
    }

    pub(crate) fn prim(&self, prim: Prim, operands: &[Value]) -> Value {
        self.pointwise(Op::Prim(prim), prim.name(), operands, self.elem(operands[0]))
    }

    /// One instruction that reads elements at other indices. The builder gives back the operand if they are the same.
    /// It stands where the array is made, unless it repeats elements: so a loop that reads a part of an array captures
    /// that part, and its derivative adds to a part.
    pub(crate) fn view(&self, x: Value, extents: &[usize], offset: i64, strides: &[i64]) -> Value {
        let ty = self.ty(self.elem(x), extents);
        if extents.is_empty() && self.extents(x).is_empty() {
            return x;
        }
        let op = self.trace.build(self.caller, |builder| {
            let strides = builder.strides(&Strides { offset, strides: strides.into() });
            Ok(Op::View(builder.intern(&ty), strides))
        });
        let fits = ty.shape.extents().len() == extents.len();
        let Some(op) = op.filter(|_| fits) else { return self.trace.placeholder(&ty) };
        let value = self.trace.build(self.caller, |builder| {
            let (of, home) = (builder.program().ty(x), builder.program().value(x).region);
            match ty.shape.len() <= of.shape.len() && builder.depth(home).is_some() {
                true => builder.within(home, |builder| builder.insert(op, &[x])),
                false => builder.insert(op, &[x]),
            }
        });
        value.unwrap_or_else(|| self.trace.placeholder(&ty))
    }

    /// The same elements in row-major order.
    pub(crate) fn reshape(&self, x: Value, extents: &[usize]) -> Value {
        self.view(x, extents, 0, &row_major(extents))
    }

    /// Axis `k` of the result is axis `axes[k]`, of those that there are.
    pub(crate) fn permute(&self, x: Value, axes: &[usize]) -> Value {
        let extents = self.extents(x);
        let strides = row_major(&extents);
        let extents: Vec<usize> = axes.iter().map(|&axis| extents[axis]).collect();
        let strides: Vec<i64> = axes.iter().map(|&axis| strides[axis]).collect();
        self.view(x, &extents, 0, &strides)
    }

    /// Axis `from` becomes axis `to`.
    pub(crate) fn move_axis(&self, x: Value, from: usize, to: usize) -> Value {
        let mut axes: Vec<usize> = (0..self.extents(x).len()).collect();
        let axis = axes.remove(from);
        axes.insert(to, axis);
        self.permute(x, &axes)
    }

    /// `x` repeated along axes of extent 1 and further leading axes, which must lead to these extents.
    pub(crate) fn broadcast(&self, x: Value, extents: &[usize]) -> Value {
        let own = self.extents(x);
        let lead = extents.len() - own.len();
        let mut strides = vec![0; lead];
        let repeated = own.iter().zip(&extents[lead..]).map(|(&own, &extent)| own == 1 && extent != 1);
        strides.extend(
            repeated.zip(row_major(&own)).map(|(repeated, stride)| if repeated { 0 } else { stride }),
        );
        self.view(x, extents, 0, &strides)
    }

    /// Applies an operation element by element, after broadcasting.
    pub(crate) fn pointwise(&self, op: Op, name: &'static str, operands: &[Value], elem: Elem) -> Value {
        let shapes: Vec<Vec<usize>> = operands.iter().map(|&x| self.extents(x)).collect();
        let mut common = shapes[0].clone();
        for shape in &shapes[1..] {
            match broadcast(&common, shape) {
                Some(wider) => common = wider,
                None => {
                    let ty = self.ty(elem, &common);
                    let found = format!("{common:?} and {shape:?}");
                    return self.misfit(name, "shapes that broadcast", found, &ty);
                }
            }
        }
        let operands: Vec<Value> = operands.iter().map(|&x| self.broadcast(x, &common)).collect();
        self.insert(op, &operands, &self.ty(elem, &common))
    }

    /// The elements of `values`, one after the other.
    pub(crate) fn pack(&self, elem: Elem, values: &[Value], extents: &[usize]) -> Value {
        let ty = self.ty(elem, extents);
        if ty.is_scalar() {
            return self.trace.placeholder(&ty);
        }
        let id = self.trace.builder.borrow_mut().intern(&ty);
        self.insert(Op::Pack(id), values, &ty)
    }

    /// Combines all but the first `kept` axes.
    pub(crate) fn reduce(&self, reduction: Reduction, x: Value, kept: usize) -> Value {
        let elem = if reduction.is_index() { Elem::I64 } else { self.elem(x) };
        let ty = self.ty(elem, &self.extents(x)[..kept]);
        let id = self.trace.builder.borrow_mut().intern(&ty);
        self.insert(Op::Reduce(reduction, id), &[x], &ty)
    }

    /// The part of `x` at these indices of its first axes.
    pub(crate) fn part(&self, x: Value, indices: &[Value]) -> Value {
        if indices.is_empty() {
            return x;
        }
        let ty = self.ty(self.elem(x), &self.extents(x)[indices.len()..]);
        self.insert(Op::At, &[&[x], indices].concat(), &ty)
    }
}

/// The strides of a row-major array.
pub(crate) fn row_major(extents: &[usize]) -> Vec<i64> {
    let mut step: i64 = 1;
    let mut strides: Vec<i64> = extents.iter().rev().map(|&e| step_by(&mut step, e)).collect();
    strides.reverse();
    strides
}

fn step_by(step: &mut i64, extent: usize) -> i64 {
    let stride = *step;
    *step = step.saturating_mul(extent as i64);
    stride
}

/// The shape to which two shapes broadcast, as in NumPy.
pub(crate) fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    let mut common = long.to_vec();
    for (extent, &other) in common[long.len() - short.len()..].iter_mut().zip(short) {
        match (*extent, other) {
            (own, other) if own == other => {}
            (1, other) => *extent = other,
            (_, 1) => {}
            _ => return None,
        }
    }
    Some(common)
}
