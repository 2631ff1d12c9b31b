//! `#[kwargs]`: calls that take keywords themselves.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::visit_mut::{VisitMut, visit_expr_mut};
use syn::{Expr, ItemFn, LitStr, Path, Result, Token, parse_quote, parse2};

/// Rewrites the calls of a function.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    match rewrite(options, item.clone()) {
        Ok(function) => function,
        Err(error) => {
            // The item stays, so that the mistake is the only error.
            let error = error.to_compile_error();
            quote!(#error #item)
        }
    }
}

fn rewrite(options: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let krate = if options.is_empty() {
        parse_quote!(::fast_django)
    } else {
        syn::parse::Parser::parse2(crate_option, options)?
    };
    let mut function = parse2::<ItemFn>(item)?;
    Rewrite { krate }.visit_item_fn_mut(&mut function);
    Ok(function.into_token_stream())
}

/// `crate = "path"`.
fn crate_option(input: syn::parse::ParseStream<'_>) -> Result<Path> {
    input.parse::<Token![crate]>()?;
    input.parse::<Token![=]>()?;
    input.parse::<LitStr>()?.parse()
}

struct Rewrite {
    krate: Path,
}

impl VisitMut for Rewrite {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_expr_mut(self, expr);
        let arguments = match expr {
            Expr::Call(call) => &mut call.args,
            Expr::MethodCall(call) => &mut call.args,
            _ => return,
        };
        if !arguments.is_empty() && arguments.iter().all(is_keyword) {
            let (krate, keywords) = (&self.krate, arguments.to_token_stream());
            let clause: Expr = parse_quote!(#krate::__private::kw!(#keywords));
            *arguments = Punctuated::from_iter([clause]);
        }
    }
}

fn is_keyword(argument: &Expr) -> bool {
    let Expr::Assign(assign) = argument else {
        return false;
    };
    matches!(&*assign.left, Expr::Path(path) if path.path.get_ident().is_some())
}
