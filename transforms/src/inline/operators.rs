//! What becomes of a derivative operator: the derivative of its body, which is freed of its own operators first.

use super::{Between, Copy, Operators, Provenance};
use crate::differentiate::differentiate;
use crate::fuse::fuse;
use crate::simplify::{When, rewriter};
use evolute_ir::{Builder, IrError, Mode, Program, Region, Value};

/// A region as a program of its own, without operators.
pub(super) fn removed(
    program: &Program,
    region: Region,
    between: Between,
    within: Vec<Mode>,
) -> Result<Program, IrError> {
    let mut builder = Builder::new();
    builder.set_limit(program.limit());
    if between == Between::Simplify {
        builder.set_rewriter(rewriter(When::Always));
    }
    let mut copy = Copy::new(&mut builder, program, Operators::Remove(between, within));
    let mut args = Vec::new();
    for &param in &program.region(region).params {
        let origin = copy.provenance.map(program, param, &copy.values);
        builder.set_origin(origin);
        let arg = builder.param(program.ty(param));
        copy.provenance.copy_name(&mut builder, program, param, arg);
        args.push(arg);
    }
    let results = copy.region(&mut builder, region, &args)?;
    builder.finish_live(&results)
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
            Operators::Remove(between, within) => {
                let within = [&within[..], &[mode]].concat();
                let mut body = removed(self.from, region, *between, within)?;
                if *between == Between::Simplify {
                    // A sum of terms and its gradient are one loop, of which each derivative is one again.
                    body = fuse(body)?;
                }
                let loc = builder.origin().loc;
                // The body's levels are registered first: what was removed earlier has the lower one.
                let provenance = Provenance::new(builder, &body);
                let level = builder.add_level(mode, loc);
                let args = [inputs, captured].concat();
                differentiate(builder, &body, provenance, (mode, level), (&args, wrt), seeds)
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
