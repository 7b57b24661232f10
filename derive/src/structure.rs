//! A struct that `Params` is derived for: its parameters and fields, once they are known to be what the macro is for.

use crate::attribute;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Field, GenericParam, Index, Member, Path, Result, Type};

/// A struct and what of it the generated code names.
pub(crate) struct Structure<'a> {
    pub(crate) name: &'a Ident,
    /// Where Evolute is.
    pub(crate) evolute: Path,
    params: Vec<Param<'a>>,
    pub(crate) fields: Vec<(Member, &'a Type)>,
}

enum Param<'a> {
    Leaf(&'a Ident),
    Const(&'a Ident, &'a Type),
}

impl<'a> Structure<'a> {
    /// # Errors
    /// What is no struct, or one that is not generic over its leaves, with the place of the mistake.
    pub(crate) fn new(input: &'a DeriveInput) -> Result<Self> {
        let structure = Structure {
            name: &input.ident,
            evolute: attribute::evolute(input)?,
            fields: fields(input)?,
            params: params(input)?,
        };
        structure.check_leaves()?;
        Ok(structure)
    }

    /// All fields without a leaf are mistakes.
    fn check_leaves(&self) -> Result<()> {
        let without = self.fields.iter().filter(|(_, ty)| !self.has_leaf(ty.to_token_stream()));
        let errors = without.map(|(member, ty)| {
            let name = self.leaves().next().expect("there is a parameter");
            let field = member.to_token_stream();
            let message = format!(
                "the field `{field}` has no leaf: a field of a struct with `Params` is `{name}`, a `Vec`, an array or a \
                 tuple of it, or another such struct of it. What a closure only needs to know it can capture"
            );
            Error::new(ty.span(), message)
        });
        errors.reduce(|mut all, error| (all.combine(error), all).1).map_or(Ok(()), Err)
    }

    fn has_leaf(&self, tokens: TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => self.leaves().any(|leaf| *leaf == ident),
            TokenTree::Group(group) => self.has_leaf(group.stream()),
            TokenTree::Punct(_) | TokenTree::Literal(_) => false,
        })
    }

    /// The type parameters.
    pub(crate) fn leaves(&self) -> impl Iterator<Item = &Ident> {
        self.params.iter().filter_map(|param| match param {
            Param::Leaf(name) => Some(*name),
            Param::Const(..) => None,
        })
    }

    /// The parameters of an `impl`, each leaf with a bound.
    pub(crate) fn bounded(&self, bound: impl Fn(&Ident) -> TokenStream) -> TokenStream {
        let params = self.params.iter().map(|param| match param {
            Param::Leaf(name) => {
                let bound = bound(name);
                quote!(#name: #bound)
            }
            Param::Const(name, ty) => quote!(const #name: #ty),
        });
        quote!(#(#params),*)
    }

    /// The struct with another type in the place of each leaf.
    pub(crate) fn of(&self, leaf: impl Fn(&Ident) -> TokenStream) -> TokenStream {
        let name = self.name;
        let args = self.params.iter().map(|param| match param {
            Param::Leaf(name) => leaf(name),
            Param::Const(name, _) => name.to_token_stream(),
        });
        quote!(#name<#(#args),*>)
    }

    /// The struct itself.
    pub(crate) fn own(&self) -> TokenStream {
        self.of(ToTokens::to_token_stream)
    }
}

fn fields(input: &DeriveInput) -> Result<Vec<(Member, &Type)>> {
    let wrong = |span: Span, what: &str| {
        let message =
            format!("`Params` is for structs, whose parts are always the same ones, not for {what}");
        Err(Error::new(span, message))
    };
    match &input.data {
        Data::Struct(data) => Ok(data.fields.iter().enumerate().map(member).collect()),
        Data::Enum(data) => wrong(data.enum_token.span(), "enums"),
        Data::Union(data) => wrong(data.union_token.span(), "unions"),
    }
}

fn member((index, field): (usize, &Field)) -> (Member, &Type) {
    let member = field.ident.clone().map_or(Member::Unnamed(Index::from(index)), Member::Named);
    (member, &field.ty)
}

/// The parameters: at least one type, without bounds, as traced values, buffers and others take its place.
fn params(input: &DeriveInput) -> Result<Vec<Param<'_>>> {
    let params = input.generics.params.iter().map(param).collect::<Result<Vec<_>>>()?;
    if let Some(clause) = &input.generics.where_clause {
        return Err(Error::new(clause.span(), BOUND));
    }
    if !params.iter().any(|param| matches!(param, Param::Leaf(_))) {
        let message = format!(
            "`Params` needs a type parameter for the leaves, which are specifications, traced values or numbers in \
             turn: `struct {}<T>`",
            input.ident
        );
        return Err(Error::new(input.ident.span(), message));
    }
    Ok(params)
}

const BOUND: &str = "the parameters of a struct with `Params` have no bounds: specifications, traced values and \
                     numbers take their places";

fn param(param: &GenericParam) -> Result<Param<'_>> {
    match param {
        GenericParam::Type(param) if param.bounds.is_empty() => Ok(Param::Leaf(&param.ident)),
        GenericParam::Type(param) => Err(Error::new(param.bounds.span(), BOUND)),
        GenericParam::Const(param) => Ok(Param::Const(&param.ident, &param.ty)),
        GenericParam::Lifetime(param) => {
            let message = "a struct with `Params` has no lifetime: what is borrowed takes the place of a type parameter";
            Err(Error::new(param.lifetime.span(), message))
        }
    }
}
