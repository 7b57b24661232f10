//! The derive macro `Params`: structs that are arguments and results of traced functions.
//!
//! A struct comes in; out come the traits of `evolute-frontend` that a tuple of its fields would have. The type
//! parameters stand for what changes from the specification of a function to the values in its closure, those of a
//! call, and so on: the generated code names the struct with other parameters, and passes on to its fields. What those are
//! is left to their traits. Paths begin with `::evolute`, or with the path that `#[params(crate = "…")]` names.
//!
//! | module | holds |
//! | --- | --- |
//! | `attribute` | where Evolute is |
//! | `structure` | the struct, checked |
//! | `spec` | what a function takes and gives: `Spec`, `RealSpec` |
//! | `tree` | what loops and inner derivatives take and give: `Tree`, `RealTree`, `Stack` |
#![forbid(unsafe_code)]

mod attribute;
mod spec;
mod structure;
mod tree;

use proc_macro::TokenStream;
use structure::Structure;

/// Makes a struct an argument or a result of traced functions, of their derivatives, and of loops and
/// conditionals inside them.
///
/// The struct is generic over its leaves, `struct Layer<T> { weights: T, bias: T }`: of specifications it is a
/// specification, of traced values it is what a closure gets, of `Vec<f64>`s it is what a call takes by reference and
/// returns. Fields contain a type parameter, and are leaves, `Vec`s, arrays and tuples of leaves, or other
/// such structs. Leaves of several sorts take several parameters. The struct has to be `Clone`.
///
/// # A crate of another name
///
/// The generated code names Evolute `::evolute`. Where a dependency is renamed, or only a crate between yours and
/// Evolute re-exports it, `#[params(crate = "…")]` on the struct says where it is:
///
/// ```toml
/// [dependencies]
/// ad = { package = "evolute", git = "https://github.com/evolute-ad/evolute" }
/// ```
///
/// ```text
/// #[derive(Clone, ad::Params)]
/// #[params(crate = "ad")]
/// struct Layer<T> {
///     weights: T,
///     bias: T,
/// }
/// ```
///
/// `evolute::params` has this as a whole program.
#[proc_macro_derive(Params, attributes(params))]
pub fn derive_params(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    let expanded = Structure::new(&input).map(|structure| {
        let (spec, tree) = (spec::expand(&structure), tree::expand(&structure));
        quote::quote!(#spec #tree)
    });
    expanded.unwrap_or_else(syn::Error::into_compile_error).into()
}
