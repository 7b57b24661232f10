//! What a function takes and gives: `Spec` and `RealSpec` of a struct, field by field.

use crate::structure::Structure;
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

pub(crate) fn expand(structure: &Structure<'_>) -> TokenStream {
    let (own, evolute) = (structure.own(), &structure.evolute);
    let params = structure.bounded(|_| quote!(#evolute::Spec));
    let (types, methods) = (types(structure), [inside(structure), calls(structure)]);
    let real_spec = real_spec(structure);
    quote! {
        #[automatically_derived]
        impl<#params> #evolute::Spec for #own {
            #types
            #(#methods)*
        }
        #real_spec
    }
}

/// The struct in each of its five forms. A call borrows the one that it returns.
fn types(structure: &Structure<'_>) -> TokenStream {
    let evolute = &structure.evolute;
    let of = |form: TokenStream| structure.of(|leaf| quote!(<#leaf as #evolute::Spec>::#form));
    let (traced, made, owned) = (of(quote!(Traced<'a, 't>)), of(quote!(Made<'t>)), of(quote!(Owned)));
    quote! {
        type Traced<'a, 't: 'a> = #traced;
        type Made<'t> = #made;
        type Host<'a> = &'a #owned;
        type HostMut<'a> = &'a mut #owned;
        type Owned = #owned;
    }
}

/// The methods on values of a trace.
fn inside(structure: &Structure<'_>) -> TokenStream {
    let (name, evolute) = (structure.name, &structure.evolute);
    let sign = structure.fields.iter().map(|(field, ty)| {
        let (name, ty) = (field.to_token_stream().to_string(), quote_spanned!(ty.span()=> <#ty>));
        quote!(signature.field::#ty(#name, &self.#field);)
    });
    let store = each(structure, |field, spec| quote!(#spec::store(&self.#field, leaves, store);));
    let bind = each(structure, |field, spec| quote!(#field: #spec::bind(&self.#field, cursor),));
    let unbind =
        each(structure, |field, spec| quote!(fits &= #spec::unbind(&self.#field, traced.#field, values);));
    let make = each(structure, |field, spec| quote!(#field: #spec::make(&self.#field, leaves),));
    let unmake =
        each(structure, |field, spec| quote!(fits &= #spec::unmake(&self.#field, made.#field, values);));
    quote! {
        fn sign(&self, signature: &mut #evolute::spec::Signature) {
            #(#sign)*
        }
        fn store<'t>(
            &self,
            leaves: &mut dyn ::core::iter::Iterator<Item = #evolute::Leaf<'t>>,
            store: &mut #evolute::Store<'t>,
        ) {
            #store
        }
        fn bind<'a, 't>(&self, cursor: &mut #evolute::Cursor<'a, 't>) -> Self::Traced<'a, 't> {
            #name { #bind }
        }
        fn unbind<'t>(&self, traced: Self::Traced<'_, 't>, values: &mut #evolute::spec::Values<'t>) -> bool {
            let mut fits = true;
            #unbind
            fits
        }
        fn make<'t>(
            &self,
            leaves: &mut dyn ::core::iter::Iterator<Item = #evolute::Leaf<'t>>,
        ) -> Self::Made<'t> {
            #name { #make }
        }
        fn unmake<'t>(&self, made: Self::Made<'t>, values: &mut #evolute::spec::Values<'t>) -> bool {
            let mut fits = true;
            #unmake
            fits
        }
    }
}

/// The methods on buffers of a call.
fn calls(structure: &Structure<'_>) -> TokenStream {
    let (name, evolute) = (structure.name, &structure.evolute);
    let inputs = each(
        structure,
        |field, spec| quote!(#spec::inputs(&self.#field, #spec::borrow(&host.#field), inputs);),
    );
    let outputs = each(
        structure,
        |field, spec| quote!(#spec::outputs(&self.#field, #spec::borrow_mut(&mut host.#field), outputs);),
    );
    let allocate = each(structure, |field, spec| quote!(#field: #spec::allocate(&self.#field),));
    quote! {
        #[inline]
        fn inputs<'a>(&self, host: Self::Host<'a>, inputs: &mut #evolute::spec::Inputs<'a>) {
            #inputs
        }
        #[inline]
        fn outputs<'a>(&self, host: Self::HostMut<'a>, outputs: &mut #evolute::spec::Outputs<'a>) {
            #outputs
        }
        fn allocate(&self) -> Self::Owned {
            #name { #allocate }
        }
        fn borrow(owned: &Self::Owned) -> Self::Host<'_> {
            owned
        }
        fn borrow_mut(owned: &mut Self::Owned) -> Self::HostMut<'_> {
            owned
        }
    }
}

/// All leaves are of the kind of the first.
fn real_spec(structure: &Structure<'_>) -> TokenStream {
    let (own, evolute) = (structure.own(), &structure.evolute);
    let first = structure.leaves().next().expect("there is a leaf");
    let params = structure.bounded(|leaf: &Ident| match leaf == first {
        true => quote!(#evolute::RealSpec),
        false => quote!(#evolute::RealSpec<Kind = <#first as #evolute::RealSpec>::Kind>),
    });
    quote! {
        #[automatically_derived]
        impl<#params> #evolute::RealSpec for #own {
            type Kind = <#first as #evolute::RealSpec>::Kind;
        }
    }
}

/// A piece of code for each field, with `<Field as Spec>` at the place of the field's type: there an error about it
/// belongs.
fn each(structure: &Structure<'_>, piece: impl Fn(TokenStream, TokenStream) -> TokenStream) -> TokenStream {
    let evolute = &structure.evolute;
    let as_spec = |ty: &Type| quote_spanned!(ty.span()=> <#ty as #evolute::Spec>);
    structure.fields.iter().map(|(member, ty)| piece(member.to_token_stream(), as_spec(ty))).collect()
}
