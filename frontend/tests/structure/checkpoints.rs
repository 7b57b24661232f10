//! Loops with checkpoints: the memory that derivatives take, and that they are the same.

use crate::mistake_of_compiling;
use evolute_frontend::{
    ArraySpec, Checkpoint, Count, Error, F64, Function, I64, Scalar, Single, Spec, checkpoint, map, scalar,
    scalar_of, scan, scan_stacked, sum, vector, while_at_most, while_loop,
};
use evolute_runtime::Options;

const CHECKPOINTS: [Checkpoint; 4] =
    [Checkpoint::Sqrt, Checkpoint::Segments(7), Checkpoint::Segments(0), Checkpoint::Memory(20_000)];

fn workspace<S: Spec, R: Spec, A: Spec>(f: &Function<S, R, A>) -> Result<usize, Error> {
    Ok(f.compile()?.executable().report().workspace_bytes)
}

/// So many iterations, with checkpoints or without.
fn times<'t>(n: impl Into<Count<'t>>, how: Option<Checkpoint>) -> Count<'t> {
    match how {
        Some(how) => checkpoint(n.into(), how).into(),
        None => n.into(),
    }
}

/// A million steps towards the next multiple of π.
fn relaxation(how: Option<Checkpoint>) -> Result<Function<Single<F64>, Single<F64>>, Error> {
    Function::trace(scalar(), |x| scan(times(1_000_000, how), *x, |x, _| x - x.sin() * 1e-6))
}

#[test]
fn a_million_steps_in_the_memory_asked_for() -> Result<(), Error> {
    let plain = relaxation(None)?;
    assert!(workspace(&plain.grad()?)? >= 8_000_000);
    let (expected, second) = (plain.grad()?.compile()?.call(&1.0)?, plain.grad()?.jvp()?.compile()?);
    let second = second.call((&1.0, &1.0))?;
    let budgets = [2048, 4096, 20_000, 100_000];
    for how in budgets.map(Checkpoint::Memory).into_iter().chain([Checkpoint::Sqrt]) {
        let most = if let Checkpoint::Memory(bytes) = how { bytes } else { 16_000 };
        let gradient = relaxation(Some(how))?.grad()?;
        assert!(workspace(&gradient)? <= most);
        assert_eq!(gradient.compile()?.call(&1.0)?.to_bits(), expected.to_bits());
        let forward_over_reverse = gradient.jvp()?;
        let most = if how == Checkpoint::Sqrt { 2 * most } else { most };
        assert!(workspace(&forward_over_reverse)? <= most);
        assert_eq!(forward_over_reverse.compile()?.call((&1.0, &1.0))?, second);
    }
    Ok(())
}

#[test]
fn every_nesting_stays_within_the_budget() -> Result<(), Error> {
    for budget in [6000, 10_000, 50_000, 1_000_000] {
        let f = relaxation(Some(Checkpoint::Memory(budget)))?;
        let (forward, reverse) = (f.jvp()?, f.vjp()?);
        assert_eq!(workspace(&forward.jvp()?)?, 0);
        assert!(workspace(&reverse.jvp()?)? <= budget);
        assert!(workspace(&forward.vjp()?)? <= budget);
        assert!(workspace(&reverse.vjp()?)? <= budget);
        assert!(workspace(&reverse.jvp()?.jvp()?)? <= budget);
        assert!(workspace(&reverse.jvp()?.vjp()?)? <= budget);
        assert!(workspace(&forward.vjp()?.vjp()?)? <= budget);
        assert!(workspace(&reverse.vjp()?.jvp()?)? <= budget);
        assert!(workspace(&reverse.vjp()?.vjp()?)? <= budget);
    }
    Ok(())
}

#[test]
fn arrays_within_the_budget() -> Result<(), Error> {
    let carry = 8 * 1000;
    for carries in [60, 200, 1000] {
        let how = Checkpoint::Memory(carries * carry);
        let f = Function::trace(vector(1000), |x| {
            scan(checkpoint(10_000, how), *x, |x, _| x + x.reversed(0).sin() * 1e-4).sum()
        })?;
        // Beside what is stored, each loop has room for the carry at hand, the next one and temporaries.
        assert!(workspace(&f.grad()?)? <= (carries + 30) * carry);
        assert!(workspace(&f.hvp()?)? <= (carries + 60) * carry);
    }
    Ok(())
}

#[test]
fn a_budget_that_cannot_be_met() -> Result<(), Error> {
    let f =
        Function::trace(scalar(), |x| scan(checkpoint(1000, Checkpoint::Memory(64)), *x, |x, _| x.sin()))?;
    assert_eq!(f.compile()?.call(&0.0)?, 0.0);
    let message = mistake_of_compiling(f.grad()?.compile(), file!(), line!() - 2);
    assert!(message.contains("checkpoints take at least 256 bytes, 64 are allowed"), "{message}");
    let f =
        Function::trace(scalar(), |x| scan(checkpoint(1000, Checkpoint::Memory(256)), *x, |x, _| x.sin()))?;
    assert_eq!(f.grad()?.compile()?.call(&0.0)?, 1.0);
    Ok(())
}

/// A function of a state and of a force at each step.
type Driven = Function<(ArraySpec<F64>, ArraySpec<F64>), Single<F64>>;

/// A pendulum pulled by a force, with all that loops may have.
fn pendulum(how: Option<Checkpoint>) -> Result<Driven, Error> {
    Function::trace((vector(2), vector(53)), |(x, force)| {
        let start = (*x, Scalar::from(0.5));
        let ((x, energy), path) = scan_stacked(times(53, how), start, |(x, energy), i| {
            let inner =
                sum(3, |j| x.at(j % 2) * force.at(i)) + scan(2, x.at(0), |y, _| y.sin() * force.at(i));
            let next = x + x.reversed(0).sin() * 0.1 + inner * 0.01;
            ((next, energy + x.at(1) * i.to_f64()), x.sum())
        });
        x.sum() * energy + (path * path).sum()
    })
}

#[test]
fn no_bit_changes() -> Result<(), Error> {
    let force: Vec<f64> = (0..53).map(|i| (f64::from(i) * 0.7).cos()).collect();
    let x = (&[0.3, -0.2][..], &force[..]);
    let v = (&[1.0, 0.5][..], &force[..]);
    for options in
        [Options::default(), Options::default().strict(), Options::default().strict().interpreted()]
    {
        let all = |how| -> Result<_, Error> {
            let f = pendulum(how)?;
            let gradient = f.value_and_grad()?.compile_with(&options)?.call(x)?;
            let forward_over_reverse = f.hvp()?.compile_with(&options)?.call((x, v))?;
            let reverse_over_forward = f.jvp()?.vjp()?.compile_with(&options)?;
            let reverse_over_forward = reverse_over_forward.call(((x, v), (&0.5, &1.0)))?;
            let third = f.hvp()?.jvp()?.compile_with(&options)?.call(((x, v), v))?;
            Ok((gradient, forward_over_reverse, reverse_over_forward, third))
        };
        let expected = all(None)?;
        for how in CHECKPOINTS {
            assert_eq!(all(Some(how))?, expected, "{how:?}");
        }
    }
    Ok(())
}

#[test]
fn loops_whose_length_is_known_when_they_run() -> Result<(), Error> {
    let counted = |how| {
        Function::trace((scalar(), scalar_of::<I64>()), move |(x, n)| {
            scan(times(n.at_most(30), how), *x, |x, i| x * (1.0 + 0.01 * i.to_f64()) - x.sin() * 0.5)
        })
    };
    let options = Options::default().strict();
    let expected = counted(None)?.wrt::<0>().hvp()?.compile_with(&options)?;
    for how in CHECKPOINTS {
        let hvp = counted(Some(how))?.wrt::<0>().hvp()?;
        for hvp in [hvp.compile_with(&options)?, hvp.compile_with(&options.clone().interpreted())?] {
            for n in [0, 1, 6, 7, 12, 29, 30] {
                assert_eq!(hvp.call(((&1.5, &n), &1.0))?, expected.call(((&1.5, &n), &1.0))?, "{how:?} {n}");
            }
            for n in [-1, 31, i64::MIN, i64::MAX] {
                let line = line!() - 12;
                let error = hvp.call(((&1.5, &n), &1.0)).expect_err("out of range").to_string();
                let expected = format!("number of iterations out of range at {}:{line}", file!());
                assert_eq!(error, expected);
            }
        }
    }
    Ok(())
}

#[test]
fn whiles() -> Result<(), Error> {
    // Halves until below one: x/2ⁿ.
    let plain = Function::trace(scalar(), |x| while_at_most(50, *x, |x| x.gt(1.0), |x| x * x / (x + x)))?;
    let options = Options::default().strict();
    let expected = plain.hvp()?.compile_with(&options)?;
    for how in CHECKPOINTS {
        let halved = Function::trace(scalar(), |x| {
            while_at_most(checkpoint(50, how), *x, |x| x.gt(1.0), |x| x * x / (x + x))
        })?;
        let hvp = halved.hvp()?;
        for hvp in [hvp.compile_with(&options)?, hvp.compile_with(&options.clone().interpreted())?] {
            for x in [0.5, 3.0, 1e3, 1e10, 1.1e15] {
                assert_eq!(hvp.call((&x, &1.0))?, expected.call((&x, &1.0))?, "{how:?} {x}");
            }
            let error = hvp.call((&1e30, &1.0)).expect_err("endless").to_string();
            assert!(error.starts_with("the loop goes on past its limit of iterations at "), "{error}");
            assert!(error.ends_with(&format!("{}:{}", file!(), line!() - 9)), "{error}");
        }
    }
    Ok(())
}

#[test]
fn a_tape_of_a_while_takes_what_its_iterations_use() -> Result<(), Error> {
    let f = Function::trace(scalar(), |x| while_loop(*x, |x| x.gt(1.0), |x| x * x / (x + x)))?;
    let gradient = f.grad()?.compile()?;
    let reserved = gradient.executable().report().workspace_bytes;
    assert!((8 << 20..9 << 20).contains(&reserved), "{reserved} bytes");
    assert_eq!(gradient.call(&1024.0)?, 1.0 / 1024.0);
    let few = Function::trace(scalar(), |x| {
        while_at_most(checkpoint(1 << 20, Checkpoint::Sqrt), *x, |x| x.gt(1.0), |x| x * x / (x + x))
    })?;
    assert!(workspace(&few.grad()?)? < 20_000);
    Ok(())
}

#[test]
fn a_workspace_that_the_system_does_not_give() -> Result<(), Error> {
    // The tape of each loop has 2²⁰ rows of 2000 numbers: together a terabyte.
    let f = Function::trace(vector(2000), |x| {
        (0..64).fold(*x, |x, _| while_loop(x, |x| x.sum().gt(1.0), |x| x * x * 0.5)).sum()
    })?;
    let gradient = f.grad()?.compile()?;
    assert!(gradient.executable().report().workspace_bytes > 1 << 39);
    let error = gradient.call(&[0.0; 2000]).expect_err("too much").to_string();
    assert!(error.contains("which the system does not give"), "{error}");
    Ok(())
}

/// Without carries nothing is stored, so checkpoints are no choice there: the same program, and the same bits.
#[test]
fn loops_without_carries() -> Result<(), Error> {
    let traced = |how| Function::trace(vector(100), move |x| sum(times(100, how), |i| x.at(i).sin()));
    let mapped = |how| Function::trace(vector(100), move |x| map(times(100, how), |i| x.at(i).sin()).sum());
    for how in CHECKPOINTS.map(Some) {
        assert_eq!(traced(how)?.grad()?.program().to_string(), traced(None)?.grad()?.program().to_string());
        assert_eq!(mapped(how)?.hvp()?.program().to_string(), mapped(None)?.hvp()?.program().to_string());
    }
    Ok(())
}
