//! The Hessian-vector products that are timed, each checked against values on which several other systems
//! agree before it may be.

use crate::common::*;
use crate::hand::{self, Product};
use evolute::prelude::*;
use evolute::{Scalars, Single};
use std::hint::black_box;

/// A function, a point and a direction, and what is known of H·v there.
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) function: Function<Scalars<F64>, Single<F64>>,
    point: Vec<f64>,
    direction: Vec<f64>,
    hand: Option<Product>,
    /// The first three elements, and the norm.
    known: ([f64; 3], Option<f64>),
}

type Body = for<'t> fn(&[Scalar<'t>]) -> Scalar<'t>;

/// Every workload that is one scalar function of scalars.
pub(crate) fn workloads() -> Vec<Workload> {
    let chain = [-107.03697935057552, 234.45775920969717, -148.61025062249996];
    let three_known =
        ([1.7195818392877187, 1.4852559899940498, -0.7313509362788224], Some(2.387010944637089));
    let scholes_known =
        ([-1.0079214598227977, 0.38628011497763043, -61.10749106033649], Some(84.87537489476821));
    let bundle_known =
        ([1.6622617577219083, 4.356778864292729, -0.4646298484686466], Some(6.6689326778018225));
    let workload = |name, f: Body, point: Vec<f64>, hand, known| {
        let function = Function::scalar(point.len(), |x| f(x)).expect("the workloads trace");
        let direction = direction(point.len());
        Workload { name, function, point, direction, hand, known }
    };
    let rosenbrock_of = |name, n, norm| {
        workload(name, |x| rosenbrock(x), rosenbrock_point(n), Some(hand::rosenbrock()), (chain, norm))
    };
    let (market, by_hand) = (BLACK_SCHOLES_POINT.to_vec(), Some(hand::black_scholes as Product));
    vec![
        rosenbrock_of("W1 n=10", 10, Some(440.3457663823736)),
        rosenbrock_of("W1 n=100", 100, None),
        rosenbrock_of("W1 n=1000", 1000, Some(4200.745277932027)),
        workload("W9a", |x| three(x), rosenbrock_point(3), Some(hand::three), three_known),
        workload("W9b", |x| black_scholes(x), market, by_hand, scholes_known),
        workload("W4a", |x| bundle(x), bundle_point(), None, bundle_known),
    ]
}

impl Workload {
    /// One product by compiled or interpreted code a call.
    pub(crate) fn evolute(&self, options: &Options) -> impl FnMut() + use<> {
        let hvp =
            self.function.hvp().and_then(|hvp| hvp.compile_with(options)).expect("the workloads compile");
        let mut workspace = hvp.workspace();
        self.checked(move |x, v, h| hvp.call_into((x, v), h, &mut workspace).expect("the buffers fit"))
    }

    /// One product by hand-written code a call.
    pub(crate) fn hand(&self) -> Option<impl FnMut() + use<>> {
        self.hand.map(|product| self.checked(product))
    }

    fn checked<P: FnMut(&[f64], &[f64], &mut [f64])>(&self, mut product: P) -> impl FnMut() + use<P> {
        let (x, v, mut h) = (self.point.clone(), self.direction.clone(), vec![f64::NAN; self.point.len()]);
        product(&x, &v, &mut h);
        self.check(&h);
        move || product(black_box(&x), black_box(&v), black_box(&mut h))
    }

    fn check(&self, h: &[f64]) {
        let (first, norm) = &self.known;
        let close = |found: f64, known: f64| {
            let error = (found - known).abs() / known.abs();
            assert!(error < 1e-12, "{}: {found} is not {known}", self.name);
        };
        h.iter().zip(first).for_each(|(&found, &known)| close(found, known));
        if let Some(norm) = *norm {
            close(h.iter().map(|x| x * x).sum::<f64>().sqrt(), norm);
        }
    }
}
