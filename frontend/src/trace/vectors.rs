//! Trees of reals as one vector, which is what solvers work on.

use super::{Operand, Site};
use crate::error::TraceError;
use crate::tree::Leaf;
use evolute_ir::{Elem, Op, Strides, Type, Value};

/// How the leaves of a tree lie in a vector.
pub(crate) struct Layout {
    types: Vec<Type>,
    elem: Elem,
    len: usize,
}

impl Layout {
    /// The vector's type.
    pub(crate) fn vector(&self, site: Site<'_>) -> Type {
        site.ty(self.elem, &[self.len])
    }
}

impl Site<'_> {
    /// The layout of these leaves, if they are reals of one kind.
    pub(crate) fn layout(&self, operation: &'static str, leaves: &[Leaf<'_>]) -> Option<Layout> {
        let types: Vec<Type> = leaves.iter().map(|leaf| self.trace.type_of(leaf.operand())).collect();
        let elem = types.first().map_or(Elem::F64, |ty| ty.elem);
        if types.iter().any(|ty| ty.elem != elem) {
            self.mistake(operation, "reals of one element kind", "several");
            return None;
        }
        let len = types.iter().map(|ty| ty.shape.len()).sum();
        Some(Layout { types, elem, len })
    }

    /// The leaves as one vector, if they are as the layout says.
    pub(crate) fn packed(
        &self,
        operation: &'static str,
        layout: &Layout,
        leaves: &[Operand],
    ) -> Option<Value> {
        let found: Vec<Type> = leaves.iter().map(|&x| self.trace.type_of(x)).collect();
        if found != layout.types {
            let at = self.trace.user_line(self.caller);
            let (expected, found) = (listed(&layout.types), listed(&found));
            self.trace.fail(TraceError::Shape { operation, expected, found, at });
            return None;
        }
        let values = self.trace.values(leaves, self.caller);
        let ty = layout.vector(*self);
        self.trace.build(self.caller, |builder| {
            let id = builder.intern(&ty);
            builder.insert(Op::Pack(id), &values)
        })
    }

    /// The leaves that lie in a vector, like these.
    pub(crate) fn unpacked<'t>(&self, layout: &Layout, vector: Value, like: &[Leaf<'t>]) -> Vec<Leaf<'t>> {
        let mut start = 0;
        let mut leaves = Vec::with_capacity(like.len());
        for (ty, &leaf) in layout.types.iter().zip(like) {
            let value = self.trace.build(self.caller, |builder| match ty.is_scalar() {
                true => builder.insert(Op::Element(start as u32), &[vector]),
                false => {
                    let strides = Strides { offset: start, ..Strides::row_major(&ty.shape) };
                    let op = Op::View(builder.intern(ty), builder.strides(&strides));
                    builder.insert(op, &[vector])
                }
            });
            start += ty.shape.len() as i64;
            let value = value.unwrap_or_else(|| self.trace.placeholder(ty));
            leaves.push(self.trace.leaf_like(leaf, value));
        }
        leaves
    }

    /// What stands for these leaves after a mistake.
    pub(crate) fn placeholders<'t>(&self, like: &[Leaf<'t>]) -> Vec<Leaf<'t>> {
        let placeholder =
            |&leaf: &Leaf<'t>| self.trace.leaf_like(leaf, self.trace.placeholder_of(leaf.operand()));
        like.iter().map(placeholder).collect()
    }
}

fn listed(types: &[Type]) -> String {
    format!("({})", types.iter().map(Type::to_string).collect::<Vec<_>>().join(", "))
}
