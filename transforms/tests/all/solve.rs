//! The iterations and factorisations that linear systems become: on matrices that are easy and hard, scaled, singular, and not finite.

use crate::structures::Rng;
use evolute_ir::{
    Buffer, Builder, ClosedRegion, Elem, EvalError, FailureKind, Interpreter, Method, Op, Program, Solver,
    Strides, Type, Value,
};
use evolute_transforms::pipeline::{Options, Pipeline};

/// `(A, b) ↦ A⁻¹ b`, ready to run.
fn program(n: usize, elem: Elem, solver: Solver) -> Program {
    let array = |extents: &[usize]| Type::array(elem, extents).expect("small");
    let mut builder = Builder::new();
    let (a, b) = (builder.param(&array(&[n, n])), builder.param(&array(&[n])));
    let matrix = products(&mut builder, a, 1);
    let x = builder.linear_solve(solver, matrix, None, b).expect("a vector");
    let program = builder.finish(&[x]).expect("in scope");
    Pipeline::new(Options::default()).run(&program).expect("small")
}

/// `(A, b, M) ↦ A⁻¹ b`, where `M` is what is known of the inverse.
fn program_with_inverse(n: usize, solver: Solver) -> Program {
    let array = |extents: &[usize]| Type::array(Elem::F64, extents).expect("small");
    let mut builder = Builder::new();
    let (a, b) = (builder.param(&array(&[n, n])), builder.param(&array(&[n])));
    let m = builder.param(&array(&[n, n]));
    let matrix = products(&mut builder, a, 1);
    let inverse = products(&mut builder, m, 2);
    let x = builder.linear_solve(solver, matrix, Some(inverse), b).expect("a vector");
    let program = builder.finish(&[x]).expect("in scope");
    Pipeline::new(Options::default()).run(&program).expect("small")
}

/// A region of the product of a matrix and a vector, and of its transpose and another if there are two.
fn products(builder: &mut Builder, a: Value, count: usize) -> ClosedRegion {
    let ty = builder.program().ty(a).clone();
    let n = ty.shape.extents()[0] as usize;
    let array = |extents: &[usize]| Type::array(ty.elem, extents).expect("small");
    builder.open_region();
    let vectors: Vec<Value> = (0..count).map(|_| builder.param(&array(&[n]))).collect();
    let view = |builder: &mut Builder, x, extents: &[usize], strides: &[i64]| {
        let op = Op::View(
            builder.intern(&array(extents)),
            builder.strides(&Strides { offset: 0, strides: strides.into() }),
        );
        builder.insert(op, &[x]).expect("well typed")
    };
    let mut results = Vec::new();
    for (v, strides) in vectors.into_iter().zip([[0, n as i64, 1], [0, 1, n as i64]]) {
        let rows = view(builder, a, &[1, n, n], &strides);
        let column = view(builder, v, &[1, n, 1], &[0, 1, 0]);
        let product = builder.insert(Op::Dot, &[rows, column]).expect("well typed");
        results.push(view(builder, product, &[n], &[1]));
    }
    builder.close_region(&results).expect("in scope")
}

fn solve(solver: Solver, a: &[f64], b: &[f64]) -> Result<Vec<f64>, FailureKind> {
    run(&program(b.len(), Elem::F64, solver), &[a, b])
}

fn solve_with(solver: Solver, a: &[f64], inverse: &[f64], b: &[f64]) -> Result<Vec<f64>, FailureKind> {
    run(&program_with_inverse(b.len(), solver), &[a, b, inverse])
}

fn run(program: &Program, inputs: &[&[f64]]) -> Result<Vec<f64>, FailureKind> {
    let interpreter = Interpreter::new(program).expect("no operators");
    let inputs: Vec<Buffer> = inputs.iter().map(|&x| Buffer::F64(x.into())).collect();
    match interpreter.eval(&inputs) {
        Ok(results) => match &results[..] {
            [Buffer::F64(x)] => Ok(x.clone()),
            other => panic!("{other:?}"),
        },
        Err(EvalError::Failure(failure)) => Err(failure.kind),
        Err(error) => panic!("{error}"),
    }
}

fn product(a: &[f64], x: &[f64]) -> Vec<f64> {
    a.chunks(x.len()).map(|row| row.iter().zip(x).map(|(a, x)| a * x).sum()).collect()
}

/// Solves for a right-hand side with a known solution.
#[track_caller]
fn check(solver: Solver, a: &[f64], x: &[f64], tolerance: f64) {
    let found = solve(solver, a, &product(a, x)).expect("it converges");
    let norm = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
    let error: Vec<f64> = found.iter().zip(x).map(|(found, x)| found - x).collect();
    assert!(norm(&error) <= tolerance * norm(x), "{:e}: {found:?} instead of {x:?}", norm(&error) / norm(x));
}

fn vector(rng: &mut Rng, n: usize) -> Vec<f64> {
    (0..n).map(|_| 2.0 * rng.next() - 1.0).collect()
}

/// `MᵀM + d I`.
fn definite(rng: &mut Rng, n: usize, d: f64) -> Vec<f64> {
    let m = vector(rng, n * n);
    let entry = |i: usize, j: usize| (0..n).map(|k| m[k * n + i] * m[k * n + j]).sum::<f64>();
    (0..n * n).map(|k| entry(k / n, k % n) + if k / n == k % n { d } else { 0.0 }).collect()
}

#[test]
fn random_matrices() {
    let mut rng = Rng::new(1);
    for n in [1, 2, 3, 5, 8, 20, 40, 70] {
        let (a, x) = (vector(&mut rng, n * n), vector(&mut rng, n));
        check(Solver::gmres(), &a, &x, 1e-9);
        check(Solver::dense(), &a, &x, 1e-11);
        check(Solver::default(), &a, &x, 1e-9);
        let a = definite(&mut rng, n, 0.5);
        check(Solver::conjugate_gradient(), &a, &x, 1e-11);
        check(Solver::gmres(), &a, &x, 1e-11);
    }
}

/// Each of these stops a method that divides by the wrong thing.
#[test]
fn matrices_that_break_methods() {
    let rotation = [0.0, -1.0, 1.0, 0.0];
    for solver in [Solver::gmres(), Solver::dense()] {
        check(solver, &rotation, &[0.3, -2.0], 1e-14);
    }
    // The residual is not reduced before the last step.
    let n = 12;
    let shift: Vec<f64> = (0..n * n).map(|k| f64::from(k % n == (k / n + 1) % n)).collect();
    let mut first = vec![0.0; n];
    first[0] = 1.0;
    check(Solver::gmres(), &shift, &first, 1e-14);
    check(Solver::dense(), &shift, &first, 1e-14);
    let indefinite = [1.0, 2.0, 2.0, -3.0];
    check(Solver::gmres(), &indefinite, &[1.0, 1.0], 1e-14);
    let negative = [-2.0, 0.5, 0.5, -3.0];
    check(Solver::conjugate_gradient(), &negative, &[1.0, 1.0], 1e-14);
    // A defective one, and an ill-conditioned one.
    check(Solver::gmres(), &[3.0, 1.0, 0.0, 0.0, 3.0, 1.0, 0.0, 0.0, 3.0], &[1.0, -1.0, 2.0], 1e-13);
    let hilbert: Vec<f64> = (0..36).map(|k| 1.0 / (k / 6 + k % 6 + 1) as f64).collect();
    check(Solver::gmres(), &hilbert, &[1.0, -1.0, 2.0, 0.5, 1.0, -3.0], 1e-7);
    check(Solver::dense(), &hilbert, &[1.0, -1.0, 2.0, 0.5, 1.0, -3.0], 1e-9);
}

/// Few unknowns are solved for without iterations, more are not; a caller's choice is kept.
#[test]
fn the_method_follows_the_size() {
    let factorises = |n: usize, solver: Solver| {
        let program = program(n, Elem::F64, solver);
        program.insts().values().any(|inst| matches!(inst.op, Op::Linalg(_)))
    };
    for (n, few) in [(2, true), (Method::FEW, true), (Method::FEW + 1, false)] {
        assert_eq!(factorises(n, Solver::default()), few);
        assert!(factorises(n, Solver::dense()));
        assert!(!factorises(n, Solver::gmres()) && !factorises(n, Solver::conjugate_gradient()));
    }
}

/// The inverse of a Hilbert matrix has integer elements.
#[test]
fn is_exact_but_for_rounding() {
    let a: Vec<f64> = (0..16).map(|k| 1.0 / (k / 4 + k % 4 + 1) as f64).collect();
    let inverse = [
        [16.0, -120.0, 240.0, -140.0],
        [-120.0, 1200.0, -2700.0, 1680.0],
        [240.0, -2700.0, 6480.0, -4200.0],
        [-140.0, 1680.0, -4200.0, 2800.0],
    ];
    for (i, column) in inverse.iter().enumerate() {
        let unit: Vec<f64> = (0..4).map(|k| f64::from(k == i)).collect();
        let x = solve(Solver::default(), &a, &unit).expect("it is not singular");
        let error = x.iter().zip(column).map(|(x, e)| (x - e).abs()).fold(0.0, f64::max);
        assert!(error < 1e-8, "{error:e}");
    }
}

#[test]
fn scale_does_not_matter() {
    let a = [2.0, 1.0, -1.0, 3.0];
    for scale in [1e-300, 1e-160, 1e160, 1e300] {
        for solver in [Solver::gmres(), Solver::conjugate_gradient(), Solver::dense()] {
            let a = if solver.method.is_symmetric() { [2.0, 1.0, 1.0, 3.0] } else { a };
            check(solver, &a, &[scale, -scale], 1e-13);
        }
    }
    let tiny: Vec<f64> = a.iter().map(|a| a * 1e-140).collect();
    for solver in [Solver::gmres(), Solver::dense()] {
        check(solver, &tiny, &[1e-10, 3e-10], 1e-13);
    }
}

#[test]
fn nothing_to_solve() {
    for solver in [Solver::gmres(), Solver::conjugate_gradient(), Solver::dense()] {
        assert_eq!(solve(solver, &[2.0, 1.0, 1.0, 3.0], &[0.0, 0.0]), Ok(vec![0.0, 0.0]));
        for a in [1.0, f64::NAN] {
            assert_eq!(solve(solver, &[a, 1.0, 1.0, 1.0], &[0.0, 0.0]), Ok(vec![0.0, 0.0]));
        }
        assert_eq!(solve(solver, &[0.0], &[0.0]), Ok(vec![0.0]));
        assert_eq!(solve(solver, &[], &[]), Ok(vec![]));
        assert_eq!(solve(solver, &[4.0], &[1.0]), Ok(vec![0.25]));
    }
}

/// A mistake is an error or not a number, never a wrong one.
#[test]
fn singular_and_not_finite() {
    let is_nan = |found: Result<Vec<f64>, FailureKind>| found.is_ok_and(|x| x.iter().all(|x| x.is_nan()));
    for solver in [Solver::gmres(), Solver::conjugate_gradient(), Solver::dense()] {
        let found = solve(solver, &[1.0, 1.0, 1.0, 1.0], &[1.0, 0.0]);
        match solver.method {
            Method::Dense => assert_eq!(found, Err(FailureKind::Singular)),
            _ => assert_eq!(found, Err(FailureKind::NotConverged)),
        }
        for odd in [f64::NAN, f64::INFINITY] {
            assert!(is_nan(solve(solver, &[1.0, 0.0, 0.0, 1.0], &[odd, 1.0])), "{odd} in b");
            assert!(is_nan(solve(solver, &[1.0, odd, odd, 1.0], &[1.0, 1.0])), "{odd} in A");
        }
    }
    let far = solve(Solver::gmres().within(3), &vector(&mut Rng::new(5), 100), &[1.0; 10]);
    assert_eq!(far, Err(FailureKind::NotConverged));
}

/// What a method divides by is 0, though all that it is given is finite.
#[test]
fn breakdowns() {
    let (cg, gmres) = (Solver::conjugate_gradient(), Solver::gmres());
    let fails = |found: Result<Vec<f64>, FailureKind>| assert_eq!(found, Err(FailureKind::NotConverged));
    // Without curvature along the first direction, and along any.
    fails(solve(cg, &[1.0, 0.0, 0.0, -1.0], &[1.0, 1.0]));
    for solver in [cg, gmres] {
        fails(solve(solver, &[0.0; 4], &[1.0, 2.0]));
        fails(solve(solver, &[0.0], &[1.0]));
    }
    // The Krylov space of the last unit vector ends in the kernel, and holds no solution.
    let n = 6;
    let shift: Vec<f64> = (0..n * n).map(|k| f64::from(k % n == k / n + 1)).collect();
    let unit: Vec<f64> = (0..n).map(|k| f64::from(k == n - 1)).collect();
    fails(solve(gmres, &shift, &unit));
    // The mean is taken away, so there is no solution of another mean than 0.
    let n = 40;
    let centred: Vec<f64> = (0..n * n).map(|k| f64::from(k % n == k / n) - 1.0 / n as f64).collect();
    let b: Vec<f64> = (0..n).map(|k| 1.0 + (k as f64).sin()).collect();
    fails(solve(cg, &centred, &b));
    fails(solve(gmres, &centred, &b));
    for nothing in [[0.0; 4], [f64::NAN; 4]] {
        fails(solve_with(cg, &[2.0, 1.0, 1.0, 3.0], &nothing, &[1.0, 2.0]));
        fails(solve_with(gmres, &[2.0, 1.0, 1.0, 3.0], &nothing, &[1.0, 2.0]));
    }
    // The largest numbers are finite.
    fails(solve(cg, &[f64::MAX, 0.0, 0.0, -f64::MAX], &[1.0, 1.0]));
}

/// What is not a number makes the solution so, though the method meets it late, and breaks down before.
#[test]
fn what_is_not_a_number_is_found() {
    let (cg, gmres) = (Solver::conjugate_gradient(), Solver::gmres());
    for odd in [f64::NAN, f64::INFINITY] {
        let a = [1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, odd];
        for solver in [cg, gmres] {
            let x = solve(solver, &a, &[1.0, 1.0, 0.0]).expect("no error");
            assert!(x.iter().all(|x| x.is_nan()), "{x:?}");
        }
    }
}

/// A matrix that rounding makes seem regular has a solution whose residual is large.
#[test]
fn singular_but_for_rounding() {
    let numbers: Vec<f64> = (1..=9).map(|k| f64::from(k) / 10.0).collect();
    assert_eq!(solve(Solver::dense(), &numbers, &[1.0, 0.0, 0.0]), Err(FailureKind::Singular));
    assert_eq!(solve(Solver::dense(), &[0.0], &[1.0]), Err(FailureKind::Singular));
    let odd = solve(Solver::dense(), &[f64::NAN], &[1.0]).expect("what is given is not a number");
    assert!(odd[0].is_nan());
    // Elements of different sizes are none.
    check(Solver::dense(), &[1.0, 0.0, 0.0, 1e-300], &[1.0, 1.0], 1e-14);
}

#[test]
fn single_precision() {
    for solver in [Solver::gmres(), Solver::dense()] {
        let program = program(3, Elem::F32, solver);
        let a = [3.0, 1.0, 0.0, -1.0, 2.0, 1.0, 0.0, 1.0, 4.0];
        let interpreter = Interpreter::new(&program).expect("no operators");
        let results = interpreter.eval(&[Buffer::F32(a.to_vec()), Buffer::F32(vec![5.0, 6.0, 14.0])]);
        let [Buffer::F32(x)] = &results.expect("it converges")[..] else { panic!("one result") };
        let error = x.iter().zip([1.0, 2.0, 3.0]).map(|(x, e): (&f32, f32)| (x - e).abs());
        assert!(error.fold(0.0, f32::max) < 1e-5, "{x:?}");
    }
}

/// The diagonal tells the scales of a matrix, which is otherwise easy.
#[test]
fn a_preconditioner_saves_products() {
    let (mut rng, n) = (Rng::new(3), 40);
    let scale = |k: usize| 10f64.powf(6.0 * (k as f64) / n as f64);
    let (mut a, mut inverse) = (definite(&mut rng, n, 60.0), vec![0.0; n * n]);
    for (k, a) in a.iter_mut().enumerate() {
        *a *= scale(k / n) * scale(k % n);
    }
    (0..n).for_each(|k| inverse[k * n + k] = 1.0 / a[k * n + k]);
    let x: Vec<f64> = (0..n).map(|k| (0.5 + rng.next()) / scale(k)).collect();
    let b = product(&a, &x);
    for solver in [Solver::conjugate_gradient().within(60), Solver::gmres().to_tolerance(1e-16).within(40)] {
        let found = solve_with(solver, &a, &inverse, &b).expect("it converges");
        for (found, x) in found.iter().zip(&x) {
            assert!((found - x).abs() < 1e-9 * x, "{found} instead of {x} by {solver}");
        }
    }
    let alone = solve(Solver::conjugate_gradient().within(60), &a, &b);
    assert_eq!(alone, Err(FailureKind::NotConverged));
}

/// A preconditioner of a general matrix may be a general one.
#[test]
fn an_exact_preconditioner_needs_one_step() {
    let (a, inverse) = ([2.0, 1.0, 0.0, 4.0], [0.5, -0.125, 0.0, 0.25]);
    let found = solve_with(Solver::gmres().within(1), &a, &inverse, &[4.0, 8.0]).expect("it converges");
    assert!((found[0] - 1.0).abs() < 1e-15 && (found[1] - 2.0).abs() < 1e-15, "{found:?}");
}

#[test]
fn a_given_solution_is_checked() {
    let (a, inverse) = ([2.0, 1.0, 0.0, 4.0], [0.5, -0.125, 0.0, 0.25]);
    let given = Solver::given().to_tolerance(0.01);
    assert_eq!(solve_with(given, &a, &inverse, &[4.0, 8.0]), Ok(vec![1.0, 2.0]));
    assert_eq!(solve_with(given, &a, &inverse, &[1e300, 0.0]), Ok(vec![5e299, 0.0]));
    // The residual is 0.2 % and 2 % of the right-hand side.
    let off = |share: f64| inverse.map(|x| x * (1.0 + share));
    assert!(solve_with(given, &a, &off(0.002), &[4.0, 8.0]).is_ok());
    for wrong in [off(0.02), [0.0; 4], [f64::NAN; 4], [f64::INFINITY, 0.0, 0.0, 1.0]] {
        assert_eq!(solve_with(given, &a, &wrong, &[4.0, 8.0]), Err(FailureKind::Rejected), "{wrong:?}");
        assert_eq!(solve_with(given, &a, &wrong, &[0.0, 0.0]), Ok(vec![0.0, 0.0]));
    }
    // What is asked is not a number.
    for odd in [f64::NAN, f64::INFINITY] {
        let found = solve_with(given, &[odd, 1.0, 0.0, 4.0], &inverse, &[4.0, 8.0]).expect("no error");
        assert!(found.iter().all(|x| x.is_nan()), "{found:?}");
        let found = solve_with(given, &a, &inverse, &[odd, 8.0]).expect("no error");
        assert!(found.iter().all(|x| x.is_nan()), "{found:?}");
    }
}
