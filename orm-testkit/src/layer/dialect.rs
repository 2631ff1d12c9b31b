//! A layer that changes nothing but the claims.

use super::Layer;
use orm_core::backend::{
    Capabilities, Dialect, ListItems, SqlFamily, TextSpelling, TransactionOptions,
};
use orm_core::error::Result;
use orm_core::query::{DatePart, Lookup};
use orm_core::value::{ColumnType, Value};
use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;

/// Claims other facts than the driver does. The rest is the driver's.
pub struct Facts {
    change: Box<dyn Fn(&mut Capabilities) + Send + Sync>,
    /// Made for the first dialect that is seen. Dialects are static, so it is never given back.
    dialect: OnceLock<&'static Changed>,
}

impl Facts {
    /// Claims what the driver claims after `change`.
    pub fn new(change: impl Fn(&mut Capabilities) + Send + Sync + 'static) -> Self {
        Facts {
            change: Box::new(change),
            dialect: OnceLock::new(),
        }
    }
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Facts")
    }
}

impl Layer for Facts {
    fn dialect(&self, inner: &'static dyn Dialect) -> &'static dyn Dialect {
        *self.dialect.get_or_init(|| {
            let mut facts = *inner.capabilities();
            (self.change)(&mut facts);
            let facts = Box::leak(Box::new(facts));
            Box::leak(Box::new(Changed { inner, facts }))
        })
    }
}

/// A dialect with other facts. Every method of [`Dialect`] is passed on, those with a default too.
#[derive(Debug)]
struct Changed {
    inner: &'static dyn Dialect,
    facts: &'static Capabilities,
}

impl Dialect for Changed {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn family(&self) -> SqlFamily {
        self.inner.family()
    }

    fn capabilities(&self) -> &'static Capabilities {
        self.facts
    }

    fn column_type(&self, ty: ColumnType) -> Cow<'static, str> {
        self.inner.column_type(ty)
    }

    fn column_check(&self, ty: ColumnType) -> Option<&'static str> {
        self.inner.column_check(ty)
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

    fn generated_key(&self) -> &'static str {
        self.inner.generated_key()
    }

    fn table_suffix(&self) -> &'static str {
        self.inner.table_suffix()
    }

    fn text_lookup(&self, lookup: Lookup) -> Option<TextSpelling> {
        self.inner.text_lookup(lookup)
    }

    fn date_part(&self, part: DatePart) -> &'static str {
        self.inner.date_part(part)
    }

    fn literal(&self, value: &Value) -> Result<String> {
        self.inner.literal(value)
    }

    fn begin_sql(&self, options: &TransactionOptions) -> Result<Vec<&'static str>> {
        self.inner.begin_sql(options)
    }
}
