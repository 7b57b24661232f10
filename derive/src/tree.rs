//! What loops, conditionals and inner derivatives take and give: `Tree`, `RealTree` and `Stack` of a struct, field by
//! field.

use crate::structure::Structure;
use proc_macro2::TokenStream;
use quote::quote;

pub(crate) fn expand(structure: &Structure<'_>) -> TokenStream {
    let (name, own, evolute) = (structure.name, structure.own(), &structure.evolute);
    let [tree, real_tree, stack] = ["Tree", "RealTree", "Stack"].map(|name| {
        let name = quote::format_ident!("{name}");
        structure.bounded(|_| quote!(#evolute::#name<'t>))
    });
    let stacked = structure.of(|leaf| quote!(<#leaf as #evolute::Stack<'t>>::Stacked));
    let fields: Vec<_> = structure.fields.iter().map(|(member, _)| member).collect();
    let leaves = quote!(leaves: &mut ::std::vec::IntoIter<#evolute::Leaf<'t>>);
    quote! {
        #[automatically_derived]
        impl<'t, #tree> #evolute::Tree<'t> for #own {
            fn flatten(&self, leaves: &mut #evolute::Leaves<'t>) {
                #(#evolute::Tree::flatten(&self.#fields, leaves);)*
            }
            fn rebuild(&self, #leaves) -> Self {
                #name { #(#fields: #evolute::Tree::rebuild(&self.#fields, leaves),)* }
            }
        }
        #[automatically_derived]
        impl<'t, #real_tree> #evolute::RealTree<'t> for #own {}
        #[automatically_derived]
        impl<'t, #stack> #evolute::Stack<'t> for #own {
            type Stacked = #stacked;
            fn stacked(&self, #leaves) -> Self::Stacked {
                #name { #(#fields: #evolute::Stack::stacked(&self.#fields, leaves),)* }
            }
        }
    }
}
