//! What a database said when it refused or failed a statement.

use std::{fmt, sync::Arc};

/// Which wait ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeoutKind {
    /// No connection became free within the pool's `acquire_timeout`.
    Acquire,
    /// No connection could be made within `connect_timeout`.
    Connect,
    /// A lock of the database was not granted in time.
    Lock,
    /// The statement ran longer than its limit.
    Statement,
}

impl fmt::Display for TimeoutKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TimeoutKind::Acquire => "waiting for a free connection",
            TimeoutKind::Connect => "connecting",
            TimeoutKind::Lock => "waiting for a database lock",
            TimeoutKind::Statement => "the statement",
        })
    }
}

/// The database's own report of an error: its code, its message, and the statement if known.
///
/// Never holds bound values. `source()` gives the driver's native error when there is one.
#[derive(Clone, Debug)]
pub struct DatabaseError {
    message: Box<str>,
    code: Option<Box<str>>,
    sql: Option<Arc<str>>,
    /// `None`: the driver says nothing.
    outcome_unknown: Option<bool>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl DatabaseError {
    /// An error with the database's message.
    pub fn new(message: impl Into<String>) -> Self {
        DatabaseError {
            message: message.into().into_boxed_str(),
            code: None,
            sql: None,
            outcome_unknown: None,
            source: None,
        }
    }

    /// Adds the database's code (SQLSTATE, number, extended result code), as text.
    #[must_use]
    pub fn with_code(mut self, code: impl ToString) -> Self {
        self.code = Some(code.to_string().into_boxed_str());
        self
    }

    /// Adds the statement's text, without its values.
    #[must_use]
    pub fn with_sql(mut self, sql: Arc<str>) -> Self {
        self.sql = Some(sql);
        self
    }

    /// Adds the driver's native error as `source()`.
    #[must_use]
    pub fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Says that the statement may have taken effect although no answer came.
    #[must_use]
    pub fn with_outcome_unknown(mut self) -> Self {
        self.outcome_unknown = Some(true);
        self
    }

    /// Says that the statement has not taken effect: nothing of it was sent, or the database said
    /// that it stopped it. Without this, a write outside a transaction whose connection was lost
    /// counts as one of unknown outcome.
    #[must_use]
    pub fn without_effect(mut self) -> Self {
        self.outcome_unknown = Some(false);
        self
    }

    /// As [`with_outcome_unknown`](DatabaseError::with_outcome_unknown), unless the driver knows.
    pub(crate) fn in_doubt(mut self: Box<Self>) -> Box<Self> {
        self.outcome_unknown.get_or_insert(true);
        self
    }

    /// The database's message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The database's code, as text.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// The statement, without its values.
    pub fn sql(&self) -> Option<&str> {
        self.sql.as_deref()
    }

    /// Whether a write may have taken effect although no answer came.
    pub fn outcome_unknown(&self) -> bool {
        self.outcome_unknown == Some(true)
    }
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(code) = &self.code {
            write!(f, " (code {code})")?;
        }
        Ok(())
    }
}

impl std::error::Error for DatabaseError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source
            .as_ref()
            .map(|source| source.as_ref() as &(dyn std::error::Error + 'static))
    }
}
