//! Facts and spellings of SQLite.

use orm_core::backend::{
    Capabilities, Dialect, Isolation, ListItems, SqlFamily, TextPattern, TextSpelling,
    TransactionOptions,
};
use orm_core::error::{Error, Result};
use orm_core::query::{DatePart, Lookup};
use orm_core::value::{ColumnType, Value, format_datetime};
use std::borrow::Cow;
use std::fmt::Write;

/// SQLite's dialect.
#[derive(Clone, Copy, Debug)]
pub struct SqliteDialect;

static CAPABILITIES: Capabilities = {
    let mut facts = Capabilities::none();
    facts.transactions = true;
    facts.savepoints = true;
    facts.transactional_ddl = true;
    facts.isolation = &[Isolation::Serializable];
    facts.read_only_transactions = true;
    facts.returning_insert = true;
    facts.last_insert_id = true;
    // One statement holds the write lock from its first row to its last, and AUTOINCREMENT counts
    // by one. (A trigger that inserts into its own table would break this; we create none.)
    facts.key_sequences = true;
    facts.multi_row_insert = true;
    facts.ignore_conflicts = true;
    facts.foreign_keys = true;
    facts.forward_references = true;
    facts.regex = true;
    facts.index_if_not_exists = true;
    facts.max_params = 32_766;
    facts.rows_per_insert = 100;
    facts.max_identifier = 255;
    facts
};

impl Dialect for SqliteDialect {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn family(&self) -> SqlFamily {
        SqlFamily::Sqlite
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn column_type(&self, ty: ColumnType) -> Cow<'static, str> {
        Cow::Borrowed(match ty {
            ColumnType::Float => "REAL",
            ColumnType::Binary => "BLOB",
            ColumnType::Char(_) | ColumnType::Text | ColumnType::DateTime => "TEXT",
            ty if ty.is_integer() => "INTEGER",
            ColumnType::Boolean => "INTEGER",
            _ => "TEXT",
        })
    }

    /// SQLite's integers have 64 bits whatever the column is called.
    fn column_check(&self, ty: ColumnType) -> Option<&'static str> {
        Some(match ty {
            ColumnType::Boolean => "CONSTRAINT fd_is_boolean CHECK ({c} IN (0, 1))",
            ColumnType::SmallInt => {
                "CONSTRAINT fd_fits_16_bits CHECK ({c} BETWEEN -32768 AND 32767)"
            }
            ColumnType::Int => {
                "CONSTRAINT fd_fits_32_bits CHECK ({c} BETWEEN -2147483648 AND 2147483647)"
            }
            _ => return None,
        })
    }

    /// Keys are never used twice. SQLite wants the word after `PRIMARY KEY`:
    /// `INTEGER PRIMARY KEY AUTOINCREMENT`.
    fn generated_key(&self) -> &'static str {
        "AUTOINCREMENT"
    }

    fn table_suffix(&self) -> &'static str {
        " STRICT"
    }

    fn list_table(&self, _: ListItems) -> Option<&'static str> {
        Some("SELECT value FROM json_each({r})")
    }

    fn text_lookup(&self, lookup: Lookup) -> Option<TextSpelling> {
        let template = match lookup {
            Lookup::Contains => "instr({l}, {r}) > 0",
            Lookup::StartsWith => "fd_startswith({l}, {r})",
            Lookup::EndsWith => "fd_endswith({l}, {r})",
            Lookup::IContains => "fd_icontains({l}, {r})",
            Lookup::IStartsWith => "fd_istartswith({l}, {r})",
            Lookup::IEndsWith => "fd_iendswith({l}, {r})",
            Lookup::IExact => "fd_iexact({l}, {r})",
            Lookup::Regex => "fd_regexp({l}, {r})",
            Lookup::IRegex => "fd_iregexp({l}, {r})",
            _ => return None,
        };
        Some(TextSpelling {
            template,
            pattern: TextPattern::Plain,
        })
    }

    /// By a function of ours: `strftime` rounds to milliseconds, so the last half millisecond of a
    /// minute would count to the next.
    fn date_part(&self, part: DatePart) -> &'static str {
        match part {
            DatePart::Year => "fd_date_part('year', {l})",
            DatePart::Quarter => "fd_date_part('quarter', {l})",
            DatePart::Month => "fd_date_part('month', {l})",
            DatePart::Week => "fd_date_part('week', {l})",
            DatePart::Day => "fd_date_part('day', {l})",
            DatePart::WeekDay => "fd_date_part('week_day', {l})",
            DatePart::Hour => "fd_date_part('hour', {l})",
            DatePart::Minute => "fd_date_part('minute', {l})",
            DatePart::Second => "fd_date_part('second', {l})",
            DatePart::Microsecond => "fd_date_part('microsecond', {l})",
        }
    }

    fn literal(&self, value: &Value) -> Result<String> {
        let refused = |message: &str| Error::validation("default", message);
        Ok(match value {
            Value::Null => "NULL".to_owned(),
            Value::Bool(value) => u8::from(*value).to_string(),
            // The smallest integer cannot be written as a minus sign and a literal.
            Value::I64(i64::MIN) => "(-9223372036854775807 - 1)".to_owned(),
            Value::I64(value) => value.to_string(),
            Value::F64(value) if value.is_finite() => format!("{value:?}"),
            Value::F64(_) => return Err(refused("a default must be a finite number")),
            Value::Text(value) if value.contains('\0') => {
                return Err(refused("a default must not contain NUL characters"));
            }
            Value::Text(value) => quoted(value),
            Value::Bytes(value) => {
                value.iter().fold("X'".to_owned(), |mut out, byte| {
                    write!(out, "{byte:02X}").expect("writing to a string does not fail");
                    out
                }) + "'"
            }
            Value::DateTime(at) => match format_datetime(*at) {
                Some(text) => quoted(&text),
                None => return Err(refused("the year must be from 1 to 9999")),
            },
            other => return Err(refused(&format!("{} has no literal", other.kind()))),
        })
    }

    fn begin_sql(&self, options: &TransactionOptions) -> Result<Vec<&'static str>> {
        match options.isolation {
            None | Some(Isolation::Serializable) if options.read_only => Ok(vec!["BEGIN"]),
            None | Some(Isolation::Serializable) => Ok(vec!["BEGIN IMMEDIATE"]),
            Some(_) => Err(Error::Unsupported("isolation")),
        }
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_stay_inside_their_quotes() {
        let literal = |value: Value| SqliteDialect.literal(&value);
        assert_eq!(literal("it's; --".into()).expect("text"), "'it''s; --'");
        assert_eq!(literal(true.into()).expect("bool"), "1");
        assert_eq!(literal(1.0.into()).expect("real"), "1.0");
        assert_eq!(literal(vec![0u8, 255].into()).expect("bytes"), "X'00FF'");
        assert!(literal("a\0b".into()).is_err());
        assert!(literal(f64::NAN.into()).is_err());
    }

    #[test]
    fn write_transactions_take_the_lock_at_once() {
        let options = TransactionOptions::new();
        assert_eq!(
            SqliteDialect.begin_sql(&options).expect("begin"),
            ["BEGIN IMMEDIATE"]
        );
        let read = SqliteDialect.begin_sql(&options.read_only());
        assert_eq!(read.expect("begin"), ["BEGIN"]);
        let weak = options.isolation(Isolation::ReadCommitted);
        assert!(SqliteDialect.begin_sql(&weak).is_err());
    }
}
