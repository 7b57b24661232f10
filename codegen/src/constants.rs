//! The table of constants that machine code reads.

use evolute_ir::Literal;
use std::collections::HashMap;

/// The constants of a program, in the order of their table.
#[derive(Default)]
pub(crate) struct Constants {
    pub(crate) slots: Vec<u64>,
    places: HashMap<u64, u32>,
    /// Of those that stand there twice, one after the other.
    pairs: HashMap<u64, u32>,
}

impl Constants {
    /// The place of a constant; equal bits share theirs, whatever their element kind.
    pub(crate) fn place(&mut self, literal: Literal) -> u32 {
        let slot = literal.to_slot();
        *self.places.entry(slot).or_insert_with(|| {
            self.slots.push(slot);
            self.slots.len() as u32 - 1
        })
    }

    /// The place of the two copies of a constant.
    pub(crate) fn pair(&mut self, literal: Literal) -> u32 {
        let slot = literal.to_slot();
        *self.pairs.entry(slot).or_insert_with(|| {
            self.slots.extend([slot; 2]);
            self.slots.len() as u32 - 2
        })
    }
}
