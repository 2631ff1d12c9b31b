//! `kw!`: keywords to a call of `columns::keywords`. Purely syntactic: it knows no model.

mod expand;
mod hoist;
mod input;

use proc_macro2::TokenStream;

/// Expands `@ $crate; [Model:] name = value, ..`.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    match syn::parse2::<input::Invocation>(input) {
        Ok(invocation) => expand::expand(invocation),
        Err(error) => error.to_compile_error(),
    }
}
