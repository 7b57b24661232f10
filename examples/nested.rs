//! The derivative of a minimiser: derivatives inside derivatives.
//!
//!     cargo run --release --example nested
//!
//! The inner problem `y(θ) = argmin_y cosh(y) - θ y` is solved inside the traced function, by Newton's method on
//! the inner `grad` and `hvp`. The solution is `y(θ) = asinh θ`, so the outer derivatives are known:
//! `y' = 1/√(1 + θ²)` and `y″ = -θ/(1 + θ²)^(3/2)`. The inner objective captures the outer θ, and each derivative has a
//! level of its own: what the inner one holds constant is what the outer one varies.

use evolute::prelude::*;

/// `argmin_y cosh(y) - θ y`, by `steps` unrolled Newton steps from θ.
fn minimiser<'t>(theta: Scalar<'t>, steps: usize) -> Scalar<'t> {
    let objective = |y: Scalar<'t>| y.cosh() - theta * y;
    let mut y = theta;
    for _ in 0..steps {
        let slope = grad(objective, y).named("slope");
        let curvature = hvp(objective, y, Scalar::from(1.0)).named("curvature");
        y = (y - slope / curvature).named("y");
    }
    y
}

fn main() -> Result<(), evolute::Error> {
    let solution = Function::scalar(scalar(), |theta| minimiser(*theta, 8))?;
    let first = solution.grad()?;
    let second = first.grad()?;
    let functions = [&solution, &first, &second].map(|f| f.compile());

    let theta: f64 = 1.5;
    let root = (1.0 + theta * theta).sqrt();
    let expected = [theta.asinh(), 1.0 / root, -theta / root.powi(3)];
    println!("at θ = {theta}     computed             closed form          difference");
    for ((name, f), expected) in ["y", "y'", "y″"].into_iter().zip(functions).zip(expected) {
        let computed = f?.call(&theta)?;
        println!("{name:<12}  {computed:>20.16}  {expected:>20.16}  {:>10.1e}", computed - expected);
        assert!((computed - expected).abs() < 1e-14, "{name} is {computed}, not {expected}");
    }

    let one_step = Function::scalar(scalar(), |theta| minimiser(*theta, 1))?;
    println!("\nThe derivative of one step, as traced: the inner operators inside the outer one.\n");
    println!("{}", one_step.grad()?);
    println!(
        "Carried out, innermost first: levels 1 and up are the inner derivatives, the last is the outer.\n"
    );
    let stages = one_step.grad()?.stages()?;
    println!(
        "{}",
        stages.iter().find(|stage| stage.pass == "differentiate").expect("a pass of every program")
    );
    Ok(())
}
