//! Arrays of any element kind, owned: what is given to and taken from an evaluation.

use crate::types::{Elem, Literal};

/// One array or scalar given to or taken from an evaluation, row-major.
#[derive(Clone, Debug, PartialEq)]
pub enum Buffer {
    /// `f64` elements.
    F64(Vec<f64>),
    /// `f32` elements.
    F32(Vec<f32>),
    /// `i64` elements.
    I64(Vec<i64>),
    /// `bool` elements.
    Bool(Vec<bool>),
}

impl Buffer {
    /// A buffer of `len` zeros.
    pub fn zeros(elem: Elem, len: usize) -> Buffer {
        match elem {
            Elem::F64 => Buffer::F64(vec![0.0; len]),
            Elem::F32 => Buffer::F32(vec![0.0; len]),
            Elem::I64 => Buffer::I64(vec![0; len]),
            Elem::Bool => Buffer::Bool(vec![false; len]),
        }
    }

    /// The element kind.
    pub fn elem(&self) -> Elem {
        match self {
            Buffer::F64(_) => Elem::F64,
            Buffer::F32(_) => Elem::F32,
            Buffer::I64(_) => Elem::I64,
            Buffer::Bool(_) => Elem::Bool,
        }
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        match self {
            Buffer::F64(x) => x.len(),
            Buffer::F32(x) => x.len(),
            Buffer::I64(x) => x.len(),
            Buffer::Bool(x) => x.len(),
        }
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at `index`.
    ///
    /// # Panics
    /// If there is none.
    pub fn get(&self, index: usize) -> Literal {
        match self {
            Buffer::F64(x) => Literal::F64(x[index].to_bits()),
            Buffer::F32(x) => Literal::F32(x[index].to_bits()),
            Buffer::I64(x) => Literal::I64(x[index]),
            Buffer::Bool(x) => Literal::Bool(x[index]),
        }
    }
}
