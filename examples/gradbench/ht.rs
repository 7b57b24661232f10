//! `ht`: hand tracking. The distances of measured points from the vertices of a posed hand, or from points of its
//! triangles that are unknowns themselves, and the dense Jacobian of these.

use super::job::{Job, Problem, job, parse, require, unknown};
use evolute::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Input {
    theta: Vec<f64>,
    data: Data,
    us: Vec<[f64; 2]>,
}

#[derive(Deserialize)]
struct Data {
    model: Model,
    correspondences: Vec<i64>,
    points: Vec<[f64; 3]>,
}

#[derive(Deserialize)]
struct Model {
    parents: Vec<i64>,
    base_relatives: Vec<[[f64; 4]; 4]>,
    inverse_base_absolutes: Vec<[[f64; 4]; 4]>,
    base_positions: Vec<[f64; 4]>,
    weights: Vec<Vec<f64>>,
    triangles: Vec<[i64; 3]>,
    is_mirrored: bool,
}

/// The model's arrays in the trace: relative and inverse absolute transforms `[bones, 4, 4]`, positions
/// `[vertices, 4]`, weights `[vertices, bones]`.
type Hand<'t> = (Array<'t>, Array<'t>, Array<'t>, Array<'t>);

/// The rotation about the axis of a vector by its length in radians.
fn rotation<'t>(vector: [Scalar<'t>; 3]) -> Array<'t> {
    let angle = vector.iter().map(|v| v * v).sum::<Scalar>().sqrt();
    cond(
        angle.lt(1e-4),
        || Array::of(&identity(3)).reshape(&[3, 3]),
        || {
            let [x, y, z] = vector.map(|v| v / angle);
            let (s, c) = (angle.sin(), angle.cos());
            let d = 1.0 - c;
            let rows = [
                [x * x + (1.0 - x * x) * c, x * y * d - z * s, x * z * d + y * s],
                [x * y * d + z * s, y * y + (1.0 - y * y) * c, y * z * d - x * s],
                [x * z * d - y * s, z * y * d + x * s, z * z + (1.0 - z * z) * c],
            ];
            Array::of(rows.as_flattened()).reshape(&[3, 3])
        },
    )
}

fn identity<'t>(n: usize) -> Vec<Scalar<'t>> {
    (0..n * n).map(|i| Scalar::from(if i % (n + 1) == 0 { 1.0 } else { 0.0 })).collect()
}

/// How a bone that is bent by `x` and spread by `z` radians turns: about the first axis, then about the third.
fn bend<'t>(x: Scalar<'t>, z: Scalar<'t>) -> Array<'t> {
    let [zero, one] = [0.0, 1.0].map(Scalar::from);
    let (sx, cx, sz, cz) = (x.sin(), x.cos(), z.sin(), z.cos());
    let rows = [
        [cz, -sz * cx, sz * sx, zero],
        [sz, cz * cx, -cz * sx, zero],
        [zero, sx, cx, zero],
        [zero, zero, zero, one],
    ];
    Array::of(rows.as_flattened()).reshape(&[4, 4])
}

/// The angles of each bone: of the first two none, of a finger's four bones its bends and, for the first, its spread.
fn angles<'t>(theta: &[Scalar<'t>], bones: usize) -> Vec<[Scalar<'t>; 2]> {
    let mut angles = vec![[Scalar::from(0.0); 2]; bones];
    for (finger, theta) in theta[6..].chunks(4).enumerate() {
        let first = 2 + 4 * finger;
        angles[first] = [theta[0], theta[1]];
        angles[first + 1][0] = theta[2];
        angles[first + 2][0] = theta[3];
    }
    angles
}

/// The vertices of the posed hand, `[vertices, 3]`.
fn vertices<'t>(
    theta: &[Scalar<'t>],
    (relatives, inverses, positions, weights): Hand<'t>,
    model: &Model,
) -> Array<'t> {
    let angles = angles(theta, model.parents.len());
    let mut absolutes: Vec<Array> = Vec::new();
    for (bone, &[x, z]) in angles.iter().enumerate() {
        let relative = relatives.part(bone).dot(bend(x, z));
        absolutes.push(match usize::try_from(model.parents[bone]) {
            Ok(parent) => absolutes[parent].dot(relative),
            Err(_) => relative,
        });
    }
    let transforms = stack(&absolutes, 0).matmul(inverses).slice(1, 0..3);
    let blended = einsum("vb,brc->vrc", &[weights, transforms]);
    let posed = einsum("vrc,vc->vr", &[blended, positions]);
    let mirror = Scalar::from(if model.is_mirrored { -1.0 } else { 1.0 });
    let posed = posed * Array::of(&[mirror, Scalar::from(1.0), Scalar::from(1.0)]);
    let turn = rotation([theta[0], theta[1], theta[2]]);
    posed.dot(turn.transpose()) + Array::of(&theta[3..6])
}

/// The unknowns `(theta, us)`.
type Unknowns<'t> = (Array<'t>, Array<'t>);

/// The errors `[points, 3]`. Where `corners` has three columns, a point lies in the triangle of these vertices with
/// two coordinates of `us`, else at a vertex.
fn errors<'t>(
    (theta, us): Unknowns<'t>,
    hand: Hand<'t>,
    (points, corners): (Array<'t>, Array<'t, I64>),
    model: &Model,
) -> Array<'t> {
    let vertices = vertices(&theta.elements(), hand, model);
    let in_triangles = corners.shape()[1] == 3;
    map_rows((points, corners, us), |(point, corners, u)| {
        if !in_triangles {
            return point - vertices.row(corners.at(0));
        }
        let [u, v] = [u.at(0), u.at(1)];
        let weights = [u, v, 1.0 - u - v];
        (0..3).fold(point, |rest, k| rest - vertices.row(corners.at(k)) * weights[k])
    })
}

/// The numbers of an input, row by row.
struct Numbers {
    theta: Vec<f64>,
    us: Vec<f64>,
    relatives: Vec<f64>,
    inverses: Vec<f64>,
    positions: Vec<f64>,
    weights: Vec<f64>,
    points: Vec<f64>,
    corners: Vec<i64>,
}

/// What a call takes: the unknowns, the hand, what was measured.
type Host<'a> = ((&'a [f64], &'a [f64]), [&'a [f64]; 4], (&'a [f64], &'a [i64]));

impl Numbers {
    fn host(&self) -> Host<'_> {
        let hand = [&self.relatives[..], &self.inverses, &self.positions, &self.weights];
        ((&self.theta, &self.us), hand, (&self.points, &self.corners))
    }
}

/// The extents of an input.
#[derive(Clone, Copy)]
struct Sizes {
    bones: usize,
    vertices: usize,
    points: usize,
    theta: usize,
    /// Unknown coordinates of each point.
    us: usize,
}

fn read(input: Value) -> Result<(Sizes, Model, Numbers), Problem> {
    let Input { theta, data: Data { model, correspondences, points }, us } = parse(input)?;
    let sizes = Sizes {
        bones: model.parents.len(),
        vertices: model.weights.len(),
        points: points.len(),
        theta: theta.len(),
        us: if us.is_empty() { 0 } else { 2 },
    };
    let fingers = sizes.theta.checked_sub(6).filter(|rest| rest % 4 == 0).map(|rest| rest / 4);
    let fits = |fingers| sizes.bones >= 2 + 4 * fingers;
    require(fingers.is_some_and(fits), "six numbers in `theta`, four a finger, and as many bones")?;
    let before = |(bone, &parent): (usize, &i64)| parent < bone as i64;
    require(model.parents.iter().enumerate().all(before), "parents before their bones")?;
    let corners = match us.is_empty() {
        true => Some(correspondences),
        false => corners(&correspondences, &model.triangles),
    };
    require(corners.is_some(), "correspondences that are triangles")?;
    let numbers = Numbers {
        theta,
        us: us.concat(),
        relatives: model.base_relatives.as_flattened().concat(),
        inverses: model.inverse_base_absolutes.as_flattened().concat(),
        positions: model.base_positions.concat(),
        weights: model.weights.concat(),
        points: points.concat(),
        corners: corners.unwrap_or_default(),
    };
    Ok((sizes, model, numbers))
}

/// The vertices of triangles of these numbers, if there are such triangles.
fn corners(numbers: &[i64], triangles: &[[i64; 3]]) -> Option<Vec<i64>> {
    let corners = numbers.iter().map(|&t| triangles.get(usize::try_from(t).ok()?));
    Some(corners.collect::<Option<Vec<&[i64; 3]>>>()?.into_iter().flatten().copied().collect())
}

pub(crate) fn prepare(function: &str, input: Value) -> Result<Box<dyn Job>, Problem> {
    let (sizes, model, numbers) = read(input)?;
    let Sizes { bones, vertices, points, theta, us } = sizes;
    let hand = (array(&[bones, 4, 4]), array(&[bones, 4, 4]), matrix(vertices, 4), matrix(vertices, bones));
    let measured = (matrix(points, 3), matrix_of::<I64>(points, if us == 0 { 1 } else { 3 }));
    let inputs = ((vector(theta), matrix(points, us)), hand, measured);
    match function {
        "objective" => {
            let f = Function::trace(inputs, |&(unknowns, hand, measured)| {
                errors(unknowns, hand, measured, &model)
            })?
            .compile()?;
            let mut workspace = f.workspace();
            let run = move |errors: &mut Vec<f64>| {
                let (unknowns, [a, b, c, d], measured) = numbers.host();
                f.call_into((unknowns, (a, b, c, d), measured), errors, &mut workspace)
            };
            Ok(job(vec![0.0; 3 * points], run, |errors| json!(errors)))
        }
        "jacobian" => {
            let outputs = (array(&[us, points, 3]), array(&[theta, points, 3]));
            let f = Function::trace_to(inputs, outputs, |&(unknowns, hand, measured)| {
                columns(unknowns, |unknowns| errors(unknowns, hand, measured, &model))
            })?
            .compile()?;
            let mut workspace = f.workspace();
            let zeros = [us, theta].map(|n| vec![0.0; n * points * 3]);
            let run = move |[of_us, of_theta]: &mut [Vec<f64>; 2]| {
                let (unknowns, [a, b, c, d], measured) = numbers.host();
                let outputs = (&mut of_us[..], &mut of_theta[..]);
                f.call_into((unknowns, (a, b, c, d), measured), outputs, &mut workspace)
            };
            Ok(job(zeros, run, move |columns| transposed(&columns.concat(), 3 * points)))
        }
        _ => Err(unknown(function)),
    }
}

/// The columns of the Jacobian: with respect to the coordinates of all points at once, and to `theta`.
fn columns<'t>((theta, us): Unknowns<'t>, f: impl Fn(Unknowns<'t>) -> Array<'t>) -> (Array<'t>, Array<'t>) {
    let of_us = map(us.shape()[1], |k| {
        let direction = unit(us.shape()[1], k).broadcast_to(&us.shape());
        jvp(|us| f((theta, us)), us, direction).1
    });
    let of_theta = map(theta.size(), |k| jvp(|theta| f((theta, us)), theta, unit(theta.size(), k)).1);
    (of_us, of_theta)
}

fn unit<'t>(n: usize, k: Int<'t>) -> Array<'t> {
    Array::iota(n).eq(k).to_f64()
}

/// A matrix given by its columns, of so many rows, as its rows.
fn transposed(columns: &[f64], rows: usize) -> Value {
    let row = |i: usize| columns.iter().skip(i).step_by(rows).copied().collect();
    json!((0..rows).map(row).collect::<Vec<Vec<f64>>>())
}
