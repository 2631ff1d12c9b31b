//! One cell of a result row, borrowed from the driver while the row is current.

use super::{Array, Value};
use chrono::{DateTime, Utc};
use std::fmt;

/// One cell of a row: a small copy that borrows text and bytes from the driver.
///
/// A driver reports the storage class it sees (SQLite gives `I64` for booleans and `Text` for
/// date-times); the conversion to the field's type is done by the core, the same for all drivers.
/// `Debug` shows the kind only, never the content.
#[derive(Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Cell<'a> {
    /// SQL NULL.
    Null,
    /// A boolean.
    Bool(bool),
    /// A signed integer.
    I64(i64),
    /// An unsigned integer (only where it may exceed `i64`).
    U64(u64),
    /// A double.
    F64(f64),
    /// Text, valid UTF-8.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// An instant.
    DateTime(DateTime<Utc>),
    /// Many values.
    Array(&'a Array),
}

impl Cell<'_> {
    /// The cell as an owned value.
    pub fn to_value(self) -> Value {
        match self {
            Cell::Null => Value::Null,
            Cell::Bool(v) => Value::Bool(v),
            Cell::I64(v) => Value::I64(v),
            Cell::U64(v) => i64::try_from(v).map_or(Value::F64(v as f64), Value::I64),
            Cell::F64(v) => Value::F64(v),
            Cell::Text(v) => Value::Text(v.to_owned()),
            Cell::Bytes(v) => Value::Bytes(v.to_owned()),
            Cell::DateTime(v) => Value::DateTime(v),
            Cell::Array(v) => Value::Array(Box::new(v.clone())),
        }
    }

    /// Whether this is NULL.
    pub fn is_null(self) -> bool {
        matches!(self, Cell::Null)
    }

    /// The kind of cell, for messages.
    pub fn kind(self) -> &'static str {
        match self {
            Cell::Null => "NULL",
            Cell::Bool(_) => "a boolean",
            Cell::I64(_) | Cell::U64(_) => "an integer",
            Cell::F64(_) => "a floating-point number",
            Cell::Text(_) => "text",
            Cell::Bytes(_) => "bytes",
            Cell::DateTime(_) => "a date-time",
            Cell::Array(_) => "an array",
        }
    }
}

impl fmt::Debug for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}
