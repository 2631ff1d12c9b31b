//! Dialects with a wrong spelling or fact.

use orm_core::backend::{
    Capabilities, Dialect, ListItems, SqlFamily, TextPattern, TextSpelling, TransactionOptions,
};
use orm_core::error::Result;
use orm_core::query::{DatePart, Lookup};
use orm_core::value::{ColumnType, Value};
use orm_testkit::layer::Layer;
use std::borrow::Cow;
use std::sync::OnceLock;

/// What is spelled wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// `contains` and its kin take no notice of case.
    CaseIgnored,
    /// The lookups with `i` know ASCII only.
    AsciiOnly,
    /// `%` and `_` in an argument are wildcards.
    Wildcards,
    /// `startswith` also finds the text elsewhere.
    NoAnchor,
    /// `regex` is `contains`.
    NoRegex,
    /// Parts of a date-time are those of the session's time zone.
    LocalParts,
    /// Seconds are rounded.
    RoundedSeconds,
    /// Text columns compare without case.
    NoCaseColumns,
    /// Integers have no bounds.
    NoChecks,
    /// Literals double the backslash.
    EscapedLiterals,
    /// Literals are not quoted rightly.
    BareQuotes,
}

/// Uses a dialect with the wrong spelling.
#[derive(Debug)]
pub(crate) struct Spells {
    wrong: Wrong,
    dialect: OnceLock<&'static Misspelt>,
}

impl Spells {
    pub(crate) fn new(wrong: Wrong) -> Self {
        let dialect = OnceLock::new();
        Spells { wrong, dialect }
    }
}

impl Layer for Spells {
    fn dialect(&self, inner: &'static dyn Dialect) -> &'static dyn Dialect {
        let wrong = self.wrong;
        *self
            .dialect
            .get_or_init(|| Box::leak(Box::new(Misspelt { inner, wrong })))
    }
}

#[derive(Debug)]
struct Misspelt {
    inner: &'static dyn Dialect,
    wrong: Wrong,
}

impl Misspelt {
    fn template(&self, lookup: Lookup) -> Option<(&'static str, TextPattern)> {
        use TextPattern::{Like, Plain};
        Some(match (self.wrong, lookup) {
            // LIKE knows no case in SQLite.
            (Wrong::CaseIgnored, Lookup::Contains | Lookup::StartsWith | Lookup::EndsWith) => {
                ("{l} LIKE {r} ESCAPE '\\'", Like)
            }
            (
                Wrong::AsciiOnly,
                Lookup::IContains | Lookup::IStartsWith | Lookup::IEndsWith | Lookup::IExact,
            ) => ("{l} LIKE {r} ESCAPE '\\'", Like),
            (Wrong::Wildcards, Lookup::Contains) => ("{l} GLOB '*' || {r} || '*'", Plain),
            (Wrong::NoAnchor, Lookup::StartsWith) => ("instr({l}, {r}) > 0", Plain),
            (Wrong::NoRegex, Lookup::Regex) => ("instr({l}, {r}) > 0", Plain),
            _ => return None,
        })
    }
}

impl Dialect for Misspelt {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn family(&self) -> SqlFamily {
        self.inner.family()
    }

    fn capabilities(&self) -> &'static Capabilities {
        self.inner.capabilities()
    }

    fn column_type(&self, ty: ColumnType) -> Cow<'static, str> {
        match self.inner.column_type(ty) {
            Cow::Borrowed("TEXT") if self.wrong == Wrong::NoCaseColumns => {
                "TEXT COLLATE NOCASE".into()
            }
            ty => ty,
        }
    }

    fn column_check(&self, ty: ColumnType) -> Option<&'static str> {
        self.inner
            .column_check(ty)
            .filter(|_| self.wrong != Wrong::NoChecks)
    }

    fn generated_key(&self) -> &'static str {
        self.inner.generated_key()
    }

    fn table_suffix(&self) -> &'static str {
        self.inner.table_suffix()
    }

    fn text_lookup(&self, lookup: Lookup) -> Option<TextSpelling> {
        match self.template(lookup) {
            Some((template, pattern)) => Some(TextSpelling { template, pattern }),
            None => self.inner.text_lookup(lookup),
        }
    }

    fn date_part(&self, part: DatePart) -> &'static str {
        match (self.wrong, part) {
            (Wrong::LocalParts, DatePart::Hour) => {
                "CAST(strftime('%H', {l}, '+5 hours', '+30 minutes') AS INTEGER)"
            }
            (Wrong::LocalParts, DatePart::Day) => {
                "CAST(strftime('%d', {l}, '+5 hours', '+30 minutes') AS INTEGER)"
            }
            (Wrong::RoundedSeconds, DatePart::Second) => {
                "CAST(round(strftime('%f', {l})) AS INTEGER)"
            }
            _ => self.inner.date_part(part),
        }
    }

    fn literal(&self, value: &Value) -> Result<String> {
        let text = self.inner.literal(value)?;
        Ok(match self.wrong {
            Wrong::EscapedLiterals => text.replace('\\', "\\\\"),
            Wrong::BareQuotes => text.replace("''", "`"),
            _ => text,
        })
    }

    fn begin_sql(&self, options: &TransactionOptions) -> Result<Vec<&'static str>> {
        self.inner.begin_sql(options)
    }

    fn array_type(&self, ty: ColumnType) -> Option<&'static str> {
        self.inner.array_type(ty)
    }

    fn list_table(&self, items: ListItems) -> Option<&'static str> {
        self.inner.list_table(items)
    }

    fn index_prefix(&self, ty: ColumnType) -> Option<u32> {
        self.inner.index_prefix(ty)
    }
}
