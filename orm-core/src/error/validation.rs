//! Values that do not fit: on the way in (validation, all fields at once) and on the way out (data).

use super::{DatabaseError, Error};
use std::fmt;

/// One field that was refused, and why. The message never repeats the value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldIssue {
    /// Name of the field, as in the model.
    pub field: Box<str>,
    /// What is wrong and what would be right.
    pub message: Box<str>,
}

/// Raised when values do not fit the model's fields; nothing was sent. Holds every bad field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValidationError {
    issues: Vec<FieldIssue>,
}

impl ValidationError {
    /// No issues yet.
    pub fn new() -> Self {
        ValidationError::default()
    }

    /// One bad field.
    pub fn one(field: impl Into<String>, message: impl Into<String>) -> Self {
        let mut error = ValidationError::default();
        error.push(field, message);
        error
    }

    /// Adds a bad field.
    pub fn push(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.issues.push(FieldIssue {
            field: field.into().into_boxed_str(),
            message: message.into().into_boxed_str(),
        });
    }

    /// The bad fields, in the order they were found.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let long = "x".repeat(51);
    /// let error = User::create(kw!(username = long)).await.unwrap_err();
    /// let Error::Validation(problems) = &error else { panic!("{error}") };
    /// assert_eq!(&*problems.issues()[0].field, "username");
    /// # Ok(()) }) }
    /// ```
    pub fn issues(&self) -> &[FieldIssue] {
        &self.issues
    }

    /// Whether any field was refused.
    pub fn is_empty(&self) -> bool {
        self.issues.is_empty()
    }

    /// `Ok` when no field was refused.
    ///
    /// # Errors
    /// [`Error::Validation`] with every field that was pushed.
    pub fn into_result(self) -> Result<(), Error> {
        if self.issues.is_empty() {
            Ok(())
        } else {
            Err(Error::Validation(Box::new(self)))
        }
    }
}

impl fmt::Display for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, issue) in self.issues.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            write!(f, "`{}`: {}", issue.field, issue.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for ValidationError {}

impl From<ValidationError> for Error {
    fn from(error: ValidationError) -> Self {
        Error::Validation(Box::new(error))
    }
}

/// A stored value that does not fit the field that reads it.
#[derive(Clone, Debug)]
pub struct DataError {
    model: &'static str,
    field: Box<str>,
    message: Box<str>,
    database: Option<DatabaseError>,
}

impl DataError {
    /// A value that could not be read; `message` says what was expected and what was found.
    pub fn new(message: impl Into<String>) -> Self {
        DataError {
            model: "",
            field: "".into(),
            message: message.into().into_boxed_str(),
            database: None,
        }
    }

    /// A value that the database itself refused (out of range, bad cast).
    pub fn from_database(database: DatabaseError) -> Self {
        DataError {
            database: Some(database.clone()),
            ..DataError::new(database.to_string())
        }
    }

    /// Names the field.
    #[must_use]
    pub fn at(mut self, model: &'static str, field: impl Into<String>) -> Self {
        self.model = model;
        self.field = field.into().into_boxed_str();
        self
    }

    /// The model, or empty outside models.
    pub fn model(&self) -> &str {
        self.model
    }

    /// The field or result column, or empty when unknown.
    pub fn field(&self) -> &str {
        &self.field
    }

    pub(super) fn database_mut(&mut self) -> Option<&mut DatabaseError> {
        self.database.as_mut()
    }

    /// The database's report, when it was the one to refuse.
    pub fn database(&self) -> Option<&DatabaseError> {
        self.database.as_ref()
    }
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.model.is_empty(), self.field.is_empty()) {
            (false, _) => write!(f, "`{}.{}`: {}", self.model, self.field, self.message),
            (true, false) => write!(f, "column `{}`: {}", self.field, self.message),
            (true, true) => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for DataError {}

impl From<DataError> for Error {
    fn from(error: DataError) -> Self {
        Error::Data(Box::new(error))
    }
}
