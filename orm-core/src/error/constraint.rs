//! Broken constraints: which kind, and as much of table, columns and name as the database tells.

use super::{DatabaseError, Error};
use std::fmt;

/// What kind of constraint refused a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConstraintKind {
    /// Unique constraint, unique index or primary key.
    Unique,
    /// A referenced row is missing, or a row is still referenced.
    ForeignKey,
    /// NULL in a column that does not take it.
    NotNull,
    /// A check constraint.
    Check,
    /// The database did not say, or has a kind of its own (trigger, exclusion).
    Other,
}

/// Raised when a write breaks a constraint of the database.
#[derive(Clone, Debug)]
pub struct IntegrityError {
    kind: ConstraintKind,
    constraint: Option<Box<str>>,
    table: Option<Box<str>>,
    columns: Vec<Box<str>>,
    database: Option<DatabaseError>,
}

impl IntegrityError {
    /// A broken constraint of this kind, with no detail.
    pub fn new(kind: ConstraintKind) -> Self {
        IntegrityError {
            kind,
            constraint: None,
            table: None,
            columns: Vec::new(),
            database: None,
        }
    }

    /// A broken constraint with the database's report.
    pub fn from_database(kind: ConstraintKind, database: DatabaseError) -> Self {
        IntegrityError {
            database: Some(database),
            ..IntegrityError::new(kind)
        }
    }

    /// Adds the constraint's name.
    #[must_use]
    pub fn with_constraint(mut self, name: impl Into<String>) -> Self {
        self.constraint = Some(name.into().into_boxed_str());
        self
    }

    /// Adds the table's name.
    #[must_use]
    pub fn with_table(mut self, table: impl Into<String>) -> Self {
        self.table = Some(table.into().into_boxed_str());
        self
    }

    /// Adds the constrained columns, in the constraint's order.
    #[must_use]
    pub fn with_columns<S: Into<String>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.columns = columns
            .into_iter()
            .map(|c| c.into().into_boxed_str())
            .collect();
        self
    }

    /// The kind of constraint.
    pub fn kind(&self) -> ConstraintKind {
        self.kind
    }

    /// The constraint's name, if the database names it.
    pub fn constraint(&self) -> Option<&str> {
        self.constraint.as_deref()
    }

    /// The table, if the database names it.
    pub fn table(&self) -> Option<&str> {
        self.table.as_deref()
    }

    /// The columns, if the database names them.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(AsRef::as_ref)
    }

    pub(super) fn database_mut(&mut self) -> Option<&mut DatabaseError> {
        self.database.as_mut()
    }

    /// The database's report.
    pub fn database(&self) -> Option<&DatabaseError> {
        self.database.as_ref()
    }
}

impl fmt::Display for IntegrityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            ConstraintKind::Unique => "a row with this value exists already",
            ConstraintKind::ForeignKey => "a referenced row is missing or still in use",
            ConstraintKind::NotNull => "a required column is NULL",
            ConstraintKind::Check => "a check constraint failed",
            ConstraintKind::Other => "a constraint failed",
        })?;
        if let Some(constraint) = &self.constraint {
            write!(f, " (constraint `{constraint}`)")?;
        }
        if !self.columns.is_empty() {
            let columns = self.columns.join(", ");
            match &self.table {
                Some(table) => write!(f, ": `{table}` ({columns})")?,
                None => write!(f, ": ({columns})")?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for IntegrityError {}

impl From<IntegrityError> for Error {
    fn from(error: IntegrityError) -> Self {
        Error::Integrity(Box::new(error))
    }
}
