//! What a libSQL server reports, as errors of the ORM.
//!
//! The client library hides the parts of a report in the text of its errors, so they are taken out
//! of that text again; the server in turn gives SQLite's primary result code only, and the rest is
//! in SQLite's message.

use super::config::Config;
use super::wait::Fault;
use crate::error::classify;
use crate::ffi::Failure;
use orm_core::backend::Intent;
use orm_core::error::{DatabaseError, Error, ErrorKind, TimeoutKind};
use std::sync::Arc;

/// What went wrong, and with it what the server still knows of this connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// The statement was refused; the stream is as it was.
    Statement { code: String, message: String },
    /// The stream is gone: nothing was run.
    Expired,
    /// The server has rolled the transaction back.
    RolledBack(String),
    /// The server refused the request.
    Status { status: u16, body: String },
    /// No connection could be made, so nothing was sent.
    Unreachable(String),
    /// The connection broke, or the answer did not come, or could not be read.
    Lost(String),
    /// The client library does not send this statement.
    NotSent(String),
}

impl Report {
    pub(super) fn of(fault: &Fault) -> Report {
        let error = match fault {
            Fault::Silent(limit) => return Report::Lost(format!("no answer within {limit:?}")),
            Fault::Unreadable => return Report::Lost("the answer cannot be read".to_owned()),
            Fault::Said(error) => error,
        };
        match error {
            libsql::Error::Hrana(inner) => Report::from_text(&inner.to_string()),
            libsql::Error::Sqlite3SyntaxError(_, _, near) => {
                Report::NotSent(format!("near \"{near}\": syntax error"))
            }
            libsql::Error::Sqlite3UnsupportedStatement => {
                Report::NotSent("the remote client does not send this kind of statement".to_owned())
            }
            libsql::Error::Sqlite3ParserError(_) => Report::NotSent(error.to_string()),
            other => Report::Lost(other.to_string()),
        }
    }

    fn from_text(text: &str) -> Report {
        if let Some(rest) = within(text, "stream error: `Error { message: ") {
            if let Some((message, rest)) = quoted(rest)
                && let Some((code, _)) = rest.strip_prefix(", code: ").and_then(quoted)
            {
                return Report::refused(&code, &message);
            }
        } else if let Some(rest) = within(text, "cursor error: `error at step ") {
            if let Some((_, rest)) = rest.split_once(": (error code: ")
                && let Some((code, rest)) = rest.split_once(") `")
                && let Some(message) = rest.strip_suffix('`')
            {
                return Report::refused(code, message);
            }
        } else if let Some(rest) = within(text, "api error: `") {
            let Some(rest) = rest.strip_prefix("status=") else {
                return Report::refused("", rest);
            };
            let (status, body) = rest.split_once(", body=").unwrap_or((rest, ""));
            let status = status.get(..3).and_then(|digits| digits.parse().ok());
            return Report::status(status.unwrap_or(0), body);
        } else if let Some(rest) = within(text, "http error: `")
            && rest.contains("error trying to connect")
        {
            return Report::Unreachable(rest.to_owned());
        }
        Report::Lost(text.to_owned())
    }

    fn status(status: u16, body: &str) -> Report {
        let names = |codes: &[&str]| codes.iter().any(|code| body.contains(code));
        let gone = [
            "STREAM_EXPIRED",
            "BATON",
            "stream expired",
            "stream has expired",
        ];
        if status == 400 && (names(&gone) || body.to_ascii_lowercase().contains("baton")) {
            return Report::Expired;
        }
        let body = body.chars().take(300).collect();
        Report::Status { status, body }
    }

    fn refused(code: &str, message: &str) -> Report {
        match code {
            "STREAM_EXPIRED" => Report::Expired,
            "TRANSACTION_TIMEOUT" | "TRANSACTION_BUSY" => Report::RolledBack(message.to_owned()),
            _ => Report::Statement {
                code: code.to_owned(),
                message: message.to_owned(),
            },
        }
    }

    /// Whether another connection held the lock.
    pub(super) fn is_busy(&self) -> bool {
        match self {
            Report::Statement { code, message } => result_code(code, plain(message)) & 0xff == 5,
            _ => false,
        }
    }

    /// Whether the server still has what this connection left there.
    pub(super) fn keeps_stream(&self) -> bool {
        matches!(self, Report::Statement { .. } | Report::NotSent(_))
    }

    /// The error for the caller.
    pub(super) fn into_error(self, failed: &Failed<'_>) -> Error {
        let target = &failed.config.target;
        let lost = |message: String| failed.lost(message);
        match self {
            Report::Statement { code, message } => {
                let message = plain(&message);
                let code = result_code(&code, message);
                let message = failed.clean(message);
                classify(Failure { code, message }, failed.sql, failed.in_transaction)
            }
            Report::NotSent(message) => failed.error(ErrorKind::Statement, failed.clean(&message)),
            Report::Expired => failed.error(
                ErrorKind::ConnectionLost,
                format!(
                    "{target} has ended the stream of this connection, which was idle for too \
                     long; what its transaction did is undone"
                ),
            ),
            Report::RolledBack(message) => failed.error(
                ErrorKind::Serialization,
                format!(
                    "{target} has rolled the transaction back, since it kept others waiting ({})",
                    failed.clean(&message)
                ),
            ),
            Report::Unreachable(message) => failed.error(
                ErrorKind::ConnectionLost,
                format!(
                    "cannot reach {target}: check the host and the port, and that the server \
                     runs; `libsql:` means TLS, `libsql+http:` none ({})",
                    failed.clean(&message)
                ),
            ),
            Report::Lost(message) => lost(format!(
                "the connection to {target} was lost: {}",
                failed.clean(&message)
            )),
            Report::Status { status, body } => {
                let body = failed.clean(&body);
                match status {
                    401 | 403 => failed.error(
                        ErrorKind::Auth,
                        format!("{target} refuses the `authToken` of the URL: make a new one (status {status}: {body})"),
                    ),
                    404 => failed.error(
                        ErrorKind::Auth,
                        format!("{target} has no such database: check the host and the `namespace` (status {status}: {body})"),
                    ),
                    413 | 429 => failed.error(
                        ErrorKind::Resource,
                        format!("{target} refuses so much (status {status}: {body})"),
                    ),
                    500.. => lost(format!("{target} failed (status {status}: {body})")),
                    _ => failed.error(
                        ErrorKind::Operational,
                        format!("{target} refused the request (status {status}: {body})"),
                    ),
                }
            }
        }
    }
}

/// What failed.
pub(super) struct Failed<'a> {
    pub(super) config: &'a Config,
    pub(super) sql: Option<&'a Arc<str>>,
    pub(super) intent: Intent,
    /// Inside a transaction that was open before.
    pub(super) in_transaction: bool,
}

impl Failed<'_> {
    fn report(&self, message: String) -> DatabaseError {
        let report = DatabaseError::new(message);
        match self.sql {
            Some(sql) => report.with_sql(Arc::clone(sql)),
            None => report,
        }
    }

    fn error(&self, kind: ErrorKind, message: String) -> Error {
        Error::database(kind, self.report(message))
    }

    /// No answer came. A write may have taken effect, unless it dies with its transaction.
    fn lost(&self, message: String) -> Error {
        let mut report = self.report(message);
        if self.intent == Intent::Write && !self.in_transaction {
            report = report.with_outcome_unknown();
        }
        Error::database(ErrorKind::ConnectionLost, report)
    }

    /// A text of the server, without the token that it may have repeated.
    fn clean(&self, text: &str) -> String {
        match self.config.token.as_str() {
            "" => text.to_owned(),
            token => text.replace(token, "***"),
        }
    }
}

/// Another connection held the lock all the time.
pub(super) fn locked(failed: &Failed<'_>) -> Error {
    let message = format!(
        "another connection kept {} locked for longer than the busy_timeout of {:?}",
        failed.config.target, failed.config.busy_timeout
    );
    let report = failed.report(message).with_code(5);
    Error::Timeout(TimeoutKind::Lock, Box::new(report))
}

/// The text between a beginning and the closing backtick.
fn within<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    text.strip_prefix(start)?.strip_suffix('`')
}

/// A text that `Debug` has put in quotes, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.strip_prefix('"')?.chars();
    loop {
        match chars.next()? {
            '"' => return Some((out, chars.as_str())),
            '\\' => match chars.next()? {
                'n' => out.push('\n'),
                'r' => out.push('\r'),
                't' => out.push('\t'),
                '0' => out.push('\0'),
                'u' => {
                    let (digits, rest) = chars.as_str().strip_prefix('{')?.split_once('}')?;
                    let code = u32::from_str_radix(digits, 16).ok()?;
                    out.push(char::from_u32(code)?);
                    chars = rest.chars();
                }
                other => out.push(other),
            },
            other => out.push(other),
        }
    }
}

/// SQLite's own words.
fn plain(message: &str) -> &str {
    let starts = ["SQLite error: ", "SQLite input error: "];
    let rest = starts.iter().find_map(|start| message.strip_prefix(start));
    rest.unwrap_or(message)
}

/// The extended result code that SQLite had for this message.
fn result_code(code: &str, message: &str) -> i32 {
    const MESSAGES: [(&str, i32); 8] = [
        ("UNIQUE constraint failed", 2067),
        ("NOT NULL constraint failed", 1299),
        ("CHECK constraint failed", 275),
        ("FOREIGN KEY constraint failed", 787),
        ("cannot store ", 3091),
        ("datatype mismatch", 20),
        ("database is locked", 5),
        ("attempt to write a readonly database", 8),
    ];
    const CODES: [(&str, i32); 15] = [
        ("SQLITE_CONSTRAINT", 19),
        ("SQLITE_BUSY", 5),
        ("SQLITE_LOCKED", 6),
        ("SQLITE_NOMEM", 7),
        ("SQLITE_READONLY", 8),
        ("SQLITE_INTERRUPT", 9),
        ("SQLITE_IOERR", 10),
        ("SQLITE_CORRUPT", 11),
        ("SQLITE_FULL", 13),
        ("SQLITE_CANTOPEN", 14),
        ("SQLITE_TOOBIG", 18),
        ("SQLITE_MISMATCH", 20),
        ("SQLITE_AUTH", 23),
        ("SQLITE_RANGE", 25),
        ("SQLITE_NOTADB", 26),
    ];
    let by_message = MESSAGES
        .iter()
        .find(|(start, _)| message.starts_with(start));
    let found = by_message.or_else(|| CODES.iter().find(|(start, _)| code.starts_with(start)));
    found.map_or(1, |(_, code)| *code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: &str, message: &str) -> Report {
        Report::Statement {
            code: code.to_owned(),
            message: message.to_owned(),
        }
    }

    #[test]
    fn reports_are_taken_out_of_the_texts_of_the_client() {
        let message = "SQLite error: UNIQUE constraint failed: t.a";
        let pipeline = format!(
            "stream error: `Error {{ message: {message:?}, code: \"SQLITE_CONSTRAINT\" }}`"
        );
        let cursor =
            format!("cursor error: `error at step 0: (error code: SQLITE_CONSTRAINT) `{message}``");
        for text in [pipeline, cursor] {
            assert_eq!(
                Report::from_text(&text),
                refused("SQLITE_CONSTRAINT", message)
            );
        }
        let odd = "no such column: `a\"b\\c\u{1b}`";
        let text = format!("stream error: `Error {{ message: {odd:?}, code: \"X\" }}`");
        assert_eq!(Report::from_text(&text), refused("X", odd));
        let text = format!("api error: `{message}`");
        assert_eq!(Report::from_text(&text), refused("", message));
    }

    #[test]
    fn ends_of_streams_and_connections_are_told_apart() {
        let expired = "api error: `status=400 Bad Request, body={\"error\":\"The stream has \
                       expired due to inactivity\",\"code\":\"STREAM_EXPIRED\"}`";
        assert_eq!(Report::from_text(expired), Report::Expired);
        let unknown = "api error: `status=400 Bad Request, body=Received an invalid baton`";
        assert_eq!(Report::from_text(unknown), Report::Expired);
        let denied = "api error: `status=401 Unauthorized, body=no`";
        let denied = Report::from_text(denied);
        assert!(matches!(denied, Report::Status { status: 401, .. }));
        let refused = "http error: `error trying to connect: tcp connect error`";
        assert!(matches!(Report::from_text(refused), Report::Unreachable(_)));
        for text in [
            "http error: `connection closed`",
            "stream error: `Error {",
            "",
            "json error: `x`",
        ] {
            assert!(matches!(Report::from_text(text), Report::Lost(_)), "{text}");
        }
    }

    #[test]
    fn messages_give_the_codes_that_the_server_leaves_out() {
        for (code, message, wanted) in [
            (
                "SQLITE_CONSTRAINT",
                "SQLite error: NOT NULL constraint failed: t.a",
                1299,
            ),
            (
                "SQLITE_CONSTRAINT",
                "SQLite error: FOREIGN KEY constraint failed",
                787,
            ),
            ("SQLITE_CONSTRAINT", "SQLite error: my own rule", 19),
            (
                "SQLITE_CONSTRAINT",
                "SQLite error: cannot store TEXT value in INTEGER column t.a",
                3091,
            ),
            ("", "SQLite error: database is locked", 5),
            ("SQLITE_BUSY", "SQLite error: busy", 5),
            (
                "SQLITE_ERROR",
                "SQLite error: no such table: UNIQUE constraint failed",
                1,
            ),
        ] {
            assert_eq!(result_code(code, plain(message)), wanted, "{message}");
        }
    }
}
