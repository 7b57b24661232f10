//! Decoding of calls: each function once, with slots of its own, and external ones.

use super::Slots;
use super::decode::Decoder;
use super::steps::{Call, CalleeCall, Step};
use crate::callee::Callee;
use crate::entity::{CalleeId, ExternalId, Inst, Table, Value};
use crate::error::IrError;
use crate::program::Program;

/// A function that has been decoded.
#[derive(Clone)]
pub(super) struct Decoded {
    /// Its number among those of the interpreter.
    number: usize,
    params: Vec<Slots>,
    results: Vec<Slots>,
}

impl<'p> Decoder<'p> {
    pub(super) fn external(
        &mut self,
        value: Value,
        id: ExternalId,
        operands: &[Value],
    ) -> Result<(), IrError> {
        let operands = operands.iter().map(|&v| self.places[v].clone()).collect();
        let to = self.define(value)?;
        let function = self.program.externals()[id].clone();
        self.push(Step::External(Call { function, operands, to }));
        Ok(())
    }

    pub(super) fn call(&mut self, inst: Inst, id: CalleeId) -> Result<(), IrError> {
        let program = self.program;
        let decoded = self.callee(&program.callees()[id])?;
        let place = |v: &_| self.places[*v].clone();
        let arguments = program.operands(inst).iter().map(place).zip(decoded.params).collect();
        let mut results = Vec::with_capacity(decoded.results.len());
        for (result, from) in program.results(inst).zip(decoded.results) {
            results.push((from, self.define(result)?));
        }
        self.push(Step::Call(CalleeCall { callee: decoded.number, arguments, results }));
        Ok(())
    }

    fn callee(&mut self, callee: &'p Callee) -> Result<Decoded, IrError> {
        if let Some(decoded) = self.decoded.get(&callee.address()) {
            return Ok(decoded.clone());
        }
        let decoded = self.of_another(callee.program(), Self::decode_callee)?;
        self.decoded.insert(callee.address(), decoded.clone());
        Ok(decoded)
    }

    fn decode_callee(&mut self) -> Result<Decoded, IrError> {
        let root = self.program.root();
        let params = root.params.iter().map(|&param| self.define(param)).collect::<Result<_, _>>()?;
        let steps = self.region(Program::ROOT)?;
        self.callees.push(steps);
        let results = root.results.iter().map(|&v| self.places[v].clone()).collect();
        Ok(Decoded { number: self.callees.len() - 1, params, results })
    }

    /// Decodes within another program.
    fn of_another<R>(&mut self, program: &'p Program, decode: impl FnOnce(&mut Self) -> R) -> R {
        let count = program.values().len();
        let outer = std::mem::replace(&mut self.program, program);
        let places = std::mem::replace(&mut self.places, Table::filled(count, Slots::Range(0..0)));
        let sums = std::mem::replace(&mut self.sums, Table::filled(count, false));
        let result = decode(self);
        (self.program, self.places, self.sums) = (outer, places, sums);
        result
    }
}
