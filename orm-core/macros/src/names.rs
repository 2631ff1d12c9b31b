//! Names that the macros know: lookups, date parts, and how to find the nearest to a misspelt one.

use proc_macro2::{Ident, Span};

/// Last segments of a keyword that compare.
pub(crate) const LOOKUPS: &[&str] = &[
    "exact",
    "iexact",
    "contains",
    "icontains",
    "startswith",
    "istartswith",
    "endswith",
    "iendswith",
    "gt",
    "gte",
    "lt",
    "lte",
    "in",
    "not_in",
    "isnull",
    "not_isnull",
    "ne",
    "not",
    "range",
    "regex",
    "iregex",
];

/// Segments that take a part of a date-time.
pub(crate) const PARTS: &[&str] = &[
    "year",
    "quarter",
    "month",
    "week",
    "day",
    "week_day",
    "hour",
    "minute",
    "second",
    "microsecond",
];

/// The method that a lookup stands for.
pub(crate) fn lookup_method(lookup: &str) -> &str {
    match lookup {
        "in" => "in_",
        "not" => "ne",
        other => other,
    }
}

/// An identifier of this text, raw if it is a keyword.
pub(crate) fn ident(text: &str, span: Span) -> syn::Result<Ident> {
    if syn::parse_str::<Ident>(text).is_ok() {
        return Ok(Ident::new(text, span));
    }
    let starts_well = text.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let plain = starts_well && text.chars().all(|c| c.is_alphanumeric() || c == '_');
    if !plain || matches!(text, "self" | "Self" | "super" | "crate" | "_") {
        return Err(syn::Error::new(span, format!("`{text}` is not a name")));
    }
    Ok(Ident::new_raw(text, span))
}

/// The text of an identifier, without `r#`.
pub(crate) fn text_of(ident: &Ident) -> String {
    let text = ident.to_string();
    text.strip_prefix("r#").map_or(text.clone(), str::to_owned)
}

/// The key by which required fields and keywords are sorted, so that `author` and `author_id`
/// stand in the same place.
pub(crate) fn sort_key(name: &str) -> (String, String) {
    let stem = name.strip_suffix("_id").unwrap_or(name);
    (stem.to_owned(), name.to_owned())
}

/// `; did you mean `x`?` if one of the known names is near, else the list of them.
pub(crate) fn suggestion(name: &str, known: &[&str]) -> String {
    let near = known
        .iter()
        .map(|k| (distance(name, k), k))
        .min()
        .filter(|(d, _)| *d <= 2.max(name.len() / 3));
    match near {
        Some((_, near)) => format!("did you mean `{near}`?"),
        None => format!("expected one of {}", known.join(", ")),
    }
}

/// Edits from one text to the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_suggested_and_a_far_one_lists_all() {
        assert_eq!(
            suggestion("max_lenght", &["pk", "max_length"]),
            "did you mean `max_length`?"
        );
        assert_eq!(
            suggestion("zzzzzz", &["pk", "index"]),
            "expected one of pk, index"
        );
    }

    #[test]
    fn a_foreign_key_and_its_column_sort_to_the_same_place() {
        assert_eq!(sort_key("author_id").0, sort_key("author").0);
    }
}
