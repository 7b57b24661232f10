//! Memories: where arrays lie, and the places of those in the workspace.

use evolute_ir::{Elem, Entity, Table};
use std::collections::BTreeMap;
use std::fmt;

/// Where an array, or scalars side by side, may lie.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Mem(u32);

impl Entity for Mem {
    fn new(index: usize) -> Self {
        Mem(index as u32)
    }
    fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for Mem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m{}", self.0)
    }
}

/// What a memory is a part of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Home {
    /// A parameter, in the caller's memory.
    Input(u32),
    /// A result, in the caller's memory.
    Output(u32),
    /// The workspace, from this byte on.
    Workspace(usize),
    /// Another memory, from this element on.
    Within(Mem, i64),
    /// Another memory, from an element known only when the program runs: a `Part` says which.
    Moving(Mem),
    /// Of a carry with two memories: the one or the other.
    Either,
}

/// A memory.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    pub(crate) home: Home,
    pub(crate) elem: Elem,
    /// The number of elements.
    pub(crate) len: usize,
    /// How many elements apart they lie: those of a sum's lane are between those of the others.
    pub(crate) spacing: usize,
    /// How many iterations of a loop have theirs at once.
    pub(crate) copies: usize,
    /// From the step that first writes it to the last that reads it. See Note \[Lifetimes\].
    pub(crate) first: u32,
    pub(crate) last: u32,
}

impl Memory {
    pub(crate) fn bytes(&self) -> usize {
        self.len * self.elem.size() * self.copies
    }
}

/// Every stretch of the workspace starts at a cache line.
const LINE: usize = 64;

/// Gives every memory of the workspace its place, the first that is free; returns the bytes needed.
pub(super) fn place(mems: &mut Table<Mem, Memory>) -> usize {
    let used = |(_, memory): &(Mem, &Memory)| matches!(memory.home, Home::Workspace(_));
    let mut order: Vec<(u32, u32, Mem)> =
        mems.iter().filter(used).map(|(mem, memory)| (memory.first, memory.last, mem)).collect();
    order.retain(|&(first, last, mem)| first <= last && mems[mem].bytes() > 0);
    order.sort_unstable();
    let mut arena = Arena::default();
    let mut ending: BTreeMap<u32, Vec<(usize, usize)>> = BTreeMap::new();
    for (first, last, mem) in order {
        while let Some(entry) = ending.first_entry().filter(|entry| *entry.key() < first) {
            for (start, bytes) in entry.remove() {
                arena.give_back(start, bytes);
            }
        }
        let bytes = mems[mem].bytes().next_multiple_of(LINE);
        let start = arena.take(bytes);
        mems[mem].home = Home::Workspace(start);
        ending.entry(last).or_default().push((start, bytes));
    }
    arena.end
}

/// Stretches given back, by their start, and the end of all that was ever taken.
#[derive(Default)]
struct Arena {
    free: BTreeMap<usize, usize>,
    end: usize,
}

impl Arena {
    fn take(&mut self, bytes: usize) -> usize {
        let Some((&start, &size)) = self.free.iter().find(|&(_, &size)| size >= bytes) else {
            self.end += bytes;
            return self.end - bytes;
        };
        self.free.remove(&start);
        if size > bytes {
            self.free.insert(start + bytes, size - bytes);
        }
        start
    }

    fn give_back(&mut self, mut start: usize, mut bytes: usize) {
        if let Some((&before, &size)) = self.free.range(..start).next_back()
            && before + size == start
        {
            self.free.remove(&before);
            (start, bytes) = (before, size + bytes);
        }
        if let Some(size) = self.free.remove(&(start + bytes)) {
            bytes += size;
        }
        self.free.insert(start, bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(elements: usize, first: u32, last: u32) -> Memory {
        Memory {
            home: Home::Workspace(0),
            elem: Elem::F64,
            len: elements,
            spacing: 1,
            copies: 1,
            first,
            last,
        }
    }

    #[test]
    fn memories_of_other_times_share_a_place() {
        let rows = [memory(8, 0, 3), memory(8, 1, 2), memory(16, 4, 5), memory(1, 5, 5)];
        let mut mems = Table::from_rows(rows);
        assert_eq!(place(&mut mems), 192);
        let starts: Vec<Home> = mems.values().map(|memory| memory.home).collect();
        assert_eq!(starts, [0, 64, 0, 128].map(Home::Workspace));
    }
}
