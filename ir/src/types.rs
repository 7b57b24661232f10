//! Types: an element kind and a static shape.
//!
//! Shapes are static because tracing again costs microseconds while generality would cost every
//! loop a check. A scalar is an array of rank 0. Elements are stored row-major and contiguously.

use std::fmt;

/// What one element is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Elem {
    /// IEEE binary64.
    F64,
    /// IEEE binary32.
    F32,
    /// Two's complement, wrapping.
    I64,
    /// `true` or `false`, one byte in memory.
    Bool,
}

impl Elem {
    /// Every element kind.
    pub const ALL: [Elem; 4] = [Elem::F64, Elem::F32, Elem::I64, Elem::Bool];

    /// The name in the text form.
    pub fn name(self) -> &'static str {
        match self {
            Elem::F64 => "f64",
            Elem::F32 => "f32",
            Elem::I64 => "i64",
            Elem::Bool => "bool",
        }
    }

    /// The element kind of this name.
    pub fn from_name(name: &str) -> Option<Elem> {
        Elem::ALL.into_iter().find(|elem| elem.name() == name)
    }

    /// Whether derivatives with respect to it exist.
    pub fn is_real(self) -> bool {
        matches!(self, Elem::F64 | Elem::F32)
    }

    /// Bytes in memory.
    pub fn size(self) -> usize {
        match self {
            Elem::F64 | Elem::I64 => 8,
            Elem::F32 => 4,
            Elem::Bool => 1,
        }
    }
}

impl fmt::Display for Elem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The extents of an array, outermost first; empty for a scalar.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Shape(Box<[u32]>);

impl Shape {
    /// The largest number of elements an array may have.
    pub const MAX_ELEMENTS: u64 = 1 << 31;

    /// A shape of these extents, or `None` if an array of its axes that are not empty would be past
    /// [`Shape::MAX_ELEMENTS`]: so strides do not overflow.
    pub fn new(extents: &[usize]) -> Option<Shape> {
        let fits = Shape::asked(extents) as u64 <= Self::MAX_ELEMENTS;
        fits.then(|| Shape(extents.iter().map(|&e| e as u32).collect()))
    }

    /// The number of elements that counts against [`Shape::MAX_ELEMENTS`]: that of the axes that are not empty.
    pub fn asked(extents: &[usize]) -> usize {
        extents.iter().fold(1, |n: usize, &extent| n.saturating_mul(extent.max(1)))
    }

    /// The shape of so many rows, which may be past the limit.
    pub(crate) fn of_rows(count: u32, row: &Shape) -> Shape {
        Shape(std::iter::once(count).chain(row.extents().iter().copied()).collect())
    }

    /// Whether it has more elements than an array may have.
    pub fn is_past_limit(&self) -> bool {
        self.len() as u64 > Self::MAX_ELEMENTS
    }

    /// The shape of a scalar.
    pub fn scalar() -> Shape {
        Shape::default()
    }

    /// The extents, outermost first.
    pub fn extents(&self) -> &[u32] {
        &self.0
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.0.iter().map(|&e| e as usize).product()
    }

    /// Whether the array has no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether this is the shape of a scalar.
    pub fn is_scalar(&self) -> bool {
        self.0.is_empty()
    }
}

/// The type of a value.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Type {
    /// What one element is.
    pub elem: Elem,
    /// How many there are, and in what arrangement.
    pub shape: Shape,
}

impl Type {
    /// The type of one element.
    pub fn scalar(elem: Elem) -> Type {
        Type { elem, shape: Shape::scalar() }
    }

    /// An array type, or `None` if it is too large.
    pub fn array(elem: Elem, extents: &[usize]) -> Option<Type> {
        Some(Type { elem, shape: Shape::new(extents)? })
    }

    /// Whether the shape is a scalar's.
    pub fn is_scalar(&self) -> bool {
        self.shape.is_scalar()
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        self.shape.len() * self.elem.size()
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.elem)?;
        if self.is_scalar() {
            return Ok(());
        }
        f.write_str("[")?;
        for (i, extent) in self.shape.extents().iter().enumerate() {
            let separator = if i == 0 { "" } else { ", " };
            write!(f, "{separator}{extent}")?;
        }
        f.write_str("]")
    }
}

/// A scalar constant. Floating-point numbers are kept as bits, so that equality is identity:
/// `0.0` and `-0.0` differ, a NaN equals itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Literal {
    /// The bits of an `f64`.
    F64(u64),
    /// The bits of an `f32`.
    F32(u32),
    /// An integer.
    I64(i64),
    /// A truth value.
    Bool(bool),
}

impl Literal {
    /// What kind of element this is.
    pub fn elem(self) -> Elem {
        match self {
            Literal::F64(_) => Elem::F64,
            Literal::F32(_) => Elem::F32,
            Literal::I64(_) => Elem::I64,
            Literal::Bool(_) => Elem::Bool,
        }
    }

    /// `x`, rounded to the real element kind `elem`; for integers `x` truncated, for booleans `x ≠ 0`.
    pub fn from_f64(elem: Elem, x: f64) -> Literal {
        match elem {
            Elem::F64 => Literal::F64(x.to_bits()),
            Elem::F32 => Literal::F32((x as f32).to_bits()),
            Elem::I64 => Literal::I64(x as i64),
            Elem::Bool => Literal::Bool(x != 0.0),
        }
    }

    /// The value as it lies in an interpreter's slot: low bits first, the rest zero.
    pub fn to_slot(self) -> u64 {
        match self {
            Literal::F64(bits) => bits,
            Literal::F32(bits) => u64::from(bits),
            Literal::I64(x) => x as u64,
            Literal::Bool(x) => u64::from(x),
        }
    }

    /// The inverse of [`Literal::to_slot`].
    pub fn from_slot(elem: Elem, slot: u64) -> Literal {
        match elem {
            Elem::F64 => Literal::F64(slot),
            Elem::F32 => Literal::F32(slot as u32),
            Elem::I64 => Literal::I64(slot as i64),
            Elem::Bool => Literal::Bool(slot & 1 == 1),
        }
    }

    /// The value if it is real.
    pub fn as_real(self) -> Option<f64> {
        match self {
            Literal::F64(bits) => Some(f64::from_bits(bits)),
            Literal::F32(bits) => Some(f64::from(f32::from_bits(bits))),
            Literal::I64(_) | Literal::Bool(_) => None,
        }
    }
}

impl From<f64> for Literal {
    fn from(x: f64) -> Self {
        Literal::F64(x.to_bits())
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Literal::F64(bits) => real(f, f64::from_bits(bits), format_args!("{bits:#018x}"), "f64"),
            Literal::F32(bits) => real(f, f32::from_bits(bits), format_args!("{bits:#010x}"), "f32"),
            Literal::I64(x) => write!(f, "{x}:i64"),
            Literal::Bool(x) => write!(f, "{x}"),
        }
    }
}

impl fmt::Debug for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The shortest decimal that reads back to the same bits; a NaN by its bits, so that it does too.
fn real<T: fmt::Debug + PartialEq>(
    f: &mut fmt::Formatter<'_>,
    x: T,
    bits: fmt::Arguments<'_>,
    suffix: &str,
) -> fmt::Result {
    #[allow(clippy::eq_op, reason = "only a NaN differs from itself")]
    let is_nan = x != x;
    let tail = if suffix == "f64" { "" } else { ":f32" };
    if is_nan { write!(f, "nan({bits}){tail}") } else { write!(f, "{x:?}{tail}") }
}
