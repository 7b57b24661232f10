//! What an instruction does: the closed set of operations.

use crate::entity::{CalleeId, ExternalId, LoopId, Region, SolverId, StridesId, TypeId};
use crate::error::Closure;
use crate::infer::op_name;
use crate::linalg::Linalg;
use crate::prim::Prim;
#[cfg(doc)]
use crate::structure::LoopSpec;
use crate::structure::Reduction;
use crate::types::{Elem, Literal};

/// What an instruction does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Op {
    /// A scalar constant.
    Const(Literal),
    /// A row of the primitive table, applied element by element.
    Prim(Prim),
    /// Conversion of elements: real to integer truncates and saturates (NaN gives 0), integer to real
    /// rounds to nearest, anything to `bool` asks whether it differs from zero.
    Cast(Elem),
    /// `select c, a, b`: `a` where `c` holds, else `b`.
    Select,
    /// The scalar at a flat index of an array.
    Element(u32),
    /// An array of the type given: the elements of its operands, scalars or arrays, one after the other. None of
    /// these is empty; the builder leaves out what is.
    Pack(TypeId),
    /// The array 0, 1, 2, … of this type.
    Iota(TypeId),
    /// The array of this type whose element at an index is the operand's at the flat index that the strides
    /// give: broadcasts, slices, transposes, reshapes.
    View(TypeId, StridesId),
    /// The transpose of `View`: zeros of this type, to which the operand's elements are added at the flat
    /// indices that the strides give, in row-major order.
    Spread(TypeId, StridesId),
    /// The operand's last axes combined, as many as are missing from this type.
    Reduce(Reduction, TypeId),
    /// Products of matrices: `[b, m, k] · [b, k, n] → [b, m, n]`. Each element is a sum in lanes.
    Dot,
    /// `at x, i…`: the part of `x` at these indices of its first axes. An index out of range is an error of the
    /// call.
    At,
    /// `add_at x, y, i…`: `x` with `y` added to its part at these indices.
    AddAt,
    /// A function of the user's; see [`External`](crate::External).
    External(ExternalId),
    /// `call f x…`: the results of a function of the program's on `[x…]`; see [`Callee`](crate::Callee).
    Call(CalleeId),
    /// Dense linear algebra: factorisations, solves, and what is made of them.
    Linalg(Linalg),
    /// A loop; see [`LoopSpec`].
    Loop {
        /// What is done each time.
        body: Region,
        /// Whether to go on, of a `while`.
        condition: Option<Region>,
        /// What its operands, parameters and results are.
        spec: LoopId,
    },
    /// `cond c, s…, x…`: the results of one region on `[s…, x…]`, of `yes` if `c` holds and of `no` otherwise. The
    /// first `sums` parameters and the last `sums` results are sums as those of a loop.
    Cond {
        /// The region taken where the condition holds.
        yes: Region,
        /// The other.
        no: Region,
        /// The number of sums.
        sums: u32,
    },
    /// `custom x…`: the results `y…` of `primal` on `[x…]`. Its derivative is not that of `primal` but what `rule` says: a
    /// region on `[u…, y…, x…]` that gives the tangents of the real ones of `y…`, linear in the tangents `u…` of the
    /// real ones of `x…`.
    Custom {
        /// What is computed.
        primal: Region,
        /// How it is differentiated, in every mode and order.
        rule: Region,
    },
    /// `linear_solve b, c…`: the vector `x` with `A x = b`, where `matrix` on `[v, c…]` gives `A v`, linear in `v`. What
    /// `inverse` gives on `[v, w, c…]` approximates `A⁻¹ v` and `A⁻ᵀ w`; the transposed system has them the other way round.
    LinearSolve {
        /// The product of the matrix and a vector.
        matrix: Region,
        /// What the user knows of the inverse, as the method takes it.
        inverse: Option<Region>,
        /// How the solution is found.
        solver: SolverId,
    },
    /// `jvp [x…, ẋ…, c…]` of a region with parameters `[x…, c…]`: its results and their tangents. The
    /// first `wrt` parameters are differentiated, the captured `c…` are constants.
    Jvp {
        /// The body.
        region: Region,
        /// How many leading parameters are differentiated.
        wrt: u32,
    },
    /// `vjp [x…, ȳ…, c…]` of a region with parameters `[x…, c…]` and results `y…`: its results and the
    /// cotangents of `x…`.
    Vjp {
        /// The body.
        region: Region,
        /// How many leading parameters are differentiated.
        wrt: u32,
    },
}

impl Op {
    /// The nested regions, in the order of the text: at most two.
    pub fn regions(self) -> impl DoubleEndedIterator<Item = Region> {
        let nested = self.nested().map(|(_, regions)| regions);
        nested.into_iter().flatten().flatten()
    }

    /// Its regions, and what they are to it.
    pub(crate) fn nested(self) -> Option<(Closure, [Option<Region>; 2])> {
        match self {
            Op::Jvp { region, .. } | Op::Vjp { region, .. } => {
                Some((Closure::Derivative, [Some(region), None]))
            }
            Op::Loop { body, condition, .. } => Some((Closure::Loop, [condition, Some(body)])),
            Op::Cond { yes, no, .. } => Some((Closure::Branch, [Some(yes), Some(no)])),
            Op::Custom { primal, rule } => Some((Closure::Custom, [Some(primal), Some(rule)])),
            Op::LinearSolve { matrix, inverse, .. } => Some((Closure::Matrix, [Some(matrix), inverse])),
            Op::Const(_)
            | Op::Prim(_)
            | Op::Cast(_)
            | Op::Select
            | Op::Element(_)
            | Op::Pack(_)
            | Op::Iota(_)
            | Op::View(..)
            | Op::Spread(..)
            | Op::Reduce(..)
            | Op::Dot
            | Op::At
            | Op::AddAt
            | Op::External(_)
            | Op::Call(_)
            | Op::Linalg(_) => None,
        }
    }

    /// The name in the text form.
    pub fn name(self) -> String {
        op_name(self)
    }

    /// Whether it has regions or is a call: then it has any number of results, and a derivative that is not an
    /// expression of its operands.
    pub fn is_structure(self) -> bool {
        matches!(self, Op::Call(_)) || self.nested().is_some()
    }

    /// Whether it is a derivative operator.
    pub fn is_derivative(self) -> bool {
        matches!(self, Op::Jvp { .. } | Op::Vjp { .. })
    }

    /// Whether it is there to be differentiated, and replaced by what it stands for once all derivatives are taken.
    pub fn is_implicit(self) -> bool {
        matches!(self, Op::Custom { .. } | Op::LinearSolve { .. })
    }

    /// The operation with its nested regions replaced, in the order of [`Op::regions`].
    pub(crate) fn with_regions(self, mut to: impl FnMut(Region) -> Region) -> Op {
        match self {
            Op::Jvp { region, wrt } => Op::Jvp { region: to(region), wrt },
            Op::Vjp { region, wrt } => Op::Vjp { region: to(region), wrt },
            Op::Loop { body, condition, spec } => {
                let condition = condition.map(&mut to);
                Op::Loop { body: to(body), condition, spec }
            }
            Op::Cond { yes, no, sums } => {
                let yes = to(yes);
                Op::Cond { yes, no: to(no), sums }
            }
            Op::Custom { primal, rule } => {
                let primal = to(primal);
                Op::Custom { primal, rule: to(rule) }
            }
            Op::LinearSolve { matrix, inverse, solver } => {
                let matrix = to(matrix);
                Op::LinearSolve { matrix, inverse: inverse.map(to), solver }
            }
            op @ (Op::Const(_)
            | Op::Prim(_)
            | Op::Cast(_)
            | Op::Select
            | Op::Element(_)
            | Op::Pack(_)
            | Op::Iota(_)
            | Op::View(..)
            | Op::Spread(..)
            | Op::Reduce(..)
            | Op::Dot
            | Op::At
            | Op::AddAt
            | Op::External(_)
            | Op::Call(_)
            | Op::Linalg(_)) => op,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Op;
    use crate::program::InstData;

    /// What is larger stands in tables of the program: most of a program is small instructions.
    #[test]
    fn instructions_are_small() {
        assert_eq!((size_of::<Op>(), size_of::<InstData>()), (16, 32));
    }
}
