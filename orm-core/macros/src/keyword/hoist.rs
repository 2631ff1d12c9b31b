//! Moves values out of the closure of `kw!`, which may not capture, and resolves `F(..)`.

use crate::names;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote_spanned};
use syn::spanned::Spanned;
use syn::visit_mut::{VisitMut, visit_expr_mut};
use syn::{Error, Expr, Result, parse_quote, parse2};

/// The values of one `kw!`, in source order.
pub(super) struct Hoist<'a> {
    /// The variable that holds the columns.
    pub(super) columns: &'a Ident,
    /// What `None` becomes.
    pub(super) null: TokenStream,
    /// Values that were moved out.
    pub(super) values: Vec<(Ident, Expr)>,
    /// Mistakes so far.
    pub(super) faults: Vec<Error>,
}

impl Hoist<'_> {
    /// The expression to put in the closure for this value.
    pub(super) fn value(&mut self, mut value: Expr) -> Expr {
        if matches!(&value, Expr::Path(path) if path.path.is_ident("None")) {
            let (null, span) = (&self.null, value.span());
            return parse2(quote_spanned!(span=> #null)).unwrap_or(value);
        }
        self.visit_expr_mut(&mut value);
        value
    }
}

impl VisitMut for Hoist<'_> {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        if let Some(path) = f_argument(expr) {
            match column(self.columns, path) {
                Ok(column) => *expr = column,
                Err(fault) => self.faults.push(fault),
            }
        } else if mentions_f(expr) {
            visit_expr_mut(self, expr);
        } else {
            let span = expr.span();
            let name = format_ident!("__v{}", self.values.len(), span = span);
            let value = std::mem::replace(expr, parse_quote!(#name));
            self.values.push((name, value));
        }
    }
}

/// The argument, if this is `F(path)`.
fn f_argument(expr: &Expr) -> Option<&Expr> {
    let Expr::Call(call) = expr else { return None };
    let Expr::Path(function) = &*call.func else {
        return None;
    };
    (function.path.is_ident("F") && call.args.len() == 1)
        .then(|| call.args.first())
        .flatten()
}

fn mentions_f(expr: &Expr) -> bool {
    struct Find(bool);
    impl VisitMut for Find {
        fn visit_expr_mut(&mut self, expr: &mut Expr) {
            self.0 |= f_argument(expr).is_some();
            if !self.0 {
                visit_expr_mut(self, expr);
            }
        }
    }
    let mut find = Find(false);
    find.visit_expr_mut(&mut expr.clone());
    find.0
}

/// `author__age`, `author.age` or `"author__age"` as a path of fields.
fn column(columns: &Ident, path: &Expr) -> Result<Expr> {
    let mut column = quote_spanned!(columns.span()=> #columns);
    for token in quote::ToTokens::to_token_stream(path) {
        let (text, span): (String, Span) = match token {
            TokenTree::Punct(dot) if dot.as_char() == '.' => continue,
            TokenTree::Literal(text) => match syn::parse_str::<syn::LitStr>(&text.to_string()) {
                Ok(name) => (name.value(), text.span()),
                Err(_) => return Err(not_a_column(path)),
            },
            TokenTree::Ident(name) => (names::text_of(&name), name.span()),
            _ => return Err(not_a_column(path)),
        };
        for part in text.split("__") {
            let part = names::ident(part, span).map_err(|_| not_a_column(path))?;
            column = quote_spanned!(span=> #column.#part);
        }
    }
    parse2(column)
}

fn not_a_column(path: &Expr) -> Error {
    Error::new_spanned(
        path,
        "`F` takes a column, such as `F(views)` or `F(author.age)`",
    )
}
