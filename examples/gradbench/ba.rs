//! `ba`: bundle adjustment. The errors with which cameras see points, and the sparse Jacobian of these: each
//! observation depends on one camera, one point and its weight.

use super::job::{Job, Problem, Unfit, job, parse, require, unknown};
use evolute::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

/// What a camera is described by: rotation, centre, focal length, principal point, radial distortion.
const CAMERA: usize = 11;
/// The parameters that an observation depends on.
const BLOCK: usize = CAMERA + 3 + 1;

/// The most of anything: ten times what the suite's largest input has.
const MOST: usize = 1 << 24;

/// One camera, point, weight and feature, which stand for all of `n`, `m`, `p`, `p`.
#[derive(Deserialize)]
struct Input {
    n: usize,
    m: usize,
    p: usize,
    cam: Vec<f64>,
    x: Vec<f64>,
    w: f64,
    feat: Vec<f64>,
}

/// The problem: observation `i` sees point `points[i]` with camera `cameras[i]`.
struct Scene {
    n: usize,
    m: usize,
    cams: Vec<f64>,
    x: Vec<f64>,
    w: Vec<f64>,
    features: Vec<f64>,
    cameras: Vec<i64>,
    points: Vec<i64>,
}

impl Scene {
    fn new(Input { n, m, p, cam, x, w, feat }: Input) -> Result<Scene, Unfit> {
        let few = |count: usize| (1..=MOST).contains(&count);
        require([n, m, p].into_iter().all(few), "from one to 2²⁴ cameras, points and observations")?;
        require([cam.len(), x.len(), feat.len()] == [CAMERA, 3, 2], "a camera, a point and a feature")?;
        let cycle = |n: usize| (0..p).map(|i| (i % n) as i64).collect();
        Ok(Scene {
            n,
            m,
            cams: cam.repeat(n),
            x: x.repeat(m),
            w: vec![w; p],
            features: feat.repeat(p),
            cameras: cycle(n),
            points: cycle(m),
        })
    }
}

type Vector<'t> = [Scalar<'t>; 3];

fn cross<'t>(a: Vector<'t>, b: Vector<'t>) -> Vector<'t> {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

fn dot<'t>(a: Vector<'t>, b: Vector<'t>) -> Scalar<'t> {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn each<'t>(f: impl Fn(usize) -> Scalar<'t>) -> Vector<'t> {
    std::array::from_fn(f)
}

/// `x` turned about the axis `rotation` by its length in radians (Rodrigues' formula).
fn rotated<'t>(rotation: Vector<'t>, x: Vector<'t>) -> Vector<'t> {
    let squared = dot(rotation, rotation);
    cond(
        squared.ne(0.0),
        || {
            let angle = squared.sqrt();
            let (sin, cos) = (angle.sin(), angle.cos());
            let axis = each(|k| rotation[k] / angle);
            let (along, across) = (dot(axis, x) * (1.0 - cos), cross(axis, x));
            each(|k| x[k] * cos + across[k] * sin + axis[k] * along)
        },
        || {
            let across = cross(rotation, x);
            each(|k| x[k] + across[k])
        },
    )
}

/// The weighted error of one observation.
fn error<'t>(
    (camera, x, weight): (Array<'t>, Array<'t>, Scalar<'t>),
    feature: [Scalar<'t>; 2],
) -> [Scalar<'t>; 2] {
    let (camera, x) = (camera.elements(), x.elements());
    let seen = rotated(each(|k| camera[k]), each(|k| x[k] - camera[3 + k]));
    let [px, py] = [seen[0] / seen[2], seen[1] / seen[2]];
    let squared = px * px + py * py;
    let distortion = 1.0 + camera[9] * squared + camera[10] * squared * squared;
    let projected = [px, py].map(|p| p * distortion * camera[6]);
    [0, 1].map(|k| weight * (projected[k] + camera[7 + k] - feature[k]))
}

/// How far a weight is from 1.
fn weight_error<'t>(weight: Scalar<'t>) -> Scalar<'t> {
    1.0 - weight * weight
}

/// The two rows of an observation's Jacobian.
fn jacobian<'t>(at: (Array<'t>, Array<'t>, Scalar<'t>), feature: [Scalar<'t>; 2]) -> [Array<'t>; 2] {
    [[1.0, 0.0], [0.0, 1.0]].map(|seed| {
        let (_, (camera, x, weight)) = vjp(|at| error(at, feature), at, seed.map(Scalar::from));
        concat(&[camera, x, Array::of(&[weight])], 0)
    })
}

/// A sparse matrix by rows: `rows[i]..rows[i + 1]` are the places of row `i` in `columns` and `values`.
#[derive(Default)]
struct Sparse {
    rows: Vec<usize>,
    columns: Vec<usize>,
    values: Vec<f64>,
}

impl Sparse {
    /// From the blocks of all observations and the derivatives of the weights' errors.
    fn assemble(&mut self, scene: &Scene, blocks: [&[f64]; 2], weights: &[f64]) {
        let (x_start, w_start) = (CAMERA * scene.n, CAMERA * scene.n + 3 * scene.m);
        self.rows.clear();
        self.columns.clear();
        self.values.clear();
        self.rows.push(0);
        for (i, (&camera, &point)) in scene.cameras.iter().zip(&scene.points).enumerate() {
            let (camera, point) = (CAMERA * camera as usize, x_start + 3 * point as usize);
            for block in blocks {
                self.columns.extend(camera..camera + CAMERA);
                self.columns.extend([point, point + 1, point + 2, w_start + i]);
                self.values.extend_from_slice(&block[i * BLOCK..(i + 1) * BLOCK]);
                self.rows.push(self.values.len());
            }
        }
        for (i, &derivative) in weights.iter().enumerate() {
            self.columns.push(w_start + i);
            self.values.push(derivative);
            self.rows.push(self.values.len());
        }
    }

    /// What the eval compares: the first observation's part and the last entry.
    fn json(&self) -> Value {
        fn ends<T: Copy>(all: &[T]) -> Vec<T> {
            all.iter().take(2 * BLOCK).chain(all.last()).copied().collect()
        }
        json!({ "rows": ends(&self.rows), "cols": ends(&self.columns), "vals": ends(&self.values) })
    }
}

pub(crate) fn prepare(function: &str, input: Value) -> Result<Box<dyn Job>, Problem> {
    let scene = Scene::new(parse(input)?)?;
    match function {
        "objective" => errors(scene),
        "jacobian" => jacobians(scene),
        _ => Err(unknown(function)),
    }
}

fn errors(scene: Scene) -> Result<Box<dyn Job>, Problem> {
    let (n, m, p) = (scene.n, scene.m, scene.w.len());
    let inputs = (matrix(n, CAMERA), matrix(m, 3), vector(p), matrix(p, 2));
    let indices = (vector_of::<I64>(p), vector_of::<I64>(p));
    let outputs = (matrix(p, 2), vector(p));
    let f = Function::trace_to((inputs, indices), outputs, |&((cams, x, w, features), (camera, point))| {
        map(p, |i| {
            let feature = [0, 1].map(|k| features.at((i, k)));
            let at = (cams.row(camera.at(i)), x.row(point.at(i)), w.at(i));
            (Array::of(&error(at, feature)), weight_error(w.at(i)))
        })
    })?
    .compile()?;
    let mut workspace = f.workspace();
    let run = move |(errors, weights): &mut (Vec<f64>, Vec<f64>)| {
        let inputs = (&scene.cams[..], &scene.x[..], &scene.w[..], &scene.features[..]);
        f.call_into((inputs, (&scene.cameras, &scene.points)), (errors, weights), &mut workspace)
    };
    let show = move |(errors, weights): &(Vec<f64>, Vec<f64>)| {
        json!({
            "reproj_error": { "elements": &errors[..2], "repeated": p },
            "w_err": { "element": weights[0], "repeated": p },
        })
    };
    Ok(job((vec![0.0; 2 * p], vec![0.0; p]), run, show))
}

fn jacobians(scene: Scene) -> Result<Box<dyn Job>, Problem> {
    let (n, m, p) = (scene.n, scene.m, scene.w.len());
    let inputs = (matrix(n, CAMERA), matrix(m, 3), vector(p), matrix(p, 2));
    let indices = (vector_of::<I64>(p), vector_of::<I64>(p));
    let outputs = (matrix(p, BLOCK), matrix(p, BLOCK), vector(p));
    let f = Function::trace_to((inputs, indices), outputs, |&((cams, x, w, features), (camera, point))| {
        map(p, |i| {
            let feature = [0, 1].map(|k| features.at((i, k)));
            let at = (cams.row(camera.at(i)), x.row(point.at(i)), w.at(i));
            let [first, second] = jacobian(at, feature);
            (first, second, grad(weight_error, w.at(i)))
        })
    })?
    .compile()?;
    let mut workspace = f.workspace();
    let mut blocks = [vec![0.0; p * BLOCK], vec![0.0; p * BLOCK]];
    let mut weights = vec![0.0; p];
    let run = move |matrix: &mut Sparse| {
        let inputs = (&scene.cams[..], &scene.x[..], &scene.w[..], &scene.features[..]);
        let [first, second] = &mut blocks;
        let outputs = (&mut first[..], &mut second[..], &mut weights[..]);
        f.call_into((inputs, (&scene.cameras, &scene.points)), outputs, &mut workspace)?;
        matrix.assemble(&scene, [&blocks[0], &blocks[1]], &weights);
        Ok(())
    };
    Ok(job(Sparse::default(), run, Sparse::json))
}
