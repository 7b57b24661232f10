//! Derivatives of arrays, loops and conditionals: forward against finite differences and against reverse, in all
//! nestings of two, after every pass.

pub(crate) use crate::numbers::Rng;
use evolute_ir::{Buffer, Elem, External, Interpreter, Program, Type, text, verify};
use evolute_transforms::pipeline::{Options, Pipeline};
use evolute_transforms::{FpMode, derive};
use std::path::Path;

/// A point, a direction or a cotangent: one array a parameter or result.
pub(crate) type Point = Vec<Vec<f64>>;

impl Rng {
    /// Numbers between ±(0.2 … 1), one array for each real type.
    pub(crate) fn point(&mut self, types: &[Type]) -> Point {
        let mut number = || {
            let x = 0.2 + 0.8 * self.next();
            if self.next() < 0.4 { -x } else { x }
        };
        let reals = types.iter().filter(|ty| ty.elem.is_real());
        reals.map(|ty| (0..ty.shape.len()).map(|_| number()).collect()).collect()
    }
}

/// A function under test: the real parameters vary, the others stay.
pub(crate) struct Case {
    pub(crate) program: Program,
    pub(crate) wrt: Vec<usize>,
    /// The parameters that are not real.
    fixed: Vec<Option<Buffer>>,
}

impl Case {
    pub(crate) fn new(program: Program) -> Case {
        let types = program.param_types();
        let wrt = (0..types.len()).filter(|&i| types[i].elem.is_real()).collect();
        let fixed = types.iter().map(|ty| match ty.elem {
            Elem::I64 => Some(Buffer::I64((0..ty.shape.len()).map(|i| [0, 2, 2, 1][i % 4]).collect())),
            Elem::Bool => Some(Buffer::Bool((0..ty.shape.len()).map(|i| i % 2 == 0).collect())),
            Elem::F64 | Elem::F32 => None,
        });
        Case { wrt, fixed: fixed.collect(), program }
    }

    /// Evaluates a derivative at `x`, followed by `seeds`, after all passes of these options.
    pub(crate) fn eval(&self, program: &Program, options: Options, x: &Point, seeds: &[&Point]) -> Point {
        let ready = Pipeline::new(options).run(program).expect("small");
        verify(&ready).unwrap_or_else(|error| panic!("{error}\n{ready}"));
        let externals: Vec<External> = ready.externals().values().cloned().collect();
        assert_eq!(text::parse_with(&ready.to_string(), &externals).as_ref(), Ok(&ready));
        let mut reals = x.iter();
        let own = self.fixed.iter().map(|fixed| match fixed {
            Some(fixed) => fixed.clone(),
            None => Buffer::F64(reals.next().expect("a value for each real parameter").clone()),
        });
        let seeds = seeds.iter().flat_map(|seed| seed.iter().cloned().map(Buffer::F64));
        let inputs: Vec<Buffer> = own.chain(seeds).collect();
        let interpreter = Interpreter::new(&ready).expect("no operators");
        let results = interpreter.eval(&inputs).unwrap_or_else(|error| panic!("{error}\n{ready}"));
        let real = |buffer| if let Buffer::F64(x) = buffer { Some(x) } else { None };
        results.into_iter().filter_map(real).collect()
    }
}

fn dot(a: &[Vec<f64>], b: &[Vec<f64>]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().flatten().zip(b.iter().flatten()).map(|(x, y)| x * y).sum()
}

fn along(x: &Point, v: &Point, h: f64) -> Point {
    let line = |(x, v): (&Vec<f64>, &Vec<f64>)| x.iter().zip(v).map(|(x, v)| x + h * v).collect();
    x.iter().zip(v).map(line).collect()
}

#[track_caller]
fn close(what: &str, found: f64, expected: f64, tolerance: f64) {
    let scale = 1f64.max(expected.abs());
    assert!((found - expected).abs() <= tolerance * scale, "{what}: found {found}, expected {expected}");
}

pub(crate) fn check(name: &str, case: &Case, options: Options, rng: &mut Rng) {
    let f = &case.program;
    let (x, v, u) = (rng.point(&f.param_types()), rng.point(&f.param_types()), rng.point(&f.param_types()));
    let w = rng.point(&f.result_types());
    let none: Point = w.iter().map(|y| vec![0.0; y.len()]).collect();
    let wrt = &case.wrt[..];
    let (results, inputs) = (w.len(), wrt.len());
    let what = |quantity: &str| format!("{name} {options:?}: {quantity}");

    let jvp = derive::jvp(f, wrt, None).expect("real");
    let vjp = derive::vjp(f, wrt, None).expect("real");
    let value = |h: f64| dot(&case.eval(f, options, &along(&x, &v, h), &[]), &w);
    let tangents = case.eval(&jvp, options, &x, &[&v]);
    let forward = dot(&tangents[results..], &w);
    let h = 1e-5;
    close(&what("jvp against differences"), forward, (value(h) - value(-h)) / (2.0 * h), 1e-7);
    let cotangents = case.eval(&vjp, options, &x, &[&w]);
    close(&what("vjp against jvp"), dot(&cotangents[results..], &v), forward, 1e-12);

    // uᵀ·H·v of the results weighted by w, in four ways.
    let gradient = |h: f64| dot(&case.eval(&vjp, options, &along(&x, &v, h), &[&w])[results..], &u);
    let expected = (gradient(h) - gradient(-h)) / (2.0 * h);
    let forward_over_reverse = derive::jvp(&vjp, wrt, None).expect("real");
    let second = case.eval(&forward_over_reverse, options, &x, &[&w, &v]);
    let reference = dot(&second[2 * results + inputs..], &u);
    close(&what("forward over reverse against differences"), reference, expected, 1e-6);
    let forward_over_forward = derive::jvp(&jvp, wrt, None).expect("real");
    let second = case.eval(&forward_over_forward, options, &x, &[&v, &u]);
    close(&what("forward over forward"), dot(&second[3 * results..], &w), reference, 1e-11);
    let reverse_over_forward = derive::vjp(&jvp, wrt, None).expect("real");
    let second = case.eval(&reverse_over_forward, options, &x, &[&v, &none, &w]);
    close(&what("reverse over forward"), dot(&second[2 * results..], &u), reference, 1e-11);
    let reverse_over_reverse = derive::vjp(&vjp, wrt, None).expect("real");
    let second = case.eval(&reverse_over_reverse, options, &x, &[&w, &none, &v]);
    close(&what("reverse over reverse"), dot(&second[results + inputs..], &u), reference, 1e-11);

    // One more: the derivative of uᵀ·H·v along v, forward and reverse.
    let third = derive::jvp(&forward_over_reverse, wrt, None).expect("real");
    let third = case.eval(&third, options, &x, &[&w, &v, &v]);
    let by_forward = dot(&third[third.len() - inputs..], &u);
    let hessian = |h: f64| {
        dot(
            &case.eval(&forward_over_reverse, options, &along(&x, &v, h), &[&w, &v])[2 * results + inputs..],
            &u,
        )
    };
    close(&what("third order against differences"), by_forward, (hessian(h) - hessian(-h)) / (2.0 * h), 1e-5);
    let zeros: Point = x.iter().map(|x| vec![0.0; x.len()]).collect();
    let third = derive::vjp(&forward_over_reverse, wrt, None).expect("real");
    let third = case.eval(&third, options, &x, &[&w, &v, &none, &zeros, &none, &u]);
    close(&what("third order by reverse"), dot(&third[third.len() - inputs..], &v), by_forward, 1e-10);
}

#[test]
fn derivatives_of_every_structure() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/structures");
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    assert!(paths.len() >= 18, "found only {} files", paths.len());
    let only = std::env::var("EVOLUTE_STRUCTURE").unwrap_or_default();
    for path in paths {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        if !name.contains(&only) {
            continue;
        }
        let source = std::fs::read_to_string(&path).expect("a text");
        let program = text::parse(&source).unwrap_or_else(|error| panic!("{name}: {error}"));
        verify(&program).unwrap_or_else(|error| panic!("{name}: {error}"));
        let case = Case::new(program);
        for (fp, simplify) in [(FpMode::Strict, false), (FpMode::Strict, true), (FpMode::Contract, true)] {
            let mut rng = Rng::new(7);
            check(&name, &case, Options { fp, simplify, fma: true, ..Options::default() }, &mut rng);
        }
    }
}
