//! `#[derive(Values)]`: a struct whose fields are selected from a model.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DeriveInput, Error, Expr, Field, Fields, LitStr, Path, Result, Token, Type,
    parse_quote, parse2,
};

/// `#[values(Post)]` or `#[values(Post, crate = "path")]`.
struct Options {
    model: Type,
    krate: Path,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let model = input.parse()?;
        let mut krate = parse_quote!(::fast_django);
        if input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() {
            input.parse::<Token![crate]>()?;
            input.parse::<Token![=]>()?;
            krate = input.parse::<LitStr>()?.parse()?;
        }
        Ok(Options { model, krate })
    }
}

/// Implements `Values`.
pub(crate) fn derive(input: TokenStream) -> TokenStream {
    parse2(input)
        .and_then(expand)
        .unwrap_or_else(|error| error.to_compile_error())
}

fn values_attribute(attributes: &[Attribute]) -> Option<&Attribute> {
    attributes.iter().find(|a| a.path().is_ident("values"))
}

fn expand(input: DeriveInput) -> Result<TokenStream> {
    let name = &input.ident;
    let attribute = values_attribute(&input.attrs)
        .ok_or_else(|| Error::new_spanned(name, "name the model: `#[values(Post)]`"))?;
    let Options { model, krate } = attribute.parse_args()?;
    let private = quote!(#krate::__private);
    let Data::Struct(data) = &input.data else {
        return Err(Error::new_spanned(
            name,
            "a projection is a struct with named fields",
        ));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(Error::new_spanned(
            name,
            "a projection is a struct with named fields",
        ));
    };
    let names: Vec<_> = fields.named.iter().map(|f| &f.ident).collect();
    let types: Vec<_> = fields.named.iter().map(|f| &f.ty).collect();
    let paths = fields.named.iter().map(path).collect::<Result<Vec<_>>>()?;
    let reads = names
        .iter()
        .zip(&types)
        .zip(&paths)
        .map(|((name, ty), path)| {
            quote_spanned! {ty.span()=>
                let #name: #ty = #private::columns::read_as::<#model, _>(__f.#path, row, at)?;
            }
        });
    Ok(quote! {
        #[automatically_derived]
        impl #private::columns::Values for #name {
            type Model = #model;
            fn push_exprs(out: &mut #private::std::vec::Vec<#private::query::Expr>) {
                let __f = <#model as #private::entity::Entity>::fields();
                #(#private::columns::Selection::<#model>::push_exprs(__f.#paths, out);)*
            }
            fn read(
                row: &dyn #private::backend::RowAccess,
                at: &mut usize,
            ) -> #private::error::Result<Self> {
                let __f = <#model as #private::entity::Entity>::fields();
                #(#reads)*
                #private::core::result::Result::Ok(#name { #(#names),* })
            }
        }
    })
}

/// The path of a field: its option, else its name.
fn path(field: &Field) -> Result<TokenStream> {
    match values_attribute(&field.attrs) {
        Some(attribute) => {
            let path: Expr = attribute.parse_args()?;
            Ok(quote!(#path))
        }
        None => {
            let name = &field.ident;
            Ok(quote!(#name))
        }
    }
}
