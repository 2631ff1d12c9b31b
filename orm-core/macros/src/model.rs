//! `#[derive(Model)]`: input → attr → check → expand, or fallback when the input is no model.

mod attr;
mod check;
mod expand;
mod fallback;
mod input;
mod kind;
mod relation;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Error};

/// Mistakes of one input, reported together.
#[derive(Default)]
pub(crate) struct Faults {
    list: Vec<Error>,
    fatal: bool,
}

impl Faults {
    /// A mistake that leaves a model: an option that is ignored.
    fn push(&mut self, at: impl quote::ToTokens, message: impl std::fmt::Display) {
        self.list.push(Error::new_spanned(at, message));
    }

    /// A mistake without whose repair there is no model.
    fn push_fatal(&mut self, at: impl quote::ToTokens, message: impl std::fmt::Display) {
        self.push(at, message);
        self.fatal = true;
    }
}

/// Implements `Entity` and `Model`, and declares the columns.
pub(crate) fn derive(tokens: TokenStream) -> TokenStream {
    let derive: DeriveInput = match syn::parse2(tokens) {
        Ok(derive) => derive,
        Err(error) => return error.to_compile_error(),
    };
    let mut faults = Faults::default();
    let model = input::read(&derive, &mut faults);
    let expansion = match &model {
        Some(model) => {
            check::check(model, &mut faults);
            match (faults.fatal, model.pk()) {
                (false, Some(pk)) => expand::expand(model, pk),
                _ => fallback::expand(model),
            }
        }
        None => TokenStream::new(),
    };
    let faults = faults.list.iter().map(Error::to_compile_error);
    quote!(#(#faults)* #expansion)
}
