//! The benchmark workloads W1-W9: functions written with arrays and loops, with their inputs, and the values on which
//! JAX, CasADi, CppAD, PyTorch, echidna and hand-written code agree.
//!
//! | | | |
//! | --- | --- | --- |
//! | W1 | chained Rosenbrock function | a sum over an index |
//! | W2 | logistic regression | whole arrays |
//! | W3 | Gaussian mixture, the ADBench objective | a map in a sum, small triangular matrices |
//! | W4a, W4b | bundle adjustment: one observation, many | rows at computed indices |
//! | W5 | network of three layers | products of matrices |
//! | W6 | Lennard-Jones cluster | a sum whose length is another's index |
//! | W7 | Bratu energy on a grid | padding and slices |
//! | W7m | minimal surface on a grid | a sum in a sum, a matrix read at shifted indices |
//! | W8 | Lorenz system, Runge-Kutta steps | a scan |
//! | W9a, W9b, W9c | a small function, Black-Scholes prices | scalars |
//!
//! The parameters are one vector, the first argument; what else a function takes is data. Directions are
//! `vᵢ = cos i`.

#![allow(dead_code, reason = "tests and benchmarks use a part each")]

mod w1;
mod w2;
mod w3;
mod w4;
mod w5;
mod w6;
mod w7;
mod w8;
mod w9;
pub(crate) mod workload;

pub(crate) use workload::Case;

/// Every workload at the sizes for which values are known.
pub(crate) fn known() -> Vec<Box<dyn Case>> {
    let mut all = small();
    all.extend([w1::chain(100_000), w7::bratu(1000), w7::surface(1000)]);
    all
}

/// All but the largest of them.
pub(crate) fn small() -> Vec<Box<dyn Case>> {
    vec![
        w1::chain(10),
        w1::chain(1000),
        w2::regression(10_000, 100),
        w3::mixture(1000),
        w4::observation(),
        w4::adjustment(10_000),
        w5::network(256),
        w6::cluster(4, 38),
        w6::cluster(8, 500),
        w7::bratu(100),
        w7::surface(100),
        w8::lorenz(1000),
        w9::three(),
        w9::black_scholes_erf(),
        w9::black_scholes_logistic(),
    ]
}

/// Every workload that has a size, `factor` times as large.
pub(crate) fn scaled(factor: usize) -> Vec<Box<dyn Case>> {
    let side = 100 * factor.isqrt();
    vec![
        w1::chain(1000 * factor),
        w2::regression(10_000 * factor, 100),
        w3::mixture(1000 * factor),
        w4::adjustment(10_000 * factor),
        w5::network(256 * factor),
        w6::cluster(8 * factor.isqrt(), 500 * factor),
        w7::bratu(side),
        w7::surface(side),
        w8::lorenz(1000 * factor),
    ]
}
