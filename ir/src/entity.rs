//! Entities: the `u32` names of everything a program holds.
//!
//! A program is a set of tables; values, instructions, regions and the rest refer to each other by
//! index, never by pointer. Indices are half the size of a pointer, are `Copy`, print as their own
//! name (`v7`, `region2`), and let a pass copy a program with one allocation a table. Each kind of
//! index is its own type, so that a value cannot be used where an instruction is meant.

use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroU32;
use std::ops::{Index, IndexMut};

/// An index into a [`Table`].
pub trait Entity: Copy + Eq {
    /// The entity of this index. Indices stay below [`u32::MAX`]: [`Builder`](crate::Builder)
    /// refuses larger programs.
    fn new(index: usize) -> Self;
    /// The position in its table.
    fn index(self) -> usize;
}

macro_rules! entity {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(NonZeroU32);

        impl Entity for $name {
            fn new(index: usize) -> Self {
                debug_assert!(index < u32::MAX as usize);
                Self::from_u32(index as u32)
            }
            fn index(self) -> usize {
                self.as_u32() as usize
            }
        }

        impl $name {
            /// The index is kept plus one, so that an `Option` of it has the same size.
            pub(crate) const fn from_u32(index: u32) -> Self {
                match NonZeroU32::new(index.wrapping_add(1)) {
                    Some(number) => Self(number),
                    None => Self(NonZeroU32::MAX),
                }
            }

            pub(crate) const fn as_u32(self) -> u32 {
                self.0.get() - 1
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.as_u32())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

entity!(
    /// A single static assignment: a region's parameter or an instruction's result.
    Value, "v"
);
entity!(
    /// An instruction.
    Inst, "inst"
);
entity!(
    /// A list of instructions with parameters and results: a function body or a nested one.
    Region, "region"
);
entity!(
    /// One application of a derivative operator. Level 0 is the user's own program.
    Level, "level"
);
entity!(
    /// A place in the user's source, the first being "unknown".
    Loc, "loc"
);
entity!(
    /// An interned [`Type`](crate::Type).
    TypeId, "type"
);
entity!(
    /// An interned [`Strides`](crate::Strides).
    StridesId, "strides"
);
entity!(
    /// An interned [`LoopSpec`](crate::LoopSpec).
    LoopId, "loop"
);
entity!(
    /// A [`Solver`](crate::Solver), in the program's table.
    SolverId, "solver"
);
entity!(
    /// A function of the user's, in the program's table.
    ExternalId, "external"
);
entity!(
    /// A function that the program calls, in its table.
    CalleeId, "f"
);

/// The program's first value: a placeholder where arrays of values are filled.
impl Default for Value {
    fn default() -> Self {
        Value::from_u32(0)
    }
}

impl Level {
    /// The level of what the user wrote.
    pub const PRIMAL: Level = Level::from_u32(0);
}

impl Loc {
    /// No place in the user's source is known.
    pub const UNKNOWN: Loc = Loc::from_u32(0);
}

/// A vector indexed by one kind of entity.
#[derive(Clone, PartialEq, Eq)]
pub struct Table<K, V> {
    rows: Vec<V>,
    key: PhantomData<K>,
}

impl<K: Entity, V> Table<K, V> {
    /// An empty table.
    pub fn new() -> Self {
        Self { rows: Vec::new(), key: PhantomData }
    }

    /// A table that gives `value` for the first `len` keys.
    pub fn filled(len: usize, value: V) -> Self
    where
        V: Clone,
    {
        Self { rows: vec![value; len], key: PhantomData }
    }

    /// Appends a row and returns its key.
    #[inline(always)]
    pub fn push(&mut self, row: V) -> K {
        let key = K::new(self.rows.len());
        self.rows.push(row);
        key
    }

    /// A table of these rows.
    pub fn from_rows(rows: impl IntoIterator<Item = V>) -> Self {
        Self { rows: rows.into_iter().collect(), key: PhantomData }
    }

    /// An empty table with room for `capacity` rows.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { rows: Vec::with_capacity(capacity), key: PhantomData }
    }

    /// Keeps the first `len` rows.
    pub fn truncate(&mut self, len: usize) {
        self.rows.truncate(len);
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The row of `key`, if there is one.
    pub fn get(&self, key: K) -> Option<&V> {
        self.rows.get(key.index())
    }

    /// All keys in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = K> + ExactSizeIterator + use<K, V> {
        (0..self.rows.len()).map(K::new)
    }

    /// All rows in order.
    pub fn values(&self) -> std::slice::Iter<'_, V> {
        self.rows.iter()
    }

    /// All rows in order, to change.
    pub fn values_mut(&mut self) -> std::slice::IterMut<'_, V> {
        self.rows.iter_mut()
    }

    /// All keys and rows in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (K, &V)> + ExactSizeIterator {
        self.rows.iter().enumerate().map(|(i, row)| (K::new(i), row))
    }
}

impl<K: Entity, V> Default for Table<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Entity, V> Index<K> for Table<K, V> {
    type Output = V;
    fn index(&self, key: K) -> &V {
        &self.rows[key.index()]
    }
}

impl<K: Entity, V> IndexMut<K> for Table<K, V> {
    fn index_mut(&mut self, key: K) -> &mut V {
        &mut self.rows[key.index()]
    }
}

impl<K: Entity, V: fmt::Debug> fmt::Debug for Table<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.rows).finish()
    }
}
