//! Facts and spellings of GlueSQL.

use orm_core::backend::{Capabilities, Dialect, SqlFamily, TextPattern, TextSpelling};
use orm_core::error::{Error, Result};
use orm_core::query::{DatePart, Lookup};
use orm_core::value::{ColumnType, Value};
use std::borrow::Cow;

// guide: dialect
/// The dialect.
#[derive(Debug)]
pub struct GlueDialect;

static FACTS: Capabilities = {
    let mut facts = Capabilities::none();
    facts.last_insert_id = true;
    facts.multi_row_insert = true;
    facts.forward_references = true;
    facts.index_if_not_exists = true;
    facts.regex = true;
    facts.max_params = 10_000;
    facts.rows_per_insert = 100;
    facts.max_identifier = 255;
    facts
};

impl Dialect for GlueDialect {
    fn name(&self) -> &'static str {
        "gluesql"
    }

    fn family(&self) -> SqlFamily {
        SqlFamily::Sqlite
    }

    fn capabilities(&self) -> &'static Capabilities {
        &FACTS
    }

    fn column_type(&self, ty: ColumnType) -> Cow<'static, str> {
        Cow::Borrowed(match ty {
            ColumnType::Boolean => "BOOLEAN",
            // The narrower types take no 64-bit values, whatever the number.
            ColumnType::SmallInt | ColumnType::Int | ColumnType::BigInt => "INT",
            ColumnType::Float => "FLOAT",
            ColumnType::Binary => "BYTEA",
            ColumnType::DateTime => "TIMESTAMP",
            _ => "TEXT",
        })
    }

    fn generated_key(&self) -> &'static str {
        ""
    }

    fn text_lookup(&self, lookup: Lookup) -> Option<TextSpelling> {
        let template = match lookup {
            Lookup::Contains => "POSITION({r} IN {l}) > 0",
            Lookup::StartsWith => "POSITION(CONCAT('^', {r}) IN CONCAT('^', {l})) = 1",
            Lookup::EndsWith => {
                "POSITION(REVERSE(CONCAT({r}, '$')) IN REVERSE(CONCAT({l}, '$'))) = 1"
            }
            Lookup::IContains => "POSITION(LOWER({r}) IN LOWER({l})) > 0",
            Lookup::IStartsWith => {
                "POSITION(LOWER(CONCAT('^', {r})) IN LOWER(CONCAT('^', {l}))) = 1"
            }
            Lookup::IEndsWith => {
                "POSITION(REVERSE(LOWER(CONCAT({r}, '$'))) IN REVERSE(LOWER(CONCAT({l}, '$')))) = 1"
            }
            Lookup::IExact => "LOWER({l}) = LOWER({r})",
            Lookup::Regex => "{l} ~ {r}",
            Lookup::IRegex => "{l} ~* {r}",
            _ => return None,
        };
        let pattern = TextPattern::Plain;
        Some(TextSpelling { template, pattern })
    }

    fn date_part(&self, part: DatePart) -> &'static str {
        match part {
            DatePart::Year => "CAST(FORMAT({l}, '%Y') AS INTEGER)",
            DatePart::Quarter => "(CAST(FORMAT({l}, '%m') AS INTEGER) + 2) / 3",
            DatePart::Month => "CAST(FORMAT({l}, '%m') AS INTEGER)",
            DatePart::Week => "CAST(FORMAT({l}, '%V') AS INTEGER)",
            DatePart::Day => "CAST(FORMAT({l}, '%d') AS INTEGER)",
            DatePart::WeekDay => "CAST(FORMAT({l}, '%w') AS INTEGER) + 1",
            DatePart::Hour => "CAST(FORMAT({l}, '%H') AS INTEGER)",
            DatePart::Minute => "CAST(FORMAT({l}, '%M') AS INTEGER)",
            DatePart::Second => "CAST(FORMAT({l}, '%S') AS INTEGER)",
            DatePart::Microsecond => "CAST(FORMAT({l}, '%6f') AS INTEGER)",
        }
    }

    fn literal(&self, value: &Value) -> Result<String> {
        Ok(match value {
            Value::Null => "NULL".to_owned(),
            Value::Bool(value) => value.to_string(),
            Value::I64(value) => value.to_string(),
            Value::Text(value) => format!("'{}'", value.replace('\'', "''")),
            other => {
                let message = format!("{} has no literal", other.kind());
                return Err(Error::validation("default", message));
            }
        })
    }
}
// guide: end
