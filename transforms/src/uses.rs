//! How often values are used.

use evolute_ir::{Program, Table, Value};

/// How often each value is an operand or a result of a region.
pub(crate) fn count_uses(program: &Program) -> Table<Value, u32> {
    let mut uses = Table::filled(program.values().len(), 0);
    let operands = program.insts().keys().flat_map(|inst| program.operands(inst));
    let results = program.regions().values().flat_map(|region| &region.results);
    for &value in operands.chain(results) {
        uses[value] += 1;
    }
    uses
}
