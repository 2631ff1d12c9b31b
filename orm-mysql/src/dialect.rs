//! Facts and spellings of MariaDB and MySQL, which share a grammar and differ in much else.

use orm_core::backend::{
    Capabilities, Dialect, Isolation, ListItems, SqlFamily, TextPattern, TextSpelling,
    TransactionOptions,
};
use orm_core::error::{Error, Result};
use orm_core::query::{DatePart, Lookup};
use orm_core::value::{ColumnType, Value, format_datetime};
use std::borrow::Cow;
use std::fmt::Write;

/// The dialect of one of the two servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MySqlDialect {
    flavour: Flavour,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flavour {
    MariaDb,
    MySql,
}

impl MySqlDialect {
    /// MariaDB's.
    pub const MARIADB: MySqlDialect = MySqlDialect {
        flavour: Flavour::MariaDb,
    };
    /// MySQL's.
    pub const MYSQL: MySqlDialect = MySqlDialect {
        flavour: Flavour::MySql,
    };
}

/// Longest text column that an index of InnoDB holds whole: 3072 bytes, four for each character.
const MAX_INDEXED: u32 = 768;
/// Longest VARCHAR that leaves room for other columns in a row of 65 535 bytes.
const MAX_VARCHAR: u32 = 8_000;

const fn shared() -> Capabilities {
    let mut facts = Capabilities::none();
    facts.transactions = true;
    facts.savepoints = true;
    facts.isolation = &[
        Isolation::ReadCommitted,
        Isolation::RepeatableRead,
        Isolation::Serializable,
    ];
    facts.read_only_transactions = true;
    facts.last_insert_id = true;
    facts.multi_row_insert = true;
    facts.ignore_conflicts = true;
    facts.foreign_keys = true;
    facts.alter_add_foreign_key = true;
    facts.regex = true;
    facts.comments = true;
    facts.update_limit = true;
    facts.max_params = 65_535;
    facts.rows_per_insert = 1_000;
    facts.max_identifier = 64;
    facts
}

static MARIADB: Capabilities = {
    let mut facts = shared();
    facts.returning_insert = true;
    facts.index_if_not_exists = true;
    facts
};

static MYSQL: Capabilities = {
    let mut facts = shared();
    // An INSERT whose number of rows is known takes its keys at once in every
    // innodb_autoinc_lock_mode, with the distance of the session (MySQL manual, "AUTO_INCREMENT
    // Handling in InnoDB").
    facts.key_sequences = true;
    facts
};

/// Lower case in which both forms of the small sigma are one, as on the other databases. Around
/// the operand, which stands where `$` does.
macro_rules! mariadb_folded {
    ($operand:literal) => {
        concat!(
            "REPLACE(LOWER(REPLACE(CONVERT(",
            $operand,
            " USING utf8mb4) COLLATE utf8mb4_uca1400_as_cs, 'İ', 'i̇')) COLLATE utf8mb4_nopad_bin, \
             'ς', 'σ')"
        )
    };
}

/// As above. MySQL loses letters whose lower case needs more bytes: those are replaced before.
macro_rules! mysql_folded {
    ($operand:literal) => {
        concat!(
            "REPLACE(LOWER(REPLACE(REPLACE(REPLACE(CONVERT(",
            $operand,
            " USING utf8mb4) COLLATE utf8mb4_0900_bin, 'İ', 'i̇'), 'Ⱥ', 'ⱥ'), 'Ⱦ', 'ⱦ')), \
             'ς', 'σ')"
        )
    };
}

/// One template for each server.
macro_rules! spelled {
    ($flavour:expr, $mariadb:expr, $mysql:expr) => {
        match $flavour {
            Flavour::MariaDb => $mariadb,
            Flavour::MySql => $mysql,
        }
    };
}

impl Dialect for MySqlDialect {
    fn name(&self) -> &'static str {
        spelled!(self.flavour, "mariadb", "mysql")
    }

    fn family(&self) -> SqlFamily {
        SqlFamily::MySql
    }

    fn capabilities(&self) -> &'static Capabilities {
        spelled!(self.flavour, &MARIADB, &MYSQL)
    }

    fn column_type(&self, ty: ColumnType) -> Cow<'static, str> {
        let collated = |ty: &str| {
            let collation = spelled!(self.flavour, "utf8mb4_nopad_bin", "utf8mb4_0900_bin");
            format!("{ty} CHARACTER SET utf8mb4 COLLATE {collation}")
        };
        match ty {
            ColumnType::Boolean => "TINYINT(1)".into(),
            ColumnType::SmallInt => "SMALLINT".into(),
            ColumnType::Int => "INT".into(),
            ColumnType::BigInt => "BIGINT".into(),
            ColumnType::Float => "DOUBLE".into(),
            ColumnType::Binary => "LONGBLOB".into(),
            ColumnType::DateTime => "DATETIME(6)".into(),
            ColumnType::Char(max) if max <= MAX_VARCHAR => {
                collated(&format!("VARCHAR({max})")).into()
            }
            _ => collated("LONGTEXT").into(),
        }
    }

    fn generated_key(&self) -> &'static str {
        "AUTO_INCREMENT"
    }

    fn table_suffix(&self) -> &'static str {
        spelled!(
            self.flavour,
            " ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin",
            " ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin"
        )
    }

    fn index_prefix(&self, ty: ColumnType) -> Option<u32> {
        match ty {
            ColumnType::Char(max) if max <= MAX_INDEXED => None,
            ColumnType::Char(_) | ColumnType::Text => Some(MAX_INDEXED),
            ColumnType::Binary => Some(3_072),
            _ => None,
        }
    }

    fn list_table(&self, items: ListItems) -> Option<&'static str> {
        Some(match items {
            ListItems::Integers => {
                "SELECT value FROM JSON_TABLE({r}, '$[*]' COLUMNS (value BIGINT PATH '$')) AS fd"
            }
            ListItems::Texts => spelled!(
                self.flavour,
                "SELECT value FROM JSON_TABLE({r}, '$[*]' COLUMNS (value LONGTEXT \
                 CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin PATH '$')) AS fd",
                "SELECT value FROM JSON_TABLE({r}, '$[*]' COLUMNS (value LONGTEXT \
                 CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin PATH '$')) AS fd"
            ),
        })
    }

    fn text_lookup(&self, lookup: Lookup) -> Option<TextSpelling> {
        use TextPattern::{Like, Plain};
        let flavour = self.flavour;
        let (template, pattern) = match lookup {
            Lookup::Contains => (
                spelled!(
                    flavour,
                    "INSTR(CONVERT({l} USING utf8mb4) COLLATE utf8mb4_nopad_bin, {r}) > 0",
                    "INSTR(CONVERT({l} USING utf8mb4) COLLATE utf8mb4_0900_bin, {r}) > 0"
                ),
                Plain,
            ),
            Lookup::StartsWith | Lookup::EndsWith => (
                // The column stays bare, so that its index can be used.
                spelled!(
                    flavour,
                    "{l} LIKE {r} COLLATE utf8mb4_nopad_bin ESCAPE 0x5C",
                    "{l} LIKE {r} COLLATE utf8mb4_0900_bin ESCAPE 0x5C"
                ),
                Like,
            ),
            Lookup::IContains => (
                spelled!(
                    flavour,
                    concat!(
                        "INSTR(",
                        mariadb_folded!("{l}"),
                        ", ",
                        mariadb_folded!("{r}"),
                        ") > 0"
                    ),
                    concat!(
                        "INSTR(",
                        mysql_folded!("{l}"),
                        ", ",
                        mysql_folded!("{r}"),
                        ") > 0"
                    )
                ),
                Plain,
            ),
            Lookup::IStartsWith | Lookup::IEndsWith => (
                spelled!(
                    flavour,
                    concat!(
                        mariadb_folded!("{l}"),
                        " LIKE ",
                        mariadb_folded!("{r}"),
                        " ESCAPE 0x5C"
                    ),
                    concat!(
                        mysql_folded!("{l}"),
                        " LIKE ",
                        mysql_folded!("{r}"),
                        " ESCAPE 0x5C"
                    )
                ),
                Like,
            ),
            Lookup::IExact => (
                spelled!(
                    flavour,
                    concat!(mariadb_folded!("{l}"), " = ", mariadb_folded!("{r}")),
                    concat!(mysql_folded!("{l}"), " = ", mysql_folded!("{r}"))
                ),
                Plain,
            ),
            // PCRE on one, ICU on the other.
            Lookup::Regex => (
                spelled!(
                    flavour,
                    "CONVERT({l} USING utf8mb4) COLLATE utf8mb4_nopad_bin REGEXP {r}",
                    "REGEXP_LIKE({l}, {r}, 'c')"
                ),
                Plain,
            ),
            Lookup::IRegex => (
                spelled!(
                    flavour,
                    "CONVERT({l} USING utf8mb4) COLLATE utf8mb4_nopad_bin REGEXP CONCAT('(?i)', {r})",
                    "REGEXP_LIKE({l}, {r}, 'i')"
                ),
                Plain,
            ),
            _ => return None,
        };
        Some(TextSpelling { template, pattern })
    }

    fn date_part(&self, part: DatePart) -> &'static str {
        match part {
            DatePart::Year => "YEAR({l})",
            DatePart::Quarter => "QUARTER({l})",
            DatePart::Month => "MONTH({l})",
            // Mode 3 is ISO 8601.
            DatePart::Week => "WEEK({l}, 3)",
            DatePart::Day => "DAYOFMONTH({l})",
            DatePart::WeekDay => "DAYOFWEEK({l})",
            DatePart::Hour => "HOUR({l})",
            DatePart::Minute => "MINUTE({l})",
            DatePart::Second => "SECOND({l})",
            DatePart::Microsecond => "MICROSECOND({l})",
        }
    }

    /// Text as hexadecimal digits: whether a backslash escapes depends on the session.
    fn literal(&self, value: &Value) -> Result<String> {
        let refused = |message: &str| Error::validation("default", message);
        Ok(match value {
            Value::Null => "NULL".to_owned(),
            Value::Bool(value) => u8::from(*value).to_string(),
            Value::I64(value) => value.to_string(),
            Value::F64(value) if value.is_finite() => format!("{value:?}"),
            Value::F64(_) => return Err(refused("a default must be a finite number")),
            Value::Text(value) if value.contains('\0') => {
                return Err(refused("a default must not contain NUL characters"));
            }
            Value::Text(value) => format!("_utf8mb4 X'{}'", hex(value.as_bytes())),
            Value::Bytes(value) => format!("X'{}'", hex(value)),
            Value::DateTime(at) => match format_datetime(*at) {
                // Without the offset, which is that of UTC.
                Some(text) => format!("'{}'", &text[..26]),
                None => return Err(refused("the year must be from 1 to 9999")),
            },
            other => return Err(refused(&format!("{} has no literal", other.kind()))),
        })
    }

    fn begin_sql(&self, options: &TransactionOptions) -> Result<Vec<&'static str>> {
        let level = match options.isolation {
            None => None,
            Some(Isolation::ReadCommitted) => {
                Some("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
            }
            Some(Isolation::RepeatableRead) => {
                Some("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            }
            Some(Isolation::Serializable) => Some("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"),
            Some(_) => return Err(Error::Unsupported("isolation")),
        };
        let begin = match options.read_only {
            true => "START TRANSACTION READ ONLY",
            false => "START TRANSACTION",
        };
        Ok(level.into_iter().chain([begin]).collect())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        write!(out, "{byte:02X}").expect("writing to a string does not fail");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_do_not_depend_on_the_session() {
        for dialect in [MySqlDialect::MARIADB, MySqlDialect::MYSQL] {
            let literal = |value: Value| dialect.literal(&value);
            assert_eq!(literal("\\'a".into()).expect("text"), "_utf8mb4 X'5C2761'");
            assert_eq!(literal(true.into()).expect("bool"), "1");
            assert_eq!(literal(vec![0u8, 255].into()).expect("bytes"), "X'00FF'");
            assert!(literal("a\0b".into()).is_err());
            assert!(literal(f64::NAN.into()).is_err());
        }
    }

    #[test]
    fn the_flavours_differ_where_the_servers_do() {
        let (mariadb, mysql) = (MySqlDialect::MARIADB, MySqlDialect::MYSQL);
        assert!(mariadb.capabilities().returning_insert && !mysql.capabilities().returning_insert);
        assert!(mysql.capabilities().key_sequences && !mariadb.capabilities().key_sequences);
        assert!(!mysql.capabilities().index_if_not_exists);
        assert_eq!(
            mysql.column_type(ColumnType::Char(50)),
            "VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin"
        );
        assert_eq!(mariadb.index_prefix(ColumnType::Text), Some(768));
        assert_eq!(mariadb.index_prefix(ColumnType::Char(768)), None);
    }

    #[test]
    fn every_text_lookup_names_each_side_once() {
        use Lookup::{Contains, EndsWith, IContains, IEndsWith, IExact, IRegex};
        for dialect in [MySqlDialect::MARIADB, MySqlDialect::MYSQL] {
            for lookup in [Contains, EndsWith, IContains, IEndsWith, IExact, IRegex] {
                let spelling = dialect.text_lookup(lookup).expect("supported");
                assert_eq!(spelling.template.matches("{l}").count(), 1);
                assert_eq!(spelling.template.matches("{r}").count(), 1);
            }
            assert!(dialect.text_lookup(Lookup::Gt).is_none());
        }
    }

    #[test]
    fn a_transaction_begins_with_its_isolation_level() {
        let options = TransactionOptions::new().isolation(Isolation::Serializable);
        assert_eq!(
            MySqlDialect::MYSQL
                .begin_sql(&options.read_only())
                .expect("supported"),
            [
                "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
                "START TRANSACTION READ ONLY"
            ]
        );
    }
}
