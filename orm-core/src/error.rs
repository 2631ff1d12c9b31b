//! The one error type of the ORM: a small enum of named payloads, with questions to ask of it.

mod classify;
mod constraint;
mod database;
mod lookup;
mod validation;

pub use classify::kind_from_mysql;
pub use classify::kind_from_sqlite;
pub use classify::kind_from_sqlstate;
pub use constraint::ConstraintKind;
pub use constraint::IntegrityError;
pub use database::DatabaseError;
pub use database::TimeoutKind;
pub use lookup::DoesNotExist;
pub use lookup::FieldError;
pub use lookup::MultipleObjectsReturned;
pub use lookup::NotLoaded;
pub use lookup::nearest_names;
pub use validation::DataError;
pub use validation::FieldIssue;
pub use validation::ValidationError;

use std::fmt;

/// Result of every fallible call of the ORM.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Anything that can go wrong, sorted by what the caller can do about it.
///
/// Match on the variant (or on [`Error::kind`]) and never on the text. Payloads are boxed, so the
/// type stays at two words. Values of bound parameters, passwords and URLs are in no message.
///
/// `Debug` is the kind and the message, with the statement if there is one: it is what a `main`
/// that returns an error prints.
#[derive(Clone)]
#[non_exhaustive]
pub enum Error {
    /// `get` matched no row, or an instance's row is gone.
    DoesNotExist(Box<DoesNotExist>),
    /// `get` matched more than one row.
    MultipleObjectsReturned(Box<MultipleObjectsReturned>),
    /// The database refused a write that breaks a constraint.
    Integrity(Box<IntegrityError>),
    /// Values that the model does not allow; found before any SQL was sent. Lists every bad field.
    Validation(Box<ValidationError>),
    /// A field, relation or lookup name given at run time does not exist.
    Field(Box<FieldError>),
    /// A relation was read that no query has loaded.
    NotLoaded(Box<NotLoaded>),
    /// An instance without a key was used where a saved one is needed. Carries the model's name.
    Unsaved(&'static str),
    /// A transaction was used in a way that its state does not allow.
    Transaction(TransactionError),
    /// The answer to COMMIT was lost: the transaction may or may not be stored.
    CommitOutcomeUnknown(Box<DatabaseError>),
    /// Wrong configuration: URL, models, connection names, metadata.
    Configuration(Box<str>),
    /// A stored value does not fit the field that reads it.
    Data(Box<DataError>),
    /// The backend lacks a capability that the call needs; nothing was sent. Names the capability.
    Unsupported(&'static str),
    /// Serialization failure or deadlock: the whole transaction may be retried.
    Serialization(Box<DatabaseError>),
    /// A wait ran into its deadline.
    Timeout(TimeoutKind, Box<DatabaseError>),
    /// The connection was lost, could not be made, or had to be closed.
    ConnectionLost(Box<DatabaseError>),
    /// A write was sent to something that only reads.
    ReadOnly(Box<DatabaseError>),
    /// The database does not accept the statement: syntax, missing table or column.
    Statement(Box<DatabaseError>),
    /// Disk, memory, size or count limits of the database.
    Resource(Box<DatabaseError>),
    /// Wrong credentials, missing database, a file that is not one.
    Auth(Box<DatabaseError>),
    /// Everything else that the database reports.
    Operational(Box<DatabaseError>),
}

/// What kind of error an [`Error`] is, without its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(
    missing_docs,
    reason = "each name is documented on the variant of `Error` it stands for"
)]
pub enum ErrorKind {
    DoesNotExist,
    MultipleObjectsReturned,
    Integrity,
    Validation,
    Field,
    NotLoaded,
    Unsaved,
    Transaction,
    CommitOutcomeUnknown,
    Configuration,
    Data,
    Unsupported,
    Serialization,
    Timeout,
    ConnectionLost,
    ReadOnly,
    Statement,
    Resource,
    Auth,
    Operational,
}

/// Why a transaction refused to be used. Nothing was sent to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransactionError {
    /// The handle was used after commit or rollback.
    Finished,
    /// A statement of this block failed: only its end (rollback) is possible.
    Aborted,
    /// The outer handle was used while a nested block is open in the same task.
    Suspended,
    /// The query would wait for a guard of its own task to end, since that guard has the only
    /// connection.
    HeldByOwnGuard,
    /// The call needs an open transaction and there is none.
    Missing,
}

impl Error {
    /// A wrong configuration; `message` says what to do.
    pub fn configuration(message: impl Into<String>) -> Self {
        Error::Configuration(message.into().into_boxed_str())
    }

    /// One bad field. Several are collected with [`ValidationError::push`].
    pub fn validation(field: impl Into<String>, message: impl Into<String>) -> Self {
        Error::Validation(Box::new(ValidationError::one(field, message)))
    }

    /// An error of the database, of the kind that its code stands for.
    pub fn database(kind: ErrorKind, error: DatabaseError) -> Self {
        let error = Box::new(error);
        match kind {
            ErrorKind::Integrity => Error::Integrity(Box::new(IntegrityError::from_database(
                ConstraintKind::Other,
                *error,
            ))),
            ErrorKind::Serialization => Error::Serialization(error),
            ErrorKind::Timeout => Error::Timeout(TimeoutKind::Statement, error),
            ErrorKind::ConnectionLost => Error::ConnectionLost(error),
            ErrorKind::CommitOutcomeUnknown => Error::CommitOutcomeUnknown(error),
            ErrorKind::ReadOnly => Error::ReadOnly(error),
            ErrorKind::Statement => Error::Statement(error),
            ErrorKind::Resource => Error::Resource(error),
            ErrorKind::Auth => Error::Auth(error),
            ErrorKind::Data => Error::Data(Box::new(DataError::from_database(*error))),
            _ => Error::Operational(error),
        }
    }

    /// The kind, for `match` without payloads.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// use fast_django::orm::ErrorKind;
    ///
    /// let error = User::get(kw!(id = 4711)).await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::DoesNotExist);
    /// # Ok(()) }) }
    /// ```
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::DoesNotExist(_) => ErrorKind::DoesNotExist,
            Error::MultipleObjectsReturned(_) => ErrorKind::MultipleObjectsReturned,
            Error::Integrity(_) => ErrorKind::Integrity,
            Error::Validation(_) => ErrorKind::Validation,
            Error::Field(_) => ErrorKind::Field,
            Error::NotLoaded(_) => ErrorKind::NotLoaded,
            Error::Unsaved(_) => ErrorKind::Unsaved,
            Error::Transaction(_) => ErrorKind::Transaction,
            Error::CommitOutcomeUnknown(_) => ErrorKind::CommitOutcomeUnknown,
            Error::Configuration(_) => ErrorKind::Configuration,
            Error::Data(_) => ErrorKind::Data,
            Error::Unsupported(_) => ErrorKind::Unsupported,
            Error::Serialization(_) => ErrorKind::Serialization,
            Error::Timeout(..) => ErrorKind::Timeout,
            Error::ConnectionLost(_) => ErrorKind::ConnectionLost,
            Error::ReadOnly(_) => ErrorKind::ReadOnly,
            Error::Statement(_) => ErrorKind::Statement,
            Error::Resource(_) => ErrorKind::Resource,
            Error::Auth(_) => ErrorKind::Auth,
            Error::Operational(_) => ErrorKind::Operational,
        }
    }

    /// `get` found nothing, or the row of an instance is gone.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let found = User::get(kw!(username = "nobody")).await;
    /// assert!(found.unwrap_err().is_does_not_exist());
    /// # Ok(()) }) }
    /// ```
    pub fn is_does_not_exist(&self) -> bool {
        matches!(self, Error::DoesNotExist(_))
    }

    /// A unique constraint or primary key refused the write.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let again = User::create(kw!(username = "ann")).await;
    /// assert!(again.unwrap_err().is_unique_violation());
    /// # Ok(()) }) }
    /// ```
    pub fn is_unique_violation(&self) -> bool {
        self.constraint()
            .is_some_and(|c| c.kind() == ConstraintKind::Unique)
    }

    /// Running the *whole transaction* again may succeed: serialization failure, deadlock, busy.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Error::Serialization(_))
    }

    /// The broken constraint, when the database refused a write.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let error = Post::create(kw!(title = "x", author_id = 4711)).await.unwrap_err();
    /// let kind = error.constraint().map(|constraint| constraint.kind());
    /// assert_eq!(kind, Some(fast_django::orm::error::ConstraintKind::ForeignKey));
    /// # Ok(()) }) }
    /// ```
    pub fn constraint(&self) -> Option<&IntegrityError> {
        match self {
            Error::Integrity(error) => Some(error),
            _ => None,
        }
    }

    /// Adds the statement that failed to the database's report, unless it has one.
    pub(crate) fn or_sql(mut self, sql: &str) -> Self {
        let report = match &mut self {
            Error::Integrity(error) => error.database_mut(),
            Error::Data(error) => error.database_mut(),
            Error::CommitOutcomeUnknown(error)
            | Error::Serialization(error)
            | Error::Timeout(_, error)
            | Error::ConnectionLost(error)
            | Error::ReadOnly(error)
            | Error::Statement(error)
            | Error::Resource(error)
            | Error::Auth(error)
            | Error::Operational(error) => Some(&mut **error),
            _ => None,
        };
        if let Some(report) = report
            && report.sql().is_none()
        {
            *report = report.clone().with_sql(sql.into());
        }
        self
    }

    /// The database's own report: code, message, native error.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let connection = Tortoise::get_connection("default")?;
    /// let error = connection.execute_query("SELECT nothing", vec![]).await.unwrap_err();
    /// assert!(error.as_database().is_some_and(|report| report.message().contains("nothing")));
    /// # Ok(()) }) }
    /// ```
    pub fn as_database(&self) -> Option<&DatabaseError> {
        match self {
            Error::Integrity(error) => error.database(),
            Error::Data(error) => error.database(),
            Error::CommitOutcomeUnknown(error)
            | Error::Serialization(error)
            | Error::Timeout(_, error)
            | Error::ConnectionLost(error)
            | Error::ReadOnly(error)
            | Error::Statement(error)
            | Error::Resource(error)
            | Error::Auth(error)
            | Error::Operational(error) => Some(error),
            _ => None,
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.kind())?;
        match self.as_database().and_then(DatabaseError::sql) {
            Some(sql) => write!(f, " [{sql}]"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::DoesNotExist(error) => error.fmt(f),
            Error::MultipleObjectsReturned(error) => error.fmt(f),
            Error::Integrity(error) => error.fmt(f),
            Error::Validation(error) => error.fmt(f),
            Error::Field(error) => error.fmt(f),
            Error::NotLoaded(error) => error.fmt(f),
            Error::Unsaved(model) => write!(
                f,
                "this {model} is not saved yet: call `save()` (or `create`) before using its key or relations"
            ),
            Error::Transaction(error) => error.fmt(f),
            Error::CommitOutcomeUnknown(error) => {
                write!(
                    f,
                    "the answer to COMMIT was lost, so the transaction may or may not be stored: {error}"
                )
            }
            Error::Configuration(message) => f.write_str(message),
            Error::Data(error) => error.fmt(f),
            Error::Unsupported(capability) => {
                write!(
                    f,
                    "this database does not support `{capability}`; nothing was sent"
                )
            }
            Error::Serialization(error) => write!(
                f,
                "conflict with another transaction, retry the whole: {error}"
            ),
            Error::Timeout(kind, error) => write!(f, "{kind} timed out: {error}"),
            Error::ConnectionLost(error) => write!(f, "no connection to the database: {error}"),
            Error::ReadOnly(error) => write!(f, "the database is read-only: {error}"),
            Error::Statement(error) => write!(f, "the database rejected the statement: {error}"),
            Error::Resource(error) => write!(f, "a limit of the database was reached: {error}"),
            Error::Auth(error) => write!(f, "the database cannot be opened: {error}"),
            Error::Operational(error) => write!(f, "database error: {error}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.as_database().and_then(std::error::Error::source)
    }
}

impl fmt::Display for TransactionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TransactionError::Finished => "this transaction is already finished",
            TransactionError::Aborted => {
                "a statement of this transaction failed, so it can only be rolled back: wrap what may fail in a nested `in_transaction`"
            }
            TransactionError::Suspended => {
                "the outer transaction is suspended while a nested one is open: use the inner handle"
            }
            TransactionError::HeldByOwnGuard => {
                "a transaction guard of this task has the only connection that this query could run on: add `.using_db(&guard)`, or run it in `guard.scope(..)`"
            }
            TransactionError::Missing => "this call needs an open transaction: wrap it in `in_transaction`",
        })
    }
}

impl From<TransactionError> for Error {
    fn from(error: TransactionError) -> Self {
        Error::Transaction(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_is_small_and_crosses_threads() {
        fn crosses<T: Send + Sync + 'static>() {}
        crosses::<Error>();
        assert!(size_of::<Error>() <= 32, "{}", size_of::<Error>());
    }

    #[test]
    fn debug_is_what_a_person_reads() {
        let report = DatabaseError::new("no such table: t").with_sql("SELECT 1 FROM t".into());
        assert_eq!(
            format!("{:?}", Error::database(ErrorKind::Statement, report)),
            "Statement: the database rejected the statement: no such table: t [SELECT 1 FROM t]"
        );
        let error = Error::configuration("no scheme");
        assert_eq!(format!("{error:?}"), "Configuration: no scheme");
    }
}
