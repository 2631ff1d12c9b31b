//! Errors that are reported as something else.

use async_trait::async_trait;
use orm_core::backend::{Done, Sink, Statement, TransactionManager};
use orm_core::error::{ConstraintKind, DatabaseError, Error, ErrorKind, IntegrityError, Result};
use orm_testkit::layer::Layer;
use std::fmt;

/// Reports another error.
pub(crate) struct Reports(pub(crate) fn(Error, &Statement) -> Error);

impl fmt::Debug for Reports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reports")
    }
}

#[async_trait]
impl Layer for Reports {
    async fn run(
        &self,
        session: &mut dyn TransactionManager,
        statement: &Statement,
        sink: &mut Sink,
    ) -> Result<Done> {
        let result = session.run(statement, sink).await;
        result.map_err(|error| (self.0)(error, statement))
    }
}

fn kind(error: &Error) -> Option<ConstraintKind> {
    error.constraint().map(IntegrityError::kind)
}

fn report(error: &Error) -> DatabaseError {
    let report = error.as_database().cloned();
    report.unwrap_or_else(|| DatabaseError::new(error.to_string()))
}

pub(crate) fn unique_is_operational(error: Error, _: &Statement) -> Error {
    match kind(&error) {
        Some(ConstraintKind::Unique) => Error::database(ErrorKind::Operational, report(&error)),
        _ => error,
    }
}

pub(crate) fn foreign_key_is_unique(error: Error, _: &Statement) -> Error {
    match kind(&error) {
        Some(ConstraintKind::ForeignKey) => {
            IntegrityError::from_database(ConstraintKind::Unique, report(&error)).into()
        }
        _ => error,
    }
}

pub(crate) fn not_null_is_check(error: Error, _: &Statement) -> Error {
    match kind(&error) {
        Some(ConstraintKind::NotNull) => {
            IntegrityError::from_database(ConstraintKind::Check, report(&error)).into()
        }
        _ => error,
    }
}

pub(crate) fn no_detail(error: Error, _: &Statement) -> Error {
    match kind(&error) {
        Some(kind) => IntegrityError::from_database(kind, report(&error)).into(),
        None => error,
    }
}

pub(crate) fn statement_is_lost_connection(error: Error, _: &Statement) -> Error {
    match error.kind() {
        ErrorKind::Statement => Error::database(ErrorKind::ConnectionLost, report(&error)),
        _ => error,
    }
}

pub(crate) fn read_only_is_operational(error: Error, _: &Statement) -> Error {
    match error.kind() {
        ErrorKind::ReadOnly => Error::database(ErrorKind::Operational, report(&error)),
        _ => error,
    }
}

pub(crate) fn values_are_shown(error: Error, statement: &Statement) -> Error {
    let Some(kind) = kind(&error) else {
        return error;
    };
    let values = statement.values.iter().filter_map(|value| match value {
        orm_core::value::Value::Text(text) => Some(text.as_str()),
        _ => None,
    });
    let shown: Vec<&str> = values.collect();
    let columns: Vec<String> = error.constraint().map_or_else(Vec::new, |broken| {
        broken.columns().map(str::to_owned).collect()
    });
    let message = format!("{error} in {}", shown.join(", "));
    let broken = IntegrityError::from_database(
        kind,
        DatabaseError::new(message).with_sql(statement.text.sql().clone()),
    );
    broken
        .with_constraint(shown.join(", "))
        .with_columns(columns)
        .into()
}

pub(crate) fn no_statement(error: Error, _: &Statement) -> Error {
    match error.kind() {
        ErrorKind::Statement => {
            Error::database(ErrorKind::Statement, DatabaseError::new(error.to_string()))
        }
        _ => error,
    }
}
