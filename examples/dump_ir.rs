//! What becomes of a function: its program after every pass, and its machine code.
//!
//!     cargo run --release --example dump_ir
//!
//! Names given by `named` and the lines of this file accompany every value. After the number of a value stand its
//! role and level: `.t2` is a tangent of level 2, `.a1` a cotangent (adjoint) of level 1.

use evolute::prelude::*;

fn main() -> Result<(), evolute::Error> {
    let f = Function::scalar(2, |x| {
        let (r, angle) = (x[0].named("r"), x[1].named("angle"));
        let wave = (r * angle.sin()).named("wave");
        wave.exp() + r.powi(2)
    })?;

    show("the function", &f)?;
    let gradient = f.grad()?;
    show("its gradient", &gradient)?;
    show("its Hessian-vector product", &f.hvp()?)?;

    let point = [0.5, 2.0];
    println!("══ its derivatives against finite differences\n\n{}", f.check_derivatives(&point)?);
    let compiled = gradient.compile()?;
    println!("gradient at {point:?}: {:?}\n", compiled.call(&point)?);

    let compiled = f.compile()?;
    println!("══ the function as Cranelift's intermediate form\n\n{}", compiled.clif()?);
    println!("══ and as machine code\n\n{}", compiled.disassembly()?);
    Ok(())
}

/// Prints the program as traced and after each pass, with what the pass did.
fn show<S: evolute::Spec, R: evolute::Spec, A: evolute::Spec>(
    title: &str,
    f: &Function<S, R, A>,
) -> Result<(), evolute::Error> {
    println!("══ {title}\n");
    for stage in f.stages()? {
        println!("{stage}");
    }
    Ok(())
}
