//! Names, graphs, texts and machine code.

use evolute::ir::IrError;
use evolute::prelude::*;
use evolute::{CompileError, Error, TraceError};

#[test]
fn names_and_graphs_show() {
    let f = Function::scalar(2, |x| {
        let speed = (x[0] * x[1]).named("speed");
        speed.sin().named("wave")
    })
    .unwrap();
    let gradient = f.grad().unwrap();
    let stages = gradient.stages().unwrap();
    for text in [f.to_string(), gradient.to_string(), stages.last().unwrap().program.to_string()] {
        assert!(text.contains("\"speed\""), "{text}");
    }
    let graph = gradient.dot().unwrap();
    assert!(graph.starts_with("digraph") && graph.ends_with("}\n"), "{graph}");
    assert!(graph.contains("speed") && graph.contains("cos"), "{graph}");
    assert_eq!(graph.matches('{').count(), graph.matches('}').count());
}

#[test]
fn text_of_a_function_reads_back() {
    let f = Function::scalar(2, |x| x[0].sin() * x[1]).unwrap();
    let again = Function::parse(&f.to_string(), scalars(2), scalar()).unwrap();
    assert_eq!(f.program(), again.program());
    let line = line!() + 1;
    let error = Function::parse(&f.to_string(), scalars(3), scalar()).unwrap_err();
    let Error::Signature { at, .. } = &error else { panic!("{error}") };
    assert_eq!((&*at.file, at.line), (file!(), line));
    assert!(error.to_string().ends_with(": expected a program (f64[3]) -> (f64), found (f64[2]) -> (f64)"));
    let line = line!() + 1;
    let error = Function::parse(&f.to_string(), scalars(usize::MAX), scalar()).unwrap_err();
    let Error::Trace(TraceError::Extent { at, .. }) = &error else { panic!("{error}") };
    assert_eq!((&*at.file, at.line), (file!(), line));
    assert!(matches!(
        Function::parse("nonsense", scalars(1), scalar()),
        Err(Error::Ir(IrError::Parse { .. }))
    ));
}

#[test]
fn machine_code_shows() {
    let f = Function::scalar(2, |x| x[0] * x[1]).unwrap().compile().unwrap();
    assert!(f.clif().unwrap().contains("fmul"));
    assert!(f.disassembly().unwrap().contains("mul"));
    assert!(f.executable().report().code_bytes > 0);
    assert!(matches!(Error::from(CompileError::from(IrError::TooDeep { limit: 1 })), Error::Compile(_)));
}
