//! Structs as arguments and results, by `#[derive(Params)]`. Documentation only.
//!
//! The struct is generic over its leaves, and one definition serves everywhere:
//!
//! | `Layer<T>` with | is | written |
//! | --- | --- | --- |
//! | `T = ArraySpec` | the specification of an argument or a result | `Layer { w: matrix(2, 3), b: vector(2) }` |
//! | `T = Array` | what closures take and give: a function's, a loop's, an inner derivative's | `layer.w.dot(x) + layer.b` |
//! | `T = Vec<f64>` | what a call returns, and takes by reference | `gradient.call((&layer, &x))` |
//!
//! So a gradient and an `H·v` come back as the struct, and go in again.
//!
//! ```
//! use evolute::prelude::*;
//!
//! #[derive(Clone, Debug, PartialEq, Params)]
//! struct Layer<T> {
//!     w: T,
//!     b: T,
//! }
//!
//! #[derive(Clone, Debug, PartialEq, Params)]
//! struct Net<T> {
//!     hidden: Vec<Layer<T>>,
//!     last: Layer<T>,
//! }
//!
//! impl<'t> Net<Array<'t>> {
//!     fn output(&self, x: Array<'t>) -> Array<'t> {
//!         let hidden = self.hidden.iter().fold(x, |x, layer| (layer.w.dot(x) + layer.b).tanh());
//!         self.last.w.dot(hidden) + self.last.b
//!     }
//! }
//!
//! let layer = |m, n| Layer { w: matrix(m, n), b: vector(m) };
//! let net = Net { hidden: vec![layer(3, 2), layer(3, 3)], last: layer(1, 3) };
//! let f = Function::trace((net, vector(2)), |(net, x)| net.output(*x).sum())?;
//!
//! let layer = |m: usize, n: usize| Layer { w: vec![0.1; m * n], b: vec![0.0; m] };
//! let net = Net { hidden: vec![layer(3, 2), layer(3, 3)], last: layer(1, 3) };
//! let gradient = f.wrt::<0>().grad()?.eval((&net, &[1.0, 2.0]))?;
//! assert_eq!(gradient.last.b, [1.0]);
//! let curvature = f.wrt::<0>().hvp()?.eval(((&net, &[1.0, 2.0]), &gradient))?;
//! assert_eq!(curvature.hidden[0].w.len(), 6);
//! # Ok::<(), evolute::Error>(())
//! ```
//!
//! # Fields
//!
//! A field is a type parameter, a `Vec`, an array or a tuple of what a field may be, or another such struct. The lengths of
//! `Vec`s are part of the specification. Leaves of several sorts take several parameters: they are inferred. A parameter
//! may stand for whatever specifies an argument, a scalar, a list or a struct alike; it has no bounds.
//!
//! ```
//! use evolute::prelude::*;
//!
//! #[derive(Clone, Copy, Debug, PartialEq, Params)]
//! struct Camera<A, S> {
//!     rotation: A,
//!     centre: A,
//!     focal: S,
//!     distortion: [S; 2],
//! }
//!
//! impl<'t> Camera<Array<'t>, Scalar<'t>> {
//!     /// Without its rotation, for brevity.
//!     fn project(self, x: Array<'t>) -> Array<'t> {
//!         let x = x - self.centre;
//!         let p = x.slice(0, 0..2) / x.at(2);
//!         let (r2, [k1, k2]) = (p.inner(p), self.distortion);
//!         p * (self.focal * (1.0 + k1 * r2 + k2 * r2 * r2))
//!     }
//! }
//!
//! let shape = Camera { rotation: vector(3), centre: vector(3), focal: scalar(), distortion: [scalar(), scalar()] };
//! let error = Function::trace((shape, vector(3)), |(camera, x)| camera.project(*x).norm2())?;
//!
//! let camera = Camera {
//!     rotation: vec![0.0; 3],
//!     centre: vec![0.0, 0.0, -5.0],
//!     focal: 2.0,
//!     distortion: [0.0, 0.0],
//! };
//! let gradient = error.wrt::<0>().grad()?.eval((&camera, &[3.0, 4.0, 0.0]))?;
//! assert_eq!((gradient.focal, gradient.distortion), (1.0, [2.0, 2.0]));
//! # Ok::<(), evolute::Error>(())
//! ```
//!
//! What is not differentiated with respect to is another argument, chosen by [`wrt`](crate::Function::wrt); if it is a part
//! of the struct, make two structs of it. What a closure only needs to know, a number of steps, say, it can capture.
//!
//! # In loops and inner derivatives
//!
//! Of traced values the struct is a [`Tree`](crate::Tree): the carry of a loop, the result of a branch, what
//! an inner derivative is taken with respect to.
//!
//! ```
//! use evolute::prelude::*;
//!
//! #[derive(Clone, Copy, Debug, PartialEq, Params)]
//! struct State<T> {
//!     position: T,
//!     velocity: T,
//! }
//!
//! // Steps of a pendulum, whose force is a derivative of its energy.
//! let state = State { position: scalar(), velocity: scalar() };
//! let swing = Function::trace_to(state.clone(), state, |start| {
//!     scan(1000, *start, |State { position, velocity }, _| {
//!         let force = -grad(|x: Scalar| 1.0 - x.cos(), position);
//!         let velocity = velocity + 0.01 * force;
//!         State { position: position + 0.01 * velocity, velocity }
//!     })
//! })?;
//! let rest = State { position: 0.0, velocity: 0.0 };
//! assert_eq!(swing.eval(&rest)?, rest);
//! # Ok::<(), evolute::Error>(())
//! ```
//!
//! # A crate of another name
//!
//! The code that the macro writes names Evolute `::evolute`. Where the dependency is renamed in `Cargo.toml`
//! (`ad = { package = "evolute", … }`), or comes through another crate, `#[params(crate = "…")]` says where it is.
//!
//! ```
//! extern crate evolute as ad; // what renaming in `Cargo.toml` comes to
//! use ad::prelude::*;
//!
//! #[derive(Clone, Params)]
//! #[params(crate = "ad")]
//! struct Line<T> {
//!     slope: T,
//!     offset: T,
//! }
//!
//! let line = Line { slope: scalar(), offset: scalar() };
//! let f = Function::trace((line, scalar()), |(line, x)| line.slope * x + line.offset)?;
//! let gradient = f.wrt::<0>().grad()?.eval((&Line { slope: 2.0, offset: 1.0 }, &3.0))?;
//! assert_eq!((gradient.slope, gradient.offset), (3.0, 1.0));
//! # Ok::<(), ad::Error>(())
//! ```
//!
//! # Errors
//!
//! A call says which part does not fit ([`Error::Part`](crate::Error::Part)); so does `trace_to` of a result.
//!
//! ```
//! use evolute::prelude::*;
//!
//! #[derive(Clone, Params)]
//! struct Layers<T> {
//!     w: Vec<T>,
//! }
//!
//! let f = Function::trace(Layers { w: vec![matrix(2, 3); 4] }, |layers| layers.w[0].sum())?;
//! let mut layers = Layers { w: vec![vec![0.0; 6]; 4] };
//! layers.w[2].pop();
//! let message = f.eval(&layers).unwrap_err().to_string();
//! assert_eq!(message, "input.w[2]: expected f64[2, 3], found 5 elements of f64");
//! layers.w.pop();
//! let message = f.eval(&layers).unwrap_err().to_string();
//! assert_eq!(message, "input.w: expected 4 items, found 3");
//! # Ok::<(), evolute::Error>(())
//! ```
//!
//! The macro refuses what is no such struct, at its place: an enum, of which a trace would have to choose a variant,
//!
//! ```compile_fail
//! #[derive(Clone, evolute::Params)]
//! enum Shape<T> { // `Params` is for structs
//!     Circle(T),
//!     Rectangle(T, T),
//! }
//! ```
//!
//! a union,
//!
//! ```compile_fail
//! #[derive(Clone, Copy, evolute::Params)]
//! union Either<T: Copy> { // `Params` is for structs
//!     left: T,
//!     right: T,
//! }
//! ```
//!
//! a struct that is not generic,
//!
//! ```compile_fail
//! use evolute::prelude::*;
//! #[derive(Clone, Params)]
//! struct Layer { // `Params` needs a type parameter for the leaves
//!     w: Vec<f64>,
//! }
//! ```
//!
//! or borrows,
//!
//! ```compile_fail
//! use evolute::prelude::*;
//! #[derive(Clone, Params)]
//! struct View<'a, T> { // a struct with `Params` has no lifetime
//!     w: &'a T,
//! }
//! ```
//!
//! a bound, which traced values and numbers would have to satisfy both,
//!
//! ```compile_fail
//! use evolute::prelude::*;
//! #[derive(Clone, Params)]
//! struct Layer<T: PartialOrd> { // the parameters of a struct with `Params` have no bounds
//!     w: T,
//! }
//! ```
//!
//! and a field without a leaf.
//!
//! ```compile_fail
//! use evolute::prelude::*;
//! #[derive(Clone, Params)]
//! struct Layer<T> {
//!     w: T,
//!     inputs: usize, // the field `inputs` has no leaf
//! }
//! ```
//!
//! An attribute that names no crate is refused too,
//!
//! ```compile_fail
//! use evolute::prelude::*;
//! #[derive(Clone, Params)]
//! #[params(crate = "not a path")] // expected the path of Evolute
//! struct Layer<T> {
//!     w: T,
//! }
//! ```
//!
//! as is one on a field.
//!
//! ```compile_fail
//! use evolute::prelude::*;
//! #[derive(Clone, Params)]
//! struct Layer<T> {
//!     #[params(crate = "evolute")] // `#[params(…)]` belongs on the struct
//!     w: T,
//! }
//! ```
//!
//! The compiler refuses a field that is no list, tuple or struct of leaves,
//!
//! ```compile_fail,E0277
//! use evolute::prelude::*;
//! #[derive(Clone, Params)]
//! struct Layer<T> {
//!     w: T,
//!     b: Option<T>, // `Option<T>` does not specify an argument or a result
//! }
//! ```
//!
//! and a struct that is not `Clone`.
//!
//! ```compile_fail,E0277
//! use evolute::prelude::*;
//! #[derive(Params)]
//! struct Layer<T> { // the trait `Clone` is not implemented
//!     w: T,
//! }
//! ```
