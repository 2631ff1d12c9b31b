//! The grammar of `#[model(..)]` and `#[field(..)]`: `name`, `name = value`, separated by commas.

use super::Faults;
use crate::names;
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Path, Token};

/// `name` or `name = value`.
struct Setting {
    name: Ident,
    value: Option<Expr>,
}

impl Parse for Setting {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.call(Ident::parse_any)?;
        let value = match input.parse::<Option<Token![=]>>()? {
            Some(_) => Some(input.parse()?),
            None => None,
        };
        Ok(Setting { name, value })
    }
}

/// The settings of all attributes of this name.
fn settings(attributes: &[Attribute], name: &str, faults: &mut Faults) -> Vec<Setting> {
    let mut settings = Vec::new();
    for attribute in attributes.iter().filter(|a| a.path().is_ident(name)) {
        match attribute.parse_args_with(Punctuated::<Setting, Token![,]>::parse_terminated) {
            Ok(found) => settings.extend(found),
            Err(error) => faults.list.push(error),
        }
    }
    settings
}

/// A value with the option's name, for messages that point at it.
#[derive(Clone)]
pub(super) struct Given<T> {
    pub(super) name: Ident,
    pub(super) value: T,
}

/// Options of a field.
#[derive(Default)]
pub(super) struct FieldOptions {
    pub(super) pk: Option<Ident>,
    pub(super) unique: Option<Ident>,
    pub(super) index: Option<Ident>,
    pub(super) auto_now: Option<Ident>,
    pub(super) auto_now_add: Option<Ident>,
    pub(super) generated: Option<Given<bool>>,
    pub(super) max_length: Option<Given<u32>>,
    /// `None` inside: the type's own default.
    pub(super) default: Option<Given<Option<Expr>>>,
    pub(super) description: Option<Given<LitStr>>,
    pub(super) column: Option<Given<LitStr>>,
    pub(super) related_name: Option<Given<LitStr>>,
    pub(super) through: Option<Given<LitStr>>,
    /// A variant of `OnDelete`.
    pub(super) on_delete: Option<Given<Ident>>,
}

const FIELD_OPTIONS: &[&str] = &[
    "pk",
    "max_length",
    "unique",
    "index",
    "default",
    "description",
    "auto_now",
    "auto_now_add",
    "column",
    "related_name",
    "on_delete",
    "through",
    "generated",
];

impl FieldOptions {
    /// Reads `#[field(..)]`.
    pub(super) fn read(attributes: &[Attribute], faults: &mut Faults) -> Self {
        let mut options = FieldOptions::default();
        for setting in settings(attributes, "field", faults) {
            options.set(setting, faults);
        }
        options
    }

    fn set(&mut self, setting: Setting, faults: &mut Faults) {
        let Setting { name, value } = setting;
        match name.to_string().as_str() {
            "pk" => flag(&mut self.pk, name, value, faults),
            "unique" => flag(&mut self.unique, name, value, faults),
            "index" => flag(&mut self.index, name, value, faults),
            "auto_now" => flag(&mut self.auto_now, name, value, faults),
            "auto_now_add" => flag(&mut self.auto_now_add, name, value, faults),
            "generated" => given(&mut self.generated, name, value, boolean, faults),
            "max_length" => given(&mut self.max_length, name, value, length, faults),
            "description" => given(&mut self.description, name, value, text, faults),
            "column" => given(&mut self.column, name, value, text, faults),
            "related_name" => given(&mut self.related_name, name, value, text, faults),
            "through" => given(&mut self.through, name, value, text, faults),
            "on_delete" => given(&mut self.on_delete, name, value, on_delete, faults),
            "default" => {
                once(self.default.is_some(), &name, faults);
                self.default = Some(Given { name, value });
            }
            other => {
                let hint = names::suggestion(other, FIELD_OPTIONS);
                faults.push(&name, format!("unknown field option `{other}`: {hint}"));
            }
        }
    }
}

fn once(again: bool, name: &Ident, faults: &mut Faults) {
    if again {
        faults.push(name, format!("`{name}` is given twice: remove one"));
    }
}

/// `name`, `name = true` or `name = false`.
fn flag(slot: &mut Option<Ident>, name: Ident, value: Option<Expr>, faults: &mut Faults) {
    once(slot.is_some(), &name, faults);
    match value.as_ref().map(boolean) {
        None | Some(Ok(true)) => *slot = Some(name),
        Some(Ok(false)) => {}
        Some(Err(_)) => faults.push(value, format!("`{name}` is a switch: write `{name}` alone")),
    }
}

fn given<T>(
    slot: &mut Option<Given<T>>,
    name: Ident,
    value: Option<Expr>,
    read: fn(&Expr) -> Result<T, String>,
    faults: &mut Faults,
) {
    once(slot.is_some(), &name, faults);
    let Some(value) = value else {
        faults.push(&name, format!("`{name}` needs a value: `{name} = ..`"));
        return;
    };
    match read(&value) {
        Ok(value) => *slot = Some(Given { name, value }),
        Err(expected) => faults.push(&value, format!("`{name}` takes {expected}")),
    }
}

fn literal(value: &Expr) -> Option<&Lit> {
    match value {
        Expr::Lit(ExprLit { lit, .. }) => Some(lit),
        _ => None,
    }
}

fn boolean(value: &Expr) -> Result<bool, String> {
    match literal(value) {
        Some(Lit::Bool(value)) => Ok(value.value),
        _ => Err("`true` or `false`".to_owned()),
    }
}

fn text(value: &Expr) -> Result<LitStr, String> {
    match literal(value) {
        Some(Lit::Str(value)) => Ok(value.clone()),
        _ => Err("a text in quotes".to_owned()),
    }
}

fn length(value: &Expr) -> Result<u32, String> {
    match literal(value) {
        Some(Lit::Int(value)) => value.base10_parse::<u32>().ok().filter(|n| *n > 0),
        _ => None,
    }
    .ok_or_else(|| "a number of characters from 1".to_owned())
}

/// `Cascade`, `CASCADE`, or either in quotes.
fn on_delete(value: &Expr) -> Result<Ident, String> {
    const NAMES: [(&str, &str); 5] = [
        ("CASCADE", "Cascade"),
        ("RESTRICT", "Restrict"),
        ("SET_NULL", "SetNull"),
        ("SET_DEFAULT", "SetDefault"),
        ("NO_ACTION", "NoAction"),
    ];
    let written = match value {
        Expr::Path(path) => path.path.segments.last().map(|s| s.ident.to_string()),
        other => text(other).ok().map(|t| t.value()),
    };
    let span = syn::spanned::Spanned::span(value);
    NAMES
        .iter()
        .find(|(upper, camel)| {
            written
                .as_deref()
                .is_some_and(|w| w == *upper || w == *camel)
        })
        .map(|(_, camel)| Ident::new(camel, span))
        .ok_or_else(|| "Cascade, Restrict, SetNull, SetDefault or NoAction".to_owned())
}

/// Options of the struct.
pub(super) struct ModelOptions {
    pub(super) krate: TokenStream,
    pub(super) table: Option<LitStr>,
    pub(super) ordering: Vec<LitStr>,
    pub(super) unique_together: Vec<Vec<LitStr>>,
    pub(super) indexes: Vec<Vec<LitStr>>,
}

const MODEL_OPTIONS: &[&str] = &["table", "ordering", "unique_together", "indexes", "crate"];

impl ModelOptions {
    /// Reads `#[model(..)]`.
    pub(super) fn read(attributes: &[Attribute], faults: &mut Faults) -> Self {
        let mut options = ModelOptions {
            krate: quote!(::fast_django),
            table: None,
            ordering: Vec::new(),
            unique_together: Vec::new(),
            indexes: Vec::new(),
        };
        for Setting { name, value } in settings(attributes, "model", faults) {
            let known = MODEL_OPTIONS.contains(&name.to_string().as_str());
            match value {
                _ if !known => {
                    let hint = names::suggestion(&name.to_string(), MODEL_OPTIONS);
                    faults.push(&name, format!("unknown model option `{name}`: {hint}"));
                }
                None => faults.push(&name, format!("`{name}` needs a value: `{name} = ..`")),
                Some(value) => {
                    if let Err(expected) = options.set(&name, &value) {
                        faults.push(&value, format!("`{name}` takes {expected}"));
                    }
                }
            }
        }
        options
    }

    fn set(&mut self, name: &Ident, value: &Expr) -> Result<(), String> {
        match name.to_string().as_str() {
            "table" => self.table = Some(text(value)?),
            "ordering" => self.ordering = list(value)?,
            "unique_together" => self.unique_together = groups(value)?,
            "indexes" => self.indexes = groups(value)?,
            _ => {
                let path = text(value)?.parse::<Path>();
                self.krate = path
                    .map_err(|_| "a path in quotes".to_owned())?
                    .into_token_stream();
            }
        }
        Ok(())
    }
}

/// `["a", "b"]`, or `"a"` alone.
fn list(value: &Expr) -> Result<Vec<LitStr>, String> {
    match value {
        Expr::Array(array) => array.elems.iter().map(text).collect(),
        other => Ok(vec![text(other)?]),
    }
    .map_err(|_: String| "a list of names: `[\"a\", \"b\"]`".to_owned())
}

/// `[["a", "b"], ["c"]]`, or one group alone.
fn groups(value: &Expr) -> Result<Vec<Vec<LitStr>>, String> {
    let expected = || "groups of names: `[[\"a\", \"b\"]]`".to_owned();
    let Expr::Array(array) = value else {
        return Err(expected());
    };
    if array.elems.iter().all(|e| matches!(e, Expr::Lit(_))) {
        return list(value).map(|group| vec![group]).map_err(|_| expected());
    }
    array
        .elems
        .iter()
        .map(|e| list(e).map_err(|_| expected()))
        .collect()
}

/// The doc comment, its lines joined by spaces.
pub(super) fn doc_text(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| {
        let meta = attribute.meta.require_name_value().ok()?;
        if !meta.path.is_ident("doc") {
            return None;
        }
        text(&meta.value).ok().map(|t| t.value().trim().to_owned())
    });
    lines
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}
