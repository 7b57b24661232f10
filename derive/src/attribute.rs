//! The attribute `#[params(crate = "…")]`: where the generated code finds Evolute.
//!
//! It stands on the struct, once, and names a path in a string as serde's does, or bare. All else is a mistake with its
//! place: an attribute that is passed over is one that its author relies on.

use syn::meta::ParseNestedMeta;
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Error, LitStr, Path, Result};

/// The path of the crate that the attribute names, `::evolute` without one.
///
/// # Errors
/// What is no `crate = "path"`, a second one, an attribute on a field.
pub(crate) fn evolute(input: &DeriveInput) -> Result<Path> {
    if let Some(attribute) = ours(field_attributes(&input.data)).next() {
        return Err(Error::new(attribute.span(), "`#[params(…)]` belongs on the struct, not on a field"));
    }
    let mut named = None;
    for attribute in ours(&input.attrs) {
        attribute.parse_nested_meta(|meta| named_crate(&meta, &mut named))?;
    }
    Ok(named.unwrap_or_else(|| syn::parse_quote!(::evolute)))
}

fn ours<'a>(attributes: impl IntoIterator<Item = &'a Attribute>) -> impl Iterator<Item = &'a Attribute> {
    attributes.into_iter().filter(|attribute| attribute.path().is_ident("params"))
}

/// Those of a struct's fields; of what else there is no telling yet whether it has any.
fn field_attributes(data: &Data) -> Vec<&Attribute> {
    match data {
        Data::Struct(data) => data.fields.iter().flat_map(|field| &field.attrs).collect(),
        Data::Enum(_) | Data::Union(_) => Vec::new(),
    }
}

fn named_crate(meta: &ParseNestedMeta<'_>, named: &mut Option<Path>) -> Result<()> {
    if !meta.path.is_ident("crate") {
        return Err(meta.error("expected `crate = \"…\"`, the path of Evolute"));
    }
    if named.is_some() {
        return Err(meta.error("`crate` is named twice"));
    }
    *named = Some(path(meta.value()?)?);
    Ok(())
}

/// `"ad"`, `"crate::reexports::evolute"`, or the same without quotes.
fn path(input: ParseStream<'_>) -> Result<Path> {
    let expected = |span| Error::new(span, "expected the path of Evolute, like `\"ad\"`");
    if input.peek(LitStr) {
        let text: LitStr = input.parse()?;
        return text.parse_with(whole_path).map_err(|_| expected(text.span()));
    }
    let at = input.span();
    Path::parse_mod_style(input).map_err(|_| expected(at))
}

fn whole_path(input: ParseStream<'_>) -> Result<Path> {
    Path::parse_mod_style(input)
}

#[cfg(test)]
mod tests {
    use super::evolute;
    use quote::ToTokens;

    /// Where the attribute says Evolute is, or what is wrong with it.
    fn check(attributes: &str, expect: &str) {
        check_text(&format!("{attributes} struct Layer<T> {{ w: T }}"), expect);
    }

    fn check_text(text: &str, expect: &str) {
        let path = evolute(&syn::parse_str(text).expect("Rust"));
        let found = path.map_or_else(|e| e.to_string(), |path| path.to_token_stream().to_string());
        assert_eq!(found.replace(' ', ""), expect.replace(' ', ""), "{text}");
    }

    #[test]
    fn paths() {
        check("", "::evolute");
        check("#[params(crate = \"ad\")]", "ad");
        check("#[params(crate = \"::ad\")]", "::ad");
        check("#[params(crate = \"crate::reexports::ad\")]", "crate::reexports::ad");
        check("#[params(crate = crate::reexports::ad)]", "crate::reexports::ad");
    }

    #[test]
    fn what_is_no_path_is_told() {
        let expect = "expected the path of Evolute, like `\"ad\"`";
        for value in ["\"\"", "\"a b\"", "\"a::\"", "\"Vec<f64>\"", "3", "b\"ad\"", "'a'", "()"] {
            check(&format!("#[params(crate = {value})]"), expect);
        }
    }

    #[test]
    fn what_is_no_crate_is_told() {
        let expect = "expected `crate = \"…\"`, the path of Evolute";
        check("#[params(krate = \"ad\")]", expect);
        check("#[params(crate = \"ad\", rename = \"b\")]", expect);
        check("#[params(crate)]", "expected `=`");
        check("#[params(crate = \"ad\", crate = \"ad\")]", "`crate` is named twice");
        check("#[params(crate = \"ad\")] #[params(crate = \"ad\")]", "`crate` is named twice");
        check("#[params]", "expected attribute arguments in parentheses: #[params(...)]");
        check("#[params = \"ad\"]", "expected parentheses: #[params(...)]");
    }

    #[test]
    fn fields_have_none() {
        let expect = "`#[params(…)]` belongs on the struct, not on a field";
        check_text("struct Layer<T> { #[params(crate = \"ad\")] w: T }", expect);
    }
}
