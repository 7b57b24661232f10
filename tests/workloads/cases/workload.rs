//! A function with its inputs, whatever its signature.

use evolute::prelude::*;
use evolute::transforms::pipeline::Stage;
use evolute::{Active, ArraySpec, CompileReport, Error, Single, Spec};
use std::rc::Rc;

/// A function of a vector of parameters and of data.
pub(crate) struct Workload<S: Spec, A = S> {
    pub(crate) name: String,
    pub(crate) trace: Box<dyn Fn() -> Result<Objective<S, A>, Error>>,
    /// The point, and the data.
    pub(crate) arguments: Rc<dyn Fn() -> S::Owned>,
    pub(crate) borrow: Borrow<S>,
    pub(crate) known: Option<Known>,
}

/// The arguments as a call takes them, and the vector of parameters among them.
pub(crate) type Borrow<S> = for<'a> fn(&'a <S as Spec>::Owned) -> (<S as Spec>::Host<'a>, &'a [f64]);

/// A scalar function, differentiated with respect to a vector.
pub(crate) type Objective<S, A> = Function<S, Single<F64>, A>;

/// What several systems agree on, or what we find.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub(crate) f: f64,
    pub(crate) gradient: Vector,
    pub(crate) product: Vector,
}

/// Of a vector, the Euclidean norm and the first elements.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vector {
    pub(crate) norm: f64,
    pub(crate) first: [f64; 3],
}

/// What is measured of a workload.
pub(crate) struct Measured {
    pub(crate) report: CompileReport,
    pub(crate) instructions: usize,
    /// One Hessian-vector product a call; the inputs are made when it is called first.
    pub(crate) call: Box<dyn FnMut()>,
}

/// A workload of some signature.
pub(crate) trait Case {
    fn name(&self) -> &str;
    /// Traces the function and nothing else.
    fn trace(&self) -> Result<(), Error>;
    /// Traces, differentiates and compiles the Hessian-vector product.
    fn hvp(&self, options: &Options) -> Result<Measured, Error>;
    /// The same with value and gradient in one program: what one call of it does.
    fn value_grad_hvp(&self, options: &Options) -> Result<Box<dyn FnMut()>, Error>;
    /// Value, gradient and Hessian-vector product as one program, after each pass.
    fn stages(&self) -> Result<Vec<Stage>, Error>;
    /// Value, gradient and Hessian-vector product, and what they should be.
    fn evaluate(&self, options: &Options) -> Result<[Known; 2], Error>;
}

impl<S: Spec, A: Active<Spec = ArraySpec<F64>>> Case for Workload<S, A>
where
    S::Owned: 'static,
{
    fn name(&self) -> &str {
        &self.name
    }

    fn trace(&self) -> Result<(), Error> {
        (self.trace)().map(drop)
    }

    fn hvp(&self, options: &Options) -> Result<Measured, Error> {
        let hvp = (self.trace)()?.hvp()?.compile_with(options)?;
        let (report, instructions) = (hvp.executable().report().clone(), hvp.executable().program().len());
        let (arguments, borrow) = (self.arguments.clone(), self.borrow);
        let mut workspace = hvp.workspace();
        let mut buffers = None;
        let call = move || {
            let (arguments, v, h) = buffers.get_or_insert_with(|| {
                let arguments = arguments();
                let v = direction(borrow(&arguments).1.len());
                let h = vec![0.0; v.len()];
                (arguments, v, h)
            });
            hvp.call_into((borrow(arguments).0, &v[..]), &mut h[..], &mut workspace)
                .expect("the buffers fit");
            std::hint::black_box(h);
        };
        Ok(Measured { report, instructions, call: Box::new(call) })
    }

    fn value_grad_hvp(&self, options: &Options) -> Result<Box<dyn FnMut()>, Error> {
        let all = (self.trace)()?.value_grad_hvp()?.compile_with(options)?;
        let (arguments, borrow) = ((self.arguments)(), self.borrow);
        let v = direction(borrow(&arguments).1.len());
        let (mut f, mut g, mut h) = (0.0, vec![0.0; v.len()], vec![0.0; v.len()]);
        let mut workspace = all.workspace();
        Ok(Box::new(move || {
            let results = (&mut f, &mut g[..], &mut h[..]);
            all.call_into((borrow(&arguments).0, &v[..]), results, &mut workspace).expect("the buffers fit");
            std::hint::black_box((&f, &g, &h));
        }))
    }

    fn stages(&self) -> Result<Vec<Stage>, Error> {
        (self.trace)()?.value_grad_hvp()?.stages()
    }

    fn evaluate(&self, options: &Options) -> Result<[Known; 2], Error> {
        let all = (self.trace)()?.value_grad_hvp()?.compile_with(options)?;
        let arguments = (self.arguments)();
        let (host, x) = (self.borrow)(&arguments);
        let (f, gradient, product) = all.call((host, &direction(x.len())))?;
        let found = Known { f, gradient: Vector::of(&gradient), product: Vector::of(&product) };
        Ok([found, self.known.expect("values are known at this size")])
    }
}

impl Vector {
    fn of(x: &[f64]) -> Vector {
        Vector { norm: x.iter().map(|x| x * x).sum::<f64>().sqrt(), first: [x[0], x[1], x[2]] }
    }
}

impl Known {
    pub(crate) const fn new(
        [f, gradient, product]: [f64; 3],
        first_of_gradient: [f64; 3],
        first_of_product: [f64; 3],
    ) -> Known {
        Known {
            f,
            gradient: Vector { norm: gradient, first: first_of_gradient },
            product: Vector { norm: product, first: first_of_product },
        }
    }

    /// Every number.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = f64> {
        let vector = |v: Vector| [v.norm, v.first[0], v.first[1], v.first[2]];
        [self.f].into_iter().chain(vector(self.gradient)).chain(vector(self.product))
    }
}

/// `vᵢ = cos i`.
fn direction(n: usize) -> Vec<f64> {
    (0..n).map(|i| (i as f64).cos()).collect()
}

/// `scale · sin i + offset`.
pub(crate) fn sines(n: usize, offset: f64, scale: f64) -> Vec<f64> {
    (0..n).map(|i| offset + scale * (i as f64).sin()).collect()
}
