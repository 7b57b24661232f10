//! What becomes of a derivative operator: the derivative of its body, which is freed of its own operators first.

use super::{Between, Copy, Operators, Provenance};
use crate::calls::Calls;
use crate::differentiate::{Application, differentiate};
use crate::fuse::fuse;
use evolute_ir::{Builder, IrError, Mode, Program, Region, Value};
use std::rc::Rc;

/// A region as a program of its own, without operators.
pub(crate) fn removed(
    program: &Program,
    region: Region,
    calls: &Rc<Calls>,
    within: Vec<Mode>,
) -> Result<Program, IrError> {
    let mut builder = calls.builder(program.limit());
    let mut copy = Copy::new(&mut builder, program, Operators::Remove(calls.clone(), within));
    let args = copy.provenance.params(&mut builder, program, region);
    let results = copy.region(&mut builder, region, &args)?;
    calls.finished(builder, &results)
}

impl Copy<'_> {
    pub(super) fn operator(
        &mut self,
        builder: &mut Builder,
        mode: Mode,
        region: Region,
        wrt: u32,
        operands: &[Value],
    ) -> Result<Vec<Value>, IrError> {
        let wrt = wrt as usize;
        let params = self.from.region(region).params.len();
        let (inputs, rest) = operands.split_at(wrt);
        let (seeds, captured) = rest.split_at(rest.len() - (params - wrt));
        match &self.operators {
            Operators::Remove(calls, within) => {
                let (calls, within) = (calls.clone(), [&within[..], &[mode]].concat());
                let mut body = removed(self.from, region, &calls, within)?;
                if calls.between() == Between::Simplify {
                    // A sum of terms and its gradient are one loop, of which each derivative is one again.
                    body = fuse(body)?;
                }
                let loc = builder.origin().loc;
                // The body's levels are registered first: what was removed earlier has the lower one.
                let provenance = Provenance::new(builder, &body);
                let level = builder.add_level(mode, loc);
                let args = [inputs, captured].concat();
                let application = Application { body: &body, provenance, calls, level, args: &args };
                differentiate(builder, application, (mode, wrt), seeds)
            }
            Operators::Keep => {
                let origin = builder.origin();
                let body = self.nested(builder, region, wrt, captured)?;
                builder.set_origin(origin);
                builder.operator(mode, body, inputs, seeds)
            }
        }
    }
}
