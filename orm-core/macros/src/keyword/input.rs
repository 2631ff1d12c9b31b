//! The grammar of `kw!`. A keyword that cannot be read keeps what was read of it, so that an
//! editor can complete the rest.

use crate::names;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, Result, Token, Type};

/// All of one `kw!`.
pub(super) struct Invocation {
    /// The crate that holds `__private`.
    pub(super) krate: TokenStream,
    /// `Model:` before the keywords.
    pub(super) model: Option<Type>,
    /// The keywords.
    pub(super) keywords: Vec<Keyword>,
    /// Mistakes so far.
    pub(super) faults: Vec<Error>,
}

/// `a__b = value`, `a.b = value`, or `a` for `a = a`.
pub(super) struct Keyword {
    /// The names of the path.
    pub(super) segments: Vec<Segment>,
    /// The value; `None` for the short form.
    pub(super) value: Option<Expr>,
    /// The name as written, or its first part.
    pub(super) span: Span,
}

/// One name of a path.
pub(super) struct Segment {
    pub(super) text: String,
    pub(super) span: Span,
}

impl Segment {
    pub(super) fn ident(&self) -> Result<Ident> {
        names::ident(&self.text, self.span)
    }
}

impl Keyword {
    /// The path with `__` between its names.
    pub(super) fn name(&self) -> String {
        let texts: Vec<&str> = self.segments.iter().map(|s| s.text.as_str()).collect();
        texts.join("__")
    }
}

impl Parse for Invocation {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        input.parse::<Token![@]>()?;
        let mut krate = TokenStream::new();
        while !input.peek(Token![;]) {
            krate.extend([input.parse::<TokenTree>()?]);
        }
        input.parse::<Token![;]>()?;
        let mut invocation = Invocation {
            krate,
            model: model(input),
            keywords: Vec::new(),
            faults: Vec::new(),
        };
        while !input.is_empty() {
            invocation.keyword(input);
        }
        Ok(invocation)
    }
}

fn model(input: ParseStream<'_>) -> Option<Type> {
    let ahead = input.fork();
    let named = ahead.parse::<Type>().is_ok() && ahead.peek(Token![:]);
    if !named {
        return None;
    }
    let model = input.parse().ok()?;
    input.parse::<Token![:]>().ok()?;
    Some(model)
}

impl Invocation {
    /// Reads one keyword and the comma behind it; after a mistake, skips to the next comma.
    fn keyword(&mut self, input: ParseStream<'_>) {
        let mut keyword = Keyword {
            segments: Vec::new(),
            value: None,
            span: input.span(),
        };
        if let Err(fault) = keyword.read(input) {
            self.faults.push(fault);
            while !input.is_empty() && !input.peek(Token![,]) {
                // Any token can be skipped while the input is not empty.
                drop(input.parse::<TokenTree>());
            }
        }
        drop(input.parse::<Option<Token![,]>>());
        if !keyword.segments.is_empty() {
            self.keywords.push(keyword);
        }
    }
}

impl Keyword {
    fn read(&mut self, input: ParseStream<'_>) -> Result<()> {
        loop {
            let word = input
                .call(Ident::parse_any)
                .map_err(|e| Error::new(e.span(), "expected a keyword, such as `title = \"x\"`"))?;
            self.push(&word)?;
            if input.parse::<Option<Token![.]>>()?.is_none() {
                break;
            }
        }
        if input.parse::<Option<Token![=]>>()?.is_some() {
            self.value = Some(input.parse()?);
        }
        if !input.is_empty() && !input.peek(Token![,]) {
            return Err(input.error("expected `= value` or `,`"));
        }
        Ok(())
    }

    fn push(&mut self, word: &Ident) -> Result<()> {
        let (span, text) = (word.span(), names::text_of(word));
        // A name may begin with `_`, so only what stands between two names is cut.
        for part in text.split("__") {
            if part.is_empty() {
                return Err(Error::new(
                    span,
                    format!("`{text}` has an empty name: `__` goes between two names"),
                ));
            }
            self.segments.push(Segment {
                text: part.to_owned(),
                span,
            });
        }
        Ok(())
    }
}
