//! SQLite's reports as errors of the ORM, sorted by the extended result code.

use crate::ffi::Failure;
use orm_core::error::{
    ConstraintKind, DatabaseError, Error, ErrorKind, IntegrityError, TimeoutKind, kind_from_sqlite,
};
use std::sync::Arc;

const BUSY: i32 = 5;
const IO: i32 = 10;
const CORRUPT: i32 = 11;
const CHECK: i32 = 275;
const NOT_A_DATABASE: i32 = 26;

/// A trigger refused the statement. SQLite runs ON DELETE RESTRICT as a trigger of its own, which
/// only its fixed text tells from one that a user wrote ("SQLITE_CONSTRAINT_TRIGGER", fkey.c).
const TRIGGER: i32 = 1811;

/// The checks of `Dialect::column_check`, which stand for types that other databases have: what
/// they refuse is a value that does not fit, and not a rule of the model. SQLite tells which check
/// failed by its name only.
const TYPE_CHECKS: [&str; 3] = ["fd_is_boolean", "fd_fits_16_bits", "fd_fits_32_bits"];

fn is_type_check(failure: &Failure) -> bool {
    let name = failure.message.strip_prefix("CHECK constraint failed: ");
    failure.code == CHECK && name.is_some_and(|name| TYPE_CHECKS.contains(&name))
}

/// Whether another connection holds the lock that was asked for.
pub(crate) fn is_busy(code: i32) -> bool {
    code & 0xff == BUSY
}

/// Whether the connection must not be used after this.
pub(crate) fn is_fatal(code: i32) -> bool {
    matches!(code & 0xff, IO | CORRUPT | NOT_A_DATABASE)
}

/// The error of a statement. `in_transaction`: it ran inside one that was open before.
pub(crate) fn classify(failure: Failure, sql: Option<&Arc<str>>, in_transaction: bool) -> Error {
    let (kind, mut constraint) = kind_from_sqlite(failure.code);
    if failure.code == TRIGGER && failure.message.contains("FOREIGN KEY constraint failed") {
        constraint = Some(ConstraintKind::ForeignKey);
    }
    let does_not_fit = is_type_check(&failure);
    let mut report = DatabaseError::new(failure.message).with_code(failure.code);
    if let Some(sql) = sql {
        report = report.with_sql(Arc::clone(sql));
    }
    match constraint {
        _ if does_not_fit => Error::database(ErrorKind::Data, report),
        Some(kind) => integrity(kind, report).into(),
        None if is_busy(failure.code) && !in_transaction => {
            Error::Timeout(TimeoutKind::Lock, Box::new(report))
        }
        None => Error::database(kind, report),
    }
}

/// An error that was found here, not by SQLite.
pub(crate) fn refused(kind: ErrorKind, message: impl Into<String>, sql: &Arc<str>) -> Error {
    Error::database(kind, DatabaseError::new(message).with_sql(Arc::clone(sql)))
}

/// Adds what the message tells: SQLite names table, columns and constraint nowhere else.
fn integrity(kind: ConstraintKind, report: DatabaseError) -> IntegrityError {
    let message = report.message().to_owned();
    let error = IntegrityError::from_database(kind, report);
    let Some((what, detail)) = message.split_once(" constraint failed: ") else {
        return error;
    };
    match what {
        "CHECK" => error.with_constraint(detail),
        "UNIQUE" if detail.starts_with("index '") => {
            let name = detail.trim_start_matches("index '").trim_end_matches('\'');
            error.with_constraint(name)
        }
        "UNIQUE" | "NOT NULL" => {
            let pairs = || detail.split(", ").filter_map(|pair| pair.split_once('.'));
            match pairs().next() {
                None => error,
                Some((table, _)) => error
                    .with_table(table)
                    .with_columns(pairs().map(|(_, column)| column)),
            }
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(code: i32, message: &str) -> Error {
        let message = message.to_owned();
        classify(Failure { code, message }, None, false)
    }

    #[test]
    fn messages_name_table_columns_and_constraint() {
        let error = failed(2067, "UNIQUE constraint failed: post.author_id, post.slug");
        let broken = error.constraint().expect("integrity");
        assert_eq!(broken.kind(), ConstraintKind::Unique);
        assert_eq!(broken.table(), Some("post"));
        assert_eq!(broken.columns().collect::<Vec<_>>(), ["author_id", "slug"]);

        let error = failed(1299, "NOT NULL constraint failed: post.title");
        let broken = error.constraint().expect("integrity");
        assert_eq!(broken.kind(), ConstraintKind::NotNull);
        assert_eq!(broken.columns().collect::<Vec<_>>(), ["title"]);

        let error = failed(275, "CHECK constraint failed: views_not_negative");
        let broken = error.constraint().expect("integrity");
        assert_eq!(broken.constraint(), Some("views_not_negative"));

        let error = failed(2067, "UNIQUE constraint failed: index 'lower_name'");
        let broken = error.constraint().expect("integrity");
        assert_eq!(broken.constraint(), Some("lower_name"));
        assert_eq!(broken.table(), None);
    }

    #[test]
    fn busy_is_a_timeout_outside_and_a_conflict_inside_a_transaction() {
        let busy = || Failure {
            code: 5,
            message: "database is locked".to_owned(),
        };
        let outside = classify(busy(), None, false);
        assert!(matches!(outside, Error::Timeout(TimeoutKind::Lock, _)));
        assert_eq!(
            classify(busy(), None, true).kind(),
            ErrorKind::Serialization
        );
    }

    #[test]
    fn fatal_codes_are_found_in_extended_ones() {
        assert!(is_fatal(26) && is_fatal(11) && is_fatal(10 | (3 << 8)));
        assert!(!is_fatal(5) && !is_fatal(2067) && !is_fatal(13));
    }
}
