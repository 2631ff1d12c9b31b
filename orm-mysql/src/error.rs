//! The server's reports as errors of the ORM, sorted by error number.

use crate::config::Config;
use mysql_async::{DriverError, Error as Native, IoError, ServerError};
use orm_core::error::{
    ConstraintKind, DatabaseError, Error, ErrorKind, IntegrityError, TimeoutKind, kind_from_mysql,
};
use std::{io, sync::Arc};

const DEADLOCK: u16 = 1213;
const EMPTY: u16 = 1065;
const NOT_PREPARABLE: u16 = 1295;
const MUST_PREPARE_AGAIN: [u16; 2] = [1243, 1615];
const TOO_MANY_PREPARED: u16 = 1461;
const LOCK_WAIT: u16 = 1205;
const NO_WAIT: u16 = 3572;

/// Which number the server gave, if it was the server.
fn number(error: &Native) -> Option<u16> {
    match error {
        Native::Server(error) => Some(error.code),
        _ => None,
    }
}

/// Whether the connection must not be used after this.
pub(crate) fn is_fatal(error: &Native) -> bool {
    number(error).is_none_or(|code| kind_from_mysql(code).0 == ErrorKind::ConnectionLost)
}

/// Whether the whole transaction is gone.
pub(crate) fn ends_transaction(error: &Native) -> bool {
    number(error) == Some(DEADLOCK)
}

/// Whether the text was nothing but comments.
pub(crate) fn is_empty_text(error: &Native) -> bool {
    number(error) == Some(EMPTY)
}

/// Whether the statement exists only in the text protocol.
pub(crate) fn is_not_preparable(error: &Native) -> bool {
    number(error) == Some(NOT_PREPARABLE)
}

/// Whether a prepared statement has become useless, and nothing ran.
pub(crate) fn must_prepare_again(error: &Native) -> bool {
    number(error).is_some_and(|code| MUST_PREPARE_AGAIN.contains(&code))
}

/// Whether the server keeps as many prepared statements, of all its clients, as it may.
pub(crate) fn has_too_many_prepared(error: &Native) -> bool {
    number(error) == Some(TOO_MANY_PREPARED)
}

/// The error of a statement. `may_write`: it may have taken effect although no answer came.
pub(crate) fn classify(error: Native, sql: Option<&Arc<str>>, may_write: bool) -> Error {
    let with_sql = |report: DatabaseError| match sql {
        Some(sql) => report.with_sql(Arc::clone(sql)),
        None => report,
    };
    match error {
        Native::Server(error) => server(&error, with_sql),
        other => {
            let report = with_sql(DatabaseError::new(lost(&other)));
            let report = match other {
                Native::Io(IoError::Io(cause)) => report.with_source(cause),
                _ => report,
            };
            let report = match may_write {
                true => report.with_outcome_unknown(),
                false => report,
            };
            Error::database(ErrorKind::ConnectionLost, report)
        }
    }
}

/// Why a connection ended, without anything that the server or the program sent over it.
fn lost(error: &Native) -> String {
    match error {
        Native::Io(_) | Native::Driver(DriverError::ConnectionClosed) => {
            "the server closed the connection, or cannot be reached any more".to_owned()
        }
        Native::Driver(DriverError::PacketOutOfOrder | DriverError::UnexpectedPacket { .. }) => {
            "the server broke the protocol".to_owned()
        }
        Native::Driver(DriverError::LocalInfile(_)) => {
            "the server asked for a local file, which is never sent".to_owned()
        }
        Native::Driver(DriverError::PacketTooLarge) => {
            "a packet was larger than the protocol allows".to_owned()
        }
        _ => "the driver gave up on the connection".to_owned(),
    }
}

fn server(error: &ServerError, with_sql: impl Fn(DatabaseError) -> DatabaseError) -> Error {
    let (kind, constraint) = kind_from_mysql(error.code);
    let message = without_values(error.code, &error.message);
    let report = with_sql(DatabaseError::new(message).with_code(error.code));
    match (constraint, error.code) {
        (Some(kind), _) => integrity(kind, &error.message, report).into(),
        (None, LOCK_WAIT | NO_WAIT) => Error::Timeout(TimeoutKind::Lock, Box::new(report)),
        (None, _) if kind == ErrorKind::Timeout => {
            Error::Timeout(TimeoutKind::Statement, Box::new(report))
        }
        (None, _) => Error::database(kind, report),
    }
}

/// The message without the stored or bound values that some begin with: `Duplicate entry '..' for
/// key 'k'`, `Incorrect integer value: '..' for column 'c'`.
fn without_values(code: u16, message: &str) -> String {
    let start = message.find(" '");
    let end = [" for key '", " for column "]
        .into_iter()
        .find_map(|part| message.rfind(part));
    match (code, start, end) {
        (1062 | 1292 | 1366 | 1411 | 1525 | 1586, Some(start), Some(end)) if start <= end => {
            let what = message[..start].trim_end_matches(':');
            format!("{what}{}", &message[end..])
        }
        (1062 | 1292 | 1366 | 1411 | 1525 | 1586, Some(start), None) => {
            message[..start].trim_end_matches(':').to_owned()
        }
        // "BIGINT value is out of range in '(1 + ...)'"
        (1690, Some(start), _) => message[..start].trim_end_matches(" in").to_owned(),
        _ => message.to_owned(),
    }
}

/// Adds what the message tells: names are nowhere else.
fn integrity(kind: ConstraintKind, message: &str, report: DatabaseError) -> IntegrityError {
    let error = IntegrityError::from_database(kind, report);
    match kind {
        // MySQL says `table.key`, MariaDB `key`.
        ConstraintKind::Unique => match after(message, " for key '", '\'') {
            None => error,
            Some(key) => match key.split_once('.') {
                Some((table, key)) => error.with_table(table).with_constraint(key),
                None => error.with_constraint(key),
            },
        },
        ConstraintKind::NotNull => {
            let column = ["Column '", "Field '"]
                .into_iter()
                .find_map(|start| after(message, start, '\''));
            match column {
                Some(column) => error.with_columns([column]),
                None => error,
            }
        }
        ConstraintKind::Check => {
            let name = ["CONSTRAINT `", "Check constraint '"]
                .into_iter()
                .zip(['`', '\''])
                .find_map(|(start, end)| after(message, start, end));
            let error = match name {
                // A check of a column is named `table.column` on MariaDB.
                Some(name) => error.with_constraint(name.rsplit('.').next().unwrap_or(name)),
                None => error,
            };
            match after(message, " failed for `", '`').and_then(|_| last_name(message)) {
                Some(table) => error.with_table(table),
                None => error,
            }
        }
        ConstraintKind::ForeignKey => {
            let Some((_, detail)) = message.split_once(" (`") else {
                return error;
            };
            // `db`.`table`, CONSTRAINT `name` FOREIGN KEY (`column`) REFERENCES ..
            let mut names = detail.split('`');
            let table = names.nth(2);
            let error = match table {
                Some(table) => error.with_table(table),
                None => error,
            };
            let error = match after(detail, "CONSTRAINT `", '`') {
                Some(name) => error.with_constraint(name),
                None => error,
            };
            match after(detail, "FOREIGN KEY (", ')') {
                Some(columns) => {
                    error.with_columns(columns.split(", ").map(|c| c.trim_matches('`')))
                }
                None => error,
            }
        }
        _ => error,
    }
}

/// What stands between the last `start` and the next `end`.
fn after<'m>(message: &'m str, start: &str, end: char) -> Option<&'m str> {
    let rest = &message[message.rfind(start)? + start.len()..];
    rest.split(end).next()
}

/// The last name in backticks.
fn last_name(message: &str) -> Option<&str> {
    let mut parts = message.rsplit('`');
    parts.nth(1)
}

/// Says which server cannot be used, why, and what to do.
pub(crate) fn cannot_connect(config: &Config, error: &Native) -> Error {
    let target = config.target();
    let (kind, message) = match error {
        Native::Server(error) => return refused(config, error),
        #[cfg(feature = "tls")]
        Native::Io(IoError::Io(cause))
            if cause
                .get_ref()
                .is_some_and(|inner| inner.is::<rustls::Error>()) =>
        {
            (ErrorKind::ConnectionLost, not_encrypted(&target, cause))
        }
        #[cfg(feature = "tls")]
        Native::Io(IoError::Tls(cause)) => {
            (ErrorKind::ConnectionLost, not_encrypted(&target, cause))
        }
        Native::Io(IoError::Io(cause)) => {
            let advice = match cause.kind() {
                io::ErrorKind::ConnectionRefused => "start the server, or check host and port",
                io::ErrorKind::NotFound => "check the path of the socket",
                io::ErrorKind::PermissionDenied => "check the permissions of the socket",
                _ => "check host, port and network",
            };
            (
                ErrorKind::ConnectionLost,
                format!("`{target}` cannot be reached ({cause}): {advice}"),
            )
        }
        Native::Driver(DriverError::NoClientSslFlagFromServer) => (
            ErrorKind::ConnectionLost,
            format!("`{target}` has no encryption: set it up there, or remove `ssl_mode=required`"),
        ),
        Native::Driver(DriverError::UnknownAuthPlugin { name }) => (
            ErrorKind::Auth,
            format!(
                "`{target}` asks for the authentication `{name}`, which is not supported (a server may also ask so for a user that does not exist)"
            ),
        ),
        Native::Driver(
            DriverError::MysqlOldPasswordDisabled | DriverError::CleartextPluginDisabled,
        ) => (
            ErrorKind::Auth,
            format!("`{target}` asks for the password in an unsafe form: change the user's plugin"),
        ),
        other => (
            ErrorKind::ConnectionLost,
            format!("`{target}` cannot be used: {}", lost(other)),
        ),
    };
    Error::database(kind, DatabaseError::new(message))
}

/// The server asks for a kind of login that the driver gave up on.
pub(crate) fn unknown_login(config: &Config) -> Error {
    let target = config.target();
    let message = format!(
        "`{target}` asks for a kind of login that is not supported: give the user \
         `mysql_native_password` or `caching_sha2_password`"
    );
    Error::database(ErrorKind::Auth, DatabaseError::new(message))
}

/// The server lacks what the dialect relies on.
pub(crate) fn too_old(config: &Config) -> Error {
    let target = config.target();
    Error::configuration(format!(
        "`{target}` is too old: needs MariaDB 10.10 or MySQL 8.0.17"
    ))
}

#[cfg(feature = "tls")]
fn not_encrypted(target: &str, cause: &dyn std::error::Error) -> String {
    format!(
        "no encrypted connection to `{target}` ({cause}): check `ssl_ca` and the name in the \
         server's certificate"
    )
}

fn refused(config: &Config, error: &ServerError) -> Error {
    let target = config.target();
    let user = config.user.as_deref().unwrap_or("");
    let (kind, _) = kind_from_mysql(error.code);
    let (kind, message) = match error.code {
        1045 | 1698 => (
            ErrorKind::Auth,
            format!(
                "`{target}` refused the user `{user}`: check user and password, percent-encoded, in the URL"
            ),
        ),
        1044 => (
            ErrorKind::Auth,
            format!("`{target}`: the user `{user}` may not use this database: grant it"),
        ),
        1049 => (
            ErrorKind::Auth,
            format!("`{target}`: the database does not exist: create it, or check the URL"),
        ),
        1040 | 1203 | 1226 => (
            ErrorKind::Resource,
            format!("`{target}` has no free connection: lower `max_connections`, or raise its own"),
        ),
        1129 | 1130 => (
            ErrorKind::Auth,
            format!("`{target}` does not accept connections from this host"),
        ),
        // It does not understand how a connection is set up.
        1064 | 1193 | 1273 => return too_old(config),
        _ => (
            match kind {
                ErrorKind::Operational => ErrorKind::ConnectionLost,
                kind => kind,
            },
            format!("`{target}`: {}", error.message),
        ),
    };
    Error::database(kind, DatabaseError::new(message).with_code(error.code))
}

/// The connection is of no more use.
pub(crate) fn closed(message: &str) -> Error {
    Error::database(ErrorKind::ConnectionLost, DatabaseError::new(message))
}

/// An error that was found here, not by the server.
pub(crate) fn refuse(kind: ErrorKind, message: impl Into<String>, sql: &Arc<str>) -> Error {
    Error::database(kind, DatabaseError::new(message).with_sql(Arc::clone(sql)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(code: u16, message: &str) -> Error {
        let error = ServerError {
            code,
            message: message.to_owned(),
            state: "HY000".to_owned(),
        };
        classify(Native::Server(error), None, true)
    }

    fn broken(code: u16, message: &str) -> IntegrityError {
        failed(code, message)
            .constraint()
            .expect("integrity")
            .clone()
    }

    #[test]
    fn messages_name_table_columns_and_constraint() {
        let error = broken(
            1062,
            "Duplicate entry 'it's for key 'x'' for key 'user.uq_name'",
        );
        assert_eq!(error.kind(), ConstraintKind::Unique);
        assert_eq!(
            (error.table(), error.constraint()),
            (Some("user"), Some("uq_name"))
        );
        let error = broken(1062, "Duplicate entry 'x' for key 'uq_name'");
        assert_eq!((error.table(), error.constraint()), (None, Some("uq_name")));
        let error = broken(1048, "Column 'title' cannot be null");
        assert_eq!(error.columns().collect::<Vec<_>>(), ["title"]);
        let error = broken(1364, "Field 'title' doesn't have a default value");
        assert_eq!(error.columns().collect::<Vec<_>>(), ["title"]);
        let error = broken(3819, "Check constraint 'positive' is violated.");
        assert_eq!(error.constraint(), Some("positive"));
        let error = broken(4025, "CONSTRAINT `positive` failed for `db`.`post`");
        assert_eq!(
            (error.table(), error.constraint()),
            (Some("post"), Some("positive"))
        );
        let text = "Cannot add or update a child row: a foreign key constraint fails (`db`.`post`, \
                    CONSTRAINT `fk_post` FOREIGN KEY (`author_id`) REFERENCES `user` (`id`))";
        let error = broken(1452, text);
        assert_eq!(
            (error.table(), error.constraint()),
            (Some("post"), Some("fk_post"))
        );
        assert_eq!(error.columns().collect::<Vec<_>>(), ["author_id"]);
    }

    #[test]
    fn values_are_in_no_message() {
        for (code, message) in [
            (1062, "Duplicate entry 'canary' for key 't.k'"),
            (1062, "Duplicate entry 'canary"),
            (
                1366,
                "Incorrect integer value: 'canary' for column `d`.`t`.`n` at row 1",
            ),
            (
                1292,
                "Incorrect datetime value: 'canary' for column 'at' at row 1",
            ),
            (1292, "Truncated incorrect DOUBLE value: 'canary'"),
            (1690, "BIGINT value is out of range in '(canary + 1)'"),
        ] {
            let error = failed(code, message);
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("canary"), "{shown}");
        }
        let kept = failed(
            1366,
            "Incorrect integer value: 'x' for column `d`.`t`.`n` at row 1",
        );
        assert!(kept.to_string().contains("`n`"), "{kept}");
    }

    #[test]
    fn a_lost_connection_leaves_writes_in_doubt() {
        let gone = || Native::Io(IoError::Io(io::ErrorKind::BrokenPipe.into()));
        let unknown = |writes| {
            let error = classify(gone(), None, writes);
            assert_eq!(error.kind(), ErrorKind::ConnectionLost);
            error
                .as_database()
                .is_some_and(DatabaseError::outcome_unknown)
        };
        assert!(unknown(true) && !unknown(false));
        assert!(is_fatal(&gone()));
    }

    #[test]
    fn waits_are_told_apart() {
        assert!(matches!(
            failed(1205, ""),
            Error::Timeout(TimeoutKind::Lock, _)
        ));
        assert!(matches!(
            failed(3024, ""),
            Error::Timeout(TimeoutKind::Statement, _)
        ));
        assert_eq!(failed(1213, "").kind(), ErrorKind::Serialization);
    }
}
