//! A random tree, traced through the public interface, and everything derived from it.

use crate::ast::{Block, Number};
use crate::bits;
use crate::choices::Choices;
use crate::derived;
use crate::numbers::difference;
use crate::run::Outcome;
use crate::trees::{self, Size};
use evolute::ir::{Buffer, Program};
use evolute::{Error, Executable, F32, F64, Function, Options, RealKind, Traced, scalar_of, scalars_of};

/// The lengths of the arguments: an array, data, and a scalar.
const X: usize = 2;
const DATA: usize = 1;
pub(crate) const INPUTS: usize = X + DATA + 1;

const SIZE: Size = Size { nodes: 14, depth: 2, results: 3 };

pub(crate) fn check(choices: &mut Choices) -> Outcome {
    let block = trees::wild(choices, INPUTS, SIZE);
    match choices.chance(6) {
        false => check_block::<F64>(&block, choices),
        true => check_block::<F32>(&block, choices),
    }
}

fn check_block<K: RealKind<Host: Number + Host>>(block: &Block, choices: &mut Choices) -> Outcome {
    let [vector, scalar] = [vector::<K>(block), scalar::<K>(block)];
    let [vector, scalar] = [vector.map_err(text)?, scalar.map_err(text)?];
    let inputs = bits::check("vector", &vector, choices)?;
    if block.is_plain() {
        check_plain::<K>(block, &vector, &inputs)?;
    }
    bits::check("vector, called in another trace", &called::<K>(block).map_err(text)?, choices)?;
    let wrt = choices.pick(&[&[0, 2][..], &[0], &[0, 1, 2], &[0, 1, 2], &[2, 0], &[]]);
    for (name, program) in derived::all(&vector, wrt).map_err(text)? {
        bits::check(&format!("{name} of vector, wrt {wrt:?}"), &program, choices)?;
    }
    for (name, program) in derived::all(&scalar, wrt).map_err(text)? {
        bits::check(&format!("{name} of scalar, wrt {wrt:?}"), &program, choices)?;
    }
    Ok(())
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// All results of the block, as an array.
pub(crate) fn vector<K: RealKind>(block: &Block) -> Result<Program, Error> {
    let inputs = (scalars_of::<K>(X), scalars_of::<K>(DATA), scalar_of::<K>());
    let f = Function::vector(inputs, |&(x, data, s)| block.eval(&[x, data, &[s]].concat()))?;
    Ok(f.program().clone())
}

/// As `vector`, traced once and then called in another trace.
fn called<K: RealKind>(block: &Block) -> Result<Program, Error> {
    let inputs = || (scalars_of::<K>(X), scalars_of::<K>(DATA), scalar_of::<K>());
    let f = Function::vector(inputs(), |&(x, data, s)| block.eval(&[x, data, &[s]].concat()))?;
    let g = Function::vector(inputs(), |&(x, data, s)| f.call((x, data, s)))?;
    Ok(g.program().clone())
}

/// The first result of the block.
pub(crate) fn scalar<K: RealKind>(block: &Block) -> Result<Program, Error> {
    let inputs = (scalars_of::<K>(X), scalars_of::<K>(DATA), scalar_of::<K>());
    let f = Function::scalar_of(inputs, |&(x, data, s)| first(block, &[x, data, &[s]].concat()))?;
    Ok(f.program().clone())
}

fn first<'t, K: RealKind>(block: &Block, env: &[Traced<'t, K>]) -> Traced<'t, K> {
    block.eval(env)[0]
}

/// The tree evaluated on plain numbers gives the bits of strictly compiled code.
fn check_plain<K: RealKind<Host: Number + Host>>(
    block: &Block,
    program: &Program,
    inputs: &[Vec<Buffer>],
) -> Outcome {
    let executable = Executable::new(program, &Options::default().strict()).map_err(text)?;
    for input in inputs {
        let env: Vec<K::Host> = input.iter().flat_map(Host::of_buffer).collect();
        let expected = Host::into_buffer(block.eval(&env));
        let found = bits::call(&executable, input)?.map_err(text)?;
        if let Some(difference) = difference(&found, &[expected]) {
            return Err(format!("{program}── plain numbers: {difference}\n── inputs {input:?}"));
        }
    }
    Ok(())
}

/// Plain numbers in buffers.
pub(crate) trait Host: Sized {
    fn of_buffer(buffer: &Buffer) -> Vec<Self>;
    fn into_buffer(values: Vec<Self>) -> Buffer;
}

macro_rules! host {
    ($host:ident $Kind:ident) => {
        impl Host for $host {
            fn of_buffer(buffer: &Buffer) -> Vec<$host> {
                match buffer {
                    Buffer::$Kind(x) => x.clone(),
                    other => panic!("{other:?} for an argument of kind {}", stringify!($Kind)),
                }
            }
            fn into_buffer(values: Vec<$host>) -> Buffer {
                Buffer::$Kind(values)
            }
        }
    };
}
host!(f64 F64);
host!(f32 F32);
