//! PostgreSQL's reports as errors of the ORM, sorted by SQLSTATE.

use crate::config::{Config, Encryption, StatementMode};
use crate::value::Refused;
use orm_core::error::{
    DataError, DatabaseError, Error, ErrorKind, IntegrityError, Result, TimeoutKind,
    kind_from_sqlstate,
};
use std::error::Error as _;
use std::{io, sync::Arc};
use tokio_postgres::error::{DbError, Severity};

/// The statement is rejected because the transaction failed before.
pub(crate) const IN_FAILED_TRANSACTION: &str = "25P02";
/// There is no transaction.
pub(crate) const NO_ACTIVE_TRANSACTION: &str = "25P01";

/// Whether the server ends the connection after this.
pub(crate) fn is_fatal(error: &DbError) -> bool {
    matches!(
        error.parsed_severity(),
        Some(Severity::Fatal | Severity::Panic)
    )
}

/// Whether a kept statement does not fit the tables any more, or is gone.
pub(crate) fn is_stale(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_some_and(|error| {
        let code = error.code().code();
        // The first code has other meanings too; running such a statement again fails again.
        code == "0A000" || code == "26000"
    })
}

/// The error of a statement, for errors that the server reports.
pub(crate) fn from_server(error: &DbError, sql: Option<&Arc<str>>) -> Error {
    let code = error.code().code();
    let (kind, constraint) = kind_from_sqlstate(code);
    let mut report = DatabaseError::new(message(error)).with_code(code);
    if let Some(sql) = sql {
        report = report.with_sql(Arc::clone(sql));
    }
    if let Some(kind) = constraint {
        let mut broken = IntegrityError::from_database(kind, report);
        if let Some(name) = error.constraint() {
            broken = broken.with_constraint(name);
        }
        if let Some(table) = error.table() {
            broken = broken.with_table(table);
        }
        return match (error.column(), error.detail()) {
            (Some(column), _) => broken.with_columns([column]),
            (None, Some(detail)) => broken.with_columns(key_columns(detail)),
            (None, None) => broken,
        }
        .into();
    }
    match code {
        "55P03" => Error::Timeout(TimeoutKind::Lock, Box::new(report)),
        // The driver's own fault, or that of raw SQL; the connection goes on.
        "08P01" if !is_fatal(error) => Error::Statement(Box::new(report)),
        _ if is_fatal(error) && !matches!(kind, ErrorKind::Auth | ErrorKind::Resource) => {
            // By these the server itself ends what runs. Others may come from a pooler, which
            // does not know what the server has done.
            let stopped = matches!(code, "57P01" | "57P05" | "25P03" | "25P04");
            Error::ConnectionLost(Box::new(match stopped {
                true => report.without_effect(),
                false => report,
            }))
        }
        _ => Error::database(kind, report),
    }
}

/// The server's message. Those about data quote what was sent, so the quotes are emptied.
fn message(error: &DbError) -> String {
    let text = error.message();
    if !error.code().code().starts_with("22") {
        return match error.hint() {
            Some(hint) => format!("{text} ({hint})"),
            None => text.to_owned(),
        };
    }
    let mut out = String::with_capacity(text.len());
    let (first, last) = (text.find('"'), text.rfind('"'));
    match (first, last) {
        (Some(first), Some(last)) if first < last => {
            out.push_str(&text[..=first]);
            out.push('…');
            out.push_str(&text[last..]);
        }
        _ => out.push_str(text),
    }
    out
}

/// The columns in `Key (a, b)=(1, 2) already exists.`; no detail is no columns.
fn key_columns(detail: &str) -> Vec<String> {
    let list = detail
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once(")=("))
        .map(|(list, _)| list);
    let Some(list) = list else {
        return Vec::new();
    };
    list.split(", ")
        .map(|column| column.trim_matches('"').replace("\"\"", "\""))
        .collect()
}

/// What went wrong with a driver call that the server did not report as an error.
pub(crate) enum Fault {
    /// A value does not fit its placeholder; nothing was sent.
    Value(Error),
    /// The message is longer than the protocol allows; nothing was sent.
    TooLarge(Error),
    /// The connection is gone or in doubt.
    Lost,
}

/// Sorts a driver error that is no report of the server.
pub(crate) fn fault(error: &tokio_postgres::Error, sql: Option<&Arc<str>>) -> Fault {
    let source = error.source();
    if let Some(refused) = source.and_then(|source| source.downcast_ref::<Refused>()) {
        return Fault::Value(DataError::new(refused.to_string()).into());
    }
    let io = source.and_then(|source| source.downcast_ref::<io::Error>());
    if io.is_some_and(|error| error.kind() == io::ErrorKind::InvalidInput) {
        let mut report = DatabaseError::new(words(error));
        if let Some(sql) = sql {
            report = report.with_sql(Arc::clone(sql));
        }
        return Fault::TooLarge(Error::Resource(Box::new(report)));
    }
    Fault::Lost
}

/// An error of the driver in words: its own, and those of its cause.
pub(crate) fn words(error: &tokio_postgres::Error) -> String {
    if let Some(report) = error.as_db_error() {
        return message(report);
    }
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// A connection that is gone.
pub(crate) fn lost(why: &str, sql: Option<&Arc<str>>, outcome_unknown: bool) -> Error {
    let mut report = DatabaseError::new(why);
    if let Some(sql) = sql {
        report = report.with_sql(Arc::clone(sql));
    }
    report = match outcome_unknown {
        true => report.with_outcome_unknown(),
        false => report.without_effect(),
    };
    Error::ConnectionLost(Box::new(report))
}

/// The error of a connection attempt. Names the place and what to do, and never the password.
pub(crate) fn connecting(error: tokio_postgres::Error, config: &Config, place: &str) -> Error {
    let (user, database) = (&config.user, &config.database);
    let whole = |why: &str, advice: &str| {
        DatabaseError::new(format!(
            "cannot connect to {place} (database `{database}`, user `{user}`): {why}; {advice}"
        ))
    };
    let Some(report) = error.as_db_error() else {
        let why = words(&error);
        return match why.as_str() {
            why if why.contains("password missing") => Error::Auth(Box::new(whole(
                "the server asks for a password",
                "write it into the URL as `user:password@host`, percent-encoded",
            ))),
            why if why.starts_with("authentication error") => Error::Auth(Box::new(whole(
                why,
                "check the password and the server's authentication method",
            ))),
            why if why.contains("does not support TLS") => Error::ConnectionLost(Box::new(whole(
                "the server has no encryption",
                "set it up there, or remove `sslmode=require`",
            ))),
            why if why.contains("TLS") => Error::ConnectionLost(Box::new(whole(
                why,
                "check `sslmode` and `sslrootcert`, and that the certificate names this host",
            ))),
            why => Error::ConnectionLost(Box::new(whole(why, "is it a PostgreSQL server?"))),
        };
    };
    let code = report.code().code();
    let advice = match code {
        "28P01" => "check user and password, percent-encoded, in the URL",
        "28000" if config.encryption == Encryption::Off => {
            "check the user, allow it in `pg_hba.conf`, or add `sslmode=require` if the server \
             wants encryption"
        }
        "28000" => "check the user, or allow it in `pg_hba.conf`",
        "3D000" => "create the database, or correct its name in the URL",
        "53300" => "lower `max_connections` of the pool, or raise that of the server",
        // What start-up options that it does not know are for a pooler.
        "08P01" if config.statement_mode == StatementMode::Named => {
            "if it is a pooler, add `statement_mode=unnamed`"
        }
        "08P01" => "if it is a pooler, it refuses `search_path` and `options`",
        "57P03" => "wait until the server is ready",
        "42501" => "grant CONNECT on the database to the user",
        _ => "see the server's log",
    };
    let kind = match code {
        "42501" => ErrorKind::Auth,
        code => kind_from_sqlstate(code).0,
    };
    let kind = match kind {
        ErrorKind::Auth | ErrorKind::Resource | ErrorKind::ConnectionLost => kind,
        _ => ErrorKind::Operational,
    };
    Error::database(kind, whole(report.message(), advice).with_code(code))
}

/// Says that a transaction failed before, as the server would.
pub(crate) fn failed_transaction(what: &str) -> Error {
    let message = format!("{what}: a statement of the transaction failed before");
    Error::database(
        ErrorKind::Operational,
        DatabaseError::new(message).with_code(IN_FAILED_TRANSACTION),
    )
}

/// Refuses more values than one message can count.
pub(crate) fn check_count(count: usize, sql: &Arc<str>) -> Result<()> {
    if count <= usize::from(u16::MAX) {
        return Ok(());
    }
    let message = format!("{count} values in one statement are over PostgreSQL's limit of 65535");
    let report = DatabaseError::new(message).with_sql(Arc::clone(sql));
    Err(Error::Resource(Box::new(report)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_read_from_the_detail() {
        assert_eq!(
            key_columns("Key (author_id, slug)=(1, a) already exists."),
            ["author_id", "slug"]
        );
        assert_eq!(
            key_columns("Key (\"Order\")=(x)(=) already exists."),
            ["Order"]
        );
        assert!(key_columns("Failing row contains (1, null).").is_empty());
        assert!(key_columns("").is_empty());
    }

    #[test]
    fn too_many_values_are_refused_before_they_are_sent() {
        let sql: Arc<str> = "SELECT".into();
        assert!(check_count(65_535, &sql).is_ok());
        let error = check_count(65_536, &sql).expect_err("too many");
        assert_eq!(error.kind(), ErrorKind::Resource);
    }
}
