//! Emission of `kw!`.

use super::hoist::Hoist;
use super::input::{Invocation, Keyword};
use crate::names;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use std::collections::HashSet;
use syn::spanned::Spanned;
use syn::{Error, Expr, Result, parse_quote};

/// `keywords((values..), |f, (names..)| Kws(f.path.method(name), .. Nil))`.
pub(super) fn expand(invocation: Invocation) -> TokenStream {
    let Invocation {
        krate,
        model,
        keywords,
        mut faults,
    } = invocation;
    let columns = Ident::new("__f", Span::mixed_site());
    let private = quote!(#krate::__private);
    let mut hoist = Hoist {
        columns: &columns,
        null: quote!(#private::columns::Null),
        values: Vec::new(),
        faults: Vec::new(),
    };
    refuse_repeated(&keywords, &mut faults);
    let mut paths = Vec::new();
    let mut items = Vec::new();
    for keyword in keywords {
        let name = names::sort_key(&keyword.name());
        match item(keyword, &columns, &mut hoist, &mut paths) {
            Ok(item) => items.push((name, item)),
            Err(fault) => faults.push(fault),
        }
    }
    faults.append(&mut hoist.faults);
    if !faults.is_empty() {
        return unfinished(&private, &columns, &paths, faults);
    }
    // Sorted like the model's list of required fields, so that both can be walked in step.
    items.sort_by(|(a, _), (b, _)| a.cmp(b));
    let list = items.into_iter().rfold(
        quote!(#private::columns::Nil),
        |rest, (_, item)| quote!(#private::columns::Kws(#item, #rest)),
    );
    let (variables, values): (Vec<_>, Vec<_>) = hoist.values.into_iter().unzip();
    let clause = quote! {
        #private::columns::keywords((#(#values,)*), |#columns, (#(#variables,)*)| #list)
    };
    match model {
        Some(model) => quote!(#private::columns::typed::<#model>(#clause)),
        None => clause,
    }
}

fn refuse_repeated(keywords: &[Keyword], faults: &mut Vec<Error>) {
    let mut seen = HashSet::new();
    for keyword in keywords {
        let name = keyword.name();
        if !seen.insert(name.clone()) {
            faults.push(Error::new(
                keyword.span,
                format!("keyword `{name}` given twice: join the conditions with `all([..])`"),
            ));
        }
    }
}

/// One keyword as a method call on its column.
fn item(
    mut keyword: Keyword,
    columns: &Ident,
    hoist: &mut Hoist<'_>,
    paths: &mut Vec<TokenStream>,
) -> Result<TokenStream> {
    let span = keyword.span;
    let several = keyword.segments.len() > 1;
    let lookup = keyword
        .segments
        .pop_if(|last| several && names::LOOKUPS.contains(&last.text.as_str()));
    let mut path = quote_spanned!(span=> #columns);
    for (i, segment) in keyword.segments.iter().enumerate() {
        let name = segment.ident()?;
        path = if i > 0 && names::PARTS.contains(&segment.text.as_str()) {
            quote_spanned!(segment.span=> #path.#name())
        } else {
            quote_spanned!(segment.span=> #path.#name)
        };
    }
    paths.push(path.clone());
    let value = match (keyword.value.take(), keyword.segments.as_slice()) {
        (Some(value), _) => value,
        (None, [only]) if lookup.is_none() => {
            let name = only.ident()?;
            parse_quote!(#name)
        }
        (None, _) => {
            return Err(Error::new(
                span,
                "this keyword needs a value: only a field of the model itself has the short form",
            ));
        }
    };
    let value_span = value.span();
    let value: Expr = hoist.value(value);
    let method = match &lookup {
        Some(lookup) => names::ident(names::lookup_method(&lookup.text), lookup.span)?,
        None => Ident::new("__kv", span),
    };
    Ok(quote_spanned!(value_span=> #path.#method(#value)))
}

/// The paths that were read, so that an editor can complete them, and the mistakes.
fn unfinished(
    private: &TokenStream,
    columns: &Ident,
    paths: &[TokenStream],
    faults: Vec<Error>,
) -> TokenStream {
    let faults = faults.iter().map(Error::to_compile_error);
    quote! {
        #private::columns::unfinished(|#columns| {
            #(let _ = &#paths;)*
            #(#faults;)*
        })
    }
}
