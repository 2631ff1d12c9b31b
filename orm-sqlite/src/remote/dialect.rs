//! Facts and spellings of a libSQL server: SQLite without the functions that this crate adds to
//! its own connections.

use crate::dialect::SqliteDialect;
use orm_core::backend::{
    Capabilities, Dialect, Isolation, ListItems, SqlFamily, TextPattern, TextSpelling,
    TransactionOptions,
};
use orm_core::error::Result;
use orm_core::query::{DatePart, Lookup};
use orm_core::value::{ColumnType, Value};
use std::borrow::Cow;

/// The dialect of libSQL servers.
#[derive(Clone, Copy, Debug)]
pub struct LibsqlDialect;

static CAPABILITIES: Capabilities = {
    let mut facts = Capabilities::none();
    facts.transactions = true;
    facts.savepoints = true;
    facts.transactional_ddl = true;
    facts.isolation = &[Isolation::Serializable];
    facts.returning_insert = true;
    facts.last_insert_id = true;
    facts.key_sequences = true;
    facts.multi_row_insert = true;
    facts.ignore_conflicts = true;
    facts.foreign_keys = true;
    facts.forward_references = true;
    facts.index_if_not_exists = true;
    facts.max_params = 32_766;
    facts.rows_per_insert = 100;
    facts.max_identifier = 255;
    facts
};

/// A part of a date-time in our own layout; of any other text it is NULL.
macro_rules! part {
    ($expression:literal) => {
        concat!(
            "(SELECT CASE WHEN fd_at LIKE '____-__-__ __:__:__.______+00:00' THEN ",
            $expression,
            " END FROM (SELECT {l} AS fd_at))"
        )
    };
}

impl Dialect for LibsqlDialect {
    fn name(&self) -> &'static str {
        "libsql"
    }

    fn family(&self) -> SqlFamily {
        SqlFamily::Sqlite
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn column_type(&self, ty: ColumnType) -> Cow<'static, str> {
        SqliteDialect.column_type(ty)
    }

    fn column_check(&self, ty: ColumnType) -> Option<&'static str> {
        SqliteDialect.column_check(ty)
    }

    fn generated_key(&self) -> &'static str {
        SqliteDialect.generated_key()
    }

    fn table_suffix(&self) -> &'static str {
        SqliteDialect.table_suffix()
    }

    fn list_table(&self, items: ListItems) -> Option<&'static str> {
        SqliteDialect.list_table(items)
    }

    /// SQLite folds the case of ASCII only, and has no regular expressions: those are refused.
    fn text_lookup(&self, lookup: Lookup) -> Option<TextSpelling> {
        let template = match lookup {
            Lookup::Contains => "instr({l}, {r}) > 0",
            Lookup::StartsWith => "instr({l}, {r}) = 1",
            Lookup::EndsWith => {
                "(SELECT fd_end = '' OR substr(fd_text, -length(fd_end)) = fd_end \
                 FROM (SELECT {l} AS fd_text, {r} AS fd_end))"
            }
            _ => return None,
        };
        Some(TextSpelling {
            template,
            pattern: TextPattern::Plain,
        })
    }

    fn date_part(&self, part: DatePart) -> &'static str {
        match part {
            DatePart::Year => part!("CAST(substr(fd_at, 1, 4) AS INTEGER)"),
            DatePart::Quarter => part!("(CAST(substr(fd_at, 6, 2) AS INTEGER) + 2) / 3"),
            DatePart::Month => part!("CAST(substr(fd_at, 6, 2) AS INTEGER)"),
            // The week of a day is that of its Thursday.
            DatePart::Week => {
                part!("(strftime('%j', substr(fd_at, 1, 10), '-3 days', 'weekday 4') - 1) / 7 + 1")
            }
            DatePart::Day => part!("CAST(substr(fd_at, 9, 2) AS INTEGER)"),
            DatePart::WeekDay => part!("strftime('%w', substr(fd_at, 1, 10)) + 1"),
            DatePart::Hour => part!("CAST(substr(fd_at, 12, 2) AS INTEGER)"),
            DatePart::Minute => part!("CAST(substr(fd_at, 15, 2) AS INTEGER)"),
            DatePart::Second => part!("CAST(substr(fd_at, 18, 2) AS INTEGER)"),
            DatePart::Microsecond => part!("CAST(substr(fd_at, 21, 6) AS INTEGER)"),
        }
    }

    fn literal(&self, value: &Value) -> Result<String> {
        SqliteDialect.literal(value)
    }

    fn begin_sql(&self, options: &TransactionOptions) -> Result<Vec<&'static str>> {
        if options.read_only {
            return Err(orm_core::error::Error::Unsupported(
                "read_only_transactions",
            ));
        }
        SqliteDialect.begin_sql(options)
    }
}
