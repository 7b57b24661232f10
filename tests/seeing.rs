//! What a user sees: source lines, names, graphs, the origin of a NaN, checks of derivatives, and errors.
//! One `check` an area.

use evolute::ir::{Builder, Elem, FailureKind, IrError, Level, Mode, Op, Prim, Program, Role, Type};
use evolute::prelude::*;
use evolute::{CallError, CompileError, Error, Spec, TraceError, nested};
use std::panic::{AssertUnwindSafe, catch_unwind};

// ── source lines ────────────────────────────────────────────────────────────────────────────────────

/// Every line recorded in `program`, and in what each pass makes of it, is one of this file, and there are
/// some.
fn check_lines<S: Spec, R: Spec, A: Spec>(f: &Function<S, R, A>) {
    for stage in f.stages().unwrap() {
        let program = &stage.program;
        let lines: Vec<_> = program.locs().iter().filter_map(|(_, loc)| loc.clone()).collect();
        assert!(!lines.is_empty(), "no line is recorded:\n{program}");
        for line in lines {
            assert_eq!(&*line.file, file!(), "at line {} after {}:\n{program}", line.line, stage.pass);
        }
        check_every_instruction(program, stage.pass);
    }
}

/// All but constants have a line.
fn check_every_instruction(program: &Program, pass: &str) {
    for (value, _) in program.values().iter() {
        let constant = program.as_const(value).is_some();
        let seed = program.name(value).is_none() && program.def_inst(value).is_none();
        assert!(
            constant || seed || program.loc(value).is_some(),
            "{value} has no line after {pass}:\n{program}"
        );
    }
}

#[test]
#[allow(clippy::op_ref, reason = "operators on references are what is tested")]
fn operators_and_methods_are_at_their_lines() {
    let f = Function::scalar(4, |x| {
        let [a, b, c] = [x[0], x[1], x[2]];
        let mut y = a + b - c * a / b % c;
        y = -y + 1.0 - 2.0 * y / 3.0 + (4.0 - y) + 5.0 / y;
        y = &y + &a - &b * &c + (&y * 2.0) + (2.0 * &y) + -&y;
        y += a;
        y -= &b;
        y *= 2.0;
        y /= c;
        y %= 10.0;
        y = y.sin().cos().tan().exp().ln().sqrt().abs().tanh().sigmoid().softplus();
        y = y.powi(3).powf(2.0).hypot(a).atan2(b).min(c).max(0.1).mul_add(a, b);
        y += y.digamma() + y.polygamma(2) + y.stop_gradient() + y.to_f32().to_f64() + y.to_int().to_f64();
        let condition = y.lt(a) & !y.ge(b) | y.le(c) ^ y.gt(0.0) | y.eq(a) & y.ne(b);
        condition.select(y, a * b)
    })
    .unwrap();
    check_lines(&f);
    check_lines(&f.grad().unwrap());
    check_lines(&f.hvp().unwrap());
}

#[test]
fn iterators_and_slices_are_at_a_line_of_the_user() {
    let f = Function::scalar(4, |x| {
        let sum: Scalar = x.iter().sum();
        let product: Scalar = x.iter().copied().product();
        let squares: Scalar = x.iter().map(|x| x * x).sum();
        let folded = x.iter().fold(Scalar::from(0.0), |a, &b| a + b);
        let reduced = x.iter().copied().reduce(std::ops::Mul::mul).unwrap();
        sum + product + squares + folded + reduced + x.norm2() + x.logsumexp() + x.softmax()[1]
    })
    .unwrap();
    check_lines(&f);
    check_lines(&f.hvp().unwrap());
}

fn generic<T: Real64>(x: &[T]) -> T {
    let sum: T = x.iter().sum();
    let clipped = sum.gt(T::of(1.0)).select(sum, Real::min(sum, T::of(0.5)));
    x.norm2() * 2.0 + x.logsumexp() + Real::exp(clipped) + Real::powi(sum, 2) + x.softmax()[0]
}

#[test]
fn generic_code_is_at_its_lines() {
    let f = Function::scalar(3, |x| generic(x)).unwrap();
    check_lines(&f);
    check_lines(&f.hvp().unwrap());
}

#[test]
fn nested_derivatives_are_at_their_lines() {
    let inner = Function::scalar(2, |x| x[0].sin() * x[1]).unwrap();
    let f = Function::scalar(2, |x| {
        let (a, b) = (x[0], x[1]);
        let gradient = grad(|y| y.exp() * a, b);
        let (value, along) = jvp(|y: [Scalar; 2]| y[0] * y[1].sin(), [a, b], [b, a]);
        let (_, back) = vjp(|y: Vec<Scalar>| (y[0] * y[1], y[0]), vec![a, b], (a, b));
        let second = hvp(|y| y.powi(3) * grad(|z| z * z * y, a), b, a);
        let (_, first) = nested::value_and_grad(|y| y.cos(), a);
        gradient + value + along + back[0] + second + first + inner.call(&[a, b])
    })
    .unwrap();
    check_lines(&f);
    check_lines(&f.grad().unwrap());
    check_lines(&f.hvp().unwrap());
}

/// `Iterator::sum` has one place in the library; each use is at the line of its own inner derivative.
#[test]
fn the_library_is_at_the_line_of_the_enclosing_derivative() {
    fn sum<'t>(y: [Scalar<'t>; 2]) -> Scalar<'t> {
        [y[0].sin(), y[1]].into_iter().sum()
    }
    let mut lines = Vec::new();
    let f = Function::scalar(2, |x| {
        lines.push(line!() + 1);
        let a = grad(sum, [x[0], x[1]]);
        lines.push(line!() + 1);
        let b = grad(sum, [x[1], x[0]]);
        a[0] + b[0]
    })
    .unwrap();
    let program = f.program();
    let sums = program.values().iter().map(|(value, _)| value).filter(|&v| {
        let inst = program.def_inst(v);
        inst.is_some_and(|inst| evolute::ir::text::instruction(program, inst).to_string().contains(" = add "))
    });
    let found: Vec<u32> = sums.map(|v| program.loc(v).unwrap().line).collect();
    assert_eq!(found[..2], lines[..], "{program}");
}

#[test]
fn errors_in_the_library_are_at_a_line_of_the_user() {
    let error = Function::scalar(1, |x| {
        let kept = std::cell::Cell::new(x[0]);
        let inner = |y| {
            kept.set(y * y);
            y
        };
        let g = grad(inner, x[0]);
        [g, kept.get()].into_iter().sum()
    });
    let Err(Error::Trace(TraceError::At { at, .. })) = error else { panic!("{error:?}") };
    assert_eq!(&*at.file, file!());
}

// ── names and graphs ────────────────────────────────────────────────────────────────────────────────

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
    let error = Function::parse(&f.to_string(), scalars(3), scalar()).unwrap_err();
    assert!(matches!(error, Error::Signature { .. }), "{error}");
    assert_eq!(error.to_string(), "expected a program (f64[3]) -> (f64), found (f64[2]) -> (f64)");
    assert!(matches!(
        Function::parse("nonsense", scalars(1), scalar()),
        Err(Error::Ir(IrError::Parse { .. }))
    ));
}

// ── the origin of a NaN ─────────────────────────────────────────────────────────────────────────────

/// The origin at `x` is at `line`, of this mode and role.
fn check_origin<R: Spec, A: Spec>(
    f: &Function<evolute::Scalars<F64>, R, A>,
    x: &[f64],
    (line, mode, role): (u32, Option<Mode>, Role),
) {
    let origin = f.explain_nan(x).unwrap().expect("a result that is not finite");
    let found = origin.loc.as_ref().map(|loc| (&*loc.file, loc.line));
    assert_eq!((found, origin.mode, origin.role), (Some((file!(), line)), mode, role), "{origin}");
    assert_eq!(origin.level == Level::PRIMAL, mode.is_none());
    assert!(!origin.number.is_finite());
    assert!(origin.to_string().contains(&format!(":{line}")), "{origin}");
}

#[test]
fn a_nan_of_the_function_is_explained() {
    let line = line!() + 2;
    let f = Function::scalar(2, |x| {
        let root = (x[0] - 2.0).sqrt();
        root * x[1] + root.sin()
    })
    .unwrap();
    check_origin(&f, &[1.0, 1.0], (line, None, Role::Primal));
    check_origin(&f.hvp().unwrap().at(1.0), &[1.0, 1.0], (line, None, Role::Primal));
    assert!(f.explain_nan(&[3.0, 1.0]).unwrap().is_none());
}

#[test]
fn a_nan_of_the_derivative_is_explained() {
    let line = line!() + 2;
    let f = Function::scalar(1, |x| {
        let root = (x[0] - 1.0).sqrt();
        root * 0.0 + x[0]
    })
    .unwrap();
    assert!(f.explain_nan(&[1.0]).unwrap().is_none(), "the value is finite");
    check_origin(&f.grad().unwrap(), &[1.0], (line, Some(Mode::Reverse), Role::Primal));
    let second = f.grad().unwrap().jacobian().unwrap();
    check_origin(&second, &[1.0], (line, Some(Mode::Reverse), Role::Primal));
}

#[test]
fn a_nan_of_the_input_is_explained() {
    let f = Function::scalar(2, |x| x[0] * x[1]).unwrap();
    let origin = f.explain_nan(&[f64::NAN, 1.0]).unwrap().unwrap();
    assert_eq!(origin.level, Level::PRIMAL);
    assert!(origin.instruction.contains("v0"), "{origin}");
    assert!(f.explain_nan(&[1.0]).is_err(), "too few inputs");
}

/// The Hessian-vector product of a function along a constant direction, to take one argument.
trait At {
    fn at(&self, direction: f64) -> Function<evolute::Scalars<F64>, evolute::Scalars<F64>>;
}

impl At
    for Function<(evolute::Scalars<F64>, evolute::Scalars<F64>), evolute::Scalars<F64>, evolute::Scalars<F64>>
{
    fn at(&self, direction: f64) -> Function<evolute::Scalars<F64>, evolute::Scalars<F64>> {
        let n = 2;
        Function::vector(n, |x| self.call((x, &vec![Scalar::from(direction); n]))).unwrap()
    }
}

// ── checks of derivatives ───────────────────────────────────────────────────────────────────────────

#[test]
fn right_derivatives_pass_and_wrong_ones_do_not() {
    let right = Function::scalar(3, |x| x[0].sin() * x[1].exp() + x.norm2() + x.logsumexp()).unwrap();
    let check = right.check_derivatives(&[0.3, -0.2, 1.5]).unwrap();
    assert!(check.passed(), "{check}");
    assert_eq!(check.inputs.len(), 3);
    assert!(right.grad().unwrap().check_derivatives(&[0.3, -0.2, 1.5]).unwrap().passed());

    let wrong = Function::scalar(2, |x| x[0] * x[1].stop_gradient()).unwrap();
    let check = wrong.check_derivatives(&[2.0, 3.0]).unwrap();
    assert!(!check.passed());
    let agrees: Vec<bool> = check.inputs.iter().map(|input| input.agrees).collect();
    assert_eq!(agrees, [true, false], "{check}");
    assert_eq!(check.inputs[1].derivative, 0.0);
    assert!((check.inputs[1].difference - 2.0).abs() < 1e-6);
    assert!(check.to_string().contains("disagrees"));
}

#[test]
fn only_what_is_differentiated_is_checked() {
    let f = Function::scalar((scalars(2), scalars(2)), |(x, data)| {
        x[0] * data[0] + x[1] * data[1].stop_gradient()
    });
    let check = f.unwrap().wrt::<0>().check_derivatives((&[1.0, 2.0], &[3.0, 4.0])).unwrap();
    assert!(check.passed() && check.inputs.len() == 2, "{check}");
}

// ── calls that do not fit ───────────────────────────────────────────────────────────────────────────

/// The same for the compiled and the interpreted function.
fn check_call<S: Spec, R: Spec, A: Spec>(
    f: &Function<S, R, A>,
    call: impl Fn(&Compiled<S, R>) -> Result<R::Owned, Error>,
    check: impl Fn(Result<R::Owned, Error>),
) {
    check(call(&f.compile().unwrap()));
    check(call(&f.interpreted().unwrap()));
    check(call(&f.compile_with(&Options::default().strict()).unwrap()));
}

#[test]
fn wrong_lengths_are_errors() {
    let f = Function::scalar((scalars(2), scalar()), |(x, s)| x[0] * x[1] * s).unwrap();
    check_call(
        &f,
        |f| f.call((&[1.0, 2.0, 3.0], &1.0)),
        |result| {
            let Err(Error::Call(error @ CallError::Buffer { index: 0, len: 3, .. })) = result else {
                panic!("{result:?}")
            };
            assert_eq!(error.to_string(), "input 0: expected f64[2], found 3 elements of f64");
        },
    );
    let gradient = f.wrt::<0>().grad().unwrap();
    check_call(
        &gradient,
        |f| f.call_into((&[1.0, 2.0], &1.0), &mut [0.0], &mut f.workspace()).map(|()| Vec::new()),
        |result| assert!(matches!(result, Err(Error::Call(CallError::Buffer { what: "output", .. })))),
    );
}

#[test]
fn no_inputs_and_no_outputs() {
    let f = Function::scalar(0, |x| x.iter().sum::<Scalar>() + x.norm2() + 1.0).unwrap();
    check_call(&f, |f| f.call(&[]), |result| assert_eq!(result.unwrap(), 1.0));
    check_call(&f.grad().unwrap(), |f| f.call(&[]), |result| assert!(result.unwrap().is_empty()));
    check_call(&f.hvp().unwrap(), |f| f.call((&[], &[])), |result| assert!(result.unwrap().is_empty()));
    check_call(&f.hessian().unwrap(), |f| f.call(&[]), |result| assert!(result.unwrap().is_empty()));
    let nothing = Function::vector(2, |_| Vec::<Scalar>::new()).unwrap();
    check_call(&nothing, |f| f.call(&[1.0, 2.0]), |result| assert!(result.unwrap().is_empty()));
    check_call(
        &nothing.jvp().unwrap(),
        |f| f.call((&[1.0, 2.0], &[1.0, 2.0])),
        |result| {
            assert_eq!(result.unwrap(), (vec![], vec![]));
        },
    );
}

#[test]
fn what_does_not_depend_on_an_input_has_derivative_zero() {
    let constant = Function::scalar(2, |_| Scalar::from(3.0)).unwrap();
    check_call(&constant.grad().unwrap(), |f| f.call(&[1.0, 2.0]), |g| assert_eq!(g.unwrap(), [0.0, 0.0]));
    let linear = Function::scalar(2, |x| x[1] * 2.0).unwrap();
    check_call(&linear.grad().unwrap(), |f| f.call(&[1.0, 2.0]), |g| assert_eq!(g.unwrap(), [0.0, 2.0]));
    check_call(
        &linear.hvp().unwrap(),
        |f| f.call((&[1.0, 2.0], &[1.0, 1.0])),
        |h| {
            assert_eq!(h.unwrap(), [0.0, 0.0]);
        },
    );
    check_call(&linear.hessian().unwrap(), |f| f.call(&[1.0, 2.0]), |h| assert_eq!(h.unwrap(), [0.0; 4]));
}

#[test]
fn a_nan_goes_through() {
    let f = Function::scalar(2, |x| x[0].sin() + x[1].max(0.0)).unwrap();
    for x in [[f64::NAN, 1.0], [1.0, f64::NAN]] {
        check_call(&f, |f| f.call(&x), |y| assert!(y.unwrap().is_nan()));
    }
    check_call(
        &f.grad().unwrap(),
        |f| f.call(&[f64::NAN, 1.0]),
        |g| {
            let g = g.unwrap();
            assert!(g[0].is_nan() && g[1] == 1.0, "{g:?}");
        },
    );
}

#[test]
fn an_integer_division_by_zero_is_an_error_at_its_line() {
    let line = line!() + 2;
    let f =
        Function::scalar((scalar(), scalar_of::<I64>()), |(x, n)| x * (evolute::Int::from(10) / *n).to_f64())
            .unwrap();
    check_call(&f, |f| f.call((&1.5, &5)), |y| assert_eq!(y.unwrap(), 3.0));
    let fails = |result: Result<f64, Error>| {
        let Err(Error::Call(CallError::Failure(failure))) = result else { panic!("{result:?}") };
        assert_eq!(failure.kind, FailureKind::IntegerDivision);
        let loc = failure.loc.as_ref().expect("a line");
        assert_eq!((&*loc.file, loc.line), (file!(), line), "{failure}");
    };
    check_call(&f, |f| f.call((&1.5, &0)), fails);
    let derivative = f.wrt::<0>().grad().unwrap();
    check_call(&derivative, |f| f.call((&1.5, &5)), |g| assert_eq!(g.unwrap(), 2.0));
    check_call(&derivative, |f| f.call((&1.5, &0)), fails);
}

// ── functions that cannot be ────────────────────────────────────────────────────────────────────────

#[test]
fn a_gradient_needs_one_real_scalar() {
    let f = Function::vector(2, |x| vec![x[0], x[1]]).unwrap();
    let line = line!() + 1;
    let error = f.grad().unwrap_err();
    let Error::Derive { at, .. } = &error else { panic!("{error}") };
    assert_eq!((&*at.file, at.line), (file!(), line));
    assert!(error.to_string().contains("one real scalar result, found (f64[2])"), "{error}");

    let integer = Function::scalar((scalar(), scalar_of::<I64>()), |(x, n)| *x * n.to_f64()).unwrap();
    assert!(matches!(integer.grad(), Err(Error::Derive { .. })), "an i64 has no derivative");
    assert!(integer.wrt::<1>().grad().is_err() && integer.wrt::<0>().grad().is_ok());
}

#[test]
fn a_value_that_leaves_its_derivative_is_an_error_with_both_lines() {
    let (mut made, mut used) = (0, 0);
    let error = Function::scalar(1, |x| {
        let kept = std::cell::Cell::new(None);
        let inner = |y| {
            made = line!() + 1;
            kept.set(Some(y * y));
            y * x[0]
        };
        let g = grad(inner, x[0]);
        used = line!() + 1;
        g + kept.get().unwrap()
    });
    let Err(Error::Trace(TraceError::At { source: IrError::Escaped { defined, .. }, at })) = &error else {
        panic!("{error:?}")
    };
    assert_eq!((at.line, defined.as_ref().map(|loc| loc.line)), (used, Some(made)));
}

#[test]
fn a_wrong_length_inside_a_trace_is_an_error() {
    let f = Function::scalar(2, |x| x[0] * x[1]).unwrap();
    let line = line!() + 1;
    let error = Function::scalar(3, |x| f.call(&x[..]));
    let Err(Error::Trace(TraceError::Length { at, .. })) = &error else { panic!("{error:?}") };
    assert_eq!((&*at.file, at.line), (file!(), line));
}

#[test]
fn a_panic_passes_through_and_leaves_no_trace() {
    let panicking = || {
        Function::scalar(1, |x| grad(|y| if y.as_constant().is_none() { panic!("mine") } else { y }, x[0]))
    };
    let payload = catch_unwind(AssertUnwindSafe(panicking)).unwrap_err();
    assert_eq!(payload.downcast_ref::<&str>(), Some(&"mine"));
    let f = Function::scalar(1, |x| x[0] * grad(|y| y * y, x[0])).unwrap();
    assert_eq!(f.compile().unwrap().call(&[3.0]).unwrap(), 18.0);
}

#[test]
fn a_panic_swallowed_inside_a_trace_is_an_error() {
    let error = Function::scalar(1, |x| {
        let swallowed =
            catch_unwind(AssertUnwindSafe(|| grad(|_: Scalar| -> Scalar { panic!("mine") }, x[0])));
        swallowed.unwrap_or(x[0])
    });
    assert!(matches!(error, Err(Error::Trace(TraceError::Panicked { .. }))), "{error:?}");
}

#[test]
fn too_large_a_program_is_an_error() {
    let mut builder = Builder::new();
    builder.set_limit(100);
    let mut x = builder.param(&Type::scalar(Elem::F64));
    let error = loop {
        match builder.insert(Op::Prim(Prim::Sin), &[x]) {
            Ok(y) => x = y,
            Err(error) => break error,
        }
    };
    assert_eq!(error, IrError::TooLarge { limit: 100 });
    let too_long = Function::scalar(usize::MAX, |x| x[0]);
    assert!(matches!(too_long, Err(Error::Trace(TraceError::Extent { .. }))), "{too_long:?}");
}

// ── elsewhere ───────────────────────────────────────────────────────────────────────────────────────

#[test]
fn machine_code_shows() {
    let f = Function::scalar(2, |x| x[0] * x[1]).unwrap().compile().unwrap();
    assert!(f.clif().unwrap().contains("fmul"));
    assert!(f.disassembly().unwrap().contains("mul"));
    assert!(f.executable().report().code_bytes > 0);
    assert!(matches!(Error::from(CompileError::from(IrError::TooLarge { limit: 1 })), Error::Compile(_)));
}

#[test]
fn a_compiled_function_serves_many_threads() {
    let f = Function::scalar(3, |x| x[0].sin() * x[1] + x[2].exp()).unwrap().grad().unwrap();
    for compiled in [f.compile().unwrap(), f.interpreted().unwrap()] {
        let expected = compiled.call(&[1.0, 2.0, 3.0]).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let (mut g, mut workspace) = (vec![0.0; 3], compiled.workspace());
                    for _ in 0..100 {
                        compiled.call_into(&[1.0, 2.0, 3.0], &mut g, &mut workspace).unwrap();
                        assert_eq!(g, expected);
                    }
                });
            }
        });
    }
}

#[test]
fn a_value_of_an_enclosing_trace_is_an_error_of_the_inner_one() {
    let outer = Function::scalar(2, |x| {
        let inner = Function::scalar(1, |y| {
            let kept = grad(|z| z * z * x[1], x[0]);
            y[0] * if kept.as_constant().is_some() { 2.0 } else { 3.0 }
        });
        assert!(matches!(inner, Err(evolute::Error::Trace(_))), "{inner:?}");
        x[0] + x[1]
    });
    assert!(outer.is_ok());
}
