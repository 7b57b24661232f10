//! W4, bundle adjustment after ADBench: reprojection errors of points seen by cameras.
//!
//! A camera is a rotation vector (3), its centre (3), its focal length, its principal point (2) and two radial
//! distortions.

use super::workload::{Case, Known, Workload};
use evolute::prelude::*;
use std::rc::Rc;

const CAMERAS: usize = 100;
const CAMERA: usize = 11;
const POINTS: usize = 1000;

/// The two components of one observation's weighted error.
fn residual<T: Real64>(camera: &[T], point: &[T], weight: T, feature: &[T]) -> [T; 2] {
    let [rotation, centre, focal, offset, radial] =
        [&camera[..3], &camera[3..6], &camera[6..7], &camera[7..9], &camera[9..]];
    let d = [0, 1, 2].map(|k| point[k] - centre[k]);
    let seen = rotated(rotation, d);
    let p = [seen[0] / seen[2], seen[1] / seen[2]];
    let rho = p[0] * p[0] + p[1] * p[1];
    let scale = (rho * radial[0] + rho * rho * radial[1] + 1.0) * focal[0];
    [0, 1].map(|k| weight * (p[k] * scale + offset[k] - feature[k]))
}

/// `d` rotated about the axis `omega` by its length, after Rodrigues.
fn rotated<T: Real64>(omega: &[T], d: [T; 3]) -> [T; 3] {
    let theta = (omega[0] * omega[0] + omega[1] * omega[1] + omega[2] * omega[2]).sqrt();
    let u = [0, 1, 2].map(|k| omega[k] / theta);
    let cross = [u[1] * d[2] - u[2] * d[1], u[2] * d[0] - u[0] * d[2], u[0] * d[1] - u[1] * d[0]];
    let (sin, cos) = (theta.sin(), theta.cos());
    let along = (u[0] * d[0] + u[1] * d[1] + u[2] * d[2]) * (-cos + 1.0);
    [0, 1, 2].map(|k| d[k] * cos + cross[k] * sin + u[k] * along)
}

/// Of which observation: its camera, its point and what it saw.
type Observations<'t> = (Array<'t, I64>, Array<'t, I64>, Array<'t>);

fn objective<'t>(p: Array<'t>, (camera_of, point_of, features): Observations<'t>) -> Scalar<'t> {
    let end = CAMERAS * CAMERA;
    let cameras = p.slice(0, 0..end).reshape(&[CAMERAS, CAMERA]);
    let points = p.slice(0, end..end + 3 * POINTS).reshape(&[POINTS, 3]);
    let weights = p.slice(0, end + 3 * POINTS..p.size());
    sum(weights.size(), |i| {
        let (camera, point) = (cameras.row(camera_of.at(i)), points.row(point_of.at(i)));
        let w = weights.at(i);
        let r = residual(&camera.elements(), &point.elements(), w, &features.row(i).elements());
        r[0].powi(2) + r[1].powi(2) + (1.0 - w.powi(2)).powi(2)
    })
}

fn camera(c: usize) -> [f64; CAMERA] {
    let base = [0.1, 0.2, -0.1, 0.0, 0.0, -5.0, 1.0, 0.0, 0.0, 0.0, 0.0];
    let swing = [0.05, 0.05, 0.05, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.01, 0.001];
    std::array::from_fn(|j| base[j] + swing[j] * ((CAMERA * c + j) as f64).sin())
}

fn point(p: usize) -> [f64; 3] {
    [0, 1, 2].map(|k| ((3 * p + k) as f64).sin())
}

fn weight(i: usize) -> f64 {
    1.0 + 0.1 * (i as f64).sin()
}

fn feature(i: usize) -> [f64; 2] {
    [0, 1].map(|k| 0.1 * ((2 * i + k) as f64).sin())
}

pub(crate) fn adjustment(n: usize) -> Box<dyn Case> {
    let arguments = move || {
        let mut p: Vec<f64> = (0..CAMERAS).flat_map(camera).collect();
        p.extend((0..POINTS).flat_map(point));
        p.extend((0..n).map(weight));
        let camera_of = (0..n).map(|i| (i % CAMERAS) as i64).collect();
        let point_of = (0..n).map(|i| ((7 * i + 13 * (i / 1000)) % POINTS) as i64).collect();
        (p, (camera_of, point_of, (0..n).flat_map(feature).collect()))
    };
    let trace = move || {
        let data = (vector_of::<I64>(n), vector_of::<I64>(n), matrix(n, 2));
        let inputs = (vector(CAMERAS * CAMERA + 3 * POINTS + n), data);
        Function::trace(inputs, |(p, (c, x, f))| objective(*p, (*c, *x, *f))).map(|f| f.wrt::<0>())
    };
    Box::new(Workload {
        name: format!("W4b P={n}"),
        trace: Box::new(trace),
        arguments: Rc::new(arguments),
        borrow: |(p, (c, x, f))| ((p, (c, x, f)), p),
        known: (n == 10_000).then_some(MANY),
    })
}

/// The first observation alone.
pub(crate) fn observation() -> Box<dyn Case> {
    let trace = || {
        Function::trace(vector(CAMERA + 4), |p| {
            let p = p.elements();
            let seen = feature(0).map(Scalar::from);
            let r = residual(&p[..CAMERA], &p[CAMERA..CAMERA + 3], p[CAMERA + 3], &seen);
            r[0].powi(2) + r[1].powi(2)
        })
    };
    Box::new(Workload {
        name: "W4a".into(),
        trace: Box::new(trace),
        arguments: Rc::new(|| [&camera(0)[..], &point(0), &[weight(0)]].concat()),
        borrow: |p| (p, p),
        known: Some(ONE),
    })
}

const ONE: Known = Known::new(
    [0.07579325780613315, 0.8289079200151693, 6.6689326778018225],
    [-0.039014119320881654, 0.5655976373997437, -0.05252458833728085],
    [1.6622617577219083, 4.356778864292729, -0.4646298484686466],
);

const MANY: Known = Known::new(
    [1490.0446525262205, 896.8661048390478, 6581.50814083498],
    [10.820520007099116, 61.38236651579773, 1.3721181802348428],
    [254.65896470601552, 409.8461674021796, 9.308044610164414],
);
